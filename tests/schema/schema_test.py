"""Schemas, C decoder, Python decoder and the stated verdicts hold one opinion of every event.

Run by hand: python3 tests/schema/schema_test.py, after `make`; TANDEM_BUILD names the build
folder, default build.
"""

import collections
import itertools
import json
import pathlib
import random
import re
import string
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import beyond  # noqa: E402
import contract  # noqa: E402
import decoders  # noqa: E402
from contract import SCHEMAS  # noqa: E402
from decoders import Answer, Record, answers_of, comparable  # noqa: E402
from mutate import Mutator  # noqa: E402

MUTATED = 20000
SEED = 20261123

Opinion = collections.namedtuple("Opinion", "schema answer rule")


def opinion_of(record):
    """What the schemas say, and what they and the rules beyond them expect of the decoder.

    rule: the answer needs a rule beyond the schemas."""
    if record.value is None:
        return Opinion(None, Answer("tombstone", None, None), True)
    try:
        doc = beyond.document_of(record)
    except beyond.Unreadable as why:
        return Opinion(None, Answer("rejected", why.args[0], None), True)
    verdict, said = contract.judge(doc, record.topic)
    more = beyond.findings(doc, record.topic, record.timestamp, verdict, said)
    first = min(said + more, default=None)
    answer = Answer("rejected", first.reason, first.field) if first else Answer(verdict, None, None)
    return Opinion(verdict, answer, bool(more) and first in more)


EXAMPLES = {path.stem: json.loads(path.read_text(encoding="utf-8"))
            for path in sorted((SCHEMAS / "examples").glob("*.json"))}


def readable(record):
    return f"{record.headers} {(record.value or b'').decode('utf-8', 'replace')[:3000]}"


class Case(unittest.TestCase):
    maxDiff = None

    def assert_same(self, records, what, left, right):
        """left and right answer alike of every record."""
        wrong = [f"{what}: {a} and {b} of {readable(record)}"
                 for record, a, b in zip(records, left, right)
                 if comparable(a) != comparable(b)]
        self.assertFalse(wrong, f"{len(wrong)} differ, the first:\n" + "\n".join(wrong[:5]))


class Examples(Case):
    @classmethod
    def setUpClass(cls):
        cls.records = [Record.of_example(example) for example in EXAMPLES.values()]
        cls.decoded = dict(zip(EXAMPLES, answers_of(decoders.C, cls.records)))

    def test_an_example_holds_what_schemas_readme_says(self):
        for name, example in EXAMPLES.items():
            with self.subTest(name):
                members = {"topic", "timestamp", "headers", "verdict", "reason"}
                self.assertLessEqual(members, set(example))
                self.assertEqual(1, len({"key", "key_base64"} & set(example)))
                self.assertEqual(1, len({"value", "value_base64"} & set(example)))
                self.assertEqual(example["verdict"] == "rejected", example["reason"] is not None)

    def test_the_decoder_gives_the_stated_verdict_reason_and_field(self):
        for name, example in EXAMPLES.items():
            with self.subTest(name):
                found = self.decoded[name]
                self.assertEqual((example["verdict"], example["reason"]), found[:2], found)
                if "field" in example:
                    self.assertEqual(example["field"], found.field)

    def test_the_schemas_with_the_rules_beyond_them_give_the_stated_verdict(self):
        for (name, example), record in zip(EXAMPLES.items(), self.records):
            with self.subTest(name):
                found = opinion_of(record).answer
                self.assertEqual((example["verdict"], example["reason"]), found[:2], found)
                if "field" in example:
                    self.assertEqual(example["field"], found.field)

    def test_the_python_decoder_agrees_with_the_c_decoder(self):
        self.assert_same(self.records, "C and Python", list(self.decoded.values()),
                         answers_of(decoders.PYTHON, self.records))

    def test_every_type_has_good_examples_and_every_reason_a_bad_one(self):
        good = collections.Counter()
        for example, record in zip(EXAMPLES.values(), self.records):
            if example["verdict"] == "valid":
                good[contract.name_of(beyond.document_of(record))] += 1
        types = {name[:-5] for name in contract.FILES if name.startswith(("sale.", "service."))}
        self.assertEqual(types, {name for name in good if good[name] >= 2})
        reasons = set(contract.FILES["rejected.json"]["$defs"]["reason"]["enum"]) - {"too_large"}
        self.assertEqual(reasons, {e["reason"] for e in EXAMPLES.values()} - {None})
        self.assertEqual({"valid", "rejected", "ignored", "tombstone"},
                         {e["verdict"] for e in EXAMPLES.values()})


