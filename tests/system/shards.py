"""Writes into Redis what a customers-worker writes: the shards of the ledger, made by tests/tools'
ledger from the records of a log.

    ledger = Shards(world, settings)        # settings: of the oracle
    ledger.take(records)                    # of the log
    ledger.write()                          # counters, states, names and marks of what changed"""

import json
import secrets

PREFIX_LINES = "fold=1\ntimezone=UTC/0\n"


class Shards:
    def __init__(self, world, settings, redis=None):
        self.world = world
        self.settings = settings
        self.redis = redis or world.redis
        self.known = set()
        self.batches = []
        self.written = {}
        for shard in range(settings.ledger_shards):
            self.make(shard)

    def key(self, shard, rest):
        return f"tandem:{{{self.world.business}.{shard}}}:{rest}"

    def make(self, shard):
        """An empty store, of a token of its own."""
        settings = self.settings
        self.redis.call("HSET", self.key(shard, "position:customers"),
                        "token", f"1700000000000-{secrets.token_hex(8)}:{secrets.token_hex(8)}",
                        "definition", PREFIX_LINES + f"ledger.from={settings.ledger_from or ''}\n"
                        f"ledger.limit={settings.ledger_limit}\n"
                        f"ledger.shards={settings.ledger_shards}\nwindows=30,90,90,90\n")

    def empty(self, shard):
        """As after a FLUSHALL of its node, and a worker that makes it anew."""
        for key in self.redis.keys(self.key(shard, "*")):
            self.redis.call("DEL", key)
            self.written.pop(key, None)
        self.make(shard)

    def take(self, records):
        """decode.Records of valid events, whatever their order; those known are passed over."""
        place = lambda record: (record.topic, record.partition, record.offset)
        records = [record for record in records if place(record) not in self.known]
        self.known.update(map(place, records))
        self.batches.append({"drop": False, "records": [
            {"topic": "tandem.sales" if record.topic == self.world.sales else "tandem.service",
             "partition": record.partition, "offset": record.offset,
             "value": record.value.decode()} for record in records]})

    def count(self):
        settings = self.settings
        line = json.dumps({
            "business": self.world.business, "timezone": str(settings.zone.info),
            "scopes": ",".join(settings.scopes), "limit": settings.ledger_limit,
            "from": settings.ledger_from and settings.ledger_from.isoformat(), "floor": None,
            "shards": settings.ledger_shards, "forgotten": [], "batches": self.batches})
        return json.loads(self.world.tool("ledger", "count", input=line.encode() + b"\n"))

    def write(self, only=None):
        """`only`: one shard, the others being behind."""
        found = self.count()
        for shard, names in enumerate(found["names"]):
            if only is None or shard == only:
                self.write_shard(shard, names, found)

    def write_shard(self, shard, names, found):
        prefix = self.key(shard, "")
        hashes = {key: fields for key, fields in found["hashes"].items() if key.startswith(prefix)}
        mine = {key for key in self.written if key.startswith(prefix)}
        commands = [("HSET", self.key(shard, "names"), name, number)
                    for name, number in names.items()]
        for key in hashes.keys() | mine:
            commands += self.rewrite(shard, key, hashes.get(key, {}))
        for name, state in found["states"].items():
            partition, customer = name.split("/", 1)
            if int(partition) % self.settings.ledger_shards == shard:
                commands.append(("SET", self.key(shard, f"c:{partition}:{customer}"),
                                 bytes.fromhex(state)))
        for command in commands:
            self.redis.call(*command)

    def rewrite(self, shard, key, fields):
        """The commands that change a hash, its mark last; none where nothing changed."""
        before = self.written.get(key, {})
        if before == fields:
            return
        self.written[key] = fields
        for field in before.keys() | fields.keys():
            yield "HINCRBY", key, field, fields.get(field, 0) - before.get(field, 0)
        day = key.partition(":customer:day:")[2]
        if day:
            yield "HSET", self.key(shard, "dirty"), "customer:" + day, secrets.token_hex(8)

    def dirty(self):
        return {shard: fields for shard in range(self.settings.ledger_shards)
                if (fields := self.redis.hash(self.key(shard, "dirty")))}
