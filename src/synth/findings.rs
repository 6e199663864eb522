//! Lists the rows of an archive that a rule should find, in a file beside the archive.
//!
//! The file lists every incident of the kinds that were injected, including those that the archive contains anyway:
//! sign-ins of break-glass accounts, and password sprays. So the result of a query can be compared with it row by row.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::PathBuf;

use serde_json::{Value as Json, json};

use super::SynthOptions;
use super::calendar::ticks;
use super::layout::NewFile;
use crate::diagnostic::{Error, Result};
use crate::types::datetime;

/// Minimum number of accounts whose sign-ins fail from one address in a password spray.
const SPRAYED_ACCOUNTS: usize = 5;

/// A kind of incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum IncidentKind {
    /// Sign-ins of emergency (break-glass) accounts.
    BreakGlass,
    /// One address tries a password for many accounts.
    Spray,
    /// A user signs in successfully in two countries within an hour.
    ImpossibleTravel,
}

/// The incident that a row belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IncidentLabel {
    /// The kind of the incident.
    pub kind: IncidentKind,
    /// The number of the incident, unique among those of its kind and otherwise without meaning.
    pub number: u64,
    /// True if the incident was injected; false if the archive contains it anyway.
    pub injected: bool,
}

/// A row that a rule should find, with the values by which it is recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundRow {
    /// The incident to which the row belongs.
    pub label: IncidentLabel,
    /// The value of TimeGenerated, in microseconds since 1970.
    pub time: i64,
    /// The value of Id.
    pub id: String,
    /// The user principal name.
    pub account: String,
    /// The IP address.
    pub address: String,
    /// The value of the column Location, a country code.
    pub country: &'static str,
    /// The value of the column ResultType.
    pub result: &'static str,
}

impl IncidentKind {
    /// Returns the name that the command line uses for the kind.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::BreakGlass => "breakglass",
            Self::Spray => "spray",
            Self::ImpossibleTravel => "impossible-travel",
        }
    }

    fn description(self) -> &'static str {
        match self {
            Self::BreakGlass => "Sign-ins of emergency accounts, failures included",
            Self::Spray => "One address tries a password on five accounts or more within an hour",
            Self::ImpossibleTravel => "A user succeeds in two countries within an hour",
        }
    }
}

/// Returns the path of the file with the findings of an archive: the path of its folder with `.findings.json` added.
/// The file is not inside the folder, which contains nothing but logs.
///
/// # Errors
/// [`Error::Usage`] if the folder has no name.
pub fn path(options: &SynthOptions) -> Result<PathBuf> {
    let folder = std::path::absolute(&options.out).map_err(|source| Error::io(&options.out, source))?;
    match folder.file_name() {
        Some(name) => {
            let mut file = name.to_owned();
            file.push(".findings.json");
            Ok(folder.with_file_name(file))
        }
        None => Err(Error::Usage(format!("{} has no name for the findings", options.out.display()))),
    }
}

/// Writes the findings among `rows` to the file beside the archive.
///
/// # Errors
/// [`Error::Io`] if the operating system refuses.
pub fn write(options: &SynthOptions, rows: Vec<FoundRow>) -> Result<()> {
    let path = path(options)?;
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(Error::internal("findings without a folder"));
    };
    let text = serde_json::to_string_pretty(&content(options, rows))
        .map_err(|error| Error::internal(format!("findings: {error}")))?;
    let mut file = NewFile::create(folder, &name.to_string_lossy())?;
    file.write_all(text.as_bytes()).and_then(|()| file.write_all(b"\n")).map_err(|source| file.error(source))?;
    file.finish().map(|_| ())
}

/// Returns the content of the file: the incidents, ordered by time.
fn content(options: &SynthOptions, rows: Vec<FoundRow>) -> Json {
    let mut incidents: BTreeMap<IncidentLabel, Vec<FoundRow>> = BTreeMap::new();
    for row in rows.into_iter().filter(|row| options.inject.contains(&row.label.kind)) {
        incidents.entry(row.label).or_default().push(row);
    }
    let mut incidents: Vec<Vec<FoundRow>> = incidents.into_values().filter(|rows| is_incident(rows)).collect();
    incidents.iter_mut().for_each(|rows| rows.sort_by(|a, b| (a.time, &a.id).cmp(&(b.time, &b.id))));
    incidents.sort_by_key(|rows| rows.first().map(|row| row.time));
    json!({
        "table": "SigninLogs",
        "rows": options.rows,
        "days": options.days,
        "seed": options.seed,
        "findings": incidents.iter().map(|rows| incident(rows)).collect::<Vec<_>>(),
    })
}

fn is_incident(rows: &[FoundRow]) -> bool {
    let accounts: BTreeSet<&str> = rows.iter().map(|row| row.account.as_str()).collect();
    rows.first().is_some_and(|row| row.label.kind != IncidentKind::Spray) || accounts.len() >= SPRAYED_ACCOUNTS
}

fn incident(rows: &[FoundRow]) -> Json {
    let distinct = |of: fn(&FoundRow) -> &str| rows.iter().map(of).collect::<BTreeSet<_>>();
    let time = |row: Option<&FoundRow>| row.map(|row| datetime::to_text(ticks(row.time)));
    let label = rows.first().map(|row| row.label);
    let found = rows.iter().map(|row| {
        json!({
            "Id": row.id,
            "TimeGenerated": time(Some(row)),
            "UserPrincipalName": row.account,
            "IPAddress": row.address,
            "Location": row.country,
            "ResultType": row.result,
        })
    });
    json!({
        "kind": label.map(|label| label.kind.name()),
        "description": label.map(|label| label.kind.description()),
        "injected": label.is_some_and(|label| label.injected),
        "from": time(rows.first()),
        "to": time(rows.last()),
        "accounts": distinct(|row| &row.account),
        "addresses": distinct(|row| &row.address),
        "rows": found.collect::<Vec<_>>(),
    })
}
