//! Devices, browsers and client apps, with their user agents.
//!
//! In all strings `{}` stands for a version, `{_}` for the version with underscores instead of dots, and `{r}` for a
//! revision.

use super::conditions::{ANDROID, IOS, LINUX, MACOS, WINDOWS};

/// What a device reports about itself.
pub struct DeviceProfile {
    /// The operating system.
    pub system: &'static str,
    /// The browser, used by apps that run in a browser.
    pub browser: &'static str,
    /// The user agent of the browser.
    pub browser_agent: &'static str,
    /// The versions of the browser, oldest first.
    pub versions: &'static [&'static str],
    /// The user agents of apps without a browser.
    pub client_agents: &'static [&'static str],
    /// The versions of the apps without a browser, oldest first.
    pub client_versions: &'static [&'static str],
    /// The platform, as a bit by which policies select devices; see [`super::conditions`].
    pub platform: u64,
    /// The relative frequency of the profile.
    pub weight: u64,
}

/// The trust types of registered devices.
pub const TRUSTS: &[&str] = &["Azure AD joined", "Hybrid Azure AD joined", "Azure AD registered"];
/// The index in [`TRUSTS`] of the trust type of private devices.
pub const REGISTERED_TRUST: usize = 2;

/// What apps without a browser have as their browser.
pub const RICH_CLIENT: &str = "Rich Client {}";
/// The versions of the library with which such apps sign in.
pub const RICH_CLIENT_VERSIONS: &[&str] =
    &["4.54.0.0", "4.56.0.0", "4.57.0.0", "4.59.0.0", "4.60.3.0", "4.61.0.0", "4.61.3.0", "4.64.0.0", "4.65.0.0"];
/// The user agent of password guesses over legacy protocols.
pub const LEGACY_AGENT: &str = "BAV2ROPC";
/// The user agents of scripts.
pub const SCRIPT_AGENTS: &[&str] =
    &["python-requests/2.31.0", "Go-http-client/1.1", "Mozilla/5.0 (compatible; MSAL 1.0) PKeyAuth/1.0"];

const CHROMIUM: &[&str] =
    &["119", "120", "121", "122", "123", "124", "125", "126", "127", "128", "129", "130", "131", "132"];
const FIREFOX: &[&str] = &["115", "121", "124", "126", "128", "129", "130", "131", "132", "133"];
const SAFARI: &[&str] = &["16.6", "17.0", "17.1", "17.2.1", "17.3", "17.4.1", "17.5", "17.6", "18.0", "18.0.1", "18.1"];
const OFFICE: &[&str] = &[
    "16.0.16130",
    "16.0.16327",
    "16.0.16529",
    "16.0.16731",
    "16.0.16827",
    "16.0.17029",
    "16.0.17126",
    "16.0.17231",
    "16.0.17328",
    "16.0.17425",
    "16.0.17531",
    "16.0.17628",
    "16.0.17726",
    "16.0.17830",
    "16.0.17928",
    "16.0.18025",
    "16.0.18129",
    "16.0.18227",
];
const MAC_OFFICE: &[&str] = &["16.78", "16.80", "16.82", "16.83", "16.85", "16.87", "16.89", "16.90", "16.91", "16.92"];
const PHONES: &[&str] = &[
    "SM-G991B",
    "SM-S911B",
    "SM-S918B",
    "SM-S921B",
    "SM-A546B",
    "SM-A346B",
    "SM-A155F",
    "Pixel 6",
    "Pixel 7",
    "Pixel 7a",
    "Pixel 8",
    "Pixel 8 Pro",
    "Pixel 9",
    "FP5",
    "XQ-DQ54",
    "2201117TY",
    "23021RAA2Y",
    "CPH2449",
    "moto g84",
];

