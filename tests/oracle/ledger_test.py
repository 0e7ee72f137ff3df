"""The ledger in C against the oracle: random sets of events, in random orders, batches and shards.

    python3 tests/oracle/ledger_test.py [SETS]

Every set is a log of two topics. The oracle judges it whole; the C side gets it cut into batches,
some of which are worked out, dropped and read again.
"""

import datetime
import json
import os
import pathlib
import random
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import count
import customers
import decode

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOL = ROOT / os.environ.get("TANDEM_BUILD", "build") / "tests" / "ledger"
SETS = 3000
AT_ONCE = 250

DAY = 86400
START = datetime.datetime(2026, 3, 1, tzinfo=datetime.timezone.utc)
# Where windows end, and a second to each side of it.
STEPS = [days * DAY + second for days in (0, 1, 15, 30, 31, 90) for second in (-1, 0, 1)] + [3600]
STRUCTURED = [("content-type", b"application/cloudevents+json")]
NAMES = ["sale.completed"] * 4 + ["sale.interaction", "service.opened", "sale.referred",
                                  "service.referred", "service.resolved", "sale.refunded"] \
    + ["service.rated"] * 3
IDS = {"sale.completed": "order", "sale.interaction": "interaction", "service.opened": "ticket",
       "sale.referred": "referral", "service.referred": "referral", "service.resolved": "ticket",
       "sale.refunded": "refund", "service.rated": "rating"}
SCORES = {"csat": range(1, 6), "nps": range(11), "ces": range(1, 8)}
VALUES = ["a", "b", "a-1", "A.b", "__c", "__d"]


