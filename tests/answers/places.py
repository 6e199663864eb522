"""Queries over sign-ins from places that were not seen before."""

import json
from case import Bag, Case
from data import DAY, HOUR, NOW, Records, around, mostly
from kql import at, distinct, has, parse_json, part, split, text, with_unique


def country_records(rng):
    records = Records(rng)

    def steps():
        step = {
            "authenticationMethod": mostly(rng, "Password", "password", "Text message"),
            "authenticationStepResultDetail": mostly(
                rng, "Correct Password", "correct password", "Incorrect password", ""
            ),
            "succeeded": rng.choice([True, False, "true", "True", None]),
        }
        return rng.choice([json.dumps([step]), json.dumps([step, {}]), json.dumps([{}, step]), "[]", "", "no JSON"])

    return [
        records.sign_in(
            TimeGenerated=around(rng, 7 * DAY, DAY),
            ResultType=rng.choice(["0", "50126", ""]),
            Location=f"L{int(rng.random() ** 2 * 40)}",
            AuthenticationDetails=steps(),
            AppDisplayName=rng.choice(["A", "B", ""]),
            Status=rng.choice([{"failureReason": "x"}, {"failureReason": None}, {}, None]),
        )
        for _ in range(1500)
    ]


def country(records):
    known, late = {}, []
    for record in records:
        age = NOW - record["TimeGenerated"]
        if DAY <= age <= 7 * DAY and record["ResultType"] == "0":
            known.setdefault(record["UserPrincipalName"], []).append(record["Location"])
        step = at(parse_json(record["AuthenticationDetails"]), 0)
        result, succeeded = text(at(step, "authenticationStepResultDetail")), text(at(step, "succeeded"))
        if (
            age <= DAY
            and record["ResultType"] != "0"
            and at(step, "authenticationMethod") == "Password"
            and (result == "Correct Password" or succeeded == "true")
        ):
            late.append(
                {
                    **record,
                    "PasswordResult": result,
                    "AuthSucceeded": succeeded,
                    "failureReason": text(at(record["Status"], "failureReason")),
                }
            )
    keys = ("UserPrincipalName", "PasswordResult", "AuthSucceeded", "failureReason")
    rows = []
    for key, group in with_unique(late, *keys):
        new = distinct(row["Location"] for row in group)
        other = [place for place in new if place not in known.get(key[0], new)]
        if other:
            rows.append(
                {
                    **dict(zip(keys, key)),
                    "NewCountry": Bag(new),
                    "AppName": Bag(distinct(row["AppDisplayName"] for row in group)),
                    "LastObservedTime": max(row["TimeGenerated"] for row in group),
                    "UserPrincipalName1": key[0],
                    "KnownCountry": Bag(distinct(known[key[0]])),
                    "CountryDiff": Bag(other),
                    "CountryDiffCount": len(other),
                    "NewCountryEvent": Bag(other),
                    "Name": split(key[0], "@")[0],
                    "Domain": at(split(key[0], "@"), 1),
                }
            )
    return rows


def principal_records(rng):
    records = Records(rng)

    def place():
        return rng.choice([json.dumps({"city": "Bonn", "state": "NW"}), '{"city":null}', "{}", "", "[1]"])

    return [
        records.record(
            "AADServicePrincipalSignInLogs",
            TimeGenerated=around(rng, 14 * DAY, DAY),
            ResultType=rng.choice(["0", "50126", "7000215"]),
            Location=f"L{int(rng.random() ** 2 * 400)}",
            LocationDetails=place(),
            ResultDescription=rng.choice(["", "bad", None]),
            IPAddress=rng.choice(["203.0.113.7", ""]),
            ServicePrincipalName=rng.choice(["sp", "SP", ""]),
        )
        for _ in range(600)
    ]


def principal(records):
    ages = [(NOW - record["TimeGenerated"], record) for record in records]
    known = {record["Location"] for age, record in ages if DAY <= age <= 14 * DAY and record["ResultType"] == "0"}
    new = [
        record
        for age, record in ages
        if age < DAY and record["ResultType"] != "50126" and record["Location"] not in known
    ]
    rows = []
    for (name, location), group in with_unique(new, "ServicePrincipalName", "Location"):
        places = [parse_json(row["LocationDetails"]) for row in group]
        times = [row["TimeGenerated"] for row in group]
        rows.append(
            {
                "ServicePrincipalName": name,
                "Location": location,
                "FirstSeen": min(times),
                "LastSeen": max(times),
                "set_Result": Bag(distinct(f"{row['ResultType']} - {text(row['ResultDescription'])}" for row in group)),
                "set_IPAddress": Bag(distinct(row["IPAddress"] for row in group)),
                "set_Place": Bag(
                    distinct(f"{text(at(place, 'city'))} - {text(at(place, 'state'))}" for place in places)
                ),
            }
        )
    return rows


def single_factor_records(rng):
    apps = ["913c6de4-2a4a-4a61-a9ce-945d2b2ce2e0", "00000015-0000-0000-c000-000000000000", "other"]
    records = Records(rng)
    return [
        records.sign_in(
            TimeGenerated=around(rng, 14 * DAY, HOUR, HOUR, 2 * HOUR),
            AppId=rng.choice(apps),
            ResultType=mostly(rng, "0", "50126"),
            Location=f"L{int(rng.random() ** 2 * 3000)}",
            AuthenticationRequirement=rng.choice(["multiFactorAuthentication", "singleFactorAuthentication"]),
            NetworkLocationDetails=mostly(
                rng, "[]", '[{"networkType":"trustedNamedLocation"}]', "", '[{"networkType":"xtrustedNamedLocation"}]'
            ),
            AppDisplayName=rng.choice(["A", ""]),
        )
        for _ in range(2000)
    ]


def single_factor(records):
    apps = ["913c6de4-2a4a-4a61-a9ce-945d2b2ce2e0", "00000015-0000-0000-c000-000000000000"]
    before = [record for record in records if HOUR <= NOW - record["TimeGenerated"] <= 14 * DAY]
    known = {record["Location"] for record in before}
    count = sum(
        record["AppId"] in apps
        and record["ResultType"] == "0"
        and record["AuthenticationRequirement"] == "multiFactorAuthentication"
        for record in before
    )
    wanted = [
        record
        for record in records
        if NOW - record["TimeGenerated"] <= HOUR
        and record["AppId"] in apps
        and record["ResultType"] == "0"
        and count > 0
        and record["Location"] not in known
        and not has(record["NetworkLocationDetails"], "trustedNamedLocation")
    ]
    keys = ("UserPrincipalName", "AppDisplayName", "IPAddress", "Location")
    return [
        {
            **dict(zip(keys, key)),
            "CloudAppId": 32780,
            "AccountName": part(key[0], "@", 0),
            "UPNSuffix": part(key[0], "@", 1),
        }
        for key, _ in with_unique(wanted, *keys)
    ]


CASES = [
    Case("azure-sentinel/detections-signinlogs-newcountryvalidcreds", country_records, country),
    Case(
        "azure-sentinel/detections-signinlogs-serviceprincipalauthenticationattemptfromnewcountry",
        principal_records,
        principal,
    ),
    Case(
        "azure-sentinel/solutions-microsoft-business-applications-analytic-rules-f-o-unusual-sign-in-activity-using"
        "-single-factor-authentication",
        single_factor_records,
        single_factor,
    ),
]
