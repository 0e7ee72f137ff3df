"""A Redis Cluster of a test's own: three redis-server processes, each with a third of the slots.

    cluster = Cluster(test)              # ended with the test
    cluster.node_of(key)                 # 0, 1, 2
    cluster.urls[2]                      # cluster.url is the first node's
    cluster.call("HGETALL", key)         # as harness.Redis, wherever the key lies; also hash(), keys()
    cluster.pause(2), cluster.resume(2)  # a node that says nothing
    cluster.move(key, 0)                 # the key's whole slot, with what lies in it

What lies on a node survives kill() and start(). A node that is away takes its own slots along, and
nobody else's."""

import re
import signal
import subprocess

from harness import Redis, RedisError, free_port, wait_for

NODES = 3
SLOTS = 16384
TRIES = 5


class Cluster:
    def __init__(self, test, *options):
        self.folder = test.world.folder
        test.addCleanup(self.close)
        self.nodes = []
        for number in range(NODES):
            self.nodes.append(Node(self.folder / f"node-{number}", options))
        self.urls = [node.url for node in self.nodes]
        self.url = self.urls[0]
        self.here = 0           # the node that was right last
        self._join()

    def _join(self):
        bounds = [SLOTS * number // NODES for number in range(NODES + 1)]
        for number, node in enumerate(self.nodes):
            node.call("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            node.call("CLUSTER", "ADDSLOTSRANGE", bounds[number], bounds[number + 1] - 1)
        for node in self.nodes[1:]:
            node.call("CLUSTER", "MEET", "127.0.0.1", self.nodes[0].port, self.nodes[0].bus)
        wait_for(lambda: all(node.knows_all() for node in self.nodes), 30, "the cluster")

    def use(self, case, number=0):
        """A CountingCase counts here, its workers told of this node, its oracle of the right one."""
        case.redis = self
        case.redis_url = self.urls[self.node_of(case.key("floor"))]
        case.world.env["TANDEM_REDIS"] = self.urls[number]

    def node_of(self, key):
        slot = self.nodes[0].call("CLUSTER", "KEYSLOT", key)
        port = next(owner[1] for first, last, owner, *_ in self.nodes[0].call("CLUSTER", "SLOTS")
                    if first <= slot <= last)
        return next(n for n, node in enumerate(self.nodes) if node.port == port)

    def call(self, *args):
        for _ in range(TRIES):
            try:
                return self.nodes[self.here].call(*args)
            except RedisError as error:
                moved = re.match(r"MOVED \d+ .*:(\d+)$", str(error))
                if not moved:
                    raise
                self.here = [node.port for node in self.nodes].index(int(moved[1]))
        raise AssertionError(f"{args[0]}: sent round in circles")

    def hash(self, key):
        flat = self.call("HGETALL", key)
        return dict(zip(flat[::2], flat[1::2]))

    def keys(self, pattern="*"):
        return sorted(key for node in self.nodes for key in node.client().keys(pattern))

    def move(self, key, number):
        """What is written to the slot meanwhile may be answered ASK or TRYAGAIN."""
        slot, old = self.nodes[0].call("CLUSTER", "KEYSLOT", key), self.nodes[self.node_of(key)]
        new = self.nodes[number]
        if new is old:
            return
        ids = [node.call("CLUSTER", "MYID") for node in (old, new)]
        new.call("CLUSTER", "SETSLOT", slot, "IMPORTING", ids[0])
        old.call("CLUSTER", "SETSLOT", slot, "MIGRATING", ids[1])
        while keys := old.call("CLUSTER", "GETKEYSINSLOT", slot, 100):
            old.call("MIGRATE", "127.0.0.1", new.port, "", 0, 5000, "KEYS", *keys)
        for node in (new, old, *self.nodes):
            node.call("CLUSTER", "SETSLOT", slot, "NODE", ids[1])

    def spread(self, keys):
        """One node after the other gets one of these."""
        for place, key in enumerate(keys):
            self.move(key, place % NODES)

    def pause(self, number):
        self.nodes[number].child.send_signal(signal.SIGSTOP)

    def resume(self, number):
        self.nodes[number].child.send_signal(signal.SIGCONT)

    def kill(self, number):
        self.nodes[number].kill()

    def start(self, number):
        self.nodes[number].start()
        wait_for(self.nodes[number].knows_all, 30, "the node that came back")

    def close(self):
        for node in self.nodes:
            node.kill()


class Node:
    def __init__(self, folder, options):
        self.folder, self.options = folder, options
        folder.mkdir()
        self.child = self._client = None
        for _ in range(TRIES):          # a free port may be taken by the time it is wanted
            self.port, self.bus = free_port(), free_port()
            if self.start():
                break
        else:
            raise AssertionError(self.log())
        self.url = f"redis://127.0.0.1:{self.port}"

    def start(self):
        """False when it ended at once."""
        with open(self.folder / "redis.log", "ab") as log:
            self.child = subprocess.Popen(
                ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1",
                 "--cluster-enabled", "yes", "--cluster-port", str(self.bus),
                 "--cluster-node-timeout", "2000", "--cluster-require-full-coverage", "no",
                 "--save", "", "--appendonly", "yes", "--dir", str(self.folder), *self.options],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        return wait_for(lambda: self.answers() or self.child.poll() is not None, 20, "a node") \
            and self.child.poll() is None

    def log(self):
        return (self.folder / "redis.log").read_text(errors="replace")

    def client(self):
        if self._client is None:
            self._client = Redis(f"redis://127.0.0.1:{self.port}")
        return self._client

    def call(self, *args):
        return self.client().call(*args)

    def answers(self):
        try:
            return self.call("PING") == "PONG"
        except (OSError, RedisError):       # not there yet, or loading
            self._hang_up()
            return False

    def knows_all(self):
        try:
            info = self.call("CLUSTER", "INFO")
            nodes = self.call("CLUSTER", "NODES")
        except (OSError, RedisError):
            self._hang_up()
            return False
        return "cluster_state:ok" in info and f"cluster_slots_ok:{SLOTS}" in info \
            and f"cluster_known_nodes:{NODES}" in info and nodes.count(" connected") == NODES

    def _hang_up(self):
        if self._client is not None:
            self._client.close()
            self._client = None

    def kill(self):
        self._hang_up()
        if self.child is not None and self.child.poll() is None:
            self.child.kill()
            self.child.wait(10)
