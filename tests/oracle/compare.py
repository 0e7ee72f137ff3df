"""Is Redis what the log comes to?

    tests/tools' dump of both topics > log.ndjson
    TANDEM_REDIS=redis://127.0.0.1:6379 python3 compare.py --timezone Europe/Bucharest log.ndjson

Compares every field of the day, hour and undated counters and every set of values; with --ledger
those of the customers in the ledger's shards, with --customers also what the reporter makes of
them; and with --targets or --published every published comparison as of its own `as_of`, whose
customer counters are the log's with --ledger, else those in Redis. Prints each difference
(at most 50), then `equal: N fields of M keys` (status 0) or `K differences` (status 1).
Status 2 when nothing could be compared.
"""

import argparse
import collections
import datetime
import json
import os
import re
import sys

import count
import customers
import decode
import metrics
import periods
import redis
import targets as targets_file
import xxh3

MOST_PRINTED = 50

Difference = collections.namedtuple("Difference", "key field expected found")

# Counted for the record's day, not an event's: such a day alone need not be published.
_WITHOUT_DAY = re.compile("rejected_.*|duplicates|ignored|tombstones|misplaced|before_floor")

_OF_CUSTOMERS = re.compile(r"tandem:\{[^}]*\}:customer:(day:.*|undated)", re.DOTALL)


def read_dump(paths):
    """(records, partitions of a topic) of the files that the dump tool wrote."""
    records, partitions = [], 1
    for path in paths:
        with count.without_collector(), open(path, encoding="utf-8") as file:
            for line in file:
                entry = json.loads(line)
                partitions = max(partitions, entry["partition"] + 1)
                if "end" not in entry:
                    records.append(decode.Record.of_dump(entry))
    return records, partitions


class Outcome:
    """What a comparison found, and how much it looked at."""

    def __init__(self):
        self.differences = []
        self.fields = 0
        self.keys = 0

    def differ(self, key, field, expected, found):
        self.differences.append(Difference(key, field, expected, found))

    def hold(self, key, field, expected, found):
        self.fields += 1
        if expected != found:
            self.differ(key, field, expected, found)


class Parts:
    """What a comparison is about beside the counters of sale and service.

    targets     targets.Targets, to compare what is published too
    ledger      compare the customer counters in the ledger's shards
    customers   and those of the business, which the reporter makes of them
    forgotten   {(partition, customer): {topic: offset}}; what is not given is read from the shards
    """

    def __init__(self, targets=None, ledger=False, customers=False, forgotten=None):
        self.targets = targets
        self.ledger = ledger or customers
        self.customers = customers
        self.forgotten = forgotten


def differences(server, records, settings, begins=None, targets=None, parts=None):
    """The list of Differences between a Redis and the log."""
    return compare(server, records, settings, begins, targets, parts).differences


def compare(server, records, settings, begins=None, targets=None, parts=None):
    """server: of redis.connect. begins: {(topic, partition): offset}. targets: short for
    Parts(targets)."""
    outcome, parts = Outcome(), parts or Parts(targets)
    keys = server.keys(settings.key("*"))
    history = None
    if parts.ledger:
        forgotten = read_forgotten(server, settings) if parts.forgotten is None \
            else parts.forgotten
        history = customers.History(settings, forgotten)
    counters = _count_as_admitted(server, records, settings, begins, outcome, history)
    _compare_counters(server, settings, keys, counters, outcome)
    _compare_sets(server, settings, keys, counters, outcome)
    of_customers = None
    if history is not None:
        ledger = history.ledger()
        of_customers = ledger.hashes(_admitted_in(counters, settings))
        of_shards = server.keys(settings.shard_key("*", "customer", "*"))
        _compare_customers(server, of_shards, ledger.shard_hashes(), outcome)
    if parts.customers:
        _compare_customers(server, keys, of_customers, outcome)
    if parts.targets is not None:
        _compare_published(server, settings, keys, counters, of_customers, parts.targets, outcome)
    return outcome


# --- counters ---------------------------------------------------------------------------------

