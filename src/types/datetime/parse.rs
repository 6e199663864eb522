//! Parses the many spellings of a datetime.
//!
//! The form in which most logs write datetimes (`2026-03-02T09:07:43.5000000Z`) has a fast path. All other forms are
//! read through a cursor: those of the reference's page on datetime (ISO 8601, RFC 822, RFC 850, sortable), dates with
//! the month first, as Kusto reads them, and those found in exports.

use std::borrow::Cow;

use super::{
    DatetimeParts, TICKS_PER_HOUR, TICKS_PER_MILLISECOND, TICKS_PER_MINUTE, UNIX_EPOCH, add, from_parts, subtract,
};

/// Parses what `todatetime()` accepts, and returns ticks; None if its result is null. Offsets are applied; without an
/// offset the time is UTC. Fractional digits after the seventh are truncated.
#[must_use]
pub fn parse(text: &str) -> Option<i64> {
    parse_iso(text.as_bytes()).or_else(|| parse_any(text.trim()))
}

/// Parses the argument of `datetime(...)`: `Some(None)` is null, None is not a valid literal.
///
/// Accepts everything that [`parse`] does, with or without quotes, the list form `2025, 6, 14[, hour, minute, second]`,
/// and `null`. A lone number is null, as in Kusto. The empty `datetime()` is the current time, which only the caller
/// knows: it is not a valid literal here.
#[must_use]
pub fn parse_literal(text: &str) -> Option<Option<i64>> {
    let text = unquote(text.trim());
    if text == "null" {
        return Some(None);
    }
    if let Some(ticks) = parse(text) {
        return Some(Some(ticks));
    }
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(None);
    }
    parse_list(text).map(Some)
}

/// Removes the quotes around `text`, if any.
fn unquote(text: &str) -> &str {
    ['"', '\''].into_iter().find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote)).map_or(text, str::trim)
}

/// Parses `year, month[, day[, hour[, minute[, second]]]]`.
fn parse_list(text: &str) -> Option<i64> {
    let mut numbers = [0, 1, 1, 0, 0, 0];
    let mut count = 0;
    for part in text.split(',') {
        let part = part.trim();
        if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *numbers.get_mut(count)? = part.parse().ok()?;
        count += 1;
    }
    let [year, month, day, hour, minute, second] = numbers;
    let year = i32::try_from(year).ok()?;
    (count >= 2).then(|| from_parts(&DatetimeParts { year, month, day, hour, minute, second, ticks: 0 }))?
}

/// Parses `yyyy-MM-ddTHH:mm:ss[.f...]Z`, in which all digits must be present.
fn parse_iso(text: &[u8]) -> Option<i64> {
    let (head, tail) = text.split_at_checked(19)?;
    let fraction = match tail {
        b"Z" => 0,
        [b'.', digits @ .., b'Z'] if !digits.is_empty() => fraction(digits)?,
        _ => return None,
    };
    if head[4] != b'-' || head[7] != b'-' || head[10] != b'T' || head[13] != b':' || head[16] != b':' {
        return None;
    }
    let year = two_digits(head, 0)? * 100 + two_digits(head, 2)?;
    from_parts(&DatetimeParts {
        year: i32::try_from(year).ok()?,
        month: two_digits(head, 5)?,
        day: two_digits(head, 8)?,
        hour: two_digits(head, 11)?,
        minute: two_digits(head, 14)?,
        second: two_digits(head, 17)?,
        ticks: fraction,
    })
}

fn two_digits(text: &[u8], at: usize) -> Option<u32> {
    let (tens, ones) = (text[at].wrapping_sub(b'0'), text[at + 1].wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then(|| u32::from(tens) * 10 + u32::from(ones))
}

/// Returns the ticks of a fraction of a second. Digits after the seventh must be digits, but are truncated.
fn fraction(digits: &[u8]) -> Option<u32> {
    let mut ticks = 0;
    let mut unit = 1_000_000;
    for &byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        ticks += u32::from(digit) * unit;
        unit /= 10;
    }
    Some(ticks)
}

/// Maximum length in bytes of a string that is parsed; no datetime is longer.
const MAX_LENGTH: usize = 64;

/// Replaces Unicode spaces, which browsers write before AM and PM, with ASCII spaces, and removes the invisible marks
/// of the writing direction.
#[must_use]
pub fn with_plain_spaces(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let plain = text.chars().filter(|c| !matches!(c, '\u{200e}' | '\u{200f}'));
    Cow::Owned(plain.map(|c| if c.is_whitespace() { ' ' } else { c }).collect())
}

