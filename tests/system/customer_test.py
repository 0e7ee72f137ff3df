"""`tandem customer` and `tandem forget`: what is known of one customer, and how it goes."""

import json
import os
import pty
import re
import subprocess

from cluster import Cluster
from harness import BIN, ROOT, TestCase, event, main, order, ticket
from ledger_hand import LedgerHand

WHO = "c-1042"


def at(time, made):
    return {**made, "time": time}


def rated(number, score, time, customer=WHO, scale="csat"):
    data = {"customer": customer, "rating": str(number), "scale": scale, "score": score}
    return event("service.rated", str(number), data, time=time)


def a_life(customer=WHO):
    """Some of everything that is kept."""
    return [
        at("2026-01-31T22:30:00Z", order(1, customer=customer, region="north", channel="online")),
        at("2026-07-01T10:00:00.9Z", order(2, customer=customer, region="south")),
        event("sale.referred", "f-1", {"customer": customer, "referral": "f-1"},
              time="2026-01-05T08:00:00Z"),
        event("sale.interaction", "i-1", {"customer": customer, "interaction": "i-1", "kind": "call"},
              time="2026-01-20T08:00:00Z"),
        at("2026-02-10T09:00:00Z", ticket(1, customer=customer)),
        at("2026-02-20T09:00:00Z", ticket(2, customer=customer)),
        at("2026-06-20T09:00:00Z", ticket(3, customer=customer)),
        rated("r-1", 2, "2026-02-11T09:00:00Z", customer),
        rated("r-1", 5, "2026-02-12T09:00:00Z", customer),
        rated("r-2", 9, "2026-06-21T09:00:00Z", customer, "nps"),
    ]


class LedgerCase(TestCase):
    def setUp(self):
        super().setUp()
        self.redis = self.world.redis
        self.ledger = LedgerHand(self.world, self.redis)

    def known(self, who=WHO, **more):
        return json.loads(self.world.must("customer", who, "--format", "json", **more))

    def refuse(self, status, *args, **more):
        done = self.world.run(*args, **more)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stderr

    def everything(self):
        """All that lies in Redis of this business."""
        found = {}
        for key in self.redis.keys(f"tandem:{{{self.world.business}*"):
            kind = self.redis.call("TYPE", key)
            found[key] = self.redis.hash(key) if kind == "hash" else self.redis.call("GET", key)
        return found


