"""What every system test stands on: a clean world each, on a real Kafka and Redis.

    from harness import TestCase, main

    class Emit(TestCase):
        def test_a_bad_line_is_named(self):
            self.world.make_topics()
            done = self.world.run("emit", input="{\n")
            self.assertEqual(done.returncode, 1)

    main()

Reads TANDEM_BROKERS and TANDEM_REDIS (else build/stack.env, which `make stack-up` writes),
TANDEM_BIN (default build/tandem) and TANDEM_BUILD (default the folder of TANDEM_BIN).
A world has its own business, topics and folder, and leaves nothing behind.
Python's standard library only."""

import base64
import collections
import contextlib
import json
import os
import pathlib
import random
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("TANDEM_BIN", ROOT / "build/tandem")).resolve()
BUILD = pathlib.Path(os.environ.get("TANDEM_BUILD", BIN.parent)).resolve()
# Those of this program alone, where others run beside it: a server that is down for a while must
# find its port free.
PORTS = [int(port) for port in os.environ.get("TEST_PORTS", "20000-32000").split("-")]


def _stack(name):
    """A variable of the environment, else of build/stack.env."""
    if os.environ.get(name):
        return os.environ[name]
    with contextlib.suppress(OSError):
        for line in (ROOT / "build/stack.env").read_text().splitlines():
            key, _, value = line.removeprefix("export ").partition("=")
            if key == name:
                return value.strip("'\"")
    raise SystemExit(f"{name} is not set: run `make stack-up` first")


def wait_for(condition, seconds, what):
    """Waits until condition() is true and returns what it returned; a bound, never a sleep."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain for {what}")
        time.sleep(0.05)


def free_port():
    """A port of 127.0.0.1 that nobody uses, below those that outgoing connections take theirs
    from: one who knocks while nobody listens would get connected to itself now and then."""
    while True:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", random.SystemRandom().randint(*PORTS)))
            return probe.getsockname()[1]


def event(type_, subject, data, *, id=None, source="/test", time="2026-11-23T12:00:00Z",
          key=None, prefix="tandem.", **attributes):
    """A structured CloudEvent as a dict; `key` is its partitionkey."""
    made = {"specversion": "1.0", "id": id or f"{type_}:{subject}", "source": source,
            "type": f"{prefix}{type_}.v1", "time": time, "subject": subject,
            "partitionkey": key or data.get("customer") or subject,
            "datacontenttype": "application/json", "data": data}
    made.update(attributes)
    return made


def order(number, net=1000, customer="c-1", currency="EUR", **more):
    """sale.completed; members of `data` by name."""
    data = {"customer": customer, "order": str(number), "currency": currency, "net": net}
    data.update(more)
    return event("sale.completed", str(number), data)


def ticket(number, customer="c-1", phase="after", category="question", **more):
    """service.opened; members of `data` by name."""
    data = {"customer": customer, "ticket": str(number), "phase": phase, "category": category}
    data.update(more)
    return event("service.opened", str(number), data)


def lines(events):
    """Newline-delimited JSON."""
    return "".join(json.dumps(e, ensure_ascii=False) + "\n" for e in events)


class RedisError(Exception):
    pass


class Redis:
    """A small RESP2 client: call("HGETALL", key) -> str, int, None or list of those."""

    def __init__(self, url, timeout=10):
        parts = urllib.parse.urlsplit(url)
        if parts.scheme == "unix":
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(timeout)
            self.sock.connect(parts.path)
        else:
            address = (parts.hostname or "localhost", parts.port or 6379)
            self.sock = socket.create_connection(address, timeout)
        self.file = self.sock.makefile("rb")
        if parts.password:
            user = [parts.username] if parts.username else []
            self.call("AUTH", *user, urllib.parse.unquote(parts.password))
        database = parts.path.strip("/")
        if parts.scheme != "unix" and database:
            self.call("SELECT", database)

    def send(self, *args):
        words = [a if isinstance(a, bytes) else str(a).encode() for a in args]
        head = b"*%d\r\n" % len(words)
        self.sock.sendall(head + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))

    def read(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise RedisError("connection closed")
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise RedisError(rest.decode())
        if kind == b"+":
            return rest.decode()
        if kind == b":":
            return int(rest)
        count = int(rest)
        if count < 0:
            return None
        if kind == b"$":
            return self.file.read(count + 2)[:-2].decode("utf-8", "surrogateescape")
        items = []
        for _ in range(count):
            try:
                items.append(self.read())
            except RedisError as error:
                items.append(error)
        return items

    def call(self, *args):
        self.send(*args)
        return self.read()

    def hash(self, key):
        flat = self.call("HGETALL", key)
        return dict(zip(flat[::2], flat[1::2]))

    def keys(self, pattern="*"):
        found, cursor = set(), "0"
        while True:
            cursor, some = self.call("SCAN", cursor, "MATCH", pattern, "COUNT", 1000)
            found.update(some)
            if cursor == "0":
                return sorted(found)

    def close(self):
        self.file.close()
        self.sock.close()


class Process:
    """A child that runs beside the test; its output goes to files of the world's folder."""

    def __init__(self, world, args, env):
        number = len(world.processes) + 1
        self.name = f"{number}-{args[0]}"
        self.out_path = world.folder / f"{self.name}.out"
        self.err_path = world.folder / f"{self.name}.err"
        with open(self.out_path, "wb") as out, open(self.err_path, "wb") as err:
            self.child = subprocess.Popen([str(BIN), *map(str, args)], env=env, stdout=out,
                                          stderr=err, stdin=subprocess.DEVNULL, cwd=world.folder)
        self.pid = self.child.pid

    def out(self):
        return self.out_path.read_text(errors="replace")

    def err(self):
        return self.err_path.read_text(errors="replace")

    def running(self):
        return self.child.poll() is None

    def wait(self, seconds=60):
        """Its exit status; a child that does not end fails the test."""
        try:
            return self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} did not end in {seconds} s:\n{self.err()}") from None

    def signal(self, number):
        self.child.send_signal(number)

    def stop(self, seconds=30):
        """SIGTERM, then its exit status."""
        if self.running():
            self.signal(signal.SIGTERM)
        return self.wait(seconds)

    def kill(self):
        """SIGKILL: no chance to clean up."""
        if self.running():
            self.child.kill()
        return self.wait(10)

    def said(self, words):
        """True when a line of its log holds these words; fails when it ended without."""
        if words in self.err():
            return True
        if not self.running() and words not in self.err():
            raise AssertionError(f"{self.name} ended without {words!r}:\n{self.err()}")
        return False


