"""Queries over changes of conditional access policies."""

from audit import user
from case import Case
from data import DAY, HOUR, NOW, Records, around, mostly, near
from kql import at, has, same, text


def policy_records(rng):
    records = Records(rng)
    names = [
        "Add conditional access policy",
        "Update Conditional Access policy",
        "conditional access policyx",
        "Add policy",
    ]

    def target():
        changes = [{"oldValue": {"a": 1}, "newValue": rng.choice(["{}", {"a": 2}, None])}, {"newValue": "x"}]
        return {"displayName": rng.choice(["Block all", None]), "modifiedProperties": rng.choice([changes, [], None])}

    def initiator():
        return mostly(
            rng,
            {"user": {"userPrincipalName": f"u{int(rng.random() ** 2 * 400)}", "ipAddress": "198.51.100.7"}},
            records.initiator(),
        )

    return [
        records.audit(
            TimeGenerated=around(rng, 14 * DAY, DAY),
            OperationName=mostly(rng, *names),
            Result=near(rng, "success"),
            InitiatedBy=initiator(),
            TargetResources=rng.choice([[target()], [target(), target()], [], None]),
        )
        for _ in range(900)
    ]


def policy(records):
    known, late = set(), []
    for record in records:
        if has(record["OperationName"], "conditional access policy") and same(record["Result"], "success"):
            age = NOW - record["TimeGenerated"]
            if DAY <= age <= 14 * DAY:
                known.add(user(record))
            if age < DAY:
                late.append(record)
    rows = []
    for record in late:
        if user(record) not in known:
            change = at(record["TargetResources"], 0, "modifiedProperties", 0)
            rows.append(
                {
                    **record,
                    "userPrincipalName": user(record),
                    "NewPolicyValues": at(change, "newValue"),
                    "OldPolicyValues": at(change, "oldValue"),
                    "CAPolicyName": text(at(record["TargetResources"], 0, "displayName")),
                    "ipAddress": text(at(record["InitiatedBy"], "user", "ipAddress")),
                }
            )
    return rows


def night_records(rng):
    """Times at the edges of hours and days, an hour before Sundays and after them."""
    records = Records(rng)
    edges = [0, 5 * HOUR, 18 * HOUR, 17 * HOUR, 23 * HOUR, 12 * HOUR]
    return [
        records.audit(
            TimeGenerated=records.unique(
                NOW // DAY * DAY - rng.randrange(21) * DAY + rng.choice(edges) + rng.choice([0, -1, 1])
            ),
            OperationName=near(rng, "Update conditional access policy"),
            TargetResources=rng.choice([[{"displayName": "Block"}], [], None]),
        )
        for _ in range(200)
    ]


def night(records):
    rows = []
    for record in records:
        local = record["TimeGenerated"] + HOUR
        # The first day of the year 1 was a Monday. The rule calls no day Saturday: it compares with starts of weeks.
        is_sunday, hour = local // DAY % 7 == 6, local // HOUR % 24
        if has(record["OperationName"], "conditional access") and (is_sunday or hour < 6 or hour > 18):
            rows.append(
                {
                    "LocalTime": local,
                    "OperationName": record["OperationName"],
                    "Actor": user(record),
                    "Conditional Access Policy Name": text(at(record["TargetResources"], 0, "displayName")),
                }
            )
    return sorted(rows, key=lambda row: -row["LocalTime"])


RULES = "azure-sentinel/detections-"
CASES = [
    Case(RULES + "auditlogs-conditionalaccesspolicymodifiedbynewuser", policy_records, policy),
    Case(
        "sentinelascode/content-analyticalrules-microsoftentraid-conditionalaccesspolicyoffhourschangesdetectionrule",
        night_records,
        night,
        ordered=True,
    ),
]
