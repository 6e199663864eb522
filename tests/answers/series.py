"""Queries with series, a pivot table and a scalar from a table."""

import json
import re
from case import Case
from data import DAY, NOW, Records, around, mostly, near, stamp
from kql import at, expand, text

HUNTS = "reprise99/azure-active-directory-"


def method_records(rng):
    records = Records(rng)
    methods = ["Text message", "Password", "Previously satisfied", "Mobile app", "Other", "other", "", None, 'x "y"']
    names = [
        "ada@contoso.com",
        "bo",
        "Ada@contoso.com",
        "0a1b2c3d-0000-1111-2222-333344445555",
        "0A1B2C3D-0000-1111-2222-333344445555",
    ]

    def steps():
        made = [{"authenticationMethod": rng.choice(methods)} for _ in range(rng.randrange(4))]
        return rng.choice([json.dumps(made), json.dumps(made), "", "no JSON", '[null,{},"x"]'])

    return [
        records.sign_in(
            TimeGenerated=around(rng, 30 * DAY), UserPrincipalName=rng.choice(names), AuthenticationDetails=steps()
        )
        for _ in range(200)
    ]


def methods(records):
    guid = "[0-9a-z]{8}-[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{12}"
    counts = {}
    for record in records:
        name = record["UserPrincipalName"]
        if NOW - record["TimeGenerated"] >= 30 * DAY or re.search(guid, name):
            continue
        try:
            steps = expand(json.loads(record["AuthenticationDetails"]))
        except ValueError:
            steps = []
        for step in steps:
            method = text(at(step, "authenticationMethod"))
            if method not in ("Previously satisfied", "Password", "Other", ""):
                row = counts.setdefault(name, {"UserPrincipalName": name})
                row[method] = row.get(method, 0) + 1
    named = {name for row in counts.values() for name in row}
    return [{**dict.fromkeys(named, 0), **counts[name]} for name in sorted(counts)]


def redeemed_records(rng):
    records = Records(rng)
    return [
        records.audit(
            TimeGenerated=around(rng, 180 * DAY, 90 * DAY), OperationName=near(rng, "Redeem external user invite")
        )
        for _ in range(900)
    ]


def fit(points):
    """The least squares line through the points: its values, and the sum of the squares of what is left."""
    count = len(points)
    mean_x, mean_y = (count - 1) / 2, sum(points) / count
    spread = sum((x - mean_x) ** 2 for x in range(count))
    slope = sum((x - mean_x) * (y - mean_y) for x, y in enumerate(points)) / spread if spread else 0.0
    line = [mean_y + slope * (x - mean_x) for x in range(count)]
    return line, sum((y - z) ** 2 for y, z in zip(points, line))


def redeemed(records):
    """Days begin at midnight: the form `in range` bins with bin(), and has the day of its end."""
    start = NOW // DAY - 180
    days = [stamp((start + index) * DAY) for index in range(181)]
    counts = [0] * len(days)
    for record in records:
        index = record["TimeGenerated"] // DAY - start
        if record["OperationName"] == "Redeem external user invite" and 0 <= index < len(days):
            counts[index] += 1
    halves = [(fit(counts[:index]), fit(counts[index:])) for index in range(1, len(counts))]
    left, right = min(halves, key=lambda pair: pair[0][1] + pair[1][1])
    return [{"TimeGenerated": days, "TotalInvites": counts, "TrendLine": left[0] + right[0]}]


def deviation_records(rng):
    records = Records(rng)
    return [
        records.sign_in(TimeGenerated=around(rng, 60 * DAY), ResultType=mostly(rng, "500121", "0")) for _ in range(400)
    ]


def deviation(records):
    counts = {}
    for record in records:
        if NOW - record["TimeGenerated"] < 60 * DAY and record["ResultType"] == "500121":
            day = record["TimeGenerated"] // DAY * DAY
            counts[day] = counts.get(day, 0) + 1
    mean = sum(counts.values()) / len(counts)
    return [{"TimeGenerated": day, "Deviation": (count - mean) / mean} for day, count in counts.items()]


CASES = [
    Case(HUNTS + "identity-mfamethodspivottable", method_records, methods, ordered=True),
    Case(HUNTS + "identity-visualizeguestredemptionswithtrend", redeemed_records, redeemed),
    Case(HUNTS + "identity-visualstddevofmfafailures#q1", deviation_records, deviation),
]
