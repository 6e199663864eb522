//! The organisation whose logs are generated: its users, its policies, and JSON that many rows share.
//!
//! Everything depends only on the seed. Users are drawn when they are first needed, so that small archives are cheap.

use std::sync::OnceLock;

use super::catalogue::apps::APPS;
use super::catalogue::cities::{CITIES, City, SynthLocation};
use super::catalogue::conditions::{EUROPE, HOME_COUNTRY, OVERSEAS, UNKNOWN_LOCATION};
use super::catalogue::devices::COMPUTERS;
use super::catalogue::outcomes::METHODS;
use super::conditional_access::ConditionalAccess;
use super::json;
use super::people::{Device, People, SPOTS, User, attack_devices, unregistered};
use super::random::{Purpose, Random, Weighted};

/// The number of users.
pub const USERS: u64 = 20_000;
/// Makes the activity of the busiest users less different: with this number the first has less than a hundredth of all
/// rows.
const FLATNESS: u64 = 24;
/// The number of sources of password sprays.
const ATTACKERS: u64 = 12;
/// The names of service accounts, and the number of minutes between their sign-ins.
const SERVICES: &[(&str, u64)] = &[("svc-monitor", 1), ("svc-backup", 15), ("svc-inventory", 60)];
/// The number of accounts that only injected incidents use.
pub const RESERVED: usize = 12;
/// The countries of Europe in the catalogue, except for that of the organisation.
const EUROPEAN: &[&str] = &[
    "DE", "AT", "IT", "FR", "NL", "BE", "GB", "IE", "PT", "ES", "DK", "SE", "NO", "FI", "EE", "PL", "CZ", "HU", "RO",
    "BG", "GR",
];

/// The organisation whose logs are generated.
pub struct World {
    people: People,
    users: Vec<OnceLock<User>>,
    /// Draws the index of a user; active users are drawn more often.
    pub busy: Weighted,
    /// The two break-glass accounts.
    pub break_glass: [User; 2],
    /// The service accounts.
    pub services: Vec<ServiceAccount>,
    /// The accounts that only injected incidents use.
    pub reserved: Vec<User>,
    /// Draws the index of an app in [`APPS`].
    pub apps: Weighted,
    /// The sources of password sprays, each with its address and location.
    pub attackers: Vec<(String, usize)>,
    /// The devices of password sprays.
    pub attack_devices: [Device; 2],
    /// The computer of an attacker who signs in as an administrator.
    pub attack_computer: Device,
    /// The Conditional Access policies.
    pub access: ConditionalAccess,
    /// The value of `authenticationProcessingDetails` for each app.
    pub processing: Vec<String>,
    /// The resource of each app as a JSON array, for `conditionalAccessAudiences`.
    pub audiences: Vec<String>,
    /// Each location as a JSON object, at the index `city * SPOTS + spot`.
    pub locations: Vec<String>,
    /// For each city, the trusted networks of its office as a JSON array.
    pub networks: Vec<String>,
    /// Each second factor as a JSON object, for `mfaDetail`.
    pub methods: Vec<String>,
}

/// An account that a script uses at a fixed interval.
pub struct ServiceAccount {
    /// The account with which the script signs in.
    pub user: User,
    /// The number of minutes between two sign-ins.
    pub minutes: u64,
    /// The index in [`APPS`] of the app that the script uses.
    pub app: usize,
}

