"""The rule over failed sign-ins to the portal: materialized tables, outer joins, lists that are expanded together."""

import json
import re

from case import Case
from data import DAY, NOW, Records, around, mostly, near
from kql import at, part, text, with_unique

TABLES = ["SigninLogs", "AADNonInteractiveUserSignInLogs"]
GUID = "[0-9a-z]{8}-[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{12}"


def portal_records(rng):
    """Few users with many failures each, and for some an identity that only other sign-ins of the user resolve."""
    records, made = Records(rng), []
    devices = [{"operatingSystem": "Windows", "browser": "Edge"}, {"browser": None}, {}, None]
    places = [{"state": "NW", "city": "Bonn", "countryOrRegion": "DE"}, {"city": "Bonn"}, None]
    for index in range(1200):
        number, table = rng.randrange(40), rng.choice(TABLES)
        device, place = devices[number % 4], places[number % 3]
        if table != "SigninLogs":
            device, place = json.dumps(device), json.dumps(place)
        identity = mostly(rng, f"User {number}", f"0a1b2c3d-0000-1111-2222-3333444455{number:02}")
        made.append(
            records.sign_in(
                table,
                TimeGenerated=records.unique(around(rng, 7 * DAY, DAY, DAY)),
                AppDisplayName=near(rng, "Azure Portal"),
                ResultType=rng.choice(["50126", "50053", "50126", "70044", "50125" if number % 2 else "50126"]),
                ResultDescription=rng.choice(["bad", ""]),
                Identity=identity,
                UserId=f"id-{number}",
                UserDisplayName=identity,
                UserPrincipalName=f"u{number}@contoso.com" if identity.startswith("User") else identity,
                DeviceDetail=device,
                LocationDetails=place,
                IPAddress=f"203.0.113.{rng.choice([1, 1, 1, number])}",
            )
        )
    return made


def without_success(failures, successes):
    """Each failure once for each success of the user before it; once if the user has none at all."""
    for failed in failures:
        times = {row["TimeGenerated"] for row in successes if row["UserPrincipalName"] == failed["UserPrincipalName"]}
        for _ in [time for time in times if time < failed["TimeGenerated"]] if times else [None]:
            yield failed


def resolved(failures, names):
    """Failures with the names of their users, which other sign-ins of the same user tell for identities that are GUIDs."""
    for failed in failures:
        if not re.search(GUID, failed["Identity"]):
            yield failed
            continue
        for user, display, name in names:
            if user == failed["UserId"]:
                yield {**failed, "UserDisplayName": display, "UserPrincipalName": name}


def described(failed):
    device, place = failed["DeviceDetail"], failed["LocationDetails"]
    if failed["Type"] != "SigninLogs":
        device, place = json.loads(device), json.loads(place)
    parts = [text(at(place, name)) for name in ("countryOrRegion", "state", "city")]
    return {
        **failed,
        "Status": f"{failed['ResultType']}: {failed['ResultDescription']}",
        "OS": text(at(device, "operatingSystem")),
        "Browser": text(at(device, "browser")),
        "FullLocation": "|".join(parts),
    }


KEYS = ("UserPrincipalName", "UserId", "UserDisplayName", "AppDisplayName", "Browser", "OS", "FullLocation", "Type")


def portal(records):
    rows = []
    for table in TABLES:
        week = [row for row in records if row["Type"] == table and NOW - row["TimeGenerated"] <= 7 * DAY]
        week = [row for row in week if text(row["AppDisplayName"]).lower() == "azure portal"]
        late = [row for row in week if NOW - row["TimeGenerated"] <= DAY]
        successes = [row for row in late if row["ResultType"] in ("0", "50125", "50140")]
        failures = [row for row in late if row["ResultType"] not in ("0", "50125", "50140", "70044", "70043")]
        names = {
            (row["UserId"], row["UserDisplayName"], row["UserPrincipalName"])
            for row in week
            if not re.search(GUID, row["Identity"])
        }
        kept = [described(row) for row in resolved(without_success(failures, successes), names)]
        for key, group in with_unique(kept, *KEYS):
            rows += portal_rows(dict(zip(KEYS, key)), group)
    return rows


def portal_rows(keys, group):
    addresses = len({row["IPAddress"] for row in group})
    if not (addresses >= 2 and len(group) >= 5 or len(group) >= 20):
        return
    for (status, address), found in with_unique(group, "Status", "IPAddress"):
        times = [row["TimeGenerated"] for row in found]
        yield {
            **keys,
            "Status": status,
            "IPAddress": address,
            "FailedLogonCount": len(group),
            "IPAddressCount": addresses,
            "StartTime": min(times),
            "EndTime": max(times),
            "Name": part(keys["UserPrincipalName"], "@", 0),
            "UPNSuffix": part(keys["UserPrincipalName"], "@", 1),
        }


CASES = [
    Case("azure-sentinel/solutions-microsoft-entra-id-analytic-rules-failedlogontoazureportal", portal_records, portal),
]
