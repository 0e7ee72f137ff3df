"""A Redis Cluster: whichever node the URL names, the node that has the keys is found and kept."""

from cluster import NODES, Cluster
from counting import CountingCase
from harness import main, order, ticket, wait_for


class InACluster(CountingCase):
    def setUp(self):
        super().setUp()
        self.cluster = Cluster(self)
        self.world.make_topics()
        self.owner = self.cluster.node_of(self.key("floor"))
        self.other = (self.owner + 1) % NODES

    def send(self, first, count):
        self.world.send_events([order(n, customer=f"c-{n % 7}") for n in range(first, first + count)])

    def test_workers_find_the_node_of_their_keys_from_every_other(self):
        for number in range(NODES):
            self.cluster.use(self, number)
            self.send(100 * number, 50)
            self.world.send_events([ticket(number)])
            self.count()
        self.assert_counted()
        self.assertEqual(self.total("sale")["orders"], 50 * NODES)
        self.assertEqual({self.cluster.node_of(key) for key in self.cluster.keys()}, {self.owner})

    def test_a_worker_follows_its_slot_to_another_node(self):
        self.cluster.use(self, self.other)
        worker = self.start()
        self.send(0, 50)
        self.wait_counted("sales")
        self.cluster.move(self.key("floor"), self.other)
        self.send(50, 50)
        self.wait_counted("sales")
        self.cluster.use(self, self.owner)
        self.count(kinds=["service"])
        self.assert_counted()
        self.assertEqual(worker.stop(), 0, worker.err())

    def test_a_worker_waits_for_a_node_that_is_away_and_goes_on_with_it(self):
        self.cluster.use(self, self.other)
        worker = self.start()
        self.send(0, 50)
        self.wait_counted("sales")
        self.cluster.kill(self.owner)
        self.send(50, 50)
        wait_for(lambda: worker.said(f":{self.cluster.nodes[self.owner].port}:"), 30,
                 "the node's address")
        self.cluster.start(self.owner)
        self.wait_counted("sales")
        self.assertEqual(worker.stop(), 0, worker.err())
        self.count(kinds=["service"])
        self.assert_counted()


main()
