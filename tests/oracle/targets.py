"""The targets file: every mistake by its path, or what the file says.

    python3 targets.py FILE [--scopes region,channel,rep,line]
"""

import argparse
import re
import sys
from fractions import Fraction

import decode
import metrics
import periods
import strict_json

MAX_FILE_BYTES = 1 << 20
MEASURES = ("gross_profit", "revenue", "orders")

_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]{0,8})(?:\.[0-9]{1,2})?")


class Target:
    def __init__(self, scope, period, measure, currency, amount):
        self.scope = scope
        self.period = period
        self.measure = measure
        self.currency = currency
        self.amount = amount

    @property
    def name(self):
        return f"{self.measure}:{self.currency}" if self.currency else self.measure

    @property
    def identity(self):
        return self.scope, self.period.name, self.name


class Slo:
    """A bound of one metric: at most or at least `bound`, in the unit that is printed."""

    def __init__(self, metric, is_max, bound):
        self.metric = metric
        self.is_max = is_max
        self.bound = bound


class Targets:
    """A valid file; made without one, the defaults. Percentages are exact fractions."""

    def __init__(self):
        self.weights = [1] * 7
        self.holidays = frozenset()
        self.targets = []
        self.min_ratings = 20
        self.csat_floor = Fraction(80)
        self.nps_floor = None
        self.slip = Fraction(5)
        self.slo = []

    def weight(self, day):
        return 0 if day in self.holidays else self.weights[day.weekday()]

    def of(self, scope, period):
        return [target for target in self.targets
                if target.scope == scope and target.period.name == period.name]


class InvalidTargets(ValueError):
    def __init__(self, mistakes):
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


def load(raw, scopes):
    """The file's bytes -> Targets, or InvalidTargets with every mistake as `path: text`."""
    reading = _Reading(scopes)
    found = reading.file(raw)
    if reading.mistakes:
        raise InvalidTargets(reading.mistakes)
    return found


