"""A Kafka or a Redis that is not there, or that would not keep what it is given."""

from counting import CountingCase
from harness import free_port, main, order, wait_for
from own_redis import OwnRedis


class Away(CountingCase):
    def test_a_kafka_that_is_not_there_is_named_when_it_gives_up(self):
        address = f"127.0.0.1:{free_port()}"
        self.refused(address, "1500 ms", options=("-b", address, "--connect-timeout", "1500"))

    def test_a_redis_that_is_not_there_is_named_when_it_gives_up(self):
        self.world.make_topics()
        address = f"127.0.0.1:{free_port()}"
        self.refused(address, "1500 ms",
                     options=("-r", f"redis://{address}", "--connect-timeout", "1500"))

    def test_unless_told_to_give_up_it_waits_and_counts_when_redis_comes(self):
        self.world.make_topics()
        self.world.send_events([order(1)])
        own = OwnRedis(self)
        own.stop()
        worker = self.world.start("sales-worker", "--exit-at-end", "-r", own.url,
                                  env={"TANDEM_CONNECT_TIMEOUT": None})
        wait_for(lambda: worker.said(f"127.0.0.1:{own.port}"), 20, "the address it waits for")
        own.start()
        self.use_redis(own.url)
        self.assertEqual(worker.wait(60), 0, worker.err())
        self.assertEqual(self.total("sale")["orders"], 1)

    def test_asked_to_end_while_it_waits_it_ends_with_0(self):
        address = f"127.0.0.1:{free_port()}"
        worker = self.world.start("sales-worker", "-b", address,
                                  env={"TANDEM_CONNECT_TIMEOUT": None})
        wait_for(lambda: worker.said(address), 20, "the address it waits for")
        self.assertEqual(worker.stop(10), 0, worker.err())


class Evicting(CountingCase):
    def test_a_redis_that_may_evict_keys_is_refused(self):
        self.world.make_topics()
        self.use_redis(OwnRedis(self, "--maxmemory", "100mb",
                                "--maxmemory-policy", "allkeys-lru").url)
        self.refused("allkeys-lru", "noeviction", self.redis_url.removeprefix("redis://"))
        self.assertEqual(self.redis.keys(), [])

    def test_a_redis_that_is_full_holds_the_worker_up_and_loses_nothing(self):
        self.world.make_topics()
        self.use_redis(OwnRedis(self).url)
        self.count()
        self.redis.call("CONFIG", "SET", "maxmemory", "1")
        self.world.send_events([order(n, customer=f"c-{n}") for n in range(100)])
        worker = self.world.start("sales-worker", "--exit-at-end")
        wait_for(lambda: worker.said("OOM") or worker.said("maxmemory"), 30, "a word of it")
        self.redis.call("CONFIG", "SET", "maxmemory", "0")
        self.assertEqual(worker.wait(60), 0, worker.err())
        self.assertEqual(self.total("sale")["orders"], 100)
        self.assert_counted()


main()
