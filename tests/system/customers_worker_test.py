"""The customers-worker on a real Kafka and Redis: what depends on both sides, in any order, under
faults, in shards."""

import datetime
import signal

from cluster import NODES, Cluster
from counting import CountingCase
from harness import event, main, order, structured, ticket, wait_for
from own_redis import OwnRedis

DAY = "2026-11-23"      # of the harness' events


def at(time, made):
    return {**made, "time": time}


def rating(number, score, customer="c-1", **more):
    return event("service.rated", f"r-{number}",
                 {"customer": customer, "rating": f"r-{number}", "scale": "csat", "score": score},
                 **more)


def places(stored):
    """{(side, partition): offset} of a position hash."""
    fields = ((field.split(":"), value) for field, value in stored.items())
    return {(words[0], int(words[1])): int(value.split(":")[0]) for words, value in fields
            if words[0] in ("sales", "service") and words[1:] and words[1].isdigit()}


class CustomersCase(CountingCase):
    partitions = 4

    def setUp(self):
        super().setUp()
        self.world.make_topics(self.partitions)

    def count_customers(self, *options):
        self.count(*options, kinds=("customers",))

    def count_all(self):
        self.count(kinds=("sales", "service", "customers"))

    def shard_key(self, rest, shard=0):
        return f"tandem:{{{self.world.business}.{shard}}}:{rest}"

    def of_day(self, day=DAY, scope="all", shard=0):
        found = self.redis.hash(self.shard_key(f"customer:day:{day}:{scope}", shard))
        return {field: int(value) for field, value in found.items() if int(value)}

    def shard_counters(self, shards=1):
        """{key without its shard: {field: sum over all shards}}, zeros left out."""
        sums = {}
        for shard in range(shards):
            head = self.shard_key("", shard)
            for key in self.redis.keys(head.replace("[", "\\[") + "customer:*"):
                cell = sums.setdefault(key.removeprefix(head), {})
                for field, value in self.redis.hash(key).items():
                    cell[field] = cell.get(field, 0) + int(value)
        return {key: {f: n for f, n in cell.items() if n} for key, cell in sums.items()
                if any(cell.values())}

    def simulated(self, events=6000, **options):
        """The lines of a simulated business, in the order of their times."""
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        return self.world.must("simulate", "--dry-run", "--events", events, "--seed", 5, *words,
                               timeout=120).splitlines()

    def emit(self, lines):
        self.world.must("emit", input="".join(line + "\n" for line in lines), timeout=120)

    def customer_positions(self, shards=1):
        """{(side, partition): offset}"""
        found = {}
        for shard in range(shards):
            stored = self.redis.hash(self.shard_key("position:customers", shard))
            found |= places(stored)
        return found

    def ends(self):
        return {(kind, p): end for kind in ("sales", "service")
                for p, end in self.world.dump(self.topic(kind)).ends.items()}

    def wait_customers(self, shards=1, seconds=60):
        wanted = self.ends()
        wait_for(lambda: self.customer_positions(shards) == wanted, seconds, "customers counted")


