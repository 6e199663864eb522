//! Turns the rows of a block into batches. The columns of the filter are decoded first, then the other columns of the
//! rows that pass it.

use std::sync::Arc;

use arrow::array::Array;

use super::JsonReader;
use crate::diagnostic::Result;
use crate::source::text::column::ColumnWriter;
use crate::source::text::plan::{ScanPlan, WatchedIds};
use crate::source::text::row_values::{BlockRows, ScannedRow, ValueFindings, writer_for};
use crate::types::Batch;

impl JsonReader {
    /// Filters and decodes the rows found in this block.
    pub(super) fn flush(&mut self, block: &[u8]) -> Result<()> {
        self.count_decoded();
        let decoded = std::mem::take(&mut self.decoded);
        let block = if decoded.is_current { &decoded.text } else { block };
        let rows = std::mem::take(&mut self.rows);
        let mut kept = self.filter(block, &rows)?;
        kept.truncate(self.plan.limit.saturating_sub(self.emitted + self.written));
        self.note_ids(block, &rows, &kept);
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
        self.ranges.clear();
        self.decoded = decoded.emptied();
        self.report_damage();
        Ok(())
    }

    /// Returns how many of the rows at `kept` are written before the size of the batch is checked again: all of a
    /// normal block, some of a block with a long line.
    fn within_bytes(&self, block: &[u8], rows: &[ScannedRow], kept: &[usize]) -> usize {
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

    /// Returns the approximate size in bytes of the columns that are being written.
    pub(super) fn column_bytes(&self) -> usize {
        /// Bytes of a view, and at most of another value.
        const VALUE: usize = 16;
        self.text_bytes() + self.written * self.writers.len() * VALUE
    }

    fn text_bytes(&self) -> usize {
        self.writers.iter().map(ColumnWriter::text_bytes).sum()
    }

    /// Adds the Ids of the rows at `kept` to the sample by which files are compared, and counts the rows without one.
    fn note_ids(&self, block: &[u8], rows: &[ScannedRow], kept: &[usize]) {
        let Some(WatchedIds { column, sketch }) = &self.plan.ids else { return };
        let (mut hashes, mut with_id) = (Vec::new(), 0);
        self.found(&self.plan, block, rows).for_each_string(column, kept, &mut |id| {
            with_id += 1;
            hashes.extend(sketch.sampled(id));
        });
        sketch.count(self.file.index, with_id, (kept.len() as u64).saturating_sub(with_id));
        if !hashes.is_empty() {
            sketch.add(self.file.index, &hashes);
        }
    }

    /// Returns the positions of the rows that pass the filter of the query.
    fn filter(&mut self, block: &[u8], rows: &[ScannedRow]) -> Result<Vec<usize>> {
        let all: Vec<usize> = (0..rows.len()).collect();
        let plan = Arc::clone(&self.plan);
        let Some(filter) = plan.filter.as_ref().filter(|_| !rows.is_empty()) else { return Ok(all) };
        let mut columns = Vec::with_capacity(plan.filter_columns.len());
        let mut discarded = ValueFindings::default();
        let found = self.found(&plan, block, rows);
        let mut findings = ValueFindings::default();
        for (index, column) in plan.filter_columns.iter().enumerate() {
            let mut writer = writer_for(column);
            // Several paths of one column have the same findings.
            let counted = plan.filter_columns[..index].iter().any(|other| other.name == column.name);
            found.append(&mut writer, column, &all, if counted { &mut discarded } else { &mut findings });
            columns.push(writer.finish());
        }
        self.findings.merge(findings);
        let passed = filter.evaluate(&Batch::new(columns, rows.len()))?;
        Ok(all.into_iter().filter(|&row| passed.is_valid(row) && passed.value(row)).collect())
    }

    /// Returns `rows` with what is needed to decode their values.
    fn found<'a>(&'a self, plan: &'a ScanPlan, block: &'a [u8], rows: &'a [ScannedRow]) -> BlockRows<'a> {
        let slots = plan.tree.slot_count();
        BlockRows { block, rows, ranges: &self.ranges, slots, file: &self.file, dates: &*plan.dates }
    }

    fn write(&mut self, block: &[u8], rows: &[ScannedRow], kept: &[usize]) {
        let plan = Arc::clone(&self.plan);
        let mut writers = std::mem::take(&mut self.writers);
        let found = self.found(&plan, block, rows);
        let (mut findings, mut discarded) = (ValueFindings::default(), ValueFindings::default());
        for (index, (column, writer)) in plan.columns.iter().zip(&mut writers).enumerate() {
            // The findings about columns of the filter were collected there.
            let others = plan.filter_columns.iter().chain(&plan.columns[..index]);
            let counted = others.into_iter().any(|other| other.name == column.name);
            found.append(writer, column, kept, if counted { &mut discarded } else { &mut findings });
        }
        self.findings.merge(findings);
        self.writers = writers;
        self.written += kept.len();
    }

    pub(super) fn emit(&mut self) {
        self.ready_bytes += self.column_bytes();
        let rows = std::mem::take(&mut self.written);
        let columns = self.writers.iter_mut().map(ColumnWriter::finish).collect();
        self.emitted += rows;
        self.ready.push_back(Batch::new(columns, rows));
    }
}
