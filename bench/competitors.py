"""Who takes part: how each is built, started, timed and checked.

Everybody counts the same fields by day for the same scopes. A competitor tells its own time, from
the first record to the last sum in Redis; processor time and memory are those of its process as
the kernel tells them at its end. Peers are built when they are needed, from their registries."""

import dataclasses
import re
import shutil
import subprocess
import sys
import time

import stand

PEERS = stand.ROOT / "bench/peers"
BUSINESS = "bench"
TANDEM_PREFIX = "tandem:{%s}:" % BUSINESS
PEER_PREFIX = "peer:"
LIMIT_S = 1800


@dataclasses.dataclass
class Topic:
    """A loaded set: its topics, and what the counters must be."""
    sales: str
    service: str
    events: int
    truth: dict
    mean_bytes: float
    service_events: int = 0


@dataclasses.dataclass
class Run:
    name: str
    events: int
    wall_s: float
    cpu_s: float
    rss_mb: float

    @property
    def wall_rate(self):
        return self.events / self.wall_s / 1e6

    @property
    def core_rate(self):
        return self.events / self.cpu_s / 1e6

    def line(self):
        return (f"{self.name}: {self.events} events {self.wall_s:.2f} s {self.wall_rate:.3f} M/s, "
                f"cpu {self.cpu_s:.2f} s -> {self.core_rate:.3f} M/s per core, "
                f"{self.rss_mb:.0f} MB")


def read_truth(path):
    truth = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            key, field, value = line.rstrip("\n").split("\t")
            truth[key, field] = int(value)
    return truth


def check(name, found, truth, whole):
    """Every sum of the truth is right; with `whole`, there are no others."""
    places = truth.keys() | found.keys() if whole else truth
    wrong = [(place, truth.get(place), found.get(place)) for place in places
             if truth.get(place) != found.get(place)]
    if wrong or not truth:
        place, right, is_ = min(wrong, default=("no truth", None, None))
        raise RuntimeError(f"{name}: {len(wrong)} sums are wrong; {place} is {is_}, not {right}")


def told(process, events):
    """The line `events N seconds S` of a competitor."""
    match = re.search(r"^events (\d+) seconds ([\d.]+)$", process.output(), re.MULTILINE)
    if process.status != 0 or not match or int(match[1]) != events:
        raise RuntimeError(f"{process.name} has not counted {events} events, see {process.log}")
    return float(match[2])


def result(name, process, events, wall_s):
    return Run(name, events, wall_s, process.cpu_s, process.rss_mb)


# ---- the floor, and tandem ----

def floor(program, name):
    def count(stack, topic, side="sales"):
        events = topic.events - topic.service_events if side == "sales" else topic.service_events
        process = stand.Process(name, [stand.WORK / program, stack.brokers,
                                       getattr(topic, side)]).wait(LIMIT_S)
        return result(name, process, events, told(process, events))
    return count


def worker_command(stack, topic, kind, business=BUSINESS):
    return [stand.BUILD / "tandem", f"{kind}-worker", "-b", stack.brokers, "-r", stack.redis_url,
            "--business", business, "--topics-sales", topic.sales, "--topics-service",
            topic.service, "--topics-rejected", "bench.rejected"]


def tandem_counts(stack, topic, kind):
    process = stand.Process(f"tandem-{kind}", worker_command(stack, topic, kind)
                            + ["--exit-at-end"]).wait(LIMIT_S)
    counted = re.search(r"worker stopped.* counted=(\d+).* span_ms=(\d+)", process.output())
    events = topic.service_events if kind == "service" else topic.events - topic.service_events
    if process.status != 0 or not counted or int(counted[1]) != events:
        raise RuntimeError(f"tandem has not counted {events} events, see {process.log}")
    return process, events, int(counted[2]) / 1000


def tandem(stack, topic):
    stack.redis("FLUSHALL")
    process, events, wall_s = tandem_counts(stack, topic, "sales")
    found = {place: value for place, value in stack.redis.hashes(TANDEM_PREFIX + "sale:").items()
             if place[0].startswith("day:")}
    check("tandem", {("sale:" + key, field): value for (key, field), value in found.items()},
          topic.truth, whole=True)
    return result("tandem", process, events, wall_s)


def tandem_mixed(stack, topic):
    """Both workers, one after the other; their sums belong to one store."""
    stack.redis("FLUSHALL")
    runs = []
    for kind in ("sales", "service"):
        process, events, wall_s = tandem_counts(stack, topic, kind)
        runs.append(result(f"tandem mixed {kind}", process, events, wall_s))
    found = {}
    for side in ("sale", "service"):
        for (key, field), value in stack.redis.hashes(TANDEM_PREFIX + f"{side}:day:").items():
            found[f"{side}:day:{key}", field] = value
    check("tandem mixed", found, topic.truth, whole=False)
    return runs


