"""Records, and what the decoders say of them: the C one and the Python one of the oracle."""

import base64
import collections
import json
import os
import re
import subprocess
import sys

import contract
from contract import ROOT

BUILD = ROOT / os.environ.get("TANDEM_BUILD", "build")
C = [str(BUILD / "tests" / "decode")]
PYTHON = [sys.executable, str(ROOT / "tests" / "oracle" / "decode.py")]

Answer = collections.namedtuple("Answer", "verdict reason field")


# The reasons that concern the record as a whole: what field they name, if any, is free.
WHOLE = {"too_large", "format_unsupported", "not_cloudevent", "bad_json", "duplicate_key"}


def comparable(answer):
    """An answer without what docs/events.md leaves free: which of several labels is named."""
    if answer.field is None or answer.reason in WHOLE:
        return answer._replace(field=None)
    field = re.sub(r"^data\.labels\..*", "data.labels", answer.field, flags=re.S)
    return answer._replace(field=field)


def unbase64(text):
    return None if text is None else base64.b64decode(text)


class Record:
    def __init__(self, topic, timestamp, key, headers, value):
        self.topic, self.timestamp, self.key = topic, timestamp, key
        self.headers, self.value = headers, value

    @classmethod
    def of_example(cls, example):
        def both(name):
            text = example.get(name)
            return unbase64(example.get(name + "_base64")) if text is None else text.encode()
        headers = [(name, value.encode() if isinstance(value, str) else unbase64(value["base64"]))
                   for name, value in example["headers"]]
        return cls(example["topic"], example["timestamp"], both("key"), headers, both("value"))

    @classmethod
    def structured(cls, doc, topic, timestamp, escape=False):
        headers = [("content-type", b"application/cloudevents+json")]
        value = json.dumps(doc, ensure_ascii=escape).encode()
        return cls(topic, timestamp, b"k", headers, value)

    @classmethod
    def binary(cls, doc, topic, timestamp):
        headers = [("content-type" if name == "datacontenttype" else "ce_" + name, value.encode())
                   for name, value in doc.items() if name != "data" and name in contract.ATTRIBUTES]
        return cls(topic, timestamp, b"k", headers, json.dumps(doc["data"]).encode())

    @property
    def bytes(self):
        return len(self.key or b"") + len(self.value) + \
            sum(len(name.encode()) + len(value) for name, value in self.headers)

    def line(self):
        def coded(data):
            return base64.b64encode(data).decode()
        out = {"topic": self.topic, "timestamp": self.timestamp, "partition": 0, "offset": 0,
               "headers": [[name, {"base64": coded(value)}] for name, value in self.headers]}
        for name, data in (("key", self.key), ("value", self.value)):
            out.update({name: None} if data is None else {name + "_base64": coded(data)})
        return json.dumps(out)


def answers_of(command, records):
    """What a decoder says of each record; all go through one run of it."""
    lines = "".join(record.line() + "\n" for record in records)
    done = subprocess.run(command, input=lines, capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise AssertionError(f"{command[-1]} ended with {done.returncode}: {done.stderr[-500:]}")
    found = [json.loads(line) for line in done.stdout.splitlines()]
    if len(found) != len(records):
        raise AssertionError(f"{len(records)} records in, {len(found)} answers out")
    return [Answer(one["verdict"], one["reason"] or None, one["field"] or None) for one in found]
