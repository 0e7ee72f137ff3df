"""tandem with a Kafka and a Redis that let in only whom they know: docs/security.md, command by
command; every role with what deploy/ gives it and no more; and what a wrong credential is told."""

import json
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from secured import ROLES, Place, servers

BOUND_S = 10                # a wrong credential is told within; most in a second
SECRET = "c-nobody-may-know"


def order(number):
    return json.dumps({
        "specversion": "1.0", "id": f"order:{number}", "source": "/test",
        "type": "tandem.sale.completed.v1", "time": "2026-11-23T12:00:00Z", "subject": str(number),
        "partitionkey": SECRET, "datacontenttype": "application/json",
        "data": {"customer": SECRET, "order": str(number), "currency": "EUR", "net": 1000}}) + "\n"


def setUpModule():
    """One Kafka and one Redis for all tests, set up by the page."""
    servers.fetch_kafka()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tandem-security-"))
    unittest.addModuleCleanup(shutil.rmtree, folder, True)
    Secured.place = Place(folder)
    unittest.addModuleCleanup(Secured.place.close)
    began = time.monotonic()
    Secured.place.set_up()
    print(f"| docs/security.md, from its first to its last command: "
          f"{time.monotonic() - began:.1f} s", flush=True)


class Secured(unittest.TestCase):
    place = None

    def must(self, command, role, *words, **more):
        done = self.place.run(command, role, *words, **more)
        self.assertEqual(done.returncode, 0, f"tandem {command} as {role}:\n{done.stderr}")
        return done


# What a role does in its life.
LIVES = {
    "sales-worker": [("sales-worker", "--exit-at-end")],
    "service-worker": [("service-worker", "--exit-at-end")],
    "customers-worker": [("customers-worker", "--exit-at-end")],
    "reporter": [("reporter", "--once")],
    "reader": [("report",)],
    "operator": [("audit",), ("rebuild",), ("customer", SECRET), ("forget", SECRET, "--yes"),
                 ("report", "--cohorts"), ("trim", "--before", "2025-01-01"),
                 ("rejected", "list")],
}


class RightOnes(Secured):
    def test_a_role_lives_with_what_deploy_gives_it(self):
        (self.place.folder / "events.ndjson").write_text(order(1) + order(2))
        self.must("emit", "producer", "events.ndjson")
        for role, life in LIVES.items():
            for command, *words in life:
                with self.subTest(role=role, command=command):
                    self.must(command, role, *words)

    def test_a_dashboard_hears_what_is_published_and_reads_the_topic(self):
        said = self.place.redis_cli("reader", "HGET", "tandem:{main}:comparison:current:day:all",
                                    "verdict")
        self.assertNotIn("NOPERM", said)
        self.assertIn("subscribe", self._subscribed("tandem:{main}:published"))
        self.assertIn("NOPERM", self._subscribed("tandem:{other}:published"))
        # No command follows the comparison; this one reads any topic to its end.
        heard = self.place.run("rejected", "reader", "list", "--topics-rejected",
                               "tandem.comparison", "--topics-comparison", "tandem.none")
        self.assertEqual(heard.returncode, 0, heard.stderr)
        heard = self.place.run("rejected", "reader", "list")
        self.assertEqual(heard.returncode, 1)
        self.assertIn("topic tandem.rejected: Broker: Topic authorization failed", heard.stderr)

    def _subscribed(self, channel):
        try:
            return self.place.redis_cli("reader", "SUBSCRIBE", channel, timeout=1)
        except subprocess.TimeoutExpired as error:
            return (error.stdout or b"").decode()

    def test_a_client_may_show_its_certificate_to_redis(self):
        self.place.certificate("reader", "tandem-reader")
        self.place.certificate("own", "redis", alternative="IP:127.0.0.1")
        port = self.place.redis_behind("own")
        url = f"rediss://127.0.0.1:{port}"
        shown = ("--redis-cert-file", "tls/reader.pem", "--redis-key-file", "tls/reader.key")
        wrong = ("-X", "redis.password.file=")
        done = self.place.run("report", "reader", "-r", url, *wrong, *shown)
        self.assertIn("nothing", done.stderr + done.stdout)
        done = self.place.run("report", "reader", "-r", url, *wrong, TANDEM_CONNECT_TIMEOUT="500")
        self.assertEqual(done.returncode, 1)

    def test_no_log_line_and_no_command_line_holds_a_secret(self):
        secrets = [path.read_text().strip() for path in (self.place.folder / "secrets").glob("*.*")]
        self.assertEqual(len(secrets), 2 * len(ROLES))
        done = self.must("sales-worker", "sales-worker", "--exit-at-end", "--log-level", "debug",
                         "-X", "kafka.debug=security,broker,conf,cgrp")
        said = done.stdout + done.stderr + self.must("settings", "sales-worker").stdout
        self.assertFalse([secret for secret in secrets if secret in said])
        for words in (("-X", f"kafka.sasl.password={secrets[0]}"),
                      ("-r", f"rediss://a:{secrets[0]}@127.0.0.1:1")):
            done = self.place.run("report", "reader", *words)
            self.assertEqual(done.returncode, 2)
            self.assertIn("does not belong on the command line", done.stderr)
            self.assertNotIn(secrets[0], done.stderr)


