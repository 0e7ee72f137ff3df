"""The reporter on a real Kafka and Redis; counters and marks are written by hand."""

import datetime
import json
import random
import re
import signal
import subprocess
import sys
import threading
import time

from hand import STORE, Hand, names_of, today
from harness import ROOT, Redis, TestCase, free_port, main, wait_for

sys.path.insert(0, str(ROOT / "tests/oracle"))
import count as oracle_count        # noqa: E402
import metrics as oracle_metrics    # noqa: E402
import periods as oracle_periods    # noqa: E402
import targets as oracle_targets    # noqa: E402

KINDS = ("day", "week", "month", "quarter", "year")
DAY = datetime.timedelta(days=1)


class ReporterCase(TestCase):
    def setUp(self):
        super().setUp()
        self.world.make_topics()
        self.redis = self.world.redis

    def key(self, rest):
        return self.world.key(rest)

    def once(self, *args, **more):
        return self.world.must("reporter", "--once", *args, **more)

    def start(self, *args, env=None):
        process = self.world.start("reporter", *args, env=env)
        wait_for(lambda: process.said("event=publishing"), 20, "a reporter that publishes")
        return process

    def keys(self, rest):
        prefix = self.key("")
        return [k[len(prefix):] for k in self.redis.keys(f"tandem:{{{self.world.business}}}:{rest}")]

    def records(self):
        """The newest record of each key of the comparison topic."""
        return {r.key.decode(): json.loads(r.value)
                for r in self.world.dump(self.world.comparison).records}


