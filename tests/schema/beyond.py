"""What a schema cannot say, one function a rule; schemas/README.md lists the same in words.

A rule gets what it is about and returns the findings that the schemas have no words for. RULES
names with each rule the examples that show it: documents that the schemas accept, or that never
become a document, and that the decoder must reject for the rule's reason.
"""

import datetime
import json
import re

import contract
from contract import AFTER_ATTRIBUTES, AFTER_FIELDS, Finding

RECORD_BYTES = 65536
DEPTH = 8
FUTURE_MS = 300000


# Of the bytes: a record becomes a document, or it does not.

class Unreadable(Exception):
    """The record never becomes a document; args: reason, rule."""


def media_type(value):
    return value.split(b";")[0].strip(b" \t").lower()


def mode_of(headers):
    if "content-type" in headers:
        media = media_type(headers["content-type"])
        if media in (b"application/cloudevents", b"application/cloudevents+json"):
            return "structured"
        if media.startswith(b"application/cloudevents"):
            raise Unreadable("format_unsupported", "other_formats")
        return "binary"
    return "binary" if "ce_specversion" in headers else "unknown"


def _no_constant(name):
    raise ValueError(name + " is not JSON")


class _Names:
    """Notes a name that stands twice, instead of losing one of its values silently."""

    def __init__(self):
        self.repeated = False

    def __call__(self, pairs):
        found = dict(pairs)
        self.repeated = self.repeated or len(found) < len(pairs)
        return found


def depth_of(value):
    if not isinstance(value, (dict, list)):
        return 0
    return 1 + max(map(depth_of, value.values() if isinstance(value, dict) else value), default=0)


def parse(value):
    """(document, a name stands twice); ValueError when it is not JSON."""
    names = _Names()
    text = value.decode("utf-8")
    if text.startswith("\ufeff"):
        raise ValueError("byte-order mark")
    doc = json.loads(text, parse_constant=_no_constant, object_pairs_hook=names)
    json.dumps(doc, ensure_ascii=False).encode("utf-8")  # a lone surrogate cannot be encoded
    return doc, names.repeated


def document_of(record):
    """The event of a record with all its attributes, in either mode. Raises Unreadable."""
    headers = dict(record.headers)
    if record.bytes > RECORD_BYTES:
        raise Unreadable("too_large", "size")
    mode = mode_of(headers)
    try:
        doc, repeated = parse(record.value)
    except ValueError:
        raise Unreadable("not_cloudevent" if mode == "unknown" else "bad_json",
                         "no_headers" if mode == "unknown" else "not_json") from None
    named = isinstance(doc, dict) and isinstance(doc.get("specversion"), str)
    if mode == "unknown" and not named:
        raise Unreadable("not_cloudevent", "no_headers")
    if depth_of(doc) > DEPTH:
        raise Unreadable("bad_json", "depth")
    if not isinstance(doc, dict):
        raise Unreadable("bad_json", "not_object")
    if repeated and (mode == "binary" or "data_base64" not in doc):
        raise Unreadable("duplicate_key", "duplicate_key")
    return doc if mode != "binary" else _from_headers(headers, doc)


def _from_headers(headers, data):
    doc = {"data": data}
    for name in contract.ATTRIBUTES:
        header = "content-type" if name == "datacontenttype" else "ce_" + name
        if header in headers and name not in ("data", "data_base64"):
            try:
                doc[name] = headers[header].decode("utf-8")
            except UnicodeDecodeError:
                doc[name] = None  # no text, as null is none
    return doc


# Of the document.

def _text(value):
    return value if isinstance(value, str) else ""


def _data(doc):
    return doc["data"] if isinstance(doc.get("data"), dict) else {}


def _items(doc):
    items = _data(doc).get("items") if contract.name_of(doc) == "sale.completed" else None
    return items if isinstance(items, list) else []


def _ref_names(doc):
    """The members of data that are refs; the first is the one that equals the subject."""
    return [name for name, rule in contract.data_schema(doc)["properties"].items()
            if rule.get("$ref") == "common.json#/$defs/ref"]


def _refs(doc):
    """The texts whose length counts in bytes: (field, text, most bytes)."""
    yield "id", _text(doc.get("id")), 128
    yield "source", _text(doc.get("source")), 256
    if not contract.name_of(doc):
        return
    yield "subject", _text(doc.get("subject")), 128
    for name in _ref_names(doc):
        yield "data." + name, _text(_data(doc).get(name)), 128
    for i, item in enumerate(_items(doc)):
        if isinstance(item, dict):
            yield f"data.items[{i}].sku", _text(item.get("sku")), 128


def byte_length(doc, timestamp):
    return [Finding("bad_field", field, doc) for field, text, most in _refs(doc)
            if len(text) <= most < len(text.encode("utf-8"))]


def _is_date(text):
    try:
        datetime.date.fromisoformat(text)
        return True
    except ValueError:
        return False


def calendar(doc, timestamp):
    found = []
    if not _is_date(_text(doc.get("time"))[:10]):
        found.append(Finding("bad_field", "time", doc))
    if contract.name_of(doc) == "service.claimed" and \
            not _is_date(_text(_data(doc).get("purchased"))):
        found.append(Finding("bad_field", "data.purchased", doc))
    return found


def time_ms(text):
    whole, fraction, offset = re.fullmatch(r"(.{19})(?:\.(\d+))?(.*)", text.upper()).groups()
    at = datetime.datetime.fromisoformat(whole + (offset if offset != "Z" else "+00:00"))
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    cut_ms = int((fraction or "").ljust(3, "0")[:3])
    return (at - epoch) // datetime.timedelta(seconds=1) * 1000 + cut_ms


