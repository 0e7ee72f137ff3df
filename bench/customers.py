"""customers.py [--events N] [--days N] [--without ...] - the customers-worker on a simulated business.

Starts a Kafka and a Redis of its own and sends a business of N events over so many days. Counts its
customers at full speed; again, with the workers killed and Redis emptied on the way; again, with one
topic read wholly before the other, and in four shards, of one Redis and of a cluster of three, with
what a shard costs. After each every customer counter of every day and scope is
compared with the Python oracle. Then the report in both languages, the return rates beside what the
simulation was told to make, and the memory that a million customers take.
Python's standard library only."""

import argparse
import contextlib
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

import run as race
import stand

ROOT = stand.ROOT
sys.path[:0] = [str(ROOT / "tests/oracle"), str(ROOT / "tests/system")]
import cluster as redis_cluster     # noqa: E402
import compare as oracle            # noqa: E402
import count as oracle_count        # noqa: E402
import customers as oracle_customers  # noqa: E402
import redis as oracle_redis        # noqa: E402

PARTITIONS = 4
SHARDS = 4
ZONE = "Europe/Bucharest"
CONTENT_PCT, DISCONTENT_PCT = 60, 20
START = "2024-11-01"
CURRENCY = "EUR"         # the simulation's
MONTH, AFTER = "2025-06", "2025-07"  # of the reports shown, with targets
KNOWN = 1_000_000       # customers, for the memory


def options(words):
    parser = argparse.ArgumentParser(prog="customers.py")
    parser.add_argument("--events", type=int, default=1_000_000, help="of the business (1,000,000)")
    parser.add_argument("--days", type=int, default=730, help="it lives so long (730)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--without", default="", help="of report,faults,order,shards,memory")
    return parser.parse_args(words)


def say(words):
    print(words, flush=True)


class Business:
    """One name in Redis; several may count the same topics."""

    def __init__(self, stack, name, topics, redis_url=None, shards=1):
        self.stack, self.name, self.topics, self.shards = stack, name, topics, shards
        self.redis_url = redis_url or stack.redis_url
        sales, service = topics
        self.env = {"TANDEM_BROKERS": stack.brokers, "TANDEM_REDIS": self.redis_url,
                    "TANDEM_BUSINESS": name, "TANDEM_TOPICS_SALES": sales,
                    "TANDEM_TOPICS_SERVICE": service, "TANDEM_TOPICS_REJECTED": "bench.rejected",
                    "TANDEM_TOPICS_COMPARISON": "bench.comparison",
                    "TANDEM_TOPICS_VERDICTS": "bench.verdicts", "TANDEM_TIMEZONE": ZONE,
                    "TANDEM_LEDGER_SHARDS": str(shards)}

    def run(self, *words, name=None, limit_s=3600):
        return stand.run(name or f"{self.name}-{words[0]}", [stand.BUILD / "tandem", *words],
                         limit_s, self.env)

    def start(self, kind, *words):
        return stand.Process(f"{self.name}-{kind}", [stand.BUILD / "tandem", f"{kind}-worker",
                                                     *words], self.env)

    def settings(self):
        return oracle_count.Settings(business=self.name, partitions=PARTITIONS, topics=self.topics,
                                     timezone=ZONE, ledger_shards=self.shards)

    def counted(self):
        """How far the customers' positions have come, summed."""
        found = 0
        for shard in range(self.shards):
            flat = self.stack.redis("HGETALL", f"tandem:{{{self.name}.{shard}}}:position:customers")
            found += sum(int(value.split(":")[0]) for field, value in zip(flat[::2], flat[1::2])
                         if field.split(":")[0] in ("sales", "service"))
        return found


def worker_line(process, events):
    """The worker's own span, from the first record to the last batch applied."""
    words = dict(word.split("=", 1) for word in process.output().splitlines()[-1].split()
                 if "=" in word)
    wall_s = int(words["span_ms"]) / 1e3
    return (f"{events} events {wall_s:.2f} s {events / wall_s / 1e6:.3f} M/s, cpu "
            f"{process.cpu_s:.2f} s -> {events / process.cpu_s / 1e6:.3f} M/s per core, "
            f"{int(words['cells']) / max(1, int(words['batches'])):.0f} sums a batch, "
            f"{process.rss_mb:.0f} MB")


def dump(stack, topics):
    paths = []
    for number, topic in enumerate(topics):
        path = stand.WORK / f"customers-{number}.ndjson"
        with open(path, "wb") as out:
            subprocess.run([stand.BUILD / "tests/dump", stack.brokers, topic], stdout=out,
                           check=True)
        paths.append(path)
    return oracle.read_dump(paths)[0]


