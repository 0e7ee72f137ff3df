"""Writes into Redis what customers-workers write: a ledger made of events, by tests/tools/ledger.c.

    ledger = LedgerHand(world, world.redis, shards=3)
    ledger.put([order(1, customer="c-1", region="north"), ticket(1, customer="c-1")])
    ledger.key(partition, "names")          # of the partition's shard
"""

import json
import sys

from harness import ROOT

sys.path.insert(0, str(ROOT / "tests/oracle"))
from count import partition_of_key          # noqa: E402

KINDS = {"sale": "sales", "service": "service"}


class LedgerHand:
    def __init__(self, world, client, shards=1, partitions=4, timezone="UTC", limit=2000):
        self.world, self.client = world, client
        self.shards, self.partitions = shards, partitions
        self.timezone, self.limit = timezone, limit
        self.batches = []
        self.ends = {(kind, partition): 0 for kind in KINDS.values()
                     for partition in range(partitions)}
        for shard in range(shards):
            self.position(shard, token=f"1700000000000-{shard:06}:0123456789abcdef",
                          definition=f"fold=1\nledger.shards={shards}\nledger.limit={limit}\n",
                          ledger="", **{f"partitions:{kind}": partitions
                                        for kind in KINDS.values()})
        self.write_positions()

    def prefix(self, partition):
        return f"tandem:{{{self.world.business}.{partition % self.shards}}}:"

    def key(self, partition, rest):
        return self.prefix(partition) + rest

    def home(self, customer):
        return partition_of_key(customer.encode(), self.partitions)

    def state_key(self, customer, partition=None):
        partition = self.home(customer) if partition is None else partition
        return self.key(partition, f"c:{partition}:{customer}")

    def position(self, shard, **fields):
        words = [word for field in fields.items() for word in field]
        self.client.call("HSET", self.key(shard, "position:customers"), *words)

    def positions(self, shard):
        return self.client.hash(self.key(shard, "position:customers"))

    def write_positions(self):
        for (kind, partition), end in self.ends.items():
            self.position(partition, **{f"{kind}:{partition}": f"{end}:0"})

    def put(self, events, partition=None):
        """Counts them behind what was put before. `partition`: that one instead of the key's."""
        records = [self.record(event, partition) for event in events]
        self.batches.append({"drop": False, "records": records})
        made = self.count()
        for name, state in made["states"].items():
            at, _, customer = name.partition("/")
            self.client.call("SET", self.state_key(customer, int(at)), bytes.fromhex(state))
        for shard, names in enumerate(made["names"]):
            for name, number in names.items():
                self.client.call("HSET", self.key(shard, "names"), name, number)
        for key, fields in made["hashes"].items():
            for field, amount in fields.items():
                self.client.call("HSET", key, field, amount)
        self.write_positions()

    def record(self, event, partition):
        kind = KINDS[event["type"].split(".")[1]]
        if partition is None:
            partition = self.home(event["partitionkey"])
        offset = self.ends[kind, partition]
        self.ends[kind, partition] += 1
        return {"topic": f"tandem.{kind}", "partition": partition, "offset": offset,
                "value": json.dumps(event)}

    def count(self):
        order = {"business": self.world.business, "timezone": self.timezone, "scopes": "region,channel,rep,line", "from": None,
                 "limit": self.limit, "shards": self.shards, "floor": None, "forgotten": [],
                 "batches": self.batches}
        return json.loads(self.world.tool("ledger", "count", input=json.dumps(order).encode()))
