"""`tandem import` on a real Kafka; the examples of docs/import.md; what the schema says of mappings."""

import collections
import csv
import decimal
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import unittest

from harness import ROOT, TestCase, main, wait_for

sys.path.insert(0, str(ROOT / "tests/schema"))
import contract  # noqa: E402

EXAMPLES = ROOT / "examples"
GIVEN = pathlib.Path(os.environ.get("TANDEM_TEST_DATA") or "/nonexistent")

SHOP = {"source": "/shop", "zone": "UTC", "events": [
    {"type": "sale.completed", "id": "order:{no}", "group_by": "no", "currency": "EUR",
     "time": {"column": "day", "format": "YYYY-MM-DD", "at": "12:00"},
     "order": {"column": "no"}, "customer": {"column": "who"}, "net": {"column": "net"}}]}


def cents(text):
    """Half to even, by another implementation."""
    return int((decimal.Decimal(text) * 100).quantize(1, decimal.ROUND_HALF_EVEN))


class ImportCase(TestCase):
    def mapping(self, body):
        return self.world.write("mapping.json", json.dumps(body))

    def dry(self, mapping, file, *options):
        done = self.world.run("import", "--mapping", mapping, "--dry-run", *options, file)
        return done, [json.loads(line) for line in done.stdout.splitlines()]

    def send(self, *args, **more):
        return self.world.run("import", *args, **more)

    def events(self, topic):
        return [json.loads(record.value) for record in self.world.dump(topic).records]


class Examples(ImportCase):
    def test_superstore_comes_out_to_the_cent(self):
        path = EXAMPLES / "data/superstore.csv"
        done, events = self.dry(EXAMPLES / "mappings/superstore.json", path)
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
        orders = collections.Counter()
        for row in rows:
            orders[row["Order ID"]] += cents(row["Sales"])
        self.assertEqual({e["data"]["order"]: e["data"]["net"] for e in events}, orders)
        data = [e["data"] for e in events]
        self.assertEqual(len(data), 5009)
        self.assertEqual(sum(item["qty"] for d in data for item in d["items"]), 37873)
        self.assertEqual(sum(d["net"] for d in data), 229720065)
        self.assertEqual(sum(d["net"] - d["cost"] for d in data), 28639659)
        times = [e["time"] for e in events]
        self.assertEqual(times, sorted(times))

    def assert_tickets(self, path):
        done, events = self.dry(EXAMPLES / "mappings/support_tickets.json", path)
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        kinds = collections.Counter(e["type"] for e in events)
        scores = [e["data"]["score"] for e in events if "score" in e["data"]]
        self.assertEqual(kinds["tandem.service.opened.v1"], len(rows))
        self.assertEqual(kinds["tandem.service.resolved.v1"],
                         sum(row["status"] == "Resolved" for row in rows))
        self.assertEqual(sorted(scores),
                         sorted(int(float(r["csat_score"])) for r in rows if r["csat_score"]))
        seconds = {row["ticket_id"]: int((decimal.Decimal(row["resolution_hours"]) * 3600).quantize(
            1, decimal.ROUND_HALF_EVEN)) for row in rows}
        for e in events:
            if "resolution" in e["data"]:
                self.assertEqual(e["data"]["resolution"], seconds[e["subject"]])
        return scores

    def test_our_own_tickets_come_out_whole(self):
        scores = self.assert_tickets(EXAMPLES / "data/support_tickets.csv")
        self.assertTrue(3.6 <= sum(scores) / len(scores) <= 4.0)

    @unittest.skipUnless((GIVEN / "support_tickets.csv").exists(),
                         "TANDEM_TEST_DATA has no support_tickets.csv")
    def test_the_given_tickets_come_out_whole(self):
        scores = self.assert_tickets(GIVEN / "support_tickets.csv")
        self.assertEqual((len(scores), sum(scores)), (3724, 11057))

    def test_the_script_writes_the_tickets_file_again(self):
        made = subprocess.run([sys.executable, ROOT / "scripts/make-tickets.py"],
                              capture_output=True, timeout=60, check=True)
        self.assertEqual(made.stdout, (EXAMPLES / "data/support_tickets.csv").read_bytes())

    def test_every_example_of_the_docs_does_what_it_says(self):
        page = (ROOT / "docs/import.md").read_text()
        for name, body in re.findall(r"```\w+ file=(\S+)\n(.*?)```", page, re.S):
            self.world.write(name, body)
        shown = re.findall(r"```console\n\$ tandem (.*?)\n(.*?)```", page, re.S)
        self.assertGreaterEqual(len(shown), 4)
        for command, wanted in shown:
            with self.subTest(command):
                done = self.world.run(*command.split())
                lines = wanted.splitlines()
                said = [line for line in lines if line[0] != "{" and line != "..."]
                events = [line for line in lines if line[0] == "{"]
                self.assertEqual(done.stderr.splitlines(), said)
                found = done.stdout.splitlines()
                self.assertEqual(found[:len(events)] if "..." in lines else found, events)


