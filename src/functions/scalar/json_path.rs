//! JSONPath, as far as KQL supports it: `$.a.b`, `$['a b']`, `$.a[0]`.
//! Source: the reference's page on JSONPath; no wildcards, recursion, unions or slices.

use crate::types::dynamic::Step;

/// Maximum number of steps in a path; a longer string is not a path.
const MOST_STEPS: usize = 64;

/// Parses a path into steps; None if the string is not a path.
#[must_use]
pub fn parse(text: &str) -> Option<Vec<Step>> {
    let mut rest = text.trim().strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        let (step, after) = step(rest)?;
        steps.push(step);
        rest = after;
    }
    (steps.len() <= MOST_STEPS).then_some(steps)
}

fn step(text: &str) -> Option<(Step, &str)> {
    if let Some(name) = text.strip_prefix('.') {
        let end = name.find(['.', '[']).unwrap_or(name.len());
        let plain = end > 0 && !name[..end].contains(['*', ']', '\'', '"']);
        return plain.then(|| (Step::Member(name[..end].to_owned()), &name[end..]));
    }
    let inner = text.strip_prefix('[')?;
    for quote in ['\'', '"'] {
        if let Some(quoted) = inner.strip_prefix(quote) {
            let (key, after) = quoted.split_once(quote)?;
            return Some((Step::Member(key.to_owned()), after.strip_prefix(']')?));
        }
    }
    let (index, after) = inner.split_once(']')?;
    let index = index.parse::<u32>().ok()?;
    Some((Step::Index(i64::from(index)), after))
}

/// Returns the keys of a path that leads through bags. A string that does not start with `$` is the only key itself.
/// None for a path with an index, and for the path to the root.
#[must_use]
pub fn keys(text: &str) -> Option<Vec<String>> {
    if !text.starts_with('$') {
        return Some(vec![text.to_owned()]);
    }
    let steps = parse(text)?;
    let keys: Option<Vec<_>> = steps
        .into_iter()
        .map(|step| match step {
            Step::Member(key) => Some(key),
            Step::Index(_) => None,
        })
        .collect();
    keys.filter(|keys| !keys.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{keys, parse};
    use crate::types::dynamic::Step;

    #[test]
    fn paths() {
        let member = |name: &str| Step::Member(name.to_owned());
        assert_eq!(parse("$"), Some(vec![]));
        assert_eq!(parse("$.a.b"), Some(vec![member("a"), member("b")]));
        assert_eq!(parse("$.a[0]['b c']"), Some(vec![member("a"), Step::Index(0), member("b c")]));
        for text in ["", "a", "$a", "$.", "$..a", "$.*", "$[*]", "$[", "$['a", "$['a'", "$[-1]", "$[0:1]", "$.a]"] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse(&format!("${}", ".a".repeat(65))), None);
    }

    #[test]
    fn keys_name_entries_of_bags() {
        assert_eq!(keys("a.b"), Some(vec!["a.b".to_owned()]));
        assert_eq!(keys("$.a.b"), Some(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(keys("$"), None);
        assert_eq!(keys("$.a[0]"), None);
    }
}
