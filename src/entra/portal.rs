//! CSV downloads of the Entra admin center: which property of a Graph object each header stands for.
//!
//! Headers are in the language of the portal, may have additional spaces, and one of them occurs twice. Values are
//! the labels that the portal shows. Labels that stand for a value of the API are translated back; others are kept.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::RowKind;
use super::spelling::{Spellings, spellings_of_property};

static DATA: &str = include_str!("portal.tsv");

/// The labels of the status of a successful sign-in, in several languages.
const SUCCESS: [&str; 2] = ["Success", "Opération réussie"];

/// A column of the CSV file.
#[derive(Debug, PartialEq, Eq)]
pub struct PortalColumn {
    /// The path of the property in a Graph object; it has at most two keys.
    pub path: Vec<&'static str>,
    /// How the labels in its cells become values.
    pub values: PortalValues,
    /// The table column whose values the labels stand for, and these values. None unless the values are a closed set.
    pub spellings: Option<(&'static str, &'static Spellings)>,
}

impl PortalColumn {
    /// True if a row can have the property at this path of a Graph object, or a part of it.
    fn supplies(&self, path: &[&str]) -> bool {
        if self.values == PortalValues::Location && path.len() > self.path.len() {
            return path.starts_with(&self.path) && LOCATION_KEYS.contains(&path[self.path.len()]);
        }
        let length = self.path.len().min(path.len());
        self.path[..length] == path[..length]
    }
}

/// The keys of a location, in the order of its label.
const LOCATION_KEYS: [&str; 3] = ["city", "state", "countryOrRegion"];

/// The property that the name of the file determines.
const INTERACTIVE: &str = "isInteractive";

/// The properties of a Graph object that the rows under a header have.
#[derive(Debug)]
pub struct PortalHeader {
    columns: Vec<&'static PortalColumn>,
    interactive: bool,
}

impl PortalHeader {
    /// Creates a header that has these columns. `interactive` is true if the name of the file determines whether its
    /// sign-ins are interactive.
    #[must_use]
    pub fn new(columns: impl Iterator<Item = &'static PortalColumn>, interactive: bool) -> Self {
        Self { columns: columns.collect(), interactive }
    }

    /// True if a row can have the property at this path, or a part of it.
    #[must_use]
    pub fn supplies(&self, path: &[&str]) -> bool {
        (self.interactive && path == [INTERACTIVE]) || self.columns.iter().any(|column| column.supplies(path))
    }
}

/// Prefixes of the names of downloaded files, each with the table of the file.
const DOWNLOADS: [(&str, &str); 4] = [
    ("InteractiveSignIns_", "SigninLogs"),
    ("NonInteractiveSignIns_", "AADNonInteractiveUserSignInLogs"),
    ("ApplicationSignIns_", "AADServicePrincipalSignInLogs"),
    ("MSISignIns_", "AADManagedIdentitySignInLogs"),
];

/// Returns the table of a download of the admin center, from the name of its file or folder; None for other names.
#[must_use]
pub fn table_of_download(name: &str) -> Option<&'static str> {
    DOWNLOADS.iter().find(|(prefix, _)| name.starts_with(prefix)).map(|(_, table)| *table)
}

/// Returns whether the sign-ins of a download are interactive; None if its name does not tell.
#[must_use]
pub fn is_interactive(file: &str) -> Option<bool> {
    match file.split(['/', '\\']).find_map(table_of_download)? {
        "SigninLogs" => Some(true),
        "AADNonInteractiveUserSignInLogs" => Some(false),
        _ => None,
    }
}

/// Tells how the labels of a column become JSON values.
#[derive(Debug, PartialEq, Eq)]
pub enum PortalValues {
    /// Strings. Labels in the list are replaced by the value beside them.
    Strings(Vec<(&'static str, &'static str)>),
    /// Words for true and false; an empty cell is null.
    Bool,
    /// Locations such as `City, State, Country`, which are split from the right.
    Location,
    /// The error code. It is empty if the status is success.
    Code,
    /// The status, which tells what an empty error code means.
    Outcome,
}

fn columns() -> &'static BTreeMap<String, PortalColumn> {
    static COLUMNS: OnceLock<BTreeMap<String, PortalColumn>> = OnceLock::new();
    COLUMNS.get_or_init(|| {
        let lines = DATA.lines().filter(|line| !line.starts_with('#'));
        lines.flat_map(parse_line).collect()
    })
}

/// Returns for each header in a line of the data file its column.
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

/// Returns the column that a header stands for; None if the header is not known.
#[must_use]
pub fn portal_column(header: &str) -> Option<&'static PortalColumn> {
    columns().get(&normalise(header))
}

/// Returns the table that the headers identify; None if they identify none. Downloads of sign-ins without users have
/// columns of their own.
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

/// True if a row of any download can have the property at this path of a Graph object, or a part of it.
#[must_use]
pub fn supplies(path: &[&str]) -> bool {
    /// The columns by the first key of their path. There is one for each path, because headers in many languages
    /// stand for the same path.
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

/// Returns a header in a normal form: lower case, single spaces, straight apostrophes.
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
