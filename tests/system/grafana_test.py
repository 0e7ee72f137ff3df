"""deploy/grafana: every query of the comparison is run on a real Redis, as the plugin runs it.

What redis-datasource does with a query was read from its source (redis-hash.go, redis-stream.go,
redis-set.go): HGETALL and HMGET make one row with a column a field, XRANGE and XREVRANGE a row an
entry with $streamId and $time before the fields; a value that parses as a float becomes a number."""

import importlib
import itertools
import json
import re
import shlex
import sys
import time
import unittest

from hand import Hand, today
from harness import ROOT, World, main

FOLDER = ROOT / "deploy/grafana"
DASHBOARD = json.loads((FOLDER / "dashboards/sale-and-service.json").read_text())
WORDS = {"verdict", "severity", "reasons", "sale_state", "service_state", "scope", "business",
         "period_kind", "period", "subject", "store", "judged", "from", "to", "id", "$streamId"}
FLOAT = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?|NaN")


def value_of(text):
    """Go's strconv.ParseFloat, as far as what is published goes."""
    return float(text) if FLOAT.fullmatch(text or "") else text or ""


class Plugin:
    def __init__(self, redis):
        self.redis = redis
        now = int(time.time() * 1000)
        self.range = (now - 6 * 3600 * 1000, now + 60000)

    def run(self, query):
        """{column: [values]}."""
        command, key = query["command"], query["keyName"]
        if command == "hgetall":
            return {k: [value_of(v)] for k, v in self.redis.hash(key).items()}
        if command == "hmget":
            names = shlex.split(query["field"])
            values = self.redis.call("HMGET", key, *names)
            return {name: [value_of(v)] for name, v in zip(names, values)}
        if command in ("xrange", "xrevrange"):
            return self.entries(command, key, query.get("count", 0))
        raise AssertionError(f"the plugin knows no {command}")

    def entries(self, command, key, count):
        ends = [f"{end}-0" for end in self.range]
        more = ["COUNT", count] if count else []
        found = self.redis.call(command, key, *(ends if command == "xrange" else ends[::-1]), *more)
        table = {"$streamId": [], "$time": []}
        for id, flat in found:
            table["$streamId"].append(id)
            table["$time"].append(float(id.split("-")[0]))
            for name, value in zip(flat[::2], flat[1::2]):
                table.setdefault(name, []).append(value_of(value))
        return table

    def variable(self, query):
        command, key = shlex.split(query)
        return sorted(self.redis.call(command, key))


class Grafana(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.addClassCleanup(cls.world.close)
        cls.world.make_topics()
        hand = Hand(cls.world)
        targets = cls.world.write("targets.json", json.dumps({"version": 1, "targets": [
            {"period": f"{today():%Y-%m}", "currency": "EUR", "amount": 100000}]}))
        for scope in ("all", "region=west", "region=east"):
            hand.sell(today(), scope, net=50000, cost=20000)
            hand.rate(today(), scope)
        cls.world.must("reporter", "--once", "--targets", targets)
        for scope in ("all", "region=west", "region=east"):
            hand.count(today(), scope, sale={"referred": 2, "assisted_net:EUR": 100}, service={
                "opened": 4, "opened_after": 2, "resolved": 2, "nps_n": 1, "nps_9": 1, "ces_n": 1,
                "ces_6": 1, "ces_sum": 6, "contacts_known": 2, "first_contact": 1,
                "settled_in_warranty": 1, "response_n": 1, "response_b7": 1, "resolution_n": 1,
                "resolution_b40": 1, "csat_n": 60, "csat_1": 60, "csat_sum": 60}, customer={
                "customers_new": 1, "orders_identified": 4, "orders_returning": 2,
                "orders_after_service": 1, "satisfied": 2, "satisfied_returned": 1,
                "dissatisfied": 2, "dissatisfied_returned": 1})
        cls.world.must("reporter", "--once", "--targets", targets)
        cls.plugin = Plugin(cls.world.redis)

    def settings(self, **more):
        """What the variables stand for to begin with."""
        chosen = {}
        for variable in DASHBOARD["templating"]["list"]:
            current = variable.get("current", {}).get("value")
            chosen[variable["name"]] = current
        chosen.update(business=self.world.business, currency="EUR", value="west", **more)
        return chosen

    def filled(self, text, chosen):
        return re.sub(r"\$\{(\w+)\}", lambda m: chosen[m[1]], text)

    def panels(self):
        return [p for p in DASHBOARD["panels"] if p["type"] != "row"]

    def test_every_query_returns_columns_of_the_expected_type(self):
        ran = 0
        for panel, query in itertools.chain.from_iterable(
                [(p, q) for q in p["targets"]] for p in self.panels()):
            chosen = self.settings()
            made = {k: self.filled(v, chosen) if isinstance(v, str) else v
                    for k, v in query.items()}
            table = self.plugin.run(made)
            with self.subTest(panel=panel["title"], key=made["keyName"]):
                self.assertTrue(table)
                for name, values in table.items():
                    self.assertTrue(values, name)
                    wanted = str if name in WORDS else float
                    self.assertEqual({type(v) for v in values}, {wanted}, (name, values[:3]))
                if query["command"] == "hmget":
                    numbers = [v[0] for v in table.values() if isinstance(v[0], float)]
                    self.assertTrue(all(n == n for n in numbers), table)
            ran += 1
        self.assertGreater(ran, 15)

    def test_every_period_can_be_chosen(self):
        kinds = next(v for v in DASHBOARD["templating"]["list"] if v["name"] == "kind")
        for kind in kinds["query"].split(","):
            for panel in self.panels():
                key = self.filled(panel["targets"][0]["keyName"], self.settings() | {"kind": kind})
                self.assertEqual(self.world.redis.call("EXISTS", key), 1, key)

    def test_variables_are_filled_from_sets(self):
        found = {v["name"]: self.plugin.variable(self.filled(v["query"], self.settings()))
                 for v in DASHBOARD["templating"]["list"] if v["type"] == "query"}
        self.assertEqual(found, {"currency": ["EUR"], "value": ["east", "west"]})

    def test_lines_of_time_pick_fields_that_are_in_the_history(self):
        entries = self.plugin.entries("xrange", self.world.key("history:all"), 0)
        drawn = [p for p in self.panels() if p["type"] == "timeseries"]
        self.assertEqual(len(drawn), 3)
        for panel in drawn:
            pattern = panel["transformations"][0]["options"]["include"]["pattern"]
            kept = [name for name in entries
                    if re.search(self.filled(pattern, self.settings()), name)]
            self.assertIn("$time", kept)
            self.assertGreater(len(kept), 1, pattern)

    def test_the_dashboards_are_what_make_py_writes(self):
        sys.path.insert(0, str(FOLDER))
        self.addCleanup(sys.path.remove, str(FOLDER))
        made = importlib.import_module("make").texts()
        there = {path.name: path.read_text() for path in (FOLDER / "dashboards").iterdir()}
        self.assertEqual(there, made)

    def test_the_provisioned_source_is_the_one_of_every_panel(self):
        source = (FOLDER / "provisioning/datasources/tandem.yaml").read_text()
        self.assertIn("type: redis-datasource", source)
        for panel in self.panels():
            for query in panel["targets"]:
                self.assertIn(f"uid: {query['datasource']['uid']}", source)


if __name__ == "__main__":
    main()
