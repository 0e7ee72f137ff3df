"""What a running tandem tells of itself: /metrics, /healthz and /readyz against the truth, by
promtool and by a real Prometheus with the rules of deploy/prometheus, in which alerts fire
because their causes are there (TandemWorkerFenced has its case in the unit tests of the rules)."""

import datetime
import json
import re
import subprocess
import urllib.error
import urllib.request

from counting import CountingCase
from harness import ROOT, event, free_port, main, order, structured, wait_for
from own_redis import OwnRedis

RULES = ROOT / "deploy/prometheus"
ROLES = ("sales-worker", "service-worker", "customers-worker", "reporter")
# What waits for minutes in earnest, waits for seconds here; the conditions stay as they are but for
# the two that are a span of time themselves.
SHORTER = ((r"for: \d+m", "for: 1s"), (r"(tandem_lag_seconds\)) > 30", r"\1 > 3"),
           (r"> 120\b", "> 3"))


def get(port, path="/metrics"):
    """(status, text)"""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def samples(text):
    """{name{labels}: number}"""
    rows = (line.rsplit(" ", 1) for line in text.splitlines() if line and line[0] != "#")
    return {name: float(value) for name, value in rows}


def families(text):
    """{name: (type, help)}"""
    helps = dict(re.findall(r"^# HELP (\S+) (.*)$", text, re.M))
    return {name: (kind, helps[name]) for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", text,
                                                                  re.M)}


FENCED = 8      # TandemWorkerFenced wants more than three


class MetricsCase(CountingCase):
    def setUp(self):
        super().setUp()
        self.world.make_topics(2)
        self.ports = {}

    def listen(self, role, *options, **more):
        port = self.ports[role] = free_port()
        return self.world.start(role, "--listen", f"127.0.0.1:{port}", *options, **more)

    def metrics(self, role):
        status, text = get(self.ports[role])
        self.assertEqual(status, 200)
        return text

    def ready(self, role):
        def asked():
            try:
                return get(self.ports[role], "/readyz")[0] == 200
            except OSError:
                return False
        wait_for(asked, 30, f"{role} to be ready")


class Worker(MetricsCase):
    def test_the_numbers_are_the_truth_and_promtool_finds_no_fault(self):
        self.listen("sales-worker")
        self.ready("sales-worker")
        bad = {"key": "c-1", "value": "{", "headers": structured(order(1))["headers"]}
        wrong = order(9)
        del wrong["data"]["net"]
        self.world.send_events([order(n, customer=f"c-{n}") for n in range(20)] + [order(3,
                               customer="c-3"), wrong])
        self.world.produce(self.world.sales, [bad, bad])
        self.wait_counted("sales")
        name = 'tandem_events_total{outcome="%s"}'
        place = f'tandem_position{{topic="{self.world.sales}",partition="%d"}}'
        wait_for(lambda: {p: samples(self.metrics("sales-worker"))[place % p] for p in range(2)} ==
                 self.positions("sales"), 10, "the positions to be told")
        text = self.metrics("sales-worker")
        told = samples(text)
        self.assertEqual(told[name % "counted"], 20)
        self.assertEqual(told[name % "duplicate"], 1)
        self.assertEqual(told['tandem_rejects_total{reason="bad_json"}'], 2)
        self.assertEqual(told['tandem_rejects_total{reason="missing_field"}'], 1)
        self.assertEqual(sum(v for k, v in told.items() if k.startswith("tandem_rejects")), 3)
        self.assertEqual(told["tandem_flush_seconds_count"], told["tandem_batches_total"])
        self.assertEqual(told["tandem_flush_cells_sum"], told["tandem_cells_total"])
        self.assertEqual(told[f'tandem_lag_records{{topic="{self.world.sales}",partition="0"}}'], 0)
        self.assertNotIn("c-1", text)
        checked = subprocess.run(["promtool", "check", "metrics"], input=text, text=True,
                                 capture_output=True, check=False)
        self.assertEqual((checked.returncode, checked.stdout + checked.stderr), (0, ""))

    def test_health_asks_the_address_that_the_setting_names(self):
        worker = self.listen("sales-worker")
        where = {"TANDEM_LISTEN": f"127.0.0.1:{self.ports['sales-worker']}"}
        self.ready("sales-worker")
        self.assertEqual(self.world.must("health", env=where), "ok\n")
        self.assertRegex(self.world.must("health", "--ready", env=where), "ready, 2 partitions")
        self.assertEqual(get(self.ports["sales-worker"], "/else")[0], 404)
        self.assertEqual(worker.stop(), 0)
        gone = self.world.run("health", "--url", f"http://{where['TANDEM_LISTEN']}/")
        self.assertEqual(gone.returncode, 1)
        self.assertIn("cannot ask", gone.stderr)
        self.assertEqual(self.world.run("health").returncode, 2)

    def test_it_is_alive_and_not_ready_while_it_waits_for_redis(self):
        own = OwnRedis(self)
        own.stop()
        worker = self.listen("sales-worker", "-r", own.url)
        wait_for(lambda: worker.said("event=listening"), 20, "the listener")
        port = self.ports["sales-worker"]
        self.assertEqual(get(port, "/healthz")[0], 200)
        status, why = get(port, "/readyz")
        self.assertEqual(status, 503)
        self.assertIn("waiting", why)

    def test_port_0_is_a_free_one_that_the_log_names(self):
        worker = self.world.start("sales-worker", "--listen", "[::1]:0", "--log-format", "json")
        wait_for(lambda: worker.said('"event":"listening"'), 20, "the listener")
        line = next(json.loads(line) for line in worker.err().splitlines() if "listening" in line)
        self.assertEqual(self.world.must("health", "--url", f"http://[::1]:{line['port']}")[:2],
                         "ok")


