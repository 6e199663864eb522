//! Help, manual page and shell completions, generated from the arguments.

use std::io::Write;

use clap::{Command, CommandFactory};

use super::Outcome;
use super::args::Cli;
use crate::diagnostic::{Error, Result};

/// Returns the definition of the command line, for documentation and tests.
#[must_use]
pub fn command() -> Command {
    Cli::command()
}

/// Prints the short help, for a run without arguments.
pub(super) fn short_help() -> Result<Outcome> {
    let help = Cli::command().render_help();
    super::reporter::print_lines(&help.to_string());
    Err(Error::Reported(2))
}

pub(super) fn completions(shell: clap_complete::Shell, command: &mut Command) -> Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(shell, command, "coldcase", &mut script);
    print(&script)
}

pub(super) fn man(command: &Command) -> Result<Outcome> {
    // The generator of the page ignores the text before the help, which has the examples.
    let texts = [command.get_before_help(), command.get_after_help()].into_iter().flatten();
    let notes = texts.map(ToString::to_string).collect::<Vec<_>>().join("\n\n");
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone().after_long_help(notes))
        .render(&mut page)
        .map_err(|error| Error::io("stdout", error))?;
    print(&page)
}

/// Writes `bytes` to stdout.
pub(super) fn print(bytes: &[u8]) -> Result<Outcome> {
    super::stdout::check()?;
    let mut stdout = super::terminal::stdout();
    stdout.write_all(bytes).and_then(|()| stdout.flush()).map_err(|error| Error::io("stdout", error))?;
    Ok(Outcome::Success)
}
