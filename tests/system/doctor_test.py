"""`tandem doctor`: a stack that is well, and each fault named with what mends it."""

import json
import os
import pty
import re
import subprocess
import time

from cluster import Cluster
from counting import KINDS, CountingCase
from harness import BIN, Redis, main, order, ticket, wait_for
from own_redis import OwnRedis

WELL, ERROR, USAGE, WARNING = 0, 1, 2, 3
AWAY = "127.0.0.1:1"
BOUND_S = 12            # far more than it takes; a doctor that hangs is none


class DoctorCase(CountingCase):
    def setUp(self):
        super().setUp()
        self.own = OwnRedis(self, "--appendonly", "yes", "--aof-load-truncated", "no")
        self.world.env["TANDEM_REDIS"] = self.redis_url = self.own.url
        self.redis = Redis(self.own.url)
        self.addCleanup(self.redis.close)

    def diagnose(self, *options, **more):
        """(exit status, {(level, area): [(text, mend)]})."""
        done = self.world.run("doctor", "--json", *options, timeout=BOUND_S, **more)
        self.assertEqual(done.stderr, "")
        told = json.loads(done.stdout)
        self.assertEqual(done.returncode,
                         {"ok": WELL, "warning": WARNING, "error": ERROR}[told["status"]])
        found = {}
        for check in told["checks"]:
            found.setdefault((check["level"], check["area"]), []).append(
                (check["text"], check["mend"]))
            self.assertEqual(check["level"] == "ok", check["mend"] is None, check)
        return done.returncode, found

    def assert_names(self, level, area, text, mend, *options, **more):
        """One line of this level and area says so, and the status is that of the worst."""
        status, found = self.diagnose(*options, **more)
        lines = found.get((level, area), [])
        self.assertTrue(any(re.search(text, said) and mend in command for said, command in lines),
                        f"no {level} of {area} says {text} / {mend}: {found}")
        self.assertEqual(status, ERROR if level == "error" else status or WARNING)
        return found

    def faults(self, found):
        return {key: lines for key, lines in found.items() if key[0] != "ok"}


class Stack(DoctorCase):
    def begin(self):
        self.world.make_topics(2)
        self.world.send_events([order(1), order(2, customer="c-2"), ticket(1)])
        self.workers = [self.start(kind) for kind in (*KINDS, "customers")]
        self.reporter = self.world.start("reporter")
        self.wait_counted()
        wait_for(lambda: self.diagnose()[0] == WELL, 20, "everything to be well")

    def test_a_healthy_stack_is_well_and_what_stops_in_it_is_named(self):
        self.begin()
        _, found = self.diagnose()
        self.assertEqual(self.faults(found), {})
        self.assertEqual({area for _, area in found},
                         {"kafka", "topics", "clock", "groups", "lag", "redis", "store",
                          "positions", "report"})
        self.on_a_terminal_levels_have_colours()
        self.a_reporter_that_stops_leaves_a_stale_report()
        self.workers_that_stop_leave_groups_without_members_and_a_lag()

    def on_a_terminal_levels_have_colours(self):
        coloured = self.on_terminal({})
        self.assertIn("\033[32mok", coloured)
        plain = self.on_terminal({"NO_COLOR": "1"})
        self.assertNotIn("\033", plain)
        self.assertIn("ok       kafka ", plain)
        self.assertNotIn("\033", self.world.must("doctor"))

    def on_terminal(self, env):
        ours, theirs = pty.openpty()
        with subprocess.Popen([BIN, "doctor"], stdin=subprocess.DEVNULL, stdout=theirs,
                              env={**self.world.env, "TERM": "xterm", **env}) as child:
            os.close(theirs)
            said = b""
            while True:
                try:
                    part = os.read(ours, 4096)
                except OSError:         # the other end is closed
                    break
                said += part
            child.wait(BOUND_S)
        os.close(ours)
        return said.decode()

    def a_reporter_that_stops_leaves_a_stale_report(self):
        self.assertEqual(self.reporter.stop(), 0)
        self.assert_names("warning", "report", "no reporter runs", "tandem reporter")
        self.world.send_events([order(3)])
        self.wait_counted("sales")
        self.assert_names("error", "report", "stale: [0-9]+ days and scopes", "tandem reporter")

    def workers_that_stop_leave_groups_without_members_and_a_lag(self):
        for worker in self.workers:
            self.assertEqual(worker.stop(), 0)
        self.world.send_events([order(4), ticket(4)])
        found = self.assert_names("error", "groups", r"\.sales: no member: nobody counts sales",
                                  "tandem sales-worker")
        self.assertEqual(len(found["error", "groups"]), 3)
        self.assertEqual({said for said, _ in found["error", "lag"]},
                         {"sales: 1 records behind, and nobody counts them",
                          "service: 1 records behind, and nobody counts them",
                          "customers: 2 records behind, and nobody counts them"})


