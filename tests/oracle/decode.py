"""One record of the log -> whether it counts, and if not, why not.

The checks stand in the order in which docs/events.md lists them; the first that holds decides.
"""

import base64
import datetime
import functools
import re

import strict_json

MAX_RECORD_BYTES = 65536
MAX_DEPTH = 8
MAX_MONEY = 10 ** 12
MAX_FUTURE_MS = 300 * 1000
INT64 = range(-2 ** 63, 2 ** 63)

CURRENCIES = frozenset("""
    BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF
    BHD IQD JOD KWD LYD OMR TND CLF UYW
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD
    CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS
    GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD
    LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB
    PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP
    SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW
    ZWG""".split())

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_SLUG = re.compile(r"[A-Za-z0-9._-]{1,64}")
_TYPE = re.compile(r"(.*)\.v([0-9]+)", re.DOTALL)
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})"
    r"(?:\.([0-9]{1,9}))?(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))")
_EPOCH_DAY = datetime.date(1970, 1, 1).toordinal()


class Record:
    """A record as it lies in the log, its bytes as bytes. timestamp_ms is None when it has none."""

    __slots__ = ("topic", "partition", "offset", "timestamp_ms", "key", "headers", "value")

    def __init__(self, topic, partition, offset, timestamp_ms, key, headers, value):
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.timestamp_ms = None if timestamp_ms is None or timestamp_ms < 0 else timestamp_ms
        self.key = key
        self.headers = headers
        self.value = value

    @classmethod
    def of_dump(cls, line):
        """From an object that the dump tool printed: every byte string in base64."""
        return cls(line["topic"], line["partition"], line["offset"], line.get("timestamp"),
                   _unbase64(line.get("key_base64")),
                   [(name, _unbase64(value) or b"") for name, value in line.get("headers") or ()],
                   _unbase64(line.get("value_base64")))

    @classmethod
    def of_example(cls, line):
        """From an object as the decode tool reads it: text, or base64 where it says so."""
        headers = line.get("headers") or ()
        if isinstance(headers, dict):
            headers = headers.items()
        return cls(line.get("topic", "tandem.sales"), line.get("partition", 0),
                   line.get("offset", 0), line.get("timestamp"), _text_or_base64(line, "key"),
                   [(name, _header_bytes(value)) for name, value in headers],
                   _text_or_base64(line, "value"))


def _unbase64(text):
    return None if text is None else base64.b64decode(text)


def _text_or_base64(line, name):
    if line.get(name + "_base64") is not None:
        return base64.b64decode(line[name + "_base64"])
    text = line.get(name)
    return None if text is None else text.encode("utf-8")


def _header_bytes(value):
    if isinstance(value, dict):
        return base64.b64decode(value["base64"])
    return b"" if value is None else value.encode("utf-8")


class Event:
    """A valid event. `data` holds what was given; what has a default is filled in beside it."""

    __slots__ = ("side", "name", "id", "source", "time_ms", "subject", "partitionkey", "data",
                 "cost", "units")

    @property
    def expected_key(self):
        """What keeps a customer's events in one partition: the customer if known."""
        return self.data.get("customer", self.subject)


class Verdict:
    __slots__ = ("verdict", "reason", "field", "event")

    def __init__(self, verdict, reason=None, field=None, event=None):
        self.verdict = verdict
        self.reason = reason
        self.field = field
        self.event = event


class Rejected(Exception):
    def __init__(self, reason, field=None):
        super().__init__(reason, field)
        self.reason = reason
        self.field = field


class Ignored(Exception):
    pass


def decode(record, side, prefix="tandem."):
    """The verdict on a record of the topic of `side` (`sale` or `service`)."""
    if record.value is None:
        return Verdict("tombstone")
    try:
        return Verdict("valid", event=_event(record, side, prefix))
    except Rejected as rejected:
        return Verdict("rejected", rejected.reason, rejected.field)
    except Ignored:
        return Verdict("ignored")


def _event(record, side, prefix):
    if _record_bytes(record) > MAX_RECORD_BYTES:
        raise Rejected("too_large")
    headers = dict(record.headers)
    mode = _mode(headers, record.value)
    document = _document(record.value, mode)
    if mode == "structured":
        attributes, data = document, document.get("data")
    else:
        attributes, data = _attributes_of_headers(headers), document
    event = Event()
    _identity(event, attributes)
    event.name = _known_name(attributes["type"], prefix)
    event.side = event.name.partition(".")[0]
    if event.side != side:
        raise Rejected("wrong_topic", "type")
    _context(event, attributes)
    if record.timestamp_ms is not None and event.time_ms > record.timestamp_ms + MAX_FUTURE_MS:
        raise Rejected("time_future", "time")
    if not isinstance(data, dict):
        raise Rejected("data_missing", "data")
    event.data = data
    _check_data(event)
    return event


