"""The oracle itself, against cases worked out by hand.

    python3 tests/oracle/oracle_test.py
"""

import base64
import datetime
import fnmatch
import json
import os
import random
import socket
import sys
import threading
import time
import unittest
from fractions import Fraction

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import compare
import count
import decode
import metrics
import periods
import redis
import strict_json
import targets

NOON = "2026-11-23T12:00:00Z"
NOON_S = 1795435200
STRUCTURED = [("content-type", b"application/cloudevents+json; charset=UTF-8")]


def envelope(name, data, id_field, time=NOON):
    subject = data.get(id_field, "x")
    return {"specversion": "1.0", "id": f"{name}:{subject}", "source": "/test",
            "type": f"tandem.{name}.v1", "time": time, "subject": subject, "data": data}


def order(time=NOON, attributes=None, **data):
    """An order with other fields and attributes; `...` leaves one out."""
    made = {"order": "o1", "currency": "RON", "net": 1000}
    made.update(data)
    made = {key: value for key, value in made.items() if value is not ...}
    event = {**envelope("sale.completed", made, "order", time), **(attributes or {})}
    return {name: value for name, value in event.items() if value is not ...}


def record(value, topic="tandem.sales", offset=0, partition=None, key=None, headers=None,
           timestamp_ms=NOON_S * 1000, partitions=1):
    """A structured record with the right key and partition unless told otherwise."""
    if isinstance(value, dict):
        data = value.get("data")
        expected = (data.get("customer") if isinstance(data, dict) else None) \
            or value.get("subject") or ""
        key = str(expected).encode() if key is None else key
        value = json.dumps(value).encode()
    if partition is None:
        partition = count.partition_of_key(key, partitions) if key is not None else 0
    return decode.Record(topic, partition, offset, timestamp_ms, key,
                         STRUCTURED if headers is None else headers, value)


def verdict(value, side="sale", **more):
    found = decode.decode(record(value, **more), side)
    return found.reason or found.verdict


