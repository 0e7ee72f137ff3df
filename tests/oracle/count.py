"""The whole log -> every counter, as {Redis key: {field: integer}}.

Nothing is incremental here: the log is walked once from its beginning, so there are no positions,
batches or restarts to get wrong.
"""

import calendar
import collections
import contextlib
import datetime
import gc
import itertools

import decode
import periods

OTHER = "__other__"
HOUR_KEPT_SECONDS = 14 * 86400
SIDES = ("sale", "service")


class Settings:
    """What a count depends on. Days are datetime.date, or None."""

    def __init__(self, business="main", timezone="UTC", scopes=("region", "channel", "rep", "line"),
                 scope_limit=1000, dedup_window=100_000, prefix="tandem.", partitions=4,
                 floor=None, ledger_from=None, topics=("tandem.sales", "tandem.service"),
                 ledger_limit=2000, ledger_shards=1):
        self.business = business
        self.zone = periods.Zone(timezone)
        self.scopes = tuple(scopes)
        self.scope_limit = scope_limit
        self.dedup_window = dedup_window
        self.prefix = prefix
        self.partitions = partitions
        self.floor = floor
        self.ledger_from = ledger_from
        self.ledger_limit = ledger_limit
        self.ledger_shards = ledger_shards
        self.side_of_topic = dict(zip(topics, SIDES))

    def key(self, *parts):
        return "tandem:{" + self.business + "}:" + ":".join(parts)

    def shard_key(self, shard, *parts):
        return f"tandem:{{{self.business}.{shard}}}:" + ":".join(parts)


class Counters:
    """What a log comes to.

    hashes    {key: {field: integer}}, no zeros
    expiries  {key of an hour: epoch second}
    values    {dimension: every value that was counted, before the limit}
    sets      {key: members}: values admitted of each dimension, currencies
    rejected  {(topic, partition, offset): reason}
    """

    def __init__(self):
        self.hashes = {}
        self.expiries = {}
        self.values = {}
        self.sets = {}
        self.rejected = {}


def count(records, settings, begins=None, ends=None, admitted=None, watch=None):
    """Count decode.Records, in any order.

    begins, ends: {(topic, partition): offset}, the first counted and the first not counted any
    more; without them everything. admitted: {dimension: values that have a scope of their own};
    a dimension without an entry admits all. watch: called with each Found as well."""
    with without_collector():
        counting = _Counting(settings, admitted or {})
        for found in walk(records, settings, begins, ends):
            counting.take(found)
            if watch is not None:
                watch(found)
        return counting.result()


@contextlib.contextmanager
def without_collector():
    """Nothing here makes cycles; looking for them among a million records takes half the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


# A record, the side of its topic, decode's verdict (but `duplicate` for a valid event that stands
# in the window before it), the reason of a rejection, and the event if it is valid.
Found = collections.namedtuple("Found", "record side verdict reason event")


def walk(records, settings, begins=None, ends=None):
    """Yields a Found for each record, partition by partition and there in the log's order."""
    begins, ends = begins or {}, ends or {}
    partition_of = lambda record: (record.topic, record.partition)
    ordered = sorted(records, key=lambda record: (record.topic, record.partition, record.offset))
    for (topic, partition), run in itertools.groupby(ordered, key=partition_of):
        side = settings.side_of_topic[topic]
        begin = begins.get((topic, partition), 0)
        end = ends.get((topic, partition))
        latest = {}
        for record in run:
            if record.offset >= begin and (end is None or record.offset < end):
                yield _found(record, side, settings, latest)


def _found(record, side, settings, latest):
    """`latest` has the last offset of each valid event of the record's partition."""
    decoded = decode.decode(record, side, settings.prefix)
    verdict, event = decoded.verdict, decoded.event
    if verdict == "valid":
        identity = (event.source, event.id)
        before = latest.get(identity)
        latest[identity] = record.offset
        if before is not None and before >= record.offset - settings.dedup_window:
            verdict = "duplicate"
    return Found(record, side, verdict, decoded.reason, event)


