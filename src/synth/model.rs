//! The organisation of the sign-ins: its users, their devices, and the policies that apply to them.
//!
//! Everything is drawn once from the seed, and JSON shared by many rows is written once here.

use std::collections::HashMap;

use super::catalogue::{
    APPS, CITIES, FIRST_NAMES, LAST_NAMES, LEGACY_AGENT, METHODS, PARTNERS, POLICIES, PROFILES, RICH_CLIENT,
    SynthLocation, TRUSTS,
};
use super::json;
use super::random::{Purpose, Random, Weighted};

/// The number of users; the first is by far the most active (Zipf's law).
const USERS: u64 = 5000;
/// The number of distinct policy lists.
const POLICY_LISTS: usize = 48;

/// The organisation.
pub struct World {
    /// The users.
    pub users: Vec<User>,
    /// Draws one of `users` by activity.
    pub busy: Weighted,
    /// The two break-glass accounts.
    pub break_glass: [User; 2],
    /// Draws one of [`APPS`].
    pub apps: Weighted,
    /// Draws one of [`CITIES`].
    pub cities: Weighted,
    /// The sources of password sprays: address and index in [`CITIES`].
    pub attackers: Vec<(String, usize)>,
    /// The device of a password spray.
    pub attack_device: Device,
    /// The policy lists of the groups of users and apps.
    pub policies: Vec<PolicyList>,
    /// Each app's `authenticationProcessingDetails`.
    pub processing: Vec<String>,
    /// The resource of each app as a JSON array, for `conditionalAccessAudiences`.
    pub audiences: Vec<String>,
    /// Each city as a JSON object.
    pub locations: Vec<String>,
    /// The trusted networks of each city as a JSON array.
    pub networks: Vec<String>,
    /// Each second factor as a JSON object, for `mfaDetail`.
    pub methods: Vec<String>,
}

/// A user who signs in.
pub struct User {
    /// The display name.
    pub name: String,
    /// The user principal name.
    pub principal: String,
    /// The object id.
    pub id: String,
    /// The home tenant, if the user is a guest.
    pub partner: Option<&'static str>,
    /// The home city: an index in [`CITIES`].
    pub home: usize,
    /// The address at home.
    pub address: String,
    /// The devices, at least one.
    pub devices: Vec<Device>,
    /// The most used app: an index in [`APPS`].
    pub app: usize,
    /// The group that policies distinguish.
    pub group: usize,
    /// The second factor: an index in [`METHODS`].
    pub method: usize,
    /// True for a break-glass account.
    pub break_glass: bool,
}

/// A device to sign in with.
pub struct Device {
    /// `deviceDetail` in a browser.
    pub in_browser: String,
    /// `deviceDetail` in an app without a browser.
    pub in_client: String,
    /// The user agent of the browser.
    pub agent: &'static str,
}

/// A list of policies as logged, for each way a sign-in can end.
pub struct PolicyList {
    /// All policies are satisfied.
    pub satisfied: String,
    /// One policy blocks the sign-in.
    pub blocking: String,
}

impl World {
    /// Creates the organisation of a seed.
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed, Purpose::World, 0);
        let cities = Weighted::new(CITIES.iter().map(|city| city.weight));
        let apps = Weighted::new(APPS.iter().map(|app| app.weight));
        let profiles = Weighted::new(PROFILES.iter().map(|profile| profile.weight));
        let mut people = People { random: &mut random, cities: &cities, apps: &apps, profiles, taken: HashMap::new() };
        let users = (0..USERS).map(|_| people.user()).collect();
        let break_glass = [people.break_glass(1), people.break_glass(2)];
        let policy_ids: Vec<String> = POLICIES.iter().map(|_| random.guid().text()).collect();
        Self {
            users,
            busy: Weighted::zipf(USERS),
            break_glass,
            attackers: (0..12).map(|number| attacker(&mut random, number)).collect(),
            attack_device: Device {
                in_browser: device_detail("", "", None),
                in_client: device_detail("", "", None),
                agent: LEGACY_AGENT,
            },
            policies: (0..POLICY_LISTS).map(|_| policy_list(&mut random, &policy_ids)).collect(),
            processing: APPS.iter().map(|app| processing_details(app.scopes)).collect(),
            audiences: APPS.iter().map(|app| json::texts(&[app.resource.id])).collect(),
            locations: CITIES.iter().map(location).collect(),
            networks: CITIES.iter().map(|city| networks(city.office)).collect(),
            methods: METHODS.iter().map(|(method, detail)| mfa_detail(method, detail)).collect(),
            cities,
            apps,
        }
    }
}

