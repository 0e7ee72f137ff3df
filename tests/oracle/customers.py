"""The events of both topics -> every customer counter, and the months in which customers bought.

A customer's whole set of events is gathered first and judged once, at the end: there is no order
of arrival, no correction and no state to get wrong.
"""

import bisect
import collections
import datetime

import count as log
import metrics

DAY_SECONDS = 86400
SERVICE_WINDOW_SECONDS = 30 * DAY_SECONDS
INTERACTION_WINDOW_SECONDS = 90 * DAY_SECONDS
REFERRAL_WINDOW_SECONDS = 90 * DAY_SECONDS
RETURN_WINDOW_SECONDS = 90 * DAY_SECONDS

_SATISFIED = {("csat", 4), ("csat", 5), ("nps", 9), ("nps", 10)}
_DISSATISFIED = {("csat", score) for score in range(1, 4)} \
    | {("nps", score) for score in range(7)}

Sale = collections.namedtuple("Sale", "second scopes day")
Rating = collections.namedtuple("Rating", "second score scopes day scale")


def count(records, settings, begins=None, ends=None, forgotten=None):
    """The Ledger of decode.Records, in any order; begins and ends as for count.count.

    forgotten: {(partition, customer): {topic: offset}}, from which on such events are nobody's."""
    with log.without_collector():
        history = History(settings, forgotten)
        for found in log.walk(records, settings, begins, ends):
            history.take(found)
        return history.ledger()


class Ledger:
    """What the customers come to.

    shards    {shard: {(day, scope): {field: integer}}}, no zeros, no limit of scopes
    overflow  {shard: customers with more events than the limit}
    months    {(partition, customer): set of (year, month)} in which they bought
    """

    def __init__(self, settings):
        self.settings = settings
        self.shards = {shard: {} for shard in range(settings.ledger_shards)}
        self.overflow = dict.fromkeys(self.shards, 0)
        self.months = {}

    def add(self, shard, field, day, scopes, amount):
        for scope in ("all", *scopes):
            cell = self.shards[shard].setdefault((day, scope), {})
            cell[field] = cell.get(field, 0) + amount

    def shard_hashes(self):
        """{Redis key: {field: integer}} of every shard."""
        hashes = {}
        for shard, cells in self.shards.items():
            for (day, scope), fields in cells.items():
                hashes[self.settings.shard_key(shard, "customer", "day", day, scope)] = dict(fields)
            if self.overflow[shard]:
                hashes[self.settings.shard_key(shard, "customer", "undated")] = \
                    {"ledger_overflow": self.overflow[shard]}
        return hashes

    def hashes(self, admitted=None):
        """The same of the business: shards added up, and values of a dimension that are not
        admitted put together. admitted: {dimension: values}; without an entry all are."""
        hashes = collections.defaultdict(collections.Counter)
        for cells in self.shards.values():
            for (day, scope), fields in cells.items():
                scope = _as_admitted(scope, admitted or {})
                hashes[self.settings.key("customer", "day", day, scope)].update(fields)
        overflow = sum(self.overflow.values())
        if overflow:
            hashes[self.settings.key("customer", "undated")]["ledger_overflow"] = overflow
        return {key: dict(fields) for key, fields in hashes.items()}

    def cohorts(self, until=None):
        return metrics.cohorts(self.months.values(), until)


def _as_admitted(scope, admitted):
    dimension, _, value = scope.partition("=")
    if dimension in admitted and value not in admitted[dimension]:
        return f"{dimension}={log.OTHER}"
    return scope


