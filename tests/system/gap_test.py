"""A log that has lost records, by retention, before they were counted."""

from counting import CountingCase
from harness import main, order, structured


class Gap(CountingCase):
    def trimmed(self):
        self.world.make_topics(2)
        self.world.produce(self.world.sales,
                           [dict(structured(order(n)), partition=1) for n in range(10)])
        self.world.tool("admin", self.world.brokers, "trim", self.world.sales, 1, 4)

    def test_a_log_that_has_lost_its_beginning_is_refused(self):
        self.trimmed()
        self.refused(f"{self.world.sales} partition 1", "offset 4", "--accept-gap")
        self.assertEqual(self.redis.keys(self.key("*:day:*")), [])

    def test_with_accept_gap_it_is_counted_from_there_and_the_gap_noted(self):
        self.trimmed()
        self.count("--accept-gap")
        self.assertEqual(self.total("sale")["orders"], 6)
        self.assertEqual(self.redis.hash(self.key("gap")), {f"{self.world.sales}:1": "0-4"})
        self.count()
        self.assert_counted(begins={(self.world.sales, 1): 4})

    def test_retention_behind_the_position_is_no_gap(self):
        self.world.make_topics(2)
        rows = [dict(structured(order(n)), partition=1) for n in range(10)]
        self.world.produce(self.world.sales, rows)
        self.count()
        self.world.tool("admin", self.world.brokers, "trim", self.world.sales, 1, 10)
        self.world.produce(self.world.sales, [dict(structured(order(10)), partition=1)])
        self.count()
        self.assertEqual(self.total("sale")["orders"], 11)

    def test_what_retention_took_before_it_was_counted_stops_it_until_the_gap_is_accepted(self):
        self.world.make_topics(2)
        rows = [dict(structured(order(n)), partition=1) for n in range(10)]
        self.world.produce(self.world.sales, rows[:3])
        self.count()
        self.world.produce(self.world.sales, rows[3:])
        self.world.tool("admin", self.world.brokers, "trim", self.world.sales, 1, 7)
        self.refused(f"{self.world.sales} partition 1", "offset 3", "7 to 10", "--accept-gap")
        self.assertEqual(self.total("sale")["orders"], 3)
        self.count("--accept-gap")
        self.assertEqual(self.total("sale")["orders"], 6)
        self.assertEqual(self.redis.call("HGET", self.key("gap"), f"{self.world.sales}:1"),
                         "skipped:3-7")


main()
