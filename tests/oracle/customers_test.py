"""The customer counters of the oracle, against cases worked out by hand.

    python3 tests/oracle/customers_test.py
"""

import collections
import datetime
import itertools
import os
import random
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import compare
import count
import customers
import metrics
import oracle_test
import redis
import targets
import xxh3

BASE = datetime.datetime(2026, 6, 15, 12, tzinfo=datetime.timezone.utc)
DAY, HOUR = 86400, 3600
numbers = itertools.count()


def event(name, id_field, days=0, seconds=0, who="c", id_=None, **data):
    """An event `days` and `seconds` after noon of 15 June 2026, of customer `who` or of nobody."""
    data.setdefault(id_field, f"n{next(numbers)}")
    if who is not None:
        data["customer"] = who
    when = BASE + datetime.timedelta(days=days, seconds=seconds)
    value = oracle_test.envelope(name, data, id_field, when.isoformat(timespec="milliseconds"))
    value["id"] = id_ or f"id{next(numbers)}"
    return value


def sale(days=0, seconds=0, lines=(), **more):
    if lines:
        more["items"] = [{"sku": "s", "qty": 1, "net": 10, "line": line} for line in lines]
    return event("sale.completed", "order", days, seconds, currency="RON",
                 net=10 * len(lines), **more)


def interaction(days=0, seconds=0, **more):
    return event("sale.interaction", "interaction", days, seconds, kind="lead", **more)


def contact(days=0, seconds=0, phase="after", **more):
    return event("service.opened", "ticket", days, seconds, phase=phase, category="bond", **more)


def rating(score, days=0, seconds=0, scale="csat", **more):
    return event("service.rated", "rating", days, seconds, scale=scale, score=score, **more)


def referral(side, days=0, seconds=0, **more):
    return event(side + ".referred", "referral", days, seconds, **more)


def logged(events, partition=None):
    """The events as records, each topic in the order given."""
    offsets, records = collections.Counter(), []
    for value in events:
        topic = "tandem.sales" if value["type"].startswith("tandem.sale.") else "tandem.service"
        records.append(oracle_test.record(value, topic, offsets[topic], partition,
                                          timestamp_ms=None))
        offsets[topic] += 1
    return records


def ledger_of(events, forgotten=None, partition=None, **settings):
    return customers.count(logged(events, partition), count.Settings(**settings),
                           forgotten=forgotten)


def cells_of(events, **settings):
    """{(day, scope): fields} of the only shard."""
    return ledger_of(events, **settings).shards[0]


def totals(events, scope="all", **settings):
    total = collections.Counter()
    for (_, of), fields in cells_of(events, **settings).items():
        if of == scope:
            total.update(fields)
    return dict(total)