def _record_bytes(record):
    return (len(record.key or b"") + len(record.value)
            + sum(len(name.encode("utf-8", "surrogateescape")) + len(value)
                  for name, value in record.headers))


# --- form -------------------------------------------------------------------------------------

def _media_type(text):
    return text.partition(";")[0].strip(" \t").lower()


def _mode(headers, value):
    content_type = headers.get("content-type")
    if content_type is not None:
        media = _media_type(content_type.decode("latin-1"))
        if media in ("application/cloudevents", "application/cloudevents+json"):
            return "structured"
        if media.startswith("application/cloudevents"):
            raise Rejected("format_unsupported")
        return "binary"
    if "ce_specversion" in headers:
        return "binary"
    if not _looks_structured(value):
        raise Rejected("not_cloudevent")
    return "structured"


def _looks_structured(raw):
    """A JSON object, of any nesting, with a string member `specversion`."""
    try:
        text = strict_json.decode_text(raw)
        if strict_json.nesting(text) <= strict_json.MAX_PARSED_DEPTH:
            document = strict_json.parse(raw)
            if document.duplicate is None:
                return (isinstance(document.value, dict)
                        and isinstance(document.value.get("specversion"), str))
        return ("specversion", True) in strict_json.outermost(text)
    except strict_json.BadJSON:
        return False


def _document(raw, mode):
    try:
        document = strict_json.parse(raw)
    except (strict_json.BadJSON, strict_json.TooDeep):
        raise Rejected("bad_json") from None
    if document.depth > MAX_DEPTH or not isinstance(document.value, dict):
        raise Rejected("bad_json")
    if mode == "structured" and "data_base64" in document.value:
        raise Rejected("format_unsupported", "data_base64")
    if document.duplicate is not None:
        raise Rejected("duplicate_key", document.duplicate)
    return document.value


_ATTRIBUTES = ("specversion", "id", "source", "type", "time", "subject", "partitionkey")


class _NotText:
    """Stands for header bytes that are not UTF-8: present, and a string nowhere."""


def _attributes_of_headers(headers):
    attributes = {}
    for name in _ATTRIBUTES:
        if "ce_" + name in headers:
            attributes[name] = _header_text(headers["ce_" + name])
    if "content-type" in headers:
        attributes["datacontenttype"] = _header_text(headers["content-type"])
    return attributes


def _header_text(raw):
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return _NotText()


# --- attributes -------------------------------------------------------------------------------

def _identity(event, attributes):
    if _required(attributes, "specversion") != "1.0":
        raise Rejected("bad_field", "specversion")
    event.id = _printable(_required(attributes, "id"), 128, "id")
    event.source = _printable(_required(attributes, "source"), 256, "source")
    type_ = _required(attributes, "type")
    if not isinstance(type_, str) or not type_:
        raise Rejected("bad_field", "type")


def _known_name(type_, prefix):
    match = _TYPE.fullmatch(type_[len(prefix):]) if type_.startswith(prefix) else None
    if match is None or match.group(1) not in _OWN_FIELDS:
        raise Ignored
    if match.group(2) != "1":
        raise Rejected("version_unsupported", "type")
    return match.group(1)


def _context(event, attributes):
    event.time_ms = _instant_ms(_required(attributes, "time"))
    event.subject = _printable(_required(attributes, "subject"), 128, "subject")
    event.partitionkey = attributes.get("partitionkey")
    if "partitionkey" in attributes and not isinstance(event.partitionkey, str):
        raise Rejected("bad_field", "partitionkey")
    if "datacontenttype" in attributes:
        content = attributes["datacontenttype"]
        if not isinstance(content, str) or _media_type(content) != "application/json":
            raise Rejected("bad_field", "datacontenttype")


def _required(attributes, name):
    if name not in attributes:
        raise Rejected("missing_field", name)
    return attributes[name]


def _printable(value, most_bytes, field):
    if not isinstance(value, str) or not 1 <= len(value.encode("utf-8")) <= most_bytes:
        raise Rejected("bad_field", field)
    if not value.isprintable() and _CONTROL.search(value):
        raise Rejected("bad_field", field)
    return value


@functools.lru_cache(maxsize=None)
def _day_number(year, month, day):
    return datetime.date(year, month, day).toordinal() - _EPOCH_DAY


