//! Binds `project-away`, `project-keep`, `project-rename` and `project-reorder`, which select and rename columns.

use std::cmp::Ordering;
use std::collections::HashSet;

use super::project::identity;
use crate::binder::{Bind, Binder};
use crate::diagnostic::{Code, Diagnostic};
use crate::plan::LogicalPlan;
use crate::syntax::ast::{Assignment, ColumnPattern, ParsedExprKind, ReorderItem, ReorderOrder};
use crate::types::Schema;

impl Binder<'_> {
    pub(super) fn project_away(&mut self, input: LogicalPlan, patterns: &[ColumnPattern]) -> Bind<LogicalPlan> {
        let away: HashSet<usize> = self.matches(patterns, input.schema())?.into_iter().collect();
        let kept: Vec<usize> = (0..input.schema().len()).filter(|index| !away.contains(index)).collect();
        Ok(pick(input, &kept))
    }

    pub(super) fn project_keep(&mut self, input: LogicalPlan, patterns: &[ColumnPattern]) -> Bind<LogicalPlan> {
        let mut kept = self.matches(patterns, input.schema())?;
        kept.sort_unstable();
        Ok(pick(input, &kept))
    }

    pub(super) fn project_rename(&mut self, input: LogicalPlan, items: &[Assignment]) -> Bind<LogicalPlan> {
        let schema = input.schema().clone();
        let mut columns = identity(&schema);
        for item in items {
            let ([new], ParsedExprKind::Name(old)) = (item.names.as_slice(), &item.value.kind) else {
                return self.error(Code::InvalidValue, item.value.span, "project-rename takes `new_name = old_name`");
            };
            match schema.index_of(&old.text) {
                Some(index) => columns[index].0.clone_from(&new.text),
                None => return Err(self.unknown_column(old, &schema)),
            }
            // A name of the input is taken, also if its column gets another name.
            let written = columns.iter().filter(|(name, _)| *name == new.text).count();
            if schema.index_of(&new.text).is_some() || written > 1 {
                return Err(self.duplicate_column(new));
            }
        }
        Ok(input.project(columns))
    }

    pub(super) fn project_reorder(&mut self, input: LogicalPlan, items: &[ReorderItem]) -> Bind<LogicalPlan> {
        let schema = input.schema().clone();
        let mut order = Vec::new();
        for item in items {
            let mut found = self.matches(std::slice::from_ref(&item.pattern), &schema)?;
            found.retain(|index| !order.contains(index));
            if let Some(by) = item.order {
                found.sort_by(|a, b| compare(&schema.field(*a).name, &schema.field(*b).name, by));
            }
            order.extend(found);
        }
        order.extend((0..schema.len()).filter(|index| !order.contains(index)).collect::<Vec<_>>());
        Ok(pick(input, &order))
    }

    /// Returns the positions of the columns that match the patterns, in the order of the patterns, without
    /// duplicates.
    fn matches(&mut self, patterns: &[ColumnPattern], schema: &Schema) -> Bind<Vec<usize>> {
        let found = self.all(patterns, |binder, pattern| {
            if pattern.wildcard {
                let hits = schema.names().enumerate().filter(|(_, name)| wildcard(&pattern.name.text, name));
                return Ok(hits.map(|(index, _)| index).collect());
            }
            match schema.index_of(&pattern.name.text) {
                Some(index) => Ok(vec![index]),
                None => {
                    binder.miss(&pattern.name.text);
                    let message = format!("unknown column `{}`", pattern.name.text);
                    let diagnostic = Diagnostic::new(Code::UnknownColumn, pattern.name.span, message);
                    Err(binder.report(diagnostic.suggest(&pattern.name.text, schema.names())))
                }
            }
        })?;
        let mut unique = Vec::new();
        for index in found.into_iter().flatten() {
            if !unique.contains(&index) {
                unique.push(index);
            }
        }
        Ok(unique)
    }
}

pub(super) fn pick(input: LogicalPlan, columns: &[usize]) -> LogicalPlan {
    let all = identity(input.schema());
    let picked: Vec<_> = columns.iter().map(|index| all[*index].clone()).collect();
    input.project(picked)
}

/// True if `name` matches `pattern`, in which each `*` matches any characters.
pub(in crate::binder) fn wildcard(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or("");
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// Compares two names as `project-reorder` does, ignoring case. Source: the published analyzer.
fn compare(a: &str, b: &str, order: ReorderOrder) -> Ordering {
    match order {
        ReorderOrder::Ascending => by_characters(a, b),
        ReorderOrder::Descending => by_characters(b, a),
        ReorderOrder::GrannyAscending => by_numbers(a, b),
        ReorderOrder::GrannyDescending => by_numbers(b, a),
    }
}

fn by_characters(a: &str, b: &str) -> Ordering {
    a.chars().map(upper).cmp(b.chars().map(upper))
}

/// Returns the character in upper case, or the character itself if that would be several characters.
fn upper(c: char) -> char {
    let mut upper = c.to_uppercase();
    upper.next().filter(|_| upper.next().is_none()).unwrap_or(c)
}

/// Compares two names in natural order: runs of digits are compared by length and then by value, all else character
/// by character.
fn by_numbers(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let digits = |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (in_a, in_b) = (digits(a), digits(b));
        let order = if in_a > 0 && in_b > 0 {
            let (left, right) = (&a[..in_a], &b[..in_b]);
            (a, b) = (&a[in_a..], &b[in_b..]);
            left.len().cmp(&right.len()).then_with(|| left.cmp(right))
        } else {
            let (mut left, mut right) = (a.chars(), b.chars());
            let order = left.next().map(upper).cmp(&right.next().map(upper));
            (a, b) = (left.as_str(), right.as_str());
            order
        };
        if order.is_ne() || (a.is_empty() && b.is_empty()) {
            return order;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{by_numbers, wildcard};
    use std::cmp::Ordering;

    #[test]
    fn patterns() {
        let cases = [
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a*c", "abc", true),
            ("a*c", "ac", true),
            ("*", "", true),
            ("a*b*c", "a1b2c", true),
            ("a*b*c", "a1c2b", false),
            ("abc", "abcd", false),
            ("a*a", "a", false),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(wildcard(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn granny_order() {
        assert_eq!(by_numbers("a2", "a10"), Ordering::Less);
        assert_eq!(by_numbers("a10b", "a10a"), Ordering::Greater);
        assert_eq!(by_numbers("a", "a"), Ordering::Equal);
        assert_eq!(by_numbers("a", "ab"), Ordering::Less);
    }
}
