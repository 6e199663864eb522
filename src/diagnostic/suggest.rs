//! Finds the name most similar to a misspelt one.

/// Returns the candidate most likely meant by `wrong`: equal except for case, or within an edit distance of a third of
/// its length. None if nothing is similar: a far-fetched suggestion is worse than none.
#[must_use]
pub fn suggest<'a>(wrong: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (wrong.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|name| {
            let same = name.eq_ignore_ascii_case(wrong);
            (if same { 0 } else { strsim::damerau_levenshtein(wrong, name) }, name)
        })
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::suggest;

    #[test]
    fn near_names_only() {
        let names = ["UserPrincipalName", "UserId", "IPAddress"];
        assert_eq!(suggest("UserPrincipelName", names), Some("UserPrincipalName"));
        assert_eq!(suggest("userid", names), Some("UserId"));
        assert_eq!(suggest("Location", names), None);
    }
}
