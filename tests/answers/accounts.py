"""A query over accounts whose domain is new."""

from audit import user
from case import Case
from data import DAY, NOW, Records, around, near
from kql import at, same, split, text


def domain(name):
    """The part after the first @ in lower case; empty if there is none."""
    return text(at(split(name, "@"), 1)).lower()


def created_records(rng):
    records = Records(rng)
    names = [f"a@d{index}.example" for index in range(60)] + ["b@D1.Example", "c", "d@", "e@d2.example@x", ""]
    sign_ins = [
        records.sign_in(
            TimeGenerated=around(rng, 7 * DAY),
            UserPrincipalName=rng.choice(names),
            AlternateSignInName=rng.choice(names + ["", None]),
            ResultType=rng.choice(["0", "50126"]),
        )
        for _ in range(80)
    ]
    return sign_ins + [
        records.audit(
            TimeGenerated=around(rng, DAY),
            OperationName=near(rng, "Add User"),
            TargetResources=rng.choice([[{"userPrincipalName": rng.choice(names)}], [{}], [], None]),
        )
        for _ in range(500)
    ]


def created(records):
    known = set()
    for record in records:
        if record["Type"] == "SigninLogs" and NOW - record["TimeGenerated"] < 7 * DAY and record["ResultType"] == "0":
            known.add(domain(record["UserPrincipalName"]))
            if record["AlternateSignInName"]:
                known.add(domain(record["AlternateSignInName"]))
    rows = []
    for record in records:
        if record["Type"] != "AuditLogs" or not same(record["OperationName"], "Add User"):
            continue
        added, app = (
            text(at(record["TargetResources"], 0, "userPrincipalName")),
            text(at(record["InitiatedBy"], "app", "servicePrincipalName")),
        )
        if NOW - record["TimeGenerated"] < DAY and domain(added) not in known:
            rows.append(
                {
                    **record,
                    "UserAdded": added,
                    "Domain": domain(added),
                    "AddingSPN": app,
                    "AddedBy": user(record) or app,
                }
            )
    return rows


RULES = "azure-sentinel/detections-"
CASES = [
    Case(RULES + "multipledatasources-accountcreatedfromnon-approvedsources", created_records, created),
]
