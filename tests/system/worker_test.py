"""Workers on a real Kafka and Redis: what is counted, by how many, and after which end."""

import signal

from counting import CountingCase
from harness import main, order, structured, ticket, wait_for

DAY = "2026-11-23"      # of the harness' events


class Counting(CountingCase):
    def setUp(self):
        super().setUp()
        self.world.make_topics()

    def test_at_the_end_the_positions_are_the_ends_of_the_log_also_of_empty_partitions(self):
        self.world.send_events([order(n, customer=f"c-{n}") for n in range(5)] + [ticket(1)])
        self.count()
        for kind in ("sales", "service"):
            self.assertEqual(self.positions(kind), self.world.dump(self.topic(kind)).ends)
        self.assert_counted()

    def test_what_is_counted_once_stays_so_however_often_a_worker_starts(self):
        self.world.send_events([order(1, net=700), order(2, net=300)])
        self.count()
        before = self.counters()
        self.count()
        self.assertEqual(self.counters(), before)
        self.assertEqual(self.day("sale", DAY)["net:EUR"], 1000)

    def test_committed_transactions_count_aborted_ones_do_not_and_control_records_are_passed(self):
        def ten(first):
            return [dict(structured(order(n)), partition=0) for n in range(first, first + 10)]
        self.world.produce(self.world.sales, ten(0), transaction="commit")
        self.world.produce(self.world.sales, ten(100), transaction="abort")
        self.count(kinds=("sales",))
        self.assertEqual(self.day("sale", DAY)["orders"], 10)
        self.assertEqual(self.positions("sales")[0], 22)

    def test_an_open_transaction_holds_up_the_end_but_not_the_worker(self):
        self.world.produce(self.world.sales, [dict(structured(order(1)), partition=0)])
        self.world.produce(self.world.sales, [dict(structured(order(2)), partition=0)],
                           transaction="open")
        self.count(kinds=("sales",))
        self.assertEqual(self.day("sale", DAY)["orders"], 1)
        self.assertEqual(self.positions("sales")[0], 1)

    def test_two_workers_share_the_partitions_and_count_everything_once(self):
        first, second = self.start("sales"), self.start("sales")
        assigned = lambda worker: worker.err().rpartition('event="partitions assigned"')[2]
        wait_for(lambda: all(assigned(w).startswith(" count=2") for w in (first, second)), 30,
                 "two partitions each")
        self.world.send_events([order(n, customer=f"c-{n % 50}") for n in range(2000)])
        self.wait_counted("sales")
        for worker in (first, second):
            self.assertEqual(worker.stop(), 0, worker.err())
            self.assertNotIn("counted=0 ", worker.err().splitlines()[-1])
        self.assert_counted()

    def test_asked_to_end_it_ends_with_0_and_the_next_goes_on_where_it_stood(self):
        worker = self.start("sales", env={"TANDEM_FLUSH_MS": "60000"})
        rows = [structured(order(n)) for n in range(300)]
        self.world.produce(self.world.sales, [*rows, {"key": "c-1", "value": "{"}])
        wait_for(lambda: self.world.dump(self.world.rejected).records, 30, "all to be read")
        self.assertEqual(self.day("sale", DAY), {})
        worker.signal(signal.SIGTERM)
        self.assertEqual(worker.wait(15), 0, worker.err())
        self.assertEqual(self.day("sale", DAY)["orders"], 300)
        self.world.send_events([order(n) for n in range(300, 400)])
        self.count()
        self.assertEqual(self.day("sale", DAY)["orders"], 400)
        self.assert_counted()

    def test_killed_between_two_batches_nothing_is_lost_or_doubled(self):
        events = [order(n, customer=f"c-{n % 40}") for n in range(3000)]
        for at in range(0, 3000, 1000):
            worker = self.start("sales", env={"TANDEM_FLUSH_MS": "20", "TANDEM_FLUSH_CELLS": "50",
                                              "TANDEM_KAFKA_SESSION_TIMEOUT_MS": "6000"})
            before = sum(self.positions("sales").values())
            self.world.send_events(events[at:at + 1000])
            wait_for(lambda: sum(self.positions("sales").values()) > before, 30, "a first batch")
            worker.kill()
        self.count()
        self.assertEqual(self.day("sale", DAY)["orders"], 3000)
        self.assert_counted()

    def test_a_repeated_event_counts_once_also_for_the_worker_that_comes_after(self):
        self.world.send_events([order(1), order(1)])
        self.count()
        self.world.send_events([order(1)])
        self.count()
        self.assertEqual(self.day("sale", DAY)["orders"], 1)
        self.assertEqual(self.total("sale")["duplicates"], 2)
        self.assert_counted()

    def test_beyond_the_window_a_repeated_event_counts_again(self):
        self.use(dedup_window=3)
        same = lambda *numbers: [dict(structured(order(n)), partition=0) for n in numbers]
        self.world.produce(self.world.sales, same(1, 2, 3, 1))      # 3 offsets apart
        self.count()
        self.assertEqual(self.day("sale", DAY)["orders"], 3)
        self.world.produce(self.world.sales, same(4, 5, 6, 1))      # 4 apart
        self.count()
        self.assertEqual(self.day("sale", DAY)["orders"], 7)
        self.assert_counted()

    def test_days_begin_in_the_zone_of_the_business_also_when_clocks_change(self):
        self.use(timezone="Europe/Bucharest")
        moments = ["2025-10-25T20:59:59Z", "2025-10-25T21:00:00Z",      # 25 hours long
                   "2025-10-26T00:30:00Z", "2025-10-26T01:30:00Z",      # 03:30, twice
                   "2025-10-26T21:59:59.999Z", "2025-10-26T22:00:00Z",
                   "2026-03-28T22:00:00Z", "2026-03-29T20:59:59Z",      # 23 hours long
                   "2026-03-29T21:00:00Z"]
        self.world.send_events([dict(order(n), time=moment) for n, moment in enumerate(moments)])
        self.count()
        found = {day: self.day("sale", day).get("orders") for day in
                 ("2025-10-25", "2025-10-26", "2025-10-27", "2026-03-29", "2026-03-30")}
        self.assertEqual(found, {"2025-10-25": 1, "2025-10-26": 4, "2025-10-27": 1,
                                 "2026-03-29": 2, "2026-03-30": 1})
        self.assert_counted()

    def test_beyond_the_limit_values_count_as_other_and_the_sum_stays(self):
        self.use(scope_limit=3)
        self.world.send_events([order(n, net=100 + n, region=f"r{n % 8}") for n in range(80)])
        self.count()
        self.world.send_events([order(n, net=7, region=f"r{n % 9}") for n in range(80, 160)])
        self.count()
        values = set(self.redis.call("SMEMBERS", self.key("scope:region")))
        self.assertEqual(len(values), 4)
        self.assertIn("__other__", values)
        sums = sum(self.day("sale", DAY, f"region={value}")["net:EUR"] for value in values)
        self.assertEqual(sums, self.day("sale", DAY)["net:EUR"])
        self.assert_counted()

    def test_an_event_in_another_partition_than_its_keys_is_counted_and_told(self):
        customer = dict(structured(order(1, customer="21")), partition=1)     # its own is 2
        self.world.produce(self.world.sales, [customer, structured(order(2, customer="x"), key="y"),
                                              structured(order(3, customer="21"))])
        self.count()
        self.assertEqual(self.total("sale")["misplaced"], 2)
        self.assertEqual(self.day("sale", DAY)["orders"], 3)
        self.assert_counted()


main()
