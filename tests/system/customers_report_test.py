"""The reporter sums the shards of the ledger, and what is published of customers is the oracle's."""

import contextlib
import csv
import datetime
import io
import json
import re
import socket
import threading

from cluster import NODES, Cluster
from counting import CountingCase
from hand import Hand, names_of, today
from harness import ROOT, event, main, order, wait_for
from shards import Shards

import customers as oracle_customers    # of tests/oracle, whose place counting.py knows


def at(day, made):
    """An event at noon of a day."""
    made["time"] = f"{day}T12:00:00Z"
    return made


def buy(number, day, customer, region="north"):
    return at(day, order(number, customer=customer, region=region))


def rate(number, day, customer, score):
    return at(day, event("service.rated", str(number), {
        "customer": customer, "rating": str(number), "scale": "csat", "score": score}))


class CustomersCase(CountingCase):
    SHARDS = 3

    def setUp(self):
        super().setUp()
        self.use(ledger_shards=self.SHARDS)
        self.world.make_topics(4)
        self.ledger = None

    def follow(self, count=True, only=None):
        """Everything in the log into the counters and into the shards."""
        if count:
            self.count()
        if self.ledger is None:
            self.ledger = Shards(self.world, self.oracle_settings(4), self.redis)
        records, _, _ = self.dump_log()
        self.ledger.take(records)
        self.ledger.write(only)

    def send(self, *events):
        self.world.send_events(events)

    def publish(self, *options, **more):
        return self.world.must("reporter", "--once", *options, **more)

    def reporter(self):
        process = self.world.start("reporter")
        wait_for(lambda: process.said("event=publishing"), 20, "a reporter that publishes")
        return process

    def published(self, kind, period, scope="all"):
        return self.redis.hash(self.key(f"comparison:{kind}:{period}:{scope}"))

    def equal(self, **more):
        return not self.compare(customers=True, **more).differences

    def simulate(self, events, *options):
        self.world.must("simulate", "--events", events, "--days", 300, *options)


class Sums(CustomersCase):
    def test_a_simulated_business_of_three_shards_is_published_as_the_oracle_says(self):
        self.use(timezone="Europe/Bucharest", scope_limit=3,
                 ledger_from=today() - datetime.timedelta(days=200), ledger_limit=4)
        self.simulate(6000, "--seed", 5)
        self.follow()
        self.publish()
        self.assertGreater(self.assert_counted(customers=True, published=True), 50_000)
        self.assertEqual(self.ledger.dirty(), {})
        self.assertEqual(self.redis.hash(self.key("dirty")), {})
        self.assertGreater(self.numbers("customer:undated")["ledger_overflow"], 0)

    def test_nothing_is_published_again_when_nothing_was_counted(self):
        self.simulate(500, "--seed", 5)
        self.follow()
        self.publish()
        revision = self.redis.call("GET", self.key("revision"))
        at_least = int(revision)
        self.publish()
        again = int(self.redis.call("GET", self.key("revision"))) - at_least
        self.assertLess(again, 200)     # the running periods of each scope

    def test_what_is_counted_while_it_runs_follows_at_once(self):
        self.send(buy(1, "2026-03-05", "c-1"))
        self.follow()
        self.reporter()
        for number in range(2, 6):
            self.send(buy(number, "2026-03-07", f"c-{number}"))
            self.follow()
            wait_for(lambda: self.equal(published=True), 20, "the sums to be the oracle's")
        self.assertEqual(self.published("month", "2026-03")["customers_new"], "5")

    def test_a_counter_that_is_taken_back_falls(self):
        self.send(buy(1, "2026-03-05", "c-1"))
        self.follow()
        self.publish()
        self.send(buy(2, "2026-03-02", "c-1"))
        self.follow()
        self.publish()
        self.assert_counted(customers=True, published=True)
        self.assertEqual(self.published("day", "2026-03-05")["customers_new"], "0")
        self.assertEqual(self.published("day", "2026-03-02")["customers_new"], "1")

    def test_without_a_ledger_customers_are_undefined_and_with_one_they_are_zero(self):
        self.send(buy(1, "2026-03-05", "c-1"))
        self.count()
        self.publish()
        self.assertEqual(self.published("day", "2026-03-05")["customers_new"], "NaN")
        self.ledger = Shards(self.world, self.oracle_settings(4), self.redis)
        self.publish()
        self.assertEqual(self.published("day", "2026-03-05")["customers_new"], "0")


