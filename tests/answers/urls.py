"""Queries over the addresses of applications."""

import re

from audit import targets, user
from case import Case
from data import Records, mostly, near
from kql import at, contains, difference, expand, extract, has_any, parse_json, same, split, text

URLS = [
    "https://contoso.com/a",
    "https://evil.example/cb",
    "http://WWW.fabrikam.com:8080/x",
    "https://u@fabrikam.com/",
    "app://callback",
    "https://sub.contoso.com/",
    "https://localhost",
    "",
]


def address_list(rng):
    """The value of AppAddress as Entra writes it, a list without addresses, or nothing."""
    chosen = rng.sample(URLS, rng.randrange(4))
    made = ",".join('{"AddressType":0,"Address":"%s","ReplyAddressClientType":1}' % url for url in chosen)
    return mostly(rng, f"[{made}]", "[]", "", None)


def update_records(rng, operation, prop):
    records = Records(rng)

    def target():
        values = [address_list(rng) for _ in range(6)]
        return {
            "displayName": rng.choice(["App one", "", None]),
            "modifiedProperties": mostly(rng, records.properties({prop: values, "Other": values}), [], None),
        }

    return [
        records.audit(
            OperationName=near(rng, operation),
            Category=near(rng, "ApplicationManagement"),
            Result=near(rng, "success"),
            TargetResources=targets(records, target),
            AdditionalDetails=records.agent(),
        )
        for _ in range(900)
    ]


def addresses(value):
    """extract_all of the addresses with their quotes: null if there is none."""
    return re.findall('"Address":([^,]*)', text(value)) or None


def added(records):
    """The rows of the rule about redirect URLs before its last columns, with the added URLs."""
    for record in records:
        wanted = (
            same(record["Category"], "ApplicationManagement")
            and same(record["Result"], "success")
            and same(record["OperationName"], "Update Application")
        )
        for target in expand(record["TargetResources"]) if wanted else []:
            for changed in expand(at(target, "modifiedProperties")):
                new, old = at(changed, "newValue"), at(changed, "oldValue")
                urls = difference(addresses(new), addresses(old))
                if not same(at(changed, "displayName"), "AppAddress") or not text(new) or not urls:
                    continue
                agent = at(record["AdditionalDetails"], 0)
                yield {
                    **record,
                    "TargetResources": target,
                    "TargetResources_modifiedProperties": changed,
                    "Key": at(changed, "displayName"),
                    "NewValue": new,
                    "OldValue": old,
                    "NewUrls": addresses(new),
                    "OldUrls": addresses(old),
                    "AddedUrls": urls,
                    "UserAgent": text(at(agent, "value")) if at(agent, "key") == "User-Agent" else "",
                    "AddedBy": user(record) or text(at(record["InitiatedBy"], "app", "servicePrincipalName")),
                    "AppDisplayName": text(at(target, "displayName")),
                    "ipAddress": text(at(record["InitiatedBy"], "user", "ipAddress")),
                }


def redirect_records(rng):
    return update_records(rng, "Update Application", "AppAddress")


def unknown_domain_records(rng):
    names = ["a@contoso.com", "b@Sub.Contoso.com", "c", "d@", "e@Callback"]
    records = Records(rng)
    sign_ins = [
        records.sign_in(UserPrincipalName=rng.choice(names), ResultType=rng.choice(["0", "50126"])) for _ in range(40)
    ]
    return sign_ins + [records.sign_in(UserPrincipalName="f@fabrikam.com", ResultType="50126")] + redirect_records(rng)


def unknown_domain(records):
    sign_ins = [record for record in records if record["Type"] == "SigninLogs" and record["ResultType"] == "0"]
    known = {text(at(split(record["UserPrincipalName"], "@"), 1)).lower() for record in sign_ins}
    pattern = r"^(?:https?:\/\/)?(?:[^@\/\n]+@)?(?:www\.)?([^:\/?\n]+)/"
    for row in added([record for record in records if record["Type"] == "AuditLogs"]):
        for url in row["AddedUrls"]:
            labels = extract(pattern, 1, url.lower().replace('"', "")).split(".")
            domain = f"{labels[-2] if len(labels) > 1 else ''}.{labels[-1]}"
            if labels != [""] and domain not in known:
                yield {**row, "AddedUrls": url, "Domain": domain}


def logout_records(rng):
    records = Records(rng)
    operations = ["Update application", "Update Service principal", "Update applications", "update service principal x"]

    def target():
        values = ["https://a.example", "", None]
        return {
            "displayName": rng.choice(["App one", None]),
            "modifiedProperties": records.properties({"LogoutUrl": values, "Url": values, "Address": values}),
        }

    return [
        records.audit(
            OperationName=rng.choice(operations),
            Category=near(rng, "ApplicationManagement"),
            TargetResources=targets(records, target),
        )
        for _ in range(300)
    ]


def logout(records):
    for record in records:
        if not same(record["Category"], "ApplicationManagement"):
            continue
        if not has_any(record["OperationName"], ["Update Application", "Update Service principal"]):
            continue
        changes = at(record["TargetResources"], 0, "modifiedProperties")
        app = text(at(record["InitiatedBy"], "app", "displayName"))
        for changed in expand(changes):
            if contains(at(changed, "displayName"), "Url"):
                yield {
                    **record,
                    "appName": app,
                    "UPN": user(record),
                    "UpdatedBy": app or user(record),
                    "mod_props": changed,
                    "AppName": text(at(record["TargetResources"], 0, "displayName")),
                    "Action": text(at(changed, "displayName")),
                    "OldURL": text(at(changed, "oldValue")),
                    "NewURL": text(at(changed, "newValue")),
                }


def listed_records(rng):
    return update_records(rng, "Update service principal", "AppAddress")


def listed(records):
    groups = {}
    for record in records:
        for target in (
            expand(record["TargetResources"]) if record["OperationName"] == "Update service principal" else []
        ):
            for changed in expand(at(target, "modifiedProperties")):
                if at(changed, "displayName") != "AppAddress":
                    continue
                for entry in expand(parse_json(text(at(changed, "newValue")))):
                    key = user(record), text(at(target, "displayName"))
                    groups.setdefault(key, []).append(text(at(entry, "Address")))
    return [
        {"Actor": actor, "Service Principal Name": name, "List of Redirect URIs": urls}
        for (actor, name), urls in groups.items()
    ]


CASES = [
    Case(
        "azure-sentinel/detections-auditlogs-applicationredirecturlupdate",
        redirect_records,
        lambda records: list(added(records)),
    ),
    Case(
        "azure-sentinel/detections-auditlogs-urladdedtoapplicationfromunknowndomain",
        unknown_domain_records,
        lambda records: list(unknown_domain(records)),
    ),
    Case(
        "azure-sentinel/detections-auditlogs-changestoapplicationlogouturl",
        logout_records,
        lambda records: list(logout(records)),
    ),
    Case("reprise99/azure-active-directory-audit-redirecturichanged", listed_records, listed),
]
