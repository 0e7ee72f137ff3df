"""comparison.py - the dashboard of sale and service, which make.py writes.

Each panel is one query of the redis-datasource plugin: HMGET and HGETALL of a current comparison
(one row, a column a field), XRANGE of a history in the dashboard's time range, SMEMBERS for the
variables. A test runs every one of them."""

from board import Board, dashboard, steps, variable

SOURCE = {"type": "redis-datasource", "uid": "tandem-redis"}
KEY = "tandem:{${business}}:"
WHOLE = KEY + "comparison:current:${kind}:all"
PART = KEY + "comparison:current:${kind}:${dimension}=${value}"


def target(command, key, **more):
    return {"refId": "A", "datasource": SOURCE, "type": "command", "command": command, "query": "",
            "keyName": key, **more}


def fields(key, *names):
    return target("hmget", key, field=" ".join(names))


def every_field():
    """Options of a stat or a gauge that shows each column of the one row."""
    return {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "/.*/", "values": False},
            "orientation": "horizontal", "textMode": "value_and_name"}


SEVERITIES = [{"type": "value", "options": {
    word: {"color": color, "index": i} for i, (word, color) in enumerate(
        (("ok", "green"), ("notice", "blue"), ("warning", "orange"), ("critical", "red")))}}]


def build():
    board = Board(SOURCE)
    board.row("Where we stand")
    board.add("Verdict", "stat", 10, 4, fields(WHOLE, "verdict"), options=every_field())
    board.add("Severity", "stat", 4, 4, fields(WHOLE, "severity"), options=every_field(),
              defaults={"mappings": SEVERITIES})
    board.add("States of sale and service", "stat", 10, 4,
              fields(WHOLE, "sale_state", "service_state"), options=every_field())
    board.add("Reasons", "table", 24, 3, fields(WHOLE, "reasons", "ratings_needed", "provisional"))
    board.add("Profit against its target", "bargauge", 12, 6,
              fields(WHOLE, "attainment_pct:gross_profit:${currency}",
                     "pace_pct:gross_profit:${currency}"), unit="percent",
              options={**every_field(), "displayMode": "gradient"},
              defaults={"min": 0, "max": 120, "thresholds": steps(("red", None), ("green", 100))})
    board.add("Satisfaction and its floor", "gauge", 12, 6, fields(WHOLE, "csat_pct"),
              unit="percent", options={**every_field(), "showThresholdMarkers": True},
              defaults={"min": 0, "max": 100, "thresholds": steps(("red", None), ("green", 80))})
    board.row("Side by side")
    board.add("Sale, amounts in minor units (cents)", "table", 24, 3, fields(
        WHOLE, "gross_profit:${currency}", "revenue:${currency}", "margin_pct:${currency}",
        "orders", "average_order:${currency}", "refund_pct:${currency}", "interactions_prospect",
        "customers_new", "repeat_pct", "referred_by_sale"))
    board.add("Service", "table", 24, 3, fields(
        WHOLE, "csat_pct", "csat_mean", "csat_n", "nps", "ces_easy_pct", "first_contact_pct",
        "after_pct", "reopen_pct", "honoured_pct", "referred_by_service"))
    board.add("Target, in minor units (cents)", "table", 12, 3, fields(
        WHOLE, "target:gross_profit:${currency}", "gap:gross_profit:${currency}",
        "forecast:gross_profit:${currency}", "required_rate:gross_profit:${currency}"))
    board.add("Answers and solutions", "stat", 12, 3, fields(
        WHOLE, "response_p50", "response_p90", "resolution_p50", "resolution_p90"), unit="s",
        options=every_field())
    board.row("What the one does to the other")
    board.add("Who comes back: content and discontent", "bargauge", 12, 5,
              fields(WHOLE, "satisfied_return_pct", "dissatisfied_return_pct"), unit="percent",
              options=every_field(), defaults={"min": 0, "max": 100})
    board.add("Sales that came from service", "stat", 12, 5, fields(
        WHOLE, "assisted_pct:${currency}", "after_service_pct"), unit="percent",
        options=every_field())
    board.row("Today, live")
    for title, names, unit in (
            ("Orders and tickets", "orders|opened", "none"),
            ("Satisfaction", "csat_pct", "percent"),
            ("Gross profit, minor units (cents)", "gross_profit:${currency}", "none")):
        board.add(title, "timeseries", 8, 7, target("xrange", KEY + "history:all"), unit=unit,
                  transformations=[{"id": "filterFieldsByName", "options": {
                      "include": {"pattern": f"^([$]time|{names})$"}}}])
    board.add("Verdicts that changed", "table", 24, 7,
              target("xrevrange", KEY + "verdicts", count=50))
    board.row("${dimension} ${value}", repeat="value")
    board.add("Verdict", "stat", 8, 4, fields(PART, "verdict", "severity"), options=every_field())
    board.add("Sale", "table", 8, 4, fields(
        PART, "gross_profit:${currency}", "revenue:${currency}", "orders"))
    board.add("Service", "table", 8, 4, fields(PART, "csat_pct", "csat_n", "opened"))
    return board.panels


def chosen(name, label, *values, current=None):
    """A variable of fixed values."""
    first = current or values[0]
    return variable(name, label, type="custom", query=",".join(values),
                    current={"text": first, "value": first},
                    options=[{"text": v, "value": v, "selected": v == first} for v in values])


def members(name, label, key, **more):
    """A variable of a set's members."""
    return variable(name, label, type="query", datasource=SOURCE, query="SMEMBERS " + key,
                    refresh=2, sort=1, **more)


VARIABLES = [
    variable("business", "business", type="textbox", query="main",
             current={"text": "main", "value": "main"}),
    chosen("kind", "period", "day", "week", "month", "quarter", "year", current="month"),
    members("currency", "currency", KEY + "currency"),
    chosen("dimension", "dimension", "region", "channel", "rep", "line"),
    members("value", "values", KEY + "scope:${dimension}", multi=True, includeAll=True,
            current={"text": ["All"], "value": ["$__all"]}),
]


def made():
    return dashboard("tandem-sale-service", "Sale and service", VARIABLES, build(), "5s", "6h")
