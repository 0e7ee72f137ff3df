"""`tandem audit`: equal on a live system, and exactly the field that is not."""

import re
import shlex
import signal

from counting import CountingCase
from harness import ROOT, main, order, structured, ticket, wait_for

DAY = "2026-11-23"      # of the harness' events


class Audit(CountingCase):
    def setUp(self):
        super().setUp()
        self.use(timezone="Europe/Bucharest", scopes=["region", "channel", "line", "labels.plan"])
        self.world.make_topics()

    def send(self, first=0, count=200, **more):
        self.world.send_events([order(n, customer=f"c-{n % 20}", region=f"r{n % 5}", **more)
                                for n in range(first, first + count)])

    def audit(self, *options, status=0, **more):
        done = self.world.run("audit", *options, **more)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout if status == 0 else done.stdout + done.stderr

    def compared(self, text):
        """(counters, keys) of the last line."""
        found = re.search(r"^(?:\d+ differences in )?(\d+) counters of (\d+) keys", text, re.M)
        self.assertTrue(found, text)
        return int(found[1]), int(found[2])

    def differences(self, text):
        return re.findall(r"^(\S+) (\S+): the log says (.*), Redis has (.*)$", text, re.M)

    def simulated(self, events=3000, days=40):
        self.world.must("simulate", "--events", events, "--days", days, "--duplicates", 5,
                        "--bad", 3)
        self.count()

    # --- equal ------------------------------------------------------------------------------

    def test_what_workers_counted_equals_the_log_and_every_field_was_compared(self):
        self.simulated(days=10)  # no hour expires while this test looks
        said = self.audit()
        keys = [k for k in self.redis.keys(self.key("s*"))
                if re.search(r":(day|hour|undated)", k)]
        cells = sum(value != "0" for k in keys for value in self.redis.hash(k).values())
        self.assertEqual(self.compared(said), (cells, len(keys)))
        ends = self.positions("sales")
        self.assertIn(" ".join([self.world.sales, *(f"{p}:{ends[p]}" for p in sorted(ends))]), said)
        self.assert_counted()

    def test_on_a_live_system_it_says_equal_while_positions_move(self):
        for kind in ("sales", "service"):
            self.start(kind)
        live = self.world.start("simulate", "--rate", 400, "--duplicates", 5, "--bad", 1)
        wait_for(lambda: sum(self.positions("sales").values()) > 300, 60, "traffic")
        seen = set()
        for _ in range(5):
            said = self.audit()
            self.assertIn(" equal the log up to ", said)
            seen.add(said.partition(" up to ")[2])
        self.assertEqual(len(seen), 5)
        self.assertEqual(live.stop(), 0)

    def test_it_does_not_disturb_the_workers(self):
        worker = self.start("sales")
        self.send()
        self.wait_counted("sales")
        self.audit()
        self.send(200)
        self.wait_counted("sales")
        self.assertEqual(worker.stop(), 0)
        self.assertEqual(worker.err().count('event="partitions assigned"'), 1)
        self.assertNotIn("level=warning", worker.err())

    def test_aborted_and_open_transactions_are_none_of_the_log(self):
        def ten(first):
            return [dict(structured(order(n)), partition=0) for n in range(first, first + 10)]
        self.world.produce(self.world.sales, ten(0), transaction="commit")
        self.world.produce(self.world.sales, ten(100), transaction="abort")
        self.world.produce(self.world.sales, ten(200), transaction="open")
        self.count()
        self.assertIn(f"{self.world.sales} 0:22 1:0", self.audit())

    def test_values_beyond_the_limit_are_looked_for_among_the_others(self):
        self.use(scope_limit=3)
        self.send()
        self.count()
        self.send(200, 50, channel="web")
        self.count()
        self.assertIn(" equal the log ", self.audit())
        self.assert_counted()

    def test_the_window_of_duplicates_is_the_workers(self):
        self.use(dedup_window=3)
        numbers = [1, 2, 3, 1, 4, 5, 6, 4, 7, 8, 9, 10, 7]
        self.world.produce(self.world.sales,
                           [dict(structured(order(n)), partition=0) for n in numbers])
        self.count()
        self.assertIn(" equal the log ", self.audit())

    # --- not equal --------------------------------------------------------------------------

    def test_a_field_changed_by_hand_is_named_and_nothing_else(self):
        self.simulated()
        key = self.redis.keys(self.key("sale:day:*:all"))[7]
        before = int(self.redis.hash(key)["orders"])
        self.redis.call("HINCRBY", key, "orders", 1)
        said = self.audit(status=1)
        self.assertEqual(self.differences(said),
                         [(key, "orders", str(before), str(before + 1))])
        self.assertIn("\n1 differences in ", said)

    def test_a_field_or_key_taken_away_or_put_there_is_named(self):
        self.send()
        self.world.send_events([ticket(n) for n in range(10)])
        self.count()
        day = self.key(f"sale:day:{DAY}:all")
        gone = self.key(f"sale:day:{DAY}:region=r1")
        strange = self.key("sale:day:2026-01-01:region=r1")
        text = self.key(f"service:day:{DAY}:all")
        self.redis.call("HDEL", day, "units")
        fields = self.numbers(f"sale:day:{DAY}:region=r1")
        self.redis.call("DEL", gone)
        self.redis.call("HSET", strange, "orders", 3)
        self.redis.call("HSET", text, "opened", "many")
        found = self.differences(self.audit(status=1))
        wanted = {(day, "units", "200", "nothing"), (strange, "orders", "0", "3"),
                  (text, "opened", "10", "many")}
        wanted |= {(gone, field, str(value), "nothing") for field, value in fields.items()}
        self.assertEqual(set(found), wanted)
        self.assertEqual(len(found), len(wanted))

    def test_a_key_of_another_type_is_named(self):
        self.send()
        self.count()
        key = self.key(f"sale:day:{DAY}:all")
        self.redis.call("SET", key, "words")
        found = self.differences(self.audit(status=1))
        self.assertEqual([(k, f) for k, f, _, _ in found], [(key, "(type)")])

    def test_a_value_or_currency_missing_from_its_set_is_named(self):
        self.send()
        self.count()
        self.redis.call("SREM", self.key("scope:region"), "r2")
        self.redis.call("SREM", self.key("currency"), "EUR")
        found = self.differences(self.audit(status=1))
        self.assertEqual({(k, f) for k, f, _, _ in found},
                         {(self.key("scope:region"), "r2"), (self.key("currency"), "EUR")})

    def test_many_differences_are_cut_short_unless_all_are_asked_for(self):
        self.send()
        self.count()
        key = self.key(f"sale:day:{DAY}:all")
        for n in range(150):
            self.redis.call("HSET", key, f"x{n}", 1)
        said = self.audit(status=1)
        self.assertEqual(len(self.differences(said)), 100)
        self.assertIn("... and 50 more", said)
        self.assertEqual(len(self.differences(self.audit("--all", status=1))), 150)

    # --- a part -----------------------------------------------------------------------------

    def test_days_and_sides_bound_what_is_compared(self):
        self.simulated()
        keys = self.redis.keys(self.key("sale:day:*:all"))
        self.redis.call("HINCRBY", keys[5], "orders", 1)
        day = keys[5].split(":")[-2]
        before, after = keys[4].split(":")[-2], keys[6].split(":")[-2]
        self.audit("--days", f"{day}..{day}", status=1)
        self.audit("--days", f"..{before}")
        self.audit("--days", f"{after}..")
        self.audit("--side", "service")
        self.audit("--side", "sale", status=1)

    def test_bad_options_are_refused_with_2(self):
        for options in (["--days", "2026-01-01"], ["--days", ".."],
                        ["--days", "2026-02-01..2026-01-01"], ["--side", "both"]):
            self.assertIn(options[0], self.audit(*options, status=2))

    # --- what it cannot speak for -----------------------------------------------------------

    def test_without_a_store_it_says_so(self):
        self.assertIn("nothing was counted", self.audit(status=1))

    def test_other_settings_than_the_workers_are_named(self):
        self.send()
        self.count()
        said = self.audit(status=1, env={"TANDEM_TIMEZONE": "UTC"})
        self.assertRegex(said, "timezone is UTC/.* here, Europe/Bucharest/.* in the store")

    def test_a_log_that_lost_its_beginning_is_refused(self):
        self.send()
        self.count()
        self.world.tool("admin", self.world.brokers, "trim", self.world.sales, 0, 5)
        said = self.audit(status=1)
        self.assertIn("was counted from offset 0 on, but the log now begins at 5", said)
        self.audit("--side", "service")

    def test_a_gap_that_was_accepted_is_refused_but_a_late_beginning_is_not(self):
        self.send()
        self.world.tool("admin", self.world.brokers, "trim", self.world.sales, 0, 5)
        self.count("--accept-gap")
        self.assertIn(" equal the log ", self.audit())
        self.redis.call("HSET", self.key("gap"), f"{self.world.sales}:1", "skipped:3-9")
        self.assertIn("a gap of the log was accepted (skipped:3-9)", self.audit(status=1))

    def test_a_store_made_anew_meanwhile_is_audited_from_the_beginning(self):
        """Each slice finds another token than the audit began with: it says so, and gives up."""
        self.simulated(2000)
        key = self.key("position:sales")
        token = self.redis.hash(key)["token"]
        audit = self.world.start("audit")
        number = 0
        while audit.running():
            number += 1
            self.redis.call("HSET", key, "token", f"{number}-{token}")
        self.assertEqual(audit.wait(), 1)
        self.assertIn("the audit starts again", audit.err())
        self.assertIn("5 times running", audit.err())
        self.assertEqual(audit.out(), "")
        self.redis.call("HSET", key, "token", token)
        self.audit()

    def test_the_examples_of_the_docs_run(self):
        self.simulated(500)
        page = (ROOT / "docs/recount.md").read_text()
        commands = re.findall(r"^tandem ((?:audit|rebuild|trim)\b.*)$", page, re.M)
        self.assertEqual(len(commands), 6)
        for command in commands:
            self.world.must(*shlex.split(command))

    def test_ctrl_c_ends_it_with_1_and_nothing_proven(self):
        self.send()
        self.count()
        audit = self.world.start("audit", env={"TANDEM_BROKERS": "127.0.0.1:1",
                                               "TANDEM_CONNECT_TIMEOUT": None})
        wait_for(lambda: audit.said("Kafka does not answer"), 20, "it to wait")
        audit.signal(signal.SIGINT)
        self.assertEqual(audit.wait(20), 1)
        self.assertEqual(audit.out(), "")


main()
