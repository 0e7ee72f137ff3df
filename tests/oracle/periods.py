"""Local days, and the periods that are sums of them, in one time zone."""

import datetime
import functools
import re
import zoneinfo

KINDS = ("day", "week", "month", "quarter", "year")
ONE_DAY = datetime.timedelta(days=1)

_PERIODS = (
    ("day", re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")),
    ("week", re.compile(r"([0-9]{4})-W([0-9]{2})")),
    ("month", re.compile(r"([0-9]{4})-([0-9]{2})")),
    ("quarter", re.compile(r"([0-9]{4})-Q([1-4])")),
    ("year", re.compile(r"([0-9]{4})")),
)
_FIRST = {
    "day": lambda year, month, day: datetime.date(year, month, day),
    "week": lambda year, week: datetime.date.fromisocalendar(year, week, 1),
    "month": lambda year, month: datetime.date(year, month, 1),
    "quarter": lambda year, quarter: datetime.date(year, 3 * quarter - 2, 1),
    "year": lambda year: datetime.date(year, 1, 1),
}


class Period:
    """One period: its kind, its name, its first day and the first day after it."""

    def __init__(self, kind, day):
        """The period of this kind that holds the day."""
        self.kind = kind
        if kind == "day":
            self.first, self.end = day, day + ONE_DAY
            self.name = day.isoformat()
        elif kind == "week":
            self.first = day - ONE_DAY * day.weekday()
            self.end = self.first + ONE_DAY * 7
            year, week, _ = day.isocalendar()
            self.name = f"{year:04}-W{week:02}"
        else:
            months = {"month": 1, "quarter": 3, "year": 12}[kind]
            start = (day.month - 1) // months * months
            self.first = datetime.date(day.year, start + 1, 1)
            carry, month = divmod(start + months, 12)
            self.end = datetime.date(day.year + carry, month + 1, 1)
            self.name = {"month": f"{day.year:04}-{day.month:02}",
                         "quarter": f"{day.year:04}-Q{start // 3 + 1}",
                         "year": f"{day.year:04}"}[kind]

    def days(self):
        return [self.first + ONE_DAY * i for i in range((self.end - self.first).days)]

    def previous(self):
        return Period(self.kind, self.first - ONE_DAY)


def parse_period(name):
    """The period so named; ValueError when there is none."""
    for kind, pattern in _PERIODS:
        match = pattern.fullmatch(name)
        if match:
            return Period(kind, _FIRST[kind](*map(int, match.groups())))
    raise ValueError(f"{name!r} names no period")


class Zone:
    """The wall clock of a time zone."""

    def __init__(self, name):
        self.info = datetime.timezone.utc if name == "UTC" else zoneinfo.ZoneInfo(name)
        self.first_instant = functools.lru_cache(maxsize=None)(self._first_instant)

    def wall(self, second):
        """The local date and time at an instant in epoch seconds."""
        return datetime.datetime.fromtimestamp(second, self.info)

    def _first_instant(self, day):
        """The first epoch second whose local date is `day` or later.

        Midnight may be missing or come twice; whole days can be missing, too."""
        guess = int(datetime.datetime.combine(day, datetime.time(), self.info).timestamp())
        if self._steady(guess):
            return guess
        minute = next(second for second in range(guess - 86400, guess + 3 * 86400, 60)
                      if self.wall(second).date() >= day)
        return next(second for second in range(minute - 59, minute + 1)
                    if self.wall(second).date() >= day)

    def _steady(self, second):
        """No change of the clock near: then the guess is the only candidate."""
        return self.wall(second - 86400).utcoffset() == self.wall(second + 86400).utcoffset()

    def end_of_hour(self, wall):
        """When the clock reads the next full hour for the last time before moving on."""
        following = wall.replace(minute=0, second=0, microsecond=0, tzinfo=None, fold=0)
        following += datetime.timedelta(hours=1)
        return max(int(following.replace(tzinfo=self.info, fold=fold).timestamp())
                   for fold in (0, 1))