class Publishing(ReporterCase):
    def test_a_counted_day_is_published_in_all_its_periods_and_forms(self):
        hand, day = Hand(self.world), today()
        hand.sell(day)
        hand.rate(day)
        self.once()
        for kind, name in names_of(day).items():
            fields = hand.published(kind, name)
            self.assertEqual((fields["orders"], fields["gross_profit:EUR"], fields["csat_n"]),
                             ("1", "400", "20"), kind)
            self.assertEqual(self.redis.hash(self.key(f"comparison:current:{kind}:all")), fields)
            for language in ("en", "ro"):
                table = json.loads(self.redis.call("GET", self.key(f"table:{kind}:{name}:all:{language}")))
                self.assertEqual(str(table["fields"]["revision"]), fields["revision"])
        self.assertEqual(hand.dirty(), {})

    def test_values_are_plain_numbers_nan_or_words(self):
        hand = Hand(self.world)
        hand.sell(today())
        self.once()
        for name, value in self.redis.hash(self.key("comparison:current:month:all")).items():
            if name != "reasons":
                self.assertRegex(value, r"\A(-?[0-9]+(\.[0-9]+)?|NaN|[A-Za-z0-9._:{}=-]+)\Z", name)

    def test_the_record_in_kafka_has_the_published_fields(self):
        hand, day = Hand(self.world), today()
        hand.sell(day, "region=west")
        self.once()
        records = self.records()
        for kind, name in names_of(day).items():
            record = records[f"{self.world.business}/{kind}/{name}/region=west"]
            fields = hand.published(kind, name, "region=west")
            self.assertEqual(set(record), set(fields))
            self.assertEqual(str(record["revision"]), fields["revision"])
            self.assertEqual(record["gross_profit:EUR"], 400)
            self.assertIsNone(record["nps"])
        self.assertEqual(self.redis.hash(self.key("outbox")), {})

    def test_a_subscriber_hears_of_each_publication(self):
        hand, listener = Hand(self.world), Redis(self.world.redis_url)
        self.addCleanup(listener.close)
        listener.call("SUBSCRIBE", self.key("published"))
        hand.sell(today())
        self.once()
        heard = {}
        while set(heard) != set(KINDS):
            message = json.loads(listener.read()[2])
            heard[message["period_kind"]] = message
        for kind, name in names_of(today()).items():
            self.assertEqual(heard[kind], {
                "store": STORE, "revision": int(hand.published(kind, name)["revision"]),
                "period_kind": kind, "period": name, "scope": "all"})

    def test_the_history_holds_the_last_entries_of_the_current_day_with_every_field(self):
        hand = Hand(self.world)
        env = {"TANDEM_HISTORY_LENGTH": 3}
        for _ in range(5):
            hand.sell(today())
            hand.sell(today() - 3 * DAY)
            self.once(env=env)
        entries = self.redis.call("XRANGE", self.key("history:all"), "-", "+")
        self.assertEqual(len(entries), 3)
        fields = self.redis.hash(self.key("comparison:current:day:all"))
        for _, flat in entries:
            self.assertEqual(set(flat[::2]), set(fields))
        self.assertEqual(dict(zip(entries[-1][1][::2], entries[-1][1][1::2])), fields)

    def test_a_past_day_also_publishes_the_next_periods_but_none_of_the_future(self):
        hand = Hand(self.world)
        day = datetime.date(2017, 3, 31)    # a Friday, the last day of a quarter
        hand.sell(day)
        self.once()
        wanted = {f"comparison:{kind}:{name}:all" for kind, name in names_of(day).items()}
        wanted |= {"comparison:day:2017-04-01:all", "comparison:week:2017-W14:all",
                   "comparison:month:2017-04:all", "comparison:quarter:2017-Q2:all",
                   "comparison:year:2018:all"}
        running = {f"comparison:{kind}:{name}:all" for kind, name in names_of(today()).items()}
        current = {f"comparison:current:{kind}:all" for kind in KINDS}
        self.assertEqual(set(self.keys("comparison:*")), wanted | running | current)

    def test_fields_of_an_earlier_publication_do_not_stay(self):
        hand = Hand(self.world)
        hand.sell(today())
        key = self.key(f"comparison:day:{today()}:all")
        self.redis.call("HSET", key, "stale", "1")
        self.once()
        self.assertNotIn("stale", self.redis.hash(key))

    def test_every_published_field_equals_the_oracles(self):
        hand, dice = Hand(self.world), random.Random(7)
        sale = ("orders", "units", "warranty_units", "interactions", "interactions_prospect",
                "referred", "orders:EUR", "net:EUR", "net_costed:EUR", "cost:EUR",
                "refund_net:EUR", "refund_net_costed:EUR", "refund_cost:EUR", "assisted_net:EUR",
                "orders:JPY", "net:JPY", "cost:JPY", "net_costed:JPY")
        service = ("opened", "opened_before", "opened_during", "opened_after", "category_other",
                   "resolved", "contacts_known", "first_contact", "reopened", "csat_n", "csat_sum",
                   "csat_4", "csat_5", "nps_n", "nps_0", "nps_9", "ces_n", "ces_sum", "ces_6",
                   "resolution_sum", "resolution_b40", "resolution_b300", "claims", "settled",
                   "settled_in_warranty", "replaced", "referred", "response_sum", "response_b7")
        days = [datetime.date(2025, 12, 20) + i * DAY for i in range(0, 40, 3)]
        for day in days + [today(), today() - DAY]:
            for scope in ("all", "region=west", "line=phones"):
                served = {f: dice.randrange(1, 50) for f in dice.sample(service, 20)}
                for name in ("resolution", "response"):
                    buckets = [n for f, n in served.items() if f.startswith(name + "_b")]
                    served[name + "_n"] = sum(buckets)
                hand.count(day, scope, service=served,
                           sale={f: dice.randrange(1, 10 ** 6) for f in dice.sample(sale, 12)})
        raw = json.dumps({"version": 1, "pace": {"weights": [2, 2, 2, 2, 2, 1, 1]}, "targets": [
            {"period": names_of(today())["month"], "currency": "EUR", "amount": 12345678},
            {"period": "2026-Q1", "measure": "revenue", "currency": "JPY", "amount": 7},
            {"region": "west", "period": str(today().year), "measure": "orders", "amount": 999}],
            "service": {"slo": [{"metric": "resolution_p90", "max": 60}]}})
        self.once("--targets", self.world.write("targets.json", raw),
                  env={"TANDEM_TIMEZONE": "Europe/Bucharest"})
        settings = oracle_count.Settings(business=self.world.business, timezone="Europe/Bucharest")
        oracle = oracle_metrics.Comparison(
            hand.hashes, settings, oracle_targets.load(raw.encode(), settings.scopes),
            hand.currencies)
        compared = 0
        for key in self.keys("comparison:*"):
            fields = self.redis.hash(self.key(key))
            period = oracle_periods.parse_period(fields["period"])
            wanted = oracle.publish(fields["scope"], period, int(fields["as_of"]))
            found = {k: v for k, v in fields.items() if k not in ("store", "revision")}
            self.assertEqual(found, wanted, key)
            compared += 1
        self.assertGreater(compared, 150)

    def test_a_long_history_publishes_each_period_once(self):
        hand = Hand(self.world)
        first = datetime.date(2019, 1, 1)
        for i in range(400):
            hand.count(first + i * DAY, sale={"orders": 1})
        self.once()
        # 401 days, 59 weeks, 15 months, 6 quarters, 3 years, 5 running ones
        self.assertEqual(hand.revision(), 401 + 59 + 15 + 6 + 3 + 5)
        self.assertEqual(hand.published("year", "2019")["orders"], "365")
        self.assertEqual(hand.published("year", "2020")["orders"], "35")

    def test_a_new_currency_reaches_what_was_published_before(self):
        hand = Hand(self.world)
        hand.sell(datetime.date(2018, 5, 5), "region=west")
        self.once()
        self.assertNotIn("orders:RON", hand.published("day", "2018-05-05", "region=west"))
        hand.sell(today(), currency="RON")
        self.once()
        fields = hand.published("day", "2018-05-05", "region=west")
        self.assertEqual((fields["revenue:RON"], fields["margin_pct:RON"]), ("0", "NaN"))

    def test_customers_count_from_their_first_mark_on(self):
        hand = Hand(self.world)
        hand.sell(today())
        self.once()
        self.assertEqual(hand.published("day", today())["customers_new"], "NaN")
        hand.count(today(), customer={"customers_new": 2, "orders_identified": 4})
        self.once()
        fields = hand.published("day", today())
        self.assertEqual((fields["customers_new"], fields["orders_identified"]), ("2", "4"))
        hand.sell(today(), "region=west")
        self.once()
        self.assertEqual(hand.published("day", today(), "region=west")["customers_new"], "0")

    def test_a_day_hash_that_holds_words_is_named_and_ends_the_reporter(self):
        hand = Hand(self.world)
        hand.sell(today())
        self.redis.call("HSET", self.key(f"sale:day:{today()}:all"), "orders", "many")
        done = self.world.run("reporter", "--once")
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"sale:day:{today()}:all", done.stderr)
        self.assertIn("orders", done.stderr)

    def test_without_a_store_it_says_that_nothing_was_counted(self):
        done = self.world.run("reporter", "--once")
        self.assertEqual(done.returncode, 1)
        self.assertIn("nothing was counted yet", done.stderr)

    def test_a_topic_that_does_not_exist_is_named(self):
        self.world.delete_topics(self.world.comparison)
        Hand(self.world)
        done = self.world.run("reporter", "--once", env={"TANDEM_CONNECT_TIMEOUT": "3000"})
        self.assertEqual(done.returncode, 1)
        self.assertIn(self.world.comparison, done.stderr)


