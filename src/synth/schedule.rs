//! Attempts that are due at fixed times: the sign-ins of services, and injected incidents.

use std::ops::Range;

use super::SynthOptions;
use super::calendar::{DAY, HOUR, SECOND, START};
use super::catalogue::apps::{PORTAL, SHELL};
use super::catalogue::cities::CITIES;
use super::catalogue::conditions::OVERSEAS;
use super::catalogue::outcomes::{GRANTED, MFA, PASSWORD, SignInOutcome};
use super::findings::{IncidentKind, IncidentLabel};
use super::people::{Device, SPOTS, User};
use super::random::{Purpose, Random};
use super::world::{USERS, World, zone};
use crate::diagnostic::{Error, Result};

/// Maximum number of rows of services in a thousand rows.
const SERVICE_SHARE: u64 = 300;
/// Number of rows from which an archive has three incidents of each kind; a smaller one has one of each.
const LARGE: u64 = 20_000;
/// The index of the app that password sprays sign in to, through legacy protocols.
const SPRAYED_APP: usize = 2;

static FAILED: Steps = &[&PASSWORD];
static SUCCEEDED: Steps = &[&GRANTED];
static GUESSED: Steps = &[&PASSWORD, &MFA, &GRANTED];

/// The results of an attempt, one for each row.
pub type Steps = &'static [&'static SignInOutcome];

/// An attempt that is due at a fixed time.
pub struct DueAttempt<'w> {
    /// When the first row of the attempt arrives, in microseconds since 1970.
    pub time: i64,
    /// The user who signs in.
    pub user: &'w User,
    /// The index of the app in the catalogue.
    pub app: usize,
    /// The results; None if they are drawn like those of a script.
    pub steps: Option<Steps>,
    /// The place and device from which the attempt comes, if these are not the user's own.
    pub visitor: Option<Visitor<'w>>,
    /// The incident to which the attempt belongs, if any.
    pub label: Option<IncidentLabel>,
}

/// The place and device of an attempt that does not come from the user's home.
#[derive(Clone)]
pub struct Visitor<'w> {
    /// The IP address.
    pub address: String,
    /// The location: `city * SPOTS + spot`.
    pub location: usize,
    /// The device.
    pub device: &'w Device,
}

/// All attempts that are due at fixed times.
pub struct Schedule<'w> {
    services: Vec<ServiceRhythm<'w>>,
    incidents: Vec<DueAttempt<'w>>,
}

/// When a service signs in.
struct ServiceRhythm<'w> {
    user: &'w User,
    app: usize,
    /// Microseconds from one sign-in to the next.
    period: i64,
    /// Microseconds from the start of the archive to the first sign-in.
    offset: i64,
    count: i64,
}

impl<'w> Schedule<'w> {
    /// Plans the attempts for an archive with these options.
    ///
    /// # Errors
    /// [`Error::Usage`] if there are too few rows for the incidents.
    pub fn new(world: &'w World, options: &SynthOptions) -> Result<Self> {
        let schedule = Self { services: services(world, options), incidents: incidents(world, options) };
        let least = 4 * schedule.incident_rows();
        if least > options.rows {
            return Err(Error::Usage(format!("--inject needs at least {least} rows: use --rows {least}")));
        }
        Ok(schedule)
    }

    /// Returns the number of rows of all attempts.
    pub fn rows(&self) -> u64 {
        let services: i64 = self.services.iter().map(|service| service.count).sum();
        services as u64 + self.incident_rows()
    }

    fn incident_rows(&self) -> u64 {
        self.incidents.iter().map(|due| due.steps.map_or(1, <[_]>::len) as u64).sum()
    }

    /// Returns the attempts that are due in a span of time.
    pub fn during(&self, span: &Range<i64>) -> Vec<DueAttempt<'w>> {
        let services = self.services.iter().flat_map(|service| service.during(span));
        let incidents = self
            .incidents
            .iter()
            .filter(|due| span.contains(&due.time))
            .map(|due| DueAttempt { visitor: due.visitor.clone(), ..*due });
        services.chain(incidents).collect()
    }
}

impl<'w> ServiceRhythm<'w> {
    fn during(&self, span: &Range<i64>) -> impl Iterator<Item = DueAttempt<'w>> {
        let first = |time: i64| (time - START - self.offset + self.period - 1).div_euclid(self.period);
        let numbers = first(span.start).max(0)..first(span.end).min(self.count);
        let (user, app, offset, period) = (self.user, self.app, self.offset, self.period);
        numbers.map(move |number| {
            let time = START + offset + number * period;
            DueAttempt { time, user, app, steps: None, visitor: None, label: None }
        })
    }
}

