//! Determines whether the last row of a file is whole if no line end follows it. Many tools never write the last line
//! end, but truncated files have none either, so the other values of the last column decide.

use std::collections::BTreeSet;
use std::ops::Bound;

/// Maximum number of different values that are kept.
const MAX_VALUES: usize = 1_000;
/// Maximum length in bytes of a value that is kept.
const MAX_VALUE_BYTES: usize = 64;

/// A value of at least this length in bytes is whole if all others have the same length, as identifiers and times do.
const MIN_FIXED_BYTES: usize = 8;

/// The values of the last column of a file.
#[derive(Debug, Default)]
pub(super) struct LastColumn {
    /// The value of the last row; None before the first row.
    last: Option<String>,
    /// True if the row before the last one has the same value as the last one.
    is_repeated: bool,
    /// The values of the rows before the last one.
    before: KnownValues,
    /// The shortest and the longest length of these values, in bytes.
    lengths: Option<(usize, usize)>,
}

/// A set of values; None once there are too many, or one is too long.
#[derive(Debug)]
struct KnownValues(Option<BTreeSet<String>>);

impl Default for KnownValues {
    fn default() -> Self {
        Self(Some(BTreeSet::new()))
    }
}

impl KnownValues {
    fn add(&mut self, value: String) {
        let Some(values) = &mut self.0 else { return };
        if values.len() == MAX_VALUES || value.len() > MAX_VALUE_BYTES {
            self.0 = None;
        } else {
            values.insert(value);
        }
    }

    /// True if `value` is one of the values, and not the beginning of another one.
    fn proves(&self, value: &str) -> bool {
        let Some(values) = &self.0 else { return false };
        let mut from = values.range::<str, _>((Bound::Included(value), Bound::Unbounded));
        from.next().is_some_and(|first| first == value) && from.next().is_none_or(|next| !next.starts_with(value))
    }
}

impl LastColumn {
    /// Adds the value of the next row.
    pub(super) fn add(&mut self, value: &str) {
        let is_same = self.last.as_deref() == Some(value);
        if is_same && self.is_repeated {
            return;
        }
        self.is_repeated = is_same;
        if let Some(last) = self.last.replace(value.to_owned()) {
            let (shortest, longest) = self.lengths.unwrap_or((last.len(), last.len()));
            self.lengths = Some((shortest.min(last.len()), longest.max(last.len())));
            self.before.add(last);
        }
    }

    /// True if the rows before the last one prove that its value is whole.
    pub(super) fn is_last_whole(&self) -> bool {
        let Some(last) = &self.last else { return false };
        let is_fixed = last.len() >= MIN_FIXED_BYTES && self.lengths == Some((last.len(), last.len()));
        is_fixed || self.before.proves(last)
    }
}

#[cfg(test)]
mod tests {
    use super::LastColumn;

    #[test]
    fn values_before_prove_that_the_last_is_whole() {
        for (values, expected) in [
            (&[][..], false),
            (&["SigninLogs"], false),
            (&["SigninLogs", "SigninLogs"], true),
            (&["SigninLogs", "SigninLogs", "SigninLogs"], true),
            (&["SigninLogs", "SigninLo"], false),
            (&["0", "50126", "50126"], true),
            (&["SigninLogs", "AuditLogs", "SigninLogs"], true),
            (&["a", "b", "a", "abc", "a"], false),
            (&["true", "false", "true"], true),
            (&["", ""], true),
            (&["", "a", ""], false),
            (&["2026-03-02T09:07:43Z", "2026-03-02T09:07:44Z"], true),
            (&["2026-03-02T09:07:43Z", "2026-03-02T09:07:4"], false),
            (&["0", "5"], false),
        ] {
            let mut column = LastColumn::default();
            values.iter().for_each(|value| column.add(value));
            assert_eq!(column.is_last_whole(), expected, "{values:?}");
        }
    }

    #[test]
    fn any_number_of_values_is_bounded() {
        let mut column = LastColumn::default();
        (0..10_000).for_each(|value| column.add(&value.to_string()));
        column.add("77");
        assert!(!column.is_last_whole() && column.before.0.is_none());
    }
}
