//! The columns of `SigninLogs` and `AADNonInteractiveUserSignInLogs`, and the form of their records in diagnostic
//! settings.
//!
//! Names and types follow the reference of the tables. Columns that current records have but the reference lacks have
//! their usual names.

use super::catalogue::conditions::{LEGACY, TRUSTED};
use super::catalogue::{TENANT, TENANT_RESOURCE};
use super::columns::SynthValue::{self, Bool, Dynamic, Json, Long, Text, Time};
use super::columns::{SynthColumn, TableFormat};
use super::people::SPOTS;
use super::signin::{INTERACTIVE, NON_INTERACTIVE, Proof, SignIn};
use crate::entra::known_table;
use crate::types::Type;

/// Returns the format of `SigninLogs`.
pub fn interactive<'w>() -> TableFormat<SignIn<'w>> {
    TableFormat::new(INTERACTIVE, columns(), ENVELOPE, PROPERTIES)
}

/// Returns the format of `AADNonInteractiveUserSignInLogs`. It has some of the columns of `SigninLogs`, of which
/// dynamic ones are strings.
pub fn non_interactive<'w>() -> TableFormat<SignIn<'w>> {
    let [name, category] = NON_INTERACTIVE;
    let schema = known_table(name).map(|table| &table.schema);
    let type_of = |column: &str| schema.and_then(|schema| Some(schema.field(schema.index_of(column)?).ty));
    let adapted = columns().into_iter().filter_map(|mut column| {
        if column.name == "ProcessingTimeInMilliseconds" {
            column.name = "ProcessingTimeInMs";
        }
        if let (Type::String, Dynamic(json)) = (type_of(column.name)?, column.value) {
            column.value = Json(json);
        }
        Some(column)
    });
    let mut columns: Vec<_> = adapted.collect();
    columns.dedup_by_key(|column| column.name);
    // Its name in records is that of the other table.
    let record_only = vec![column("ProcessingTimeInMilliseconds", Json(|row| &row.processing_time))];
    TableFormat { record_only, ..TableFormat::new([name, category], columns, ENVELOPE, PROPERTIES) }
}

fn column<'w>(name: &'static str, value: SynthValue<SignIn<'w>>) -> SynthColumn<SignIn<'w>> {
    SynthColumn { name, value }
}

