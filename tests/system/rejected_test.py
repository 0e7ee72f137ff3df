"""`tandem rejected` on a real Kafka: what could not be counted is listed, shown and sent again."""

import json

from harness import TestCase, lines, main, order, ticket

HEADERS = [("content-type", "application/cloudevents+json; charset=UTF-8")]


def letter(topic, partition, offset, reason="bad_field", detail="data.net: wrong", value="{}",
           headers=(), key=None):
    """A dead letter as a worker writes it."""
    own = [("tandem_key", key)] if key is not None else []
    place = [("tandem_topic", topic), ("tandem_partition", str(partition)),
             ("tandem_offset", str(offset)), ("tandem_detail", detail)]
    return {"key": f"{topic}/{partition}/{offset}", "value": value,
            "headers": [*headers, *own, ("tandem_reason", reason), *place]}


class Rejected(TestCase):
    def setUp(self):
        super().setUp()
        self.world.make_topics()

    def send_letters(self, *letters):
        self.world.produce(self.world.rejected, letters)

    def list(self, *options):
        return json.loads(self.world.must("rejected", "list", "--format", "json", *options))

    def keys(self, *options):
        return sorted(row["key"] for row in self.list(*options)["letters"])

    def letter_of(self, e, offset=0, topic=None, **more):
        topic = topic or self.world.sales
        return letter(topic, 0, offset, value=json.dumps(e), headers=HEADERS, **more)

    def resend(self, *args, **more):
        return self.world.run("rejected", "resend", *args, **more)

    def assert_sum(self, done, sent, delivered, refused, skipped):
        self.assertEqual(done.stderr.splitlines()[-1],
                         f"sent {sent}, delivered {delivered}, refused {refused}, "
                         f"skipped {skipped}", done.stderr)

    def values(self, topic):
        return [json.loads(r.value) for r in self.world.dump(topic).records]


