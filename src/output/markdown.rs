//! A table of GitHub's Markdown.

use super::text::{visible, write_cell};
use super::{Format, TextStream, Writer};
use crate::diagnostic::Result;
use crate::types::{Batch, Schema};

/// What a cell holds is shown as it is: nothing in it becomes a link, an image or HTML.
pub const FORMAT: Format = Format {
    name: "md",
    extensions: &["md"],
    summary: "A Markdown table, for reports and tickets.",
    binary: false,
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

/// Appends `text` so that it renders as itself.
fn escape(text: &str, out: &mut String) {
    for character in visible(text).chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '!' => {
                out.push('\\');
                out.push(character);
            }
            // Bare addresses become links of themselves unless they are broken up.
            ':' => out.push_str("&#58;"),
            '@' => out.push_str("&#64;"),
            _ => out.push(character),
        }
    }
}

impl Writer for Markdown {
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
