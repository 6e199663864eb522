//! Where a column's value stands in a record of a shape.
//!
//! The notation of the tables' data files:
//!
//! | text | meaning |
//! | --- | --- |
//! | `-` | the shape cannot supply the column |
//! | `=` | the key of the column's own name |
//! | `'text'` | the same text in every record |
//! | `<table>`, `<category>` | the name of the record's table, and its category in diagnostic settings |
//! | `a.b` | the key `b` of the object under the key `a` |
//! | `x \| y` | `x`, or `y` where `x` is absent, null or "" |
//! | `x unless y is 0` | `x`, or "" where `y` is 0 |
//! | `beta x`, `v1.0 x` | only that version of Graph has it |

use std::fmt;

/// A path of keys into a record.
pub type KeyPath = Vec<&'static str>;

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Nowhere: "" or null.
    Unsupplied,
    /// A text of ours.
    Constant(&'static str),
    /// The name of the record's table.
    Table,
    /// The category of the record's table.
    Category,
    /// The first of these paths that holds something.
    Keys(Vec<KeyPath>),
    /// What `value` holds, or "" where `guard` holds 0.
    UnlessZero {
        /// The path of the value.
        value: KeyPath,
        /// The path that decides.
        guard: KeyPath,
    },
}

/// Which version of an interface supplies a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// All.
    Always,
    /// Graph v1.0 only.
    GraphV1,
    /// Graph beta only.
    GraphBeta,
}

/// A column in a shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// Where the value is.
    pub source: Source,
    /// In which versions.
    pub since: Since,
}

impl Mapping {
    /// Reads the notation above; `column` is the column's own name.
    #[must_use]
    pub fn parse(text: &'static str, column: &'static str) -> Self {
        let (since, text) = match (text.strip_prefix("beta "), text.strip_prefix("v1.0 ")) {
            (Some(rest), _) => (Since::GraphBeta, rest),
            (_, Some(rest)) => (Since::GraphV1, rest),
            _ => (Since::Always, text),
        };
        Self { source: parse_source(text, column), since }
    }

    /// The paths it reads.
    #[must_use]
    pub fn paths(&self) -> Vec<&KeyPath> {
        match &self.source {
            Source::Keys(paths) => paths.iter().collect(),
            Source::UnlessZero { value, guard } => vec![value, guard],
            Source::Unsupplied | Source::Constant(_) | Source::Table | Source::Category => Vec::new(),
        }
    }
}

/// In the notation of the tables' data files.
impl fmt::Display for Mapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.since {
            Since::Always => "",
            Since::GraphV1 => "v1.0 ",
            Since::GraphBeta => "beta ",
        })?;
        match &self.source {
            Source::Unsupplied => f.write_str("-"),
            Source::Constant(text) => write!(f, "'{text}'"),
            Source::Table => f.write_str("<table>"),
            Source::Category => f.write_str("<category>"),
            Source::Keys(paths) => {
                f.write_str(&paths.iter().map(|path| path.join(".")).collect::<Vec<_>>().join(" | "))
            }
            Source::UnlessZero { value, guard } => write!(f, "{} unless {} is 0", value.join("."), guard.join(".")),
        }
    }
}

impl Mapping {
    /// The same in a sentence.
    #[must_use]
    pub fn explain(&self) -> String {
        let keys = |path: &KeyPath| format!("`{}`", path.join("."));
        let text = match &self.source {
            Source::Unsupplied => "not supplied: the column is empty".to_owned(),
            Source::Constant(text) => format!("always '{text}'"),
            Source::Table => "the name of the record's table".to_owned(),
            Source::Category => "the category of the record's table".to_owned(),
            Source::Keys(paths) => paths.iter().map(keys).collect::<Vec<_>>().join(", or where that is empty "),
            Source::UnlessZero { value, guard } => format!("{}, or \"\" where {} is 0", keys(value), keys(guard)),
        };
        match self.since {
            Since::Always => text,
            Since::GraphV1 => format!("{text} (version v1.0 only)"),
            Since::GraphBeta => format!("{text} (version beta only)"),
        }
    }
}

fn parse_source(text: &'static str, column: &'static str) -> Source {
    let path = |text: &'static str| text.trim().split('.').collect();
    match text {
        "-" => Source::Unsupplied,
        "=" => Source::Keys(vec![vec![column]]),
        "<table>" => Source::Table,
        "<category>" => Source::Category,
        _ => {
            if let Some(constant) = text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
                return Source::Constant(constant);
            }
            if let Some((value, guard)) = text.strip_suffix(" is 0").and_then(|rest| rest.split_once(" unless ")) {
                return Source::UnlessZero { value: path(value), guard: path(guard) };
            }
            Source::Keys(text.split('|').map(path).collect())
        }
    }
}
