//! `coldcase breakglass`.

use std::ffi::OsString;

use clap::Args;

use super::output::OutputArgs;
use super::source::SourceArgs;
use super::{HELP_TEMPLATE, REPORT_FORMAT, format_names_and, heading};

const EXAMPLES: &str = "\
Examples:
  Review two emergency accounts, which are tested on a known afternoon:
    coldcase breakglass archive/ --account bg-1@contoso.com --account bg-2@contoso.com \\
      --maintenance 2026-03-02T13:00:00Z/2026-03-02T14:00:00Z -o md";

const NOTES: &str = "\
Each account has one row: successes and failures, first and last use, days since the last success, places, addresses, \
apps, devices, results of Conditional Access and the policies that were applied, the authentication that was required, \
sign-ins outside of maintenance, other accounts that were used within an hour, the last reset of the password and whether \
it came after the last successful use, and \
days for which the archive has no sign-ins at all. Warnings say what the review of emergency accounts asks for: two \
accounts, a test of each, and no policy that applies to them.";

/// `coldcase breakglass`.
#[derive(Args, Debug)]
#[command(help_template = HELP_TEMPLATE, before_help = EXAMPLES, after_help = NOTES)]
#[command(mut_arg("format", |arg| arg.value_parser(format_names_and(&[REPORT_FORMAT]))))]
pub struct BreakglassArgs {
    /// Files, folders, globs or URLs with sign-ins and audit logs
    #[arg(value_name = "DATA")]
    pub paths: Vec<OsString>,
    /// User principal name or object ID of an emergency account; repeatable
    #[arg(long = "account", value_name = "UPN", required = true, help_heading = heading::INPUT)]
    pub accounts: Vec<String>,
    /// A time in which the accounts are tested; repeatable
    #[arg(long, value_name = "FROM/TO", help_heading = heading::TIME)]
    pub maintenance: Vec<String>,
    #[command(flatten)]
    pub source: SourceArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}
