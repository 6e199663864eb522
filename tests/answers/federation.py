"""A query over domains that became federated, with parse and regular expressions."""

import re
from audit import user
from case import Case
from data import Records, mostly, near
from kql import at, has, text

HUNTS = "reprise99/azure-active-directory-"


def federation_records(rng):
    records = Records(rng)
    issuers = [
        '["http://any.sts/0A1B2C3D"]',
        '["http://sts.contoso.com/Ab3dEf78"]',
        '["http://x.example/abc"]',
        "abcdefgh",
        '["urn"]',
        '"https://any.sts"',
        '["HTTP://ANY.STS/x"]',
        '["http://x.example/12345678901"]',
        "",
        None,
    ]
    kinds = ['["Managed"]', '["Federated"]', '["managed"]', '["Unmanaged"]', "", None]

    def target():
        return {
            "displayName": rng.choice(["d.example", None]),
            "modifiedProperties": [
                {"displayName": mostly(rng, "IssuerUri", "issueruri"), "newValue": rng.choice(issuers)},
                {
                    "displayName": mostly(rng, "LiveType", "livetype"),
                    "oldValue": mostly(rng, *kinds),
                    "newValue": mostly(rng, kinds[1], *kinds),
                },
                {"displayName": "Other"},
            ][: rng.choice([3, 3, 3, 1, 0])],
        }

    return [
        records.audit(
            OperationName=near(rng, "Set domain authentication"),
            TargetResources=rng.choice([[target()], [target(), target()], [], None]),
        )
        for _ in range(900)
    ]


def federation(records):
    rows = []
    for record in records:
        if record["OperationName"] != "Set domain authentication":
            continue
        changes = at(record["TargetResources"], 0, "modifiedProperties") or []
        issuers = [at(changed, "newValue") for changed in changes if at(changed, "displayName") == "IssuerUri"]
        kinds = [changed for changed in changes if at(changed, "displayName") == "LiveType"]
        for issuer, kind in [(issuer, kind) for issuer in issuers for kind in kinds]:
            found = re.search('://(.*?)"', text(issuer))
            name = found.group(1) if found else ""
            suffix = name.split("/")[-1]
            old, new = at(kind, "oldValue"), at(kind, "newValue")
            if (
                has(old, "Managed")
                and has(new, "Federated")
                and (has(name, "any.sts") or re.fullmatch("[a-zA-Z0-9]{8}", suffix))
            ):
                rows.append(
                    {
                        "TimeGenerated": record["TimeGenerated"],
                        "Actor": user(record),
                        "OldDomainType": old,
                        "NewDomainType": new,
                        "Issuer": name,
                        "IssuerSuffix": suffix,
                        "ActorIPAddress": text(at(record["InitiatedBy"], "user", "ipAddress")),
                        "DomainName": text(at(record["TargetResources"], 0, "displayName")),
                    }
                )
    return rows


CASES = [
    Case(HUNTS + "audit-detectaadinternalsuse", federation_records, federation),
]
