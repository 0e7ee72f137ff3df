"""A service desk's tickets, from their CSV file to the published comparison."""

import os
import pathlib
import unittest

from counting import EXAMPLES, CountingCase
from harness import main

FOLDER = os.environ.get("TANDEM_TEST_DATA")
GIVEN = pathlib.Path(FOLDER) / "support_tickets.csv" if FOLDER else None


class Tickets(CountingCase):
    def count_tickets(self, csv):
        self.world.make_topics()
        self.import_csv("support_tickets.json", csv)
        self.count()

    @unittest.skipUnless(GIVEN and GIVEN.is_file(),
                         "TANDEM_TEST_DATA names no folder with support_tickets.csv")
    def test_of_the_given_file_every_ticket_and_rating_counts(self):
        self.count_tickets(GIVEN)
        found = self.total("service")
        self.assertEqual({field: found[field] for field in
                          ("opened", "resolved", "csat_n", "csat_sum")},
                         {"opened": 5000, "resolved": 3724, "csat_n": 3724, "csat_sum": 11057})
        # Over all: three of the ratings are of the new year's first day.
        content = found["csat_4"] + found["csat_5"]
        self.assertEqual(f"{100 * content / found['csat_n']:.2f}", "39.04")
        self.world.must("reporter", "--once", timeout=200)
        self.assert_counted(published=True)

    def test_of_the_projects_own_file_all_that_is_counted_is_true(self):
        self.use(timezone="Europe/Bucharest")
        self.count_tickets(EXAMPLES / "data/support_tickets.csv")
        self.assertEqual(self.total("service")["opened"], 5000)
        self.assert_counted()


main()
