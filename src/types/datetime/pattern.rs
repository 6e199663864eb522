//! The format patterns of `format_datetime()` and `format_timespan()`.
//!
//! A pattern consists of delimiters and fields. A field is a letter that is repeated once for each digit. If it is
//! repeated more often than the widest field allows, another field begins: in a datetime pattern, `ddd` is `dd` and
//! `d`.

use crate::types::{datetime, timespan};

/// A parsed pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimePattern {
    pieces: Vec<PatternPiece>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PatternPiece {
    Delimiter(char),
    Field(PatternField),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct PatternField {
    letter: char,
    width: usize,
}

/// The letters of a datetime pattern, each with the widths that are valid. Source: the reference's page
/// format-datetime-function.
const DATETIME: &[(char, &[usize])] = &[
    ('y', &[1, 2, 4]),
    ('M', &[1, 2]),
    ('d', &[1, 2]),
    ('h', &[1, 2]),
    ('H', &[1, 2]),
    ('m', &[1, 2]),
    ('s', &[1, 2]),
    ('f', &[1, 2, 3, 4, 5, 6, 7]),
    ('F', &[1, 2, 3, 4, 5, 6, 7]),
    ('t', &[2]),
];

/// The letters of a timespan pattern, each with the widths that are valid. Source: the reference's page
/// format-timespan-function. It defines `H`, but its example uses `h`, so both are accepted.
const TIMESPAN: &[(char, &[usize])] = &[
    ('d', &[1, 2, 3, 4, 5, 6, 7, 8]),
    ('h', &[1, 2]),
    ('H', &[1, 2]),
    ('m', &[1, 2]),
    ('s', &[1, 2]),
    ('f', &[1, 2, 3, 4, 5, 6, 7]),
    ('F', &[1, 2, 3, 4, 5, 6, 7]),
];

const DELIMITERS: &[char] = &[' ', '/', '-', ':', ',', '.', '_', '[', ']'];

impl TimePattern {
    /// Parses a datetime pattern.
    ///
    /// # Errors
    /// A message that describes the mistake.
    pub fn datetime(text: &str) -> Result<Self, String> {
        Self::read(text, DATETIME)
    }

    /// Parses a timespan pattern.
    ///
    /// # Errors
    /// A message that describes the mistake.
    pub fn timespan(text: &str) -> Result<Self, String> {
        Self::read(text, TIMESPAN)
    }

    fn read(text: &str, letters: &[(char, &[usize])]) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(letter) = rest.chars().next() {
            let run = rest.chars().take_while(|next| *next == letter).count();
            let width = match letters.iter().find(|(known, _)| *known == letter) {
                Some((_, widths)) => widths.iter().copied().filter(|width| *width <= run).max(),
                None if DELIMITERS.contains(&letter) => Some(1),
                None => return Err(format!("{letter:?} is neither a pattern letter nor a delimiter")),
            };
            let Some(width) = width else {
                return Err(format!("{letter:?} must be repeated"));
            };
            // Three repetitions of a letter that takes two or four digits are ambiguous.
            if letter == 'y' && run % 4 == 3 {
                return Err("a year has one, two or four digits".to_owned());
            }
            let field = PatternPiece::Field(PatternField { letter, width });
            pieces.push(if DELIMITERS.contains(&letter) { PatternPiece::Delimiter(letter) } else { field });
            rest = &rest[letter.len_utf8() * width..];
        }
        if pieces.is_empty() { Err("it is empty".to_owned()) } else { Ok(Self { pieces }) }
    }

    /// Appends a datetime formatted with this pattern.
    pub fn write_datetime(&self, ticks: i64, out: &mut String) {
        let parts = datetime::to_parts(ticks);
        let year = u64::from(parts.year.unsigned_abs());
        self.write(out, |field, out| {
            let number = match field.letter {
                'y' => {
                    if field.width == 4 {
                        year
                    } else {
                        year % 100
                    }
                }
                'M' => parts.month.into(),
                'd' => parts.day.into(),
                'h' => u64::from((parts.hour + 11) % 12 + 1),
                'H' => parts.hour.into(),
                'm' => parts.minute.into(),
                's' => parts.second.into(),
                't' => return out.push_str(if parts.hour < 12 { "AM" } else { "PM" }),
                _ => return push_fraction(parts.ticks.into(), field, out),
            };
            push_padded(number, field.width, out);
        });
    }

    /// Appends a timespan formatted with this pattern. The digits are those of the magnitude; no field shows the sign.
    pub fn write_timespan(&self, ticks: i64, out: &mut String) {
        let parts = timespan::to_parts(ticks);
        self.write(out, |field, out| {
            let number = match field.letter {
                'd' => parts.days,
                'h' | 'H' => parts.hours,
                'm' => parts.minutes,
                's' => parts.seconds,
                _ => return push_fraction(parts.ticks, field, out),
            };
            push_padded(number, field.width, out);
        });
    }

    fn write(&self, out: &mut String, write_field: impl Fn(PatternField, &mut String)) {
        for piece in &self.pieces {
            match piece {
                PatternPiece::Delimiter(delimiter) => out.push(*delimiter),
                PatternPiece::Field(field) => write_field(*field, out),
            }
        }
    }
}