class Rules(unittest.TestCase):
    def expect(self, events, scope="all", **fields):
        """Fields named have these sums over all days, whichever comes first in the log."""
        for order in (events, events[::-1]):
            found = totals(order, scope)
            for field, amount in fields.items():
                self.assertEqual(found.get(field, 0), amount, field)

    def test_the_first_sale_makes_a_customer_and_the_others_are_of_a_returning_one(self):
        self.assertEqual(cells_of([sale(0), sale(1), sale(1, 5), sale(0, who="d")]), {
            ("2026-06-15", "all"): {"orders_identified": 2, "customers_new": 2},
            ("2026-06-16", "all"): {"orders_identified": 2, "orders_returning": 2},
            ("2026-06-01", "all"): {"month_buyers": 2}})

    def test_of_sales_of_one_second_the_smaller_list_of_scopes_is_first(self):
        north, south = sale(region="n"), sale(seconds=0.999, region="s")
        for events in ([north, south], [south, north]):
            cells = cells_of(events)
            self.assertEqual(cells["2026-06-15", "region=n"],
                             {"orders_identified": 1, "customers_new": 1})
            self.assertEqual(cells["2026-06-15", "region=s"],
                             {"orders_identified": 1, "orders_returning": 1})
        # The prefix is smaller, and `-` stands before `.` and letters.
        for lists in (((), ("a",)), (("a",), ("a", "b")), (("a-b",), ("a.b",)), (("a",), ("a-",)),
                      (("B",), ("a",)), (("a", "c"), ("b",))):
            found = cells_of([sale(lines=lists[1], rep="r2"), sale(lines=lists[0], rep="r1")],
                             scopes=("line",))
            for line in set(lists[1]) - set(lists[0]):
                self.assertEqual(found["2026-06-15", "line=" + line],
                                 {"orders_identified": 1, "orders_returning": 1}, lists)

    def test_of_equal_sales_one_is_first(self):
        self.expect([sale(), sale(), contact()], customers_new=1, orders_returning=1,
                    orders_after_service=1)

    def test_an_order_counts_once_in_each_of_its_scopes(self):
        cells = cells_of([sale(lines=("x", "y", "x", "__a", "__b"), region="__r", rep="ana",
                               channel="web", labels={"segment": "b2b", "other": "o"})],
                         scopes=("region", "rep", "line", "labels.segment"))
        one = {"orders_identified": 1, "customers_new": 1}
        self.assertEqual(cells, {
            ("2026-06-01", "all"): {"month_buyers": 1},
            **{("2026-06-15", scope): one for scope in (
                "all", "region=__other__", "rep=ana", "line=x", "line=y", "line=__other__",
                "labels.segment=b2b")}})

    def test_a_rating_has_no_line(self):
        cells = cells_of([rating(5, region="n", labels={"a": "b"})],
                         scopes=("region", "line", "labels.a"))
        self.assertEqual({scope for _, scope in cells}, {"all", "region=n", "labels.a=b"})

    def test_a_sale_after_a_contact(self):
        for seconds, expected in ((0, 1), (30 * DAY, 1), (30 * DAY + 1, 0), (-1, 0)):
            self.expect([sale(-50), sale(0, seconds), contact(0)], orders_after_service=expected)
            self.expect([sale(0, seconds), contact(0)], orders_after_service=0)    # the first
        self.expect([sale(-50), sale(1), contact(0), contact(0, 5), contact(2)],
                    orders_after_service=1)
        for phase in ("before", "during", "after"):
            self.expect([sale(-50), sale(1), contact(0, phase=phase, by="company")],
                        orders_after_service=1)
        self.expect([sale(-50), sale(1), contact(0, who="d")], orders_after_service=0)

    def test_it_counts_in_the_scopes_of_the_sale(self):
        events = [sale(-50), sale(1, region="n", lines=("x",)), contact(0, region="s"),
                  interaction(0, region="s")]
        for scope in ("region=n", "line=x", "all"):
            self.expect(events, scope, orders_after_service=1, orders_after_interaction=1)
        self.expect(events, "region=s", orders_after_service=0, orders_after_interaction=0)

    def test_a_sale_after_an_interaction(self):
        for seconds, expected in ((0, 1), (90 * DAY, 1), (90 * DAY + 1, 0), (-1, 0)):
            self.expect([sale(0, seconds), interaction(0)], orders_after_interaction=expected)
        self.expect([sale(0), sale(5), interaction(-1), interaction(-2)],
                    orders_after_interaction=2)

    def test_instants_are_cut_to_seconds(self):
        self.expect([sale(0, 0.001), interaction(0, 0.999)], orders_after_interaction=1)
        self.expect([sale(-50), sale(30, 0.999), contact(0)], orders_after_service=1)
        self.expect([rating(5, 0, 0.001), sale(0, 0.999)], satisfied_returned=0)
        self.expect([rating(5, 0, 0.999), sale(0, 1)], satisfied_returned=1)

    def test_a_window_is_one_of_elapsed_seconds_whatever_the_clock_does(self):
        # 25 October has 25 hours in Bucharest: the window ends an hour before the same wall time.
        contact_ = contact(130)
        self.assertEqual(contact_["time"][:19], "2026-10-23T12:00:00")
        events = [sale(0), sale(160), contact_]
        self.assertEqual(totals(events, timezone="Europe/Bucharest")["orders_after_service"], 1)
        events = [sale(0), sale(160, 1), contact_]
        self.assertNotIn("orders_after_service", totals(events, timezone="Europe/Bucharest"))

    def test_months_with_purchases_and_those_after_another(self):
        days = (0, 1, 16, 75, 180, 200, 231)    # June, June, July, August, December (2), February
        cells = cells_of([sale(day, region="n") for day in days] + [sale(16, who="d")])
        found = {day: fields for (day, scope), fields in cells.items() if scope == "all"
                 and {"month_buyers", "retained"} & set(fields)}
        self.assertEqual(found, {
            "2026-06-01": {"month_buyers": 1},
            "2026-07-01": {"month_buyers": 2, "retained": 1,
                           "orders_identified": 2, "orders_returning": 1, "customers_new": 1},
            "2026-08-01": {"month_buyers": 1, "retained": 1},
            "2026-12-01": {"month_buyers": 1},
            "2027-01-01": {"month_buyers": 1, "retained": 1,
                           "orders_identified": 1, "orders_returning": 1},
            "2027-02-01": {"month_buyers": 1, "retained": 1,
                           "orders_identified": 1, "orders_returning": 1}})

    def test_months_are_local_at_both_ends_of_the_calendar(self):
        first = {**sale(), "time": "2000-01-01T00:30:00+00:00"}
        last = {**sale(), "time": "2099-12-31T23:30:00Z"}
        self.assertEqual(cells_of([first], timezone="America/New_York")["1999-12-01", "all"],
                         {"month_buyers": 1})
        self.assertEqual(cells_of([last], timezone="Asia/Tokyo")["2100-01-01", "all"],
                         {"month_buyers": 1, "orders_identified": 1, "customers_new": 1})

    def test_a_referral_counts_at_the_first_sale(self):
        cells = cells_of([referral("service", -400, region="s"), sale(0, region="n"), sale(1)])
        one = {"orders_identified": 1, "customers_new": 1, "customers_new_by_service": 1}
        self.assertEqual(cells["2026-06-15", "region=n"], one)
        self.assertEqual({scope for _, scope in cells}, {"all", "region=n"})
        self.expect([referral("sale")], customers_new_by_sale=0)

    def test_a_referral_may_come_90_days_after_the_first_sale(self):
        for seconds, expected in ((0, 1), (90 * DAY, 1), (90 * DAY + 1, 0)):
            self.expect([sale(), sale(200), referral("sale", 0, seconds)],
                        customers_new_by_sale=expected)

    def test_the_earliest_referral_decides_and_of_one_second_that_of_the_sale_side(self):
        self.expect([sale(), referral("sale", -2), referral("service", -3)],
                    customers_new_by_service=1, customers_new_by_sale=0)
        self.expect([sale(), referral("service", -3), referral("sale", -3)],
                    customers_new_by_service=0, customers_new_by_sale=1)
        self.expect([sale(), referral("service", -3), referral("service", -3)],
                    customers_new_by_service=1)

    def test_scores(self):
        for scale, score, field in (
                *(("csat", score, "dissatisfied") for score in (1, 2, 3)),
                *(("csat", score, "satisfied") for score in (4, 5)),
                *(("nps", score, "dissatisfied") for score in range(7)),
                ("nps", 7, None), ("nps", 8, None), ("nps", 9, "satisfied"),
                ("nps", 10, "satisfied"), ("ces", 1, None), ("ces", 7, None)):
            expected = {field: 1, field + "_returned": 1} if field else {}
            found = totals([rating(score, scale=scale), sale(1)])
            self.assertEqual({name: amount for name, amount in found.items()
                              if "satisfied" in name}, expected, (scale, score))

    def test_who_was_content_and_came_back(self):
        for seconds, expected in ((0, 0), (1, 1), (90 * DAY, 1), (90 * DAY + 1, 0), (-1, 0)):
            self.expect([rating(4), sale(0, seconds)], satisfied=1, satisfied_returned=expected)
            self.expect([sale(-200), rating(1), sale(0, seconds)], dissatisfied_returned=expected)
        self.expect([rating(5), rating(5), sale(1), sale(2)], satisfied=2, satisfied_returned=2)

    def test_it_counts_at_the_rating(self):
        cells = cells_of([rating(5, region="s"), sale(3, region="n")])
        self.assertEqual(cells["2026-06-15", "region=s"], {"satisfied": 1, "satisfied_returned": 1})
        self.assertEqual(cells["2026-06-18", "region=n"],
                         {"orders_identified": 1, "customers_new": 1})

    def test_a_changed_answer_replaces_the_old_one(self):
        self.expect([rating(5, rating="r"), sale(1), rating(2, 3, rating="r")],
                    satisfied=0, satisfied_returned=0, dissatisfied=1, dissatisfied_returned=0)
        self.expect([rating(2, rating="r"), rating(5, 1, rating="r", previous=2), sale(2)],
                    satisfied=1, satisfied_returned=1, dissatisfied=0)
        self.expect([rating(10, rating="r", scale="nps"), rating(7, 1, rating="r", scale="nps")],
                    satisfied=0, dissatisfied=0)

    def test_only_one_of_the_same_scale_ref_and_customer_is_replaced(self):
        self.expect([rating(5, rating="r"), rating(10, 1, rating="r", scale="nps"),
                     rating(1, 1, rating="r", scale="ces"), rating(5, 1, rating="R"),
                     rating(4, 1, rating="r", who="d")], satisfied=4)

    def test_of_answers_of_one_second_the_higher_score_then_the_larger_scopes_count(self):
        self.expect([rating(5, rating="r", region="a"), rating(3, 0, 0.5, rating="r", region="b")],
                    satisfied=1, dissatisfied=0)
        events = [rating(5, rating="r", region="a"), rating(5, rating="r", region="b")]
        self.expect(events, "region=a", satisfied=0)
        self.expect(events, "region=b", satisfied=1)
        self.expect(events + [rating(5, rating="r")], "region=b", satisfied=1)


