"""`tandem trim`: days are forgotten on purpose, and stay so."""

from cluster import Cluster
from counting import CountingCase
from harness import TestCase, main, order, ticket, wait_for
from ledger_hand import LedgerHand


class Trim(CountingCase):
    def setUp(self):
        super().setUp()
        self.world.make_topics()

    def sell(self, numbers, day, **more):
        return [dict(order(n, customer=f"c-{n % 7}", **more), time=f"{day}T12:00:00Z")
                for n in numbers]

    def trim(self, *options, status=0, **more):
        done = self.world.run("trim", *options, **more)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def days(self):
        return sorted({key.split(":")[-2] for key in self.redis.keys(self.key("*:day:*:all"))
                       if ":comparison:" not in key})

    def four_days(self):
        self.world.send_events(
            [e for n, day in enumerate(["2026-01-10", "2026-02-10", "2026-03-10", "2026-03-11"])
             for e in self.sell(range(10 * n, 10 * n + 10), day, region="north")])
        self.world.send_events([dict(ticket(1), time="2026-01-11T12:00:00Z")])
        self.count()

    def test_what_lies_before_the_day_is_gone_and_nothing_else(self):
        self.four_days()
        self.world.must("reporter", "--once")
        kept = {key: self.redis.hash(key) for key in self.redis.keys(self.key("s*:day:2026-03-1*"))}
        self.assertEqual(len(kept), 4)
        said = self.trim("--before", "2026-03-10")
        self.assertIn("The floor is 2026-03-10 now", said)
        today = {day for day in self.days() if day > "2026-03-11"}     # of records' own time
        self.assertEqual(set(self.days()) - today, {"2026-03-10", "2026-03-11"})
        self.assertEqual({key: self.redis.hash(key) for key in kept}, kept)
        periods = {key.split(":comparison:")[1] for key in self.redis.keys(self.key("comparison:*"))
                   if ":current:" not in key}
        self.assertIn("day:2026-03-10:all", periods)
        for gone in ("day:2026-02-10:all", "week:2026-W11:all", "month:2026-03:all",
                     "quarter:2026-Q1:all", "year:2026:all"):
            self.assertNotIn(gone, periods)

    def test_the_dry_run_says_how_many_and_changes_nothing(self):
        self.four_days()
        before = self.counters()
        said = self.trim("--before", "2026-03-10", "--dry-run")
        self.assertEqual(self.counters(), before)
        wanted = said.split()[0]
        self.assertIn(f"{wanted} keys deleted", self.trim("--before", "2026-03-10"))
        self.assertGreater(int(wanted), 4)

    def test_again_it_finds_nothing_and_never_goes_back(self):
        self.four_days()
        self.trim("--before", "2026-03-10")
        again = self.trim("--before", "2026-03-10")
        self.assertIn("The floor was 2026-03-10 already", again)
        self.assertIn("0 keys deleted", again)
        self.assertIn("cannot move back", self.trim("--before", "2026-02-01", status=1))
        self.assertEqual(self.redis.call("GET", self.key("floor")), "2026-03-10")

    def test_bad_days_are_refused_with_2(self):
        for options in ([], ["--before", "2026-02-30"], ["--before", "2999-01-01"],
                        ["--before", "march"]):
            self.assertIn("--before", self.trim(*options, status=2))

    def test_a_late_event_adds_only_before_floor_also_by_workers_that_run(self):
        worker = self.start("sales")
        self.four_days()
        self.trim("--before", "2026-03-10")
        self.world.send_events(self.sell(range(100, 103), "2026-01-10") +
                               self.sell(range(200, 204), "2026-03-11"))
        self.wait_counted("sales")
        self.assertEqual(self.total("sale").get("before_floor"), 3)
        self.assertEqual(self.day("sale", "2026-01-10"), {})
        self.assertEqual(self.day("sale", "2026-03-11")["orders"], 14)
        self.assertEqual(worker.stop(), 0, worker.err())

    def test_an_audit_after_it_knows_which_floor_each_record_was_counted_under(self):
        for worker in ("sales", "service"):
            self.start(worker)
        live = self.world.start("simulate", "--rate", 200, "--duplicates", 5)
        self.world.send_events(self.sell(range(10), "2026-01-10"))
        wait_for(lambda: sum(self.positions("sales").values()) > 100, 60, "traffic")
        self.trim("--before", "2026-02-01")
        self.world.send_events(self.sell(range(10, 13), "2026-01-10") +
                               self.sell(range(20, 30), "2026-02-10"))
        wait_for(lambda: self.total("sale").get("before_floor") == 3, 30, "late events")
        self.trim("--before", "2026-03-01")
        self.world.send_events(self.sell(range(30, 35), "2026-02-10"))
        wait_for(lambda: self.total("sale").get("before_floor") == 8, 30, "late events")
        self.assertIn(" equal the log up to ", self.world.must("audit"))
        self.assertEqual(live.stop(), 0)
        self.wait_counted()
        self.assertIn(" equal the log up to ", self.world.must("audit"))

    def test_a_rebuild_after_it_holds_the_floor_from_the_beginning_of_the_log(self):
        self.four_days()
        self.trim("--before", "2026-03-10")
        self.count()
        self.world.must("rebuild")
        self.assertEqual(self.total("sale").get("before_floor"), 20)
        self.assertEqual(self.day("sale", "2026-01-10"), {})
        self.assertEqual(self.redis.hash(self.key("floors")), {})
        self.assertIn(" equal the log up to ", self.world.must("audit"))


