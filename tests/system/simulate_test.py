"""`tandem simulate`: what it sends, that it is repeatable, and that its promises hold."""

import base64
import bisect
import collections
import datetime
import json
import re
import shlex
import signal
import sys

from harness import ROOT, TestCase, main, structured, wait_for

sys.path.insert(0, str(ROOT / "tests/oracle"))
import count as oracle_count            # noqa: E402
import customers as oracle_customers    # noqa: E402
import decode as oracle_decode          # noqa: E402

DAYS_90 = 90 * 86400
PAST = ["--start", "2025-01-01", "--days", "365"]


def instant(event):
    """Epoch seconds, cut."""
    moment = datetime.datetime.fromisoformat(event["time"].replace("Z", "+00:00"))
    return int(moment.timestamp())


def name(event):
    return event["type"].removeprefix("tandem.").removesuffix(".v1")


def return_shares(events):
    """(content, discontent): percent of final ratings with a later sale within 90 days."""
    sales, ratings = collections.defaultdict(list), {}
    for e in events:
        data = e["data"]
        if name(e) == "sale.completed" and "customer" in data:
            sales[data["customer"]].append(instant(e))
        elif name(e) == "service.rated" and data["scale"] != "ces":
            key = (data["customer"], data["scale"], data["rating"])
            ratings[key] = (instant(e), data["score"])
    counts = {True: [0, 0], False: [0, 0]}
    for (customer, scale, _), (rated, score) in ratings.items():
        if scale == "nps" and score in (7, 8):
            continue
        mine = sales[customer]
        place = bisect.bisect_right(mine, rated)
        counts[score >= (4 if scale == "csat" else 9)][0] += 1
        returned = place < len(mine) and mine[place] - rated <= DAYS_90
        counts[score >= (4 if scale == "csat" else 9)][1] += returned
    return [100 * counts[side][1] / counts[side][0] for side in (True, False)]


def ledger_of(events):
    """What tests/oracle makes of these as one partition, in scope `all` alone."""
    offsets, records = collections.Counter(), []
    for e in events:
        topic = "tandem.sales" if name(e).startswith("sale.") else "tandem.service"
        raw = structured(e)
        records.append(oracle_decode.Record(
            topic, 0, offsets[topic], None, raw["key"].encode(),
            [(header, value.encode()) for header, value in raw["headers"]], raw["value"].encode()))
        offsets[topic] += 1
    return oracle_customers.count(records, oracle_count.Settings(scopes=(), partitions=1))


def number(words, text):
    """The number before these words in a summary."""
    found = re.search(r"([\d,]+) " + words, text)
    return int(found.group(1).replace(",", "")) if found else 0


class DryRun(TestCase):
    def events(self, *args):
        return [json.loads(line) for line in
                self.world.must("simulate", "--dry-run", *args, timeout=120).splitlines()]

    def test_the_same_options_give_the_same_bytes(self):
        args = ["simulate", "--dry-run", *PAST, "--orders", 3000, "--duplicates", 5]
        first = self.world.must(*args)
        self.assertEqual(first, self.world.must(*args))
        self.assertNotEqual(first, self.world.must(*args, "--seed", 2))

    def test_so_many_orders_in_so_many_days(self):
        events = self.events("--start", "2025-03-01", "--days", 31, "--orders", 700,
                             "--timezone", "Europe/Bucharest")
        self.assertEqual(sum(name(e) == "sale.completed" for e in events), 700)
        times = [e["time"] for e in events]
        self.assertEqual(times, sorted(times))
        self.assertGreaterEqual(times[0], "2025-02-28T22:00:00")
        self.assertLess(times[-1], "2025-03-31T21:00:00")

    def test_ids_never_repeat_and_subjects_name_the_object(self):
        events = self.events(*PAST, "--orders", 3000)
        self.assertEqual(len({e["id"] for e in events}), len(events))
        for e in events:
            self.assertIn(e["subject"], e["data"].values())

    def test_customers_come_back_as_often_as_asked(self):
        for content, discontent in ((60, 20), (35, 80)):
            events = self.events(*PAST, "--orders", 20000, "--return-content", content,
                                 "--return-discontent", discontent)
            shares = return_shares(events)
            self.assertAlmostEqual(shares[0], content, delta=2)
            self.assertAlmostEqual(shares[1], discontent, delta=2)

    def test_by_the_rules_of_the_counters_so_many_come_back_in_two_years_and_in_their_last_days(self):
        for content, discontent in ((60, 20), (75, 40)):
            sums = {day: fields for (day, scope), fields in ledger_of(self.events(
                "--start", "2024-01-01", "--days", 731, "--events", 30000, "--return-content",
                content, "--return-discontent", discontent)).shards[0].items()}
            for first in ("2024-01-01", "2025-10-03"):      # 90 days before the end
                for field, told in (("satisfied", content), ("dissatisfied", discontent)):
                    base, returned = (sum(fields.get(name, 0) for day, fields in sums.items()
                                          if day >= first)
                                      for name in (field, field + "_returned"))
                    self.assertGreater(base, 50)
                    self.assertAlmostEqual(100 * returned / base, told, delta=2)

    def test_the_links_between_events_hold(self):
        events = self.events(*PAST, "--orders", 10000, "--currencies", "EUR,RON")
        seen = collections.defaultdict(set)
        orders, scores, found = {}, {}, collections.Counter()
        for e in events:
            kind, data = name(e), e["data"]
            if kind == "sale.completed":
                orders[data["order"]] = data
            if kind == "sale.refunded":
                order = orders[data["order"]]
                self.assertEqual(data["currency"], order["currency"])
                self.assertEqual(data.get("customer"), order.get("customer"))
                self.assertEqual(data.get("assist_ticket"), order.get("assist_ticket"))
                self.assertLessEqual(data["net"], order["net"])
            if kind in ("service.resolved", "service.reopened"):
                self.assertIn(data["ticket"], seen["service.opened"])
            if kind == "service.settled":
                self.assertIn(data["claim"], seen["service.claimed"])
            for ticket in filter(None, [data.get("assist_ticket")]):
                self.assertIn(ticket, seen["service.opened"])
                found["assisted"] += 1
            if kind == "service.rated":
                if "previous" in data:
                    self.assertEqual(scores[data["rating"]], data["previous"])
                    found["changed"] += 1
                scores[data["rating"]] = data["score"]
            if kind.endswith("referred"):
                self.assertNotEqual(data["customer"], data["referrer"])
            seen[kind].add(e["subject"])
        self.assertEqual({o["currency"] for o in orders.values()}, {"EUR", "RON"})
        self.assertGreater(found["assisted"], 10)
        self.assertGreater(found["changed"], 10)
        self.assertEqual(len(seen), 11)

    def test_options_that_make_no_sense_are_refused(self):
        for args in (["--orders", 1, "--events", 1], ["--rate", 5, "--days", 3],
                     ["--currencies", "EUR,XYZ"], ["--currencies", ""], ["--start", "2025-02-30"],
                     ["--start", "2095-01-01"], ["--source", "a b"], ["--bad", 41]):
            done = self.world.run("simulate", "--dry-run", *args)
            self.assertEqual(done.returncode, 2, args)
            self.assertIn(args[0].removeprefix("--"), done.stderr)
            self.assertEqual(done.stdout, "")