class Cluster:
    """That of the system tests; its folder is kept until it ends."""

    def __enter__(self):
        self.closing = contextlib.ExitStack()
        self.folder = pathlib.Path(self.closing.enter_context(tempfile.TemporaryDirectory()))
        self.world = self
        self.redis = redis_cluster.Cluster(self, "--appendonly", "no")
        self.url, self.pids = self.redis.url, [node.child.pid for node in self.redis.nodes]
        return self

    def addCleanup(self, call):
        self.closing.callback(call)

    def __exit__(self, *_):
        self.closing.close()


class Truth:
    """What the log comes to, counted once and remembered: {key without its shard: {field: n}}."""

    def __init__(self, stack, topics):
        business = Business(stack, "truth", topics)
        began = time.monotonic()
        ledger = oracle_customers.count(dump(stack, topics), business.settings())
        self.hashes = summed(ledger.shard_hashes())
        self.buyers = len(ledger.months)
        say(f"the oracle counted in {time.monotonic() - began:.0f} s: "
            f"{sum(map(len, self.hashes.values()))} customer counters of {len(self.hashes)} keys, "
            f"{self.buyers} buyers")

    def check(self, business, what):
        with oracle_redis.connect(business.redis_url) as server:
            keys = [key for shard in range(business.shards) for key in
                    server.keys(f"tandem:{{{business.name}.{shard}}}:customer:*")]
            found = summed(server.hashes(keys))
        wrong = [(key, field) for key in self.hashes.keys() | found.keys()
                 for field in self.hashes.get(key, {}).keys() | found.get(key, {}).keys()
                 if self.hashes.get(key, {}).get(field, 0) != found.get(key, {}).get(field, 0)]
        if wrong:
            raise SystemExit(f"{what}: {len(wrong)} counters differ, as {wrong[:5]}")
        say(f"{what}: all {sum(map(len, self.hashes.values()))} counters equal the oracle's")


def summed(hashes):
    """Of all shards, zeros left out."""
    sums = {}
    for key, fields in hashes.items():
        cell = sums.setdefault(key.partition("}:")[2], {})
        for field, value in fields.items():
            cell[field] = cell.get(field, 0) + int(value)
    return {key: {f: n for f, n in cell.items() if n} for key, cell in sums.items()
            if any(cell.values())}


# ---- the sections ----

def simulated(chosen):
    return ("--events", chosen.events, "--days", chosen.days, "--seed", chosen.seed, "--start",
            START, "--return-content", CONTENT_PCT, "--return-discontent", DISCONTENT_PCT,
            "--duplicates", 2)


def load(stack, chosen):
    topics = race.make_topics(stack, "customers")
    business = Business(stack, "load", topics)
    began = time.monotonic()
    business.run("simulate", *simulated(chosen))
    say(f"sent {chosen.events} events of {chosen.days} days in {time.monotonic() - began:.0f} s")
    return topics


def count_to_end(business):
    process = business.start("customers", "--exit-at-end").wait(3600)
    if process.status != 0:
        raise SystemExit(process.output()[-2000:])
    return process


def count_fast(stack, topics, chosen, truth):
    business = Business(stack, "fast", topics)
    race.watch_scripts(stack)
    process = count_to_end(business)
    times = race.script_times(stack)
    say(f"customers: {worker_line(process, chosen.events)}")
    say(f"scripts: p50 {times['p50']:.1f} ms, p99 {times['p99']:.1f} ms, max {times['max']:.1f} ms")
    truth.check(business, "counted at full speed")
    return business


def count_with_faults(stack, topics, chosen, truth):
    """Four kills of one of two workers, and once everything in Redis is gone."""
    business, dice = Business(stack, "faults", topics), random.Random(chosen.seed)
    swift = ("-X", "kafka.session.timeout.ms=6000")
    workers = [business.start("customers", *swift) for _ in range(2)]
    for step in range(4):
        goal = chosen.events * (step + 1) // 6
        until = time.monotonic() + 900
        while business.counted() < goal:
            if time.monotonic() > until:
                raise SystemExit("the customers are not counted")
            time.sleep(0.05)
        if step == 2:
            stack.redis("FLUSHALL")
        victim = dice.randrange(2)
        workers[victim].child.kill()
        workers[victim].wait(30)
        workers[victim] = business.start("customers", *swift)
    count_to_end(business)
    for worker in workers:
        worker.stop()
    truth.check(business, "4 kills, Redis emptied once")


