"""Counts sale events into Redis hashes as one would by hand in Python: confluent-kafka, orjson,
redis-py. At least once: sums in a transaction once a second, then a commit; no validation.

    peer.py BROKERS TOPIC COUNT REDIS-PORT"""

import sys
import time
from collections import defaultdict

import orjson
import redis
from confluent_kafka import Consumer

brokers, topic, total, port = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
consumer = Consumer({
    "bootstrap.servers": brokers, "group.id": f"py{time.time()}", "auto.offset.reset": "earliest",
    "enable.auto.commit": False, "queued.min.messages": 1000000,
    "fetch.message.max.bytes": 4194304})
consumer.subscribe([topic])
store = redis.Redis(port=port)
sums = defaultdict(lambda: [0] * 6)


def flush():
    pipe = store.pipeline(transaction=True)
    for (place, currency), (orders, units, warranty, net, discount, cost) in sums.items():
        key = "peer:sale:day:" + place
        for field, value in (
                ("orders", orders), ("units", units), ("warranty_units", warranty),
                ("orders:" + currency, orders), ("revenue:" + currency, net),
                ("profit:" + currency, net - cost), ("net:" + currency, net),
                ("net_costed:" + currency, net), ("cost:" + currency, cost),
                ("discount:" + currency, discount)):
            if value:
                pipe.hincrby(key, field, value)
    pipe.execute()
    sums.clear()
    consumer.commit(asynchronous=True)


n, first, flushed = 0, 0.0, 0.0
while n < total:
    for message in consumer.consume(10000, 0.1):
        if message.error():
            continue
        if not first:
            first = flushed = time.time()
        event = orjson.loads(message.value())
        data = event["data"]
        day, currency, get = event["time"][:10], data["currency"], data.get
        units, warranty, net = data["units"], get("warranty_units", 0), data["net"]
        discount, cost = get("discount", 0), data["cost"]
        for place in (day + ":all", day + ":region=" + data["region"],
                      day + ":channel=" + data["channel"], day + ":rep=" + data["rep"]):
            v = sums[place, currency]
            v[0] += 1
            v[1] += units
            v[2] += warranty
            v[3] += net
            v[4] += discount
            v[5] += cost
        n += 1
    if sums and time.time() - flushed > 1:
        flush()
        flushed = time.time()
flush()
print(f"events {n} seconds {time.time() - first:.3f}")
