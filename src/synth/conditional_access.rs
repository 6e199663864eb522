//! Evaluates the Conditional Access policies of the tenant for a sign-in, and writes the results as logs have them.
//!
//! There are many different arrays of results, because the result of each policy depends on user, app, device,
//! location, client and risk. There are few different elements, though. So their JSON is written once and copied into
//! rows.

use super::catalogue::conditions::{CLIENT_APP, COMPLIANT, CONDITIONS};
use super::catalogue::policies::{EVALUATED_FOR_ALL, POLICIES, Policy, PolicyState};
use super::json;
use super::random::Random;

/// The index in [`CONDITIONS`] of the condition on users.
const USERS: usize = 1;

/// The policies, with the JSON of each of their results.
pub struct ConditionalAccess {
    policies: Vec<LoggedPolicy>,
}

/// What the policies decide about a sign-in with the right password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether the policies allow access.
    pub verdict: AccessVerdict,
    /// True if a second factor is required.
    pub factor: bool,
    /// True if the user must sign in again after some time.
    pub frequency: bool,
}

/// Whether the policies allow access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessVerdict {
    /// Access is allowed, with a second factor if one is required.
    Allowed,
    /// A policy blocks access.
    Blocked,
    /// A policy requires a compliant device, and this one is not.
    DeviceRefused,
}

/// What a policy requires, or that it blocks access.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Control {
    Nothing,
    Block,
    SecondFactor,
    CompliantDevice,
    ManagedApp,
}

/// A policy, with the JSON of its results.
struct LoggedPolicy {
    policy: &'static Policy,
    control: Control,
    /// The result if the policy applies and its controls are satisfied.
    satisfied: String,
    /// The result if the policy applies and its controls are not satisfied.
    failed: String,
    /// The results if the policy does not apply, by the index in [`CONDITIONS`] of the first condition that is not met.
    not_applied: Vec<String>,
}

impl ConditionalAccess {
    /// Creates the policies; their ids are random.
    pub fn new(random: &mut Random) -> Self {
        Self { policies: POLICIES.iter().map(|policy| LoggedPolicy::new(policy, &random.guid().text())).collect() }
    }

    /// Returns what the policies decide about a sign-in that the bits `facts` describe.
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

    /// Returns the results of all policies for a sign-in, as a JSON array. `no_factor` is true if it lacks a second
    /// factor.
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

    /// True if a sign-in does not satisfy the controls of the policy.
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

/// Returns the three names that the results of a policy have in logs: satisfied, not satisfied, and not applied.
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

/// Returns the sum of the numbers of those conditions of a policy that come before condition `end`.
fn numbers_before(policy: &Policy, end: usize) -> u32 {
    CONDITIONS[..end].iter().filter(|condition| policy.admits & condition.field != 0).map(|known| known.number).sum()
}

/// Returns the index of the first condition of a policy that a sign-in does not meet; None if the policy applies.
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

    /// Returns the result of the policy whose name begins with `policy`, with the numbers of its satisfied and
    /// unsatisfied conditions; None if the policy is not in the log.
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
