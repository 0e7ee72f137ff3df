"""`tandem rebuild`: counts beside the live counters, then takes their place in one step."""

import re
import signal

from counting import CountingCase
from harness import main, order, structured, ticket, wait_for

DAY = "2026-11-23"      # of the harness' events


class Rebuild(CountingCase):
    def setUp(self):
        super().setUp()
        self.use(timezone="UTC", scopes=["region", "channel"])
        self.world.make_topics()

    def send(self, first=0, count=200, **more):
        self.world.send_events([order(n, customer=f"c-{n % 20}", region=f"r{n % 5}", **more)
                                for n in range(first, first + count)])
        self.world.send_events([ticket(n, customer=f"c-{n % 20}")
                                for n in range(first, first + count // 4)])

    def rebuild(self, *options, status=0, **more):
        done = self.world.run("rebuild", *options, timeout=120, **more)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def assert_equal_again(self):
        self.assertIn(" equal the log up to ", self.world.must("audit"))
        self.assert_counted()
        self.assertEqual(self.redis.keys(self.key("rebuild:*")), [])

    def live(self):
        """The live counters, without what a rebuild has under way."""
        return {key: value for key, value in self.counters().items()
                if ":rebuild:" not in key}

    # --- damage -----------------------------------------------------------------------------

    def test_damaged_counters_are_right_again(self):
        self.send()
        self.count()
        self.redis.call("HINCRBY", self.key(f"sale:day:{DAY}:all"), "orders", 5)
        self.redis.call("DEL", self.key(f"service:day:{DAY}:all"))
        self.redis.call("HSET", self.key("sale:day:2020-01-01:region=r1"), "orders", 1)
        self.assertEqual(self.world.run("audit").returncode, 1)
        said = self.rebuild()
        self.assertRegex(said, r"Done: \d+ keys took the place of \d+")
        self.assert_equal_again()
        self.assertEqual(self.day("sale", "2020-01-01", "region=r1"), {})

    def test_a_store_without_positions_or_with_keys_of_other_types_is_counted_anew(self):
        self.send()
        self.count()
        self.redis.call("DEL", self.key("position:sales"))
        self.redis.call("SET", self.key(f"sale:day:{DAY}:all"), "words")
        for name in ("position:service", "currency", "dirty", "scope:region"):
            self.redis.call("DEL", self.key(name))
            self.redis.call("SET", self.key(name), "words")
        self.assertEqual(self.world.run("sales-worker", "--exit-at-end").returncode, 1)
        self.rebuild()
        self.assert_equal_again()
        self.send(200, 20)
        self.count()
        self.assert_equal_again()

    def test_without_a_store_it_makes_one(self):
        self.send()
        self.rebuild()
        self.assert_equal_again()

    # --- other settings ---------------------------------------------------------------------

    def test_another_time_zone_old_workers_stop_and_name_it_new_ones_go_on(self):
        old = [self.start(kind) for kind in ("sales", "service")]
        live = self.world.start("simulate", "--rate", 200, "--duplicates", 5, "--bad", 1)
        wait_for(lambda: sum(self.positions("sales").values()) > 200, 60, "traffic")
        self.use(timezone="Pacific/Auckland", scopes=["region", "rep"])
        self.rebuild()
        for worker in old:
            self.assertEqual(worker.wait(30), 1, worker.err())
            self.assertRegex(worker.err(),
                             "timezone is UTC/.* here, Pacific/Auckland/.* in the store; "
                             "scopes is region,channel here, region,rep in the store")
        for kind in ("sales", "service"):
            self.start(kind)
        self.assertIn(" equal the log up to ", self.world.must("audit"))
        self.assertEqual(live.stop(), 0)
        self.wait_counted()
        self.assert_equal_again()
        self.assertEqual(self.redis.keys(self.key("*:channel=*")), [])

    def test_with_the_same_settings_workers_go_on_from_the_new_positions(self):
        workers = [self.start(kind) for kind in ("sales", "service")]
        live = self.world.start("simulate", "--rate", 300, "--duplicates", 5, "--bad", 2)
        wait_for(lambda: sum(self.positions("sales").values()) > 200, 60, "traffic")
        for _ in range(2):
            self.rebuild()
        self.assertIn(" equal the log up to ", self.world.must("audit"))
        self.assertEqual(live.stop(), 0)
        self.wait_counted()
        self.assert_equal_again()
        for worker in workers:
            self.assertEqual(worker.stop(), 0, worker.err())

    def test_values_that_had_their_own_name_keep_it_beyond_the_limit(self):
        self.use(scope_limit=3)
        self.send()
        self.world.send_events([order(n, region="late") for n in range(300, 320)])
        self.count()
        members = self.redis.call("SMEMBERS", self.key("scope:region"))
        self.rebuild()
        self.assertEqual(set(self.redis.call("SMEMBERS", self.key("scope:region"))), set(members))
        self.assert_equal_again()

    # --- rejected records -------------------------------------------------------------------

    def test_rejected_records_are_sent_again_only_where_no_worker_was_yet(self):
        bad = lambda n: dict(structured(order(n)), value="{", partition=0)
        self.world.produce(self.world.sales, [bad(n) for n in range(3)])
        self.count()
        self.world.produce(self.world.sales, [bad(n) for n in range(3, 5)])
        self.rebuild()
        keys = [r.key.decode() for r in self.world.dump(self.world.rejected).records]
        self.assertEqual(sorted(keys), [f"{self.world.sales}/0/{n}" for n in range(5)])
        self.assertEqual(self.total("sale")["rejected_bad_json"], 5)
        self.assert_equal_again()

    # --- interrupted ------------------------------------------------------------------------

    def start_slowly(self):
        """A rebuild that has counted a part, and is still at it."""
        before = self.live()
        slow = self.world.start("rebuild", env={"TANDEM_FLUSH_MS": "1", "TANDEM_FLUSH_CELLS": "2"})
        wait_for(lambda: self.redis.keys(self.key("rebuild:sale:day:*")), 30, "a first batch")
        return slow, before

    def test_killed_half_way_the_live_counters_are_untouched_and_the_next_goes_on(self):
        self.send(0, 4000)
        self.count()
        self.redis.call("HINCRBY", self.key(f"sale:day:{DAY}:all"), "orders", 5)
        slow, before = self.start_slowly()
        slow.kill()
        self.assertEqual(self.live(), before)
        self.assertEqual(self.world.run("audit").returncode, 1)
        self.send(4000, 40)
        self.count()
        self.assertIn("goes on where it stood", self.rebuild())
        self.assert_equal_again()

    def test_ctrl_c_ends_it_with_1_and_says_how_to_go_on(self):
        self.send(0, 4000)
        self.count()
        slow, before = self.start_slowly()
        slow.signal(signal.SIGINT)
        self.assertEqual(slow.wait(30), 1, slow.err())
        self.assertIn("the same command goes on", slow.err())
        self.assertEqual(self.live(), before)

    def test_days_forgotten_while_it_counts_stay_forgotten(self):
        self.world.send_events([dict(order(n, customer=f"c-{n % 20}"), time="2026-01-10T12:00:00Z")
                                for n in range(10000, 10400)])
        self.send(0, 2000)
        self.count()
        slow, _ = self.start_slowly()
        slow.signal(signal.SIGSTOP)
        self.world.must("trim", "--before", "2026-02-01")
        self.assertTrue(self.redis.keys(self.key("rebuild:*")), "it ended before the floor moved")
        slow.signal(signal.SIGCONT)
        self.assertEqual(slow.wait(120), 0, slow.err())
        self.assertEqual(self.redis.keys(self.key("*:day:2026-01-10:*")), [])
        self.assertIn(" equal the log up to ", self.world.must("audit"))

    def test_one_with_other_settings_cannot_go_on_but_begins_anew_when_asked(self):
        self.send(0, 4000)
        self.count()
        self.start_slowly()[0].kill()
        self.use(timezone="Asia/Tokyo")
        self.assertIn("--restart", self.rebuild(status=1))
        self.rebuild("--restart")
        self.assert_equal_again()

    def test_ended_in_the_switch_itself_workers_wait_and_the_next_lets_them_go_on(self):
        self.send()
        self.count()
        for kind in ("sales", "service"):
            key = self.key(f"position:{kind}")
            token = self.redis.hash(key)["token"]
            self.redis.call("HSET", key, "token", token + ":switching")
        worker = self.world.start("sales-worker")
        wait_for(lambda: worker.said("run `tandem rebuild` again"), 30, "it to wait")
        self.rebuild()
        self.send(200, 40)
        self.wait_counted("sales")
        self.count(kinds=("service",))
        self.assertEqual(worker.stop(), 0, worker.err())
        self.assert_equal_again()

    # --- what it says -----------------------------------------------------------------------

    def test_a_log_that_lost_its_beginning_is_counted_only_when_accepted(self):
        self.send()
        self.count()
        self.world.tool("admin", self.world.brokers, "trim", self.world.sales, 0, 5)
        before = self.live()
        self.assertIn("--accept-gap", self.rebuild(status=1))
        self.assertEqual(self.live(), before)
        self.rebuild("--accept-gap")
        self.assertEqual(self.redis.hash(self.key("gap")), {f"{self.world.sales}:0": "0-5"})
        self.assertIn(" equal the log up to ", self.world.must("audit"))

    def test_a_reporter_that_runs_publishes_the_recounted_numbers(self):
        self.send()
        self.count()
        self.redis.call("HINCRBY", self.key(f"sale:day:{DAY}:all"), "orders", 5)
        self.world.start("reporter")
        orders = lambda: self.redis.hash(self.key(f"comparison:day:{DAY}:all")).get("orders")
        wait_for(lambda: orders() == "205", 30, "the damaged day to be published")
        self.rebuild()
        wait_for(lambda: orders() == "200", 30, "the recounted day to be published")

    def test_everything_is_published_anew(self):
        self.send()
        self.count()
        self.world.must("reporter", "--once")
        self.use(timezone="Pacific/Kiritimati")     # 12:00Z is the next day there
        self.rebuild()
        marks = self.redis.hash(self.key("dirty"))
        self.assertIn(f"sale:{DAY}:all", marks)
        self.assertIn("sale:2026-11-24:region=r1", marks)
        self.world.must("reporter", "--once")
        old = self.redis.hash(self.key(f"comparison:day:{DAY}:all"))
        new = self.redis.hash(self.key("comparison:day:2026-11-24:all"))
        self.assertEqual((old["orders"], new["orders"]), ("0", "200"))


main()
