//! The users of the organisation: their names, their devices and addresses, and when they travel.

use super::calendar::{DAY, START};
use super::catalogue::PARTNERS;
use super::catalogue::apps::PORTAL;
use super::catalogue::cities::CITIES;
use super::catalogue::conditions::{
    ADMINISTRATORS, COMPLIANT, CONTRACTORS, DEVELOPERS, EXECUTIVES, FINANCE, FRONTLINE, GUESTS, MEMBERS, NOT_COMPLIANT,
    OTHER_PLATFORM, PERSONNEL, PILOT_ONE, PILOT_TWO, REGISTERED, SERVICES, UNREGISTERED,
};
use super::catalogue::devices::{
    COMPUTERS, DeviceProfile, LEGACY_AGENT, PHONE_PROFILES, PRIVILEGED_WORKSTATION, REGISTERED_TRUST, RICH_CLIENT,
    RICH_CLIENT_VERSIONS, SCRIPT_AGENTS, TRUSTS, with_version,
};
use super::catalogue::names::{FIRST_NAMES, LAST_NAMES};
use super::catalogue::outcomes::METHODS;
use super::random::{Purpose, Random, Weighted, mix};

/// The number of different positions that geolocation reports within one city.
pub const SPOTS: usize = 8;
/// The groups of members as bits, and how many of a thousand members are in each group.
const GROUPS: &[(u64, u64)] = &[
    (FINANCE, 80),
    (DEVELOPERS, 120),
    (PERSONNEL, 40),
    (FRONTLINE, 150),
    (EXECUTIVES, 20),
    (CONTRACTORS, 100),
    (ADMINISTRATORS, 20),
    (PILOT_ONE, 150),
    (PILOT_TWO, 100),
];

/// A user who signs in.
pub struct User {
    /// The display name.
    pub name: String,
    /// The user principal name, which looks like a mail address.
    pub principal: String,
    /// The object id.
    pub id: String,
    /// The home tenant if the user is a guest; otherwise None.
    pub partner: Option<&'static str>,
    /// Where the user lives: `city * SPOTS + spot`.
    pub home: usize,
    /// The devices that the user signs in with; at least one.
    pub devices: Vec<Device>,
    /// The index in the catalogue of the app that the user uses most.
    pub app: usize,
    /// The groups by which policies select users, as bits.
    pub groups: u64,
    /// The index in the catalogue of the user's second factor.
    pub method: usize,
    /// True for a break-glass account.
    pub break_glass: bool,
    /// A random number of the user, from which addresses are derived.
    number: u64,
    /// The IP address, if it never changes; otherwise None.
    pub fixed_address: Option<String>,
    trips: Option<Trips>,
}

/// Trips that a user makes again and again.
struct Trips {
    /// Where the trips go: `city * SPOTS + spot`.
    destination: usize,
    /// The number of days from the start of one trip to the start of the next.
    period: u64,
    /// The day, counted from the start of a trip, on which an archive begins.
    phase: u64,
    /// The number of days at the destination.
    days: u64,
}

/// A device with which a user signs in.
pub struct Device {
    /// The value of `deviceDetail` in a browser, as JSON.
    pub in_browser: String,
    /// The value of `deviceDetail` in an app without a browser, as JSON.
    pub in_client: String,
    /// The user agent of the browser.
    pub agent: String,
    /// The user agent of apps without a browser.
    pub client_agent: String,
    /// The platform and state of the device, as bits by which policies select devices.
    pub facts: u64,
}

impl User {
    /// Returns where the user is at a time. None on days of travel, on which the user does not sign in: otherwise a
    /// user could be in two countries within an hour.
    pub fn location_at(&self, time: i64) -> Option<usize> {
        let Some(trips) = &self.trips else { return Some(self.home) };
        let day = ((time - START).div_euclid(DAY) as u64 + trips.phase) % trips.period;
        match day {
            0 => None,
            day if day <= trips.days => Some(trips.destination),
            day if day == trips.days + 1 => None,
            _ => Some(self.home),
        }
    }