class Rules(CustomersCase):
    def test_both_sides_of_a_customer_meet(self):
        self.world.send_events([
            event("service.referred", "f-1", {"customer": "c-1", "referral": "f-1"},
                  time="2026-11-22T12:00:00Z"),
            at("2026-11-23T08:00:00Z", order(1)),
            at("2026-11-23T09:00:00Z", ticket(1)),
            rating(1, 5, time="2026-11-23T09:30:00Z"),
            at("2026-11-23T10:00:00Z", order(2))])
        self.count_all()
        self.assertEqual(self.of_day(), {
            "customers_new": 1, "customers_new_by_service": 1, "orders_identified": 2,
            "orders_returning": 1, "orders_after_service": 1, "satisfied": 1,
            "satisfied_returned": 1})
        self.assert_counted(ledger=True)

    def test_a_late_event_takes_back_what_it_makes_untrue(self):
        self.world.send_events([at("2026-11-23T08:00:00Z", order(1)),
                                rating(1, 5, time="2026-11-23T09:00:00Z")])
        self.count_customers()
        self.assertEqual(self.of_day(), {"customers_new": 1, "orders_identified": 1,
                                         "satisfied": 1})
        self.world.send_events([at("2026-11-22T08:00:00Z", order(2)),
                                rating(1, 1, id="again", time="2026-11-23T10:00:00Z")])
        self.count_customers()
        self.assertEqual(self.of_day(), {"orders_identified": 1, "orders_returning": 1,
                                         "dissatisfied": 1})
        self.assertEqual(self.of_day("2026-11-22"), {"customers_new": 1, "orders_identified": 1})

    def test_an_event_without_a_customer_changes_only_the_position(self):
        self.world.send_events([order(1, customer=None)])
        self.count_customers()
        self.assertEqual(self.shard_counters(), {})
        self.assertEqual(self.customer_positions(), self.ends())

    def test_it_writes_no_dead_letters_and_no_counters_of_the_sides(self):
        self.world.produce(self.world.sales, [{"key": "k", "value": "no event"},
                                              structured(order(1))])
        self.count_customers()
        self.assertEqual(self.world.dump(self.world.rejected).records, [])
        self.assertEqual(self.redis.keys(self.key("*")), [])
        self.assertEqual(self.of_day()["customers_new"], 1)

    def test_a_customer_with_a_thousand_orders_stays_correct(self):
        self.world.send_events([at(f"2026-11-{1 + n % 28:02}T12:00:00Z", order(n))
                                for n in range(1000)] +
                               [at(f"2026-11-{1 + n % 28:02}T11:00:00Z", ticket(n))
                                for n in range(50)])
        self.count_all()
        self.assert_counted(ledger=True)

    def test_a_house_account_leaves_the_rules_that_need_its_list(self):
        self.use(ledger_limit=10)
        self.world.send_events([at(f"2026-11-{1 + n:02}T12:00:00Z", order(n)) for n in range(10)] +
                               [at("2026-11-01T13:00:00Z", ticket(1))])
        self.count_customers()
        self.assertEqual(self.of_day("2026-11-02")["orders_after_service"], 1)
        self.world.send_events([at("2026-11-20T12:00:00Z", order(10))])
        self.count_customers()
        self.assertNotIn("orders_after_service", self.of_day("2026-11-02"))
        self.assertEqual(self.of_day("2026-11-02")["orders_returning"], 1)
        self.assertEqual(self.redis.call("HGET", self.shard_key("customer:undated"),
                                         "ledger_overflow"), "1")
        self.count()
        self.assert_counted(ledger=True)

    def test_what_lies_before_ledger_from_tells_new_from_returning_only(self):
        self.use(ledger_from=datetime.date(2026, 11, 23))
        self.world.send_events([at("2026-11-20T12:00:00Z", order(1)),
                                at("2026-11-21T12:00:00Z", ticket(1)), order(2)])
        self.count_all()
        self.assertEqual(self.of_day(), {"orders_identified": 1, "orders_returning": 1})
        self.assertEqual(self.of_day("2026-11-21"), {"ledger_too_old": 1})
        self.assert_counted(ledger=True)


class Order(CustomersCase):
    def test_the_topics_may_be_read_one_wholly_after_the_other(self):
        lines = self.simulated()
        sales = [line for line in lines if '"tandem.sale.' in line]
        service = [line for line in lines if '"tandem.service.' in line]
        self.emit(sales)
        self.count_customers()
        self.emit(service)
        self.count_all()
        self.assert_counted(ledger=True)
        first = self.shard_counters()
        other = self.another_business()
        other.emit(service)
        other.count_customers()
        other.emit(sales)
        other.count_customers()
        self.assertEqual(other.shard_counters(), first)

    def another_business(self):
        other = CustomersCase()
        other.setUp()
        self.addCleanup(other.doCleanups)
        self.addCleanup(other.tearDown)
        return other


class Faults(CustomersCase):
    def setUp(self):
        super().setUp()
        self.own = OwnRedis(self)
        self.use_redis(self.own.url)

    def test_killed_workers_and_an_emptied_redis_change_nothing(self):
        lines = self.simulated(9000, duplicates=3)
        self.emit(lines[:6000])
        workers = [self.start("customers", "--flush-ms", 20) for _ in range(2)]
        wait_for(lambda: sum(self.customer_positions().values()) > 1500, 60, "some to be counted")
        workers[0].kill()
        workers[0] = self.start("customers", "--flush-ms", 20)
        self.redis.call("FLUSHALL")
        self.emit(lines[6000:])
        wait_for(lambda: sum(self.customer_positions().values()) > 3000, 60, "more to be counted")
        workers[1].kill()
        self.wait_customers()
        self.assertEqual(workers[0].stop(), 0, workers[0].err())
        self.count()
        self.assert_counted(ledger=True)

    def test_a_zombie_of_two_changes_nothing(self):
        swift = ("-X", "kafka.session.timeout.ms=6000", "-X", "kafka.heartbeat.interval.ms=500")
        lines = self.simulated()
        first = self.start("customers", *swift)
        self.emit(lines[:3000])
        wait_for(lambda: sum(self.customer_positions().values()) > 500, 60, "some to be counted")
        first.signal(signal.SIGSTOP)
        second = self.world.start("customers-worker", *swift)
        self.emit(lines[3000:])
        self.wait_customers()
        first.signal(signal.SIGCONT)
        wait_for(lambda: first.said("partitions lost") or first.said("not applied")
                 or first.said("partitions assigned", ), 30, "the zombie to notice")
        for worker in (first, second):
            self.assertEqual(worker.stop(), 0, worker.err())
        self.count()
        self.assert_counted(ledger=True)

    def test_names_that_a_set_back_store_forgot_are_numbered_anew(self):
        self.world.send_events([order(1, region="north")])
        worker = self.start("customers")
        self.wait_customers()
        self.redis.call("FLUSHALL")
        self.world.send_events([order(2, region="south", customer="c-2")])
        self.wait_customers()
        self.assertEqual(worker.stop(), 0, worker.err())
        names = self.redis.hash(self.shard_key("names"))
        self.assertEqual(sorted(names.values()), ["1", "2"])
        self.count()
        self.assert_counted(ledger=True)

    def test_who_is_forgotten_while_a_worker_runs_is_nobody_from_then_on(self):
        self.world.send_events([order(1), order(2, customer="c-2")])
        worker = self.start("customers")
        self.wait_customers()
        self.world.must("forget", "c-1", "--yes")
        self.world.send_events([order(3), order(4, customer="c-2")])
        self.wait_customers()
        self.assertEqual(worker.stop(), 0, worker.err())
        self.assertEqual(self.of_day(), {"customers_new": 2, "orders_identified": 3,
                                         "orders_returning": 1})
        states = self.redis.keys(self.shard_key("c:*"))
        self.assertEqual([key.rpartition(":")[2] for key in states], ["c-2"])
        self.count()
        self.assert_counted(ledger=True)