class _Reading:
    def __init__(self, scopes):
        self.scopes = scopes
        self.mistakes = []

    def wrong(self, path, text):
        self.mistakes.append(f"{path}: {text}")

    def file(self, raw):
        value = self.json(raw)
        found = Targets()
        if value is None:
            return found
        self.members(value, "", ("version", "pace", "targets", "service"))
        if "version" not in value:
            self.wrong("version", "is missing")
        elif not self.integer(value["version"], 1, 1):
            self.wrong("version", "must be 1")
        pace_is_right = "pace" not in value or self.pace(value["pace"], found)
        if "service" in value:
            self.service(value["service"], found)
        if "targets" in value:
            self.targets(value["targets"], found, pace_is_right)
        return found

    def json(self, raw):
        if len(raw) > MAX_FILE_BYTES:
            return self.wrong("$", f"must be at most {MAX_FILE_BYTES} bytes")
        try:
            document = strict_json.parse(raw)
        except (strict_json.BadJSON, strict_json.TooDeep) as error:
            return self.wrong("$", f"is not JSON: {error}")
        if not isinstance(document.value, dict):
            return self.wrong("$", "must be an object")
        if document.duplicate is not None:
            return self.wrong("$", f"names {document.duplicate!r} twice")
        return document.value

    def members(self, value, path, known):
        for name in value:
            if name not in known:
                self.wrong(f"{path}.{name}".lstrip("."), "is unknown")

    @staticmethod
    def integer(value, low, high):
        return type(value) is int and low <= value <= high

    # --- pace ---------------------------------------------------------------------------------

    def pace(self, value, found):
        before = len(self.mistakes)
        if not isinstance(value, dict):
            self.wrong("pace", "must be an object")
            return False
        self.members(value, "pace", ("weights", "holidays"))
        if "weights" in value:
            self.weights(value["weights"], found)
        if "holidays" in value:
            self.holidays(value["holidays"], found)
        return len(self.mistakes) == before

    def weights(self, value, found):
        if not isinstance(value, list) or len(value) != 7:
            return self.wrong("pace.weights", "must be 7 integers, Monday first")
        bad = [i for i, weight in enumerate(value) if not self.integer(weight, 0, 1000)]
        for i in bad:
            self.wrong(f"pace.weights[{i}]", "must be an integer from 0 to 1000")
        if not bad and not any(value):
            self.wrong("pace.weights", "must not all be 0")
        found.weights = value

    def holidays(self, value, found):
        if not isinstance(value, list) or len(value) > 1000:
            return self.wrong("pace.holidays", "must be at most 1000 dates")
        days = set()
        for i, text in enumerate(value):
            period = _period(text)
            if period is None or period.kind != "day":
                self.wrong(f"pace.holidays[{i}]", "must be a date of 2000-2099")
            else:
                days.add(period.first)
        found.holidays = frozenset(days)

    # --- targets ------------------------------------------------------------------------------

    def targets(self, value, found, pace_is_right):
        if not isinstance(value, list) or len(value) > 10_000:
            return self.wrong("targets", "must be a list of at most 10000")
        met = {}
        for i, entry in enumerate(value):
            path = f"targets[{i}]"
            if not isinstance(entry, dict):
                self.wrong(path, "must be an object")
                continue
            target = self.target(entry, path)
            if target is None:
                continue
            if target.identity in met:
                self.wrong(path, f"repeats targets[{met[target.identity]}]")
            met.setdefault(target.identity, i)
            found.targets.append(target)
        if pace_is_right:
            self.weightless(value, found)

    def target(self, entry, path):
        before = len(self.mistakes)
        own = ("period", "measure", "currency", "amount")
        self.members(entry, path, own + tuple(self.scopes))
        scope = self.scope(entry, path)
        period = self.period(entry, path)
        measure = entry.get("measure", "gross_profit")
        if not isinstance(measure, str) or measure not in MEASURES:
            self.wrong(path + ".measure", "must be one of " + ", ".join(MEASURES))
            measure = None
        self.currency(entry, path, measure)
        if "amount" not in entry:
            self.wrong(path + ".amount", "is missing")
        elif not self.integer(entry["amount"], 1, 2 ** 63 - 1):
            is_low = type(entry["amount"]) is int and entry["amount"] <= 0
            self.wrong(path + ".amount", "must be > 0" if is_low else "must be an integer")
        if len(self.mistakes) > before:
            return None
        return Target(scope, period, measure, entry.get("currency"), entry["amount"])

    def scope(self, entry, path):
        named = [name for name in self.scopes if name in entry]
        for name in named:
            value = entry[name]
            if not isinstance(value, str) or not re.fullmatch("[A-Za-z0-9._-]{1,64}", value) \
                    or value.startswith("__"):
                self.wrong(f"{path}.{name}", "must be 1-64 of A-Z a-z 0-9 . _ - and not begin __")
        if len(named) > 1:
            self.wrong(path, "has more than one dimension: " + ", ".join(named))
        return f"{named[0]}={entry[named[0]]}" if named else "all"

    def period(self, entry, path):
        if "period" not in entry:
            return self.wrong(path + ".period", "is missing")
        period = _period(entry["period"])
        if period is None:
            self.wrong(path + ".period", "must be a day, week, month, quarter or year of 2000-2099")
        return period

    def currency(self, entry, path, measure):
        path += ".currency"
        if measure == "orders":
            if "currency" in entry:
                self.wrong(path, "orders have none")
        elif "currency" in entry:
            code = entry["currency"]
            if not isinstance(code, str) or code not in decode.CURRENCIES:
                self.wrong(path, "must be a currency of ISO 4217")
        elif measure is not None:
            self.wrong(path, "is missing")

    def weightless(self, entries, found):
        for i, entry in enumerate(entries):
            period = _period(entry.get("period")) if isinstance(entry, dict) else None
            if period is not None and not any(found.weight(day) for day in period.days()):
                self.wrong(f"targets[{i}].period", "has no day of any weight")

    # --- service ------------------------------------------------------------------------------

    def service(self, value, found):
        if not isinstance(value, dict):
            return self.wrong("service", "must be an object")
        self.members(value, "service", ("min_ratings", "csat_floor", "nps_floor", "slip", "slo"))
        if "min_ratings" in value:
            if not self.integer(value["min_ratings"], 1, 1_000_000):
                self.wrong("service.min_ratings", "must be an integer from 1 to 1000000")
            found.min_ratings = value["min_ratings"]
        for name, low, high in (("csat_floor", "0.01", "100"), ("nps_floor", "-100", "100"),
                                ("slip", "0.01", "100")):
            if name in value and not (name == "nps_floor" and value[name] is None):
                number = _decimal(value[name])
                if number is None or not Fraction(low) <= number <= Fraction(high):
                    self.wrong(f"service.{name}", f'must be a string from "{low}" to "{high}"')
                setattr(found, name, number)
        if "slo" in value:
            self.slos(value["slo"], found)

    def slos(self, value, found):
        if not isinstance(value, list) or len(value) > 64:
            return self.wrong("service.slo", "must be a list of at most 64")
        for i, entry in enumerate(value):
            path = f"service.slo[{i}]"
            if isinstance(entry, dict):
                self.slo(entry, path, found)
            else:
                self.wrong(path, "must be an object")

    def slo(self, entry, path, found):
        self.members(entry, path, ("metric", "max", "min"))
        metric = entry.get("metric")
        is_known = isinstance(metric, str) and metric in metrics.SLO_METRICS
        if "metric" not in entry:
            self.wrong(path + ".metric", "is missing")
        elif not is_known:
            self.wrong(path + ".metric", "is no metric without currency")
        if ("max" in entry) == ("min" in entry):
            self.wrong(path, "must have either max or min")
            if "max" not in entry:
                return
        for side in ("max", "min"):
            if side in entry and is_known:
                bound = self.bound(entry[side], metric)
                if bound is None:
                    self.wrong(f"{path}.{side}", "must be " + (
                        "an integer" if metric in metrics.INTEGER_THRESHOLDS
                        else "a string with at most 2 decimals"))
                else:
                    found.slo.append(Slo(metric, side == "max", bound))

    def bound(self, value, metric):
        if metric not in metrics.INTEGER_THRESHOLDS:
            return _decimal(value)
        return Fraction(value) if self.integer(value, -10 ** 12, 10 ** 12) else None


def _decimal(value):
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        return None
    return Fraction(value)


def _period(text):
    if not isinstance(text, str) or not text.startswith("20"):
        return None
    try:
        return periods.parse_period(text)
    except ValueError:
        return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("file")
    parser.add_argument("--scopes", default="region,channel,rep,line")
    options = parser.parse_args()
    with open(options.file, "rb") as file:
        raw = file.read()
    try:
        load(raw, options.scopes.split(","))
    except InvalidTargets as error:
        print("\n".join(error.mistakes))
        return 1
    print("valid")
    return 0


if __name__ == "__main__":
    sys.exit(main())
