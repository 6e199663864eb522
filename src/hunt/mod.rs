//! Rules and queries that run once over a whole archive, and their rows as one timeline.

mod timeline;

use std::sync::Arc;

pub use timeline::TimelineEntry;

use timeline::EntryMaker;

use crate::diagnostic::{Diagnostic, Error, Result};
use crate::engine::{Engine, Flow, Prepared};
use crate::rules::HuntRule;
use crate::scan::ScanReport;

/// The rows of one rule may take one part in this many of the memory limit.
const MEMORY_SHARE: u64 = 4;

/// The result of a hunt.
#[derive(Debug, Default)]
pub struct Hunt {
    /// The rows of all rules, in the order of their times; those without a time last.
    pub timeline: Vec<TimelineEntry>,
    /// What came out of each rule.
    pub outcomes: Vec<HuntOutcome>,
}

/// What came out of a rule.
#[derive(Debug)]
pub struct HuntOutcome {
    /// The number of its rows; an error if it did not run.
    pub rows: Result<usize>,
    /// Warnings about its query.
    pub warnings: Vec<Diagnostic>,
}

impl Hunt {
    /// Runs `rules` over the tables of `engine`. `started` is called before each rule with the number of rules before
    /// it.
    ///
    /// # Errors
    /// The run was stopped. An error of a rule is its outcome, and the others run nevertheless.
    pub fn run(rules: &[HuntRule], engine: &Engine, report: &Arc<ScanReport>, started: &dyn Fn(usize)) -> Result<Self> {
        let mut hunt = Self::default();
        for (index, rule) in rules.iter().enumerate() {
            started(index);
            let outcome = match engine.prepare_results(&rule.query.text, Arc::clone(report)) {
                Ok(mut results) => {
                    let warnings = results.iter_mut().flat_map(|result| std::mem::take(&mut result.warnings)).collect();
                    HuntOutcome { rows: hunt.add_rows(index, rule, &results, engine), warnings }
                }
                Err(error) => HuntOutcome { rows: Err(error), warnings: Vec::new() },
            };
            if matches!(outcome.rows, Err(Error::Cancelled)) {
                return Err(Error::Cancelled);
            }
            hunt.outcomes.push(outcome);
        }
        hunt.timeline.sort_by_key(|entry| (entry.time.is_none(), entry.time));
        Ok(hunt)
    }

    /// Runs the results of a rule and adds their rows, all of them or none.
    fn add_rows(&mut self, index: usize, rule: &HuntRule, results: &[Prepared], engine: &Engine) -> Result<usize> {
        let max_bytes = usize::try_from(engine.settings().max_memory / MEMORY_SHARE).unwrap_or(usize::MAX);
        let (before, mut bytes) = (self.timeline.len(), 0);
        let outcome = results.iter().try_for_each(|prepared| {
            let maker = EntryMaker::new(index, rule, prepared.schema());
            prepared.run(&mut |batch| {
                for row in 0..batch.rows() {
                    let entry = maker.entry(&batch, row);
                    bytes += entry.bytes();
                    self.timeline.push(entry);
                }
                match bytes > max_bytes {
                    true => Err(too_many_rows(self.timeline.len() - before)),
                    false => Ok(Flow::Continue(())),
                }
            })
        });
        if outcome.is_err() {
            self.timeline.truncate(before);
        }
        outcome.map(|()| self.timeline.len() - before)
    }
}

fn too_many_rows(rows: usize) -> Error {
    Error::Limit(format!(
        "more than {rows} rows, which take a quarter of --max-memory: raise it, or narrow the hunt with --from and --to"
    ))
}
