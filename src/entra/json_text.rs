//! String columns whose values are JSON, which queries parse with `parse_json()`.

const COLUMNS: [&str; 22] = [
    "Agent",
    "AppliedConditionalAccessPolicies",
    "AuthenticationAppDeviceDetails",
    "AuthenticationAppPolicyEvaluationDetails",
    "AuthenticationContextClassReferences",
    "AuthenticationDetails",
    "AuthenticationMethodsUsed",
    "AuthenticationProcessingDetails",
    "AuthenticationRequirementPolicies",
    "ConditionalAccessAudiences",
    "ConditionalAccessPolicies",
    "DeviceDetail",
    "LocationDetails",
    "MfaDetail",
    "NetworkLocationDetails",
    "RiskEventTypes",
    "RiskEventTypes_V2",
    "SessionLifetimePolicies",
    "SignInEventTypes",
    "Status",
    "TokenProtectionStatusDetails",
    "PrivateLinkDetails",
];

/// True for a string column of a known table whose values are JSON.
#[must_use]
pub fn holds_json(column: &str) -> bool {
    COLUMNS.contains(&column)
}

#[cfg(test)]
mod tests {
    #[test]
    fn they_are_columns_of_known_tables() {
        let known = || crate::entra::known_tables().flat_map(|table| table.schema.names());
        assert!(super::COLUMNS.iter().all(|column| known().any(|name| name == *column)));
    }
}
