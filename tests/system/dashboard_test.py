"""`tandem dashboard`: its answers are what its OpenAPI file says, and nobody does it harm."""

import base64
import concurrent.futures
import json
import os
import pathlib
import random
import re
import select
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request

from harness import ROOT, Redis, TestCase, free_port, main, wait_for
from own_redis import OwnRedis

SCHEMATHESIS = ROOT / "build/schemathesis"
SCHEMATHESIS_VERSION = "4.32.5"
PUBLISHED = {"business": "x", "scope": "all", "period_kind": "month", "as_of": "1796000000",
             "closed": "0", "store": "1796000000000-a", "revision": "7", "sale_state": "none",
             "service_state": "content", "provisional": "0", "judged": "none",
             "verdict": "content_no_target", "severity": "ok", "reasons": "csat_pct 90.00 >= 80.00 (n=40)",
             "ratings_needed": "NaN", "orders": "12", "csat_pct": "90.00", "csat_n": "40",
             "revenue:EUR": "120000", "gross_profit:EUR": "30000", "nps": "NaN", "opened": "3"}


def schemathesis():
    """Its program, installed once into build/."""
    program = SCHEMATHESIS / "bin/schemathesis"
    if not program.exists():
        subprocess.run(["python3", "-m", "venv", str(SCHEMATHESIS)], check=True, timeout=120,
                       env={**os.environ, "PATH": "/usr/bin:" + os.environ["PATH"]})
        subprocess.run([str(SCHEMATHESIS / "bin/pip"), "-q", "install",
                        f"schemathesis=={SCHEMATHESIS_VERSION}"], check=True, timeout=300)
    return program


def memory_kib(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1])


class DashboardCase(TestCase):
    def setUp(self):
        super().setUp()
        self.redis = self.world.redis
        self.publish("month:2026-11")
        self.publish("current:month")
        self.redis.call("SADD", self.world.key("scope:region"), "west")
        self.redis.call("SADD", self.world.key("currency"), "EUR")

    def publish(self, what, scope="all", **changed):
        fields = {**PUBLISHED, "period": "2026-11", "scope": scope, **changed}
        self.redis.call("HSET", self.world.key(f"comparison:{what}:{scope}"),
                        *[word for pair in fields.items() for word in pair])

    def serve(self, *options, env=None):
        self.port = free_port()
        process = self.world.start("dashboard", "--listen", f"127.0.0.1:{self.port}", *options,
                                   env=env)
        wait_for(lambda: process.said("event=listening"), 10, "a dashboard that listens")
        wait_for(lambda: self.status("/readyz") == 200, 10, "a dashboard that hears Redis")
        return process

    def ask(self, path, headers=None, method="GET"):
        """(status, headers, body)"""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}",
                                         headers=headers or {}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return response.status, response.headers, response.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read()

    def status(self, path, **more):
        return self.ask(path, **more)[0]

    def connect(self, source="127.0.0.1"):
        return socket.create_connection(("127.0.0.1", self.port), 10, (source, 0))

    def listener(self):
        """A socket of an event stream that was greeted."""
        sock = self.connect()
        sock.sendall(b"GET /api/v1/events?scope=all HTTP/1.1\r\nHost: x\r\n\r\n")
        return sock


class Answers(DashboardCase):
    def test_they_are_what_the_openapi_file_says(self):
        self.serve("--rate", 0)
        done = subprocess.run(
            [schemathesis(), "run", f"http://127.0.0.1:{self.port}/api/v1/openapi.json",
             "--url", f"http://127.0.0.1:{self.port}/api/v1", "--exclude-path", "/events",
             "--max-examples", "10", "--phases", "examples,coverage,fuzzing", "--seed", "7",
             "--request-timeout", "10", "--suppress-health-check", "all"],
            capture_output=True, text=True, timeout=150, check=False, cwd=self.world.folder)
        self.assertEqual(done.returncode, 0, done.stdout[-6000:] + done.stderr[-2000:])
        print("\n| " + " ".join(re.findall(r"(\d+ generated.*|\d+ passed.*)", done.stdout)[:1]))

    def test_what_the_asker_has_is_not_sent_again(self):
        self.serve()
        for path in ("/", "/page.css", "/api/v1/comparison?period=2026-11"):
            status, headers, body = self.ask(path)
            self.assertEqual((status, len(body) > 0), (200, True), path)
            again = self.ask(path, {"If-None-Match": headers["ETag"]})
            self.assertEqual((again[0], again[2]), (304, b""), path)
        self.publish("month:2026-11", orders="13")
        self.assertEqual(self.ask(path, {"If-None-Match": headers["ETag"]})[0], 200)

    def test_mistakes_are_named_and_what_does_not_exist_is_told_apart(self):
        self.serve()
        for query, status in (("period=x", 400), ("period=2026-02-31", 404), ("periods=month", 400),
                              ("period=month&period=day", 400), ("scope=a%00b", 400),
                              ("lang=de", 400), ("period=2020-01", 404)):
            answer = self.ask("/api/v1/comparison?" + query)
            self.assertEqual(answer[0], status, query)
            self.assertIn("detail", json.loads(answer[2]))
        self.assertEqual(self.status("/api/v1/history?metrics=orders,nothing"), 404)
        self.assertEqual(self.status("/../../etc/passwd"), 404)

    def test_there_is_no_way_to_write(self):
        self.serve()
        for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
            status, headers, _ = self.ask("/api/v1/targets", method=method)
            self.assertEqual((status, headers["Allow"]), (405, "GET, HEAD"), method)

    def test_every_answer_says_what_a_browser_may_do_with_it(self):
        self.serve()
        for path in ("/", "/api/v1/scopes", "/nothing"):
            policy = self.ask(path)[1]["Content-Security-Policy"]
            self.assertIn("default-src 'none'", policy)
            self.assertNotIn("unsafe", policy)
        page = self.ask("/")[2].decode()
        self.assertNotRegex(page, r"<script(?![^>]* src=)|<style|\son\w+=|\sstyle=|https?://")

    def test_redis_away_is_said_and_mends_itself(self):
        own = OwnRedis(self)
        self.world.env["TANDEM_REDIS"] = own.url
        self.serve()
        self.assertEqual(self.status("/api/v1/scopes"), 200)
        own.stop()
        wait_for(lambda: self.status("/readyz") == 503, 10, "a dashboard that misses Redis")
        self.assertEqual(self.status("/api/v1/scopes"), 503)
        self.assertEqual(self.status("/"), 200)
        own.start()
        wait_for(lambda: self.status("/api/v1/scopes") == 200, 10, "an answer again")


