//! The Conditional Access policies of the tenant.

use super::conditions::{
    ADMINISTRATION, ADMINISTRATORS, ANDROID, BROWSER, BUSINESS, CLIENT_APP, COLLABORATION, COMPLIANT, CONTRACTORS,
    DEVELOPERS, DEVELOPMENT, EUROPE, EXECUTIVES, FINANCE, FRONTLINE, GUESTS, HOME_COUNTRY, IOS, LEGACY, LINUX,
    LOW_RISK, MACOS, MAIL, MEDIUM_RISK, MEMBERS, MICROSOFT_365, MOBILE, NOT_COMPLIANT, OTHER_APPS, OTHER_PLATFORM,
    OVERSEAS, PEOPLE, PERSONNEL, PILOT_ONE, PILOT_TWO, REGISTERED, REGISTRATION, SERVICES, TRUSTED, UNKNOWN_LOCATION,
    UNREGISTERED, UNTRUSTED, WINDOWS,
};

/// A Conditional Access policy.
pub struct Policy {
    /// The display name.
    pub name: &'static str,
    /// Whether the policy is enforced.
    pub state: PolicyState,
    /// The bits of the sign-ins to which the policy applies; see [`super::conditions`].
    pub admits: u64,
    /// The controls that grant access; any one of them is enough.
    pub grants: &'static [&'static str],
    /// The session controls.
    pub sessions: &'static [&'static str],
}

/// Whether a policy is enforced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyState {
    /// The result of the policy decides about access.
    Enforced,
    /// The result of the policy is only logged.
    ReportOnly,
    /// The policy is not evaluated.
    Disabled,
}

const fn enforced(
    name: &'static str,
    admits: u64,
    grants: &'static [&'static str],
    sessions: &'static [&'static str],
) -> Policy {
    Policy { name, state: PolicyState::Enforced, admits, grants, sessions }
}

const fn report_only(
    name: &'static str,
    admits: u64,
    grants: &'static [&'static str],
    sessions: &'static [&'static str],
) -> Policy {
    Policy { name, state: PolicyState::ReportOnly, admits, grants, sessions }
}

const MFA: &[&str] = &["Mfa"];
const BLOCK: &[&str] = &["Block"];
const MANAGED: &[&str] = &["RequireCompliantDevice", "RequireDomainJoinedDevice"];
const FREQUENCY: &[&str] = &["SignInFrequency"];
const SHORT: &[&str] = &["SignInFrequency", "PersistentBrowserSession"];

/// The number of policies whose result is logged for everybody. The others are logged only for users whom they include.
pub const EVALUATED_FOR_ALL: usize = 25;