_WITHOUT_DAY = {"ignored": "ignored", "tombstone": "tombstones", "duplicate": "duplicates"}


class _Counting:
    def __init__(self, settings, admitted):
        self.settings = settings
        self.admitted = admitted
        self.days = collections.defaultdict(lambda: collections.defaultdict(int))
        self.hours = collections.defaultdict(lambda: collections.defaultdict(int))
        self.hour_ends = {}
        self.undated = {side: collections.defaultdict(int) for side in SIDES}
        self.values = {dimension: set() for dimension in settings.scopes}
        self.overflowed = set()
        self.currencies = set()
        self.rejected = {}

    def take(self, found):
        record, side = found.record, found.side
        if found.verdict == "valid":
            self.take_valid(record, side, found.event)
        elif found.verdict == "rejected":
            self.rejected[record.topic, record.partition, record.offset] = found.reason
            self.without_day(record, side, "rejected_" + found.reason)
        else:
            self.without_day(record, side, _WITHOUT_DAY[found.verdict])

    def take_valid(self, record, side, event):
        wall = self.settings.zone.wall(event.time_ms // 1000)
        if self.before_floor(wall.date()):
            self.without_day(record, side, "before_floor")
            return
        self.add_event(event, wall)
        if is_misplaced(record, event, self.settings.partitions):
            self.without_day(record, side, "misplaced")

    def before_floor(self, day):
        return self.settings.floor is not None and day < self.settings.floor

    def without_day(self, record, side, field):
        """Counted where the record, not the event, stands in time."""
        counters = self.undated[side]
        if record.timestamp_ms is not None:
            day = self.record_day(record.timestamp_ms // 1000)
            if day is not None and 2000 <= day.year <= 2099 and not self.before_floor(day):
                counters = self.days[side, day.isoformat(), "all"]
        counters[field] += 1

    def record_day(self, second):
        try:
            return self.settings.zone.wall(second).date()
        except (OverflowError, ValueError, OSError):
            return None

    def add_event(self, event, wall):
        day = wall.date()
        changes = _CHANGES[event.name](event, day)
        side, day = event.side, day.isoformat()
        for scope in self.scopes_of(event):
            _add(self.days[side, day, scope], changes)
        if "line" in self.values:
            for line, part in _lines(event, changes):
                _add(self.days[side, day, "line=" + self.admit("line", line)], part)
        self.add_hour(side, day, wall, changes)
        if "currency" in event.data and event.side == "sale":
            self.currencies.add(event.data["currency"])

    def add_hour(self, side, day, wall, changes):
        hour = f"{day}T{wall.hour:02}"
        _add(self.hours[side, hour], changes)
        if hour not in self.hour_ends:
            self.hour_ends[hour] = self.settings.zone.end_of_hour(wall)

    def scopes_of(self, event):
        """The scopes but those of lines."""
        yield "all"
        for dimension in self.settings.scopes:
            if dimension == "line":
                continue
            if dimension.startswith("labels."):
                value = event.data.get("labels", {}).get(dimension[len("labels."):])
            else:
                value = event.data.get(dimension)
            if value is not None:
                yield f"{dimension}={self.admit(dimension, value)}"

    def admit(self, dimension, value):
        if not value.startswith("__"):
            self.values[dimension].add(value)
            allowed = self.admitted.get(dimension)
            if allowed is None or value in allowed:
                return value
        self.overflowed.add(dimension)
        return OTHER

    def result(self):
        key, counters = self.settings.key, Counters()
        for (side, day, scope), fields in self.days.items():
            counters.hashes[key(side, "day", day, scope)] = _without_zeros(fields)
        for (side, hour), fields in self.hours.items():
            name = key(side, "hour", hour, "all")
            counters.hashes[name] = _without_zeros(fields)
            counters.expiries[name] = self.hour_ends[hour] + HOUR_KEPT_SECONDS
        for side, fields in self.undated.items():
            if fields:
                counters.hashes[key(side, "undated")] = dict(fields)
        counters.values = self.values
        for dimension, values in self.values.items():
            allowed = self.admitted.get(dimension)
            members = values if allowed is None else values & set(allowed)
            counters.sets[key("scope", dimension)] = \
                members | ({OTHER} if dimension in self.overflowed else set())
        counters.sets[key("currency")] = self.currencies
        counters.rejected = self.rejected
        return counters


def _add(counters, changes):
    for field, amount in changes:
        counters[field] += amount


def _without_zeros(fields):
    return {field: amount for field, amount in fields.items() if amount}


# --- where a record belongs -------------------------------------------------------------------

def is_misplaced(record, event, partitions):
    """True when another record of the same customer may lie in another partition."""
    expected = event.expected_key
    if event.partitionkey is not None and event.partitionkey != expected:
        return True
    if record.key is None or record.key != expected.encode("utf-8"):
        return True
    return partition_of_key(record.key, partitions) != record.partition


_partitions_of_keys = {}


def partition_of_key(key, partitions):
    place = _partitions_of_keys.get((key, partitions))
    if place is None:
        place = (murmur2(key) & 0x7FFFFFFF) % partitions
        _partitions_of_keys[key, partitions] = place
    return place


def murmur2(data):
    """The hash of the Java producer's default partitioner, as an unsigned number."""
    multiplier, mask = 0x5BD1E995, 0xFFFFFFFF
    hashed = (0x9747B28C ^ len(data)) & mask
    whole = len(data) & ~3
    for at in range(0, whole, 4):
        word = int.from_bytes(data[at:at + 4], "little") * multiplier & mask
        word = (word ^ word >> 24) * multiplier & mask
        hashed = hashed * multiplier & mask ^ word
    if whole < len(data):
        hashed = (hashed ^ int.from_bytes(data[whole:], "little")) * multiplier & mask
    hashed = (hashed ^ hashed >> 13) * multiplier & mask
    return hashed ^ hashed >> 15


# --- what an event changes: [(field, amount)] ---------------------------------------------------

def _interaction(event, day):
    changes = [("interactions", 1), ("interaction_" + event.data["kind"], 1)]
    if event.data.get("prospect"):
        changes.append(("interactions_prospect", 1))
    return changes


def _completed(event, day):
    data = event.data
    code, net = data["currency"], data["net"]
    return [("orders", 1), ("orders:" + code, 1), ("units", event.units),
            ("warranty_units", data.get("warranty_units", 0)),
            ("discount:" + code, data.get("discount", 0)),
            *_sold(code, net, event.cost, "assist_ticket" in data),
            ("assisted_orders", 1 if "assist_ticket" in data else 0)]


def _sold(code, net, cost, assisted):
    changes = [("net:" + code, net), ("revenue:" + code, net)]
    if cost is not None:
        changes += [("net_costed:" + code, net), ("cost:" + code, cost),
                    ("profit:" + code, net - cost)]
    if assisted:
        changes.append(("assisted_net:" + code, net))
    return changes


def _refunded(event, day):
    data, cost = event.data, event.cost
    code, net = data["currency"], data["net"]
    changes = [("refunds", 1), ("refund_" + data["reason"], 1), ("refund_net:" + code, net),
               ("revenue:" + code, -net)]
    if data.get("full"):
        changes.append(("refund_full", 1))
    if cost is not None:
        changes += [("refund_net_costed:" + code, net), ("refund_cost:" + code, cost),
                    ("profit:" + code, cost - net)]
    if "assist_ticket" in data:
        changes.append(("refund_assisted_net:" + code, net))
    return changes


def _lines(event, changes):
    """What an event changes in scopes of lines: (line, changes), one order once a line."""
    data = event.data
    if event.name == "sale.refunded" and "line" in data:
        yield data["line"], changes
    if event.name != "sale.completed":
        return
    assisted, code = "assist_ticket" in data, data["currency"]
    met = set()
    for item in data.get("items", ()):
        line = item.get("line")
        if line is None:
            continue
        part = [("units", item["qty"]), *_sold(code, item["net"], item.get("cost"), assisted)]
        if line not in met:
            met.add(line)
            part += [("orders", 1), ("orders:" + code, 1),
                     ("assisted_orders", 1 if assisted else 0)]
        yield line, part


def _referred(event, day):
    return [("referred", 1)]


def _opened(event, day):
    data = event.data
    changes = [("opened", 1), ("opened_" + data["phase"], 1), ("category_" + data["category"], 1)]
    if data.get("by") == "company":
        changes.append(("opened_by_company", 1))
    return changes


def _resolved(event, day):
    data, changes = event.data, [("resolved", 1)]
    if "contacts" in data:
        changes += [("contacts_known", 1), ("first_contact", 1 if data["contacts"] == 1 else 0)]
    if "first_response" in data:
        changes += _timed("response", data["first_response"])
    if "resolution" in data:
        changes += _timed("resolution", data["resolution"])
    return changes


def _timed(name, seconds):
    return [(name + "_n", 1), (name + "_sum", seconds), (f"{name}_b{bucket(seconds)}", 1)]


def bucket(seconds):
    """The bucket of a histogram: each second its own below 32, then 32 to a power of two."""
    if seconds < 32:
        return seconds
    exponent = seconds.bit_length() - 1
    return (exponent - 4) * 32 + (seconds >> exponent - 5 & 31)


def _reopened(event, day):
    changes = [("reopened", 1)]
    if "was_first_contact" in event.data:
        changes += [("reopened_known", 1),
                    ("first_contact_undone", 1 if event.data["was_first_contact"] else 0)]
    return changes


def _rated(event, day):
    data = event.data
    scale, score = data["scale"], data["score"]
    changes = [(scale + "_n", 1), (scale + "_sum", score), (f"{scale}_{score}", 1)]
    if "previous" in data:
        changes += [(scale + "_n", -1), (scale + "_sum", -data["previous"]),
                    (f"{scale}_{data['previous']}", -1)]
    return changes


def _claimed(event, day):
    data = event.data
    covered = in_warranty(data["purchased"], data["warranty_months"], day)
    return [("claims", 1), ("claims_in_warranty", 1 if covered else 0)]


def in_warranty(purchased, months, day):
    """Whether a day is not after `purchased` plus months, the day clamped to the month's end."""
    year, month, day_of_month = map(int, purchased.split("-"))
    carry, month = divmod(month - 1 + months, 12)
    year, month = year + carry, month + 1
    if year > 9999:
        return True
    last = calendar.monthrange(year, month)[1]
    return day <= datetime.date(year, month, min(day_of_month, last))


def _settled(event, day):
    data = event.data
    outcome, covered = data["outcome"], data["in_warranty"]
    changes = [("settled", 1), (_OUTCOMES[outcome], 1)]
    if covered:
        changes.append(("settled_in_warranty", 1))
        if outcome == "rejected":
            changes.append(("claim_rejected_in_warranty", 1))
    if "turnaround" in data:
        changes += _timed("turnaround", data["turnaround"])
    return changes


_OUTCOMES = {"replaced": "replaced", "repaired": "repaired", "refunded": "claim_refunded",
             "rejected": "claim_rejected"}

_CHANGES = {
    "sale.interaction": _interaction, "sale.completed": _completed,
    "sale.refunded": _refunded, "sale.referred": _referred,
    "service.opened": _opened, "service.resolved": _resolved, "service.reopened": _reopened,
    "service.rated": _rated, "service.claimed": _claimed, "service.settled": _settled,
    "service.referred": _referred,
}
