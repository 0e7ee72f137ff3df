"""The schema of the targets file, `tandem targets` and the stated verdicts agree."""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import contract  # noqa: E402
import decoders  # noqa: E402
from contract import SCHEMAS  # noqa: E402

EXAMPLES = {path.stem: json.loads(path.read_text(encoding="utf-8"))
            for path in sorted((SCHEMAS / "examples" / "targets").glob("*.json"))}

# What the schema cannot say, and the examples that it accepts for that reason.
BEYOND = {
    "two targets are equal": {"the-same-target-twice"},
    "a date or week does not exist": {
        "a-day-that-does-not-exist", "a-holiday-that-does-not-exist",
        "week-53-of-a-year-of-52-weeks"},
    "a dimension is not configured": {"a-dimension-that-is-not-configured"},
    "a period weighs nothing": {"a-period-made-of-holidays"},
    "1.0 and 1e6 are integers to a schema": {"a-version-of-1-0", "an-amount-with-exponent"},
    "a name stands twice": {"a-name-twice"},
}


def text_of(example):
    return example["text"] if "text" in example else json.dumps(example["file"], ensure_ascii=False)


class Targets(unittest.TestCase):
    maxDiff = None

    def test_the_schema_gives_the_stated_verdict_but_for_what_it_cannot_say(self):
        cannot = set().union(*BEYOND.values())
        validator = contract.validator("targets.json")
        for name, example in EXAMPLES.items():
            with self.subTest(name):
                try:
                    accepted = validator.is_valid(json.loads(text_of(example)))
                except ValueError:
                    accepted = False
                self.assertEqual(example["verdict"] == "valid" or name in cannot, accepted)
        self.assertLessEqual(cannot, set(EXAMPLES))

    def test_the_command_gives_the_stated_verdict_and_lists_every_path(self):
        with tempfile.TemporaryDirectory() as folder:
            for name, example in EXAMPLES.items():
                with self.subTest(name):
                    path = pathlib.Path(folder, name + ".json")
                    path.write_text(text_of(example), encoding="utf-8")
                    self.assertEqual((example["verdict"], set(example.get("paths", []))),
                                     self.told_by_command(path))

    def told_by_command(self, path):
        """(verdict, the paths of all mistakes) of `tandem targets FILE`."""
        plain = {name: os.environ[name] for name in os.environ if not name.startswith("TANDEM_")}
        done = subprocess.run([str(decoders.BUILD / "tandem"), "targets", str(path)], timeout=60,
                              capture_output=True, text=True, env=plain)
        said = done.stdout + done.stderr
        self.assertIn(done.returncode, (0, 1), said)
        if done.returncode == 0:
            return "valid", set()
        return "refused", set(re.findall(r"^(\S+): ", said, re.M))


if __name__ == "__main__":
    unittest.main()
