"""`tandem audit` of customers: their counters and states, in every shard."""

import datetime
import re

from cluster import Cluster
from customers_worker_test import DAY, CustomersCase, at
from harness import main, order, ticket, wait_for


class AuditCase(CustomersCase):
    def setUp(self):
        super().setUp()
        self.use(timezone="Europe/Bucharest", scopes=["region", "channel", "line", "labels.plan"])

    def audit(self, *options, status=0, **more):
        done = self.world.run("audit", *options, **more)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout if status == 0 else done.stdout + done.stderr

    def compared(self, text):
        """(counters, keys, customers) of the last line."""
        found = re.search(r"(\d+) counters of (\d+) keys and (\d+) customers", text)
        self.assertTrue(found, text)
        return tuple(map(int, found.groups()))

    def differences(self, text):
        return re.findall(r"^(\S+) (\S+): the log says (.*), Redis has (.*)$", text, re.M)

    def differ(self, *options, **more):
        return self.differences(self.audit(*options, status=1, **more))

    def some(self, first=0, count=60):
        """Orders and tickets of twenty customers."""
        self.world.send_events([order(n, customer=f"c-{n % 20}", region=f"r{n % 3}")
                                for n in range(first, first + count)] +
                               [ticket(n, customer=f"c-{n % 20}", region=f"r{n % 3}")
                                for n in range(first, first + count // 3)])
        self.count_all()

    def shop(self, events=4000, **options):
        self.emit(self.simulated(events, days=60, duplicates=5, **options))
        self.count_all()


class Equal(AuditCase):
    def test_what_was_counted_equals_the_log_and_all_of_it_was_compared(self):
        self.shop()
        keys = [key for key in self.redis.keys(f"tandem:{{{self.world.business}*")
                if re.search(r":(day|hour|undated)\b", key)]
        cells = sum(value != "0" for key in keys for value in self.redis.hash(key).values())
        states = self.redis.keys(self.shard_key("c:*"))
        self.assertGreater(len(states), 100)
        said = self.audit()
        hours = len(self.redis.keys(self.key("s*:hour:*")))
        counters, audited, customers = self.compared(said)
        if not hours:       # those of another time may be skipped
            self.assertEqual((counters, audited), (cells, len(keys)))
        self.assertEqual(customers, len(states))
        self.assertIn("; customers up to " + self.world.sales, said)
        self.assert_counted(ledger=True)

    def test_on_a_live_system_it_says_equal_while_positions_move(self):
        for kind in ("sales", "service", "customers"):
            self.start(kind)
        live = self.world.start("simulate", "--rate", 400, "--duplicates", 5, "--bad", 1)
        wait_for(lambda: sum(self.customer_positions().values()) > 300, 60, "traffic")
        seen = set()
        for _ in range(4):
            said = self.audit()
            self.assertIn(" equal the log up to ", said)
            seen.add(said.partition(" customers up to ")[2])
        self.assertEqual(len(seen), 4)
        self.assertEqual(live.stop(), 0)

    def test_before_anybody_counts_customers_it_audits_the_sides_alone(self):
        self.world.send_events([order(1)])
        self.count()
        said = self.audit()
        self.assertNotIn("customers", said)
        self.assertIn("no ledger of customers", self.audit("--side", "customer", status=1))

    def test_in_shards_each_is_audited(self):
        self.use(ledger_shards=3)
        self.shop(1500)
        self.assertIn(" equal the log up to ", self.audit())
        for shard in range(3):
            key = self.redis.keys(self.shard_key("customer:day:*:all", shard))[0]
            self.redis.call("HINCRBY", key, "orders_identified", 1)
            self.assertEqual([(k, f) for k, f, _, _ in self.differ()],
                             [(key, "orders_identified")])
            self.redis.call("HINCRBY", key, "orders_identified", -1)

    def test_late_events_and_the_first_day_of_the_ledger_are_the_workers(self):
        self.use(ledger_from=datetime.date(2026, 11, 20), ledger_limit=5)
        self.world.send_events(
            [at(f"2026-11-{day:02}T08:00:00Z", order(day, customer="c-1"))
             for day in range(28, 14, -1)]
            + [at("2026-11-18T08:00:00Z", ticket(1, customer="c-1")), order(100, customer="c-2")])
        self.count_all()
        self.assertEqual(self.redis.hash(self.shard_key("customer:undated")),
                         {"ledger_overflow": "1"})
        self.assertIn(" equal the log up to ", self.audit())


class Forgotten(AuditCase):
    def test_whose_events_no_longer_count_is_known_by_the_mark(self):
        self.some()
        self.world.must("forget", "c-7", "--yes")
        before = self.compared(self.audit())
        self.assertEqual(before[2], 19)
        self.some(60)
        self.assertEqual(self.compared(self.audit())[2], 19)
        self.assertEqual(self.redis.keys(self.shard_key("c:*:c-7")), [])

    def test_also_when_it_happens_while_the_audit_runs(self):
        worker = self.start("customers")
        for kind in ("sales", "service"):
            self.start(kind)
        live = self.world.start("simulate", "--rate", 400)
        wait_for(lambda: len(self.redis.keys(self.shard_key("c:*"))) > 60, 60, "customers")
        known = [key.rpartition(":")[2] for key in self.redis.keys(self.shard_key("c:*"))]
        audits = [self.world.start("audit") for _ in range(3)]
        for customer in known[:20]:
            self.world.must("forget", customer, "--yes")
        for audit in audits:
            self.assertEqual(audit.wait(60), 0, audit.out() + audit.err())
        self.assertIn(" equal the log up to ", self.audit())
        self.assertEqual(live.stop(), 0)
        self.assertEqual(worker.stop(), 0, worker.err())


class Different(AuditCase):
    def setUp(self):
        super().setUp()
        self.some()
        self.day = self.shard_key(f"customer:day:{DAY}:all")

    def test_a_field_changed_by_hand_is_named_and_nothing_else(self):
        self.redis.call("HINCRBY", self.day, "customers_new", 1)
        self.assertEqual(self.differ(), [(self.day, "customers_new", "20", "21")])
        self.assertEqual(self.differ("--side", "customer", "--days", f"{DAY}..{DAY}"),
                         [(self.day, "customers_new", "20", "21")])
        self.audit("--side", "sale")
        self.audit("--days", "..2026-11-22")

    def test_a_field_or_key_taken_away_or_put_there_is_named(self):
        gone = self.shard_key(f"customer:day:{DAY}:region=r1")
        strange = self.shard_key("customer:day:2026-01-01:region=nowhere")
        text = self.shard_key(f"customer:day:{DAY}:region=r2")
        undated = self.shard_key("customer:undated")
        fields = self.of_day(scope="region=r1")
        was = self.of_day(scope="region=r2")["orders_identified"]
        self.redis.call("HDEL", self.day, "month_buyers", "customers_new")
        self.redis.call("DEL", gone)
        self.redis.call("HSET", strange, "satisfied", 3)
        self.redis.call("HSET", text, "orders_identified", "many")
        self.redis.call("HSET", undated, "ledger_overflow", 2)
        wanted = {(self.day, "customers_new", "20", "nothing"), (strange, "satisfied", "0", "3"),
                  (text, "orders_identified", str(was), "many"),
                  (undated, "ledger_overflow", "0", "2")}
        wanted |= {(gone, field, str(value), "nothing") for field, value in fields.items()}
        self.assertEqual(sorted(self.differ()), sorted(wanted))

    def test_a_state_that_is_another_is_missing_or_is_too_many_is_named(self):
        keys = self.redis.keys(self.shard_key("c:*"))
        self.redis.call("APPEND", keys[0], "x")
        self.redis.call("DEL", keys[1])
        self.redis.call("DEL", keys[2])
        self.redis.call("HSET", keys[2], "a", "b")
        strange = [self.shard_key(f"c:{name}") for name in ("1:c-none", "01:c-1", "words")]
        for key in strange:
            self.redis.call("SET", key, "bytes")
        found = self.differ("--side", "customer")
        self.assertEqual(sorted((k, f) for k, f, _, _ in found),
                         sorted([(keys[0], "(state)"), (keys[1], "(state)"), (keys[2], "(type)")] +
                                [(key, "(state)") for key in strange]))
        told = {key: (log, there) for key, _, log, there in found}
        self.assertRegex(told[keys[0]][1], r"^\d+ bytes \([0-9a-f]{16}\)$")
        self.assertEqual(told[keys[1]][1], "nothing")
        self.assertEqual(told[strange[0]][0], "nothing")

    def test_a_key_of_another_type_is_named(self):
        self.redis.call("SET", self.day, "words")
        self.assertEqual([(k, f) for k, f, _, _ in self.differ()], [(self.day, "(type)")])

    def test_a_floor_leaves_out_what_was_forgotten_and_no_more(self):
        self.world.send_events([at("2026-10-10T08:00:00Z", order(500, customer="c-1")),
                                at("2026-09-10T08:00:00Z", order(501, customer="c-2"))])
        self.count_all()
        self.world.must("trim", "--before", "2026-10-01")
        self.world.send_events([at("2026-09-11T08:00:00Z", order(502, customer="c-3"))])
        self.count_all()
        self.assertIn(" equal the log up to ", self.audit())
        key = self.shard_key("customer:day:2026-10-10:all")
        self.redis.call("HINCRBY", key, "customers_new", 1)
        self.assertEqual([(k, f) for k, f, _, _ in self.differ()], [(key, "customers_new")])


class Refused(AuditCase):
    def test_other_settings_than_the_workers_are_named(self):
        self.some()
        for name, value, words in (
                ("LEDGER_LIMIT", "7", "ledger.limit is 7 here, 2000 in the store"),
                ("LEDGER_FROM", "2026-01-01", "ledger.from is 2026-01-01 here"),
                ("LEDGER_SHARDS", "2", "ledger.shards is 2 here, 1 in the store")):
            self.assertIn(words, self.audit(status=1, env={"TANDEM_" + name: value}))

    def test_a_gap_that_was_accepted_is_none_it_can_speak_for(self):
        self.some()
        self.redis.call("HSET", self.shard_key("gap"), f"{self.world.service}:1", "skipped:3-9")
        said = self.audit("--side", "customer", status=1)
        self.assertIn("shard 0 of the ledger: ", said)
        self.assertIn("a gap of the log was accepted (skipped:3-9)", said)

    def test_names_that_are_lost_are_damage(self):
        self.some()
        self.redis.call("HDEL", self.shard_key("names"), "region=r1")
        said = self.audit("--side", "customer", status=1)
        self.assertIn("a scope has no number", said)

    def test_a_shard_that_is_lost_is_damage(self):
        self.use(ledger_shards=2)
        self.some()
        for shard in range(2):
            key = self.shard_key("position:customers", shard)
            self.redis.call("RENAME", key, self.key("aside"))
            self.assertIn(f"shard {shard} of the ledger: the ledger lacks this shard",
                          self.audit("--side", "customer", status=1))
            self.redis.call("RENAME", self.key("aside"), key)


class InACluster(AuditCase):
    partitions = 8

    def test_every_shard_is_found_on_its_node(self):
        self.use(ledger_shards=4)
        cluster = Cluster(self)
        cluster.use(self)
        cluster.spread([self.shard_key("floor", shard) for shard in range(4)])
        self.shop(1500)
        for number in range(3):
            cluster.use(self, number)
            self.assertIn(" equal the log up to ", self.audit())
        key = self.redis.keys(self.shard_key("customer:day:*:all", 3))[0]
        self.redis.call("HINCRBY", key, "orders_identified", 1)
        self.assertEqual([(k, f) for k, f, _, _ in self.differ()], [(key, "orders_identified")])


if __name__ == "__main__":
    main()
