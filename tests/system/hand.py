"""Writes into Redis what workers write: counters, sets and dirty marks, each by one call."""

import datetime
import secrets

STORE = "1700000000000-abcdef"


class Hand:
    """hand.count(day, scope, sale={...}, service={...}) as a worker's batch does it."""

    def __init__(self, world, store=STORE):
        self.world = world
        self.redis = world.redis
        self.hashes = {}
        self.currencies = set()
        for side in ("sales", "service"):
            self.redis.call("HSET", world.key(f"position:{side}"), "token", f"{store}:0123abcd")

    def count(self, day, scope="all", mark=True, **sides):
        day = str(day)
        self.redis.send("MULTI")
        sent = 1
        for side, fields in sides.items():
            key = self.world.key(f"{side}:day:{day}:{scope}")
            known = self.hashes.setdefault(key, {})
            for field, amount in fields.items():
                self.redis.send("HINCRBY", key, field, amount)
                known[field] = known.get(field, 0) + amount
                sent += 1
                name, _, code = field.partition(":")
                if name == "orders" and code:
                    self.redis.send("SADD", self.world.key("currency"), code)
                    self.currencies.add(code)
                    sent += 1
            if mark:
                self.redis.send("HSET", self.world.key("dirty"), f"{side}:{day}:{scope}",
                                secrets.token_hex(8))
                sent += 1
        dimension, _, value = scope.partition("=")
        if value:
            self.redis.send("SADD", self.world.key(f"scope:{dimension}"), value)
            sent += 1
        self.redis.send("EXEC")
        for _ in range(sent + 1):
            self.redis.read()

    def sell(self, day, scope="all", orders=1, net=1000, cost=600, currency="EUR"):
        self.count(day, scope, sale={
            "orders": orders, f"orders:{currency}": orders, "units": orders,
            f"net:{currency}": net, f"net_costed:{currency}": net, f"cost:{currency}": cost,
            f"revenue:{currency}": net, f"profit:{currency}": net - cost})

    def rate(self, day, scope="all", good=20, bad=0):
        self.count(day, scope, service={"csat_n": good + bad, "csat_5": good, "csat_1": bad,
                                        "csat_sum": 5 * good + bad})

    def dirty(self):
        return self.redis.hash(self.world.key("dirty"))

    def published(self, kind, period, scope="all"):
        return self.redis.hash(self.world.key(f"comparison:{kind}:{period}:{scope}"))

    def revision(self):
        return int(self.redis.call("GET", self.world.key("revision")) or 0)


def today():
    return datetime.datetime.now(datetime.timezone.utc).date()


def names_of(day):
    """The periods that hold a day: {"day": "2026-11-23", ...}."""
    year, week, _ = day.isocalendar()
    return {"day": day.isoformat(), "week": f"{year}-W{week:02}", "month": f"{day:%Y-%m}",
            "quarter": f"{day.year}-Q{(day.month + 2) // 3}", "year": f"{day.year}"}
