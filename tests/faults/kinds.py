"""The faults. Each kind has a scene of its own (servers, workers, traffic) and injects its fault
again and again; inject() returns when the fault is over, and what it left has to be caught up."""

import signal
import time

import servers
from proxy import Proxy
from scene import KINDS, PARTITIONS, PATIENCE_S, SESSION_MS, Scene
from harness import wait_for


class Fault:
    name = ""
    rate = 1500             # events a second
    bad = 1                 # percent of them that cannot be counted
    least = 3               # injected in every round
    keeps = "nothing"       # what the round's Redis keeps over a kill

    def __init__(self, kafka, folder, dice):
        self.kafka = kafka
        self.folder = folder
        self.dice = dice
        self.number = 0
        self.closing = []
        self.scene = self.open()

    def open(self):
        """The scene; the plain one has a Redis of its own and the run's Kafka."""
        self.redis = self.opened(servers.Redis(self.folder, self.keeps))
        return Scene(self.kafka, self.redis)

    def opened(self, what):
        self.closing.append(what)
        return what

    def inject(self):
        raise NotImplementedError

    def after(self):
        """What follows when all is caught up, before the next one."""

    def letters_from(self):
        """{(topic, partition): offset} from which on the dead letters must be there."""
        return {}

    def wait(self, least_s, most_s):
        time.sleep(self.dice.uniform(least_s, most_s))

    def one_worker(self):
        return self.dice.choice(self.scene.all_workers())

    def close(self):
        """Everything, also after a part of it failed."""
        for what in [getattr(self, "scene", None), *reversed(self.closing)]:
            if what is not None:
                what.close()


# --- workers ----------------------------------------------------------------------------------

class WorkerKilled(Fault):
    name = "worker killed"

    def inject(self):
        worker = self.one_worker()
        self.scene.forget(worker)
        worker.kill()
        self.scene.start_worker(worker.kind)


class WorkerStopped(Fault):
    """Longer than the session: others count its partitions meanwhile, and it wakes up with a batch
    that it believes to be the next."""
    name = "worker stopped, then continued"
    least = 2

    def inject(self):
        worker = self.one_worker()
        worker.signal(signal.SIGSTOP)
        try:
            self.wait(SESSION_MS / 1000 + 0.7, SESSION_MS / 1000 + 1.7)
        finally:
            worker.signal(signal.SIGCONT)


class WorkersComeAndGo(Fault):
    name = "workers join and leave"
    least = 6

    def inject(self):
        kind = self.dice.choice(KINDS)
        workers = self.scene.workers[kind]
        if len(workers) < 3 and (len(workers) == 1 or self.dice.random() < 0.6):
            worker = self.scene.start_worker(kind)
            wait_for(lambda: worker.said("event=reading") or len(workers) > PARTITIONS,
                     PATIENCE_S, f"{worker.name} to read")
            return
        worker = self.dice.choice(workers)
        self.scene.forget(worker)
        status = worker.stop(PATIENCE_S)
        if status != 0:
            raise AssertionError(f"{worker.name} left with status {status}:\n{worker.err()}")


class Rebuilt(Fault):
    """The counters are switched to a recount under the workers' hands. Every other time the rebuild
    is killed somewhere, in the switch too, and the next one has to end it."""
    name = "rebuild beside the workers"
    least = 2

    def inject(self):
        world, env = self.scene.world, self.scene.worker_env
        if self.number % 2:
            begun = world.start("rebuild", env=env)
            self.wait(0.05, 1.0)
            begun.kill()
        world.must("rebuild", timeout=300, env=env)


# --- Redis ------------------------------------------------------------------------------------

