"""docs/containers.md, done: the image of the Dockerfile, and docker-compose.yml, in a real Docker.

The images are built from the tree and Debian's packages; those of Kafka and Redis are stand-ins
(stand-ins.yml), as none can be pulled here. Lines that begin with `| ` are what was measured."""

import json
import re
import subprocess
import sys
import time
import unittest

import box

ROOT = box.ROOT
PAGE = (ROOT / "docs/containers.md").read_text(encoding="utf-8")
COMMANDS = [line.strip() for line in re.findall(r"^    (docker .*)$", PAGE, re.M)]
UP, DOWN = COMMANDS[0], COMMANDS[-1]
STAND_INS = ("docker compose --progress plain -f docker-compose.yml -f tests/compose/stand-ins.yml "
             "build kafka redis topics")
LAYERS_LIMIT = 30_000_000
REDIS = "REDISCLI_AUTH=$(cat /run/secrets/redis-password) redis-cli"
WORKERS = ["sales-worker", "service-worker", "customers-worker", "reporter"]
ROLES = [*WORKERS, "dashboard"]


def told(what, began):
    seconds = time.monotonic() - began
    print(f"| {seconds:5.1f} s  {what}", flush=True)
    return seconds


def wait_until(condition, patience_s, what):
    end = time.monotonic() + patience_s
    while not (answer := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"not in {patience_s} s: {what}")
        time.sleep(0.2)
    return answer


