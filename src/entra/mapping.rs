//! The mapping: from which field of a record, in each shape, a column is read.
//!
//! The notation of the data files of tables:
//!
//! | text | meaning |
//! | --- | --- |
//! | `-` | the shape cannot supply the column |
//! | `=` | the key of the column's own name |
//! | `'text'` | this constant in every record |
//! | `<table>`, `<category>` | the name of the record's table, and its category in diagnostic settings |
//! | `a.b` | the key `b` of the object under the key `a` |
//! | `x \| y` | `x`, or `y` if `x` is absent, null or "" |
//! | `x unless y is 0` | `x`, or "" if `y` is 0 |
//! | `beta x`, `v1.0 x` | only that version of Graph has it |

use std::borrow::Cow;
use std::fmt;

use super::RowKind;

/// The keys that lead to a value in a record, from the outermost to the innermost.
pub type KeyPath = Vec<Cow<'static, str>>;

/// Where the values of a column come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ColumnSource {
    /// Nowhere: the column is always "" or null.
    Unsupplied,
    /// A constant, which is the same in every record.
    Constant(&'static str),
    /// The name of the record's table.
    Table,
    /// The category of the record's table in diagnostic settings.
    Category,
    /// The first of these paths whose value is neither absent, nor null, nor "".
    Keys(Vec<KeyPath>),
    /// The value at the path `value`, or "" if the value at the path `guard` is 0.
    UnlessZero {
        /// The path of the value.
        value: KeyPath,
        /// The path of the value that decides.
        guard: KeyPath,
    },
}

/// The versions of Microsoft Graph that supply a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GraphVersions {
    /// All versions, and shapes without versions.
    All,
    /// Only version v1.0.
    V1Only,
    /// Only the beta version.
    BetaOnly,
}

/// The mapping of a column in one shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// The source of the values.
    pub source: ColumnSource,
    /// The versions of Graph whose records have the values.
    pub versions: GraphVersions,
}

impl Mapping {
    /// Parses the notation in the table above. `column` is the name of the column.
    #[must_use]
    pub fn parse(text: &'static str, column: &'static str) -> Self {
        let (versions, text) = match (text.strip_prefix("beta "), text.strip_prefix("v1.0 ")) {
            (Some(rest), _) => (GraphVersions::BetaOnly, rest),
            (_, Some(rest)) => (GraphVersions::V1Only, rest),
            _ => (GraphVersions::All, text),
        };
        Self { source: parse_source(text, column), versions }
    }

    /// Returns the mapping, for each kind of row, of a column that no known table has: it is read from the key of its
    /// name.
    #[must_use]
    pub fn by_name(column: &str) -> [Self; RowKind::ALL.len()] {
        let camel_case = camel_case(column);
        let key = |name: &str| -> KeyPath { vec![Cow::Owned(name.to_owned())] };
        let property = |name: &str| -> KeyPath { vec![Cow::Borrowed("properties"), Cow::Owned(name.to_owned())] };
        RowKind::ALL.map(|kind| {
            let mut paths = match kind {
                RowKind::Diagnostic => vec![property(column), property(&camel_case), key(column), key(&camel_case)],
                RowKind::Graph => vec![key(column), key(&camel_case)],
                RowKind::Flat | RowKind::Cmdlet | RowKind::Az | RowKind::PortalCsv => vec![key(column)],
            };
            paths.dedup();
            Self { source: ColumnSource::Keys(paths), versions: GraphVersions::All }
        })
    }

    /// Returns the mapping for objects whose keys begin with capitals, as PowerShell cmdlets write them.
    #[must_use]
    pub fn capitalised(&self) -> Self {
        let first = |path: &KeyPath| capitalised_paths(path).swap_remove(0);
        let source = match &self.source {
            ColumnSource::Keys(paths) => ColumnSource::Keys(paths.iter().flat_map(capitalised_paths).collect()),
            ColumnSource::UnlessZero { value, guard } => {
                ColumnSource::UnlessZero { value: first(value), guard: first(guard) }
            }
            other => other.clone(),
        };
        Self { source, versions: self.versions }
    }

    /// Returns the mapping for records that have only the fields for which `has` is true. If the source needs other
    /// fields, it is unsupplied.
    #[must_use]
    pub fn limited(&self, has: &dyn Fn(&KeyPath) -> bool) -> Self {
        let missing = match &self.source {
            ColumnSource::Keys(paths) => !paths.iter().any(has),
            ColumnSource::UnlessZero { value, .. } => !has(value),
            ColumnSource::Unsupplied | ColumnSource::Constant(_) | ColumnSource::Table | ColumnSource::Category => {
                false
            }
        };
        let source = if missing { ColumnSource::Unsupplied } else { self.source.clone() };
        Self { source, versions: GraphVersions::All }
    }

