"""A business under a fault test: its topics, its workers, live traffic, and the question whether
Redis is what the log comes to."""

import collections
import contextlib
import os
import sys
import time

from servers import ROOT, RedisError

sys.path.insert(0, str(ROOT / "tests/oracle"))

from harness import World, wait_for             # noqa: E402
import compare as oracle                        # noqa: E402
import count as oracle_count                    # noqa: E402
import redis as oracle_redis                    # noqa: E402

PARTITIONS = 4
KINDS = ("sales", "service")
PATIENCE_S = 90                 # nothing takes longer to catch up
SESSION_MS = 3000
# Small, so that a short run sees many hand-overs.
SWIFT = ("-X", f"kafka.session.timeout.ms={SESSION_MS}", "-X", "kafka.heartbeat.interval.ms=500",
         "--redis-timeout", "1000")

Verdict = collections.namedtuple("Verdict", "events lost doubled fields told")


class Scene:
    """servers: kafka (Kafka), redis (a Redis, or a function that gives the one in charge), and the
    addresses that the workers are given."""

    def __init__(self, kafka, redis, *, brokers=None, redis_url=None, options=SWIFT):
        self.kafka = kafka
        self._redis = redis
        os.environ["TANDEM_BROKERS"] = kafka.brokers
        os.environ["TANDEM_REDIS"] = "redis://127.0.0.1:1"      # each worker is told its own
        self.world = World()
        self.worker_env = {"TANDEM_BROKERS": brokers or kafka.brokers,
                           "TANDEM_REDIS": redis_url or redis.url}
        self.options = options
        self.workers = {kind: [] for kind in KINDS}
        self.traffic = None
        self.world.make_topics(PARTITIONS)

    @property
    def redis(self):
        return self._redis() if callable(self._redis) else self._redis

    @property
    def topics(self):
        return {"sales": self.world.sales, "service": self.world.service}

    # --- workers ----------------------------------------------------------------------------

    def start_worker(self, kind):
        worker = self.world.start(f"{kind}-worker", *self.options, env=self.worker_env)
        worker.kind = kind
        self.workers[kind].append(worker)
        return worker

    def start_workers(self, count=2):
        for _ in range(count):
            for kind in KINDS:
                self.start_worker(kind)

    def all_workers(self):
        return [worker for kind in KINDS for worker in self.workers[kind]]

    def forget(self, worker):
        self.workers[worker.kind].remove(worker)

    def check_workers(self):
        """No fault ends a worker; only the test does."""
        for worker in self.all_workers():
            if not worker.running():
                raise AssertionError(f"{worker.name} ended with status {worker.child.returncode}:\n"
                                     f"{worker.err()[-3000:]}")

    def stop_workers(self):
        for worker in self.all_workers():
            status = worker.stop(PATIENCE_S)
            if status != 0:
                raise AssertionError(f"{worker.name} ended with status {status}:\n"
                                     f"{worker.err()[-3000:]}")
            self.forget(worker)

    # --- traffic ----------------------------------------------------------------------------

    def send_history(self, events, seed):
        self.world.must("simulate", "--events", events, "--seed", seed, "--source", "/history",
                        "--duplicates", 3, "--bad", 1, timeout=120)

    def start_traffic(self, rate, most, seed, bad=1):
        self.traffic = self.world.start("simulate", "--rate", rate, "--events", most, "--seed",
                                        seed, "--duplicates", 3, "--bad", bad, "--binary", 20)

    def stop_traffic(self):
        """It delivers what it has taken."""
        if self.traffic:
            self.traffic.stop(120)

    # --- where everything stands ------------------------------------------------------------

    def ends(self):
        """{kind: {partition: end of the log}}, waiting for Kafka when it is away."""
        def asked():
            with contextlib.suppress(OSError):
                return self.kafka.ends(list(self.topics.values()), PARTITIONS)
            return None
        found = wait_for(asked, PATIENCE_S, "Kafka to tell the ends of the log")
        return {kind: found[topic] for kind, topic in self.topics.items()}

    def positions(self, kind):
        """{partition: offset}; empty when Redis is away or holds nothing."""
        with contextlib.suppress(OSError, RedisError, AssertionError):
            stored = self.redis.hash(self.world.key(f"position:{kind}"))
            return {p: int(stored[f"{kind}:{p}"].split(":")[0]) for p in range(PARTITIONS)
                    if f"{kind}:{p}" in stored}
        return {}

    def reached(self, ends):
        for kind, wanted in ends.items():
            stored = self.positions(kind)
            if any(stored.get(p, -1) < end for p, end in wanted.items()):
                return False
        return True

    def catch_up(self, ends=None, seconds=PATIENCE_S):
        """Waits until the positions have reached the ends (those of now); the seconds it took."""
        began = time.monotonic()
        ends = ends or self.ends()
        try:
            while not self.reached(ends):
                self.check_workers()
                if time.monotonic() - began > seconds:
                    raise AssertionError(f"not caught up in {seconds} s: the log ends at {ends}, "
                                         f"the store stands at "
                                         f"{ {kind: self.positions(kind) for kind in KINDS} }")
                time.sleep(0.02)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.logs()}") from None
        return time.monotonic() - began

    def logs(self):
        return "\n".join(f"--- {p.name}\n{p.err()[-2500:]}" for p in self.world.processes[-8:])

    # --- is it true? ------------------------------------------------------------------------

    def dump(self):
        paths = []
        for kind, topic in self.topics.items():
            path = self.world.folder / f"{kind}.ndjson"
            path.write_bytes(self.world.tool("dump", self.kafka.brokers, topic))
            paths.append(path)
        return oracle.read_dump(paths)

    def settings(self):
        return oracle_count.Settings(business=self.world.business, partitions=PARTITIONS,
                                     topics=tuple(self.topics.values()))

    def letters(self):
        """{(topic, partition, offset)} of the records that lie in the rejected topic."""
        found = set()
        for record in self.world.dump(self.world.rejected).records:
            topic, partition, offset = record.key.decode().rsplit("/", 2)
            found.add((topic, int(partition), int(offset)))
        return found

    def verify(self, letters_from=None):
        """Every field against the oracle, and a dead letter for every rejected record (from these
        offsets on, {(topic, partition): offset})."""
        records, _ = self.dump()
        with oracle_redis.Redis(self.redis.url) as server, _remembered_count() as counted:
            outcome = oracle.compare(server, records, self.settings())
        rejected = counted[-1].rejected
        told = [f"{d.key} {d.field}: expected {d.expected}, found {d.found}"
                for d in outcome.differences]
        lost = sum(1 for d in outcome.differences if not _more(d))
        doubled = len(outcome.differences) - lost
        from_ = letters_from or {}
        missing = sorted({place for place in rejected if place[2] >= from_.get(place[:2], 0)}
                         - self.letters())
        told += [f"no dead letter for {'/'.join(map(str, place))}" for place in missing]
        return Verdict(len(records), lost + len(missing), doubled, outcome.fields, told)

    def close(self):
        self.world.close()


@contextlib.contextmanager
def _remembered_count():
    """The comparison counts the log and keeps only the differences; this keeps the count."""
    counted, count = [], oracle_count.count

    def remember(*words, **more):
        counted.append(count(*words, **more))
        return counted[-1]
    oracle_count.count = remember
    try:
        yield counted
    finally:
        oracle_count.count = count


def _more(difference):
    """Redis holds more than the log comes to, not less."""
    if isinstance(difference.expected, int) and isinstance(difference.found, int):
        return difference.found > difference.expected
    return difference.found == "present"
