//! Settings of options that are not given: from the environment, else the catalog file, else defaults.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;

use super::memory::Memory;
use super::sources::table_name;
use crate::diagnostic::{Error, Result};
use crate::entra::numeric_dates::DateOrder;
use crate::storage::folders::LinkPolicy;
use crate::storage::limits::ReadLimits;
use crate::storage::remote::{Access, is_url};
use crate::storage::text_settings::{TextEncoding, TextSettings};

/// The settings of the catalog file, overridden by the environment.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Configuration {
    /// Default values of options.
    #[serde(default)]
    pub defaults: Defaults,
    /// The database of the locations of addresses, relative to the folder of the catalog file.
    pub geoip: Option<PathBuf>,
    /// Tables by name.
    #[serde(default)]
    pub tables: BTreeMap<String, Table>,
    /// Local tables by the names that queries have for them, such as `workspace('w').SigninLogs`.
    #[serde(default)]
    pub aliases: BTreeMap<String, String>,
    /// Watchlists by alias.
    #[serde(default)]
    pub watchlists: BTreeMap<String, ListFile>,
    /// Files that `externaldata` reads, by URL.
    #[serde(default)]
    pub externaldata: BTreeMap<String, ListFile>,
    /// Files of functions.
    #[serde(default)]
    pub functions: Functions,
    /// What backtests assume.
    #[serde(default)]
    pub backtest: BacktestDefaults,
}

/// What backtests assume unless options say otherwise, each written as in its option.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct BacktestDefaults {
    pub anchor: Option<String>,
    pub ingestion_delay: Option<String>,
    pub grace: Option<String>,
    pub window: Option<String>,
}

/// Files of functions that queries may call.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Functions {
    /// Files, folders and globs, relative to the folder of the catalog file.
    pub paths: Vec<PathBuf>,
}

/// Default values of options.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Defaults {
    pub output: Option<String>,
    pub excel_safe: Option<bool>,
    pub threads: Option<u16>,
    /// Seconds after which a server that sends nothing is given up.
    pub remote_timeout: Option<u16>,
    pub follow_links: Option<bool>,
    pub time_column: Option<String>,
    pub dedup: Option<String>,
    pub provenance: Option<bool>,
    pub strict: Option<bool>,
    pub max_decompressed: Option<Size>,
    pub max_memory: Option<Memory>,
}

/// A number of bytes: an integer, or a string as on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "toml::Value")]
pub(super) struct Size(pub u64);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        super::args::parse_size(text).map(Self)
    }
}

impl TryFrom<toml::Value> for Size {
    type Error = String;

    fn try_from(value: toml::Value) -> std::result::Result<Self, String> {
        value.as_str().map_or(value.to_string(), str::to_owned).parse()
    }
}

/// A value that is written as on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String", bound(deserialize = "T: FromStr<Err = String>"))]
pub(super) struct Written<T>(T);

impl<T: FromStr<Err = String>> TryFrom<String> for Written<T> {
    type Error = String;

    fn try_from(text: String) -> std::result::Result<Self, String> {
        text.parse().map(Self)
    }
}

/// A table of the catalog file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Table {
    /// Files, folders and globs, relative to the folder of the catalog file.
    pub paths: Vec<PathBuf>,
    /// The export shape. Only `auto` is accepted: each record is recognised by itself.
    #[serde(default, rename = "shape")]
    _shape: ShapeSetting,
    /// The column that --from, --to and --last compare.
    pub time_column: Option<String>,
    /// The column that `ingestion_time()` returns.
    pub ingestion_column: Option<String>,
    /// The order of day and month in numeric dates: `dmy` or `mdy`.
    dates: Option<Written<DateOrder>>,
    /// The encoding of the files, as a label of the WHATWG Encoding Standard.
    encoding: Option<Written<TextEncoding>>,
}

