"""As much of a Redis client as reading counters takes: RESP2 over one socket."""

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
        answers = self.pipeline([("HGETALL", key) for key in keys])
        return {key: _hash(answer) for key, answer in zip(keys, answers)}

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


def _request(words):
    encoded = [word if isinstance(word, bytes) else str(word).encode("utf-8") for word in words]
    return b"*%d\r\n" % len(encoded) + b"".join(
        b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded)


def _hash(answer):
    if isinstance(answer, RedisError):
        return {"(type)": str(answer)}
    text = [item.decode("utf-8", "backslashreplace") for item in answer]
    return dict(zip(text[::2], text[1::2]))
