//! The terminal: its width, its colours, and the escaping of data that is shown on it.

use std::io::{self, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};
use terminal_size::terminal_size_of;

use super::args::Colour;
use crate::diagnostic::{Style, visible_json};
use crate::output::Stream;
use crate::storage::remote::redacted;

/// The width in columns if neither the terminal nor the environment tells it.
const DEFAULT_WIDTH: usize = 120;

/// The width of the terminal on stdout, in columns: as the terminal reports it, else from `COLUMNS`.
pub(super) fn width() -> usize {
    let terminal = terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0));
    let variable = || std::env::var("COLUMNS").ok()?.parse().ok().filter(|width| *width > 0);
    terminal.or_else(variable).unwrap_or(DEFAULT_WIDTH)
}

/// The style of messages. `auto` follows the conventions: the terminal, `TERM`, `NO_COLOR` and `CLICOLOR`.
pub(super) fn style(colour: Colour) -> Style {
    let coloured = match colour {
        Colour::Always => true,
        Colour::Never => false,
        Colour::Auto => AutoStream::choice(&io::stderr()) != ColorChoice::Never,
    };
    if coloured { Style::Coloured } else { Style::Plain }
}

/// Writes coloured text, which is escaped already, to stderr, without the secrets of URLs in it; a closed stderr is
/// ignored.
pub(super) fn write_coloured(text: &str) {
    let _ = writeln!(AutoStream::always(io::stderr()).lock(), "{}", redacted(text));
}

/// The stream for data on stdout: unchanged into pipes and files, through [`VisibleText`] on a terminal.
pub(super) fn stdout() -> Stream {
    let stdout = io::stdout();
    if stdout.is_terminal() { Box::new(VisibleText::new(stdout)) } else { Box::new(stdout) }
}

/// Escapes control characters in text that is written to a terminal: attackers write part of the logs. The escapes are
/// those of JSON, so that JSON stays valid.
struct VisibleText<W> {
    out: W,
    /// An incomplete character at the end, or a \r that may be followed by \n.
    pending: Vec<u8>,
}

impl<W: Write> VisibleText<W> {
    fn new(out: W) -> Self {
        Self { out, pending: Vec::new() }
    }
}

impl<W: Write> Write for VisibleText<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut text = std::mem::take(&mut self.pending);
        text.extend_from_slice(bytes);
        self.pending = text.split_off(complete(&text));
        self.out.write_all(visible_json(&String::from_utf8_lossy(&text)).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// The number of bytes before an incomplete character, or before a \r, at the end.
fn complete(text: &[u8]) -> usize {
    let invalid = text.utf8_chunks().last().map_or(&[][..], |chunk| chunk.invalid());
    match std::str::from_utf8(invalid) {
        Err(error) if error.error_len().is_none() => text.len() - invalid.len(),
        _ if text.ends_with(b"\r") => text.len() - 1,
        _ => text.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(parts: &[&[u8]]) -> String {
        let mut stream = VisibleText::new(Vec::new());
        parts.iter().for_each(|part| stream.write_all(part).expect("written"));
        String::from_utf8(stream.out).expect("text")
    }

    #[test]
    fn a_terminal_gets_no_escape_sequence() {
        let text = "a,é\r\n\u{1b}]0;OWNED\u{7}\u{9b}2J\u{202e}漢\t\u{7f}\rb\n";
        let expected = "a,é\r\n\\u001b]0;OWNED\\u0007\\u009b2J\\u202e漢\t\\u007f\\u000db\n";
        assert_eq!(shown(&[text.as_bytes()]), expected);
        let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
        assert_eq!(shown(&bytes), expected, "split anywhere");
        assert_eq!(shown(&[b"a\xffb\n"]), "a\u{fffd}b\n", "invalid UTF-8 cannot be a control character");
    }
}
