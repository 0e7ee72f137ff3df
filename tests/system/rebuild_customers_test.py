"""`tandem rebuild` of the ledger of customers: each shard beside the live one, then in its place."""

import datetime
import signal

from cluster import Cluster
from customers_worker_test import DAY, CustomersCase, at
from harness import main, order, ticket, wait_for
from own_redis import OwnRedis

ALL = ("sales", "service", "customers")


class RebuildCase(CustomersCase):
    def setUp(self):
        super().setUp()
        self.use(timezone="UTC", scopes=["region", "channel"])

    def some(self, first=0, count=120, **more):
        self.world.send_events([order(n, customer=f"c-{n % 20}", region=f"r{n % 3}", **more)
                                for n in range(first, first + count)] +
                               [ticket(n, customer=f"c-{n % 20}")
                                for n in range(first, first + count // 3)])

    def rebuild(self, *options, status=0, **more):
        done = self.world.run("rebuild", *options, timeout=120, **more)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def everything(self):
        """All that lies in Redis of this business and its shards, but what a rebuild has made."""
        found = {}
        for key in self.redis.keys(f"tandem:{{{self.world.business}*"):
            if ":rebuild:" in key:
                continue
            kind = self.redis.call("TYPE", key)
            found[key] = (self.redis.hash(key) if kind == "hash" else
                          sorted(self.redis.call("SMEMBERS", key)) if kind == "set" else
                          self.redis.call("GET", key))
        return found

    def assert_equal_again(self):
        self.assertIn(" equal the log up to ", self.world.must("audit", timeout=120))
        self.assert_counted(ledger=True)
        self.assertEqual(self.redis.keys(f"tandem:{{{self.world.business}*:rebuild:*"), [])


class Damage(RebuildCase):
    def test_damaged_counters_and_states_are_right_again(self):
        self.some()
        self.count_all()
        keys = self.redis.keys(self.shard_key("c:*"))
        self.redis.call("HINCRBY", self.shard_key(f"customer:day:{DAY}:all"), "customers_new", 5)
        self.redis.call("HSET", self.shard_key("customer:day:2020-01-01:all"), "customers_new", 1)
        self.redis.call("SET", keys[0], "nonsense")
        self.redis.call("DEL", keys[1])
        self.redis.call("HDEL", self.shard_key("names"), "region=r1")
        self.assertEqual(self.world.run("audit").returncode, 1)
        self.assertRegex(self.rebuild(), r"Done: \d+ keys took the place of \d+")
        self.assert_equal_again()
        self.assertEqual(self.redis.keys(self.shard_key("customer:day:2020*")), [])

    def test_a_shard_that_lost_its_positions_is_made_again(self):
        self.use(ledger_shards=2)
        self.some()
        self.count_all()
        self.redis.call("DEL", self.shard_key("position:customers", 0))
        self.redis.call("DEL", self.shard_key("names", 1))
        self.redis.call("SET", self.shard_key("names", 1), "words")
        self.rebuild()
        self.assert_equal_again()
        self.redis.call("HDEL", self.shard_key("position:customers", 1), "definition")
        self.rebuild()
        self.some(120, 40)
        self.count_all()
        self.assert_equal_again()

    def test_where_nobody_counts_customers_nobody_begins_to(self):
        self.some()
        self.count()
        self.rebuild()
        self.assertEqual(self.redis.keys(self.shard_key("*")), [])
        self.assertIn(" equal the log up to ", self.world.must("audit"))


class Settings(RebuildCase):
    def test_another_time_zone_and_scopes_old_workers_stop_and_new_ones_go_on(self):
        old = [self.start(kind) for kind in ALL]
        live = self.world.start("simulate", "--rate", 200, "--duplicates", 5, "--bad", 1)
        wait_for(lambda: sum(self.customer_positions().values()) > 300, 60, "traffic")
        self.use(timezone="Pacific/Auckland", scopes=["region", "rep", "line"])
        self.rebuild()
        for worker in old:
            self.assertEqual(worker.wait(30), 1, worker.err())
            self.assertRegex(worker.err(),
                             "timezone is UTC/.* here, Pacific/Auckland/.* in the store")
        for kind in ALL:
            self.start(kind)
        self.assertIn(" equal the log up to ", self.world.must("audit"))
        self.assertEqual(live.stop(), 0)
        self.wait_counted()
        self.wait_customers()
        self.assert_equal_again()
        self.assertEqual(self.redis.keys(self.shard_key("*:channel=*")), [])

    def test_settings_of_the_ledger_are_changed(self):
        self.some()
        self.world.send_events([at("2026-11-20T12:00:00Z", order(900 + n, customer="c-1"))
                                for n in range(9)])
        self.count_all()
        self.use(ledger_limit=5, ledger_from=datetime.date(2026, 11, 21))
        self.refused("ledger.limit is 5 here, 2000 in the store", kind="customers")
        self.rebuild()
        self.assertEqual(self.of_day("2026-11-20")["ledger_too_old"], 9)
        self.some(120, 40)
        self.count_all()
        self.assert_equal_again()

    def test_another_number_of_shards_is_refused_and_both_are_named(self):
        self.some()
        self.count_all()
        before = self.everything()
        said = self.rebuild(status=1, env={"TANDEM_LEDGER_SHARDS": "3"})
        self.assertIn("ledger.shards is 3 here, 1 in the store", said)
        self.assertIn("--business", said)
        self.assertEqual(self.everything(), before)
        self.assertEqual(self.redis.keys(f"tandem:{{{self.world.business}*:rebuild:*"), [])

    def test_with_the_same_settings_workers_go_on_from_the_new_positions(self):
        self.use(ledger_shards=3)
        workers = [self.start(kind) for kind in ALL]
        live = self.world.start("simulate", "--rate", 300, "--duplicates", 5, "--bad", 2)
        wait_for(lambda: sum(self.customer_positions(3).values()) > 300, 60, "traffic")
        tokens = self.tokens(3)
        self.rebuild()
        self.assertFalse(set(tokens) & set(self.tokens(3)))
        self.assertIn(" equal the log up to ", self.world.must("audit"))
        self.assertEqual(live.stop(), 0)
        self.wait_counted()
        self.wait_customers(3)
        self.assert_equal_again()
        for worker in workers:
            self.assertEqual(worker.stop(), 0, worker.err())

    def tokens(self, shards):
        return [self.redis.hash(self.shard_key("position:customers", shard))["token"]
                for shard in range(shards)]


class Forgotten(RebuildCase):
    def customer_counters(self):
        return {key: self.redis.hash(key) for key in self.redis.keys(self.shard_key("customer:*"))}

    def test_who_was_forgotten_stays_so_and_counts_as_before(self):
        self.some()
        worker = self.start("customers")
        self.wait_customers()
        self.world.must("forget", "c-7", "--yes")
        before = self.customer_counters()
        self.some(120)
        self.wait_customers()
        self.assertNotEqual(self.customer_counters(), before)
        before = self.customer_counters()
        self.count()
        self.rebuild()
        self.assertEqual(self.customer_counters(), before)
        self.assertEqual(self.redis.keys(f"tandem:{{{self.world.business}*:c-7"), [])
        self.some(240, 40)
        self.wait_customers()
        self.count()
        self.assertEqual(worker.stop(), 0, worker.err())
        self.assertIn(" equal the log up to ", self.world.must("audit"))
        self.assert_counted(ledger=True, forgotten=self.forgotten("c-7"))
        self.assertEqual(self.redis.keys(f"tandem:{{{self.world.business}*:c-7"), [])

    def forgotten(self, customer):
        """The one mark there is, as the oracle takes it."""
        (field, mark), = self.redis.hash(self.shard_key("forgotten")).items()
        offsets = dict(zip((self.world.sales, self.world.service), map(int, mark.split(":"))))
        return {(int(field.split(":")[0]), customer): offsets}

    def test_a_state_whose_events_are_not_all_counted_yet_comes_back_until_they_are(self):
        """The second set stands below the mark when it takes the place of the first."""
        self.some()
        self.count_all()
        position = self.shard_key("position:customers")
        home = next(int(key.split(":")[-2]) for key in self.redis.keys(self.shard_key("c:*:c-7")))
        stands = self.redis.hash(position)[f"sales:{home}"].split(":")[0]
        self.world.must("forget", "c-7", "--yes")
        (field, mark), = self.redis.hash(self.shard_key("forgotten")).items()
        self.redis.call("HSET", self.shard_key("forgotten"), field,
                        f"{int(stands) + 100}:{mark.split(':')[1]}")
        self.rebuild()
        self.assertEqual(self.redis.call("EXISTS", self.shard_key(f"c:{home}:c-7")), 1)
        self.assertIn(" equal the log up to ", self.world.must("audit"))

    def test_the_names_get_another_version_though_forget_gave_both_sets_one(self):
        self.some(0, 3000)
        self.count_all()
        worker = self.start("customers")
        slow = self.world.start("rebuild", env={"TANDEM_FLUSH_MS": "1", "TANDEM_FLUSH_CELLS": "100"})
        second = self.shard_key("rebuild:position:customers")
        wait_for(lambda: self.redis.call("HGET", second, "ledger"), 60, "names of the second set")
        slow.kill()
        self.world.must("forget", "c-7", "--yes")
        live = self.redis.call("HGET", self.shard_key("position:customers"), "ledger")
        self.assertEqual(self.redis.call("HGET", second, "ledger"), live)
        self.assertIn("goes on where it stood", self.rebuild())
        self.assertNotEqual(self.redis.call("HGET", self.shard_key("position:customers"), "ledger"),
                            live)
        self.some(3000, 60)
        self.wait_customers()
        self.count()
        self.assertEqual(worker.stop(), 0, worker.err())
        self.assertIn(" equal the log up to ", self.world.must("audit"))


class Interrupted(RebuildCase):
    def start_slowly(self):
        """A rebuild that has counted a part of the customers, and is still at it."""
        before = self.everything()
        slow = self.world.start("rebuild", env={"TANDEM_FLUSH_MS": "1", "TANDEM_FLUSH_CELLS": "40"})
        wait_for(lambda: self.redis.keys(self.shard_key("rebuild:c:*")), 60, "a first batch")
        return slow, before

    def test_killed_half_way_the_live_ledger_is_untouched_and_the_next_goes_on(self):
        self.some(0, 4000)
        self.count_all()
        self.redis.call("HINCRBY", self.shard_key(f"customer:day:{DAY}:all"), "customers_new", 5)
        slow, before = self.start_slowly()
        slow.kill()
        self.assertEqual(self.everything(), before)
        self.assertEqual(self.world.run("audit").returncode, 1)
        self.some(4000, 40)
        self.count_all()
        self.assertIn("goes on where it stood", self.rebuild())
        self.assert_equal_again()

    def test_ended_between_two_stores_the_next_switches_the_rest(self):
        self.some(0, 4000)
        self.count_all()
        slow, _ = self.start_slowly()
        slow.signal(signal.SIGINT)
        self.assertEqual(slow.wait(30), 1, slow.err())
        for key in self.redis.keys(self.key("rebuild:*")):  # it took the place of the first
            self.redis.call("DEL", key)
        self.assertIn("goes on where it stood", self.rebuild())
        self.assert_equal_again()

    def test_one_with_other_settings_cannot_go_on_but_begins_anew_when_asked(self):
        self.some(0, 4000)
        self.count_all()
        self.start_slowly()[0].kill()
        self.use(ledger_limit=50)
        said = self.rebuild(status=1)
        self.assertIn("--restart", said)
        self.assertIn("ledger.limit is 50 here, 2000 in the store", said)
        self.rebuild("--restart")
        self.assert_equal_again()

    def test_ended_in_the_switch_itself_workers_wait_and_the_next_lets_them_go_on(self):
        self.some()
        self.count_all()
        key = self.shard_key("position:customers")
        self.redis.call("HSET", key, "token", self.redis.hash(key)["token"] + ":switching")
        worker = self.world.start("customers-worker")
        wait_for(lambda: worker.said("run `tandem rebuild` again"), 30, "it to wait")
        self.rebuild()
        self.some(120, 40)
        self.wait_customers()
        self.assertEqual(worker.stop(), 0, worker.err())
        self.count()
        self.assert_equal_again()

    def test_days_forgotten_while_it_counts_stay_forgotten(self):
        self.world.send_events([at("2026-01-10T12:00:00Z", order(10000 + n, customer=f"c-{n % 20}"))
                                for n in range(100)])
        self.some(0, 4000)
        self.count_all()
        slow, _ = self.start_slowly()
        self.world.must("trim", "--before", "2026-02-01")
        self.assertTrue(slow.running(), "it ended before the floor moved")
        self.assertEqual(slow.wait(120), 0, slow.err())
        self.assertEqual(self.redis.keys(self.shard_key("customer:day:2026-01-*")), [])
        self.assertIn(" equal the log up to ", self.world.must("audit"))


class Large(RebuildCase):
    def test_more_customers_than_may_be_switched_are_refused_with_the_way_out(self):
        self.own = OwnRedis(self)
        self.use_redis(self.own.url)
        self.some()
        self.count_all()
        self.redis.call("EVAL", "for i = 1, 100001 do redis.call('SET', KEYS[1] .. i, 'x') end", 1,
                        self.shard_key("c:0:x"))
        said = self.rebuild(status=1)
        self.assertRegex(said, r"shard 0 of the ledger: the counters and states are 100\d+ keys")
        self.assertIn("count under a second business name instead", said)
        self.assertEqual(self.redis.keys(f"tandem:{{{self.world.business}*:rebuild:*"), [])


class InACluster(RebuildCase):
    partitions = 8

    def test_every_shard_is_switched_on_its_node(self):
        self.use(ledger_shards=4)
        cluster = Cluster(self)
        cluster.use(self)
        cluster.spread([self.shard_key("floor", shard) for shard in range(4)])
        self.emit(self.simulated(1500))
        self.count_all()
        key = self.redis.keys(self.shard_key("customer:day:*:all", 2))[0]
        self.redis.call("HINCRBY", key, "orders_identified", 1)
        self.use(timezone="Asia/Tokyo")
        for number in range(3):
            cluster.use(self, number)
            self.rebuild()
            self.assert_equal_again()


if __name__ == "__main__":
    main()
