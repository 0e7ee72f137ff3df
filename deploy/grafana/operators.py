"""operators.py - the dashboard for who runs tandem, which make.py writes.

Each query is PromQL on the metrics of docs/metrics.md. A metric names no role: it comes by job and
instance from tandem_build_info. What would be empty while all is well says 0, by idle(): an empty
panel means that Prometheus does not know. A test runs every query on a real Prometheus."""

from board import Board, dashboard, steps, variable

SOURCE = {"type": "prometheus", "uid": "tandem-prometheus"}
CHOSEN = 'job=~"$job"'
SPAN = "[$__rate_interval]"
BUILD = "tandem_build_info{%s}" % CHOSEN
ROLE = f"on (job, instance) group_left (role) max by (job, instance, role) ({BUILD})"
ALERTS = 'ALERTS{alertstate="firing", alertname=~"Tandem.+", %s}' % CHOSEN
SEVERITIES = (("ok", "green"), ("notice", "blue"), ("warning", "orange"), ("critical", "red"))

BAD_FROM_1 = {"thresholds": steps(("green", None), ("red", 1))}
GOOD_FROM_1 = {"thresholds": steps(("red", None), ("green", 1))}
LATE = {"thresholds": steps(("green", None), ("orange", 30), ("red", 120))}
LINES = {"min": 0, "custom": {"fillOpacity": 10, "showPoints": "never"}}
BARS = {"min": 0, "custom": {"drawStyle": "bars", "fillOpacity": 60, "showPoints": "never",
                             "stacking": {"mode": "normal"}}}


def chosen(name, *labels):
    """A selector of the chosen jobs; labels as 'outcome="duplicate"'."""
    return "%s{%s}" % (name, ", ".join([*labels, CHOSEN]))


def rate(name, *labels):
    return f"rate({chosen(name, *labels)}{SPAN})"


def with_role(vector):
    return f"{vector} * {ROLE}"


def by_role(vector, how="sum", *labels):
    return f"{how} by ({', '.join(['role', *labels])}) ({with_role(vector)})"


def minutely(name):
    """Seldom things are told by the minute."""
    return "60 * " + by_role(rate(name))


def idle(vector, known, label):
    """0, whose label says none, where the vector is empty, but something known is scraped."""
    return f'{vector} or on () label_replace(0 * count({known}), "{label}", "none", "", "")'


def over_time(expr, legend, ref="A"):
    return {"refId": ref, "datasource": SOURCE, "editorMode": "code", "expr": expr,
            "legendFormat": legend, "range": True, "instant": False}


def now(expr, legend):
    return {**over_time(expr, legend), "range": False, "instant": True}


def quantiles(histogram):
    """p50 and p99 of each role."""
    sums = by_role(rate(histogram + "_bucket"), "sum", "le")
    return [over_time(f"histogram_quantile({q}, {sums})", "{{role}} " + name, ref)
            for q, name, ref in (("0.5", "p50", "A"), ("0.99", "p99", "B"))]


def verdicts():
    """0 ok to 3 critical of each period, told by the reporter that publishes."""
    marks = " or ".join("{} * {}".format(chosen("tandem_verdict", f'severity="{word}"'), mark)
                        for mark, (word, _) in enumerate(SEVERITIES))
    leads = chosen("tandem_reporter_leading")
    return f"max by (period) (({marks}) and on (job, instance) ({leads} == 1))"


def words(*pairs):
    """0, 1, ... as these words in these colours."""
    return [{"type": "value", "options": {
        str(i): {"text": word, "color": color, "index": i}
        for i, (word, color) in enumerate(pairs)}}]


