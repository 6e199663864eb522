//! Numeric dates such as `02/03/2026`: determines whether the day or the month comes first.
//!
//! The order depends on the culture of the tool that wrote the file, which the file rarely names. A date whose first
//! number is greater than 12 proves that the day comes first in its file; a second number greater than 12 proves that
//! the month does. Without proof, the date is read as `todatetime()` would read it, and reported as damage.

use std::fmt;
use std::str::FromStr;

use crate::entra::RowKind;
use crate::types::datetime;

/// The order of day and month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DateOrder {
    /// The day comes first, as in 31/12/2026.
    DayFirst,
    /// The month comes first, as in 12/31/2026.
    MonthFirst,
}

impl FromStr for DateOrder {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "dmy" => Ok(Self::DayFirst),
            "mdy" => Ok(Self::MonthFirst),
            _ => Err("expected dmy (day first) or mdy (month first)".to_owned()),
        }
    }
}

impl fmt::Display for DateOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DayFirst => "day first",
            Self::MonthFirst => "month first",
        })
    }
}

/// The style of a date. A date can prove the order only of dates in the same style.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DateStyle {
    Slashes,
    Dots,
    Hyphens,
    /// The style `3/2/2026, 9:07:43 AM`, which browsers write in American English, and `3/2/2026 9:07:43 AM`, which
    /// occurs in diagnostic-settings records. The month always comes first.
    American,
}

impl DateStyle {
    /// Number of date styles.
    pub(crate) const COUNT: usize = 4;

    /// Returns the order that is assumed without proof, and true if it may be wrong.
    fn usual(self) -> (DateOrder, bool) {
        match self {
            Self::Slashes | Self::Hyphens => (DateOrder::MonthFirst, true),
            // Dates with dots have the day first.
            Self::Dots => (DateOrder::DayFirst, true),
            Self::American => (DateOrder::MonthFirst, false),
        }
    }
}

/// A time that begins with a numeric date in which the year is last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NumericDate {
    first: u32,
    second: u32,
    year: u32,
    /// The text after the year, which has the time of day.
    rest: String,
    pub style: DateStyle,
}

/// What is known about the order of dates in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DateOrderVerdict {
    /// The user specified this order.
    Asked(DateOrder),
    /// A date of the file, or of a file with the same columns, proves this order.
    Proven(DateOrder),
    /// Some dates prove that the day comes first, and others that the month does.
    Contradictory,
    /// No date proves the order.
    Unknown,
}

/// The result of reading a date. The numbers are ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DateRead {
    /// No order gives a date that exists.
    Never,
    /// The order is certain, or does not matter.
    Certain(i64),
    /// Other dates prove the order.
    Proven(i64, DateOrder),
    /// The usual order was assumed, because the dates of the file contradict each other.
    Contradictory(i64),
    /// The usual order was assumed, because nothing proves one.
    Ambiguous(i64, DateOrder),
}

/// Determines the order of day and month in the dates of each file.
pub(crate) trait DateOrders: fmt::Debug + Send + Sync {
    /// Returns what is known about the order for `date`, which is in the file at the index `file` of the table.
    fn verdict(&self, file: usize, date: &NumericDate) -> DateOrderVerdict;
}

/// True for a JSON string that begins like `2026-03-02`: it is not a numeric date in which the year is last.
#[inline]
pub(crate) fn begins_with_year(json: &str) -> bool {
    matches!(json.as_bytes(), [b'"', _, b'0'..=b'9', b'0'..=b'9', _, b'-', ..])
}