class Scopes(CustomersCase):
    def ahead(self):
        """The shards know of regions that the sales-worker has not counted yet."""
        self.send(buy(1, "2026-03-05", "c-1", "north"))
        self.count()
        self.send(*[buy(n, f"2026-03-{n:02}", f"c-{n}", "south") for n in range(2, 12)])
        self.follow(count=False)

    def test_a_value_that_is_not_admitted_yet_counts_as_other_and_comes_right_when_it_is(self):
        self.ahead()
        self.reporter()
        other = self.key("customer:day:2026-03-04:region=__other__")
        own = self.key("customer:day:2026-03-04:region=south")
        wait_for(lambda: self.redis.hash(other).get("customers_new") == "1", 20, "the other ones")
        self.assertEqual(self.redis.hash(own), {})
        self.count()
        wait_for(lambda: self.redis.hash(own), 20, "the value's own sum")
        wait_for(lambda: self.equal(published=True), 20, "the sums to be the oracle's")
        self.assertEqual(self.redis.hash(other), {})

    def test_what_was_admitted_between_two_reporters_comes_right(self):
        self.ahead()
        self.publish()
        self.count()
        self.publish()
        self.assert_counted(customers=True, published=True)

    def test_values_beyond_the_limit_are_added_up_over_all_shards(self):
        self.use(scope_limit=2)
        self.send(*[buy(n, "2026-03-05", f"c-{n}", f"r-{n}") for n in range(40)])
        self.follow()
        self.publish()
        self.assert_counted(customers=True, published=True)
        self.assertEqual(self.day("customer", "2026-03-05", "region=__other__")["customers_new"],
                         38)


    def test_a_crowd_of_values_takes_several_rounds_and_ends(self):
        values = 6000
        Hand(self.world)
        ledger = Shards(self.world, self.oracle_settings(4), self.redis)
        self.redis.call("EVAL", """
            for v = 1, tonumber(ARGV[2]) do
                redis.call('HSET', ARGV[1] .. 'names', 'rep=r' .. v, v)
                for day = 1, 28 do
                    local key = 'customer:day:2026-02-' .. string.format('%02d', day) .. ':rep=r'
                    redis.call('HSET', ARGV[1] .. key .. v, 'customers_new', 1)
                end
            end""", 0, ledger.key(1, ""), values)
        self.publish()
        for day in ("2026-02-01", "2026-02-28"):
            self.assertEqual(self.day("customer", day, "rep=__other__"),
                             {"customers_new": values})


class Stores(CustomersCase):
    def setUp(self):
        super().setUp()
        self.simulate(800, "--seed", 3)
        self.follow()

    def wait_equal(self):
        wait_for(self.equal, 30, "the sums to be the oracle's")

    def test_a_shard_that_was_emptied_and_counted_anew_ends_right(self):
        self.reporter()
        self.wait_equal()
        self.ledger.empty(1)
        wait_for(lambda: not self.equal(), 20, "the shard's part to be taken out")
        self.ledger.write()
        self.wait_equal()

    def test_days_that_the_shards_do_not_have_any_more_go_from_the_business(self):
        self.publish()
        ghost = self.key("customer:day:2020-02-02:all")
        self.redis.call("HSET", ghost, "customers_new", 7)
        self.publish()
        self.assertEqual(self.redis.hash(ghost), {})
        self.assert_counted(customers=True)

    def test_a_business_that_lost_its_sums_gets_them_again_without_a_mark(self):
        self.publish()
        for key in self.redis.keys(self.key("customer:*")):
            self.redis.call("DEL", key)
        self.assertEqual(self.ledger.dirty(), {})
        self.publish()
        self.assert_counted(customers=True)

    def test_a_shard_set_back_without_a_mark_is_summed_again_by_a_new_connection(self):
        process = self.reporter()
        self.wait_equal()
        key = next(k for k in self.redis.keys(self.ledger.key(0, "customer:day:*:all"))
                   if "orders_identified" in self.redis.hash(k))
        day = self.key(key.partition("}:")[2])
        before = int(self.redis.hash(day)["orders_identified"])
        self.redis.call("HINCRBY", key, "orders_identified", 5)
        self.redis.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        wait_for(lambda: self.redis.hash(day)["orders_identified"] == str(before + 5), 30,
                 "the day to be summed again")
        self.assertTrue(process.running())

    def test_days_before_the_floor_are_left_alone(self):
        self.publish()
        self.redis.call("SET", self.key("floor"), "2030-01-01")
        key = next(iter(self.redis.keys(self.key("customer:day:*"))))
        self.redis.call("HSET", key, "customers_new", 12345)
        self.publish()
        self.assertEqual(self.redis.hash(key)["customers_new"], "12345")

    def test_a_ledger_whose_definition_says_no_number_of_shards_is_refused(self):
        self.redis.call("HSET", self.ledger.key(0, "position:customers"), "definition", "fold=1\n")
        done = self.world.run("reporter", "--once")
        self.assertEqual(done.returncode, 1)
        self.assertIn("number of shards", done.stderr)


