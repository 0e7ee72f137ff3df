"""What an event costs, in instructions: none of a worker's parts may grow unnoticed."""

import os
import pathlib
import shutil
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

import parts  # noqa: E402


class Instructions(unittest.TestCase):
    @unittest.skipIf(os.environ.get("SANITIZE"), "sanitizers add instructions of their own")
    def test_no_part_needs_over_5_percent_more_instructions_an_event_than_accepted(self):
        accepted = parts.read_accepted().get(parts.compiler())
        if not accepted:
            self.skipTest(f"no counts are accepted for {parts.compiler()}")
        self.assertTrue(shutil.which("valgrind"), "valgrind is not here")
        self.assertEqual(parts.excesses(parts.count(), accepted), [],
                         "where that is meant: make bench-parts RECORD=1")


class Judgement(unittest.TestCase):
    accepted = {("plain", "decode"): 1000.0}

    def test_up_to_5_percent_more_passes(self):
        self.assertEqual(parts.excesses({("plain", "decode"): 1049.0}, self.accepted), [])

    def test_over_5_percent_more_is_told_with_both_counts(self):
        self.assertEqual(parts.excesses({("plain", "decode"): 1060.0}, self.accepted),
                         ["plain decode: 1060.0 instructions an event, accepted are 1000.0 "
                          "(+6.0 %)"])

    def test_a_part_that_nobody_has_accepted_is_told(self):
        self.assertEqual(len(parts.excesses({("plain", "fold"): 10.0}, self.accepted)), 1)


if __name__ == "__main__":
    unittest.main()