class RedisKilledAppends(Fault):
    """With an append-only file the last second may be lost: its end is cut off, anywhere.

    Where the cut falls within a batch, Redis' own aof-load-truncated would keep the begun batch in
    the file and apply that part of it at the start after the next one (Redis up to 7.0 at least):
    redis-check-aof takes it out, as docs/guarantees.md advises."""
    name = "redis killed, append-only file"
    keeps = "appends"

    def inject(self):
        file = self.redis.append_file()
        certain = file.stat().st_size
        self.wait(0.2, 0.9)
        self.redis.kill()
        whole = file.stat().st_size
        with open(file, "r+b") as log:
            log.truncate(self.dice.randint(min(certain, whole), whole))
        self.redis.mend()
        self.wait(0, 0.5)
        self.redis.start()


class RedisKilledSnapshots(Fault):
    """It comes back as it was when the last snapshot was taken, or empty when none was."""
    name = "redis killed, snapshots only"
    keeps = "snapshots"

    def inject(self):
        if self.number % 3 != 1:
            self.redis.snapshot()
        self.wait(0.3, 1.5)
        self.redis.kill()
        self.wait(0, 0.5)
        self.redis.start()


class RedisEmptied(Fault):
    name = "redis emptied"

    def inject(self):
        self.redis.call("FLUSHALL")


class RedisFull(Fault):
    name = "redis out of memory"

    def inject(self):
        self.redis.call("CONFIG", "SET", "maxmemory", "1")
        try:
            self.wait(0.3, 2.5)
        finally:
            self.redis.call("CONFIG", "SET", "maxmemory", "0")


class ScriptsFlushed(Fault):
    name = "redis forgets its scripts"
    least = 8

    def inject(self):
        self.redis.call("SCRIPT", "FLUSH", self.dice.choice(["SYNC", "ASYNC"]))


class FailOver(Fault):
    """The replica lags when it becomes the master; the old master was killed or, every other time,
    only stopped, and comes back with sums that nobody may count on."""
    name = "fail-over to a lagging replica"
    least = 2

    def open(self):
        first = self.opened(servers.Redis(self.folder, name="redis-a"))
        second = self.opened(servers.Redis(self.folder, "nothing", "redis-b", "--replicaof",
                                           "127.0.0.1", first.port))
        self.pair = [first, second]         # the master comes first
        wait_for(lambda: self.linked(second), 20, "the replica to follow")
        self.sentinels = self.opened(servers.Sentinels(self.folder, first))
        return Scene(self.kafka, lambda: self.pair[0], redis_url=self.sentinels.url)

    @staticmethod
    def linked(replica):
        role = replica.call("ROLE")
        return role[0] == "slave" and role[3] == "connected"

    def inject(self):
        master, replica = self.pair
        replica.call("REPLICAOF", "127.0.0.1", "1")
        self.wait(0.3, 1.2)
        self.stopped = self.number % 2 == 1
        if self.stopped:
            master.signal(signal.SIGSTOP)
        else:
            master.kill()
        wait_for(lambda: self.sentinels.master_port() == replica.port and
                 replica.call("ROLE")[0] == "master", 40, "the sentinels to promote")
        master.forget()
        self.pair.reverse()

    def after(self):
        """The old master comes back, and follows when it has been told."""
        master, old = self.pair
        if self.stopped:
            old.signal(signal.SIGCONT)
            self.wait(0, 1)                 # it believes itself the master until now
            old.call("REPLICAOF", "127.0.0.1", master.port)
        else:
            old.start("--replicaof", "127.0.0.1", master.port)
        wait_for(lambda: self.linked(old), 30, "the old master to follow the new one")


# --- the network ------------------------------------------------------------------------------

class RedisBehindProxy(Fault):
    def open(self):
        self.redis = self.opened(servers.Redis(self.folder))
        self.proxy = self.opened(Proxy(self.redis.port))
        return Scene(self.kafka, self.redis, redis_url=f"redis://127.0.0.1:{self.proxy.port}")


class BrokerBehindProxy(Fault):
    def open(self):
        self.redis = self.opened(servers.Redis(self.folder))
        self.proxy = self.opened(Proxy(self.kafka.behind, self.kafka.advertised))
        return Scene(self.kafka, self.redis, brokers=f"127.0.0.1:{self.proxy.port}")


