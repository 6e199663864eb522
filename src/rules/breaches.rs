//! Metric measurements: log search alert rules of API version 2018-04-16 that count how often a value violates a threshold.
//!
//! The query of such a rule returns a row for each bin of time, and for each value of the columns by which alerts are
//! apart. A row whose `AggregatedValue` violates the threshold is a breach, and the number of breaches is compared with a
//! threshold of its own: of all in the window, or of those in a row.
//!
//! Sources: Microsoft's page on log alerts of 2019 and the reference of API version 2018-04-16. The service does not
//! document what a bin without rows means; here it is no breach, so that it ends a sequence of them.

use super::ThresholdOperator;
use crate::syntax::{TokenKind, tokens};
use crate::types::timespan;

/// The column that the query of a metric measurement returns.
pub const AGGREGATED_VALUE: &str = "AggregatedValue";

/// When a row is a breach, and which breaches count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BreachCount {
    /// How [`AGGREGATED_VALUE`] is compared.
    pub operator: ThresholdOperator,
    /// The value to compare with.
    pub threshold: f64,
    /// The length of a bin, if only the longest sequence of breaches in adjacent bins counts; None if all breaches count.
    pub adjacent: Option<i64>,
}

impl BreachCount {
    /// The number of breaches among rows, of each of which the time of its bin and its value are given.
    #[must_use]
    pub fn of(&self, rows: &[(Option<i64>, f64)]) -> usize {
        let breaches = rows.iter().filter(|(_, value)| self.operator.holds(*value, self.threshold));
        let Some(length) = self.adjacent else { return breaches.count() };
        let mut bins: Vec<i64> = breaches.filter_map(|(bin, _)| *bin).collect();
        bins.sort_unstable();
        bins.dedup();
        bins.chunk_by(|bin, next| next.saturating_sub(*bin) == length).map(<[i64]>::len).max().unwrap_or(0)
    }
}

/// The length of the bins of time in a query, in ticks; None unless all calls of `bin` with a timespan have the same
/// literal.
pub(super) fn bin_length(query: &str) -> Option<i64> {
    let tokens = tokens(query);
    let mut lengths = Vec::new();
    for start in (1..tokens.len()).filter(|at| tokens[*at].is_symbol("(") && tokens[*at - 1].is_word("bin")) {
        let mut depth = 0_usize;
        let end = (start..tokens.len()).find(|at| {
            match tokens[*at].text {
                "(" => depth += 1,
                ")" => depth -= 1,
                _ => {}
            }
            depth == 0
        })?;
        let last = tokens[end - 1];
        let is_alone = tokens[end - 2].is_symbol(",");
        match last.kind {
            TokenKind::Timespan if is_alone => lengths.push(timespan::parse_unit(last.text)?),
            TokenKind::Long | TokenKind::Real if is_alone => {}
            _ => return None,
        }
    }
    lengths.dedup();
    <[i64; 1]>::try_from(lengths).ok().map(|[length]| length)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 600_000_000;

    #[test]
    fn breaches_count_together_or_in_a_row() {
        // Values by the minute of their bin; the threshold is 5, and bins have five minutes.
        type Case<'a> = (&'a [(i64, f64)], usize, usize);
        let cases: &[Case<'_>] = &[
            (&[], 0, 0),
            (&[(0, 5.0)], 0, 0),
            (&[(0, 6.0)], 1, 1),
            (&[(0, 6.0), (5, 7.0), (10, 1.0), (15, 9.0)], 3, 2),
            (&[(15, 9.0), (5, 7.0), (0, 6.0), (10, 6.0)], 4, 4),
            (&[(0, 6.0), (10, 6.0), (20, 6.0)], 3, 1),
            (&[(0, 6.0), (0, 8.0), (5, 6.0)], 3, 2),
        ];
        for (values, all, in_a_row) in cases {
            let rows: Vec<_> = values.iter().map(|(minute, value)| (Some(minute * MINUTE), *value)).collect();
            let of = |adjacent| BreachCount { operator: ThresholdOperator::GreaterThan, threshold: 5.0, adjacent };
            assert_eq!(of(None).of(&rows), *all, "{values:?}");
            assert_eq!(of(Some(5 * MINUTE)).of(&rows), *in_a_row, "{values:?}");
        }
        let below = BreachCount { operator: ThresholdOperator::LessThan, threshold: 5.0, adjacent: Some(MINUTE) };
        assert_eq!(below.of(&[(None, 1.0), (Some(0), 1.0), (Some(MINUTE), 9.0)]), 1);
    }

    #[test]
    fn lengths_of_bins_are_literals() {
        let cases = [
            ("T | summarize AggregatedValue = count() by bin(TimeGenerated, 5m), User", Some(5 * MINUTE)),
            ("T | summarize V = count() by bin(coalesce(A, B), 1h), bin(Number, 10)", Some(60 * MINUTE)),
            ("T | summarize V = count() by bin(A, 1h) | summarize max(V) by bin(A, 1h)", Some(60 * MINUTE)),
            ("T | summarize V = count() by bin(A, 5m) | summarize max(V) by bin(A, 1h)", None),
            ("let b = 5m; T | summarize V = count() by bin(TimeGenerated, b)", None),
            ("T | summarize V = count() by bin(TimeGenerated, 2 * 5m)", None),
            ("T | summarize V = count() by bin(TimeGenerated, -5m)", None),
            ("T | summarize V = count() by bin(TimeGenerated, 5m", None),
            ("T | summarize V = count() by bin()", None),
            ("T | summarize V = count() by User", None),
        ];
        for (query, expected) in cases {
            assert_eq!(bin_length(query), expected, "{query}");
        }
    }
}