class Decode(unittest.TestCase):
    def test_a_plain_order_is_valid(self):
        self.assertEqual(verdict(order()), "valid")

    def test_forms(self):
        plain = json.dumps(order()).encode()
        binary = [("ce_specversion", b"1.0"), ("ce_id", b"1"), ("ce_source", b"/s"),
                  ("ce_type", b"tandem.sale.completed.v1"), ("ce_time", NOON.encode()),
                  ("ce_subject", b"o1"), ("content-type", b"Application/JSON; x=y")]
        data = json.dumps(order()["data"]).encode()
        cases = [
            (None, [], "tombstone"),
            (None, [("content-type", b"application/cloudevents-batch+json")], "tombstone"),
            (b" " * 65537, [], "too_large"),
            (plain, [("content-type", b"application/cloudevents-batch+json")],
             "format_unsupported"),
            (plain, [("content-type", b" Application/CloudEvents ; a=b")], "valid"),
            (plain, [], "valid"),
            (b"", [], "not_cloudevent"),
            (b"x", [], "not_cloudevent"),
            (b"[]", [], "not_cloudevent"),
            (b'{"specversion":1}', [], "not_cloudevent"),
            (b"", STRUCTURED, "bad_json"),
            (b"[]", STRUCTURED, "bad_json"),
            (data, binary, "valid"),
            (b"[]", binary, "bad_json"),
            (data, [pair for pair in binary if pair[0] != "ce_specversion"], "missing_field"),
            (data, [pair for pair in binary if pair[0] != "content-type"], "valid"),
            (data, binary[:-1] + [("content-type", b"text/plain")], "bad_field"),
            (data, [("ce_id", b"\xff")] + binary, "valid"),
            (data, binary + [("ce_id", b"\xff")], "bad_field"),
        ]
        for value, headers, expected in cases:
            with self.subTest(value=value and value[:40], headers=headers):
                self.assertEqual(verdict(value, headers=headers, key=b"o1"), expected)

    def test_json_is_strict(self):
        good = json.dumps(order())
        for text in ('{"a":NaN}', '{"a":Infinity}', '{"a":01}', '{"a":1}x', "{'a':1}", '{"a":1,}',
                     '\ufeff' + good, '{"a":"\\ud800"}', '{"\\udc00":1}', '{"a":"\n"}', '{"a":+1}',
                     '{"a":.5}', '{"a":"\\x41"}', '{"a":"\\ud800","a":"b"}', '{"a":1,"a":}'):
            with self.subTest(text=text[:30]):
                self.assertEqual(verdict(text.encode(), key=b""), "bad_json")
        self.assertEqual(verdict(b'{"a":"\xed\xa0\x80"}', key=b""), "bad_json")
        for text in ('{"a":1e999,', '{"a":' + "9" * 5000 + ",", '{"a":"\\ud83d\\ude00\\\\ud800",'):
            with self.subTest(text=text[:30]):
                self.assertEqual(verdict((text + good[1:]).encode(), key=b"o1"), "valid")

    def test_depth_and_deep_nesting(self):
        for depth, expected in ((7, "valid"), (8, "bad_json")):
            deep = "[" * depth + '"[[["' + "]" * depth
            text = '{"x":' + deep + "," + json.dumps(order())[1:]
            self.assertEqual(verdict(text.encode(), key=b"o1"), expected)
        for headers, expected in ((STRUCTURED, "bad_json"), ([], "not_cloudevent")):
            self.assertEqual(verdict(b"[" * 65000, headers=headers, key=b""), expected)
            self.assertEqual(verdict(b"[" * 30000 + b"]" * 30000, headers=headers, key=b""),
                             expected)
        deep = b"[" * 20000 + b"]" * 20000
        self.assertEqual(verdict(b'{"x":%s,"specversion":"1.0"}' % deep, headers=[], key=b""),
                         "bad_json")
        self.assertEqual(verdict(b'{"x":%s,"specversion":"1.0"' % deep, headers=[], key=b""),
                         "not_cloudevent")

    def test_the_deep_reader_agrees_with_the_parser(self):
        texts = ['{}', '{"a":1}', '[]', '[1,[2,{"a":"b"}],"x"]', '{"a":"s","b":[],"c":{}} ',
                 ' {"a" : -1.5e3 , "b":true}', '{"a"}', '{"a":1,}', '[1,]', '[,]', '{,}', '{"a":1]',
                 '[1}', '1 2', '"a', '{"a":01}', '{"a":tru}', '', ' ', '{"a":{"specversion":"x"}}']
        for text in texts:
            with self.subTest(text=text):
                try:
                    value = strict_json.parse(text.encode()).value
                    expected = [(name, isinstance(member, str)) for name, member in value.items()] \
                        if isinstance(value, dict) else []
                except strict_json.BadJSON:
                    expected = "bad"
                try:
                    found = strict_json.outermost(text)
                except strict_json.BadJSON:
                    found = "bad"
                self.assertEqual(found, expected)

    def test_the_first_check_that_holds_decides(self):
        twice = json.dumps(order())[:-1] + ',"id":"again"}'
        inner = json.dumps(order()).replace('"net"', '"order":"o1","\\u006eet":1,"net"')
        cases = [
            (twice.encode(), "duplicate_key"), (inner.encode(), "duplicate_key"),
            (twice.replace('"id"', '"data_base64"', 1).encode(), "format_unsupported"),
            (order(attributes={"id": 5, "source": ...}), "bad_field"),
            (order(attributes={"id": "", "type": "other"}), "bad_field"),
            (order(attributes={"source": ..., "type": "other"}), "missing_field"),
            (order(attributes={"type": "other.sale.completed.v1", "time": ...}), "ignored"),
            (order(attributes={"type": "tandem.sale.completed", "time": 5}), "ignored"),
            (order(attributes={"type": "tandem.sale.gone.v1"}), "ignored"),
            (order(attributes={"type": "tandem.sale.completed.v1\n"}), "ignored"),
            (order(attributes={"type": "tandem.sale.completed.v01"}), "version_unsupported"),
            (order(attributes={"type": "tandem.service.rated.v2"}), "version_unsupported"),
            (order(attributes={"type": "tandem.service.rated.v1", "time": 5}), "wrong_topic"),
            (order(attributes={"time": ..., "subject": 5}), "missing_field"),
            (order(attributes={"partitionkey": None}), "bad_field"),
            (order(attributes={"partitionkey": ""}), "valid"),
            (order(attributes={"datacontenttype": "text/json"}), "bad_field"),
            (order("2026-11-23T12:05:00.001Z", {"data": 5}), "time_future"),
            (order("2026-11-23T12:05:00.000999Z"), "valid"),
            (order(attributes={"data": None}), "data_missing"),
            (order(attributes={"data": ...}), "data_missing"),
            (order(customer="a b", order=...), "bad_field"),
            (order(order=..., currency="XXX"), "missing_field"),
            (order(currency="XXX", net=-1), "currency_unknown"),
            (order(currency="ron"), "bad_field"),
            (order(net=-1, units=-1), "amount_range"), (order(net=10 ** 12), "valid"),
            (order(net=10 ** 12 + 1), "amount_range"), (order(net=10 ** 30), "bad_field"),
            (order(net=1.0), "bad_field"), (order(net=True), "bad_field"),
            (order(cost=None), "bad_field"), (order(extra=1.5), "valid"),
            (order(warranty_units=2, attributes={"subject": "other"}), "bad_field"),
            (order(items=[{"sku": "a", "qty": 1, "net": 1}], attributes={"subject": "other"}),
             "subject_mismatch"),
            (order(items=[{"sku": "a", "qty": 1, "net": 1}]), "amount_mismatch"),
            (order(items=[{"sku": "a", "qty": 1, "net": 1000}]), "valid"),
            (order(items=[{"sku": "a", "qty": 1, "net": 1000, "cost": 5}], cost=6),
             "amount_mismatch"),
            (order(items=[]), "valid"), (order(items=[1]), "bad_field"),
            (order(labels={str(i): "x" for i in range(9)}), "bad_field"),
            (order(labels={"a": "é"}), "bad_field"),
        ]
        for value, expected in cases:
            with self.subTest(value=value):
                self.assertEqual(verdict(value, key=b"o1"), expected)

    def test_times(self):
        for text, ms in (("2026-11-23T12:00:00Z", NOON_S * 1000),
                         ("2026-11-23t14:00:00.5+02:00", NOON_S * 1000 + 500),
                         ("2026-11-23T06:30:00.123999999-05:30", NOON_S * 1000 + 123),
                         ("2000-02-29T00:00:00+23:59", 951782400000 - 86340000)):
            self.assertEqual(decode._instant_ms(text), ms)
        for text in ("2026-11-23 12:00:00Z", "2026-11-23T12:00:60Z", "2026-11-23T24:00:00Z",
                     "2026-02-29T00:00:00Z", "1999-12-31T23:59:59Z", "2100-01-01T00:00:00Z",
                     "2026-11-23T12:00:00", "2026-11-23T12:00:00.Z", "2026-11-23T12:00:00+24:00",
                     "2026-11-23T12:00:00.0123456789Z", "2026-11-23T12:00:00Z\n", 5, None):
            with self.subTest(text=text), self.assertRaises(decode.Rejected):
                decode._instant_ms(text)

    def test_scores_have_the_range_of_their_scale(self):
        for scale, score, previous, expected in (
                ("csat", 5, 1, "valid"), ("csat", 0, ..., "bad_field"),
                ("nps", 0, 10, "valid"), ("nps", 11, ..., "bad_field"),
                ("ces", 7, 8, "bad_field"), ("stars", 3, ..., "bad_field")):
            data = {"rating": "r", "scale": scale, "score": score, "previous": previous}
            event = envelope("service.rated",
                             {k: v for k, v in data.items() if v is not ...}, "rating")
            self.assertEqual(verdict(event, "service"), expected)

    def test_a_dumped_record_is_read_back(self):
        line = {"topic": "t", "partition": 3, "offset": 9, "timestamp": -1, "key_base64": None,
                "headers": [["a", base64.b64encode(b"\xff").decode()]], "value_base64": ""}
        found = decode.Record.of_dump(line)
        self.assertEqual((found.key, found.headers, found.value, found.timestamp_ms),
                         (None, [("a", b"\xff")], b"", None))


def counted(records, admitted=None, **settings):
    settings.setdefault("partitions", 1)
    return count.count(records, count.Settings(**settings), admitted=admitted)


def day_of(counters, side="sale", day="2026-11-23", scope="all"):
    return counters.hashes.get(f"tandem:{{main}}:{side}:day:{day}:{scope}", {})


