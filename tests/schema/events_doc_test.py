"""docs/events.md and schemas/asyncapi.yaml say what the schemas and the decoder do."""

import json
import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import contract  # noqa: E402
import decoders  # noqa: E402
from contract import FILES, ROOT, SCHEMAS  # noqa: E402
from decoders import Answer, Record, answers_of  # noqa: E402

TEXT = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")


def section(heading):
    found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^##|\Z)", TEXT, re.M | re.S)
    if not found:
        raise AssertionError(f"docs/events.md has no section {heading}")
    return found[1]


def tables(text):
    """Each table as its rows of cells, without the heading."""
    found = re.findall(r"^\|.*\|\n\|[-|]+\|\n((?:\|.*\|\n)+)", text, re.M)
    return [[[cell.strip() for cell in line.strip("|\n").split("|")] for line in table.splitlines()]
            for table in found]


def value_of(rule):
    """A member's second cell, of its schema."""
    if "enum" in rule:
        return " ".join(f"`{word}`" for word in rule["enum"])
    name = rule.get("$ref", "").split("/")[-1].removesuffix(".json")
    if name:
        return f"{name} >= {rule['minimum']}" if "minimum" in rule else name
    if rule["type"] == "integer" and "minimum" in rule:
        return f"integer {rule['minimum']}-{rule['maximum']}"
    return {"boolean": "bool", "array": "items"}.get(rule["type"], rule["type"])


def rows_of(schema):
    required = schema.get("required", [])
    return [[f"`{name}`", value_of(rule) + (", required" if name in required else ""),
             rule["description"]] for name, rule in schema["properties"].items()]


class EventsDoc(unittest.TestCase):
    maxDiff = None

    def test_every_json_example_is_a_valid_event(self):
        examples = re.findall(r"^```json\n(.*?)^```", TEXT, re.M | re.S)
        self.assertGreater(len(examples), 1)
        for text in examples + re.findall(r"^(\{.*\})$", TEXT, re.M):
            with self.subTest(text[:60]):
                topic = "tandem.sales" if ".sale." in text else "tandem.service"
                record = Record(topic, None, None, [], text.encode())
                self.assertEqual([Answer("valid", None, None)], answers_of(decoders.C, [record]))

    def test_the_kcat_example_sends_the_expected_key(self):
        key, text = re.search(r"kcat -P .* -k (\S+) .*<<'END'\n(.*)\nEND\n", TEXT, re.S).groups()
        self.assertNotIn("\n", text)
        event = json.loads(text)
        self.assertEqual(key, event["data"].get("customer", event["subject"]))

    def test_every_type_has_the_members_of_its_schema(self):
        types = [name[:-5] for name in FILES if name.startswith(("sale.", "service."))]
        self.assertEqual(11, len(types))
        for name in types:
            with self.subTest(name):
                self.assertEqual(rows_of(FILES[name + ".json"]), tables(section(f"`{name}`"))[0])
        self.assertEqual(sorted(types), sorted(re.findall(r"^### `(.*)`", TEXT, re.M)))

    def test_items_and_common_members_are_those_of_their_schemas(self):
        self.assertEqual(rows_of(FILES["sale.completed.json"]["$defs"]["item"]),
                         tables(section("`sale.completed`"))[1])
        self.assertEqual(rows_of(FILES["common.json"]["$defs"]["people"]),
                         tables(section("Types"))[0])

    def test_the_envelope_has_the_attributes_of_its_schema(self):
        envelope = FILES["envelope.json"]
        required = envelope["required"] + envelope["$defs"]["identity"]["required"]
        self.assertEqual([[f"`{name}`", "required" if name in required else ""]
                          for name in contract.ATTRIBUTES if name != "data_base64"],
                         [row[:2] for row in tables(section("Envelope"))[0]])

    def test_the_reasons_are_the_closed_list(self):
        rows = tables(section("What is rejected, and how to mend it"))[0]
        self.assertEqual(sorted(FILES["rejected.json"]["$defs"]["reason"]["enum"]),
                         sorted(row[0].strip("`") for row in rows))

    def test_ranges_in_words_are_those_of_the_schemas(self):
        rows = {row[0]: row[1] for row in tables(section("Values"))[0]}
        defs = FILES["common.json"]["$defs"]
        for name in ("count", "secs", "money"):
            self.assertIn(f"{defs[name]['maximum']:,}", rows[name])
        self.assertIn(f"1-{defs['slug']['maxLength']} ", rows["slug"])
        self.assertIn(f"1-{defs['ref']['maxLength']} ", rows["ref"])


class References(unittest.TestCase):
    def resolve(self, reference, base):
        name, _, pointer = reference.partition("#")
        found = FILES[(name or base).rsplit("/", 1)[-1]]
        for step in pointer.strip("/").split("/") if pointer else []:
            found = found[step]
        return found

    def test_every_reference_of_every_schema_resolves_here(self):
        for name, body in FILES.items():
            for reference in re.findall(r'"\$ref": "([^"]*)"', json.dumps(body)):
                with self.subTest(file=name, reference=reference):
                    self.resolve(reference, name)

    def test_every_schema_is_a_schema_and_is_named_after_its_file(self):
        from jsonschema import Draft202012Validator
        for name, body in FILES.items():
            with self.subTest(name):
                Draft202012Validator.check_schema(body)
                self.assertEqual("https://json-schema.org/draft/2020-12/schema", body["$schema"])
                self.assertTrue(body["$id"].endswith("/" + name), body["$id"])

    def test_asyncapi_names_the_topics_and_refers_to_what_is_there(self):
        text = (SCHEMAS / "asyncapi.yaml").read_text(encoding="utf-8")
        self.assertEqual(["tandem.sales", "tandem.service", "tandem.rejected", "tandem.comparison",
                          "tandem.verdicts"],
                         re.findall(r"^    address: (.*)$", text, re.M))
        references = re.findall(r"\$ref: '([^']*)'", text)
        self.assertGreater(len(references), 20)
        for reference in references:
            with self.subTest(reference):
                if reference.startswith("#/"):
                    self.assertRegex(text, rf"\n +{reference.rsplit('/', 1)[1]}:")
                else:
                    self.resolve(reference, reference)


if __name__ == "__main__":
    unittest.main()
