"""The servers of a fault test: its own Kafka, Redis and Sentinels, which it may kill, stop and
start again. Each is ended by its process id, at the latest by close()."""

import contextlib
import ctypes
import os
import pathlib
import secrets
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/system"))

from harness import Redis as Client, RedisError, free_port, wait_for     # noqa: E402

LIBS = ROOT / "build/kafka/libs"
BROKER = ROOT / "scripts/kafka/broker.properties"
LOGGING = ROOT / "scripts/kafka/log4j2.properties"
LIBC = ctypes.CDLL(None)
# A broker is started often and lives for minutes: this way it starts with half of the work.
JAVA = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]


def _end_with_parent():
    """A test that was killed outright ends no server any more."""
    LIBC.prctl(1, signal.SIGKILL)       # PR_SET_PDEATHSIG


class Server:
    """A child process that may be killed and started again with the same words."""

    def __init__(self, name, folder, words):
        self.name = name
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.words = [str(word) for word in words]
        self.log = self.folder / f"{name}.log"
        self.child = None

    def launch(self):
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen(self.words, stdout=log, stderr=log, cwd=self.folder,
                                          stdin=subprocess.DEVNULL, start_new_session=True,
                                          preexec_fn=_end_with_parent)

    def runs(self):
        return self.child is not None and self.child.poll() is None

    def kill(self):
        """SIGKILL, as when the machine takes it away."""
        if self.runs():
            self.child.kill()
            self.child.wait(20)

    def signal(self, number):
        self.child.send_signal(number)

    def said(self):
        return self.log.read_text(errors="replace")[-3000:]

    def close(self):
        if self.runs():
            self.child.send_signal(signal.SIGCONT)
        self.kill()


# --- Kafka ------------------------------------------------------------------------------------

# Beside those that every broker of the project has, with small files: those of a full disk.
KAFKA_SETTINGS = """\
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=BROKER://127.0.0.1:{port},BEHIND://127.0.0.1:{behind},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=BROKER://127.0.0.1:{port},BEHIND://127.0.0.1:{advertised}
listener.security.protocol.map=BROKER:PLAINTEXT,BEHIND:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
metadata.log.dir={folder}/metadata
log.index.size.max.bytes=262144
"""


def has_kafka():
    return any(LIBS.glob("kafka_*.jar"))


def fetch_kafka():
    """The stack's Kafka; a first `up` fetches it."""
    if has_kafka():
        return
    env = {**os.environ, "STACK": "build/faults-stack", "STACK_REAL": "1", "STACK_KIND": "kafka"}
    env.pop("TANDEM_BROKERS", None)
    for word in ("up", "down"):
        subprocess.run(["scripts/stack.sh", word], cwd=ROOT, env=env, check=True, timeout=600)