def count_in_order(stack, topics, chosen, truth):
    """The same events in topics of their own: sales are sent and counted, then service."""
    business = Business(stack, "order", race.make_topics(stack, "customers-in-order"))
    events = business.run("simulate", "--dry-run", *simulated(chosen)).splitlines()
    for side in ("sale", "service"):
        path = stand.WORK / f"customers-{side}.ndjson"
        path.write_text("".join(line + "\n" for line in events if f'"tandem.{side}.' in line))
        business.run("emit", path)
        count_to_end(business)
    truth.check(business, "sales wholly before service")


def processor_s(pids):
    """What these processes have used so far."""
    ticks = 0
    for pid in pids:
        words = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(words[11]) + int(words[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def count_shards(stack, topics, chosen, truth):
    """One shard, four on one Redis, four on a cluster of three: what a shard adds."""
    with Cluster() as cluster:
        four = Business(stack, "cluster", topics, cluster.url, SHARDS)
        cluster.redis.spread([f"tandem:{{{four.name}.{shard}}}:floor" for shard in range(SHARDS)])
        lines = []
        for what, business, servers in (
                ("one shard, one Redis", Business(stack, "one", topics), [stack.redis_pid]),
                ("four shards, one Redis", Business(stack, "four", topics, None, SHARDS),
                 [stack.redis_pid]),
                ("four shards, cluster of three", four, cluster.pids)):
            before = processor_s(servers)
            process = count_to_end(business)
            lines.append((what, business.shards, process.cpu_s, processor_s(servers) - before))
            say(f"{what}: {worker_line(process, chosen.events)}; Redis {lines[-1][3]:.2f} s")
            truth.check(business, what)
    for what, shards, worker_s, redis_s in lines[1:]:
        more = worker_s + redis_s - lines[0][2] - lines[0][3]
        say(f"{what}: a shard more costs {1e9 * more / (shards - 1) / chosen.events:.0f} ns of "
            "processor an event, worker and Redis together")


def show_report(business):
    for kind in ("sales", "service"):
        business.start(kind, "--exit-at-end").wait(3600)
    targets = stand.WORK / "customers-targets.json"
    example = (ROOT / "examples/targets.json").read_text()
    targets.write_text(example.replace("2017-11", MONTH).replace("2017-12", AFTER)
                       .replace("USD", CURRENCY))
    business.run("reporter", "--once", "--targets", targets)
    for language in ("en", "ro"):
        say(business.run("report", "--at", MONTH, "--lang", language))
    say(business.run("report", "--cohorts"))


def show_returns(truth):
    total = {}
    for key, fields in truth.hashes.items():
        if key.endswith(":all"):
            for field, value in fields.items():
                total[field] = total.get(field, 0) + value
    for word, told in (("satisfied", CONTENT_PCT), ("dissatisfied", DISCONTENT_PCT)):
        rate = 100 * total[f"{word}_returned"] / total[word]
        say(f"{word}: {total[word]} ratings, {rate:.2f} % came back in 90 days; told {told} %")
        if abs(rate - told) > 2:
            raise SystemExit("further than 2 points from what the simulation was told")


def measure_memory(stack):
    stack.redis("FLUSHALL")
    before = int(stack.redis.info("memory")["used_memory"])
    tool = subprocess.Popen([stand.BUILD / "tests/ledger", "commands", str(KNOWN)],
                            stdout=subprocess.PIPE)
    subprocess.run(["redis-cli", "-p", str(stack.redis_port), "--pipe"], stdin=tool.stdout,
                   stdout=subprocess.DEVNULL, check=True)
    if tool.wait() != 0:
        raise SystemExit("the tool that makes customers failed")
    each = (int(stack.redis.info("memory")["used_memory"]) - before) / KNOWN
    say(f"memory: {each:.1f} bytes of Redis a customer with five events, of {KNOWN}")
    if each >= 300:
        raise SystemExit("more than 300 bytes")


def main(words):
    chosen = options(words)
    without = set(filter(None, chosen.without.split(",")))
    stand.WORK.mkdir(parents=True, exist_ok=True)
    with stand.Stack() as stack:
        topics = load(stack, chosen)
        truth = Truth(stack, topics)
        show_returns(truth)
        business = count_fast(stack, topics, chosen, truth)
        if "report" not in without:
            show_report(business)
        if "faults" not in without:
            count_with_faults(stack, topics, chosen, truth)
        if "order" not in without:
            count_in_order(stack, topics, chosen, truth)
        if "shards" not in without:
            count_shards(stack, topics, chosen, truth)
        if "memory" not in without:
            measure_memory(stack)


if __name__ == "__main__":
    main(sys.argv[1:])
