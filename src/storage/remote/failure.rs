//! Describes failed requests to servers, without secrets.

use std::error::Error as StdError;
use std::fmt;

use object_store::Error;
use object_store::client::{HttpError, HttpErrorKind};

use super::address::{HIDDEN, Scheme, redacted};
use super::connect::RemoteStore;

/// The text before the HTTP status in messages of the library `object_store`.
const STATUS: &str = "status code: ";

/// Maximum number of characters of a server's message that are quoted.
const MAX_WORDS: usize = 300;

/// For each kind of store, the variables that have its credentials; the most common ones come first.
const CREDENTIALS: [(Scheme, &[&str]); 3] = [
    (
        Scheme::S3,
        &["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_SKIP_SIGNATURE"],
    ),
    (
        Scheme::Azure,
        &[
            "AZURE_STORAGE_ACCOUNT_NAME",
            "AZURE_STORAGE_ACCOUNT_KEY",
            "AZURE_STORAGE_SAS_TOKEN",
            "AZURE_CLIENT_ID",
            "AZURE_CLIENT_SECRET",
            "AZURE_TENANT_ID",
            "AZURE_USE_AZURE_CLI",
            "AZURE_SKIP_SIGNATURE",
        ],
    ),
    (Scheme::Google, &["GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_SERVICE_ACCOUNT", "GOOGLE_SKIP_SIGNATURE"]),
];

/// The description of a request that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RemoteFailure(String);

impl fmt::Display for RemoteFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for RemoteFailure {}

impl From<RemoteFailure> for std::io::Error {
    fn from(failure: RemoteFailure) -> Self {
        Self::other(failure)
    }
}

impl RemoteFailure {
    /// Describes a failure that the library did not report.
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }

    /// Describes an error that a request to `store` returned.
    pub(crate) fn of(error: &Error, store: &RemoteStore) -> Self {
        let words = || server_words(error, &store.secrets);
        let credentials = || credentials(store.scheme, &store.variables);
        Self(match status(error) {
            Some(404) => "the server has no such file (404)".to_owned(),
            Some(403) => format!("the server denies access (403{}); {}", words(), credentials()),
            Some(401) => format!("the server requires credentials (401{}); {}", words(), credentials()),
            _ => clean(&other(error), &store.secrets),
        })
    }

    /// Describes an error that occurred while connecting to a store.
    pub(crate) fn connecting(error: &Error, scheme: Scheme, secrets: &[String]) -> Self {
        let variables = known_credentials(scheme);
        let hint = match variables.is_empty() {
            true => String::new(),
            false => format!("; the connection settings are read from {}", variables.join(", ")),
        };
        Self(format!("{}{hint}", clean(&error.to_string(), secrets)))
    }
}

fn known_credentials(scheme: Scheme) -> &'static [&'static str] {
    CREDENTIALS.iter().find(|(of, _)| *of == scheme).map_or(&[], |(_, names)| names)
}

/// Describes which of the variables with credentials are set.
fn credentials(scheme: Scheme, variables: &[String]) -> String {
    let known = known_credentials(scheme);
    if known.is_empty() {
        return "the URL may lack a signature, or its signature may have expired".to_owned();
    }
    let (set, unset): (Vec<&str>, Vec<&str>) = known.iter().partition(|name| variables.iter().any(|set| set == *name));
    let set = if set.is_empty() { "no credentials are set".to_owned() } else { format!("set are {}", set.join(", ")) };
    if unset.is_empty() { set } else { format!("{set}; not set are {}", unset.join(", ")) }
}

/// Returns the HTTP status of a response; None if there is none. For single files, the library gives it as the kind
/// of the error; for listings, it is only in the message.
fn status(error: &Error) -> Option<u16> {
    match error {
        Error::NotFound { .. } => Some(404),
        Error::PermissionDenied { .. } => Some(403),
        Error::Unauthenticated { .. } => Some(401),
        _ => error.to_string().split_once(STATUS)?.1.get(..3)?.parse().ok(),
    }
}

/// Returns the code and the message in the response of a server; "" if it has none.
fn server_words(error: &Error, secrets: &[String]) -> String {
    let text = error.to_string();
    let part = |tag: &str| {
        let (_, rest) = text.split_once(&format!("<{tag}>"))?;
        Some(rest.split_once('<')?.0.to_owned())
    };
    match (part("Code"), part("Message")) {
        (Some(code), Some(message)) => clean(&format!(": {code}: {message}"), secrets),
        (Some(code), None) => clean(&format!(": {code}"), secrets),
        _ => String::new(),
    }
}

/// Describes an error that has no HTTP status with a meaning of its own.
fn other(error: &Error) -> String {
    let mut http = None;
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = cause {
        http = http.or_else(|| error.downcast_ref::<HttpError>());
        cause = error.source();
    }
    let why = deepest(error).to_string();
    match http.map(HttpError::kind) {
        Some(HttpErrorKind::Timeout) => format!("the server did not answer in time: {why}"),
        Some(HttpErrorKind::Connect) => format!("no connection to the server: {why}"),
        Some(HttpErrorKind::Request | HttpErrorKind::Interrupted | HttpErrorKind::Decode) => {
            format!("the response of the server was cut off: {why}")
        }
        // The error of the library if the endpoint of a store is not encrypted.
        _ if why.contains("scheme is not allowed") => {
            "its endpoint is plain http: set AWS_ALLOW_HTTP, AZURE_ALLOW_HTTP or GOOGLE_ALLOW_HTTP to true, or use https"
                .to_owned()
        }
        _ => match why.split_once(STATUS) {
            Some((_, status)) => format!("the server returned status {status}"),
            None => why,
        },
    }
}

fn deepest(error: &Error) -> &(dyn StdError + 'static) {
    let mut error: &(dyn StdError + 'static) = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error
}

/// Returns a text of a server or library in a form for messages: short, on one line, without secrets.
fn clean(text: &str, secrets: &[String]) -> String {
    let mut text = redacted(text);
    for secret in secrets {
        text = text.replace(secret.as_str(), HIDDEN);
    }
    let mut words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let mut short = words.next().unwrap_or("").to_owned();
    for word in words {
        short.push(' ');
        short.push_str(word);
    }
    match short.char_indices().nth(MAX_WORDS) {
        Some((end, _)) => format!("{}...", &short[..end]),
        None => short,
    }
}

#[cfg(test)]
mod tests {
    use super::{Scheme, clean, credentials};

    #[test]
    fn words_of_servers_are_made_harmless() {
        let secrets = ["s3cret".to_owned()];
        assert_eq!(
            clean("a\u{1b}[31m\r\n b  s3cret https://h/x?sig=1", &secrets),
            "a [31m b [redacted] https://h/x?[redacted]"
        );
        assert_eq!(clean(&"é".repeat(1000), &[]).chars().count(), 303);
    }

    #[test]
    fn credentials_are_named_but_not_shown() {
        let text = credentials(Scheme::S3, &["AWS_REGION".to_owned()]);
        assert!(text.starts_with("set are AWS_REGION; not set are AWS_ACCESS_KEY_ID, "), "{text}");
    }
}
