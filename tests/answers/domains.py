"""Queries over domains that were added."""

from audit import user
from case import Bag, Case
from data import Records, mostly, near
from kql import at, distinct, has, split, text, with_unique


def verified_records(rng):
    records = Records(rng)
    names = ["a.onmicrosoft.com", "aonmicrosoft.com", "b.ONMICROSOFT.com", "c.example", "", None]
    operations = ["Add verified domain", "Add unverified domain", "add verified domain", "Verify domain"]
    return [
        records.audit(
            AADOperationType=near(rng, "Add"),
            Result=near(rng, "success"),
            OperationName=rng.choice(operations),
            TargetResources=rng.choice([[{"displayName": rng.choice(names)}], [], None]),
        )
        for _ in range(500)
    ]


def verified(records):
    rows = []
    for record in records:
        name = text(at(record["TargetResources"], 0, "displayName"))
        if (
            record["AADOperationType"] == "Add"
            and record["Result"] == "success"
            and has(name, "onmicrosoft")
            and record["OperationName"] in ("Add verified domain", "Add unverified domain")
        ):
            by = record["InitiatedBy"]
            app, principal = text(at(by, "app", "displayName")), text(at(by, "app", "servicePrincipalId"))
            rows.append(
                {
                    **record,
                    "InitiatingUser": user(record),
                    "InitiatingAadUserId": text(at(by, "user", "id")),
                    "InitiatingIp": text(at(by, "user", "ipAddress")),
                    "InitiatingApp": app,
                    "DomainAdded": name,
                    "InitiatingSPID": principal,
                    "ActionInitiatedBy": user(record) or f"{app} - {principal}",
                    "UserName": split(user(record), "@")[0],
                    "UPNSuffix": at(split(user(record), "@"), 1),
                }
            )
    return rows


def backdoor_records(rng):
    records = Records(rng)
    domains = ["contoso.com", "fabrikam.com", "Contoso.com", "", None]
    changes = [[{"a": 1}, {"b": [1, 2]}], [{"a": 1}], [], None]
    audits = [
        records.audit(
            OperationName=near(rng, "Add unverified domain"),
            Result=near(rng, "success"),
            TargetResources=[{"displayName": rng.choice(domains), "modifiedProperties": rng.choice(changes)}],
        )
        for _ in range(60)
    ]
    places = [{"city": "Bonn", "geo": {"x": 1.5}}, {}, None]
    return audits + [
        records.sign_in(
            ResultType=mostly(rng, "0", "50126"),
            LocationDetails=rng.choice(places),
            IPAddress=rng.choice(["203.0.113.7", ""]),
            AppDisplayName=rng.choice(["A", ""]),
            ResourceDisplayName=rng.choice(["R", None]),
        )
        for _ in range(150)
    ]


def backdoor(records):
    audits = [
        {
            "InitiatedBy": user(record),
            "DomainName": text(at(record["TargetResources"], 0, "displayName")),
            "record": record,
        }
        for record in records
        if record["Type"] == "AuditLogs"
        and record["OperationName"] == "Add unverified domain"
        and record["Result"] == "success"
    ]
    visits = [
        {
            **record,
            "LocationDetails": text(record["LocationDetails"]),
            "ResourceDisplayName": text(record["ResourceDisplayName"]),
            "UserDomain": text(at(split(record["UserPrincipalName"], "@"), 1)),
        }
        for record in records
        if record["Type"] == "SigninLogs" and record["ResultType"] == "0"
    ]
    keys = ("UserPrincipalName", "IPAddress", "LocationDetails", "AppDisplayName", "ResourceDisplayName", "UserDomain")
    rows = []
    for (by, name), group in with_unique(audits, "InitiatedBy", "DomainName"):
        changes = [
            change for row in group for change in at(row["record"]["TargetResources"], 0, "modifiedProperties") or []
        ]
        for key, found in with_unique(visits, *keys):
            if key[-1] == name:
                rows.append(
                    {
                        "InitiatedBy": by,
                        "DomainName": name,
                        **dict(zip(keys, key)),
                        "ModifiedProperties": Bag(distinct(changes)),
                        "Name": split(key[0], "@")[0],
                        "DomainAddedTime": min(row["record"]["TimeGenerated"] for row in group),
                        "SignInTime": min(row["TimeGenerated"] for row in found),
                        "Domain": at(split(key[0], "@"), 1),
                    }
                )
    return rows


SOLUTION = "azure-sentinel/solutions-microsoft-entra-id-analytic-rules-"
CASES = [
    Case(SOLUTION + "newonmicrosoftdomainadded", verified_records, verified),
    Case(SOLUTION + "possiblesigninfromazurebackdoor", backdoor_records, backdoor),
]
