//! `coldcase rule tune`: a condition that removes labelled false positives, and no true positive.

mod labels;
mod proposal;
mod result_rows;

use std::time::Instant;

use self::labels::{LabelledRow, read_labels};
use self::proposal::{Proposal, TuningRows, propose};
use self::result_rows::ResultRows;
use super::super::args::{QueryInputArgs, RuleTuneArgs};
use super::super::progress::{self, ProgressLine};
use super::super::rule_files::{FiledRule, read_alert_rules};
use super::super::session::{self, QueryText, Session};
use super::super::sources::SourceOptions;
use super::super::{Outcome, documents, reporter};
use crate::diagnostic::{Error, Result, visible};
use crate::messages::{CommandWarning, RuleWarning};

pub(in crate::cli) fn run(args: &RuleTuneArgs) -> Result<Outcome> {
    let rule = only_rule(args)?;
    let call = SourceOptions { stdin_taken: None, ..args.source.call(&args.data) };
    let session = session::of_text(QueryText::none("rule tune"), &args.source, &QueryInputArgs::default(), &call)?;
    let labels = read_labels(&args.labels)?;
    let tuner = Tuner { args, session: &session, rule: &rule };
    let (old, is_damaged) = tuner.rows(&rule.rule.query.text)?;
    session.report_unread();
    session.finish()?;
    let labelled = old.labelled(&labels, &args.labels)?;
    let columns = old.candidates(&args.columns)?;
    let table = old.table(&columns);
    let rows = TuningRows { rows: &table, is_false: &labelled.is_false, is_true: &labelled.is_true };
    let proposal = match propose(&rows) {
        Ok(proposal) => proposal,
        Err(row) => {
            let LabelledRow { line, .. } = &labels[labelled.label_of[&row]];
            reporter::print_line(&visible(&format!(
                "no condition: the false positive in line {line} of {} has the same values as a true positive in every \
                 column that a condition can use",
                args.labels.display()
            )));
            return Ok(Outcome::Negative);
        }
    };
    let conditions = old.conditions(&proposal, &columns, &table);
    tuner.verify(&old, &labelled, &proposal, &conditions)?;
    documents::print(format!("{conditions}\n").as_bytes())?;
    tuner.report(&labelled, &proposal);
    Ok(if is_damaged { Outcome::Damaged } else { Outcome::Success })
}

fn only_rule(args: &RuleTuneArgs) -> Result<FiledRule> {
    let mut rules = read_alert_rules(std::slice::from_ref(&args.rule))?;
    if let Some(name) = &args.select {
        rules.retain(|rule| rule.rule.id.as_ref() == Some(name) || rule.rule.name == *name);
    }
    let file = args.rule.display();
    match (rules.pop(), rules.is_empty()) {
        (Some(rule), true) => Ok(rule),
        (None, _) => Err(Error::Usage(format!("{file}: it has no such rule"))),
        (Some(_), false) => Err(Error::Usage(format!("{file}: it has several rules: choose one with --select"))),
    }
}

struct Tuner<'a> {
    args: &'a RuleTuneArgs,
    session: &'a Session,
    rule: &'a FiledRule,
}

impl Tuner<'_> {
    /// The rows of a query over all data, and true if `--strict` makes damage of the data an error.
    fn rows(&self, text: &str) -> Result<(ResultRows, bool)> {
        let (started, report) = (Instant::now(), self.session.engine.report());
        let scans = std::sync::Arc::clone(&report);
        let line = ProgressLine::start(self.session.reporter.progress_mode(), started, move |elapsed| {
            progress::scans(&scans.counters, elapsed)
        });
        let rows = ResultRows::of(&self.session.engine, text, &report);
        line.end();
        self.session.reporter.report(&report);
        let is_damaged = self.session.strict && report.is_incomplete();
        rows.map(|rows| (rows, is_damaged))
            .map_err(|error| self.rule.query_error(error, &self.args.source.messages, self.session))
    }

    /// Runs the query with the conditions, and compares the rows of both.
    fn verify(
        &self,
        old: &ResultRows,
        labelled: &labels::Labelled,
        proposal: &Proposal,
        conditions: &str,
    ) -> Result<()> {
        let text = format!("{}\n{conditions}", self.rule.rule.query.text.trim_end());
        let fails = |reason: &str| {
            let text = format!("the condition cannot be used, because {reason}; the query with it is:\n{text}");
            Err(Error::Usage(text))
        };
        let settings = self.session.engine.settings().clone();
        let new =
            match ResultRows::of(&self.session.engine.with_settings(settings), &text, &self.session.engine.report()) {
                Ok(new) => new,
                Err(Error::Query(_)) => return fails("the query cannot end with it"),
                Err(error) => return Err(error),
            };
        let Some(kept) = old.kept_in(&new) else { return fails("it does more than remove rows") };
        let is_kept = |row: &usize| kept[*row];
        if labelled.is_true.iter().enumerate().any(|(row, is_true)| *is_true && !is_kept(&row)) {
            return fails("a true positive would be lost");
        }
        if labelled.is_false.iter().enumerate().any(|(row, is_false)| *is_false && is_kept(&row)) {
            return fails("a false positive would stay");
        }
        match kept.iter().filter(|is_kept| !**is_kept).count() == proposal.removed {
            true => Ok(()),
            false => fails("it removes other rows than those that have its values"),
        }
    }

    /// Says what the conditions remove.
    fn report(&self, labelled: &labels::Labelled, proposal: &Proposal) {
        let count = |flags: &[bool]| flags.iter().filter(|flag| **flag).count();
        let (false_positives, true_positives) = (count(&labelled.is_false), count(&labelled.is_true));
        let rule = self.rule.rule.name.clone();
        self.session.reporter.info(&format!(
            "rule `{rule}`: removed false positives: {false_positives} of {false_positives}; removed true positives: 0 of \
             {true_positives}; verified by running both queries"
        ));
        let unlabelled = proposal.removed - false_positives;
        if unlabelled > 0 {
            self.session.reporter.warn(CommandWarning::Rule(RuleWarning::UnlabelledRemoved { rule, rows: unlabelled }));
        }
    }
}
