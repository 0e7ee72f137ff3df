"""Everything at once: events of every type at random, repeated ones, and every example of the
contract, good and bad, with targets. All that is counted and published equals the oracle's."""

import datetime
import glob
import json
import random
import time

from counting import ROOT, CountingCase
from harness import event, lines, main
from own_redis import OwnRedis

EVENTS = 4000
AGAIN = 250
PLAIN = r"^(-?(0|[1-9][0-9]*)(\.[0-9]+)?|NaN)$"
WORDS = {"business", "scope", "period_kind", "period", "store", "sale_state", "service_state",
         "judged", "verdict", "severity", "reasons"}


class Mixture:
    """Events of the last `days` days, the same for the same seed and second."""

    def __init__(self, seed, days=50):
        self.random = random.Random(seed)
        self.days = days
        self.now = int(time.time()) - 60

    def time(self):
        r = self.random
        back = r.random() * 5 * 3600 if r.random() < .2 else r.random() ** 2 * self.days * 86400
        moment = datetime.datetime.fromtimestamp(self.now - back, datetime.timezone.utc)
        return moment.isoformat(timespec="milliseconds")

    def maybe(self, share, **members):
        return members if self.random.random() < share else {}

    def money(self, most=10**7):
        return self.random.randrange(most)

    def one_of(self, words):
        return self.random.choice(words.split())

    def seconds(self, digits):
        return int(10 ** (self.random.random() * digits))

    def common(self):
        r = self.random
        value = lambda name, n: "__own" if r.random() < .02 else f"{name}{r.randrange(n)}"
        return {**self.maybe(.8, customer=f"c{r.randrange(200)}"),
                **self.maybe(.7, region=value("region", 6)), **self.maybe(.7, rep=value("rep", 4)),
                **self.maybe(.4, labels={"segment": f"s{r.randrange(5)}", "other": "x"})}

    def order(self, ref):
        r = self.random
        items = [{"sku": "x", "qty": r.randrange(4), "net": self.money(),
                  **self.maybe(.8, line=f"l{r.randrange(6)}"),
                  **self.maybe(.7, cost=self.money(8 * 10**6))} for _ in range(r.randrange(5))]
        net = sum(item["net"] for item in items) if items else self.money()
        own = {"items": items} if items else self.maybe(.6, cost=self.money())
        return "sale.completed", {"order": ref, "currency": self.one_of("RON RON EUR JPY"),
                                  "net": net, **own, **self.maybe(.3, discount=self.money(1000)),
                                  **self.maybe(.3, units=r.randrange(5, 9)),
                                  **self.maybe(.3, warranty_units=0),
                                  **self.maybe(.3, assist_ticket="t1")}

    def refund(self, ref):
        r = self.random
        reason = self.one_of("return cancelled chargeback price warranty other")
        return "sale.refunded", {"refund": ref, "order": "1", "net": self.money(4 * 10**6),
                                 "currency": self.one_of("RON RON EUR JPY"), "reason": reason,
                                 **self.maybe(.5, cost=self.money(10**6)),
                                 **self.maybe(.5, full=r.random() < .5),
                                 **self.maybe(.3, assist_ticket="t"),
                                 **self.maybe(.6, line=f"l{r.randrange(6)}")}

    def interaction(self, ref):
        return "sale.interaction", {"interaction": ref,
                                    "kind": self.one_of("lead quote demo visit call other"),
                                    **self.maybe(.5, prospect=self.random.random() < .5)}

    def referral(self, ref):
        return self.one_of("sale.referred service.referred"), {"customer": "c1", "referral": ref}

    def opened(self, ref):
        category = self.one_of("question problem guidance prevention upsell bond warranty "
                               "complaint other")
        return "service.opened", {"ticket": ref, "phase": self.one_of("before during after"),
                                  "category": category,
                                  **self.maybe(.3, by=self.one_of("customer company"))}

    def resolved(self, ref):
        return "service.resolved", {"ticket": ref,
                                    **self.maybe(.8, contacts=self.random.randrange(1, 4)),
                                    **self.maybe(.8, resolution=self.seconds(6)),
                                    **self.maybe(.8, first_response=self.seconds(4))}

    def reopened(self, ref):
        undone = self.random.random() < .5
        return "service.reopened", {"ticket": ref, **self.maybe(.7, was_first_contact=undone)}

    def rated(self, ref):
        r = self.random
        scale = self.one_of("csat csat nps nps ces")
        low, high = {"csat": (1, 5), "nps": (0, 10), "ces": (1, 7)}[scale]
        return "service.rated", {"rating": ref, "scale": scale,
                                 "score": max(r.randint(low, high) for _ in range(3)),
                                 **self.maybe(.1, previous=r.randint(low, high))}

    def claimed(self, ref):
        r = self.random
        bought = f"20{r.randint(22, 26)}-{r.randint(1, 12):02}-{r.randint(1, 28):02}"
        return "service.claimed", {"claim": ref, "product": "p", "purchased": bought,
                                   "warranty_months": r.randrange(48)}

    def settled(self, ref):
        return "service.settled", {"claim": ref,
                                   "outcome": self.one_of("replaced repaired refunded rejected"),
                                   "in_warranty": self.random.random() < .6,
                                   **self.maybe(.8, turnaround=self.seconds(6))}

    def events(self, count):
        makers = [self.order] * 4 + [self.rated] * 2 + [
            self.refund, self.interaction, self.referral, self.opened, self.resolved,
            self.reopened, self.claimed, self.settled]
        made = []
        for number in range(count):
            type_, data = self.random.choice(makers)(str(number))
            made.append(event(type_, str(number), {**self.common(), **data}, time=self.time()))
        return made + self.random.sample(made, AGAIN)

    def targets(self):
        """Of every kind of period, some of them with a scope."""
        r = self.random
        today = datetime.datetime.fromtimestamp(self.now, datetime.timezone.utc).date()
        periods = []
        for day in (today, today - datetime.timedelta(31)):
            year, week, _ = day.isocalendar()
            periods += [day.isoformat(), f"{year}-W{week:02}", f"{day:%Y-%m}"]
        periods += [f"{today.year}-Q{(today.month + 2) // 3}", str(today.year)]
        scopes = [{}, {"region": "region1"}, {"line": "l2"}, {"labels.segment": "s1"}]
        listed = [{"period": period, **scope, "measure": measure, **money}
                  for period in periods for scope in scopes
                  for measure, money in (("gross_profit", {"currency": "RON"}),
                                         ("revenue", {"currency": "EUR"}), ("orders", {}))
                  if r.random() < .4]
        for target in listed:
            target["amount"] = r.randrange(1, 800 if target["measure"] == "orders" else 3 * 10**9)
        slo = [{"metric": "response_p90", "max": 4000}, {"metric": "reopen_pct", "max": "40.00"},
               {"metric": "honoured_pct", "min": "70"}, {"metric": "backlog_change", "max": 5}]
        holiday = today - datetime.timedelta(2)
        return {"version": 1, "targets": listed,
                "pace": {"weights": [3, 2, 2, 2, 2, 1, 1], "holidays": [holiday.isoformat()]},
                "service": {"min_ratings": 5, "csat_floor": "70.5", "nps_floor": "-20.5",
                            "slip": "3.00", "slo": slo}}


