"""What cannot be counted: refused with its reason, kept whole where somebody can look at it, and
never in the way of what can be."""

import glob
import json
import random

from counting import ROOT, CountingCase
from harness import main, order, structured, wait_for

DAY = "2026-11-23"
OWN = ("tandem_reason", "tandem_topic", "tandem_partition", "tandem_offset", "tandem_detail",
       "tandem_key", "tandem_truncated")


def large(size):
    """A record of an order that takes so many bytes."""
    made = structured(order(1))
    made["headers"] = []
    filler = lambda n: json.dumps({**order(1), "x": "y" * n})
    room = size - len(made["key"]) - len(filler(0))
    return {**made, "value": filler(room)}


class BadInput(CountingCase):
    def setUp(self):
        super().setUp()
        self.world.make_topics(1)

    def send(self, *records):
        self.world.produce(self.world.sales, records)

    def letters(self):
        return self.world.dump(self.world.rejected).records

    def own_headers(self, letter):
        return {name: value.decode() for name, value in letter.headers if name in OWN}

    def test_a_bad_record_is_kept_with_key_headers_value_reason_and_place(self):
        headers = [("content-type", "application/cloudevents+json"), ("trace", b"\xff\x00")]
        self.send(structured(order(1)), {"key": b"\xfe", "value": "{", "headers": headers})
        self.count()
        letter, = self.letters()
        self.assertEqual(letter.key.decode(), f"{self.world.sales}/0/1")
        self.assertEqual(letter.value, b"{")
        self.assertEqual(letter.headers[:2], [(n, v if isinstance(v, bytes) else v.encode())
                                              for n, v in headers])
        self.assertIn(("tandem_key", b"\xfe"), letter.headers)
        own = {name: value for name, value in letter.headers if name in OWN}
        self.assertEqual((own["tandem_reason"], own["tandem_topic"], own["tandem_partition"],
                          own["tandem_offset"]),
                         (b"bad_json", self.world.sales.encode(), b"0", b"1"))
        self.assertTrue(own["tandem_detail"])
        self.assertEqual(self.total("sale")["rejected_bad_json"], 1)
        self.assertEqual(self.day("sale", DAY)["orders"], 1)
        self.assert_counted()

    def test_it_is_kept_before_the_position_passes_it(self):
        """Without a topic to keep it in, the worker goes no further."""
        self.count()
        worker = self.start("sales")
        self.send(structured(order(1)))
        self.wait_counted("sales")
        self.world.delete_topics(self.world.rejected)
        self.send({"key": "a", "value": "{"}, structured(order(2)))
        wait_for(lambda: worker.said(self.world.rejected), 60, "a word of the missing topic")
        self.assertEqual(self.positions("sales"), {0: 1})
        self.assertEqual(self.day("sale", DAY)["orders"], 1)
        self.world.make_topic(self.world.rejected, 1)
        self.wait_counted("sales", seconds=120)
        self.assertEqual(self.own_headers(self.letters()[0])["tandem_offset"], "1")
        self.assert_counted()

    def test_every_example_of_the_contract_is_judged_as_it_says_and_the_bad_ones_are_kept(self):
        expected = {}
        sent = []
        for path in sorted(glob.glob(str(ROOT / "schemas/examples/*.json"))):
            with open(path, encoding="utf-8") as file:
                example = json.load(file)
            if (example["timestamp"] or 0) <= 0:
                continue        # no client can send a record without a time stamp
            side = "sales" if example["topic"].endswith("sales") else "service"
            name = f"{side}/{sum(e['side'] == side for e in sent)}"
            sent.append({**example, "side": side, "topic": getattr(self.world, side)})
            if example["verdict"] == "rejected":
                expected[name] = example["reason"]
        self.world.tool("produce", self.world.brokers,
                        input="".join(json.dumps(row) + "\n" for row in sent).encode())
        self.count()
        self.assert_counted()
        kept = {}
        for letter in self.letters():
            own = self.own_headers(letter)
            side = "sales" if own["tandem_topic"] == self.world.sales else "service"
            kept[f"{side}/{own['tandem_offset']}"] = own["tandem_reason"]
        self.assertGreater(len(expected), 100)
        self.assertEqual(kept, expected)

    def test_a_record_of_65536_bytes_counts_and_one_more_is_too_large(self):
        self.send(large(65536))
        self.count()
        self.assertEqual(self.total("sale")["orders"], 1)
        self.send(large(65537))
        self.count()
        self.assertEqual(self.total("sale")["rejected_too_large"], 1)
        letter, = self.letters()
        self.assertLessEqual(len(letter.value), 65536)
        self.assertEqual(self.own_headers(letter)["tandem_reason"], "too_large")
        self.assert_counted()

    def test_of_a_huge_record_as_much_is_kept_as_fits_and_its_sizes_are_told(self):
        record = large(900_000)
        record["headers"] = [("h", "x" * 1000)]
        self.send(record, structured(order(2)))
        self.count()
        letter, = self.letters()
        key = dict(letter.headers)["tandem_key"]
        self.assertEqual(len(letter.value) + len(key), 65536)
        self.assertEqual(letter.value, record["value"].encode()[:len(letter.value)])
        self.assertEqual(self.own_headers(letter)["tandem_truncated"],
                         f"key {len(key)}, value {len(record['value'])}, headers 1001")
        self.assertEqual(self.total("sale")["orders"], 1)

    def test_ten_thousand_bad_records_do_not_stop_the_good_ones(self):
        bad = [{"key": str(n), "value": "}" * (n % 50)} for n in range(10000)]
        good = [structured(order(n)) for n in range(100)]
        self.send(*bad[:5000], *good[:50], *bad[5000:], *good[50:])
        self.count()
        self.assertEqual(self.total("sale")["orders"], 100)
        self.assertEqual(len({letter.key for letter in self.letters()}), 10000)
        self.assert_counted()

    def test_tombstones_and_foreign_types_are_counted_as_such_and_kept_nowhere(self):
        foreign = dict(order(1), type="com.example.thing.v1")
        unnumbered = dict(order(2), type="tandem.sale.completed")
        self.send({"key": "c-1", "value": None}, {"key": None, "value": None},
                  structured(foreign), structured(unnumbered))
        self.count()
        found = self.total("sale")
        self.assertEqual((found["tombstones"], found["ignored"]), (2, 2))
        self.assertEqual(self.letters(), [])
        self.assert_counted()

    def test_an_event_in_binary_mode_counts_as_the_same_in_structured_mode(self):
        made = order(1, net=555)
        attributes = [(f"ce_{name}", made[name]) for name in
                      ("specversion", "id", "source", "type", "time", "subject", "partitionkey")]
        record = {"key": made["partitionkey"], "value": json.dumps(made["data"]),
                  "headers": [("content-type", "application/json"), *attributes]}
        self.send(record, structured(made))
        self.count()
        self.assertEqual(self.day("sale", DAY)["net:EUR"], 555)
        self.assertEqual(self.total("sale")["duplicates"], 1)
        self.assert_counted()

    def test_the_corrected_event_under_the_same_id_counts(self):
        wrong = order(1, net=100, items=[{"sku": "a", "qty": 1, "net": 99}])
        right = order(1, net=100, items=[{"sku": "a", "qty": 1, "net": 100}])
        self.send(structured(wrong), structured(right))
        self.count()
        self.assertEqual(self.day("sale", DAY)["net:EUR"], 100)
        self.assertEqual(self.total("sale")["rejected_amount_mismatch"], 1)
        self.assert_counted()

    def test_in_the_wrong_topic_an_event_is_rejected_there(self):
        self.world.send_events([order(1)], topic=self.world.service)
        self.count()
        self.assertEqual(self.total("service")["rejected_wrong_topic"], 1)
        self.assertEqual(self.total("sale"), {})
        self.assertEqual(self.own_headers(self.letters()[0])["tandem_topic"], self.world.service)
        self.assert_counted()

    def test_an_event_of_an_unknown_version_is_rejected(self):
        self.send(structured(dict(order(1), type="tandem.sale.completed.v2")))
        self.count()
        self.assertEqual(self.total("sale")["rejected_version_unsupported"], 1)
        self.assert_counted()

    def test_a_record_time_stamp_outside_the_centuries_counts_without_a_day(self):
        self.send(dict(key="a", value="{", timestamp=1000),
                  dict(structured(order(1)), timestamp=1600000000000))
        self.count()
        self.assertEqual(self.numbers("sale:undated"), {"rejected_not_cloudevent": 1})
        self.assert_counted()

    def test_bytes_of_every_kind_never_end_a_worker(self):
        chance = random.Random(7)
        whole = json.dumps(order(1)).encode()
        rows = []
        for number in range(3000):
            value = bytearray(whole if number % 3 else chance.randbytes(chance.randrange(200)))
            for _ in range(chance.randrange(1, 4)):
                if value:
                    value[chance.randrange(len(value))] = chance.randrange(256)
            rows.append({"key": chance.randbytes(chance.randrange(9)), "value": bytes(value),
                         "headers": [("content-type", chance.choice(
                             [b"application/cloudevents+json", b"application/json", b"\xff",
                              b"application/cloudevents-batch+json"]))]})
        self.send(*rows)
        self.count()
        self.assert_counted()


main()
