"""Topics that are not there, not the same any more, or made for something else."""

from counting import CountingCase
from harness import main, order


class Topics(CountingCase):
    def test_topics_that_do_not_exist_are_named(self):
        self.refused(f"topic {self.world.business}.", "does not exist", "tandem topics",
                     options=("--connect-timeout", "3000"))
        self.assertEqual(self.redis.keys(self.key("*")), [])

    def test_both_topics_must_exist_before_either_is_counted(self):
        self.world.make_topic(self.world.sales, 1)
        self.world.make_topic(self.world.rejected, 1)
        self.refused(self.world.service, options=("--connect-timeout", "3000"))

    def test_a_compacted_topic_is_refused(self):
        for topic in (self.world.sales, self.world.rejected):
            self.world.make_topic(topic, 1)
        self.world.make_topic(self.world.service, 1, cleanup_policy="compact")
        self.refused(self.world.service, "compacted", "cleanup.policy", kind="service")

    def test_a_topic_that_forgets_is_warned_about_and_counted(self):
        for topic in (self.world.service, self.world.rejected):
            self.world.make_topic(topic, 1)
        self.world.make_topic(self.world.sales, 1, retention_ms="3600000")
        self.world.send_events([order(1)])
        done = self.world.run("sales-worker", "--exit-at-end")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("retention_ms=3600000", done.stderr)
        self.assertEqual(self.total("sale")["orders"], 1)

    def test_partitions_that_were_added_are_refused(self):
        self.world.make_topics(2)
        self.count()
        self.world.tool("admin", self.world.brokers, "grow", self.world.sales, 3)
        self.refused("3 partitions", "2")

    def test_a_topic_made_anew_is_refused_with_both_ids(self):
        self.world.make_topics(1)
        self.world.send_events([order(1)])
        self.count()
        known = self.redis.call("HGET", self.key("position:sales"), "id:sales")
        self.world.delete_topics(self.world.sales)
        self.world.make_topic(self.world.sales, 1)
        self.world.send_events([order(n) for n in range(5)])
        done = self.refused(self.world.sales, "made anew", known)
        ids = [word for word in done.stderr.replace(";", " ").replace(",", " ").split()
               if len(word) == len(known) and word != known]
        self.assertTrue(ids, done.stderr)
        self.assertEqual(self.total("sale")["orders"], 1)

    def test_another_topic_than_the_stores_is_refused_with_both_names(self):
        self.world.make_topics(1)
        self.count()
        other = self.world.business + ".other"
        self.world.make_topic(other, 1)
        self.refused(self.world.sales, other, options=("--topics-sales", other))


main()
