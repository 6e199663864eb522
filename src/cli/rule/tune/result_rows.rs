//! The rows of a query in memory, with their values as strings.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::labels::{Labelled, LabelledRow, RowLabel, column_text, mistake};
use super::proposal::{Proposal, ValueCode};
use crate::diagnostic::{Error, Result, is_unsafe_to_show, visible_json};
use crate::engine::{Engine, Flow};
use crate::scan::ScanReport;
use crate::syntax::print_name;
use crate::types::{Batch, Schema, Type, dynamic};

/// The maximum number of rows that are compared.
const MAX_ROWS: usize = 200_000;

/// The rows of a query.
pub(super) struct ResultRows {
    schema: Schema,
    /// For each row, the values as `tostring()` returns them.
    rows: Vec<Vec<String>>,
}

impl ResultRows {
    /// Runs `text`.
    pub fn of(engine: &Engine, text: &str, report: &Arc<ScanReport>) -> Result<Self> {
        let prepared = engine.prepare_with(text, Arc::clone(report))?;
        let (schema, mut rows) = (prepared.schema().clone(), Vec::new());
        prepared.run(&mut |batch: Batch| {
            for row in 0..batch.rows() {
                let values = (0..schema.len()).map(|column| batch.column(column).value(row).to_text());
                rows.push(values.collect::<Vec<String>>());
            }
            match rows.len() > MAX_ROWS {
                true => Err(Error::Limit(format!(
                    "the query returns more than {MAX_ROWS} rows, which is too many to compare: shorten the range"
                ))),
                false => Ok(Flow::Continue(())),
            }
        })?;
        Ok(Self { schema, rows })
    }

    /// The labels of the rows.
    ///
    /// # Errors
    /// A label is about no row, or a row has both labels.
    pub fn labelled(&self, labels: &[LabelledRow], file: &Path) -> Result<Labelled> {
        let count = self.rows.len();
        let mut labelled =
            Labelled { is_false: vec![false; count], is_true: vec![false; count], label_of: HashMap::new() };
        let mut indexes: HashMap<Vec<usize>, HashMap<Vec<&str>, Vec<usize>>> = HashMap::new();
        for (number, label) in labels.iter().enumerate() {
            let (columns, values) = self.key(label, file)?;
            let index = indexes.entry(columns).or_insert_with_key(|columns| {
                let mut index: HashMap<Vec<&str>, Vec<usize>> = HashMap::new();
                for (number, row) in self.rows.iter().enumerate() {
                    let key = columns.iter().map(|column| row[*column].as_str()).collect();
                    index.entry(key).or_default().push(number);
                }
                index
            });
            let key: Vec<&str> = values.iter().map(String::as_str).collect();
            let Some(rows) = index.get(&key) else {
                return Err(mistake(file, label.line, "the query returns no row with these values"));
            };
            for row in rows {
                match label.label {
                    RowLabel::FalsePositive => labelled.is_false[*row] = true,
                    RowLabel::TruePositive => labelled.is_true[*row] = true,
                }
                if labelled.is_false[*row] && labelled.is_true[*row] {
                    return Err(mistake(file, label.line, "a row with these values has the other label, too"));
                }
                labelled.label_of.insert(*row, number);
            }
        }
        match labelled.is_false.contains(&true) {
            true => Ok(labelled),
            false => Err(Error::Usage(format!("{}: no row is labelled as a false positive", file.display()))),
        }
    }

    /// The columns and values that identify the rows of a label.
    fn key(&self, label: &LabelledRow, file: &Path) -> Result<(Vec<usize>, Vec<String>)> {
        let (mut columns, mut values) = (Vec::new(), Vec::new());
        for (name, text) in &label.fields {
            let Some(column) = self.schema.index_of(name) else {
                let reason = format!("the query returns no column `{name}`");
                return Err(mistake(file, label.line, &reason));
            };
            columns.push(column);
            values.push(column_text(text, self.schema.field(column).ty));
        }
        Ok((columns, values))
    }

