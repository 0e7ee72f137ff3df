"""Documents made from valid ones by changing values, adding, removing and exchanging members.

Never the spelling of a number: what is written 1.0 or 1e2 is beyond a schema and tested apart.
"""

import copy
import re

import contract

INTEGERS = [-2 ** 63 - 1, -2 ** 63, -1, 0, 1, 2, 4, 5, 6, 7, 8, 10, 11, 100, 600, 601, 10 ** 6,
            10 ** 6 + 1, 315360000, 315360001, 10 ** 12, 10 ** 12 + 1, 2 ** 53 + 1, 2 ** 63 - 1,
            2 ** 63, 10 ** 30, 0.5, -2.75, 4.5]
STRINGS = ["", "x", "c-8841", "a b", "a\nb", "x\n", "a\u0000", "a\u0085", "a\u00a0b", "__x", "1",
           "null", "true", "1.0", "EUR", "csat", "x" * 64, "x" * 65, "x" * 128, "x" * 129,
           "x" * 256, "x" * 257, "ă" * 64, "ă" * 65, "🛍" * 32, "🛍" * 33]
TIMES = ["2026-11-23T12:05:09Z", "2025-01-31t23:59:59.999z", "2024-02-29T00:00:00-11:30",
         "2026-11-23", "2026-11-23 12:05:09Z", "2026-11-23T12:05:60Z", "2026-11-23T24:00:00Z",
         "2026-04-31T10:00:00Z", "2026-02-29T10:00:00Z", "1999-12-31T23:59:59Z",
         "2026-11-24T12:05:09Z", "2099-12-31T23:59:59Z", "2026-11-23T12:05:09+24:00",
         "2026-11-23T12:05:09.1234567890Z", "2026-13-01T00:00:00Z", "2000-01-01T00:30:00+01:00"]
DATES = ["2026-01-10", "2024-02-29", "0001-01-01", "9999-12-31", "0000-01-01", "2026-02-29",
         "2026-1-1", "2026-00-10", "2026-01-32", "20260110"]
CURRENCIES = ["EUR", "JPY", "KWD", "CLF", "USD", "XAU", "XXX", "ABC", "eur", "EURO", "EU", "EUR\n"]
TYPES = ["tandem.sale.completed.v1", "tandem.sale.completed.v2", "tandem.service.rated.v1",
         "tandem.service.rated.v01", "tandem.sale.completed", "tandem.sale.lost.v1", "com.acme.x",
         "tandem.sale.completed.v", "tandem.sale.completed.v1 ", "Tandem.sale.completed.v1"]
MEDIA = ["application/json", "Application/JSON; charset=utf-8", " application/json\t;x",
         "text/plain", "application/jsonx", "application/json/x", "application/vnd.x+json"]
OTHERS = [None, True, False, [], {}, [1], {"a": 1}]
BY_NAME = {"time": TIMES, "purchased": DATES, "currency": CURRENCIES, "type": TYPES,
           "datacontenttype": MEDIA, "specversion": ["1.0", "1", "0.3", "1.0 "]}


def members(doc):
    """The names that mean something in the data of `doc`, in order."""
    name = contract.name_of(doc)
    own = contract.data_schema(doc)["properties"] if name else {}
    return list(contract.FILES["common.json"]["$defs"]["people"]["properties"]) + list(own)


def words_of(doc, name):
    rule = contract.data_schema(doc)["properties"].get(name, {}) if contract.name_of(doc) else {}
    return rule.get("enum", [])


def values_in(docs):
    """The values of every member in `docs`, by its name: what is likely to be right elsewhere."""
    found = {}
    def walk(value):
        for name, inner in value.items() if isinstance(value, dict) else ():
            found.setdefault(name, []).append(inner)
            walk(inner)
    for doc in docs:
        walk(doc)
    return found


