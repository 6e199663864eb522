//! Rules and queries that run once over a whole archive, and their rows as one timeline.

mod timeline;

use std::sync::Arc;

pub use timeline::TimelineEntry;

use timeline::EntryMaker;

use crate::diagnostic::{Diagnostic, Error, Result};
use crate::engine::{Engine, Flow, Prepared};
use crate::rules::HuntRule;
use crate::scan::ScanReport;

/// The timeline may take one part in this many of the memory limit.
const MEMORY_SHARE: u64 = 4;

/// The result of a hunt.
#[derive(Debug, Default)]
pub struct Hunt {
    /// The rows of all rules, in the order of their times; those without a time last.
    pub timeline: Vec<TimelineEntry>,
    /// What came out of each rule.
    pub outcomes: Vec<HuntOutcome>,
    /// The memory of the timeline, in bytes.
    bytes: usize,
    /// The number of times that a shared scan was given up because its rows did not fit in memory.
    pub splits: usize,
}

/// A rule that is ready to run.
struct PreparedRule<'a> {
    /// Its position in the hunt.
    index: usize,
    rule: &'a HuntRule,
    results: Vec<Prepared>,
}

/// What all rules of a hunt have in common.
struct HuntContext<'a> {
    engine: &'a Engine,
    report: &'a Arc<ScanReport>,
    /// Called before each rule runs, with the number of rules that ran.
    started: &'a dyn Fn(usize),
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
        let mut hunters = Vec::new();
        for (index, rule) in rules.iter().enumerate() {
            let prepared = engine.prepare_results(&rule.query.text, Arc::clone(report));
            if matches!(prepared, Err(Error::Cancelled)) {
                return Err(Error::Cancelled);
            }
            hunters.push(prepared.map(|results| PreparedRule { index, rule, results }));
        }
        let mut hunt = Self::default();
        let mut group = Vec::new();
        for prepared in hunters {
            let (rows, warnings) = match prepared {
                Ok(mut rule) => {
                    let warnings = rule.results.iter_mut().flat_map(|result| std::mem::take(&mut result.warnings));
                    let warnings = warnings.collect();
                    group.push(rule);
                    (Ok(0), warnings)
                }
                Err(error) => (Err(error), Vec::new()),
            };
            hunt.outcomes.push(HuntOutcome { rows, warnings });
        }
        hunt.run_group(group, &HuntContext { engine, report, started })?;
        hunt.timeline.sort_by_key(|entry| (entry.time.is_none(), entry.time, entry.rule));
        Ok(hunt)
    }

    /// Runs rules that read each table once, all of them or, if that takes too much memory, one half after the other.
    fn run_group(&mut self, mut group: Vec<PreparedRule<'_>>, context: &HuntContext<'_>) -> Result<()> {
        let mut queries: Vec<&mut Prepared> = group.iter_mut().flat_map(|rule| &mut rule.results).collect();
        if queries.len() > 1 && !context.engine.share_scans(&mut queries, context.report)? {
            self.splits += 1;
            let second = group.split_off(group.len().div_ceil(2));
            if second.is_empty() {
                return group.into_iter().try_for_each(|rule| self.run_rule(&rule, context));
            }
            self.run_group(group, context)?;
            return self.run_group(second, context);
        }
        group.into_iter().try_for_each(|rule| self.run_rule(&rule, context))
    }

    fn run_rule(&mut self, prepared: &PreparedRule<'_>, context: &HuntContext<'_>) -> Result<()> {
        (context.started)(prepared.index);
        match self.add_rows(prepared, context.engine) {
            Err(Error::Cancelled) => Err(Error::Cancelled),
            rows => {
                self.outcomes[prepared.index].rows = rows;
                Ok(())
            }
        }
    }

    /// Runs the results of a rule and adds their rows, all of them or none.
    fn add_rows(&mut self, prepared: &PreparedRule<'_>, engine: &Engine) -> Result<usize> {
        let PreparedRule { index, rule, results } = prepared;
        let max_bytes = usize::try_from(engine.settings().max_memory / MEMORY_SHARE).unwrap_or(usize::MAX);
        let (before, mut bytes) = (self.timeline.len(), self.bytes);
        let outcome = results.iter().try_for_each(|prepared| {
            let maker = EntryMaker::new(*index, rule, prepared.schema());
            prepared.run(&mut |batch| {
                for row in 0..batch.rows() {
                    let entry = maker.entry(&batch, row);
                    bytes += entry.bytes();
                    self.timeline.push(entry);
                }
                match bytes > max_bytes {
                    true => Err(too_many_rows(self.timeline.len())),
                    false => Ok(Flow::Continue(())),
                }
            })
        });
        match outcome {
            Ok(()) => {
                self.bytes = bytes;
                Ok(self.timeline.len() - before)
            }
            Err(error) => {
                self.timeline.truncate(before);
                Err(error)
            }
        }
    }
}

fn too_many_rows(rows: usize) -> Error {
    Error::Limit(format!(
        "the timeline has more than {rows} rows, a quarter of --max-memory: raise it, or narrow it with --from and --to"
    ))
}
