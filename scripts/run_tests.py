"""run_tests.py [--needs] [WORD...] - runs the test programs and counts their cases.

A test program is tests/unit/NAME_test.c, built, or tests/FOLDER/NAME_test.py; tests/fuzz runs by
itself. A WORD chooses programs by NAME, * and ? as in a shell. --needs only prints `stack` when one
of them wants a Kafka and a Redis, else `nothing`.

Two run at a time: one of those that share the stack, which mostly wait for it, and beside it one of
the others. Each has a world of its own.

A program tells its cases as TAP (cmocka) or as Python's unittest does. One that ends badly, hangs,
or runs no case at all has failed, whatever it printed. Of one that passed only the lines are shown
that it begins with `| `. Python's standard library only."""

import fnmatch
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = pathlib.Path(os.environ.get("TANDEM_BUILD", ROOT / "build"))
TIMEOUT_S = int(os.environ.get("TEST_TIMEOUT", "600"))
APART = {"fuzz"}
OWN_SERVERS = {"unit", "security"}       # need no stack
SHARE_STACK = {"system", "simulator", "browser"}
PORTS = {True: "20000-25999", False: "26000-32000"}     # of those who share it, of the others
FIRST = ["unit", "schema", "oracle"]

alive = set()                            # the programs under way


def programs(words):
    """The sources of the chosen test programs, quick ones first."""
    found = [*ROOT.glob("tests/unit/*_test.c"), *ROOT.glob("tests/*/*_test.py")]
    chosen = [p for p in found if p.parent.name not in APART and wanted(name(p), words)]
    order = {folder: place for place, folder in enumerate(FIRST)}
    return sorted(chosen, key=lambda p: (order.get(p.parent.name, len(FIRST)), p.name))


def unmatched(words):
    """The words that choose nothing: a typing mistake must not look like a pass."""
    return [word for word in words if not programs([word])]


def name(source):
    return source.stem.removesuffix("_test")


def wanted(stem, words):
    return not words or any(fnmatch.fnmatch(stem, word.removesuffix("_test")) for word in words)


def command(source):
    if source.suffix == ".py":
        return [sys.executable, str(source), "-v"]
    return [str(BUILD / "tests/unit" / source.stem)]


def run(source):
    """(exit status, output); a status of None is a program that hung."""
    env = {**os.environ, "CMOCKA_MESSAGE_OUTPUT": "TAP", "PYTHONUNBUFFERED": "1",
           "PYTHONDONTWRITEBYTECODE": "1",
           "TEST_PORTS": PORTS[source.parent.name in SHARE_STACK]}
    child = subprocess.Popen(command(source), cwd=ROOT, env=env, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             start_new_session=True)
    alive.add(child)
    try:
        output, _ = child.communicate(timeout=TIMEOUT_S)
        status = child.returncode
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)  # with what it started
        output, _ = child.communicate()
        status = None
    finally:
        alive.discard(child)
    return status, output.decode("utf-8", "replace")


def count_tap(output):
    """(passed, failed, skipped) of cmocka's lines."""
    lines = re.findall(r"^(not ok|ok) \d+(.*)$", output, re.MULTILINE)
    skipped = sum("# SKIP" in rest for _, rest in lines)
    failed = sum(word == "not ok" and "# SKIP" not in rest for word, rest in lines)
    planned = sum(map(int, re.findall(r"^1\.\.(\d+)$", output, re.MULTILINE)))
    missing = max(planned - len(lines), 0)  # it crashed half-way
    return len(lines) - skipped - failed, failed + missing, skipped


def count_unittest(output):
    """(passed, failed, skipped) of unittest's closing lines."""
    ran = re.findall(r"^Ran (\d+) tests? in ", output, re.MULTILINE)
    closing = re.findall(r"^(?:OK|FAILED)(?: \((.*)\))?$", output, re.MULTILINE)
    if not ran or not closing:
        return 0, 1, 0
    said = dict(re.findall(r"(\w+)=(\d+)", closing[-1]))
    # the last word of "unexpected successes"; an expected failure has passed
    failed = sum(int(said.get(word, 0)) for word in ("errors", "successes"))
    failed += sum(map(int, re.findall(r"(?:^|, )failures=(\d+)", closing[-1])))
    skipped = int(said.get("skipped", 0))
    return max(int(ran[-1]) - failed - skipped, 0), failed, skipped


def judge(source, status, output):
    """(passed, failed, skipped), and why it failed when the cases do not tell."""
    count = count_unittest if source.suffix == ".py" else count_tap
    passed, failed, skipped = count(output)
    if status is None:
        return passed, max(failed, 1), skipped, f"did not end in {TIMEOUT_S} s"
    if status < 0 or (status != 0 and failed == 0):
        ending = f"signal {-status}" if status < 0 else f"status {status}"
        return passed, max(failed, 1), skipped, f"ended with {ending}"
    if passed + failed + skipped == 0:
        return 0, 1, 0, "ran no test"
    return passed, failed, skipped, ""


def tell(source, counts, seconds, output):
    passed, failed, skipped, why = counts
    verdict = "FAILED" if failed else "ok"
    words = f"{passed} passed" + (f", {failed} failed" if failed else "")
    words += f", {skipped} SKIPPED" if skipped else ""
    label = f"{source.parent.name}/{name(source)}"
    print(f"{verdict:6} {label:32} {seconds:6.1f} s  {words}{'; ' + why if why else ''}")
    if failed:
        print(output.rstrip() + f"\n------ end of {label}")
        return
    for line in re.findall(r"^\| (.*)", output, re.MULTILINE):
        print("       " + line)
    if skipped:
        for line in re.findall(r".*(?:skipped|# SKIP).*", output):
            print("       " + line.strip())
    sys.stdout.flush()


def run_lane(sources, telling, total, told):
    for source in sources:
        began = time.monotonic()
        status, output = run(source)
        counts = judge(source, status, output)
        with telling:
            tell(source, counts, time.monotonic() - began, output)
            total[:] = [a + b for a, b in zip(total, counts)]
            told.append(source)


def run_all(chosen):
    """[passed, failed, skipped] of all."""
    telling, total, told = threading.Lock(), [0, 0, 0], []
    lanes = [[p for p in chosen if (p.parent.name in SHARE_STACK) == shares]
             for shares in (True, False)]
    threads = [threading.Thread(target=run_lane, args=(lane, telling, total, told),
                                daemon=True)
               for lane in lanes]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    except BaseException:
        for child in list(alive):
            os.killpg(child.pid, signal.SIGTERM)  # each is in a session of its own
        raise
    total[1] += len(chosen) - len(told)     # a lane that died says why by itself
    return total


def main(words):
    only_needs = "--needs" in words
    words = [word for word in words if word != "--needs"]
    chosen = programs(words)
    if not chosen or unmatched(words):
        sys.exit(f"test: no test is named {' '.join(unmatched(words))}")
    if only_needs:
        print("stack" if any(p.parent.name not in OWN_SERVERS for p in chosen) else "nothing")
        return 0
    total = run_all(chosen)
    print(f"{total[0]} passed, {total[1]} failed" + (f", {total[2]} skipped" if total[2] else ""))
    return 1 if total[1] else 0


if __name__ == "__main__":
    # Asked to end: run_all() ends the test programs.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
