"""A Kafka and a Redis that let in only whom they know, set up by the very commands of
docs/security.md. Names and ports of the page are exchanged for those of this test, and Kafka's
scripts stand on the PATH as what they are: calls of Java."""

import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/system"), str(ROOT / "tests/faults")]

from harness import BIN, wait_for       # noqa: E402
import servers                          # noqa: E402

PAGE = ROOT / "docs/security.md"
TOOLS = {"kafka-storage.sh": "kafka.tools.StorageTool",
         "kafka-configs.sh": "kafka.admin.ConfigCommand",
         "kafka-acls.sh": "org.apache.kafka.tools.AclCommand"}
ROLES = ("producer", "sales-worker", "service-worker", "customers-worker", "reporter", "reader",
         "operator")


class Place:
    """The folder of the set-up: certificates, passwords, settings of every role."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.scram, self.mtls, self.controller, self.tls = (servers.free_port() for _ in range(4))
        self.plain = servers.free_port()
        self.children = []
        self._tools()
        (self.folder / "deploy").symlink_to(ROOT / "deploy")

    def _tools(self):
        """Kafka's scripts; the two servers become children of this test, so that they end with it."""
        bin_ = self.folder / "bin"
        bin_.mkdir()
        java = " ".join([*servers.JAVA, "-Xmx128m", f"-Dlog4j2.configurationFile={servers.LOGGING}",
                         "-cp", f"'{servers.LIBS}/*'"])
        for name, main in TOOLS.items():
            self._script(bin_ / name, f"exec {java} {main} \"$@\"")
        self._script(bin_ / "kafka-server-start.sh", "touch start-kafka; "
                     "while ! [ -e kafka-started ]; do sleep 0.1; done")
        self._script(bin_ / "redis-server", "touch start-redis; "
                     "while ! [ -e redis-started ]; do sleep 0.1; done")
        (bin_ / "tandem").symlink_to(BIN)

    @staticmethod
    def _script(path, line):
        path.write_text(f"#!/bin/sh\n{line}\n")
        path.chmod(0o755)

    def of_page(self, kind):
        """The blocks of one kind, with the places of this test."""
        text = PAGE.read_text()
        for named, here in (("kafka.internal:9093", f"127.0.0.1:{self.scram}"),
                            ("kafka.internal:9094", f"127.0.0.1:{self.mtls}"),
                            ("kafka.internal:9095", f"127.0.0.1:{self.controller}"),
                            ("redis.internal:6380", f"127.0.0.1:{self.tls}"),
                            ("tls-port 6380", f"tls-port {self.tls}"),
                            ("DNS:kafka.internal", "IP:127.0.0.1"),
                            ("DNS:redis.internal", "IP:127.0.0.1")):
            assert named in text, f"{PAGE}: no {named}"
            text = text.replace(named, here)
        return re.findall(rf"^```{kind}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)

    def environment(self, **more):
        kept = {k: v for k, v in os.environ.items() if not k.startswith("TANDEM_")}
        return {**kept, "PATH": f"{self.folder}/bin:{os.environ['PATH']}",
                "TANDEM_CONNECT_TIMEOUT": "20000", **more}

    def set_up(self):
        """Runs every command of the page, in order. What they said is in page.log."""
        (self.folder / "server.properties").write_text(
            re.sub(r"^(inter\.broker|controller)\.listener.*\n", "", servers.BROKER.read_text(),
                   flags=re.MULTILINE)
            + f"controller.quorum.voters=1@127.0.0.1:{self.controller}\nlog.dirs=kafka\n"
            + self.of_page("properties")[0])
        # A port without TLS, for whoever knocks at it with TLS.
        self.children.append(servers.Redis(self.folder / "plain"))
        self.plain = self.children[0].port
        with open(self.folder / "page.log", "wb") as log:
            page = subprocess.Popen(["sh", "-euxc", "\n".join(self.of_page("sh"))],
                                    cwd=self.folder, env=self.environment(), stdout=log,
                                    stderr=log, stdin=subprocess.DEVNULL)
        try:
            self._when("kafka", page, [
                *servers.JAVA, "-Xms256m", "-Xmx768m", f"-Dlog4j2.configurationFile={servers.LOGGING}",
                "-cp", f"{servers.LIBS}/*", "kafka.Kafka", "server.properties"],
                       "Kafka Server started")
            self._when("redis", page, ["/usr/bin/redis-server", "redis.conf"], "Ready to accept")
            status = page.wait(120)
        finally:
            if page.poll() is None:
                page.kill()
                page.wait()
        if status:
            raise AssertionError(f"{PAGE.name}: status {status}\n{self.said('page.log')}")

    def _when(self, name, page, words, ready):
        """Starts a server when the page has come to it."""
        flag = self.folder / f"start-{name}"
        wait_for(lambda: flag.exists() or page.poll() is not None, 60, f"the page to start {name}")
        if page.poll() is not None:
            raise AssertionError(f"{PAGE.name} ended:\n{self.said('page.log')}")
        server = servers.Server(name, self.folder, words)
        self.children.append(server)
        server.launch()
        wait_for(lambda: ready in server.log.read_text(errors="replace") or not server.runs(), 60,
                 f"{name} to start")
        if not server.runs():
            raise AssertionError(f"{name} does not start:\n{server.said()}")
        (self.folder / f"{name}-started").touch()

    def said(self, name):
        return (self.folder / name).read_text(errors="replace")[-4000:]

    def run(self, command, role, *words, timeout=30, **env):
        """tandem COMMAND with the settings of a role's; stdout and stderr as text."""
        conf = role if role.endswith(".conf") else f"tandem-{role}.conf"
        return subprocess.run([str(BIN), command, "-F", conf, *map(str, words)], cwd=self.folder,
                              env=self.environment(**env), capture_output=True, text=True,
                              timeout=timeout, stdin=subprocess.DEVNULL, check=False)

    def close(self):
        for child in reversed(self.children):
            child.close()