class Gate:
    """A Redis behind a gate: while it is shut, whoever speaks of a word is cut off."""

    def __init__(self, test, url):
        host, _, port = url.rpartition("/")[2].partition(":")
        self.to = host, int(port)
        self.word = None
        self.sockets = []
        self.listener = self.keep(socket.create_server(("127.0.0.1", 0)))
        self.url = f"redis://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()
        test.addCleanup(self.close)

    def keep(self, end):
        self.sockets.append(end)
        return end

    def close(self):
        for end in self.sockets:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def serve(self):
        while True:
            try:
                client = self.keep(self.listener.accept()[0])
            except OSError:
                return
            server = self.keep(socket.create_connection(self.to))
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self.pump, args=(source, sink), daemon=True).start()

    def pump(self, source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if self.word and self.word in data:
                    break
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


class Away(CustomersCase):
    def setUp(self):
        super().setUp()
        self.gate = Gate(self, self.world.redis_url)
        self.behind = {"TANDEM_REDIS": self.gate.url}
        self.send(*[buy(n, "2026-03-05", f"c-{n}") for n in range(12)])
        self.follow()

    def test_while_a_shard_is_away_no_sum_is_written_and_all_else_is_published(self):
        self.gate.word = b".1}:"
        process = self.world.start("reporter", env=self.behind)
        wait_for(lambda: self.published("day", "2026-03-05"), 30, "sales to be published")
        wait_for(lambda: process.said("shard 1 of the ledger"), 20, "the shard to be named")
        self.assertEqual(self.redis.keys(self.key("customer:*")), [])
        self.assertEqual(set(self.ledger.dirty()), {0, 1, 2})
        self.gate.word = None
        wait_for(lambda: self.equal(published=True), 40, "the sums to be the oracle's")
        self.assertEqual(process.err().count("is away"), 1)

    def test_once_gives_up_on_a_shard_that_is_away(self):
        self.gate.word = b".1}:"
        done = self.world.run("reporter", "--once",
                              env={**self.behind, "TANDEM_CONNECT_TIMEOUT": 1500})
        self.assertEqual(done.returncode, 1)
        self.assertIn("shard", done.stderr)

    def test_killed_in_between_the_marks_stay_for_the_next_one(self):
        self.gate.word = b"HDEL"        # the script that removes marks is loaded by its text
        process = self.world.start("reporter", env=self.behind)
        wait_for(lambda: self.redis.keys(self.key("customer:*")), 30, "sums to be written")
        process.kill()
        self.assertNotEqual(self.ledger.dirty(), {})
        self.redis.call("DEL", self.key("reporter"))
        self.publish()
        self.assert_counted(customers=True, published=True)
        self.assertEqual(self.ledger.dirty(), {})


class InACluster(CustomersCase):
    SHARDS = 6

    def setUp(self):
        super().setUp()
        self.cluster = Cluster(self)
        self.owner = self.cluster.node_of(self.key("floor"))
        self.cluster.use(self, self.owner)
        self.send(*[buy(n, "2026-03-05", f"c-{n % 30}", f"r-{n % 5}") for n in range(60)])
        self.follow()
        self.nodes = {self.cluster.node_of(self.ledger.key(shard, "dirty"))
                      for shard in range(self.SHARDS)}
        self.assertGreater(len(self.nodes), 1)

    def test_shards_on_several_nodes_are_summed_from_whatever_node_one_names(self):
        for number in range(NODES):
            self.cluster.use(self, number)
            self.send(buy(100 + number, "2026-03-07", f"c-{number}"))
            self.follow()
            self.publish()
            self.assert_counted(customers=True, published=True)
            self.assertIn("2026-03", self.world.must("report", "--cohorts"))
            self.world.must("report", "--at", "2026-03")

    def test_a_shard_that_moves_or_whose_node_falls_is_followed_and_sales_go_on(self):
        process = self.reporter()
        wait_for(lambda: self.equal(published=True), 40, "the sums to be the oracle's")
        away = next(node for node in self.nodes if node != self.owner)
        self.cluster.kill(away)
        self.cluster.here = self.owner
        wait_for(lambda: process.said("is away"), 30, "the shard to be missed")
        self.send(buy(200, "2026-03-09", "c-1"))
        self.count()
        wait_for(lambda: self.published("day", "2026-03-09"), 30, "sales to be published")
        self.assertEqual(self.redis.hash(self.key("customer:day:2026-03-09:all")), {})
        self.cluster.start(away)
        self.follow(count=False)
        wait_for(lambda: self.equal(published=True), 60, "the sums to be the oracle's")
        moved = next(shard for shard in range(self.SHARDS)
                     if self.cluster.node_of(self.ledger.key(shard, "dirty")) == away)
        self.cluster.move(self.ledger.key(moved, "dirty"), self.owner)
        self.send(*[buy(300 + n, "2026-03-11", f"c-{n}") for n in range(30)])
        self.follow()
        wait_for(lambda: self.equal(published=True), 60, "the sums to be the oracle's")
        self.assertTrue(process.running())


class Metrics(CustomersCase):
    def test_every_metric_of_customers_is_live(self):
        refer = lambda number, day, customer, side: at(day, event(
            f"{side}.referred", number, {"customer": customer, "referral": number}))
        meet = at("2026-02-20", event("sale.interaction", "i-1", {
            "interaction": "i-1", "kind": "visit", "customer": "c-1"}))
        help_ = at("2026-03-01", event("service.opened", "t-1", {
            "ticket": "t-1", "phase": "after", "category": "question", "customer": "c-1"}))
        self.send(meet, help_, buy(1, "2026-02-25", "c-1"), buy(2, "2026-03-05", "c-1"),
                  buy(3, "2026-03-06", "c-2"), refer("f-1", "2026-03-01", "c-2", "sale"),
                  buy(4, "2026-03-07", "c-3"), refer("f-2", "2026-03-01", "c-3", "service"),
                  rate("r-1", "2026-03-01", "c-1", 5), rate("r-2", "2026-03-08", "c-2", 1),
                  rate("r-3", "2026-03-08", "c-3", 5), rate("r-4", "2026-03-01", "c-3", 2))
        self.follow()
        self.publish()
        found = self.published("month", "2026-03")
        wanted = {"customers_new": "2", "interacted_pct": "33.33", "buyers": "3",
                  "repeat_pct": "33.33", "after_service_pct": "100.00",
                  "satisfied_return_pct": "50.00", "dissatisfied_return_pct": "50.00",
                  "retention_pct": "100.00", "converted_by_sale": "1", "converted_by_service": "1"}
        self.assertEqual({name: found[name] for name in wanted}, wanted)
        self.assert_counted(customers=True, published=True)

    def test_before_the_ledgers_first_day_what_needs_it_is_undefined(self):
        self.use(ledger_from=datetime.date(2026, 3, 1))
        self.send(buy(1, "2026-02-25", "c-1"), buy(2, "2026-03-05", "c-1"))
        self.follow()
        self.publish()
        self.assert_counted(customers=True, published=True)
        for period, value in (("2026-02", "NaN"), ("2026-03", "0.00")):
            found = self.published("month", period)
            self.assertEqual(found["interacted_pct"], value)
            self.assertNotEqual(found["repeat_pct"], "NaN")
        self.assertEqual(self.published("year", "2026")["after_service_pct"], "NaN")

    def test_all_eight_rows_of_the_table_are_filled_in_both_languages(self):
        self.simulate(3000, "--seed", 5)
        self.follow()
        self.publish()
        last = today().replace(day=1) - datetime.timedelta(days=40)
        for language, dash in (("en", "no target"), ("ro", "fără țintă")):
            text = self.world.must("report", "--at", names_of(last)["quarter"], "--lang", language,
                                   "--format", "csv")
            metrics = ("customers_new", "interacted_pct", "repeat_pct", "after_service_pct",
                       "satisfied_return_pct", "dissatisfied_return_pct", "converted_by_sale",
                       "converted_by_service")
            for name in metrics:
                line = next(line for line in text.splitlines() if f",{name}," in line)
                self.assertNotIn("–", line, language)
            self.assertIn(dash, text)
            month = self.world.must("report", "--at", names_of(last)["month"], "--lang", language,
                                    "--format", "csv")
            line = next(line for line in month.splitlines() if ",retention_pct," in line)
            self.assertNotIn("–", line)


class Cohorts(CustomersCase):
    def cohorts(self, *options, **more):
        return self.world.must("report", "--cohorts", *options, **more)

    def refused(self, *options, status=1):
        done = self.world.run("report", "--cohorts", *options)
        self.assertEqual((done.returncode, done.stdout), (status, ""), done.stderr)
        return done.stderr

    def test_the_triangle_is_the_oracles_in_json_and_csv(self):
        self.use(timezone="Europe/Bucharest", ledger_limit=4)
        self.simulate(4000, "--seed", 9)
        self.follow(count=False)
        records, partitions, _ = self.dump_log()
        ledger = oracle_customers.count(records, self.oracle_settings(partitions))
        wanted = {f"{year}-{month:02}": row for (year, month), row in ledger.cohorts().items()}
        found = json.loads(self.cohorts("--format", "json"))
        self.assertGreater(sum(ledger.overflow.values()), 0)
        self.assertGreater(len(wanted), 8)
        self.assertEqual({row["first_month"]: row["retained"] for row in found["cohorts"]}, wanted)
        self.assertEqual(found["customers"], len(ledger.months))
        rows = csv.DictReader(io.StringIO(self.cohorts("--format", "csv")))
        cells = {(row["first_month"], int(row["months_since"])): int(row["retained"])
                 for row in rows}
        self.assertEqual(cells, {(first, since): count for first, row in wanted.items()
                                 for since, count in enumerate(row)})

    def test_the_table_is_in_both_languages_and_a_pipe_sees_no_progress(self):
        self.send(buy(1, "2026-01-05", "c-1"), buy(2, "2026-03-05", "c-1"),
                  buy(3, "2026-01-05", "c-2"))
        self.follow(count=False)
        for language, words in (("en", "First purchase"), ("ro", "Prima cumpărare")):
            done = self.world.run("report", "--cohorts", "--lang", language)
            self.assertIn(words, done.stdout)
            self.assertRegex(done.stdout, r"2026-01 +2 100   0  50\n")
            self.assertEqual(done.stderr, "")
            self.assertIn("| 2026-01 | 2 | 100 | 0 | 50 |",
                          self.cohorts("--lang", language, "--format", "markdown"))

    def test_without_a_ledger_or_without_customers_it_says_so(self):
        self.assertIn("no customers are counted", self.refused())
        Shards(self.world, self.oracle_settings(4), self.redis)
        self.assertIn("no customer has bought", self.refused())

    def test_it_goes_without_a_period_a_scope_or_a_list(self):
        for words in (("--period", "month"), ("--at", "2026-01"), ("--scope", "region=a"),
                      ("--list",)):
            self.assertIn(words[0], self.refused(*words, status=2))

    def test_a_state_that_is_none_is_refused_without_naming_the_customer(self):
        self.send(buy(1, "2026-01-05", "c-secret"))
        self.follow(count=False)
        key = self.redis.keys(f"tandem:{{{self.world.business}.*}}:c:*")[0]
        self.redis.call("SET", key, "\x00\x00")
        said = self.refused()
        self.assertIn("a customer of", said)
        self.assertNotIn("c-secret", said)


class Docs(CustomersCase):
    def test_every_key_of_a_shard_and_every_counter_is_listed(self):
        self.simulate(1500, "--seed", 9)
        self.follow(count=False)
        text = (ROOT / "docs/redis.md").read_text()
        rows = re.findall(r"^\| `tandem:\{main.K\}:([a-z:]+)[^`]*` \| (\w+) \|", text, re.MULTILINE)
        listed = set(re.findall(r"`([a-z_]+)`", text))
        for key in self.redis.keys(f"tandem:{{{self.world.business}.*"):
            rest, kind = key.partition("}:")[2], self.redis.call("TYPE", key)
            self.assertTrue(any(rest.startswith(name) and kind == type_ for name, type_ in rows),
                            key)
            if ":customer:" in key:
                self.assertLessEqual(set(self.redis.hash(key)), listed)


if __name__ == "__main__":
    main()