class TrimOfALedger(TestCase):
    """The customers' days, in shards with a floor of their own."""

    def lay_down(self, client, shards):
        self.redis, self.ledger = client, LedgerHand(self.world, client, shards=shards)
        self.ledger.put([dict(order(n, customer=f"c-{n}", region="north"), time=f"{day}T12:00:00Z")
                         for n, day in enumerate(30 * ["2026-01-10", "2026-03-10"])])
        for day in ("2026-01-10", "2026-03-10"):
            client.call("HSET", self.world.key(f"customer:day:{day}:all"), "customers_new", 30)

    def keys(self, words):
        return [key for key in self.redis.keys(f"tandem:{{{self.world.business}*") if words in key]

    def old(self):
        """Also the first days of months, on which their buyers are counted."""
        return [key for key in self.keys(":day:") if key.split(":day:")[1] < "2026-03-10"]

    def trim(self, *options, **more):
        return self.world.must("trim", "--before", "2026-03-10", *options, **more)

    def assert_trimmed(self, shards):
        self.assertEqual(self.old(), [])
        self.assertEqual(len(self.keys("}:customer:day:2026-03-10:all")), 1 + shards)
        self.assertEqual(len(self.keys("}:c:")), 60)
        for shard in range(shards):
            self.assertEqual(self.redis.call("GET", self.ledger.key(shard, "floor")), "2026-03-10")
            wanted = [f"{kind}:{partition}={self.ledger.ends[kind, partition]}"
                      for kind in ("sales", "service") for partition in range(shard, 4, shards)]
            (day, positions), = self.redis.hash(self.ledger.key(shard, "floors")).items()
            self.assertEqual((day, sorted(positions.split())), ("2026-03-10", wanted))

    def test_every_shard_gets_the_floor_loses_its_days_and_keeps_its_customers(self):
        self.lay_down(self.world.redis, 2)
        old = len(self.old())
        self.assertGreater(old, 4)
        self.assertIn(f"{old} keys lie before", self.trim("--dry-run"))
        self.assertEqual(len(self.old()), old)
        self.assertIn(f"{old} keys deleted", self.trim())
        self.assert_trimmed(2)
        self.assertIn("0 keys deleted", self.trim())

    def test_in_a_cluster_every_shard_is_found_on_its_node(self):
        cluster = Cluster(self)
        self.lay_down(cluster, 4)
        cluster.spread(self.ledger.key(shard, "") for shard in range(4))
        self.assertIn("keys deleted", self.trim(env={"TANDEM_REDIS": cluster.url}))
        self.assert_trimmed(4)

    def test_a_ledger_that_is_being_rebuilt_in_more_shards_gets_it_in_all(self):
        self.lay_down(self.world.redis, 1)
        for shard in range(2):
            key = f"tandem:{{{self.world.business}.{shard}}}:rebuild:position:customers"
            self.redis.call("HSET", key, "definition", "ledger.shards=2\n",
                            f"sales:{shard}", "7:0", f"service:{shard}", "3:0")
        self.trim()
        self.assert_trimmed(1)
        for shard in range(2):
            prefix = f"tandem:{{{self.world.business}.{shard}}}:"
            self.assertEqual(self.redis.call("GET", prefix + "floor"), "2026-03-10")
            self.assertEqual(self.redis.hash(prefix + "rebuild:floors"),
                             {"2026-03-10": f"sales:{shard}=7 service:{shard}=3"})

    def test_a_ledger_that_does_not_tell_its_shards_is_refused_before_anything_moves(self):
        self.lay_down(self.world.redis, 1)
        self.ledger.position(0, definition="fold=1\n")
        done = self.world.run("trim", "--before", "2026-03-10")
        self.assertEqual(done.returncode, 1)
        self.assertIn("does not tell ledger.shards", done.stderr)
        self.assertIsNone(self.redis.call("GET", self.world.key("floor")))
        self.assertEqual(len(self.keys("}:customer:day:2026-01-10:all")), 2)


main()
