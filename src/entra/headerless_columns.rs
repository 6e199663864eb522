//! Recognises exports without a header line, whose rows name their table.

use crate::types::datetime;

/// For each table, a line with its name and its columns, in the order in which the service exports them.
static DATA: &str = include_str!("positions.tsv");

/// Returns the columns of a row without a header. It must have as many cells as a known table has columns, and the
/// name of the table and a time at their positions. Returns None for other rows.
#[must_use]
pub fn headerless_columns(cells: &[String]) -> Option<impl Iterator<Item = &'static str>> {
    DATA.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let (table, columns) = line.split_once('\t')?;
        let columns = columns.split(' ');
        let cell = |name: &str| columns.clone().position(|column| column == name).and_then(|index| cells.get(index));
        let fits = columns.clone().count() == cells.len()
            && cell("Type").is_some_and(|name| name == table)
            && cell("TimeGenerated").is_some_and(|time| datetime::parse(time).is_some());
        fits.then_some(columns)
    })
}

#[cfg(test)]
mod tests {
    use super::{DATA, headerless_columns};
    use crate::entra::known_table;

    #[test]
    fn columns_are_those_of_the_table() {
        for line in DATA.lines().filter(|line| !line.starts_with('#')) {
            let (table, columns) = line.split_once('\t').expect("two cells");
            let schema = &known_table(table).expect("a known table").schema;
            assert!(columns.split(' ').all(|column| schema.index_of(column).is_some()), "{table}");
        }
    }

    #[test]
    fn a_row_must_name_its_table() {
        let mut cells = vec![String::new(); 76];
        (cells[2], cells[75]) = ("2026-03-02T06:59:48Z".to_owned(), "SigninLogs".to_owned());
        assert_eq!(headerless_columns(&cells).map(Iterator::count), Some(76));
        cells[75] = "AuditLogs".to_owned();
        assert!(headerless_columns(&cells).is_none());
    }
}
