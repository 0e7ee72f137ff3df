"""`tandem report`: what the reporter published, as people and programs read it."""

import csv
import io
import json

from hand import Hand, names_of, today
from harness import TestCase, main


class Report(TestCase):
    def setUp(self):
        super().setUp()
        self.world.make_topics()
        self.hand = Hand(self.world)

    def publish(self):
        self.world.must("reporter", "--once")

    def history(self):
        """A November of the west, published."""
        for day in ("2017-11-05", "2017-11-23"):
            for scope in ("all", "region=west"):
                self.hand.sell(day, scope)
                self.hand.rate(day, scope)
        self.publish()

    def report(self, *args):
        return self.world.must("report", *args)

    def refused(self, *args, status=1):
        done = self.world.run("report", *args)
        self.assertEqual((done.returncode, done.stdout), (status, ""), done.stderr)
        return done.stderr

    def fields(self, *args):
        return json.loads(self.report("--format", "json", *args))["fields"]

    def test_the_running_month_of_the_whole_is_what_it_shows_unasked(self):
        self.hand.sell(today())
        self.publish()
        fields = self.fields()
        self.assertEqual((fields["period_kind"], fields["period"], fields["scope"]),
                         ("month", names_of(today())["month"], "all"))
        self.assertEqual(fields["orders"], 1)

    def test_at_names_a_period_of_any_kind(self):
        self.history()
        for at, kind in (("2017-11-23", "day"), ("2017-W47", "week"), ("2017-11", "month"),
                         ("2017-Q4", "quarter"), ("2017", "year")):
            fields = self.fields("--at", at, "--scope", "region=west")
            self.assertEqual((fields["period_kind"], fields["period"]), (kind, at))

    def test_a_day_names_the_period_that_holds_it(self):
        self.history()
        self.assertEqual(self.fields("--period", "quarter", "--at", "2017-11-23")["period"],
                         "2017-Q4")

    def test_the_table_is_aligned_within_80_columns_in_both_languages(self):
        self.history()
        for language, words in (("en", ("Purpose", "Business", "A business needs both.")),
                                ("ro", ("Scop", "Continuitatea", "O afacere are nevoie de ambele."))):
            text = self.report("--at", "2017-11", "--lang", language)
            for word in words:
                self.assertIn(word, text)
            self.assertLessEqual(max(map(len, text.splitlines())), 80)

    def test_csv_and_markdown_are_well_formed(self):
        self.history()
        rows = list(csv.reader(io.StringIO(self.report("--at", "2017-11", "--format", "csv"))))
        self.assertGreater(len(rows), 8)
        self.assertEqual(len({len(row) for row in rows}), 1)
        text = self.report("--at", "2017-11", "--format", "markdown")
        table = [line for line in text.splitlines() if line.startswith("|")]
        self.assertGreater(len(table), 8)
        self.assertEqual(len({line.count("|") for line in table}), 1)

    def test_json_holds_every_published_field_in_its_order(self):
        self.history()
        fields = self.fields("--at", "2017-11")
        published = self.hand.published("month", "2017-11")
        self.assertEqual(set(fields), set(published))
        self.assertEqual(list(fields)[:4], ["business", "scope", "period_kind", "period"])
        self.assertEqual(fields["revenue:EUR"], 2000)
        self.assertIsNone(fields["nps"])

    def test_where_nothing_is_published_it_says_what_is(self):
        self.history()
        said = self.refused("--at", "2016-01")
        self.assertIn("2016-01", said)
        self.assertIn("2017-11 to", said)

    def test_an_unknown_scope_is_answered_with_those_there_are(self):
        self.history()
        said = self.refused("--scope", "region=moon")
        self.assertIn("region=moon", said)
        self.assertIn("region=west", said)

    def test_before_the_first_publication_it_says_so(self):
        self.assertIn("nothing is published yet", self.refused())

    def test_words_it_does_not_know_are_named(self):
        for option, value in (("--period", "decade"), ("--at", "2017-13"), ("--scope", "west"),
                              ("--lang", "fr"), ("--format", "pdf")):
            said = self.refused(option, value, status=2)
            self.assertIn(value, said)

    def test_a_period_of_another_kind_than_asked_for_is_refused(self):
        said = self.refused("--period", "week", "--at", "2017-Q4", status=2)
        self.assertIn("quarter", said)

    def test_list_says_what_is_published(self):
        self.history()
        text = self.report("--list")
        self.assertIn("2017-11 to", text)
        self.assertIn("region=west", text)

    def test_a_gap_in_the_log_is_told(self):
        self.history()
        self.world.redis.call("HSET", self.world.key("gap"), "sales/0", "counted from offset 17")
        self.assertIn("counted from offset 17", self.report("--at", "2017-11"))
        self.assertIn("pierdut", self.report("--at", "2017-11", "--lang", "ro"))
        done = self.world.run("report", "--at", "2017-11", "--format", "json")
        self.assertEqual(json.loads(done.stdout)["fields"]["orders"], 2)
        self.assertIn("counted from offset 17", done.stderr)

    def test_misplaced_events_are_told(self):
        self.history()
        self.assertNotIn("another partition", self.report("--at", "2017-11"))
        self.hand.count("2017-11-05", sale={"misplaced": 3})
        self.assertIn("another partition than their customer's: 3",
                      self.report("--at", "2017-11"))


if __name__ == "__main__":
    main()
