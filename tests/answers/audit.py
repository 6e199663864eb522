"""What several queries over AuditLogs compute alike: who did it, in the columns that the published rules have."""

from kql import at, text


def user(record):
    return text(at(record["InitiatedBy"], "user", "userPrincipalName"))


def address(record):
    """The address of the user, else that of the app."""
    return text(at(record["InitiatedBy"], "user", "ipAddress")) or text(at(record["InitiatedBy"], "app", "ipAddress"))


def initiating(record):
    """The five columns InitiatingX of the rules of Microsoft's solution for Entra."""
    by = record["InitiatedBy"]
    return {
        "InitiatingAppName": text(at(by, "app", "displayName")),
        "InitiatingAppServicePrincipalId": text(at(by, "app", "servicePrincipalId")),
        "InitiatingUserPrincipalName": user(record),
        "InitiatingAadUserId": text(at(by, "user", "id")),
        "InitiatingIpAddress": address(record),
    }


def targets(records, random_target, empty=True):
    """TargetResources: one or two, an empty array, or null."""
    rng = records.rng
    one, two = [random_target()], [random_target(), random_target()]
    return rng.choice([one, one, one, two, two] + ([[], None] if empty else []))
