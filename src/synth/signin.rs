//! Sign-ins of users, without regard to the export shape.

use super::calendar::{SECOND, write_trimmed};
use super::catalogue::TENANT;
use super::catalogue::apps::{APPS, App};
use super::catalogue::cities::{CITIES, City};
use super::catalogue::conditions::LEGACY;
use super::catalogue::outcomes::{METHODS, PASSWORD, SignInOutcome, Stage};
use super::columns::{StoredRow, SynthRow};
use super::conditional_access::Decision;
use super::findings::{FoundRow, IncidentLabel};
use super::json;
use super::people::{Device, SPOTS, User};
use super::world::World;

/// The table name and the category of sign-ins by people.
pub const INTERACTIVE: [&str; 2] = ["SigninLogs", "SignInLogs"];
/// The table name and the category of sign-ins by apps on behalf of people.
pub const NON_INTERACTIVE: [&str; 2] = ["AADNonInteractiveUserSignInLogs", "NonInteractiveUserSignInLogs"];

/// A sign-in, without regard to the export shape.
pub struct SignIn<'w> {
    /// When the sign-in was published and when it arrived, and the other values that the workspace adds.
    pub stored: StoredRow,
    /// When the sign-in took place, in microseconds since 1970: 28 s to 20 min before it was published.
    pub created: i64,
    /// The id of the sign-in, which is the same in every shape.
    pub id: String,
    /// The unique token identifier, which is another form of the id.
    pub token: String,
    /// The properties that the rows of an attempt share.
    pub attempt: Attempt<'w>,
    /// The result of the sign-in.
    pub outcome: &'static SignInOutcome,
    /// How the second factor was satisfied.
    pub proof: Proof,
    /// The value of `appliedConditionalAccessPolicies` as JSON; an empty array if no policy was evaluated.
    pub policies: String,
    /// The value of `status` as JSON.
    pub status: String,
    /// The value of `authenticationDetails` as JSON.
    pub authentication: String,
    /// The processing time in milliseconds, as a string.
    pub processing_time: String,
}

/// The properties that all rows of an attempt have in common.
#[derive(Clone)]
pub struct Attempt<'w> {
    /// The organisation.
    pub world: &'w World,
    /// The correlation id.
    pub correlation: String,
    /// The id of the first row of the attempt.
    pub first: String,
    /// The session id.
    pub session: String,
    /// The user.
    pub user: &'w User,
    /// The device.
    pub device: &'w Device,
    /// The IP address.
    pub address: String,
    /// The location: `city * SPOTS + spot`.
    pub location: usize,
    /// The index of the app in [`APPS`].
    pub app: usize,
    /// The bits that describe the attempt to policies.
    pub facts: u64,
    /// What the policies decide about the attempt.
    pub decision: Decision,
    /// The value of `riskLevelDuringSignIn`: none, low, or in a password spray medium.
    pub risk: &'static str,
    /// True if a person is present, false if an app signs in on behalf of one.
    pub interactive: bool,
    /// How much later than TimeGenerated the rows arrive, in microseconds.
    pub late: i64,
    /// The incident to which the attempt belongs, if any.
    pub incident: Option<IncidentLabel>,
}

/// How the second factor was satisfied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The second factor was not required, or not satisfied.
    None,
    /// A claim in an earlier token satisfied the second factor.
    Claim,
    /// The user satisfied the second factor with their method, for this sign-in.
    Fresh,
}

/// The names of a table.
pub struct TableName {
    /// The name of the table in queries.
    pub name: &'static str,
    /// The category of the table's records in diagnostic settings.
    pub category: &'static str,
}

impl SynthRow for SignIn<'_> {
    fn stored(&self) -> &StoredRow {
        &self.stored
    }

    fn finding(&self) -> Option<FoundRow> {
        let label = self.attempt.incident?;
        Some(FoundRow {
            label,
            time: self.stored.published,
            id: self.id.clone(),
            account: self.attempt.user.principal.clone(),
            address: self.attempt.address.clone(),
            country: self.city().country,
            result: self.outcome.code,
        })
    }

    fn is_break_glass(&self) -> bool {
        self.attempt.user.break_glass
    }

    fn is_granted(&self) -> bool {
        self.granted()
    }
}