class Count(unittest.TestCase):
    def test_murmur2_is_javas(self):
        for text, expected in ((b"21", -973932308), (b"foobar", -790332482), (b"abc", 479470107),
                               (b"a-little-bit-long-string", -985981536),
                               (b"a-little-bit-longer-string", -1486304829)):
            self.assertEqual(count.murmur2(text), expected & 0xFFFFFFFF)

    def test_an_order_in_its_scopes_and_lines(self):
        items = [{"sku": "a", "line": "x", "qty": 2, "net": 600, "cost": 400},
                 {"sku": "b", "line": "x", "qty": 1, "net": 300},
                 {"sku": "c", "line": "y", "qty": 1, "net": 50, "cost": 20},
                 {"sku": "d", "qty": 1, "net": 50, "cost": 10}]
        counters = counted([record(order(items=items, cost=700, discount=5, warranty_units=1,
                                         region="north", assist_ticket="t"))])
        everywhere = {"orders": 1, "orders:RON": 1, "units": 5, "warranty_units": 1,
                      "revenue:RON": 1000, "net:RON": 1000, "net_costed:RON": 1000,
                      "cost:RON": 700, "profit:RON": 300, "discount:RON": 5,
                      "assisted_orders": 1, "assisted_net:RON": 1000}
        self.assertEqual(day_of(counters), everywhere)
        self.assertEqual(day_of(counters, scope="region=north"), everywhere)
        self.assertEqual(counters.hashes["tandem:{main}:sale:hour:2026-11-23T12:all"], everywhere)
        self.assertEqual(day_of(counters, scope="line=x"), {
            "orders": 1, "orders:RON": 1, "units": 3, "revenue:RON": 900, "net:RON": 900,
            "net_costed:RON": 600, "cost:RON": 400, "profit:RON": 200,
            "assisted_orders": 1, "assisted_net:RON": 900})
        self.assertEqual(counters.sets["tandem:{main}:scope:line"], {"x", "y"})
        self.assertEqual(counters.sets["tandem:{main}:currency"], {"RON"})

    def test_effective_cost_and_units(self):
        for data, fields in (
                ({}, {"units": 1}),
                ({"units": 0}, {"units": 0}),
                ({"items": [{"sku": "a", "qty": 3, "net": 1000, "cost": 900}]},
                 {"units": 3, "cost:RON": 900, "profit:RON": 100}),
                ({"items": [{"sku": "a", "qty": 3, "net": 999, "cost": 900},
                            {"sku": "b", "qty": 0, "net": 1}]}, {"units": 3, "cost:RON": 0})):
            found = day_of(counted([record(order(**data))]))
            for field, amount in fields.items():
                self.assertEqual(found.get(field, 0), amount, (data, field))

    def test_refunds(self):
        def refund(**data):
            made = {"refund": "r", "order": "o", "currency": "RON", "net": 100, **data}
            return day_of(counted([record(envelope("sale.refunded", made, "refund"))]),
                          scope="line=x" if "line" in data else "all")
        self.assertEqual(refund(reason="price"), {
            "refunds": 1, "refund_price": 1, "refund_net:RON": 100, "revenue:RON": -100,
            "refund_net_costed:RON": 100, "profit:RON": -100})
        self.assertEqual(refund(reason="return", full=True, assist_ticket="t"), {
            "refunds": 1, "refund_return": 1, "refund_full": 1, "refund_net:RON": 100,
            "revenue:RON": -100, "refund_assisted_net:RON": 100})
        self.assertEqual(refund(reason="other", cost=30, line="x"), {
            "refunds": 1, "refund_other": 1, "refund_net:RON": 100, "revenue:RON": -100,
            "refund_net_costed:RON": 100, "refund_cost:RON": 30, "profit:RON": -70})

    def test_service_events(self):
        cases = [
            ("service.opened", {"ticket": "t", "phase": "after", "category": "bond",
                                "by": "company"},
             {"opened": 1, "opened_after": 1, "category_bond": 1, "opened_by_company": 1}),
            ("service.resolved", {"ticket": "t", "contacts": 1, "resolution": 3600},
             {"resolved": 1, "contacts_known": 1, "first_contact": 1, "resolution_n": 1,
              "resolution_sum": 3600, "resolution_b248": 1}),
            ("service.resolved", {"ticket": "t", "contacts": 2, "first_response": 0},
             {"resolved": 1, "contacts_known": 1, "response_n": 1, "response_b0": 1}),
            ("service.reopened", {"ticket": "t", "was_first_contact": False},
             {"reopened": 1, "reopened_known": 1}),
            ("service.rated", {"rating": "t", "scale": "csat", "score": 5, "previous": 2},
             {"csat_sum": 3, "csat_5": 1, "csat_2": -1}),
            ("service.rated", {"rating": "t", "scale": "nps", "score": 0},
             {"nps_n": 1, "nps_0": 1}),
            ("service.claimed", {"claim": "t", "product": "p", "purchased": "2025-11-23",
                                 "warranty_months": 12}, {"claims": 1, "claims_in_warranty": 1}),
            ("service.settled", {"claim": "t", "outcome": "rejected", "in_warranty": True,
                                 "turnaround": 64},
             {"settled": 1, "settled_in_warranty": 1, "claim_rejected": 1,
              "claim_rejected_in_warranty": 1, "turnaround_n": 1, "turnaround_sum": 64,
              "turnaround_b64": 1}),
            ("service.referred", {"referral": "t", "customer": "c"}, {"referred": 1}),
        ]
        for name, data, expected in cases:
            with self.subTest(name=name, data=data):
                event = envelope(name, data, next(iter(data)))
                counters = counted([record(event, "tandem.service")])
                self.assertEqual(day_of(counters, "service"), expected)

    def test_warranty_ends_with_the_clamped_day(self):
        day = datetime.date
        self.assertTrue(count.in_warranty("2024-02-29", 12, day(2025, 2, 28)))
        self.assertFalse(count.in_warranty("2024-02-29", 12, day(2025, 3, 1)))
        self.assertTrue(count.in_warranty("2026-08-31", 6, day(2027, 2, 28)))
        self.assertTrue(count.in_warranty("2026-12-15", 0, day(2026, 12, 15)))
        self.assertFalse(count.in_warranty("2026-12-15", 12, day(2027, 12, 16)))
        self.assertTrue(count.in_warranty("9999-12-31", 600, day(2026, 1, 1)))

    def test_histogram_buckets_and_their_inverse(self):
        for second, number in ((0, 0), (31, 31), (32, 32), (63, 63), (64, 64), (65, 64), (66, 65),
                               (3600, 248), (3583, 247), (3647, 248), (3648, 249)):
            self.assertEqual(count.bucket(second), number)
        self.assertEqual(metrics.bucket_bounds(248), (3584, 3647))
        following = 0
        for number in range(count.bucket(315_360_000) + 1):
            low, high = metrics.bucket_bounds(number)
            self.assertEqual(low, following)
            self.assertEqual((count.bucket(low), count.bucket(high)), (number, number))
            following = high + 1

    def test_duplicates_refresh_and_the_window_is_one_of_offsets(self):
        def again(offsets, window):
            found = counted([record(order(), offset=offset) for offset in offsets],
                            dedup_window=window)
            return day_of(found).get("duplicates", 0), day_of(found)["orders"]
        self.assertEqual(again([0, 10], 10), (1, 1))
        self.assertEqual(again([0, 11], 10), (0, 2))
        self.assertEqual(again([0, 8, 16, 24], 10), (3, 1))

    def test_a_rejected_event_is_no_duplicate_of_its_resend(self):
        found = day_of(counted([record(order(net=-1)), record(order(), offset=1)]))
        self.assertEqual((found["rejected_amount_range"], found["orders"]), (1, 1))
        self.assertNotIn("duplicates", found)

    def test_nothing_before_the_begin_counts(self):
        records = [record(order(), offset=offset) for offset in (3, 4)]
        settings = count.Settings(partitions=1)
        found = count.count(records, settings, begins={("tandem.sales", 0): 4})
        self.assertEqual(day_of(found)["orders"], 1)
        self.assertNotIn("duplicates", day_of(found))

    def test_misplaced_records(self):
        def misplaced(**more):
            value = order(attributes=more.pop("attributes", None))
            found = counted([record(value, **more)], partitions=4)
            return day_of(found).get("misplaced", 0)
        right = (count.murmur2(b"o1") & 0x7FFFFFFF) % 4
        self.assertEqual(misplaced(partition=right), 0)
        self.assertEqual(misplaced(partition=(right + 1) % 4), 1)
        self.assertEqual(misplaced(partition=right, key=b"other"), 1)
        self.assertEqual(misplaced(partition=right, attributes={"partitionkey": "o2"}), 1)
        self.assertEqual(misplaced(partition=right, attributes={"partitionkey": "o1"}), 0)

    def test_without_a_usable_time_stamp_counters_are_undated(self):
        key = "tandem:{main}:sale:undated"
        for timestamp_ms in (-1, None, 4_102_444_800_000, 946_684_799_000, 10 ** 18):
            found = counted([record(None, key=b"", timestamp_ms=timestamp_ms)])
            self.assertEqual(found.hashes, {key: {"tombstones": 1}})
        floor = datetime.date(2026, 11, 24)
        found = counted([record(order())], floor=floor)
        self.assertEqual(found.hashes, {key: {"before_floor": 1}})
        found = counted([record(order(), timestamp_ms=(NOON_S + 86400) * 1000)], floor=floor)
        self.assertEqual(found.hashes,
                         {"tandem:{main}:sale:day:2026-11-24:all": {"before_floor": 1}})

    def test_days_and_hours_are_local(self):
        late = record(order("2026-10-24T22:30:00Z"))
        counters = counted([late], timezone="Europe/Bucharest")
        self.assertTrue(day_of(counters, day="2026-10-25"))
        hour = "tandem:{main}:sale:hour:2026-10-25T01:all"
        self.assertEqual(counters.expiries[hour] - 14 * 86400, 1792882800)     # 23:00Z

    def test_the_repeated_hour_ends_when_it_passed_twice(self):
        twice = [record(order(time, order=time[:5]), offset=i) for i, time in enumerate(
            ("2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"))]
        counters = counted(twice, timezone="Europe/Bucharest")
        hour = "tandem:{main}:sale:hour:2026-10-25T03:all"
        self.assertEqual(list(counters.expiries), [hour])
        self.assertEqual(counters.expiries[hour] - 14 * 86400, 1792893600)     # 02:00Z
        skipped = counted([record(order("2026-03-29T00:30:00Z"))], timezone="Europe/Bucharest")
        self.assertEqual(skipped.expiries, {
            "tandem:{main}:sale:hour:2026-03-29T02:all": 1774746000 + 14 * 86400})  # 01:00Z

    def test_values_beyond_the_limit_are_other(self):
        items = [{"sku": "a", "line": line, "qty": 1, "net": 500} for line in ("p", "q")]
        counters = counted([record(order(region="b", channel="__x", items=items))],
                           admitted={"region": {"a"}, "line": set()})
        self.assertEqual(day_of(counters, scope="region=__other__")["orders"], 1)
        self.assertEqual(day_of(counters, scope="channel=__other__")["orders"], 1)
        self.assertEqual(day_of(counters, scope="line=__other__")["orders"], 2)
        self.assertEqual(counters.sets["tandem:{main}:scope:region"], {"__other__"})
        self.assertEqual(counters.sets["tandem:{main}:scope:rep"], set())

    def test_labels_are_dimensions(self):
        counters = counted([record(order(labels={"segment": "home"}))], scopes=["labels.segment"])
        self.assertEqual(day_of(counters, scope="labels.segment=home")["orders"], 1)

    def test_revenue_and_profit_are_what_their_parts_say(self):
        chance = random.Random(7)
        records = []
        for i in range(400):
            name, money = str(i), chance.randrange(10 ** 6)
            cost = {} if chance.random() < 0.3 else {"cost": chance.randrange(10 ** 6)}
            if chance.random() < 0.7:
                records.append(record(order(order=name, net=money, **cost), offset=i))
            else:
                data = {"refund": name, "order": "o", "currency": "RON", "net": money,
                        "reason": chance.choice(["price", "return", "other"]), **cost}
                records.append(record(envelope("sale.refunded", data, "refund"), offset=i))
        found = day_of(counted(records))
        get = lambda field: found[field + ":RON"]
        self.assertEqual(get("revenue"), get("net") - get("refund_net"))
        self.assertEqual(get("profit"), get("net_costed") - get("cost")
                         - get("refund_net_costed") + get("refund_cost"))


