//! The fictional organisation: names, cities, apps, devices, policies, results.
//!
//! Domains are those that Microsoft's documentation reserves for examples; addresses are from the documentation and
//! benchmark ranges (RFC 5737, RFC 2544, RFC 3849), AS numbers from RFC 5398.

/// The Entra tenant.
pub const TENANT: &str = "5f0c2a6e-7b1d-4c39-8e52-a94d13b760fe";
/// `resourceId` of the envelope.
pub const TENANT_RESOURCE: &str = "/tenants/5f0c2a6e-7b1d-4c39-8e52-a94d13b760fe/providers/Microsoft.aadiam";
/// The Log Analytics workspace.
pub const WORKSPACE: &str = "c81e5d90-26f4-4ab7-9d03-7e6b51fa8c42";
/// The resource path of the workspace in Azure, in lower case as data export writes it.
pub const WORKSPACE_RESOURCE: &str = "/subscriptions/9a47e3d1-05bc-4f68-b2e9-d6138c70fa25/resourcegroups/rg-security/\
     providers/microsoft.operationalinsights/workspaces/law-contoso-security";
/// The tenant that owns Microsoft's own apps.
pub const APP_OWNER: &str = "f8cdef31-a31e-4b4a-93e4-5f571e91255a";

/// Home tenants of guests: domain, company, tenant id.
pub const PARTNERS: &[(&str, &str, &str)] = &[
    ("fabrikam.com", "Fabrikam", "1d93b7f4-60ea-47c2-a5d8-3e0c94f2b716"),
    ("adatum.com", "A. Datum", "7e20c5a9-f318-4d6b-91b4-58c7d0e3a62f"),
    ("wingtiptoys.com", "Wingtip Toys", "b4680d2e-91c7-4e5f-8a3d-06f7e29b15dc"),
    ("northwindtraders.com", "Northwind Traders", "e07f4c81-3da5-42b9-b60c-94a1578d3fe2"),
];

/// First names: as displayed, and as in a user principal name.
pub const FIRST_NAMES: &[(&str, &str)] = &[
    ("Aisha", "aisha"),
    ("Alejandro", "alejandro"),
    ("Amélie", "amelie"),
    ("Anna", "anna"),
    ("Björn", "bjoern"),
    ("Chloë", "chloe"),
    ("Daniel", "daniel"),
    ("Đorđe", "djordje"),
    ("Élodie", "elodie"),
    ("Emma", "emma"),
    ("Fatima", "fatima"),
    ("François", "francois"),
    ("Grace", "grace"),
    ("Hiroshi", "hiroshi"),
    ("İpek", "ipek"),
    ("Jonas", "jonas"),
    ("José", "jose"),
    ("Kateřina", "katerina"),
    ("Kwame", "kwame"),
    ("Lars", "lars"),
    ("Lucía", "lucia"),
    ("Łukasz", "lukasz"),
    ("Maria", "maria"),
    ("Mateo", "mateo"),
    ("Mei", "mei"),
    ("Noah", "noah"),
    ("Nguyễn", "nguyen"),
    ("Olivia", "olivia"),
    ("Ömer", "oemer"),
    ("Priya", "priya"),
    ("Rania", "rania"),
    ("Sam", "sam"),
    ("Sofia", "sofia"),
    ("Søren", "soeren"),
    ("Tomáš", "tomas"),
    ("Valentina", "valentina"),
    ("Wei", "wei"),
    ("Yuki", "yuki"),
    ("Zoë", "zoe"),
    ("Žofia", "zofia"),
];

/// Last names: as displayed, and as in a user principal name.
pub const LAST_NAMES: &[(&str, &str)] = &[
    ("Almeida", "almeida"),
    ("Andersson", "andersson"),
    ("Bakker", "bakker"),
    ("Bergström", "bergstroem"),
    ("Castañeda", "castaneda"),
    ("Chen", "chen"),
    ("D'Angelo", "dangelo"),
    ("da Silva", "dasilva"),
    ("Dvořák", "dvorak"),
    ("El-Sayed", "el-sayed"),
    ("Ferrari", "ferrari"),
    ("García", "garcia"),
    ("Gonçalves", "goncalves"),
    ("Haddad", "haddad"),
    ("Hansen", "hansen"),
    ("Ito", "ito"),
    ("Jensen", "jensen"),
    ("Johnson", "johnson"),
    ("Kowalska", "kowalska"),
    ("Kumar", "kumar"),
    ("Lefèvre", "lefevre"),
    ("Mbeki", "mbeki"),
    ("Müller", "mueller"),
    ("Nair", "nair"),
    ("Novák", "novak"),
    ("O'Neil", "oneil"),
    ("Okafor", "okafor"),
    ("Papadopoulou", "papadopoulou"),
    ("Park", "park"),
    ("Petrov", "petrov"),
    ("Quispe", "quispe"),
    ("Rossi", "rossi"),
    ("Sánchez", "sanchez"),
    ("Schäfer", "schaefer"),
    ("Smith", "smith"),
    ("Suzuki", "suzuki"),
    ("Thành", "thanh"),
    ("Tremblay", "tremblay"),
    ("Virtanen", "virtanen"),
    ("Weber", "weber"),
    ("Yılmaz", "yilmaz"),
    ("Þórsdóttir", "thorsdottir"),
];

