"""Queries over external users: invited, linked, deleted."""

from audit import user
from case import Case
from data import DAY, HOUR, MINUTE, NOW, USERS, Records, around, mostly, near
from kql import at, expand, extract, has, has_any, parse_json, same, text

GUESTS = [f"{name}_contoso.com#EXT#@fabrikam.com" for name in ("ada", "bo", "cy")]


def linking_records(rng):
    records = Records(rng)
    values = GUESTS + ["ada@contoso.com", "ada#EXTRA#@contoso.com", '"ada#ext#@contoso.com"', "EXT", "", None]

    def target():
        return {"modifiedProperties": rng.choice([records.properties({"UserPrincipalName": values}), [], None])}

    return [
        records.audit(
            TimeGenerated=around(rng, DAY),
            OperationName=near(rng, "Update user"),
            AADTenantId="t",
            Result=near(rng, "success"),
            TargetResources=rng.choice([[target()], [target()] * 2, [], None]),
        )
        for _ in range(900)
    ]


def linking(records):
    rows = []
    for record in records:
        wanted = (
            NOW - record["TimeGenerated"] < DAY
            and same(record["OperationName"], "Update user")
            and same(record["Result"], "success")
        )
        for target in expand(record["TargetResources"]) if wanted else []:
            for changed in expand(at(target, "modifiedProperties")):
                old, new = text(at(changed, "oldValue")), text(at(changed, "newValue"))
                if at(changed, "displayName") == "UserPrincipalName" and not has(old, "#EXT") and has(new, "#EXT"):
                    rows.append(
                        {
                            "TimeGenerated": record["TimeGenerated"],
                            "AADTenantId": "t",
                            "oldValue_": old,
                            "newValue_": new,
                            "displayName_": "UserPrincipalName",
                            "IPAddress": text(at(record["InitiatedBy"], "user", "ipAddress")),
                            "Initiator": text(at(record["InitiatedBy"], "app", "displayName")) or user(record),
                        }
                    )
    return rows


def guest_records(rng):
    """Guests who are invited, redeem the invitation about half an hour later, and get roles about an hour later."""
    records, made = Records(rng), []
    roles = ['"Global Administrator"', '"admin"', "Helpdesk Admin", '"Administrators"', '"Reader"', "", None]
    for index in range(900):
        guest = mostly(rng, f"g{index}_contoso.com#EXT#@fabrikam.com", f"g{index}@fabrikam.com")
        invited = NOW - DAY + rng.randrange(DAY)
        redeemed = invited + rng.choice([1, 30 * MINUTE, 30 * MINUTE - 1, 30 * MINUTE + 1, 10 * MINUTE, -MINUTE])
        made.append(
            records.audit(
                TimeGenerated=invited,
                OperationName=mostly(rng, "Invite external user", "INVITE external user", "Invite"),
                Category=mostly(rng, "UserManagement", "usermanagement", "User"),
                TargetResources=[{"userPrincipalName": guest}],
                InitiatedBy=mostly(rng, {"user": {"userPrincipalName": "ada@contoso.com"}}, {"app": {}}, None),
            )
        )
        made.append(
            records.audit(
                TimeGenerated=redeemed,
                OperationName=mostly(rng, "Redeem external user invite", "Redeem"),
                Category=mostly(rng, "UserManagement", "User"),
                Result=mostly(rng, "success", "Success", "failure"),
                TargetResources=[
                    {"displayName": mostly(rng, f"UPN: {guest}, Email: x", f"UPN: {guest}, Email: x, Email", None)}
                ],
            )
        )
        for _ in range(rng.randrange(6)):
            granted = invited + rng.choice([60 * MINUTE, 61 * MINUTE, 60 * MINUTE + 59, 62 * MINUTE, -HOUR, MINUTE])
            props = records.properties({"Role.DisplayName": roles, "Other": roles})
            made.append(
                records.audit(
                    TimeGenerated=granted,
                    OperationName="Add member",
                    Category=mostly(rng, "RoleManagement", "rolemanagement", ""),
                    ActivityDisplayName=mostly(
                        rng, "Add member to role", "Add eligible member to role (PIM)", "Add member"
                    ),
                    AADOperationType=mostly(rng, "Assign", "AssignEligibleRole", "assign"),
                    Result="success",
                    TargetResources=[{"userPrincipalName": guest, "modifiedProperties": props}, {"type": "Role"}],
                )
            )
    return made


