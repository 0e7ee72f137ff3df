"""docs/operations.md: every command of it is run, in its order, beside workers that count."""

import contextlib
import os
import re
import signal
import subprocess

from counting import KINDS, CountingCase
from harness import BIN, ROOT, Redis, free_port, main, order, ticket, wait_for

PAGE = (ROOT / "docs/operations.md").read_text()
CONF = """port {port}
bind 127.0.0.1
dir {folder}/redis
daemonize yes
pidfile {folder}/redis.pid
logfile {folder}/redis.log
save ""
appendonly yes
aof-load-truncated no
maxmemory-policy noeviction
"""


def blocks():
    """{heading: [the shell commands below it, block by block]}."""
    found = {}
    for part in re.split(r"^## ", PAGE, flags=re.M)[1:]:
        heading = part.splitlines()[0]
        found[heading] = re.findall(r"^```sh\n(.*?)^```", part, re.M | re.S)
    return found


class Operations(CountingCase):
    def setUp(self):
        super().setUp()
        self.folder = self.world.folder
        self.port = free_port()
        (self.folder / "redis").mkdir()
        (self.folder / "redis.conf").write_text(CONF.format(port=self.port, folder=self.folder))
        subprocess.run(["redis-server", self.folder / "redis.conf"], check=True)
        self.addCleanup(self.end_redis)
        self.redis_url = f"redis://127.0.0.1:{self.port}"
        # The page speaks of main: on a Redis of its own, with groups of its own.
        self.world.env.update(TANDEM_REDIS=self.redis_url, TANDEM_GROUP=self.world.business,
                              TANDEM_BUSINESS="main")
        self.world.business = "main"
        self.make_programs()
        self.connect()
        self.ran = []

    def connect(self):
        self.redis = wait_for(self.try_redis, 20, "Redis")
        self.addCleanup(self.redis.close)

    def try_redis(self):
        try:
            return Redis(self.redis_url)
        except OSError:
            return None

    def end_redis(self):
        pid = (self.folder / "redis.pid")
        if pid.exists():
            os.kill(int(pid.read_text()), signal.SIGKILL)

    def make_programs(self):
        """`tandem`, and Kafka's tools as a distribution of it has them."""
        programs = self.folder / "bin"
        programs.mkdir()
        (programs / "tandem").symlink_to(BIN)
        tool = programs / "kafka-configs.sh"
        tool.write_text(f"#!/bin/sh\nexec java -cp '{ROOT}/build/kafka/libs/*' kafka.admin.ConfigCommand \"$@\"\n")
        tool.chmod(0o755)
        self.world.env["PATH"] = f"{programs}:{os.environ['PATH']}"

    def shell(self, block):
        """Runs a block as it stands; what it said. A doctor may find something to warn about."""
        self.ran.append(block)
        script = "set -e\n" + re.sub(r"^(tandem doctor.*)$", r"\1 || [ $? = 3 ]", block, flags=re.M)
        path = self.folder / "said"
        with open(path, "wb") as out:   # no pipe: what a block leaves running would hold it open
            child = subprocess.Popen(["sh", "-c", script], cwd=self.folder, env=self.world.env,
                                     stdout=out, stderr=out, stdin=subprocess.DEVNULL,
                                     start_new_session=True)
        try:
            self.assertEqual(child.wait(90), 0, f"{block}\n{path.read_text()}")
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
        return path.read_text()

    def test_every_command_of_the_page_does_what_it_says(self):
        page = blocks()
        self.world.make_topics(2)
        self.send(1)
        workers = [self.start(kind) for kind in (*KINDS, "customers")]
        reporter = self.world.start("reporter")
        self.wait_counted()
        wait_for(lambda: self.world.run("doctor").returncode == 0, 20, "everything to be well")
        self.a_first_look(page.pop("The first look"))
        self.a_restored_backup_is_counted_on_from(page.pop("Backup and restore"))
        self.one_more_worker(page.pop("Scaling out"))
        self.a_topic_that_forgets(page.pop("Topics that forget"))
        self.an_upgrade(page.pop("Upgrades"))
        self.assertEqual([b for rest in page.values() for b in rest], [], "blocks that nobody ran")
        for process in (*workers, reporter):
            self.assertEqual(process.stop(), 0, process.err())
        self.assertEqual(PAGE.count("```sh\n"), len(self.ran))

    def send(self, number):
        self.world.send_events([order(number, customer=f"c-{number}"), ticket(number)])

    def a_first_look(self, commands):
        (block,) = commands
        self.assertNotIn("error", self.shell(block))
        self.assertTrue((self.folder / "doctor.json").stat().st_size > 0)

    def a_restored_backup_is_counted_on_from(self, commands):
        save, restore, prove = commands
        self.shell(save)
        self.send(2)
        self.wait_counted()
        before = self.total("sale")
        self.shell(restore)
        self.connect()
        self.wait_counted()             # by the workers that ran all the while
        self.assertEqual(self.total("sale"), before)
        self.assertEqual(before["orders"], 2)
        self.assertIn("equal the log", self.shell(prove))

    def one_more_worker(self, commands):
        (block,) = commands
        said = self.shell(block)
        self.assertIn(f"{self.world.sales} ", said)
        self.assertIn(" groups ", said)

    def a_topic_that_forgets(self, commands):
        (block,) = commands
        topic = self.world.sales
        alter = next(line for line in block.splitlines() if line.startswith("kafka-configs.sh"))
        self.shell(block.replace("retention.ms=-1", "retention.ms=3600000"))
        self.ran.pop()
        faults = self.world.run("doctor")
        self.assertEqual(faults.returncode, 1)
        mend = re.search(rf"{topic}: retention.ms=3600000.*\n +mend: (.*)", faults.stdout)[1]
        self.shell(block)
        self.assertEqual(self.world.topic_settings(topic)["settings"]["retention.ms"], "-1")
        # What the doctor says is what the page says.
        filled = alter.replace('"', "").replace("$TANDEM_BROKERS", self.world.brokers)
        self.assertEqual(mend, filled.replace("$TANDEM_TOPICS_SALES", topic))

    def an_upgrade(self, commands):
        look, steps = commands
        self.assertEqual(self.shell(look).splitlines()[-1], "1")
        said = self.shell(steps)
        self.assertIn("Done: ", said)
        self.assertIn("equal the log", said)


main()
