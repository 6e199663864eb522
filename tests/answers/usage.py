"""Queries over users and applications by month, with aggregates by condition and arg_max."""

from case import Case
from data import DAY, NOW, Records, around, mostly
from kql import at, split, text, with_unique

HUNTS = "reprise99/azure-active-directory-"


def guest_records(rng):
    records = Records(rng)
    return [
        records.sign_in(
            TimeGenerated=around(rng, 60 * DAY, 30 * DAY),
            ResultType=mostly(rng, "0", "50126"),
            UserType=rng.choice(["Guest", "Member", "guest", None]),
            AppId=rng.choice(["1", "2", ""]),
            UserPrincipalName=f"u{rng.randrange(40)}{rng.choice(['@x.example', '@y.example', '@X.example', ''])}",
            AppDisplayName=rng.choice(["A", "B", "a", "C", ""]),
            HomeTenantId=rng.choice(["1", "2", ""]),
            ResourceTenantId=rng.choice(["1", "2", "", None]),
        )
        for _ in range(700)
    ]


def users(records, condition=lambda record: True):
    return len({record["UserPrincipalName"] for record in records if condition(record)})


def more_guests(records):
    late = [record for record in records if NOW - record["TimeGenerated"] < 30 * DAY and record["ResultType"] == "0"]
    rows = []
    for (app,), group in with_unique(late, "AppDisplayName"):
        guests, members = (users(group, lambda record: record["UserType"] == kind) for kind in ("Guest", "Member"))
        if guests > members:
            rows.append({"AppDisplayName": app, "Guests": guests, "Members": members})
    return rows


def usage(records):
    def age(record):
        return NOW - record["TimeGenerated"]

    late = [record for record in records if age(record) < 60 * DAY and record["ResultType"] == "0"]
    rows = []
    for (number, name), group in with_unique(late, "AppId", "AppDisplayName"):
        last = users(group, lambda record: 30 * DAY < age(record) < 60 * DAY)
        this = users(group, lambda record: age(record) < 30 * DAY)
        change = (this - last) / last * 100 if last else ("Infinity" if this else "NaN")
        rows.append(
            {
                "AppId": number,
                "AppDisplayName": name,
                "Last Month Signins": last,
                "This Month Signins": this,
                "Percentage Change": change,
            }
        )
    return rows


def usage_records(rng):
    """Some applications with sign-ins of one month only, or at its edge only."""
    made = guest_records(rng)
    for index, record in enumerate(made):
        record["AppId"] = str(index % 60)
        if index % 60 < 20:
            record["TimeGenerated"] = NOW - 20 * DAY
        if 20 <= index % 60 < 30:
            record["TimeGenerated"] = NOW - rng.choice([30 * DAY, 60 * DAY - 1, 60 * DAY])
    return made


def guest_domains(records):
    late = [
        {**record, "Guest Domain": text(at(split(record["UserPrincipalName"], "@"), 1))}
        for record in records
        if NOW - record["TimeGenerated"] < 30 * DAY and record["ResultType"] == "0" and record["UserType"] == "Guest"
    ]
    rows = []
    for (domain,), group in with_unique(late, "Guest Domain"):
        ours = [record for record in group if text(record["ResourceTenantId"]) == record["HomeTenantId"]]
        other = [record for record in group if text(record["ResourceTenantId"]) != record["HomeTenantId"]]
        rows.append(
            {
                "Guest Domain": domain,
                "External Azure AD Guest Logins": len(other),
                "External Azure AD Guest Distinct Users": users(other),
                "External Guest Logins": len(ours),
                "External Guest Distinct Users": users(ours),
            }
        )
    return rows


def unused_records(rng):
    """Last sign-ins at both edges of the midnight that is thirty days back, and at the edge of the year."""
    records, made = Records(rng), []
    midnight = NOW // DAY * DAY - 30 * DAY
    for index in range(80):
        last = rng.choice(
            [midnight, midnight - 1, midnight + 1, NOW - 365 * DAY + rng.choice([-1, 0, 1]), midnight - 99 * DAY]
        )
        for back in (0, 1, DAY, 40 * DAY):
            made.append(
                records.sign_in(
                    TimeGenerated=last - back,
                    AppId=f"a{index}",
                    ResultType=mostly(rng, "0", "1"),
                    AppDisplayName=f"app {index} {back}",
                )
            )
    return made


def unused(records):
    late = [record for record in records if NOW - record["TimeGenerated"] < 365 * DAY and record["ResultType"] == "0"]
    rows = []
    for _, group in with_unique(late, "AppId"):
        last = max(group, key=lambda record: record["TimeGenerated"])
        days = NOW // DAY - last["TimeGenerated"] // DAY
        if days > 30:
            rows.append(
                {
                    "AppDisplayName": last["AppDisplayName"],
                    "Last Logon Time": last["TimeGenerated"],
                    "Days Since Last Logon": days,
                }
            )
    return rows


CASES = [
    Case(HUNTS + "identity-appswithmoreguests#q1", guest_records, more_guests),
    Case(HUNTS + "identity-summarizeappusagemonthonmonth", usage_records, usage),
    Case(HUNTS + "identity-summarizeguestdomainbytype", guest_records, guest_domains),
    Case(HUNTS + "identity-findappswithnosignins", unused_records, unused),
]