fn parse_any(text: &str) -> Option<i64> {
    if text.len() > MAX_LENGTH {
        return None;
    }
    let text = &*with_plain_spaces(text);
    let mut cursor = DatetimeText { text: text.as_bytes() };
    if let Some(inner) = text.strip_prefix("/Date(") {
        return parse_milliseconds(inner.strip_suffix(")/")?);
    }
    let (year, month, day) = parse_date(&mut cursor)?;
    let mut parts = DatetimeParts::date(year, month, day);
    if cursor.at_end() {
        return from_parts(&parts);
    }
    let comma = cursor.take(b',');
    let blank = cursor.whitespace();
    if !(blank || (!comma && (cursor.take(b'T') || cursor.take(b't')))) {
        return None;
    }
    parse_time(&mut cursor, &mut parts)?;
    cursor.whitespace();
    let offset = parse_zone(&mut cursor)?;
    if !cursor.at_end() {
        return None;
    }
    subtract(from_parts(&parts)?, offset)
}

/// Parses the content of `/Date(1772434692000)/`, which some .NET serialisers write: milliseconds since 1970 in UTC. An
/// offset after the number is ignored, because it only tells the time zone of the writer.
fn parse_milliseconds(text: &str) -> Option<i64> {
    let digits = text.trim_start_matches('-').find(['+', '-']).map_or(text, |at| {
        let sign = text.len() - text.trim_start_matches('-').len();
        &text[..sign + at]
    });
    let count: i64 = digits.parse().ok()?;
    add(UNIX_EPOCH, count.checked_mul(TICKS_PER_MILLISECOND)?)
}

/// Parses a date. If the order of day and month is ambiguous, the month is first. Returns year, month and day, which
/// may be out of range.
fn parse_date(cursor: &mut DatetimeText) -> Option<(i32, u32, u32)> {
    let mut ahead = *cursor;
    if name_index(ahead.word(), &WEEKDAYS).is_some() {
        // The day of the week is not compared with the date.
        *cursor = ahead;
        cursor.take(b',');
        if !cursor.whitespace() {
            return None;
        }
    }
    if cursor.peek_letter() {
        return parse_leading_month(cursor);
    }
    let (first, digits) = cursor.number()?;
    if digits == 8 && !cursor.peek_date_separator() {
        return Some((i32::try_from(first / 10_000).ok()?, first / 100 % 100, first % 100));
    }
    let blank = cursor.whitespace();
    let separator = cursor.take_one_of(b"-/.");
    cursor.whitespace();
    if cursor.peek_letter() && (separator == Some(b'-') || (separator.is_none() && blank)) {
        return parse_named_month(cursor, first, digits, separator);
    }
    let separator = separator?;
    let (second, second_digits) = cursor.number()?;
    if digits == 4 {
        let third = cursor.after_separator(separator);
        let day = third.map_or(Some(1), |(day, digits)| (digits <= 2).then_some(day))?;
        return (second_digits <= 2).then_some((i32::try_from(first).ok()?, second, day));
    }
    let (year, year_digits) = cursor.after_separator(separator)?;
    (digits <= 2 && second_digits <= 2 && year_digits == 4).then_some((i32::try_from(year).ok()?, first, second))
}

/// Parses a date with the month first, such as `Nov 8, 2014`, with or without the comma.
fn parse_leading_month(cursor: &mut DatetimeText) -> Option<(i32, u32, u32)> {
    let month = name_index(cursor.word(), &MONTHS)?;
    cursor.take(b'.');
    cursor.whitespace().then_some(())?;
    let (day, day_digits) = cursor.number()?;
    cursor.take(b',');
    cursor.whitespace().then_some(())?;
    let (year, year_digits) = cursor.number()?;
    (day_digits <= 2 && year_digits == 4).then_some((i32::try_from(year).ok()?, month, day))
}

/// Parses the rest of a date such as `8 Nov 14` or `08-Nov-2014`, after its day. Two-digit years are read as RFC 822
/// does: from 69 on, they belong to the last century.
fn parse_named_month(
    cursor: &mut DatetimeText,
    day: u32,
    digits: usize,
    separator: Option<u8>,
) -> Option<(i32, u32, u32)> {
    let month = name_index(cursor.word(), &MONTHS)?;
    match separator {
        Some(separator) => cursor.take(separator).then_some(())?,
        None => cursor.whitespace().then_some(())?,
    }
    let (year, year_digits) = cursor.number()?;
    let year = match year_digits {
        4 => year,
        2 if year >= 69 => 1900 + year,
        2 => 2000 + year,
        _ => return None,
    };
    (digits <= 2).then_some((i32::try_from(year).ok()?, month, day))
}

