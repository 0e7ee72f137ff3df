"""Stopping and starting on real servers, under load: a worker asked to end, asked twice, three
workers restarted one after the other, Redis and Kafka away, and everything started in the wrong
order. Every field is compared with the oracle in the end.

TEST_AWAY_S is how long Redis and Kafka are away each (4 s; 600 is ten minutes)."""

import bisect
import os
import pathlib
import shutil
import signal
import tempfile
import threading
import time
import unittest

from scene import PARTITIONS, Scene
from harness import Redis as Client, free_port, wait_for
import servers

RATE = 5000                 # events a second
LAG_BOUND_S = 2.0           # of a rolling restart
END_BOUND_S = 5.0
SILENT_BOUND_S = 10.0       # a question to Redis under way may take redis.timeout (5 s) first
AWAY_S = float(os.environ.get("TEST_AWAY_S", "4"))
GROWTH_KB = 48 * 1024       # of a worker's memory while something is away


def say(*words):
    print("|", *words, flush=True)


class Lag(threading.Thread):
    """Watches ends and positions of the sales topic. Lag: for how long the oldest event that is not
    counted has been in the log."""

    def __init__(self, scene):
        super().__init__(daemon=True)
        self.scene, self.rows, self.done = scene, [], False
        self.redis = Client(scene.redis.url, timeout=5)
        self.start()

    def run(self):
        topic = self.scene.world.sales
        while not self.done:
            began = time.monotonic()
            stored = self.redis.hash(self.scene.world.key("position:sales"))
            ends = self.scene.kafka.ends([topic], PARTITIONS)[topic]
            self.rows.append((began, [ends[p] for p in range(PARTITIONS)],
                              [int(stored[f"sales:{p}"].split(":")[0])
                               for p in range(PARTITIONS)]))
            time.sleep(0.03)

    def worst(self, since, until):
        """Seconds, between two moments."""
        rows = list(self.rows)
        times = [row[0] for row in rows]
        ends = [[row[1][p] for row in rows] for p in range(PARTITIONS)]
        lags = [0.0]
        for now, _, positions in rows:
            if not since <= now <= until:
                continue
            for p, position in enumerate(positions):
                first = bisect.bisect_right(ends[p], position)
                if first < len(times) and times[first] < now:
                    lags.append(now - times[first])
        return max(lags)

    def close(self):
        self.done = True
        self.join(10)
        self.redis.close()


