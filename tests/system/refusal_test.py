"""Settings and stores a worker does not accept: it says what is wrong, and counts nothing."""

from counting import CountingCase
from harness import main, order, ticket


class Settings(CountingCase):
    def test_other_settings_than_the_stores_are_named_with_both_values(self):
        self.world.make_topics()
        self.count()
        other = {"timezone": ("Europe/Bucharest", "UTC"),
                 "scopes": ("region,rep", "region,channel"), "scope.limit": ("12", "1000"),
                 "dedup.window": ("77", "100000"),
                 "type.prefix": ("shop.", "tandem.")}
        for setting, (here, store) in other.items():
            with self.subTest(setting):
                done = self.refused(setting, here, store, "tandem rebuild",
                                    options=(f"--{setting.replace('.', '-')}", here))
                for unchanged in other.keys() - {setting}:
                    self.assertNotIn(f"{unchanged} is", done.stderr)

    def test_settings_that_change_no_count_may_differ(self):
        self.world.make_topics()
        self.count()
        self.count("--flush-ms", "7", "--flush-cells", "11", "--group", "another")

    def test_an_unknown_setting_or_option_is_named(self):
        for option in ("--no-such-option", "-Xno.such=1"):
            done = self.world.run("sales-worker", option)
            self.assertEqual(done.returncode, 2)
            self.assertIn("no", done.stderr)
            self.assertIn("such", done.stderr)

    def test_settings_of_librdkafka_that_would_break_the_promise_are_refused(self):
        for name, value in (("enable.auto.commit", "true"), ("auto.offset.reset", "earliest"),
                            ("isolation.level", "read_uncommitted")):
            done = self.world.run("sales-worker", f"-Xkafka.{name}={value}")
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(name, done.stderr)


class Damage(CountingCase):
    def setUp(self):
        super().setUp()
        self.world.make_topics(2)
        self.world.send_events([order(1), ticket(1)])
        self.count()

    def test_counters_without_any_position_are_refused(self):
        for kind in ("sales", "service"):
            self.redis.call("DEL", self.key(f"position:{kind}"))
        before = self.counters()
        self.refused("positions", self.world.business)
        self.assertEqual(self.counters(), before)

    def test_one_position_hash_missing_beside_the_other_is_refused(self):
        self.redis.call("DEL", self.key("position:service"))
        self.refused("service", "damaged", kind="service")
        self.count(kinds=("sales",))

    def test_a_position_missing_in_its_hash_is_refused(self):
        self.redis.call("HDEL", self.key("position:sales"), "sales:1")
        self.refused("partition 1", "damaged")

    def test_a_position_beyond_the_end_of_the_log_is_no_end(self):
        field = next(f"sales:{p}" for p, at in self.positions("sales").items() if at)
        self.redis.call("HSET", self.key("position:sales"), field, "1000000:0")
        before = self.counters()
        self.refused(f"{self.world.sales} partition {field[-1]}", "1000000", "0 to 1")
        self.assertEqual(self.counters(), before)

    def test_a_position_that_is_no_number_is_refused(self):
        for value in ("", "x", "-5:0", "7", "3:x", "99999999999999999999:0"):
            with self.subTest(value):
                self.redis.call("HSET", self.key("position:sales"), "sales:0", value)
                self.refused("partition 0")


main()