class Import(ImportCase):
    def setUp(self):
        super().setUp()
        self.world.make_topics()
        self.shop = self.mapping(SHOP)

    def test_events_arrive_structured_and_keyed_by_customer(self):
        file = self.world.write("a.csv", "no,day,who,net\n1,2020-01-02,c1,1.005\n")
        self.assertEqual(self.send("-m", self.shop, file).returncode, 0)
        record, = self.world.dump(self.world.sales).records
        self.assertEqual(record.key, b"c1")
        self.assertEqual(dict(record.headers),
                         {"content-type": b"application/cloudevents+json; charset=UTF-8"})
        self.assertEqual(json.loads(record.value)["data"]["net"], 100)

    def test_an_import_repeated_changes_nothing(self):
        file = EXAMPLES / "data/support_tickets.csv"
        mapping = EXAMPLES / "mappings/support_tickets.json"
        first, second = self.send("-m", mapping, file), self.send("-m", mapping, file)
        self.assertEqual((first.returncode, second.returncode), (0, 0), second.stderr)
        events = self.events(self.world.service)
        self.assertEqual(len({e["id"] for e in events}), len(events))
        self.assertIn(": 0 events delivered, 12,", second.stderr)
        self.assertIn("already there, 0 refused", second.stderr)

    def test_an_import_that_was_stopped_is_resumed(self):
        rows = "".join(f"{n},2020-01-02,c{n % 997},1\n" for n in range(200000))
        file = self.world.write("many.csv", "no,day,who,net\n" + rows)
        # 2,000 events at most wait for 100 ms each time: it takes ten seconds, not one.
        child = self.world.start("import", "-X", "kafka.queue.buffering.max.messages=2000",
                                 "-X", "kafka.linger.ms=100", "-m", self.shop, file)
        wait_for(lambda: self.world.dump(self.world.sales).records, 60, "the first events")
        child.signal(signal.SIGKILL)
        self.assertEqual(child.wait(), -signal.SIGKILL)
        done = self.send("-m", self.shop, file, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        ids = [e["id"] for e in self.events(self.world.sales)]
        self.assertEqual(len(ids), 200000)
        self.assertEqual(len(set(ids)), 200000)

    def test_a_bad_row_is_told_and_the_rest_arrives(self):
        file = self.world.write("a.csv", "no,day,who,net\n1,2020-01-02,c1,x\n2,2020-02-30,c1,1\n"
                                         "3,2020-01-02,c1,1\n")
        done = self.send("-m", self.shop, file)
        self.assertEqual(done.returncode, 1)
        self.assertIn('a.csv:2: column "net": "x" is not an amount', done.stderr)
        self.assertIn('a.csv:3: column "day": "2020-02-30" does not exist', done.stderr)
        self.assertTrue(done.stderr.rstrip().endswith(
            "3 rows: 1 event delivered, 0 already there, 2 refused (2 rows)"), done.stderr)
        self.assertEqual([e["id"] for e in self.events(self.world.sales)], ["order:3"])

    def test_strict_sends_nothing_when_a_row_is_bad(self):
        file = self.world.write("a.csv", "no,day,who,net\n1,2020-01-02,c1,1\n2,2020-02-30,c1,1\n")
        done = self.send("-m", self.shop, "--strict", file)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(self.world.dump(self.world.sales).records, [])

    def test_a_broken_quote_stops_before_anything_is_sent(self):
        file = self.world.write("a.csv", 'no,day,who,net\n1,2020-01-02,c1,1\n2,2020-01-02,"c1,1\n')
        done = self.send("-m", self.shop, file)
        self.assertEqual(done.returncode, 1)
        self.assertIn("a.csv:3: broken quote", done.stderr)
        self.assertEqual(self.world.dump(self.world.sales).records, [])

    def test_a_missing_column_and_a_missing_file_are_told(self):
        file = self.world.write("a.csv", "no,day,who\n1,2020-01-02,c1\n")
        self.assertIn('the header has no column "net"', self.send("-m", self.shop, file).stderr)
        self.assertIn("nowhere.csv", self.send("-m", self.shop, "nowhere.csv").stderr)
        self.assertIn("nowhere.json", self.send("-m", "nowhere.json", file).stderr)
        self.assertEqual(self.send(file).returncode, 2)

    def test_a_topic_that_is_not_there_is_told(self):
        file = self.world.write("a.csv", "no,day,who,net\n1,2020-01-02,c1,1\n")
        done = self.send("-m", self.shop, "-X", "topics.sales=" + self.world.business + ".no", file)
        self.assertEqual(done.returncode, 1)
        self.assertIn("does not exist", done.stderr)

    def test_standard_input_is_a_file_too(self):
        done = self.send("-m", self.shop, "-",
                         input="\ufeffno,day,who,net\r\n\"1\",2020-01-02,\"c1\",1\r\n")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(self.events(self.world.sales)), 1)

    def test_without_sorting_the_same_events_arrive(self):
        rows = "".join(f"{n // 3},2020-01-{n % 28 + 1:02},c{n // 3},1\n" for n in range(3000))
        file = self.world.write("a.csv", "no,day,who,net\n" + rows)
        _, sorted_events = self.dry(self.shop, file)
        self.assertEqual(self.send("-m", self.shop, "--no-sort", file).returncode, 0)
        found = {e["id"]: e for e in self.events(self.world.sales)}
        self.assertEqual(found, {e["id"]: e for e in sorted_events})