class List(Rejected):
    def test_an_empty_topic_is_said_to_be_empty(self):
        out = self.world.must("rejected", "list")
        self.assertEqual(out, f"No rejected records in {self.world.rejected}.\n")

    def test_a_letter_that_came_twice_is_one(self):
        twice = self.letter_of(order(1))
        self.send_letters(twice, twice, self.letter_of(order(2), offset=1))
        listed = self.list()
        self.assertEqual(listed["records"], 2)
        self.assertEqual(len(listed["letters"]), 2)

    def test_reasons_are_counted_the_most_frequent_first(self):
        self.send_letters(*(letter("x", 0, i) for i in range(3)),
                          letter("x", 1, 0, reason="too_large"))
        reasons = [(r["reason"], r["records"]) for r in self.list()["reasons"]]
        self.assertEqual(reasons, [("bad_field", 3), ("too_large", 1)])
        out = self.world.must("rejected", "list")
        self.assertRegex(out, r"(?m)^bad_field +3 ")
        self.assertRegex(out, r"(?m)^all +4$")

    def test_a_table_names_place_reason_and_detail(self):
        self.send_letters(letter("x.sales", 2, 17, detail="data.net: must be a whole number"))
        self.assertRegex(self.world.must("rejected", "list"),
                         r"(?m)^20\S+Z +x\.sales/2/17 +bad_field +data\.net: must be a whole number$")

    def test_only_one_reason_when_asked(self):
        self.send_letters(letter("x", 0, 1), letter("x", 0, 2, reason="bad_json"))
        self.assertEqual(self.keys("--reason", "bad_json"), ["x/0/2"])

    def test_a_reason_that_does_not_exist_is_refused_with_the_nearest(self):
        done = self.world.run("rejected", "list", "--reason", "bad_fields")
        self.assertEqual(done.returncode, 2)
        self.assertIn("did you mean bad_field?", done.stderr)

    def test_only_the_newer_ones_when_asked(self):
        old = {**letter("x", 0, 1), "timestamp": 1600000000000}
        self.send_letters(old, letter("x", 0, 2))
        self.assertEqual(self.keys("--since", "1h"), ["x/0/2"])
        self.assertEqual(self.keys("--since", "2020-09-13"), ["x/0/1", "x/0/2"])
        self.assertEqual(self.keys("--since", "2020-09-14"), ["x/0/2"])

    def test_the_table_shows_the_newest_and_counts_all(self):
        self.send_letters(*({**letter("x", i % 3, i), "timestamp": 1600000000000 + i}
                            for i in range(50)))
        out = self.world.must("rejected", "list", "--limit", "2")
        self.assertEqual([line.split()[1] for line in out.splitlines()[1:3]], ["x/1/49", "x/0/48"])
        self.assertIn("and 48 older", out)
        self.assertRegex(out, r"(?m)^all +50$")

    def test_lines_of_json_hold_the_whole_record_when_asked(self):
        self.send_letters(letter("x", 0, 1, value="{ă", headers=[("h", "1")], key="c-1"),
                          letter("x", 0, 2, value=b"\xff"))
        rows = {row["key"]: row for row in map(json.loads, self.world.must(
            "rejected", "list", "--values", "--format", "ndjson").splitlines())}
        self.assertEqual(rows["x/0/1"]["value"], "{ă")
        self.assertEqual(rows["x/0/1"]["event_key"], "c-1")
        self.assertEqual(rows["x/0/1"]["headers"], [{"name": "h", "value": "1"}])
        self.assertEqual(rows["x/0/2"]["value_base64"], "/w==")

    def test_what_is_no_letter_is_passed_over_and_said(self):
        self.send_letters({"key": "x/0/1", "value": "{}"}, letter("x", 0, 2))
        done = self.world.run("rejected", "list")
        self.assertEqual(done.returncode, 0)
        self.assertIn("1 records of", done.stderr)
        self.assertEqual(self.keys(), ["x/0/2"])

    def test_open_are_those_whose_event_does_not_stand_in_its_topic(self):
        self.world.send_events([order(1), ticket(3)])
        self.send_letters(self.letter_of(order(1, net="10")), self.letter_of(order(2), offset=1),
                          self.letter_of(ticket(3), offset=2, topic=self.world.service),
                          letter(self.world.sales, 0, 3, value="{", reason="bad_json"))
        self.assertEqual(self.keys("--open"),
                         [f"{self.world.sales}/0/1", f"{self.world.sales}/0/3"])

    def test_words_of_another_verb_are_refused(self):
        for words in (["list", "--raw"], ["show", "x/0/1", "--open"], ["list", "x"], ["show"],
                      ["list", "--dry-run"], ["tell"], ["resend"], ["list", "--since", "later"],
                      ["resend", "x/0/1", "--reason", "bad_field"]):
            self.assertEqual(self.world.run("rejected", *words).returncode, 2, words)


class Show(Rejected):
    def test_a_record_is_shown_whole(self):
        value = '{"b":1.50,"a":{"net":1e999}}'
        self.send_letters(letter("x", 3, 7, value=value, headers=[("trace", "t-1")], key="c-9"))
        out = self.world.must("rejected", "show", "x/3/7")
        for words in ("bad_field", "data.net: wrong", "topic x, partition 3, offset 7", "c-9",
                      "trace: t-1", '  "b": 1.50,\n  "a": {\n    "net": 1e999\n'):
            self.assertIn(words, out)

    def test_what_is_no_json_is_shown_without_commands_for_the_terminal(self):
        self.send_letters(letter("x", 0, 1, value=b"\x1b[2J{\xc2\x9b", reason="bad_json"))
        out = self.world.must("rejected", "show", "x/0/1")
        self.assertIn("\\x1b[2J{\\u009b", out)

    def test_raw_is_the_value_byte_by_byte(self):
        self.send_letters(letter("x", 0, 1, value='{"a":1} \n'))
        self.assertEqual(self.world.must("rejected", "show", "--raw", "x/0/1"), '{"a":1} \n')

    def test_of_a_record_that_was_cut_the_original_is_named(self):
        cut = letter("x", 0, 1, value="{")
        cut["headers"].insert(0, ("tandem_truncated", "key 1, value 99999, headers 0"))
        self.send_letters(cut)
        self.assertIn("value 99999", self.world.must("rejected", "show", "x/0/1"))
        done = self.world.run("rejected", "show", "--raw", "x/0/1")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("offset 1 of partition 0 of topic x", done.stderr)

    def test_a_letter_that_is_not_there_is_an_error(self):
        done = self.world.run("rejected", "show", "x/0/1")
        self.assertEqual(done.returncode, 1)
        self.assertIn("x/0/1: no such letter", done.stderr)


