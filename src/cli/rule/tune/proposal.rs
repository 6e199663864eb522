//! Searches conditions that all false positives and no true positives fulfil.
//!
//! A condition is a few values that a row has in different columns. Of all that hold for a false positive and for no
//! true positive, the one is chosen that holds for the most false positives, then for the fewest other rows.

/// The maximum number of values in a condition.
const MAX_VALUES: usize = 3;
/// The maximum number of equally good conditions whose other rows are counted.
const MAX_TIES: usize = 2_000;
/// The maximum number of columns that are combined.
const MAX_COLUMNS: usize = 48;

/// The number of a value in its column; 0 for an empty one, which no condition uses.
pub(super) type ValueCode = u32;

/// A column and the value that it must have.
pub(super) type ColumnValue = (usize, ValueCode);

/// Rows and their labels.
pub(super) struct TuningRows<'a> {
    /// For each row, its values.
    pub rows: &'a [Vec<ValueCode>],
    /// True for rows to remove.
    pub is_false: &'a [bool],
    /// True for rows to keep.
    pub is_true: &'a [bool],
}

/// Conditions, each of which removes rows.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Proposal {
    /// The values of each condition, in the order of the columns.
    pub conditions: Vec<Vec<ColumnValue>>,
    /// The number of rows that fulfil any of them.
    pub removed: usize,
}

/// Returns conditions that all false positives fulfil; the error is one that has the values of a true positive.
pub(super) fn propose(rows: &TuningRows<'_>) -> Result<Proposal, usize> {
    let mut left: Vec<usize> = (0..rows.rows.len()).filter(|row| rows.is_false[*row]).collect();
    let mut conditions = Vec::new();
    while let Some(first) = left.first().copied() {
        let Some(condition) = best(rows, first, &left) else { return Err(first) };
        left.retain(|row| !holds(&condition, &rows.rows[*row]));
        conditions.push(condition);
    }
    let is_removed = |row: &&Vec<ValueCode>| conditions.iter().any(|condition| holds(condition, row));
    let removed = rows.rows.iter().filter(is_removed).count();
    Ok(Proposal { conditions, removed })
}

fn holds(condition: &[ColumnValue], row: &[ValueCode]) -> bool {
    condition.iter().all(|(column, value)| row[*column] == *value)
}

/// The best condition that holds for the false positive `first`; `left` are those that no other condition removes.
fn best(rows: &TuningRows<'_>, first: usize, left: &[usize]) -> Option<Vec<ColumnValue>> {
    let values = rows.rows[first].iter().copied().enumerate().filter(|(_, value)| *value != 0);
    let values: Vec<ColumnValue> = values.take(MAX_COLUMNS).collect();
    let to_keep: Vec<&Vec<ValueCode>> =
        rows.rows.iter().zip(rows.is_true).filter(|(_, is_true)| **is_true).map(|(row, _)| row).collect();
    let mut best: (usize, Vec<Vec<ColumnValue>>) = (0, Vec::new());
    for condition in combinations(&values) {
        if to_keep.iter().any(|row| holds(&condition, row)) {
            continue;
        }
        let covered = left.iter().filter(|row| holds(&condition, &rows.rows[**row])).count();
        match covered.cmp(&best.0) {
            std::cmp::Ordering::Greater => best = (covered, vec![condition]),
            std::cmp::Ordering::Equal if best.1.len() < MAX_TIES => best.1.push(condition),
            _ => {}
        }
    }
    let others = |condition: &Vec<ColumnValue>| rows.rows.iter().filter(|row| holds(condition, row)).count();
    best.1.into_iter().min_by_key(|condition| (others(condition), condition.len()))
}

/// All sets of up to [`MAX_VALUES`] of these values, small ones first.
fn combinations(values: &[ColumnValue]) -> Vec<Vec<ColumnValue>> {
    let mut all: Vec<Vec<ColumnValue>> = Vec::new();
    let mut last: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in 0..MAX_VALUES {
        let longer = |indices: &Vec<usize>| {
            let next = indices.last().map_or(0, |last| last + 1);
            (next..values.len()).map(|index| [indices.as_slice(), &[index]].concat()).collect::<Vec<_>>()
        };
        last = last.iter().flat_map(longer).collect();
        all.extend(last.iter().map(|indices| indices.iter().map(|index| values[*index]).collect()));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::{ColumnValue, TuningRows, propose};

    /// Conditions and the number of rows that they remove.
    type TestedProposal = (Vec<Vec<ColumnValue>>, usize);

    /// The conditions and the number of removed rows for rows labelled `f`, `t` or `-`.
    fn proposal(rows: &[(char, [u32; 3])]) -> Result<TestedProposal, usize> {
        let values: Vec<Vec<u32>> = rows.iter().map(|(_, row)| row.to_vec()).collect();
        let labelled = |label: char| rows.iter().map(|(own, _)| *own == label).collect::<Vec<bool>>();
        let (is_false, is_true) = (labelled('f'), labelled('t'));
        let found = propose(&TuningRows { rows: &values, is_false: &is_false, is_true: &is_true })?;
        Ok((found.conditions, found.removed))
    }

    #[test]
    fn conditions_hold_for_all_false_positives_and_no_true_ones() {
        // One value tells them apart.
        assert_eq!(proposal(&[('f', [1, 2, 3]), ('t', [1, 4, 3])]), Ok((vec![vec![(1, 2)]], 1)));
        // Only two values together do.
        let rows = [('f', [1, 2, 0]), ('t', [1, 3, 0]), ('t', [4, 2, 0])];
        assert_eq!(proposal(&rows), Ok((vec![vec![(0, 1), (1, 2)]], 1)));
        // One condition for both of them, that of the fewest other rows.
        let rows = [('f', [1, 2, 7]), ('f', [1, 2, 8]), ('-', [1, 5, 9]), ('-', [1, 5, 9]), ('t', [3, 4, 9])];
        assert_eq!(proposal(&rows), Ok((vec![vec![(1, 2)]], 2)));
        // Two conditions, if they have nothing in common.
        let rows = [('f', [1, 2, 0]), ('f', [3, 4, 0]), ('t', [5, 6, 0])];
        assert_eq!(proposal(&rows), Ok((vec![vec![(0, 1)], vec![(0, 3)]], 2)));
        // Without labelled true positives, others that fulfil the condition are counted.
        assert_eq!(proposal(&[('f', [1, 0, 0]), ('-', [1, 0, 0])]), Ok((vec![vec![(0, 1)]], 2)));
    }

    #[test]
    fn false_positives_like_true_ones_are_refused() {
        assert_eq!(proposal(&[('t', [1, 2, 3]), ('f', [1, 2, 3])]), Err(1));
        assert_eq!(proposal(&[('t', [1, 2, 3]), ('f', [1, 0, 0])]), Err(1));
        assert_eq!(proposal(&[('f', [0, 0, 0])]), Err(0));
    }
}