class Sent(TestCase):
    def records(self):
        return [(topic, r) for topic in (self.world.sales, self.world.service)
                for r in self.world.dump(topic).records]

    def verdicts(self, records):
        """What the decoder says of each record."""
        text = ""
        for topic, r in records:
            row = {"topic": "tandem.sales" if topic == self.world.sales else "tandem.service",
                   "timestamp": r.timestamp, "partition": r.partition, "offset": r.offset,
                   "headers": [[n, {"base64": base64.b64encode(v).decode()}]
                               for n, v in r.headers]}
            for member, data in (("key", r.key), ("value", r.value)):
                if data is None:
                    row[member] = None
                else:
                    row[member + "_base64"] = base64.b64encode(data).decode()
            text += json.dumps(row) + "\n"
        return [json.loads(line) for line in
                self.world.tool("decode", input=text.encode()).splitlines()]

    def test_what_was_counted_stands_in_the_topics(self):
        self.world.make_topics()
        done = self.world.run("simulate", "--events", 20000, "--duplicates", 5, "--bad", 1,
                              "--binary", 10)
        self.assertEqual(done.returncode, 0, done.stderr)
        records = self.records()
        self.assertEqual(len(records), 20000)
        for words in ("records sent", "delivered"):
            self.assertEqual(number(words, done.stderr), 20000)
        verdicts = self.verdicts(records)
        kinds = collections.Counter(v["verdict"] for v in verdicts)
        self.assertEqual(kinds["valid"], 19800)
        reasons = collections.Counter(v["reason"] for v in verdicts if v["verdict"] == "rejected")
        self.assertEqual(len(reasons), 15)
        self.assertEqual(sum(reasons.values()) + kinds["ignored"] + kinds["tombstone"], 200)
        self.assertGreater(kinds["ignored"], 20)
        self.assertGreater(kinds["tombstone"], 10)
        binary = sum(any(n == "ce_id" for n, _ in r.headers) for _, r in records)
        self.assertAlmostEqual(binary, 1980, delta=100)

    def test_a_duplicate_follows_in_the_same_partition(self):
        self.world.make_topics()
        self.world.must("simulate", "--events", 10000, "--duplicates", 10)
        first, again = {}, 0
        for topic, r in self.records():
            e = json.loads(r.value)
            self.assertEqual(r.key.decode(), e["data"].get("customer", e["subject"]))
            if e["id"] in first:
                where, value = first[e["id"]]
                self.assertEqual(where, (topic, r.partition))
                self.assertEqual(value, r.value)
                again += 1
            first.setdefault(e["id"], ((topic, r.partition), r.value))
        self.assertEqual(again, 1000)

    def test_live_events_are_of_now_and_ctrl_c_ends_them(self):
        self.world.make_topics()
        live = self.world.start("simulate", "--rate", 300)
        wait_for(lambda: len(self.records()) > 300, 60, "live events")
        live.signal(signal.SIGINT)
        self.assertEqual(live.wait(), 0, live.err())
        records = self.records()
        self.assertEqual(number("delivered", live.err()), len(records))
        for _, r in records:
            self.assertLess(abs(instant(json.loads(r.value)) - r.timestamp / 1000), 30)

    def test_a_rate_is_kept(self):
        self.world.make_topics()
        self.world.must("simulate", "--rate", 200, "--events", 500)
        times = [r.timestamp for _, r in self.records()]
        self.assertEqual(len(times), 500)
        self.assertGreater(max(times) - min(times), 2000)

    def test_topics_that_are_not_there_are_named(self):
        done = self.world.run("simulate", "--orders", 10)
        self.assertEqual(done.returncode, 1)
        self.assertIn(self.world.sales, done.stderr)
        self.assertIn("tandem topics", done.stderr)

    def test_the_examples_of_the_docs_run(self):
        self.world.make_topics()
        page = (ROOT / "docs/simulate.md").read_text()
        commands = re.findall(r"^tandem (simulate .*)$", page, re.M)
        self.assertEqual(len(commands), 4)
        for command in commands:
            self.world.must(*shlex.split(command))


main()