const WINDOWS_APPS: &[&str] = &[
    "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook {}.20{r}; Pro)",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; Microsoft Word {}.20{r})",
    "Microsoft SkyDriveSync {} ship; Windows NT 10.0 (22631)",
    "Windows-AzureAD-Authentication-Provider/1.0 (build {}.{r})",
];
const MAC_APPS: &[&str] = &["MacOutlook/{}.{r} (Intelx64 Mac OS X Version 14.6.1)", "Microsoft Teams {} (Mac)"];
const IOS_APPS: &[&str] = &["Outlook-iOS/2.0 (iOS {}; {r})", "Teams/6.19 (com.microsoft.skype.teams; iOS {})"];
const ANDROID_APPS: &[&str] = &[
    "Dalvik/2.1.0 (Linux; U; Android 14; {} Build/UP1A.231005.007)",
    "Outlook-Android/4.24{r}.1 ({})",
    "Dalvik/2.1.0 (Linux; U; Android 13; {} Build/TP1A.220624.014)",
];

const EDGE_AGENT: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
     Chrome/{}.0.0.0 Safari/537.36 Edg/{}.0.0.0";
const CHROME_AGENT: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36";
const MAC_CHROME_AGENT: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) \
     Chrome/{}.0.0.0 Safari/537.36";
const MAC_SAFARI_AGENT: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like \
     Gecko) Version/{} Safari/605.1.15";
const IOS_AGENT: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS {_} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like \
     Gecko) Version/{} Mobile/15E148 Safari/604.1";
const ANDROID_AGENT: &str = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 \
     Mobile Safari/537.36";
const FIREFOX_AGENT: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:{}.0) Gecko/20100101 Firefox/{}.0";
const LINUX_AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:{}.0) Gecko/20100101 Firefox/{}.0";

const fn windows(
    system: &'static str,
    browser: &'static str,
    browser_agent: &'static str,
    versions: &'static [&'static str],
    weight: u64,
) -> DeviceProfile {
    let (client_agents, client_versions, platform) = (WINDOWS_APPS, OFFICE, WINDOWS);
    DeviceProfile { system, browser, browser_agent, versions, client_agents, client_versions, platform, weight }
}

const fn mac(
    browser: &'static str,
    browser_agent: &'static str,
    versions: &'static [&'static str],
    weight: u64,
) -> DeviceProfile {
    let (client_agents, client_versions, platform) = (MAC_APPS, MAC_OFFICE, MACOS);
    let system = "MacOs";
    DeviceProfile { system, browser, browser_agent, versions, client_agents, client_versions, platform, weight }
}

/// The index in [`COMPUTERS`] of the profile of the break-glass accounts.
pub const PRIVILEGED_WORKSTATION: usize = 5;
/// The profiles of computers.
pub const COMPUTERS: &[DeviceProfile] = &[
    windows("Windows11", "Edge {}.0.0", EDGE_AGENT, CHROMIUM, 52),
    windows("Windows10", "Chrome {}.0.0", CHROME_AGENT, CHROMIUM, 16),
    windows("Windows10", "Firefox {}.0", FIREFOX_AGENT, FIREFOX, 4),
    mac("Safari {}", MAC_SAFARI_AGENT, SAFARI, 9),
    mac("Chrome {}.0.0", MAC_CHROME_AGENT, CHROMIUM, 7),
    DeviceProfile {
        system: "Linux",
        browser: "Firefox {}.0",
        browser_agent: LINUX_AGENT,
        versions: FIREFOX,
        client_agents: &["azsdk-python-identity/{} Python/3.11.9 (Linux-6.8.0-x86_64)"],
        client_versions: &["1.15.0", "1.16.1", "1.17.1", "1.18.0", "1.19.0"],
        platform: LINUX,
        weight: 4,
    },
];
/// The profiles of phones.
pub const PHONE_PROFILES: &[DeviceProfile] = &[
    DeviceProfile {
        system: "Ios {}",
        browser: "Mobile Safari {}",
        browser_agent: IOS_AGENT,
        versions: SAFARI,
        client_agents: IOS_APPS,
        client_versions: SAFARI,
        platform: IOS,
        weight: 55,
    },
    DeviceProfile {
        system: "Android",
        browser: "Chrome Mobile {}.0.0",
        browser_agent: ANDROID_AGENT,
        versions: CHROMIUM,
        client_agents: ANDROID_APPS,
        client_versions: PHONES,
        platform: ANDROID,
        weight: 45,
    },
];

/// Returns a string of a profile, with the version inserted.
pub fn with_version(text: &str, version: &str) -> String {
    text.replace("{_}", &version.replace('.', "_")).replace("{}", version)
}