class Customer(LedgerCase):
    def test_all_that_is_kept_is_printed_in_the_times_of_the_business(self):
        self.ledger.put(a_life())
        known = self.known(env={"TANDEM_TIMEZONE": "Europe/Bucharest"})
        home = self.ledger.home(WHO)
        self.assertEqual([known[name] for name in ("customer", "business", "timezone", "partition",
                                                   "partitions", "shards")],
                         [WHO, self.world.business, "Europe/Bucharest", home, 4, 1])
        page, = known["known"]
        self.assertEqual((page["partition"], page["shard"], page["forgotten"]), (home, 0, None))
        state = page["state"]
        self.assertEqual(state.pop("bytes"),
                         self.redis.call("STRLEN", self.ledger.state_key(WHO)))
        first = {"time": "2026-02-01T00:30:00+02:00", "scopes": ["channel=online", "region=north"]}
        self.assertEqual(state, {
            "first_purchase": first,
            "months": ["2026-01", "2026-07"],       # by the zone of the worker that counted: UTC
            "referral": {"time": "2026-01-05T10:00:00+02:00", "side": "sale"},
            "overflowed": False,
            "purchases": [first, {"time": "2026-07-01T13:00:00+03:00", "scopes": ["region=south"]}],
            "ratings": [
                {"time": "2026-02-12T11:00:00+02:00", "scale": "csat", "score": 5, "scopes": []},
                {"time": "2026-06-21T12:00:00+03:00", "scale": "nps", "score": 9, "scopes": []}],
            "ratings_replaced": 1,
            "contacts": [
                {"first": "2026-02-10T11:00:00+02:00", "last": "2026-02-20T11:00:00+02:00"},
                {"first": "2026-06-20T12:00:00+03:00", "last": "2026-06-20T12:00:00+03:00"}],
            "interactions": [
                {"first": "2026-01-20T10:00:00+02:00", "last": "2026-01-20T10:00:00+02:00"}],
        })

    def test_people_read_the_same_as_text(self):
        self.ledger.put(a_life())
        said = self.world.must("customer", WHO)
        for words in (f"customer {WHO} of business {self.world.business}: partition "
                      f"{self.ledger.home(WHO)} of 4, ledger shard 0 of 1; times of UTC",
                      "first purchase:\n    2026-01-31T22:30:00+00:00   channel=online, region=north",
                      "months with a purchase: 2026-01 2026-07",
                      "purchases that counters depend on: 2",
                      "recommended: 2026-01-05T08:00:00+00:00, by the sale side",
                      "ratings: 2, in place of 1 earlier ones",
                      "2026-02-12T09:00:00+00:00   csat 5",
                      "2026-02-10T09:00:00+00:00 to 2026-02-20T09:00:00+00:00",
                      "interactions, those within 90 days of each other as one:"):
            self.assertIn(words, said)

    def test_who_only_asked_has_no_purchase(self):
        self.ledger.put([ticket(1, customer=WHO)])
        self.assertIn("no purchase", self.world.must("customer", WHO))
        state = self.known()["known"][0]["state"]
        self.assertEqual((state["first_purchase"], state["purchases"], state["months"]),
                         (None, [], []))

    def test_a_house_account_says_that_nothing_more_is_kept(self):
        self.ledger = LedgerHand(self.world, self.redis, limit=3)
        self.ledger.put(a_life())
        self.assertIn("more purchases and ratings than ledger.limit",
                      self.world.must("customer", WHO))
        self.assertTrue(self.known()["known"][0]["state"]["overflowed"])

    def test_of_a_stranger_nothing_is_known_and_the_status_is_1(self):
        self.ledger.put(a_life())
        said = self.refuse(1, "customer", "c-1")
        self.assertIn(f"nothing is known of customer c-1 in business {self.world.business}", said)
        done = self.world.run("customer", "c-1", "--format", "json")
        self.assertEqual((done.returncode, json.loads(done.stdout)["known"]), (1, []))

    def test_what_cannot_be_an_id_is_refused_with_the_rule(self):
        for bad in ("", "c 1", "ăna", "c/1", "x" * 65):
            for command in ("customer", "forget"):
                self.assertIn("1-64 of A-Z a-z 0-9 . _ -", self.refuse(2, command, bad))

    def test_a_state_in_another_partition_is_found_and_said_to_be_one(self):
        elsewhere = (self.ledger.home(WHO) + 1) % 4
        self.ledger.put([order(1, customer=WHO)], partition=elsewhere)
        self.assertIn(f"partition {elsewhere}, where events of this id do not belong today:",
                      self.world.must("customer", WHO))
        self.ledger.put([order(2, customer=WHO)])
        self.assertEqual([page["partition"] for page in self.known()["known"]],
                         [self.ledger.home(WHO), elsewhere])

    def test_more_partitions_than_one_question_holds_are_all_asked(self):
        self.ledger = LedgerHand(self.world, self.redis, shards=2, partitions=1300)
        for partition in (0, 1, 995, 1298, 1299):
            self.ledger.put([order(partition, customer=WHO)], partition=partition)
        self.assertEqual(sorted(page["partition"] for page in self.known()["known"]),
                         [0, 1, 995, 1298, 1299])

    def test_without_a_ledger_it_says_that_nobody_has_counted(self):
        self.redis.call("DEL", self.ledger.key(0, "position:customers"))
        self.assertIn("no customers-worker has counted yet", self.refuse(1, "customer", WHO))

    def test_a_damaged_ledger_is_named(self):
        self.ledger.put(a_life())
        self.redis.call("SET", self.ledger.state_key(WHO), "no state")
        self.assertIn(f"shard 0, partition {self.ledger.home(WHO)}: 8 bytes that are no customer's",
                      self.refuse(1, "customer", WHO))
        self.ledger.position(0, definition="fold=1\n")
        self.assertIn("does not tell ledger.shards", self.refuse(1, "customer", WHO))

    def test_every_shard_is_found_on_whichever_node_it_lies(self):
        cluster = Cluster(self)
        self.ledger = LedgerHand(self.world, cluster, shards=4)
        customers = [f"c-{n}" for n in range(8)]
        self.ledger.put([order(n, customer=c) for n, c in enumerate(customers)])
        cluster.spread(self.ledger.key(shard, "") for shard in range(4))
        for customer, url in zip(customers, 3 * cluster.urls):
            page, = self.known(customer, env={"TANDEM_REDIS": url})["known"]
            self.assertEqual(page["shard"], self.ledger.home(customer) % 4)
            self.assertEqual(len(page["state"]["purchases"]), 1)
            self.world.must("forget", customer, "--yes", env={"TANDEM_REDIS": url})
            self.assertEqual(cluster.call("EXISTS", self.ledger.state_key(customer)), 0)