def _count_as_admitted(server, records, settings, begins, outcome, history):
    """Which values of a crowded dimension have a scope of their own is Redis' choice; how many
    may have one is not."""
    records = list(records)
    counters = count.count(records, settings, begins, watch=history and history.take)
    admitted = {}
    for dimension, values in counters.values.items():
        if len(values) <= settings.scope_limit:
            continue
        key = settings.key("scope", dimension)
        members = {item.decode() for item in server.call("SMEMBERS", key)} - {count.OTHER}
        outcome.hold(key, "(members)", settings.scope_limit, len(members))
        for value in sorted(members - values):
            outcome.differ(key, value, "absent", "present")
        admitted[dimension] = members
    return count.count(records, settings, begins, admitted=admitted) if admitted else counters


def _compare_counters(server, settings, keys, counters, outcome):
    pattern = re.compile(re.escape(settings.key("")) +
                         r"(sale|service):(day:.*|hour:.*|undated)", re.DOTALL)
    wanted = set(counters.hashes) | {key for key in keys if pattern.fullmatch(key)}
    found = server.hashes(sorted(wanted))
    now = int(server.call("TIME")[0])       # after reading: an hour may expire meanwhile
    wanted = sorted(key for key in wanted if counters.expiries.get(key, now + 1) > now)
    for key in wanted:
        outcome.keys += 1
        _compare_fields(key, counters.hashes.get(key, {}), found[key], outcome)
    _compare_expiries(server, [key for key in wanted if counters.hashes.get(key)], counters,
                      outcome)


def _compare_fields(key, expected, found, outcome):
    for field in sorted(expected.keys() | found.keys()):
        text = found.get(field, "0")
        number = int(text) if re.fullmatch("-?(0|[1-9][0-9]*)", text) else text
        outcome.hold(key, field, expected.get(field, 0), number)


def _compare_expiries(server, keys, counters, outcome):
    answers = server.pipeline([("EXPIRETIME", key) for key in keys])
    for key, answer in zip(keys, answers):
        if isinstance(answer, redis.RedisError):
            return                  # Redis before 7.0 cannot tell
        if answer != -2:            # the missing key is told by its fields
            outcome.hold(key, "(expires)", counters.expiries.get(key, -1), answer)


def _compare_sets(server, settings, keys, counters, outcome):
    wanted = set(counters.sets) | {key for key in keys
                                   if key.startswith(settings.key("scope", ""))}
    for key in sorted(wanted):
        outcome.keys += 1
        found = {item.decode("utf-8", "backslashreplace") for item in server.call("SMEMBERS", key)}
        expected = counters.sets.get(key, set())
        for member in sorted(expected | found):
            outcome.hold(key, member, "present" if member in expected else "absent",
                         "present" if member in found else "absent")


# --- customers --------------------------------------------------------------------------------

def _admitted_in(counters, settings):
    return {dimension: counters.sets[settings.key("scope", dimension)]
            for dimension in settings.scopes}


class Forgotten:
    """{(partition, customer): {topic: offset}} of which only the hash of a customer is known."""

    def __init__(self, by_hash):
        self.by_hash = by_hash
        self.found = {}

    def __contains__(self, who):
        return bool(self[who])

    def __getitem__(self, who):
        if who not in self.found:
            partition, customer = who
            self.found[who] = self.by_hash.get((partition, xxh3.hex128(customer.encode())))
        return self.found[who]


def read_forgotten(server, settings):
    """What the ledger's shards say of customers that were forgotten."""
    sides = {side: topic for topic, side in settings.side_of_topic.items()}
    by_hash = {}
    for shard in range(settings.ledger_shards):
        answer = server.call("HGETALL", settings.shard_key(shard, "forgotten"))
        for field, value in zip(answer[::2], answer[1::2]):
            partition, _, digits = field.decode().partition(":")
            sale, _, service = value.decode().partition(":")
            by_hash[int(partition), digits] = {sides["sale"]: int(sale),
                                               sides["service"]: int(service)}
    return Forgotten(by_hash) if by_hash else {}


def _compare_customers(server, keys, expected, outcome):
    """Every hash expected, and every other of customer counters among the keys."""
    wanted = set(expected) | {key for key in keys if _OF_CUSTOMERS.fullmatch(key)}
    for key, fields in server.hashes(sorted(wanted)).items():
        outcome.keys += 1
        _compare_fields(key, expected.get(key, {}), fields, outcome)


