"""run.py [--short] [--minutes N] [--seed N] [--only WORD...] - faults on the real things.

Each kind of fault has a business, topics and servers of its own; workers count live traffic while
the fault is injected again and again. After each the time is taken until the counters have caught
up, and at the end every field of Redis is compared with the Python oracle's count of the log.
Without --minutes: one round, each kind at least as often as kinds.py says. With it: rounds until
the time is up. --short is what faults_test.py runs: each kind once or twice. Status 1 when anything
was lost or doubled, or a worker gave up.

Two lanes, each a process with a Kafka of its own, share the kinds: most of a fault is waiting.
Beside them producers are killed while they send (producers.py). At the end, alone, the time is
taken that one worker's death costs (recovery.py). Python's standard library only."""

import argparse
import collections
import contextlib
import functools
import json
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time
import traceback

import servers
import kinds
import producers
import recovery

MOST_EVENTS = 60000         # of a scene: the oracle counts some 6,000 a second
LANES = 2
LONG_MINUTES = 10           # from here on the file to import is large

# A kind is injected at most so often for its own sake, and for so long in a round; percent of its
# traffic; events of days past; rows to import and events to emit; attempts at the time of recovery.
Size = collections.namedtuple("Size", "most round_s percent history rows events attempts")
SHORT = Size(most=2, round_s=0, percent=40, history=500, rows=10000, events=3000, attempts=3)
USUAL = Size(most=99, round_s=6, percent=100, history=2000, rows=50000, events=30000, attempts=1)
LONG = USUAL._replace(rows=1000000)


class Row:
    """What is known of one kind of fault, over all rounds."""

    def __init__(self, name):
        self.name = name
        self.injected = self.events = self.fields = self.lost = self.doubled = 0
        self.caught_s = []
        self.said = ""

    def add(self, verdict):
        self.events += verdict.events
        self.fields += verdict.fields
        self.lost += verdict.lost
        self.doubled += verdict.doubled

    def good(self):
        return not (self.lost or self.doubled or self.said.startswith("FAILED"))


def say(*words):
    print(*words, flush=True)


def one_round(kind, kafka, folder, seed, size, row):
    """Injects one kind of fault for a while and compares."""
    dice = random.Random(f"{seed} {kind.name}")
    fault = kind.__new__(kind)
    try:
        fault.__init__(kafka, folder, dice)
        _inject(fault, seed, size, row)
    finally:
        fault.close()