/// Plans the sign-ins of services. Their intervals are longer than usual if these sign-ins would otherwise be too large
/// a part of all rows.
fn services<'w>(world: &'w World, options: &SynthOptions) -> Vec<ServiceRhythm<'w>> {
    let days = u64::from(options.days);
    let per_day: u64 = world.services.iter().map(|service| 24 * 60 / service.minutes).sum();
    let factor = (per_day * days * 1000).div_ceil(options.rows * SERVICE_SHARE).max(1);
    let service = |(index, service): (usize, &'w super::world::ServiceAccount)| {
        let minutes = service.minutes * factor;
        ServiceRhythm {
            user: &service.user,
            app: service.app,
            period: minutes as i64 * 60 * SECOND,
            offset: (7 + 11 * index as i64) * SECOND,
            count: (days * 24 * 60 / minutes) as i64,
        }
    };
    world.services.iter().enumerate().map(service).collect()
}

/// Plans the incidents of all kinds that `options` name.
fn incidents<'w>(world: &'w World, options: &SynthOptions) -> Vec<DueAttempt<'w>> {
    let mut random = Random::new(options.seed, Purpose::Incident, 0);
    let hours = u64::from(options.days) * 24;
    let count = if options.rows < LARGE { 1 } else { 3 };
    let mut planned = Vec::new();
    for (index, kind) in options.inject.iter().enumerate() {
        for number in 0..count {
            let hour = (number * hours + random.below(hours)) / count;
            let begin = START + hour.min(hours - 2) as i64 * HOUR;
            let label =
                IncidentLabel { kind: *kind, number: (1 << 40) + (index as u64) * count + number, injected: true };
            let mut incident =
                Incident { world, random: &mut random, label, number: number as usize, planned: Vec::new() };
            match kind {
                IncidentKind::BreakGlass => incident.break_glass(begin),
                IncidentKind::Spray => incident.spray(begin, if options.rows < LARGE { 12 } else { 40 }),
                IncidentKind::ImpossibleTravel => incident.impossible_travel(begin),
            }
            planned.append(&mut incident.planned);
        }
    }
    planned
}

/// An incident that is being planned.
struct Incident<'w, 'r> {
    world: &'w World,
    random: &'r mut Random,
    label: IncidentLabel,
    /// The number of the incident among those of its kind, from 0.
    number: usize,
    planned: Vec<DueAttempt<'w>>,
}

impl<'w> Incident<'w, '_> {
    /// Adds an incident: at two o'clock at night somebody guesses the password of a break-glass account, is let in, and
    /// uses the shell.
    fn break_glass(&mut self, begin: i64) {
        let night = begin - (begin - START) % DAY + 2 * HOUR + self.random.between(0, HOUR);
        let user = &self.world.break_glass[self.number % 2];
        let visitor = Visitor {
            address: format!("203.0.113.{}", 80 + self.number),
            location: user.home,
            device: &self.world.attack_computer,
        };
        self.add(night, user, PORTAL, FAILED, Some(visitor.clone()));
        self.add(night + 95 * SECOND, user, PORTAL, GUESSED, Some(visitor.clone()));
        self.add(night + 600 * SECOND, user, SHELL, SUCCEEDED, Some(visitor));
    }

    /// Adds an incident: within 40 minutes one address tries a password for `targets` accounts, and then signs in with
    /// one of them.
    fn spray(&mut self, begin: i64, targets: u64) {
        let location = self.random.below(CITIES.len() as u64) as usize * SPOTS;
        let address = format!("192.0.2.{}", 241 + self.number);
        let visitor = Visitor { address, location, device: &self.world.attack_devices[1] };
        let first = self.random.below(USERS);
        for target in 0..targets {
            // Coprime to the number of users, so that no account is tried twice.
            let user = self.world.user(((first + target * 7) % USERS) as usize);
            let time = begin + 300 * SECOND + self.random.between(0, 2400 * SECOND);
            self.add(time, user, SPRAYED_APP, FAILED, Some(visitor.clone()));
        }
        let victim = &self.world.reserved[4 + self.number];
        self.add(begin + 2750 * SECOND, victim, SPRAYED_APP, FAILED, Some(visitor.clone()));
        self.add(begin + 3000 * SECOND, victim, SPRAYED_APP, SUCCEEDED, Some(visitor));
    }

    /// Adds an incident: a user signs in at home, and soon afterwards on another continent.
    fn impossible_travel(&mut self, begin: i64) {
        let user = &self.world.reserved[self.number];
        let far: Vec<usize> = (0..CITIES.len()).filter(|city| zone(*city) == OVERSEAS).collect();
        let visitor = Visitor {
            address: format!("203.0.113.{}", 20 + self.number),
            location: *self.random.pick(&far) * SPOTS,
            device: &self.world.attack_computer,
        };
        let time = begin + self.random.between(0, 600 * SECOND);
        self.add(time, user, 0, SUCCEEDED, None);
        self.add(time + 1300 * SECOND, user, 0, SUCCEEDED, Some(visitor.clone()));
        self.add(time + 1700 * SECOND, user, 3, SUCCEEDED, Some(visitor));
    }

    fn add(&mut self, time: i64, user: &'w User, app: usize, steps: Steps, visitor: Option<Visitor<'w>>) {
        self.planned.push(DueAttempt { time, user, app, steps: Some(steps), visitor, label: Some(self.label) });
    }
}
