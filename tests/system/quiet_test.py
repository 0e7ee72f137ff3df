"""What an event says and who its customer is stands in no log line above debug."""

from counting import CountingCase
from harness import main, order, structured, ticket

CUSTOMER = "c-nobody-may-know"
NOTE = "words-of-a-customer"
ROLES = (("sales-worker", "--exit-at-end"), ("service-worker", "--exit-at-end"),
         ("customers-worker", "--exit-at-end"), ("reporter", "--once"), ("audit",))


class Quiet(CountingCase):
    def test_no_role_logs_a_customer_or_the_contents_of_an_event(self):
        self.world.make_topics()
        bad = [{"key": CUSTOMER, "value": f'{{"{NOTE}'},
               structured(order(NOTE, customer=CUSTOMER, net=NOTE)),
               structured(order(2, customer=CUSTOMER, currency=NOTE))]
        for topic in (self.world.sales, self.world.service):
            self.world.produce(topic, [*bad, *bad])
        self.world.send_events([order(NOTE, customer=CUSTOMER), order(NOTE, customer=CUSTOMER),
                                ticket(NOTE, customer=CUSTOMER)])
        for role in ROLES:
            done = self.world.run(*role)
            self.assertEqual(done.returncode, 0, done.stderr)
            for word in (CUSTOMER, NOTE):
                self.assertNotIn(word, done.stderr, role[0])
        self.assertEqual(self.total("sale")["orders"], 1)


main()