class Kafka(Server):
    """One node. Clients that connect to `behind` are told to come to the port `advertised`, where
    a test may put a proxy; the others use `port`."""

    def __init__(self, folder, data=None, proxied=False):
        self.port, self.behind, self.controller = free_port(), free_port(), free_port()
        self.advertised = free_port() if proxied else self.behind
        self.brokers = f"127.0.0.1:{self.port}"
        folder = pathlib.Path(folder)
        logging = f"-Dlog4j2.configurationFile={LOGGING}"
        super().__init__("kafka", folder, [
            *JAVA, "-Xms256m", "-Xmx768m", "-Djava.awt.headless=true", logging, "-cp",
            f"{LIBS}/*", "kafka.Kafka", f"{folder}/server.properties"])
        (folder / "server.properties").write_text(BROKER.read_text() + KAFKA_SETTINGS.format(
            port=self.port, behind=self.behind, controller=self.controller, folder=folder,
            advertised=self.advertised, data=data or folder / "data"))
        subprocess.run([*JAVA, "-Xmx128m", logging, "-cp", f"{LIBS}/*", "kafka.tools.StorageTool",
                        "format", "-t", secrets.token_urlsafe(16), "-c",
                        f"{folder}/server.properties"],
                       check=True, timeout=180, stdin=subprocess.DEVNULL,
                       stdout=open(folder / "format.log", "wb"), stderr=subprocess.STDOUT)
        self.start()

    def start(self):
        begun = self.log.stat().st_size if self.log.exists() else 0
        self.launch()

        def started():
            if not self.runs():
                raise AssertionError(f"Kafka does not start:\n{self.said()}")
            with open(self.log, "rb") as log:
                log.seek(begun)
                return b"Kafka Server started" in log.read()
        wait_for(started, 180, "Kafka to start")

    def ends(self, topics, partitions):
        """{topic: {partition: end of the log}}, asked of the broker itself (ListOffsets)."""
        body = struct.pack(">ii", -1, len(topics))
        for topic in topics:
            body += _string(topic) + struct.pack(">i", partitions)
            body += b"".join(struct.pack(">iq", p, -1) for p in range(partitions))
        answer = self._ask(2, 1, body)
        found, at = {}, 8
        for _ in range(struct.unpack_from(">i", answer, 4)[0]):
            length, = struct.unpack_from(">h", answer, at)
            topic = answer[at + 2:at + 2 + length].decode()
            count, = struct.unpack_from(">i", answer, at + 2 + length)
            at += 6 + length
            found[topic] = {}
            for _ in range(count):
                partition, error, _, offset = struct.unpack_from(">ihqq", answer, at)
                at += 22
                if error:
                    raise OSError(f"Kafka: error {error} for {topic}/{partition}")
                found[topic][partition] = offset
        return found

    def _ask(self, api, version, body):
        request = struct.pack(">hhi", api, version, 7) + _string("faults") + body
        with socket.create_connection(("127.0.0.1", self.port), 10) as sock:
            sock.sendall(struct.pack(">i", len(request)) + request)
            with sock.makefile("rb") as file:
                size = file.read(4)
                if len(size) < 4:
                    raise OSError("Kafka closed the connection")
                return file.read(struct.unpack(">i", size)[0])


def _string(text):
    data = text.encode()
    return struct.pack(">h", len(data)) + data


# --- Redis ------------------------------------------------------------------------------------

class Redis(Server):
    """`keeps`: "nothing", "appends" (append-only file, everysec) or "snapshots"."""

    KEEPS = {"nothing": ["--save", "", "--appendonly", "no"],
             "appends": ["--save", "", "--appendonly", "yes", "--appendfsync", "everysec",
                         "--aof-load-truncated", "no"],
             "snapshots": ["--save", "", "--appendonly", "no"]}

    def __init__(self, folder, keeps="nothing", name="redis", *more):
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}"
        super().__init__(name, pathlib.Path(folder) / name, [
            "redis-server", "--port", self.port, "--bind", "127.0.0.1", "--daemonize", "no",
            "--maxmemory-policy", "noeviction", *self.KEEPS[keeps], *more])
        self._client = None
        self.start()

    def start(self, *more):
        words = self.words
        self.words = [*words, *map(str, more)]
        try:
            self.launch()
        finally:
            self.words = words
        wait_for(self.answers, 30, f"{self.name} to answer")

    def answers(self):
        if not self.runs():
            raise AssertionError(f"{self.name} does not start:\n{self.said()}")
        with contextlib.suppress(OSError, RedisError):
            return self.call("PING") == "PONG"
        return False

    def call(self, *words):
        """One command; a second try when the connection was of before a restart or a fail-over."""
        fresh = self._client is None
        try:
            if fresh:
                self._client = Client(self.url, timeout=5)
            return self._client.call(*words)
        except (OSError, RedisError) as error:
            broken = isinstance(error, OSError) or "closed" in str(error)
            if broken:
                self.forget()
            if fresh or not broken or isinstance(error, TimeoutError):
                raise
        return self.call(*words)

    def forget(self):
        if self._client is not None:
            self._client.close()
            self._client = None

    def hash(self, key):
        flat = self.call("HGETALL", key)
        return dict(zip(flat[::2], flat[1::2]))

    def kill(self):
        super().kill()
        self.forget()

    def append_file(self):
        """The file that grows: what it has of the last second a machine may lose."""
        return max((self.folder / "appendonlydir").glob("*.incr.aof"),
                   key=lambda path: int(path.name.split(".")[2]))

    def mend(self):
        """Takes a begun command or transaction off the end of the append-only file."""
        manifest = next((self.folder / "appendonlydir").glob("*.manifest"))
        done = subprocess.run(["redis-check-aof", "--fix", str(manifest)], input=b"y\n",
                              capture_output=True, timeout=60, check=False)
        if done.returncode != 0:
            raise AssertionError(f"redis-check-aof: {done.stdout.decode(errors='replace')}")

    def snapshot(self):
        """Returns when it is on disk."""
        self.call("BGSAVE")
        wait_for(lambda: "rdb_bgsave_in_progress:0" in self.call("INFO", "persistence"), 20,
                 "a snapshot")


