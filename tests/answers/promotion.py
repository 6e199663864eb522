"""The rule over applications that are permitted to manage roles and then make administrators: bags, and a join."""

import re

from case import Case
from data import HOUR, Records, NOW, around, mostly, near
from kql import at, contains, expand, has, part, same, text


def promotion_records(rng):
    records = Records(rng)
    grants = ['"RoleManagement.ReadWrite.Directory"', "a rolemanagement.readwrite.directory b", '"User.Read"', "", None]
    roles = ['"Global Administrator"', "admin", '"Reader"', "", None]

    def permissions():
        """Unique names, as the language leaves open which of two values a bag keeps."""
        values = {
            "AppRole.Value": mostly(rng, *grants),
            "ServicePrincipal.DisplayName": rng.choice(['"App"', ' " App "" ', "", None]),
            "ServicePrincipal.ObjectID": rng.choice(
                [f'"sp-{rng.randrange(60)}"', f" sp-{rng.randrange(60)} ", '""', None]
            ),
        }
        made = [{"displayName": name, "newValue": value, "oldValue": None} for name, value in values.items()]
        return mostly(rng, made, made[:2], made[1:], [], None)

    def permission():
        return records.audit(
            TimeGenerated=around(rng, HOUR, 2 * HOUR),
            Category=near(rng, "ApplicationManagement"),
            LoggedByService=near(rng, "Core Directory"),
            OperationName=near(rng, "Add app role assignment to service principal"),
            Result="success",
            TargetResources=rng.choice(
                [[{"modifiedProperties": permissions()}], [{}, {"modifiedProperties": permissions()}], None]
            ),
            AdditionalDetails=records.agent(),
        )

    def promotion():
        name = rng.choice(["Role.DisplayName", "RoleDefinition.DisplayName", "role.displayname"])
        target = {
            "type": "User",
            "id": rng.choice(["u-1", None]),
            "displayName": rng.choice(["Ada@x", "", None]),
            "userPrincipalName": rng.choice(["ADA@contoso.com", "", None]),
            "modifiedProperties": [{"displayName": name, "newValue": mostly(rng, *roles)}],
        }
        app = {"servicePrincipalId": mostly(rng, f"sp-{rng.randrange(60)}", "", None), "displayName": "App"}
        return records.audit(
            TimeGenerated=around(rng, HOUR),
            Category=near(rng, "RoleManagement"),
            LoggedByService=near(rng, "Core Directory"),
            AADOperationType=near(rng, "Assign"),
            OperationName="Add member to role",
            InitiatedBy=mostly(rng, {"app": app}, {"app": app, "user": {"id": "u"}}, {"user": {"id": "u"}}, None),
            TargetResources=rng.choice([[target], [target, {}], [{}, target]]),
        )

    return [permission() for _ in range(900)] + [promotion() for _ in range(900)]


def trimmed(value):
    """trim of quotes and whitespace at both ends."""
    return re.sub(r'["\s]+$', "", re.sub(r'^["\s]+', "", text(value)))


def granted(records):
    """The permissions with the bag of all properties of their target."""
    for record in records:
        wanted = (
            NOW - record["TimeGenerated"] < 2 * HOUR
            and same(record["Category"], "ApplicationManagement")
            and same(record["LoggedByService"], "Core Directory")
            and same(record["OperationName"], "Add app role assignment to service principal")
        )
        for target in expand(record["TargetResources"]) if wanted else []:
            changes = expand(at(target, "modifiedProperties"))
            bag = {text(at(changed, "displayName")): trimmed(at(changed, "newValue")) for changed in changes}
            for changed in changes:
                grant = text(at(changed, "newValue"))
                if text(at(changed, "displayName")) == "AppRole.Value" and has(
                    grant, "RoleManagement.ReadWrite.Directory"
                ):
                    yield record, grant, bag


def promoted(records):
    for record in records:
        wanted = (
            NOW - record["TimeGenerated"] < HOUR
            and same(record["Category"], "RoleManagement")
            and same(record["LoggedByService"], "Core Directory")
            and same(record.get("AADOperationType"), "Assign")
            and text(at(record["InitiatedBy"], "app"))
        )
        for target in expand(record["TargetResources"]) if wanted else []:
            for changed in expand(at(target, "modifiedProperties")):
                role = text(at(changed, "newValue"))
                known = ("Role.DisplayName", "RoleDefinition.DisplayName")
                if text(at(changed, "displayName")) in known and contains(role, "Admin"):
                    yield record, role, text(at(record["InitiatedBy"], "app", "servicePrincipalId"))


def promotion(records):
    return [
        promotion_row(grant, permission, bag, record, role, principal)
        for grant, permission, bag in granted(records)
        for record, role, principal in promoted(records)
        if bag.get("ServicePrincipal.ObjectID", "") == principal and grant["TimeGenerated"] < record["TimeGenerated"]
    ]


def promotion_row(grant, permission, bag, record, role, principal):
    first = at(record["TargetResources"], 0)
    target = text(at(first, "displayName")) or text(at(first, "userPrincipalName")).lower()
    row = {
        "PermissionGrant": permission,
        "AppDisplayName": bag.get("ServicePrincipal.DisplayName", ""),
        "AppServicePrincipalId": principal,
        "RoleAssignment": role,
        "Target": target,
        "TargetType": text(at(first, "type")),
        "TargetId": text(at(first, "id")),
        "TargetName": part(target, "@", 0),
        "TargetUPNSuffix": part(target, "@", 1),
    }
    for prefix, source in (("PermissionGrant", grant), ("RoleAssignment", record)):
        for name in ("TimeGenerated", "OperationName", "Result", "InitiatedBy", "TargetResources", "AdditionalDetails"):
            row[f"{prefix}_{name}"] = source.get(name)
        by = source["InitiatedBy"]
        user = text(at(by, "user", "userPrincipalName"))
        address = text(at(by, "user", "ipAddress")) or text(at(by, "app", "ipAddress"))
        row |= {
            f"{prefix}_CorrelationId": source["CorrelationId"],
            f"{prefix}_InitiatingUserPrincipalName": user,
            f"{prefix}_InitiatingAadUserId": text(at(by, "user", "id")),
            f"{prefix}_InitiatingIpAddress": address,
            f"{prefix}_InitiatingAccountName": part(user, "@", 0),
            f"{prefix}_InitiatingAccountUPNSuffix": part(user, "@", 1),
        }
    return row


CASES = [
    Case(
        "azure-sentinel/solutions-microsoft-entra-id-analytic-rules-adminpromoafterrolemgmtapppermissiongrant",
        promotion_records,
        promotion,
    ),
]
