"""`tandem topics` on a real Kafka."""

from harness import TestCase, main


class Topics(TestCase):
    def settings(self, topic):
        return self.world.topic_settings(topic)["settings"]

    def test_makes_the_five_topics_with_what_the_promise_needs(self):
        done = self.world.run("topics", "--partitions", 3)
        self.assertEqual(done.returncode, 0, done.stderr)
        for topic, partitions, cleanup in ((self.world.sales, 3, "delete"),
                                           (self.world.service, 3, "delete"),
                                           (self.world.rejected, 1, "delete"),
                                           (self.world.comparison, 1, "compact"),
                                           (self.world.verdicts, 1, "delete")):
            found = self.world.topic_settings(topic)
            self.assertEqual(found["partitions"], partitions)
            self.assertEqual(found["settings"]["cleanup.policy"], cleanup)
            self.assertEqual(found["settings"]["retention.ms"], "-1")
            self.assertEqual(found["settings"]["min.insync.replicas"], "1")
            self.assertEqual(found["settings"]["unclean.leader.election.enable"], "false")
            self.assertRegex(done.stdout, rf"(?m)^{topic} +{partitions} .* {cleanup} .* made$")

    def test_makes_four_partitions_when_nothing_is_said(self):
        self.world.must("topics")
        self.assertEqual(self.world.topic_settings(self.world.sales)["partitions"], 4)

    def test_running_it_again_changes_nothing(self):
        self.world.must("topics", "--partitions", 2)
        before = self.settings(self.world.sales)
        told = self.world.must("topics")
        self.assertRegex(told, rf"(?m)^{self.world.sales} +2 .* there$")
        self.assertEqual(self.settings(self.world.sales), before)

    def test_a_missing_side_gets_as_many_partitions_as_the_other(self):
        self.world.make_topic(self.world.service, 5, retention_ms=-1)
        self.world.must("topics")
        self.assertEqual(self.world.topic_settings(self.world.sales)["partitions"], 5)

    def test_check_makes_nothing_and_says_what_is_missing(self):
        done = self.world.run("topics", "--check")
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"wrong: {self.world.sales} does not exist\n", done.stdout)
        self.assertIn("5 wrong", done.stderr)
        self.assertIsNone(self.world.topic_settings(self.world.sales))

    def test_unequal_partitions_are_refused(self):
        self.world.make_topic(self.world.sales, 2)
        self.world.make_topic(self.world.service, 3)
        done = self.world.run("topics")
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"wrong: {self.world.sales} has 2 partitions and {self.world.service} has 3",
                      done.stdout)

    def test_a_number_that_contradicts_what_is_there_makes_nothing(self):
        self.world.make_topic(self.world.sales, 2)
        done = self.world.run("topics", "--partitions", 6)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{self.world.sales} has 2 partitions, --partitions asks for 6", done.stdout)
        self.assertIsNone(self.world.topic_settings(self.world.service))

    def test_a_compacted_topic_of_events_is_refused(self):
        self.world.make_topic(self.world.sales, 4, cleanup_policy="compact")
        done = self.world.run("topics")
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"wrong: {self.world.sales}: cleanup.policy is compact, must be delete",
                      done.stdout)

    def test_a_comparison_topic_that_is_not_compacted_is_refused(self):
        self.world.make_topic(self.world.comparison, 1, cleanup_policy="delete")
        done = self.world.run("topics")
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"wrong: {self.world.comparison}: cleanup.policy is delete", done.stdout)

    def test_finite_retention_is_noted_and_no_error(self):
        self.world.make_topic(self.world.sales, 4, retention_ms=3600000)
        told = self.world.must("topics")
        self.assertIn(f"note: {self.world.sales}: Kafka forgets records (retention.ms=3600000",
                      told)
        self.assertRegex(told, rf"(?m)^{self.world.sales} .* 1 h +there$")

    def test_more_replicas_than_brokers_is_an_error_that_shows_what_is_there(self):
        done = self.world.run("topics", "--replication", 99)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"topic {self.world.sales}: cannot be made: ", done.stderr)
        self.assertRegex(done.stdout, rf"(?m)^{self.world.sales} .* missing$")

    def test_a_kafka_that_is_not_there_is_named_and_given_up_in_time(self):
        done = self.world.run("topics", env={"TANDEM_BROKERS": "127.0.0.1:1",
                                             "TANDEM_CONNECT_TIMEOUT": 300}, timeout=20)
        self.assertEqual(done.returncode, 1)
        self.assertIn("Kafka at 127.0.0.1:1 did not answer within 300 ms", done.stderr)

    def test_a_fixed_kafka_setting_is_refused_with_its_reason(self):
        done = self.world.run("topics", "-X", "kafka.isolation.level=read_uncommitted")
        self.assertEqual(done.returncode, 2)
        self.assertIn("kafka.isolation.level: is always read_committed", done.stderr)


main()
