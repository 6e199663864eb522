//! `reduce`: groups similar strings, and describes each group by a pattern.
//!
//! Microsoft does not publish how Kusto groups strings. Here they are grouped like the templates of log lines in Drain
//! (He et al. 2017). The results equal those of the reference's examples, and may differ for other strings.

mod templates;
mod terms;
#[cfg(test)]
mod tests;

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use crate::diagnostic::{Error, Result};
use crate::functions::{TableFunction, TableOutput};
use crate::types::{Batch, Column, ColumnBuilder, Field, Type};

use templates::TemplateIndex;
pub use terms::TermSeparators;

/// The pattern of the group of strings that are similar to no other string.
const OTHERS: &str = "others";

/// Groups strings by patterns. The first argument is the strings. The second one is how often each occurs; it is
/// missing if the rows are kept.
#[derive(Debug)]
pub struct ReducePatterns {
    /// The fraction of the terms that the strings of a group must share, from 0 to 1.
    pub threshold: f64,
    /// The characters that separate terms.
    pub separators: TermSeparators,
    /// True if each row of the input is returned with its pattern, false if each pattern is returned once.
    pub keeps_rows: bool,
}

/// A group of similar strings: its pattern, the number of its rows, and one of its strings.
struct PatternGroup {
    pattern: String,
    rows: i64,
    representative: String,
}

impl TableFunction for ReducePatterns {
    fn name(&self) -> &'static str {
        "reduce"
    }

    fn fields(&self) -> Vec<Field> {
        vec![
            Field::new("Pattern", Type::String),
            Field::new("Count", Type::Long),
            Field::new("Representative", Type::String),
        ]
    }

    fn apply(&self, arguments: &Batch) -> Result<TableOutput> {
        let (values, counts) = (arguments.column(0), arguments.columns().get(1));
        let (group_of_row, groups) = self.group(values, counts)?;
        if !self.keeps_rows {
            return Ok(TableOutput::of_columns(columns(groups.iter())));
        }
        let rows = u32::try_from(arguments.rows()).map_err(|_| Error::Limit("`reduce`: too many rows".to_owned()))?;
        Ok(TableOutput::of_rows((0..rows).collect(), columns(group_of_row.iter().map(|group| &groups[*group]))))
    }
}

impl ReducePatterns {
    /// Returns the position of each row's group, and the groups: the largest first, and the one of all other strings
    /// last.
    fn group(&self, values: &Column, counts: Option<&Column>) -> Result<(Vec<usize>, Vec<PatternGroup>)> {
        let mut index = TemplateIndex::new(&self.separators, self.threshold);
        let (mut positions, mut distinct) = (HashMap::new(), Vec::new());
        let mut distinct_of_row = Vec::with_capacity(values.rows());
        for row in 0..values.rows() {
            let text = values.text_at(row).unwrap_or_default();
            let position = match positions.entry(text) {
                Entry::Occupied(entry) => *entry.get(),
                Entry::Vacant(entry) => {
                    index.count(text)?;
                    distinct.push((text, 0_i64));
                    *entry.insert(distinct.len() - 1)
                }
            };
            let rows = counts.map_or(Some(1), |counts| counts.i64_at(row)).unwrap_or(0);
            distinct[position].1 = distinct[position].1.saturating_add(rows);
            distinct_of_row.push(position);
        }
        let template_of: Vec<usize> = distinct.iter().map(|(text, _)| index.add(text)).collect();
        let mut rows_of_template = Vec::new();
        for (template, (_, rows)) in template_of.iter().zip(&distinct) {
            rows_of_template.resize(rows_of_template.len().max(template + 1), 0_i64);
            rows_of_template[*template] = rows_of_template[*template].saturating_add(*rows);
        }
        let (group_of_template, groups) = groups(&index, &rows_of_template);
        let group = |distinct: usize| group_of_template[template_of[distinct]];
        Ok((distinct_of_row.into_iter().map(group).collect(), groups))
    }
}

/// Returns the position of each template's group, and the groups. All strings that occur once and are similar to no
/// other form one group.
fn groups(index: &TemplateIndex<'_>, rows_of_template: &[i64]) -> (Vec<usize>, Vec<PatternGroup>) {
    let mut order: Vec<usize> =
        (0..rows_of_template.len()).filter(|template| rows_of_template[*template] > 1).collect();
    order.sort_by_key(|template| std::cmp::Reverse(rows_of_template[*template]));
    let others = order.len();
    let mut group_of_template = vec![others; rows_of_template.len()];
    let mut groups = Vec::with_capacity(others + 1);
    for (group, template) in order.into_iter().enumerate() {
        group_of_template[template] = group;
        let representative = index.template(template).representative.to_owned();
        groups.push(PatternGroup {
            pattern: index.pattern(template),
            rows: rows_of_template[template],
            representative,
        });
    }
    let rows = i64::try_from(rows_of_template.len() - others).unwrap_or(i64::MAX);
    if rows > 0 {
        groups.push(PatternGroup { pattern: OTHERS.to_owned(), rows, representative: String::new() });
    }
    (group_of_template, groups)
}

fn columns<'g>(groups: impl Iterator<Item = &'g PatternGroup>) -> Vec<Column> {
    let [mut patterns, mut counts, mut representatives] =
        [Type::String, Type::Long, Type::String].map(ColumnBuilder::new);
    for group in groups {
        patterns.append_text(&group.pattern);
        counts.append_i64(group.rows);
        representatives.append_text(&group.representative);
    }
    vec![patterns.finish(), counts.finish(), representatives.finish()]
}
