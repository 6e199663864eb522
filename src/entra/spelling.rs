//! Replaces values that export shapes spell in different ways by the spelling of the table.
//!
//! The columns with closed sets of values that a shape spells in another way are data, in `value_spellings.tsv`.
//! Readers replace the value, so that a query, an archive and a search find the same value in every shape.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::RowKind;
use crate::types::dynamic;

static DATA: &str = include_str!("value_spellings.tsv");

/// The values of a column that records of one kind spell in another way than the table.
#[derive(Debug, PartialEq, Eq)]
pub struct Spellings {
    values: Vec<Spelling>,
    /// The warning that is shown if one of the values occurs; None if there is none.
    pub warning: Option<&'static str>,
}

/// A value of the table, and its spelling in records.
#[derive(Debug, PartialEq, Eq)]
struct Spelling {
    /// The spelling in records. It equals that of the table, except for case, if the records have no other.
    source: &'static str,
    table: &'static str,
    /// The spelling in records as a JSON string. `table_json` is that of the table.
    source_json: String,
    table_json: String,
}

/// Tells whether a string in a row can be searched for in the record from which the row is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verbatim {
    /// The record contains the string unchanged.
    AsWritten,
    /// The record contains the string, but possibly in another case.
    InAnyCase,
    /// The record may not contain the string.
    No,
}

impl Spelling {
    fn parse(text: &'static str) -> Self {
        let (source, table) = text.split_once('=').unwrap_or((text, text));
        let json = |text: &str| {
            let mut json = String::new();
            dynamic::quote(text, &mut json);
            json
        };
        Self { source, table, source_json: json(source), table_json: json(table) }
    }

    fn is(&self, json: &str) -> bool {
        json.eq_ignore_ascii_case(&self.source_json) || json == self.source
    }
}

impl Spellings {
    /// Returns the value in the spelling of the table, as JSON; None for values that have no other spelling.
    #[must_use]
    pub fn of_table(&self, json: &str) -> Option<&str> {
        self.values.iter().find(|value| value.is(json)).map(|value| value.table_json.as_str())
    }

    /// Returns the value of the table for a label that has the same letters and digits; None if there is none.
    #[must_use]
    pub fn of_label(&self, label: &str) -> Option<&'static str> {
        let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
        let wanted = letters(label);
        self.values.iter().find(|value| letters(value.source) == wanted).map(|value| value.table)
    }

    fn verbatim(&self, occurs_in: &dyn Fn(&str) -> bool, warns: bool) -> Verbatim {
        let met = || self.values.iter().filter(|value| occurs_in(value.table));
        // Records with a value that causes a warning must be read, whether or not they match the search.
        if (warns && self.warning.is_some()) || met().any(|value| !value.source.eq_ignore_ascii_case(value.table)) {
            Verbatim::No
        } else if met().next().is_some() {
            Verbatim::InAnyCase
        } else {
            Verbatim::AsWritten
        }
    }
}

/// True if a search for one of the strings in `column`, as in all others, causes the warning about its values: if the
/// warning mentions the string.
#[must_use]
pub fn warns_of(column: &str, strings: &[String]) -> bool {
    let warnings = || RowKind::ALL.into_iter().filter_map(|kind| spellings(column, kind)?.warning);
    let mentions = |string: &String| warnings().any(|text| text.to_lowercase().contains(&string.to_lowercase()));
    strings.iter().any(mentions)
}

/// Returns how records of any kind contain a string. `occurs_in` is true for the values of the column that contain
/// the string. If `warns` is true, the warning about values of the column is shown, so that no record may be skipped.
#[must_use]
pub fn verbatim(column: &str, occurs_in: &dyn Fn(&str) -> bool, warns: bool) -> Verbatim {
    // Labels of CSV are replaced before its records are searched.
    let kinds = RowKind::ALL.into_iter().filter(|kind| *kind != RowKind::PortalCsv);
    let ways = || kinds.clone().filter_map(|kind| spellings(column, kind)).map(|all| all.verbatim(occurs_in, warns));
    [Verbatim::No, Verbatim::InAnyCase]
        .into_iter()
        .find(|way| ways().any(|own| own == *way))
        .unwrap_or(Verbatim::AsWritten)
}

/// Returns the values of a column that records of `kind` may spell in another way than the table; None if there are
/// none.
#[must_use]
pub fn spellings(column: &str, kind: RowKind) -> Option<&'static Spellings> {
    all().get(&kind)?.get(column)
}