fn push_padded(number: u64, width: usize, out: &mut String) {
    use std::fmt::Write;
    // Writing to a String cannot fail.
    let _ = write!(out, "{number:0width$}");
}

/// Appends the first digits of a fraction of a second; `F` appends nothing if they are all zero.
fn push_fraction(ticks: u64, field: PatternField, out: &mut String) {
    let cut = u32::try_from(7_usize.saturating_sub(field.width)).unwrap_or(0);
    let digits = ticks / 10_u64.pow(cut);
    if digits > 0 || field.letter == 'f' {
        push_padded(digits, field.width, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(at: &str, pattern: &str, expected: &str) {
        let mut out = String::new();
        TimePattern::datetime(pattern).unwrap().write_datetime(datetime::parse(at).unwrap(), &mut out);
        assert_eq!(out, expected, "{at} in {pattern}");
    }

    #[test]
    fn datetimes() {
        check("2017-01-29 09:00:05", "yy-MM-dd [HH:mm:ss]", "17-01-29 [09:00:05]");
        check("2017-01-29 09:00:05", "yyyy-M-dd [H:mm:ss]", "2017-1-29 [9:00:05]");
        check("2017-01-29 09:00:05", "yy-MM-dd [hh:mm:ss tt]", "17-01-29 [09:00:05 AM]");
        let (morning, noon, midnight) = ("2009-06-05T03:04:05.0617500", "2009-06-05T12:00", "0900-01-01");
        check(morning, "h hh H HH tt", "3 03 3 03 AM");
        check(noon, "h hh H HH tt", "12 12 12 12 PM");
        check(midnight, "h hh H HH tt", "12 12 0 00 AM");
        check(morning, "F_FF_FFF_FFFF_FFFFF_FFFFFF", "_06_061_0617_06175_061750");
        check(noon, "F_FF_FFF_FFFF_FFFFF_FFFFFF", "_____");
        check("2009-06-05T03:04:05.0050000", "F_FF_FFF_FFFF_FFFFF_FFFFFF", "__005_0050_00500_005000");
        check(morning, "f fff fffffff", "0 061 0617500");
        check(morning, "ddd MMM hhh tttt yyyyy", "055 066 033 AMAM 20099");
        check(midnight, "ddd MMM hhh tttt yyyyy", "011 011 1212 AMAM 09000");
        check(morning, "y", "9");
        for wrong in ["z", "T", "x", "+", "yyyy\tMM", "", "t", "ttt", "yyy", "yyyyyyy", "é"] {
            assert!(TimePattern::datetime(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn timespans() {
        for (text, pattern, expected) in [
            ("29.09:00:05.12345", "dd.hh:mm:ss:FF", "29.09:00:05:12"),
            ("29.09:00:05.12345", "ddd.h:mm:ss [fffffff]", "029.9:00:05 [1234500]"),
            ("-01:02:03", "H:m:s", "1:2:3"),
        ] {
            let mut out = String::new();
            TimePattern::timespan(pattern).unwrap().write_timespan(timespan::parse(text).unwrap(), &mut out);
            assert_eq!(out, expected);
        }
        assert!(TimePattern::timespan("yyyy").is_err());
        assert!(TimePattern::timespan("").is_err());
    }
}
