"""Producers that are killed while they send, and started again: nothing is lost, nothing doubled.

The topics must hold every event exactly once, and what the workers then count must be what the
oracle makes of the log (a file too large for it: the sums that the file was made with)."""

import json
import os
import random
import time
import traceback

from harness import wait_for
from scene import KINDS, PARTITIONS, Scene
import servers

MAPPING = {
    "source": "/faults/import", "zone": "UTC",
    "events": [{"type": "sale.completed", "id": "order:{order}",
                "time": {"column": "time", "format": "YYYY-MM-DD HH:MM:SS"},
                "order": {"column": "order"}, "customer": {"column": "customer"},
                "region": {"column": "region"}, "currency": "EUR", "net": {"column": "net"}}]}
ORACLE_MOST = 100000
ATTEMPTS = 3


def trials(rows, events):
    """[(name, trial)]: the file to import has so many rows, the one to emit so many events."""
    return [(f"import of {rows:,} rows killed at 90 %, again",
             lambda scene, dice: _import(scene, rows, dice)),
            (f"emit --once of {events:,} events killed 3 times, again",
             lambda scene, dice: _emit(scene, events, dice, ["--once"])),
            (f"emit of {events:,} events killed 3 times, again",
             lambda scene, dice: _emit(scene, events, dice, []))]


class TooSoon(Exception):
    """It had ended before it could be killed: nothing was interrupted, so nothing was shown."""


def run(name, trial, kafka, folder, seed, say):
    """(line to print, whether it is well)"""
    dice = random.Random(f"{seed} {name}")
    began = time.monotonic()
    for attempt in range(ATTEMPTS):
        try:
            found, well = _one(trial, kafka, folder / str(attempt), dice)
            break
        except TooSoon as why:
            found, well = f"FAILED: {why}", False
        except Exception as error:      # pylint: disable=broad-exception-caught
            traceback.print_exc()
            found, well = f"FAILED: {error}", False
            break
    line = f"{name}: {found} ({time.monotonic() - began:.0f} s)"
    say(line)
    return line, well


def _one(trial, kafka, folder, dice):
    redis = scene = None
    try:
        redis = servers.Redis(folder)
        scene = Scene(kafka, redis, options=())
        return trial(scene, dice)
    finally:
        for what in (scene, redis):
            if what is not None:
                what.close()
        servers.remove(folder)


def _slowly(records):
    """Options by which so many take six seconds, whatever the machine: the kill has to find them
    under way."""
    return ("-X", "kafka.linger.ms=100", "-X",
            f"kafka.queue.buffering.max.messages={max(records // 60, 50)}")


def _in_log(scene):
    return sum(sum(ends.values()) for ends in scene.ends().values())


def _kill_at(scene, process, records):
    """When the log holds so many."""
    wait_for(lambda: _in_log(scene) >= records or not process.running(), 300,
             f"{records} records in the log")
    if not process.running():
        raise TooSoon(f"{process.name} ended before it could be killed:\n{process.err()}")
    process.kill()


def _count(scene):
    for kind in KINDS:
        scene.world.must(f"{kind}-worker", "--exit-at-end", timeout=300, env=scene.worker_env)


def _total(scene, side, field):
    keys = scene.redis.call("KEYS", scene.world.key(f"{side}:day:*:all"))
    return sum(int(scene.redis.hash(key).get(field, 0)) for key in keys)


def _compared(scene):
    verdict = scene.verify()
    return f"{verdict.lost} lost, {verdict.doubled} doubled of {verdict.fields} fields", \
        not verdict.told


# --- import -----------------------------------------------------------------------------------

def _import(scene, rows, dice):
    csv, net = scene.world.folder / "orders.csv", 0
    with open(csv, "w", encoding="utf-8") as file:
        file.write("order,time,customer,region,net\n")
        for row in range(rows):
            cents = dice.randint(100, 99999)
            net += cents
            file.write(f"{row},2026-{row * 10 // rows + 1:02}-{row % 28 + 1:02} "
                       f"{row % 24:02}:{row % 60:02}:00,c-{row % 5000},r-{row % 7},"
                       f"{cents // 100}.{cents % 100:02}\n")
    mapping = scene.world.write("mapping.json", json.dumps(MAPPING))
    words = ("import", "--mapping", mapping, csv)
    _kill_at(scene, scene.world.start(*words, *_slowly(rows)), rows * 9 // 10)
    killed_at = _in_log(scene)
    scene.world.must(*words, timeout=600)
    scene.world.must(*words, timeout=600)           # once more: all is there
    in_log = _in_log(scene)
    _count(scene)
    counted, worth = _total(scene, "sale", "orders"), _total(scene, "sale", "revenue:EUR")
    well = (in_log, counted, worth) == (rows, rows, net)
    said = f"killed at {killed_at}, {in_log} in the log, {counted} counted, " \
           f"{abs(worth - net)} minor units off"
    if rows <= ORACLE_MOST:
        compared, same = _compared(scene)
        return f"{said}, {compared}", well and same
    return said, well


# --- emit -------------------------------------------------------------------------------------

def _emit(scene, events, dice, options):
    """With --once the log holds each event once; without it repeats are there, and not counted."""
    done = scene.world.must("simulate", "--dry-run", "--events", events, "--seed",
                            dice.randint(1, 1 << 30), timeout=120)
    lines = sorted(set(done.splitlines()))
    dice.shuffle(lines)
    path = scene.world.write("events.ndjson", "\n".join(lines) + "\n")
    marks = sorted(dice.uniform(0.1, 0.9) for _ in range(3))
    before = 0
    for mark in marks:
        # What was sent again counts too when nothing is skipped.
        wanted = max(int(len(lines) * mark), before + 1) if options else \
            before + int(len(lines) * mark)
        _kill_at(scene, scene.world.start("emit", *options, path, *_slowly(events)), wanted)
        before = _in_log(scene)
    scene.world.must("emit", *options, path, timeout=300)
    in_log = _in_log(scene)
    _count(scene)
    repeated = _total(scene, "sale", "duplicates") + _total(scene, "service", "duplicates")
    compared, same = _compared(scene)
    well = in_log - repeated == len(lines) and (repeated == 0 if options else repeated > 0)
    return f"{in_log} in the log, {repeated} of them repeats, {compared}", well and same
