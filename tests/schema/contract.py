"""What the schemas say about an event, in the words of the decoder.

A JSON Schema validator finds everything that is wrong; the decoder names the first. The members
of every schema stand in the order in which the decoder checks them, so the first can be told.
"""

import json
import pathlib
import re

from jsonschema import Draft202012Validator, ValidationError, validators

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCHEMAS = ROOT / "schemas"

FILES = {path.name: json.loads(path.read_text(encoding="utf-8"))
         for path in sorted(SCHEMAS.glob("*.json")) if not path.name.endswith(".openapi.json")}


def _ecma_pattern(validator, pattern, instance, schema):
    """Patterns are ECMA-262, where $ is the very end; Python's also stands before a last \\n."""
    if validator.is_type(instance, "string") and \
            not re.search(re.sub(r"(?<!\\)\$", r"\\Z", pattern), instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


_types = Draft202012Validator.TYPE_CHECKER
_Validator = validators.extend(Draft202012Validator, {"pattern": _ecma_pattern})
# JSON Schema holds 1.0 for an integer, tandem does not.
_Spelling = validators.extend(_Validator, type_checker=_types.redefine(
    "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)))


# A $schema would call in the library's own validator, without the two rules above.
_BY_ID = {body["$id"]: {name: value for name, value in body.items() if name != "$schema"}
          for body in FILES.values()}


def _validator_of(kind, reference):
    schema = {"$ref": "https://tandem.example/schemas/" + reference}
    try:
        from referencing import Registry
        from referencing.jsonschema import DRAFT202012
        return kind(schema, registry=Registry().with_resources(
            (name, DRAFT202012.create_resource(body)) for name, body in _BY_ID.items()))
    except ImportError:  # Debian 12 has jsonschema 4.10, from before that library
        from jsonschema import RefResolver
        return kind(schema, resolver=RefResolver("", schema, store=dict(_BY_ID)))


_made = {}


def validator(reference, exact_integers=False):
    """A validator for "event.json#/$defs/sales"."""
    key = (reference, exact_integers)
    if key not in _made:
        _made[key] = _validator_of(_Spelling if exact_integers else _Validator, reference)
    return _made[key]


class Finding:
    """One thing that is wrong, where, and when the decoder comes to it."""

    def __init__(self, reason, field, doc, rank=None):
        self.reason = reason
        self.field = field
        self.rank = rank or rank_of(field, doc)

    def __repr__(self):
        return f"{self.reason} {self.field or ''}"

    def __lt__(self, other):  # of two in one field, a value that is no value at all comes first
        return (self.rank, self.reason != "bad_field") < (other.rank, other.reason != "bad_field")


ATTRIBUTES = list(FILES["envelope.json"]["$defs"]["identity"]["properties"]) + \
    list(FILES["envelope.json"]["properties"])
_COMMON = list(FILES["common.json"]["$defs"]["people"]["properties"])
_ITEM = list(FILES["sale.completed.json"]["$defs"]["item"]["properties"])
AFTER_ATTRIBUTES = (ATTRIBUTES.index("data") - 0.5,)       # time_future
AFTER_FIELDS = (len(ATTRIBUTES),)                          # sums, subject


def name_of(doc):
    """"sale.completed" of a document whose type is known, else None."""
    kind = doc.get("type")
    found = re.fullmatch(r"tandem\.((?:sale|service)\.[a-z]+)\.v[0-9]+", kind) \
        if isinstance(kind, str) else None
    return found[1] if found and found[1] + ".json" in FILES else None


def data_schema(doc):
    return FILES[name_of(doc) + ".json"]


def rank_of(field, doc):
    parts = [int(part) if part.isdigit() else part
             for part in re.findall(r"[^.\[\]]+", field)] if field else []
    if not parts:
        return (-1,)
    rank = [ATTRIBUTES.index(parts[0])]
    if len(parts) > 1:
        rank.append((_COMMON + list(data_schema(doc)["properties"])).index(parts[1]))
    if len(parts) > 2 and parts[1] == "items":
        rank.append(parts[2])
        rank.extend(_ITEM.index(part) for part in parts[3:])
    return tuple(rank)


def _path(parts):
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)[1:]


def _fields(error):
    path = list(error.absolute_path)
    if error.validator == "required":
        absent = [name for name in error.validator_value if name not in error.instance]
        return [_path(path + [name]) for name in absent]
    return [_path(path)]


def _reason(error, field, doc):
    if field == "data_base64":
        return "format_unsupported"
    if field == "data":
        return "data_missing"
    if error.validator == "required":
        return "missing_field"
    if field == "type" and error.validator == "enum":
        return "wrong_topic" if doc["type"].endswith(".v1") else "version_unsupported"
    if field == "data.currency" and error.validator == "anyOf":
        return "currency_unknown"
    if error.schema.get("title") == "money":
        return "amount_range"
    return "bad_field"


def _findings(reference, doc, exact_integers):
    return [Finding(_reason(error, field, doc), field, doc)
            for error in validator(reference, exact_integers).iter_errors(doc)
            for field in _fields(error)]


def judge(doc, topic, exact_integers=False):
    """(verdict, findings in the decoder's order) of a parsed document, by the schemas alone."""
    findings = _findings("envelope.json#/$defs/identity", doc, exact_integers)
    if not findings and not validator("envelope.json#/$defs/known").is_valid(doc):
        return "ignored", []
    if not findings:
        side = "sales" if topic == "tandem.sales" else "service"
        findings = _findings("event.json#/$defs/" + side, doc, exact_integers)
    return ("rejected" if findings else "valid"), sorted(findings)
