"""The units of deploy/systemd are read by systemd without a complaint, and let a role do little."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
UNITS = ROOT / "deploy/systemd"
TANDEM = os.environ.get("TANDEM_BIN", str(ROOT / "build/tandem"))
SERVICES = ["tandem@sales-worker.service", "tandem-topics.service"]
EXPOSURE_LIMIT = 15  # tenths: systemd calls 1.5 OK, and an ordinary service has 9.6


def analyze(*words):
    done = subprocess.run(["systemd-analyze", *words], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode, done.stdout


class Systemd(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tandem-units-"))
        self.addCleanup(shutil.rmtree, self.folder)
        for path in UNITS.iterdir():
            text = path.read_text(encoding="utf-8").replace("/usr/bin/tandem", TANDEM)
            (self.folder / path.name).write_text(text, encoding="utf-8")

    def of_ours(self, output):
        """The lines that are about these units; the machine's own may have faults too."""
        return [line for line in output.splitlines() if "tandem" in line]

    def test_systemd_reads_every_unit_without_a_complaint(self):
        for unit in [*SERVICES, "tandem.target"]:
            _, output = analyze("verify", "--man=no", str(self.folder / unit))
            self.assertEqual(self.of_ours(output), [], unit)

    def test_a_wrong_line_is_complained_of(self):
        path = self.folder / "tandem-topics.service"
        path.write_text(path.read_text(encoding="utf-8").replace("ProtectHome=yes", "ProtectHome=perhaps"),
                        encoding="utf-8")
        _, output = analyze("verify", "--man=no", str(path))
        self.assertIn("perhaps", "".join(self.of_ours(output)))

    def test_a_role_is_exposed_little(self):
        for unit in SERVICES:
            status, output = analyze("security", "--offline=true",
                                     f"--threshold={EXPOSURE_LIMIT}", str(self.folder / unit))
            level = re.search(r"exposure level for (\S+): (\S+)", output)
            self.assertTrue(level, output)
            print(f"| {level[1]} {level[2]} of 10", flush=True)
            self.assertEqual(status, 0, output)

    def test_no_secret_is_in_a_unit(self):
        for path in UNITS.iterdir():
            for line in path.read_text(encoding="utf-8").splitlines():
                if "PASSWORD" in line and not line.startswith("#"):
                    self.assertRegex(line, r"^Environment=TANDEM_REDIS_PASSWORD_FILE=%d/")


if __name__ == "__main__":
    unittest.main()