/// A city that sign-ins come from.
pub struct City {
    /// The two-letter country code.
    pub country: &'static str,
    /// Its name and coordinates.
    pub location: SynthLocation,
    /// The AS number.
    pub network: &'static str,
    /// The relative number of people there.
    pub weight: u64,
    /// The name of the trusted location, if the organisation has an office there.
    pub office: Option<&'static str>,
}

/// The name and coordinates of a city.
pub struct SynthLocation {
    /// The name of the city.
    pub city: &'static str,
    /// The state.
    pub state: &'static str,
    /// The latitude in degrees.
    pub latitude: &'static str,
    /// The longitude in degrees.
    pub longitude: &'static str,
}

const fn at(city: &'static str, state: &'static str, latitude: &'static str, longitude: &'static str) -> SynthLocation {
    SynthLocation { city, state, latitude, longitude }
}

const fn city(
    country: &'static str,
    location: SynthLocation,
    network: &'static str,
    weight: u64,
    office: Option<&'static str>,
) -> City {
    City { country, location, network, weight, office }
}

/// The cities; the last one is an unknown location.
pub const CITIES: &[City] = &[
    city("CH", at("Zürich", "Zürich", "47.36667", "8.55"), "64496", 30, Some("HQ Zürich")),
    city("DE", at("München", "Bayern", "48.13743", "11.57549"), "64497", 18, Some("Office München")),
    city("DE", at("Köln", "Nordrhein-Westfalen", "50.93333", "6.95"), "64497", 7, None),
    city("FR", at("Orléans", "Centre-Val de Loire", "47.90289", "1.90389"), "64498", 6, None),
    city("GB", at("London", "England", "51.50853", "-0.12574"), "64499", 14, Some("Office \"The Gherkin\"")),
    city("IE", at("Dublin", "Dublin", "53.33306", "-6.24889"), "64499", 4, None),
    city("PT", at("Porto", "Porto", "41.14961", "-8.61099"), "64500", 4, None),
    city("ES", at("Málaga", "Andalucía", "36.72016", "-4.42034"), "64500", 4, None),
    city("DK", at("Århus", "Midtjylland", "56.15674", "10.21076"), "64501", 4, None),
    city("SE", at("Göteborg", "Västra Götaland", "57.70716", "11.96679"), "64501", 4, None),
    city("PL", at("Łódź", "Łódzkie", "51.75", "19.46667"), "64502", 5, Some("Centrum usług Łódź")),
    city("CZ", at("Plzeň", "Plzeňský kraj", "49.74747", "13.37759"), "64502", 3, None),
    city("BG", at("Sofia", "Sofia-Grad", "42.69751", "23.32415"), "64503", 3, None),
    city("TR", at("İzmir", "İzmir", "38.41273", "27.13838"), "64503", 2, None),
    city("US", at("Chicago", "Illinois", "41.85003", "-87.65005"), "64504", 12, Some("Office Chicago")),
    city("US", at("San José", "California", "37.33939", "-121.89496"), "64505", 6, None),
    city("CA", at("Montréal", "Québec", "45.50884", "-73.58781"), "64505", 4, None),
    city("BR", at("São Paulo", "São Paulo", "-23.5475", "-46.63611"), "64506", 4, None),
    city("CO", at("Bogotá", "Bogotá D.C.", "4.60971", "-74.08175"), "64506", 2, None),
    city("IN", at("Bengaluru", "Karnataka", "12.97194", "77.59369"), "64507", 10, Some("Office Bengaluru")),
    city("JP", at("東京", "東京都", "35.6895", "139.69171"), "64508", 4, None),
    city("VN", at("Đà Nẵng", "Đà Nẵng", "16.06778", "108.22083"), "64509", 2, None),
    city("NG", at("Lagos", "Lagos", "6.45407", "3.39467"), "64510", 2, None),
    city("ZA", at("Cape Town", "Western Cape", "-33.92584", "18.42322"), "64511", 2, None),
    city("", at("", "", "0", "0"), "64511", 1, None),
];

