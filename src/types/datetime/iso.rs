//! A strict parser for datetimes of ISO 8601 and RFC 3339. It is for command-line arguments and rule files, where it
//! would be wrong to guess the order of day and month.

use super::parse::parse;

/// Parses a date, or a date and a time, of ISO 8601 or RFC 3339 and returns its ticks: `2026-03-01`,
/// `2026-03-01T09:00:00+01:00`, `20260301T090000Z`. The year comes first and has four digits. Offsets are applied;
/// without an offset the time is UTC. None for any other spelling, such as `1.3.2026`, whose order of day and month is
/// ambiguous.
#[must_use]
pub fn parse_iso8601(text: &str) -> Option<i64> {
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let extended = is_like(date, "0000-00-00");
    if !extended && !is_like(date, "00000000") {
        return None;
    }
    let date = if extended { date.replace('-', "") } else { date.to_owned() };
    let date = format!("{}-{}-{}", &date[..4], &date[4..6], &date[6..]);
    match time {
        None => parse(&date),
        Some(time) => parse(&format!("{date}T{}", clock(time, extended)?)),
    }
}

/// Converts the time of day and its offset to a form that [`parse`] reads; None if it is not written in the same form
/// (extended, with colons, or basic) as the date.
fn clock(text: &str, extended: bool) -> Option<String> {
    let end = text.find(['Z', 'z', '+', '-']).unwrap_or(text.len());
    let (time, zone) = text.split_at(end);
    let (whole, fraction) = match time.split_once(['.', ',']) {
        Some((whole, digits)) if is_digits(digits) => (whole, format!(".{digits}")),
        Some(_) => return None,
        None => (time, String::new()),
    };
    let forms = if extended { ["00:00:00", "00:00"] } else { ["000000", "0000"] };
    let form = forms.into_iter().position(|form| is_like(whole, form))?;
    // Only seconds may have a fraction.
    if form == 1 && !fraction.is_empty() {
        return None;
    }
    let digits: String = whole.chars().filter(|c| *c != ':').collect();
    let seconds = if form == 0 { &digits[4..] } else { "00" };
    Some(format!("{}:{}:{seconds}{fraction}{}", &digits[..2], &digits[2..4], offset(zone)?))
}

/// Converts `Z`, `+hh:mm`, `+hhmm`, `+hh` or an empty zone to a form that [`parse`] reads; None for any other.
fn offset(zone: &str) -> Option<&str> {
    let digits = zone.strip_prefix(['+', '-']).unwrap_or("");
    match zone {
        "" | "Z" | "z" => Some("Z"),
        _ => ["00:00", "0000", "00"].into_iter().any(|form| is_like(digits, form)).then_some(zone),
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// True if `text` has a digit at every `0` of `form` and the same byte everywhere else.
fn is_like(text: &str, form: &str) -> bool {
    let same = |(byte, wanted): (u8, u8)| if wanted == b'0' { byte.is_ascii_digit() } else { byte == wanted };
    text.len() == form.len() && text.bytes().zip(form.bytes()).all(same)
}

#[cfg(test)]
mod tests {
    use super::{super::to_text, parse_iso8601};

    #[test]
    fn standard_spellings() {
        for (text, wanted) in [
            ("2026-03-01", "2026-03-01T00:00:00.0000000Z"),
            ("20260301", "2026-03-01T00:00:00.0000000Z"),
            ("2026-03-01T09:30", "2026-03-01T09:30:00.0000000Z"),
            ("2026-03-01 09:30:05", "2026-03-01T09:30:05.0000000Z"),
            ("2026-03-01t09:30:05.25z", "2026-03-01T09:30:05.2500000Z"),
            ("2026-03-01T09:30:05+01:00", "2026-03-01T08:30:05.0000000Z"),
            ("2026-03-01T09:30:05-0530", "2026-03-01T15:00:05.0000000Z"),
            ("2026-03-01T09:30+02", "2026-03-01T07:30:00.0000000Z"),
            ("20260301T093005Z", "2026-03-01T09:30:05.0000000Z"),
            ("20260301T0930", "2026-03-01T09:30:00.0000000Z"),
        ] {
            assert_eq!(parse_iso8601(text).map(to_text).as_deref(), Some(wanted), "{text}");
        }
    }

    #[test]
    fn nothing_is_guessed() {
        for text in [
            "",
            "1.3.2026",
            "01/03/2026",
            "2026/03/01",
            "3 Mar 2026",
            "2026-3-1",
            "2026-03",
            "2026",
            "01-03-2026",
            "26-03-01",
            "2026-02-30",
            "2026-03-01T",
            "2026-03-01T25:00",
            "2026-03-01T9:00",
            "2026-03-01T09",
            "2026-03-01T09:00 PM",
            "2026-03-01 09:00 EST",
            "2026-03-01T0900",
            "20260301T09:00",
            "1772434692",
            "/Date(1772434692000)/",
            "2026-03-01T09:00:00.Z",
            "2026-03-01T09:00.5",
            "2026-03-01T09:00:00+1",
            "2026-03-01T09:00:00Zx",
            " 2026-03-01",
            "２０２６-03-01",
            "2026-03-01T09:00:00+99:00",
            "Mon, 02 Mar 2026 09:00:00 GMT",
        ] {
            assert_eq!(parse_iso8601(text), None, "{text}");
        }
    }
}