class Corrections(unittest.TestCase):
    """What a late event takes back: the cells that it changes, and by how much."""

    def change(self, events, late, **settings):
        before, after = cells_of(events, **settings), cells_of([*events, late], **settings)
        changes = {}
        for cell in before.keys() | after.keys():
            old, new = before.get(cell, {}), after.get(cell, {})
            for field in old.keys() | new.keys():
                if old.get(field, 0) != new.get(field, 0):
                    changes[cell + (field,)] = new.get(field, 0) - old.get(field, 0)
        return changes

    def test_an_earlier_sale_makes_the_old_first_one_returning(self):
        events = [sale(0, region="n"), contact(-1), interaction(-1), referral("sale", 50)]
        self.assertEqual(self.change(events, sale(-60, region="s")), {
            **{("2026-06-15", scope, field): change for scope in ("all", "region=n")
               for field, change in (("customers_new", -1), ("customers_new_by_sale", -1),
                                     ("orders_returning", 1), ("orders_after_service", 1))},
            **{("2026-04-16", scope, field): 1 for scope in ("all", "region=s")
               for field in ("customers_new", "orders_identified")},
            ("2026-04-01", "all", "month_buyers"): 1})

    def test_an_earlier_first_sale_keeps_the_referral_when_it_is_near_enough(self):
        events = [sale(0), referral("sale", 50)]
        changes = self.change(events, sale(-40))
        self.assertEqual(changes["2026-06-15", "all", "customers_new_by_sale"], -1)
        self.assertEqual(changes["2026-05-06", "all", "customers_new_by_sale"], 1)

    def test_an_earlier_referral_moves_the_customer_to_its_side(self):
        self.assertEqual(self.change([sale(), referral("sale", -1)], referral("service", -2)), {
            ("2026-06-15", "all", "customers_new_by_sale"): -1,
            ("2026-06-15", "all", "customers_new_by_service"): 1})

    def test_a_later_answer_takes_back_the_old_one_and_its_return(self):
        events = [rating(5, rating="r", region="n"), sale(1)]
        self.assertEqual(self.change(events, rating(1, 5, rating="r")), {
            **{("2026-06-15", scope, field): -1 for scope in ("all", "region=n")
               for field in ("satisfied", "satisfied_returned")},
            ("2026-06-20", "all", "dissatisfied"): 1})
        self.assertEqual(self.change(events, rating(1, -5, rating="r")), {})

    def test_a_month_between_two_retains_both(self):
        self.assertEqual(self.change([sale(0), sale(61)], sale(31)), {
            ("2026-07-16", "all", "orders_identified"): 1,
            ("2026-07-16", "all", "orders_returning"): 1,
            ("2026-07-01", "all", "month_buyers"): 1, ("2026-07-01", "all", "retained"): 1,
            ("2026-08-01", "all", "retained"): 1})

    def test_one_event_too_many_takes_back_all_of_rules_2_and_5(self):
        events = [sale(0), contact(1), interaction(1), rating(5, 1), sale(2, region="n"),
                  referral("sale")]
        self.assertEqual(self.change(events, rating(7, 9, scale="nps"), ledger_limit=3), {
            **{("2026-06-17", scope, field): -1 for scope in ("all", "region=n")
               for field in ("orders_after_service", "orders_after_interaction")},
            ("2026-06-16", "all", "satisfied"): -1,
            ("2026-06-16", "all", "satisfied_returned"): -1})