/// Draws users one by one.
struct People<'a> {
    random: &'a mut Random,
    cities: &'a Weighted,
    apps: &'a Weighted,
    profiles: Weighted,
    /// The number of users with each name so far.
    taken: HashMap<String, u32>,
}

impl People<'_> {
    fn user(&mut self) -> User {
        let (first, first_plain) = self.random.pick(FIRST_NAMES);
        let (last, last_plain) = self.random.pick(LAST_NAMES);
        let partner = self.random.happens(80).then(|| self.random.pick(PARTNERS));
        let (domain, tenant) = partner.map_or(("contoso.com", None), |(domain, _, tenant)| (*domain, Some(*tenant)));
        let name = match (partner, self.random.below(100)) {
            (Some((_, company, _)), _) => format!("{first} {last} ({company})"),
            (None, ..2) => format!("{first} \"{}\" {last}", &first_plain[..2].to_uppercase()),
            (None, 2..25) => format!("{last}, {first}"),
            (None, _) => format!("{first} {last}"),
        };
        let plain = format!("{first_plain}.{last_plain}");
        let count = self.taken.entry(format!("{plain}@{domain}")).or_default();
        *count += 1;
        let number = if *count > 1 { count.to_string() } else { String::new() };
        let home = self.cities.pick(self.random);
        User {
            name,
            principal: format!("{plain}{number}@{domain}"),
            id: self.random.guid().text(),
            partner: tenant,
            home,
            address: self.home_address(home),
            devices: (0..=self.random.below(2)).map(|_| self.device(first_plain)).collect(),
            app: self.apps.pick(self.random),
            group: self.random.below(POLICY_LISTS as u64) as usize,
            method: self.random.below(METHODS.len() as u64) as usize,
            break_glass: false,
        }
    }

    fn break_glass(&mut self, number: u8) -> User {
        let profile = &PROFILES[4];
        let detail = device_detail(profile.system, profile.browser, None);
        User {
            name: format!("Break Glass {number:02}"),
            principal: format!("bg-admin-{number:02}@contoso.com"),
            id: self.random.guid().text(),
            partner: None,
            home: 0,
            address: format!("203.0.113.{}", 70 + number),
            devices: vec![Device { in_browser: detail.clone(), in_client: detail, agent: profile.browser_agent }],
            app: super::catalogue::PORTAL,
            group: 0,
            method: 3,
            break_glass: true,
        }
    }

    /// Returns an address: one in eight homes has IPv6, the others an address of the benchmark range 198.18.0.0/15.
    fn home_address(&mut self, home: usize) -> String {
        let host = self.random.below(1 << 17);
        if self.random.below(8) == 0 {
            format!("2001:db8:{:x}:{host:x}::{:x}", home + 1, self.random.below(0xffff) + 1)
        } else {
            format!("198.{}.{}.{}", 18 + (host >> 16), host >> 8 & 255, host & 255)
        }
    }

    /// Draws a device; two of three are registered with the organisation.
    fn device(&mut self, owner: &str) -> Device {
        let profile = &PROFILES[self.profiles.pick(self.random)];
        let known = (self.random.below(3) > 0).then(|| Registration {
            id: self.random.guid().text(),
            name: format!("CONTOSO-{}-{:04}", owner.to_uppercase(), self.random.below(10_000)),
            compliant: self.random.happens(900),
            trust: TRUSTS[self.random.below(TRUSTS.len() as u64) as usize],
        });
        Device {
            in_browser: device_detail(profile.system, profile.browser, known.as_ref()),
            in_client: device_detail(profile.system, RICH_CLIENT, known.as_ref()),
            agent: profile.browser_agent,
        }
    }
}

/// How a device is registered with the organisation.
struct Registration {
    id: String,
    name: String,
    compliant: bool,
    trust: &'static str,
}