class Forget(LedgerCase):
    def setUp(self):
        super().setUp()
        self.ledger.put(a_life() + a_life("c-2"))
        self.home = self.ledger.home(WHO)

    def marks(self):
        return self.redis.hash(self.ledger.key(0, "forgotten"))

    def forget(self, who=WHO):
        return self.world.must("forget", who, "--yes")

    def where(self):
        """The positions of the customer's partition, as a mark has them."""
        return f"{self.ledger.ends['sales', self.home]}:{self.ledger.ends['service', self.home]}"

    def test_the_state_goes_a_mark_stays_and_nothing_else_changes(self):
        before = self.everything()
        said = self.forget()
        after = self.everything()
        (field, mark), = self.marks().items()
        self.assertRegex(field, rf"^{self.home}:[0-9a-f]{{32}}$")
        self.assertEqual(mark, self.where())
        position = self.ledger.key(0, "position:customers")
        ledger = after[position].pop("ledger")
        self.assertRegex(ledger, "^[0-9a-f]{16}$")
        self.assertEqual(before[position].pop("ledger"), "")
        del before[self.ledger.state_key(WHO)], after[self.ledger.key(0, "forgotten")]
        self.assertEqual(after, before)
        self.assertFalse([key for key in self.everything() if WHO in key])
        sales, service = self.where().split(":")
        self.assertIn(f"from sale offset {sales} and service offset {service} on are anonymous",
                      said)
        self.assertIn("docs/privacy.md", said)

    def test_two_are_told_apart_by_their_marks(self):
        self.forget()
        ledger = self.ledger.positions(0)["ledger"]
        self.forget("c-2")
        self.assertEqual(len(self.marks()), 2)
        self.assertNotEqual(self.ledger.positions(0)["ledger"], ledger)

    def test_then_customer_says_that_it_was_forgotten(self):
        self.forget()
        sales, service = map(int, self.where().split(":"))
        page, = self.known()["known"]
        self.assertEqual((page["state"], page["forgotten"]),
                         (None, {"sale_offset": sales, "service_offset": service}))
        self.assertIn(f"forgotten: events from sale offset {sales} and",
                      self.world.must("customer", WHO))

    def test_again_it_leaves_the_mark_where_it_is(self):
        self.forget()
        before = self.marks(), self.ledger.positions(0)["ledger"]
        self.ledger.position(0, **{f"sales:{self.home}": "100:0", f"service:{self.home}": "100:0"})
        said = self.forget()
        self.assertIn("was forgotten before", said)
        self.assertIn("were and stay anonymous", said)
        self.assertEqual((self.marks(), self.ledger.positions(0)["ledger"]), before)

    def test_a_state_that_came_back_is_deleted_under_the_old_mark(self):
        self.forget()
        marks, ledger = self.marks(), self.ledger.positions(0)["ledger"]
        self.ledger.put([])
        self.assertEqual(self.redis.call("EXISTS", self.ledger.state_key(WHO)), 1)
        self.assertIn("a state that had come back is deleted", self.forget())
        self.assertEqual(self.redis.call("EXISTS", self.ledger.state_key(WHO)), 0)
        self.assertEqual(self.marks(), marks)
        self.assertNotEqual(self.ledger.positions(0)["ledger"], ledger)

    def test_it_is_forgotten_in_every_partition_and_where_its_events_will_come(self):
        elsewhere = (self.home + 1) % 4
        self.ledger.put([order(9, customer="c-9")], partition=(self.ledger.home("c-9") + 1) % 4)
        self.ledger.put([order(3, customer=WHO)], partition=elsewhere)
        self.forget()
        self.assertEqual(sorted(int(field.split(":")[0]) for field in self.marks()),
                         sorted([self.home, elsewhere]))
        self.forget("c-9")
        self.assertEqual(len(self.marks()), 4)
        self.assertFalse([key for key in self.everything() if WHO in key or "c-9" in key])

    def test_where_nobody_can_be_asked_it_wants_a_yes(self):
        before = self.everything()
        self.assertIn("--yes is needed", self.refuse(2, "forget", WHO))
        self.assertEqual(self.everything(), before)

    def test_of_a_stranger_there_is_nothing_to_forget(self):
        before = self.everything()
        self.assertIn("nothing is known of customer c-1 ", self.refuse(1, "forget", "c-1", "--yes"))
        self.assertEqual(self.everything(), before)

    def test_while_a_rebuild_is_put_in_place_it_refuses(self):
        token = self.ledger.positions(0)["token"]
        self.ledger.position(0, token=token + ":switching")
        before = self.everything()
        self.assertIn("a rebuild is being put in place", self.refuse(1, "forget", WHO, "--yes"))
        self.assertEqual(self.everything(), before)

    def rebuild(self, sales, service, shards=1):
        self.redis.call("HSET", self.ledger.key(0, "rebuild:position:customers"),
                        "definition", f"fold=1\nledger.shards={shards}\n", "ledger", "",
                        f"sales:{self.home}", f"{sales}:0", f"service:{self.home}", f"{service}:0")
        return self.ledger.key(0, "rebuild:position:customers")

    def test_a_rebuild_that_is_behind_learns_of_the_mark_too(self):
        sales, service = map(int, self.where().split(":"))
        key = self.rebuild(sales, service - 1)
        self.forget()
        self.assertEqual(self.redis.hash(key)["ledger"], self.ledger.positions(0)["ledger"])

    def test_beside_a_rebuild_that_is_further_than_the_workers_it_refuses(self):
        sales, service = map(int, self.where().split(":"))
        for more in ((sales + 1, service), (sales, service + 1)):
            self.rebuild(*more)
            before = self.everything()
            self.assertIn("has counted further", self.refuse(1, "forget", WHO, "--yes"))
            self.assertEqual(self.everything(), before)

    def test_beside_a_rebuild_in_other_shards_it_refuses(self):
        self.rebuild(0, 0, shards=2)
        before = self.everything()
        self.assertIn("from 1 to 2 ledger.shards", self.refuse(1, "forget", WHO, "--yes"))
        self.assertEqual(self.everything(), before)

    def test_a_partition_without_positions_is_damage(self):
        self.redis.call("HDEL", self.ledger.key(0, "position:customers"), f"service:{self.home}")
        before = self.everything()
        self.assertIn("no positions", self.refuse(1, "forget", WHO, "--yes"))
        self.assertEqual(self.everything(), before)

    def test_the_examples_of_the_docs_run(self):
        page = (ROOT / "docs/privacy.md").read_text()
        commands = re.findall(r"^tandem (.*)$", page, re.M)
        self.assertEqual(len(commands), 4)
        for command in commands:
            asks = command == f"forget {WHO}"
            done = self.world.run(*command.split())
            self.assertEqual(done.returncode, 2 if asks else 0, done.stderr)

    def ask(self, answer):
        """(status, what a person saw) of `tandem forget` on a terminal."""
        ours, theirs = pty.openpty()
        with subprocess.Popen([BIN, "forget", WHO], stdin=theirs, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, env=self.world.env) as child:
            os.close(theirs)
            os.write(ours, answer.encode())
            said = child.communicate(timeout=60)[0].decode()
        os.close(ours)
        return child.returncode, said

    def test_on_a_terminal_a_person_is_asked(self):
        before = self.everything()
        status, said = self.ask("n\n")
        self.assertEqual(status, 1)
        self.assertTrue(re.search(r"with 2 purchases, 2 ratings, 2 spans of contacts, 1 of", said))
        self.assertIn("cannot be brought back. [y/N]", said)
        self.assertIn("nothing was changed", said)
        self.assertEqual(self.everything(), before)
        status, said = self.ask("y\n")
        self.assertEqual((status, len(self.marks())), (0, 1), said)


main()
