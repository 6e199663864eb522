"""Queries over failed sign-ins beside successful ones."""

from case import Bag, Case
from data import DAY, MINUTE, NOW, Records, around, mostly
from kql import at, distinct, has, same, split, text, with_unique

TABLES = ["SigninLogs", "AADNonInteractiveUserSignInLogs"]


def failure_records(rng):
    """Successes with failures ten minutes later, a tick more or less, from the same or another network."""
    records, made = Records(rng), []
    addresses = [
        "203.0.113.7",
        "203.0.114.7",
        "198.51.100.1",
        "2001:db8:1:2::9",
        "2001:db8:1:2:3:4:5:6",
        "2001:db9::1",
        "",
    ]
    for _ in range(500):
        shared = {
            "UserPrincipalName": f"u{rng.randrange(150)}@contoso.com",
            "AppDisplayName": mostly(
                rng, f"app {rng.randrange(3)}", "Office 365 Exchange Online", "office 365 exchange online"
            ),
        }
        table, time = rng.choice(TABLES), records.unique(NOW - rng.randrange(DAY))
        later = rng.choice([0, 1, 10 * MINUTE, 10 * MINUTE + 1, 10 * MINUTE - 1, MINUTE, -MINUTE])
        made.append(
            records.sign_in(
                table,
                **shared,
                TimeGenerated=time,
                IPAddress=rng.choice(addresses),
                ResultType=mostly(rng, "0", "50140"),
            )
        )
        made.append(
            records.sign_in(
                mostly(rng, table, TABLES[0]),
                **shared,
                TimeGenerated=time + later,
                IPAddress=rng.choice(addresses),
                ResultType=rng.choice(["50126", "50053", "50140", "50078", "50076", "0"]),
                ResultDescription=rng.choice(["Invalid", "other", "Other", "", None]),
            )
        )
    return made


def network(address):
    """The first two bytes of an address with points, the first four groups of another."""
    delimiter, count = (".", 2) if has(address, ".") else (":", 4)
    return delimiter.join(text(at(split(address, delimiter), index)) for index in range(count))


def failure(records):
    apps = ["Office 365 Exchange Online", "Skype for Business Online"]
    rows = []
    for table in TABLES:
        known = [record for record in records if record["Type"] == table and record["AppDisplayName"] not in apps]
        pairs = {}
        for success in [record for record in known if record["ResultType"] == "0"]:
            for failed in [record for record in known if record["ResultType"] not in ("0", "50140", "50078", "50076")]:
                if (success["UserPrincipalName"], success["AppDisplayName"]) != (
                    failed["UserPrincipalName"],
                    failed["AppDisplayName"],
                ):
                    continue
                after = failed["TimeGenerated"] - success["TimeGenerated"]
                block = network(success["IPAddress"]).lower()
                if (
                    0 < after <= 10 * MINUTE
                    and not same(failed.get("ResultDescription"), "Other")
                    and not failed["IPAddress"].lower().startswith(block)
                    and success["IPAddress"] != failed["IPAddress"]
                ):
                    pairs.setdefault(success["UserPrincipalName"], []).append((success, failed))
        rows += [failure_row(user, found, table) for user, found in pairs.items()]
    return rows


def failure_row(user, found, table):
    successes, failures = zip(*found)
    last = max(row["TimeGenerated"] for row in successes)

    def values(rows, name):
        return Bag(distinct(text(row.get(name)) for row in rows))

    return {
        "UserPrincipalName": user,
        "FailedLogonTime": max(row["TimeGenerated"] for row in failures),
        "SuccessLogonTime": last,
        "SuccessIPAddress": values(successes, "IPAddress"),
        "timestamp": last,
        "FailedIPAddress": values(failures, "IPAddress"),
        "AppDisplayNames": values(successes, "AppDisplayName"),
        "ResultDescriptions": values(failures, "ResultDescription"),
        "LogType": Bag([table]),
        "AuthenticationResults": values(failures, "ResultType"),
    }


def expired_records(rng):
    records = Records(rng)
    codes = ["50173", "50132", "70008", "81010", "0", "0", "50126"]
    resource = "Windows Azure Active Directory"
    return [
        records.sign_in(
            TimeGenerated=around(rng, 7 * DAY, DAY),
            ResultType=rng.choice(codes),
            UserPrincipalName=f"u{rng.randrange(150)}",
            UserAgent=rng.choice(["curl", ""]),
            ResourceDisplayName=rng.choice([resource, f"x{resource.lower()}x", "Windows", None]),
            LocationDetails=rng.choice([{"countryOrRegion": "DE"}, {"countryOrRegion": None}, {}, None]),
        )
        for _ in range(2000)
    ]


def expired(records):
    codes = ["50173", "50132", "70008", "81010"]
    failed = [
        {**record, "Day": record["TimeGenerated"] // DAY * DAY}
        for record in records
        if NOW - record["TimeGenerated"] <= DAY
        and record["ResultType"] in codes
        and "windows azure active directory" in text(record["ResourceDisplayName"]).lower()
    ]
    passed = {
        (record["UserPrincipalName"], record["IPAddress"])
        for record in records
        if NOW - record["TimeGenerated"] <= 7 * DAY and record["ResultType"] == "0"
    }
    rows = []
    for (user, day), group in with_unique(failed, "UserPrincipalName", "Day"):
        addresses = distinct(row["IPAddress"] for row in group)
        countries = distinct(at(row["LocationDetails"], "countryOrRegion") for row in group)
        for address in addresses:
            if (user, address) not in passed:
                rows.append(
                    {
                        "UserPrincipalName": user,
                        "Day": day,
                        "FailedCountPerDay": len(group),
                        "FailedIp": address,
                        "FailedUserAgents": Bag(distinct(row["UserAgent"] for row in group)),
                        "FailedCountries": Bag(countries),
                        "FailedIps": Bag(addresses),
                    }
                )
    return rows


CASES = [
    Case(
        "sentinelascode/content-analyticalrules-microsoftentraid-successfullogondifferentipfailuredetectionrule",
        failure_records,
        failure,
    ),
    Case("azure-sentinel/solutions-falconfriday-analytic-rules-expiredaccesscredentials", expired_records, expired),
]
