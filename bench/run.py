"""run.py [--quick] ... - tandem beside what one would run instead, in one go.

Starts a Kafka and a Redis of its own, loads a set of events, runs the floor, tandem and the peers
alternately, and checks everybody's sums against the truth. A full run measures latency, memory and
what Redis feels too, and writes bench/RESULTS.md; a quick one is the floor, tandem and Go on a
million events, and writes nothing. Python's standard library only."""

import argparse
import datetime
import pathlib
import signal
import statistics
import subprocess
import sys
import threading
import time

import competitors
import parts
import results
import stand

DAYS = 10
QUICK = ("floor", "tandem", "go")
SMALL_EVENTS = 20000
LATENCY_S = 22        # the first two are left out
IDLE_S = 60


def options(words):
    parser = argparse.ArgumentParser(prog="run.py")
    parser.add_argument("--quick", action="store_true", help="floor, tandem and Go only")
    parser.add_argument("--events", type=int, help="events of the set")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each (3)")
    parser.add_argument("--only", help="competitors, with commas between")
    parser.add_argument("--without", default="", help="of mixed,latency,felt,idle,parts")
    parser.add_argument("--write", type=pathlib.Path, help="the page (bench/RESULTS.md)")
    chosen = parser.parse_args(words)
    chosen.events = chosen.events or (1000000 if chosen.quick else 4000000)
    if chosen.quick:
        chosen.without = "mixed,latency,felt,idle,parts"
    elif not chosen.write:
        chosen.write = stand.ROOT / "bench/RESULTS.md"
    names = chosen.only.split(",") if chosen.only else QUICK if chosen.quick else None
    chosen.names = names or [c.name for c in competitors.COMPETITORS]
    unknown = set(chosen.names) - {c.name for c in competitors.COMPETITORS}
    if unknown:
        parser.error("no competitor is named " + ", ".join(sorted(unknown)))
    return chosen


def say(words):
    print(words, flush=True)


# ---- loading ----

def make_topics(stack, name):
    sales, service = f"bench.{name}.sales", f"bench.{name}.service"
    stand.run("topics", [stand.BUILD / "tandem", "topics", "-b", stack.brokers, "--partitions", 4,
                         "--topics-sales", sales, "--topics-service", service, "--topics-rejected",
                         "bench.rejected", "--topics-comparison", "bench.comparison",
                         "--topics-verdicts", "bench.verdicts"])
    return sales, service


def load(stack, name, kind, events):
    sales, service = make_topics(stack, name)
    truth = stand.WORK / f"truth-{name}.txt"
    first = datetime.datetime.now(datetime.timezone.utc).date() - datetime.timedelta(days=DAYS)
    began = time.monotonic()
    told = stand.run("load", [stand.WORK / "load", stack.brokers, sales, service, kind, events,
                              first.isoformat(), DAYS, truth]).split()
    say(f"loaded {events} {kind} events of {float(told[5]):.0f} bytes in "
        f"{time.monotonic() - began:.1f} s")
    return competitors.Topic(sales, service, events, competitors.read_truth(truth),
                             float(told[5]), int(told[3]))


# ---- Redis ----

def watch_scripts(stack):
    stack.redis("CONFIG", "RESETSTAT")
    stack.redis("CONFIG", "SET", "slowlog-log-slower-than", 1000)
    stack.redis("CONFIG", "SET", "slowlog-max-len", 10000)
    stack.redis("SLOWLOG", "RESET")


def script_times(stack):
    """p50, p99 and longest time of a script since watch_scripts(), ms."""
    told = stack.redis.info("latencystats").get("latency_percentiles_usec_evalsha")
    if not told:
        return None
    usec = dict(pair.split("=") for pair in told.split(","))
    slow = [entry[2] for entry in stack.redis("SLOWLOG", "GET", -1) if entry[3][0] == "EVALSHA"]
    return {"p50": float(usec["p50"]) / 1e3, "p99": float(usec["p99"]) / 1e3,
            "max": max(slow, default=1000) / 1e3}


# ---- the sections ----

def race(stack, chosen, plain, small, measured):
    """Everybody, in another order each round."""
    field = [c for c in competitors.COMPETITORS if c.name in chosen.names]
    runs, scripts = [], []
    for number in range(chosen.rounds):
        for place in range(len(field)):
            competitor = field[(place + number) % len(field)]
            watch_scripts(stack)
            run = competitor.count(stack, small if competitor.small else plain)
            if competitor.name == "tandem":
                scripts.append(script_times(stack))
            say(run.line())
            runs.append(run)
    order = [c.name for c in field]
    measured["runs"] = sorted(runs, key=lambda run: order.index(run.name))
    if scripts and all(scripts):
        for what in ("p50", "p99"):
            measured[f"script_{what}_ms"] = statistics.median(s[what] for s in scripts)
        measured["script_max_ms"] = max(s["max"] for s in scripts)


def race_mixed(stack, chosen, topic, measured):
    measured["mixed"], measured["mixed_bytes"] = [], topic.mean_bytes
    floor = competitors.floor("floor", "floor mixed sales")
    floor_service = competitors.floor("floor", "floor mixed service")
    for _ in range(chosen.rounds):
        runs = [floor(stack, topic), floor_service(stack, topic, "service")]
        runs += competitors.tandem_mixed(stack, topic)
        for run in runs:
            say(run.line())
        measured["mixed"] += runs