class Floor(ReporterCase):
    def test_no_period_that_begins_before_the_floor_is_published(self):
        hand = Hand(self.world)
        self.redis.call("SET", self.key("floor"), "2019-05-20")
        for day in ("2019-05-19", "2019-05-20", "2019-06-02"):
            hand.sell(day)
        self.once()
        begun = set(self.keys("comparison:day:2019*") + self.keys("comparison:week:2019*") +
                    self.keys("comparison:month:2019*") + self.keys("comparison:quarter:2019*") +
                    self.keys("comparison:year:2019*"))
        self.assertEqual(begun, {
            "comparison:day:2019-05-20:all", "comparison:day:2019-05-21:all",
            "comparison:day:2019-06-02:all", "comparison:day:2019-06-03:all",
            "comparison:week:2019-W21:all", "comparison:week:2019-W22:all",
            "comparison:week:2019-W23:all", "comparison:month:2019-06:all",
            "comparison:month:2019-07:all", "comparison:quarter:2019-Q3:all"})
        self.assertEqual(hand.dirty(), {})

    def test_what_looks_back_before_the_floor_is_undefined(self):
        hand = Hand(self.world)
        for day in ("2019-04-30", "2019-05-31"):
            hand.sell(day)
        self.redis.call("SET", self.key("floor"), "2019-05-01")
        self.once()
        self.assertEqual(hand.published("month", "2019-05")["revenue_change_pct:EUR"], "NaN")
        self.assertEqual(hand.published("month", "2019-06")["revenue_change_pct:EUR"], "-100.00")


