"""What a benchmark stands on: a Kafka and a Redis of its own, and processes that are measured.

Python's standard library only."""

import os
import pathlib
import re
import signal
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = pathlib.Path(os.environ.get("TANDEM_BUILD", ROOT / "build"))
WORK = BUILD / "bench"
LOGS = WORK / "logs"


class Redis:
    """Just enough of the protocol; no library, so that nothing need be installed."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb")

    def __call__(self, *words):
        self.send(words)
        return self.reply()

    def send(self, *commands):
        out = []
        for words in commands:
            out.append(b"*%d\r\n" % len(words))
            for word in words:
                word = str(word).encode()
                out.append(b"$%d\r\n%s\r\n" % (len(word), word))
        self.socket.sendall(b"".join(out))

    def reply(self):
        line = self.file.readline()
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            raise RuntimeError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self.file.read(int(rest) + 2)[:-2].decode(
                "utf-8", "backslashreplace")
        if kind == b"*":
            return [self.reply() for _ in range(int(rest))]
        raise RuntimeError(f"redis: {line!r}")

    def hashes(self, prefix):
        """{(key without prefix, field): number} of all hashes under a prefix."""
        found, cursor = {}, "0"
        while True:
            cursor, keys = self("SCAN", cursor, "COUNT", 1000)
            keys = [key for key in keys if key.startswith(prefix)]
            self.send(*(("HGETALL", key) for key in keys))
            for key in keys:
                flat = self.reply()
                for field, value in zip(flat[::2], flat[1::2]):
                    found[key.removeprefix(prefix), field] = int(value)
            if cursor == "0":
                return found

    def info(self, section):
        lines = (line.partition(":") for line in self("INFO", section).splitlines())
        return {name: value for name, _, value in lines}


class Stack:
    """scripts/stack.sh in a folder of its own, ended with the `with` block."""

    def __enter__(self):
        self.folder = WORK / f"stack-{os.getpid()}"
        self.script("up")
        settings = dict(re.findall(r"^(\w+)='?([^'\n]*)'?$",
                                   pathlib.Path(f"{self.folder}.env").read_text(), re.MULTILINE))
        self.brokers = settings["TANDEM_BROKERS"]
        self.redis_port = int(settings["TANDEM_REDIS"].rpartition(":")[2])
        self.redis_url = settings["TANDEM_REDIS"]
        self.redis_pid = int(settings["STACK_REDIS_PID"])
        self.redis = Redis(self.redis_port)
        return self

    def __exit__(self, *_):
        for process in Process.alive:
            process.child.kill()
        self.script("down")
        pathlib.Path(f"{self.folder}.lock").unlink(missing_ok=True)

    def script(self, word):
        env = {name: value for name, value in os.environ.items()
               if name not in ("TANDEM_BROKERS", "TANDEM_REDIS")}
        subprocess.run([ROOT / "scripts/stack.sh", word], check=True, cwd=ROOT,
                       env={**env, "STACK": str(self.folder), "STACK_REAL": "1"})


class Process:
    """A process with a log, and what it used once it has ended."""

    alive = []

    def __init__(self, name, command, env=None, cwd=ROOT):
        LOGS.mkdir(parents=True, exist_ok=True)
        self.name, self.log = name, LOGS / f"{name}.log"
        with open(self.log, "wb") as log:
            self.child = subprocess.Popen([str(word) for word in command], cwd=cwd, stdout=log,
                                          stderr=log, stdin=subprocess.DEVNULL,
                                          env={**os.environ, **(env or {})})
        self.status = self.cpu_s = self.rss_mb = None
        self.peak_mb = 0
        Process.alive.append(self)

    def output(self):
        return self.log.read_text(errors="replace")

    def poll(self):
        if self.status is None:
            # Not ru_maxrss: a child begins with what its parent had, and that may be more.
            self.peak_mb = max(self.peak_mb, memory_mb(self.child.pid, "VmHWM"))
            pid, status, used = os.wait4(self.child.pid, os.WNOHANG)
            if pid:
                self.ended(status, used)
        return self.status

    def ended(self, status, used):
        Process.alive.remove(self)
        self.child.returncode = self.status = os.waitstatus_to_exitcode(status)
        self.cpu_s = used.ru_utime + used.ru_stime
        self.rss_mb = self.peak_mb

    def wait(self, limit_s):
        until = time.monotonic() + limit_s
        while self.poll() is None:
            if time.monotonic() > until:
                self.child.kill()
                self.ended(*os.wait4(self.child.pid, 0)[1:])
                raise RuntimeError(f"{self.name} did not end in {limit_s} s, see {self.log}")
            time.sleep(0.01)
        return self

    def stop(self, limit_s=30):
        if self.poll() is None:
            self.child.send_signal(signal.SIGTERM)
        return self.wait(limit_s)

    def wait_for(self, text, limit_s):
        until = time.monotonic() + limit_s
        while text not in self.output():
            if self.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{self.name} does not say {text!r}, see {self.log}")
            time.sleep(0.05)


def memory_mb(pid, what):
    """A line of the process' status; 0 once it has ended and is not waited for yet."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    found = re.search(rf"^{what}:\s+(\d+) kB", status, re.MULTILINE)
    return int(found.group(1)) / 1024 if found else 0


def resident_mb(pid):
    return memory_mb(pid, "VmRSS")


def run(name, command, limit_s=3600, env=None):
    """A process that must succeed; its output."""
    process = Process(name, command, env).wait(limit_s)
    if process.status != 0:
        raise RuntimeError(f"{name} ended with {process.status}, see {process.log}:\n"
                           + process.output()[-2000:])
    return process.output()