class Sentinels:
    """Three of them, watching `master`; their URL for tandem."""

    NAME = "counts"

    def __init__(self, folder, master):
        self.list = []
        for number in range(3):
            self.list.append(self._start(pathlib.Path(folder) / f"sentinel{number}", master))
        places = ",".join(f"127.0.0.1:{s.port}" for s in self.list)
        self.url = f"redis+sentinel://{places}/{self.NAME}"
        for sentinel in self.list:
            wait_for(lambda s=sentinel: self._sees_all(s), 30, "the sentinels to see each other")

    def _start(self, folder, master):
        port = free_port()
        folder.mkdir(parents=True)
        (folder / "sentinel.conf").write_text(
            f"port {port}\nbind 127.0.0.1\n"
            f"sentinel monitor {self.NAME} 127.0.0.1 {master.port} 2\n"
            f"sentinel down-after-milliseconds {self.NAME} 500\n"
            f"sentinel failover-timeout {self.NAME} 1000\n")
        server = Server("sentinel", folder, ["redis-server", folder / "sentinel.conf",
                                             "--sentinel"])
        server.port = port
        server.launch()
        return server

    def _sees_all(self, sentinel):
        found = self._ask(sentinel, "SENTINEL", "MASTER", self.NAME)
        state = dict(zip(found[::2], found[1::2])) if found else {}
        return state.get("num-slaves") == "1" and state.get("num-other-sentinels") == "2"

    def _ask(self, sentinel, *words):
        with contextlib.suppress(OSError, RedisError):
            client = Client(f"redis://127.0.0.1:{sentinel.port}", timeout=2)
            try:
                return client.call(*words)
            finally:
                client.close()
        return None

    def master_port(self):
        """What most of them say, None when they differ."""
        said = [self._ask(s, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", self.NAME) for s in self.list]
        ports = {int(place[1]) if place else None for place in said}
        return ports.pop() if len(ports) == 1 else None

    def close(self):
        for sentinel in self.list:
            sentinel.close()


# --- a disk that is full ----------------------------------------------------------------------

class SmallDisk:
    """A file system of a few megabytes; None can be had without the right to mount."""

    def __init__(self, folder, megabytes):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        self.filler = self.folder / "filler"
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs",
                               str(self.folder)], capture_output=True, check=False, timeout=20)
        self.mounted = done.returncode == 0
        self.why = done.stderr.decode(errors="replace").strip()

    def fill(self):
        with contextlib.suppress(OSError), open(self.filler, "wb", buffering=0) as file:
            while True:
                file.write(bytes(65536))
        with contextlib.suppress(OSError), open(self.filler, "ab", buffering=0) as file:
            while True:
                file.write(bytes(4096))

    def empty(self):
        self.filler.unlink(missing_ok=True)

    def close(self):
        if not self.mounted:
            return
        for _ in range(50):
            if subprocess.run(["umount", str(self.folder)], capture_output=True,
                              check=False).returncode == 0:
                self.mounted = False
                return
            time.sleep(0.1)


def remove(folder):
    shutil.rmtree(folder, ignore_errors=True)
