"""Queries over many roles at once: by the hour, and in groups."""

from audit import initiating, user
from case import Case
from data import HOUR, NOW
from kql import at, contains, has_any, is_any, same, text, trim_quotes
from roles import names, role_records


def bulk_records(rng):
    """Hours with nine, ten and more targets, and times at the edges of hours."""
    made = role_records(rng, 3000)
    hour = NOW // HOUR * HOUR - 40 * HOUR
    for record in made:
        start = hour + int(rng.random() ** 2 * 40) * HOUR
        record["TimeGenerated"] = start + rng.choice([0, 1, HOUR - 1, rng.randrange(HOUR)])
        for target in record["TargetResources"] or []:
            target["userPrincipalName"] = rng.choice(["", f"u{rng.randrange(14)}@contoso.com"])
    return made


def bulk(records):
    admins = []
    for record in records:
        if not same(record["Category"], "RoleManagement") or not has_any(
            record["ActivityDisplayName"], ["Add eligible member to role", "Add member to role"]
        ):
            continue
        for target in record["TargetResources"] or []:
            for changed in (at(target, "modifiedProperties") or []) if same(at(target, "type"), "User") else []:
                role = trim_quotes(at(changed, "newValue"))
                if same(at(changed, "displayName"), "Role.DisplayName") and contains(role, "Admin"):
                    admins.append((record, target, changed, role))
    targets_of = {}
    for record, target, _, _ in admins:
        targets_of.setdefault(record["TimeGenerated"] // HOUR, set()).add(target["userPrincipalName"])
    rows = []
    for record, target, changed, role in admins:
        hour, upn = record["TimeGenerated"] // HOUR, target["userPrincipalName"]
        if len(targets_of[hour]) > 9:
            rows.append(
                {
                    **record,
                    "TargetResource": target,
                    "TargetUserPrincipalName": upn,
                    "Property": changed,
                    "props": target["modifiedProperties"],
                    "RoleName": role,
                    "TimeWindow": hour * HOUR,
                    "InitiatedByUser": user(record),
                    **initiating(record),
                    **names("Target", upn),
                    **names("InitiatingAccount", user(record)),
                }
            )
    return rows


def new_role(records):
    kinds = [
        "Assign",
        "AssignEligibleRole",
        "CreateRequestGrantedRole",
        "CreateRequestPermanentEligibleRole",
        "CreateRequestPermanentGrantedRole",
    ]
    rows = {}
    for record in records:
        found = record["TargetResources"] or []
        wanted = (
            same(record["Category"], "RoleManagement")
            and record["AADOperationType"] in kinds
            and has_any(record["ActivityDisplayName"], ["Add eligible member to role", "Add member to role"])
        )
        subjects = [target for target in found if is_any(at(target, "type"), ["User", "ServicePrincipal"])]
        given = [target for target in found if same(at(target, "type"), "Role")]
        for subject, role in [(subject, role) for subject in subjects for role in given] if wanted else []:
            changes = at(subject, "modifiedProperties") or [
                {"displayName": "Role.DisplayName", "newValue": at(role, "displayName")}
            ]
            for changed in changes:
                name = trim_quotes(at(changed, "newValue"))
                if same(at(changed, "displayName"), "Role.DisplayName") and contains(name, "Admin"):
                    row = new_role_row(record, subject, name)
                    rows[str(sorted(row.items(), key=str))] = row
    return [row for row in rows.values() if row["Initiator"] != "MS-PIM"]


def new_role_row(record, subject, name):
    upn = "displayName" if same(at(subject, "type"), "ServicePrincipal") else "userPrincipalName"
    target, by = text(at(subject, upn)), initiating(record)
    return {
        "TimeGenerated": record["TimeGenerated"] // HOUR * HOUR,
        "OperationName": record["OperationName"],
        "RoleName": name,
        "Target": target,
        "Result": record["Result"],
        **by,
        **names("Target", target),
        "Initiator": by["InitiatingAppName"] or user(record),
        **names("Initiator", user(record)),
    }


SOLUTION = "azure-sentinel/solutions-microsoft-entra-id-analytic-rules-"
CASES = [
    Case(SOLUTION + "bulkchangestoprivilegedaccountpermissions", bulk_records, bulk),
    Case(SOLUTION + "userassignednewprivilegedrole", lambda rng: role_records(rng, 2500), new_role),
]