class Bounds(unittest.TestCase):
    FROM = BASE.date()

    def test_what_is_older_than_the_ledger_takes_no_part_in_rules_2_and_5(self):
        events = [sale(-1), interaction(-1), contact(-1), rating(5, -1), rating(9, -1, scale="nps"),
                  rating(7, -1, scale="ces"), referral("sale", -1), sale(0), sale(1)]
        cells = cells_of(events, ledger_from=self.FROM)
        self.assertEqual(cells, {
            ("2026-06-14", "all"): {"orders_identified": 1, "customers_new": 1,
                                    "customers_new_by_sale": 1, "ledger_too_old": 5},
            ("2026-06-15", "all"): {"orders_identified": 1, "orders_returning": 1},
            ("2026-06-16", "all"): {"orders_identified": 1, "orders_returning": 1},
            ("2026-06-01", "all"): {"month_buyers": 1}})

    def test_its_first_day_is_in_it_and_local(self):
        # Noon UTC of the 15th is the 16th on Kiritimati.
        for zone, expected in (("UTC", 1), ("Pacific/Kiritimati", 0)):
            found = totals([contact(0)], timezone=zone,
                           ledger_from=self.FROM + datetime.timedelta(days=1))
            self.assertEqual(found.get("ledger_too_old", 0), expected)

    def test_the_first_sale_of_the_ledger_may_be_a_returning_one(self):
        found = totals([sale(-9), contact(0), sale(1)], ledger_from=self.FROM)
        self.assertEqual((found["orders_after_service"], found["ledger_too_old"]), (1, 1))

    def test_an_old_sale_is_no_return_and_an_old_answer_replaces_nothing(self):
        found = totals([rating(5, -3, rating="r"), rating(2, -2, rating="r"), sale(-1),
                        rating(5, 1, rating="r")], ledger_from=self.FROM)
        self.assertEqual(found, {"ledger_too_old": 3, "orders_identified": 1, "customers_new": 1,
                                 "month_buyers": 1, "satisfied": 1})

    def test_where_the_clock_goes_back_over_midnight_the_day_decides(self):
        # In Newfoundland 00:01 of 7 November 2010 was 23:01 of the 6th again.
        events = [{**interaction(), "time": "2010-11-07T00:00:30-02:30"},
                  {**rating(5), "time": "2010-11-07T00:00:30-02:30"},
                  {**sale(), "time": "2010-11-06T23:15:00-03:30"}]
        found = totals(events, timezone="America/St_Johns", ledger_from=datetime.date(2010, 11, 7))
        self.assertEqual(found, {"satisfied": 1, "ledger_too_old": 1, "orders_identified": 1,
                                 "customers_new": 1, "month_buyers": 1})

    def test_too_old_counts_in_all_and_for_customers_only(self):
        cells = cells_of([contact(-1, region="n"), contact(-1, who=None)], ledger_from=self.FROM)
        self.assertEqual(cells, {("2026-06-14", "all"): {"ledger_too_old": 1}})

    def test_the_limit_counts_sales_and_answers_replaced_or_not(self):
        events = [sale(0), rating(5, 1, rating="r"), rating(5, 2, rating="r"), sale(3)]
        for limit, overflows in ((4, 0), (3, 1)):
            ledger = ledger_of(events, ledger_limit=limit)
            self.assertEqual(ledger.overflow, {0: overflows})
            hashes = {} if not overflows else \
                {"tandem:{main.0}:customer:undated": {"ledger_overflow": 1}}
            self.assertEqual({key: fields for key, fields in ledger.shard_hashes().items()
                              if "undated" in key}, hashes)
            found = totals(events, ledger_limit=limit)
            self.assertEqual(found.get("satisfied", 0), 1 - overflows)
            self.assertEqual((found["customers_new"], found["orders_returning"]), (1, 1))

    def test_nothing_else_counts_against_the_limit(self):
        more = [contact(1), interaction(1), referral("sale"), rating(5, scale="ces"),
                *(sale(-day) for day in (1, 2, 3))]
        ledger = ledger_of([sale(0), *more], ledger_limit=1, ledger_from=self.FROM)
        self.assertEqual(ledger.overflow, {0: 0})
        self.assertEqual(ledger_of([sale(0), sale(1), *more], ledger_limit=1,
                                   ledger_from=self.FROM).overflow, {0: 1})

    def test_rules_1_3_and_4_go_on_beyond_the_limit(self):
        found = totals([sale(0), sale(31), referral("service"), rating(5), contact(30),
                        interaction(0), contact(-1)], ledger_limit=1, ledger_from=self.FROM)
        self.assertEqual(found, {
            "orders_identified": 2, "customers_new": 1, "orders_returning": 1, "month_buyers": 2,
            "retained": 1, "customers_new_by_service": 1, "ledger_too_old": 1})


