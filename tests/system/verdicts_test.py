"""Changes of verdicts: announced on their topic and to a webhook, at least once, each by one id."""

import base64
import hashlib
import hmac
import http.server
import json
import os
import subprocess
import sys
import threading

import jsonschema

from hand import Hand, names_of, today
from harness import ROOT, TestCase, free_port, main, wait_for

SECRET = b"a secret of more than sixteen bytes"
SCHEMA = json.loads((ROOT / "schemas/verdict.changed.json").read_text())


class Receiver:
    """A webhook's server: answers with the given statuses by turns, then with 204; a status of 0
    hangs up without an answer."""

    def __init__(self, test, *answers, port=0):
        self.posts, self.answers = [], list(answers)
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.posts.append((dict(self.headers), body))
                status = receiver.answers.pop(0) if receiver.answers else 204
                if status:
                    self.send_response(status)
                    self.end_headers()
                else:
                    self.close_connection = True

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        test.addCleanup(self.server.server_close)
        test.addCleanup(self.server.shutdown)

    def events(self):
        return [json.loads(body) for _, body in self.posts]


class Verdicts(TestCase):
    def setUp(self):
        super().setUp()
        self.world.make_topics(partitions=1)
        self.hand = Hand(self.world)
        self.secret = self.world.write("secret", SECRET + b"\n")

    def content(self):
        """Customers who are content, published."""
        self.hand.sell(today())
        self.hand.rate(today(), good=20)
        self.once()

    def upset(self, bad=20):
        self.hand.rate(today(), good=0, bad=bad)

    def env(self, url=None, **more):
        hook = {"TANDEM_WEBHOOK_URL": url, "TANDEM_WEBHOOK_SECRET_FILE": self.secret} if url else {}
        return {**hook, **more}

    def once(self, url=None, **more):
        self.world.must("reporter", "--once", env=self.env(url, **more))

    def records(self):
        return [(r.key.decode(), json.loads(r.value)) for r in
                self.world.dump(self.world.verdicts).records]

    def stream(self):
        return [dict(zip(flat[::2], flat[1::2])) for _, flat in
                self.world.redis.call("XRANGE", self.world.key("verdicts"), "-", "+")]

    def test_a_change_is_one_event_a_period_and_what_stays_is_none(self):
        self.content()
        self.assertEqual(self.records(), [])
        self.hand.sell(today())
        self.once()
        self.assertEqual(self.records(), [])
        self.upset()
        self.once()
        records = self.records()
        self.assertEqual([key for key, _ in records], [
            f"{self.world.business}/{kind}/{name}/all" for kind, name in names_of(today()).items()])
        for key, event in records:
            jsonschema.validate(event, SCHEMA)
            data = event["data"]
            self.assertEqual((data["from"], data["to"], data["severity"]),
                             ("content_no_target", "unhappy_no_target", "warning"))
            self.assertEqual(f"{self.world.business}/{event['subject']}", key)
            self.assertIn({"metric": "csat_pct", "value": 50, "op": "<", "threshold": 80, "n": 40},
                          data["reasons"])
            self.assertEqual(data["revision"], int(self.hand.published(
                data["period_kind"], data["period"])["revision"]))
        self.assertEqual(len({event["id"] for _, event in records}), 5)
        self.assertEqual([event["data"]["sequence"] for _, event in records], [1, 2, 3, 4, 5])

    def test_a_verdict_of_long_ago_is_not_announced(self):
        self.hand.rate("2017-11-05", good=20)
        self.once()
        self.hand.rate("2017-11-05", good=0, bad=20)
        self.once()
        self.assertEqual(self.hand.published("month", "2017-11")["verdict"], "unhappy_no_target")
        self.assertEqual(self.stream(), [])

    def test_what_was_published_but_not_announced_is_announced_later_with_the_same_id(self):
        self.content()
        self.upset()
        self.once()
        first = self.records()
        # as after a crash between the publication and the note that it was announced
        self.world.redis.call("HDEL", self.world.key("announced"), "topic")
        self.once()
        again = self.records()
        self.assertEqual(len(again), 10)
        self.assertEqual(again[5:], first)
        self.assertEqual([e["id"] for _, e in first], [entry["id"] for entry in self.stream()])

    def test_a_webhook_that_refuses_gets_the_same_event_again_signed_and_in_order(self):
        self.content()
        hook = Receiver(self, 503, 0, 500)
        reporter = self.world.start("reporter", env=self.env(hook.url))
        wait_for(lambda: reporter.said('event=publishing'), 20, "the lease")
        wait_for(lambda: "webhook" in self.world.redis.hash(self.world.key("announced")), 20,
                 "a place of the webhook")
        self.upset()
        wait_for(lambda: len(hook.posts) >= 8, 30, f"eight posts of {hook.posts}")
        self.assertEqual(reporter.stop(), 0)
        events = hook.events()
        self.assertEqual(events[:4], [events[0]] * 4)
        self.assertEqual([e["data"]["period_kind"] for e in events[3:]], list(names_of(today())))
        for headers, body in hook.posts:
            jsonschema.validate(json.loads(body), SCHEMA)
            self.assertEqual(headers["webhook-id"], json.loads(body)["id"])
            text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
            digest = hmac.new(SECRET, text, hashlib.sha256).digest()
            self.assertEqual(headers["webhook-signature"],
                             "v1," + base64.b64encode(digest).decode())
        self.assertIn("trying again", reporter.err())
        self.assertNotIn(SECRET.decode(), reporter.err())
        self.assertEqual([e for _, e in self.records()], events[3:])

    def test_a_reporter_that_is_killed_leaves_what_the_webhook_did_not_take_to_the_next(self):
        self.content()
        port = free_port()
        url = f"http://127.0.0.1:{port}/hook"
        reporter = self.world.start("reporter", env=self.env(url))
        wait_for(lambda: "webhook" in self.world.redis.hash(self.world.key("announced")), 20,
                 "a place of the webhook")
        self.upset()
        wait_for(lambda: reporter.said("trying again"), 20, "a refusal")
        reporter.kill()
        self.world.redis.call("DEL", self.world.key("reporter"))    # its lease ends by itself
        hook = Receiver(self, port=port)
        self.once(url)
        self.assertEqual([e["id"] for e in hook.events()], [e["id"] for e in self.stream()])
        self.once(url)
        self.assertEqual(len(hook.posts), 5)

    def test_a_webhook_hears_only_of_what_changes_from_then_on_and_only_what_is_asked_for(self):
        self.content()
        self.upset()
        self.once()
        hook = Receiver(self)
        only = {"TANDEM_WEBHOOK_PERIODS": "month,year", "TANDEM_WEBHOOK_SCOPES": "all"}
        self.once(hook.url, **only)
        self.assertEqual(hook.posts, [])
        self.hand.rate(today(), good=1000)
        self.hand.rate(today(), "region=west", good=20)
        self.once(hook.url, **only)
        self.assertEqual([(e["data"]["period_kind"], e["data"]["scope"]) for e in hook.events()],
                         [("month", "all"), ("year", "all")])
        self.assertEqual(hook.events()[0]["data"]["to"], "content_no_target")

    def test_a_stream_that_overflowed_is_said_and_not_passed_over_in_silence(self):
        self.content()
        self.upset()
        self.once()
        self.world.redis.call("HDEL", self.world.key("announced"), "topic")
        self.world.redis.call("XTRIM", self.world.key("verdicts"), "MAXLEN", 2)
        done = self.world.run("reporter", "--once")
        self.assertEqual(done.returncode, 0)
        self.assertIn("dropped before they could be announced", done.stderr)
        self.assertIn("changes=3", done.stderr)

    def test_a_webhook_without_a_good_secret_or_url_is_refused(self):
        short = self.world.write("short", b"short\n")
        for url, secret, said in (("http://x/", "", "webhook.secret.file"),
                                  ("http://x/", "/nowhere", "/nowhere"),
                                  ("http://x/", short, "at least 16"),
                                  ("ftp://x/", self.secret, "webhook.url")):
            done = self.world.run("reporter", "--once", env={
                "TANDEM_WEBHOOK_URL": url, "TANDEM_WEBHOOK_SECRET_FILE": secret})
            self.assertEqual(done.returncode, 2)
            self.assertIn(said, done.stderr)
        done = self.world.run("reporter", "--once", "--webhook-periods", "decade")
        self.assertEqual(done.returncode, 2)
        self.assertIn("decade", done.stderr)

    def test_the_example_for_a_chat_tells_each_change_once(self):
        self.content()
        chat, port = Receiver(self, 500), free_port()
        relay = subprocess.Popen(
            [sys.executable, ROOT / "examples/verdict_to_chat.py"],
            env={**os.environ, "CHAT_URL": chat.url, "SECRET_FILE": str(self.secret),
                 "PORT": str(port)})
        self.addCleanup(relay.wait, 10)
        self.addCleanup(relay.kill)
        url = f"http://127.0.0.1:{port}/"
        self.once(url)
        self.upset()
        self.once(url, TANDEM_WEBHOOK_PERIODS="month")
        self.assertEqual(len(chat.posts), 2)
        said = json.loads(chat.posts[1][1])["text"]
        self.assertIn("was content_no_target", said)
        self.assertIn(names_of(today())["month"], said)


if __name__ == "__main__":
    main()