/// Returns the column whose name is that of a Graph property except for case, and its values that have another
/// spelling.
#[must_use]
pub fn spellings_of_property(property: &str, kind: RowKind) -> Option<(&'static str, &'static Spellings)> {
    let mut columns = all().get(&kind)?.iter();
    columns.find(|(column, _)| column.eq_ignore_ascii_case(property)).map(|(column, values)| (*column, values))
}

type ByColumn = BTreeMap<&'static str, Spellings>;

fn all() -> &'static BTreeMap<RowKind, ByColumn> {
    static ALL: OnceLock<BTreeMap<RowKind, ByColumn>> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut all: BTreeMap<RowKind, ByColumn> = BTreeMap::new();
        for (column, kind, values) in DATA.lines().filter(|line| !line.starts_with('#')).flat_map(parse_line) {
            all.entry(kind).or_default().insert(column, values);
        }
        all
    })
}

/// Returns the values in a line of the data file, with their column, for each row kind.
fn parse_line(line: &'static str) -> Vec<(&'static str, RowKind, Spellings)> {
    let cells: Vec<&'static str> = line.split('\t').collect();
    let [column, kinds, values, warning] = cells[..] else { return Vec::new() };
    let of_kind = |kind: RowKind| {
        let values = values.split('|').map(Spelling::parse).collect();
        (column, kind, Spellings { values, warning: Some(warning).filter(|text| !text.is_empty()) })
    };
    kinds.split(' ').filter_map(RowKind::from_name).map(of_kind).collect()
}

#[cfg(test)]
mod tests {
    use super::{DATA, Verbatim, parse_line, spellings, verbatim};
    use crate::entra::{RowKind, known_tables};
    use crate::types::Type;

    #[test]
    fn every_line_is_read_and_names_a_string_column() {
        for line in DATA.lines().filter(|line| !line.starts_with('#')) {
            let parsed = parse_line(line);
            let kinds = line.split('\t').nth(1).map_or(0, |kinds| kinds.split(' ').count());
            assert_eq!(parsed.len(), kinds, "{line}");
            let column = parsed[0].0;
            let fields = || known_tables().flat_map(|table| table.schema.fields()).filter(|field| field.name == column);
            assert!(fields().next().is_some() && fields().all(|field| field.ty == Type::String), "{line}");
        }
    }

    #[test]
    fn values_take_the_spelling_of_the_table() {
        let table = |column: &str, kind, json: &str| spellings(column, kind)?.of_table(json).map(str::to_owned);
        assert_eq!(table("UserType", RowKind::Graph, "\"guest\""), Some("\"Guest\"".to_owned()));
        assert_eq!(table("UserType", RowKind::Graph, "\"unknownFutureValue\""), None);
        assert_eq!(table("UserType", RowKind::Flat, "\"guest\""), None);
        assert_eq!(table("Level", RowKind::Diagnostic, "\"Informational\""), Some("\"4\"".to_owned()));
        assert_eq!(table("OperationVersion", RowKind::Flat, "1"), Some("\"1.0\"".to_owned()));
        let label = |column: &str, label: &str| spellings(column, RowKind::PortalCsv)?.of_label(label);
        assert_eq!(label("ConditionalAccessStatus", "Not Applied"), Some("notApplied"));
        assert_eq!(label("CrossTenantAccessType", "B2B collaboration"), Some("b2bCollaboration"));
        assert_eq!(label("ConditionalAccessStatus", "Non appliqué"), None);
    }

    #[test]
    fn a_search_knows_which_values_are_replaced() {
        let search_and_warn = |column: &str, needle: &str, warns: bool| {
            let needle = needle.to_lowercase();
            verbatim(column, &|value| value.to_lowercase().contains(&needle), warns)
        };
        let search = |column: &str, needle: &str| search_and_warn(column, needle, true);
        assert_eq!(search("UserType", "Guest"), Verbatim::InAnyCase);
        assert_eq!(search("UserType", "Administrator"), Verbatim::AsWritten);
        assert_eq!(search("OperationVersion", "1.0"), Verbatim::No);
        assert_eq!(search("ResultSignature", "SUCCESS"), Verbatim::No);
        assert_eq!(search_and_warn("ResultSignature", "SUCCESS", false), Verbatim::AsWritten);
        assert_eq!(search("UserPrincipalName", "Guest"), Verbatim::AsWritten);
    }
}