def future(doc, timestamp):
    if timestamp is None or timestamp < 0 or time_ms(doc["time"]) <= timestamp + FUTURE_MS:
        return []
    return [Finding("time_future", "time", doc, AFTER_ATTRIBUTES)]


def warranty_units(doc, timestamp):
    if contract.name_of(doc) != "sale.completed":
        return []
    default = sum(item["qty"] for item in _items(doc)) if _items(doc) else 1
    if doc["data"].get("warranty_units", 0) <= doc["data"].get("units", default):
        return []
    return [Finding("bad_field", "data.warranty_units", doc, AFTER_FIELDS + (0,))]


def subject(doc, timestamp):
    if doc["data"][_ref_names(doc)[0]] == doc["subject"]:
        return []
    return [Finding("subject_mismatch", "subject", doc, AFTER_FIELDS + (1,))]


def amounts(doc, timestamp):
    data, items = doc["data"], _items(doc)
    if items and sum(item["net"] for item in items) != data["net"]:
        return [Finding("amount_mismatch", "data.net", doc, AFTER_FIELDS + (2,))]
    if items and "cost" in data and all("cost" in item for item in items) and \
            sum(item["cost"] for item in items) != data["cost"]:
        return [Finding("amount_mismatch", "data.cost", doc, AFTER_FIELDS + (3,))]
    return []


def _has_round_float(value):
    if isinstance(value, (dict, list)):
        return any(map(_has_round_float, value.values() if isinstance(value, dict) else value))
    return isinstance(value, float) and value.is_integer()


def spelling(doc, topic, said):
    """1.0 and 1e2 are integers to a schema. `said`: what the schemas found without this rule."""
    known = {finding.field for finding in said}
    if not _has_round_float(doc):
        return []
    return [finding for finding in contract.judge(doc, topic, exact_integers=True)[1]
            if finding.field not in known]


def findings(doc, topic, timestamp, verdict, said):
    """Everything the schemas have no words for. verdict, said: what they had (contract.judge)."""
    found = byte_length(doc, timestamp)
    if verdict == "ignored" or any(finding.rank < _TIME for finding in said):
        return found
    found += spelling(doc, topic, said)
    named = {finding.field for finding in said + found}
    found += [finding for finding in calendar(doc, timestamp) if finding.field not in named]
    if not any(finding.field == "time" for finding in said + found):
        found += future(doc, timestamp)
    # Sums and the subject are looked at only when every member of data is right by itself.
    if any(_DATA <= finding.rank for finding in said + found):
        return found
    if not any(finding.field == "subject" for finding in said + found):
        found += subject(doc, timestamp)
    return found + warranty_units(doc, timestamp) + amounts(doc, timestamp)


_TIME = (contract.ATTRIBUTES.index("time"),)
_DATA = (contract.ATTRIBUTES.index("data"),)

RULES = {
    # rule: (reason, examples that show it)
    "size": ("too_large", ()),  # made by the test: a file of 65,537 bytes teaches nobody
    "other_formats": ("format_unsupported", (
        "a-batch-of-events-is-not-read", "cloudevents-in-avro-is-not-read",
        "cloudevents-protobuf-with-parameters-is-not-read")),
    "no_headers": ("not_cloudevent", (
        "without-headers-an-object-without-specversion-is-no-cloudevent",
        "without-headers-a-specversion-that-is-a-number-is-no-cloudevent",
        "without-headers-an-empty-value-is-no-cloudevent")),
    "not_json": ("bad_json", (
        "a-byte-order-mark-is-bad-json", "invalid-utf-8-is-bad-json", "nan-is-bad-json",
        "a-lone-surrogate-escape-is-bad-json", "bytes-after-the-object-are-bad-json",
        "an-empty-structured-value-is-not-json")),
    "depth": ("bad_json", (
        "nine-levels-are-too-deep", "binary-data-of-nine-levels-is-too-deep")),
    "not_object": ("bad_json", ("binary-data-must-be-an-object", "an-array-is-not-an-event")),
    "duplicate_key": ("duplicate_key", (
        "a-name-twice-in-the-event-is-refused", "a-name-twice-with-another-spelling-is-refused",
        "a-name-twice-in-binary-data-is-refused")),
    "byte_length": ("bad_field", (
        "id-of-65-characters-of-two-bytes-is-too-long",
        "an-order-of-65-two-byte-characters-is-too-long")),
    "calendar": ("bad_field", (
        "the-30th-of-february-is-no-time", "the-29th-of-february-of-a-common-year-is-no-time",
        "the-31st-of-november-is-no-time",
        "purchased-as-the-29th-of-february-1900-is-no-date")),
    "future": ("time_future", (
        "a-time-300-seconds-and-a-millisecond-ahead-is-in-the-future",
        "a-record-time-stamp-of-zero-is-1970")),
    "spelling": ("bad_field", (
        "money-as-1-0-is-bad", "money-as-1e2-is-bad", "a-score-with-a-point-zero-is-bad")),
    "warranty_units": ("bad_field", (
        "more-warranty-units-than-units-are-bad",
        "two-warranty-units-without-units-are-more-than-the-default-of-one",
        "more-warranty-units-than-the-sum-of-qty-are-bad")),
    "subject": ("subject_mismatch", (
        "sale-completed-with-another-subject-is-a-mismatch",
        "service-rated-with-another-subject-is-a-mismatch")),
    "amounts": ("amount_mismatch", (
        "items-that-do-not-add-up-to-net-are-a-mismatch",
        "item-costs-that-do-not-add-up-to-cost-are-a-mismatch")),
}