class History:
    """Every customer's events, gathered from the walk along the log."""

    def __init__(self, settings, forgotten=None):
        self.settings = settings
        self.forgotten = forgotten or {}
        self.customers = collections.defaultdict(Customer)
        self.too_old = collections.Counter()
        self.shared = {}

    def take(self, found):
        """The next count.Found."""
        record, event = found.record, found.event
        if found.verdict != "valid" or event.name not in _TAKE or "customer" not in event.data:
            return
        who = record.partition, event.data["customer"]
        if who in self.forgotten and record.offset >= self.forgotten[who][record.topic]:
            return
        day = self.settings.zone.wall(event.time_ms // 1000).date()
        scopes = own_scopes(event, self.settings.scopes)
        recent = self.settings.ledger_from is None or day >= self.settings.ledger_from
        used = _TAKE[event.name](self.customers[who], event, self.share(scopes), self.share(day),
                                 recent)
        if used and not recent:
            self.too_old[record.partition % self.settings.ledger_shards, day] += 1

    def share(self, value):
        """One object for all that are equal: a million events have few days and lists."""
        return self.shared.setdefault(value, value)

    def ledger(self):
        settings = self.settings
        ledger, tally = Ledger(settings), collections.defaultdict(int)
        for (shard, day), events in self.too_old.items():
            tally[shard, "ledger_too_old", day, ()] += events
        for (partition, name), customer in self.customers.items():
            shard = partition % settings.ledger_shards
            overflows = customer.limited > settings.ledger_limit
            ledger.overflow[shard] += overflows
            for field, day, scopes in customer.contribution(overflows):
                tally[shard, field, day, scopes] += 1
            if (partition, name) not in self.forgotten and customer.sales:
                ledger.months[partition, name] = customer.months()
        for (shard, field, day, scopes), amount in tally.items():
            if settings.floor is None or day >= settings.floor:
                ledger.add(shard, field, day.isoformat(), scopes, amount)
        return ledger


def own_scopes(event, dimensions):
    """The scopes of an event but `all`, each once, sorted. (All is ASCII: as text as by bytes.)"""
    data, scopes = event.data, set()
    for dimension in dimensions:
        if dimension == "line":
            values = [item.get("line") for item in data.get("items", ())] \
                if event.name == "sale.completed" else ()
        elif dimension.startswith("labels."):
            values = (data.get("labels", {}).get(dimension[len("labels."):]),)
        else:
            values = (data.get(dimension),)
        for value in values:
            if value is not None:
                scopes.add(f"{dimension}={log.OTHER if value.startswith('__') else value}")
    return tuple(sorted(scopes))


class Customer:
    """The events of one customer; `recent` ones are not before the ledger's first day."""

    __slots__ = ("sales", "recent_sales", "contacts", "interactions", "referral", "ratings",
                 "limited")

    def __init__(self):
        self.sales = []
        self.recent_sales = []
        self.contacts = []
        self.interactions = []
        self.referral = None        # (second, is of the service side) of the earliest
        self.ratings = {}           # the latest by its scale and ref
        self.limited = 0            # events that the limit counts

    # Each takes an event and says whether it is of a kind that the ledger's first day concerns.

    def take_sale(self, event, scopes, day, recent):
        sale = Sale(event.time_ms // 1000, scopes, day)
        self.sales.append(sale)
        if recent:
            self.recent_sales.append(sale)
            self.limited += 1
        return True

    def take_interaction(self, event, scopes, day, recent):
        if recent:
            self.interactions.append(event.time_ms // 1000)
        return True

    def take_contact(self, event, scopes, day, recent):
        if recent:
            self.contacts.append(event.time_ms // 1000)
        return True

    def take_rating(self, event, scopes, day, recent):
        data = event.data
        if data["scale"] == "ces":
            return False
        if recent:
            rating = Rating(event.time_ms // 1000, data["score"], scopes, day, data["scale"])
            key = data["scale"], data["rating"]
            self.ratings[key] = max(rating, self.ratings.get(key, rating))
            self.limited += 1
        return True

    def take_referral(self, event, scopes, day, recent):
        referral = event.time_ms // 1000, event.side == "service"
        self.referral = min(referral, self.referral or referral)
        return False

    def months(self):
        return {(sale.day.year, sale.day.month) for sale in self.sales}

    def contribution(self, overflows):
        """Yields (field, day, own scopes) of all that this customer adds 1 to."""
        sales = sorted(self.sales)
        yield from _new_and_returning(sales)
        yield from _monthly(self.months())
        if sales:
            yield from _indirect(sales[0], self.referral)
        if not overflows:
            recent = sorted(self.recent_sales)
            yield from _after_contact(sales, recent, sorted(self.contacts))
            yield from _after_interaction(recent, sorted(self.interactions))
            yield from _satisfaction(self.ratings.values(), recent)


_TAKE = {
    "sale.completed": Customer.take_sale,
    "sale.interaction": Customer.take_interaction,
    "sale.referred": Customer.take_referral,
    "service.opened": Customer.take_contact,
    "service.rated": Customer.take_rating,
    "service.referred": Customer.take_referral,
}


# --- the rules: sales, recent and seconds are sorted --------------------------------------------

def _new_and_returning(sales):
    for number, sale in enumerate(sales):
        yield "orders_identified", sale.day, sale.scopes
        yield "orders_returning" if number else "customers_new", sale.day, sale.scopes


def _monthly(months):
    for year, month in months:
        first = datetime.date(year, month, 1)
        yield "month_buyers", first, ()
        if ((year, month - 1) if month > 1 else (year - 1, 12)) in months:
            yield "retained", first, ()


def _indirect(first, referral):
    if referral is not None and referral[0] <= first.second + REFERRAL_WINDOW_SECONDS:
        side = "service" if referral[1] else "sale"
        yield "customers_new_by_" + side, first.day, first.scopes


def _after_contact(sales, recent, contacts):
    """Of sales equal to the first one is the first, and the others come after it."""
    returning = recent[1:] if recent[:1] == sales[:1] else recent
    for sale in returning:
        if _holds(contacts, sale.second - SERVICE_WINDOW_SECONDS, sale.second):
            yield "orders_after_service", sale.day, sale.scopes


def _after_interaction(recent, interactions):
    for sale in recent:
        if _holds(interactions, sale.second - INTERACTION_WINDOW_SECONDS, sale.second):
            yield "orders_after_interaction", sale.day, sale.scopes


def _satisfaction(ratings, recent):
    seconds = [sale.second for sale in recent]
    for rating in ratings:
        judged = rating.scale, rating.score
        field = "satisfied" if judged in _SATISFIED else \
            "dissatisfied" if judged in _DISSATISFIED else None
        if field is not None:
            yield field, rating.day, rating.scopes
            if _holds(seconds, rating.second + 1, rating.second + RETURN_WINDOW_SECONDS):
                yield field + "_returned", rating.day, rating.scopes


def _holds(seconds, first, last):
    """Whether one of the sorted seconds lies in a closed window."""
    at = bisect.bisect_left(seconds, first)
    return at < len(seconds) and seconds[at] <= last