class Periods(unittest.TestCase):
    def test_a_day_lies_in_one_period_of_each_kind(self):
        names = [periods.Period(kind, datetime.date(2027, 1, 1)).name for kind in periods.KINDS]
        self.assertEqual(names, ["2027-01-01", "2026-W53", "2027-01", "2027-Q1", "2027"])

    def test_week_53_exists_in_some_years_only(self):
        week = periods.parse_period("2026-W53")
        self.assertEqual((week.first, week.end),
                         (datetime.date(2026, 12, 28), datetime.date(2027, 1, 4)))
        self.assertEqual(week.previous().name, "2026-W52")
        for name in ("2025-W53", "2026-W00", "2026-13", "2026-Q5", "2026-02-30", "26", "2026-1"):
            with self.subTest(name=name), self.assertRaises(ValueError):
                periods.parse_period(name)

    def test_names_are_read_back(self):
        for name in ("2026", "2026-Q4", "2026-12", "2026-W48", "2024-02-29"):
            self.assertEqual(periods.parse_period(name).name, name)
        self.assertEqual(len(periods.parse_period("2024").days()), 366)

    def test_days_at_changes_of_the_clock(self):
        def length(zone, year, month, day):
            first = datetime.date(year, month, day)
            return (periods.Zone(zone).first_instant(first + periods.ONE_DAY)
                    - periods.Zone(zone).first_instant(first))
        self.assertEqual(length("Europe/Bucharest", 2026, 3, 29), 82800)
        self.assertEqual(length("Europe/Bucharest", 2026, 10, 25), 90000)
        self.assertEqual(length("Europe/Bucharest", 2026, 11, 1), 86400)
        self.assertEqual(length("Asia/Beirut", 2026, 3, 29), 82800)        # no midnight
        self.assertEqual(length("Australia/Lord_Howe", 2026, 4, 5), 88200)
        self.assertEqual(length("Pacific/Apia", 2011, 12, 30), 0)          # no such day