/// Parses `H:mm[:ss[.f...]]` with an optional AM or PM.
fn parse_time(cursor: &mut DatetimeText, parts: &mut DatetimeParts) -> Option<()> {
    parts.hour = cursor.number_of_two_digits()?;
    cursor.take(b':').then_some(())?;
    parts.minute = cursor.number_of_two_digits()?;
    if cursor.take(b':') {
        parts.second = cursor.number_of_two_digits()?;
        if cursor.take(b'.') {
            parts.ticks = fraction(cursor.digits())?;
        }
    }
    let mut ahead = *cursor;
    ahead.whitespace();
    let afternoon = match ahead.word() {
        word if word.eq_ignore_ascii_case(b"AM") => false,
        word if word.eq_ignore_ascii_case(b"PM") => true,
        _ => return Some(()),
    };
    *cursor = ahead;
    if !(1..=12).contains(&parts.hour) {
        return None;
    }
    parts.hour = parts.hour % 12 + if afternoon { 12 } else { 0 };
    Some(())
}

/// Parses a zone, such as `Z`, `+01:00`, `-0500`, `+1` or one of RFC 822, or nothing. Returns the ticks by which local
/// time is ahead of UTC.
fn parse_zone(cursor: &mut DatetimeText) -> Option<i64> {
    if cursor.at_end() {
        return Some(0);
    }
    let Some(sign) = cursor.take_one_of(b"+-") else {
        let word = cursor.word();
        let (_, hours) = ZONES.iter().find(|(name, _)| word.eq_ignore_ascii_case(name.as_bytes()))?;
        return Some(hours * TICKS_PER_HOUR);
    };
    let (number, digits) = cursor.number()?;
    let (hours, minutes) = match digits {
        1 | 2 if cursor.take(b':') => (number, cursor.number_of_two_digits()?),
        1 | 2 => (number, 0),
        4 => (number / 100, number % 100),
        _ => return None,
    };
    // No zone is more than 14 hours from UTC; up to 24 are accepted without hiding nonsense.
    if hours > 23 || minutes > 59 {
        return None;
    }
    let ticks = i64::from(hours) * TICKS_PER_HOUR + i64::from(minutes) * TICKS_PER_MINUTE;
    Some(if sign == b'-' { -ticks } else { ticks })
}

const WEEKDAYS: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// The zones that RFC 822 names, in hours ahead of UTC. Single letters other than Z are left out: RFC 822 defined them
/// wrongly, so they have no meaning.
const ZONES: [(&str, i64); 12] = [
    ("Z", 0),
    ("UTC", 0),
    ("GMT", 0),
    ("UT", 0),
    ("EST", -5),
    ("EDT", -4),
    ("CST", -6),
    ("CDT", -5),
    ("MST", -7),
    ("MDT", -6),
    ("PST", -8),
    ("PDT", -7),
];

/// Returns the position, counted from 1, of the name that `word` is, written out or as its first three letters.
fn name_index(word: &[u8], names: &[&str]) -> Option<u32> {
    let is =
        |name: &&str| word.eq_ignore_ascii_case(name.as_bytes()) || word.eq_ignore_ascii_case(&name.as_bytes()[..3]);
    names.iter().position(is).and_then(|index| u32::try_from(index + 1).ok())
}

/// The part of the string that is not parsed yet.
#[derive(Clone, Copy)]
struct DatetimeText<'a> {
    text: &'a [u8],
}

impl<'a> DatetimeText<'a> {
    fn at_end(&self) -> bool {
        self.text.is_empty()
    }

    fn peek_letter(&self) -> bool {
        self.text.first().is_some_and(u8::is_ascii_alphabetic)
    }

    fn peek_date_separator(&self) -> bool {
        self.text.first().is_some_and(|byte| b"-/.".contains(byte))
    }