def guest(records):
    invited, redeemed, grants = {}, {}, {}
    for record in records:
        target, time = at(record["TargetResources"], 0), record["TimeGenerated"]
        if same(record["Category"], "UserManagement"):
            name = extract(r"UPN\:\s(.+)\,\sEmail", 1, at(target, "displayName"))
            if same(record["OperationName"], "Invite external user") and user(record):
                invited[target["userPrincipalName"]] = time
            if (
                same(record["OperationName"], "Redeem external user invite")
                and same(record["Result"], "success")
                and name
            ):
                redeemed[name] = time
    wanted = [
        record
        for record in records
        if same(record["Category"], "RoleManagement")
        and record["AADOperationType"] in ("Assign", "AssignEligibleRole")
        and has_any(record["ActivityDisplayName"], ["Add eligible member to role", "Add member to role"])
    ]
    for record in wanted:
        by_app = text(at(record["InitiatedBy"], "app", "displayName"))
        for target in record["TargetResources"]:
            for changed in expand(at(target, "modifiedProperties")):
                role, name = text(parse_json(text(at(changed, "newValue")))), text(at(target, "userPrincipalName"))
                if (
                    has(name, "EXT")
                    and same(at(changed, "displayName"), "Role.DisplayName")
                    and has_any(role, ["Administrator", "Admin"])
                    and (by_app or user(record)) != "MS-PIM"
                ):
                    grants.setdefault((record["TimeGenerated"], role, name, by_app or user(record)))
    rows = []
    for time, role, name, by in grants:
        if name in invited and name in redeemed and 0 < redeemed[name] - invited[name] <= 30 * MINUTE:
            minutes = time // MINUTE - invited[name] // MINUTE
            if minutes <= 60:
                rows.append(
                    {
                        "InvitationTime": invited[name],
                        "RedeemTime": redeemed[name],
                        "GrantTime": time,
                        "ExternalUser": name,
                        "RoleGranted": role,
                        "AdminInitiator": by,
                        "MinsBetweenInviteAndEscalation": minutes,
                    }
                )
    return rows


def deleted_records(rng):
    records = Records(rng)
    audits = [
        records.audit(
            TimeGenerated=around(rng, DAY),
            OperationName=near(rng, "Delete external user"),
            Category=near(rng, "UserManagement"),
            Result=near(rng, "success"),
            TargetResources=[{"displayName": rng.choice([f"UPN: {rng.choice(GUESTS)}, Email: x", "UPN: ,x", None])}],
        )
        for _ in range(120)
    ]
    return audits + [
        records.sign_in(TimeGenerated=around(rng, DAY), UserPrincipalName=rng.choice(GUESTS + USERS)) for _ in range(60)
    ]


def deleted(records):
    rows = []
    late = [record for record in records if NOW - record["TimeGenerated"] < DAY]
    for record in late:
        if record["Type"] != "AuditLogs" or not (
            same(record["Category"], "UserManagement")
            and same(record["OperationName"], "Delete external user")
            and same(record["Result"], "success")
        ):
            continue
        target = text(at(record["TargetResources"], 0, "displayName"))
        name = extract(r"UPN\:\s(.+)\,\sEmail", 1, target)
        for visit in late:
            if (
                visit["Type"] == "SigninLogs"
                and visit["UserPrincipalName"] == name
                and visit["TimeGenerated"] < record["TimeGenerated"]
            ):
                rows.append(
                    {
                        **record,
                        "InviteInitiator": user(record),
                        "Target": target,
                        "TargetUPN": name,
                        "DeleteUserTime": record["TimeGenerated"],
                        "LoginTime": visit["TimeGenerated"],
                        "TimeGenerated1": visit["TimeGenerated"],
                        "Type1": "SigninLogs",
                        "Id1": visit["Id"],
                        "UserPrincipalName": name,
                        "IPAddress": visit["IPAddress"],
                    }
                )
    return rows


RULES = "azure-sentinel/detections-"
CASES = [
    Case(RULES + "auditlogs-suspiciouslinkingofexternalidtoexistingusers", linking_records, linking),
    Case(RULES + "auditlogs-newextusergrantedadmin", guest_records, guest),
    Case(RULES + "multipledatasources-suspiciousloginfromdeletedexternalidentities", deleted_records, deleted),
]