#[expect(clippy::too_many_lines, reason = "a table: a line for each column")]
fn columns<'w>() -> Vec<SynthColumn<SignIn<'w>>> {
    vec![
        column("AADTenantId", Text(|_| TENANT)),
        column("Agent", Json(|_| r#"{"agentType":"notAgentic","agentSubjectType":"notAgentic"}"#)),
        column("AlternateSignInName", Text(|row| &row.attempt.user.principal)),
        column("AppDisplayName", Text(|row| row.app().name)),
        column("AppId", Text(|row| row.app().id)),
        column("AppOwnerTenantId", Text(|row| row.app().owner)),
        column("AppServicePrincipalId", Text(|_| "")),
        column("AppliedConditionalAccessPolicies", Text(|_| "")),
        column("AppliedEventListeners", Dynamic(|_| "[]")),
        column("AuthenticationContextClassReferences", Json(context_references)),
        column("AuthenticationDetails", Json(|row| &row.authentication)),
        column("AuthenticationMethodsUsed", Json(|_| "[]")),
        column("AuthenticationProcessingDetails", Json(|row| &row.attempt.world.processing[row.attempt.app])),
        column("AuthenticationProtocol", Text(protocol)),
        column("AuthenticationRequirement", Text(requirement)),
        column("AuthenticationRequirementPolicies", Json(requirement_policies)),
        column("AutonomousSystemNumber", Json(|row| row.city().network)),
        column("Category", Text(|row| row.table().category)),
        column("ClientAppUsed", Text(|row| row.client())),
        column("ClientCredentialType", Text(|_| "none")),
        column("ConditionalAccessAudiences", Json(|row| &row.attempt.world.audiences[row.attempt.app])),
        column("ConditionalAccessPolicies", Dynamic(|row| &row.policies)),
        column("ConditionalAccessStatus", Text(|row| row.policy_status())),
        column("CorrelationId", Text(|row| &row.attempt.correlation)),
        column("CreatedDateTime", Time(|row| row.created)),
        column("CrossTenantAccessType", Text(cross_tenant)),
        column("DeviceDetail", Dynamic(|row| row.device_detail())),
        column("DurationMs", Long(|_| 0)),
        column("FlaggedForReview", Bool(|_| Some(false))),
        column("GlobalSecureAccessIpAddress", Text(|_| "")),
        column("HomeTenantId", Text(|row| row.home_tenant())),
        column("HomeTenantName", Text(|_| "")),
        column("IPAddress", Text(|row| &row.attempt.address)),
        column("IPAddressFromResourceProvider", Text(|_| "")),
        column("Id", Text(|row| &row.id)),
        column("Identity", Text(|row| &row.attempt.user.name)),
        column("IncomingTokenType", Text(incoming_token)),
        column("IsInteractive", Bool(|row| Some(row.attempt.interactive))),
        column("IsRisky", Bool(|_| None)),
        column("IsTenantRestricted", Bool(|_| Some(false))),
        column("IsThroughGlobalSecureAccess", Bool(|_| Some(false))),
        column("Level", Text(|_| "4")),
        column("Location", Text(|row| row.city().country)),
        column("LocationDetails", Dynamic(|row| &row.attempt.world.locations[row.attempt.location])),
        column("MfaDetail", Dynamic(mfa_detail)),
        column("NetworkLocationDetails", Json(networks)),
        column("OperationName", Text(|_| "Sign-in activity")),
        column("OperationVersion", Text(|_| "1.0")),
        column("OriginalRequestId", Text(|row| &row.attempt.first)),
        column("OriginalTransferMethod", Text(|_| "none")),
        column("PrivateLinkDetails", Dynamic(|_| "{}")),
        column("ProcessingTimeInMilliseconds", Json(|row| &row.processing_time)),
        column("RedirectUrl", Text(|_| "")),
        column("Resource", Text(|_| "Microsoft.aadiam")),
        column("ResourceDisplayName", Text(|row| row.app().resource.name)),
        column("ResourceGroup", Text(|_| "Microsoft.aadiam")),
        column("ResourceId", Text(|_| TENANT_RESOURCE)),
        column("ResourceIdentity", Text(|row| row.app().resource.id)),
        column("ResourceOwnerTenantId", Text(|row| row.app().owner)),
        column("ResourceProvider", Text(|_| "")),
        column("ResourceServicePrincipalId", Text(|row| row.app().resource.principal)),
        column("ResourceTenantId", Text(|_| TENANT)),
        column("ResultDescription", Text(|row| row.outcome.reason)),
        column("ResultSignature", Text(|row| if row.granted() { "SUCCESS" } else { "FAILURE" })),
        column("ResultType", Text(|row| row.outcome.code)),
        column("RiskDetail", Text(|_| "none")),
        column("RiskEventTypes", Json(risk_events)),
        column("RiskEventTypes_V2", Json(risk_events)),
        column("RiskLevel", Text(|_| "")),
        column("RiskLevelAggregated", Text(|row| row.attempt.risk)),
        column("RiskLevelDuringSignIn", Text(|row| row.attempt.risk)),
        column("RiskState", Text(risk_state)),
        column("ServicePrincipalId", Text(|_| "")),
        column("ServicePrincipalName", Text(|_| "")),
        column("SessionId", Text(|row| &row.attempt.session)),
        column("SessionLifetimePolicies", Json(lifetime_policies)),
        column("SignInEventTypes", Json(event_types)),
        column("SignInIdentifier", Text(|row| &row.attempt.user.principal)),
        column("SignInIdentifierType", Text(|_| "userPrincipalName")),
        column("SignInTokenProtectionStatus", Text(|_| "none")),
        column("SourceAppClientId", Text(|_| "")),
        column("SsoExtensionVersion", Text(|_| "")),
        column("Status", Dynamic(|row| &row.status)),
        column("TokenIssuerName", Text(|_| "")),
        column("TokenIssuerType", Text(|_| "AzureAD")),
        column("TokenProtectionStatusDetails", Dynamic(|_| r#"{"signInSessionStatus":"none"}"#)),
        column("Type", Text(|row| row.table().name)),
        column("UniqueTokenIdentifier", Text(|row| &row.token)),
        column("UserAgent", Text(|row| row.agent())),
        column("UserDisplayName", Text(|row| &row.attempt.user.name)),
        column("UserId", Text(|row| &row.attempt.user.id)),
        column("UserPrincipalName", Text(|row| &row.attempt.user.principal)),
        column("UserType", Text(user_type)),
    ]
}

fn context_references<'r>(row: &'r SignIn<'_>) -> &'r str {
    match row.proof {
        Proof::Claim => r#"[{"id":"urn:microsoft:req1","detail":"previouslySatisfied"}]"#,
        _ => "[]",
    }
}

fn requirement<'r>(row: &'r SignIn<'_>) -> &'r str {
    if row.multi_factor() { "multiFactorAuthentication" } else { "singleFactorAuthentication" }
}

fn requirement_policies<'r>(row: &'r SignIn<'_>) -> &'r str {
    if row.multi_factor() {
        r#"[{"requirementProvider":"multiConditionalAccess","detail":"Conditional Access"}]"#
    } else {
        "[]"
    }
}

fn cross_tenant<'r>(row: &'r SignIn<'_>) -> &'r str {
    if row.attempt.user.partner.is_some() { "b2bCollaboration" } else { "none" }
}

fn mfa_detail<'r>(row: &'r SignIn<'_>) -> &'r str {
    match row.proof {
        Proof::Fresh => &row.attempt.world.methods[row.attempt.user.method],
        _ => "{}",
    }
}

/// Returns the trusted networks of the office as a JSON array; it is empty unless the sign-in comes from an office.
fn networks<'r>(row: &'r SignIn<'_>) -> &'r str {
    if row.attempt.facts & TRUSTED == 0 { "[]" } else { &row.attempt.world.networks[row.attempt.location / SPOTS] }
}

fn risk_events<'r>(row: &'r SignIn<'_>) -> &'r str {
    match row.attempt.risk {
        "medium" => r#"["unfamiliarFeatures","passwordSpray"]"#,
        "low" => r#"["unfamiliarFeatures"]"#,
        _ => "[]",
    }
}

fn lifetime_policies<'r>(row: &'r SignIn<'_>) -> &'r str {
    if row.attempt.decision.frequency && row.granted() {
        r#"[{"expirationRequirement":"signInFrequencyPeriodicReauthentication","detail":"Conditional Access"}]"#
    } else {
        "[]"
    }
}

fn protocol<'r>(row: &'r SignIn<'_>) -> &'r str {
    if row.attempt.facts & LEGACY == 0 { "none" } else { "ropc" }
}

fn event_types<'r>(row: &'r SignIn<'_>) -> &'r str {
    if row.attempt.interactive { r#"["interactiveUser"]"# } else { r#"["nonInteractiveUser"]"# }
}

fn incoming_token<'r>(row: &'r SignIn<'_>) -> &'r str {
    match (row.attempt.interactive, row.proof) {
        (true, Proof::Claim) => "primaryRefreshToken",
        (true, _) => "none",
        (false, _) => "refreshToken",
    }
}

fn risk_state<'r>(row: &'r SignIn<'_>) -> &'r str {
    if row.attempt.risk == "none" { "none" } else { "atRisk" }
}

fn user_type<'r>(row: &'r SignIn<'_>) -> &'r str {
    if row.attempt.user.partner.is_some() { "Guest" } else { "Member" }
}

/// The keys of the envelope of a record, and the column whose value each has. Keys with an empty string are left out.
pub static ENVELOPE: &[(&str, &str)] = &[
    ("time", "TimeGenerated"),
    ("resourceId", "ResourceId"),
    ("operationName", "OperationName"),
    ("operationVersion", "OperationVersion"),
    ("category", "Category"),
    ("tenantId", "AADTenantId"),
    ("resultType", "ResultType"),
    ("resultSignature", "ResultSignature"),
    ("resultDescription", "ResultDescription"),
    ("durationMs", "DurationMs"),
    ("callerIpAddress", "IPAddress"),
    ("correlationId", "CorrelationId"),
    ("identity", "Identity"),
    ("level", "Level"),
    ("location", "Location"),
];

/// The keys of `properties` in a record, and the column whose value each has.
static PROPERTIES: &[(&str, &str)] = &[
    ("id", "Id"),
    ("createdDateTime", "CreatedDateTime"),
    ("userDisplayName", "UserDisplayName"),
    ("userPrincipalName", "UserPrincipalName"),
    ("userId", "UserId"),
    ("agent", "Agent"),
    ("appId", "AppId"),
    ("appDisplayName", "AppDisplayName"),
    ("ipAddress", "IPAddress"),
    ("ipAddressFromResourceProvider", "IPAddressFromResourceProvider"),
    ("status", "Status"),
    ("clientAppUsed", "ClientAppUsed"),
    ("userAgent", "UserAgent"),
    ("deviceDetail", "DeviceDetail"),
    ("location", "LocationDetails"),
    ("mfaDetail", "MfaDetail"),
    ("correlationId", "CorrelationId"),
    ("conditionalAccessStatus", "ConditionalAccessStatus"),
    ("appliedConditionalAccessPolicies", "ConditionalAccessPolicies"),
    ("appliedEventListeners", "AppliedEventListeners"),
    ("authenticationContextClassReferences", "AuthenticationContextClassReferences"),
    ("originalRequestId", "OriginalRequestId"),
    ("isInteractive", "IsInteractive"),
    ("isRisky", "IsRisky"),
    ("tokenIssuerName", "TokenIssuerName"),
    ("tokenIssuerType", "TokenIssuerType"),
    ("authenticationProcessingDetails", "AuthenticationProcessingDetails"),
    ("networkLocationDetails", "NetworkLocationDetails"),
    ("clientCredentialType", "ClientCredentialType"),
    ("processingTimeInMilliseconds", "ProcessingTimeInMilliseconds"),
    ("riskDetail", "RiskDetail"),
    ("riskLevelAggregated", "RiskLevelAggregated"),
    ("riskLevelDuringSignIn", "RiskLevelDuringSignIn"),
    ("riskState", "RiskState"),
    ("riskEventTypes", "RiskEventTypes"),
    ("riskEventTypes_v2", "RiskEventTypes_V2"),
    ("resourceDisplayName", "ResourceDisplayName"),
    ("resourceId", "ResourceIdentity"),
    ("resourceTenantId", "ResourceTenantId"),
    ("homeTenantId", "HomeTenantId"),
    ("homeTenantName", "HomeTenantName"),
    ("tenantId", "AADTenantId"),
    ("authenticationMethodsUsed", "AuthenticationMethodsUsed"),
    ("authenticationDetails", "AuthenticationDetails"),
    ("authenticationRequirementPolicies", "AuthenticationRequirementPolicies"),
    ("sessionLifetimePolicies", "SessionLifetimePolicies"),
    ("authenticationRequirement", "AuthenticationRequirement"),
    ("alternateSignInName", "AlternateSignInName"),
    ("signInIdentifier", "SignInIdentifier"),
    ("signInIdentifierType", "SignInIdentifierType"),
    ("signInEventTypes", "SignInEventTypes"),
    ("servicePrincipalId", "ServicePrincipalId"),
    ("servicePrincipalName", "ServicePrincipalName"),
    ("userType", "UserType"),
    ("flaggedForReview", "FlaggedForReview"),
    ("isTenantRestricted", "IsTenantRestricted"),
    ("autonomousSystemNumber", "AutonomousSystemNumber"),
    ("crossTenantAccessType", "CrossTenantAccessType"),
    ("privateLinkDetails", "PrivateLinkDetails"),
    ("redirectUrl", "RedirectUrl"),
    ("ssoExtensionVersion", "SsoExtensionVersion"),
    ("uniqueTokenIdentifier", "UniqueTokenIdentifier"),
    ("incomingTokenType", "IncomingTokenType"),
    ("authenticationProtocol", "AuthenticationProtocol"),
    ("appServicePrincipalId", "AppServicePrincipalId"),
    ("sourceAppClientId", "SourceAppClientId"),
    ("resourceServicePrincipalId", "ResourceServicePrincipalId"),
    ("signInTokenProtectionStatus", "SignInTokenProtectionStatus"),
    ("tokenProtectionStatusDetails", "TokenProtectionStatusDetails"),
    ("originalTransferMethod", "OriginalTransferMethod"),
    ("isThroughGlobalSecureAccess", "IsThroughGlobalSecureAccess"),
    ("globalSecureAccessIpAddress", "GlobalSecureAccessIpAddress"),
    ("conditionalAccessAudiences", "ConditionalAccessAudiences"),
    ("sessionId", "SessionId"),
    ("appOwnerTenantId", "AppOwnerTenantId"),
    ("resourceOwnerTenantId", "ResourceOwnerTenantId"),
];
