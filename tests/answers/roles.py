"""Queries over roles that were assigned, one row a change."""

from audit import initiating, targets, user
from case import Case
from data import Records, mostly, near
from kql import at, expand, has, is_any, part, same, text, trim_quotes

ROLES = [
    '"Global Administrator"',
    '"Company administrator"',
    "Privileged Role Administrator",
    '"Reader"',
    '""',
    "",
    None,
    '"Privileged Authentication Administrator"',
]
GROUPS = [
    '"TenantAdmins"',
    "PrivilegedRoleAdmins",
    '"UserAccountAdmins"',
    '"useraccountadmins"',
    '"Readers"',
    "",
    None,
    '"PrivilegedAuthenticationAdmins"',
]
NAMES = [
    "Add member to role",
    "Add eligible member to role",
    "Add member to role outside of PIM (permanent)",
    "add member to role",
    "Add member to role in PIM requested (permanent)",
    "Add member to roles",
    "Remove member",
    "",
]
PEOPLE = ["ada@contoso.com", "bo@x@contoso.com", "cy", "", None]


def role_records(rng, count=700):
    records = Records(rng)

    def target():
        values = {"Role.DisplayName": ROLES, "Role.WellKnownObjectName": GROUPS, "Role.ObjectID": ["1"]}
        made = records.properties(values)
        for prop in made:
            prop["name"] = rng.choice(["Role.name", "role.name", None])
        return {
            "type": mostly(rng, "User", "user", "ServicePrincipal", "Role", None),
            "id": "t-1",
            "userPrincipalName": rng.choice(PEOPLE),
            "displayName": rng.choice(["Admin thing", "Thing", None]),
            "modifiedProperties": mostly(rng, made, made[:1], [], None),
        }

    return [
        records.audit(
            OperationName=rng.choice(NAMES),
            ActivityDisplayName=rng.choice(NAMES),
            Category=near(rng, "RoleManagement"),
            LoggedByService=near(rng, "Core Directory"),
            Identity=rng.choice(["MS-PIM", "ms-pim", "MS-PIM-Fairfax", "other", ""]),
            AADOperationType=rng.choice(["Assign", "assign", "AssignEligibleRole", "Unassign", None]),
            Result=rng.choice(["success", "failure"]),
            AADTenantId="t",
            TargetResources=targets(records, target),
        )
        for _ in range(count)
    ]


def names(prefix, value):
    return {f"{prefix}Name": part(value, "@", 0), f"{prefix}UPNSuffix": part(value, "@", 1)}


def outside_pim(excluded):
    def answer(records):
        rows = []
        for record in records:
            outside = has(record["OperationName"], "Add member to role outside of PIM")
            direct = (
                same(record["LoggedByService"], "Core Directory")
                and same(record["OperationName"], "Add member to role")
                and record["Identity"] not in excluded
            )
            if not same(record["Category"], "RoleManagement") or not (outside or direct):
                continue
            for target in record["TargetResources"] or []:
                if same(at(target, "type"), "User"):
                    upn = text(at(target, "userPrincipalName"))
                    rows.append(
                        {
                            **record,
                            "TargetResource": target,
                            "TargetUserPrincipalName": upn,
                            **initiating(record),
                            **names("Target", upn),
                            **names("InitiatedBy", user(record)),
                        }
                    )
        return rows

    return answer


def added_to_group(operations, groups):
    def answer(records):
        rows = []
        for record in records:
            if not same(record["Category"], "RoleManagement") or not is_any(record["OperationName"], operations):
                continue
            for target in record["TargetResources"] or []:
                for changed in (at(target, "modifiedProperties") or []) if same(at(target, "type"), "User") else []:
                    group = trim_quotes(at(changed, "newValue"))
                    if same(at(changed, "displayName"), "Role.WellKnownObjectName") and is_any(group, groups):
                        rows.append(group_row(record, target, changed, group))
        return rows

    return answer


def group_row(record, target, changed, group):
    upn = text(at(target, "userPrincipalName"))
    kept = {
        name: record[name] for name in ("TimeGenerated", "AADOperationType", "Category", "OperationName", "AADTenantId")
    }
    return {
        **kept,
        **initiating(record),
        "InitiatingAppId": text(at(record["InitiatedBy"], "app", "appId")),
        "InitiatingUserRoles": at(record["InitiatedBy"], "user", "roles"),
        "DisplayName": at(changed, "displayName"),
        "GroupName": group,
        "TargetUserPrincipalName": upn,
        **names("Target", upn),
        **names("InitiatedBy", user(record)),
    }


def assigned(name_of_property, name, roles):
    """The targets and properties of "Add member to role" whose new value without quotes is one of the roles."""

    def found(records):
        for record in records:
            for target in expand(record["TargetResources"]) if record["OperationName"] == "Add member to role" else []:
                for changed in expand(at(target, "modifiedProperties")):
                    role = text(at(changed, "newValue")).replace('"', "")
                    if at(changed, name_of_property) == name and is_any(role, roles):
                        yield record, target, changed, role

    return found


HIGH = ["Company Administrator", "Privileged Authentication Administrator", "Privileged Role Administrator"]


def high_role_rule(records):
    rows = []
    for record, target, changed, role in assigned("name", "Role.name", HIGH + ["Global Administrator"])(records):
        actor = at(record["InitiatedBy"], "user", "userPrincipalName")
        rows.append(
            {
                **record,
                "TargetResources": target,
                "TargetResources_modifiedProperties": changed,
                "AddedToRole": role,
                "TargetUsername": at(target, "userPrincipalName"),
                "Actor": actor or at(record["InitiatedBy"], "app", "servicePrincipalId"),
            }
        )
    return rows


def high_role_hunt(records):
    rows = []
    for record, target, _, role in assigned("displayName", "Role.DisplayName", HIGH)(records):
        rows.append(
            {
                "timestamp": record["TimeGenerated"],
                "AddedToRole": role,
                "TargetObjectId": at(target, "id"),
                "IPCustomEntity": at(record["InitiatedBy"], "user", "ipAddress"),
                "AccountCustomEntity": at(record["InitiatedBy"], "user", "userPrincipalName"),
                "TargetObjectDisplayName": at(target, "displayName"),
            }
        )
    return rows


SOLUTION = "azure-sentinel/solutions-microsoft-entra-id-analytic-rules-"
GROUP_RULE = "sentinelascode/content-analyticalrules-privilegeescalation-useraddedtoprivilegedgroupdetectionrule"
ADMINS = ["UserAccountAdmins", "PrivilegedRoleAdmins", "TenantAdmins"]
IN_PIM = "Add member to role in PIM requested (permanent)"
CASES = [
    Case(SOLUTION + "nrt-privlegedroleassignedoutsidepim", role_records, outside_pim(["MS-PIM"])),
    Case(SOLUTION + "privlegedroleassignedoutsidepim", role_records, outside_pim(["MS-PIM", "MS-PIM-Fairfax"])),
    Case(
        SOLUTION + "nrt-useraddedtoprivilgedgroups",
        role_records,
        added_to_group(["Add member to role", IN_PIM], ADMINS),
    ),
    Case(
        GROUP_RULE,
        role_records,
        added_to_group(
            ["Add member to role", "Add eligible member to role"], ADMINS + ["PrivilegedAuthenticationAdmins"]
        ),
    ),
    Case(
        "sentinelascode/content-analyticalrules-microsoftentraid-highprivilegedroleassignmentdetectionrule",
        role_records,
        high_role_rule,
    ),
    Case(
        "sentinelascode/content-huntingqueries-persistence-granthighprivilegeazureadrole", role_records, high_role_hunt
    ),
]