class Servers(DoctorCase):
    def test_a_redis_that_is_away_or_unfit_is_named_and_kafka_looked_at_all_the_same(self):
        self.world.make_topics(2)
        self.a_redis_that_evicts()
        self.a_redis_that_keeps_nothing()
        self.a_redis_that_is_nearly_full()
        began = time.monotonic()
        found = self.assert_names("error", "redis", "cannot connect: Connection refused", "PING",
                                  env={"TANDEM_REDIS": f"redis://{AWAY}"})
        self.assertIn(("ok", "topics"), found)
        found = self.assert_names("error", "kafka", f"no answer from {AWAY}", AWAY,
                                  env={"TANDEM_BROKERS": AWAY})
        self.assertIn(("ok", "redis"), found)
        self.assertIn(("warning", "store"), found)
        self.assertLess(time.monotonic() - began, BOUND_S)

    def a_redis_that_evicts(self):
        self.redis.call("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        self.assert_names("error", "redis", "maxmemory-policy is allkeys-lru",
                          "CONFIG SET maxmemory-policy noeviction")
        self.redis.call("CONFIG", "SET", "maxmemory-policy", "noeviction")

    def a_redis_that_keeps_nothing(self):
        self.redis.call("CONFIG", "SET", "aof-load-truncated", "yes")
        self.assert_names("warning", "redis", "aof-load-truncated is yes",
                          "CONFIG SET aof-load-truncated no")
        self.redis.call("CONFIG", "SET", "appendonly", "no")
        self.assert_names("warning", "redis", "keeps nothing on disk", "CONFIG SET appendonly yes")

    def a_redis_that_is_nearly_full(self):
        used = int(re.search(r"used_memory:(\d+)", self.redis.call("INFO", "memory"))[1])
        self.redis.call("CONFIG", "SET", "maxmemory", used * 10 // 9)
        self.assert_names("warning", "redis", "% of its memory used", "CONFIG SET maxmemory")
        self.redis.call("CONFIG", "SET", "maxmemory", 0)

    def test_topics_that_do_not_keep_the_promise_are_named(self):
        self.world.make_topic(self.world.sales, 2, retention_ms=3600000)
        self.world.make_topic(self.world.service, 3, cleanup_policy="compact", retention_ms=-1,
                              min_insync_replicas=2)
        self.world.make_topic(self.world.comparison, 1, cleanup_policy="delete",
                              max_message_bytes=1000)
        found = self.assert_names("error", "topics",
                                  f"{self.world.sales} has 2 partitions and {self.world.service} "
                                  "has 3", "tandem topics")
        said = dict(found["error", "topics"])
        for words, mend in ((f"{self.world.sales}: retention.ms=3600000: an outage of a day",
                             "retention.ms=-1"),
                            (f"{self.world.service}: cleanup.policy is compact",
                             "cleanup.policy=delete"),
                            (f"{self.world.comparison}: cleanup.policy is delete",
                             "cleanup.policy=compact"),
                            (f"{self.world.comparison}: max.message.bytes is 1000",
                             "max.message.bytes="),
                            (f"{self.world.rejected} does not exist", "tandem topics")):
            self.assertTrue(any(words in line and mend in said[line] for line in said), words)

    def test_a_wrong_setting_is_an_error_of_usage(self):
        for options in (("--timezone", "Nowhere/Land"), ("-X", "kafka.no.such=1"), ("--nonsense",)):
            self.assertEqual(self.world.run("doctor", *options).returncode, USAGE)


class Spread(CountingCase):
    def test_in_a_redis_cluster_every_node_with_something_of_the_business_is_looked_at(self):
        cluster = Cluster(self, "--aof-load-truncated", "no")
        cluster.use(self, 1)
        self.use(ledger_shards=3)
        shards = [f"tandem:{{{self.world.business}.{n}}}:position:customers" for n in range(3)]
        cluster.spread(shards)
        self.world.make_topics(3)
        self.world.send_events([order(n, customer=f"c-{n}") for n in range(9)])
        self.count("--ledger-shards", 3, kinds=(*KINDS, "customers"))
        said = self.world.run("doctor", "--ledger-shards", 3).stdout
        for url in cluster.urls:
            self.assertIn(f"redis      {url.removeprefix('redis://')}: version", said)
        for shard in range(3):
            self.assertIn(f"ok       positions  customers, shard {shard}: every position", said)
        cluster.kill(cluster.node_of(shards[2]))
        said = self.world.run("doctor", "--ledger-shards", 3, timeout=30).stdout
        self.assertIn("error    store      customers, shard 2: cannot be read", said)
        self.assertIn("ok       store      customers, shard 1: whole", said)


class Stores(DoctorCase):
    def setUp(self):
        super().setUp()
        self.world.make_topics(2)
        self.world.send_events([order(n, customer=f"c-{n}") for n in range(8)] + [ticket(1)])
        self.count(kinds=(*KINDS, "customers"))

    def set(self, kind, field, value):
        """Changes a field of a position hash; gives back how it was."""
        key = self.key(f"position:{kind}") if kind in KINDS \
            else f"tandem:{{{self.world.business}.0}}:position:{kind}"
        before = self.redis.call("HGET", key, field)
        if value is None:
            self.redis.call("HDEL", key, field)
        else:
            self.redis.call("HSET", key, field, value)
        return before

    def named(self, kind, field, value, area, text, mend):
        before = self.set(kind, field, value)
        self.assert_names("error", area, text, mend)
        self.set(kind, field, before)

    def test_stores_that_are_damaged_or_anothers_are_named(self):
        nobody = {("error", "groups"), ("warning", "report"), ("error", "report")}
        self.assertEqual(self.faults(self.diagnose()[1]).keys() - nobody, set())
        self.named("service", "layout", "99", "store", "made by a newer tandem .layout 99",
                   "tandem version")
        self.named("sales", "begun", "77", "store", "replayed a part of a batch", "tandem rebuild")
        self.named("sales", "token", None, "store", "has no token", "tandem rebuild")
        self.named("sales", "sales:1", None, "positions", "partition 1: damaged", "tandem rebuild")
        self.named("sales", "sales:0", "1000:0", "positions",
                   "partition 0: counted up to offset 1000, but the log ends at [0-9]+",
                   "tandem sales-worker --accept-gap")
        self.named("customers", "service:1", "1000:0", "positions", "customers, shard 0: .*1000",
                   "tandem customers-worker --accept-gap")
        self.named("sales", "id:sales", "AAAAAAAAAAAAAAAAAAAAAA", "positions",
                   "is not the one that was counted", "tandem rebuild")
        self.named("sales", "partitions:sales", "3", "positions", "has 2 partitions, the store "
                   "counts 3", "tandem topics")
        self.assert_names("error", "store", "ledger.shards is 2 here, 1 in the store",
                          "--business SECOND", "--ledger-shards", 2)
        self.assert_names("error", "store", "timezone is Asia/Tokyo/", "tandem rebuild",
                          "--timezone", "Asia/Tokyo")
        self.redis.call("DEL", self.key("position:service"))
        self.assert_names("error", "store", "positions of service are missing", "tandem rebuild")

    def test_a_log_that_forgot_is_named_as_a_gap_and_before_that_as_the_end_of_audits(self):
        end = self.positions("sales")[0]
        self.assertGreater(end, 1)
        self.world.tool("admin", self.world.brokers, "trim", self.world.sales, 0, 1)
        self.assert_names("warning", "positions", "counted from offset 0, but the log now begins "
                          "at 1", "retention.ms=-1")
        self.set("sales", "sales:0", "0:0")
        self.assert_names("error", "positions", "partition 0: gap: counted up to offset 0, but the "
                          "log now begins at 1", "tandem sales-worker --accept-gap")


main()