def _inject(fault, seed, size, row):
    scene = fault.scene
    scene.send_history(size.history, seed)
    scene.start_workers()
    scene.start_traffic(fault.rate * size.percent // 100, MOST_EVENTS, seed, fault.bad)
    scene.catch_up()
    began = time.monotonic()
    while fault.number < min(fault.least, size.most) or time.monotonic() - began < size.round_s:
        fault.wait(0.2, 0.8)
        fault.inject()
        fault.number += 1
        row.injected += 1
        row.caught_s.append(scene.catch_up())
        fault.after()
    scene.stop_traffic()
    scene.catch_up()
    scene.stop_workers()
    verdict = scene.verify(fault.letters_from())
    row.add(verdict)
    for line in verdict.told[:20]:
        say("   ", line)
    if verdict.told:
        say(scene.logs())


def run_kind(kind, kafka, folder, seed, size, row):
    """Nothing that one kind does may end the run."""
    began, before = time.monotonic(), row.injected
    place = folder / f"{seed}-{kind.__name__}"
    place.mkdir(parents=True)
    try:
        if not kafka.runs():
            kafka.start()
        one_round(kind, kafka, place, seed, size, row)
    except kinds.Impossible as why:
        row.said = f"skipped: {why}"
    except Exception as error:          # pylint: disable=broad-exception-caught
        row.said = "FAILED: " + (str(error).splitlines() or [repr(error)])[0]
        traceback.print_exc()
    finally:
        servers.remove(place)
    words = row.said or f"{row.lost} lost, {row.doubled} doubled"
    say(f"{kind.name:32} {row.injected - before:3} injected  "
        f"{time.monotonic() - began:5.1f} s  {words}")


def table(rows):
    """What the rows come to, in lines."""
    lines = [f"{'fault':32} {'injected':>8} {'events':>8} {'lost':>5} {'doubled':>8} "
             f"{'caught up, s':>13}"]
    for row in rows:
        if row.said.startswith("skipped"):
            lines.append(f"{row.name:32} {row.said}")
            continue
        took = f"{sorted(row.caught_s)[len(row.caught_s) // 2]:.1f}, {max(row.caught_s):.1f}" \
            if row.caught_s else "-"
        lines.append(f"{row.name:32} {row.injected:8} {row.events:8} {row.lost:5} "
                     f"{row.doubled:8} {took:>13}{'  ' + row.said if row.said else ''}")
    slowest = max(((max(row.caught_s), row.name) for row in rows if row.caught_s),
                  default=(0, "-"))
    return lines + [
        f"{sum(1 for row in rows if row.injected)} kinds, "
        f"{sum(row.injected for row in rows)} injected, "
        f"{sum(row.events for row in rows)} events, {sum(row.fields for row in rows)} fields "
        f"compared: {sum(row.lost for row in rows)} lost, "
        f"{sum(row.doubled for row in rows)} doubled",
        "caught up: the median and the slowest; lost, doubled: fields of Redis that hold less, "
        "or more, than the log comes to",
        f"slowest catch-up: {slowest[0]:.1f} s ({slowest[1]})"]


def named(words, *names):
    return not words or any(word.lower() in name.lower() for word in words for name in names)


def chosen_kinds(words):
    return [kind for kind in kinds.ALL if named(words, kind.name, kind.__name__)]


def chosen_extras(words, size):
    """{name: function of kafka, folder, seed, say} that gives (line, whether it is well)."""
    found = {name: functools.partial(producers.run, name, trial)
             for name, trial in producers.trials(size.rows, size.events)}
    found[recovery.NAME] = functools.partial(recovery.run, attempts=size.attempts)
    return {name: extra for name, extra in found.items() if named(words, name)}


def size_of(asked):
    if asked.short:
        return SHORT
    return LONG if asked.minutes >= LONG_MINUTES else USUAL


def options(words=None):
    parser = argparse.ArgumentParser(description="Faults on a real Kafka and Redis.")
    parser.add_argument("--minutes", type=float, default=0, help="rounds for so long (one round)")
    parser.add_argument("--seed", type=int, default=None, help="of the first round (by the clock)")
    parser.add_argument("--short", action="store_true", help="each kind once or twice")
    parser.add_argument("--only", nargs="*", default=[], metavar="WORD", help="faults by name")
    parser.add_argument("--lane", type=int, default=None, help=argparse.SUPPRESS)
    parser.add_argument("--folder", default=None, help=argparse.SUPPRESS)
    return parser.parse_args(words)


def run_lane(asked, folder):
    """One lane: its kinds, round after round; what they came to goes to a file."""
    until = time.monotonic() + asked.minutes * 60
    wanted = chosen_kinds(asked.only)[asked.lane::LANES]
    seed, rows = asked.seed, {kind: Row(kind.name) for kind in wanted}
    with contextlib.closing(servers.Kafka(folder / f"kafka{asked.lane}", proxied=True)) as kafka:
        while True:
            for kind in wanted:
                run_kind(kind, kafka, folder / f"lane{asked.lane}", seed, size_of(asked),
                         rows[kind])
                if asked.minutes and time.monotonic() > until:
                    break
            seed += 1
            if time.monotonic() >= until:
                break
    (folder / f"lane{asked.lane}.json").write_text(json.dumps([vars(r) for r in rows.values()]))


@contextlib.contextmanager
def running_lanes(asked, folder):
    """The lanes' processes; none outlives this."""
    words = ["--minutes", str(asked.minutes), "--seed", str(asked.seed), "--folder", str(folder),
             *(["--short"] if asked.short else []), "--only", *asked.only]
    lanes = [subprocess.Popen([sys.executable, __file__, "--lane", str(lane), *words],
                              stdin=subprocess.DEVNULL)
             for lane in range(min(LANES, len(chosen_kinds(asked.only))))]
    try:
        yield lanes
    finally:
        for lane in lanes:
            if lane.poll() is None:
                lane.terminate()
                lane.wait(60)


def rows_of(lanes, folder):
    """What all lanes came to, when they have ended, in the order of the kinds."""
    rows = []
    for lane, status in enumerate([lane.wait() for lane in lanes]):
        if status != 0:
            raise SystemExit(f"faults: lane {lane} ended with status {status}")
        for fields in json.loads((folder / f"lane{lane}.json").read_text()):
            row = Row(fields["name"])
            vars(row).update(fields)
            rows.append(row)
    order = [kind.name for kind in kinds.ALL]
    return sorted(rows, key=lambda row: order.index(row.name))


def run_in(asked, folder):
    """(rows, {name: (line, whether it is well)}). Producers are killed beside the lanes; when these
    have ended the time of recovery is taken."""
    extras, said = chosen_extras(asked.only, size_of(asked)), {}
    with contextlib.ExitStack() as stack:
        lanes = stack.enter_context(running_lanes(asked, folder))
        kafka = extras and stack.enter_context(contextlib.closing(servers.Kafka(folder / "kafka")))
        rows = None
        for i, (name, extra) in enumerate(extras.items()):
            if name == recovery.NAME:
                rows = rows_of(lanes, folder)
            said[name] = extra(kafka, folder / f"extra{i}", asked.seed, say)
        return rows if rows is not None else rows_of(lanes, folder), said


def run_all(asked):
    """(rows, {name: (line, whether it is well)})"""
    if not chosen_kinds(asked.only) and not chosen_extras(asked.only, size_of(asked)):
        sys.exit(f"faults: none is named {' '.join(asked.only)}; there are: "
                 + "; ".join([*(k.name for k in kinds.ALL), *chosen_extras([], size_of(asked))]))
    if asked.seed is None:
        asked.seed = int(time.time()) % 1000000
    say(f"seed {asked.seed}")
    servers.fetch_kafka()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tandem-faults-"))
    try:
        return run_in(asked, folder)
    finally:
        servers.remove(folder)


def main():
    began, asked = time.monotonic(), options()
    if asked.lane is not None:
        run_lane(asked, pathlib.Path(asked.folder))
        return 0
    rows, extras = run_all(asked)
    say()
    say("\n".join([*(table(rows) if rows else []), *(line for line, _ in extras.values())]))
    say(f"{time.monotonic() - began:.0f} s in all")
    return 0 if all(row.good() for row in rows) and all(well for _, well in extras.values()) else 1


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