impl NumericDate {
    /// Parses a time, in a record of `kind`, that begins with a numeric date in which the year is last; None for any
    /// other text.
    pub(crate) fn of(text: &str, kind: RowKind) -> Option<Self> {
        let text = datetime::with_plain_spaces(text);
        let weekday = |c: char| c.is_ascii_alphabetic() || matches!(c, ',' | '.' | ' ');
        let text = text.trim().trim_start_matches(weekday);
        let (first, rest) = number(text, 2)?;
        let separator = rest.chars().next().filter(|c| matches!(c, '/' | '.' | '-'))?;
        let (second, rest) = number(rest[1..].trim_start(), 2)?;
        let (year, rest) = number(rest.strip_prefix(separator)?.trim_start(), 4)?;
        if year < 1_000 || rest.starts_with(|c: char| c.is_ascii_digit() || c == separator) {
            return None;
        }
        let style = match separator {
            '/' if is_american(text, rest, kind) => DateStyle::American,
            '/' => DateStyle::Slashes,
            '.' => DateStyle::Dots,
            _ => DateStyle::Hyphens,
        };
        Some(Self { first, second, year, rest: rest.to_owned(), style })
    }

    /// Returns the order that the numbers of this date prove; None if they prove none.
    pub(crate) fn proves(&self) -> Option<DateOrder> {
        match (self.first > 12, self.second > 12) {
            (true, false) => Some(DateOrder::DayFirst),
            (false, true) => Some(DateOrder::MonthFirst),
            _ => None,
        }
    }

    /// Returns the ticks of the time, read in this order; None if there is no such time.
    fn ticks(&self, order: DateOrder) -> Option<i64> {
        let (day, month) = match order {
            DateOrder::DayFirst => (self.first, self.second),
            DateOrder::MonthFirst => (self.second, self.first),
        };
        datetime::parse(&format!("{:04}-{month:02}-{day:02}{}", self.year, self.rest))
    }

    /// Reads the date with what is known about the order in its file.
    pub(crate) fn read(&self, verdict: DateOrderVerdict) -> DateRead {
        let (usual, may_be_wrong) = self.style.usual();
        let order = match verdict {
            DateOrderVerdict::Asked(order) | DateOrderVerdict::Proven(order) => order,
            DateOrderVerdict::Contradictory => self.proves().unwrap_or(usual),
            DateOrderVerdict::Unknown => usual,
        };
        let Some(ticks) = self.ticks(order) else { return DateRead::Never };
        match verdict {
            DateOrderVerdict::Asked(_) => DateRead::Certain(ticks),
            DateOrderVerdict::Contradictory => DateRead::Contradictory(ticks),
            DateOrderVerdict::Proven(_) if self.is_symmetric() || self.proves().is_some() => DateRead::Certain(ticks),
            DateOrderVerdict::Proven(order) => DateRead::Proven(ticks, order),
            DateOrderVerdict::Unknown if self.is_symmetric() || !may_be_wrong => DateRead::Certain(ticks),
            DateOrderVerdict::Unknown => DateRead::Ambiguous(ticks, order),
        }
    }

    /// True if day and month are the same number, so that the order does not matter.
    fn is_symmetric(&self) -> bool {
        self.first == self.second
    }
}

/// Splits off a number of one to `max_digits` digits, and the spaces after it. Returns None if there is none.
fn number(text: &str, max_digits: usize) -> Option<(u32, &str)> {
    let length = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(length);
    let number = digits.parse().ok().filter(|_| (1..=max_digits).contains(&length))?;
    Some((number, if max_digits == 4 { rest } else { rest.trim_start() }))
}

/// True for a date in American English: it has no leading zeros, a comma after the year, and AM or PM in capitals.
fn is_american(text: &str, rest: &str, kind: RowKind) -> bool {
    let half_day = rest.split(' ').any(|word| matches!(word, "AM" | "PM"));
    let is_padded = text.split('/').take(2).any(|number| number.trim().starts_with('0'));
    half_day && (kind == RowKind::Diagnostic || (rest.starts_with(", ") && !is_padded))
}

/// What the dates of one style prove: that the day comes first, that the month comes first, both, or nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct DateOrderEvidence {
    day_first: bool,
    month_first: bool,
}

/// The evidence in a file, for each style.
pub(crate) type FileDateEvidence = [DateOrderEvidence; DateStyle::COUNT];

impl DateOrderEvidence {
    /// Adds the order that a date proves, if it proves one.
    pub(crate) fn add(&mut self, date: &NumericDate) {
        self.day_first |= date.proves() == Some(DateOrder::DayFirst);
        self.month_first |= date.proves() == Some(DateOrder::MonthFirst);
    }

