//! Dates in numbers, such as `02/03/2026`: whether the day or the month comes first.
//!
//! The culture of whoever wrote the file decides, and the file rarely names it. A value whose first number is greater
//! than 12 proves that the day comes first in its file, one whose second number is greater that the month does. Where
//! nothing proves it, the date is read as `todatetime()` does, and that is damage.

use std::fmt;
use std::str::FromStr;

use crate::entra::RowKind;
use crate::types::datetime;

/// Whether the day or the month comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DateOrder {
    /// 31/12/2026.
    DayFirst,
    /// 12/31/2026.
    MonthFirst,
}

impl FromStr for DateOrder {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "dmy" => Ok(Self::DayFirst),
            "mdy" => Ok(Self::MonthFirst),
            _ => Err("dmy (the day first) or mdy (the month first) is needed".to_owned()),
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

/// Dates that are written alike, so that one can prove the order of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DateStyle {
    Slashes,
    Dots,
    Hyphens,
    /// `3/2/2026, 9:07:43 AM` as browsers write it in American English, and `3/2/2026 9:07:43 AM` in records that
    /// diagnostic settings write: the month comes first.
    American,
}

impl DateStyle {
    /// How many there are.
    pub(crate) const COUNT: usize = 4;

    /// The order where nothing proves one, and whether it may be wrong.
    fn usual(self) -> (DateOrder, bool) {
        match self {
            Self::Slashes | Self::Hyphens => (DateOrder::MonthFirst, true),
            // Whoever writes dots writes the day first.
            Self::Dots => (DateOrder::DayFirst, true),
            Self::American => (DateOrder::MonthFirst, false),
        }
    }
}

/// A time whose date is in numbers, the year last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NumericDate {
    first: u32,
    second: u32,
    year: u32,
    /// What follows the year.
    rest: String,
    pub style: DateStyle,
}

/// What is known of the order of dates in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DateOrderVerdict {
    /// The user says it.
    Asked(DateOrder),
    /// A date of the file proves it, or one of a file with the same columns.
    Proven(DateOrder),
    /// Some dates have the day first, others the month.
    Contradictory,
    /// No date tells it.
    Unknown,
}

/// How a date is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DateRead {
    /// There is no such date.
    Never,
    /// Without doubt.
    Certain(i64),
    /// In the order that other dates prove.
    Proven(i64, DateOrder),
    /// In the usual order, though the file has both.
    Contradictory(i64),
    /// In the usual order, which nothing proves.
    Ambiguous(i64, DateOrder),
}

/// Decides the order of dates.
pub(crate) trait DateOrders: fmt::Debug + Send + Sync {
    /// The order of a date in the file at this index of the table's list.
    fn verdict(&self, file: usize, date: &NumericDate) -> DateOrderVerdict;
}

/// True for a JSON string that begins like `2026-03-02`, and so is no date in numbers with the year last.
#[inline]
pub(crate) fn begins_with_year(json: &str) -> bool {
    matches!(json.as_bytes(), [b'"', _, b'0'..=b'9', b'0'..=b'9', _, b'-', ..])
}

impl NumericDate {
    /// The date that a time in a record of `kind` begins with, if it is one in numbers with the year last.
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

    /// The order that the numbers themselves prove.
    pub(crate) fn proves(&self) -> Option<DateOrder> {
        match (self.first > 12, self.second > 12) {
            (true, false) => Some(DateOrder::DayFirst),
            (false, true) => Some(DateOrder::MonthFirst),
            _ => None,
        }
    }

    /// The ticks of the time in this order; None if there is no such time.
    fn ticks(&self, order: DateOrder) -> Option<i64> {
        let (day, month) = match order {
            DateOrder::DayFirst => (self.first, self.second),
            DateOrder::MonthFirst => (self.second, self.first),
        };
        datetime::parse(&format!("{:04}-{month:02}-{day:02}{}", self.year, self.rest))
    }

    /// How the date is read in a file with this verdict.
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

    /// True for a date that is the same in either order.
    fn is_symmetric(&self) -> bool {
        self.first == self.second
    }
}

/// A number of one digit up to `most`, and what follows it and spaces.
fn number(text: &str, most: usize) -> Option<(u32, &str)> {
    let length = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(length);
    let number = digits.parse().ok().filter(|_| (1..=most).contains(&length))?;
    Some((number, if most == 4 { rest } else { rest.trim_start() }))
}

/// True for a date as American English has it: no zeros in front, a comma after the year, and AM or PM in capitals.
fn is_american(text: &str, rest: &str, kind: RowKind) -> bool {
    let half_day = rest.split(' ').any(|word| matches!(word, "AM" | "PM"));
    let is_padded = text.split('/').take(2).any(|number| number.trim().starts_with('0'));
    half_day && (kind == RowKind::Diagnostic || (rest.starts_with(", ") && !is_padded))
}

/// Dates of one style that prove an order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct DateOrderEvidence {
    day_first: bool,
    month_first: bool,
}

/// The evidence of a file, by style.
pub(crate) type FileDateEvidence = [DateOrderEvidence; DateStyle::COUNT];

impl DateOrderEvidence {
    /// Adds what a date proves.
    pub(crate) fn add(&mut self, date: &NumericDate) {
        self.day_first |= date.proves() == Some(DateOrder::DayFirst);
        self.month_first |= date.proves() == Some(DateOrder::MonthFirst);
    }

    /// Adds what another file proves.
    pub(crate) fn merge(&mut self, other: Self) {
        self.day_first |= other.day_first;
        self.month_first |= other.month_first;
    }

    /// What it proves.
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
