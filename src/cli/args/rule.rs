//! `coldcase rule`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::output::MessageArgs;
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
