//! What Conditional Access policies test, as bits: those of a sign-in say what it is, those of a policy what it admits.

/// Members of the organisation.
pub const MEMBERS: u64 = 1 << 8;
/// Guests.
pub const GUESTS: u64 = 1 << 9;
/// Accounts of scripts and services.
pub const SERVICES: u64 = 1 << 10;
/// Administrators.
pub const ADMINISTRATORS: u64 = 1 << 11;
/// Finance.
pub const FINANCE: u64 = 1 << 12;
/// Developers.
pub const DEVELOPERS: u64 = 1 << 13;
/// People of other companies with accounts of their own.
pub const CONTRACTORS: u64 = 1 << 14;
/// Executives and their offices.
pub const EXECUTIVES: u64 = 1 << 15;
/// Workers at shared devices.
pub const FRONTLINE: u64 = 1 << 16;
/// Human resources.
pub const PERSONNEL: u64 = 1 << 17;
/// The first group that tries new policies.
pub const PILOT_ONE: u64 = 1 << 18;
/// The second group that tries new policies.
pub const PILOT_TWO: u64 = 1 << 19;
/// Everybody except services.
pub const PEOPLE: u64 = MEMBERS | GUESTS;

/// Office apps in a browser.
pub const OFFICE: u64 = 1;
/// Mail.
pub const MAIL: u64 = 1 << 1;
/// Files and meetings.
pub const COLLABORATION: u64 = 1 << 2;
/// The administration of Azure and Entra.
pub const ADMINISTRATION: u64 = 1 << 3;
/// Money and contracts.
pub const BUSINESS: u64 = 1 << 4;
/// Source code and machines.
pub const DEVELOPMENT: u64 = 1 << 5;
/// The registration of security information and devices.
pub const REGISTRATION: u64 = 1 << 6;
/// All else.
pub const OTHER_APPS: u64 = 1 << 7;
/// The apps of Microsoft 365.
pub const MICROSOFT_365: u64 = OFFICE | MAIL | COLLABORATION;

/// Windows.
pub const WINDOWS: u64 = 1 << 24;
/// macOS.
pub const MACOS: u64 = 1 << 25;
/// iOS.
pub const IOS: u64 = 1 << 26;
/// Android.
pub const ANDROID: u64 = 1 << 27;
/// Linux.
pub const LINUX: u64 = 1 << 28;
/// A device that says nothing about itself.
pub const OTHER_PLATFORM: u64 = 1 << 29;
/// Phones and tablets.
pub const MOBILE: u64 = IOS | ANDROID;

/// An office of the organisation.
pub const TRUSTED: u64 = 1 << 32;
/// The country of the organisation, but no office.
pub const HOME_COUNTRY: u64 = 1 << 33;
/// Another country of Europe.
pub const EUROPE: u64 = 1 << 34;
/// Another continent.
pub const OVERSEAS: u64 = 1 << 35;
/// Unknown.
pub const UNKNOWN_LOCATION: u64 = 1 << 36;
/// All but offices.
pub const UNTRUSTED: u64 = HOME_COUNTRY | EUROPE | OVERSEAS | UNKNOWN_LOCATION;

/// All locations.
pub const LOCATIONS: u64 = 0xff << 32;

/// A browser.
pub const BROWSER: u64 = 1 << 40;
/// An app with modern authentication.
pub const CLIENT_APP: u64 = 1 << 41;
/// A protocol that knows only passwords.
pub const LEGACY: u64 = 1 << 42;

/// No risk.
pub const NO_RISK: u64 = 1 << 44;
/// Low risk.
pub const LOW_RISK: u64 = 1 << 45;
/// Medium risk.
pub const MEDIUM_RISK: u64 = 1 << 46;

/// A managed device that meets the rules.
pub const COMPLIANT: u64 = 1 << 48;
/// A managed device that does not.
pub const NOT_COMPLIANT: u64 = 1 << 49;
/// A private device that is registered.
pub const REGISTERED: u64 = 1 << 50;
/// A device that is not registered.
pub const UNREGISTERED: u64 = 1 << 51;

/// A condition of policies: its bits, and its number in `conditionsSatisfied` and `conditionsNotSatisfied`.
pub struct Condition {
    /// The bits; a policy without any of them does not have the condition.
    pub field: u64,
    /// The number by which logs mean the condition; such numbers are added.
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
