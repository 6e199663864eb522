//! Explains errors of a query that is one word, which may be a misspelt command.

use clap::CommandFactory;

use super::args::Cli;
use crate::diagnostic::{Code, Error, suggest};

/// Returns a better error for the query `text` that failed with `error`, if the query is one word that resembles none
/// of `tables`: a misspelt command, or neither a command nor a table. Other errors are returned unchanged.
pub(super) fn explain(text: &str, tables: &[String], error: Error) -> Error {
    let word = text.trim();
    let is_word = word.starts_with(|c: char| c.is_ascii_alphabetic())
        && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    if !is_word || suggest(word, tables.iter().map(String::as_str)).is_some() {
        return error;
    }
    let commands: Vec<String> = Cli::command()
        .get_subcommands()
        .map(|command| command.get_name().to_owned())
        .chain(["help".to_owned()])
        .collect();
    let near = suggest(word, commands.iter().map(String::as_str));
    match (&error, near) {
        (Error::Query(_) | Error::Io { .. } | Error::Data { .. }, Some(near)) => Error::Usage(format!(
            "`{word}` is neither a table nor a command: did you mean the command `{near}`? \
             `coldcase help` lists all commands"
        )),
        (Error::Query(list), None) if list.iter().all(|mistake| mistake.code == Code::UnknownTable) => {
            Error::Usage(format!(
                "`{word}` is neither a command nor a table of these files: `coldcase help` lists the commands; \
                 -t {word}=PATH reads files as the table {word}"
            ))
        }
        _ => error,
    }
}
