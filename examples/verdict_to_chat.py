"""verdict_to_chat.py - tells a chat channel when a verdict changes.

A webhook of tandem that checks the signature, leaves out what it has told before, and posts
{"text": ...} to an incoming webhook of Slack, Mattermost, Rocket.Chat or the like:

    CHAT_URL=https://chat.example/hooks/... SECRET_FILE=secret PORT=8099 \\
        python3 verdict_to_chat.py

It answers 204 only when the channel has it, so that what fails is sent again. Python's standard
library only; put a proxy with TLS before it when it is not on the reporter's own machine."""

import base64
import collections
import hashlib
import hmac
import http.server
import json
import os
import time
import urllib.request

TOLD = collections.OrderedDict()    # ids; a restart may tell a change twice
SIGNS = {"ok": "🟢", "notice": "🔵", "warning": "🟠", "critical": "🔴"}


def signed(secret, headers, body):
    """Standard Webhooks: HMAC-SHA256 over id, time and body, at most five minutes old."""
    id, sent = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not sent.isdigit() or abs(time.time() - int(sent)) > 300:
        return False
    digest = hmac.new(secret, f"{id}.{sent}.".encode() + body, hashlib.sha256).digest()
    wanted = "v1," + base64.b64encode(digest).decode()
    return hmac.compare_digest(wanted, headers.get("webhook-signature", ""))


def text_of(event, language="en"):
    data = event["data"]
    reasons = "; ".join(f"{r['metric']} {r['value']} {r['op']} {r['threshold']}"
                        for r in data["reasons"])
    return (f"{SIGNS[data['severity']]} {data['business']}, {data['scope']}, {data['period']}: "
            f"{data['text'][language]} (was {data['from']}; {reasons})")


def tell(url, text):
    request = urllib.request.Request(url, json.dumps({"text": text}).encode(),
                                     {"content-type": "application/json"})
    urllib.request.urlopen(request, timeout=5).close()


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(min(int(self.headers.get("content-length", 0)), 1 << 20))
        self.send_response(self.take(body))
        self.end_headers()

    def take(self, body):
        if not signed(self.server.secret, self.headers, body):
            return 401
        event = json.loads(body)
        if event["id"] not in TOLD:
            try:
                tell(self.server.chat, text_of(event, os.environ.get("CHAT_LANGUAGE", "en")))
            except OSError:
                return 502
            TOLD[event["id"]] = True
            while len(TOLD) > 10000:
                TOLD.popitem(last=False)
        return 204

    def log_message(self, *args):
        pass


if __name__ == "__main__":
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8099"))),
                                             Hook)
    server.chat = os.environ["CHAT_URL"]
    with open(os.environ["SECRET_FILE"], "rb") as file:
        server.secret = file.read().strip()
    server.serve_forever()
