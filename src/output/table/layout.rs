//! Decides which columns of a table are shown on a terminal, and how wide they are.

use crate::entra::{KnownTable, known_tables};
use crate::types::{Field, Schema};

/// The space between two columns.
pub(super) const GAP: &str = "  ";
/// The width in characters below which a column is of no use.
const NARROW: usize = 12;
/// The width up to which columns are preferred over others: enough for addresses and identifiers.
const COMFORTABLE: usize = 40;

/// The width that a column needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent {
    /// The width of its name or of its widest cell, in characters.
    pub width: usize,
    /// True if cells may be truncated. A truncated number, time or identifier would look like another one.
    pub cuttable: bool,
    /// True if all cells are empty.
    pub empty: bool,
}

impl Extent {
    fn at_least(self, width: usize) -> usize {
        if self.cuttable { self.width.min(width) } else { self.width }
    }
}

/// A column that is shown.
#[derive(Clone, Copy, Debug)]
struct ShownColumn {
    index: usize,
    extent: Extent,
    /// The width below which its cells are not truncated.
    floor: usize,
}

impl ShownColumn {
    fn width(&self, limit: usize) -> usize {
        self.extent.at_least(limit.max(self.floor))
    }
}

/// Returns the width of a line in which the columns are truncated to `limit` characters.
fn line_width(columns: &[ShownColumn], limit: usize) -> usize {
    let gaps = GAP.len() * columns.len().saturating_sub(1);
    columns.iter().map(|column| column.width(limit)).fold(gaps, usize::saturating_add)
}

/// Returns the width of each column in a line of `available` characters; None for a column that is hidden.
///
/// Columns without values are hidden first. If the others do not fit either, the columns with the highest rank in
/// `schema` are shown.
pub(super) fn fit(schema: &Schema, columns: &[Extent], available: usize) -> Vec<Option<usize>> {
    let column = |(index, extent): (usize, &Extent)| ShownColumn { index, extent: *extent, floor: NARROW };
    let mut shown: Vec<ShownColumn> = columns.iter().enumerate().map(column).collect();
    if line_width(&shown, usize::MAX) > available && columns.iter().any(|column| !column.empty) {
        shown.retain(|column| !column.extent.empty);
    }
    if line_width(&shown, 0) > available {
        shown = choose(schema, shown, available);
    }
    let limit = widest(available, |limit| line_width(&shown, limit) <= available);
    let mut spare = available.saturating_sub(line_width(&shown, limit));
    let mut widths = vec![None; columns.len()];
    for column in shown {
        let width = column.width(limit);
        let more = usize::from(spare > 0 && width < column.extent.width);
        widths[column.index] = Some(width + more);
        spare -= more;
    }
    widths
}

/// Selects the columns that are shown, if not all fit: first main columns with comfortable widths, then narrower
/// ones, then other columns.
fn choose(schema: &Schema, mut columns: Vec<ShownColumn>, available: usize) -> Vec<ShownColumn> {
    let ranks = ranks(schema);
    columns.sort_by_key(|column| ranks[column.index]);
    let is_main = |column: &&ShownColumn| matches!(ranks[column.index], Rank::Main(_));
    let main = |floor: usize| columns.iter().filter(is_main).map(move |column| (column, floor));
    let others = columns.iter().filter(|column| !is_main(column)).map(|column| (column, COMFORTABLE));
    let mut chosen: Vec<ShownColumn> = Vec::new();
    for (column, floor) in main(COMFORTABLE).chain(main(NARROW)).chain(others) {
        if chosen.iter().any(|other| other.index == column.index) {
            continue;
        }
        chosen.push(ShownColumn { floor: floor.min(available.max(1)), ..*column });
        if chosen.len() > 1 && line_width(&chosen, 0) > available {
            chosen.pop();
        }
    }
    chosen
}

