//! Rows of a block -> batches: the columns of the filter are decoded first, then the others of the rows that pass.

use std::sync::Arc;

use arrow::array::Array;

use super::JsonReader;
use crate::diagnostic::Result;
use crate::source::text::column::ColumnWriter;
use crate::source::text::plan::ScanPlan;
use crate::source::text::rows::{Findings, Found, Row, writer_for};
use crate::types::Batch;

impl JsonReader {
    /// Filters and decodes the rows kept of this block.
    pub(super) fn flush(&mut self, block: &[u8]) -> Result<()> {
        self.count_decoded();
        let unwrapped = std::mem::take(&mut self.unwrapped);
        let block = if unwrapped.is_current { &unwrapped.text } else { block };
        let rows = std::mem::take(&mut self.rows);
        let mut kept = self.filter(block, &rows)?;
        kept.truncate(self.plan.limit.saturating_sub(self.emitted + self.written));
        let mut rest = &kept[..];
        while !rest.is_empty() {
            let most = rest.len().min(self.plan.batch_rows - self.written);
            let (now, later) = rest.split_at(self.within_bytes(block, &rows, &rest[..most]));
            self.write(block, &rows, now);
            if self.written == self.plan.batch_rows || self.text_bytes() >= self.plan.batch_bytes {
                self.emit();
            }
            rest = later;
        }
        self.rows = rows;
        self.rows.clear();
        self.places.clear();
        self.unwrapped = unwrapped.emptied();
        Ok(())
    }

    /// How many of the rows at `kept` are written before the size of the batch is looked at: all of a usual block, some
    /// of one that holds a long line.
    fn within_bytes(&self, block: &[u8], rows: &[Row], kept: &[usize]) -> usize {
        if block.len() <= self.plan.batch_bytes {
            return kept.len();
        }
        let mut bytes = 0;
        let end = kept.iter().position(|&row| {
            bytes += rows[row].record.len();
            bytes >= self.plan.batch_bytes
        });
        end.map_or(kept.len(), |last| last + 1)
    }

    fn text_bytes(&self) -> usize {
        self.writers.iter().map(ColumnWriter::text_bytes).sum()
    }

    /// Which of the rows pass the filter.
    fn filter(&mut self, block: &[u8], rows: &[Row]) -> Result<Vec<usize>> {
        let all: Vec<usize> = (0..rows.len()).collect();
        let plan = Arc::clone(&self.plan);
        let Some(filter) = plan.filter.as_ref().filter(|_| !rows.is_empty()) else { return Ok(all) };
        let mut columns = Vec::with_capacity(plan.filter_columns.len());
        let mut unsaid = Findings::default();
        let found = self.found(&plan, block, rows);
        let mut findings = Findings::default();
        for (index, column) in plan.filter_columns.iter().enumerate() {
            let mut writer = writer_for(column);
            // Several paths of one column have the same to say.
            let counted = plan.filter_columns[..index].iter().any(|other| other.name == column.name);
            found.append(&mut writer, column, &all, if counted { &mut unsaid } else { &mut findings });
            columns.push(writer.finish());
        }
        self.findings.merge(findings);
        let passed = filter.evaluate(&Batch::new(columns, rows.len()))?;
        Ok(all.into_iter().filter(|&row| passed.is_valid(row) && passed.value(row)).collect())
    }

    /// The rows of a block, to be decoded.
    fn found<'a>(&'a self, plan: &'a ScanPlan, block: &'a [u8], rows: &'a [Row]) -> Found<'a> {
        let slots = plan.tree.slot_count();
        Found { block, rows, places: &self.places, slots, file: &self.file, dates: &*plan.dates }
    }

    fn write(&mut self, block: &[u8], rows: &[Row], kept: &[usize]) {
        let plan = Arc::clone(&self.plan);
        let mut writers = std::mem::take(&mut self.writers);
        let found = self.found(&plan, block, rows);
        let (mut findings, mut unsaid) = (Findings::default(), Findings::default());
        for (index, (column, writer)) in plan.columns.iter().zip(&mut writers).enumerate() {
            // What there is to say about a column of the filter was counted there.
            let others = plan.filter_columns.iter().chain(&plan.columns[..index]);
            let counted = others.into_iter().any(|other| other.name == column.name);
            found.append(writer, column, kept, if counted { &mut unsaid } else { &mut findings });
        }
        self.findings.merge(findings);
        self.writers = writers;
        self.written += kept.len();
    }

    pub(super) fn emit(&mut self) {
        let rows = std::mem::take(&mut self.written);
        let columns = self.writers.iter_mut().map(ColumnWriter::finish).collect();
        self.emitted += rows;
        self.ready.push_back(Batch::new(columns, rows));
    }
}
