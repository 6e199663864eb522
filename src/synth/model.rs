//! The organisation behind the sign-ins: who its users are, what they sign in with, which policies they meet.
//!
//! Everything is drawn once from the seed, and JSON that many rows share is written once here.

use std::collections::HashMap;

use super::catalogue::{
    APPS, FIRST_NAMES, LAST_NAMES, LEGACY_AGENT, METHODS, PARTNERS, PLACES, POLICIES, PROFILES, RICH_CLIENT, TRUSTS,
};
use super::json;
use super::random::{Purpose, Random, Weighted};

/// How many people sign in; the first is by far the busiest (Zipf's law).
const USERS: u64 = 5000;
/// Distinct lists of policies.
const POLICY_LISTS: usize = 48;

/// The organisation.
pub struct World {
    /// The people.
    pub users: Vec<User>,
    /// The choice of one of `users` by how busy they are.
    pub busy: Weighted,
    /// The two break-glass accounts.
    pub break_glass: [User; 2],
    /// The choice of one of [`APPS`].
    pub apps: Weighted,
    /// The choice of one of [`PLACES`].
    pub places: Weighted,
    /// Where passwords are sprayed from: address and index in [`PLACES`].
    pub attackers: Vec<(String, usize)>,
    /// What a password spray signs in with.
    pub attack_device: Device,
    /// What policies say, by the groups of users and apps.
    pub policies: Vec<PolicyList>,
    /// Each app's `authenticationProcessingDetails`.
    pub processing: Vec<String>,
    /// Each app's resource as a JSON array, for `conditionalAccessAudiences`.
    pub audiences: Vec<String>,
    /// Each place as a JSON object.
    pub locations: Vec<String>,
    /// Each place's trusted networks as a JSON array.
    pub networks: Vec<String>,
    /// Each second factor as a JSON object, for `mfaDetail`.
    pub methods: Vec<String>,
}

/// Somebody who signs in.
pub struct User {
    /// The display name.
    pub name: String,
    /// The user principal name.
    pub principal: String,
    /// The object id.
    pub id: String,
    /// The home tenant of a guest.
    pub partner: Option<&'static str>,
    /// Where they live: an index in [`PLACES`].
    pub home: usize,
    /// The address at home.
    pub address: String,
    /// What they sign in with, one at least.
    pub devices: Vec<Device>,
    /// The app they use most: an index in [`APPS`].
    pub app: usize,
    /// What the policies see in them.
    pub group: usize,
    /// Their second factor: an index in [`METHODS`].
    pub method: usize,
    /// Whether this is a break-glass account.
    pub break_glass: bool,
}

/// Something to sign in with.
pub struct Device {
    /// `deviceDetail` in a browser.
    pub in_browser: String,
    /// `deviceDetail` in an app without a browser.
    pub in_client: String,
    /// The user agent of the browser.
    pub agent: &'static str,
}

/// One list of policies, by how the sign-in ended.
pub struct PolicyList {
    /// All are satisfied.
    pub satisfied: String,
    /// One stops the sign-in.
    pub blocking: String,
}

impl World {
    /// The organisation of a seed.
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed, Purpose::World, 0);
        let places = Weighted::new(PLACES.iter().map(|place| place.weight));
        let apps = Weighted::new(APPS.iter().map(|app| app.weight));
        let profiles = Weighted::new(PROFILES.iter().map(|profile| profile.weight));
        let mut people = People { random: &mut random, places: &places, apps: &apps, profiles, taken: HashMap::new() };
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
            audiences: APPS.iter().map(|app| json::texts(&[app.resource.1])).collect(),
            locations: PLACES.iter().map(location).collect(),
            networks: PLACES.iter().map(|place| networks(place.office)).collect(),
            methods: METHODS.iter().map(|(method, detail)| mfa_detail(method, detail)).collect(),
            places,
            apps,
        }
    }
}

/// Draws people one after the other.
struct People<'a> {
    random: &'a mut Random,
    places: &'a Weighted,
    apps: &'a Weighted,
    profiles: Weighted,
    /// How many have a name already.
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
        let home = self.places.pick(self.random);
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

    /// One in eight has IPv6 at home, the others an address of the benchmark range 198.18.0.0/15.
    fn home_address(&mut self, home: usize) -> String {
        let host = self.random.below(1 << 17);
        if self.random.below(8) == 0 {
            format!("2001:db8:{:x}:{host:x}::{:x}", home + 1, self.random.below(0xffff) + 1)
        } else {
            format!("198.{}.{}.{}", 18 + (host >> 16), host >> 8 & 255, host & 255)
        }
    }

    /// Two of three are known to the organisation.
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

/// What the organisation knows of a device.
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
    (format!("192.0.2.{}", 20 * number + random.below(20)), random.below(PLACES.len() as u64) as usize)
}

fn location(place: &super::catalogue::Place) -> String {
    let (city, state, latitude, longitude) = place.city;
    format!(r#"{{"city":{},"state":{},"countryOrRegion":"{}","#, json::text(city), json::text(state), place.country)
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

/// Two to six policies, few mostly: the first of [`POLICIES`] always, and some of the others in their order.
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

/// One policy as it is logged; the two masks name the conditions by bits: application 1, users 2, others above.
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
