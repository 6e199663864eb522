//! `coldcase rule`: commands that write rules.

mod convert;
mod tune;

use super::Outcome;
use super::args::{RuleArgs, RuleCommand};
use crate::diagnostic::Result;

pub(super) fn run(args: &RuleArgs) -> Result<Outcome> {
    match &args.command {
        RuleCommand::Convert(args) => convert::run(args),
        RuleCommand::Tune(args) => tune::run(args),
    }
}
