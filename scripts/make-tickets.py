#!/usr/bin/env python3
"""Makes examples/data/support_tickets.csv: tickets of a support desk that does not exist.

    scripts/make-tickets.py > examples/data/support_tickets.csv

Seeded, so that it writes the same bytes every time. The columns are those that help desks export;
customers of an office-supplies retailer ask, in the four regions of superstore.csv. Tickets come
in working hours more than at night, urgent ones are answered sooner, and whoever waits longer is
less content, so a slow month shows in the ratings."""

import csv
import datetime
import random
import sys

TICKETS = 5000
YEAR = 2025
EXPORTED = datetime.datetime(YEAR, 12, 31, 23, 59, 59)  # what is resolved later is still open
CHANNELS = {"Email": 34, "Chat": 30, "Phone": 22, "Self-Service": 9, "Social Media": 5}
CATEGORIES = {"Delivery Question": 20, "Device Setup": 13, "Damaged Item": 12, "Order Change": 11,
              "Product Question": 10, "Payment Issue": 8, "Warranty Request": 8,
              "Assembly Help": 7, "Price Question": 5, "Account Access": 4, "Reorder Advice": 2}
PRIORITIES = {"Low": 35, "Medium": 40, "High": 20, "Critical": 5}
REGIONS = {"West": 32, "East": 29, "Central": 23, "South": 16}
TEAMS = ["Team_North", "Team_Harbour", "Team_Hill"]
AGENTS = {f"Agent_{n:02}": TEAMS[n % 3] for n in range(1, 19)}
HOURS = [1, 1, 1, 1, 1, 2, 4, 8, 14, 18, 18, 16, 14, 16, 17, 16, 14, 11, 8, 6, 5, 4, 3, 2]
MONTHS = [8, 7, 8, 8, 8, 8, 7, 7, 9, 9, 11, 10]
PATIENCE = {"Critical": 0.35, "High": 0.6, "Medium": 1.0, "Low": 1.5}  # share of the usual wait
RESPONSE_SLA = {"Critical": 30, "High": 60, "Medium": 240, "Low": 480}  # minutes
RESOLUTION_SLA = {"Critical": 8, "High": 24, "Medium": 48, "Low": 72}  # hours
USUAL_RESPONSE = {"Chat": 6, "Phone": 3, "Social Media": 55, "Email": 130, "Self-Service": 90}
COLUMNS = ["ticket_id", "created_date", "channel", "category", "priority", "agent", "team",
           "first_response_minutes", "resolution_hours", "status", "resolved_date", "csat_score",
           "region", "country", "response_sla_met", "resolution_sla_met", "month", "week",
           "day_of_week", "hour_of_day"]


def pick(rng, shares):
    return rng.choices(list(shares), list(shares.values()))[0]


def created(rng):
    month = rng.choices(range(1, 13), MONTHS)[0]
    first = datetime.date(YEAR, month, 1)
    after = datetime.date(YEAR + month // 12, month % 12 + 1, 1)
    day = first + datetime.timedelta(rng.randrange((after - first).days))
    if day.weekday() >= 5 and rng.random() < 0.6:
        day -= datetime.timedelta(rng.randrange(2, 5))
        day = max(day, first)
    hour = rng.choices(range(24), HOURS)[0]
    return datetime.datetime.combine(day, datetime.time(hour, rng.randrange(60), rng.randrange(60)))


def score(rng, hours, sla, category):
    """1-5, or None: three in four answer. A wait beyond the promise costs about a point."""
    if rng.random() >= 0.74:
        return None
    mood = rng.gauss(4.4, 1.1)
    mood -= 1.1 if hours > sla else 0
    mood -= 0.5 if category in ("Damaged Item", "Payment Issue") else 0
    return min(5, max(1, round(mood)))


def ticket(rng, number, start):
    channel, category = pick(rng, CHANNELS), pick(rng, CATEGORIES)
    priority, agent = pick(rng, PRIORITIES), rng.choice(list(AGENTS))
    share = PATIENCE[priority] * (1.4 if start.month >= 11 else 1.0)
    response = round(rng.lognormvariate(0, 0.8) * USUAL_RESPONSE[channel] * share, 2)
    hours = round(max(0.1, rng.lognormvariate(0, 0.9) * 17 * share) + response / 60, 4)
    fate = rng.random()
    status = "Resolved" if fate < 0.83 else "In Progress" if fate < 0.96 else "Escalated"
    done = start + datetime.timedelta(hours=hours) if status == "Resolved" else None
    if done and done > EXPORTED:
        status, done = "In Progress", None
    rating = score(rng, hours, RESOLUTION_SLA[priority], category) if done else None
    monday = start.date() - datetime.timedelta(start.weekday())
    return [f"T-{number:05}", start, channel, category, priority, agent, AGENTS[agent], response,
            hours, status, done.replace(microsecond=0) if done else "",
            f"{rating}.0" if rating else "", pick(rng, REGIONS), "United States",
            response <= RESPONSE_SLA[priority], hours <= RESOLUTION_SLA[priority],
            f"{start:%Y-%m}", f"{monday}/{monday + datetime.timedelta(6)}", f"{start:%A}",
            start.hour]


def main():
    rng = random.Random(20251123)
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(COLUMNS)
    starts = sorted(created(rng) for _ in range(TICKETS))
    for number, start in enumerate(starts, 1):
        out.writerow(ticket(rng, number, start))


main()