/// An app that people sign in to, and the token it requests.
pub struct App {
    /// The display name.
    pub name: &'static str,
    /// The app id.
    pub id: &'static str,
    /// The resource that the token is for.
    pub resource: Resource,
    /// The requested scopes, as JSON array elements.
    pub scopes: &'static str,
    /// The tenant that owns the app.
    pub owner: &'static str,
    /// True if the app runs in a browser.
    pub browser: bool,
    /// The relative frequency of use.
    pub weight: u64,
}

/// The resource of a token.
#[derive(Clone, Copy)]
pub struct Resource {
    /// The display name.
    pub name: &'static str,
    /// The app id.
    pub id: &'static str,
    /// The id of the service principal.
    pub principal: &'static str,
}

const fn resource(name: &'static str, id: &'static str, principal: &'static str) -> Resource {
    Resource { name, id, principal }
}

const fn app(
    name: &'static str,
    id: &'static str,
    resource: Resource,
    scopes: &'static str,
    browser: bool,
    weight: u64,
) -> App {
    App { name, id, resource, scopes, owner: APP_OWNER, browser, weight }
}

const GRAPH: Resource =
    resource("Microsoft Graph", "00000003-0000-0000-c000-000000000000", "41c8e9f0-7d25-4b6a-93ce-0a5f8b1d7e34");
const EXCHANGE: Resource = resource(
    "Office 365 Exchange Online",
    "00000002-0000-0ff1-ce00-000000000000",
    "82f60b3d-c1a7-4e95-8d20-6b94e7053fca",
);
const SHAREPOINT: Resource = resource(
    "Office 365 SharePoint Online",
    "00000003-0000-0ff1-ce00-000000000000",
    "0d7ba5c4-e938-4f12-b6e7-c3850f9d21a6",
);
const AZURE: Resource = resource(
    "Windows Azure Service Management API",
    "797f4846-ba00-4fd7-ba43-dac1f8f63013",
    "f5936e1b-42d0-4c8a-a17f-9e2b60d8c453",
);
const EXPENSES: Resource =
    resource("Contoso Expenses API", "36be09f7-8d5c-41a2-b9f4-e07c3a618d25", "c70a52e8-1f6d-4b39-85ce-2d94b7f03e61");

/// The index of the administrators' portal.
pub const PORTAL: usize = 5;
/// The index of the administrators' shell.
pub const SHELL: usize = 6;

/// The apps.
pub const APPS: &[App] = &[
    app(
        "OfficeHome",
        "4765445b-32c6-49b0-83e6-1d93765276ca",
        GRAPH,
        "User.Read, Files.ReadWrite.All, People.Read",
        true,
        220,
    ),
    app(
        "Microsoft Teams Web Client",
        "5e3ce6c0-2b1f-4285-8d4b-75ee78787346",
        GRAPH,
        "Chat.ReadWrite, Calendars.ReadWrite, Presence.Read.All, User.Read",
        true,
        180,
    ),
    app(
        "Microsoft Office",
        "d3590ed6-52b3-4102-aeff-aad2292ab01c",
        EXCHANGE,
        "EAS.AccessAsUser.All, Mail.ReadWrite",
        false,
        200,
    ),
    app(
        "Office 365 SharePoint Online",
        "00000003-0000-0ff1-ce00-000000000000",
        SHAREPOINT,
        "Sites.Read.All, AllSites.Write",
        true,
        110,
    ),
    app("My Apps", "2793995e-0a7d-40d7-bd35-6968ba142197", GRAPH, "openid, profile, User.Read", true, 50),
    app("Azure Portal", "c44b4083-3bb0-49c1-b47d-974e53cbdf3c", AZURE, "user_impersonation, openid, profile", true, 40),
    app("Microsoft Azure PowerShell", "1950a258-227b-4e31-a9cf-717495945fc2", AZURE, "user_impersonation", false, 15),
    App {
        owner: TENANT,
        ..app(
            "Contoso Expenses",
            "a90d6cf3-5e27-48b1-92c4-7f13e0b8d65a",
            EXPENSES,
            "Expenses.Submit, Expenses.Read",
            true,
            60,
        )
    },
    App {
        owner: TENANT,
        ..app("Café & Kantine – \"Tagesmenü\"", "6c2f81be-d074-4935-a8e6-b50f93d7c21e", EXPENSES, "Menu.Read", true, 25)
    },
];

