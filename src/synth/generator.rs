//! Generates the sign-ins of users in chunks: those of people, of password sprays, of services, and of injected
//! incidents.
//!
//! No attempt is divided between two chunks. Rows that are due at a fixed time belong to the chunk that covers that
//! time.

use std::ops::Range;

use super::calendar::{DAY, HOUR, Rhythm, SECOND, START};
use super::catalogue::apps::{APPS, PORTAL, SHELL};
use super::catalogue::cities::CITIES;
use super::catalogue::conditions::{
    BROWSER, CLIENT_APP, LEGACY, LOCATIONS, LOW_RISK, MEDIUM_RISK, NO_RISK, TRUSTED, UNREGISTERED, WINDOWS,
};
use super::catalogue::outcomes::{
    BLOCKED, COURSES, Course, DEVICE, MFA, NOISE, PASSWORD, RENEWALS, SCRIPTS, SPRAY, SignInOutcome, Stage, VISITS,
};
use super::columns::StoredRow;
use super::conditional_access::AccessVerdict;
use super::findings::{IncidentKind, IncidentLabel};
use super::people::{SPOTS, User};
use super::random::{Guid, Purpose, Random, Weighted};
use super::schedule::{DueAttempt, Schedule};
use super::signin::{Attempt, Proof, SignIn, authentication, status};
use super::timeline::Timeline;
use super::world::{USERS, World, zone};
use super::{GeneratedTable, RowSource, SynthOptions};
use crate::diagnostic::Result;

/// The index in [`APPS`] of the app that fails in the noisy hour.
const NOISY_APP: usize = 23;

/// Generates the chunks of a table of sign-ins.
pub struct Generator<'w> {
    world: &'w World,
    timeline: Timeline,
    schedule: Schedule<'w>,
    mixture: Mixture,
    /// The noisy hour, as a number of hours since [`START`]; None if there is none.
    noisy: Option<u64>,
    interactive: bool,
    seed: u64,
    /// The number of rows of the table, including those of the schedule.
    rows: u64,
}

/// The kinds of attempts, and how often each of them is drawn.
struct Mixture {
    courses: &'static [Course],
    weights: Weighted,
    spray: Weighted,
    scripts: Weighted,
}

impl<'w> Generator<'w> {
    /// Creates a generator of the rows that `options` ask for.
    ///
    /// # Errors
    /// [`crate::diagnostic::Error::Usage`] if there are too few rows for the incidents.
    pub fn new(world: &'w World, options: &SynthOptions) -> Result<Self> {
        let interactive = options.table == GeneratedTable::SigninLogs;
        let schedule = Schedule::new(world, options)?;
        let due = schedule.rows();
        let (rows, days, seed) = (options.rows, options.days, options.seed);
        let noisy = (rows > 1000).then(|| Random::new(seed, Purpose::Noise, 0).below(u64::from(days) * 24));
        let people = rows - due;
        let purpose = if interactive { Purpose::Chunk } else { Purpose::NonInteractive };
        let timeline = Timeline::new(Rhythm::new(people, days, noisy), people, seed, purpose);
        let weights = |courses: &[Course]| Weighted::new(courses.iter().map(|course| course.weight));
        let courses = if interactive { COURSES } else { RENEWALS };
        let mixture = Mixture { courses, weights: weights(courses), spray: weights(SPRAY), scripts: weights(SCRIPTS) };
        Ok(Self { world, timeline, schedule, mixture, noisy, interactive, seed, rows })
    }

    /// Returns the number of break-glass visits. Four visits have seven rows, and the aim is one such row in 100,000.
    /// There are at least two visits, so that a small archive contains some, too.
    fn visit_count(&self) -> u64 {
        (self.rows / 175_000).max(2)
    }

    /// Returns the visits that start within `rows`: the row, and the number of the visit. Visits are spread evenly: one
    /// starts in each 1/n of the rows.
    pub(super) fn visits(&self, rows: &Range<u64>) -> Vec<(u64, u64)> {
        if !self.interactive {
            return Vec::new();
        }
        let (count, people) = (self.visit_count(), self.timeline.rows);
        let share = |visit: u64| (u128::from(people) * u128::from(visit) / u128::from(count)) as u64;
        let first = (u128::from(rows.start) * u128::from(count) / u128::from(people)) as u64;
        (first.saturating_sub(1)..count)
            .take_while(|visit| share(*visit) < rows.end)
            .map(|visit| {
                let length = share(visit + 1) - share(visit);
                (share(visit) + Random::new(self.seed, Purpose::Visit, visit).below(length), visit)
            })
            .filter(|(begin, _)| rows.contains(begin))
            .collect()
    }

