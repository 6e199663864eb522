//! basket: the values that occur together in many rows.
//!
//! Source: the reference's page on the plugin. Its example lists the patterns that are as long as their rows allow (closed
//! frequent item sets). Kusto estimates them from a sample; these are exact.

use std::collections::{HashMap, HashSet};

use crate::diagnostic::{Error, Result};
use crate::functions::{TableFunction, TableOutput};
use crate::types::{Batch, ColumnBuilder, Field, Type, Value, dynamic};

/// The maximum number of patterns.
const MAX_PATTERNS: usize = 50_000;

/// Finds patterns. The arguments are the columns of the input, then the weight if there is one.
#[derive(Debug)]
pub struct Basket {
    /// The smallest part of the rows that have a pattern.
    pub threshold: f64,
    /// The maximum number of values that determine a pattern.
    pub max_dimensions: usize,
    /// The columns of the input.
    pub columns: Vec<Field>,
    /// The column with the weight, which is in no pattern.
    pub weight: Option<usize>,
    /// What stands for any value, by column.
    pub wildcards: Vec<Value>,
}

/// A value of a column that is frequent.
struct Item {
    column: usize,
    value: Value,
}

/// A pattern: its items, and the weight of the rows that have all of them.
struct Pattern {
    items: Vec<usize>,
    weight: f64,
}

/// Rows with the same frequent items.
struct Basketful {
    items: Vec<usize>,
    weight: f64,
}

impl Basket {
    fn weight_at(&self, arguments: &Batch, row: usize) -> f64 {
        self.weight.map_or(Some(1.0), |column| arguments.column(column).f64_at(row)).unwrap_or_default()
    }

    /// The frequent items, and the rows with them.
    fn baskets(&self, arguments: &Batch, least: f64) -> (Vec<Item>, Vec<Basketful>) {
        let mut items = Vec::new();
        let mut rows: Vec<Vec<usize>> = vec![Vec::new(); arguments.rows()];
        for column in (0..self.columns.len()).filter(|column| Some(*column) != self.weight) {
            let mut weights: HashMap<String, (f64, usize)> = HashMap::new();
            let key = |row| {
                let mut key = String::new();
                dynamic::write_row(arguments.column(column), row, &mut key);
                key
            };
            for row in 0..arguments.rows() {
                weights.entry(key(row)).or_insert((0.0, row)).0 += self.weight_at(arguments, row);
            }
            let mut frequent: Vec<(String, usize)> = weights
                .into_iter()
                .filter(|(_, (weight, _))| *weight >= least)
                .map(|(key, (_, row))| (key, row))
                .collect();
            frequent.sort_by_key(|(_, row)| *row);
            let first = items.len();
            let numbers: HashMap<&str, usize> =
                frequent.iter().enumerate().map(|(index, (key, _))| (key.as_str(), first + index)).collect();
            for (row, basket) in rows.iter_mut().enumerate() {
                basket.extend(numbers.get(key(row).as_str()));
            }
            items.extend(frequent.iter().map(|(_, row)| Item { column, value: arguments.column(column).value(*row) }));
        }
        let mut baskets: HashMap<Vec<usize>, f64> = HashMap::new();
        for (row, basket) in rows.into_iter().enumerate() {
            *baskets.entry(basket).or_default() += self.weight_at(arguments, row);
        }
        let mut baskets: Vec<Basketful> =
            baskets.into_iter().map(|(items, weight)| Basketful { items, weight }).collect();
        baskets.sort_by(|a, b| a.items.cmp(&b.items));
        (items, baskets)
    }

    /// All patterns that up to `max_dimensions` items determine.
    fn patterns(&self, items: usize, baskets: &[Basketful], least: f64) -> Result<Vec<Pattern>> {
        let mut known: HashSet<Vec<usize>> = HashSet::new();
        let mut found: Vec<Pattern> = Vec::new();
        let mut level: Vec<Vec<usize>> = vec![Vec::new()];
        for _ in 0..self.max_dimensions {
            let mut next = Vec::new();
            for pattern in &level {
                let has_all = |basket: &&Basketful| pattern.iter().all(|item| basket.has(*item));
                let matching: Vec<&Basketful> = baskets.iter().filter(has_all).collect();
                let mut weights = vec![0.0; items];
                matching.iter().for_each(|basket| basket.items.iter().for_each(|item| weights[*item] += basket.weight));
                for item in (0..items).filter(|item| weights[*item] >= least && pattern.binary_search(item).is_err()) {
                    let closed = closure(matching.iter().copied().filter(|basket| basket.has(item)));
                    if !known.insert(closed.items.clone()) {
                        continue;
                    }
                    if found.len() == MAX_PATTERNS {
                        let message = format!("basket found more than {MAX_PATTERNS} patterns");
                        return Err(Error::Limit(format!("{message}; project fewer columns or raise the threshold")));
                    }
                    next.push(closed.items.clone());
                    found.push(closed);
                }
            }
            level = next;
        }
        found.sort_by(|a, b| b.weight.total_cmp(&a.weight).then_with(|| a.items.cmp(&b.items)));
        Ok(found)
    }
}

impl Basketful {
    fn has(&self, item: usize) -> bool {
        self.items.binary_search(&item).is_ok()
    }
}

/// The items that all of `baskets` have.
fn closure<'b>(mut baskets: impl Iterator<Item = &'b Basketful>) -> Pattern {
    let Some(first) = baskets.next() else { return Pattern { items: Vec::new(), weight: 0.0 } };
    let mut pattern = Pattern { items: first.items.clone(), weight: first.weight };
    for basket in baskets {
        pattern.items.retain(|item| basket.has(*item));
        pattern.weight += basket.weight;
    }
    pattern
}

impl TableFunction for Basket {
    fn name(&self) -> &'static str {
        "basket"
    }

    fn fields(&self) -> Vec<Field> {
        let own = [("SegmentId", Type::Long), ("Count", Type::Long), ("Percent", Type::Real)];
        own.into_iter().map(|(name, ty)| Field::new(name, ty)).chain(self.columns.iter().cloned()).collect()
    }

    fn apply(&self, arguments: &Batch) -> Result<TableOutput> {
        let total: f64 = (0..arguments.rows()).map(|row| self.weight_at(arguments, row)).sum();
        let least = (self.threshold * total).max(f64::MIN_POSITIVE);
        let (items, baskets) = self.baskets(arguments, least);
        let patterns = self.patterns(items.len(), &baskets, least)?;
        let [mut ids, mut counts, mut percents] = [Type::Long, Type::Long, Type::Real].map(ColumnBuilder::new);
        let mut values: Vec<ColumnBuilder> = self.columns.iter().map(|field| ColumnBuilder::new(field.ty)).collect();
        for (id, pattern) in patterns.iter().enumerate() {
            ids.append_i64(i64::try_from(id).unwrap_or(i64::MAX));
            #[expect(clippy::cast_possible_truncation, reason = "a weight is rounded to a number of rows")]
            counts.append_i64(pattern.weight.round() as i64);
            percents.append_f64(100.0 * pattern.weight / total);
            for (column, builder) in values.iter_mut().enumerate() {
                let item = pattern.items.iter().find(|item| items[**item].column == column);
                builder.append(item.map_or(&self.wildcards[column], |item| &items[*item].value));
            }
        }
        let columns = [ids, counts, percents].into_iter().chain(values).map(|mut builder| builder.finish()).collect();
        Ok(TableOutput::of_columns(columns))
    }
}
