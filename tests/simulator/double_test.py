"""The store's double answers as a real Redis does, and holds the same, on the same random calls."""

import pathlib
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/system"))

from harness import BUILD, _stack  # noqa: E402


class Double(unittest.TestCase):
    def test_ten_thousand_random_calls_give_the_same_answers_and_states(self):
        done = subprocess.run([BUILD / "tests/double_test", _stack("TANDEM_REDIS"), "10000"],
                              capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("10000 calls", done.stdout)


if __name__ == "__main__":
    unittest.main()
