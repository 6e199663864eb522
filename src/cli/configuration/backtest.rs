//! How rules are replayed over an archive: `[backtest]` of the catalog file. It is checked like the other sections, so
//! that one file serves whoever reads it; no command does yet.

use serde::Deserialize;

use crate::types::timespan;

/// Settings of a backtest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(in crate::cli) struct Backtest {
    /// How long records take until a rule can see them.
    pub ingestion_delay: Option<IngestionDelay>,
    /// How far before its window a record may lie that came too late for the window before.
    pub grace: Option<Duration>,
}

/// How long records take until a rule can see them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(in crate::cli) enum IngestionDelay {
    /// As long as 99 of 100 records of the archive took.
    Percentile99,
    /// Always this long.
    Fixed(Duration),
}

/// A duration that is not negative, in ticks of 100 ns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(in crate::cli) struct Duration(pub i64);

impl TryFrom<String> for IngestionDelay {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "p99" => Ok(Self::Percentile99),
            _ => duration(&text).map(Self::Fixed).ok_or(format!("`{text}` is neither p99 nor a duration like 5m")),
        }
    }
}

impl TryFrom<String> for Duration {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        duration(&text).ok_or(format!("`{text}` is no duration like 5m"))
    }
}

fn duration(text: &str) -> Option<Duration> {
    timespan::parse_unit(text).map(Duration)
}

#[cfg(test)]
mod tests {
    use super::{Backtest, Duration, IngestionDelay};

    #[test]
    fn settings_are_typed() {
        let minutes = |count: i64| Duration(count * 600_000_000);
        let read = |text: &str| toml::from_str::<Backtest>(text).map_err(|error| error.to_string());
        let backtest = |ingestion_delay, grace| Ok(Backtest { ingestion_delay, grace });
        assert_eq!(read(""), backtest(None, None));
        let both = read("ingestion-delay = 'p99'\ngrace = '5m'");
        assert_eq!(both, backtest(Some(IngestionDelay::Percentile99), Some(minutes(5))));
        assert_eq!(read("ingestion-delay = '1.5h'"), backtest(Some(IngestionDelay::Fixed(minutes(90))), None));
        assert_eq!(read("grace = '0s'"), backtest(None, Some(minutes(0))));
    }
}