class Identity(unittest.TestCase):
    def test_who_has_no_name_is_nobody(self):
        events = [make(who=None) for make in (sale, contact, interaction)] + [rating(5, who=None)]
        self.assertEqual(cells_of(events), {})

    def test_other_events_have_no_effect(self):
        refund = event("sale.refunded", "refund", order="o", currency="RON", net=1, reason="return")
        closed = event("service.resolved", "ticket")
        self.assertEqual(cells_of([refund, closed], ledger_from=datetime.date(2027, 1, 1)), {})
        self.assertEqual(totals([sale(), refund]), totals([sale()]))

    def test_the_same_name_in_another_partition_is_another_customer(self):
        records = logged([sale(0)], 1) + logged([sale(1), contact(0)], 2)
        ledger = customers.count(records, count.Settings(ledger_shards=2))
        self.assertEqual({shard: cells["2026-06-01", "all"] for shard, cells
                          in ledger.shards.items()},
                         {0: {"month_buyers": 1}, 1: {"month_buyers": 1}})
        one = customers.count(records, count.Settings(ledger_shards=1))
        self.assertEqual(one.shards[0]["2026-06-01", "all"], {"month_buyers": 2})

    def test_both_topics_of_a_partition_are_one_customers(self):
        records = logged([sale(0), sale(2), contact(1)], 3)
        self.assertEqual(customers.count(records, count.Settings()).hashes()
                         ["tandem:{main}:customer:day:2026-06-17:all"],
                         {"orders_identified": 1, "orders_returning": 1, "orders_after_service": 1})

    def test_duplicates_are_those_of_each_topic(self):
        self.assertEqual(totals([sale(id_="a"), sale(1, id_="a"), contact(id_="a")])
                         ["orders_identified"], 1)
        self.assertEqual(totals([sale(id_="a"), sale(1, id_="b"), sale(2, id_="a")],
                                dedup_window=1)["orders_identified"], 3)
        self.assertEqual(totals([sale(id_="a", who=None), sale(1, id_="a")]), {})
        self.assertEqual(totals([sale(-9), sale(id_="a"), contact(id_="a")])
                         ["orders_after_service"], 1)

    def test_nothing_before_the_begin_is_known(self):
        records = logged([sale(0), sale(1)])
        ledger = customers.count(records, count.Settings(), {("tandem.sales", 0): 1})
        self.assertEqual(ledger.shards[0]["2026-06-16", "all"],
                         {"orders_identified": 1, "customers_new": 1})

    def test_a_forgotten_customer_is_nobody_from_then_on(self):
        events = [sale(0), sale(1), contact(0), contact(1), sale(2, who="d")]
        at = {(0, "c"): {"tandem.sales": 1, "tandem.service": 0}}
        ledger = ledger_of(events, forgotten=at)
        self.assertEqual(totals(events, forgotten=at),
                         {"orders_identified": 2, "customers_new": 2, "month_buyers": 2})
        self.assertEqual(ledger.cohorts(), {(2026, 6): [1]})

    def test_what_a_forgotten_customer_counted_before_stays(self):
        events = [sale(0), sale(1), rating(5, 2), sale(3)]
        at = {(0, "c"): {"tandem.sales": 2, "tandem.service": 1}}
        self.assertEqual(totals(events, forgotten=at), totals(events[:3]))

    def test_the_floor_hides_days_and_forgets_no_customer(self):
        events = [sale(-20), sale(0), sale(20), rating(5, -1)]
        self.assertEqual(cells_of(events, floor=BASE.date()), {
            ("2026-06-15", "all"): {"orders_identified": 1, "orders_returning": 1},
            ("2026-07-05", "all"): {"orders_identified": 1, "orders_returning": 1},
            ("2026-07-01", "all"): {"month_buyers": 1, "retained": 1}})


class OfTheBusiness(unittest.TestCase):
    def test_shards_add_up(self):
        events = [sale(day, who=f"c{number}") for number in range(50) for day in (0, 1)]
        records = [record for value in events for record in (oracle_test.record(
            value, offset=next(numbers), timestamp_ms=None, partitions=4),)]
        results = [customers.count(records, count.Settings(ledger_shards=shards)).hashes()
                   for shards in (1, 2, 3, 4)]
        self.assertEqual(results[0]["tandem:{main}:customer:day:2026-06-15:all"],
                         {"orders_identified": 50, "customers_new": 50})
        self.assertEqual(results[1:], results[:1] * 3)

    def test_values_that_are_not_admitted_are_other(self):
        ledger = ledger_of([sale(lines=("a", "b", "c"), region="n")])
        hashes = ledger.hashes({"line": {"c"}, "region": {"n", "__other__"}})
        one = {"orders_identified": 1, "customers_new": 1}
        self.assertEqual(hashes, {
            "tandem:{main}:customer:day:2026-06-01:all": {"month_buyers": 1},
            "tandem:{main}:customer:day:2026-06-15:all": one,
            "tandem:{main}:customer:day:2026-06-15:region=n": one,
            "tandem:{main}:customer:day:2026-06-15:line=c": one,
            "tandem:{main}:customer:day:2026-06-15:line=__other__":
                {"orders_identified": 2, "customers_new": 2}})
        self.assertIn("tandem:{main.0}:customer:day:2026-06-15:line=a", ledger.shard_hashes())

    def test_cohorts(self):
        events = [sale(0), sale(1), sale(61), sale(0, who="d"), sale(31, who="d"),
                  sale(31, who="e"), sale(250, who="f"), contact(0, who="g")]
        ledger = ledger_of(events, ledger_limit=0)
        self.assertEqual(ledger.cohorts((2026, 8)), {(2026, 6): [2, 1, 1], (2026, 7): [1, 0]})
        self.assertEqual(ledger.cohorts(), {
            (2026, 6): [2, 1, 1, 0, 0, 0, 0, 0, 0], (2026, 7): [1, 0, 0, 0, 0, 0, 0, 0],
            (2027, 2): [1]})
        self.assertEqual(ledger_of([]).cohorts(), {})

    def test_metrics_of_a_month(self):
        events = [sale(0, who="d"), sale(0), interaction(-1), sale(31), contact(30), rating(5, 29),
                  rating(2, 29, who="d"), sale(31, who="e"), referral("service", who="e")]

        def july(**more):
            settings = count.Settings(**more)
            hashes = customers.count(logged(events), settings).hashes()
            comparison = metrics.Comparison(hashes, settings, targets.Targets(), (), True)
            found = comparison.publish("all", compare.periods.parse_period("2026-07"), 1800000000)
            return [found[name] for name in (
                "customers_new", "converted_by_sale", "converted_by_service", "buyers",
                "repeat_pct", "retention_pct", "interacted_pct", "after_service_pct",
                "satisfied_return_pct", "dissatisfied_return_pct")]
        self.assertEqual(july(), ["1", "0", "1", "2", "50.00", "50.00",
                                  "50.00", "100.00", "100.00", "0.00"])
        self.assertEqual(july(ledger_from=datetime.date(2026, 7, 1))[-4:],
                         ["0.00", "100.00", "100.00", "0.00"])
        self.assertEqual(july(ledger_from=datetime.date(2026, 7, 2)),
                         ["1", "0", "1", "2", "50.00", "50.00", "NaN", "NaN", "NaN", "NaN"])


