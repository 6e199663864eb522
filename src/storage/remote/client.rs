//! The HTTP client of all stores. It follows redirects only on the same host, and sends no `Referer`, because
//! addresses have signatures that other servers must not see.

use std::fmt;
use std::time::Duration;

use object_store::client::{HttpClient, HttpConnector};
use object_store::{ClientConfigKey, ClientOptions};
use reqwest::redirect::{Action, Attempt, Policy};

/// Maximum time for connecting to a server.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Maximum time of a request, as a multiple of the time for which a server may be silent.
const REQUEST_PATIENCE: u32 = 10;

/// Maximum number of redirects that a request follows.
const MAX_REDIRECTS: usize = 5;

/// Creates the HTTP clients of stores.
#[derive(Debug)]
pub(super) struct Connector {
    /// The time for which a server may be silent.
    pub patience: Duration,
}

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let failed = |error: reqwest::Error| object_store::Error::Generic { store: "HTTP", source: Box::new(error) };
        let is_set = |key| options.get_config_value(&key).is_some_and(|value| value == "true");
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("coldcase/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT.min(self.patience))
            .read_timeout(self.patience)
            .timeout(self.patience.saturating_mul(REQUEST_PATIENCE))
            .referer(false)
            .redirect(Policy::custom(within_host))
            .https_only(!is_set(ClientConfigKey::AllowHttp))
            .danger_accept_invalid_certs(is_set(ClientConfigKey::AllowInvalidCertificates))
            // Ranges count bytes as they are stored on the server.
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate();
        if let Some(proxy) = options.get_config_value(&ClientConfigKey::ProxyUrl) {
            builder = builder.proxy(reqwest::Proxy::all(proxy).map_err(failed)?);
        }
        builder.build().map(HttpClient::new).map_err(failed)
    }
}

/// Follows a redirect if it stays on the same host and does not change the protocol.
fn within_host(attempt: Attempt<'_>) -> Action {
    let Some(first) = attempt.previous().first() else { return attempt.stop() };
    let next = attempt.url();
    let same_host =
        first.host_str() == next.host_str() && first.port_or_known_default() == next.port_or_known_default();
    let same_scheme = first.scheme() == next.scheme();
    if !same_host || !same_scheme {
        let host = next.host_str().unwrap_or_default().to_owned();
        return attempt.error(RedirectToOtherHost(host));
    }
    if attempt.previous().len() > MAX_REDIRECTS { attempt.error(TooManyRedirects) } else { attempt.follow() }
}

/// The error that a server redirects to another server.
#[derive(Debug)]
struct RedirectToOtherHost(String);

impl fmt::Display for RedirectToOtherHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server redirects to another address, on {}: give that address if you trust it", self.0)
    }
}

impl std::error::Error for RedirectToOtherHost {}

/// The error that there are too many redirects.
#[derive(Debug)]
struct TooManyRedirects;

impl fmt::Display for TooManyRedirects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server redirects more than {MAX_REDIRECTS} times")
    }
}

impl std::error::Error for TooManyRedirects {}