class Marks(ReporterCase):
    def script(self, name, keys, *args):
        source = (ROOT / "consumers/reporter" / name).read_text()
        return self.redis.call("EVAL", source, len(keys), *keys, *args)

    def publish(self, token, marks):
        keys = [self.key(k) for k in (
            "reporter", "dirty", "revision", "outbox", "reported", "comparison:day:2026-01-01:all",
            "table:day:2026-01-01:all:en", "table:day:2026-01-01:all:ro",
            "comparison:current:day:all", "history:all", "verdicts", "announced")]
        flat = [word for mark in marks.items() for word in mark]
        return self.script("publish.lua", keys, token, 10000, self.key("published"),
                           '{"revision":0}', "day/2026-01-01/all", "2026-01-01", "2026-01-01",
                           "1", "10", "10", len(marks), *flat, '{"revision":0}', "{}",
                           "orders", "1", "revision", "0")

    def test_a_mark_that_changed_publishes_nothing(self):
        self.redis.call("SET", self.key("reporter"), "mine")
        self.redis.call("HSET", self.key("dirty"), "sale:2026-01-01:all", "newer")
        before = self.keys("*")
        self.assertEqual(self.publish("mine", {"sale:2026-01-01:all": "older"}), "mark")
        self.assertEqual(self.keys("*"), before)
        self.assertEqual(self.publish("mine", {"sale:2026-01-01:all": "newer"}), "1")
        self.assertEqual(self.redis.hash(self.key("comparison:day:2026-01-01:all")),
                         {"orders": "1", "revision": "1"})
        self.assertEqual(self.redis.call("GET", self.key("table:day:2026-01-01:all:en")),
                         '{"revision":1}')

    def test_a_lease_of_another_publishes_nothing(self):
        self.redis.call("SET", self.key("reporter"), "another")
        before = self.keys("*")
        self.assertEqual(self.publish("mine", {}), "lease")
        self.assertEqual(self.keys("*"), before)

    def test_only_marks_that_did_not_change_are_removed_and_only_under_the_lease(self):
        keys = [self.key("reporter"), self.key("dirty")]
        self.redis.call("SET", keys[0], "mine")
        self.redis.call("HSET", keys[1], "a", "1", "b", "2")
        self.assertEqual(self.script("settle.lua", keys, "another", "a", "1"), -1)
        self.assertEqual(self.script("settle.lua", keys, "mine", "a", "1", "b", "old", "c", "3"), 1)
        self.assertEqual(self.redis.hash(keys[1]), {"b": "2"})

    def test_what_is_counted_without_pause_is_published_all_the_same(self):
        hand, other, stop = Hand(self.world), Redis(self.world.redis_url), threading.Event()
        self.addCleanup(other.close)
        day, year = today(), str(today().year)
        keys = [self.key(f"sale:day:{day}:all"), self.key("dirty")]
        hand.sell(day)

        def busy():
            count = ("redis.call('HSET', KEYS[2], ARGV[1], "
                     "redis.call('HINCRBY', KEYS[1], 'orders', 1))")
            while not stop.is_set():
                other.call("EVAL", count, 2, *keys, f"sale:{day}:all")

        writer = threading.Thread(target=busy)
        writer.start()
        try:
            self.start()
            wait_for(lambda: hand.published("year", year), 20,
                     "a publication in spite of changing marks")
        finally:
            stop.set()
            writer.join()
        # No mark was taken away together with a count that was not published.
        last = self.redis.call("HGET", keys[0], "orders")
        wait_for(lambda: hand.published("year", year)["orders"] == last, 20, "the last state")
        wait_for(lambda: not hand.dirty(), 20, "the marks to go")

    def test_fields_that_are_no_marks_do_no_harm(self):
        hand = Hand(self.world)
        self.redis.call("HSET", self.key("dirty"), "sale:yesterday:all", "1", "", "", "x:y:z", "2",
                        "sale:2026-01-01:region=a b", "3", "sale:2026-01-01:" + "x" * 5000, "4")
        hand.sell(today())
        self.once()
        self.assertEqual(hand.published("day", today())["orders"], "1")