    /// True if `at` is in the hour in which an app fails for everybody.
    fn is_noisy(&self, at: i64) -> bool {
        self.noisy == Some(((at - START) / HOUR) as u64)
    }

    /// True if `at` is in one of the hours in which passwords are sprayed; every 29th hour is one.
    fn is_campaign(&self, at: i64) -> bool {
        self.interactive && (at / HOUR) % 29 == 7
    }
}

impl<'w> RowSource for Generator<'w> {
    type Row = SignIn<'w>;

    fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    fn chunk(&self, index: u64) -> Vec<SignIn<'w>> {
        let (rows, span) = (self.timeline.rows_of(index), self.timeline.span(index));
        let count = (rows.end - rows.start) as usize;
        let random = self.timeline.random(index);
        let mut draft = Draft { random, until: span.end, done: Vec::with_capacity(2 * count), generator: self };
        let mut visits = self.visits(&rows).into_iter().peekable();
        while draft.done.len() < count {
            let row = rows.start + draft.done.len() as u64;
            let at = self.timeline.time_of(row, &mut draft.random);
            match visits.next_if(|(due, _)| *due <= row) {
                Some((_, visit)) => draft.visit(visit, at, count - draft.done.len()),
                None => {
                    let next = visits.peek().map_or(rows.end, |(due, _)| *due);
                    draft.people(at, (next - row) as usize);
                }
            }
        }
        for due in self.schedule.during(&span) {
            draft.due(&due);
        }
        draft.done.sort_by_key(|signin| signin.stored.arrival);
        draft.done
    }
}

/// A chunk that is being generated.
struct Draft<'g, 'w> {
    generator: &'g Generator<'w>,
    random: Random,
    /// The end of the chunk, in microseconds since 1970: all of its rows arrive before this time.
    until: i64,
    done: Vec<SignIn<'w>>,
}