    /// Returns the address of the user's line at home, which changes every two weeks. One in five homes has an IPv6
    /// address, the others one of the benchmark range 198.18.0.0/15.
    pub fn home_address(&self, time: i64) -> String {
        let line = mix(self.number, 0);
        let lease = mix(line, (time - START).div_euclid(14 * DAY) as u64);
        if line.is_multiple_of(5) {
            // Privacy extensions: another interface every day.
            let interface = mix(line, 1 << 32 | (time - START).div_euclid(DAY) as u64);
            let city = self.home / SPOTS + 1;
            format!(
                "2001:db8:{city:x}:{:x}:{:x}:{:x}:{:x}:{:x}",
                lease & 0xffff,
                interface & 0xffff,
                interface >> 16 & 0xffff,
                interface >> 32 & 0xffff,
                interface >> 48 & 0xffff
            )
        } else {
            format!("198.{}.{}.{}", 18 + (lease >> 16 & 1), lease >> 8 & 255, lease & 255)
        }
    }
}

/// Draws users: their cities, apps and devices.
pub struct People {
    seed: u64,
    cities: Weighted,
    apps: Weighted,
    computers: Weighted,
    phones: Weighted,
}

impl People {
    /// Creates the source of users for a seed. `apps` draws the app that a user uses most.
    pub fn new(seed: u64, apps: Weighted) -> Self {
        let weights = |profiles: &[DeviceProfile]| Weighted::new(profiles.iter().map(|profile| profile.weight));
        Self {
            seed,
            cities: Weighted::new(CITIES.iter().map(|city| city.weight)),
            apps,
            computers: weights(COMPUTERS),
            phones: weights(PHONE_PROFILES),
        }
    }

    /// Draws user `index`. About one in twelve is a guest.
    pub fn user(&self, index: u64) -> User {
        let mut random = Random::new(self.seed, Purpose::User, index);
        let partner = random.happens(80).then(|| random.pick(PARTNERS));
        let (domain, tenant) = partner.map_or(("contoso.com", None), |(domain, _, tenant)| (*domain, Some(*tenant)));
        let (names, plain) = self.names(index);
        let name = match (partner, random.below(100)) {
            (Some((_, company, _)), _) => format!("{} {} ({company})", names.0, names.1),
            (None, ..2) => format!("{} \"{}\" {}", names.0, plain[..2].to_uppercase(), names.1),
            (None, 2..25) => format!("{}, {}", names.1, names.0),
            (None, _) => format!("{} {}", names.0, names.1),
        };
        let owner = plain.split('.').next().unwrap_or_default();
        let mut devices = vec![self.computer(&mut random, owner, partner.is_none())];
        if random.happens(650) {
            devices.push(self.phone(&mut random, owner));
        }
        if random.happens(200) {
            devices.push(self.computer(&mut random, owner, false));
        }
        User {
            devices,
            groups: if partner.is_some() { GUESTS } else { groups(&mut random) },
            trips: random.happens(300).then(|| self.trips(&mut random)),
            app: self.apps.pick(&mut random),
            method: random.below(METHODS.len() as u64) as usize,
            ..self.account(&mut random, name, format!("{plain}@{domain}"), tenant)
        }
    }

    /// Draws an account that never travels. It is reserved for incidents, whose sign-ins are the only ones it has.
    pub fn reserved(&self, index: u64) -> User {
        User { trips: None, home: 0, ..self.user(index) }
    }

    /// Draws the break-glass account `number`.
    pub fn break_glass(&self, random: &mut Random, number: u64) -> User {
        let (name, principal) = (format!("Break Glass {number:02}"), format!("bg-admin-{number:02}@contoso.com"));
        let profile = &COMPUTERS[PRIVILEGED_WORKSTATION];
        User {
            home: 0,
            fixed_address: Some(format!("203.0.113.{}", 70 + number)),
            devices: vec![unregistered(random, profile)],
            groups: MEMBERS | ADMINISTRATORS,
            method: METHODS.len() - 1,
            break_glass: true,
            ..self.account(random, name, principal, None)
        }
    }

