"""Queries over credentials and permissions of applications, with mv-apply, parse and joins."""

import re

from audit import initiating, targets, user
from case import Case
from data import Records, mostly, near
from kql import at, expand, has, has_any, parse_json, part, same, split, text, trim_quotes

AZURE = "azure-sentinel/solutions-microsoft-entra-id-analytic-rules-"


def agents(record):
    """The values of the details with the key User-Agent."""
    return [
        at(detail, "value") for detail in record["AdditionalDetails"] or [] if same(at(detail, "key"), "User-Agent")
    ]


def from_account(record):
    """True if the name of the user or that of the app has an @."""
    return has(user(record), "@") or has(at(record["InitiatedBy"], "app", "displayName"), "@")


def credential_records(rng):
    records = Records(rng)
    keys = [
        "[KeyIdentifier=1-a,KeyType=AsymmetricX509Cert,KeyUsage=Verify,DisplayName=CN=x]",
        "[KeyIdentifier=2,KeyType=Password,KeyUsage=verify,DisplayName=]",
        "KeyIdentifier=3,KeyType=Password",
        "a KeyIdentifier=4,KeyType=,KeyUsage=Verify,DisplayName=n] KeyIdentifier=5,KeyType=x]",
        "[KeyIdentifier=6,KeyType=Symmetric,KeyUsage=Sign,DisplayName=CN=y]",
        "",
    ]

    def value():
        chosen = ",".join(f'"{key}"' for key in rng.sample(keys, rng.randrange(3)))
        return f"[{chosen}]"

    def target():
        values = ["[]", "[]", value(), value(), None, "no JSON"]
        return {
            "type": near(rng, "Application"),
            "id": "t-1",
            "displayName": rng.choice(["App one", None]),
            "modifiedProperties": mostly(rng, records.properties({"KeyDescription": values}), [], None),
        }

    operations = [
        "Update application – Certificates and secrets management",
        "Certificates and secrets managements",
        "CERTIFICATES AND SECRETS MANAGEMENT ",
    ]
    return [
        records.audit(
            OperationName=rng.choice(operations),
            Result=near(rng, "success"),
            AdditionalDetails=records.agent(),
            TargetResources=targets(records, target),
        )
        for _ in range(2500)
    ]


def first_credential(records):
    pattern = r".*?KeyIdentifier=(.*?),KeyType=(.*?),KeyUsage=(.*?),DisplayName=(.*?)\]"
    rows = []
    for record in records:
        wanted = (
            has(record["OperationName"], "Certificates and secrets management")
            and same(record["Result"], "success")
            and from_account(record)
        )
        for target in (record["TargetResources"] or []) if wanted else []:
            for changed in (at(target, "modifiedProperties") or []) if same(at(target, "type"), "Application") else []:
                old = parse_json(text(at(changed, "oldValue")))
                if not same(at(changed, "displayName"), "KeyDescription") or old != []:
                    continue
                for key in expand(parse_json(text(at(changed, "newValue")))):
                    found = re.match(pattern, text(key), re.DOTALL)
                    if found and same(found.group(3), "Verify"):
                        rows.extend(credential_row(record, target, found, agent) for agent in agents(record))
    return rows


def credential_row(record, target, found, agent):
    return {
        **record,
        "targetDisplayName": text(at(target, "displayName")),
        "targetId": at(target, "id"),
        "targetType": at(target, "type"),
        "keyEvents": at(target, "modifiedProperties"),
        "keyIdentifier": found.group(1),
        "keyType": found.group(2),
        "keyUsage": found.group(3),
        "keyDisplayName": found.group(4),
        "InitiatingUserAgent": text(agent),
        **initiating(record),
        "Name": split(user(record), "@")[0],
        "UPNSuffix": at(split(user(record), "@"), 1),
    }


def mail_records(rng):
    records = Records(rng)
    names = [
        "Add delegated permission grant",
        "Add app role assignment to service principal",
        "Consent to application",
        "add delegated permission grant.",
        "Remove delegated permission grant",
    ]
    scopes = ['"User.Read Mail.Read"', "Mail.ReadWrite", '"mail.read"', '"Mail.ReadBasic"', '"User.Read"', "", None]

    def target():
        made = records.properties({"DelegatedPermissionGrant.Scope": scopes})
        return {
            "type": near(rng, "ServicePrincipal"),
            "id": rng.choice(["sp-1", None]),
            "displayName": rng.choice(["App one", "", None]),
            "modifiedProperties": mostly(rng, made, [], None),
        }

    return [
        records.audit(
            OperationName=rng.choice(names),
            ActivityDisplayName=rng.choice(names),
            Category=near(rng, "ApplicationManagement"),
            Result=near(rng, "success"),
            CorrelationId=f"c-{rng.randrange(400)}",
            AdditionalDetails=records.agent(),
            TargetResources=targets(records, target),
        )
        for _ in range(2500)
    ]