class Doors(DashboardCase):
    def test_without_the_password_nothing_is_shown(self):
        self.serve("--user", "ana", "--password-file", self.world.write("secret", "s3:cret\n"))
        for header in (None, "Basic", "Basic !!", "Bearer x", "Basic YW5hOndyb25n"):
            for path in ("/", "/api/v1/comparison", "/api/v1/events"):
                status, headers, _ = self.ask(path, {"Authorization": header} if header else {})
                self.assertEqual(status, 401, header)
                self.assertIn("Basic", headers["WWW-Authenticate"])
        right = "Basic " + base64.b64encode(b"ana:s3:cret").decode()
        self.assertEqual(self.status("/api/v1/comparison", headers={"Authorization": right}), 200)

    def test_it_serves_by_tls(self):
        key, cert = self.world.folder / "key.pem", self.world.folder / "cert.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", str(key), "-out",
                        str(cert), "-days", "2", "-subj", "/CN=localhost", "-addext",
                        "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
        self.port = free_port()
        process = self.world.start("dashboard", "--listen", f"127.0.0.1:{self.port}", "--tls-cert",
                                   cert, "--tls-key", key)
        wait_for(lambda: process.said("page=https://"), 10, "a dashboard that listens")
        trust = ssl.create_default_context(cafile=cert)
        with urllib.request.urlopen(f"https://127.0.0.1:{self.port}/healthz", context=trust,
                                    timeout=10) as response:
            self.assertEqual(response.read(), b"ok\n")

    def test_wrong_options_are_refused_with_their_reason(self):
        for options, words in ((["--listen", "nowhere"], "no address"),
                               (["--user", "ana"], "belong together"),
                               (["--tls-cert", "x"], "belong together")):
            done = self.world.run("dashboard", *options)
            self.assertEqual(done.returncode, 2, options)
            self.assertIn(words, done.stderr)

    def test_an_address_that_asks_too_often_is_told_to_wait_and_others_are_not(self):
        self.serve("--rate", 5)
        answers = [self.status("/api/v1/scopes") for _ in range(30)]
        self.assertIn(429, answers)
        other = self.connect("127.0.0.2")
        other.sendall(b"GET /api/v1/scopes HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        self.assertIn(b" 200 ", other.recv(100))
        other.close()


class Harm(DashboardCase):
    def test_who_asks_slowly_is_seen_off_and_keeps_nobody_waiting(self):
        process = self.serve("--patience", 1, "--connections", 300, "--per-address", 250)
        before = memory_kib(process.pid)
        slow = [self.connect() for _ in range(240)]
        began, longest = time.monotonic(), 0
        for round_ in range(100):
            for sock in slow:
                try:
                    sock.send(b"GET / HTTP/1.1\r\nX-Slow: "[round_ % 24:round_ % 24 + 1])
                except OSError:
                    pass            # it was seen off
            asked = time.monotonic()
            other = self.connect("127.0.0.2")
            other.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            self.assertIn(b" 200 ", other.recv(100))
            other.close()
            longest = max(longest, time.monotonic() - asked)
            if time.monotonic() - began > 2.5:
                break
            select.select([], [], [], 0.02)
        readable = [sock for sock in slow if select.select([sock], [], [], 0.5)[0]]
        self.assertEqual(len(readable), len(slow), "some slow ones were kept")
        for sock in slow:
            sock.close()
        print(f"\n| 240 slow askers seen off within 1 s; others waited {longest * 1000:.0f} ms at most, "
              f"{(memory_kib(process.pid) - before) / 1024:.1f} MiB more")
        self.assertLess(longest, 0.5)

    def test_ten_thousand_malformed_requests_change_nothing(self):
        process = self.serve("--rate", 0)
        dice, began, answered = random.Random(7), time.monotonic(), 0
        good = b"GET /api/v1/comparison?period=month&scope=all HTTP/1.1\r\nHost: x\r\n\r\n"
        parts = [b"GET ", b"\r\n", b"\x00", b"%", b"Content-Length: -1\r\n", b" HTTP/9.9", b":",
                 b"Transfer-Encoding: chunked\r\n", b"?period=", b"\xff\xfe", b"A" * 20000, b"&",
                 b"Content-Length: 99999999999999999999\r\n", b"\n\n", b"Authorization: Basic ////\r\n"]

        def malformed(_):
            data = bytearray(good)
            for _ in range(dice.randrange(1, 5)):
                at = dice.randrange(len(data))
                data[at:at + dice.randrange(4)] = dice.choice(parts)
            return bytes(data)

        def send(data):
            try:
                with self.connect() as sock:
                    sock.settimeout(0.05)
                    sock.sendall(data)
                    sock.shutdown(socket.SHUT_WR)
                    return len(sock.recv(64)) > 0
            except OSError:
                return False

        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            answered = sum(pool.map(send, map(malformed, range(10000))))
        self.assertTrue(process.running(), process.err())
        self.assertEqual(self.status("/api/v1/comparison?period=2026-11"), 200)
        print(f"\n| 10,000 malformed requests in {time.monotonic() - began:.1f} s, {answered} answered, "
              f"{memory_kib(process.pid) / 1024:.0f} MiB resident")
        self.assertEqual(process.stop(), 0, process.err())

    def test_five_hundred_streams_hear_everything(self):
        process = self.serve("--rate", 0)
        before = memory_kib(process.pid)
        streams = [self.listener() for _ in range(500)]
        heard = {sock: b"" for sock in streams}

        def read(until, seconds):
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline and not all(until(d) for d in heard.values()):
                for sock in select.select(streams, [], [], 0.1)[0]:
                    heard[sock] += sock.recv(65536)

        read(lambda data: b"event: beat" in data, 10)
        with_streams = memory_kib(process.pid)
        publisher = Redis(self.world.redis_url)
        self.addCleanup(publisher.close)
        latencies = []
        for number in range(20):
            mark = b'"revision":%d,' % (1000 + number)
            began = time.monotonic()
            publisher.call("PUBLISH", self.world.key("published"), json.dumps(
                {"store": "s", "revision": 1000 + number, "period_kind": "day",
                 "period": "2026-11-30", "scope": "all"}))
            read(lambda data: mark in data, 5)
            latencies.append(time.monotonic() - began)
        for number in range(1000, 1500):       # a burst: nobody waits for anybody
            publisher.call("PUBLISH", self.world.key("published"), json.dumps(
                {"store": "s", "revision": number + 1000, "period_kind": "day",
                 "period": "2026-11-30", "scope": "all"}))
        read(lambda data: b'"revision":2499,' in data, 15)
        for data in heard.values():
            revisions = [int(r) for r in re.findall(rb'"revision":(\d+)', data)]
            self.assertEqual(revisions, [*range(1000, 1020), *range(2000, 2500)])
        self.assertEqual(self.status("/api/v1/comparison?period=2026-11"), 200)
        latencies.sort()
        print(f"\n| 500 streams: {(with_streams - before) / 1024:.1f} MiB more, all heard after "
              f"{latencies[10] * 1000:.0f} ms (median), {latencies[-1] * 1000:.0f} ms (longest); "
              f"520 publications each, none lost")
        if not os.environ.get("SANITIZE"):
            self.assertLess(with_streams - before, 64 * 1024)
        self.assertLess(latencies[10], 1)
        for sock in streams:
            sock.close()
        self.assertEqual(process.stop(), 0, process.err())

    def test_who_listens_but_does_not_read_costs_a_bounded_memory(self):
        process = self.serve()
        deaf = [self.listener() for _ in range(20)]
        wait_for(lambda: select.select(deaf, [], [], 0)[0], 5, "a greeting")
        before = memory_kib(process.pid)
        publisher = Redis(self.world.redis_url)
        self.addCleanup(publisher.close)
        text = json.dumps({"store": "s" * 400, "revision": 1, "scope": "all"})
        for _ in range(20):
            for _ in range(500):
                publisher.send("PUBLISH", self.world.key("published"), text)
            for _ in range(500):
                publisher.read()
        self.assertEqual(self.status("/api/v1/scopes"), 200)
        if not os.environ.get("SANITIZE"):       # which keeps what was freed for a while
            self.assertLess(memory_kib(process.pid) - before, 16 * 1024)
        for sock in deaf:
            sock.close()


main()