def _instant_ms(value):
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise Rejected("bad_field", "time")
    year, month, day, hour, minute, second, fraction, sign, offset_hour, offset_minute = \
        match.groups()
    year, hour, minute, second = int(year), int(hour), int(minute), int(second)
    offset = int(offset_hour or 0) * 60 + int(offset_minute or 0)
    if not 2000 <= year <= 2099 or hour > 23 or minute > 59 or second > 59 \
            or int(offset_hour or 0) > 23 or int(offset_minute or 0) > 59:
        raise Rejected("bad_field", "time")
    try:
        days = _day_number(year, int(month), int(day))
    except ValueError:
        raise Rejected("bad_field", "time") from None
    seconds = days * 86400 + hour * 3600 + minute * 60 + second
    seconds -= -offset * 60 if sign == "-" else offset * 60
    return seconds * 1000 + int(((fraction or "") + "000")[:3])


# --- scalars of data: each takes the value and the field's name, and rejects or returns --------

def slug(value, field):
    if not isinstance(value, str) or not _SLUG.fullmatch(value):
        raise Rejected("bad_field", field)
    return value


def ref(value, field):
    return _printable(value, 128, field)


def boolean(value, field):
    if not isinstance(value, bool):
        raise Rejected("bad_field", field)
    return value


def integer(value, field):
    if type(value) is not int or value not in INT64:
        raise Rejected("bad_field", field)
    return value


def money(value, field):
    if not 0 <= integer(value, field) <= MAX_MONEY:
        raise Rejected("amount_range", field)
    return value


def within(low, high):
    def check(value, field):
        if not low <= integer(value, field) <= high:
            raise Rejected("bad_field", field)
        return value
    return check


def one_of(words):
    allowed = frozenset(words.split())

    def check(value, field):
        if not isinstance(value, str) or value not in allowed:
            raise Rejected("bad_field", field)
        return value
    return check


def currency(value, field):
    if not isinstance(value, str) or not re.fullmatch("[A-Z]{3}", value):
        raise Rejected("bad_field", field)
    if value not in CURRENCIES:
        raise Rejected("currency_unknown", field)
    return value


def date(value, field):
    match = _DATE.fullmatch(value) if isinstance(value, str) else None
    try:
        datetime.date(*map(int, match.groups()))
    except (AttributeError, ValueError):
        raise Rejected("bad_field", field) from None
    return value


def labels(value, field):
    if not isinstance(value, dict) or len(value) > 8:
        raise Rejected("bad_field", field)
    for name, word in value.items():
        slug(name, field)
        slug(word, f"{field}.{name}")
    return value


def items(value, field):
    if not isinstance(value, list) or len(value) > 200:
        raise Rejected("bad_field", field)
    for index, item in enumerate(value):
        if not isinstance(item, dict):
            raise Rejected("bad_field", f"{field}[{index}]")
        _check_fields(item, _ITEM_FIELDS, f"{field}[{index}].")
    return value


count = within(0, 1_000_000)
seconds = within(0, 315_360_000)

REQUIRED, OPTIONAL = True, False

# After `customer`, which only referrals require.
_COMMON_FIELDS = (("region", slug, OPTIONAL), ("rep", slug, OPTIONAL),
                  ("channel", slug, OPTIONAL), ("labels", labels, OPTIONAL))
_ITEM_FIELDS = (("sku", ref, REQUIRED), ("line", slug, OPTIONAL), ("qty", count, REQUIRED),
                ("net", money, REQUIRED), ("cost", money, OPTIONAL))
_REFERRED = (("referral", ref, REQUIRED), ("referrer", slug, OPTIONAL))

