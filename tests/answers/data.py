"""Random records of Entra tables, with the edges that the queries have.

Times are ticks of 100 nanoseconds since the year 1. `NOW` is the time of now() in every case.
"""

import datetime

TICKS = 10_000_000
MINUTE, HOUR, DAY = 60 * TICKS, 3600 * TICKS, 86400 * TICKS
EPOCH = datetime.datetime(1, 1, 1)


def ticks(stamp):
    """The ticks of a time in ISO 8601 without fraction."""
    return int((datetime.datetime.fromisoformat(stamp) - EPOCH).total_seconds()) * TICKS


def stamp(time):
    """The time as it stands in exports and answers."""
    whole = EPOCH + datetime.timedelta(seconds=time // TICKS)
    return f"{whole.isoformat()}.{time % TICKS:07}Z"


NOW = ticks("2026-03-14T09:26:53") + 5_897_932

USERS = [
    "ada@contoso.com",
    "Ada@contoso.com",
    "bo@contoso.com",
    "cy@fabrikam.com",
    "dee@Fabrikam.com",
    "eve",
    "fay@sub.contoso.com",
    "",
    "g@h@contoso.com",
    "Ünal@contoso.com",
]


def near(rng, good):
    """Mostly `good`, else in another case, or almost it."""
    if rng.random() < 0.7:
        return good
    return rng.choice([good.upper(), good.lower(), good.title(), good + " ", good[:-1], "x" + good, "", None])


def mostly(rng, good, *others):
    return good if rng.random() < 0.7 else rng.choice(others)


def around(rng, *spans):
    """A time before now: at the edge of one of the spans, a tick beside it, or anywhere in between."""
    span = rng.choice(spans)
    if rng.random() < 0.3:
        return NOW - span + rng.choice([-1, 0, 1])
    return NOW - int(rng.random() * 1.3 * max(spans))


class Records:
    """Makes records with unique Ids and, if asked for, unique times."""

    def __init__(self, rng):
        self.rng = rng
        self.made = 0
        self.times = set()

    def unique(self, time):
        """`time`, or the first free tick after it: where a query picks the first or last row, no two may tie."""
        while time in self.times:
            time += 1
        self.times.add(time)
        return time

    def record(self, table, **fields):
        self.made += 1
        return {"TimeGenerated": NOW - self.made * MINUTE, "Type": table, "Id": f"id-{self.made}", **fields}

    def audit(self, **fields):
        known = {"CorrelationId": f"c-{self.rng.randrange(40)}", "InitiatedBy": self.initiator()}
        return self.record("AuditLogs", **{**known, **fields})

    def sign_in(self, table="SigninLogs", **fields):
        known = {"UserPrincipalName": self.rng.choice(USERS), "IPAddress": f"203.0.113.{self.rng.randrange(9)}"}
        return self.record(table, **{**known, **fields})

    def initiator(self):
        """Who did it: a user, an app, both, or neither, with members missing, null and empty."""
        rng = self.rng
        user = {
            "id": f"u-{rng.randrange(9)}",
            "userPrincipalName": rng.choice(USERS + [None]),
            "ipAddress": rng.choice(["198.51.100.7", "", None]),
            "roles": rng.choice([[], ["r"], None]),
        }
        app = {
            "displayName": rng.choice(["App", "MS-PIM", "sync@contoso.com", "", None]),
            "servicePrincipalId": rng.choice(["sp-1", None]),
            "servicePrincipalName": rng.choice(["spn", "", None]),
            "appId": "a-1",
            "ipAddress": rng.choice(["198.51.100.8", ""]),
        }
        for bag in (user, app):
            if rng.random() < 0.3:
                del bag[rng.choice(list(bag))]
        return mostly(
            rng, {"user": user}, {"app": app}, {"user": user, "app": app}, {"user": None, "app": app}, {}, None
        )

    def properties(self, values):
        """modifiedProperties: one for each name, in a random order, sometimes twice, missing or in another case."""
        rng, made = self.rng, []
        for name, choices in values.items():
            for _ in range(rng.choice([0, 1, 1, 1, 1, 1, 2])):
                made.append(
                    {"displayName": near(rng, name), "oldValue": rng.choice(choices), "newValue": rng.choice(choices)}
                )
        rng.shuffle(made)
        return made

    def agent(self):
        """AdditionalDetails with or without a User-Agent."""
        detail = {"key": near(self.rng, "User-Agent"), "value": self.rng.choice(["curl/8", '"q"', "", None])}
        return self.rng.choice(
            [[detail], [detail, {"key": "other", "value": "1"}], [{"key": "other"}, detail], [], None]
        )
