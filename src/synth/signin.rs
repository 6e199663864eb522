//! Sign-ins, independent of shape, and how a chunk of them is generated.
//!
//! A chunk consists of [`CHUNK`] rows that are consecutive in time. It is drawn from its own random stream, so that any
//! part of an archive can be generated without the rest; no attempt spans two chunks.

use std::ops::Range;

use super::calendar::{HOUR, Rhythm, SECOND, write_trimmed};
use super::catalogue::{
    APPS, App, CITIES, COURSES, City, Course, METHODS, MFA, PASSWORD, PORTAL, RICH_AGENT, SHELL, SPRAY, SignInOutcome,
    Stage, TENANT, VISITS,
};
use super::json;
use super::model::{Device, PolicyList, User, World};
use super::random::{Guid, Purpose, Random, Weighted};

/// The number of rows of a chunk.
pub const CHUNK: u64 = 128;

/// A sign-in, independent of shape.
pub struct SignIn<'w> {
    /// When it was published: TimeGenerated and the time of the envelope, in microseconds since 1970.
    pub published: i64,
    /// When it happened: 28 s to 20 min before it was published.
    pub created: i64,
    /// The id, the same in every shape.
    pub id: String,
    /// The id in its token form.
    pub token: String,
    /// The id of the stored row.
    pub item: String,
    /// The properties that the rows of an attempt share.
    pub attempt: Attempt<'w>,
    /// The result.
    pub outcome: &'static SignInOutcome,
    /// The second factor.
    pub proof: Proof,
    /// `status` as JSON.
    pub status: String,
    /// `authenticationDetails` as JSON.
    pub authentication: String,
    /// Milliseconds, as a string.
    pub processing_time: String,
    /// The billed bytes of the row.
    pub billed: u32,
}

/// The properties that the rows of an attempt share.
#[derive(Clone)]
pub struct Attempt<'w> {
    /// The correlation id.
    pub correlation: String,
    /// The id of the first row.
    pub first: String,
    /// The session id.
    pub session: String,
    /// The user.
    pub user: &'w User,
    /// The device.
    pub device: &'w Device,
    /// The IP address.
    pub address: String,
    /// The city: an index in [`CITIES`].
    pub city: usize,
    /// The app: an index in [`APPS`].
    pub app: usize,
    /// The policies that apply.
    pub policies: &'w PolicyList,
    /// `riskLevelDuringSignIn`: none, or medium in a password spray, or low.
    pub risk: &'static str,
    /// True for a password spray.
    pub spray: bool,
}

/// How the second factor was satisfied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Not required, or not satisfied.
    None,
    /// By a claim in an earlier token.
    Claim,
    /// By the user's method.
    Fresh,
}

impl SignIn<'_> {
    /// The app.
    pub fn app(&self) -> &'static App {
        &APPS[self.attempt.app]
    }

    /// The city.
    pub fn city(&self) -> &'static City {
        &CITIES[self.attempt.city]
    }

    /// True if a token was issued.
    pub fn granted(&self) -> bool {
        self.outcome.stage == Stage::Granted
    }

    /// `appliedConditionalAccessPolicies` as JSON: empty if no policy was evaluated.
    pub fn policies(&self) -> &str {
        match self.outcome.stage {
            Stage::Refused => "[]",
            Stage::Blocked => &self.attempt.policies.blocking,
            Stage::Interrupted | Stage::Granted => &self.attempt.policies.satisfied,
        }
    }

    /// `conditionalAccessStatus`.
    pub fn policy_status(&self) -> &'static str {
        match self.outcome.stage {
            Stage::Refused => "notApplied",
            Stage::Blocked => "failure",
            Stage::Interrupted | Stage::Granted => "success",
        }
    }

    /// `deviceDetail` as JSON.
    pub fn device_detail(&self) -> &str {
        if self.app().browser { &self.attempt.device.in_browser } else { &self.attempt.device.in_client }
    }

    /// The user agent.
    pub fn agent(&self) -> &'static str {
        if self.app().browser || self.attempt.spray { self.attempt.device.agent } else { RICH_AGENT }
    }

    /// `clientAppUsed`.
    pub fn client(&self) -> &'static str {
        match (self.attempt.spray, self.app().browser) {
            (true, _) => "Authenticated SMTP",
            (false, true) => "Browser",
            (false, false) => "Mobile Apps and Desktop clients",
        }
    }

    /// True if a second factor was required.
    pub fn multi_factor(&self) -> bool {
        self.proof != Proof::None || matches!(self.outcome.stage, Stage::Blocked | Stage::Interrupted)
    }

    /// The home tenant of the user.
    pub fn home_tenant(&self) -> &'static str {
        self.attempt.user.partner.unwrap_or(TENANT)
    }
}

/// Generates the chunks of an archive.
pub struct Generator<'w> {
    world: &'w World,
    rhythm: Rhythm,
    courses: Weighted,
    spray: Weighted,
    seed: u64,
    rows: u64,
}