/// What a device reports about itself.
pub struct DeviceProfile {
    /// The operating system.
    pub system: &'static str,
    /// The browser, used by apps that run in one.
    pub browser: &'static str,
    /// The user agent of the browser.
    pub browser_agent: &'static str,
    /// The relative frequency.
    pub weight: u64,
}

/// The trust types of devices.
pub const TRUSTS: &[&str] = &["Azure AD joined", "Azure AD registered", "Hybrid Azure AD joined"];

/// The browser field of an app without a browser.
pub const RICH_CLIENT: &str = "Rich Client 4.61.0.0";
/// The user agent of an app without a browser.
pub const RICH_AGENT: &str = "Mozilla/5.0 (compatible; MSAL 1.0) PKeyAuth/1.0";
/// The user agent of password guesses over legacy protocols.
pub const LEGACY_AGENT: &str = "BAV2ROPC";

const fn profile(
    system: &'static str,
    browser: &'static str,
    browser_agent: &'static str,
    weight: u64,
) -> DeviceProfile {
    DeviceProfile { system, browser, browser_agent, weight }
}

/// The devices; the first is a managed one, the third from the end belongs to an administrator.
pub const PROFILES: &[DeviceProfile] = &[
    profile(
        "Windows11",
        "Edge 131.0.0",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 \
         Safari/537.36 Edg/131.0.0.0",
        50,
    ),
    profile(
        "Windows10",
        "Chrome 130.0.0",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 \
         Safari/537.36",
        20,
    ),
    profile(
        "MacOs",
        "Safari 18.1",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 \
         Safari/605.1.15",
        12,
    ),
    profile(
        "Ios 18.1",
        "Mobile Safari 18.1",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
         Version/18.1 Mobile/15E148 Safari/604.1",
        10,
    ),
    profile("Linux", "Firefox 132.0", "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0", 3),
    profile(
        "Android 14",
        "Chrome Mobile 131.0.0",
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile \
         Safari/537.36",
        8,
    ),
];

/// Conditional access policies: name, grant controls, session controls.
pub const POLICIES: &[(&str, &[&str], &[&str])] = &[
    ("CA001 - Require MFA for all users", &["Mfa"], &[]),
    ("CA002 - Block legacy authentication", &["Block"], &[]),
    ("CA003 - Block guests from \"Azure management\"", &["Block"], &[]),
    ("CA004 – Länder-Sperre (report-only)", &["Block"], &["SignInFrequency"]),
    ("CA005 - Compliant device for Office 365", &["RequireCompliantDevice", "RequireDomainJoinedDevice"], &[]),
    ("CA006 - Administrators: phishing-resistant MFA", &["Mfa"], &["SignInFrequency", "PersistentBrowserSession"]),
    ("CA007 - Sign-in risk medium or high", &["Mfa"], &["SignInFrequency"]),
    ("CA008 - Geräte in der Werkhalle (C:\\Kiosk)", &["RequireApprovedApp"], &["CloudAppSecurity"]),
    ("CA009 - Conditions d'accès des prestataires", &["FederatedMfa"], &[]),
    ("CA010 - Register security information (report-only)", &["Mfa"], &[]),
];

/// The stage at which a sign-in ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Refused before any policy was evaluated.
    Refused,
    /// Stopped by a policy.
    Blocked,
    /// Allowed by the policies, but interrupted for another reason.
    Interrupted,
    /// A token was issued.
    Granted,
}

/// The result of a sign-in.
#[derive(Debug)]
pub struct SignInOutcome {
    /// `resultType`, also `status.errorCode`.
    pub code: &'static str,
    /// `resultDescription`, also `status.failureReason`; empty on success.
    pub reason: &'static str,
    /// `status.additionalDetails`, if the result alone determines it.
    pub details: &'static str,
    /// The stage reached.
    pub stage: Stage,
}

const fn outcome(code: &'static str, stage: Stage, reason: &'static str, details: &'static str) -> SignInOutcome {
    SignInOutcome { code, reason, details, stage }
}

