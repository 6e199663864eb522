//! Finds the name most similar to a misspelt one.

/// Returns the candidate that `wrong` most likely means: one that is equal except for case, or whose edit distance is
/// at most a third of the length of `wrong`. None if no candidate is that similar, because a far-fetched suggestion is
/// worse than none.
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

/// True if a candidate differs from `wrong` only by a typing mistake: in case, or by an edit distance of at most two.
#[must_use]
pub fn is_misspelt<'a>(wrong: &str, candidates: impl IntoIterator<Item = &'a str>) -> bool {
    const MAX_DISTANCE: usize = 2;
    let is_near =
        |name: &str| name.eq_ignore_ascii_case(wrong) || strsim::damerau_levenshtein(wrong, name) <= MAX_DISTANCE;
    candidates.into_iter().any(is_near)
}

#[cfg(test)]
mod tests {
    use super::{is_misspelt, suggest};

    #[test]
    fn near_names_only() {
        let names = ["UserPrincipalName", "UserId", "IPAddress"];
        assert_eq!(suggest("UserPrincipelName", names), Some("UserPrincipalName"));
        assert_eq!(suggest("userid", names), Some("UserId"));
        assert_eq!(suggest("Location", names), None);
    }

    #[test]
    fn typing_mistakes_are_told_from_other_names() {
        let names = ["SigninLogs", "SecurityAlert"];
        for (name, misspelt) in
            [("SigninLog", true), ("signinlogs", true), ("SginiinLogs", true), ("SecurityEvent", false)]
        {
            assert_eq!(is_misspelt(name, names), misspelt, "{name}");
        }
    }
}