def published(sale=None, service=None, before=None, text=None, scope="all", period="2026-11",
              as_of="2026-11-16T12:00:00Z", currencies=("RON",), zone="UTC", **more):
    """What is published of counters on the first day of a period and the one before it."""
    settings = count.Settings(timezone=zone, floor=more.pop("floor", None),
                              ledger_from=more.pop("ledger_from", None))
    period = periods.parse_period(period)
    key = lambda side, part: settings.key(side, "day", part.first.isoformat(), scope)
    hashes = {key("sale", period): sale or {}, key("service", period): service or {},
              key("customer", period): more.get("customer") or {}}
    for side, fields in (before or {}).items():
        hashes[key(side, period.previous())] = fields
    goals = targets.load(json.dumps(text).encode(), settings.scopes) if text else targets.Targets()
    comparison = metrics.Comparison(hashes, settings, goals, currencies, "customer" in more)
    instant = datetime.datetime.fromisoformat(as_of.replace("Z", "+00:00"))
    return comparison.publish(scope, period, int(instant.timestamp()))


def goal(*entries, weights=(2, 2, 2, 2, 2, 1, 0), **more):
    return {"version": 1, "pace": {"weights": list(weights)}, "targets": list(entries), **more}


PROFIT = {"period": "2026-11", "currency": "RON", "amount": 100000}


class Printing(unittest.TestCase):
    def test_halves_go_away_from_zero(self):
        for value, text in ((Fraction(12345, 1000), "12.35"), (Fraction(-12345, 1000), "-12.35"),
                            (Fraction(-4, 1000), "0.00"), (Fraction(-5, 1000), "-0.01"),
                            (None, "NaN"), (100, "100.00"), (Fraction(1, 3), "0.33")):
            self.assertEqual(metrics.hundredths(value), text)
        for value, text in ((Fraction(5, 2), "3"), (Fraction(-5, 2), "-3"), (Fraction(7, 3), "2"),
                            (2 ** 63, "NaN"), (-2 ** 63, "-9223372036854775808")):
            self.assertEqual(metrics.whole(value), text)
        self.assertEqual(metrics.hundredths(2 ** 62), "NaN")


class Metrics(unittest.TestCase):
    def expect(self, found, **fields):
        for name, text in fields.items():
            self.assertEqual(found[name], text, name)

    def test_money(self):
        found = published({
            "orders": 3, "orders:RON": 3, "net:RON": 1000, "net_costed:RON": 800, "cost:RON": 500,
            "refund_net:RON": 300, "refund_net_costed:RON": 100, "refund_cost:RON": 60,
            "assisted_net:RON": 250, "refund_assisted_net:RON": 40})
        money = {name[:-4]: text for name, text in found.items() if name.endswith(":RON")}
        self.assertEqual(money, {
            "revenue": "700", "gross_profit": "260",        # (800 - 500) - (100 - 60)
            "margin_pct": "37.14",                          # 260 / 700
            "cost_coverage_pct": "80.00", "average_order": "333", "refund_pct": "30.00",
            "refund_cost_coverage_pct": "33.33", "revenue_change_pct": "NaN",
            "assisted_revenue": "210", "assisted_pct": "30.00"})

    def test_undefined_is_never_0(self):
        found = published(currencies=("EUR",))
        self.expect(found, **{"revenue:EUR": "0", "margin_pct:EUR": "NaN", "csat_pct": "NaN",
                              "average_order:EUR": "NaN", "contact_rate": "NaN", "opened": "0",
                              "response_p90": "NaN", "customers_new": "NaN", "verdict": "no_data",
                              "csat_n": "0", "orders_identified": "NaN", "judged": "none"})
        self.assertTrue(all(found.values()))

    def test_change_is_published_of_closed_periods_only(self):
        sale, before = {"net:RON": 90}, {"sale": {"net:RON": 120}}
        name = "revenue_change_pct:RON"
        self.assertEqual(published(sale, before=before)[name], "NaN")
        closed = dict(as_of="2026-12-01T00:00:00Z")
        self.assertEqual(published(sale, before=before, **closed)[name], "-25.00")
        self.assertEqual(published(sale, **closed)[name], "NaN")
        self.assertEqual(published(sale, before=before, floor=datetime.date(2026, 10, 2),
                                   **closed)[name], "NaN")
        self.assertEqual(published(sale, **closed)["closed"], "1")
        self.assertEqual(published(sale, as_of="2026-11-30T23:59:59Z")["closed"], "0")

    def test_service(self):
        found = published({"orders": 40, "warranty_units": 8}, {
            "opened": 12, "opened_after": 9, "resolved": 10, "reopened": 3, "contacts_known": 8,
            "reopened_known": 2, "first_contact": 5, "first_contact_undone": 1, "claims": 2,
            "settled": 3, "replaced": 2, "settled_in_warranty": 3, "claim_rejected_in_warranty": 1,
            "csat_n": 8, "csat_sum": 33, "csat_4": 3, "csat_5": 3,
            "nps_n": 7, "nps_9": 1, "nps_10": 2, "nps_0": 1, "nps_6": 1, "nps_7": 2,
            "ces_n": 4, "ces_sum": 19, "ces_5": 1, "ces_7": 1, "referred": 6,
            "response_n": 4, "response_sum": 14461, "response_b248": 4})
        self.expect(
            found, after_pct="75.00", contact_rate="22.50", reopen_pct="30.00", backlog_change="5",
            first_contact_pct="66.67", claim_rate_pct="25.00", replaced_pct="66.67",
            honoured_pct="66.67", csat_pct="75.00", csat_mean="4.13", nps="14.29",
            ces_mean="4.75", ces_easy_pct="50.00", referred_by_service="6",
            response_p50="3616", response_p90="3647", response_mean="3615.25",
            resolution_p50="NaN")

    def test_ratings_are_clamped(self):
        found = published(service={"csat_n": 1, "csat_sum": 9, "csat_5": 2, "csat_1": -1,
                                   "nps_n": 1, "nps_0": 3, "nps_8": -2, "ces_n": 1,
                                   "ces_sum": -3, "ces_1": 2, "ces_7": -1})
        self.expect(found, csat_pct="100.00", csat_mean="5.00", nps="-100.00", ces_mean="1.00",
                    ces_easy_pct="0.00")

    def test_quantiles(self):
        counters = metrics.collections.Counter(
            {"x_n": 10, "x_b1": 4, "x_b10": 5, "x_b40": 1})
        self.assertEqual(metrics.quantile(counters, "x", 5), (10, 10, 10))     # the 5th of 10
        self.assertEqual(metrics.quantile(counters, "x", 9)[0], 10)            # the 9th
        counters["x_n"], counters["x_b40"] = 11, 2
        self.assertEqual(metrics.quantile(counters, "x", 9)[0], 40)            # the 10th
        self.assertIsNone(metrics.quantile(metrics.collections.Counter(), "x", 5))

    def test_customers_when_there_are_counters(self):
        customer = {"customers_new": 4, "customers_new_by_sale": 1, "orders_identified": 10,
                    "orders_returning": 6, "orders_after_interaction": 5,
                    "orders_after_service": 3, "month_buyers": 7, "retained": 2,
                    "satisfied": 8, "satisfied_returned": 6}
        found = published(customer=customer, before={"customer": {"month_buyers": 5}})
        self.expect(found, customers_new="4", converted_by_sale="1", converted_by_service="0",
                    repeat_pct="60.00", interacted_pct="50.00", after_service_pct="50.00",
                    buyers="7", retention_pct="40.00", satisfied_return_pct="75.00",
                    dissatisfied_return_pct="NaN", orders_identified="10")
        found = published(customer=customer, ledger_from=datetime.date(2026, 11, 2))
        self.expect(found, repeat_pct="60.00", interacted_pct="NaN", after_service_pct="NaN",
                    satisfied_return_pct="NaN")
        found = published(customer=customer, period="2026-Q4", scope="all")
        self.expect(found, buyers="NaN", retention_pct="NaN")

    def test_scopes_of_lines_know_no_service(self):
        found = published({"orders": 3, "warranty_units": 0}, scope="line=x")
        self.expect(found, orders="3", opened="NaN", contact_rate="NaN", csat_n="NaN",
                    service_state="unknown", warranty_units="0", backlog_change="NaN",
                    reasons="targets 0 < 1 (n=3); csat_n NaN < 20 (n=0)")


