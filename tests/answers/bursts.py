"""Queries over sign-ins to many applications or from many places."""

from case import Bag, Case
from data import DAY, Records, around, mostly, near
from kql import distinct, part, same, text, with_unique

TABLES = ["SigninLogs", "AADNonInteractiveUserSignInLogs"]
SOLUTION = "azure-sentinel/solutions-microsoft-entra-id-analytic-rules-"
PLACES = ["DE", "US", "us", "FR", "", None]


def disabled_records(rng):
    records = Records(rng)
    reason = "User account is disabled. The account has been disabled by an administrator."
    return [
        records.sign_in(
            rng.choice(TABLES),
            ResultType=mostly(rng, "50057", "0", "50056"),
            ResultDescription=near(rng, reason),
            TimeGenerated=around(rng, DAY),
            AppDisplayName=rng.choice(["A", "B", "C", "a", ""]),
        )
        for _ in range(900)
    ]


def disabled(records):
    wanted = [
        record
        for record in records
        if record["ResultType"] == "50057"
        and same(
            record["ResultDescription"], "User account is disabled. The account has been disabled by an administrator."
        )
    ]
    rows = []
    for (user, address, table), group in with_unique(wanted, "UserPrincipalName", "IPAddress", "Type"):
        apps, times = distinct(row["AppDisplayName"] for row in group), [row["TimeGenerated"] for row in group]
        if len(apps) >= 3:
            rows.append(
                {
                    "UserPrincipalName": user,
                    "IPAddress": address,
                    "Type": table,
                    "StartTime": min(times),
                    "EndTime": max(times),
                    "applicationCount": len(apps),
                    "applicationSet": Bag(apps),
                    "count_": len(group),
                    "Name": part(user, "@", 0),
                    "UPNSuffix": part(user, "@", 1),
                }
            )
    return rows


def burst_records(rng):
    records = Records(rng)
    return [
        records.sign_in(
            rng.choice(TABLES),
            AppDisplayName=near(rng, "GitHub.com"),
            TimeGenerated=around(rng, DAY),
            ResultType=mostly(rng, "0", "50126", ""),
            Location=mostly(rng, "DE", *PLACES),
        )
        for _ in range(60)
    ]


def burst(records):
    wanted = [
        record for record in records if same(record["AppDisplayName"], "GitHub.com") and record["ResultType"] == "0"
    ]
    rows = []
    for (user, table), group in with_unique(wanted, "UserPrincipalName", "Type"):
        places, times = distinct(text(row["Location"]) for row in group), [row["TimeGenerated"] for row in group]
        if len(places) > 1:
            rows.append(
                {
                    "UserPrincipalName": user,
                    "Type": table,
                    "CountOfLocations": len(places),
                    "Locations": Bag(places),
                    "BurstStartTime": min(times),
                    "BurstEndTime": max(times),
                    "timestamp": min(times),
                    "Name": part(user, "@", 0),
                    "UPNSuffix": part(user, "@", 1),
                }
            )
    return rows


def gitlab_records(rng):
    records = Records(rng)
    return [
        records.sign_in(
            AppDisplayName=near(rng, "GitLab"),
            ResultType=mostly(rng, "0", "50126"),
            Identity=rng.choice(["Ada", "ada", "Bo", "", "Cy", "Dee"]),
            Location=rng.choice(PLACES),
        )
        for _ in range(40)
    ]


def gitlab(records):
    wanted = [
        record
        for record in records
        if record["AppDisplayName"] == "GitLab" and record["ResultType"] == "0" and record["Location"]
    ]
    groups = [(user, distinct(row["Location"] for row in group)) for (user,), group in with_unique(wanted, "Identity")]
    return [
        {"User": user, "CountOfLocations": len(places), "Locations": Bag(places)}
        for user, places in groups
        if len(places) > 1
    ]


CASES = [
    Case(SOLUTION + "disabledaccountsigninsacrossmanyapplications", disabled_records, disabled),
    Case(SOLUTION + "sign-in-burst-from-multiple-locations", burst_records, burst),
    Case("azure-sentinel/solutions-gitlab-analytic-rules-gitlab-signinburst", gitlab_records, gitlab),
]
