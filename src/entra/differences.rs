//! Differences between the values in an export shape and those in the table that the reader cannot remove. They are
//! reported instead.

use super::RowKind;

static DATA: &str = include_str!("value_differences.tsv");

/// Returns the note about such a difference, if a query reads this column from records of `kind`. `key` is the first
/// key of the path that the query reads; None if it reads the whole column.
#[must_use]
pub fn difference(column: &str, key: Option<&str>, kind: RowKind) -> Option<&'static str> {
    let lines = DATA.lines().filter(|line| !line.starts_with('#'));
    let mut cells = lines.map(|line| line.split('\t').collect::<Vec<_>>());
    cells.find_map(|cells| match cells[..] {
        [own, kinds, note] => {
            let (own, own_key) = own.split_once('.').map_or((own, None), |(own, key)| (own, Some(key)));
            let is_read = own == column && (own_key.is_none() || key.is_none() || key == own_key);
            (is_read && kinds.split(' ').any(|name| name == kind.name())).then_some(note)
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::{DATA, difference};
    use crate::entra::{RowKind, known_tables};

    #[test]
    fn every_line_names_a_column_and_row_kinds() {
        for line in DATA.lines().filter(|line| !line.starts_with('#')) {
            let cells: Vec<&str> = line.split('\t').collect();
            let column = cells[0].split('.').next().unwrap_or_default();
            assert!(known_tables().any(|table| table.schema.index_of(column).is_some()), "{line}");
            assert!(cells.len() == 3 && cells[1].split(' ').all(|name| RowKind::from_name(name).is_some()), "{line}");
        }
        assert!(difference("Status", None, RowKind::Graph).is_some());
        assert!(difference("Status", Some("failureReason"), RowKind::Graph).is_some());
        assert!(difference("Status", Some("errorCode"), RowKind::Graph).is_none());
        assert!(difference("Status", None, RowKind::Flat).is_none());
    }
}
