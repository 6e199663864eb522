//! The columns of SigninLogs, each with an accessor for its value: the single definition for all shapes.
//!
//! Kinds and names follow the reference of the table; columns that current records have beyond it have their usual
//! names.

use super::calendar::SECOND;
use super::catalogue::{TENANT, TENANT_RESOURCE, WORKSPACE, WORKSPACE_RESOURCE};
use super::model::World;
use super::signin::{Proof, SignIn};

/// A sign-in and its organisation.
pub struct Row<'r> {
    /// The sign-in.
    pub signin: &'r SignIn<'r>,
    /// The organisation.
    pub world: &'r World,
}

/// A column.
pub struct SynthColumn {
    /// The name in the table.
    pub name: &'static str,
    /// The kind and accessor of its value.
    pub value: SynthValue,
}

/// The kind of a value, with an accessor.
#[derive(Clone, Copy)]
pub enum SynthValue {
    /// A string.
    Text(for<'r> fn(&Row<'r>) -> &'r str),
    /// A string column whose value is JSON at the source: a number, an array, an object.
    Json(for<'r> fn(&Row<'r>) -> &'r str),
    /// A dynamic column, as JSON.
    Dynamic(for<'r> fn(&Row<'r>) -> &'r str),
    /// A bool.
    Bool(fn(&Row<'_>) -> Option<bool>),
    /// A long.
    Long(fn(&Row<'_>) -> i64),
    /// A real.
    Real(fn(&Row<'_>) -> f64),
    /// A datetime, in microseconds since 1970.
    Time(fn(&Row<'_>) -> i64),
}

use SynthValue::{Bool, Dynamic, Json, Long, Real, Text, Time};

const fn column(name: &'static str, value: SynthValue) -> SynthColumn {
    SynthColumn { name, value }
}

/// Returns the column of a name, which must be in [`COLUMNS`].
pub fn find(name: &str) -> Option<&'static SynthColumn> {
    COLUMNS.iter().find(|column| column.name == name)
}

/// All columns in the order of data export: sorted by character codes.
pub static COLUMNS: &[SynthColumn] = &[
    column("AADTenantId", Text(|_| TENANT)),
    column("Agent", Json(|_| r#"{"agentType":"notAgentic","agentSubjectType":"notAgentic"}"#)),
    column("AlternateSignInName", Text(|row| &row.signin.attempt.user.principal)),
    column("AppDisplayName", Text(|row| row.signin.app().name)),
    column("AppId", Text(|row| row.signin.app().id)),
    column("AppOwnerTenantId", Text(|row| row.signin.app().owner)),
    column("AppServicePrincipalId", Text(|_| "")),
    column("AppliedConditionalAccessPolicies", Text(|_| "")),
    column("AppliedEventListeners", Dynamic(|_| "[]")),
    column("AuthenticationContextClassReferences", Json(context_references)),
    column("AuthenticationDetails", Json(|row| &row.signin.authentication)),
    column("AuthenticationMethodsUsed", Json(|_| "[]")),
    column("AuthenticationProcessingDetails", Json(|row| &row.world.processing[row.signin.attempt.app])),
    column("AuthenticationProtocol", Text(|row| if row.signin.attempt.spray { "ropc" } else { "none" })),
    column("AuthenticationRequirement", Text(requirement)),
    column("AuthenticationRequirementPolicies", Json(requirement_policies)),
    column("AutonomousSystemNumber", Json(|row| row.signin.city().network)),
    column("Category", Text(|_| "SignInLogs")),
    column("ClientAppUsed", Text(|row| row.signin.client())),
    column("ClientCredentialType", Text(|_| "none")),
    column("ConditionalAccessAudiences", Json(|row| &row.world.audiences[row.signin.attempt.app])),
    column("ConditionalAccessPolicies", Dynamic(|row| row.signin.policies())),
    column("ConditionalAccessStatus", Text(|row| row.signin.policy_status())),
    column("CorrelationId", Text(|row| &row.signin.attempt.correlation)),
    column("CreatedDateTime", Time(|row| row.signin.created)),
    column("CrossTenantAccessType", Text(cross_tenant)),
    column("DeviceDetail", Dynamic(|row| row.signin.device_detail())),
    column("DurationMs", Long(|_| 0)),
    column("FlaggedForReview", Bool(|_| Some(false))),
    column("GlobalSecureAccessIpAddress", Text(|_| "")),
    column("HomeTenantId", Text(|row| row.signin.home_tenant())),
    column("HomeTenantName", Text(|_| "")),
    column("IPAddress", Text(|row| &row.signin.attempt.address)),
    column("IPAddressFromResourceProvider", Text(|_| "")),
    column("Id", Text(|row| &row.signin.id)),
    column("Identity", Text(|row| &row.signin.attempt.user.name)),
    column(
        "IncomingTokenType",
        Text(|row| if row.signin.proof == Proof::Claim { "primaryRefreshToken" } else { "none" }),
    ),
    column("IsInteractive", Bool(|_| Some(true))),
    column("IsRisky", Bool(|_| None)),
    column("IsTenantRestricted", Bool(|_| Some(false))),
    column("IsThroughGlobalSecureAccess", Bool(|_| Some(false))),
    column("Level", Text(|_| "4")),
    column("Location", Text(|row| row.signin.city().country)),
    column("LocationDetails", Dynamic(|row| &row.world.locations[row.signin.attempt.city])),
    column("MfaDetail", Dynamic(mfa_detail)),
    column("NetworkLocationDetails", Json(networks)),
    column("OperationName", Text(|_| "Sign-in activity")),
    column("OperationVersion", Text(|_| "1.0")),
    column("OriginalRequestId", Text(|row| &row.signin.attempt.first)),
    column("OriginalTransferMethod", Text(|_| "none")),
    column("PrivateLinkDetails", Dynamic(|_| "{}")),
    column("ProcessingTimeInMilliseconds", Json(|row| &row.signin.processing_time)),
    column("RedirectUrl", Text(|_| "")),
    column("Resource", Text(|_| "Microsoft.aadiam")),
    column("ResourceDisplayName", Text(|row| row.signin.app().resource.name)),
    column("ResourceGroup", Text(|_| "Microsoft.aadiam")),
    column("ResourceId", Text(|_| TENANT_RESOURCE)),
    column("ResourceIdentity", Text(|row| row.signin.app().resource.id)),
    column("ResourceOwnerTenantId", Text(|row| row.signin.app().owner)),
    column("ResourceProvider", Text(|_| "")),
    column("ResourceServicePrincipalId", Text(|row| row.signin.app().resource.principal)),
    column("ResourceTenantId", Text(|_| TENANT)),
    column("ResultDescription", Text(|row| row.signin.outcome.reason)),
    column("ResultSignature", Text(|row| if row.signin.granted() { "SUCCESS" } else { "FAILURE" })),
    column("ResultType", Text(|row| row.signin.outcome.code)),
    column("RiskDetail", Text(|_| "none")),
    column("RiskEventTypes", Json(risk_events)),
    column("RiskEventTypes_V2", Json(risk_events)),
    column("RiskLevel", Text(|_| "")),
    column("RiskLevelAggregated", Text(|row| row.signin.attempt.risk)),
    column("RiskLevelDuringSignIn", Text(|row| row.signin.attempt.risk)),
    column("RiskState", Text(|row| if row.signin.attempt.risk == "none" { "none" } else { "atRisk" })),
    column("ServicePrincipalId", Text(|_| "")),
    column("ServicePrincipalName", Text(|_| "")),
    column("SessionId", Text(|row| &row.signin.attempt.session)),
    column("SessionLifetimePolicies", Json(lifetime_policies)),
    column("SignInEventTypes", Json(|_| r#"["interactiveUser"]"#)),
    column("SignInIdentifier", Text(|row| &row.signin.attempt.user.principal)),
    column("SignInIdentifierType", Text(|_| "userPrincipalName")),
    column("SignInTokenProtectionStatus", Text(|_| "none")),
    column("SourceAppClientId", Text(|_| "")),
    column("SourceSystem", Text(|_| "Azure AD")),
    column("SsoExtensionVersion", Text(|_| "")),
    column("Status", Dynamic(|row| &row.signin.status)),
    column("TenantId", Text(|_| WORKSPACE)),
    column("TimeGenerated", Time(|row| row.signin.published)),
    column("TokenIssuerName", Text(|_| "")),
    column("TokenIssuerType", Text(|_| "AzureAD")),
    column("TokenProtectionStatusDetails", Dynamic(|_| r#"{"signInSessionStatus":"none"}"#)),
    column("Type", Text(|_| "SigninLogs")),
    column("UniqueTokenIdentifier", Text(|row| &row.signin.token)),
    column("UserAgent", Text(|row| row.signin.agent())),
    column("UserDisplayName", Text(|row| &row.signin.attempt.user.name)),
    column("UserId", Text(|row| &row.signin.attempt.user.id)),
    column("UserPrincipalName", Text(|row| &row.signin.attempt.user.principal)),
    column("UserType", Text(|row| if row.signin.attempt.user.partner.is_some() { "Guest" } else { "Member" })),
    column("_BilledSize", Real(|row| f64::from(row.signin.billed))),
    column("_Internal_WorkspaceResourceId", Text(|_| WORKSPACE_RESOURCE)),
    column("_IsBillable", Text(|_| "true")),
    column("_ItemId", Text(|row| &row.signin.item)),
    column("_ResourceId", Text(|_| "")),
    column("_SubscriptionId", Text(|_| "")),
    column("_TimeReceived", Time(|row| row.signin.published + 2 * SECOND)),
];

fn context_references<'r>(row: &Row<'r>) -> &'r str {
    match row.signin.proof {
        Proof::Claim => r#"[{"id":"urn:microsoft:req1","detail":"previouslySatisfied"}]"#,
        _ => "[]",
    }
}

fn requirement<'r>(row: &Row<'r>) -> &'r str {
    if row.signin.multi_factor() { "multiFactorAuthentication" } else { "singleFactorAuthentication" }
}

fn requirement_policies<'r>(row: &Row<'r>) -> &'r str {
    if row.signin.multi_factor() {
        r#"[{"requirementProvider":"multiConditionalAccess","detail":"Conditional Access"}]"#
    } else {
        "[]"
    }
}

fn cross_tenant<'r>(row: &Row<'r>) -> &'r str {
    if row.signin.attempt.user.partner.is_some() { "b2bCollaboration" } else { "none" }
}

fn mfa_detail<'r>(row: &Row<'r>) -> &'r str {
    match row.signin.proof {
        Proof::Fresh => &row.world.methods[row.signin.attempt.user.method],
        _ => "{}",
    }
}

/// The trusted networks of the office, if the sign-in comes from it.
fn networks<'r>(row: &Row<'r>) -> &'r str {
    if row.signin.attempt.address.starts_with("198.51.100.") {
        &row.world.networks[row.signin.attempt.city]
    } else {
        "[]"
    }
}

fn risk_events<'r>(row: &Row<'r>) -> &'r str {
    match row.signin.attempt.risk {
        "medium" => r#"["unfamiliarFeatures","passwordSpray"]"#,
        "low" => r#"["unfamiliarFeatures"]"#,
        _ => "[]",
    }
}

fn lifetime_policies<'r>(row: &Row<'r>) -> &'r str {
    if row.signin.policies().contains("SignInFrequency") {
        r#"[{"expirationRequirement":"signInFrequencyPeriodicReauthentication","detail":"Conditional Access"}]"#
    } else {
        "[]"
    }
}

#[cfg(test)]
mod tests {
    use super::COLUMNS;

    #[test]
    fn columns_stand_in_the_order_of_data_export() {
        assert!(COLUMNS.is_sorted_by(|a, b| a.name < b.name));
        assert_eq!(COLUMNS.len(), 83 + 20);
    }
}