class Resend(Rejected):
    def test_a_corrected_record_is_sent_with_its_id_under_its_key(self):
        bad = order(1, net="10", customer="c-7")
        self.send_letters(self.letter_of(bad, key="c-7"))
        key, = self.keys()
        text = self.world.must("rejected", "show", "--raw", key)
        path = self.world.write("f", text.replace('"10"', "10") + "\n")
        done = self.resend(key, path)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assert_sum(done, 1, 1, 0, 0)
        record, = self.world.dump(self.world.sales).records
        self.assertEqual(record.key, b"c-7")
        self.assertEqual(json.loads(record.value), {**bad, "data": {**bad["data"], "net": 10}})
        self.assertEqual(dict(record.headers)["content-type"], HEADERS[0][1].encode())

    def test_sent_again_twice_it_stands_there_once(self):
        self.send_letters(self.letter_of(order(1)))
        key, = self.keys()
        self.assert_sum(self.resend(key), 1, 1, 0, 0)
        again = self.resend(key)
        self.assertEqual(again.returncode, 0)
        self.assert_sum(again, 0, 0, 0, 1)
        self.assertEqual(len(self.values(self.world.sales)), 1)
        self.assertEqual(self.keys("--open"), [])
        self.assertEqual(self.keys(), [key])

    def test_one_event_in_two_letters_is_sent_once(self):
        self.send_letters(self.letter_of(order(1)), self.letter_of(order(1), offset=1))
        self.assert_sum(self.resend("--reason", "bad_field"), 1, 1, 0, 1)

    def test_what_is_still_wrong_is_refused_with_its_reason_and_the_others_go(self):
        self.send_letters(self.letter_of(order(1, net="10")), self.letter_of(order(2), offset=1))
        done = self.resend("--reason", "bad_field")
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{self.world.sales}/0/0: bad_field data.net: ", done.stderr)
        self.assert_sum(done, 1, 1, 1, 0)

    def test_one_reason_leaves_the_others_alone(self):
        self.send_letters(self.letter_of(order(1), reason="time_future"),
                          self.letter_of(order(2), offset=1))
        self.assert_sum(self.resend("--reason", "time_future"), 1, 1, 0, 0)
        self.assertEqual([e["subject"] for e in self.values(self.world.sales)], ["1"])

    def test_an_event_of_the_wrong_topic_goes_to_the_right_one(self):
        self.send_letters(self.letter_of(order(1), topic=self.world.service, reason="wrong_topic"))
        self.assert_sum(self.resend("--reason", "wrong_topic"), 1, 1, 0, 0)
        self.assertEqual(self.values(self.world.sales), [order(1)])
        self.assertEqual(self.values(self.world.service), [])

    def test_another_source_and_id_than_the_letters_are_refused(self):
        self.send_letters(self.letter_of(order(1, net="10")))
        key, = self.keys()
        other = {**order(1), "id": "another"}
        done = self.resend(key, "-", input=json.dumps(other))
        self.assertEqual(done.returncode, 1)
        self.assertIn("another source and id than the letter's", done.stderr)
        self.assertEqual(self.values(self.world.sales), [])

    def test_bad_json_may_become_any_event(self):
        self.send_letters(letter(self.world.sales, 0, 0, value="{", reason="bad_json"))
        self.assert_sum(self.resend(f"{self.world.sales}/0/0", "-", input=json.dumps(order(5))),
                        1, 1, 0, 0)

    def test_many_corrected_ones_come_from_one_file_as_text_or_object(self):
        bad = [order(n, net="10") for n in range(3)]
        self.send_letters(*(self.letter_of(e, offset=i) for i, e in enumerate(bad)))
        rows = [json.loads(line) for line in self.world.must(
            "rejected", "list", "--values", "--format", "ndjson").splitlines()]
        for row in rows:
            mended = json.loads(row["value"])
            mended["data"]["net"] = 10
            row["value"] = mended if row["offset"] else json.dumps(mended)
        path = self.world.write("f.ndjson", lines(rows))
        self.assert_sum(self.resend(path), 3, 3, 0, 0)
        self.assertEqual(sorted(e["data"]["net"] for e in self.values(self.world.sales)), [10] * 3)

    def test_binary_events_keep_their_headers(self):
        headers = [("content-type", "application/json"), ("ce_specversion", "1.0"),
                   ("ce_id", "b-1"), ("ce_source", "/b"), ("ce_type", "tandem.sale.completed.v1"),
                   ("ce_time", "2026-11-23T12:00:00Z"), ("ce_subject", "8"), ("trace", "t")]
        data = {"order": "8", "currency": "EUR", "net": "1"}
        self.send_letters(letter(self.world.sales, 0, 0, value=json.dumps(data), headers=headers))
        good = json.dumps({**data, "net": 1})
        self.assert_sum(self.resend(f"{self.world.sales}/0/0", "-", input=good), 1, 1, 0, 0)
        record, = self.world.dump(self.world.sales).records
        self.assertEqual(record.headers, [(n, v.encode()) for n, v in headers])
        self.assertEqual((record.key, record.value), (b"8", good.encode()))

    def test_a_dry_run_sends_nothing(self):
        self.send_letters(self.letter_of(order(1)))
        done = self.resend("--reason", "bad_field", "--dry-run")
        self.assertEqual(done.returncode, 0)
        self.assertEqual(done.stderr.splitlines()[-1], "good 1, refused 0, skipped 0 (dry run)")
        self.assertEqual(self.values(self.world.sales), [])

    def test_what_was_cut_or_comes_from_elsewhere_or_is_not_there_is_refused(self):
        cut = self.letter_of(order(1))
        cut["headers"].insert(1, ("tandem_truncated", "key 1, value 99999, headers 0"))
        self.send_letters(cut, self.letter_of(order(2), topic="elsewhere"))
        done = self.resend(f"{self.world.sales}/0/0", "elsewhere/0/0", "elsewhere/0/1")
        self.assertEqual(done.returncode, 1)
        for words in ("only a part of it was kept", "neither topics.sales nor topics.service",
                      "elsewhere/0/1: no such letter"):
            self.assertIn(words, done.stderr)
        self.assert_sum(done, 0, 0, 3, 0)


class WithAWorker(Rejected):
    """From a producer's mistake to the mended count."""

    def worker(self):
        self.assertEqual(self.world.start("sales-worker", "--exit-at-end").wait(60), 0)

    def test_a_rejected_order_counts_after_it_was_mended(self):
        self.world.send_events([order(1), order(2, net="1000"), order(3, net=-5)])
        self.worker()
        day = self.world.key("sale:day:2026-11-23:all")
        self.assertEqual(self.world.redis.hash(day)["orders"], "1")
        rows = {row["reason"]: row for row in self.list()["letters"]}
        self.assertEqual(set(rows), {"bad_field", "amount_range"})
        self.assertEqual(rows["amount_range"]["detail"].split(":")[0], "data.net")
        key = rows["bad_field"]["key"]
        text = self.world.must("rejected", "show", "--raw", key).replace('"1000"', "1000")
        self.assert_sum(self.resend(key, "-", input=text), 1, 1, 0, 0)
        self.worker()
        self.assertEqual(self.world.redis.hash(day)["orders"], "2")
        self.assertEqual(self.keys("--open"), [rows["amount_range"]["key"]])


main()
