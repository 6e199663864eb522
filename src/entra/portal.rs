//! CSV downloads of the Entra admin center: the property of a Graph object that each header stands for.
//!
//! Headers are in the language of the portal, may have stray spaces, and one occurs twice. Values are the labels that
//! the portal shows; those that stand for an API value are translated back, and the rest is kept.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::RowKind;
use super::spelling::{Spellings, spellings_of_property};

static DATA: &str = include_str!("portal.tsv");

/// The status of a successful sign-in, by language.
const SUCCESS: [&str; 2] = ["Success", "Opération réussie"];

/// A column of the CSV.
#[derive(Debug, PartialEq, Eq)]
pub struct PortalColumn {
    /// The path of the property, at most two keys.
    pub path: Vec<&'static str>,
    /// How its labels become values.
    pub values: PortalValues,
    /// The table column with the same values, and their spellings, if the labels are a closed set.
    pub spellings: Option<(&'static str, &'static Spellings)>,
}

impl PortalColumn {
    /// True if a row can contain the property at this path of a Graph object, or part of it.
    fn supplies(&self, path: &[&str]) -> bool {
        if self.values == PortalValues::Location && path.len() > self.path.len() {
            return path.starts_with(&self.path) && LOCATION_KEYS.contains(&path[self.path.len()]);
        }
        let length = self.path.len().min(path.len());
        self.path[..length] == path[..length]
    }
}

/// The keys of a location.
const LOCATION_KEYS: [&str; 3] = ["city", "state", "countryOrRegion"];

/// The property that the file name determines.
const INTERACTIVE: &str = "isInteractive";

/// The properties of a Graph object that the rows under a header contain.
#[derive(Debug)]
pub struct PortalHeader {
    columns: Vec<&'static PortalColumn>,
    interactive: bool,
}

impl PortalHeader {
    /// Creates a header with these columns; `interactive` if the file name says whether its sign-ins are interactive.
    #[must_use]
    pub fn new(columns: impl Iterator<Item = &'static PortalColumn>, interactive: bool) -> Self {
        Self { columns: columns.collect(), interactive }
    }

    /// True if a row can contain the property at this path, or part of it.
    #[must_use]
    pub fn supplies(&self, path: &[&str]) -> bool {
        (self.interactive && path == [INTERACTIVE]) || self.columns.iter().any(|column| column.supplies(path))
    }
}

/// Prefixes of the file names of downloads, each with its table.
const DOWNLOADS: [(&str, &str); 4] = [
    ("InteractiveSignIns_", "SigninLogs"),
    ("NonInteractiveSignIns_", "AADNonInteractiveUserSignInLogs"),
    ("ApplicationSignIns_", "AADServicePrincipalSignInLogs"),
    ("MSISignIns_", "AADManagedIdentitySignInLogs"),
];

/// Returns the table of a download of the admin center, from the name of its file or folder.
#[must_use]
pub fn table_of_download(name: &str) -> Option<&'static str> {
    DOWNLOADS.iter().find(|(prefix, _)| name.starts_with(prefix)).map(|(_, table)| *table)
}

/// Returns whether the sign-ins of a download are interactive, if its name says so.
#[must_use]
pub fn is_interactive(file: &str) -> Option<bool> {
    match file.split(['/', '\\']).find_map(table_of_download)? {
        "SigninLogs" => Some(true),
        "AADNonInteractiveUserSignInLogs" => Some(false),
        _ => None,
    }
}

/// How the labels of a column become JSON values.
#[derive(Debug, PartialEq, Eq)]
pub enum PortalValues {
    /// Strings; those listed are replaced.
    Strings(Vec<(&'static str, &'static str)>),
    /// Words for true and false; an empty cell is null.
    Bool,
    /// `City, State, Country`, split from the right.
    Location,
    /// The error code, which is empty if the status is success.
    Code,
    /// The status, which decides what an empty error code means.
    Outcome,
}

fn columns() -> &'static BTreeMap<String, PortalColumn> {
    static COLUMNS: OnceLock<BTreeMap<String, PortalColumn>> = OnceLock::new();
    COLUMNS.get_or_init(|| {
        let lines = DATA.lines().filter(|line| !line.starts_with('#'));
        lines.flat_map(parse_line).collect()
    })
}

/// Returns the column for each header of a line.
fn parse_line(line: &'static str) -> Vec<(String, PortalColumn)> {
    let cells: Vec<&'static str> = line.split('\t').collect();
    let [path_text, values, headers] = cells[..] else { return Vec::new() };
    let column = || {
        let values = match (path_text, values) {
            ("<outcome>", _) => PortalValues::Outcome,
            (_, "<bool>") => PortalValues::Bool,
            (_, "<place>") => PortalValues::Location,
            (_, "<code>") => PortalValues::Code,
            (_, list) => PortalValues::Strings(list.split('|').filter_map(|pair| pair.split_once('=')).collect()),
        };
        let path: Vec<&'static str> = path_text.split('.').collect();
        let spellings = if path.len() == 1 { spellings_of_property(path[0], RowKind::PortalCsv) } else { None };
        PortalColumn { path, values, spellings }
    };
    headers.split(" | ").map(|header| (normalise(header), column())).collect()
}