class Targets(unittest.TestCase):
    def state(self, profit, as_of, **more):
        sale = {"net_costed:RON": profit, "orders:RON": 7, "orders": 8}
        return published(sale, text=goal(PROFIT, **more), as_of=as_of)

    def test_pace_follows_the_weights(self):
        # November 2026: 21 weekdays and 4 Saturdays weigh 46; Monday the 16th at noon: 23.
        found = self.state(40000, "2026-11-16T12:00:00Z")
        self.assertEqual({name[:-17]: text for name, text in found.items()
                          if name.endswith(":gross_profit:RON")},
                         {"target": "100000", "attainment_pct": "40.00", "gap": "60000",
                          "pace_pct": "80.00", "forecast": "80000",
                          "required_rate": "5217"})            # 60000 * 2 / 23
        self.assertEqual((found["sale_state"], found["judged"], found["provisional"]),
                         ("weak", "gross_profit:RON", "0"))
        self.assertTrue(found["reasons"].startswith(
            "pace_pct:gross_profit:RON 80.00 < 100.00 (n=7); "))

    def test_a_holiday_weighs_nothing(self):
        text = goal(PROFIT)
        text["pace"]["holidays"] = ["2026-11-30"]
        found = published({"net_costed:RON": 40000}, text=text)
        self.assertEqual(found["forecast:gross_profit:RON"], "76522")      # 40000 * 44 / 23

    def test_sale_states(self):
        for profit, as_of, state, clause in (
                (100000, "2026-11-16T12:00:00Z", "good",
                 "attainment_pct:gross_profit:RON 100.00 >= 100.00 (n=7)"),
                (50000, "2026-11-16T12:00:00Z", "good",
                 "pace_pct:gross_profit:RON 100.00 >= 100.00 (n=7)"),
                (49999, "2026-11-16T12:00:00Z", "weak",
                 "pace_pct:gross_profit:RON 100.00 < 100.00 (n=7)"),
                (0, "2026-11-01T23:59:59Z", "good", "elapsed_weight 0 <= 0 (n=7)"),
                (0, "2026-10-01T00:00:00Z", "good", "elapsed_weight 0 <= 0 (n=7)"),
                (99999, "2026-12-01T00:00:00Z", "weak",
                 "attainment_pct:gross_profit:RON 100.00 < 100.00 (n=7)"),
                (-1, "2026-11-16T12:00:00Z", "weak",
                 "pace_pct:gross_profit:RON 0.00 < 100.00 (n=7)")):
            with self.subTest(profit=profit, as_of=as_of):
                found = self.state(profit, as_of)
                self.assertEqual(found["sale_state"], state)
                self.assertEqual(found["reasons"].split("; ")[0], clause)

    def test_closed_periods(self):
        found = self.state(120000, "2027-01-01T00:00:00Z")
        self.assertEqual(found["pace_pct:gross_profit:RON"], "120.00")
        self.assertEqual(found["forecast:gross_profit:RON"], "120000")
        self.assertEqual(found["required_rate:gross_profit:RON"], "NaN")
        self.assertEqual(found["gap:gross_profit:RON"], "0")

    def test_before_the_period_begins_nothing_can_be_told(self):
        found = self.state(0, "2026-10-31T00:00:00Z")
        self.assertEqual(found["pace_pct:gross_profit:RON"], "NaN")
        self.assertEqual(found["forecast:gross_profit:RON"], "NaN")
        self.assertEqual(found["provisional"], "1")

    def test_a_day_of_25_hours_passes_evenly(self):
        text = goal({"period": "2026-10-25", "measure": "orders", "amount": 10}, weights=[1] * 7)
        found = published({"orders": 3}, text=text, period="2026-10-25",
                          as_of="2026-10-25T09:30:00Z", zone="Europe/Bucharest")
        # Half of it passed at 11:30 local, 12.5 hours after midnight.
        self.assertEqual(found["pace_pct:orders"], "60.00")
        self.assertEqual(found["forecast:orders"], "6.00")
        self.assertEqual(found["required_rate:orders"], "14.00")

    def test_the_worst_currency_of_the_first_measure_is_judged(self):
        text = goal(PROFIT, {**PROFIT, "currency": "EUR"}, {**PROFIT, "measure": "revenue"},
                    {"period": "2026-11", "measure": "orders", "amount": 1})
        found = published({"net_costed:RON": 90000, "net_costed:EUR": 20000, "orders": 1},
                          text=text)
        self.assertEqual((found["judged"], found["sale_state"]), ("gross_profit:EUR", "weak"))
        self.assertEqual(found["attainment_pct:orders"], "100.00")
        self.assertNotIn("revenue:EUR", found)

    def test_targets_hold_for_their_scope_and_period_alone(self):
        text = goal({**PROFIT, "region": "north"})
        self.assertEqual(published(text=text)["sale_state"], "none")
        self.assertEqual(published(text=text, scope="region=north")["sale_state"], "weak")
        self.assertEqual(published(text=text, scope="region=north",
                                   period="2026-Q4")["sale_state"], "none")

    def test_every_mistake_is_told_by_its_path(self):
        def paths(text):
            raw = text if isinstance(text, bytes) else json.dumps(text).encode()
            try:
                targets.load(raw, ("region", "line"))
            except targets.InvalidTargets as error:
                return sorted(mistake.partition(": ")[0] for mistake in error.mistakes)
            return []
        fine = {"period": "2026-11", "currency": "RON", "amount": 1}
        cases = [
            (b"{", ["$"]), (b"[]", ["$"]), (b'{"version":1,"version":1}', ["$"]),
            ({}, ["version"]), ({"version": 2, "extra": 1}, ["extra", "version"]),
            (goal(fine), []), (goal({**fine, "region": "n"}, {**fine, "line": "n"}), []),
            (goal({**fine, "amount": 0}, {**fine, "amount": 1.5}, {**fine, "ammount": 1}),
             ["targets[0].amount", "targets[1].amount", "targets[2].ammount"]),
            (goal(fine, fine), ["targets[1]"]),
            (goal(fine, {**fine, "measure": "gross_profit"}), ["targets[1]"]),
            (goal({**fine, "rep": "a"}), ["targets[0].rep"]),
            (goal({**fine, "region": "a", "line": "b"}), ["targets[0]"]),
            (goal({**fine, "region": "__other__"}), ["targets[0].region"]),
            (goal({"period": "2026-W54"}), ["targets[0].amount", "targets[0].currency",
                                            "targets[0].period"]),
            (goal({**fine, "measure": "orders"}), ["targets[0].currency"]),
            (goal({**fine, "period": "2026-11-22"}), ["targets[0].period"]),       # a Sunday
            (goal(weights=[0] * 7), ["pace.weights"]),
            (goal(weights=[1] * 6), ["pace.weights"]),
            (goal(weights=[1, 1, 1, 1, 1, 1, 1001]), ["pace.weights[6]"]),
            ({"version": 1, "pace": {"holidays": ["2026-02-30"]}}, ["pace.holidays[0]"]),
            ({"version": 1, "service": {"csat_floor": "80", "nps_floor": "-5.5", "slip": "0.00"}},
             ["service.slip"]),
            ({"version": 1, "service": {"csat_floor": 80, "min_ratings": 0, "nps_floor": None}},
             ["service.csat_floor", "service.min_ratings"]),
            ({"version": 1, "service": {"slo": [
                {"metric": "response_p90", "max": 3600}, {"metric": "csat_pct", "min": "80.5"},
                {"metric": "response_p90", "max": "3600"}, {"metric": "revenue", "max": 1},
                {"metric": "orders"}, {"metric": "reopen_pct", "max": "1.234"}, {"max": 1}]}},
             ["service.slo[2].max", "service.slo[3].metric", "service.slo[4]",
              "service.slo[5].max", "service.slo[6].metric"]),
        ]
        for text, expected in cases:
            with self.subTest(text=text):
                self.assertEqual(paths(text), expected)