impl Table {
    /// How the text of the files is to be read.
    pub fn text_settings(&self) -> TextSettings {
        TextSettings { date_order: self.dates.map(|dates| dates.0), encoding: self.encoding.map(|label| label.0) }
    }
}

/// The file of a watchlist or of external data. Its path is relative to the folder of the catalog file.
#[derive(Clone, Debug, Deserialize)]
#[serde(
    untagged,
    deny_unknown_fields,
    rename_all_fields = "kebab-case",
    expecting = "expected a path, or a table with path, search-key and encoding"
)]
pub(super) enum ListFile {
    /// A path only.
    File(PathBuf),
    /// A path and how it is read.
    Described {
        /// The file.
        path: PathBuf,
        /// The column of the search keys; only of watchlists.
        search_key: Option<String>,
        /// The encoding of the file, as a label of the WHATWG Encoding Standard.
        encoding: Option<Written<TextEncoding>>,
    },
}

impl ListFile {
    /// The path.
    pub fn path(&self) -> &Path {
        match self {
            Self::File(path) | Self::Described { path, .. } => path,
        }
    }

    /// The search-key column.
    pub fn search_key(&self) -> Option<&str> {
        match self {
            Self::File(_) => None,
            Self::Described { search_key, .. } => search_key.as_deref(),
        }
    }

    /// Returns the settings for reading the text of the file.
    pub fn text_settings(&self) -> TextSettings {
        match self {
            Self::Described { encoding: Some(label), .. } => {
                TextSettings { encoding: Some(label.0), ..TextSettings::default() }
            }
            _ => TextSettings::default(),
        }
    }

    fn path_mut(&mut self) -> &mut PathBuf {
        match self {
            Self::File(path) | Self::Described { path, .. } => path,
        }
    }
}

/// The export shape of the files of a table.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ShapeSetting {
    /// Each record is recognised by itself.
    #[default]
    Auto,
}

impl Configuration {
    /// Reads the catalog file, if given, and the environment.
    ///
    /// # Errors
    /// If the file cannot be read or is malformed, or a variable has an invalid value.
    pub fn load(file: Option<&Path>) -> Result<Self> {
        let mut configuration = match file {
            Some(file) => Self::read(file)?,
            None => Self::default(),
        };
        configuration.defaults.apply_environment()?;
        override_with("GEOIP", &mut configuration.geoip)?;
        configuration.check()
    }

    fn check(self) -> Result<Self> {
        if self.defaults.threads == Some(0) {
            return Err(Error::Usage("threads must be at least 1".to_owned()));
        }
        if self.defaults.remote_timeout == Some(0) {
            return Err(Error::Usage("remote-timeout must be at least 1 second".to_owned()));
        }
        Ok(self)
    }

    /// Returns how files are accessed: credentials of servers come from the variables that the tools of each store use;
    /// links that lead out of a folder are followed only on request.
    pub fn access(&self, follow_links: bool) -> Access {
        let text = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
        let timeout = self.defaults.remote_timeout.map(|seconds| Duration::from_secs(seconds.into()));
        let follow_links = follow_links || self.defaults.follow_links == Some(true);
        let links = if follow_links { LinkPolicy::Everywhere } else { LinkPolicy::Inside };
        Access::new(std::env::vars_os().filter_map(text), timeout).with_links(links)
    }