/// Returns the column of a header.
#[must_use]
pub fn portal_column(header: &str) -> Option<&'static PortalColumn> {
    columns().get(&normalise(header))
}

/// Returns the table that the headers identify: downloads of sign-ins without users have columns of their own.
#[must_use]
pub fn table_of(headers: &[String]) -> Option<&'static str> {
    let columns: Vec<&PortalColumn> = headers.iter().filter_map(|header| portal_column(header)).collect();
    let has = |keys: &[&str]| columns.iter().any(|column| keys.contains(&column.path[0]));
    if !has(&["servicePrincipalId"]) || has(&["userId", "userPrincipalName", "userDisplayName"]) {
        None
    } else if has(&["servicePrincipalCredentialKeyId", "servicePrincipalCredentialThumbprint"]) {
        Some("AADServicePrincipalSignInLogs")
    } else {
        has(&["managedServiceIdentity"]).then_some("AADManagedIdentitySignInLogs")
    }
}

/// True if a row can contain the property at this path of a Graph object, or part of it.
#[must_use]
pub fn supplies(path: &[&str]) -> bool {
    /// Columns by the first key of their path, one for each path: headers in many languages stand for the same path.
    static COLUMNS: OnceLock<BTreeMap<&str, Vec<&PortalColumn>>> = OnceLock::new();
    let by_first_key = COLUMNS.get_or_init(|| {
        let mut by_first_key: BTreeMap<&str, Vec<&PortalColumn>> = BTreeMap::new();
        for column in columns().values() {
            let same = by_first_key.entry(column.path[0]).or_default();
            if same.iter().all(|other| other.path != column.path || other.values != column.values) {
                same.push(column);
            }
        }
        by_first_key
    });
    let columns = path.first().and_then(|key| by_first_key.get(key));
    path == [INTERACTIVE] || columns.is_some_and(|columns| columns.iter().any(|column| column.supplies(path)))
}

/// True if the status means that a sign-in succeeded.
#[must_use]
pub fn is_success(status: &str) -> bool {
    let status = status.trim().to_lowercase();
    SUCCESS.iter().any(|words| words.to_lowercase() == status)
}

/// Normalises a header: lower case, whitespace collapsed, straight apostrophes.
fn normalise(header: &str) -> String {
    let words: Vec<String> = header.split_whitespace().map(str::to_lowercase).collect();
    words.join(" ").replace('’', "'")
}

#[cfg(test)]
mod tests {
    use super::{PortalValues, columns, portal_column, supplies, table_of};

    #[test]
    fn headers_are_found_in_every_spelling() {
        let path = |header: &str| portal_column(header).map(|column| column.path.join("."));
        assert_eq!(path("Application ID ").as_deref(), Some("appId"));
        assert_eq!(path("Autonomous system  number").as_deref(), Some("autonomousSystemNumber"));
        assert_eq!(path("nom d’utilisateur").as_deref(), Some("userPrincipalName"));
        assert_eq!(path("Motivo del error").as_deref(), Some("status.failureReason"));
        assert_eq!(path("Username of the admin"), None);
        assert_eq!(portal_column("Compliant").map(|column| &column.values), Some(&PortalValues::Bool));
        assert!(columns().values().all(|column| column.path.len() <= 2));
    }

    #[test]
    fn headers_identify_the_table() {
        let of = |headers: &[&str]| table_of(&headers.iter().map(|&header| header.to_owned()).collect::<Vec<_>>());
        assert_eq!(
            of(&["Request ID", "Service principal ID", "Credential key ID"]),
            Some("AADServicePrincipalSignInLogs")
        );
        assert_eq!(of(&["Service principal ID", "Managed Identity type"]), Some("AADManagedIdentitySignInLogs"));
        assert_eq!(of(&["Service principal ID", "Username", "Credential key ID"]), None);
        assert_eq!(of(&["User ID", "Managed Identity type"]), None);
        assert_eq!(of(&["Service principal ID"]), None);
    }

    #[test]
    fn properties_of_the_csv_are_known() {
        assert!(supplies(&["deviceDetail"]));
        assert!(supplies(&["status", "errorCode"]));
        assert!(supplies(&["location", "countryOrRegion"]));
        assert!(!supplies(&["appliedConditionalAccessPolicies"]));
        assert!(!supplies(&["status", "other"]));
        assert!(!supplies(&["location", "geoCoordinates", "latitude"]) && !supplies(&["deviceDetail", "displayName"]));
    }
}
