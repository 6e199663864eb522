//! Parses the times of exports: those that Kusto reads, and those in other notations of ISO 8601.

use crate::types::datetime;

/// Returns the ticks of a time that Kusto reads, or of a time such as `20260302T090743Z` or `2026-03-02T09:07:43,5Z`;
/// None for other strings.
pub(crate) fn parse_export_time(text: &str) -> Option<i64> {
    // Dates alone are left to Kusto: any number of eight digits looks like one in the basic format.
    datetime::parse(text).or_else(|| datetime::parse_iso8601(text).filter(|_| text.contains(['T', 't'])))
}

#[cfg(test)]
mod tests {
    use super::parse_export_time;
    use crate::types::datetime;

    #[test]
    fn the_basic_format_and_commas_are_read() {
        for (text, time) in [
            ("20260302T090743Z", "2026-03-02T09:07:43.0000000Z"),
            ("20260302T090743.25Z", "2026-03-02T09:07:43.2500000Z"),
            ("2026-03-02T09:07:43,5Z", "2026-03-02T09:07:43.5000000Z"),
            ("20260302T100743,5+01:00", "2026-03-02T09:07:43.5000000Z"),
        ] {
            assert_eq!(parse_export_time(text).map(datetime::to_text).as_deref(), Some(time), "{text}");
        }
        for text in ["20260302T", "T", "Mar 2, 2026 @ 09:07:43.500", "a,b", "é,T"] {
            assert_eq!(parse_export_time(text), None, "{text}");
        }
    }
}
