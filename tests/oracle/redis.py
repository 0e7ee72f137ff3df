"""As much of a Redis client as reading counters takes: RESP2, one socket a server."""

import binascii
import socket
import urllib.parse


class RedisError(Exception):
    """The server's own error, as it said it."""


class Redis:
    """A connection to redis://[user:password@]host[:port][/db] or unix:///path[?db=n].

    Answers are integers, bytes, None, lists of these, or RedisError raised (in a pipeline:
    returned in its place)."""

    def __init__(self, url, timeout_s=10):
        parts = urllib.parse.urlsplit(url)
        database = parts.path.strip("/")
        if parts.scheme == "unix":
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(timeout_s)
            self.socket.connect(parts.path)
            database = urllib.parse.parse_qs(parts.query).get("db", [""])[0]
        elif parts.scheme == "redis":
            self.socket = socket.create_connection(
                (parts.hostname or "127.0.0.1", parts.port or 6379), timeout_s)
        else:
            raise ValueError("a Redis URL begins with redis:// or unix://")
        self.file = self.socket.makefile("rb")
        if parts.password is not None:
            secret = [urllib.parse.unquote(parts.password)]
            user = [urllib.parse.unquote(parts.username)] if parts.username else []
            self.call("AUTH", *user, *secret)
        if database and database != "0":
            self.call("SELECT", database)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.file.close()
        self.socket.close()

    def call(self, *words):
        answer = self.pipeline([words])[0]
        if isinstance(answer, RedisError):
            raise answer
        return answer

    def pipeline(self, commands, chunk=500):
        """The answers of many commands, sent in chunks."""
        answers = []
        for at in range(0, len(commands), chunk):
            part = commands[at:at + chunk]
            self.socket.sendall(b"".join(map(_request, part)))
            answers += [self._answer() for _ in part]
        return answers

    def keys(self, pattern):
        """Every key that matches, as text, without stopping the server."""
        found, cursor = set(), b"0"
        while True:
            cursor, part = self.call("SCAN", cursor, "MATCH", pattern, "COUNT", "1000")
            found.update(key.decode("utf-8", "backslashreplace") for key in part)
            if cursor == b"0":
                return sorted(found)

    def hashes(self, keys):
        """{key: {field: value}} as text; a key of another type holds {"(type)": the error}."""
        return _hashes(self, keys)

    def _answer(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("Redis closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest
        if kind == b"-":
            return RedisError(rest.decode("utf-8", "replace"))
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self.file.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return None if rest == b"-1" else [self._answer() for _ in range(int(rest))]
        raise ConnectionError(f"Redis answered {line!r}")


def connect(url):
    """A Redis, or a Cluster when the server is a node of one."""
    server = Redis(url)
    try:
        ranges = server.call("CLUSTER", "SLOTS")
    except RedisError:
        return server
    server.close()
    return Cluster(url, ranges)


class Cluster:
    """The masters of a Redis Cluster that stands still, as one Redis. Keys are second words."""

    def __init__(self, url, ranges):
        parts = urllib.parse.urlsplit(url)
        credentials = parts.netloc.rpartition("@")[0]
        self.masters = {}
        self.ranges = []
        for first, last, (host, port, *_), *_ in ranges:
            place = f"{host.decode() or parts.hostname}:{port}"
            if place not in self.masters:
                netloc = f"{credentials}@{place}" if credentials else place
                self.masters[place] = Redis(f"redis://{netloc}")
            self.ranges.append((first, last, self.masters[place]))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for master in self.masters.values():
            master.close()

    def call(self, *words):
        return self.master_of(words).call(*words)

    def pipeline(self, commands, chunk=500):
        answers = [None] * len(commands)
        for master in self.masters.values():
            own = [i for i, words in enumerate(commands) if self.master_of(words) is master]
            for i, answer in zip(own, master.pipeline([commands[i] for i in own], chunk)):
                answers[i] = answer
        return answers

    def keys(self, pattern):
        return sorted(key for master in self.masters.values() for key in master.keys(pattern))

    def hashes(self, keys):
        return _hashes(self, keys)

    def master_of(self, words):
        slot = slot_of(words[1]) if len(words) > 1 else self.ranges[0][0]
        return next(master for first, last, master in self.ranges if first <= slot <= last)


def slot_of(key):
    """The slot of a key: of what stands in its first braces, if anything does."""
    _, brace, rest = key.partition("{")
    tag, closing, _ = rest.partition("}")
    text = tag if brace and closing and tag else key
    return binascii.crc_hqx(text.encode("utf-8"), 0) % 16384


def _request(words):
    encoded = [word if isinstance(word, bytes) else str(word).encode("utf-8") for word in words]
    return b"*%d\r\n" % len(encoded) + b"".join(
        b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded)


def _hashes(server, keys):
    answers = server.pipeline([("HGETALL", key) for key in keys])
    return {key: _hash(answer) for key, answer in zip(keys, answers)}


def _hash(answer):
    if isinstance(answer, RedisError):
        return {"(type)": str(answer)}
    text = [item.decode("utf-8", "backslashreplace") for item in answer]
    return dict(zip(text[::2], text[1::2]))
