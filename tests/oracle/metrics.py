"""Counters + targets + an instant -> every published field, as the strings that Redis holds.

Metrics are exact fractions (None where undefined) until they are printed.
"""

import collections
import functools
from fractions import Fraction

import periods

INT64 = range(-2 ** 63, 2 ** 63)
UNDEFINED = "NaN"

CATEGORIES = ("question", "problem", "guidance", "prevention", "upsell", "bond", "warranty",
              "complaint", "other")


class Sums:
    """Counters of one scope, summed over the days of one period."""

    def __init__(self, sale, service, customer):
        self.sale = sale
        self.service = service
        self.customer = customer

    @classmethod
    def empty(cls):
        return cls(collections.Counter(), collections.Counter(), collections.Counter())


class View:
    """All that a metric may look at."""

    def __init__(self, now, before, scope, period, closed, before_known, ledger_complete):
        self.sale, self.service, self.customer = now.sale, now.service, now.customer
        self.before = before
        self.scope = scope
        self.closed = closed
        self.before_known = before_known
        self.ledger_complete = ledger_complete
        self.is_line = scope.startswith("line=")
        self.is_month_of_all = period.kind == "month" and scope == "all"


# --- printing ---------------------------------------------------------------------------------

def half_away(value):
    """The nearest integer; of two equally near ones that further from 0."""
    part, base = value.numerator, value.denominator
    magnitude = (2 * abs(part) + base) // (2 * base)
    return magnitude if part >= 0 else -magnitude


def whole(value):
    return _checked(value, 1, str)


def hundredths(value):
    return _checked(value, 100, _with_two_decimals)


def _checked(value, scale, text):
    if value is None:
        return UNDEFINED
    scaled = half_away(value * scale)
    return text(scaled) if scaled in INT64 else UNDEFINED


def _with_two_decimals(scaled):
    return f"{'-' if scaled < 0 else ''}{abs(scaled) // 100}.{abs(scaled) % 100:02}"


def ratio(part, base, scale=1):
    """scale * part / base, undefined unless the base is above 0."""
    return Fraction(part * scale, base) if base > 0 else None


def clamp(value, low, high):
    return max(low, min(value, high))


# --- histograms -------------------------------------------------------------------------------

def bucket_bounds(number):
    """The smallest and the largest second of a bucket."""
    if number < 32:
        return number, number
    exponent = number // 32 + 4
    low = (32 + number % 32) << (exponent - 5)
    return low, low + (1 << (exponent - 5)) - 1


