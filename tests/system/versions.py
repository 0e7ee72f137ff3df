"""Two other tandems than the one under test: the one before stores had a layout, and one of the next.

    with using(versions.previous()):
        self.start("sales")         # as ever, but that version's"""

import contextlib
import os
import pathlib
import shutil
import subprocess

import harness
from harness import BUILD, ROOT

# The last commit whose stores say no layout, which is the first layout.
PREVIOUS = "33284425ea1ce2912c0494ac41045fa500e7a484"
# What a clone without history builds instead: this tree, which neither writes a layout nor reads it.
UNSAID = {
    "common/store.c": (('    args_string(args, "layout");\n', ""),
                       ("    args_number(args, STORE_LAYOUT);\n", ""),
                       ("args_number(args, 3 + 4 *", "args_number(args, 2 + 4 *")),
    "common/store_state.c": (('layout_check(field_of(hash, "layout"), err) != 0', "false"),),
}


@contextlib.contextmanager
def using(binary):
    """What a world starts and runs meanwhile is that one."""
    own, harness.BIN = harness.BIN, binary
    try:
        yield
    finally:
        harness.BIN = own


def _flags():
    """(compiler and its flags, linker's flags) as make uses them."""
    made = subprocess.run(["make", "-s", f"SANITIZE={os.environ.get('SANITIZE', '')}",
                           "print-flags"], cwd=ROOT, check=True, capture_output=True, text=True)
    compiler, link = made.stdout.splitlines()[-2:]
    return compiler.split(), [word for word in link.split() if "--wrap" not in word]


def _link(binary, sources, *more):
    """tandem with these sources before those of its library."""
    compiler, link = _flags()
    subprocess.run([*compiler, *more, "-w", "-o", binary, *sources, BUILD / "obj/main.o",
                    BUILD / "libtandem.a", *link], cwd=ROOT, check=True)
    return binary


def next_layout(folder):
    """This tree, with the next layout."""
    text = (ROOT / "common/layout.h").read_text()
    number = int(text.split("#define STORE_LAYOUT ")[1].split()[0])
    sources = [path for pattern in ("common/*.c", "consumers/*/*.c") for path in ROOT.glob(pattern)
               if '"common/layout.h"' in path.read_text()]
    return _link(folder / "tandem-next", sources, f"-DSTORE_LAYOUT={number + 1}"), number + 1


def _build_commit(commit, folder):
    source = folder / "source"
    source.mkdir(parents=True, exist_ok=True)
    with subprocess.Popen(["git", "archive", commit], cwd=ROOT, stdout=subprocess.PIPE) as archive:
        subprocess.run(["tar", "x", "-C", source], stdin=archive.stdout, check=True)
    if archive.returncode != 0:
        raise AssertionError(f"git archive {commit} ended with {archive.returncode}")
    (source / "build").mkdir()
    if (ROOT / "build/deps").exists():
        (source / "build/deps").symlink_to(ROOT / "build/deps")
    # -O0: a third of the time; -w: it was warned about in its day, by another compiler perhaps.
    done = subprocess.run(["make", f"-j{os.cpu_count()}", "CFLAGS=-O0 -w", "WHOLE=", "LINK_WHOLE=",
                           "SANITIZE=", "build/tandem"], cwd=source, capture_output=True, text=True,
                          env={k: v for k, v in os.environ.items() if not k.startswith("MAKE")})
    if done.returncode != 0:
        raise AssertionError(done.stdout[-2000:] + done.stderr[-4000:])
    shutil.move(source / "build/tandem", folder / "tandem-previous")
    return folder / "tandem-previous"


def _build_unsaid(folder):
    sources = []
    for name, changes in UNSAID.items():
        text = (ROOT / name).read_text()
        for old, new in changes:
            if text.count(old) != 1:
                raise AssertionError(f"{name} does not hold once: {old}")
            text = text.replace(old, new)
        sources.append(folder / pathlib.Path(name).name)
        sources[-1].write_text(text)
    return _link(folder / "tandem-previous", sources)


def previous(folder):
    """(The version before, what it is in words.)"""
    there = subprocess.run(["git", "cat-file", "-e", f"{PREVIOUS}^{{commit}}"], cwd=ROOT,
                           capture_output=True, check=False).returncode == 0
    if there:
        return _build_commit(PREVIOUS, folder), f"commit {PREVIOUS[:7]}"
    return _build_unsaid(folder), "this tree without layouts (the clone has no history)"
