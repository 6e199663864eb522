//! Prints each cell on a line of its own, for rows with many columns.

use std::fmt::Write;

use unicode_width::UnicodeWidthStr;

use super::text::write_cell;
use super::{Format, NamedResult, TextStream, Writer};
use crate::diagnostic::{Result, visible};
use crate::types::{Batch, Schema};

/// The format, which shows every column and every cell completely.
pub const FORMAT: Format = Format {
    name: "line",
    extensions: &["txt"],
    summary: "One line per cell, never truncated: for rows with many columns.",
    binary: false,
    holds_several: true,
    writer: |stream, _| Box::new(LineWriter { out: TextStream::new(stream), names: Vec::new(), rows: 0 }),
};

struct LineWriter {
    out: TextStream,
    /// The names of the columns, padded to equal width.
    names: Vec<String>,
    rows: u64,
}

impl Writer for LineWriter {
    fn name(&mut self, result: NamedResult<'_>) {
        self.out.heading(result);
    }

    fn begin(&mut self, schema: &Schema) -> Result<()> {
        let names: Vec<_> = schema.names().map(visible).collect();
        let width = names.iter().map(|name| name.width()).max().unwrap_or(0);
        let filled = |name: &str| format!("{}{name}", " ".repeat(width - name.width()));
        self.names = names.iter().map(|name| filled(name)).collect();
        Ok(())
    }

    fn batch(&mut self, batch: &Batch) -> Result<()> {
        let mut cell = String::new();
        for row in 0..batch.rows() {
            self.rows += 1;
            let text = &mut self.out.text;
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{}row {}", if self.rows > 1 { "\n" } else { "" }, self.rows);
            for (name, column) in self.names.iter().zip(batch.columns()) {
                cell.clear();
                write_cell(column, row, &mut cell);
                let _ = writeln!(text, "{}", format!("{name}: {}", visible(&cell)).trim_end());
            }
            self.out.row_done()?;
        }
        self.out.flush()
    }

    fn finish(&mut self) -> Result<()> {
        if self.rows == 0 {
            self.out.text.push_str("0 rows\n");
        }
        self.out.flush()
    }
}
