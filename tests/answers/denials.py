"""A query over denied requests of multifactor authentication that end in a success."""

import json
from case import Bag, Case
from data import DAY, MINUTE, NOW, Records, mostly
from kql import at, distinct, expand, part, text, with_unique

SOLUTION = "azure-sentinel/solutions-microsoft-entra-id-analytic-rules-"


def spam_records(rng):
    """Users with ten, eleven and more denials within five minutes, a tick more or less."""
    records, made = Records(rng), []
    denied = [
        "MFA denied; user declined the authentication",
        "MFA denied; user did not respond to mobile app notification",
    ]
    for visit in range(200):
        start = NOW - 2 * DAY + rng.randrange(2 * DAY)
        shared = {
            "UserPrincipalName": f"u{visit}@contoso.com",
            "IPAddress": "203.0.113.7",
            "AuthenticationRequirement": mostly(rng, "multiFactorAuthentication", "MultiFactorAuthentication"),
            "LocationDetails": rng.choice([{"city": "Bonn", "countryOrRegion": "DE"}, {"state": "NW"}, None]),
            "_TimeReceived": mostly(rng, NOW - DAY + 1, NOW - DAY),
        }
        results = [rng.choice(denied) for _ in range(mostly(rng, rng.choice([11, 12]), 10, 0))]
        results += mostly(rng, ["MFA successfully completed"], [], ["mfa successfully completed"])
        ends = [start, start + rng.choice([5 * MINUTE, 5 * MINUTE - 1, 5 * MINUTE + 1, MINUTE])]
        for index, result in enumerate(results):
            steps = [{"authenticationStepResultDetail": result}] + rng.choice([[], [{}], [None]])
            time = ends[index] if index < 2 else rng.randrange(start, ends[1])
            device = {"operatingSystem": rng.choice(["Windows", "iOS"]), "browser": rng.choice(["Edge", None])}
            made.append(
                records.sign_in(
                    **shared, TimeGenerated=time, AuthenticationDetails=json.dumps(steps), DeviceDetail=device
                )
            )
    return made


def spam(records):
    steps = []
    for record in records:
        if record["_TimeReceived"] <= NOW - DAY or record["AuthenticationRequirement"] != "multiFactorAuthentication":
            continue
        place, device = record["LocationDetails"], record["DeviceDetail"]
        for step in expand(json.loads(record["AuthenticationDetails"])):
            steps.append(
                {
                    **record,
                    "Result": text(at(step, "authenticationStepResultDetail")),
                    "State": text(at(place, "state")),
                    "City": text(at(place, "city")),
                    "Region": text(at(place, "countryOrRegion")),
                    "OS": text(at(device, "operatingSystem")),
                    "Browser": text(at(device, "browser")),
                }
            )
    keys = ("UserPrincipalName", "IPAddress", "State", "City", "Region")
    rows = []
    for key, group in with_unique(steps, *keys):
        failed = sum(step["Result"].startswith("MFA denied; ") for step in group)
        passed = sum(step["Result"] == "MFA successfully completed" for step in group)
        times = [step["TimeGenerated"] for step in group]
        if failed > 10 and passed >= 1 and max(times) - min(times) <= 5 * MINUTE:
            rows.append(
                {
                    **dict(zip(keys, key)),
                    "FailedAttempts": failed,
                    "SuccessfulAttempts": passed,
                    "InvolvedOS": Bag(distinct(step["OS"] for step in group)),
                    "StartTime": min(times),
                    "InvolvedBrowser": Bag(distinct(step["Browser"] for step in group)),
                    "EndTime": max(times),
                    "AuthenticationWindow": max(times) - min(times),
                    "Name": part(key[0], "@", 0),
                    "UPNSuffix": part(key[0], "@", 1),
                }
            )
    return rows


CASES = [
    Case(SOLUTION + "mfaspammingfollowedbysuccessfullogin", spam_records, spam),
]