impl<'w> Draft<'_, 'w> {
    /// Adds an attempt of a user, or of a password spray, with at most `room` rows.
    fn people(&mut self, at: i64, room: usize) {
        let generator = self.generator;
        if generator.is_campaign(at) && self.random.happens(180) {
            let course = &SPRAY[generator.mixture.spray.pick(&mut self.random)];
            let attempt = self.spray_attempt(at);
            return self.rows(attempt, at, course.steps, room);
        }
        if generator.is_noisy(at) && self.random.happens(800) {
            let (user, location) = self.somebody(at);
            let attempt = self.attempt_of(user, location, NOISY_APP, at);
            return self.rows(attempt, at, NOISE[0].steps, room);
        }
        let course = &generator.mixture.courses[generator.mixture.weights.pick(&mut self.random)];
        let attempt = self.attempt(at);
        let factor = attempt.decision.factor || !course.needs_factor();
        let course = if factor { course } else { &generator.mixture.courses[0] };
        self.rows(attempt, at, course.steps, room);
    }

    /// Adds a break-glass visit: the first account uses the portal on its own device, the second one the shell.
    fn visit(&mut self, visit: u64, at: i64, room: usize) {
        let (account, steps) = VISITS[visit as usize % VISITS.len()];
        let user = &self.generator.world.break_glass[account];
        let app = if account == 0 { PORTAL } else { SHELL };
        let mut attempt = self.attempt_of(user, user.home, app, at);
        attempt.late = 0;
        attempt.incident = Some(IncidentLabel { kind: IncidentKind::BreakGlass, number: visit, injected: false });
        if steps.iter().all(|outcome| outcome.code == PASSWORD.code) {
            (attempt.address, attempt.location) = self.generator.world.attackers[0].clone();
        }
        self.rows(attempt, at, &steps[steps.len().saturating_sub(room)..], room);
    }

    /// Adds an attempt that is due at a fixed time.
    fn due(&mut self, due: &DueAttempt<'w>) {
        let mut attempt = self.attempt_of(due.user, due.user.home, due.app, due.time);
        attempt.late = 0;
        attempt.incident = due.label;
        if let Some(visitor) = &due.visitor {
            attempt.address.clone_from(&visitor.address);
            attempt.location = visitor.location;
            attempt.device = visitor.device;
            attempt.facts = attempt.facts & !LOCATIONS | zone(visitor.location / SPOTS);
            attempt.decision = attempt.world.access.decide(attempt.facts);
        }
        // What is due is complete: no policy ends it.
        attempt.decision.verdict = AccessVerdict::Allowed;
        let script = &SCRIPTS[self.generator.mixture.scripts.pick(&mut self.random)];
        let steps = due.steps.unwrap_or(script.steps);
        self.rows(attempt, due.time, steps, steps.len());
    }

    /// Draws a user who is not travelling at this time. Returns the user, and where the user is.
    fn somebody(&mut self, at: i64) -> (&'w User, usize) {
        let world = self.generator.world;
        let mut index = world.busy.pick(&mut self.random);
        loop {
            let user = world.user(index);
            if let Some(location) = user.location_at(at) {
                return (user, location);
            }
            index = (index + 1) % USERS as usize;
        }
    }

    fn attempt(&mut self, at: i64) -> Attempt<'w> {
        let world = self.generator.world;
        let late = if self.random.happens(4) { self.random.between(HOUR, 30 * HOUR).min(at - START) } else { 0 };
        let (user, location) = self.somebody(at - late);
        let app = if self.random.happens(550) { user.app } else { world.apps.pick(&mut self.random) };
        let mut attempt = self.attempt_of(user, location, app, at - late);
        attempt.late = late;
        attempt
    }

    /// Creates an attempt of a user who is at `location`, including what the policies decide about it.
    fn attempt_of(&mut self, user: &'w User, location: usize, app: usize, time: i64) -> Attempt<'w> {
        let generator = self.generator;
        let device = self.random.pick(&user.devices);
        let (address, network) = self.address(user, location, time);
        let legacy = generator.interactive && !user.break_glass && !APPS[app].browser && self.random.happens(8);
        let client = match (legacy, APPS[app].browser) {
            (true, _) => LEGACY,
            (false, true) => BROWSER,
            (false, false) => CLIENT_APP,
        };
        let risk = if self.random.happens(8) { ("low", LOW_RISK) } else { ("none", NO_RISK) };
        let facts = user.groups | device.facts | APPS[app].class | client | risk.1 | network;
        Attempt {
            world: generator.world,
            correlation: self.random.guid().text(),
            first: String::new(),
            session: self.random.guid().text(),
            user,
            device,
            address,
            location,
            app,
            facts,
            decision: generator.world.access.decide(facts),
            risk: risk.0,
            interactive: generator.interactive,
            late: 0,
            incident: None,
        }
    }

    /// Draws the address from which a user at `location` signs in, and the bits that describe the location to policies.
    /// The user is in an office, in a mobile network, at home, or in a hotel.
    fn address(&mut self, user: &User, location: usize, time: i64) -> (String, u64) {
        let city = location / SPOTS;
        if let Some(address) = &user.fixed_address {
            return (address.clone(), zone(city));
        }
        let drawn = self.random.below(1000);
        if user.devices.len() > 1 && drawn < 150 {
            let (host, network) = (self.random.below(1 << 32), self.random.below(1 << 12));
            let address = format!("2001:db8:{:x}:{network:x}::{:x}:{:x}", 0x100 + city, host >> 16, host & 0xffff);
            return (address, zone(city));
        }
        if location != user.home {
            return (format!("203.0.113.{}", 100 + self.random.below(150)), zone(city));
        }
        let working = time / DAY % 7 != 2 && time / DAY % 7 != 3;
        if CITIES[city].office.is_some() && user.partner.is_none() && working && drawn < 650 {
            return (format!("198.51.100.{}", 8 * (1 + city % 24) + self.random.below(8) as usize), TRUSTED);
        }
        (user.home_address(time), zone(city))
    }

    /// Creates an attempt of a password spray. Anyone may be its target, not only active users, and each hour has one
    /// attacker.
    fn spray_attempt(&mut self, at: i64) -> Attempt<'w> {
        let world = self.generator.world;
        let user = world.user(self.random.below(USERS) as usize);
        let attacker = ((at - START) / HOUR) as usize % world.attackers.len();
        let (address, location) = world.attackers[attacker].clone();
        let device = &world.attack_devices[attacker % 2];
        let client = if attacker.is_multiple_of(2) { LEGACY } else { CLIENT_APP };
        let number = ((at - START) / HOUR) as u64;
        let facts =
            user.groups | APPS[2].class | client | MEDIUM_RISK | zone(location / SPOTS) | UNREGISTERED | WINDOWS;
        let decision = world.access.decide(facts);
        let incident = Some(IncidentLabel { kind: IncidentKind::Spray, number, injected: false });
        let shared = self.attempt_of(user, location, 2, at);
        Attempt { address, location, device, risk: "medium", facts, decision, incident, ..shared }
    }

    /// Adds at most `room` rows of an attempt, which are 8 to 40 s apart. The first one arrives `at`, and none after
    /// the end of the chunk. If the policies do not allow access, the attempt ends there.
    fn rows(&mut self, mut attempt: Attempt<'w>, at: i64, steps: &[&'static SignInOutcome], room: usize) {
        let steps = allowed(&steps[..steps.len().min(room)], attempt.decision.verdict);
        let gaps: Vec<i64> = steps.iter().skip(1).map(|_| self.random.between(8 * SECOND, 40 * SECOND)).collect();
        let spread: i64 = gaps.iter().sum();
        // The smallest of three is usually small. Of rows published together, the last was delayed least.
        let most = 1200 * SECOND;
        let least = 28 * SECOND + spread;
        let delay = (0..3).map(|_| self.random.between(least, most)).min().unwrap_or(most);
        let (mut arrival, mut created) = (at, at - attempt.late - delay);
        for (step, outcome) in steps.iter().enumerate() {
            if step > 0 {
                created += gaps[step - 1];
                arrival += gaps[step - 1].min(self.random.between(0, self.until - arrival));
            }
            let asked = step > 0 && steps[step - 1].code == MFA.code;
            let id = self.random.guid();
            if step == 0 {
                attempt.first = id.text();
            }
            let step = AttemptRow { outcome, arrival, created, asked, id };
            let signin = self.signin(attempt.clone(), step);
            self.done.push(signin);
        }
    }

    fn signin(&mut self, attempt: Attempt<'w>, step: AttemptRow) -> SignIn<'w> {
        let AttemptRow { outcome, arrival, created, asked, id } = step;
        let proof = match (outcome.stage, attempt.decision.factor) {
            (Stage::Granted, _) if asked => Proof::Fresh,
            (Stage::Granted, true) if attempt.interactive && self.random.happens(300) => Proof::Fresh,
            (Stage::Granted, true) => Proof::Claim,
            _ => Proof::None,
        };
        let silent = outcome.stage == Stage::Refused && self.random.happens(500);
        let policies = match outcome.stage {
            Stage::Refused => "[]".to_owned(),
            stage => attempt.world.access.logged(attempt.facts, stage == Stage::Blocked),
        };
        let billed = 3200 + policies.len() as u32 + self.random.below(900) as u32;
        SignIn {
            stored: StoredRow { published: arrival - attempt.late, arrival, item: self.random.guid().text(), billed },
            created,
            id: id.text(),
            token: id.token_identifier(),
            status: status(outcome, proof),
            authentication: if silent {
                "[]".to_owned()
            } else {
                authentication(created, outcome, proof, attempt.user)
            },
            processing_time: self.random.between(60, 900).to_string(),
            policies,
            outcome,
            proof,
            attempt,
        }
    }
}

/// One row of an attempt: its result and its times.
struct AttemptRow {
    outcome: &'static SignInOutcome,
    /// When the row arrives, in microseconds since 1970.
    arrival: i64,
    /// When the sign-in takes place, in microseconds since 1970.
    created: i64,
    /// True if the previous row asked for a second factor.
    asked: bool,
    id: Guid,
}

/// Returns the results of an attempt up to the point at which policies end it.
fn allowed(steps: &[&'static SignInOutcome], verdict: AccessVerdict) -> Vec<&'static SignInOutcome> {
    let end = match verdict {
        AccessVerdict::Allowed => return steps.to_vec(),
        AccessVerdict::Blocked => &BLOCKED,
        AccessVerdict::DeviceRefused => &DEVICE,
    };
    match steps.iter().position(|outcome| outcome.stage != Stage::Refused) {
        Some(judged) => steps[..judged].iter().copied().chain([end]).collect(),
        None => steps.to_vec(),
    }
}