impl<'w> Generator<'w> {
    /// Creates a generator for `rows` rows over `days` days; `rows` must be above 0.
    pub fn new(world: &'w World, seed: u64, rows: u64, days: u32) -> Self {
        let weights = |courses: &[Course]| Weighted::new(courses.iter().map(|course| course.weight));
        Self { world, rhythm: Rhythm::new(rows, days), courses: weights(COURSES), spray: weights(SPRAY), seed, rows }
    }

    /// Returns the chunks that may contain rows published in hour `hour`.
    pub fn chunks_near_hour(&self, hour: usize) -> Range<u64> {
        let rows = self.rhythm.rows_near_hour(hour);
        rows.start / CHUNK..rows.end.div_ceil(CHUNK)
    }

    /// Generates chunk `index`, in the order of publishing.
    pub fn chunk(&self, index: u64) -> Vec<SignIn<'w>> {
        let rows = index * CHUNK..((index + 1) * CHUNK).min(self.rows);
        let mut draft = Draft {
            random: Random::new(self.seed, Purpose::Chunk, index),
            until: self.rhythm.time_at(self.rhythm.position(rows.end)),
            done: Vec::with_capacity(CHUNK as usize),
            generator: self,
        };
        let mut visits = self.visits(&rows).into_iter().peekable();
        let count = (rows.end - rows.start) as usize;
        while draft.done.len() < count {
            let row = rows.start + draft.done.len() as u64;
            let at = draft.time_of(row);
            match visits.next_if(|(due, _)| *due <= row) {
                Some((_, visit)) => draft.visit(visit, at, count - draft.done.len()),
                None => {
                    let next = visits.peek().map_or(rows.end, |(due, _)| *due);
                    draft.people(at, (next - row) as usize);
                }
            }
        }
        draft.done.sort_by_key(|signin| signin.published);
        draft.done
    }

    /// Returns the number of break-glass visits. Four visits have seven rows, and the aim is one row in 100,000; at
    /// least two, so that a small archive contains them too.
    fn visit_count(&self) -> u64 {
        (self.rows / 175_000).max(2)
    }

    /// Returns the visits that start in `rows`: the row, and the index in [`VISITS`]. Visits are spread evenly: one
    /// starts in each 1/n of the rows.
    pub(super) fn visits(&self, rows: &Range<u64>) -> Vec<(u64, usize)> {
        let count = self.visit_count();
        let share = |visit: u64| (u128::from(self.rows) * u128::from(visit) / u128::from(count)) as u64;
        let first = (u128::from(rows.start) * u128::from(count) / u128::from(self.rows)) as u64;
        (first.saturating_sub(1)..count)
            .take_while(|visit| share(*visit) < rows.end)
            .map(|visit| {
                let length = share(visit + 1) - share(visit);
                let begin = share(visit) + Random::new(self.seed, Purpose::Visit, visit).below(length);
                (begin, visit as usize % VISITS.len())
            })
            .filter(|(begin, _)| rows.contains(begin))
            .collect()
    }
}

/// A chunk being generated.
struct Draft<'g, 'w> {
    generator: &'g Generator<'w>,
    random: Random,
    /// All rows are published before this time.
    until: i64,
    done: Vec<SignIn<'w>>,
}

