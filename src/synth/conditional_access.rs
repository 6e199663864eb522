//! Evaluates the Conditional Access policies of the tenant for a sign-in, and writes the result as logs have it.
//!
//! Whole arrays are many, because the result of each policy depends on user, app, device, location, client and risk;
//! elements are few. Their JSON is written once and copied into rows.

use super::catalogue::conditions::{CLIENT_APP, COMPLIANT, CONDITIONS};
use super::catalogue::policies::{EVALUATED_FOR_ALL, POLICIES, Policy, PolicyState};
use super::json;
use super::random::Random;

/// The index of the users in [`CONDITIONS`].
const USERS: usize = 1;

/// The policies with the JSON of every result.
pub struct ConditionalAccess {
    policies: Vec<LoggedPolicy>,
}

/// What the policies decide about a sign-in whose password is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether access is possible.
    pub verdict: AccessVerdict,
    /// True if a second factor is required.
    pub factor: bool,
    /// True if the user must sign in again after some time.
    pub frequency: bool,
}

/// Whether policies allow access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessVerdict {
    /// With a second factor, if it is required.
    Allowed,
    /// A policy blocks it.
    Blocked,
    /// A policy requires a compliant device.
    DeviceRefused,
}

/// What a policy demands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Control {
    Nothing,
    Block,
    SecondFactor,
    CompliantDevice,
    ManagedApp,
}

/// A policy, and the JSON of its results.
struct LoggedPolicy {
    policy: &'static Policy,
    control: Control,
    /// If it applies and its controls are satisfied.
    satisfied: String,
    /// If it applies and its controls are not satisfied.
    failed: String,
    /// If it does not apply, by the first condition of [`CONDITIONS`] that is not met.
    not_applied: Vec<String>,
}

impl ConditionalAccess {
    /// Creates the policies with random ids.
    pub fn new(random: &mut Random) -> Self {
        Self { policies: POLICIES.iter().map(|policy| LoggedPolicy::new(policy, &random.guid().text())).collect() }
    }

    /// Returns what the policies decide if the bits `facts` describe a sign-in.
    pub fn decide(&self, facts: u64) -> Decision {
        let mut decision = Decision { verdict: AccessVerdict::Allowed, factor: false, frequency: false };
        for logged in &self.policies {
            if logged.policy.state != PolicyState::Enforced || first_unmet(logged.policy.admits, facts).is_some() {
                continue;
            }
            decision.frequency |= logged.policy.sessions.contains(&"SignInFrequency");
            match logged.control {
                Control::Block => decision.verdict = AccessVerdict::Blocked,
                Control::CompliantDevice if facts & COMPLIANT == 0 && decision.verdict == AccessVerdict::Allowed => {
                    decision.verdict = AccessVerdict::DeviceRefused;
                }
                Control::SecondFactor => decision.factor = true,
                _ => {}
            }
        }
        decision
    }

    /// Returns the results of all policies as a JSON array; `no_factor` if a second factor is missing.
    pub fn logged(&self, facts: u64, no_factor: bool) -> String {
        let mut array = String::with_capacity(8192);
        array.push('[');
        for (index, logged) in self.policies.iter().enumerate() {
            let element = match first_unmet(logged.policy.admits, facts) {
                Some(USERS) if index >= EVALUATED_FOR_ALL => continue,
                Some(unmet) => &logged.not_applied[unmet],
                None if logged.fails(facts, no_factor) => &logged.failed,
                None => &logged.satisfied,
            };
            array.push_str(element);
            array.push(',');
        }
        array.pop();
        array.push(']');
        array
    }
}

