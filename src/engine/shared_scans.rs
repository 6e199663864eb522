//! Queries that run one after the other over the same tables: each table of text files is read once for all.
//!
//! The rows that any of the queries needs are kept in memory, with the columns of all of them. What is read while a query
//! is bound (`in (T | ...)`, `toscalar`) is read from the files each time.

use std::sync::Arc;

use super::{Engine, Prepared};
use crate::diagnostic::{Error, Result};
use crate::exec::{SharedRows, SharingScan, read_shared};
use crate::memory::MemoryBudget;
use crate::plan::{LogicalPlan, Scan, visit};
use crate::scan::{HeldTable, ScanReport, TableProvider};

/// Shared rows may take one part in this many of the memory limit: the queries need the rest.
const MEMORY_SHARE: u64 = 2;

/// The scans of one table.
struct TableScans {
    name: String,
    /// The table with the most columns: those of the others are its first ones.
    table: Arc<dyn TableProvider>,
    /// The queries, and their scans.
    scans: Vec<(usize, Scan)>,
}

impl Engine {
    /// Reads each table that several of `queries` scan, and lets them read the rows from memory. False if the rows do not
    /// fit, or if a scan fails, of which one of the queries may be the cause; the queries are unchanged then.
    ///
    /// # Errors
    /// The run was stopped.
    pub fn share_scans(&self, queries: &mut [&mut Prepared], report: &Arc<ScanReport>) -> Result<bool> {
        let Some(first) = queries.first() else { return Ok(true) };
        let budget = MemoryBudget::new(self.settings.max_memory / MEMORY_SHARE);
        let mut context = self.context(first.context.eval.clone(), Arc::clone(report));
        context.memory = Arc::clone(&budget);
        let (mut memory, mut held) = (budget.reservation(), Vec::new());
        for group in shared_tables(queries) {
            let scans = group.scans.iter();
            let scans: Vec<SharingScan<'_>> =
                scans.map(|(query, scan)| SharingScan { scan, context: &queries[*query].context }).collect();
            match read_shared(&scans, &group.table, &context, &mut memory) {
                Ok(SharedRows { columns, batches }) => {
                    let table = Arc::new(HeldTable::new(Arc::clone(&group.table), columns, batches));
                    held.push((group, table as Arc<dyn TableProvider>));
                }
                Err(Error::Cancelled) => return Err(Error::Cancelled),
                Err(_) => return Ok(false),
            }
        }
        let rest = self.settings.max_memory.saturating_sub(memory.bytes() as u64);
        for (index, query) in queries.iter_mut().enumerate() {
            query.context.memory = MemoryBudget::new(rest);
            query.plan = with_held(query.plan.clone(), index, &held)?;
        }
        Ok(true)
    }
}

/// The tables that several queries scan, in the order in which they are first scanned.
fn shared_tables(queries: &[&mut Prepared]) -> Vec<TableScans> {
    let mut tables: Vec<TableScans> = Vec::new();
    for (index, query) in queries.iter().enumerate() {
        let mut plans = vec![&query.plan];
        while let Some(plan) = plans.pop() {
            plans.extend(visit::inputs(plan));
            let LogicalPlan::Scan(scan) = plan else { continue };
            if !is_shareable(scan) {
                continue;
            }
            match tables.iter_mut().find(|table| table.has_columns_of(scan)) {
                Some(table) => table.add(index, scan),
                None => tables.push(TableScans {
                    name: scan.name.clone(),
                    table: Arc::clone(&scan.table),
                    scans: vec![(index, scan.clone())],
                }),
            }
        }
    }
    tables.retain(TableScans::is_shared);
    tables
}

/// True for a scan of all rows of files with text. Columnar files are cheap to read again with the columns and filters
/// of one query, and their rows would take more memory than their bytes.
fn is_shareable(scan: &Scan) -> bool {
    let table = &scan.table;
    let is_of_files = !table.is_in_memory() && !table.is_of_wildcard() && table.extent().0 > 0;
    scan.limit.is_none() && is_of_files && !table.is_columnar()
}

impl TableScans {
    /// True if `scan` is of this table, whose columns it has, or has more or fewer at the end.
    fn has_columns_of(&self, scan: &Scan) -> bool {
        let (own, other) = (self.table.schema().fields(), scan.table.schema().fields());
        let common = own.len().min(other.len());
        self.name == scan.name && own[..common] == other[..common]
    }

    fn add(&mut self, query: usize, scan: &Scan) {
        if scan.table.schema().len() > self.table.schema().len() {
            self.table = Arc::clone(&scan.table);
        }
        self.scans.push((query, scan.clone()));
    }

    /// True if several queries scan the table.
    fn is_shared(&self) -> bool {
        let first = self.scans.first().map(|(query, _)| *query);
        self.scans.iter().any(|(query, _)| Some(*query) != first)
    }
}

/// The plan of the query at `index`, which reads the tables that are held from memory.
fn with_held(plan: LogicalPlan, index: usize, held: &[(TableScans, Arc<dyn TableProvider>)]) -> Result<LogicalPlan> {
    visit::transform_up(plan, &mut |node| {
        let LogicalPlan::Scan(scan) = node else { return Ok(node) };
        let is_of = |group: &&(TableScans, Arc<dyn TableProvider>)| {
            is_shareable(&scan)
                && group.0.has_columns_of(&scan)
                && group.0.scans.iter().any(|(query, _)| *query == index)
        };
        Ok(LogicalPlan::Scan(match held.iter().find(is_of) {
            // The shared scan has skipped rows, and has seen their times.
            Some((_, table)) => Scan { table: Arc::clone(table), prune: Vec::new(), ..scan },
            None => scan,
        }))
    })
}