impl SignIn<'_> {
    /// Returns the names of the table to which the sign-in belongs.
    pub fn table(&self) -> TableName {
        let [name, category] = if self.attempt.interactive { INTERACTIVE } else { NON_INTERACTIVE };
        TableName { name, category }
    }

    /// Returns the app that the user signs in to.
    pub fn app(&self) -> &'static App {
        &APPS[self.attempt.app]
    }

    /// Returns the city from which the user signs in.
    pub fn city(&self) -> &'static City {
        &CITIES[self.attempt.location / SPOTS]
    }

    /// True if the sign-in was successful: a token was issued.
    pub fn granted(&self) -> bool {
        self.outcome.stage == Stage::Granted
    }

    /// Returns the value of `conditionalAccessStatus`.
    pub fn policy_status(&self) -> &'static str {
        match self.outcome.stage {
            Stage::Refused => "notApplied",
            Stage::Blocked => "failure",
            Stage::Interrupted | Stage::Granted => "success",
        }
    }

    /// Returns the value of `deviceDetail` as JSON.
    pub fn device_detail(&self) -> &str {
        if self.app().browser { &self.attempt.device.in_browser } else { &self.attempt.device.in_client }
    }

    /// Returns the user agent.
    pub fn agent(&self) -> &str {
        if self.app().browser { &self.attempt.device.agent } else { &self.attempt.device.client_agent }
    }

    /// Returns the value of `clientAppUsed`.
    pub fn client(&self) -> &'static str {
        match (self.attempt.facts & LEGACY != 0, self.app().browser) {
            (true, _) => "Authenticated SMTP",
            (false, true) => "Browser",
            (false, false) => "Mobile Apps and Desktop clients",
        }
    }

    /// True if a second factor was required.
    pub fn multi_factor(&self) -> bool {
        self.attempt.decision.factor
    }

    /// Returns the home tenant of the user.
    pub fn home_tenant(&self) -> &'static str {
        self.attempt.user.partner.unwrap_or(TENANT)
    }
}

/// Returns the value of `status` as JSON.
pub fn status(outcome: &SignInOutcome, proof: Proof) -> String {
    let details = match proof {
        Proof::None => outcome.details,
        Proof::Claim => "MFA requirement satisfied by claim in the token",
        Proof::Fresh => "MFA completed in Azure AD",
    };
    let mut status = format!(r#"{{"errorCode":{}"#, outcome.code);
    for (key, value) in [("failureReason", outcome.reason), ("additionalDetails", details)] {
        if !value.is_empty() {
            status.extend([",\"", key, "\":", &json::text(value)]);
        }
    }
    status + "}"
}

/// Returns the value of `authenticationDetails` as JSON: a step for the password, and one for the second factor.
pub fn authentication(created: i64, outcome: &SignInOutcome, proof: Proof, user: &User) -> String {
    let (correct, result) = match outcome.stage {
        Stage::Refused if outcome.code == PASSWORD.code => {
            (false, "Invalid username or password or Invalid on-premise username or password.")
        }
        Stage::Refused => return "[]".to_owned(),
        _ => (true, "Correct password"),
    };
    let password = AuthenticationStep {
        time: created,
        method: "Password",
        detail: "Password in the cloud",
        succeeded: correct,
        result,
        requirement: "Primary authentication",
    };
    let password = password.json();
    let sequence = r#","StatusSequence":0,"RequestSequence":1}"#;
    let (time, (method, detail), result) = match proof {
        Proof::None => return format!("[{password}{sequence}]"),
        Proof::Claim => (created, ("Previously satisfied", ""), "MFA requirement satisfied by claim in the token"),
        Proof::Fresh => (created + 9 * SECOND, METHODS[user.method], "MFA successfully completed"),
    };
    let requirement = "Multifactor authentication";
    let second = AuthenticationStep { time, method, detail, succeeded: true, result, requirement }.json();
    format!("[{password}{sequence},{second}}}]")
}

/// An element of `authenticationDetails`.
struct AuthenticationStep<'a> {
    time: i64,
    method: &'a str,
    detail: &'a str,
    succeeded: bool,
    result: &'a str,
    requirement: &'a str,
}

impl AuthenticationStep<'_> {
    /// Returns the step as a JSON object, without its closing brace.
    fn json(&self) -> String {
        let Self { method, succeeded, result, requirement, .. } = self;
        let mut stamp = Vec::with_capacity(32);
        write_trimmed(&mut stamp, self.time);
        let stamp = String::from_utf8_lossy(&stamp);
        let detail = json::text(self.detail);
        format!(
            r#"{{"authenticationStepDateTime":"{stamp}","authenticationMethod":"{method}","authenticationMethodDetail":{detail},"#
        ) + &format!(
            r#""succeeded":{succeeded},"authenticationStepResultDetail":"{result}","authenticationStepRequirement":"{requirement}""#
        )
    }
}
