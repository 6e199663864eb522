//! Prints a table for the terminal.
//!
//! The first rows determine the layout; later rows are written as they come. If the terminal is too narrow, columns
//! are hidden and cells are truncated. The last line tells how many, so that nothing is lost silently.

mod layout;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use self::layout::{Extent, GAP, fit};
use super::text::write_cell;
use super::{Format, NamedResult, TextStream, Writer};
use crate::diagnostic::{Result, visible};
use crate::types::{Batch, Schema};

/// Maximum number of rows that are examined before the layout is fixed.
const MAX_SAMPLED_ROWS: usize = 500;
/// Maximum number of bytes of cells that are examined before the layout is fixed.
const MAX_SAMPLED_BYTES: usize = 8 << 20;
/// Maximum width to which columns are aligned, so that one long cell does not make every row long.
const MAX_ALIGNED: usize = 1_000;

/// The format for terminals.
pub const FORMAT: Format = Format {
    name: "table",
    extensions: &[],
    summary: "Aligned columns that fit the width of the terminal; the last line tells what is truncated or hidden.",
    binary: false,
    holds_several: true,
    writer: |stream, options| {
        Box::new(TableWriter {
            out: TextStream::new(stream),
            width: options.width,
            schema: Schema::new([]),
            columns: Vec::new(),
            spare: 0,
            sample: Vec::new(),
            sampled_bytes: 0,
            settled: false,
            rows: 0,
            cut: 0,
            hidden: 0,
            hidden_empty: Vec::new(),
        })
    },
};

/// A column that is shown.
struct VisibleColumn {
    /// The position of the column in the schema.
    index: usize,
    name: String,
    /// True for numbers, which are aligned to the right.
    right: bool,
    cuttable: bool,
    width: usize,
}

struct TableWriter {
    out: TextStream,
    /// The width of the terminal in characters; None if there is no terminal.
    width: Option<usize>,
    schema: Schema,
    columns: Vec<VisibleColumn>,
    /// The number of characters of a line that the columns do not use.
    spare: usize,
    /// The rows that wait until the layout is fixed.
    sample: Vec<Vec<String>>,
    sampled_bytes: usize,
    settled: bool,
    rows: u64,
    cut: u64,
    /// The number of hidden columns that have values.
    hidden: usize,
    /// The positions of hidden columns that have had no values so far.
    hidden_empty: Vec<usize>,
}

impl TableWriter {
    /// Fixes the columns that are shown and their widths. Writes the header and the rows that waited.
    fn settle(&mut self) {
        self.settled = true;
        let extents: Vec<Extent> = self.columns.iter().map(|column| self.extent(column)).collect();
        let widths = match self.width {
            Some(available) => fit(&self.schema, &extents, available),
            None => extents.iter().map(|extent| Some(extent.width)).collect(),
        };
        for (index, extent) in extents.iter().enumerate().filter(|(index, _)| widths[*index].is_none()) {
            if extent.empty { self.hidden_empty.push(index) } else { self.hidden += 1 }
        }
        self.columns.retain_mut(|column| {
            column.width = widths[column.index].unwrap_or(0).min(MAX_ALIGNED);
            widths[column.index].is_some()
        });
        let used = self.columns.iter().map(|column| column.width).sum::<usize>();
        let gaps = GAP.len() * self.columns.len().saturating_sub(1);
        self.spare = self.width.unwrap_or(0).saturating_sub(used + gaps);
        self.write_head();
        for mut row in std::mem::take(&mut self.sample) {
            let cells: Vec<String> = self.columns.iter().map(|column| std::mem::take(&mut row[column.index])).collect();
            self.write_row(&cells);
        }
    }

    /// Returns the width that a column needs for the rows of the sample.
    fn extent(&self, column: &VisibleColumn) -> Extent {
        let cells = || self.sample.iter().map(|row| &row[column.index]);
        let width = cells().map(|cell| cell.width()).chain([column.name.width()]).max().unwrap_or(0);
        let empty = !self.sample.is_empty() && cells().all(String::is_empty);
        Extent { width, cuttable: column.cuttable, empty }
    }

    fn write_head(&mut self) {
        let names: Vec<String> = self.columns.iter().map(|column| column.name.clone()).collect();
        let rules: Vec<String> = self.columns.iter().map(|column| "─".repeat(column.width)).collect();
        self.write_row(&names);
        self.write_row(&rules);
        // A cut column name hides no data.
        self.cut = 0;
    }

