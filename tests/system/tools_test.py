"""The tests' own tools: what they write to Kafka they read back."""

from harness import TestCase, main, wait_for


class Tools(TestCase):
    def setUp(self):
        super().setUp()
        self.topic = self.world.business + ".raw"
        self.world.make_topic(self.topic, 2)

    def test_bytes_headers_nulls_and_time_stamps_come_back_as_they_were_sent(self):
        sent = [{"key": b"\x00\xff", "value": b"\xfe", "partition": 1, "timestamp": 1600000000123,
                 "headers": [("a", b"\x00"), ("a", "ă")]},
                {"key": None, "value": None, "partition": 1},
                {"key": "", "value": "", "partition": 1}]
        self.world.produce(self.topic, sent)
        first, second, third = self.world.dump(self.topic).records
        self.assertEqual((first.key, first.value), (b"\x00\xff", b"\xfe"))
        self.assertEqual(first.headers, [("a", b"\x00"), ("a", "ă".encode())])
        self.assertEqual((first.partition, first.offset, first.timestamp), (1, 0, 1600000000123))
        self.assertEqual((second.key, second.value), (None, None))
        self.assertEqual((third.key, third.value), (b"", b""))

    def test_a_dump_ends_behind_control_records_and_before_an_open_transaction(self):
        def ten(value):
            return [{"value": value, "partition": 0} for _ in range(10)]
        self.world.produce(self.topic, ten("committed"), transaction="commit")
        self.world.produce(self.topic, ten("aborted"), transaction="abort")
        dump = self.world.dump(self.topic)
        self.assertEqual([r.value for r in dump.records], [b"committed"] * 10)
        self.assertEqual(dump.ends, {0: 22, 1: 0})
        self.world.produce(self.topic, ten("open"), transaction="open")
        self.assertEqual(self.world.dump(self.topic), dump)

    def test_a_deleted_topic_is_gone_and_can_be_made_again(self):
        self.world.produce(self.topic, [{"value": "x", "partition": 0}])
        self.world.delete_topics(self.topic, self.world.business + ".never")
        self.assertIsNone(self.world.topic_settings(self.topic))
        self.world.make_topic(self.topic, 3)
        self.assertEqual(self.world.dump(self.topic).ends, {0: 0, 1: 0, 2: 0})

    def test_redis_answers_of_every_kind_are_read(self):
        redis = self.world.redis
        key = self.world.key("probe")
        self.assertEqual(redis.call("HSET", key, "a", "1", "b", "ă"), 2)
        self.assertEqual(redis.hash(key), {"a": "1", "b": "ă"})
        self.assertEqual(redis.keys(self.world.key("*")), [key])
        self.assertIsNone(redis.call("HGET", key, "c"))
        self.assertRaisesRegex(Exception, "WRONGTYPE", redis.call, "GET", key)

    def test_a_condition_that_never_holds_is_told(self):
        self.assertRaisesRegex(AssertionError, "in vain for the moon",
                               wait_for, lambda: False, 0.1, "the moon")


main()
