//! The command line: argv -> engine -> streams and exit codes.
//!
//! The only place that reads the clock and the environment, and that prints. stdout is data, stderr is talk.

mod analyze;
mod args;
mod batch;
mod configuration;
mod convert;
mod digest;
mod documents;
mod fields;
mod functions;
mod lone_word;
mod manifest;
mod memory;
mod overwrite;
mod progress;
mod query;
mod rejects;
mod rows;
mod session;
mod sniff;
mod sources;
mod stdout;
mod stop;
mod synth;
mod tables;
mod talk;
mod target;
mod terminal;
mod verify;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

use crate::diagnostic::Result;
use args::{Cli, Command};

pub use documents::command;

/// What a command that went well says to the caller of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All is well.
    Success,
    /// The negative answer to what was asked: no rows, with `-e`; a query of a batch that failed.
    Negative,
    /// Some data could not be read, with `--strict`.
    Damaged,
}

/// Bytes of the stack on which commands run: planning goes as deep as a pipeline is long. Less where the system does not
/// give as much.
const STACKS: [usize; 3] = [256 << 20, 64 << 20, 16 << 20];

/// Runs the command that `arguments` name, the program's own name first.
#[must_use]
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    talk::report_panics();
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    for stack in STACKS {
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
            // Help and version are data; everything else is a wrong call. A closed pipe is no reason to complain.
            if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
                let _ = error.print();
                return ExitCode::SUCCESS;
            }
            talk::wrong_call(error);
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
        Err(error) if talk::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            talk::error(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

fn dispatch(cli: &Cli) -> Result<Outcome> {
    match &cli.command {
        None if cli.query.arguments.is_empty() && cli.query.source.query_file.is_none() => documents::short_help(),
        None => query::run(&cli.query),
        Some(Command::Explain(args)) => query::explain(args),
        Some(Command::Schema(args)) => query::schema(args),
        Some(Command::Functions(args)) => functions::run(args),
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
