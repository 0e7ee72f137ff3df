"""Upgrades: two versions of one layout count side by side, and an older one refuses what a newer one
has made."""

import pathlib
import signal
import tempfile
import unittest

import versions
from counting import KINDS, CountingCase
from harness import main, order, ticket, wait_for
from versions import using

ALL = (*KINDS, "customers")


class UpgradeCase(CountingCase):
    def setUp(self):
        super().setUp()
        self.world.make_topics(4)
        self.sent = 0

    def send(self, count=40):
        """Orders and tickets of customers in every partition."""
        some = range(self.sent, self.sent + count)
        self.sent += count
        self.world.send_events([order(n, customer=f"c-{n % 17}") for n in some] +
                               [ticket(n, customer=f"c-{n % 13}") for n in some])

    def start_all(self):
        workers = [self.world.start(f"{kind}-worker") for kind in ALL]
        for worker in workers:
            wait_for(lambda: worker.said("event=reading"), 30, f"{worker.name} that reads")
        return workers

    def stop_all(self, workers):
        for worker in workers:
            worker.signal(signal.SIGTERM)
        for worker in workers:
            self.assertEqual(worker.wait(30), 0, worker.err())

    def shard(self):
        return self.redis.hash(f"tandem:{{{self.world.business}.0}}:position:customers")

    def wait_all_counted(self):
        self.wait_counted()
        ends = {kind: self.world.dump(self.topic(kind)).ends for kind in KINDS}
        wait_for(lambda: all(self.shard().get(f"{kind}:{p}", "").startswith(f"{end}:")
                             for kind in KINDS for p, end in ends[kind].items()), 60,
                 "customers to be counted")


class Rolling(UpgradeCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.before, words = versions.previous(pathlib.Path(cls.folder))
        print(f"| side by side with {words}", flush=True)

    def test_workers_of_both_versions_count_side_by_side_and_back_again(self):
        with using(self.before):
            old = self.start_all()
            self.send()
            self.wait_all_counted()
            self.assertNotIn("layout", self.redis.hash(self.key("position:sales")))
        new = self.start_all()
        self.send()
        self.stop_all(old)
        self.send()
        self.wait_all_counted()
        with using(self.before):            # a version that is taken back
            old = self.start_all()
            self.send()
            self.stop_all(new)
            self.send()
            self.wait_all_counted()
            self.world.must("reporter", "--once")
            self.world.must("audit")
            self.stop_all(old)
        self.assert_counted(ledger=True)
        self.assertIn("equal the log", self.world.must("audit"))
        self.world.must("reporter", "--once")

    def test_the_version_before_counts_into_a_store_of_this_one(self):
        self.send()
        self.count(kinds=ALL)
        self.assertEqual(self.redis.hash(self.key("position:sales"))["layout"], "1")
        with using(self.before):
            self.send()
            self.count(kinds=ALL)
            self.world.must("rebuild")
        self.send()
        self.count(kinds=ALL)
        self.assert_counted(ledger=True)


class AnotherLayout(UpgradeCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.newer, cls.layout = versions.next_layout(pathlib.Path(cls.folder))

    def everything(self):
        return {key: self.redis.call("DUMP", key) for key in self.redis.keys(self.key("*"))
                if key != self.key("reporter")}

    def test_a_rebuild_takes_the_new_layout_and_fences_all_older_ones(self):
        running = [*self.start_all(), self.world.start("reporter")]
        self.send()
        self.wait_all_counted()
        with using(self.newer):
            for kind in ALL:
                self.refused(f"an older tandem (layout {self.layout - 1} of the keys",
                             "tandem rebuild", kind=kind)
            self.world.must("rebuild")
        self.running_ones_stop(running)
        with using(self.newer):
            self.send()
            self.count(kinds=ALL)
            self.assertIn("equal the log", self.world.must("audit"))
        self.assert_counted(ledger=True)
        self.every_command_of_the_older_one_refuses()

    def running_ones_stop(self, running):
        for process in running:
            self.assertEqual(process.wait(30), 1, process.err())
            self.assertIn(f"made by a newer tandem (layout {self.layout} of the keys",
                          process.err())

    def every_command_of_the_older_one_refuses(self):
        before = self.everything()
        for words in (("sales-worker",), ("service-worker",), ("customers-worker",),
                      ("reporter", "--once"), ("audit",), ("rebuild",),
                      ("trim", "--before", "2020-01-01"), ("customer", "c-1"),
                      ("forget", "c-1", "--yes")):
            with self.subTest(words[0]):
                done = self.world.run(*words)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertIn("made by a newer tandem", done.stderr)
        self.assertIn("made by a newer tandem", self.world.run("doctor").stdout)
        self.assertEqual(self.everything(), before)


class WithoutHistory(unittest.TestCase):
    def test_a_clone_without_history_can_build_a_version_before_too(self):
        with tempfile.TemporaryDirectory() as folder:
            binary = versions._build_unsaid(pathlib.Path(folder))
            self.assertTrue(binary.exists())


main()