class Set:
    """A log with its settings, made from one seed."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.seconds = []
        self.partitions = self.random.choice([1, 2, 3])
        self.timezone = self.random.choice(["UTC", "Europe/Bucharest", "America/Sao_Paulo"])
        events = [self.event(number) for number in range(self.random.randrange(40))]
        self.settings = self.choose_settings()
        self.records = self.lay_down(events)
        self.forgotten = self.forget() if self.random.random() < 0.2 else {}

    def second(self):
        """Mostly at the edge of a window from another event."""
        second = self.random.randrange(200 * DAY)
        if self.seconds and self.random.random() < 0.8:
            second = self.random.choice(self.seconds) \
                + self.random.choice(STEPS) * self.random.choice((1, -1))
        self.seconds.append(second)
        return second

    def time(self):
        time = START + datetime.timedelta(seconds=self.second())
        return time.strftime("%Y-%m-%dT%H:%M:%S") + self.random.choice(["Z", ".4Z", ".999Z"])

    def event(self, number):
        name = self.random.choice(NAMES)
        rolled = self.random.choice(["1", "2", "#3"]) if name == "service.rated" else str(number)
        data = {IDS[name]: rolled, **self.scoped(), **self.fields(name)}
        if self.random.random() < 0.95 or name.endswith("referred"):
            data["customer"] = self.random.choice(["c-1", "c-1", "c-2"])
        return {"specversion": "1.0", "id": str(number), "source": "/test",
                "type": f"tandem.{name}.v1", "time": self.time(), "subject": rolled, "data": data}

    def scoped(self):
        data = {member: self.random.choice(VALUES) for member in ("region", "rep")
                if self.random.random() < 0.5}
        if self.random.random() < 0.3:
            data["labels"] = {"segment": self.random.choice(VALUES)}
        return data

    def fields(self, name):
        if name == "sale.completed":
            lines = [self.random.choice(VALUES + [None]) for _ in range(self.random.randrange(4))]
            items = [{"sku": "x", "qty": 1, "net": 1, **({"line": line} if line else {})}
                     for line in lines]
            return {"currency": "RON", "net": len(items), **({"items": items} if items else {})}
        if name == "service.rated":
            scale = self.random.choice(["csat", "csat", "nps", "ces"])
            return {"scale": scale, "score": self.random.choice(SCORES[scale])}
        return {"sale.interaction": {"kind": "visit"},
                "service.opened": {"phase": "after", "category": "question"},
                "sale.refunded": {"order": "1", "currency": "RON", "net": 1, "reason": "other"},
                }.get(name, {})

    def choose_settings(self):
        day = (START + datetime.timedelta(seconds=self.random.choice(self.seconds or [0]))).date()
        return count.Settings(
            timezone=self.timezone,
            scopes=self.random.choice([("region", "rep", "line", "labels.segment"), ("line",), ()]),
            partitions=self.partitions, ledger_shards=self.random.choice([1, 2, 4]),
            ledger_from=day if self.random.random() < 0.3 else None,
            floor=day if self.random.random() < 0.2 else None,
            ledger_limit=self.random.choice([2000, 2000, self.random.randrange(12)]))

    def lay_down(self, events):
        """Into partitions at random: to be misplaced makes another customer, no mistake."""
        records, ends = [], {}
        for event in events:
            side = "sales" if event["type"].startswith("tandem.sale.") else "service"
            place = f"tandem.{side}", self.random.randrange(self.partitions)
            ends[place] = ends.get(place, -1) + 1
            records.append(decode.Record(*place, ends[place], None, None, STRUCTURED,
                                         json.dumps(event).encode()))
        return records

    def forget(self):
        return {(partition, name): {topic: self.random.randrange(10)
                                    for topic in ("tandem.sales", "tandem.service")}
                for partition in range(self.partitions) for name in ("c-1", "c-2")
                if self.random.random() < 0.5}

    def batches(self):
        """The log in another interleaving of its partitions each time, some of it read twice."""
        logs = {}
        for record in self.records:
            logs.setdefault((record.topic, record.partition), []).append(record)
        order = [place for place, log in logs.items() for _ in log]
        self.random.shuffle(order)
        if self.random.random() < 0.3:
            order.sort(reverse=self.random.random() < 0.5)  # one topic wholly before the other
        records, done, most = [logs[place].pop(0) for place in order], 0, self.random.randint(1, 12)
        while done < len(records):
            end = done + self.random.randint(1, most)
            drop = self.random.random() < 0.25
            yield {"drop": drop, "records": [
                {"topic": record.topic, "partition": record.partition, "offset": record.offset,
                 "value": record.value.decode()} for record in records[done:end]]}
            done = done if drop else end

    def line(self):
        settings = self.settings
        return json.dumps({
            "timezone": self.timezone, "scopes": ",".join(settings.scopes),
            "from": settings.ledger_from and settings.ledger_from.isoformat(),
            "floor": settings.floor and settings.floor.isoformat(),
            "limit": settings.ledger_limit, "shards": settings.ledger_shards,
            "forgotten": [[partition, name, offsets["tandem.sales"], offsets["tandem.service"]]
                          for (partition, name), offsets in self.forgotten.items()],
            "batches": list(self.batches())})

    def judged(self):
        ledger = customers.count(self.records, self.settings, forgotten=self.forgotten)
        months = {f"{partition}/{name}": sorted(f"{year}-{month:02}" for year, month in months)
                  for (partition, name), months in ledger.months.items()}
        return ledger.shard_hashes(), months

    def is_forgotten(self, customer):
        partition, name = customer.split("/")
        return (int(partition), name) in self.forgotten


def counted(sets):
    """What the C side says of them, in their order."""
    done = subprocess.run([TOOL, "count"], input="\n".join(each.line() for each in sets) + "\n",
                          stdout=subprocess.PIPE, text=True, timeout=300, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


class Ledger(unittest.TestCase):
    maxDiff = 4000

    def test_random_sets_come_to_what_the_oracle_says(self):
        fields = set()
        for first in range(0, SETS, AT_ONCE):
            sets = [Set(seed) for seed in range(first, min(first + AT_ONCE, SETS))]
            answers = counted(sets)
            self.assertEqual(len(answers), len(sets))
            for seed, (each, answer) in enumerate(zip(sets, answers), first):
                hashes, months = each.judged()
                fields.update(field for hash_ in hashes.values() for field in hash_)
                self.assertEqual(answer["hashes"], hashes, f"set {seed}")
                self.assertEqual({name: found for name, found in answer["months"].items()
                                  if not each.is_forgotten(name)}, months, f"set {seed}")
        # Otherwise the sets would have missed a rule.
        self.assertEqual(len(fields), 15, sorted(fields))

    def test_five_events_take_less_than_eighty_bytes(self):
        done = subprocess.run([TOOL, "sizes", "10000"], stdout=subprocess.PIPE, text=True,
                              timeout=60, check=True)
        print("states:", done.stdout.strip(), file=sys.stderr)
        self.assertLess(json.loads(done.stdout)["bytes_max"], 80)


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1].isdigit():
        SETS = int(sys.argv.pop(1))
    unittest.main()