    /// Returns all paths that are read.
    #[must_use]
    pub fn paths(&self) -> Vec<&KeyPath> {
        match &self.source {
            ColumnSource::Keys(paths) => paths.iter().collect(),
            ColumnSource::UnlessZero { value, guard } => vec![value, guard],
            ColumnSource::Unsupplied | ColumnSource::Constant(_) | ColumnSource::Table | ColumnSource::Category => {
                Vec::new()
            }
        }
    }
}

/// Returns a column name with its first letter in lower case, as Microsoft Graph writes keys.
#[must_use]
pub fn camel_case(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or(String::new(), |first| first.to_ascii_lowercase().to_string() + letters.as_str())
}

/// Writes the mapping in the notation of the data files.
impl fmt::Display for Mapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.versions {
            GraphVersions::All => "",
            GraphVersions::V1Only => "v1.0 ",
            GraphVersions::BetaOnly => "beta ",
        })?;
        match &self.source {
            ColumnSource::Unsupplied => f.write_str("-"),
            ColumnSource::Constant(text) => write!(f, "'{text}'"),
            ColumnSource::Table => f.write_str("<table>"),
            ColumnSource::Category => f.write_str("<category>"),
            ColumnSource::Keys(paths) => {
                f.write_str(&paths.iter().map(|path| path.join(".")).collect::<Vec<_>>().join(" | "))
            }
            ColumnSource::UnlessZero { value, guard } => {
                write!(f, "{} unless {} is 0", value.join("."), guard.join("."))
            }
        }
    }
}

impl Mapping {
    /// Describes the mapping in a sentence.
    #[must_use]
    pub fn explain(&self) -> String {
        let keys = |path: &KeyPath| format!("`{}`", path.join("."));
        let text = match &self.source {
            ColumnSource::Unsupplied => "not supplied: the column is empty".to_owned(),
            ColumnSource::Constant(text) => format!("always '{text}'"),
            ColumnSource::Table => "the name of the record's table".to_owned(),
            ColumnSource::Category => "the category of the record's table".to_owned(),
            ColumnSource::Keys(paths) => paths.iter().map(keys).collect::<Vec<_>>().join(", or if that is empty "),
            ColumnSource::UnlessZero { value, guard } => format!("{}, or \"\" if {} is 0", keys(value), keys(guard)),
        };
        match self.versions {
            GraphVersions::All => text,
            GraphVersions::V1Only => format!("{text} (version v1.0 only)"),
            GraphVersions::BetaOnly => format!("{text} (version beta only)"),
        }
    }
}

/// Returns all spellings of a path whose keys begin with capitals: `ipAddress` is `IPAddress` in one cmdlet and
/// `IpAddress` in another.
fn capitalised_paths(path: &KeyPath) -> Vec<KeyPath> {
    let capitalised: KeyPath = path.iter().map(|key| Cow::Owned(capitalise(key))).collect();
    let acronym = match capitalised.first().and_then(|key| key.strip_prefix("Ip")) {
        Some(rest) if rest.starts_with(char::is_uppercase) => Some(Cow::Owned(format!("IP{rest}"))),
        _ => None,
    };
    let other = acronym.map(|first| std::iter::once(first).chain(capitalised[1..].iter().cloned()).collect());
    std::iter::once(capitalised).chain(other).collect()
}

/// Returns the name of a property in PowerShell objects: `riskEventTypes_v2` becomes `RiskEventTypesV2`.
fn capitalise(key: &str) -> String {
    let mut characters = key.chars();
    let first: String = characters.next().map(|first| first.to_ascii_uppercase()).into_iter().collect();
    (first + characters.as_str()).replace("_v2", "V2")
}

fn parse_source(text: &'static str, column: &'static str) -> ColumnSource {
    let path = |text: &'static str| text.trim().split('.').map(Cow::Borrowed).collect();
    match text {
        "-" => ColumnSource::Unsupplied,
        "=" => ColumnSource::Keys(vec![vec![Cow::Borrowed(column)]]),
        "<table>" => ColumnSource::Table,
        "<category>" => ColumnSource::Category,
        _ => {
            if let Some(constant) = text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
                return ColumnSource::Constant(constant);
            }
            if let Some((value, guard)) = text.strip_suffix(" is 0").and_then(|rest| rest.split_once(" unless ")) {
                return ColumnSource::UnlessZero { value: path(value), guard: path(guard) };
            }
            ColumnSource::Keys(text.split('|').map(path).collect())
        }
    }
}