    fn take_while(&mut self, keep: impl Fn(&u8) -> bool) -> &'a [u8] {
        let end = self.text.iter().position(|byte| !keep(byte)).unwrap_or(self.text.len());
        let (taken, rest) = self.text.split_at(end);
        self.text = rest;
        taken
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.text.first() == Some(&byte);
        if found {
            self.text = &self.text[1..];
        }
        found
    }

    fn take_one_of(&mut self, bytes: &[u8]) -> Option<u8> {
        let &byte = self.text.first().filter(|byte| bytes.contains(byte))?;
        self.text = &self.text[1..];
        Some(byte)
    }

    /// Skips whitespace; true if there was any.
    fn whitespace(&mut self) -> bool {
        !self.take_while(u8::is_ascii_whitespace).is_empty()
    }

    fn word(&mut self) -> &'a [u8] {
        self.take_while(u8::is_ascii_alphabetic)
    }

    fn digits(&mut self) -> &'a [u8] {
        self.take_while(u8::is_ascii_digit)
    }

    /// Parses a number of one to nine digits. Returns the number, and how many digits it has.
    fn number(&mut self) -> Option<(u32, usize)> {
        let digits = self.digits();
        if digits.is_empty() || digits.len() > 9 {
            return None;
        }
        Some((digits.iter().fold(0, |n, byte| n * 10 + u32::from(byte - b'0')), digits.len()))
    }

    fn number_of_two_digits(&mut self) -> Option<u32> {
        self.number().filter(|(_, digits)| *digits <= 2).map(|(number, _)| number)
    }

    /// Parses the number after `separator`, which may have whitespace around it. Consumes nothing if there is no such
    /// number.
    fn after_separator(&mut self, separator: u8) -> Option<(u32, usize)> {
        let mut ahead = *self;
        ahead.whitespace();
        if !ahead.take(separator) {
            return None;
        }
        ahead.whitespace();
        let number = ahead.number()?;
        *self = ahead;
        Some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{TICKS_PER_SECOND, to_text};
    use super::*;

    fn read(text: &str) -> String {
        parse(text).map_or_else(|| "null".to_owned(), to_text)
    }

    /// Compares the parsed forms of exports and of the reference with the expected datetimes.
    #[test]
    fn spellings() {
        for (text, expected) in [
            ("2026-03-02T06:58:12.4417093Z", "2026-03-02T06:58:12.4417093Z"),
            ("2026-03-02T06:58:12.441+00:00", "2026-03-02T06:58:12.4410000Z"),
            ("2019-10-18T04:45:48.0729893-05:00", "2019-10-18T09:45:48.0729893Z"),
            ("2026-03-02T06:58:12Z", "2026-03-02T06:58:12.0000000Z"),
            ("2007-01-09T09:41:00", "2007-01-09T09:41:00.0000000Z"),
            ("2007-01-09T09:41:00.535404056Z", "2007-01-09T09:41:00.5354040Z"),
            ("11/14/2025 1:48:53 AM", "2025-11-14T01:48:53.0000000Z"),
            ("11/14/2025 12:48:53 AM", "2025-11-14T00:48:53.0000000Z"),
            ("11/14/2025 12:48:53 pm", "2025-11-14T12:48:53.0000000Z"),
            ("01/09/2007 09:41:00", "2007-01-09T09:41:00.0000000Z"),
            ("1/9/2007 10:41:00 AM +01:00", "2007-01-09T09:41:00.0000000Z"),
            ("9/19/2023, 1:45:17.287 PM", "2023-09-19T13:45:17.2870000Z"),
            ("6/15/2023, 12:09:31 PM", "2023-06-15T12:09:31.0000000Z"),
            ("3/2/2026, 9:07:43.500\u{202f}AM", "2026-03-02T09:07:43.5000000Z"),
            ("\u{200e}3/2/2026,\u{a0}1:07:43\u{a0}PM", "2026-03-02T13:07:43.0000000Z"),
            ("/Date(1772434692000)/", "2026-03-02T06:58:12.0000000Z"),
            ("/Date(-1000)/", "1969-12-31T23:59:59.0000000Z"),
            ("/Date(1772434692000+0100)/", "2026-03-02T06:58:12.0000000Z"),
            ("2022-09-09T9:59:27.958Z", "2022-09-09T09:59:27.9580000Z"),
            ("2006-01-02T22:04:05.1Z", "2006-01-02T22:04:05.1000000Z"),
            ("2014-05-25T08:20", "2014-05-25T08:20:00.0000000Z"),
            ("2014-11-08 15:55:55.123456Z", "2014-11-08T15:55:55.1234560Z"),
            ("2014-11-8 15:55", "2014-11-08T15:55:00.0000000Z"),
            ("2014-11-08 15:05:25 GMT", "2014-11-08T15:05:25.0000000Z"),
            ("2014-11-08T15:05 EST", "2014-11-08T20:05:00.0000000Z"),
            ("Sat, 8 Nov 14 15:05:02 GMT", "2014-11-08T15:05:02.0000000Z"),
            ("Sat, 8 Nov 2014 15:05", "2014-11-08T15:05:00.0000000Z"),
            ("8 Nov 14 15:05:02", "2014-11-08T15:05:02.0000000Z"),
            ("Saturday, 08-Nov-14 15:05:02 GMT", "2014-11-08T15:05:02.0000000Z"),
            ("08-Nov-70 15:05 GMT", "1970-11-08T15:05:00.0000000Z"),
            ("2 Dec 2022", "2022-12-02T00:00:00.0000000Z"),
            ("2 December 2022", "2022-12-02T00:00:00.0000000Z"),
            ("20221202", "2022-12-02T00:00:00.0000000Z"),
            ("12-02-2022", "2022-12-02T00:00:00.0000000Z"),
            ("12.02.2022", "2022-12-02T00:00:00.0000000Z"),
            ("2/3/2022", "2022-02-03T00:00:00.0000000Z"),
            ("2022/12/02", "2022-12-02T00:00:00.0000000Z"),
            ("12-02-2022 13:45:56", "2022-12-02T13:45:56.0000000Z"),
            ("2025-06", "2025-06-01T00:00:00.0000000Z"),
            ("2017 - 08 - 01", "2017-08-01T00:00:00.0000000Z"),
            (" 2022-12-02 \t", "2022-12-02T00:00:00.0000000Z"),
            ("2022-12-02T13:45:56+0530", "2022-12-02T08:15:56.0000000Z"),
            ("2022-12-02T13:45:56 -5", "2022-12-02T18:45:56.0000000Z"),
            ("2024-02-29", "2024-02-29T00:00:00.0000000Z"),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn null_not_an_error() {
        for text in [
            "",
            " ",
            "not-a-date",
            "13-01-2022",
            "2025",
            "2022-02-30",
            "2022-12-02T25:00:00Z",
            "2022-12-02T10:60",
            "2022-12-02T10:00:60",
            "12/2022/01",
            "1-2-22",
            "2022-12-02junk",
            "2022-12-02 10:00:00 13",
            "0000-01-01",
            "10000-01-01",
            "2022-12-02T",
            "2022-12-02T10",
            "13:45",
            "/Date()/",
            "/Date(9223372036854775807)/",
            "0001-01-01T00:00:00+01:00",
            "9999-12-31T23:59:59-01:00",
            "2022-12-02T10:00:00+25:00",
            "2022-1-2-3",
            "11/14/2025 13:48:53 AM",
            "11/14/2025 0:48:53 AM",
            "2022-12-02T10:00:00.Zx",
            "8 Nov 2014x",
            "８ Nov 2014",
            "2022-12/02",
            "2022-12-02T10:00:00.1234567890123456789012345678901234567890123456789012345678901234567890ZZ",
        ] {
            assert_eq!(read(text), "null", "{text}");
        }
    }

    #[test]
    fn literals() {
        let day = parse("2025-06-14");
        for text in ["2025-06-14", "2025, 6, 14", "'2025-06-14'", "\"2025-06-14\"", " 2025 - 06 - 14 ", "2025,6,14,0,0"]
        {
            assert_eq!(parse_literal(text), Some(day), "{text}");
        }
        assert_eq!(parse_literal("2025, 6"), Some(parse("2025-06-01")));
        assert_eq!(parse_literal("2025,6,14,1,2,3"), Some(parse("2025-06-14T01:02:03Z")));
        for text in ["null", "2025", "17"] {
            assert_eq!(parse_literal(text), Some(None), "{text}");
        }
        for text in
            ["", "2024-13-45", "abc", "2025,", "2025,13", "1,2,3,4,5,6,7", "99999999999999999999,1", "'", "+1,+2"]
        {
            assert_eq!(parse_literal(text), None, "{text}");
        }
    }

    /// Compares the fast path with the cursor on strings that both can parse.
    #[test]
    fn the_fast_path_agrees_with_the_cursor() {
        let mut ticks = 7;
        while ticks < super::super::MAX {
            for text in [to_text(ticks), to_text(ticks - ticks % TICKS_PER_SECOND).replace(".0000000", "")] {
                assert_eq!(parse_iso(text.as_bytes()), parse_any(&text), "{text}");
                assert!(parse_iso(text.as_bytes()).is_some(), "{text}");
            }
            ticks += 997 * 86_399_123_456_789;
        }
        for text in ["2022-02-30T00:00:00Z", "2022-12-02T24:00:00Z", "0000-12-02T00:00:00Z", "2022-12-02T00:00:00.Z"] {
            assert_eq!(parse_iso(text.as_bytes()), None, "{text}");
        }
    }
}