    fn write_row(&mut self, cells: &[String]) {
        let start = self.out.text.len();
        let mut spare = self.spare;
        for (index, (column, cell)) in self.columns.iter().zip(cells).enumerate() {
            if index > 0 {
                self.out.text.push_str(GAP);
            }
            let width = cell.width();
            let room = column.width + spare;
            spare = spare.saturating_sub(width.saturating_sub(column.width));
            let shortened = if column.cuttable && self.width.is_some() { shorten(cell, room) } else { None };
            self.cut += u64::from(shortened.is_some());
            // Padded by hand: the width in a format string is limited to 16 bits.
            let padding = " ".repeat(column.width.saturating_sub(width));
            let (before, after) = if column.right { (padding.as_str(), "") } else { ("", padding.as_str()) };
            [before, shortened.as_deref().unwrap_or(cell), after]
                .into_iter()
                .for_each(|text| self.out.text.push_str(text));
        }
        let end = self.out.text[start..].trim_end_matches(' ').len() + start;
        self.out.text.truncate(end);
        self.out.text.push('\n');
    }

    /// Adds a row, with all of its columns, to the sample.
    fn sample(&mut self, batch: &Batch, row: usize) {
        let cells: Vec<String> = batch
            .columns()
            .iter()
            .map(|column| {
                let mut cell = String::new();
                write_cell(column, row, &mut cell);
                visible(&cell).into_owned()
            })
            .collect();
        self.sampled_bytes += cells.iter().map(|cell| cell.len() + size_of::<String>()).sum::<usize>();
        self.sample.push(cells);
        if self.sample.len() >= MAX_SAMPLED_ROWS || self.sampled_bytes >= MAX_SAMPLED_BYTES {
            self.settle();
        }
    }

    /// Counts the hidden columns that have their first value in this row.
    fn check_hidden(&mut self, batch: &Batch, row: usize) {
        let mut cell = String::new();
        let before = self.hidden_empty.len();
        self.hidden_empty.retain(|index| {
            cell.clear();
            write_cell(batch.column(*index), row, &mut cell);
            cell.is_empty()
        });
        self.hidden += before - self.hidden_empty.len();
    }

    fn footer(&self) -> String {
        let count = |n: u64, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        let mut parts = vec![count(self.rows, "row")];
        if self.cut > 0 {
            parts.push(format!("{} cut", count(self.cut, "cell")));
        }
        let parts_before_advice = parts.len();
        if self.hidden > 0 {
            parts.push(format!("{} hidden", count(self.hidden as u64, "column")));
        }
        if !self.hidden_empty.is_empty() {
            parts.push(format!("{} hidden", count(self.hidden_empty.len() as u64, "empty column")));
        }
        if parts.len() > 1 {
            let project = if parts.len() > parts_before_advice { ", or project the columns you need" } else { "" };
            parts.push(format!("use -o line to see all{project}"));
        }
        parts.join(" · ")
    }
}

/// Truncates `cell` to `width` characters, and marks its end; None if it fits.
fn shorten(cell: &str, width: usize) -> Option<String> {
    if cell.width() <= width {
        return None;
    }
    let mut short = String::new();
    let mut room = width.saturating_sub(1);
    for character in cell.chars() {
        let taken = character.width().unwrap_or(0);
        if taken > room {
            break;
        }
        room -= taken;
        short.push(character);
    }
    short.push('…');
    Some(short)
}

impl Writer for TableWriter {
    fn name(&mut self, result: NamedResult<'_>) {
        self.out.heading(result);
    }

    fn begin(&mut self, schema: &Schema) -> Result<()> {
        let column = |(index, field): (usize, &crate::types::Field)| VisibleColumn {
            index,
            name: visible(&field.name).into_owned(),
            right: field.ty.is_numeric(),
            cuttable: field.ty.is_text(),
            width: 0,
        };
        self.columns = schema.fields().iter().enumerate().map(column).collect();
        self.schema = schema.clone();
        Ok(())
    }

    fn batch(&mut self, batch: &Batch) -> Result<()> {
        let mut cell = String::new();
        for row in 0..batch.rows() {
            self.rows += 1;
            if !self.settled {
                self.sample(batch, row);
                continue;
            }
            let mut cells = Vec::with_capacity(self.columns.len());
            for column in &self.columns {
                cell.clear();
                write_cell(batch.column(column.index), row, &mut cell);
                cells.push(visible(&cell).into_owned());
            }
            self.write_row(&cells);
            self.check_hidden(batch, row);
            self.out.row_done()?;
        }
        if self.settled { self.out.flush() } else { Ok(()) }
    }

    fn finish(&mut self) -> Result<()> {
        if !self.settled && !self.columns.is_empty() {
            self.settle();
        }
        if !self.columns.is_empty() {
            self.out.text.push('\n');
        }
        let footer = self.footer();
        self.out.text.push_str(&footer);
        self.out.text.push('\n');
        self.out.flush()
    }
}