impl<'w> Draft<'_, 'w> {
    /// Draws a time within the share of row `row`.
    fn time_of(&mut self, row: u64) -> i64 {
        let rhythm = &self.generator.rhythm;
        let begin = rhythm.position(row);
        rhythm.time_at(begin + self.random.below(rhythm.position(row + 1) - begin))
    }

    /// Adds an attempt of a user, or of a password spray, with at most `room` rows.
    fn people(&mut self, at: i64, room: usize) {
        let generator = self.generator;
        let spray = is_campaign(at) && self.random.happens(180);
        let course = if spray {
            &SPRAY[generator.spray.pick(&mut self.random)]
        } else {
            &COURSES[generator.courses.pick(&mut self.random)]
        };
        let attempt = if spray { self.spray_attempt(at) } else { self.attempt() };
        self.rows(attempt, at, &course.steps[..course.steps.len().min(room)]);
    }

    /// Adds a break-glass visit: through the portal with its own device, or through the shell.
    fn visit(&mut self, visit: usize, at: i64, room: usize) {
        let (account, steps) = VISITS[visit];
        let user = &self.generator.world.break_glass[account];
        let app = if account == 0 { PORTAL } else { SHELL };
        let mut attempt = self.attempt_of(user, app);
        attempt.address.clone_from(&user.address);
        if steps.iter().all(|outcome| outcome.code == PASSWORD.code) {
            (attempt.address, attempt.city) = self.generator.world.attackers[0].clone();
        }
        self.rows(attempt, at, &steps[steps.len().saturating_sub(room)..]);
    }

    fn attempt(&mut self) -> Attempt<'w> {
        let world = self.generator.world;
        let user = &world.users[world.busy.pick(&mut self.random)];
        let app = if self.random.happens(550) { user.app } else { world.apps.pick(&mut self.random) };
        let mut attempt = self.attempt_of(user, app);
        if self.random.happens(70) {
            attempt.city = world.cities.pick(&mut self.random);
            attempt.address = format!("203.0.113.{}", 100 + self.random.below(150));
        } else if CITIES[user.home].office.is_some() && self.random.happens(400) {
            attempt.address = format!("198.51.100.{}", 10 + user.home);
        }
        attempt
    }

    fn attempt_of(&mut self, user: &'w User, app: usize) -> Attempt<'w> {
        let world = self.generator.world;
        Attempt {
            correlation: self.random.guid().text(),
            first: String::new(),
            session: self.random.guid().text(),
            user,
            device: self.random.pick(&user.devices),
            address: user.address.clone(),
            city: user.home,
            app,
            policies: &world.policies[(user.group + app) % world.policies.len()],
            risk: if self.random.happens(8) { "low" } else { "none" },
            spray: false,
        }
    }

    /// Anyone may be a target, not only active users; one attacker per hour.
    fn spray_attempt(&mut self, at: i64) -> Attempt<'w> {
        let world = self.generator.world;
        let user = self.random.pick(&world.users);
        let (address, city) = world.attackers[(at / HOUR) as usize % world.attackers.len()].clone();
        Attempt { address, city, device: &world.attack_device, risk: "medium", spray: true, ..self.attempt_of(user, 2) }
    }

    /// Adds the rows of an attempt, 8 to 40 s apart; the first is published `at`, and none after the end of the chunk.
    fn rows(&mut self, mut attempt: Attempt<'w>, at: i64, steps: &[&'static SignInOutcome]) {
        let gaps: Vec<i64> = steps.iter().skip(1).map(|_| self.between(8 * SECOND, 40 * SECOND)).collect();
        let spread: i64 = gaps.iter().sum();
        // The smallest of three is usually small. Of rows published together, the last was delayed least.
        let most = 1200 * SECOND;
        let least = 28 * SECOND + spread;
        let delay = (0..3).map(|_| self.between(least, most)).min().unwrap_or(most);
        let (mut published, mut created) = (at, at - delay);
        for (step, outcome) in steps.iter().enumerate() {
            if step > 0 {
                created += gaps[step - 1];
                published += gaps[step - 1].min(self.between(0, self.until - published));
            }
            let asked = step > 0 && steps[step - 1].code == MFA.code;
            let id = self.random.guid();
            if step == 0 {
                attempt.first = id.text();
            }
            let step = AttemptRow { outcome, published, created, asked, id };
            let signin = self.signin(attempt.clone(), step);
            self.done.push(signin);
        }
    }

    fn signin(&mut self, attempt: Attempt<'w>, step: AttemptRow) -> SignIn<'w> {
        let AttemptRow { outcome, published, created, asked, id } = step;
        let proof = match (outcome.stage, self.random.below(100)) {
            (Stage::Granted, _) if asked => Proof::Fresh,
            (Stage::Granted, ..25) if !attempt.spray && !attempt.user.break_glass => Proof::None,
            (Stage::Granted, 25..45) => Proof::Fresh,
            (Stage::Granted, _) if !attempt.spray => Proof::Claim,
            _ => Proof::None,
        };
        let silent = outcome.stage == Stage::Refused && self.random.happens(500);
        SignIn {
            published,
            created,
            id: id.text(),
            token: id.token_identifier(),
            item: self.random.guid().text(),
            status: status(outcome, proof),
            authentication: if silent {
                "[]".to_owned()
            } else {
                authentication(created, outcome, proof, attempt.user)
            },
            processing_time: self.between(60, 900).to_string(),
            billed: self.between(3200, 5600) as u32,
            outcome,
            proof,
            attempt,
        }
    }

    /// Draws a number from `from` to `to - 1`; `from` if the range is empty.
    fn between(&mut self, from: i64, to: i64) -> i64 {
        from + self.random.below((to - from).max(0) as u64) as i64
    }
}

/// One row of an attempt.
struct AttemptRow {
    outcome: &'static SignInOutcome,
    /// When the row is published, in ticks.
    published: i64,
    /// When the sign-in takes place, in ticks.
    created: i64,
    /// True if the row before asked for a second factor.
    asked: bool,
    id: Guid,
}

/// True in one of 29 hours, in which passwords are sprayed.
fn is_campaign(at: i64) -> bool {
    (at / HOUR) % 29 == 7
}

fn status(outcome: &SignInOutcome, proof: Proof) -> String {
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

/// Returns the authentication steps: the password, then the second factor.
fn authentication(created: i64, outcome: &SignInOutcome, proof: Proof, user: &User) -> String {
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
    /// Returns the JSON object without its closing brace.
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