# The first field of each is the one that `subject` repeats.
_OWN_FIELDS = {
    "sale.interaction": (
        ("interaction", ref, REQUIRED),
        ("kind", one_of("lead quote demo visit call other"), REQUIRED),
        ("prospect", boolean, OPTIONAL)),
    "sale.completed": (
        ("order", ref, REQUIRED), ("currency", currency, REQUIRED), ("net", money, REQUIRED),
        ("discount", money, OPTIONAL), ("cost", money, OPTIONAL), ("units", count, OPTIONAL),
        ("warranty_units", count, OPTIONAL), ("assist_ticket", ref, OPTIONAL),
        ("items", items, OPTIONAL)),
    "sale.refunded": (
        ("refund", ref, REQUIRED), ("order", ref, REQUIRED), ("currency", currency, REQUIRED),
        ("net", money, REQUIRED), ("cost", money, OPTIONAL), ("units", count, OPTIONAL),
        ("full", boolean, OPTIONAL),
        ("reason", one_of("return cancelled chargeback price warranty other"), REQUIRED),
        ("assist_ticket", ref, OPTIONAL), ("line", slug, OPTIONAL)),
    "sale.referred": _REFERRED,
    "service.opened": (
        ("ticket", ref, REQUIRED), ("phase", one_of("before during after"), REQUIRED),
        ("category", one_of("question problem guidance prevention upsell bond warranty complaint"
                            " other"), REQUIRED),
        ("by", one_of("customer company"), OPTIONAL)),
    "service.resolved": (
        ("ticket", ref, REQUIRED), ("contacts", within(1, 1_000_000), OPTIONAL),
        ("resolution", seconds, OPTIONAL), ("first_response", seconds, OPTIONAL)),
    "service.reopened": (
        ("ticket", ref, REQUIRED), ("was_first_contact", boolean, OPTIONAL)),
    "service.rated": (
        ("rating", ref, REQUIRED), ("ticket", ref, OPTIONAL),
        ("scale", one_of("csat nps ces"), REQUIRED), ("score", integer, REQUIRED),
        ("previous", integer, OPTIONAL)),
    "service.claimed": (
        ("claim", ref, REQUIRED), ("product", ref, REQUIRED), ("purchased", date, REQUIRED),
        ("warranty_months", within(0, 600), REQUIRED), ("ticket", ref, OPTIONAL)),
    "service.settled": (
        ("claim", ref, REQUIRED),
        ("outcome", one_of("replaced repaired refunded rejected"), REQUIRED),
        ("in_warranty", boolean, REQUIRED), ("turnaround", seconds, OPTIONAL)),
    "service.referred": _REFERRED,
}

SCORES = {"csat": range(1, 6), "nps": range(0, 11), "ces": range(1, 8)}


def _check_fields(data, fields, path):
    for name, check, required in fields:
        if name in data:
            check(data[name], path + name)
        elif required:
            raise Rejected("missing_field", path + name)


def _check_data(event):
    data, own = event.data, _OWN_FIELDS[event.name]
    customer = ("customer", slug, REQUIRED if event.name.endswith(".referred") else OPTIONAL)
    _check_fields(data, (customer,) + _COMMON_FIELDS, "data.")
    if event.name == "service.rated":
        own = _with_range_of_scale(own, data)
    _check_fields(data, own, "data.")
    if event.name == "sale.completed":
        _fill_order(event)
    elif event.name == "sale.refunded":
        event.cost = data.get("cost")
        if event.cost is None and data["reason"] in ("price", "chargeback"):
            event.cost = 0
    if data[own[0][0]] != event.subject:
        raise Rejected("subject_mismatch", "subject")
    if event.name == "sale.completed":
        _check_sums(data)


def _with_range_of_scale(own, data):
    """The scores' range is the scale's; a bad scale is found before the scores are looked at."""
    scale = data.get("scale")
    allowed = SCORES.get(scale) if isinstance(scale, str) else None
    if allowed is None:
        return own
    in_range = within(allowed[0], allowed[-1])
    return own[:3] + (("score", in_range, REQUIRED), ("previous", in_range, OPTIONAL))


def _fill_order(event):
    data = event.data
    lines = data.get("items") or []
    event.units = data.get("units")
    if event.units is None:
        event.units = sum(item["qty"] for item in lines) if lines else 1
    if data.get("warranty_units", 0) > event.units:
        raise Rejected("bad_field", "data.warranty_units")
    event.cost = data.get("cost")
    if event.cost is None and lines and all("cost" in item for item in lines):
        event.cost = sum(item["cost"] for item in lines)


def _check_sums(data):
    lines = data.get("items")
    if not lines:
        return
    if sum(item["net"] for item in lines) != data["net"]:
        raise Rejected("amount_mismatch", "data.net")
    if "cost" in data and all("cost" in item for item in lines) \
            and sum(item["cost"] for item in lines) != data["cost"]:
        raise Rejected("amount_mismatch", "data.cost")


def main():
    """Read records as the decode tool of the tests does, and answer as it does."""
    import json
    import sys
    for line in sys.stdin:
        record = Record.of_example(json.loads(line))
        side = "service" if record.topic.endswith("service") else "sale"
        found = decode(record, side)
        print(json.dumps({"verdict": found.verdict, "reason": found.reason, "field": found.field}))


if __name__ == "__main__":
    main()