Record = collections.namedtuple("Record", "partition offset timestamp key headers value")
Dump = collections.namedtuple("Dump", "records ends")


def _bytes(text):
    return None if text is None else base64.b64decode(text)


class World:
    """A business of its own with topics of its own, on the shared Kafka and Redis."""

    def __init__(self):
        self.brokers = _stack("TANDEM_BROKERS")
        self.redis_url = _stack("TANDEM_REDIS")
        self.business = "t-" + secrets.token_hex(4)
        self.sales = self.business + ".sales"
        self.service = self.business + ".service"
        self.rejected = self.business + ".rejected"
        self.comparison = self.business + ".comparison"
        self.verdicts = self.business + ".verdicts"
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=self.business + "-"))
        self.processes = []
        self.topics = [self.sales, self.service, self.rejected, self.comparison, self.verdicts]
        self._redis = None
        kept = {k: v for k, v in os.environ.items()
                if not k.startswith("TANDEM_") or k.startswith("TANDEM_TEST")}
        self.env = {**kept, "TANDEM_BROKERS": self.brokers, "TANDEM_REDIS": self.redis_url,
                    "TANDEM_BUSINESS": self.business, "TANDEM_TOPICS_SALES": self.sales,
                    "TANDEM_TOPICS_SERVICE": self.service,
                    "TANDEM_TOPICS_REJECTED": self.rejected,
                    "TANDEM_TOPICS_COMPARISON": self.comparison,
                    "TANDEM_TOPICS_VERDICTS": self.verdicts,
                    "TANDEM_CONNECT_TIMEOUT": "30000"}

    @property
    def redis(self):
        if self._redis is None:
            self._redis = Redis(self.redis_url)
        return self._redis

    def _environment(self, env):
        merged = {**self.env, **{k: str(v) for k, v in (env or {}).items() if v is not None}}
        for name in [k for k, v in (env or {}).items() if v is None]:
            merged.pop(name, None)
        return merged

    def run(self, *args, input=None, timeout=60, env=None):
        """Runs tandem to its end; stdout and stderr as text. env adds, None takes away."""
        if isinstance(input, str):
            input = input.encode()
        done = subprocess.run([str(BIN), *map(str, args)], input=input if input is not None else b"",
                              capture_output=True, timeout=timeout, env=self._environment(env),
                              cwd=self.folder, check=False)
        done.stdout = done.stdout.decode("utf-8", "replace")
        done.stderr = done.stderr.decode("utf-8", "replace")
        return done

    def must(self, *args, **more):
        """run() that must end with status 0; its stdout."""
        done = self.run(*args, **more)
        if done.returncode != 0:
            raise AssertionError(f"tandem {' '.join(map(str, args))} ended with "
                                 f"{done.returncode}:\n{done.stderr}")
        return done.stdout

    def start(self, *args, env=None):
        """Starts tandem beside the test; ended at the latest with the world."""
        process = Process(self, args, self._environment(env))
        self.processes.append(process)
        return process

    def tool(self, name, *args, input=None, timeout=120):
        """Runs a program of build/tests; its stdout as bytes."""
        done = subprocess.run([str(BUILD / "tests" / name), *map(str, args)], input=input,
                              capture_output=True, timeout=timeout, check=False)
        if done.returncode != 0:
            raise AssertionError(f"{name} {' '.join(map(str, args))} ended with {done.returncode}: "
                                 f"{done.stderr.decode(errors='replace')}")
        return done.stdout

    def make_topics(self, partitions=4):
        self.must("topics", "--partitions", partitions)

    def make_topic(self, topic, partitions=1, **settings):
        """One topic, straight by the admin protocol; settings as cleanup_policy="compact"."""
        self.topics.append(topic)
        words = [f"{k.replace('_', '.')}={v}" for k, v in settings.items()]
        self.tool("admin", self.brokers, "create", topic, partitions, *words)

    def delete_topics(self, *topics):
        """Those that exist; returns when they are gone."""
        self.tool("admin", self.brokers, "delete", *topics)

    def topic_settings(self, topic):
        """{"partitions": n, "replication": n, "settings": {...}}; None when there is none."""
        return json.loads(self.tool("admin", self.brokers, "show", topic))

    def produce(self, topic, records, transaction=None):
        """Sends raw records, in order: dicts of key, value (str, bytes or None), headers
        [(name, value)], partition, timestamp; what is left out is null or Kafka's choice.
        transaction: "commit", "abort", or "open" (left so; Kafka aborts it after a minute)."""
        text = "".join(json.dumps(_raw(topic, r)) + "\n" for r in records)
        words = [transaction] if transaction else []
        self.tool("produce", self.brokers, *words, input=text.encode())

    def send_events(self, events, topic=None):
        """Sends events as structured CloudEvents with their key, unchecked."""
        for side in ("sale.", "service."):
            mine = [e for e in events if side in e["type"]]
            chosen = topic or (self.sales if side == "sale." else self.service)
            if mine:
                self.produce(chosen, [structured(e) for e in mine])

    def dump(self, topic, timeout=120):
        """Everything that is committed in a topic: Dump(records, ends by partition)."""
        records, ends = [], {}
        for line in self.tool("dump", self.brokers, topic, timeout=timeout).splitlines():
            row = json.loads(line)
            if "end" in row:
                ends[row["partition"]] = row["end"]
                continue
            headers = [(name, _bytes(value)) for name, value in row["headers"]]
            records.append(Record(row["partition"], row["offset"], row["timestamp"],
                                  _bytes(row["key_base64"]), headers, _bytes(row["value_base64"])))
        return Dump(records, ends)

    def write(self, name, text):
        """A file of the world's folder; its path."""
        path = self.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def key(self, rest):
        """A Redis key of this business: key("sale:day:2026-11-23:all")."""
        return f"tandem:{{{self.business}}}:{rest}"

    def close(self):
        for process in self.processes:
            process.kill()
        with contextlib.suppress(OSError, RedisError):
            for key in self.redis.keys(f"tandem:{{{self.business}*"):
                self.redis.call("DEL", key)
            self.redis.close()
        with contextlib.suppress(AssertionError, subprocess.TimeoutExpired):
            self.delete_topics(*self.topics)
        shutil.rmtree(self.folder, ignore_errors=True)


def structured(e, key=None):
    """An event as a raw record for produce()."""
    return {"key": key or e.get("partitionkey"), "value": json.dumps(e, ensure_ascii=False),
            "headers": [("content-type", "application/cloudevents+json; charset=UTF-8")]}


def _raw(topic, record):
    row = {"topic": topic}
    for name in ("key", "value"):
        value = record.get(name)
        if value is not None:
            data = value if isinstance(value, bytes) else value.encode()
            row[name + "_base64"] = base64.b64encode(data).decode()
    row["headers"] = []
    for name, value in record.get("headers", []):
        data = value if isinstance(value, bytes) else value.encode()
        row["headers"].append([name, {"base64": base64.b64encode(data).decode()}])
    for name in ("partition", "timestamp"):
        if record.get(name) is not None:
            row[name] = record[name]
    return row


class TestCase(unittest.TestCase):
    """self.world is new for each test. When a test fails, its children's logs are shown."""

    maxDiff = None

    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.close)

    def tearDown(self):
        outcome = getattr(self, "_outcome", None)
        if outcome is not None and not outcome.success:
            for process in self.world.processes:
                print(f"--- {process.name}\n{process.err()[-4000:]}", flush=True)


def main():
    unittest.main(verbosity=2)
