"""Writes what each fuzz target begins with, made from the examples: seeds.py FOLDER."""

import hashlib
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def values():
    """The values of the example records."""
    for path in sorted(ROOT.glob("schemas/examples/*.json")):
        value = json.loads(path.read_text()).get("value")
        if isinstance(value, str):
            yield value.encode("utf-8", "surrogatepass")


def mappings():
    for path in sorted(ROOT.glob("examples/mappings/*.json")):
        yield path.stem, path.read_bytes()
    page = (ROOT / "docs/import.md").read_text()
    for i, block in enumerate(re.findall(r"```json\n(.*?)```", page, re.S)):
        yield f"page-{i}", block.encode()


def rows(name):
    """The first rows of an example's data; of another mapping none."""
    path = ROOT / "examples/data" / f"{name}.csv"
    return b"\n".join(path.read_bytes().splitlines()[:8]) if path.exists() else b"a,b\n1,2\n"


def formats():
    words = set()
    for _, text in mappings():
        words.update(re.findall(r'"format": *"([^"]+)"', text.decode()))
    texts = ["2026-11-23", "11/8/2016", "1-Nov-2016 13:05", "2026-11-23T14:05:09+02:00",
             "23.11.2026 2:05 PM", "1795435200"]
    return [f"{word}\n{text}".encode() for word in sorted(words) for text in texts]


def seeds():
    events, files = list(values()), list(mappings())
    urls = ["redis://localhost", "rediss://user:s3cr3t@[::1]:6380/2", "unix://:s3cr3t@/run/r?db=1",
            "redis+sentinel://:s3cr3t@a,b:26379/main/1", "redis://:%41s3cr3t@h:0/16",
            "MOVED 3999 10.0.0.7:6381", "MOVED 0 :7000"]
    times = ["2026-11-23T14:05:09.123+02:00", "2000-01-01t00:00:00z", "2026-11-23", "2026-W48",
             "2026-W53", "2026-11", "2026-Q4", "2026", "90m", "7d"]
    amounts = ["02" + text for text in ("41.9136", "-1.005", "1,234.50", "1e-05", " 7 ", "+0")]
    settings = re.findall(r"`([a-z.]+)`[^\n]*", (ROOT / "docs/settings.md").read_text())
    return {
        "decoder": [bytes([mode]) + e for e in events for mode in (0, 1, 2)],
        "mapping": [text for _, text in files],
        "import": [text + b"\0" + rows(name) for name, text in files],
        "table": [b"\0" + rows("superstore"), b'\1a;"b""\r\n"\r\n;', b"\0\xef\xbb\xbfa\r\rb"],
        "targets": [(ROOT / "examples/targets.json").read_bytes()],
        "redis_url": [url.encode() for url in urls],
        "config": ["\n".join(f"{key}=1" for key in settings).encode(),
                   b"# a\nflush.ms = 50\nkafka.client.id=x\nscopes=region,labels.a\n"],
        "calendar": [text.encode() for text in times],
        "pattern": formats(),
        "money": [text.encode() for text in amounts],
        "letter": [*events[:50], b"tandem.sales/2/17",
                   b'{"key":"t/0/1","value":{"specversion":"1.0","id":"i","source":"s"}}'],
    }


def main():
    folder = pathlib.Path(sys.argv[1])
    made = seeds()
    for path in sorted(ROOT.glob("tests/fuzz/*_fuzz.c")):
        name = path.stem.removesuffix("_fuzz")
        (folder / name).mkdir(parents=True, exist_ok=True)
        for seed in made[name]:
            (folder / name / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)


main()