def reporter_command(stack, business):
    return [stand.BUILD / "tandem", "reporter", "-b", stack.brokers, "-r", stack.redis_url,
            "--business", business, "--topics-comparison", "bench.comparison",
            "--topics-verdicts", "bench.verdicts"]


def measure_latency(stack, measured):
    sales, service = make_topics(stack, "live")
    topic = competitors.Topic(sales, service, 0, {}, 0)
    stack.redis("FLUSHALL")
    worker = stand.Process("live-worker", competitors.worker_command(stack, topic, "sales", "live"))
    reporter = stand.Process("live-reporter", reporter_command(stack, "live"))
    try:
        worker.wait_for("partitions assigned", 60)
        measured["latency"] = []
        for rate in (1000, 10000):
            line = stand.run(f"latency-{rate}", [
                stand.WORK / "latency", stack.brokers, sales, "127.0.0.1", stack.redis_port, "live",
                rate, LATENCY_S]).splitlines()[-1]
            say(line)
            measured["latency"].append(parse_latency(line))
    finally:
        worker.stop()
        reporter.stop()


def parse_latency(line):
    words = line.split()
    found = {"rate": int(words[1]), "samples": int(words[3])}
    for at, what in ((5, "counted"), (9, "published")):
        for place, quantile in enumerate(("p50", "p99", "max")):
            found[f"{what}_{quantile}"] = float(words[at + place])
    return found


class Dashboard(threading.Thread):
    """A second client that reads a published comparison again and again."""

    def __init__(self, stack):
        super().__init__(daemon=True)
        self.redis, self.ended, self.times_ms = stand.Redis(stack.redis_port), False, []

    def run(self):
        key = competitors.TANDEM_PREFIX + "comparison:current:month:all"
        while not self.ended:
            began = time.perf_counter()
            if self.redis("HGETALL", key):
                self.times_ms.append((time.perf_counter() - began) * 1e3)
            time.sleep(0.002)

    def told(self):
        self.ended = True
        self.join()
        ms = sorted(self.times_ms)
        if len(ms) < 100:
            raise RuntimeError(f"only {len(ms)} reads of a published comparison")
        return {"count": len(ms), "p50_ms": ms[len(ms) // 2], "p99_ms": ms[len(ms) * 99 // 100],
                "max_ms": ms[-1]}


def measure_felt(stack, topic, measured):
    """What dashboards feel while a worker catches up and a reporter publishes."""
    stack.redis("FLUSHALL")
    reporter = stand.Process("felt-reporter", reporter_command(stack, competitors.BUSINESS))
    dashboard = Dashboard(stack)
    try:
        dashboard.start()
        competitors.tandem_counts(stack, topic, "sales")
        measured["felt"] = dashboard.told()
    finally:
        dashboard.ended = True
        reporter.stop()
    say("HGETALL p50 {p50_ms:.2f} ms, p99 {p99_ms:.2f} ms, max {max_ms:.2f} ms".format(
        **measured["felt"]))


def measure_idle(stack, topic, measured):
    """A worker that has joined, filled its windows, and has nothing to do."""
    stack.redis("FLUSHALL")
    competitors.tandem_counts(stack, topic, "sales")
    worker = stand.Process("idle-worker", competitors.worker_command(stack, topic, "sales"))
    try:
        worker.wait_for("partitions assigned", 60)
        time.sleep(IDLE_S)
        measured["idle_mb"] = stand.resident_mb(worker.child.pid)
    finally:
        worker.stop()
    say(f"idle: {measured['idle_mb']:.1f} MB")


def measure_parts(measured):
    lines = [stand.run("parts", [stand.WORK / "parts"]).rstrip(),
             f"accepted instructions an event, {parts.compiler()}:"]
    for (events_set, part), count in parts.read_accepted().get(parts.compiler(), {}).items():
        lines.append(f"  {events_set:6} {part:8} {count:9.1f}")
    measured["parts"] = "\n".join(lines)


def measure(stack, chosen):
    without = chosen.without.split(",")
    plain = load(stack, "plain", "plain", chosen.events)
    needs_small = any(c.small and c.name in chosen.names for c in competitors.COMPETITORS)
    small = load(stack, "small", "plain", SMALL_EVENTS) if needs_small else None
    measured = {"plain_bytes": plain.mean_bytes, "parts": ""}
    race(stack, chosen, plain, small, measured)
    if "mixed" not in without:
        race_mixed(stack, chosen, load(stack, "mixed", "mixed", chosen.events // 4), measured)
    if "latency" not in without:
        measure_latency(stack, measured)
    if "felt" not in without:
        measure_felt(stack, plain, measured)
    if "idle" not in without:
        measure_idle(stack, plain, measured)
    if "parts" not in without:
        measure_parts(measured)
    return measured


def main(words):
    chosen = options(words)
    for competitor in competitors.COMPETITORS:
        if competitor.build and competitor.name in chosen.names:
            competitor.build()
    with stand.Stack() as stack:
        measured = measure(stack, chosen)
    say("\n".join([""] + results.rate_table(measured["runs"], {}) + [""]
                  + results.ratio_lines(measured["runs"]) + [""] + results.goals(measured)))
    if chosen.write:
        guarantees = {c.name: c.guarantee for c in competitors.COMPETITORS}
        chosen.write.write_text(results.page(measured, guarantees))
        say(f"written to {chosen.write}")
    return 0


if __name__ == "__main__":
    # Asked to end: the stack's `with` block ends everything that was started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
    except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"bench: {error}")