def examples(world):
    """The records of schemas/examples, by topic. Their time stamps are long past at Kafka's eyes,
    which is fine with topics that keep everything."""
    found = {world.sales: [], world.service: []}
    for path in sorted(glob.glob(str(ROOT / "schemas/examples/*.json"))):
        with open(path, encoding="utf-8") as file:
            row = json.load(file)
        topic = world.sales if row["topic"].endswith("sales") else world.service
        found[topic].append({**row, "topic": topic})
    return found


class Everything(CountingCase):
    def setUp(self):
        super().setUp()
        self.use_redis(OwnRedis(self).url)
        self.use(timezone="America/St_Johns", scopes=["region", "rep", "line", "labels.segment"],
                 scope_limit=4, dedup_window=300)
        self.world.make_topics()

    def test_all_that_is_counted_and_published_equals_the_oracles(self):
        mixture = Mixture(seed=3)
        targets = self.world.write("targets.json", json.dumps(mixture.targets()))
        self.world.must("emit", self.world.write("events", lines(mixture.events(EVENTS))))
        for rows in examples(self.world).values():
            text = "".join(json.dumps(row) + "\n" for row in rows)
            self.world.tool("produce", self.world.brokers, input=text.encode())
        self.count()
        self.world.must("reporter", "--once", "--targets", targets, timeout=120)
        self.assertGreater(self.assert_counted(targets=targets), 100_000)
        fields = self.redis.hash(self.key("comparison:current:month:all"))
        self.assertGreater(len(fields), 80)
        for field in fields.keys() - WORDS:
            self.assertRegex(fields[field], PLAIN, field)


main()