class Mutator:
    """Changes documents; the same `random` and `docs` make the same documents."""

    def __init__(self, random, docs):
        self.random = random
        self.seen = values_in(docs)

    def value_for(self, doc, name):
        pick = self.random.choice
        likely = BY_NAME.get(name) or words_of(doc, name)
        chance = self.random.random()
        if name in self.seen and chance < 0.4:
            return copy.deepcopy(pick(self.seen[name]))
        if likely and chance < 0.7:
            return pick(likely)
        if chance < 0.82:
            return pick(INTEGERS)
        return copy.deepcopy(pick(STRINGS if chance < 0.93 else OTHERS))

    def container(self, doc):
        """Something with members: mostly data, sometimes the event, an item or the labels."""
        data = doc.get("data")
        places = [doc] + [data] * 6 if isinstance(data, dict) else [doc]
        if isinstance(data, dict):
            items = data.get("items")
            places += [item for item in items if isinstance(item, dict)] * 2 \
                if isinstance(items, list) else []
            places += [data["labels"]] if isinstance(data.get("labels"), dict) else []
        return self.random.choice(places)

    def change(self, doc):
        place = self.container(doc)
        if place:
            name = self.random.choice(list(place))
            place[name] = self.value_for(doc, name)

    def near(self, doc):
        """A number one beside, a text one character longer: close to what is right."""
        place = self.container(doc)
        numbers = [name for name, value in place.items() if type(value) is int]
        texts = [name for name, value in place.items() if isinstance(value, str)]
        if numbers and self.random.random() < 0.7:
            place[self.random.choice(numbers)] += self.random.choice([-1, 1, 1000])
        elif texts:
            place[self.random.choice(texts)] += self.random.choice(["x", "-", "ș", " ", "\t"])

    def remove(self, doc):
        place = self.container(doc)
        if place:
            del place[self.random.choice(list(place))]

    def add(self, doc):
        data = doc.get("data")
        if isinstance(data, dict) and self.random.random() < 0.7:
            name = self.random.choice(members(doc))
            data[name] = self.value_for(doc, name)
        else:
            name = self.random.choice(["partitionkey", "datacontenttype", "data_base64", "x"])
            doc[name] = self.value_for(doc, name)

    def add_unknown(self, doc):
        self.container(doc)["unknown"] = self.value_for(doc, "unknown")

    def exchange(self, doc):
        place = self.container(doc)
        if len(place) > 1:
            a, b = self.random.sample(list(place), 2)
            place[a], place[b] = place[b], place[a]

    def label(self, doc):
        data = doc.get("data")
        if isinstance(data, dict):
            count = self.random.choice([0, 1, 2, 7, 8, 9])
            data["labels"] = {f"label.{i}": "v" for i in range(count)}
            if self.random.random() < 0.4:
                name = self.random.choice(STRINGS)
                data["labels"][name] = self.random.choice(STRINGS + [1, None])

    def item(self, doc):
        data = doc.get("data")
        if isinstance(data, dict) and isinstance(data.get("net"), int):
            new = {"sku": "s", "qty": self.random.randint(0, 3), "net": self.random.randint(0, 500)}
            if not isinstance(data.get("items"), list):
                data["items"] = []
            data["items"] += [new] * self.random.choice([1, 1, 2, 200])

    def mend(self, doc):
        """Subject and sums follow most changes, or few documents would get past them."""
        data = doc.get("data")
        if not isinstance(data, dict) or self.random.random() < 0.25:
            return
        refs = [name for name in members(doc) if name in data and
                re.fullmatch("interaction|order|refund|referral|ticket|rating|claim", name)]
        if refs and isinstance(doc.get("subject"), str) and isinstance(data[refs[0]], str):
            doc["subject"] = data[refs[0]]
        items = data.get("items")
        for name in ("net", "cost"):
            if isinstance(items, list) and type(data.get(name)) is int and items and \
                    all(isinstance(item, dict) and type(item.get(name)) is int for item in items):
                data[name] = sum(item[name] for item in items)

    def mutate(self, doc):
        doc = copy.deepcopy(doc)
        ways = [self.change] * 4 + [self.near] * 3 + [self.add] * 3 + \
            [self.remove, self.add_unknown, self.exchange, self.label, self.item]
        for _ in range(self.random.choice([1, 1, 1, 1, 2, 3])):
            self.random.choice(ways)(doc)
        self.mend(doc)
        return doc