fn device_detail(system: &str, browser: &str, known: Option<&Registration>) -> String {
    match known {
        None => format!(r#"{{"deviceId":"","operatingSystem":"{system}","browser":"{browser}"}}"#),
        Some(Registration { id, name, compliant, trust }) => {
            format!(r#"{{"deviceId":"{id}","displayName":"{name}","operatingSystem":"{system}","browser":"{browser}","#)
                + &format!(r#""isCompliant":{compliant},"isManaged":{compliant},"trustType":"{trust}"}}"#)
        }
    }
}

fn attacker(random: &mut Random, number: u64) -> (String, usize) {
    (format!("192.0.2.{}", 20 * number + random.below(20)), random.below(CITIES.len() as u64) as usize)
}

fn location(at: &super::catalogue::City) -> String {
    let SynthLocation { city, state, latitude, longitude } = &at.location;
    format!(r#"{{"city":{},"state":{},"countryOrRegion":"{}","#, json::text(city), json::text(state), at.country)
        + &format!(r#""geoCoordinates":{{"latitude":{latitude},"longitude":{longitude}}}}}"#)
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

/// Draws two to six policies, usually few: always the first of [`POLICIES`], and some of the others in order.
fn policy_list(random: &mut Random, ids: &[String]) -> PolicyList {
    let wanted = 1 + random.below(5).min(random.below(5)) as usize;
    let mut chosen = vec![0];
    while chosen.len() <= wanted {
        let index = 1 + random.below(POLICIES.len() as u64 - 1) as usize;
        if !chosen.contains(&index) {
            chosen.push(index);
        }
    }
    chosen.sort_unstable();
    let applies: Vec<bool> = chosen.iter().map(|index| *index == 0 || random.happens(300)).collect();
    let list = |blocked: bool| {
        let policy = |(index, applies): (&usize, &bool)| policy(*index, &ids[*index], *applies, blocked && *index == 0);
        let policies: Vec<String> = chosen.iter().zip(&applies).map(policy).collect();
        format!("[{}]", policies.join(","))
    };
    PolicyList { satisfied: list(false), blocking: list(true) }
}

/// Returns a policy as it is logged; the two masks give the conditions by bits: application 1, users 2, others above.
fn policy(index: usize, id: &str, applies: bool, blocks: bool) -> String {
    let (name, grants, sessions) = POLICIES[index];
    let result = match (name.ends_with("(report-only)"), applies, blocks) {
        (true, true, _) => "reportOnlySuccess",
        (true, false, _) => "reportOnlyNotApplied",
        (false, true, true) => "failure",
        (false, true, false) => "success",
        (false, false, _) => "notApplied",
    };
    let (satisfied, missed) = if applies { (3, 0) } else { (1, 2 + 8 * (index as u32 % 2)) };
    format!(
        r#"{{"id":"{id}","displayName":{},"enforcedGrantControls":{},"enforcedSessionControls":{},"#,
        json::text(name),
        json::texts(grants),
        json::texts(sessions)
    ) + &format!(r#""result":"{result}","conditionsSatisfied":{satisfied},"conditionsNotSatisfied":{missed}}}"#)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::World;

    #[test]
    fn people_have_names_of_their_own() {
        let world = World::new(7);
        let principals: HashSet<&str> = world.users.iter().map(|user| user.principal.as_str()).collect();
        assert_eq!(principals.len(), world.users.len());
        let guests = world.users.iter().filter(|user| user.partner.is_some()).count();
        assert!((300..500).contains(&guests), "{guests}");
        assert!(world.users.iter().any(|user| user.name.contains('"')));
        assert!(world.users.iter().any(|user| !user.name.is_ascii()));
        assert!(world.users.iter().all(|user| user.principal.is_ascii()));
    }

    #[test]
    fn policies_are_two_to_six_and_one_of_them_blocks() {
        for list in &World::new(7).policies {
            let satisfied: Vec<serde_json::Value> = serde_json::from_str(&list.satisfied).unwrap();
            assert!((2..=6).contains(&satisfied.len()));
            assert!(satisfied.iter().all(|policy| policy["result"] != "failure"));
            let blocking: Vec<serde_json::Value> = serde_json::from_str(&list.blocking).unwrap();
            assert_eq!(blocking.iter().filter(|policy| policy["result"] == "failure").count(), 1);
        }
    }
}