class Service(unittest.TestCase):
    def judge(self, service, before=None, **more):
        found = published(service=service, before={"service": before or {}},
                          text={"version": 1, "service": more} if more else None)
        return (found["service_state"], found["ratings_needed"],
                found["reasons"].split("; ", 1)[1])

    def test_too_few_ratings(self):
        self.assertEqual(self.judge({"csat_n": 19, "csat_5": 19}),
                         ("unknown", "NaN", "csat_n 19 < 20 (n=19)"))
        self.assertEqual(self.judge({"csat_n": 1, "nps_n": 2}, nps_floor="0.00")[2],
                         "csat_n 1 < 20 (n=1); nps_n 2 < 20 (n=2)")

    def test_unhappy_says_how_many_ratings_restore_the_floor(self):
        self.assertEqual(self.judge({"csat_n": 42, "csat_4": 30, "csat_5": 2}),
                         ("unhappy", "8", "csat_pct 76.19 < 80.00 (n=42)"))
        self.assertEqual(self.judge({"csat_n": 50, "csat_4": 40})[0], "content")
        self.assertEqual(self.judge({"csat_n": 20, "csat_4": 19}, csat_floor="100.00")[:2],
                         ("unhappy", "NaN"))

    def test_unhappy_by_nps(self):
        self.assertEqual(
            self.judge({"nps_n": 20, "nps_0": 11, "nps_10": 9}, nps_floor="0.00"),
            ("unhappy", "NaN", "nps -10.00 < 0.00 (n=20)"))
        self.assertEqual(
            self.judge({"nps_n": 20, "nps_0": 10, "nps_10": 10}, nps_floor="0.00"),
            ("content", "NaN", "nps 0.00 >= 0.00 (n=20)"))

    def test_slipping(self):
        before = {"csat_n": 20, "csat_5": 19}                               # 95.00
        self.assertEqual(self.judge({"csat_n": 40, "csat_5": 36}, before),
                         ("at_risk", "NaN", "csat_pct 90.00 <= 90.00 (n=40)"))
        self.assertEqual(self.judge({"csat_n": 40, "csat_5": 37}, before),
                         ("content", "NaN", "csat_pct 92.50 >= 80.00 (n=40)"))
        self.assertEqual(self.judge({"csat_n": 40, "csat_5": 36}, {"csat_n": 19, "csat_5": 19})[0],
                         "content")

    def test_breached_bounds(self):
        service = {"csat_n": 20, "csat_5": 20, "response_n": 4, "response_sum": 14400,
                   "response_b248": 4, "resolved": 8, "reopened": 1}
        bounds = [{"metric": "response_p90", "max": 3583}, {"metric": "response_p90", "max": 3584},
                  {"metric": "response_mean", "min": 3601}, {"metric": "reopen_pct", "max": "12.5"},
                  {"metric": "reopen_pct", "max": "12.49"}, {"metric": "nps", "min": "50.00"},
                  {"metric": "response_p50", "min": 3647}, {"metric": "response_p50", "min": 3648}]
        self.assertEqual(self.judge(service, slo=bounds), (
            "at_risk", "NaN", "response_p90 3647 > 3583 (n=4); response_mean 3600.00 < 3601 (n=4); "
            "reopen_pct 12.50 > 12.49 (n=8); response_p50 3616 < 3648 (n=4)"))

    def test_twelve_verdicts(self):
        self.assertEqual(len(metrics.VERDICTS), 12)
        self.assertEqual(len({code for code, _ in metrics.VERDICTS.values()}), 12)