class Life(ReporterCase):
    def test_what_is_counted_is_published_within_the_second(self):
        hand = Hand(self.world)
        self.start()
        took = []
        for number in range(1, 16):
            hand.count(today(), sale={"orders": 1})
            begun = time.monotonic()
            wait_for(lambda n=number: self.redis.call(
                "HGET", self.key("comparison:current:year:all"), "orders") == str(n), 10, "it")
            took.append(time.monotonic() - begun)
        self.assertLess(sorted(took)[len(took) // 2], 1.0, took)

    def test_a_signal_ends_it_within_a_second_and_lets_the_lease_go(self):
        Hand(self.world)
        process = self.start()
        begun = time.monotonic()
        self.assertEqual(process.stop(), 0)
        self.assertLess(time.monotonic() - begun, 1.5)
        self.assertIsNone(self.redis.call("GET", self.key("reporter")))

    def test_of_two_one_publishes_and_the_other_takes_over_when_it_is_killed(self):
        hand = Hand(self.world)
        first = self.start()
        second = self.world.start("reporter")
        wait_for(lambda: second.said("another reporter publishes"), 20, "the second to wait")
        first.kill()
        hand.sell(today())
        wait_for(lambda: second.said("event=publishing"), 20, "the second to take over")
        wait_for(lambda: hand.published("day", today()).get("orders") == "1", 10, "it to publish")

    def test_once_beside_another_reporter_ends_when_nothing_is_dirty(self):
        hand = Hand(self.world)
        self.start()
        hand.sell(today())
        done = self.world.run("reporter", "--once")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((hand.dirty(), hand.published("day", today())["orders"]), ({}, "1"))

    def test_without_its_lease_it_publishes_nothing(self):
        hand = Hand(self.world)
        process = self.start()
        wait_for(lambda: self.redis.call("HGET", self.key("reported"), "day"), 10, "a first round")
        self.redis.call("SET", self.key("reporter"), "another")
        hand.sell(today())
        wait_for(lambda: process.said("another reporter publishes"), 20, "it to notice")
        self.assertNotEqual(hand.published("day", today())["orders"], "1")
        self.redis.call("PEXPIRE", self.key("reporter"), 1)
        wait_for(lambda: hand.published("day", today())["orders"] == "1", 20, "the lease to end")

    def test_what_a_dead_reporter_did_not_send_is_sent_by_the_next(self):
        hand = Hand(self.world)
        hand.sell(today())
        self.once()
        name = f"day/{today()}/all"
        fields = hand.published("day", today())
        before = len(self.world.dump(self.world.comparison).records)
        self.redis.call("HSET", self.key("outbox"), name, fields["revision"])
        process = self.start()
        wait_for(lambda: not self.redis.hash(self.key("outbox")), 20, "the outbox to empty")
        process.stop()
        records = self.world.dump(self.world.comparison).records[before:]
        again = [json.loads(r.value) for r in records
                 if r.key.decode() == f"{self.world.business}/{name}"]
        self.assertIn(int(fields["revision"]), [r["revision"] for r in again])

    def test_at_midnight_the_day_that_ended_is_published_closed_and_the_new_one_is_current(self):
        hand = Hand(self.world)
        hand.sell(today(), "region=west")
        self.once()
        yesterday = today() - DAY
        # As if the last report had been yesterday, and nothing was counted since.
        self.redis.call("HSET", self.key("reported"), "day", str(yesterday))
        self.redis.call("HSET", self.key("comparison:current:day:region=west"), "period", "stale")
        self.assertEqual(hand.published("day", yesterday, "region=west"), {})
        self.start()
        wait_for(lambda: self.redis.call("HGET", self.key("reported"), "day") == str(today()), 20,
                 "the new day to be reported")
        self.assertEqual(hand.published("day", yesterday, "region=west")["closed"], "1")
        current = self.redis.hash(self.key("comparison:current:day:region=west"))
        self.assertEqual((current["period"], current["closed"]), (str(today()), "0"))

    def test_each_minute_the_running_periods_of_scopes_with_a_target_move_on(self):
        hand = Hand(self.world)
        hand.sell(today())
        hand.sell(today(), "region=west")
        targets = self.world.write("targets.json", json.dumps({"version": 1, "targets": [
            {"period": names_of(today())["month"], "measure": "orders", "amount": 9}]}))
        self.start("--targets", targets)
        wait_for(lambda: self.redis.call("HGET", self.key("reported"), "settings"), 20, "a start")
        all_before = self.redis.hash(self.key("comparison:current:month:all"))
        west_before = self.redis.hash(self.key("comparison:current:month:region=west"))
        wait_for(lambda: self.redis.call("HGET", self.key("comparison:current:month:all"), "as_of")
                 != all_before["as_of"], 75, "the next minute")
        self.assertEqual(self.redis.hash(self.key("comparison:current:month:region=west")),
                         west_before)


    def test_a_day_counted_again_moves_every_sum_that_holds_it(self):
        hand = Hand(self.world)
        self.start()
        for number, day in enumerate(("2018-05-05", "2018-05-06", "2018-05-05", "2018-11-30"), 1):
            hand.sell(day)
            wait_for(lambda n=number: hand.published("year", "2018").get("orders") == str(n), 20,
                     "the year")
        wait_for(lambda: not hand.dirty(), 20, "the marks to go")
        self.assertEqual(hand.published("month", "2018-05")["orders"], "3")
        self.assertEqual(hand.published("quarter", "2018-Q2")["orders"], "3")
        self.assertEqual(hand.published("week", "2018-W18")["orders"], "3")
        self.assertEqual(hand.published("year", "2019")["revenue_change_pct:EUR"], "-100.00")


class Targets(ReporterCase):
    GOOD = {"version": 1, "targets": [{"period": "2018-05", "measure": "orders", "amount": 2}]}

    def write(self, value):
        return self.world.write("targets.json", json.dumps(value))

    def kept(self):
        text = self.redis.call("GET", self.key("targets"))
        return text and json.loads(text)

    def test_a_file_with_mistakes_is_refused_whole_with_each_of_them(self):
        Hand(self.world)
        path = self.write({"version": 1, "targets": [
            {"period": "2018-05", "measure": "orders", "amount": 0}, {"period": "x"}]})
        done = self.world.run("reporter", "--once", "--targets", path)
        self.assertEqual(done.returncode, 1)
        self.assertIn("targets[0].amount: must be > 0", done.stderr)
        self.assertIn("targets[1].period", done.stderr)
        self.assertIsNone(self.kept())

    def test_targets_kept_in_redis_hold_without_a_file(self):
        hand = Hand(self.world)
        hand.sell("2018-05-05")
        self.once("--targets", self.write(self.GOOD))
        self.assertEqual(self.kept(), self.GOOD)
        self.assertEqual(hand.published("month", "2018-05")["attainment_pct:orders"], "50.00")
        hand.sell("2018-05-05")
        self.once()
        self.assertEqual(hand.published("month", "2018-05")["attainment_pct:orders"], "100.00")

    def test_new_targets_are_taken_at_a_hangup_and_bad_ones_are_not(self):
        hand = Hand(self.world)
        hand.sell("2018-05-05")
        path = self.write(self.GOOD)
        process = self.start("--targets", path)
        def target():
            return hand.published("month", "2018-05").get("target:orders")
        wait_for(lambda: target() == "2", 20, "the first target")
        self.write({"version": 1, "targets": [{"period": "2018-05"}]})
        process.signal(signal.SIGHUP)
        wait_for(lambda: process.said("targets refused"), 20, "the refusal")
        self.assertEqual((target(), self.kept()), ("2", self.GOOD))
        self.write({"version": 1, "targets": [
            {"period": "2018-05", "measure": "orders", "amount": 4},
            {"region": "west", "period": "2018-06", "measure": "orders", "amount": 5}]})
        process.signal(signal.SIGHUP)
        wait_for(lambda: target() == "4", 20, "the new target")
        wait_for(lambda: hand.published("month", "2018-06", "region=west"), 20, "a new scope")

    def test_a_target_that_is_gone_leaves_no_field_behind(self):
        hand = Hand(self.world)
        hand.sell("2018-05-05")
        self.once("--targets", self.write(self.GOOD))
        self.once("--targets", self.write({"version": 1}))
        self.assertNotIn("target:orders", hand.published("month", "2018-05"))


class OwnRedis(ReporterCase):
    """On a Redis of its own, which may go away."""

    def serve(self, *options):
        log = open(self.world.folder / "redis.log", "wb")    # anew for each server
        self.addCleanup(log.close)
        child = subprocess.Popen(
            ["redis-server", "--dir", str(self.world.folder), "--save", "", "--appendonly", "yes",
             "--daemonize", "no", "--unixsocket", self.socket, *options], stdout=log, stderr=log)
        self.addCleanup(self.end, child)
        return child

    @staticmethod
    def end(child):
        if child.poll() is None:
            child.kill()
        child.wait(10)

    def setUp(self):
        super().setUp()
        self.socket = str(self.world.folder / "redis.sock")
        self.shared = self.world.redis

    def wait(self):
        """Until the server that was started last listens."""
        log = self.world.folder / "redis.log"
        wait_for(lambda: "eady to accept connections" in log.read_text(errors="replace"), 20,
                 "the test's own Redis")

    def connect(self, password=None):
        """The world's Redis is this one from now on."""
        self.wait()
        self.redis = Redis(f"unix://{self.socket}")
        self.addCleanup(self.redis.close)
        if password:
            self.redis.call("AUTH", password)
        self.world._redis = self.redis
        self.addCleanup(setattr, self.world, "_redis", self.shared)
        self.world.env["TANDEM_REDIS"] = self.url

    def test_while_redis_is_away_it_waits_and_then_goes_on(self):
        self.url = f"unix://{self.socket}"
        child = self.serve("--port", "0")
        self.connect()
        Hand(self.world).sell(today())
        process = self.start()
        wait_for(lambda: self.redis.call("EXISTS", self.key("comparison:current:year:all")), 20, "it")
        child.terminate()
        child.wait(20)
        wait_for(lambda: process.said("waiting for redis"), 20, "it to notice")
        self.serve("--port", "0")
        self.connect()
        hand = Hand(self.world)
        hand.sell(today())
        wait_for(lambda: hand.published("year", str(today().year)).get("orders") == "2", 30,
                 "it to go on")
        self.assertEqual(process.stop(), 0)

    def test_a_signal_amid_publications_waits_for_them_and_lets_the_lease_go(self):
        self.url = f"unix://{self.socket}"
        self.serve("--port", "0")
        self.connect()
        hand = Hand(self.world)
        days = ("2018-03-05", "2018-06-05", "2018-09-05")   # more periods than fit under way
        for day in days:
            hand.count(day, sale={"orders": 1}, mark=False)
        process = self.start()
        wait_for(lambda: self.redis.call("HGET", self.key("reported"), "day"), 10, "a first round")
        # From the marks on, every script waits.
        self.redis.call("MULTI")
        for day in days:
            self.redis.call("HSET", self.key("dirty"), f"sale:{day}:all", "1")
        self.redis.call("CLIENT", "PAUSE", 60000, "WRITE")
        self.redis.call("EXEC")
        wait_for(lambda: re.search(r" flags=b.* cmd=evalsha ", self.redis.call("CLIENT", "LIST")),
                 20, "publications under way")
        process.signal(signal.SIGTERM)
        self.redis.call("CLIENT", "UNPAUSE")
        self.assertEqual(process.wait(), 0)
        self.assertIsNone(self.redis.call("GET", self.key("reporter")))
        self.assertEqual(len(hand.dirty()), len(days))      # it was amid them

    def test_a_password_from_a_file_opens_redis_and_is_never_told(self):
        self.url = f"unix://:s%3Acret@{self.socket}"
        self.serve("--port", "0", "--requirepass", "s:cret")
        self.connect("s:cret")
        hand = Hand(self.world)
        hand.sell(today())
        bare = {"TANDEM_REDIS": f"unix://{self.socket}"}
        refused = self.world.run("reporter", "--once", env=bare)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("NOAUTH", refused.stderr)
        secret = self.world.write("password", "s:cret\n")
        done = self.world.run("reporter", "--once",
                              env={**bare, "TANDEM_REDIS_PASSWORD_FILE": secret})
        self.assertEqual(done.returncode, 0, done.stderr)
        by_url = self.world.run("reporter", "--once", env={"TANDEM_REDIS": self.url})
        self.assertEqual(by_url.returncode, 0, by_url.stderr)
        self.assertNotIn("cret", refused.stderr + done.stderr + by_url.stderr)

    def test_tls_is_spoken_and_a_foreign_certificate_refused(self):
        folder = self.world.folder
        for name, host in (("good", "localhost"), ("bad", "elsewhere")):
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                            "-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}",
                            "-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.crt"],
                           check=True, capture_output=True)
        self.url = f"unix://{self.socket}"
        for name, status, word in (("good", 0, ""), ("bad", 1, "certificate")):
            port = free_port()
            child = self.serve("--port", "0", "--tls-port", str(port), "--tls-auth-clients", "no",
                               "--tls-cert-file", f"{folder}/{name}.crt",
                               "--tls-key-file", f"{folder}/{name}.key")
            self.connect()
            Hand(self.world).sell(today())
            done = self.world.run("reporter", "--once", env={
                "TANDEM_REDIS": f"rediss://localhost:{port}",
                "TANDEM_REDIS_CA_FILE": f"{folder}/{name}.crt"})
            self.assertEqual(done.returncode, status, done.stderr)
            self.assertIn(word, done.stderr)
            child.terminate()
            child.wait(20)