# --- what is published ------------------------------------------------------------------------

def _compare_published(server, settings, keys, counters, of_customers, targets, outcome):
    has_customers = of_customers is not None
    if not has_customers:
        of_customers = _customers_in_redis(server, settings, keys)
        has_customers = bool(of_customers)
    hashes = {**counters.hashes, **of_customers}
    currencies = counters.sets[settings.key("currency")]
    comparison = metrics.Comparison(hashes, settings, targets, currencies, has_customers)

    published = [key for key in keys if key.startswith(settings.key("comparison", ""))]
    for key in sorted(_periods_to_publish(settings, counters) - set(published)):
        outcome.keys += 1
        outcome.differ(key, "(key)", "published", "absent")
    for key, fields in server.hashes(published).items():
        outcome.keys += 1
        _compare_comparison(key, fields, comparison, outcome)


def _customers_in_redis(server, settings, keys):
    days = [key for key in keys if key.startswith(settings.key("customer", "day", ""))]
    return {key: {field: int(amount) for field, amount in fields.items()}
            for key, fields in server.hashes(days).items()}


def _periods_to_publish(settings, counters):
    """The keys of every period that holds a counted event, but those cut by the floor."""
    days = collections.defaultdict(set)
    pattern = re.compile(re.escape(settings.key("")) + "(?:sale|service):day:([^:]*):(.*)")
    for key, fields in counters.hashes.items():
        match = pattern.fullmatch(key)
        if match and any(not _WITHOUT_DAY.fullmatch(field) for field in fields):
            days[match.group(1)].add(match.group(2))
    wanted = set()
    for day, scopes in days.items():
        for kind in periods.KINDS:
            period = periods.Period(kind, datetime.date.fromisoformat(day))
            if settings.floor is None or period.first >= settings.floor:
                wanted |= {settings.key("comparison", kind, period.name, scope)
                           for scope in scopes}
    return wanted


def _compare_comparison(key, found, comparison, outcome):
    settings = comparison.settings
    kind, name, scope = key[len(settings.key("comparison", "")):].split(":", 2)
    as_of = found.get("as_of", "")
    if not re.fullmatch("[0-9]{1,12}", as_of):
        return outcome.differ(key, "as_of", "epoch seconds", as_of)
    try:
        if kind == "current":
            kind, period = name, periods.Period(name, settings.zone.wall(int(as_of)).date())
        else:
            period = periods.parse_period(name)
    except (KeyError, ValueError):
        return outcome.differ(key, "(key)", "names a period", "does not")
    if period.kind != kind:
        return outcome.differ(key, "(key)", f"a {kind}", f"a {period.kind}")
    expected = comparison.publish(scope, period, int(as_of))
    _forgive_late_currencies(comparison, scope, period, expected, found)
    for field in sorted(expected.keys() | found.keys() - {"store", "revision"}):
        outcome.hold(key, field, expected.get(field, "absent"), found.get(field, "absent"))
    for field, pattern in (("store", "[0-9]{13}-[A-Za-z0-9]+"), ("revision", "[1-9][0-9]*")):
        if not re.fullmatch(pattern, found.get(field, "")):
            outcome.differ(key, field, pattern, found.get(field, "absent"))


def _forgive_late_currencies(comparison, scope, period, expected, found):
    """A currency first met after the publication cannot be in it, when nothing here is of it."""
    named = {target.currency for target in comparison.targets.of(scope, period)}
    for code in comparison.currencies:
        fields = {field for field in expected
                  if field.endswith(":" + code) and field.count(":") == 1}
        sums = [comparison.sums(scope, part.kind, part.first).sale
                for part in (period, period.previous())]
        used = any(field.endswith(":" + code) for sale in sums for field in sale)
        if not used and code not in named and not fields & found.keys():
            for field in fields:
                del expected[field]


# --- the command ------------------------------------------------------------------------------

def _day(text):
    return datetime.date.fromisoformat(text)


