//! A table for the terminal.
//!
//! The widths come from the first rows; later rows are written as they come. Where the terminal is too narrow, cells are
//! cut first and columns hidden then; the last line says how many of each, so that nothing is missing in silence.

use std::fmt::Write;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::text::write_cell;
use super::{Format, TextStream, Writer};
use crate::diagnostic::Result;
use crate::types::{Batch, Schema, visible};

/// So many rows are looked at before the widths are settled.
const SAMPLE: usize = 500;
/// No column needs less than this to be of use.
const NARROW: usize = 12;
/// Between two columns.
const GAP: &str = "  ";

/// The format of terminals.
pub const FORMAT: Format = Format {
    name: "table",
    extensions: &[],
    summary: "Aligned columns, cut to the width of the terminal, with a last line that says what was cut.",
    binary: false,
    writer: |stream, options| {
        Box::new(Table {
            out: TextStream::new(stream),
            width: options.width,
            columns: Vec::new(),
            held: Vec::new(),
            settled: false,
            rows: 0,
            cut: 0,
            hidden: 0,
        })
    },
};

struct TableColumn {
    name: String,
    /// Numbers stand at the right.
    right: bool,
    width: usize,
}

struct Table {
    out: TextStream,
    width: Option<usize>,
    columns: Vec<TableColumn>,
    /// Rows that wait for the widths.
    held: Vec<Vec<String>>,
    settled: bool,
    rows: u64,
    cut: u64,
    hidden: usize,
}

impl Table {
    /// Settles the widths, hides what does not fit, writes the head and the rows held back.
    fn settle(&mut self) {
        self.settled = true;
        for (index, column) in self.columns.iter_mut().enumerate() {
            let cells = self.held.iter().map(|row| row[index].width());
            column.width = cells.chain([column.name.width()]).max().unwrap_or(0);
        }
        if let Some(available) = self.width {
            let shown = fit(&mut self.columns, available);
            self.hidden = self.columns.len() - shown;
            self.columns.truncate(shown);
        }
        let names: Vec<String> = self.columns.iter().map(|column| column.name.clone()).collect();
        let rules: Vec<String> = self.columns.iter().map(|column| "─".repeat(column.width)).collect();
        self.write_row(&names);
        self.write_row(&rules);
        // A name that is cut hides no data.
        self.cut = 0;
        for row in std::mem::take(&mut self.held) {
            self.write_row(&row);
        }
    }

    fn write_row(&mut self, cells: &[String]) {
        let start = self.out.text.len();
        for (index, (column, cell)) in self.columns.iter().zip(cells).enumerate() {
            if index > 0 {
                self.out.text.push_str(GAP);
            }
            let cuttable = self.width.is_some() && !column.right;
            let shortened = if cuttable { shorten(cell, column.width) } else { None };
            self.cut += u64::from(shortened.is_some());
            let cell = shortened.as_deref().unwrap_or(cell);
            let padding = column.width.saturating_sub(cell.width());
            let (before, after) = if column.right { (padding, 0) } else { (0, padding) };
            // Writing to a string does not fail.
            let _ = write!(self.out.text, "{:before$}{cell}{:after$}", "", "");
        }
        let end = self.out.text[start..].trim_end_matches(' ').len() + start;
        self.out.text.truncate(end);
        self.out.text.push('\n');
    }

    fn footer(&self) -> String {
        let count = |n: u64, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        let mut parts = vec![count(self.rows, "row")];
        if self.cut > 0 {
            parts.push(format!("{} cut", count(self.cut, "cell")));
        }
        if self.hidden > 0 {
            parts.push(format!("{} hidden", count(self.hidden as u64, "column")));
        }
        if parts.len() > 1 {
            parts.push("use -o line to see all".to_owned());
        }
        parts.join(" · ")
    }
}

/// Narrows the widest columns until all fit into `available`, none below [`NARROW`] and none of numbers, since half a
/// number is another number; answers how many of the first columns fit then. The first is always shown.
fn fit(columns: &mut [TableColumn], available: usize) -> usize {
    let gaps = |shown: usize| GAP.len() * shown.saturating_sub(1);
    let least = |column: &TableColumn| if column.right { column.width } else { column.width.min(NARROW) };
    let fits = |shown: usize| columns[..shown].iter().map(least).sum::<usize>() + gaps(shown) <= available;
    let shown = (1..=columns.len()).rev().find(|shown| fits(*shown)).unwrap_or(columns.len().min(1));
    let columns = &mut columns[..shown];
    columns.iter_mut().filter(|column| !column.right).for_each(|column| column.width = column.width.min(available));
    while columns.iter().map(|column| column.width).sum::<usize>() + gaps(shown) > available {
        match columns.iter_mut().filter(|column| !column.right && column.width > 1).max_by_key(|column| column.width) {
            Some(widest) => widest.width -= 1,
            None => break,
        }
    }
    shown
}

/// `cell` cut to `width`, its end marked; None where it fits.
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

impl Writer for Table {
    fn begin(&mut self, schema: &Schema) -> Result<()> {
        let column = |field: &crate::types::Field| TableColumn {
            name: visible(&field.name).into_owned(),
            right: field.ty.is_numeric(),
            width: 0,
        };
        self.columns = schema.fields().iter().map(column).collect();
        Ok(())
    }

    fn batch(&mut self, batch: &Batch) -> Result<()> {
        let mut cell = String::new();
        for row in 0..batch.rows() {
            self.rows += 1;
            let shown = if self.settled { self.columns.len() } else { batch.columns().len() };
            let mut cells = Vec::with_capacity(shown);
            for column in &batch.columns()[..shown] {
                cell.clear();
                write_cell(column, row, &mut cell);
                cells.push(visible(&cell).into_owned());
            }
            if self.settled {
                self.write_row(&cells);
                self.out.row_done()?;
            } else {
                self.held.push(cells);
                if self.held.len() >= SAMPLE {
                    self.settle();
                }
            }
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