class BeyondTheSchema(Case):
    def test_what_a_schema_cannot_say_is_rejected_by_the_decoder_alone(self):
        for rule, (reason, names) in beyond.RULES.items():
            for name in names:
                with self.subTest(rule=rule, example=name):
                    record = Record.of_example(EXAMPLES[name])
                    said = opinion_of(record)
                    self.assertIn(said.schema, (None, "valid"), "the schema can say it")
                    self.assertEqual(reason, answers_of(decoders.C, [record])[0].reason)

    def test_the_readme_lists_every_rule(self):
        text = (SCHEMAS / "README.md").read_text(encoding="utf-8")
        listed = re.findall(r"^\| `(\w+)` \| `(\w+)` \|", text, re.M)
        self.assertEqual([(rule, reason) for rule, (reason, _) in beyond.RULES.items()], listed)

    def sized(self, size, headers):
        doc = json.loads(EXAMPLES["sale-completed-with-required-members-only-is-valid"]["value"])
        record = Record.structured(doc, "tandem.sales", None)
        record.headers = record.headers + headers
        record.value += b" " * (size - record.bytes)
        self.assertEqual(size, record.bytes)
        return record

    def test_65536_bytes_are_read_and_one_more_is_too_large(self):
        more = [[], [("x", b"y" * 1000)], [("empty", b""), ("x", b"")]]
        records = [self.sized(size, headers) for headers in more for size in (65536, 65537)]
        expected = [Answer("valid", None, None), Answer("rejected", "too_large", None)] * len(more)
        for command in (decoders.C, decoders.PYTHON):
            self.assertEqual([e[:2] for e in expected],
                             [found[:2] for found in answers_of(command, records)])
        self.assertEqual(expected, [opinion_of(record).answer for record in records])

    def test_what_is_too_large_is_not_read_at_all(self):
        records = [self.sized(65537, [("content-type", b"application/cloudevents-batch+json")])]
        records[0].value = b"\xff" + records[0].value[1:]
        self.assertEqual("too_large", answers_of(decoders.C, records)[0].reason)

    def test_every_code_of_three_letters_is_a_currency_or_not_alike(self):
        doc = json.loads(EXAMPLES["sale-completed-with-required-members-only-is-valid"]["value"])
        codes = ["".join(code) for code in itertools.product(string.ascii_uppercase, repeat=3)]
        records = []
        for code in codes:
            doc["data"]["currency"] = code
            records.append(Record.structured(doc, "tandem.sales", None))
        defs = contract.FILES["currency.json"]["$defs"]
        known = {code for name in defs if name != "code" for code in defs[name]["enum"]}
        expected = [Answer("valid", None, None) if code in known else
                    Answer("rejected", "currency_unknown", "data.currency") for code in codes]
        self.assert_same(records, "schema and C", expected, answers_of(decoders.C, records))
        self.assert_same(records, "schema and Python", expected,
                         answers_of(decoders.PYTHON, records))


class Mutated(Case):
    """Documents nobody thought of, the same ones each time."""

    @classmethod
    def setUpClass(cls):
        by_type = collections.defaultdict(list)
        for example in EXAMPLES.values():
            record = Record.of_example(example)
            if example["verdict"] == "valid" and record.timestamp:
                doc = beyond.document_of(record)
                if "Infinity" in json.dumps(doc):  # Python cannot write 1e999 again
                    continue
                by_type[contract.name_of(doc)].append((doc, record.topic, record.timestamp))
        cls.random = random.Random(SEED)
        types = sorted(by_type)
        mutator = Mutator(cls.random, [doc for kind in types for doc, _, _ in by_type[kind]])
        cls.records = []
        while len(cls.records) < MUTATED:
            doc, topic, timestamp = cls.random.choice(by_type[cls.random.choice(types)])
            cls.records.append(cls.record_of(mutator.mutate(doc), topic, timestamp))
        cls.opinions = [opinion_of(record) for record in cls.records]
        cls.decoded = answers_of(decoders.C, cls.records)

    @classmethod
    def record_of(cls, doc, topic, timestamp):
        """In binary mode now and then, when the document can be said in it."""
        attributes = [doc[name] for name in contract.ATTRIBUTES if name in doc and name != "data"]
        sayable = all(isinstance(value, str) for value in attributes) and "specversion" in doc \
            and isinstance(doc.get("data"), dict) and "data_base64" not in doc
        if sayable and cls.random.random() < 0.15:
            return Record.binary(doc, topic, timestamp)
        return Record.structured(doc, topic, timestamp, escape=cls.random.random() < 0.3)

    def test_validator_and_c_decoder_accept_the_same_documents(self):
        """Where they part, a named rule beyond the schema says why; that is the smaller part."""
        beyond_it = collections.Counter()
        wrong = []
        for record, said, found in zip(self.records, self.opinions, self.decoded):
            if said.schema == found.verdict:
                continue
            if said.rule and comparable(said.answer) == comparable(found):
                beyond_it[found.reason + " " + re.sub(r"\[\d+\]", "[]", found.field or "")] += 1
            else:
                wrong.append(f"{said} and {found} of {readable(record)}")
        self.assertFalse(wrong, f"{len(wrong)} differ, the first:\n" + "\n".join(wrong[:5]))
        self.tell(beyond_it)
        self.assertLess(sum(beyond_it.values()), MUTATED // 5)

    def tell(self, beyond_it):
        verdicts = collections.Counter(found.verdict for found in self.decoded)
        total = sum(beyond_it.values())
        print(f"\n{MUTATED} mutated documents: {dict(verdicts)}; beyond the schema: {total} "
              f"({100 * total / MUTATED:.1f} %): {dict(beyond_it.most_common())}")

    def test_the_first_finding_is_the_decoders_reason_and_field(self):
        self.assert_same(self.records, "schema and C", [said.answer for said in self.opinions],
                         self.decoded)

    def test_the_python_decoder_agrees_with_the_c_decoder(self):
        self.assert_same(self.records, "C and Python", self.decoded,
                         answers_of(decoders.PYTHON, self.records))

    def test_the_documents_meet_every_reason_that_values_can_have(self):
        reasons = {found.reason for found in self.decoded}
        self.assertLessEqual({"missing_field", "bad_field", "data_missing", "amount_range",
                              "amount_mismatch", "currency_unknown", "time_future",
                              "subject_mismatch", "version_unsupported", "wrong_topic",
                              "format_unsupported"}, reasons)
        verdicts = collections.Counter(found.verdict for found in self.decoded)
        self.assertGreater(verdicts["valid"], MUTATED // 5)
        self.assertGreater(verdicts["rejected"], MUTATED // 5)
        self.assertGreater(verdicts["ignored"], 0)


if __name__ == "__main__":
    unittest.main()
