"""How long the counters stand still after kill -9 of one of two workers, under 5,000 events a
second and with the defaults."""

import random
import time
import traceback

from scene import Scene
import servers

NAME = "recovery after kill -9"
RATE = 5000
BOUND_S = 15
AFTER_S = 1.0               # complete: all that the log held this long after the kill is counted


def run(kafka, folder, seed, say, attempts=1):
    """(line to print, whether it is well). On a machine that others use too the bound may take a
    second attempt; that nothing is lost or doubled may not."""
    dice, said = random.Random(seed), []
    try:
        for attempt in range(attempts):
            took, sent, verdict = _one(kafka, folder / f"recovery{attempt}", dice, seed + attempt)
            said.append(f"{took:.1f} s")
            if took <= BOUND_S or verdict.told:
                break
    except Exception as error:          # pylint: disable=broad-exception-caught
        traceback.print_exc()
        line, well = f"{NAME}: FAILED: {error}", False
    else:
        line = (f"{NAME} of one of two sales workers, {RATE} events/s asked ({sent:.0f} sales/s "
                f"seen), defaults: complete again after {', then '.join(said)} "
                f"(bound {BOUND_S} s), {verdict.lost} lost, {verdict.doubled} doubled")
        well = took <= BOUND_S and not verdict.told
    say(line)
    return line, well


def _one(kafka, folder, dice, seed):
    """(seconds until complete, sales a second, verdict)"""
    redis = scene = None
    try:
        redis = servers.Redis(folder)
        scene = Scene(kafka, redis, options=())
        return _measure(scene, dice, seed)
    finally:
        for what in (scene, redis):
            if what is not None:
                what.close()


def _shared(scene):
    """Each worker of a kind reads partitions."""
    return all(worker.said("event=reading") for worker in scene.all_workers())


def _measure(scene, dice, seed):
    scene.start_workers(2)
    scene.start_traffic(RATE, RATE * 60, seed)
    scene.catch_up()
    deadline = time.monotonic() + 60
    while not _shared(scene):
        if time.monotonic() > deadline:
            raise AssertionError("the partitions are not shared")
        time.sleep(0.05)
    scene.catch_up()
    time.sleep(dice.uniform(1, 3))                  # anywhere between two heartbeats
    worker = dice.choice(scene.workers["sales"])
    scene.forget(worker)
    before = scene.ends()["sales"]
    worker.kill()
    killed = time.monotonic()
    time.sleep(AFTER_S)
    ends = scene.ends()
    scene.catch_up(ends, 60)
    took = time.monotonic() - killed
    sent = (sum(scene.ends()["sales"].values()) - sum(before.values())) / took
    scene.stop_traffic()
    scene.catch_up()
    return took, sent, scene.verify()
