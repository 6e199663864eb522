//! Connections to stores. A connection is made when it is first needed, and kept for later files.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::http::HttpBuilder;
use object_store::{ClientOptions, ObjectStore, RetryConfig};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use super::Access;
use super::address::{Scheme, Url};
use super::client::Connector;
use super::failure::RemoteFailure;
use crate::diagnostic::{Error, Result};

/// Number of threads for the network. Other threads scan the bytes that were fetched.
const THREADS: usize = 2;

/// Maximum number of times that a failed request is repeated.
const RETRIES: usize = 4;
/// Maximum time for repeating a failed request.
const RETRY_TIMEOUT: Duration = Duration::from_secs(60);

/// Variables as the tools of Azure name them, each with the name that the library `object_store` uses.
const AZURE_ALIASES: [(&str, &str); 2] =
    [("AZURE_STORAGE_ACCOUNT", "AZURE_STORAGE_ACCOUNT_NAME"), ("AZURE_STORAGE_KEY", "AZURE_STORAGE_ACCOUNT_KEY")];

/// The connections that were made so far.
#[derive(Default)]
pub(crate) struct Connections(Mutex<OpenConnections>);

#[derive(Default)]
struct OpenConnections {
    network: Option<Arc<NetworkThreads>>,
    stores: BTreeMap<String, Arc<RemoteStore>>,
}

/// The threads for the network; None after they were stopped.
struct NetworkThreads(Option<Runtime>);

impl Drop for NetworkThreads {
    fn drop(&mut self) {
        // Requests in progress are aborted.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// A bucket, a container, or a web server.
pub(crate) struct RemoteStore {
    pub objects: Arc<dyn ObjectStore>,
    pub scheme: Scheme,
    /// The names of the environment variables that configure it.
    pub variables: Vec<String>,
    /// Values that must not occur in messages.
    pub secrets: Vec<String>,
    network: Arc<NetworkThreads>,
}

impl fmt::Debug for RemoteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("scheme", &self.scheme).finish_non_exhaustive()
    }
}

impl RemoteStore {
    fn runtime(&self) -> &Runtime {
        self.network.0.as_ref().expect("it is taken by drop alone")
    }

    /// Waits for `future`. A thread for the network must not call this.
    pub(crate) fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime().block_on(future)
    }

    /// Starts `future` in the background.
    pub(crate) fn start<T: Send + 'static>(&self, future: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        self.runtime().spawn(future)
    }
}

impl Access {
    /// Returns the store at `root`, connecting to it if needed. `root` is the root of `url`, or all of it for a
    /// single file of the web.
    pub(crate) fn store(&self, url: &Url, root: &str) -> Result<Arc<RemoteStore>> {
        let mut connected = self.connections.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = connected.stores.get(root) {
            return Ok(Arc::clone(store));
        }
        let network = match &connected.network {
            Some(network) => Arc::clone(network),
            None => Arc::new(NetworkThreads(Some(runtime(url)?))),
        };
        connected.network = Some(Arc::clone(&network));
        let prefix = match url.scheme {
            Scheme::S3 => "AWS_",
            Scheme::Azure => "AZURE_",
            Scheme::Google => "GOOGLE_",
            Scheme::Web => "",
        };
        let variables = self.variables.iter().filter(|(name, _)| !prefix.is_empty() && name.starts_with(prefix));
        let variables: Vec<&(String, String)> = variables.collect();
        let objects = self.objects(url.scheme, root, &variables).map_err(|error| {
            let secrets = secrets(&variables, url);
            let reason = RemoteFailure::connecting(&error, url.scheme, &secrets).to_string();
            Error::Data { file: url.name(), place: None, reason }
        })?;
        let store = Arc::new(RemoteStore {
            objects,
            scheme: url.scheme,
            variables: variables.iter().map(|(name, _)| name.clone()).collect(),
            secrets: secrets(&variables, url),
            network,
        });
        connected.stores.insert(root.to_owned(), Arc::clone(&store));
        Ok(store)
    }

    fn objects(
        &self,
        scheme: Scheme,
        root: &str,
        variables: &[&(String, String)],
    ) -> object_store::Result<Arc<dyn ObjectStore>> {
        let retry = RetryConfig { max_retries: RETRIES, retry_timeout: RETRY_TIMEOUT, ..RetryConfig::default() };
        let connector = Connector { patience: self.patience };
        Ok(match scheme {
            Scheme::S3 => {
                let builder = AmazonS3Builder::new().with_http_connector(connector).with_retry(retry);
                let set = |builder: AmazonS3Builder, key, value: &str| builder.with_config(key, value);
                Arc::new(configured(builder, variables, set).with_url(root).build()?)
            }
            Scheme::Azure => {
                let builder = MicrosoftAzureBuilder::new().with_http_connector(connector).with_retry(retry);
                let set = |builder: MicrosoftAzureBuilder, key, value: &str| builder.with_config(key, value);
                Arc::new(configured(builder, variables, set).with_url(root).build()?)
            }
            Scheme::Google => {
                let builder = GoogleCloudStorageBuilder::new().with_http_connector(connector).with_retry(retry);
                let set = |builder: GoogleCloudStorageBuilder, key, value: &str| builder.with_config(key, value);
                Arc::new(configured(builder, variables, set).with_url(root).build()?)
            }
            Scheme::Web => {
                let options = ClientOptions::new().with_allow_http(root.starts_with("http:"));
                Arc::new(
                    HttpBuilder::new()
                        .with_client_options(options)
                        .with_http_connector(connector)
                        .with_retry(retry)
                        .with_url(root)
                        .build()?,
                )
            }
        })
    }
}

/// Sets the options of the builder for which there are variables, as `from_env` of the library does.
fn configured<B, K: FromStr>(builder: B, variables: &[&(String, String)], set: impl Fn(B, K, &str) -> B) -> B {
    let usual = |name: &str| {
        let alias = AZURE_ALIASES.iter().find(|(alias, _)| *alias == name);
        alias.map_or(name, |(_, usual)| usual).to_ascii_lowercase()
    };
    let known = variables.iter().filter_map(|(name, value)| Some((usual(name).parse().ok()?, value)));
    known.fold(builder, |builder, (key, value)| set(builder, key, value))
}

fn runtime(url: &Url) -> Result<Runtime> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(THREADS).enable_all().build();
    runtime.map_err(|error| Error::io(url.name(), error))
}

/// Returns the secret values that messages of servers and libraries may repeat.
fn secrets(variables: &[&(String, String)], url: &Url) -> Vec<String> {
    let is_secret = |name: &str| ["KEY", "SECRET", "TOKEN", "SAS", "CREDENTIAL"].iter().any(|word| name.contains(word));
    variables
        .iter()
        .filter(|(name, value)| is_secret(name) && value.len() > 3)
        .map(|(_, value)| value.clone())
        .chain(url.secrets())
        .collect()
}
