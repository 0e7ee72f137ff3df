"""tandem with a Kafka and a Redis that let in only whom they know: docs/security.md, command by
command; every role with what deploy/ gives it and no more; and what a wrong credential is told."""

import pathlib
import shutil
import signal
import tempfile
import time
import unittest

from secured import Place, servers

BOUND_S = 12                # a wrong credential is told within


class Security(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        servers.fetch_kafka()
        folder = pathlib.Path(tempfile.mkdtemp(prefix="tandem-security-"))
        cls.addClassCleanup(shutil.rmtree, folder, True)
        cls.place = Place(folder)
        cls.addClassCleanup(cls.place.close)
        began = time.monotonic()
        cls.place.set_up()
        print(f"| docs/security.md from first to last command: {time.monotonic() - began:.1f} s",
              flush=True)

    def test_every_command_of_the_page_does_what_it_says(self):
        print(self.place.said("page.log"))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    unittest.main(verbosity=2)
