"""deploy/grafana: every query of the operators' dashboard is run on a real Prometheus that scrapes
every role, with the rules of deploy/prometheus; variables are replaced as Grafana does."""

import json
import math
import re
import time
import unittest

from harness import ROOT, World, free_port, main, order, structured, ticket, wait_for
from own_prometheus import OwnPrometheus

FOLDER = ROOT / "deploy/grafana"
RULES = ROOT / "deploy/prometheus/tandem.rules.yml"
DASHBOARD = json.loads((FOLDER / "dashboards/operators.json").read_text())
VARIABLES = DASHBOARD["templating"]["list"]
PANELS = {p["title"]: p for p in DASHBOARD["panels"] if p["type"] != "row"}
WORKERS = {"sales-worker", "service-worker", "customers-worker"}
ROLES = WORKERS | {"reporter"}
SECONDS = {"$__rate_interval": "60s"}   # longer than the test: what happens in it stays in sight
BAD = 30                                # enough for TandemRejectsRise
OF_PROMETHEUS = {"ALERTS"}
# Panels that would be empty before anything happened, and the labels of their 0.
QUIET = {"Alerts firing": {}, "Alerts": {"alertname": "none"},
         "Rejected a minute, by reason": {"reason": "none"}}
# How many series these have once what the test lets happen has arrived.
KNOWN = {'ALERTS{alertname="TandemRejectsRise", alertstate="firing"}': 1,
         'tandem_verdict{severity="ok"}': 5,
         'increase(tandem_events_total{outcome="duplicate"}[60s]) > 0 and on (instance) '
         'tandem_build_info{role="sales-worker"}': 1,
         "increase(tandem_flush_seconds_count[60s]) > 0": len(WORKERS),
         "sum by (instance) (increase(tandem_events_total[60s])) > 0": len(WORKERS)}


def queries():
    return [(title, query) for title, panel in PANELS.items() for query in panel["targets"]]


def filled(text):
    """As Grafana sends it."""
    chosen = {"$" + v["name"]: v["allValue"] for v in VARIABLES} | SECONDS
    for name, value in chosen.items():
        text = text.replace(name, value)
    return text


def selectors(text):
    """[(whether it stands in rate(), name, labels)] of every metric in a query."""
    found = re.findall(r"(rate\()?([a-zA-Z_:][\w:]*)(\{[^}]*\})?", text)
    return [row for row in found if row[2] or re.match("(tandem|process)[_:]", row[1])]


def documented():
    """{metric: type} of docs/metrics.md; a histogram's parts are counters."""
    page = (ROOT / "docs/metrics.md").read_text()
    types = dict(re.findall(r"^\| `(\w+)` \| (\w+) \|", page, re.M))
    parts = {name + part: "counter" for name, kind in types.items() if kind == "histogram"
             for part in ("_bucket", "_sum", "_count")}
    return types | parts