class Prometheus(MetricsCase):
    def start_prometheus(self):
        folder = self.world.folder
        rules = (RULES / "tandem.rules.yml").read_text()
        for pattern, shorter in SHORTER:
            rules, times = re.subn(pattern, shorter, rules)
            self.assertTrue(times, pattern)
        self.world.write("rules.yml", rules)
        targets = json.dumps([f"127.0.0.1:{port}" for port in self.ports.values()])
        self.world.write("prometheus.yml", f"""
global: {{scrape_interval: 500ms, scrape_timeout: 400ms, evaluation_interval: 500ms}}
rule_files: [rules.yml]
scrape_configs: [{{job_name: tandem, static_configs: [{{targets: {targets}}}]}}]
""")
        self.prometheus = free_port()
        with open(folder / "prometheus.log", "wb") as log:
            child = subprocess.Popen(
                ["prometheus", f"--config.file={folder}/prometheus.yml",
                 f"--storage.tsdb.path={folder}/tsdb",
                 f"--web.listen-address=127.0.0.1:{self.prometheus}"],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self.addCleanup(child.wait, 20)
        self.addCleanup(child.kill)

    def ask(self, path):
        try:
            return json.loads(get(self.prometheus, "/api/v1/" + path)[1])["data"]
        except (OSError, ValueError, KeyError):
            return {}

    def up(self):
        found = self.ask("query?query=up").get("result", [])
        return len(found) == len(ROLES) and all(row["value"][1] == "1" for row in found)

    def fires(self, name, seconds=25):
        wait_for(lambda: name in self.firing(), seconds, name)

    def firing(self):
        found = {alert["labels"]["alertname"] for alert in self.ask("alerts").get("alerts", [])
                 if alert["state"] == "firing"}
        self.seen |= found
        return found

    def targets(self):
        """A year that nobody reaches, and a floor that the ratings do not meet."""
        self.now = datetime.datetime.now(datetime.timezone.utc)
        return self.world.write("targets.json", json.dumps({
            "version": 1,
            "targets": [{"period": f"{self.now:%Y}", "measure": "orders", "amount": 1000000000}],
            "service": {"min_ratings": 1, "csat_floor": "80.00"}}))

    def rate_badly(self):
        time = f"{self.now:%Y-%m-%dT%H:%M:%SZ}"
        self.world.send_events([event("service.rated", f"r-{n}", {
            "customer": f"c-{n}", "rating": f"r-{n}", "scale": "csat", "score": 1}, time=time)
            for n in range(5)])

    def test_every_role_is_scraped_and_alerts_fire_for_their_causes(self):
        self.seen = set()
        own = OwnRedis(self)
        self.use_redis(own.url)
        for role in ROLES:
            self.listen(role, *(["--targets", self.targets()] if role == "reporter" else []))
        for role in ROLES:
            self.ready(role)
        self.start_prometheus()
        wait_for(self.up, 20, "a scrape of every role")
        self.the_page_tells_what_there_is()
        self.assertFalse(self.firing())
        bad = {"key": "c-1", "value": "{", "headers": structured(order(1))["headers"]}
        self.world.produce(self.world.sales, [bad] * 30)
        self.fires("TandemRejectsRise")
        self.rate_badly()
        self.fires("TandemVerdictCritical")
        self.move_positions()
        self.fires("TandemWorkerFenced")
        self.break_the_log()
        self.fires("TandemPositionGap")
        own.stop()
        for name in ("TandemShardDown", "TandemLagGrows", "TandemReportStale"):
            self.fires(name)
        for role in ROLES:
            self.assertEqual(get(self.ports[role], "/healthz")[0], 200, role)
            self.assertEqual(get(self.ports[role], "/readyz")[0], 503, role)

    def move_positions(self):
        """Somebody writes to the service-worker's positions, again and again: each time to the same
        offset in another epoch of the leader, so that nothing is counted twice or left out."""
        key, offset = self.key("position:service"), r"service:[0-9]+"
        for number in range(FENCED):
            for field, place in self.redis.hash(key).items():
                if re.fullmatch(offset, field):
                    self.redis.call("HSET", key, field, place.partition(":")[0] + ":-1")
            before = sum(int(place.partition(":")[0]) for field, place in
                         self.redis.hash(key).items() if re.fullmatch(offset, field))
            self.world.send_events([event("service.opened", f"t-{number}", {
                "customer": f"c-{number}", "ticket": f"t-{number}", "topic": "other"},
                time=f"{self.now:%Y-%m-%dT%H:%M:%SZ}")])
            wait_for(lambda b=before: sum(
                int(place.partition(":")[0]) for field, place in self.redis.hash(key).items()
                if re.fullmatch(offset, field)) > b, 20, "the position to pass the event")

    def break_the_log(self):
        """The store stands where the log has not come."""
        key = self.key("position:sales")
        field = next(f for f in self.redis.hash(key) if re.fullmatch("sales:[0-9]+", f))
        epoch = self.redis.hash(key)[field].partition(":")[2]
        self.redis.call("HSET", key, field, f"1000000:{epoch}")

    def the_page_tells_what_there_is(self):
        """docs/metrics.md has a row of each family, and no other."""
        page = (ROOT / "docs/metrics.md").read_text()
        rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.*?) \| (.*) \|$", page, re.M)
        documented = {name: (kind, words) for name, kind, _, words in rows}
        told = {}
        for role in ROLES:
            told |= families(self.metrics(role))
        self.assertEqual(documented, told)


class Rules(CountingCase):
    def test_the_rules_pass_their_cases(self):
        for words in (["check", "config", "prometheus.yml"], ["test", "rules", "tandem.test.yml"]):
            done = subprocess.run(["promtool", *words], cwd=RULES, text=True, capture_output=True,
                                  check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


main()