def quantile(counters, name, tenths):
    """(value, lo and hi of its bucket) of the quantile tenths / 10, or None."""
    n = counters[name + "_n"]
    if n <= 0:
        return None
    rank = max(1, -(-tenths * n // 10))
    prefix, below = name + "_b", 0
    length = len(prefix)
    for number in sorted([int(field[length:]) for field in counters if field[:length] == prefix]):
        inside = counters[f"{prefix}{number}"]
        if inside > 0 and below + inside >= rank:
            low, high = bucket_bounds(number)
            value = Fraction((high - low) * (rank - below), inside) + low
            return (2 * value.numerator + value.denominator) // (2 * value.denominator), low, high
        below += inside
    return None


# --- the metrics: name -> (value of a View, printer, the n that a clause states) ----------------

def _sale(field):
    return lambda view: view.sale[field]


def _service(field):
    return lambda view: None if view.is_line else view.service[field]


def _customer(field):
    return lambda view: None if view.customer is None else view.customer[field]


def _of_service(formula):
    """A metric made of service counters: undefined in scopes of lines."""
    return lambda view: None if view.is_line else formula(view.service, view)


def _of_customers(formula):
    return lambda view: None if view.customer is None else formula(view.customer)


def _in_ledger(formula):
    return lambda view: (None if view.customer is None or not view.ledger_complete
                         else formula(view.customer))


def _csat(counters):
    n = counters["csat_n"]
    return ratio(clamp(counters["csat_4"] + counters["csat_5"], 0, n), n, 100)


def _nps(counters):
    n = counters["nps_n"]
    detractors = sum(counters[f"nps_{score}"] for score in range(7))
    return ratio(clamp(counters["nps_9"] + counters["nps_10"] - detractors, -n, n), n, 100)


def _easy(counters):
    n = counters["ces_n"]
    return ratio(clamp(sum(counters[f"ces_{score}"] for score in (5, 6, 7)), 0, n), n, 100)


def _mean(counters, scale, highest):
    n = counters[scale + "_n"]
    return ratio(clamp(counters[scale + "_sum"], n, highest * n), n)


def _first_contact_base(counters):
    return counters["contacts_known"] - counters["reopened_known"]


def _first_contact(counters):
    base = _first_contact_base(counters)
    return ratio(clamp(counters["first_contact"] - counters["first_contact_undone"], 0, base),
                 base, 100)


def _quantile_metric(name, tenths):
    def formula(service, view):
        found = quantile(service, name, tenths)
        return None if found is None else found[0]
    return _of_service(formula)


def _retention(view):
    if view.customer is None or not view.is_month_of_all or not view.before_known:
        return None
    return ratio(view.customer["retained"], view.before.customer["month_buyers"], 100)


def _buyers(view):
    if view.customer is None or not view.is_month_of_all:
        return None
    return view.customer["month_buyers"]


def _buyers_before(view):
    return view.before.customer["month_buyers"] if view.before.customer is not None else None


def _metric_table():
    opened, orders = _service("opened"), _sale("orders")
    identified, returning = _customer("orders_identified"), _customer("orders_returning")
    satisfied, dissatisfied = _customer("satisfied"), _customer("dissatisfied")
    table = {
        "orders": (orders, whole, orders),
        "units": (_sale("units"), whole, orders),
        "interactions": (_sale("interactions"), whole, _sale("interactions")),
        "interactions_prospect": (_sale("interactions_prospect"), whole, _sale("interactions")),
        "referred_by_sale": (_sale("referred"), whole, _sale("referred")),
    }
    for field in ("opened", "opened_before", "opened_during", "opened_after",
                  *("category_" + word for word in CATEGORIES)):
        table[field] = (_service(field), whole, opened)

    def service(name, formula, printer, n):
        table[name] = (_of_service(formula), printer, n)

    service("after_pct", lambda c, view: ratio(c["opened_after"], c["opened"], 100), hundredths,
            opened)
    service("contact_rate", lambda c, view: ratio(c["opened_after"], view.sale["orders"], 100),
            hundredths, orders)
    service("csat_pct", lambda c, view: _csat(c), hundredths, _service("csat_n"))
    service("csat_mean", lambda c, view: _mean(c, "csat", 5), hundredths, _service("csat_n"))
    service("nps", lambda c, view: _nps(c), hundredths, _service("nps_n"))
    service("ces_mean", lambda c, view: _mean(c, "ces", 7), hundredths, _service("ces_n"))
    service("ces_easy_pct", lambda c, view: _easy(c), hundredths, _service("ces_n"))
    service("first_contact_pct", lambda c, view: _first_contact(c), hundredths,
            _of_service(lambda c, view: _first_contact_base(c)))
    for name in ("response", "resolution"):
        n = _service(name + "_n")
        table[name + "_p50"] = (_quantile_metric(name, 5), whole, n)
        table[name + "_p90"] = (_quantile_metric(name, 9), whole, n)
        service(name + "_mean",
                lambda c, view, name=name: ratio(c[name + "_sum"], c[name + "_n"]), hundredths, n)
    service("reopen_pct", lambda c, view: ratio(c["reopened"], c["resolved"], 100), hundredths,
            _service("resolved"))
    service("backlog_change", lambda c, view: c["opened"] - c["resolved"] + c["reopened"], whole,
            opened)
    service("claim_rate_pct",
            lambda c, view: ratio(c["claims"], view.sale["warranty_units"], 100), hundredths,
            _sale("warranty_units"))
    service("replaced_pct", lambda c, view: ratio(c["replaced"], c["settled"], 100), hundredths,
            _service("settled"))
    for name, tenths in (("turnaround_p50", 5), ("turnaround_p90", 9)):
        table[name] = (_quantile_metric("turnaround", tenths), whole, _service("turnaround_n"))
    service("honoured_pct",
            lambda c, view: ratio(c["settled_in_warranty"] - c["claim_rejected_in_warranty"],
                                  c["settled_in_warranty"], 100), hundredths,
            _service("settled_in_warranty"))
    table["referred_by_service"] = (_service("referred"), whole, _service("referred"))

    def customers(name, part, base, n, wrapped=_in_ledger):
        table[name] = (wrapped(lambda c: ratio(c[part], c[base], 100)), hundredths, n)

    new = _customer("customers_new")
    table["customers_new"] = (new, whole, new)
    customers("interacted_pct", "orders_after_interaction", "orders_identified", identified)
    table["buyers"] = (_buyers, whole, _customer("month_buyers"))
    customers("repeat_pct", "orders_returning", "orders_identified", identified, _of_customers)
    customers("after_service_pct", "orders_after_service", "orders_returning", returning)
    customers("satisfied_return_pct", "satisfied_returned", "satisfied", satisfied)
    customers("dissatisfied_return_pct", "dissatisfied_returned", "dissatisfied", dissatisfied)
    table["retention_pct"] = (_retention, hundredths, _buyers_before)
    table["converted_by_sale"] = (_customer("customers_new_by_sale"), whole, new)
    table["converted_by_service"] = (_customer("customers_new_by_service"), whole, new)
    return table


SLO_METRICS = _metric_table()

INTEGER_THRESHOLDS = {name for name, (_, printer, _) in SLO_METRICS.items() if printer is whole} \
    | {"response_mean", "resolution_mean"}

DENOMINATORS = {
    "warranty_units": _sale("warranty_units"),
    **{name: _service(name) for name in (
        "csat_n", "nps_n", "ces_n", "response_n", "resolution_n", "contacts_known", "settled",
        "settled_in_warranty")},
    **{name: _customer(name) for name in (
        "orders_identified", "orders_returning", "satisfied", "dissatisfied")},
}


def revenue(sale, code):
    return sale["net:" + code] - sale["refund_net:" + code]


def gross_profit(sale, code):
    return (sale["net_costed:" + code] - sale["cost:" + code]
            - sale["refund_net_costed:" + code] + sale["refund_cost:" + code])


def _currency_fields(view, code):
    sale = lambda field: view.sale[f"{field}:{code}"]
    made, earned = revenue(view.sale, code), gross_profit(view.sale, code)
    assisted = sale("assisted_net") - sale("refund_assisted_net")
    change = None
    if view.closed and view.before_known:
        earlier = revenue(view.before.sale, code)
        change = ratio(made - earlier, earlier, 100)
    return {
        f"revenue:{code}": whole(made),
        f"gross_profit:{code}": whole(earned),
        f"margin_pct:{code}": hundredths(
            ratio(earned, sale("net_costed") - sale("refund_net_costed"), 100)),
        f"cost_coverage_pct:{code}": hundredths(ratio(sale("net_costed"), sale("net"), 100)),
        f"average_order:{code}": whole(ratio(sale("net"), sale("orders"))),
        f"refund_pct:{code}": hundredths(ratio(sale("refund_net"), sale("net"), 100)),
        f"refund_cost_coverage_pct:{code}": hundredths(
            ratio(sale("refund_net_costed"), sale("refund_net"), 100)),
        f"revenue_change_pct:{code}": hundredths(change),
        f"assisted_revenue:{code}": whole(assisted),
        f"assisted_pct:{code}": hundredths(ratio(assisted, made, 100)),
    }


# --- cohorts ----------------------------------------------------------------------------------

def cohorts(months_of_customers, until=None):
    """{(year, month) of the first purchase: [customers who bought 0, 1, 2 ... months later]}.

    months_of_customers: for each customer the set of months with a purchase. Rows end with the
    month `until`, else with the newest."""
    numbers = [sorted(12 * year + month - 1 for year, month in months)
               for months in months_of_customers if months]
    newest = max((each[-1] for each in numbers), default=0)
    last = newest if until is None else 12 * until[0] + until[1] - 1
    triangle = {}
    for each in numbers:
        if each[0] <= last:
            row = triangle.setdefault(each[0], [0] * (last - each[0] + 1))
            for number in each:
                if number <= last:
                    row[number - each[0]] += 1
    return {(first // 12, first % 12 + 1): row for first, row in sorted(triangle.items())}


# --- targets ----------------------------------------------------------------------------------

class Pace:
    """How much of a period's weight has passed (w) at an instant, of how much (W)."""

    def __init__(self, w, W, greatest):
        self.w = w
        self.W = W
        self.greatest = greatest


def pace_of(zone, targets, period, as_of):
    W = 86400 * sum(targets.weight(day) for day in period.days())
    greatest = max(targets.weights)
    if as_of >= zone.first_instant(period.end):
        return Pace(W, W, greatest)
    today = zone.wall(as_of).date()
    w = 86400 * sum(targets.weight(day) for day in period.days() if day < today)
    if period.first <= today:
        start, end = zone.first_instant(today), zone.first_instant(today + periods.ONE_DAY)
        w += targets.weight(today) * 86400 * (as_of - start) // (end - start)
    return Pace(w, W, greatest)


def actual_of(sale, target):
    if target.measure == "orders":
        return sale["orders"]
    formula = revenue if target.measure == "revenue" else gross_profit
    return formula(sale, target.currency)


def _target_fields(view, target, pace):
    actual, amount = actual_of(view.sale, target), target.amount
    gap = max(0, amount - actual)
    printer = hundredths if target.measure == "orders" else whole
    fields = {
        "target": whole(amount),
        "attainment_pct": hundredths(ratio(actual, amount, 100)),
        "gap": whole(gap),
        "pace_pct": hundredths(ratio(actual * pace.W, amount * pace.w, 100)),
        "forecast": printer(ratio(actual * pace.W, pace.w)),
        "required_rate": printer(ratio(gap * 86400 * pace.greatest, pace.W - pace.w)),
    }
    return {f"{name}:{target.name}": text for name, text in fields.items()}


def judge_sale(view, targets, pace, published):
    """(state, name of the target that decided, clause)."""
    judged = _judged(view.sale, targets)
    if judged is None:
        return "none", "none", f"targets 0 < 1 (n={view.sale['orders']})"
    orders = "orders" if judged.currency is None else "orders:" + judged.currency
    n = view.sale[orders]
    actual, name = actual_of(view.sale, judged), judged.name
    attainment = f"attainment_pct:{name} {published['attainment_pct:' + name]}"
    paced = f"pace_pct:{name} {published['pace_pct:' + name]}"
    if actual >= judged.amount:
        return "good", name, f"{attainment} >= 100.00 (n={n})"
    if view.closed:
        return "weak", name, f"{attainment} < 100.00 (n={n})"
    if pace.w == 0:
        return "good", name, f"elapsed_weight 0 <= 0 (n={n})"
    if actual * pace.W >= judged.amount * pace.w:
        return "good", name, f"{paced} >= 100.00 (n={n})"
    return "weak", name, f"{paced} < 100.00 (n={n})"


def _judged(sale, targets):
    for measure in ("gross_profit", "revenue", "orders"):
        found = [target for target in targets if target.measure == measure]
        if found:
            return min(found, key=lambda target: (
                Fraction(actual_of(sale, target), target.amount), target.currency or ""))
    return None


# --- service ----------------------------------------------------------------------------------

class ServiceState:
    def __init__(self, state, clauses, ratings_needed=None):
        self.state = state
        self.clauses = clauses
        self.ratings_needed = ratings_needed


def judge_service(view, targets):
    least, floor = targets.min_ratings, targets.nps_floor
    if view.is_line:
        return _unknown(UNDEFINED, UNDEFINED, 0, 0, targets)
    service = view.service
    csat_n, nps_n = service["csat_n"], service["nps_n"]
    has_csat, has_nps = csat_n >= least, floor is not None and nps_n >= least
    if not has_csat and not has_nps:
        return _unknown(csat_n, nps_n, csat_n, nps_n, targets)
    csat, nps = _csat(service), _nps(service)
    csat_clause = lambda op, bound: \
        f"csat_pct {hundredths(csat)} {op} {hundredths(bound)} (n={csat_n})"
    nps_clause = lambda op: f"nps {hundredths(nps)} {op} {hundredths(floor)} (n={nps_n})"

    csat_fell = has_csat and csat < targets.csat_floor
    nps_fell = has_nps and nps < floor
    if csat_fell or nps_fell:
        clauses = [csat_clause("<", targets.csat_floor)] if csat_fell else []
        clauses += [nps_clause("<")] if nps_fell else []
        needed = ratings_needed(service, targets.csat_floor) if csat_fell else None
        return ServiceState("unhappy", clauses, needed)

    clauses = []
    if view.before_known and view.before.service["csat_n"] >= least and csat is not None:
        bound = _csat(view.before.service) - targets.slip
        if csat <= bound:
            clauses.append(csat_clause("<=", bound))
    clauses += [clause for slo in targets.slo if (clause := breach(view, slo))]
    if clauses:
        return ServiceState("at_risk", clauses)
    return ServiceState("content", ([csat_clause(">=", targets.csat_floor)] if has_csat else [])
                        + ([nps_clause(">=")] if has_nps else []))


def _unknown(csat, nps, csat_n, nps_n, targets):
    clauses = [f"csat_n {csat} < {targets.min_ratings} (n={csat_n})"]
    if targets.nps_floor is not None:
        clauses.append(f"nps_n {nps} < {targets.min_ratings} (n={nps_n})")
    return ServiceState("unknown", clauses)


def ratings_needed(service, floor_pct):
    """How many further 4s and 5s in a row lift CSAT to the floor; None when none can."""
    floor = int(floor_pct * 100)
    if floor == 10000:
        return None
    short = floor * service["csat_n"] - 10000 * (service["csat_4"] + service["csat_5"])
    return max(0, -(-short // (10000 - floor)))


def breach(view, slo):
    """The clause of a bound that does not hold, or None."""
    formula, printer, n = SLO_METRICS[slo.metric]
    value = formula(view)
    if value is None or printer(value) == UNDEFINED:
        return None
    decisive = value
    if slo.metric.endswith(("_p50", "_p90")):
        _, low, high = quantile(view.service, slo.metric[:-4], 5 if slo.metric[-2] == "5" else 9)
        decisive = low if slo.is_max else high
    if not (decisive > slo.bound if slo.is_max else decisive < slo.bound):
        return None
    bound = (whole if slo.metric in INTEGER_THRESHOLDS else hundredths)(slo.bound)
    return f"{slo.metric} {printer(value)} {'>' if slo.is_max else '<'} {bound} (n={n(view)})"


# --- the whole --------------------------------------------------------------------------------

VERDICTS = {
    ("good", "content"): ("both_healthy", "ok"),
    ("good", "at_risk"): ("service_slipping", "warning"),
    ("good", "unhappy"): ("customers_unhappy", "warning"),
    ("good", "unknown"): ("service_unmeasured", "notice"),
    ("weak", "content"): ("sales_behind", "warning"),
    ("weak", "at_risk"): ("both_slipping", "critical"),
    ("weak", "unhappy"): ("both_weak", "critical"),
    ("weak", "unknown"): ("sales_behind_unmeasured", "warning"),
    ("none", "content"): ("content_no_target", "ok"),
    ("none", "at_risk"): ("slipping_no_target", "warning"),
    ("none", "unhappy"): ("unhappy_no_target", "warning"),
    ("none", "unknown"): ("no_data", "notice"),
}


class Comparison:
    """Publishes from one state of the counters: {Redis key: {field: integer}}.

    has_customers says whether customer counters exist at all: without them what is made of them
    is undefined, not 0."""

    def __init__(self, hashes, settings, targets, currencies, has_customers=False):
        self.hashes = hashes
        self.settings = settings
        self.targets = targets
        self.currencies = sorted(currencies)
        self.has_customers = has_customers
        self.sums = functools.lru_cache(maxsize=None)(self._sums)

    def _sums(self, scope, kind, first):
        days = periods.Period(kind, first).days()
        return Sums(self._side("sale", scope, days), self._side("service", scope, days),
                    self._side("customer", scope, days) if self.has_customers else None)

    def _side(self, side, scope, days):
        total = collections.Counter()
        for day in days:
            for field, amount in self.hashes.get(
                    self.settings.key(side, "day", day.isoformat(), scope), {}).items():
                total[field] += amount
        return total

    def view(self, scope, period, closed):
        before, settings = period.previous(), self.settings
        before_known = settings.floor is None or before.first >= settings.floor
        return View(
            self.sums(scope, period.kind, period.first),
            self.sums(scope, before.kind, before.first) if before_known else Sums.empty(),
            scope, period, closed, before_known,
            settings.ledger_from is None or period.first >= settings.ledger_from)

    def publish(self, scope, period, as_of):
        """Every field but `store` and `revision`, which say who published and not what."""
        closed = as_of >= self.settings.zone.first_instant(period.end)
        view = self.view(scope, period, closed)
        pace = pace_of(self.settings.zone, self.targets, period, as_of)
        targets = self.targets.of(scope, period)
        fields = {name: printer(formula(view))
                  for name, (formula, printer, _) in SLO_METRICS.items()}
        fields.update((name, whole(formula(view))) for name, formula in DENOMINATORS.items())
        for code in self.currencies:
            fields.update(_currency_fields(view, code))
        for target in targets:
            fields.update(_target_fields(view, target, pace))

        sale_state, judged, clause = judge_sale(view, targets, pace, fields)
        service = judge_service(view, self.targets)
        verdict, severity = VERDICTS[sale_state, service.state]
        return {
            "business": self.settings.business, "scope": scope, "period_kind": period.kind,
            "period": period.name, "as_of": str(as_of), "closed": "1" if closed else "0",
            "sale_state": sale_state, "service_state": service.state,
            "provisional": "1" if 10 * pace.w < pace.W else "0", "judged": judged,
            "verdict": verdict, "severity": severity,
            "reasons": "; ".join([clause] + service.clauses),
            "ratings_needed": whole(service.ratings_needed), **fields}
