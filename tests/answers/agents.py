"""Queries over the devices and applications of sign-ins: let functions, case, arg_min with all columns, ingestion time."""

import json

from case import Case
from data import DAY, HOUR, NOW, Records, around, mostly
from kql import at, has, part, text, with_unique

SYSTEMS = [
    ("Windows NT 6.0", "windows vista/windows server 2008"),
    ("Windows NT 6.1", "windows 7/windows server 2008r2"),
    ("Windows NT 6.2", "windows 8/windows server 2012"),
    ("Windows NT 6.3", "windows 8.1/windows server 2012r2"),
    ("Windows NT 10.0", "windows 10"),
    ("Windows Phone", "windowsphone"),
    ("Android", "android"),
    ("iPhone;", "ios"),
    ("iPad;", "ios"),
    ("Polycom/", "polycom"),
    ("Darwin/", "macos"),
    ("Mac OS X", "macos"),
    ("macOS", "macos"),
    ("ubuntu", "linux"),
    ("Linux", "linux"),
    ("curl", "cli"),
    ("python", "cli"),
]


def mismatch_records(rng):
    records = Records(rng)
    agents = [f"Mozilla/5.0 ({name} x) {other}" for name, _ in SYSTEMS for other in ("", "Linux", "Windows NT 10.0")]
    agents += ["curl/8", "xpython", "WINDOWS NT 6.1", "Windows NT 6.10", "Windows NT 6.1.2", "iPhone", "", "other"]
    devices = ["Windows 10", "Windows10", "windows", "iOS", "MacOs", "Android", "Linux", "", None, "Ios 17"]

    def sign_in():
        table = mostly(rng, "SigninLogs", "AADNonInteractiveUserSignInLogs")
        device = {"operatingSystem": rng.choice(devices)}
        return records.sign_in(
            table,
            TimeGenerated=records.unique(around(rng, DAY)),
            UserAgent=rng.choice(agents),
            AppId=mostly(rng, "a-1", "", None),
            ResultType=mostly(rng, "0", "50126"),
            DeviceDetail=mostly(rng, device, {}, None) if table == "SigninLogs" else json.dumps(device),
        )

    return [sign_in() for _ in range(1500)]


def mismatch(records):
    """Only SigninLogs has the device as a dynamic: the other table's column has another type, and another name."""
    found = []
    for record in records:
        agent = record["UserAgent"]
        system = next((name for term, name in SYSTEMS if has(agent, term)), "unknown")
        is_interactive = record["Type"] == "SigninLogs"
        device = text(at(record["DeviceDetail"], "operatingSystem")).lower() if is_interactive else ""
        known = agent and record["AppId"] and device and system != "unknown"
        if NOW - record["TimeGenerated"] > DAY or record["ResultType"] != "0" or not known:
            continue
        if system in device or device in system or (device, system) in (("ios", "macos"), ("android", "linux")):
            continue
        found.append({**record, "DeviceOS": device, "UserAgentOS": system, "tbl_name": record["Type"]})
    rows = []
    for _, group in with_unique(found, "DeviceOS", "UserAgentOS", "UserPrincipalName"):
        first = min(group, key=lambda record: record["TimeGenerated"])
        device = first.pop("DeviceDetail")
        rows.append({**first, "DeviceDetail_dynamic": device, "count_": len(group)})
    return rows


PLATFORMS = {
    "065d9450-1e87-434e-ac2f-69af271549ed": ("Power Platform Admin Center", "High", None),
    "a8f7a65c-f5ba-4859-b2d6-df772c264e9d": ("Power Apps", "Medium", 27593),
    "6204c1d1-4712-4c46-a7d9-3ed63d992682": ("Power Automate", "Medium", 27592),
}


def platform_records(rng):
    """Rows that were generated long before they were ingested, an hour ago, a tick more or less."""
    records = Records(rng)
    events = ["[]", '["unfamiliarFeatures"]', "", None, "no JSON", '{"a":1}']
    return [
        records.sign_in(
            TimeGenerated=around(rng, 3 * HOUR),
            _TimeReceived=NOW - HOUR + rng.choice([0, -1, 1, HOUR // 2, -HOUR]),
            AppId=rng.choice([*PLATFORMS, *PLATFORMS, "A8F7A65C-F5BA-4859-B2D6-DF772C264E9D", ""]),
            RiskEventTypes=rng.choice(events),
            RiskEventTypes_V2=rng.choice(events[:2]),
            UserId="u",
        )
        for _ in range(300)
    ]


def platform(records):
    """An array of no length is 0; what is no array has a null length, which differs from 0."""

    def is_empty_array(value):
        return value == "[]"

    rows = []
    for record in records:
        known = PLATFORMS.get(record["AppId"])
        risk = not is_empty_array(record["RiskEventTypes"]) or not is_empty_array(record["RiskEventTypes_V2"])
        if known and risk and record["_TimeReceived"] >= NOW - HOUR:
            kept = {name: value for name, value in record.items() if name not in ("Type", "Id", "_TimeReceived")}
            user = record["UserPrincipalName"]
            rows.append(
                {
                    **kept,
                    "AffectedPlatform": known[0],
                    "Severity": known[1],
                    "CloudAppId": known[2] or 0,
                    "AccountName": part(user, "@", 0),
                    "UPNSuffix": part(user, "@", 1),
                }
            )
    return rows


CASES = [
    Case(
        "azure-sentinel/solutions-falconfriday-analytic-rules-azureaduseragentosmissmatch", mismatch_records, mismatch
    ),
    Case(
        "azure-sentinel/solutions-microsoft-business-applications-analytic-rules-power-platform-possibly-compromised"
        "-user-accesses-power-platform-services",
        platform_records,
        platform,
    ),
]
