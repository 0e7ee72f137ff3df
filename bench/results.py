"""From single runs to a page: medians, ratios, and which goals were met."""

import datetime
import pathlib
import platform
import re
import statistics
import subprocess

import stand


def spread(values, digits):
    """min / median / max."""
    return " / ".join(f"{value:.{digits}f}"
                      for value in (min(values), statistics.median(values), max(values)))


def median(runs, what):
    return statistics.median(getattr(run, what) for run in runs)


def by_name(runs):
    named = {}
    for run in runs:
        named.setdefault(run.name, []).append(run)
    return named


def output_of(*command):
    try:
        run = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return (run.stdout + run.stderr).strip()


def first_line(text):
    return text.splitlines()[0] if text else "none"


def machine():
    cpu = re.search(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(),
                    re.MULTILINE)
    count = len(re.findall(r"^processor", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE))
    memory = re.search(r"^MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())
    system = re.search(r'^PRETTY_NAME="(.*)"$', pathlib.Path("/etc/os-release").read_text(),
                       re.MULTILINE)
    return [f"{count} cores, {cpu[1] if cpu else platform.machine()}, "
            f"{int(memory[1]) / 2**20:.0f} GiB",
            f"{system[1] if system else platform.system()}, Linux {platform.release()}; "
            "broker, Redis and worker share the machine"]


def versions():
    redis = re.search(r"v=(\S+)", output_of("redis-server", "--version"))
    lines = output_of(str(stand.BUILD / "tandem"), "version").splitlines()
    java = re.search(r'version "([^"]+)"', output_of("java", "-version"))
    go = re.search(r"go([\d.]+)", output_of("go", "version"))
    requirements = (stand.ROOT / "bench/peers/python/requirements.txt").read_text().split()
    modules = re.findall(r"^\t(\S+/(?:franz-go|go-json|v9)) (v[\d.]+)$",
                         (stand.ROOT / "bench/peers/go/go.mod").read_text(), re.MULTILINE)
    return ["; ".join(line.strip() for line in lines),
            first_line(output_of("gcc", "--version")),
            f"Apache Kafka 4.1, Redis {redis[1] if redis else '?'}",
            "Go peer: go " + (go[1] if go else "none") + ", "
            + ", ".join(f"{name} {version}" for name, version in modules),
            f"Kafka Streams peer: 4.1.0, Java {java[1] if java else 'none'}",
            "Python peer: " + platform.python_version() + ", " + ", ".join(requirements),
            "Redpanda Connect peer: Benthos 4.27"]


def rate_table(runs, guarantees):
    lines = ["| worker | events | M events/s, wall | M events/s per core | peak MB | guarantee at "
             "Redis |", "|---|---|---|---|---|---|"]
    for name, of in by_name(runs).items():
        lines.append(f"| {name} | {of[0].events:,} | {spread([r.wall_rate for r in of], 3)} | "
                     f"{spread([r.core_rate for r in of], 3)} | "
                     f"{max(r.rss_mb for r in of):.0f} | {guarantees.get(name, '')} |")
    return lines


def ratio(named, other, what="core_rate"):
    """How many times as fast tandem is; None when one of the two did not run."""
    if "tandem" not in named or other not in named:
        return None
    return median(named["tandem"], what) / median(named[other], what)


def ratio_lines(runs):
    named = by_name(runs)
    lines = ["| tandem against | per core | wall |", "|---|---|---|"]
    for name in named:
        if name != "tandem" and "tandem" in named:
            lines.append(f"| {name} | {ratio(named, name):.2f} | "
                         f"{ratio(named, name, 'wall_rate'):.2f} |")
    return lines


def goal(words, value, bound, at_least=True, unit=""):
    """A line of the table of goals; a value of None was not measured."""
    if value is None:
        return f"| {words} | {bound:g}{unit} | not measured | |"
    met = value >= bound if at_least else value <= bound
    short = (bound - value if at_least else value - bound) / bound * 100
    return (f"| {words} | {'>=' if at_least else '<='} {bound:g}{unit} | {value:.3g}{unit} | "
            f"{'met' if met else f'missed by {short:.0f} %'} |")


def goals(measured):
    named = by_name(measured["runs"])
    live = {line["rate"]: line for line in measured.get("latency", [])}
    fast, felt = live.get(10000, {}), measured.get("felt", {})
    core = median(named["tandem"], "core_rate") if "tandem" in named else None
    peak = max((r.rss_mb for r in named.get("tandem", [])), default=None)
    return ["| goal | | measured | |", "|---|---|---|---|",
            goal("M events/s per core", core, 1.0),
            goal("times the floor, per core", ratio(named, "floor"), 0.45),
            goal("times the Go worker, per core", ratio(named, "go"), 1.3),
            goal("times the Go worker, wall", ratio(named, "go", "wall_rate"), 1.0),
            goal("times tuned Kafka Streams, per core", ratio(named, "kafka-streams"), 6.0),
            goal("peak memory at full speed", peak, 128, False, " MB"),
            goal("memory idle for 60 s, windows full", measured.get("idle_mb"), 32, False, " MB"),
            goal("apply script, p99", measured.get("script_p99_ms"), 10, False, " ms"),
            goal("HGETALL while a worker catches up, p99", felt.get("p99_ms"), 15, False, " ms"),
            goal("acknowledgement to counter, p99 at 10,000/s", fast.get("counted_p99"), 250,
                 False, " ms"),
            goal("acknowledgement to published, p99 at 10,000/s", fast.get("published_p99"), 1000,
                 False, " ms")]


def latency_lines(measured):
    lines = ["| events/s | to counter: p50 / p99 / max, ms | to published comparison: p50 / p99 / "
             "max, ms |", "|---|---|---|"]
    for line in measured["latency"]:
        cells = [" / ".join(f"{line[f'{what}_{q}']:.1f}" for q in ("p50", "p99", "max"))
                 for what in ("counted", "published")]
        lines.append(f"| {line['rate']:,} | {cells[0]} | {cells[1]} |")
    return lines


def page(measured, guarantees):
    """The whole of RESULTS.md."""
    out = ["# Benchmark results", "",
           f"Made by `make bench` on {datetime.date.today().isoformat()}. Absolute figures move "
           "from run to run by a fifth; compare what ran side by side. Three figures are minimum "
           "/ median / maximum; ratios are those of medians.", ""]
    out += [f"- {line}" for line in machine() + versions()] + ["", "## Goals", ""]
    out += goals(measured) + ["", "## Sale events without items", "",
            f"Mean size {measured['plain_bytes']:.0f} bytes, 4 partitions, 10 days, 36 scopes. "
            "Everybody's sums were checked against the truth. The floor is librdkafka alone, with "
            "a worker's settings and allocator; floor-malloc the same with the allocator of libc. "
            "Wall time is from the first record to the last sum in Redis, processor time that of "
            "the whole process.", ""]
    out += rate_table(measured["runs"], guarantees) + [""] + ratio_lines(measured["runs"])
    if "mixed" in measured:
        out += ["", "## Sale and service events with items", "",
                f"Mean size {measured['mixed_bytes']:.0f} bytes.", ""]
        out += rate_table(measured["mixed"], {})
    if "latency" in measured:
        out += ["", "## Latency", "",
                "From the producer's acknowledgement, all with defaults.", ""]
        out += latency_lines(measured)
    if "script_p99_ms" in measured:
        out += ["", "## Redis", "",
                f"The apply script while catching up: p50 {measured['script_p50_ms']:.2f} ms, p99 "
                f"{measured['script_p99_ms']:.2f} ms, longest {measured['script_max_ms']:.2f} ms."]
    if "felt" in measured:
        felt = measured["felt"]
        out += ["", f"HGETALL of a published comparison by a second client, while a worker catches "
                f"up and a reporter publishes: p50 {felt['p50_ms']:.2f} ms, p99 "
                f"{felt['p99_ms']:.2f} ms, longest {felt['max_ms']:.2f} ms of {felt['count']}."]
    out += ["", "## Where the time goes", "", "```", measured["parts"].rstrip(), "```", ""]
    return "\n".join(out)