class WrongOnes(Secured):
    """Each is told in words that name what to mend, and ends with 1, soon."""

    def refused(self, *words, command="sales-worker", role=None, options=(), status=1, **env):
        role = role or command
        began = time.monotonic()
        more = ("--exit-at-end",) if command.endswith("-worker") else ()
        done = self.place.run(command, role, *more, *options,
                              **{"TANDEM_CONNECT_TIMEOUT": "1500", **env})
        took = time.monotonic() - began
        last = (done.stderr.strip().splitlines() or [""])[-1]
        print(f"| {took:4.1f} s  {last[:150]}", flush=True)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertLess(took, BOUND_S)
        for word in words:
            self.assertIn(word, last, done.stderr)

    # --- Kafka

    def test_a_wrong_password_of_kafka(self):
        self.refused("SASL authentication error", "kafka.sasl.password.file",
                     options=("-X", "kafka.sasl.password.file=secrets/tandem-reader.kafka"))

    def test_a_user_that_kafka_does_not_know(self):
        self.refused("SASL authentication error", "kafka.sasl.username",
                     options=("-X", "kafka.sasl.username=nobody"))

    def test_a_broker_of_another_authority(self):
        self.place.authority("foreign")
        self.refused("certificate verify failed", "kafka.ssl.ca.location",
                     options=("-X", "kafka.ssl.ca.location=tls/foreign.pem"))

    def test_a_broker_whose_name_is_not_in_its_certificate(self):
        self.refused("certificate verify failed", "kafka.ssl.ca.location",
                     options=("-b", f"localhost:{self.place.scram}"))

    def test_tls_to_a_broker_port_without(self):
        self.refused("speaks no TLS", "kafka.security.protocol",
                     options=("-b", f"127.0.0.1:{self.place.plain_kafka}"))

    def test_no_tls_to_a_broker_port_with_it(self):
        self.refused("kafka.security.protocol",
                     options=("-X", "kafka.security.protocol=plaintext"))

    def test_an_expired_certificate_shown_to_a_broker(self):
        self.place.certificate("expired", "tandem-sales-worker", days=-1)
        self.refused("certificate", "kafka.ssl.certificate.location", role="mtls.conf",
                     options=("-X", "kafka.ssl.certificate.location=tls/expired.pem", "-X",
                              "kafka.ssl.key.location=tls/expired.key"))

    def test_a_certificate_of_another_authority_shown_to_a_broker(self):
        self.place.authority("stranger")
        self.place.certificate("strange", "tandem-sales-worker", authority="stranger")
        self.refused("certificate", "kafka.ssl.certificate.location", role="mtls.conf",
                     options=("-X", "kafka.ssl.certificate.location=tls/strange.pem", "-X",
                              "kafka.ssl.key.location=tls/strange.key"))

    def test_no_certificate_shown_to_a_broker_that_asks_for_one(self):
        self.refused("certificate", options=("-b", f"127.0.0.1:{self.place.mtls}", "-X",
                                             "kafka.security.protocol=ssl"))

    def test_a_topic_that_the_acls_do_not_name(self):
        self.refused("topic tandem.else: ", "Topic authorization failed", "deploy/kafka/acls.txt",
                     options=("--topics-sales", "tandem.else"))

    def test_a_topic_of_rejected_records_that_the_acls_do_not_name(self):
        self.refused("topic tandem.other: ", "deploy/kafka/acls.txt",
                     options=("--topics-rejected", "tandem.other"))

    def test_a_group_that_the_acls_do_not_name(self):
        self.refused("group other.sales: ", "Group authorization failed", "deploy/kafka/acls.txt",
                     options=("--group", "other"))

    def test_a_producer_that_may_only_read(self):
        self.refused("Topic authorization failed", command="simulate", role="reporter",
                     options=("--events", "1"))

    def test_topics_by_somebody_who_may_make_none(self):
        self.refused("tandem.sales", "authorization failed", command="topics", role="reporter")

    # --- Redis

    def test_a_wrong_password_of_redis(self):
        self.refused("WRONGPASS", "redis.password.file",
                     options=("--redis-password-file", "secrets/tandem-reader.kafka"))

    def test_a_user_that_redis_does_not_know(self):
        self.refused("WRONGPASS", "the setting redis",
                     options=("-r", f"rediss://nobody@127.0.0.1:{self.place.tls}"))

    def test_nobody_at_all(self):
        self.refused("NOAUTH", "redis.password.file", command="report", role="reader",
                     options=("-r", f"rediss://127.0.0.1:{self.place.tls}", "-X",
                              "redis.password.file="))

    def test_a_redis_of_another_authority(self):
        self.place.authority("elsewhere")
        self.refused("certificate", "redis.ca.file",
                     options=("--redis-ca-file", "tls/elsewhere.pem"))

    def test_a_redis_whose_certificate_has_expired(self):
        self.place.certificate("old", "redis", days=-1, alternative="IP:127.0.0.1")
        port = self.place.redis_behind("old")
        self.refused("certificate has expired",
                     options=("-r", f"rediss://tandem-sales-worker@127.0.0.1:{port}"))

    def test_a_redis_whose_name_is_not_in_its_certificate(self):
        self.refused("certificate", "mismatch",
                     options=("-r", f"rediss://tandem-sales-worker@localhost:{self.place.tls}"))

    def test_tls_to_a_redis_without(self):
        self.refused("speaks no TLS", "redis://",
                     options=("--redis-timeout", "1000", "-r", f"rediss://tandem-sales-worker@127.0.0.1:{self.place.plain}"))

    def test_no_tls_to_a_redis_with_it(self):
        self.refused("rediss://",
                     options=("-r", f"redis://tandem-sales-worker@127.0.0.1:{self.place.tls}"))

    def test_keys_that_the_acl_file_does_not_name(self):
        self.refused("NOPERM", "deploy/redis/users.acl",
                     options=("--business", "other", "--group", "main"))

    def test_a_command_that_the_acl_file_does_not_name(self):
        for missing in ("-expireat", "-evalsha"):
            with self.subTest(missing):
                self.place.redis_cli("root", "ACL", "SETUSER", "tandem-sales-worker", missing)
                try:
                    (self.place.folder / "one.ndjson").write_text(order(f"m{missing}"))
                    self.assertEqual(self.place.run("emit", "producer", "one.ndjson").returncode, 0)
                    self.refused("deploy/redis/users.acl")
                finally:
                    self.place.redis_cli("root", "ACL", "SETUSER", "tandem-sales-worker",
                                         "+" + missing[1:])

    def test_a_channel_that_the_acl_file_does_not_name(self):
        (self.place.folder / "two.ndjson").write_text(order("channel"))
        self.assertEqual(self.place.run("emit", "producer", "two.ndjson").returncode, 0)
        self.assertEqual(self.place.run("sales-worker", "sales-worker",
                                        "--exit-at-end").returncode, 0)
        self.place.redis_cli("root", "ACL", "SETUSER", "tandem-reporter", "resetchannels")
        try:
            self.refused("deploy/redis/users.acl", command="reporter", options=("--once",))
        finally:
            self.place.redis_cli("root", "ACL", "SETUSER", "tandem-reporter",
                                 "&tandem:{main}:published")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    unittest.main(verbosity=2)
