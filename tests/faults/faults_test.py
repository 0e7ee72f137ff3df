"""The short form of `make faults`, part of `make test`: every kind of fault once or twice, on a
Kafka, Redis and Sentinels of its own. The table is printed, whether all is well or not."""

import shutil
import signal
import unittest

import kinds
import recovery
import run
import servers

LEAST_KINDS = 12


class Faults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not servers.has_kafka() and not (shutil.which("java") and shutil.which("mvn")):
            raise unittest.SkipTest("a Kafka that may be killed needs Java and Maven here")
        cls.rows, cls.extras = run.run_all(run.options(["--short"]))
        for line in run.table(cls.rows) + [line for line, _ in cls.extras.values()]:
            print("|", line)

    def test_every_kind_of_fault_is_injected(self):
        self.assertEqual([row.name for row in self.rows], [kind.name for kind in kinds.ALL])
        self.assertGreaterEqual(sum(row.injected > 0 for row in self.rows), LEAST_KINDS)
        for row in self.rows:
            with self.subTest(row.name):
                self.assertTrue(row.injected or row.said.startswith("skipped"), row.said)

    def test_no_fault_loses_or_doubles_anything(self):
        for row in self.rows:
            with self.subTest(row.name):
                self.assertTrue(row.good(), f"{row.lost} lost, {row.doubled} doubled {row.said}")

    def test_counters_are_complete_again_soon_after_a_worker_is_killed(self):
        line, well = self.extras[recovery.NAME]
        self.assertTrue(well, line)

    def test_producers_that_are_killed_and_started_again_lose_and_double_nothing(self):
        lines = {name: said for name, said in self.extras.items() if name != recovery.NAME}
        self.assertGreaterEqual(len(lines), 3)
        for name, (line, well) in lines.items():
            with self.subTest(name):
                self.assertTrue(well, line)


if __name__ == "__main__":
    # Asked to end: as Ctrl-C, which unittest lets through, so that all servers are ended.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    unittest.main()