def glance(board):
    board.row("Is all well?")
    board.add("Alerts firing", "stat", 4, 4,
              now(f"count({ALERTS}) or 0 * count({BUILD})", "alerts"),
              defaults=BAD_FROM_1)
    board.add("Processes that answer", "stat", 8, 4,
              now(f"count by (role) ({BUILD})", "{{role}}"))
    board.add("Ledger shards", "stat", 4, 4,
              now(f"min by (shard) ({chosen('tandem_shard_up')})", "{{shard}}"),
              defaults={**GOOD_FROM_1, "mappings": words(("waits", "red"), ("up", "green"))})
    board.add("Age of the report", "stat", 4, 4, now(
        f"time() - max by (job) ({chosen('tandem_report_fresh_timestamp_seconds')} > 0)",
        "{{job}}"), unit="s", defaults=LATE)
    board.add("Reporters that publish", "stat", 4, 4,
              now(f"sum by (job) ({chosen('tandem_reporter_leading')})", "{{job}}"),
              defaults=GOOD_FROM_1)
    board.add("Alerts", "state-timeline", 12, 6, over_time(
        idle(f"count by (alertname) ({ALERTS})", BUILD, "alertname"), "{{alertname}}"),
              defaults=BAD_FROM_1)
    board.add("Verdict of each period", "state-timeline", 12, 6,
              over_time(verdicts(), "{{period}}"), defaults={"mappings": words(*SEVERITIES)})


def flow(board):
    board.row("What comes in, and how far behind")
    board.add("Events a second", "timeseries", 8, 7,
              over_time(by_role(rate("tandem_events_total")), "{{role}}"), unit="eps",
              defaults=LINES)
    board.add("Furthest behind, in time", "timeseries", 8, 7, over_time(
        by_role(chosen("tandem_lag_seconds"), "max", "topic"), "{{role}} {{topic}}"), unit="s",
              defaults=LINES)
    board.add("Behind, in records", "timeseries", 8, 7, over_time(
        by_role(chosen("tandem_lag_records"), "sum", "topic"), "{{role}} {{topic}}"),
              unit="short", defaults=LINES)
    board.add("Rejected a minute, by reason", "timeseries", 8, 7, over_time(idle(
        f"60 * sum by (reason) ({rate('tandem_rejects_total')}) > 0",
        chosen("tandem_rejects_total"), "reason"), "{{reason}}"), unit="cpm",
              defaults=BARS)
    board.add("Duplicates a second", "timeseries", 8, 7, over_time(
        by_role(rate("tandem_events_total", 'outcome="duplicate"')), "{{role}}"), unit="eps",
              defaults=LINES)
    board.add("Positions that the log does not hold", "timeseries", 8, 7, over_time(
        by_role(chosen("tandem_position_gap")), "{{role}}"), defaults=LINES)


def batches(board):
    board.row("Batches, stores and groups")
    board.add("A batch, until Redis had applied it", "timeseries", 12, 7,
              quantiles("tandem_flush_seconds"), unit="s", defaults=LINES)
    board.add("Its script, from sending to answer", "timeseries", 12, 7,
              quantiles("tandem_script_seconds"), unit="s", defaults=LINES)
    board.add("Fenced batches a minute", "timeseries", 8, 7,
              over_time(minutely("tandem_fenced_batches_total"), "{{role}}"), unit="cpm",
              defaults=BARS)
    board.add("Rebalances a minute", "timeseries", 8, 7,
              over_time(minutely("tandem_rebalances_total"), "{{role}}"), unit="cpm",
              defaults=BARS)
    board.add("Errors a minute", "timeseries", 8, 7, [
        over_time(minutely("tandem_redis_errors_total"), "Redis, {{role}}", "A"),
        over_time(minutely("tandem_kafka_errors_total"), "Kafka, {{role}}", "B")], unit="cpm",
              defaults=BARS)


def processes(board):
    board.row("Processes")
    for title, vector, unit in (
            ("Memory", chosen("process_resident_memory_bytes"), "bytes"),
            ("Processors busy", rate("process_cpu_seconds_total"), "none"),
            ("Open files", chosen("process_open_fds"), "none")):
        board.add(title, "timeseries", 8, 7, over_time(
            with_role(vector), "{{role}} {{instance}}"), unit=unit, defaults=LINES)


JOBS = "label_values(tandem_build_info, job)"
VARIABLES = [variable(
    "job", "job", type="query", datasource=SOURCE, definition=JOBS,
    query={"qryType": 1, "query": JOBS, "refId": "jobs"}, refresh=2, sort=1, multi=True,
    includeAll=True, allValue=".*", current={"text": ["All"], "value": ["$__all"]})]


def made():
    board = Board(SOURCE)
    for part in (glance, flow, batches, processes):
        part(board)
    return dashboard("tandem-operators", "Operators", VARIABLES, board.panels, "15s", "1h")
