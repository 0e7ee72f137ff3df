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
ROOT_PASSWORD = "of-the-test"       # of the user root, who may all in Redis
ROLES = ("producer", "sales-worker", "service-worker", "customers-worker", "reporter", "reader",
         "operator")


class Place:
    """The folder of the set-up: certificates, passwords, settings of every role."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.scram, self.mtls, self.controller, self.tls = (servers.free_port() for _ in range(4))
        self.plain_kafka = servers.free_port()
        self.children = []
        self._tools()
        (self.folder / "deploy").symlink_to(ROOT / "deploy")

    def _tools(self):
        """Kafka's scripts; the two servers become children of this test, so that they end with it."""
        bin_ = self.folder / "bin"
        bin_.mkdir()
        # Two dozen times the same classes: what the first call loads, the others find ready.
        java = " ".join([*servers.JAVA, "-Xmx128m", "-Xlog:disable", "-Xlog:all=off"])
        archive = f"{self.folder}/classes.jsa"
        for name, main in TOOLS.items():
            make = f"-XX:ArchiveClassesAtExit={archive}" if "configs" in name else ""
            self._script(bin_ / name, f"words={make}; [ ! -e {archive} ] || "
                         f"words=-XX:SharedArchiveFile={archive}\n"
                         f"exec {java} $words -cp '{servers.LIBS}/*' {main} \"$@\"")
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

    def with_plain(self, properties):
        """One listener more, without TLS."""
        place = f",PLAIN://127.0.0.1:{self.plain_kafka}"
        properties = re.sub(r"^((advertised\.)?listeners=.*)$", lambda m: m[1] + place, properties,
                            flags=re.MULTILINE)
        return properties.replace("CONTROLLER:SSL", "CONTROLLER:SSL,PLAIN:PLAINTEXT")

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
            + self.with_plain(self.of_page("properties")[0]))
        # Ports without TLS, for whoever knocks at them with TLS.
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
            status = page.wait(240)
        finally:
            if page.poll() is None:
                page.kill()
                page.wait()
        if status:
            raise AssertionError(f"{PAGE.name}: status {status}\n{self.said('page.log')}\n"
                                 f"{self.redis_cli('root', 'ACL', 'LOG', 3)}")

    def _when(self, name, page, words, ready):
        """Starts a server when the page has come to it."""
        flag = self.folder / f"start-{name}"
        wait_for(lambda: flag.exists() or page.poll() is not None, 240, f"the page to start {name}")
        if page.poll() is not None:
            raise AssertionError(f"{PAGE.name} ended:\n{self.said('page.log')}")
        if name == "redis":
            with open(self.folder / "users.acl", "a", encoding="ascii") as users:
                users.write(f"user root on >{ROOT_PASSWORD} ~* &* +@all\n")
        server = servers.Server(name, self.folder, words)
        self.children.append(server)
        server.launch()
        wait_for(lambda: ready in server.log.read_text(errors="replace") or not server.runs(), 120,
                 f"{name} to start")
        if not server.runs():
            raise AssertionError(f"{name} does not start:\n{server.said()}")
        (self.folder / f"{name}-started").touch()

    def said(self, name):
        return (self.folder / name).read_text(errors="replace")[-4000:]

    def run(self, command, role, *words, timeout=60, **env):
        """tandem COMMAND with the settings of a role's; stdout and stderr as text."""
        conf = role if role.endswith(".conf") else f"tandem-{role}.conf"
        return subprocess.run([str(BIN), command, "-F", conf, *map(str, words)], cwd=self.folder,
                              env=self.environment(**env), capture_output=True, text=True,
                              timeout=timeout, stdin=subprocess.DEVNULL, check=False)

    def certificate(self, name, subject, days=365, authority="ca", alternative="DNS:x"):
        """One more certificate in tls/, by the named authority; -1 days: it has expired."""
        def openssl(*words):
            subprocess.run(["openssl", *words], cwd=self.folder / "tls", check=True,
                           capture_output=True)
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                f"/CN={subject}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        (self.folder / f"tls/{name}.ext").write_text(f"subjectAltName={alternative}\n")
        signing = ["x509", "-req", "-in", f"{name}.csr", "-CA", f"{authority}.pem", "-CAkey",
                   f"{authority}.key", "-CAcreateserial", "-extfile", f"{name}.ext", "-out",
                   f"{name}.pem"]
        try:
            openssl(*signing, "-days", str(days))
        except subprocess.CalledProcessError:       # OpenSSL 3.4 and later want it said so
            openssl(*signing, "-not_before", "20200101000000Z", "-not_after", "20200102000000Z")

    def authority(self, name):
        """Another authority, which nobody trusts."""
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-days", "9", "-subj", f"/CN={name}",
                        "-keyout", f"tls/{name}.key", "-out", f"tls/{name}.pem"],
                       cwd=self.folder, check=True, capture_output=True)

    def redis_behind(self, certificate):
        """One more Redis, which shows this certificate; its port."""
        port = servers.free_port()
        server = servers.Server(f"redis-{certificate}", self.folder, [
            "/usr/bin/redis-server", "--port", 0, "--tls-port", port, "--bind", "127.0.0.1",
            "--tls-cert-file", f"tls/{certificate}.pem", "--tls-key-file", f"tls/{certificate}.key",
            "--tls-ca-cert-file", "tls/ca.pem", "--tls-auth-clients", "yes", "--save", ""])
        self.children.append(server)
        server.launch()
        wait_for(lambda: server.log.exists() and b"Ready to accept" in server.log.read_bytes(), 20,
                 "one more Redis")
        return port

    def secret(self, name):
        return (self.folder / f"secrets/tandem-{name}").read_text().strip()

    def redis_cli(self, user, *words, timeout=20):
        """What redis-cli says; `user`: a role, or root."""
        password = ROOT_PASSWORD if user == "root" else \
            self.secret(f"{user}.redis")
        name = user if user == "root" else f"tandem-{user}"
        done = subprocess.run(["redis-cli", "-h", "127.0.0.1", "-p", str(self.tls), "--tls",
                               "--cacert", "tls/ca.pem", "--user", name, *map(str, words)],
                              cwd=self.folder, env={**os.environ, "REDISCLI_AUTH": password},
                              capture_output=True, text=True, timeout=timeout, check=False)
        return done.stdout + done.stderr

    def close(self):
        for child in reversed(self.children):
            child.close()