/// Result 0: success.
pub static GRANTED: SignInOutcome = outcome("0", Stage::Granted, "", "");
/// Result 50126: invalid user name or password.
pub static PASSWORD: SignInOutcome = outcome(
    "50126",
    Stage::Refused,
    "Error validating credentials due to invalid username or password.",
    "The user didn't enter the right credentials.  It's expected to see some number of these errors in your logs due \
     to users making mistakes.",
);
/// Result 50053: account locked.
pub static LOCKED: SignInOutcome = outcome(
    "50053",
    Stage::Refused,
    "The account is locked, you've tried to sign in too many times with an incorrect user ID or password.",
    "",
);
/// Result 50074: strong authentication required.
pub static MFA: SignInOutcome =
    outcome("50074", Stage::Blocked, "Strong Authentication is required.", "MFA required in Azure AD");
/// Result 50140: "keep me signed in" interrupt.
pub static STAY: SignInOutcome = outcome(
    "50140",
    Stage::Interrupted,
    "This error occurred due to 'Keep me signed in' interrupt when the user was signing-in.",
    "",
);
static BLOCKED: SignInOutcome = outcome(
    "53003",
    Stage::Blocked,
    "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
    "",
);
static DISABLED: SignInOutcome = outcome("50057", Stage::Refused, "The user account is disabled.", "");
static CONSENT: SignInOutcome = outcome(
    "65001",
    Stage::Interrupted,
    "The user or administrator has not consented to use the application with ID '{identifier}'. Send an interactive \
     authorization request for this user and resource.",
    "",
);
static NO_APP: SignInOutcome = outcome(
    "700016",
    Stage::Refused,
    "Application with identifier '{appIdentifier}' was not found in the directory '{tenantName}'. This can happen if \
     the application has not been installed by the administrator of the tenant.",
    "",
);
static EXPIRED: SignInOutcome = outcome("50055", Stage::Refused, "The password is expired.", "");
static NO_USER: SignInOutcome =
    outcome("50034", Stage::Refused, "The user account does not exist in the directory.", "");
static PROOF_UP: SignInOutcome =
    outcome("50072", Stage::Interrupted, "User needs to enroll for second factor authentication (interactive).", "");
static DENIED: SignInOutcome = outcome(
    "500121",
    Stage::Blocked,
    "Authentication failed during strong authentication request.",
    "MFA denied; user declined the authentication",
);
static DEVICE: SignInOutcome =
    outcome("53000", Stage::Blocked, "Device is not in required device state: compliant.", "");

/// The course of one attempt to sign in: the results of its rows, which share a correlation id.
pub struct Course {
    /// The relative frequency.
    pub weight: u64,
    /// The results in order, at most three.
    pub steps: &'static [&'static SignInOutcome],
}

const fn course(weight: u64, steps: &'static [&'static SignInOutcome]) -> Course {
    Course { weight, steps }
}

/// The attempts of regular users.
pub static COURSES: &[Course] = &[
    course(7800, &[&GRANTED]),
    course(420, &[&MFA, &GRANTED]),
    course(360, &[&STAY, &GRANTED]),
    course(420, &[&PASSWORD]),
    course(260, &[&PASSWORD, &GRANTED]),
    course(60, &[&PASSWORD, &PASSWORD, &GRANTED]),
    course(80, &[&PASSWORD, &MFA, &GRANTED]),
    course(40, &[&PASSWORD, &PASSWORD, &LOCKED]),
    course(110, &[&LOCKED]),
    course(120, &[&BLOCKED]),
    course(60, &[&DEVICE]),
    course(60, &[&DENIED]),
    course(20, &[&DENIED, &GRANTED]),
    course(40, &[&DISABLED]),
    course(35, &[&CONSENT]),
    course(25, &[&CONSENT, &GRANTED]),
    course(20, &[&NO_APP]),
    course(30, &[&EXPIRED, &GRANTED]),
    course(20, &[&NO_USER]),
    course(20, &[&PROOF_UP, &GRANTED]),
];

/// The attempts of a password spray.
pub static SPRAY: &[Course] =
    &[course(960, &[&PASSWORD]), course(25, &[&LOCKED]), course(10, &[&MFA]), course(5, &[&PASSWORD, &GRANTED])];

/// The visits of the break-glass accounts, used in turn: the account and the results. Seven rows in four visits.
pub static VISITS: &[(usize, &[&SignInOutcome])] =
    &[(0, &[&PASSWORD, &MFA, &GRANTED]), (1, &[&GRANTED]), (1, &[&PASSWORD]), (0, &[&MFA, &GRANTED])];

/// Second factors: method, detail.
pub const METHODS: &[(&str, &str)] = &[
    ("Mobile app notification", ""),
    ("OATH verification code", "Authenticator app"),
    ("Text message", "+XX XXXXXXXX42"),
    ("FIDO2 security key", "Chiave di sicurezza \"blu\""),
];