def random_events(chance):
    """Few customers, days and refs, so that instants meet and windows' ends are hit."""
    events = []
    for _ in range(chance.randrange(1, 40)):
        days = chance.choice((0, 1, 29, 30, 31, 60, 89, 90, 91, 120, 300))
        common = dict(days=days, seconds=chance.choice((0, 0, 0.5, 1, -1, 20 * HOUR)),
                      who=chance.choice(("c", "c", "d", "e", None)))
        if chance.random() < 0.5:
            common["region"] = chance.choice(("n", "s", "__x"))
        kind = chance.randrange(6)
        if kind < 2:
            events.append(sale(lines=chance.choice(((), ("x",), ("y", "x"))), **common))
        elif kind == 2:
            events.append(interaction(**common))
        elif kind == 3:
            events.append(contact(**common))
        elif kind == 4:
            scale = chance.choice(("csat", "nps", "ces"))
            events.append(rating(chance.choice(count.decode.SCORES[scale]), scale=scale,
                                 rating=chance.choice(("r", "q")), **common))
        else:
            common["who"] = common["who"] or "c"
            events.append(referral(chance.choice(("sale", "service")), **common))
    return events


def by_the_words(events, ledger_from, limit):
    """Rules 1 to 5 as they are written, every event looked at for every event; {cell: fields}."""
    cells = collections.defaultdict(collections.Counter)

    def at(one, field):
        for scope in ("all", *one["scopes"]):
            cells[one["day"].isoformat(), scope][field] += 1

    for who in ("c", "d", "e"):
        all_ = [as_read(value) for value in events if value["data"].get("customer") == who]
        all_ = [one for one in all_ if one["data"].get("scale") != "ces"]
        of = lambda name: [one for one in all_ if one["name"] == name and not one["old"]]
        every_sale = [one for one in all_ if one["name"] == "sale.completed"]
        referrals = [one for one in all_ if one["name"].endswith(".referred")]
        for one in all_:
            one["old"] = ledger_from is not None and one["day"] < ledger_from
            if one["old"] and not one["name"].endswith(".referred"):
                cells[one["day"].isoformat(), "all"]["ledger_too_old"] += 1
        first = min(every_sale, key=lambda one: (one["t"], one["scopes"]), default=None)
        for one in every_sale:
            at(one, "orders_identified")
            at(one, "customers_new" if one is first else "orders_returning")
        months = {one["day"].year * 12 + one["day"].month - 1 for one in every_sale}
        for month in months:
            cell = cells[f"{month // 12}-{month % 12 + 1:02}-01", "all"]
            cell["month_buyers"] += 1
            cell["retained"] += month - 1 in months
        if first and referrals:
            earliest = min(referrals, key=lambda one: (one["t"], one["name"]))
            if earliest["t"] <= first["t"] + 90 * DAY:
                at(first, "customers_new_by_" + earliest["name"].partition(".")[0])
        if len(of("sale.completed")) + len(of("service.rated")) > limit:
            continue
        for one in of("sale.completed"):
            if one is not first and any(0 <= one["t"] - other["t"] <= 30 * DAY
                                        for other in of("service.opened")):
                at(one, "orders_after_service")
            if any(0 <= one["t"] - other["t"] <= 90 * DAY for other in of("sale.interaction")):
                at(one, "orders_after_interaction")
        key = lambda one: (one["data"]["scale"], one["data"]["rating"])
        rank = lambda one: (one["t"], one["data"]["score"], one["scopes"])
        for group in {key(one) for one in of("service.rated")}:
            last = max((one for one in of("service.rated") if key(one) == group), key=rank)
            good, bad = (4, 3) if group[0] == "csat" else (9, 6)
            score = last["data"]["score"]
            field = "satisfied" if score >= good else "dissatisfied" if score <= bad else None
            if field:
                at(last, field)
                if any(0 < one["t"] - last["t"] <= 90 * DAY for one in of("sale.completed")):
                    at(last, field + "_returned")
    plain = {cell: {field: n for field, n in fields.items() if n} for cell, fields in cells.items()}
    return {cell: fields for cell, fields in plain.items() if fields}


def as_read(value):
    data = value["data"]
    when = datetime.datetime.fromisoformat(value["time"])
    scopes = {"line=" + item["line"] for item in data.get("items", ())}
    if "region" in data:
        scopes.add("region=" + ("__other__" if data["region"] == "__x" else data["region"]))
    return {"name": value["type"][len("tandem."):-len(".v1")], "data": data, "day": when.date(),
            "t": int(when.timestamp()), "scopes": sorted(scopes)}