class Compose(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if reason := box.why_not():
            raise unittest.SkipTest(f"NO CONTAINER WAS RUN: {reason}")
        subprocess.run(["scripts/stack.sh", "fetch"], cwd=ROOT, check=True, stdout=sys.stderr)
        began = time.monotonic()
        cls.box = box.Box()
        cls.addClassCleanup(cls.box.close)
        told("a Docker of its own", began)
        began = time.monotonic()
        cls.box.run(STAND_INS, timeout=400)
        told("tandem's image, and stand-ins of Kafka and Redis, built", began)
        cls.begin()

    @classmethod
    def begin(cls):
        """The first command of the page, until there is something to see."""
        began = time.monotonic()
        cls.box.run(UP.replace(" --build", " --no-build"), timeout=120)
        wait_until(lambda: int(cls.field("orders") or 0) > 0, 60, "a comparison in Redis")
        cls.first_s = told("from `up` to a comparison in Redis", began)

    @classmethod
    def field(cls, name):
        """Of the published comparison of today."""
        key = "'tandem:{main}:comparison:current:day:all'"
        return cls.box.run(["docker", "compose", "exec", "-T", "redis", "sh", "-c",
                            f"{REDIS} --raw hget {key} {name}"]).strip()

    def inspect(self, what):
        return json.loads(self.box.run(["docker", "inspect", what]))[0]

    def container(self, service):
        return self.inspect(self.box.run(["docker", "compose", "ps", "-aq", service]).strip())

    def health(self, service):
        return self.container(service)["State"]["Health"]["Status"]

    def test_a_fresh_machine_shows_the_comparison_within_a_minute(self):
        self.assertLess(self.first_s, 60)

    def test_layers_above_the_base_are_small(self):
        base = len(self.inspect("debian:trixie-slim")["RootFS"]["Layers"])
        self.box.run("mkdir -p /images/t; docker save tandem:latest | tar -x -C /images/t")
        manifest = json.loads(self.box.run("cat /images/t/manifest.json"))[0]
        sizes = [int(self.box.run(f"gzip -6 </images/t/{layer} | wc -c"))
                 for layer in manifest["Layers"]]
        own = sum(sizes[base:])
        print(f"| {own / 1e6:.1f} MB compressed in {len(sizes) - base} layers above the base "
              f"({sum(sizes[:base]) / 1e6:.1f} MB)", flush=True)
        self.assertLess(own, LAYERS_LIMIT)

    def test_the_image_says_what_it_is(self):
        config = self.inspect("tandem:latest")["Config"]
        version = self.box.run("docker run --rm tandem version 2>/dev/null").split()[1]
        self.assertEqual(config["Labels"]["org.opencontainers.image.version"], version)
        self.assertIn("org.opencontainers.image.revision", config["Labels"])
        self.assertEqual(config["User"], "65532:65532")
        self.assertEqual(config["Healthcheck"]["Test"], ["CMD", "/usr/bin/tandem", "health"])

    def test_it_needs_neither_a_shell_nor_to_write_nor_any_privilege(self):
        shells = ["sh", "dash", "bash", "env"]
        hide = " ".join(f"-v /dev/null:/usr/bin/{name}:ro" for name in shells)
        orders = self.box.run(
            f"docker run --rm --read-only --cap-drop ALL --network none {hide} tandem "
            "simulate --orders 3 --dry-run 2>/dev/null")
        self.assertIn('"specversion"', orders)

    def test_every_role_runs_read_only_and_without_privileges(self):
        for service in [*ROLES, "simulate"]:
            found = self.container(service)
            self.assertTrue(found["HostConfig"]["ReadonlyRootfs"], service)
            self.assertEqual(found["HostConfig"]["CapDrop"], ["ALL"], service)
            self.assertEqual(found["Config"]["User"], "65532:65532", service)
            self.assertTrue(found["State"]["Running"], service)
            self.assertEqual(found["RestartCount"], 0, service)

    def test_every_role_says_that_it_is_healthy(self):
        for service in ["kafka", "redis", *ROLES]:
            wait_until(lambda s=service: self.health(s) == "healthy", 60, f"{service} healthy")

    def test_the_password_of_redis_is_in_no_command_line_environment_or_log(self):
        password = self.box.run("docker compose exec -T redis cat /run/secrets/redis-password")
        self.assertEqual(len(password), 64)
        for service in ["redis", *ROLES]:
            self.assertNotIn(password, json.dumps(self.container(service)), service)
        self.assertNotIn(password, self.box.run("docker compose logs"))
        refused = self.box.run("docker compose exec -T redis redis-cli get x")
        self.assertIn("NOAUTH", refused)

    def test_every_command_of_the_page_ends_well(self):
        self.assertGreater(len(COMMANDS), 8)
        # The tree is read-only in there; the page writes a file beside it.
        place = ("cp -r docker-compose.yml examples /tmp/; cd /tmp; "
                 "export COMPOSE_PROJECT_NAME=page;")
        self.box.run("docker compose --profile simulate down -v")
        try:
            for command in COMMANDS:
                line = command.replace(" --build", " --no-build")
                if line.startswith("docker compose exec reporter tandem report"):
                    self.box.run(place + self.until_it_ends_well(line))
                elif not line.startswith("docker build"):
                    self.box.run(place + line)
        finally:
            self.box.run(place + DOWN)
            self.begin()

    @staticmethod
    def until_it_ends_well(line):
        return f"for i in $(seq 60); do ! {line} || exit 0; sleep 0.5; done; exit 1"

    def test_counters_outlive_a_restart_of_everything(self):
        self.box.run("docker compose stop simulate")
        began = time.monotonic()
        self.box.run("docker compose stop " + " ".join(WORKERS))
        self.assertLess(told("four roles stopped", began), 10)
        for service in WORKERS:
            self.assertEqual(self.container(service)["State"]["ExitCode"], 0, service)
        self.box.run("docker compose restart redis kafka; docker compose up -d --no-build")
        wait_until(lambda: self.box.run("docker compose exec -T reporter tandem audit",
                                        check=False)[0] == 0, 60, "counters equal the log")
        self.assertGreater(int(self.field("orders")), 0)
        self.box.run(UP.replace(" --build", " --no-build"))

    def test_stack_sh_takes_both_from_docker_where_nothing_else_is(self):
        stack = "export STACK=/tmp/stack; "
        said = self.box.run(stack + "STACK_REAL=1 scripts/stack.sh up", timeout=120)
        self.assertIn("Kafka: docker compose at", said)
        self.assertIn("Redis: docker compose at", said)
        tandem = ("set -a; . /tmp/stack.env; docker run --rm --network host "
                  "-e TANDEM_BROKERS -e TANDEM_REDIS tandem ")
        self.box.run(tandem + "topics")
        self.box.run(tandem + "sales-worker --exit-at-end")
        self.assertNotRegex(self.box.run(stack + "scripts/stack.sh status"), "[0-9a-f]{64}")
        self.box.run(stack + "scripts/stack.sh down")
        self.assertNotIn("tandem-", self.box.run("docker ps -a --format '{{.Names}}'"))

    def test_profiles_hold_what_they_say(self):
        def services(profile):
            return set(self.box.run(f"docker compose {profile} config --services").split())
        plain = services("")
        self.assertEqual(plain, {"kafka", "password", "redis", "topics", *ROLES})
        self.assertEqual(services("--profile simulate") - plain, {"simulate"})
        self.assertEqual(services("--profile observe") - plain, {"prometheus", "grafana"})
        # Its Prometheus finds every role at the name that it has here.
        scraped = (ROOT / "deploy/prometheus/prometheus.yml").read_text(encoding="utf-8")
        for service in WORKERS:
            self.assertIn(f"{service}:9464", scraped)


if __name__ == "__main__":
    unittest.main()
