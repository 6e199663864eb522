//! The results of sign-ins, and the sequences of results that attempts have.

/// The stage at which a sign-in ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The sign-in was refused before any policy was evaluated.
    Refused,
    /// A policy stopped the sign-in.
    Blocked,
    /// The policies allowed the sign-in, but it was interrupted for another reason.
    Interrupted,
    /// The sign-in succeeded: a token was issued.
    Granted,
}

/// The result of a sign-in, as logs have it.
#[derive(Debug)]
pub struct SignInOutcome {
    /// The code, which is `resultType` and `status.errorCode`.
    pub code: &'static str,
    /// The reason, which is `resultDescription` and `status.failureReason`; empty for a success.
    pub reason: &'static str,
    /// The value of `status.additionalDetails`, if it depends only on the result; otherwise empty.
    pub details: &'static str,
    /// The stage at which the sign-in ended.
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
/// Result 53003: blocked by a policy.
pub static BLOCKED: SignInOutcome = outcome(
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
/// Result 53000: the device is not compliant.
pub static DEVICE: SignInOutcome =
    outcome("53000", Stage::Blocked, "Device is not in required device state: compliant.", "");
static NEW_METHOD: SignInOutcome =
    outcome("50079", Stage::Interrupted, "The user must enroll for multifactor authentication.", "");
static NO_SESSION: SignInOutcome =
    outcome("50058", Stage::Refused, "A silent sign-in was requested, but no user is signed in.", "");
static NOT_ASSIGNED: SignInOutcome =
    outcome("50105", Stage::Refused, "The signed in user is not assigned to a role for the application.", "");
static RISKY: SignInOutcome = outcome(
    "53004",
    Stage::Refused,
    "The user must complete the registration for multifactor authentication before this content can be accessed.",
    "",
);
static STALE: SignInOutcome =
    outcome("50132", Stage::Refused, "The session was revoked, because the password was changed or has expired.", "");
static NO_GUEST: SignInOutcome = outcome(
    "50020",
    Stage::Refused,
    "The user account from the identity provider does not exist in the tenant and cannot access the application.",
    "",
);
static DEVICE_PROOF: SignInOutcome = outcome("50097", Stage::Interrupted, "Device authentication is required.", "");
static CHOOSE: SignInOutcome = outcome(
    "16000",
    Stage::Interrupted,
    "Several accounts are signed in: the user must choose one of them to continue.",
    "",
);
static CONFIRM: SignInOutcome =
    outcome("50199", Stage::Interrupted, "User confirmation is required for this request.", "");
static REDIRECT: SignInOutcome = outcome(
    "50011",
    Stage::Refused,
    "The redirect URI specified in the request does not match the redirect URIs configured for the application.",
    "",
);
static REVOKED: SignInOutcome =
    outcome("50173", Stage::Refused, "The provided grant has expired due to it being revoked.", "");
static INACTIVE: SignInOutcome =
    outcome("700082", Stage::Refused, "The refresh token has expired due to inactivity.", "");
static TOO_OLD: SignInOutcome = outcome(
    "70043",
    Stage::Refused,
    "The refresh token has expired or is invalid due to sign-in frequency checks by Conditional Access.",
    "",
);
static THROTTLED: SignInOutcome =
    outcome("50196", Stage::Refused, "The request was blocked, because the same request was repeated too often.", "");

/// The results of one attempt to sign in: its rows, which share a correlation id.
pub struct Course {
    /// The relative frequency of such an attempt.
    pub weight: u64,
    /// The results in order; at most three.
    pub steps: &'static [&'static SignInOutcome],
}

impl Course {
    /// True if the attempt is possible only if a policy requires a second factor.
    pub fn needs_factor(&self) -> bool {
        self.steps.iter().any(|outcome| outcome.stage == Stage::Blocked)
    }
}

const fn course(weight: u64, steps: &'static [&'static SignInOutcome]) -> Course {
    Course { weight, steps }
}

/// The attempts of people whom no policy blocks. The first one is a success.
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
    course(60, &[&DENIED]),
    course(20, &[&DENIED, &GRANTED]),
    course(40, &[&DISABLED]),
    course(35, &[&CONSENT]),
    course(25, &[&CONSENT, &GRANTED]),
    course(20, &[&NO_APP]),
    course(30, &[&EXPIRED, &GRANTED]),
    course(20, &[&NO_USER]),
    course(20, &[&PROOF_UP, &GRANTED]),
    course(15, &[&NEW_METHOD]),
    course(80, &[&NO_SESSION]),
    course(25, &[&NOT_ASSIGNED]),
    course(4, &[&RISKY]),
    course(30, &[&STALE, &GRANTED]),
    course(6, &[&NO_GUEST]),
    course(40, &[&DEVICE_PROOF, &GRANTED]),
    course(70, &[&CHOOSE, &GRANTED]),
    course(12, &[&CONFIRM, &GRANTED]),
    course(3, &[&REDIRECT]),
];

/// The attempts of apps on behalf of people who are not present.
pub static RENEWALS: &[Course] = &[
    course(9400, &[&GRANTED]),
    course(120, &[&MFA]),
    course(90, &[&REVOKED]),
    course(60, &[&INACTIVE]),
    course(110, &[&TOO_OLD]),
    course(50, &[&STALE]),
    course(30, &[&PASSWORD]),
    course(20, &[&DISABLED]),
    course(15, &[&CONSENT]),
    course(8, &[&THROTTLED]),
    course(20, &[&LOCKED]),
];

/// The attempts of service accounts.
pub static SCRIPTS: &[Course] = &[course(9750, &[&GRANTED]), course(220, &[&PASSWORD]), course(30, &[&THROTTLED])];

/// The attempts of a password spray. Some passwords are right, but none of them gets a token.
pub static SPRAY: &[Course] = &[course(960, &[&PASSWORD]), course(25, &[&LOCKED]), course(15, &[&MFA])];

/// The attempts in the noisy hour, of an app that is configured wrongly.
pub static NOISE: &[Course] = &[course(1, &[&REDIRECT])];

/// The visits of the break-glass accounts, used in turn: the index of the account, and the results. Four visits have
/// seven rows.
pub static VISITS: &[(usize, &[&SignInOutcome])] =
    &[(0, &[&PASSWORD, &MFA, &GRANTED]), (1, &[&GRANTED]), (1, &[&PASSWORD]), (0, &[&MFA, &GRANTED])];

/// The second factors, with method and detail. Telephone numbers are masked as the service masks them.
pub const METHODS: &[(&str, &str)] = &[
    ("Mobile app notification", ""),
    ("OATH verification code", "Authenticator app"),
    ("Text message", "+XX XXXXXXXX42"),
    ("Passkey (device-bound)", "Microsoft Authenticator"),
    ("Windows Hello for Business", "Windows Hello"),
    ("Temporary Access Pass", ""),
    ("Phone call approval (Authentication phone)", "+XX XXXXXXXX17"),
    ("FIDO2 security key", "Chiave di sicurezza \"blu\""),
];