def memory_kb(worker):
    for line in pathlib.Path(f"/proc/{worker.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


class Stopping(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        servers.fetch_kafka()
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="tandem-stopping-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        cls.kafka = servers.Kafka(cls.folder / "kafka")
        cls.addClassCleanup(cls.kafka.close)

    def scene(self, keeps="nothing"):
        redis = servers.Redis(self.folder / self.id().rpartition(".")[2], keeps)
        self.addCleanup(redis.close)
        scene = Scene(self.kafka, redis, options=())
        self.addCleanup(scene.close)
        return scene

    def verify(self, scene):
        scene.stop_traffic()
        scene.catch_up()
        scene.stop_workers()
        verdict = scene.verify()
        self.assertEqual((verdict.lost, verdict.doubled), (0, 0), verdict.told[:20])
        return verdict

    # --- a rolling restart

    @staticmethod
    def begin(scene, number=None):
        """A sales worker; with a number it is a static member of its group."""
        if number is not None:
            scene.options = ("-X", f"kafka.group.instance.id=sales-{number}")
        worker = scene.start_worker("sales")
        scene.options = ()
        return worker

    def roll(self, scene, workers, lag, static):
        """Ends each of them and starts another in its place, when the one before has caught up;
        (worst lag, slowest end)."""
        began, slowest = time.monotonic(), 0.0
        for number, worker in enumerate(list(workers)):
            scene.forget(worker)
            asked = time.monotonic()
            self.assertEqual(worker.stop(20), 0, worker.err())
            slowest = max(slowest, time.monotonic() - asked)
            workers[number] = self.begin(scene, number if static else None)
            wait_for(lambda w=workers[number]: w.said("event=reading"), 30, "it to read")
            scene.catch_up()
        time.sleep(0.3)
        return lag.worst(began, time.monotonic()), slowest

    def test_a_rolling_restart_of_three_workers_under_load_loses_and_doubles_nothing(self):
        scene = self.scene()
        scene.start_worker("service")
        workers = [self.begin(scene) for _ in range(3)]
        scene.start_traffic(RATE, RATE * 40, 7)
        scene.catch_up()
        wait_for(lambda: all(w.said("event=reading") for w in workers), 30, "all three to read")
        lag = Lag(scene)
        self.addCleanup(lag.close)
        time.sleep(1)
        ends, since = scene.ends()["sales"], time.monotonic()
        plain, end1 = self.roll(scene, workers, lag, static=True)   # plain ones leave
        static, end2 = self.roll(scene, workers, lag, static=True)
        sent = (sum(scene.ends()["sales"].values()) - sum(ends.values())) \
            / (time.monotonic() - since)
        lag.close()
        verdict = self.verify(scene)
        say(f"rolling restart of three sales workers, {RATE} events/s asked ({sent:.0f} sales/s "
            f"seen), {verdict.events} events: 0 lost, 0 doubled; worst lag {plain:.2f} s, with "
            f"kafka.group.instance.id {static:.2f} s; slowest end {max(end1, end2):.2f} s")
        self.assertLess(max(end1, end2), END_BOUND_S)
        self.assertLess(min(plain, static), LAG_BOUND_S)

    # --- one worker

    def test_while_redis_is_silent_a_worker_ends_soon_asked_twice_at_once_and_loses_nothing(self):
        scene = self.scene()
        scene.start_worker("service")
        patient, hasty = scene.start_worker("sales"), scene.start_worker("sales")
        scene.start_traffic(1000, 30000, 8)
        scene.catch_up()
        wait_for(lambda: patient.said("event=reading") and hasty.said("event=reading"), 30,
                 "both to read")
        scene.redis.signal(signal.SIGSTOP)      # their last batches get no answer
        try:
            time.sleep(0.5)
            asked = time.monotonic()
            patient.signal(signal.SIGTERM)
            hasty.signal(signal.SIGTERM)
            time.sleep(0.3)
            self.assertTrue(hasty.running(), "it waits for the answer of Redis")
            again = time.monotonic()
            hasty.signal(signal.SIGTERM)
            self.assertEqual(hasty.wait(5), 128 + signal.SIGTERM)
            self.assertLess(time.monotonic() - again, 0.5)
            self.assertEqual(patient.wait(20), 0, patient.err())
            say(f"asked to end while Redis is silent: {time.monotonic() - asked:.2f} s")
            self.assertLess(time.monotonic() - asked, SILENT_BOUND_S)
            scene.forget(patient)
            scene.forget(hasty)
        finally:
            scene.redis.signal(signal.SIGCONT)
        scene.start_worker("sales")
        self.verify(scene)

    def test_of_two_workers_with_one_name_in_the_group_the_older_ends_and_says_why(self):
        scene = self.scene()
        older = self.begin(scene, 0)
        wait_for(lambda: older.said("event=reading"), 30, "it to read")
        newer = self.begin(scene, 0)
        self.assertEqual(older.wait(20), 1)
        self.assertIn("kafka.group.instance.id", older.err())
        wait_for(lambda: newer.said("event=reading"), 30, "the newer one to read")
        scene.forget(older)

    # --- something is away

    def watch(self, scene, seconds):
        """The most memory of the workers meanwhile, in kB."""
        most, until = 0, time.monotonic() + seconds
        while time.monotonic() < until:
            scene.check_workers()
            most = max([most, *map(memory_kb, scene.all_workers())])
            time.sleep(0.2)
        return most

    def test_redis_and_kafka_may_be_away_and_memory_stays_bounded(self):
        scene = self.scene("appends")
        scene.start_workers(1)
        scene.start_traffic(1000, int(1000 * (AWAY_S + 20)), 10)
        scene.catch_up()
        before = self.watch(scene, 2)
        scene.redis.kill()
        without_redis = self.watch(scene, AWAY_S)
        scene.redis.mend()
        scene.redis.start()
        back_redis = scene.catch_up()
        scene.stop_traffic()
        scene.catch_up()
        self.kafka.kill()
        without_kafka = self.watch(scene, AWAY_S)
        self.kafka.start()
        scene.start_traffic(1000, 3000, 11)
        time.sleep(1)
        back_kafka = scene.catch_up()
        after = self.watch(scene, 1)
        self.verify(scene)
        say(f"away {AWAY_S:.0f} s each; memory of a worker: {before >> 10} MB before, at most "
            f"{without_redis >> 10} MB without Redis, {without_kafka >> 10} MB without Kafka, "
            f"{after >> 10} MB after; caught up {back_redis:.1f} s and {back_kafka:.1f} s after "
            "they came back")
        self.assertLess(max(without_redis, without_kafka, after) - before, GROWTH_KB)

    # --- in any order

    def test_roles_may_start_before_redis_and_before_the_topics(self):
        scene = self.scene()
        world = scene.world
        world.delete_topics(*world.topics)
        port = free_port()
        env = {"TANDEM_REDIS": f"redis://127.0.0.1:{port}", "TANDEM_CONNECT_TIMEOUT": None}
        roles = [world.start(role, env=env) for role in
                 ("reporter", "customers-worker", "service-worker", "sales-worker")]
        for role in roles:
            wait_for(lambda r=role: r.said("level=warning"), 20, f"{role.name} to wait")
        late = servers.Redis.__new__(servers.Redis)
        real = servers.free_port
        try:
            servers.free_port = lambda: port
            late.__init__(self.folder / "late")
        finally:
            servers.free_port = real
        self.addCleanup(late.close)
        world.make_topics(PARTITIONS)
        world.must("simulate", "--events", 300, "--seed", 3)
        key = world.key("comparison:current:day:all")
        wait_for(lambda: late.call("EXISTS", key), 60, "a comparison")
        for role in roles:
            self.assertEqual(role.stop(20), 0, role.err())


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    unittest.main(verbosity=2)