    /// The columns whose values a condition may have: strings, integers, truth values and GUIDs, unless every row has
    /// another value.
    pub fn candidates(&self, named: &[String]) -> Result<Vec<usize>> {
        if let Some(name) = named.iter().find(|name| self.schema.index_of(name).is_none()) {
            return Err(Error::Usage(format!("--columns {name}: the query returns no such column")));
        }
        let is_comparable = |column: &usize| {
            let types = [Type::String, Type::Bool, Type::Int, Type::Long, Type::Guid];
            let field = self.schema.field(*column);
            types.contains(&field.ty) && !field.name.chars().any(is_unsafe_to_show)
        };
        let is_unique = |column: &usize| {
            let mut seen = std::collections::HashSet::new();
            self.rows.len() > 1 && self.rows.iter().all(|row| seen.insert(row[*column].as_str()))
        };
        let all = 0..self.schema.len();
        if named.is_empty() {
            return Ok(all.filter(is_comparable).filter(|column| !is_unique(column)).collect());
        }
        let is_named = |column: &usize| named.contains(&self.schema.field(*column).name);
        Ok(all.filter(is_comparable).filter(is_named).collect())
    }

    /// For each row, the numbers of its values in these columns.
    pub fn table(&self, columns: &[usize]) -> Vec<Vec<ValueCode>> {
        let mut codes: Vec<HashMap<&str, ValueCode>> = vec![HashMap::from([("", 0)]); columns.len()];
        let mut table = Vec::with_capacity(self.rows.len());
        for row in &self.rows {
            let values = columns.iter().zip(&mut codes).map(|(column, codes)| {
                let next = ValueCode::try_from(codes.len()).unwrap_or(ValueCode::MAX);
                *codes.entry(row[*column].as_str()).or_insert(next)
            });
            table.push(values.collect());
        }
        table
    }

    /// The conditions as operators, a line for each.
    pub fn conditions(&self, proposal: &Proposal, columns: &[usize], table: &[Vec<ValueCode>]) -> String {
        let value = |(index, code): &(usize, ValueCode)| {
            let row = table.iter().position(|row| row[*index] == *code).unwrap_or(0);
            let (column, field) = (columns[*index], self.schema.field(columns[*index]));
            let name = print_name(&field.name);
            // A null compares as null, and `not` of it removes the row: strings are never null.
            let compared = if field.ty == Type::String { name } else { format!("tostring({name})") };
            format!("{compared} == {}", literal(&self.rows[row][column]))
        };
        let line = |values: &Vec<(usize, ValueCode)>| {
            format!("| where not({})", values.iter().map(value).collect::<Vec<_>>().join(" and "))
        };
        proposal.conditions.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// For each row, whether it is in `new`, too; None if `new` has other rows or columns.
    pub fn kept_in(&self, new: &Self) -> Option<Vec<bool>> {
        (self.schema == new.schema).then_some(())?;
        let mut counts: HashMap<&Vec<String>, usize> = HashMap::new();
        new.rows.iter().for_each(|row| *counts.entry(row).or_default() += 1);
        let mut take = |row: &Vec<String>| match counts.get_mut(row) {
            Some(count) if *count > 0 => {
                *count -= 1;
                true
            }
            _ => false,
        };
        let kept: Vec<bool> = self.rows.iter().map(&mut take).collect();
        counts.values().all(|count| *count == 0).then_some(kept)
    }
}

/// Returns the literal of a string from the data, with escapes for all that could end it or that cannot be seen. Every
/// escape of JSON is one of KQL, too.
fn literal(text: &str) -> String {
    let mut quoted = String::new();
    dynamic::quote(text, &mut quoted);
    visible_json(&quoted).into_owned()
}

#[cfg(test)]
mod tests {
    use super::literal;
    use crate::syntax::ast::ParsedExprKind;
    use crate::syntax::{only_pipeline, parse};
    use crate::types::Value;

    #[test]
    fn literals_of_hostile_strings_are_one_string() {
        for text in [
            "a",
            "\" or true //",
            "\\",
            "\\\"",
            "\n| take 0",
            "\u{202e}\u{1}\u{7f}\u{85}\u{e0041}",
            "'",
            "```",
            "\u{2028}",
        ] {
            let query = format!("print x = {}", literal(text));
            assert!(query.chars().all(|c| !crate::diagnostic::is_unsafe_to_show(c)), "{query}");
            let parsed = parse(&format!("T | where {}", literal(text))).into_result().expect(text);
            let operator = &only_pipeline(&parsed).expect("a query").operators[0];
            let crate::syntax::ast::OperatorKind::Where(value) = &operator.kind else { panic!("{operator:?}") };
            assert_eq!(value.kind, ParsedExprKind::Literal(Value::string(text)));
        }
    }
}