class Refusals(CustomersCase):
    def test_topics_of_unequal_partitions_are_refused(self):
        self.world.delete_topics(self.world.service)
        self.world.make_topic(self.world.service, 3)
        self.refused("has 4 partitions", "has 3", "both must have as many", kind="customers")

    def test_a_ledger_made_with_other_settings_is_refused_and_both_are_named(self):
        self.count_customers()
        self.refused("ledger.shards is 2 here, 1 in the store", "tandem rebuild",
                     kind="customers", env={"TANDEM_LEDGER_SHARDS": "2"})
        self.refused("ledger.limit is 5 here, 2000 in the store", "tandem rebuild",
                     kind="customers", env={"TANDEM_LEDGER_LIMIT": "5"})

    def test_a_state_that_is_no_state_stops_it_and_names_the_customer(self):
        self.world.send_events([order(1)])
        self.count_customers()
        [key] = self.redis.keys(self.shard_key("c:*"))
        self.redis.call("SET", key, "nonsense")
        self.world.send_events([order(2)])
        self.refused("customer c-1 of partition", kind="customers")

    def test_another_position_hash_in_one_shard_alone_does_not_stop_the_sides(self):
        self.count_customers()
        self.world.send_events([order(1)])
        self.count()
        self.assertEqual(self.day("sale", DAY)["orders"], 1)


class Shards(CustomersCase):
    partitions = 6

    def test_three_shards_come_to_what_one_does(self):
        self.use(ledger_shards=3)
        self.emit(self.simulated())
        self.count_all()
        self.world.must("reporter", "--once", timeout=120)
        self.assert_counted(ledger=True, customers=True)


class InCluster(CustomersCase):
    partitions = 8
    shards = 4

    def setUp(self):
        super().setUp()
        self.use(ledger_shards=self.shards)
        self.cluster = Cluster(self)
        self.cluster.use(self)
        self.cluster.spread([self.shard_key("floor", shard) for shard in range(self.shards)])
        self.cluster.use(self)

    def test_four_shards_on_three_nodes_come_to_the_same(self):
        self.emit(self.simulated())
        self.count_all()
        self.world.must("reporter", "--once", timeout=120)
        self.assert_counted(ledger=True, customers=True)
        owners = {self.cluster.node_of(self.shard_key("floor", s)) for s in range(self.shards)}
        self.assertEqual(len(owners), NODES)

    def test_a_shard_that_is_away_stalls_only_its_partitions(self):
        owners = {s: self.cluster.node_of(self.shard_key("floor", s)) for s in range(self.shards)}
        away = next(node for node in range(NODES) if node != owners[0])
        gone = {shard for shard, node in owners.items() if node == away}
        for node in self.cluster.nodes:
            node.call("CONFIG", "SET", "cluster-require-full-coverage", "no")
        worker = self.start("customers", "--redis-timeout", 500)
        self.emit(self.simulated(2000))
        self.wait_customers(self.shards)
        self.cluster.pause(away)
        self.emit(self.simulated(4000, source="/later"))
        wanted = {place: end for place, end in self.ends().items()
                  if place[1] % self.shards not in gone}
        live = {shard: self.cluster.nodes[node] for shard, node in owners.items() if node != away}
        wait_for(lambda: self.positions_at(live) == wanted, 90, "the others")
        self.assertTrue(worker.said("waiting for"), worker.err())
        self.cluster.resume(away)
        self.wait_customers(self.shards, 90)
        self.assertEqual(worker.stop(), 0, worker.err())
        self.count()
        self.assert_counted(ledger=True)

    def positions_at(self, nodes):
        """{(side, partition): offset} of these shards, {shard: node}, asked of their nodes alone."""
        found = {}
        for shard, node in nodes.items():
            flat = node.call("HGETALL", self.shard_key("position:customers", shard))
            found |= places(dict(zip(flat[::2], flat[1::2])))
        return found


if __name__ == "__main__":
    main()
