//! `coldcase backtest`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::output::OutputArgs;
use super::query::QueryInputArgs;
use super::source::SourceArgs;
use super::{HELP_TEMPLATE, REPORT_FORMAT, format_names_and, heading};

const EXAMPLES: &str = "\
Examples:
  Every alert that a rule would have made over an archive:
    coldcase backtest break-glass.yaml archive/ -o table
  Which events it would have missed, and why, if rows arrive two minutes late:
    coldcase backtest break-glass.yaml archive/ --ingestion-delay fixed:2m --report events
  In a pipeline, fail unless the rule makes exactly two alerts:
    coldcase backtest break-glass.yaml testdata/ --expect-alerts 2
  Every few minutes, hand on the alerts that are new:
    coldcase backtest rules/ exports/ --resume alerts.state --to now --as common-alert";

const NOTES: &str = "\
Rules are those of `coldcase check` that run by a schedule: Scheduled and NRT rules of Microsoft Sentinel (YAML and \
alertRules), scheduledQueryRules of Azure Monitor, and detectionRule of Microsoft Graph. The last PATH is the data, \
unless -t or the catalog file names them and only one PATH is given.

The query runs at every tick, over the rows that the service would have seen then, with now() at the tick. What \
services do not document is assumed: they run at times that are whole frequencies after --anchor, windows include \
both ends, and rows arrive at the time in their ingestion column, else at their TimeGenerated. In log search alert \
rules, bin() of a datetime is bin_at() that ends at the tick. Alerts of a custom detection with equal entities, details \
and texts are one, however far apart; its first run, which looks 30 days back, is one like the others.

A rule that cannot run does not keep others from their results; the exit code is that of the first one.

Exit codes: 0 success, 1 an expectation is not met, 2 wrong usage, 3 a rule or its query is wrong, 4 a query is not \
supported, 5 data that cannot be read, or no rows for any rule, 6 a limit.";