class Operators(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.addClassCleanup(cls.world.close)
        cls.world.make_topics(2)
        ports = {role: free_port() for role in ROLES}
        for role, port in ports.items():
            cls.world.start(role, "--listen", f"127.0.0.1:{port}")
        rules, times = re.subn(r"(TandemRejectsRise\n.*\n +for: )1m", r"\g<1>1s", RULES.read_text())
        assert times == 1
        cls.prometheus = OwnPrometheus(cls.world, ports.values(), rules)
        cls.addClassCleanup(cls.prometheus.close)
        cls.began = time.time()
        wait_for(cls.all_read, 30, "a scrape of every role with its partitions")
        cls.quiet = {title: cls.now(title) for title in QUIET}
        cls.let_things_happen()
        wait_for(cls.all_known, 30, "Prometheus to know of every event and an alert")

    @classmethod
    def let_things_happen(cls):
        orders = [order(n, customer=f"c-{n}") for n in range(20)]
        tickets = [ticket(n, customer=f"c-{n}") for n in range(20)]
        cls.world.send_events([*orders, orders[0], *tickets])
        bad = {"key": "c-1", "value": "{", "headers": structured(orders[0])["headers"]}
        cls.world.produce(cls.world.sales, [bad] * BAD)

    @classmethod
    def all_read(cls):
        """Twice, so that there is a rate."""
        reading = cls.prometheus.ask("query", query="tandem_partitions > 0 and "
                                                    "count_over_time(tandem_partitions[1m]) > 1")
        return cls.prometheus.up(len(ROLES)) and len(reading.get("result", [])) == len(WORKERS)

    @classmethod
    def all_known(cls):
        return all(len(cls.prometheus.ask("query", query=query)["result"]) == count
                   for query, count in KNOWN.items())

    @classmethod
    def now(cls, title):
        """[(labels, number)] of a panel's queries at this moment."""
        return [(series["metric"], float(series["value"][1]))
                for query in PANELS[title]["targets"]
                for series in cls.prometheus.ask("query", query=filled(query["expr"]))["result"]]

    def run_as_grafana(self, query):
        """(kind of the result, its series)"""
        expr = filled(query["expr"])
        if query["instant"]:
            data = self.prometheus.ask("query", query=expr)
        else:
            data = self.prometheus.ask("query_range", query=expr, start=self.began,
                                       end=time.time(), step=1)
        return data["resultType"], data["result"]

    def told(self, title, label):
        """{value of the label: number} of a panel."""
        return {labels[label]: number for labels, number in self.now(title)}

    def test_every_query_returns_series_of_numbers_with_the_labels_of_its_legend(self):
        for title, query in queries():
            with self.subTest(panel=title, expr=query["expr"]):
                kind, found = self.run_as_grafana(query)
                self.assertEqual(kind, "vector" if query["instant"] else "matrix")
                self.assertTrue(found)
                for series in found:
                    pairs = series.get("values") or [series["value"]]
                    self.assertTrue(any(math.isfinite(float(n)) for _, n in pairs), series)
                    for label in re.findall(r"\{\{(\w+)\}\}", query["legendFormat"]):
                        self.assertTrue(series["metric"].get(label), (label, series["metric"]))
        self.assertGreater(len(queries()), 20)

    def test_panels_tell_what_happened(self):
        self.assertEqual(self.told("Processes that answer", "role"), dict.fromkeys(ROLES, 1))
        self.assertEqual(set(self.told("Memory", "role")), ROLES)
        events = self.told("Events a second", "role")
        self.assertEqual({role for role, n in events.items() if n > 0}, WORKERS)
        self.assertGreater(self.told("Duplicates a second", "role")["sales-worker"], 0)
        self.assertEqual(set(self.told("Rejected a minute, by reason", "reason")), {"bad_json"})
        self.assertEqual(self.told("Alerts", "alertname"), {"TandemRejectsRise": 1})
        self.assertEqual(set(self.told("Ledger shards", "shard").values()), {1})
        self.assertEqual(set(self.told("Reporters that publish", "job").values()), {1})
        verdicts = self.told("Verdict of each period", "period")
        self.assertEqual(set(verdicts), {"day", "week", "month", "quarter", "year"})
        self.assertLess(max(self.told("Age of the report", "job").values()), 60)

    def test_half_of_the_batches_take_no_longer_than_nearly_all(self):
        for title in ("A batch, until Redis had applied it", "Its script, from sending to answer"):
            half, most = ({s["metric"]["role"]: float(s["value"][1]) for s in self.prometheus.ask(
                "query", query=filled(query["expr"]))["result"]}
                for query in PANELS[title]["targets"])
            self.assertEqual(set(half), WORKERS)
            for role in WORKERS:
                self.assertLess(0, half[role])
                self.assertLessEqual(half[role], most[role])

    def test_what_would_be_empty_while_all_is_well_says_0(self):
        self.assertEqual(self.quiet, {title: [(labels, 0)] for title, labels in QUIET.items()})

    def test_every_metric_is_documented_and_only_counters_have_a_rate(self):
        types = documented()
        for title, query in queries():
            found = selectors(query["expr"])
            self.assertTrue(found, title)
            for rated, name, labels in found:
                with self.subTest(panel=title, metric=name):
                    self.assertIn('job=~"$job"', labels)
                    if name not in OF_PROMETHEUS:
                        self.assertIn(name, types)
                        self.assertTrue(not rated or types[name] == "counter")

    def test_jobs_can_be_chosen(self):
        self.assertEqual([v["name"] for v in VARIABLES], ["job"])
        name, label = re.fullmatch(r"label_values\((\w+), (\w+)\)",
                                   VARIABLES[0]["query"]["query"]).groups()
        self.assertEqual(self.prometheus.ask(f"label/{label}/values", **{"match[]": name}),
                         ["tandem"])

    def test_the_provisioned_source_is_the_one_of_every_query_and_compose_names_its_url(self):
        source = (FOLDER / "provisioning/datasources/tandem.yaml").read_text()
        mine = source[source.index("name: tandem metrics"):]
        self.assertIn("type: prometheus", mine)
        self.assertIn("url: $TANDEM_PROMETHEUS\n", mine)
        self.assertIn("TANDEM_PROMETHEUS: http://prometheus:9090\n",
                      (ROOT / "docker-compose.yml").read_text())
        for title, query in queries():
            self.assertIn(f"uid: {query['datasource']['uid']}\n", mine, title)

    def test_the_source_knows_how_often_prometheus_scrapes(self):
        source = (FOLDER / "provisioning/datasources/tandem.yaml").read_text()
        every = re.search(r"scrape_interval: (\w+)", RULES.with_name("prometheus.yml").read_text())
        self.assertIn(f"timeInterval: {every[1]} ", source)

    def test_every_alert_of_the_rules_would_be_shown(self):
        names = re.findall(r"- alert: (\w+)", RULES.read_text())
        pattern = re.search('alertname=~"(.*?)"', PANELS["Alerts"]["targets"][0]["expr"])[1]
        self.assertTrue(names)
        self.assertEqual([n for n in names if not re.fullmatch(pattern, n)], [])


if __name__ == "__main__":
    main()
