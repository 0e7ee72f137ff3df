"""Breaks the code in one place after the other, and shows that the tests of faults find each.

breaks/NAME.patch changes one file of common/ or consumers/. It is compiled apart and linked before
the library, so nothing else is built. A break of a script in Lua, or of store*.c, is looked for by
double_test on a real Redis, every other one by the simulator. Prints which seed or call found it."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/system"))

from harness import BUILD, _stack  # noqa: E402  (reads the stack's addresses as all tests do)

SEEDS = 3000
CALLS = 5000
BREAKS = sorted((ROOT / "tests/simulator/breaks").glob("*.patch"))


def flags():
    """(compiler and its flags, linker's flags), as make uses them."""
    made = subprocess.run(["make", "-s", f"SANITIZE={os.environ.get('SANITIZE', '')}",
                           "print-flags"], cwd=ROOT, check=True, capture_output=True, text=True)
    compile_, link = made.stdout.splitlines()[-2:]
    return compile_.split(), link.split()


def embed(script, header):
    """A Lua script as C text, as the Makefile does it."""
    lines = script.read_text().splitlines()
    text = "".join('    "' + line.replace("\\", "\\\\").replace('"', '\\"') + '\\n"\n'
                   for line in lines)
    header.write_text(f"static const char {script.stem}_lua[] =\n{text}    ;\n")


def including(header):
    """The source of common/ that a script is part of."""
    return next(source for source in (ROOT / "common").glob("*.c") if header in source.read_text())


class Breaks(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.compiler, self.link = flags()

    def broken_source(self, patch):
        """The changed file, in a folder of its own, and what of it is to be compiled."""
        name = re.search(r"^\+\+\+ b/(\S+)", patch.read_text(), re.MULTILINE).group(1)
        broken = self.folder / name
        broken.parent.mkdir(parents=True, exist_ok=True)
        broken.write_bytes((ROOT / name).read_bytes())
        done = subprocess.run(["patch", "-p1", "-s", "-d", self.folder, "-i", patch],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, f"{patch.name} does not fit any more: {done.stdout}")
        if broken.suffix == ".lua":
            embed(broken, self.folder / f"{broken.stem}_lua.h")
            return including(f"{broken.stem}_lua.h")
        return broken

    def build(self, patch, programs):
        """Links the objects of a test program with the broken one first."""
        source = self.broken_source(patch)
        program = self.folder / "broken"
        objects = [BUILD / "obj/tests/simulator" / f"{p}.o" for p in programs]
        subprocess.run([self.compiler[0], f"-I{self.folder}", *self.compiler[1:], "-Wno-error",
                        "-w", "-o", program, source, *objects, BUILD / "libtandem.a", *self.link],
                       cwd=ROOT, check=True)
        return program

    def first_seed(self, patch):
        """The seed that finds it, or None."""
        doubles = [p.stem for p in (ROOT / "tests/simulator").glob("*.c")
                   if not p.stem.endswith("_test")]
        done = subprocess.run([self.build(patch, doubles), "--first", "--seeds", str(SEEDS)],
                              capture_output=True, text=True, timeout=300)
        found = [int(n) for n in re.findall(r"^seed (\d+): ", done.stdout, re.MULTILINE)]
        if found:
            return f"seed {min(found)}"
        return "a schedule that never ends" if done.returncode else None

    def first_call(self, patch):
        """The call that finds it, or None."""
        program = self.build(patch, ["double_test", "double_ledger_test", "memory", "blob"])
        done = subprocess.run([program, _stack("TANDEM_REDIS"), str(CALLS)], capture_output=True,
                              text=True, timeout=300)
        found = re.match(r"call (\d+): ", done.stdout)
        return f"call {found.group(1)}" if found else None

    def test_every_break_is_found(self):
        self.assertGreaterEqual(len(BREAKS), 10)
        for patch in BREAKS:
            with self.subTest(patch.stem):
                text = patch.read_text()
                by_redis = ".lua" in text or "b/common/store" in text
                found = self.first_call(patch) if by_redis else self.first_seed(patch)
                print(f"    {patch.stem:40} {found or 'NOT FOUND'}")
                self.assertIsNotNone(found, f"{patch.stem}: nothing notices")


if __name__ == "__main__":
    unittest.main()
