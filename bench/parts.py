"""parts.py [--check | --record] - what an event costs in each part of a worker.

Prints nanoseconds, and instructions as callgrind counts them: those are the same on a busy machine
and an idle one. They are counted once over a fixed set of events, without start-up; bench/
instructions.txt holds the accepted counts, by the major version
of gcc (another compiler makes other code).

--check    counts only; status 1 when a part needs over 5 % more than accepted
--record   counts, and accepts them for this compiler

TANDEM_BUILD is the build to measure. Python's standard library only."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = pathlib.Path(os.environ.get("TANDEM_BUILD", ROOT / "build"))
PROGRAM = BUILD / "bench/parts"
ACCEPTED = ROOT / "bench/instructions.txt"
TOLERANCE_PCT = 5
SETS = ("plain", "mixed")
HEAD = """# Accepted instructions an event: compiler, set, part, count.
# `make bench-parts RECORD=1` writes the lines of the compiler at hand.
"""


def compiler():
    """The compiler that `make` takes: gcc-12."""
    cc = os.environ.get("CC", "gcc")
    version = subprocess.run([cc, "-dumpversion"], check=True, capture_output=True, text=True)
    return "gcc-" + version.stdout.split(".")[0].strip()


def profile(events_set, folder):
    """(callgrind's profile of one run, how many events it had)."""
    out = pathlib.Path(folder) / "profile"
    run = subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}",
                          "--toggle-collect=count_all", "--compress-strings=no",
                          "--compress-pos=no", PROGRAM, events_set],
                         check=True, capture_output=True, text=True)
    return out.read_text(), int(run.stdout)


def calls_of(text, caller):
    """{callee: instructions in it and below} of one function in a profile."""
    found, inside, callee, after_calls = {}, False, "", False
    for line in text.splitlines():
        if line.startswith("fn="):
            inside = line == f"fn={caller}"
        elif line.startswith("cfn="):
            callee = line.removeprefix("cfn=")
        elif line.startswith("calls="):
            after_calls = True
        elif after_calls:
            if inside:
                found[callee] = found.get(callee, 0) + int(line.split()[1])
            after_calls = False
    return found


def count():
    """{(set, part): instructions an event}."""
    counts = {}
    for events_set in SETS:
        with tempfile.TemporaryDirectory() as folder:
            text, events = profile(events_set, folder)
        for callee, number in calls_of(text, "count_all").items():
            counts[events_set, callee.removeprefix("run_")] = number / events
    if len(counts) < 2 * len(SETS):
        sys.exit("bench-parts: the profile does not tell of the parts")
    return counts


def read_accepted():
    """{compiler: {(set, part): count}}."""
    accepted = {}
    if ACCEPTED.exists():
        for line in ACCEPTED.read_text().splitlines():
            if line and not line.startswith("#"):
                name, events_set, part, number = line.split()
                accepted.setdefault(name, {})[events_set, part] = float(number)
    return accepted


def record(counts):
    accepted = read_accepted()
    accepted[compiler()] = counts
    lines = [f"{name} {s} {p} {number:.1f}" for name in sorted(accepted)
             for (s, p), number in accepted[name].items()]
    ACCEPTED.write_text(HEAD + "\n".join(lines) + "\n")


def excesses(counts, accepted):
    """A sentence for each part that needs too much, or that nobody has accepted."""
    found = []
    for key, number in counts.items():
        name = " ".join(key)
        if key not in accepted:
            found.append(f"{name}: {number:.1f} instructions an event, none are accepted yet")
        elif number > accepted[key] * (1 + TOLERANCE_PCT / 100):
            more = (number / accepted[key] - 1) * 100
            found.append(f"{name}: {number:.1f} instructions an event, accepted are "
                         f"{accepted[key]:.1f} (+{more:.1f} %)")
    return found


def tell(counts, accepted):
    for (events_set, part), number in counts.items():
        before = accepted.get((events_set, part))
        change = f"  {(number / before - 1) * 100:+.1f} %" if before else ""
        print(f"  {events_set:6} {part:8} {number:9.1f} instructions an event{change}")


def main(words):
    if not shutil.which("valgrind"):
        sys.exit("bench-parts: valgrind is not here: make deps installs it")
    if not words:
        subprocess.run([PROGRAM], check=True)
    counts, accepted = count(), read_accepted().get(compiler(), {})
    print(f"callgrind, {compiler()}:")
    tell(counts, accepted)
    if "--record" in words:
        record(counts)
        print(f"recorded in {ACCEPTED.relative_to(ROOT)}")
    elif "--check" in words and not accepted:
        print(f"no counts are accepted for {compiler()}: cannot judge; "
              "`make bench-parts RECORD=1` records them")
    elif "--check" in words and excesses(counts, accepted):
        print("\n".join(excesses(counts, accepted)))
        print("where that is meant: `make bench-parts RECORD=1`, and say why in the commit")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