class Docs(ReporterCase):
    """docs/redis.md names every key, type and field that is there."""

    def setUp(self):
        super().setUp()
        self.text = (ROOT / "docs/redis.md").read_text()
        hand = Hand(self.world)
        hand.sell(today())
        hand.rate(today(), "region=west")
        targets = self.world.write("targets.json", json.dumps({"version": 1, "targets": [
            {"period": names_of(today())["month"], "currency": "EUR", "amount": 9}]}))
        self.once("--targets", targets)

    def documented(self):
        """[(pattern of a key, type)] of the tables of keys."""
        rows = re.findall(r"^\| `tandem:\{main\}:([^`]+)` \| (\w+) \|", self.text, re.MULTILINE)
        self.assertGreater(len(rows), 15)
        holes = {"PERIOD": r"[0-9]{4}(-(W[0-9]{2}|Q[1-4]|[0-9]{2}(-[0-9]{2})?))?",
                 "DAY": r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "HOUR": r"[0-9-]{10}T[0-9]{2}",
                 "KIND": "(day|week|month|quarter|year)", "SIDE": "(sale|service|customer)",
                 "DIMENSION": r"[A-Za-z0-9._-]+", "LANG": "(en|ro)",
                 "S": r"(all|[A-Za-z0-9._-]+=[A-Za-z0-9._-]+)"}
        def pattern(row):
            words = re.split(r"\b(" + "|".join(sorted(holes, key=len, reverse=True)) + r")\b", row)
            return "".join(holes[w] if w in holes else re.escape(w) for w in words)
        return [(pattern(row), kind) for row, kind in rows]

    def test_every_key_is_listed_with_its_type(self):
        rows = self.documented()
        for key in self.keys("*"):
            kind = self.redis.call("TYPE", self.key(key))
            self.assertTrue(any(re.fullmatch(p, key) and t == kind for p, t in rows), (key, kind))

    def test_every_published_field_is_listed(self):
        listed = set(re.findall(r"`([a-z][a-z0-9_]*)(?::[CM])?`", self.text))
        for name in self.redis.hash(self.key("comparison:current:month:all")):
            self.assertIn(name.split(":")[0], listed)

    def test_its_examples_run(self):
        commands = re.findall(r"^\$ redis-cli (.+)$", self.text, re.MULTILINE)
        self.assertGreater(len(commands), 4)
        for command in commands:
            words = [w.strip("'\"") for w in re.findall(r"'[^']*'|\"[^\"]*\"|\S+", command)]
            words = [w.replace("{main}", "{" + self.world.business + "}") for w in words]
            if words[0] in ("SUBSCRIBE",):
                continue
            answer = self.redis.call(*words)
            self.assertTrue(answer, command)


if __name__ == "__main__":
    main()
