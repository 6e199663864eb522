//! The meaning of the result codes of sign-ins.

/// For each code, a line with the value of `ResultType` and its meaning.
static DATA: &str = include_str!("result_codes.tsv");

/// Returns the meaning of a value of `ResultType`; None if the code is not in the list. A prefix `AADSTS` is ignored.
#[must_use]
pub fn meaning(code: &str) -> Option<&'static str> {
    let code = code.trim_ascii();
    let prefix = code.get(..6).filter(|prefix| prefix.eq_ignore_ascii_case("AADSTS"));
    let number = &code[prefix.map_or(0, str::len)..];
    let mut lines = DATA.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('\t'));
    lines.find(|(own, _)| *own == number).map(|(_, meaning)| meaning)
}

#[cfg(test)]
mod tests {
    use super::{DATA, meaning};

    #[test]
    fn codes_are_listed_once_and_in_order() {
        let lines: Vec<_> = DATA.lines().filter(|line| !line.starts_with('#')).collect();
        let code = |line: &&str| line.split_once('\t').and_then(|(code, _)| code.parse::<u64>().ok());
        assert!(lines.len() > 100 && lines.is_sorted_by(|a, b| code(a).is_some() && code(a) < code(b)));
        assert!(lines.iter().all(|line| line.ends_with('.') && line.matches('\t').count() == 1));
    }

    #[test]
    fn a_code_has_its_meaning_with_and_without_a_prefix() {
        assert!(meaning("50126").is_some_and(|text| text.contains("password is wrong")));
        assert_eq!(meaning(" aadsts50126"), meaning("50126"));
        assert_eq!((meaning("1"), meaning(""), meaning("AADSTS"), meaning("5012")), (None, None, None, None));
    }
}