    fn read(file: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(file).map_err(|error| Error::io(file, error))?;
        let invalid = |reason: String| Error::Usage(format!("{}: {reason}", file.display()));
        let sections: toml::Table = text.parse().map_err(|error: toml::de::Error| invalid(error.to_string()))?;
        if let Some(unknown) = sections.keys().find(|key| {
            !matches!(
                key.as_str(),
                "defaults" | "geoip" | "tables" | "aliases" | "watchlists" | "externaldata" | "functions" | "backtest"
            )
        }) {
            let expected =
                "[defaults], [tables.NAME], [aliases], [watchlists], [externaldata], [functions], [backtest]";
            return Err(invalid(format!("unknown section [{unknown}]; expected one of {expected}")));
        }
        let mut configuration: Self = toml::from_str(&text).map_err(|error| invalid(error.to_string()))?;
        let folder = file.parent().unwrap_or(Path::new(""));
        for table in configuration.tables.values_mut() {
            table.paths.iter_mut().for_each(|path| *path = relative_to(folder, path));
        }
        if let Some(url) = first_with_key(&configuration.externaldata) {
            return Err(invalid(format!("[externaldata] \"{url}\": only watchlists have a search-key")));
        }
        for list in configuration.watchlists.values_mut().chain(configuration.externaldata.values_mut()) {
            let path = list.path_mut();
            *path = relative_to(folder, path);
        }
        configuration.geoip = configuration.geoip.map(|path| relative_to(folder, &path));
        configuration.functions.paths.iter_mut().for_each(|path| *path = relative_to(folder, path));
        configuration.tables = canonical_tables(configuration.tables).map_err(invalid)?;
        Ok(configuration)
    }
}

/// The URL of the first file with a search key.
fn first_with_key(lists: &BTreeMap<String, ListFile>) -> Option<&str> {
    lists.iter().find(|(_, list)| list.search_key().is_some()).map(|(url, _)| url.as_str())
}

/// The tables by the names that queries use; the names of known tables are case-insensitive. Returns an error if a name
/// seems to be a misspelt known table, or a table occurs twice.
fn canonical_tables(tables: BTreeMap<String, Table>) -> Result<BTreeMap<String, Table>, String> {
    let mut named = BTreeMap::new();
    for (written, table) in tables {
        let name = table_name(&written).map_err(|near| {
            format!(
                "[tables.{written}]: did you mean {near}? Queries over {near} would not read these files; choose a \
                 name for your own table that differs more from it"
            )
        })?;
        if named.insert(name.clone(), table).is_some() {
            return Err(format!("[tables.{written}]: the table {name} is defined twice"));
        }
    }
    Ok(named)
}

impl Defaults {
    /// The limits for each file; `flag` overrides the defaults.
    pub fn limits(&self, flag: Option<u64>) -> ReadLimits {
        ReadLimits { max_decompressed: flag.or(self.max_decompressed.map(|size| size.0)), ..ReadLimits::default() }
    }

    /// Overrides the values of the file by those of the environment.
    fn apply_environment(&mut self) -> Result<()> {
        override_with("OUTPUT", &mut self.output)?;
        override_with("EXCEL_SAFE", &mut self.excel_safe)?;
        override_with("THREADS", &mut self.threads)?;
        override_with("REMOTE_TIMEOUT", &mut self.remote_timeout)?;
        override_with("FOLLOW_LINKS", &mut self.follow_links)?;
        override_with("TIME_COLUMN", &mut self.time_column)?;
        override_with("DEDUP", &mut self.dedup)?;
        override_with("PROVENANCE", &mut self.provenance)?;
        override_with("STRICT", &mut self.strict)?;
        override_with("MAX_DECOMPRESSED", &mut self.max_decompressed)?;
        override_with("MAX_MEMORY", &mut self.max_memory)
    }
}

fn override_with<T: FromStr>(name: &str, value: &mut Option<T>) -> Result<()> {
    let Some(text) = variable(name) else { return Ok(()) };
    let parsed = text.to_str().and_then(|text| text.parse().ok());
    let parsed = parsed.ok_or_else(|| Error::Usage(format!("COLDCASE_{name}={}: invalid value", text.display())))?;
    *value = Some(parsed);
    Ok(())
}

/// The variable `COLDCASE_name`; None if it is unset or empty.
pub(super) fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(format!("COLDCASE_{name}")).filter(|value| !value.is_empty())
}

/// A path of the catalog file, which is relative to `folder`. URLs are unchanged.
fn relative_to(folder: &Path, path: &Path) -> PathBuf {
    if path.to_str().is_some_and(is_url) { path.to_owned() } else { folder.join(path) }
}