def mail(records):
    consents = {}
    for record in records:
        for target in (
            (record["TargetResources"] or []) if has(record["ActivityDisplayName"], "Consent to application") else []
        ):
            if same(at(target, "type"), "ServicePrincipal"):
                consents.setdefault(record["CorrelationId"], []).append(target)
    rows = []
    for record in records:
        wanted = (
            same(record["Category"], "ApplicationManagement")
            and same(record["Result"], "success")
            and has_any(
                record["ActivityDisplayName"],
                ["Add delegated permission grant", "Add app role assignment to service principal"],
            )
        )
        for target in (record["TargetResources"] or []) if wanted and from_account(record) else []:
            if not same(at(target, "type"), "ServicePrincipal") or at(target, "displayName") is None:
                continue
            for changed in at(target, "modifiedProperties") or []:
                scope = trim_quotes(at(changed, "newValue"))
                if same(at(changed, "displayName"), "DelegatedPermissionGrant.Scope") and has_any(
                    scope, ["Mail.Read", "Mail.ReadWrite"]
                ):
                    for agent in agents(record):
                        for app in consents.get(record["CorrelationId"], [{}]):
                            rows.append(mail_row(record, target, changed, scope, agent, app))
    return rows


def mail_row(record, target, changed, scope, agent, app):
    return {
        **record,
        "Type": at(target, "type"),
        "PermissionsAddedTo": at(target, "displayName"),
        "DisplayName": at(changed, "displayName"),
        "Permissions": scope,
        "InitiatingUserAgent": text(agent),
        **initiating(record),
        "AppName": text(at(app, "displayName")),
        "AppId": text(at(app, "id")),
        "Name": part(user(record), "@", 0),
        "UPNSuffix": part(user(record), "@", 1),
    }


def exchange_records(rng):
    records = Records(rng)
    grants = [
        "[] => [[Id: 1, ConsentType: AllPrincipals, Scope: full_access_as_app, CreatedDateTime: ]]",
        "ConsentType: Principal, Scope: full_access_as_app User.Read, x",
        "ConsentType: , Scope: FULL_ACCESS_AS_APP,",
        "ConsentType: A, Scope: full_access_as_app",
        "full_access_as_app",
        "",
        None,
        "ConsentType: A, Scope: User.Read, ConsentType: B, Scope: full_access_as_app,",
    ]

    def target():
        values = {
            "ConsentContext.isAdminConsent": ["True", '"False"', None],
            "ConsentAction.Permissions": grants,
            "TargetId.ServicePrincipalNames": ['"a;b"', None],
        }
        return {"displayName": rng.choice(["App one", None]), "modifiedProperties": records.properties(values)}

    return [
        records.audit(
            LoggedByService=near(rng, "Core Directory"),
            Category=near(rng, "ApplicationManagement"),
            OperationName=near(rng, "Consent to application"),
            AdditionalDetails=records.agent(),
            TargetResources=targets(records, target),
        )
        for _ in range(2500)
    ]


def exchange(records):
    rows = []
    for record in records:
        wanted = (
            same(record["LoggedByService"], "Core Directory")
            and same(record["Category"], "ApplicationManagement")
            and same(record["OperationName"], "Consent to application")
            and has(record["TargetResources"], "full_access_as_app")
        )
        for target in expand(record["TargetResources"]) if wanted else []:
            changes = at(target, "modifiedProperties") or []
            consents, grants, apps = (
                [text(at(changed, "newValue")) for changed in changes if same(at(changed, "displayName"), name)]
                for name in (
                    "ConsentContext.isAdminConsent",
                    "ConsentAction.Permissions",
                    "TargetId.ServicePrincipalNames",
                )
            )
            for row in [
                (consent, grant, app, agent)
                for consent in consents
                for grant in grants
                for app in apps
                for agent in agents(record)
            ]:
                found = re.match(".*?ConsentType: (.*?), Scope: (.*?),", row[1])
                if found and same(found.group(2), "full_access_as_app"):
                    rows.append(exchange_row(record, target, found, *row))
    return rows


def exchange_row(record, target, found, consent, grant, app, agent):
    by = initiating(record)
    return {
        **record,
        "TargetResources": target,
        "OAuthAppName": at(target, "displayName"),
        "ModifiedProperties": at(target, "modifiedProperties"),
        "AdminConsent": consent,
        "Permissions": grant,
        "AppId": app,
        "InitiatingUserAgent": text(agent).replace('"', ""),
        "GrantConsentType": found.group(1),
        "GrantScope1": found.group(2),
        **by,
        "GrantInitiatedBy": user(record) or by["InitiatingAppName"],
        "Name": split(user(record), "@")[0],
        "UPNSuffix": at(split(user(record), "@"), 1),
    }


CASES = [
    Case(AZURE + "firstapporserviceprincipalcredential", credential_records, first_credential),
    Case(AZURE + "mailpermissionsaddedtoapplication", mail_records, mail),
    Case(AZURE + "exchangefullaccessgrantedtoapp", exchange_records, exchange),
]
