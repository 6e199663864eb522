//! The command line: parses the arguments, runs the engine, writes to stdout and stderr, and returns the exit code.
//!
//! Only this module reads the clock and the environment, and only this module prints: data to stdout, messages to
//! stderr.

mod analyze;
mod args;
mod backtest;
mod batch;
mod breakglass;
mod check;
mod configuration;
mod convert;
mod destination;
mod digest;
mod documents;
mod fields;
mod format;
mod functions;
mod hunt;
mod inspection;
mod lone_word;
mod manifest;
mod memory;
mod overwrite;
mod progress;
mod query;
mod query_files;
mod rejects;
mod report_page;
mod reporter;
mod results;
mod rows;
mod rule;
mod rule_files;
mod rule_tests;
mod session;
mod sniff;
mod sources;
mod stdout;
mod stop;
mod synth;
mod tables;
mod terminal;
mod verify;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

use crate::diagnostic::Result;
use args::{Cli, Command};

pub use documents::command;

/// The outcome of a command that did not fail, which decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Exit code 0.
    Success,
    /// Exit code 1: the run is complete, but a result is not as expected: no rows, with `-e`; a query of a batch, a rule
    /// of a hunt or a test failed; a backtest has other alerts than expected; or `fmt --check` found a difference.
    Negative,
    /// Exit code 5: data could not be read, with `--strict`.
    Damaged,
}

/// Stack sizes to try, in bytes. Planning recurses once per operator of a pipeline, so a large stack is preferred; a
/// smaller one is used if the system refuses it.
const STACK_SIZES: [usize; 3] = [256 << 20, 64 << 20, 16 << 20];

/// Runs the command given by `arguments`, of which the first is the name of the program.
#[must_use]
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    reporter::report_panics();
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    for stack in STACK_SIZES {
        let arguments = arguments.clone();
        let thread = std::thread::Builder::new().name("main".to_owned()).stack_size(stack);
        if let Ok(thread) = thread.spawn(move || run_here(arguments)) {
            return thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
    }
    run_here(arguments)
}

fn run_here(arguments: Vec<OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version go to stdout. A reader that has closed the pipe is not an error.
            if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
                let _ = error.print();
                return ExitCode::SUCCESS;
            }
            reporter::usage_error(error);
            return ExitCode::from(2);
        }
    };
    let outcome = stop::on_signals().and_then(|()| dispatch(&cli));
    if let Some(code) = stop::exit_code() {
        return code;
    }
    match outcome {
        Ok(Outcome::Success) => ExitCode::SUCCESS,
        Ok(Outcome::Negative) => ExitCode::from(1),
        Ok(Outcome::Damaged) => ExitCode::from(5),
        Err(error) if reporter::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            reporter::error(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

fn dispatch(cli: &Cli) -> Result<Outcome> {
    match &cli.command {
        None if cli.query.arguments.is_empty() && cli.query.file.query_file.is_none() => documents::short_help(),
        None => query::run(&cli.query),
        Some(Command::Explain(args)) => query::explain(args),
        Some(Command::Schema(args)) => query::schema(args),
        Some(Command::Functions(args)) => functions::run(args),
        Some(Command::Backtest(args)) => backtest::run(args),
        Some(Command::Rule(args)) => rule::run(args),
        Some(Command::Test(args)) => rule_tests::run(args),
        Some(Command::Breakglass(args)) => breakglass::run(args),
        Some(Command::Hunt(args)) => hunt::run(args),
        Some(Command::Check(args)) => check::run(args),
        Some(Command::Fmt(args)) => format::run(args),
        Some(Command::Sniff(args)) => sniff::run(args),
        Some(Command::Fields(args)) => fields::run(args),
        Some(Command::Tables(args)) => tables::run(args),
        Some(Command::Batch(args)) => batch::run(args),
        Some(Command::Convert(args)) => convert::run(args),
        Some(Command::Verify(args)) => verify::run(args),
        Some(Command::Synth(args)) => synth::run(args),
        Some(Command::Completions { shell }) => documents::completions(*shell, &mut Cli::command()),
        Some(Command::Man) => documents::man(&Cli::command()),
    }
}
