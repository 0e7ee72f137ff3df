"""A real shop's four years of orders, from its CSV file to the counters, to the cent."""

from counting import EXAMPLES, CountingCase
from harness import main

CSV = EXAMPLES / "data/superstore.csv"


class Superstore(CountingCase):
    def setUp(self):
        super().setUp()
        self.world.make_topics()
        self.import_csv("superstore.json", CSV)
        self.count()

    def test_every_order_unit_and_cent_is_counted(self):
        found = self.total("sale")
        self.assertEqual({field: found[field] for field in
                          ("orders", "units", "revenue:USD", "profit:USD")},
                         {"orders": 5009, "units": 37873, "revenue:USD": 229720065,
                          "profit:USD": 28639659})
        self.assert_counted()

    def test_scopes_of_one_dimension_sum_to_the_whole(self):
        whole = self.total("sale")
        for dimension in ("region", "line"):
            with self.subTest(dimension):
                values = self.redis.call("SMEMBERS", self.key(f"scope:{dimension}"))
                sums = [self.total("sale", f"{dimension}={value}") for value in values]
                self.assertGreater(len(sums), 1)
                self.assertEqual(sum(s["revenue:USD"] for s in sums), whole["revenue:USD"])
                self.assertEqual(sum(s["profit:USD"] for s in sums), whole["profit:USD"])

    def test_imported_again_it_changes_nothing(self):
        before = self.counters()
        ends = self.world.dump(self.world.sales).ends
        self.import_csv("superstore.json", CSV)
        self.count()
        self.assertEqual(self.counters(), before)
        self.assertEqual(self.world.dump(self.world.sales).ends, ends)


main()