    /// Draws a service account, with which a script on a server signs in.
    pub fn service(&self, random: &mut Random, name: &str, number: u64) -> User {
        let agent = SCRIPT_AGENTS[number as usize % SCRIPT_AGENTS.len()].to_owned();
        User {
            home: 0,
            fixed_address: Some(format!("198.51.100.{}", 200 + number)),
            devices: vec![script(agent)],
            groups: SERVICES,
            ..self.account(random, name.to_owned(), format!("{name}@contoso.com"), None)
        }
    }

    fn account(&self, random: &mut Random, name: String, principal: String, partner: Option<&'static str>) -> User {
        User {
            name,
            principal,
            id: random.guid().text(),
            partner,
            home: self.cities.pick(random) * SPOTS + random.below(SPOTS as u64) as usize,
            devices: Vec::new(),
            app: PORTAL,
            groups: 0,
            method: 0,
            break_glass: false,
            number: random.below(u64::MAX),
            fixed_address: None,
            trips: None,
        }
    }

    /// Returns the displayed first and last name of user `index`, and the name in the user principal name, which is
    /// unique.
    fn names(&self, index: u64) -> ((&'static str, &'static str), String) {
        let count = (FIRST_NAMES.len() * LAST_NAMES.len()) as u64;
        // Coprime to the number of names, so that each is used once before any is used again.
        let name = (index.wrapping_mul(769).wrapping_add(mix(self.seed, 0)) % count) as usize;
        let (first, first_plain) = FIRST_NAMES[name % FIRST_NAMES.len()];
        let (last, last_plain) = LAST_NAMES[name / FIRST_NAMES.len()];
        let again = index / count;
        let number = if again > 0 { (again + 1).to_string() } else { String::new() };
        ((first, last), format!("{first_plain}.{last_plain}{number}"))
    }

    fn trips(&self, random: &mut Random) -> Trips {
        let days = 1 + random.below(5);
        let period = days + 10 + random.below(50);
        let destination = self.cities.pick(random) * SPOTS + random.below(SPOTS as u64) as usize;
        Trips { destination, days, period, phase: random.below(period) }
    }

    /// Draws a computer. Computers of the organisation are managed, and most private ones are not registered.
    fn computer(&self, random: &mut Random, owner: &str, managed: bool) -> Device {
        let profile = &COMPUTERS[self.computers.pick(random)];
        if !managed && random.happens(700) {
            return unregistered(random, profile);
        }
        registered(random, profile, owner, managed)
    }

    fn phone(&self, random: &mut Random, owner: &str) -> Device {
        let profile = &PHONE_PROFILES[self.phones.pick(random)];
        match random.below(10) {
            0..3 => unregistered(random, profile),
            kind => registered(random, profile, owner, kind < 7),
        }
    }
}

fn groups(random: &mut Random) -> u64 {
    GROUPS.iter().filter(|(_, share)| random.happens(*share)).fold(MEMBERS, |groups, (group, _)| groups | group)
}

/// Draws a device that does not show who owns it.
pub fn unregistered(random: &mut Random, profile: &DeviceProfile) -> Device {
    device(random, profile, UNREGISTERED, "", "")
}

