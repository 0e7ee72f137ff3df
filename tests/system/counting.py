"""What tests of the workers stand on: counting to the end, and asking tests/oracle, a second
implementation, whether Redis is what the log comes to.

    class Shop(CountingCase):
        def test_an_order_is_counted(self):
            self.use(timezone="Europe/Bucharest")
            self.world.make_topics()
            self.world.send_events([order(1)])
            self.count()
            self.assert_counted()
"""

import json
import re
import sys

from harness import ROOT, Redis, TestCase, wait_for

sys.path.insert(0, str(ROOT / "tests/oracle"))
import compare as oracle            # noqa: E402
import count as oracle_count        # noqa: E402
import redis as oracle_redis        # noqa: E402
import targets as oracle_targets    # noqa: E402

EXAMPLES = ROOT / "examples"
KINDS = ("sales", "service")
MOST_TOLD = 20


class CountingCase(TestCase):
    def setUp(self):
        super().setUp()
        self.settings = {}
        self.redis_url = self.world.redis_url
        self.redis = self.world.redis

    def use(self, **settings):
        """Settings that workers and oracle share: timezone, scopes (a list), scope_limit,
        dedup_window, ledger_shards, ledger_from (a date), ledger_limit."""
        self.settings.update(settings)
        for name, value in settings.items():
            text = ",".join(value) if isinstance(value, (list, tuple)) else str(value)
            self.world.env["TANDEM_" + name.upper()] = text

    def use_redis(self, url):
        """Another Redis than the one all tests share."""
        self.redis_url = self.world.env["TANDEM_REDIS"] = url
        self.redis = Redis(url)
        self.addCleanup(self.redis.close)

    def key(self, rest):
        return self.world.key(rest)

    # --- counting ---------------------------------------------------------------------------

    def count(self, *options, kinds=KINDS, **more):
        """Counts to the end of both topics, beside each other."""
        workers = [self.world.start(f"{kind}-worker", "--exit-at-end", *options, **more)
                   for kind in kinds]
        for worker in workers:
            self.assertEqual(worker.wait(120), 0, worker.err())

    def start(self, kind="sales", *options, **more):
        """A worker that reads: it has partitions and knows where it stands."""
        worker = self.world.start(f"{kind}-worker", *options, **more)
        wait_for(lambda: worker.said("event=reading"), 30, f"a {kind}-worker that reads")
        return worker

    def refused(self, *words, kind="sales", options=("--exit-at-end",), **more):
        """A worker ends with status 1 and says these words."""
        done = self.world.run(f"{kind}-worker", *options, timeout=90, **more)
        self.assertEqual(done.returncode, 1, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)
        return done

    def import_csv(self, mapping, csv, *options):
        return self.world.must("import", "--mapping", EXAMPLES / "mappings" / mapping, csv,
                               *options, timeout=120)

    def topic(self, kind):
        return self.world.sales if kind == "sales" else self.world.service

    def positions(self, kind):
        """{partition: offset} as the store has them."""
        stored = self.redis.hash(self.key(f"position:{kind}"))
        return {int(field.split(":")[1]): int(value.split(":")[0])
                for field, value in stored.items() if re.fullmatch(kind + ":[0-9]+", field)}

    def wait_counted(self, *kinds, ends=None, seconds=60):
        """Until the positions have reached the ends that the log has now."""
        for kind in kinds or KINDS:
            wanted = ends[kind] if ends else self.world.dump(self.topic(kind)).ends
            wait_for(lambda: self.positions(kind) == wanted, seconds,
                     f"{kind} to be counted up to {wanted}")

    def counters(self):
        """Every counter, set and position of the business, as it is in Redis now."""
        found = {}
        for key in self.redis.keys(self.key("*")):
            kind = self.redis.call("TYPE", key)
            found[key] = (self.redis.hash(key) if kind == "hash" else
                          sorted(self.redis.call("SMEMBERS", key)) if kind == "set" else
                          self.redis.call("GET", key))
        return found

    def day(self, side, day, scope="all"):
        return self.numbers(f"{side}:day:{day}:{scope}")

    def numbers(self, rest):
        """A hash of counters without its zeros."""
        found = {field: int(value) for field, value in self.redis.hash(self.key(rest)).items()}
        return {field: value for field, value in found.items() if value}

    def total(self, side, scope="all"):
        """{field: sum over all days}."""
        sums = {}
        for key in self.redis.keys(self.key(f"{side}:day:*:{scope}")):
            for field, value in self.redis.hash(key).items():
                sums[field] = sums.get(field, 0) + int(value)
        return sums

    # --- is it true? ------------------------------------------------------------------------

    def dump_log(self):
        """The records of both topics and {kind: ends}, for the oracle."""
        paths = []
        ends = {}
        for kind in KINDS:
            path = self.world.folder / f"{kind}.ndjson"
            path.write_bytes(self.world.tool("dump", self.world.brokers, self.topic(kind)))
            paths.append(path)
            ends[kind] = _ends(path)
        records, partitions = oracle.read_dump(paths)
        return records, partitions, ends

    def oracle_settings(self, partitions):
        return oracle_count.Settings(business=self.world.business, partitions=partitions,
                                     topics=(self.world.sales, self.world.service),
                                     **self.settings)

    def compare(self, begins=None, published=False, targets=None, log=None, ledger=False,
                customers=False, forgotten=None):
        """The oracle's outcome. targets: a file; it and `published` compare what is published.
        ledger: the customers' shards too; customers: also what a reporter made of them; forgotten:
        as oracle.Parts has it."""
        records, partitions, _ = log or self.dump_log()
        settings = self.oracle_settings(partitions)
        chosen = oracle_targets.Targets() if published else None
        if targets:
            with open(targets, "rb") as file:
                chosen = oracle_targets.load(file.read(), settings.scopes)
        parts = oracle.Parts(chosen, ledger, customers, forgotten)
        with oracle_redis.connect(self.redis_url) as server:
            return oracle.compare(server, records, settings, begins, parts=parts)

    def assert_counted(self, **more):
        """Every field of every key equals the oracle's; how many fields that were."""
        outcome = self.compare(**more)
        told = [f"{d.key} {d.field}: expected {d.expected}, found {d.found}"
                for d in outcome.differences[:MOST_TOLD]]
        self.assertFalse(told, f"{len(outcome.differences)} differences:\n" + "\n".join(told))
        self.assertGreater(outcome.fields, 0)
        return outcome.fields


def _ends(path):
    """The partitions' ends, which are the last lines of a dump."""
    ends = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            if '"end"' in line:
                row = json.loads(line)
                if "end" in row:
                    ends[row["partition"]] = row["end"]
    return ends