class Always(unittest.TestCase):
    """What holds for every set of events."""

    SETS = 400

    def sets(self):
        for seed in range(self.SETS):
            chance = random.Random(seed)
            ledger_from = chance.choice((None, None, BASE.date() + datetime.timedelta(days=30)))
            yield chance, random_events(chance), dict(ledger_from=ledger_from,
                                                      ledger_limit=chance.choice((2000, 2000, 3)))

    def test_the_counters_are_what_the_rules_say_word_by_word(self):
        for _, events, settings in self.sets():
            expected = by_the_words(events, settings["ledger_from"], settings["ledger_limit"])
            self.assertEqual(cells_of(events, **settings), expected)

    def test_the_order_of_the_log_does_not_matter(self):
        for chance, events, settings in self.sets():
            shuffled = chance.sample(events, len(events))
            first, second = ledger_of(events, **settings), ledger_of(shuffled, **settings)
            self.assertEqual((first.shards, first.overflow, first.months),
                             (second.shards, second.overflow, second.months))

    def test_parts_are_never_more_than_their_whole(self):
        for _, events, settings in self.sets():
            ledger = ledger_of(events, **settings)
            for cell, fields in ledger.shards[0].items():
                found = collections.Counter(fields)
                self.assertEqual(found["orders_identified"],
                                 found["customers_new"] + found["orders_returning"], cell)
                self.assertLessEqual(found["orders_after_service"], found["orders_returning"])
                self.assertLessEqual(found["orders_after_interaction"], found["orders_identified"])
                self.assertLessEqual(
                    found["customers_new_by_sale"] + found["customers_new_by_service"],
                    found["customers_new"])
                for field in ("satisfied", "dissatisfied"):
                    self.assertLessEqual(found[field + "_returned"], found[field])
                self.assertTrue(all(amount > 0 for amount in fields.values()), cell)
            new = sum(fields.get("customers_new", 0) for (_, scope), fields
                      in ledger.shards[0].items() if scope == "all")
            self.assertEqual(new, len(ledger.months))
            self.check_retained(ledger)

    def check_retained(self, ledger):
        months = {day[:7]: fields for (day, scope), fields in ledger.shards[0].items()
                  if scope == "all" and "month_buyers" in fields}
        for month, fields in months.items():
            before = compare.periods.parse_period(month).previous().name
            self.assertLessEqual(fields.get("retained", 0),
                                 months.get(before, {}).get("month_buyers", 0))


class Xxh3(unittest.TestCase):
    """Held against what libxxhash makes of these."""

    def test_texts_of_every_kind_of_length(self):
        for text, wanted in (
                ("-", "eb7df54fc0abac3fde2fb8d1c1a20f76"),
                ("8tc", "3c167f5f52356837d0648a4699394d6e"),
                ("4o-u", "7054a0be176f34a1c0108cba4a1fcbb2"),
                ("u_1m8sx.", "0f624c87a009a800c526371f087f294f"),
                ("sx.e8tcCr", "eb6f0071f5ae39186bc17e3d8508a5ef"),
                ("x.e8tcCr4o-u_1m8", "00e8b7eb96256f27b9ac654be139903e"),
                ("cCr4o-u_1m8sx.e8t", "fc6ad0d67f70e7084ac91021d16c7c6b"),
                ("_1m8sx.e8tcCr4o-u_1m8sx.e8tcCr4o", "664c38c1bbbb14297b0347c5a0ed26c8"),
                ("x.e8tcCr4o-u_1m8sx.e8tcCr4o-u_1m8", "27cf843953ac8bce58c610adcf2b07a5"),
                ("e8tcCr4o-u_1m8sx.e8tcCr4o-u_1m8sx.e8tcCr4o-u_1m8sx.e8tcCr4o-u_1m",
                 "aab4c53b0a8a968cea8b23efe7f4f048")):
            self.assertEqual(xxh3.hex128(text.encode()), wanted, text)

    def test_longer_texts_are_refused(self):
        for text in (b"", b"x" * 65):
            self.assertRaises(ValueError, xxh3.hex128, text)


