//! What Conditional Access policies test, as bits. The bits of a sign-in describe it, and those of a policy are what it
//! admits.

/// Bit of users: members of the organisation.
pub const MEMBERS: u64 = 1 << 8;
/// Bit of users: guests.
pub const GUESTS: u64 = 1 << 9;
/// Bit of users: accounts of scripts and services.
pub const SERVICES: u64 = 1 << 10;
/// Bit of users: administrators.
pub const ADMINISTRATORS: u64 = 1 << 11;
/// Bit of users: people in finance.
pub const FINANCE: u64 = 1 << 12;
/// Bit of users: developers.
pub const DEVELOPERS: u64 = 1 << 13;
/// Bit of users: people of other companies with accounts of their own.
pub const CONTRACTORS: u64 = 1 << 14;
/// Bit of users: executives and their offices.
pub const EXECUTIVES: u64 = 1 << 15;
/// Bit of users: workers at shared devices.
pub const FRONTLINE: u64 = 1 << 16;
/// Bit of users: people in human resources.
pub const PERSONNEL: u64 = 1 << 17;
/// Bit of users: the first group that tries new policies.
pub const PILOT_ONE: u64 = 1 << 18;
/// Bit of users: the second group that tries new policies.
pub const PILOT_TWO: u64 = 1 << 19;
/// Bits of users: everybody except services.
pub const PEOPLE: u64 = MEMBERS | GUESTS;

/// Bit of apps: Office apps in a browser.
pub const OFFICE: u64 = 1;
/// Bit of apps: mail.
pub const MAIL: u64 = 1 << 1;
/// Bit of apps: files and meetings.
pub const COLLABORATION: u64 = 1 << 2;
/// Bit of apps: the administration of Azure and Entra.
pub const ADMINISTRATION: u64 = 1 << 3;
/// Bit of apps: money and contracts.
pub const BUSINESS: u64 = 1 << 4;
/// Bit of apps: source code and machines.
pub const DEVELOPMENT: u64 = 1 << 5;
/// Bit of apps: the registration of security information and devices.
pub const REGISTRATION: u64 = 1 << 6;
/// Bit of apps: all others.
pub const OTHER_APPS: u64 = 1 << 7;
/// Bits of apps: those of Microsoft 365.
pub const MICROSOFT_365: u64 = OFFICE | MAIL | COLLABORATION;

/// Bit of platforms: Windows.
pub const WINDOWS: u64 = 1 << 24;
/// Bit of platforms: macOS.
pub const MACOS: u64 = 1 << 25;
/// Bit of platforms: iOS.
pub const IOS: u64 = 1 << 26;
/// Bit of platforms: Android.
pub const ANDROID: u64 = 1 << 27;
/// Bit of platforms: Linux.
pub const LINUX: u64 = 1 << 28;
/// Bit of platforms: a device that does not report its system.
pub const OTHER_PLATFORM: u64 = 1 << 29;
/// Bits of platforms: phones and tablets.
pub const MOBILE: u64 = IOS | ANDROID;

/// Bit of locations: an office of the organisation.
pub const TRUSTED: u64 = 1 << 32;
/// Bit of locations: the country of the organisation, but not an office.
pub const HOME_COUNTRY: u64 = 1 << 33;
/// Bit of locations: another country of Europe.
pub const EUROPE: u64 = 1 << 34;
/// Bit of locations: another continent.
pub const OVERSEAS: u64 = 1 << 35;
/// Bit of locations: an unknown one.
pub const UNKNOWN_LOCATION: u64 = 1 << 36;
/// Bits of locations: all except offices.
pub const UNTRUSTED: u64 = HOME_COUNTRY | EUROPE | OVERSEAS | UNKNOWN_LOCATION;

/// Bits of all locations.
pub const LOCATIONS: u64 = 0xff << 32;

/// Bit of clients: a browser.
pub const BROWSER: u64 = 1 << 40;
/// Bit of clients: an app with modern authentication.
pub const CLIENT_APP: u64 = 1 << 41;
/// Bit of clients: a protocol that supports only passwords.
pub const LEGACY: u64 = 1 << 42;

/// Bit of risks: none.
pub const NO_RISK: u64 = 1 << 44;
/// Bit of risks: low.
pub const LOW_RISK: u64 = 1 << 45;
/// Bit of risks: medium.
pub const MEDIUM_RISK: u64 = 1 << 46;

/// Bit of devices: a managed device that complies with the rules.
pub const COMPLIANT: u64 = 1 << 48;
/// Bit of devices: a managed device that does not comply with the rules.
pub const NOT_COMPLIANT: u64 = 1 << 49;
/// Bit of devices: a private device that is registered.
pub const REGISTERED: u64 = 1 << 50;
/// Bit of devices: a device that is not registered.
pub const UNREGISTERED: u64 = 1 << 51;

/// A condition that policies can have.
pub struct Condition {
    /// All bits of the condition; a policy without any of them does not have the condition.
    pub field: u64,
    /// The number of the condition in `conditionsSatisfied` and `conditionsNotSatisfied`, which are sums of such
    /// numbers.
    pub number: u32,
}

/// The conditions, in the order in which they are tested.
pub const CONDITIONS: [Condition; 7] = [
    Condition { field: 0xff, number: 1 },
    Condition { field: 0xffff << 8, number: 2 },
    Condition { field: 0xff << 24, number: 4 },
    Condition { field: LOCATIONS, number: 8 },
    Condition { field: 0xf << 40, number: 16 },
    Condition { field: 0xf << 44, number: 32 },
    Condition { field: 0xf << 48, number: 256 },
];
