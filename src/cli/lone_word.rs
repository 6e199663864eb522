//! A query that is one word: a table, or a command that is misspelt or does not exist.

use clap::CommandFactory;

use super::args::Cli;
use crate::diagnostic::{Code, Error, suggest};

/// The error to report for one that was met with the query `text`: that the query is a misspelt command, or neither a
/// command nor a table, if it is one word that names none of `tables`. Every other error is passed on.
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
            "`{word}` is no table here and no command: did you mean the command `{near}`? `coldcase help` lists them all"
        )),
        (Error::Query(list), None) if list.iter().all(|mistake| mistake.code == Code::UnknownTable) => {
            Error::Usage(format!(
                "`{word}` is neither a command nor a table of these files: `coldcase help` lists the commands, and \
                 -t {word}=PATH binds a table to files"
            ))
        }
        _ => error,
    }
}