    /// Adds the evidence of another file.
    pub(crate) fn merge(&mut self, other: Self) {
        self.day_first |= other.day_first;
        self.month_first |= other.month_first;
    }

    /// Returns the order that the evidence proves.
    pub(crate) fn verdict(self) -> DateOrderVerdict {
        match (self.day_first, self.month_first) {
            (true, true) => DateOrderVerdict::Contradictory,
            (true, false) => DateOrderVerdict::Proven(DateOrder::DayFirst),
            (false, true) => DateOrderVerdict::Proven(DateOrder::MonthFirst),
            (false, false) => DateOrderVerdict::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{DateOrder, DateOrderVerdict, DateRead, DateStyle, NumericDate};
    use crate::entra::RowKind;
    use crate::types::datetime;

    fn date(text: &str) -> NumericDate {
        NumericDate::of(text, RowKind::Flat).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn dates_with_the_year_last_are_found() {
        for (text, style) in [
            ("02/03/2026 09:07:43", DateStyle::Slashes),
            ("3/2/2026", DateStyle::Slashes),
            ("Mon, 3 / 2 / 2026", DateStyle::Slashes),
            ("31.12.2026, 09:07", DateStyle::Dots),
            ("31-12-2026T09:07:43Z", DateStyle::Hyphens),
            ("3/2/2026, 9:07:43.500 AM", DateStyle::American),
            ("3/2/2026, 9:07:43\u{202f}AM", DateStyle::American),
            ("03/02/2026, 9:07:43 AM", DateStyle::Slashes),
            ("3/2/2026, 9:07:43 am", DateStyle::Slashes),
            ("3/2/2026 9:07:43 AM", DateStyle::Slashes),
        ] {
            assert_eq!(date(text).style, style, "{text}");
        }
        assert_eq!(
            NumericDate::of("3/2/2026 9:07:43 AM", RowKind::Diagnostic).map(|date| date.style),
            Some(DateStyle::American)
        );
        for text in
            ["2026-03-02", "2026/03/02", "3/2/26", "1/2/3/2026", "/Date(1)/", "8-Nov-2014", "1.2.3", "", "192.168.1.1"]
        {
            assert_eq!(NumericDate::of(text, RowKind::Flat), None, "{text}");
        }
    }

    #[test]
    fn the_verdict_decides() {
        let at = |text: &str| datetime::parse(text).expect("a time");
        let slashed = date("02/03/2026 09:07");
        let (march, february) = (at("2026-03-02T09:07"), at("2026-02-03T09:07"));
        let (day, month) = (DateOrder::DayFirst, DateOrder::MonthFirst);
        assert_eq!(slashed.read(DateOrderVerdict::Asked(day)), DateRead::Certain(march));
        assert_eq!(slashed.read(DateOrderVerdict::Proven(day)), DateRead::Proven(march, day));
        assert_eq!(slashed.read(DateOrderVerdict::Contradictory), DateRead::Contradictory(february));
        assert_eq!(slashed.read(DateOrderVerdict::Unknown), DateRead::Ambiguous(february, month));
        assert_eq!(date("3/3/2026").read(DateOrderVerdict::Unknown), DateRead::Certain(at("2026-03-03")));
        assert_eq!(date("02.03.2026 09:07").read(DateOrderVerdict::Unknown), DateRead::Ambiguous(march, day));
        assert_eq!(
            date("3/2/2026, 9:07:43 AM").read(DateOrderVerdict::Unknown),
            DateRead::Certain(at("2026-03-02T09:07:43"))
        );
        assert_eq!(date("31/12/2026").read(DateOrderVerdict::Asked(month)), DateRead::Never);
        assert_eq!(date("31/31/2026").read(DateOrderVerdict::Unknown), DateRead::Never);
        assert_eq!(date("31/12/2026").read(DateOrderVerdict::Contradictory), DateRead::Contradictory(at("2026-12-31")));
    }
}