/// Returns the largest limit up to `available` for which `fits` is true; 0 if there is none.
fn widest(available: usize, fits: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, available);
    while low < high {
        let middle = high - (high - low) / 2;
        if fits(middle) { low = middle } else { high = middle - 1 }
    }
    low
}

/// The rank of a column, in the order in which columns are selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// A main column of a known table, by its position among these.
    Main(usize),
    /// A column that the query computes.
    Made,
    /// Another column of the known table.
    Other,
}

/// Returns the rank of each column. The ranks differ only for rows of a known table.
fn ranks(schema: &Schema) -> Vec<Rank> {
    let shared = |table: &&KnownTable| table.schema.names().filter(|name| schema.index_of(name).is_some()).count();
    let table = known_tables().max_by_key(|table| (shared(table), !table.by_name));
    let table = table.filter(|table| shared(table) * 2 >= table.schema.len());
    let Some(table) = table else { return vec![Rank::Made; schema.len()] };
    let rank = |field: &Field| match table.main.iter().position(|name| *name == field.name) {
        Some(position) => Rank::Main(position),
        None if table.schema.index_of(&field.name).is_some() => Rank::Other,
        None => Rank::Made,
    };
    schema.fields().iter().map(rank).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entra::known_table;
    use crate::types::Type;

    fn extent(width: usize) -> Extent {
        Extent { width, cuttable: true, empty: false }
    }

    fn fitted(columns: &[Extent], available: usize) -> Vec<Option<usize>> {
        let schema = Schema::new((0..columns.len()).map(|index| Field::new(format!("c{index}"), Type::String)));
        fit(&schema, columns, available)
    }

    #[test]
    fn everything_is_shown_whole_while_there_is_room() {
        assert_eq!(fitted(&[extent(5), extent(40), extent(0)], 49), [Some(5), Some(40), Some(0)]);
        assert_eq!(fitted(&[extent(70_000)], 120), [Some(120)]);
        assert_eq!(fitted(&[], 120), []);
    }

    #[test]
    fn columns_without_values_go_first() {
        let empty = Extent { empty: true, ..extent(10) };
        assert_eq!(fitted(&[empty, extent(20), empty, extent(20)], 50), [None, Some(20), None, Some(20)]);
        assert_eq!(fitted(&[empty, extent(5)], 17), [Some(10), Some(5)]);
        assert_eq!(fitted(&[empty, empty], 12), [Some(10), None]);
    }

    #[test]
    fn long_texts_share_what_numbers_and_times_leave() {
        let time = Extent { cuttable: false, ..extent(28) };
        assert_eq!(fitted(&[time, extent(100), extent(20), extent(90)], 120), [Some(28), Some(33), Some(20), Some(33)]);
        assert_eq!(fitted(&[time, extent(100)], 20), [Some(28), None]);
        assert_eq!(fitted(&[extent(30), extent(30)], 47), [Some(23), Some(22)]);
    }

    #[test]
    fn the_main_columns_of_a_table_are_shown_first() {
        let table = known_table("SigninLogs").expect("known");
        let names = table.schema.names().chain(["Added"]);
        let schema = Schema::new(names.map(|name| Field::new(name, Type::String)));
        let columns = vec![extent(20); schema.len()];
        let widths = fit(&schema, &columns, 120);
        let shown: Vec<&str> =
            schema.names().zip(&widths).filter(|(_, width)| width.is_some()).map(|(name, _)| name).collect();
        assert_eq!(shown, ["TimeGenerated", "ResultType", "AppDisplayName", "IPAddress", "UserPrincipalName"]);
        let widths = fit(&schema, &columns, 108 + 2 + NARROW);
        let name = schema.index_of("Location").expect("a column");
        assert_eq!(widths[name], Some(NARROW), "rather cut than without it");
        let widths = fit(&schema, &columns, 22 * (table.main.len() + 1));
        assert!(widths.last().is_some_and(Option::is_some), "what the query added comes before the rest of the table");
    }
}
