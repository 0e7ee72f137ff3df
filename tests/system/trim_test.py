"""`tandem trim`: days are forgotten on purpose, and stay so."""

from counting import CountingCase
from harness import main, order, ticket, wait_for


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


main()