fn registered(random: &mut Random, profile: &DeviceProfile, owner: &str, managed: bool) -> Device {
    let id = random.guid().text();
    let compliant = managed && random.happens(930);
    let trust = if managed { random.below(REGISTERED_TRUST as u64) as usize } else { REGISTERED_TRUST };
    let name = format!("CONTOSO-{}-{:05}", owner.to_uppercase(), random.below(100_000));
    let facts = match (managed, compliant) {
        (_, true) => COMPLIANT,
        (true, false) => NOT_COMPLIANT,
        (false, false) => REGISTERED,
    };
    let tail = format!(r#","isCompliant":{compliant},"isManaged":{managed},"trustType":"{}""#, TRUSTS[trust]);
    device(random, profile, facts, &format!(r#""deviceId":"{id}","displayName":"{name}","#), &tail)
}

fn device(random: &mut Random, profile: &DeviceProfile, state: u64, head: &str, tail: &str) -> Device {
    let head = if head.is_empty() { r#""deviceId":"","# } else { head };
    let version = newest(random, profile.versions);
    let system = with_version(profile.system, version);
    let detail = |browser: &str| format!(r#"{{{head}"operatingSystem":"{system}","browser":"{browser}"{tail}}}"#);
    let client = with_version(RICH_CLIENT, newest(random, RICH_CLIENT_VERSIONS));
    let client_version = newest(random, profile.client_versions);
    let client_agent = profile.client_agents[random.below(profile.client_agents.len() as u64) as usize];
    let client_agent = client_agent.replace("{r}", &(100 + 2 * random.below(40)).to_string());
    Device {
        in_browser: detail(&with_version(profile.browser, version)),
        in_client: detail(&client),
        agent: with_version(profile.browser_agent, version),
        client_agent: with_version(&client_agent, client_version),
        facts: profile.platform | state,
    }
}

/// Draws one of `versions`, which are sorted: recent ones more often.
fn newest(random: &mut Random, versions: &'static [&'static str]) -> &'static str {
    let count = versions.len() as u64;
    versions[random.below(count).max(random.below(count)) as usize]
}

/// Returns the device of a script, which reports nothing about itself.
fn script(agent: String) -> Device {
    let detail = r#"{"deviceId":"","operatingSystem":"","browser":""}"#.to_owned();
    let facts = OTHER_PLATFORM | UNREGISTERED;
    Device { in_browser: detail.clone(), in_client: detail, client_agent: agent.clone(), agent, facts }
}

/// Returns the devices of password sprays: one that uses legacy protocols, and one that runs a script.
pub fn attack_devices() -> [Device; 2] {
    [script(LEGACY_AGENT.to_owned()), script(SCRIPT_AGENTS[0].to_owned())]
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::calendar::{DAY, START};
    use super::super::world::World;

    #[test]
    fn people_have_names_of_their_own() {
        let world = World::new(7);
        let users: Vec<_> = (0..4000).map(|index| world.user(index)).collect();
        let principals: HashSet<&str> = users.iter().map(|user| user.principal.as_str()).collect();
        assert_eq!(principals.len(), users.len());
        let guests = users.iter().filter(|user| user.partner.is_some()).count();
        assert!((240..400).contains(&guests), "{guests}");
        assert!(users.iter().any(|user| user.name.contains('"')));
        assert!(users.iter().any(|user| !user.name.is_ascii()));
        assert!(users.iter().all(|user| user.principal.is_ascii()));
        let details: HashSet<&str> =
            users.iter().flat_map(|user| &user.devices).map(|device| device.in_browser.as_str()).collect();
        assert!(details.len() > users.len(), "{}", details.len());
    }

    #[test]
    fn nobody_is_in_two_cities_within_a_day() {
        let world = World::new(3);
        let mut travellers = 0;
        for user in (0..200).map(|index| world.user(index)) {
            let days: Vec<_> = (0..90).map(|day| user.location_at(START + day * DAY)).collect();
            travellers += usize::from(days.contains(&None));
            for pair in days.windows(2) {
                assert!(pair[0] == pair[1] || pair[0].is_none() || pair[1].is_none(), "{}: {pair:?}", user.name);
            }
        }
        assert!((40..90).contains(&travellers), "{travellers}");
    }

    #[test]
    fn addresses_at_home_change_every_two_weeks() {
        let world = World::new(5);
        let addresses: HashSet<String> =
            (0..26).map(|lease| world.user(1).home_address(START + lease * 14 * DAY)).collect();
        assert!(addresses.len() > 20);
        let six = (0..1000).filter(|index| world.user(*index).home_address(START).contains(':')).count();
        assert!((150..250).contains(&six), "{six}");
    }
}
