//! Files on servers: Azure storage, S3, Google Cloud Storage, and the web.
//!
//! The feature `remote` adds the crates for network access. Without it, addresses are parsed only so that they can be
//! refused with a clear message, and a [`RemoteFile`] cannot exist. Async code is only in this module: readers
//! request bytes and wait for them.

#[cfg(not(feature = "remote"))]
mod absent;
pub(crate) mod address;
#[cfg(feature = "remote")]
mod client;
#[cfg(feature = "remote")]
mod connect;
#[cfg(feature = "remote")]
mod failure;
#[cfg(feature = "remote")]
mod file;
#[cfg(feature = "remote")]
mod list;
#[cfg(feature = "remote")]
mod stream;

use std::fmt;
use std::time::Duration;

#[cfg(not(feature = "remote"))]
pub use absent::RemoteFile;
#[cfg(not(feature = "remote"))]
pub(crate) use absent::{Connections, expand};
#[cfg(feature = "remote")]
pub(crate) use connect::Connections;
#[cfg(feature = "remote")]
pub use file::RemoteFile;
#[cfg(feature = "remote")]
pub(crate) use list::expand;

pub use address::{is_url, redacted};

use super::folders::LinkPolicy;

/// The time for which a server may be silent, unless the user sets it.
const PATIENCE: Duration = Duration::from_secs(30);

/// The prefixes of the environment variables that configure stores.
pub const VARIABLES: [&str; 3] = ["AWS_", "AZURE_", "GOOGLE_"];

/// How files are accessed: the variables for remote files, and the policy for links to local files. Connections are
/// made only when a remote file is named.
pub struct Access {
    variables: Vec<(String, String)>,
    patience: Duration,
    links: LinkPolicy,
    #[cfg_attr(not(feature = "remote"), expect(dead_code, reason = "nothing is connected without the feature"))]
    connections: Connections,
}

impl Default for Access {
    fn default() -> Self {
        Self {
            variables: Vec::new(),
            patience: PATIENCE,
            links: LinkPolicy::Inside,
            connections: Connections::default(),
        }
    }
}

impl fmt::Debug for Access {
    /// Does not show the values of variables, because they are secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.variables.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Access").field("variables", &names).field("patience", &self.patience).finish_non_exhaustive()
    }
}

impl Access {
    /// Creates the access with those of `variables` whose names begin with one of [`VARIABLES`], as the tools of the
    /// stores use them. `patience` is the time for which a server may be silent.
    #[must_use]
    pub fn new(variables: impl IntoIterator<Item = (String, String)>, patience: Option<Duration>) -> Self {
        let known = |(name, value): &(String, String)| {
            !value.is_empty() && VARIABLES.iter().any(|start| name.starts_with(start))
        };
        let variables = variables.into_iter().filter(known).collect();
        Self { variables, patience: patience.unwrap_or(PATIENCE), ..Self::default() }
    }

    /// Sets which symbolic links in folders are followed.
    #[must_use]
    pub fn with_links(self, links: LinkPolicy) -> Self {
        Self { links, ..self }
    }

    /// Returns which symbolic links in folders are followed.
    pub(crate) fn links(&self) -> LinkPolicy {
        self.links
    }
}