/// `coldcase backtest`.
#[derive(Args, Debug)]
#[command(help_template = HELP_TEMPLATE, before_help = EXAMPLES, after_help = NOTES)]
#[command(mut_arg("format", |arg| arg.value_parser(format_names_and(&[REPORT_FORMAT]))))]
pub struct BacktestArgs {
    /// Rule files, and folders of them; the last PATH is the data: a file, folder, glob or URL
    #[arg(value_name = "RULE... DATA", required = true)]
    pub paths: Vec<OsString>,
    #[command(flatten)]
    pub source: SourceArgs,
    #[command(flatten)]
    pub inputs: QueryInputArgs,
    /// A time at which the rules run [default: midnight before the first event]
    #[arg(long, value_name = "TIME", help_heading = heading::TIME)]
    pub anchor: Option<String>,
    /// Run each rule with N anchors, spread over its frequency; the first one is shown, and the range of all is told
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000), help_heading = heading::TIME)]
    pub anchors: Option<u32>,
    /// When rows arrive: fixed:SPAN after their time, column:NAME, table:FILE, or p99
    ///
    /// FILE has a line TABLE=SPAN for each table. With p99, all rows arrive as late as 99 of 100 rows of the data.
    /// By default, the ingestion column of each table counts: the one that the catalog file names, else _IngestionTime,
    /// else _TimeReceived. Rows of other tables arrive at their time.
    #[arg(long, value_name = "DELAY", help_heading = heading::TIME)]
    pub ingestion_delay: Option<String>,
    /// The time between the end of a window and the run [default: Sentinel 5m, NRT 2m, Azure Monitor 2.5m, else 0]
    ///
    /// Scheduled rules and log search alert rules still see rows of the window that arrive in this time. The windows of NRT
    /// rules and custom detections are about the time of arrival, so that they see the same rows, only later.
    #[arg(long, value_name = "SPAN", help_heading = heading::TIME)]
    pub grace: Option<String>,
    /// The lookback of custom detections that name none [default: the longest for their frequency]
    #[arg(long, value_name = "SPAN", help_heading = heading::TIME)]
    pub lookback: Option<String>,
    /// Whether windows include their first moment
    #[arg(long, value_name = "EDGES", help_heading = heading::TIME, hide_short_help = true)]
    pub window: Option<WindowArg>,
    /// Read the files again at every tick (slow; the result is the same)
    #[arg(long, hide_short_help = true, help_heading = heading::RESOURCES)]
    pub rescan: bool,
    /// What is written: a row for each alert, event with its outcome, rule with totals, day, or change of state
    ///
    /// The totals of a rule include its cost: the rows of its tables in the window of each run (to the minute, whether or
    /// not they had arrived, and each table once), and their bytes, which are estimated as their share in the size of the
    /// files as they are stored. -o html shows the totals, too. Counting the rows takes some time.
    #[arg(long, value_name = "WHAT", default_value = "alerts", help_heading = heading::OUTPUT)]
    pub report: BacktestReport,
    /// Write alerts as the services hand them on, as JSON Lines, instead of a report
    #[arg(long = "as", value_name = "FORM", conflicts_with_all = ["report", "format"], help_heading = heading::OUTPUT)]
    pub form: Option<BacktestFormat>,
    /// Go on where the last run with this file ended, and write only new alerts, to stdout or to --spool
    ///
    /// Alerts whose actions are muted, and those of disabled rules, are not written.
    /// FILE keeps the state of each rule, and alerts until they are written: a run that is killed loses no alert, and the
    /// next one repeats at most the one that was being written, with the same identifier. Runs wait until rows can have
    /// arrived (--grace). Needs --to, and --as with a form of alerts.
    #[arg(
        long,
        value_name = "FILE",
        requires_all = ["to", "form"],
        conflicts_with_all = ["anchors", "expect_alerts", "expect_no_miss", "expectations", "output_file"],
        help_heading = heading::OUTPUT
    )]
    pub resume: Option<PathBuf>,
    /// With --resume, write each new alert to a file of its own in FOLDER; what delivers the alert deletes the file
    ///
    /// A file appears whole, under a name that ends with .json; the names are in the order of the alerts.
    #[arg(long, value_name = "FOLDER", requires = "resume", help_heading = heading::OUTPUT)]
    pub spool: Option<PathBuf>,
    #[command(flatten)]
    pub output: OutputArgs,
    /// Exit with status 1 unless all rules together make N alerts
    #[arg(long, value_name = "N", help_heading = heading::OUTPUT)]
    pub expect_alerts: Option<usize>,
    /// Exit with status 1 if an event is missed
    #[arg(long, help_heading = heading::OUTPUT)]
    pub expect_no_miss: bool,
    /// Exit with status 1 unless each rule makes as many alerts as FILE says
    ///
    /// FILE is TOML. A section has the identifier or the name of a rule, and the keys exactly, at_least and at_most.
    #[arg(long, value_name = "FILE", help_heading = heading::OUTPUT)]
    pub expectations: Option<PathBuf>,
    /// What happens if a rule without expectations makes alerts
    #[arg(long, value_name = "WHAT", default_value = "warn", requires = "expectations", help_heading = heading::OUTPUT)]
    pub unexpected: Unexpected,
}

/// What happens if a rule without expectations makes alerts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Unexpected {
    /// The exit status is 1
    Fail,
    /// A warning
    Warn,
    /// Nothing
    Ignore,
}

/// A form in which services hand on alerts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BacktestFormat {
    /// The common alert schema of Azure Monitor, a line for each alert
    CommonAlert,
    /// Rows of the table SecurityAlert of Microsoft Sentinel
    SecurityAlert,
    /// Responses of the preview of alert rules, a line for each rule: evaluations whose state is not NoAlert
    PreviewJson,
}

/// Whether windows include their first moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum WindowArg {
    /// Windows include both ends
    Inclusive,
    /// Windows exclude their first moment
    HalfOpen,
}

/// What a backtest writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BacktestReport {
    /// A row for each alert
    Alerts,
    /// A row for each event that a rule looks for, caught or missed
    Events,
    /// A row for each rule, with totals and what its runs would read
    Rules,
    /// A row for each rule and day
    Days,
    /// A row for each evaluation whose state is not NoAlert
    States,
}