class _Cut:
    def inject(self):
        self.proxy.hold()
        self.wait(0.5, 3.0)
        self.proxy.go_on()


class _Delayed:
    def inject(self):
        self.proxy.delay(self.dice.uniform(0.05, 0.6))
        self.wait(1.0, 2.5)
        self.proxy.go_on()


class RedisCut(_Cut, RedisBehindProxy):
    """What was sent arrives late, when the worker has long gone on elsewhere."""
    name = "network to redis cut"


class RedisDelayed(_Delayed, RedisBehindProxy):
    name = "network to redis delayed"


class RedisReset(RedisBehindProxy):
    """Half of the times the batch was applied and only its answer is lost."""
    name = "network to redis reset"
    least = 6

    def inject(self):
        if self.number % 2:
            self.proxy.lose_replies(self.dice.randint(1, 4))
            wait_for(lambda: self.proxy.lose == 0, 30, "answers to be lost")
        else:
            self.proxy.reset()


class BrokerCut(_Cut, BrokerBehindProxy):
    name = "network to the broker cut"


class BrokerDelayed(_Delayed, BrokerBehindProxy):
    name = "network to the broker delayed"


class BrokerReset(BrokerBehindProxy):
    name = "network to the broker reset"
    least = 4

    def inject(self):
        self.proxy.reset()


# --- the broker -------------------------------------------------------------------------------

class BrokerKilled(Fault):
    name = "broker killed"
    least = 1
    rate = 1000

    def inject(self):
        self.kafka.kill()
        self.wait(0, 1.5)
        self.kafka.start()


class RejectedUnavailable(Fault):
    """The topic of dead letters is deleted, and made again later."""
    name = "rejected topic unavailable"
    least = 2
    bad = 3

    def inject(self):
        scene = self.scene
        scene.world.delete_topics(scene.world.rejected)
        # What was folded before is applied or dropped within a flush; then nothing moves on, for
        # every batch has letters to write, and what stands beyond the positions needs a letter in
        # the topic that will be.
        self.stood = self._where_all_stand(self.dice.uniform(2.0, 3.5))
        scene.world.make_topic(scene.world.rejected, 1)

    def _where_all_stand(self, seconds):
        """{(topic, partition): offset}, when nothing has moved for so long."""
        stood, since = None, time.monotonic()
        deadline = since + PATIENCE_S
        while time.monotonic() - since < seconds:
            now = {(self.scene.topics[kind], p): offset for kind in KINDS
                   for p, offset in self.scene.positions(kind).items()}
            if now != stood:
                stood, since = now, time.monotonic()
            if time.monotonic() > deadline:
                raise AssertionError("positions move on without the topic of dead letters")
            time.sleep(0.1)
        return stood

    def letters_from(self):
        return self.stood


class BrokerFull(Fault):
    """Its disk: the broker ends itself, or refuses; room is made and it is started again."""
    name = "disk of the broker full"
    least = 1
    rate = 1000

    def open(self):
        self.disk = self.opened(servers.SmallDisk(self.folder / "disk", 64))
        if not self.disk.mounted:
            raise Impossible(f"no small disk can be mounted here: {self.disk.why}")
        self.kafka = self.opened(servers.Kafka(self.folder / "kafka", self.disk.folder / "data"))
        return super().open()

    def inject(self):
        self.disk.fill()
        try:
            wait_for(lambda: not self.kafka.runs(), 20, "the broker to give up")
        except AssertionError:
            self.kafka.kill()
        self.wait(0, 1)
        self.disk.empty()
        self.kafka.start()


class Impossible(Exception):
    """This machine cannot make this fault."""


ALL = [WorkerKilled, WorkerStopped, WorkersComeAndGo, Rebuilt, RedisKilledAppends,
       RedisKilledSnapshots, RedisEmptied, RedisFull, ScriptsFlushed, FailOver, RedisCut,
       RedisDelayed, RedisReset, BrokerCut, BrokerDelayed, BrokerReset, BrokerKilled,
       RejectedUnavailable, BrokerFull]
