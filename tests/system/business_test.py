"""A simulated business of 200,000 records, some repeated and some bad, counted while it is sent by
two workers of each kind, of which one each is killed half-way: nothing is lost, nothing doubled."""

import json

from counting import KINDS, CountingCase
from harness import main, wait_for

RECORDS = 200_000
ENOUGH = 30_000     # of about 100,000 a topic


class Business(CountingCase):
    def setUp(self):
        super().setUp()
        self.use(timezone="Europe/Bucharest")
        self.world.make_topics(4)

    def targets(self):
        target = {"period": "2026-11", "measure": "gross_profit", "currency": "EUR",
                  "amount": 10**9}
        return self.world.write("targets.json", json.dumps(
            {"version": 1, "targets": [target, {**target, "region": "north", "measure": "revenue"},
                                       {"period": "2026", "measure": "orders", "amount": 50000}],
             "service": {"min_ratings": 20, "csat_floor": "80.00"}}))

    def kill_half_way(self, kind, worker):
        """Between two batches or within one, as it happens; how much was counted by then."""
        wait_for(lambda: sum(self.positions(kind).values()) > ENOUGH, 120, f"many {kind} events")
        worker.kill()
        return sum(self.positions(kind).values())

    def test_with_duplicates_bad_ones_and_killed_workers_every_field_is_the_oracles(self):
        workers = {kind: [self.start(kind), self.start(kind)] for kind in KINDS}
        shop = self.world.start("simulate", "--events", RECORDS, "--days", 60, "--seed", 7,
                                "--duplicates", 5, "--bad", 1, "--binary", 5,
                                "--currencies", "EUR,RON")
        half = {kind: self.kill_half_way(kind, workers[kind][0]) for kind in KINDS}
        self.assertEqual(shop.wait(120), 0, shop.err())
        log = self.dump_log()
        records, _, ends = log
        self.assertEqual(len(records), RECORDS)
        self.wait_counted(ends=ends, seconds=60)
        for kind in KINDS:
            self.assertLess(half[kind], sum(ends[kind].values()))
            self.assertEqual(workers[kind][1].stop(), 0, workers[kind][1].err())
        for side in ("sale", "service"):
            self.assertGreater(self.total(side)["duplicates"], 1000)
        self.world.must("reporter", "--once", "--targets", self.targets(), timeout=200)
        self.assertGreater(self.assert_counted(log=log, targets=self.world.folder / "targets.json"),
                           200_000)


main()
