//! Prints a Markdown table, in the flavour of GitHub.

use super::text::write_cell;
use super::{Format, NamedResult, TextStream, Writer};
use crate::diagnostic::{Result, visible};
use crate::types::{Batch, Schema};

/// The format. Cells are shown literally: nothing in them becomes a link, an image or HTML.
pub const FORMAT: Format = Format {
    name: "md",
    extensions: &["md"],
    summary: "A Markdown table, for reports and tickets.",
    binary: false,
    holds_several: true,
    writer: |stream, _| Box::new(Markdown { out: TextStream::new(stream) }),
};

struct Markdown {
    out: TextStream,
}

impl Markdown {
    fn cell(&mut self, text: &str) {
        self.out.text.push(' ');
        escape(text, &mut self.out.text);
        self.out.text.push_str(" |");
    }
}

/// Appends `text` so that it is shown literally. A bare address would become a link, so it is broken up.
fn escape(text: &str, out: &mut String) {
    let text = visible(text);
    for (at, character) in text.char_indices() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '!' | '$' => {
                out.push('\\');
                out.push(character);
            }
            ':' if text[at..].starts_with("://") => out.push_str("&#58;"),
            '.' if text.as_bytes()[at.saturating_sub(3)..at].eq_ignore_ascii_case(b"www") => out.push_str("&#46;"),
            _ => out.push(character),
        }
    }
}

impl Writer for Markdown {
    fn name(&mut self, result: NamedResult<'_>) {
        self.out.text.push_str(if result.is_first { "### " } else { "\n### " });
        escape(result.name, &mut self.out.text);
        self.out.text.push_str("\n\n");
    }

    fn begin(&mut self, schema: &Schema) -> Result<()> {
        if schema.is_empty() {
            return Ok(());
        }
        self.out.text.push('|');
        schema.names().for_each(|name| self.cell(name));
        self.out.text.push_str("\n|");
        for field in schema.fields() {
            self.out.text.push_str(if field.ty.is_numeric() { " ---: |" } else { " --- |" });
        }
        self.out.text.push('\n');
        Ok(())
    }

    fn batch(&mut self, batch: &Batch) -> Result<()> {
        if batch.columns().is_empty() {
            return Ok(());
        }
        let mut cell = String::new();
        for row in 0..batch.rows() {
            self.out.text.push('|');
            for column in batch.columns() {
                cell.clear();
                write_cell(column, row, &mut cell);
                self.cell(&cell);
            }
            self.out.text.push('\n');
            self.out.row_done()?;
        }
        self.out.flush()
    }

    fn finish(&mut self) -> Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_becomes_a_link_or_markup() {
        let escaped = |text: &str| {
            let mut out = String::new();
            escape(text, &mut out);
            out
        };
        assert_eq!(escaped("12:30 a@b.c"), "12:30 a@b.c");
        assert_eq!(escaped("https://x.y WWW.x.y"), "https&#58;//x.y WWW&#46;x.y");
        assert_eq!(escaped("![a](b) <i> &amp; `c` *d*"), "\\!\\[a\\](b) &lt;i&gt; &amp;amp; \\`c\\` \\*d\\*");
        assert_eq!(escaped("漢.x"), "漢.x");
        assert_eq!(escaped("a|b\r\nc $x$"), "a\\|b\\\\r\\\\nc \\$x\\$");
    }
}
