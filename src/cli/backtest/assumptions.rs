//! What a backtest assumes: from the options, else from `[backtest]` of the catalog file.

use std::collections::BTreeMap;
use std::path::Path;

use super::super::args::{BacktestArgs, BacktestReport, WindowArg};
use super::super::configuration::BacktestDefaults;
use super::super::query_files::TextFile;
use super::super::report_page;
use super::super::session::{span, time};
use crate::backtest::Assumptions;
use crate::diagnostic::{Error, Result, suggest};
use crate::engine::{ArrivalTime, TimeRange};
use crate::rules::AlertRule;
use crate::rules::schedule::WindowEdges;

const DELAY: &str = "--ingestion-delay";

/// The assumptions about `rule`; `range` is the range of the runs, and `tables` are the known tables.
pub(super) fn assumptions(
    rule: &AlertRule,
    args: &BacktestArgs,
    defaults: &BacktestDefaults,
    range: Option<&TimeRange>,
    tables: &[String],
) -> Result<Assumptions> {
    let mut assumptions = Assumptions::new(rule);
    assumptions.from = range.and_then(|range| range.from);
    assumptions.to = range.and_then(|range| range.to.or(range.through));
    let anchor = args.anchor.as_deref().or(defaults.anchor.as_deref());
    assumptions.anchor = anchor.map(|text| time("--anchor", text)).transpose()?;
    assumptions.anchors = args.anchors.unwrap_or(1);
    let grace = args.grace.as_deref().or(defaults.grace.as_deref());
    assumptions.grace = grace.map(|text| span_or_zero("--grace", text)).transpose()?;
    assumptions.lookback = args.lookback.as_deref().map(|text| span("--lookback", text)).transpose()?;
    assumptions.rescans = args.rescan;
    assumptions.counts_rows = args.report == BacktestReport::Rules || report_page::is_requested(&args.output);
    if edges(args, defaults)? == WindowArg::HalfOpen {
        assumptions.edges = WindowEdges::HalfOpen;
    }
    if let Some(text) = args.ingestion_delay.as_deref().or(defaults.ingestion_delay.as_deref()) {
        match text.strip_prefix("table:") {
            Some(file) => assumptions.times.arrivals = by_table(Path::new(file), tables)?,
            None => assumptions.times.arrival = arrival(text)?,
        }
    }
    Ok(assumptions)
}

fn edges(args: &BacktestArgs, defaults: &BacktestDefaults) -> Result<WindowArg> {
    match (args.window, defaults.window.as_deref()) {
        (Some(edges), _) => Ok(edges),
        (None, None | Some("inclusive")) => Ok(WindowArg::Inclusive),
        (None, Some("half-open")) => Ok(WindowArg::HalfOpen),
        (None, Some(other)) => {
            Err(Error::Usage(format!("window = \"{other}\" in [backtest]: expected inclusive or half-open")))
        }
    }
}

/// Parses `p99`, `fixed:SPAN` and `column:NAME`.
fn arrival(text: &str) -> Result<ArrivalTime> {
    match text.split_once(':') {
        None if text == "p99" => Ok(ArrivalTime::Percentile(99)),
        Some(("fixed", delay)) => span_or_zero(DELAY, delay).map(ArrivalTime::After),
        Some(("column", name)) if !name.is_empty() => Ok(ArrivalTime::Column(name.to_owned())),
        _ => Err(Error::Usage(format!(
            "{DELAY} {text}: expected fixed:SPAN (such as fixed:2m), column:NAME, table:FILE, or p99"
        ))),
    }
}

fn span_or_zero(flag: &str, text: &str) -> Result<i64> {
    match text {
        "0" | "0s" | "0m" | "0h" => Ok(0),
        _ => span(flag, text),
    }
}

/// The delays of a file with lines `TABLE=SPAN`; empty lines and those that begin with `#` are skipped.
fn by_table(path: &Path, tables: &[String]) -> Result<BTreeMap<String, ArrivalTime>> {
    let file = TextFile::read(path)?;
    let mut delays = BTreeMap::new();
    for (number, line) in file.text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let wrong = |reason: String| {
            let (file, place) = (path.display().to_string(), Some(format!("line {}", number + 1)));
            Error::Data { file, place, reason }
        };
        let entry = line.split_once('=').map(|(table, delay)| (table.trim(), delay.trim()));
        let entry = entry.and_then(|(table, delay)| Some((table, span_or_zero(DELAY, delay).ok()?)));
        let Some((table, delay)) = entry.filter(|(table, _)| !delays.contains_key(*table)) else {
            let reason = "expected TABLE=SPAN, such as SigninLogs=5m, once for each table";
            return Err(wrong(reason.to_owned()));
        };
        if !tables.iter().any(|known| known == table) {
            let similar = suggest(table, tables.iter().map(String::as_str));
            let hint = similar.map_or(String::new(), |name| format!("; did you mean {name}?"));
            return Err(wrong(format!("{table} is not a known table{hint}")));
        }
        delays.insert(table.to_owned(), ArrivalTime::After(delay));
    }
    Ok(delays)
}