class FakeRedis(threading.Thread):
    """Just the answers that a comparison asks for, from dicts, on a port of its own."""

    def __init__(self, hashes, sets, expiries):
        super().__init__(daemon=True)
        self.hashes, self.sets, self.expiries = hashes, sets, expiries
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self.listener.getsockname()[1]}"
        self.start()

    def run(self):
        connection, _ = self.listener.accept()
        with connection, connection.makefile("rb") as file:
            while line := file.readline():
                words = []
                for _ in range(int(line[1:])):
                    words.append(file.read(int(file.readline()[1:]) + 2)[:-2].decode())
                connection.sendall(self.answer(*words))

    def close(self):
        self.join(10)
        self.listener.close()

    def answer(self, command, key=None, *rest):
        if command == "TIME":
            return self.encode([str(int(time.time())), "0"])
        if command == "SCAN":
            return self.encode(["0", fnmatch.filter([*self.hashes, *self.sets], rest[1])])
        if command == "HGETALL":
            return self.encode([str(part) for pair in self.hashes.get(key, {}).items()
                                for part in pair])
        if command == "SMEMBERS":
            return self.encode(list(self.sets.get(key, ())))
        if command == "EXPIRETIME":
            return b":%d\r\n" % self.expiries.get(key, -1 if key in self.hashes else -2)
        return b"-ERR unknown command\r\n"

    def encode(self, value):
        if isinstance(value, list):
            return b"*%d\r\n" % len(value) + b"".join(map(self.encode, value))
        return b"$%d\r\n%s\r\n" % (len(value.encode()), value.encode())


class Compare(unittest.TestCase):
    """A Redis that holds what the log comes to, and then one thing else."""

    def setUp(self):
        stamp = time.time()
        now = datetime.datetime.fromtimestamp(stamp, datetime.timezone.utc)
        self.settings = count.Settings(partitions=1)
        self.records = [record(order(now.isoformat(timespec="seconds"), region="n"),
                               timestamp_ms=int(stamp) * 1000),
                        record(order("2020-01-05T00:00:00Z", order="o2"), offset=1)]
        counters = count.count(self.records, self.settings)
        self.hashes = {key: dict(fields) for key, fields in counters.hashes.items()
                       if "hour:2020" not in key}
        self.sets = {key: set(members) for key, members in counters.sets.items() if members}
        self.expiries = dict(counters.expiries)
        self.day = next(key for key in self.hashes if "day:20" in key and "2020" not in key
                        and key.endswith("all"))
        self.as_of = int(stamp)

    def found(self, targets_=None):
        fake = FakeRedis(self.hashes, self.sets, self.expiries)
        with redis.Redis(fake.url) as server:
            outcome = compare.compare(server, self.records, self.settings, targets=targets_)
        fake.close()
        return outcome

    def differing(self, targets_=None):
        return [difference[:2] for difference in self.found(targets_).differences]

    def publish(self):
        counters = count.count(self.records, self.settings)
        comparison = metrics.Comparison(counters.hashes, self.settings, targets.Targets(), {"RON"})
        for key in compare._periods_to_publish(self.settings, counters):
            _, name, scope = key[len("tandem:{main}:comparison:"):].split(":")
            fields = comparison.publish(scope, periods.parse_period(name), self.as_of)
            self.hashes[key] = {**fields, "store": "1700000000000-ab", "revision": "3"}

    def test_what_is_equal_is_equal(self):
        outcome = self.found()
        self.assertEqual(outcome.differences, [])
        self.assertGreater(outcome.fields, 20)

    def test_zero_and_absent_are_equal(self):
        self.hashes[self.day]["refunds"] = 0
        self.hashes["tandem:{main}:sale:day:2021-01-01:all"] = {"orders": 0}
        self.assertEqual(self.differing(), [])

    def test_each_kind_of_difference_is_found(self):
        hour = next(key for key in self.hashes if ":hour:" in key)

        def extra(key, fields):
            return lambda: self.hashes.__setitem__(key, fields)

        changes = [
            (lambda: self.hashes[self.day].update({"net:RON": 1001}), (self.day, "net:RON")),
            (lambda: self.hashes[self.day].pop("net:RON"), (self.day, "net:RON")),
            (lambda: self.hashes[self.day].update({"refunds": "1.0"}), (self.day, "refunds")),
            (extra("tandem:{main}:sale:undated", {"ignored": 1}),
             ("tandem:{main}:sale:undated", "ignored")),
            (extra("tandem:{main}:service:day:2020-01-05:all", {"opened": 1}),
             ("tandem:{main}:service:day:2020-01-05:all", "opened")),
            (lambda: self.expiries.update({hour: 5}), (hour, "(expires)")),
            (lambda: self.expiries.update({self.day: 5}), (self.day, "(expires)")),
            (lambda: self.sets["tandem:{main}:scope:region"].add("s"),
             ("tandem:{main}:scope:region", "s")),
            (lambda: self.sets["tandem:{main}:currency"].clear(),
             ("tandem:{main}:currency", "RON")),
        ]
        for change, expected in changes:
            self.setUp()
            change()
            with self.subTest(expected=expected):
                self.assertEqual(self.differing(), [expected])

    def test_the_choice_of_a_crowded_dimension_is_taken_over(self):
        self.records = [record(order(order=name, region=name), offset=i)
                        for i, name in enumerate("abc")]
        self.settings.scope_limit = 2
        counters = count.count(self.records, self.settings, admitted={"region": {"a", "c"}})
        self.hashes, self.expiries = counters.hashes, counters.expiries
        self.sets = {key: members for key, members in counters.sets.items() if members}
        self.assertEqual(self.differing(), [])
        self.sets["tandem:{main}:scope:region"].discard("c")
        self.assertIn(("tandem:{main}:scope:region", "(members)"), self.differing())

    def test_what_is_published_is_compared_as_of_its_own_instant(self):
        self.publish()
        self.assertEqual(self.differing(targets.Targets()), [])
        key = "tandem:{main}:comparison:year:2020:all"
        self.hashes[key]["orders"] = "2"
        self.hashes[key]["store"] = "x"
        del self.hashes[key]["units"]
        self.hashes.pop("tandem:{main}:comparison:month:2020-01:all")
        self.assertEqual(self.differing(targets.Targets()), [
            ("tandem:{main}:comparison:month:2020-01:all", "(key)"),
            (key, "orders"), (key, "units"), (key, "store")])


if __name__ == "__main__":
    unittest.main()