impl World {
    /// Creates the organisation for a seed.
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed, Purpose::World, 0);
        let apps = || Weighted::new(APPS.iter().map(|app| app.weight));
        let people = People::new(seed, apps());
        let break_glass = [people.break_glass(&mut random, 1), people.break_glass(&mut random, 2)];
        let services = SERVICES.iter().zip(1..).map(|(&(name, minutes), number)| ServiceAccount {
            user: people.service(&mut random, name, number),
            minutes,
            app: CLIENT_APPS[number as usize % CLIENT_APPS.len()],
        });
        let services = services.collect();
        Self {
            users: (0..USERS).map(|_| OnceLock::new()).collect(),
            busy: Weighted::zipf(USERS, FLATNESS),
            break_glass,
            services,
            reserved: (USERS..USERS + RESERVED as u64).map(|index| people.reserved(index)).collect(),
            attackers: (0..ATTACKERS).map(|number| attacker(&mut random, number)).collect(),
            attack_devices: attack_devices(),
            attack_computer: unregistered(&mut random, &COMPUTERS[1]),
            access: ConditionalAccess::new(&mut random),
            processing: APPS.iter().map(|app| processing_details(app.scopes)).collect(),
            audiences: APPS.iter().map(|app| json::texts(&[app.resource.id])).collect(),
            locations: CITIES.iter().flat_map(|city| (0..SPOTS).map(|spot| location(city, spot))).collect(),
            networks: CITIES.iter().map(|city| networks(city.office)).collect(),
            methods: METHODS.iter().map(|(method, detail)| mfa_detail(method, detail)).collect(),
            apps: apps(),
            people,
        }
    }

    /// Returns user `index`, which must be below [`USERS`].
    pub fn user(&self, index: usize) -> &User {
        self.users[index].get_or_init(|| self.people.user(index as u64))
    }
}

/// The indices in [`APPS`] of the apps of services, which do not run in a browser.
const CLIENT_APPS: [usize; 3] = [2, 15, 6];

/// Returns the bit that describes the location of a city to policies.
pub fn zone(city: usize) -> u64 {
    match CITIES[city].country {
        "" => UNKNOWN_LOCATION,
        "CH" => HOME_COUNTRY,
        country if EUROPEAN.contains(&country) => EUROPE,
        _ => OVERSEAS,
    }
}

fn attacker(random: &mut Random, number: u64) -> (String, usize) {
    let city = random.below(CITIES.len() as u64) as usize;
    (format!("192.0.2.{}", 20 * number + random.below(20)), city * SPOTS)
}

fn location(of: &City, spot: usize) -> String {
    let SynthLocation { city, state, latitude, longitude } = &of.location;
    let (latitude, longitude) = (moved(latitude, spot), moved(longitude, spot / 2));
    format!(r#"{{"city":{},"state":{},"countryOrRegion":"{}","#, json::text(city), json::text(state), of.country)
        + &format!(r#""geoCoordinates":{{"latitude":{latitude},"longitude":{longitude}}}}}"#)
}

/// Moves a coordinate by some hundredths of a degree, which depend on `spot`. Coordinates of unknown locations stay 0.
fn moved(degrees: &str, spot: usize) -> String {
    let (whole, fraction) = degrees.split_once('.').unwrap_or((degrees, ""));
    if fraction.is_empty() || spot == 0 {
        return degrees.to_owned();
    }
    // Integers only, so that machines agree: five digits after the point.
    let digits = format!("{fraction:0<5}").parse::<u64>().unwrap_or_default();
    let digits = format!("{:05}", (digits + 1_370 * spot as u64) % 100_000);
    format!("{whole}.{}", digits.trim_end_matches('0')).trim_end_matches('.').to_owned()
}

fn networks(office: Option<&str>) -> String {
    office.map_or("[]".to_owned(), |office| {
        format!(r#"[{{"networkType":"trustedNamedLocation","networkNames":[{}]}}]"#, json::text(office))
    })
}

fn mfa_detail(method: &str, detail: &str) -> String {
    format!(r#"{{"authMethod":{},"authDetail":{}}}"#, json::text(method), json::text(detail))
}

fn processing_details(scopes: &str) -> String {
    let scopes: Vec<&str> = scopes.split(", ").collect();
    let scopes = json::text(&json::texts(&scopes));
    format!(
        r#"[{{"key":"Legacy TLS (TLS 1.0, 1.1, 3DES)","value":"False"}},{{"key":"Oauth Scope Info","value":{scopes}}},"#
    ) + r#"{"key":"Is CAE Token","value":"False"}]"#
}
