"""How long the counters stand still after kill -9 of one of two workers, under 5,000 events a
second and with the defaults."""

import random
import time

from scene import Scene
import servers

RATE = 5000
BOUND_S = 15
AFTER_S = 1.0               # complete: all that the log held this long after the kill is counted


def run(kafka, folder, seed, say):
    """[(line to print, whether it is well)]"""
    redis = scene = None
    try:
        redis = servers.Redis(folder / "recovery")
        scene = Scene(kafka, redis, options=())
        line, well = _measure(scene, random.Random(seed), seed)
    except AssertionError as error:
        line, well = f"recovery after kill -9: FAILED: {error}", False
    finally:
        for what in (scene, redis):
            if what is not None:
                what.close()
    say(line)
    return [(line, well)]


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
    verdict = scene.verify()
    line = (f"recovery after kill -9 of one of two sales workers, {RATE} events/s asked "
            f"({sent:.0f} sales/s seen), defaults: complete again after {took:.1f} s "
            f"(bound {BOUND_S} s), {verdict.lost} lost, {verdict.doubled} doubled")
    return line, took <= BOUND_S and not verdict.told
