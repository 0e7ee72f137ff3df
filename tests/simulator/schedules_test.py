"""The worker's real code agrees with a plain recount after every schedule of faults."""

import os
import pathlib
import re
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("TANDEM_BUILD", ROOT / "build"))
SIMULATE = BUILD / "tests/simulate"
SEEDS = ROOT / "tests/simulator/seeds.txt"


def simulate(*args):
    return subprocess.run([SIMULATE, *args], capture_output=True, text=True, timeout=900)


class Schedules(unittest.TestCase):
    def test_two_thousand_schedules_agree(self):
        done = simulate("--seeds", "2000")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn(" 0 disagree", done.stdout)
        print(done.stdout)

    def test_every_fault_happens(self):
        done = simulate("--seeds", "2000", "--from", "100001")
        counts = re.findall(r"^(\S.*?) +(\d+)$", done.stdout, re.MULTILINE)
        never = [name for name, count in counts if int(count) == 0 and name != "fault"]
        self.assertEqual(never, [])
        self.assertGreater(len(counts), 30)

    def test_every_seed_that_ever_failed_agrees(self):
        seeds = [line.split()[0] for line in SEEDS.read_text().splitlines()
                 if line and not line.startswith("#")]
        self.assertTrue(seeds)
        for seed in seeds:
            with self.subTest(seed=seed):
                done = simulate("--seed", seed)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_a_seed_replays_exactly(self):
        first, again = (simulate("--seed", "7", "--trace").stdout for _ in range(2))
        self.assertIn("fault: ", first)
        self.assertEqual(first, again)


if __name__ == "__main__":
    unittest.main()