impl LoggedPolicy {
    fn new(policy: &'static Policy, id: &str) -> Self {
        let control = match policy.grants {
            ["Block"] => Control::Block,
            ["Mfa" | "FederatedMfa"] => Control::SecondFactor,
            ["RequireCompliantDevice", ..] => Control::CompliantDevice,
            ["RequireApprovedApp" | "RequireCompliantApp"] => Control::ManagedApp,
            _ => Control::Nothing,
        };
        let head = format!(
            r#"{{"id":"{id}","displayName":{},"enforcedGrantControls":{},"enforcedSessionControls":{},"#,
            json::text(policy.name),
            json::texts(policy.grants),
            json::texts(policy.sessions)
        );
        let element = |result: &str, satisfied: u32, unmet: u32| {
            let tail = format!(r#""result":"{result}","conditionsSatisfied":{satisfied},"#);
            format!(r#"{head}{tail}"conditionsNotSatisfied":{unmet}}}"#)
        };
        let [satisfied, failed, not_applied] = results(policy.state, control);
        let not_applied = (0..CONDITIONS.len())
            .map(|unmet| element(not_applied, numbers_before(policy, unmet), CONDITIONS[unmet].number));
        let not_applied = not_applied.collect();
        let all = numbers_before(policy, CONDITIONS.len());
        Self { policy, control, satisfied: element(satisfied, all, 0), failed: element(failed, all, 0), not_applied }
    }

    /// True if the controls are not satisfied.
    fn fails(&self, facts: u64, no_factor: bool) -> bool {
        match self.control {
            Control::Nothing => false,
            Control::Block => true,
            Control::SecondFactor => no_factor,
            Control::CompliantDevice => facts & COMPLIANT == 0,
            Control::ManagedApp => facts & CLIENT_APP == 0,
        }
    }
}

/// Returns the names of the results of a policy: satisfied, not satisfied, not applied.
fn results(state: PolicyState, control: Control) -> [&'static str; 3] {
    match state {
        PolicyState::Enforced => ["success", "failure", "notApplied"],
        PolicyState::ReportOnly if control == Control::SecondFactor => {
            ["reportOnlySuccess", "reportOnlyInterrupted", "reportOnlyNotApplied"]
        }
        PolicyState::ReportOnly => ["reportOnlySuccess", "reportOnlyFailure", "reportOnlyNotApplied"],
        PolicyState::Disabled => ["notEnabled", "notEnabled", "notEnabled"],
    }
}

/// Returns the sum of the numbers of the conditions of a policy before condition `end`.
fn numbers_before(policy: &Policy, end: usize) -> u32 {
    CONDITIONS[..end].iter().filter(|condition| policy.admits & condition.field != 0).map(|known| known.number).sum()
}

/// Returns the index of the first condition that a sign-in does not meet, or None if the policy applies.
fn first_unmet(admits: u64, facts: u64) -> Option<usize> {
    CONDITIONS.iter().position(|condition| admits & condition.field != 0 && admits & condition.field & facts == 0)
}

#[cfg(test)]
mod tests {
    use serde_json::Value as Json;

    use super::super::catalogue::conditions::{
        ADMINISTRATION, BROWSER, BUSINESS, CLIENT_APP, COMPLIANT, FINANCE, GUESTS, HOME_COUNTRY, LEGACY, MAIL, MEMBERS,
        NO_RISK, NOT_COMPLIANT, TRUSTED, UNREGISTERED, WINDOWS,
    };
    use super::super::random::{Purpose, Random};
    use super::{AccessVerdict, ConditionalAccess};

    fn access() -> ConditionalAccess {
        ConditionalAccess::new(&mut Random::new(7, Purpose::World, 0))
    }

    const MEMBER_AT_HOME: u64 = MAIL | MEMBERS | WINDOWS | HOME_COUNTRY | BROWSER | NO_RISK | COMPLIANT;

    /// The results in the log, by the first five characters of the name of the policy.
    fn result(logged: &str, policy: &str) -> Option<(String, u64, u64)> {
        let elements: Vec<Json> = serde_json::from_str(logged).unwrap();
        let element = elements.iter().find(|element| element["displayName"].as_str().unwrap().starts_with(policy))?;
        let number = |key: &str| element[key].as_u64().unwrap();
        let result = element["result"].as_str().unwrap().to_owned();
        Some((result, number("conditionsSatisfied"), number("conditionsNotSatisfied")))
    }

    #[test]
    fn decisions_depend_on_user_app_location_client_and_device() {
        let decide = |facts| {
            let decision = access().decide(facts);
            (decision.verdict, decision.factor)
        };
        assert_eq!(decide(MEMBER_AT_HOME), (AccessVerdict::Allowed, true));
        assert_eq!(decide(MEMBER_AT_HOME & !HOME_COUNTRY | TRUSTED), (AccessVerdict::Allowed, false));
        assert_eq!(decide(MEMBER_AT_HOME & !BROWSER | LEGACY).0, AccessVerdict::Blocked);
        let guest = ADMINISTRATION | GUESTS | WINDOWS | HOME_COUNTRY | BROWSER | NO_RISK | UNREGISTERED;
        assert_eq!(decide(guest).0, AccessVerdict::Blocked);
        let finance = BUSINESS | MEMBERS | FINANCE | WINDOWS | HOME_COUNTRY | BROWSER | NO_RISK;
        assert_eq!(decide(finance | NOT_COMPLIANT).0, AccessVerdict::DeviceRefused);
        assert_eq!(decide(finance | COMPLIANT).0, AccessVerdict::Allowed);
    }

    #[test]
    fn logs_say_which_policy_applied_and_why_not() {
        let home = access().logged(MEMBER_AT_HOME, false);
        assert_eq!(result(&home, "CA001"), Some(("success".to_owned(), 2 + 8, 0)));
        assert_eq!(result(&home, "CA002"), Some(("notApplied".to_owned(), 2, 16)));
        assert_eq!(result(&home, "CA004"), Some(("reportOnlyNotApplied".to_owned(), 2, 8)));
        assert_eq!(result(&home, "CA022"), Some(("notEnabled".to_owned(), 2, 0)));
        assert_eq!(result(&home, "CA101"), None, "for guests only");
        let missing = access().logged(MEMBER_AT_HOME, true);
        assert_eq!(result(&missing, "CA001"), Some(("failure".to_owned(), 2 + 8, 0)));
        let legacy = access().logged(MEMBER_AT_HOME & !BROWSER | LEGACY, false);
        assert_eq!(result(&legacy, "CA002"), Some(("failure".to_owned(), 2 + 16, 0)));
        let client = access().logged(MEMBER_AT_HOME & !BROWSER | CLIENT_APP, false);
        assert!(result(&client, "CA016").is_some());
    }
}