class CompareCustomers(unittest.TestCase):
    """A Redis that holds what the log comes to, and then one thing else."""

    DAY = "customer:day:2026-06-15:all"

    def setUp(self):
        events = [sale(0, region="n"), sale(0, who="d", region="m"), sale(1), contact(0),
                  rating(5), sale(2), rating(5, 3)]
        self.records = logged(events)
        self.settings = count.Settings(partitions=1, ledger_shards=2, ledger_limit=4)
        counters = count.count(self.records, self.settings)
        ledger = customers.count(self.records, self.settings)
        self.assertEqual(sum(ledger.overflow.values()), 1)
        self.sets = {key: set(members) for key, members in counters.sets.items() if members}
        self.hashes = {key: fields for key, fields in {
            **counters.hashes, **ledger.hashes(), **ledger.shard_hashes()}.items()
            if ":hour:" not in key}
        self.parts = compare.Parts(customers=True)

    def differing(self):
        fake = oracle_test.FakeRedis(self.hashes, self.sets, {})
        with redis.connect(fake.url) as server:
            outcome = compare.compare(server, self.records, self.settings, parts=self.parts)
        fake.close()
        return [difference[:2] for difference in outcome.differences
                if ":hour:" not in difference.key]

    def test_what_is_equal_is_equal(self):
        self.assertEqual(self.differing(), [])

    def test_each_kind_of_difference_is_found(self):
        main, shard = "tandem:{main}:" + self.DAY, "tandem:{main.0}:" + self.DAY
        for key, field in ((main, "customers_new"), (shard, "customers_new"),
                           (main, "retained"), (shard, "retained"),
                           ("tandem:{main}:customer:undated", "ledger_overflow"),
                           ("tandem:{main.0}:customer:undated", "ledger_overflow"),
                           ("tandem:{main.1}:customer:day:2026-06-15:all", "satisfied"),
                           ("tandem:{main.7}:customer:day:2026-06-15:all", "satisfied"),
                           ("tandem:{main}:customer:day:2026-06-15:region=s", "satisfied")):
            self.setUp()
            fields = self.hashes.setdefault(key, {})
            fields[field] = fields.get(field, 0) + 1
            with self.subTest(key=key, field=field):
                self.assertEqual(self.differing(), [(key, field)])

    def test_a_missing_key_is_found(self):
        gone = self.hashes.pop("tandem:{main.0}:" + self.DAY)
        self.assertEqual(self.differing(),
                         [("tandem:{main.0}:" + self.DAY, field) for field in sorted(gone)])

    def test_only_the_shards_are_compared_when_only_they_are_asked_for(self):
        self.parts = compare.Parts(ledger=True)
        for key in [key for key in self.hashes if key.startswith("tandem:{main}:customer:")]:
            del self.hashes[key]
        self.assertEqual(self.differing(), [])
        self.hashes["tandem:{main.0}:" + self.DAY]["customers_new"] += 1
        self.assertEqual(len(self.differing()), 1)

    def forget(self, who, sale, service):
        """As a shard remembers it; what the log comes to without these events."""
        self.hashes["tandem:{main.0}:forgotten"] = {"0:" + xxh3.hex128(who.encode()):
                                                    f"{sale}:{service}"}
        forgotten = {(0, who): {"tandem.sales": sale, "tandem.service": service}}
        ledger = customers.count(self.records, self.settings, forgotten=forgotten)
        for key in [key for key in self.hashes if ":customer:" in key]:
            del self.hashes[key]
        self.hashes.update({**ledger.hashes(), **ledger.shard_hashes()})

    def test_the_forgotten_are_those_that_the_shards_name(self):
        before = dict(self.hashes)
        self.forget("d", 1, 0)
        self.assertNotEqual(before["tandem:{main}:" + self.DAY],
                            self.hashes["tandem:{main}:" + self.DAY])
        self.assertEqual(self.differing(), [])
        self.forget("somebody-else", 0, 0)
        self.assertEqual(self.differing(), [])
        self.hashes = {**before, "tandem:{main.0}:forgotten":
                       self.hashes["tandem:{main.0}:forgotten"]}
        self.assertEqual(self.differing(), [])

    def test_a_tombstone_that_was_not_heeded_is_a_difference(self):
        before = dict(self.hashes)
        self.forget("d", 1, 0)
        self.hashes = {**before, "tandem:{main.0}:forgotten":
                       self.hashes["tandem:{main.0}:forgotten"]}
        self.assertIn(("tandem:{main}:" + self.DAY, "customers_new"), self.differing())

    def test_the_choice_of_a_crowded_dimension_is_taken_over(self):
        self.settings.scope_limit = 1
        self.sets["tandem:{main}:scope:region"] = {"m", "__other__"}
        for side, day in (("sale", "15"), ("customer", "15")):
            name = f"tandem:{{main}}:{side}:day:2026-06-{day}:region="
            self.hashes[name + "__other__"] = self.hashes.pop(name + "n")
        self.assertEqual(self.differing(), [])

    def test_what_is_published_is_held_against_the_logs_customers(self):
        self.parts = compare.Parts(targets.Targets(), ledger=True)
        key = "tandem:{main}:comparison:month:2026-06:all"
        hashes = customers.count(self.records, self.settings).hashes()
        counters = count.count(self.records, self.settings)
        comparison = metrics.Comparison({**counters.hashes, **hashes}, self.settings,
                                        targets.Targets(), {"RON"}, True)
        fields = comparison.publish("all", compare.periods.parse_period("2026-06"), 1800000000)
        self.hashes[key] = {**fields, "store": "1700000000000-ab", "revision": "3"}
        self.assertNotIn(key, {found[0] for found in self.differing()})
        self.assertEqual(fields["buyers"], "2")
        self.hashes[key]["buyers"] = "3"
        self.assertIn((key, "buyers"), self.differing())


class Slots(unittest.TestCase):
    def test_a_key_lies_where_its_braces_say(self):
        for key, slot in (("123456789", 0x31C3), ("foo", 12182), ("{foo}:bar", 12182),
                          ("a{foo}{b}", 12182)):
            self.assertEqual(redis.slot_of(key), slot, key)
        self.assertEqual(redis.slot_of("{}foo"), count_crc("{}foo"))
        self.assertNotEqual(redis.slot_of("tandem:{main.0}:x"), redis.slot_of("tandem:{main.1}:x"))

    def test_each_key_is_asked_of_its_own_master(self):
        low, high = (oracle_test.FakeRedis({key: {"at": place}}, {}, {})
                     for key, place in (("b", "low"), ("foo", "high")))
        ranges = [[first, last, [b"127.0.0.1", fake.listener.getsockname()[1]]]
                  for first, last, fake in ((0, 8191, low), (8192, 16383, high))]
        self.assertLess(redis.slot_of("b"), 8192)
        with redis.Cluster(low.url, ranges) as cluster:
            self.assertEqual(cluster.keys("*"), ["b", "foo"])
            self.assertEqual(cluster.hashes(["foo", "b"]),
                             {"foo": {"at": "high"}, "b": {"at": "low"}})
            self.assertEqual(len(cluster.call("TIME")), 2)
        low.close()
        high.close()


def count_crc(text):
    """CRC-16/XMODEM bit by bit, modulo the slots."""
    crc = 0
    for byte in text.encode():
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ (0x1021 if crc & 0x8000 else 0)) & 0xFFFF
    return crc % 16384


if __name__ == "__main__":
    unittest.main()