class Dry(ImportCase):
    def test_shift_to_moves_whole_local_days(self):
        mapping = self.mapping({**SHOP, "zone": "Europe/Bucharest"})
        file = self.world.write("a.csv", "no,day,who,net\n1,2020-01-02,c1,1\n2,2020-03-30,c1,1\n")
        done, events = self.dry(mapping, file, "--shift-to", "2021-03-30")
        self.assertEqual([e["time"] for e in events],
                         ["2021-01-01T10:00:00Z", "2021-03-30T09:00:00Z"], done.stderr)
        again, _ = self.dry(mapping, file, "--shift-to", "2021-02-30")
        self.assertEqual(again.returncode, 2)

    def test_an_event_of_the_future_is_refused_before_it_is_sent(self):
        file = self.world.write("a.csv", "no,day,who,net\n1,2098-01-02,c1,1\n")
        done, events = self.dry(self.mapping(SHOP), file)
        self.assertEqual((done.returncode, events), (1, []))
        self.assertIn("a.csv:2: time_future", done.stderr)

    def test_one_id_for_two_events_is_refused_and_a_row_that_stands_twice_is_not(self):
        single = json.loads(json.dumps(SHOP))
        del single["events"][0]["group_by"]
        row = "1,2020-01-02,c1,1\n"
        file = self.world.write("a.csv", "no,day,who,net\n" + row + row + "1,2020-01-02,c1,2\n")
        done, events = self.dry(self.mapping(single), file)
        self.assertEqual((done.returncode, len(events)), (1, 1))
        self.assertIn('a.csv:4: id "order:1" was given to line 2 already', done.stderr)
        self.assertIn("1 repeated in the file, 1 refused", done.stderr)


class Schema(ImportCase):
    """schemas/mapping.json and the reader of the program have one opinion."""

    def agree(self, body, right):
        file = self.world.write("empty.csv", "x\n")
        done = self.world.run("import", "-n", "-m", self.mapping(body), file)
        taken = "is not a right mapping" not in done.stderr
        self.assertEqual(contract.validator("mapping.json").is_valid(body), right, body)
        self.assertEqual(taken, right, done.stderr)

    def test_right_mappings_are_right_for_both(self):
        page = (ROOT / "docs/import.md").read_text()
        bodies = [json.loads(b) for b in re.findall(r"```json file=\S+\n(.*?)```", page, re.S)]
        bodies += [json.loads(p.read_text()) for p in sorted((EXAMPLES / "mappings").glob("*.json"))]
        self.assertGreaterEqual(len(bodies), 5)
        for body in bodies:
            self.agree(body, True)

    def test_each_wrong_member_is_wrong_for_both(self):
        event = SHOP["events"][0]
        changes = [
            {"source": ""}, {"zone": 1}, {"delimiter": "--"}, {"more": 1}, {"events": []},
            {"numbers": {"decimal": ";"}}, {"numbers": {"ignore": "x"}}, {"skip": [{"column": "a"}]},
            {"skip": [{"column": "a", "in": [], "empty": True}]}, {"common": {"net": 1}},
            {"common": {"labels": {"a b": "x"}}},
        ]
        for change in changes:
            with self.subTest(change):
                self.agree({**SHOP, **change}, False)
        of_event = [
            {"type": "sale.complete"}, {"id": "fixed"}, {"id": 1}, {"time": "2020-01-01"},
            {"time": {"column": "d", "format": "ISO", "at": "25:00"}}, {"time": {"format": "ISO"}},
            {"order": ""}, {"order": {}}, {"order": {"column": "a", "template": "{a}"}},
            {"order": {"column": "a", "slug": False}}, {"order": {"column": "a", "unit": "hours"}},
            {"customer": "a b"}, {"customer": {"column": "a", "otherwise": "x"}},
            {"currency": "XXX"}, {"net": 1.5}, {"net": -1}, {"net": {"column": "n", "unit": "hours"}},
            {"net": {"template": "{n}"}}, {"units": {"column": "u", "negate": False}},
            {"items": {"sku": "x", "qty": 1, "net": 1}}, {"group_by": []}, {"ticket": "x"},
            {"labels": {str(n): "x" for n in range(9)}}, {"when": {"column": "a", "empty": True}},
        ]
        for change in of_event:
            with self.subTest(change):
                self.agree({**SHOP, "events": [{**event, **change}]}, False)
        for name in ("type", "id", "time", "order", "currency", "net"):
            with self.subTest("without " + name):
                rest = {key: value for key, value in event.items() if key != name}
                self.agree({**SHOP, "events": [rest]}, False)


main()