def _begin(text):
    match = re.fullmatch("(.+)/([0-9]+)=([0-9]+)", text)
    if not match:
        raise argparse.ArgumentTypeError("must be TOPIC/PARTITION=OFFSET")
    return (match.group(1), int(match.group(2))), int(match.group(3))


def _forgotten(text):
    match = re.fullmatch("([0-9]+)/([A-Za-z0-9._-]+)=([0-9]+),([0-9]+)", text)
    if not match:
        raise argparse.ArgumentTypeError("must be PARTITION/CUSTOMER=OFFSET,OFFSET")
    partition, customer, *offsets = match.groups()
    return (int(partition), customer), [int(offset) for offset in offsets]


def _options(arguments):
    parser = argparse.ArgumentParser(
        description="Compare a Redis with what the log comes to. Its URL: TANDEM_REDIS.")
    parser.add_argument("dumps", nargs="+", metavar="DUMP", help="what the dump tool printed")
    parser.add_argument("--redis", default=os.environ.get("TANDEM_REDIS"),
                        help="without a password, which belongs into TANDEM_REDIS")
    parser.add_argument("--business", default="main")
    parser.add_argument("--timezone", default="UTC")
    parser.add_argument("--scopes", default="region,channel,rep,line")
    parser.add_argument("--scope-limit", type=int, default=1000)
    parser.add_argument("--dedup-window", type=int, default=100_000)
    parser.add_argument("--prefix", default="tandem.")
    parser.add_argument("--topics", default="tandem.sales,tandem.service")
    parser.add_argument("--partitions", type=int, help="default: as many as the dump shows")
    parser.add_argument("--begin", type=_begin, action="append", default=[],
                        metavar="TOPIC/PARTITION=OFFSET", help="default 0")
    parser.add_argument("--floor", type=_day)
    parser.add_argument("--ledger-from", type=_day)
    parser.add_argument("--ledger-limit", type=int, default=2000)
    parser.add_argument("--ledger-shards", type=int, default=1)
    parser.add_argument("--ledger", action="store_true",
                        help="compare the customer counters in the ledger's shards, too")
    parser.add_argument("--customers", action="store_true",
                        help="the same, and what the reporter makes of them")
    parser.add_argument("--forgotten", type=_forgotten, action="append", default=[],
                        metavar="PARTITION/CUSTOMER=SALES,SERVICE",
                        help="a forgotten customer and the first offsets that are nobody's "
                             "(default: what the shards say)")
    parser.add_argument("--published", action="store_true",
                        help="compare what is published, too")
    parser.add_argument("--targets", metavar="FILE", help="the same, with these targets")
    options = parser.parse_args(arguments)
    if not options.redis:
        parser.error("no Redis: set TANDEM_REDIS or give --redis")
    return options


def main(arguments=None):
    options = _options(arguments)
    records, partitions = read_dump(options.dumps)
    if not records:
        print("nothing to compare: the dump holds no record", file=sys.stderr)
        return 2
    settings = count.Settings(
        options.business, options.timezone, options.scopes.split(","), options.scope_limit,
        options.dedup_window, options.prefix, options.partitions or partitions, options.floor,
        options.ledger_from, options.topics.split(","), options.ledger_limit,
        options.ledger_shards)
    targets = targets_file.Targets() if options.published else None
    if options.targets:
        with open(options.targets, "rb") as file:
            targets = targets_file.load(file.read(), settings.scopes)
    forgotten = {who: dict(zip(options.topics.split(","), offsets))
                 for who, offsets in options.forgotten}
    parts = Parts(targets, options.ledger, options.customers, forgotten or None)
    try:
        with redis.connect(options.redis) as server:
            outcome = compare(server, records, settings, dict(options.begin), parts=parts)
    except (OSError, redis.RedisError) as error:
        print(f"Redis: {error}", file=sys.stderr)
        return 2
    for difference in outcome.differences[:MOST_PRINTED]:
        print(f"{difference.key} {difference.field}: "
              f"expected {difference.expected}, found {difference.found}")
    if outcome.differences:
        print(f"{len(outcome.differences)} differences")
        return 1
    print(f"equal: {outcome.fields} fields of {outcome.keys} keys")
    return 0


if __name__ == "__main__":
    sys.exit(main())