# ---- the peers ----

def peer(name, command):
    def count(stack, topic):
        stack.redis("FLUSHALL")
        process = stand.Process(name, command(stack, topic)).wait(LIMIT_S)
        wall_s = told(process, topic.events)
        check(name, stack.redis.hashes(PEER_PREFIX), topic.truth, whole=True)
        return result(name, process, topic.events, wall_s)
    return count


def go_command(stack, topic):
    return [stand.WORK / "gopeer", stack.brokers, topic.sales, topic.events,
            f"127.0.0.1:{stack.redis_port}"]


def python_command(stack, topic):
    return ["env", f"PYTHONPATH={stand.WORK / 'python'}", sys.executable,
            PEERS / "python/peer.py", stack.brokers, topic.sales, topic.events, stack.redis_port]


def streams_command(stack, topic):
    folder = stand.WORK / "kafka-streams"
    return ["java", "-Xmx2g", "-cp", f"{folder}/classes:{folder}/libs/*", "Peer", stack.brokers,
            topic.sales, topic.events, f"127.0.0.1:{stack.redis_port}"]


def counted_orders(redis):
    return sum(value for (key, field), value in redis.hashes(PEER_PREFIX).items()
               if key.endswith(":all") and field == "orders")


def redpanda(stack, topic):
    """It never ends by itself, so it is watched from outside, which adds at most some ms."""
    stack.redis("FLUSHALL")
    process = stand.Process("redpanda-connect", [
        stand.WORK / "redpanda-connect", "-c", PEERS / "redpanda-connect/pipeline.yaml"], env={
            "BROKERS": stack.brokers, "TOPIC": topic.sales, "GROUP": f"rpc-{time.time()}",
            "REDIS": f"127.0.0.1:{stack.redis_port}"})
    first, until = None, time.monotonic() + LIMIT_S
    while True:
        counted = counted_orders(stack.redis)
        if counted and first is None:
            first = time.monotonic()
        if counted >= topic.events:
            break
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"redpanda-connect stopped at {counted}, see {process.log}")
        time.sleep(0.005 if first is None else 0.02)
    wall_s = time.monotonic() - first
    process.stop()
    check("redpanda-connect", stack.redis.hashes(PEER_PREFIX), topic.truth, whole=True)
    return result("redpanda-connect", process, topic.events, wall_s)


# ---- building ----

def build(name, made, command, cwd=stand.ROOT):
    """Builds a peer unless its sources are older than what was made of them."""
    newest = max(path.stat().st_mtime for path in (PEERS / name).rglob("*") if path.is_file())
    stamp = stand.WORK / f"{name}.built"
    if made.exists() and stamp.exists() and stamp.stat().st_mtime > newest:
        return
    tool = command[0]
    if not shutil.which(tool):
        raise RuntimeError(f"{name} needs {tool}, which is not here")
    print(f"bench: building {name}", flush=True)
    stand.WORK.mkdir(parents=True, exist_ok=True)
    with open(stand.WORK / f"{name}.build.log", "wb") as log:
        subprocess.run(command, cwd=cwd, check=True, stdout=log, stderr=log,
                       stdin=subprocess.DEVNULL)
    stamp.touch()


def build_go():
    build("go", stand.WORK / "gopeer", ["go", "build", "-o", stand.WORK / "gopeer", "."],
          PEERS / "go")


def build_python():
    build("python", stand.WORK / "python", [
        sys.executable, "-m", "pip", "install", "--quiet", "--target", stand.WORK / "python",
        "--requirement", PEERS / "python/requirements.txt"])


def build_streams():
    out = stand.WORK / "kafka-streams"
    build("kafka-streams", out / "classes", [
        "mvn", "-q", "-B", "-f", PEERS / "kafka-streams/pom.xml", f"-Dout={out}", "compile",
        "dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={out}/libs"])


def build_redpanda():
    build("redpanda-connect", stand.WORK / "redpanda-connect",
          ["go", "build", "-o", stand.WORK / "redpanda-connect", "."], PEERS / "redpanda-connect")


@dataclasses.dataclass
class Competitor:
    name: str
    count: object            # (stack, topic) -> Run
    guarantee: str
    build: object = None
    small: bool = False      # so slow that it gets a smaller set


COMPETITORS = [
    Competitor("floor", floor("floor", "floor"), "-"),
    Competitor("floor-malloc", floor("floor-malloc", "floor-malloc"), "-"),
    Competitor("tandem", tandem, "exactly once"),
    Competitor("go", peer("go", go_command), "at least once", build_go),
    Competitor("kafka-streams", peer("kafka-streams", streams_command), "at least once",
               build_streams),
    Competitor("python", peer("python", python_command), "at least once", build_python),
    Competitor("redpanda-connect", redpanda, "at least once", build_redpanda, small=True),
]
