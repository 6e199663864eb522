//! `coldcase rule`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::output::MessageArgs;
use super::source::SourceArgs;
use super::{HELP_TEMPLATE, heading, local_path};

/// `coldcase rule`.
#[derive(Args, Debug)]
pub struct RuleArgs {
    /// The command.
    #[command(subcommand)]
    pub command: RuleCommand,
}

/// The commands for rules.
#[derive(Debug, Subcommand)]
pub enum RuleCommand {
    /// Convert rules between the formats of the services
    Convert(RuleConvertArgs),
    /// Propose a condition that removes labelled false positives, and no true positive
    Tune(Box<RuleTuneArgs>),
}

const CONVERT_EXAMPLES: &str = "\
Examples:
  A rule of Microsoft Sentinel as an alert rule of Azure Monitor:
    coldcase rule convert break-glass.yaml --to scheduled-query-rule -O break-glass.json
  All rules of a folder, a file for each:
    coldcase rule convert rules/ --to detection-rule -O detections/
  There and back in a pipe:
    coldcase rule convert rule.yaml --to sentinel-arm | coldcase rule convert - --to sentinel-yaml";

const CONVERT_NOTES: &str = "\
Queries stay the same byte for byte. The new rule is read again and compared with the original: everything that it lacks \
or does differently is a warning on stderr. A rule that the service of the new format would reject is refused. What \
depends on the workspace, such as scopes, is a parameter of the template.";

/// `coldcase rule convert`.
#[derive(Args, Debug)]
#[command(help_template = HELP_TEMPLATE, before_help = CONVERT_EXAMPLES, after_help = CONVERT_NOTES)]
pub struct RuleConvertArgs {
    /// Rule files in YAML and JSON, and folders of them; - is stdin
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,
    /// The new format
    #[arg(long, value_name = "FORMAT", help_heading = heading::OUTPUT)]
    pub to: RuleTargetArg,
    /// Write the result to FILE, or a file for each rule if it is a folder
    #[arg(short = 'O', long, value_name = "FILE", value_parser = local_path(), help_heading = heading::OUTPUT)]
    pub output_file: Option<PathBuf>,
    /// Write nothing and exit with status 1 if a rule would lack something or do something differently
    #[arg(long, help_heading = heading::OUTPUT)]
    pub lossless: bool,
    #[command(flatten)]
    pub messages: MessageArgs,
}

const TUNE_EXAMPLES: &str = "\
Examples:
  Rows of the rule, to which a column `Label` with fp or tp is added by hand:
    coldcase -f spray.kql archive/ -O labels.csv
  A condition that removes the false positives:
    coldcase rule tune spray.yaml archive/ --labels labels.csv";

const TUNE_NOTES: &str = "\
The labels are CSV or JSON Lines. A line has the column `Label` (fp or tp, FalsePositive or TruePositive) and those \
columns of the result by which its row is found; a column `Comment` is ignored. The query runs over all data, or over those \
of --from and --to, with now() at --now.

The condition is written to stdout, as lines that are added to the end of the query. It has up to three values that false \
positives have and no labelled true positive has; of all such conditions, the one that removes the most false positives \
and the fewest other rows. Before it is shown, the query runs with it and without it, and the rows are compared.

Exit codes: 0 a condition was found, 1 none removes the false positives without a true positive, 3 the rule is wrong.";

/// `coldcase rule tune`.
#[derive(Args, Debug)]
#[command(help_template = HELP_TEMPLATE, before_help = TUNE_EXAMPLES, after_help = TUNE_NOTES)]
pub struct RuleTuneArgs {
    /// The file of the rule
    #[arg(value_name = "RULE")]
    pub rule: PathBuf,
    /// Data: files, folders, globs or URLs
    #[arg(value_name = "DATA")]
    pub data: Vec<OsString>,
    #[command(flatten)]
    pub source: SourceArgs,
    /// Rows of the query with a label, as CSV or JSON Lines
    #[arg(long, value_name = "FILE", help_heading = heading::INPUT)]
    pub labels: PathBuf,
    /// The identifier or name of the rule, if the file has several
    #[arg(long, value_name = "NAME", help_heading = heading::INPUT)]
    pub select: Option<String>,
    /// The columns that the condition may use, separated by commas [default: all but those that are unique]
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', help_heading = heading::INPUT)]
    pub columns: Vec<String>,
}

/// The format of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RuleTargetArg {
    /// Microsoft Sentinel, as YAML of the Azure-Sentinel repository
    SentinelYaml,
    /// Microsoft Sentinel, as a template of Azure Resource Manager
    SentinelArm,
    /// Azure Monitor, as a template of Azure Resource Manager
    ScheduledQueryRule,
    /// Microsoft Defender, as an object of Microsoft Graph
    DetectionRule,
}