/// The policies; the ones that are logged for everybody come first.
pub static POLICIES: [Policy; 40] = [
    enforced("CA001 - Require MFA for all users", PEOPLE | UNTRUSTED, MFA, &[]),
    enforced("CA002 - Block legacy authentication", PEOPLE | LEGACY, BLOCK, &[]),
    enforced("CA003 - Block guests from \"Azure management\"", ADMINISTRATION | GUESTS, BLOCK, &[]),
    report_only("CA004 – Länder-Sperre (report-only)", PEOPLE | OVERSEAS | UNKNOWN_LOCATION, BLOCK, FREQUENCY),
    report_only("CA005 - Compliant device for Office 365", MICROSOFT_365 | MEMBERS | WINDOWS | MACOS, MANAGED, &[]),
    enforced("CA006 - Administrators: phishing-resistant MFA", ADMINISTRATORS, MFA, SHORT),
    enforced("CA007 - Sign-in risk medium or high", PEOPLE | MEDIUM_RISK, MFA, FREQUENCY),
    report_only(
        "CA008 - Geräte in der Werkhalle (C:\\Kiosk)",
        FRONTLINE | TRUSTED,
        &["RequireApprovedApp"],
        &["CloudAppSecurity"],
    ),
    enforced("CA009 - Conditions d'accès des prestataires", CONTRACTORS | UNTRUSTED, &["FederatedMfa"], FREQUENCY),
    report_only("CA010 - Register security information (report-only)", REGISTRATION | PEOPLE | UNTRUSTED, MFA, &[]),
    enforced("CA011 - No persistent browser on unmanaged devices", PEOPLE | BROWSER | UNREGISTERED, &[], SHORT),
    report_only("CA012 - App protection on phones", MICROSOFT_365 | PEOPLE | MOBILE, &["RequireCompliantApp"], &[]),
    enforced("CA013 - Finance from managed devices only", BUSINESS | FINANCE | WINDOWS | MACOS, MANAGED, FREQUENCY),
    report_only("CA014 - Block unknown platforms", PEOPLE | OTHER_PLATFORM | LINUX, BLOCK, &[]),
    enforced("CA015 - Azure management: MFA every time", ADMINISTRATION | PEOPLE, MFA, FREQUENCY),
    report_only(
        "CA016 - Token protection for Exchange and SharePoint",
        MAIL | COLLABORATION | MEMBERS | WINDOWS | CLIENT_APP,
        &[],
        &["SecureSignInSession"],
    ),
    enforced("CA017 - Risky sign-ins: change the password", PEOPLE | LOW_RISK | MEDIUM_RISK, MFA, &[]),
    enforced("CA018 - Source code outside of offices", DEVELOPMENT | PEOPLE | UNTRUSTED, MFA, FREQUENCY),
    report_only(
        "CA019 - Téléphones privés : applications gérées",
        PEOPLE | ANDROID | REGISTERED | UNREGISTERED,
        &["RequireApprovedApp"],
        &[],
    ),
    enforced(
        "CA020 - Downloads on unmanaged devices",
        COLLABORATION | PEOPLE | BROWSER | UNREGISTERED | REGISTERED,
        &[],
        &["CloudAppSecurity"],
    ),
    report_only("CA021 - Europe only (report-only)", MEMBERS | OVERSEAS, BLOCK, &[]),
    Policy {
        name: "CA022 - Terms of use (switched off)",
        state: PolicyState::Disabled,
        admits: PEOPLE,
        grants: &["TermsOfUse"],
        sessions: &[],
    },
    enforced("CA023 - Services from known networks only", SERVICES | UNTRUSTED & !HOME_COUNTRY, BLOCK, &[]),
    report_only(
        "CA024 - Continuous access evaluation, strict",
        MICROSOFT_365 | PEOPLE | TRUSTED,
        &[],
        &["ContinuousAccessEvaluation"],
    ),
    report_only("CA025 - Devices that are not compliant", PEOPLE | NOT_COMPLIANT, BLOCK, &[]),
    enforced("CA101 - Guests: MFA at home counts", GUESTS, MFA, &[]),
    report_only("CA102 - Guests: own apps only", OTHER_APPS | BUSINESS | GUESTS | BROWSER, &["TermsOfUse"], &[]),
    report_only("CA103 - Guests on phones", GUESTS | IOS | ANDROID, BLOCK, FREQUENCY),
    enforced("CA201 - Administrators: managed devices", ADMINISTRATION | ADMINISTRATORS | NOT_COMPLIANT, BLOCK, &[]),
    report_only("CA202 - Administrators: offices only", ADMINISTRATION | ADMINISTRATORS | UNTRUSTED, BLOCK, &[]),
    report_only("CA203 - Vorstand: nur verwaltete Geräte", EXECUTIVES, MANAGED, &[]),
    report_only("CA204 - Executives abroad", EXECUTIVES | OVERSEAS | EUROPE, MFA, FREQUENCY),
    report_only("CA205 - Personnel files", BUSINESS | PERSONNEL | COMPLIANT, &[], &["CloudAppSecurity"]),
    enforced("CA206 - Personnel files on private devices", BUSINESS | PERSONNEL | UNREGISTERED, BLOCK, &[]),
    report_only("CA207 - Frontline: shared devices", FRONTLINE | IOS | ANDROID | WINDOWS, MANAGED, &[]),
    report_only("CA208 - Developers: Linux", DEVELOPERS | LINUX | MACOS, MANAGED, &[]),
    report_only("CA301 - Pilot one: passkeys", PILOT_ONE | UNTRUSTED, MFA, FREQUENCY),
    report_only("CA302 - Pilot one: no persistent browser", PILOT_ONE | BROWSER, &[], SHORT),
    report_only("CA303 - Pilot two: compliant phones", PILOT_TWO | IOS | ANDROID, MANAGED, &[]),
    report_only("CA304 - Pilot two: risk low", PILOT_TWO | LOW_RISK | MEDIUM_RISK, BLOCK, &[]),
];
