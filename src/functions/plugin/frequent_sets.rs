//! Sets of values that occur together in many rows: closed frequent item sets, found level by level.

use std::collections::{HashMap, HashSet};

use crate::diagnostic::{Error, Result};
use crate::types::{Batch, Value, dynamic};

/// The maximum number of patterns.
const MAX_PATTERNS: usize = 50_000;

/// The maximum number of times that a pattern is compared with a row.
const MAX_COMPARISONS: usize = 1 << 31;

/// The weight of some rows in each of the two sets that are compared. The second is 0 if there is only one set.
pub(super) type Weights = [f64; 2];

/// A frequent value of a column.
#[derive(Debug)]
pub(super) struct Item {
    pub column: usize,
    pub value: Value,
}

/// A pattern: the positions of its items, ascending, and the weight of the rows that have all of them.
#[derive(Debug)]
pub(super) struct ItemSet {
    pub items: Vec<usize>,
    pub weights: Weights,
}

/// The rows that have the same frequent items: the positions of the items, and the weight of the rows.
#[derive(Debug)]
struct Basketful {
    items: Vec<usize>,
    weights: Weights,
}

/// The frequent items of some rows, and the rows grouped by their items.
#[derive(Debug)]
pub(super) struct FrequentSets {
    /// The frequent items, sorted by column.
    pub items: Vec<Item>,
    baskets: Vec<Basketful>,
    least: Weights,
}

impl FrequentSets {
    /// Collects the values of `columns` whose weight reaches `least` in one of the two sets. `weights` returns the
    /// weights of a row.
    pub fn collect(batch: &Batch, columns: &[usize], weights: impl Fn(usize) -> Weights, least: Weights) -> Self {
        let mut items = Vec::new();
        let mut rows: Vec<Vec<usize>> = vec![Vec::new(); batch.rows()];
        for column in columns {
            let key = |row| {
                let mut key = String::new();
                dynamic::write_row(batch.column(*column), row, &mut key);
                key
            };
            let mut found: HashMap<String, (Weights, usize)> = HashMap::new();
            for row in 0..batch.rows() {
                add(&mut found.entry(key(row)).or_insert(([0.0; 2], row)).0, weights(row));
            }
            found.retain(|_, (weights, _)| reaches(*weights, least));
            let mut frequent: Vec<(String, usize)> = found.into_iter().map(|(key, (_, row))| (key, row)).collect();
            frequent.sort_by_key(|(_, row)| *row);
            let first = items.len();
            let numbers: HashMap<&str, usize> =
                frequent.iter().enumerate().map(|(index, (key, _))| (key.as_str(), first + index)).collect();
            for (row, basket) in rows.iter_mut().enumerate() {
                basket.extend(numbers.get(key(row).as_str()));
            }
            let item = |row: usize| Item { column: *column, value: batch.column(*column).value(row) };
            items.extend(frequent.iter().map(|(_, row)| item(*row)));
        }
        let mut baskets: HashMap<Vec<usize>, Weights> = HashMap::new();
        for (row, basket) in rows.into_iter().enumerate() {
            add(baskets.entry(basket).or_default(), weights(row));
        }
        let mut baskets: Vec<Basketful> =
            baskets.into_iter().map(|(items, weights)| Basketful { items, weights }).collect();
        baskets.sort_by(|a, b| a.items.cmp(&b.items));
        Self { items, baskets, least }
    }

    /// Returns all patterns that up to `max_dimensions` items determine. A pattern contains all items that its rows
    /// share.
    ///
    /// # Errors
    /// [`Error::Limit`], with the name `plugin`, if there are too many patterns.
    pub fn patterns(&self, max_dimensions: usize, plugin: &str) -> Result<Vec<ItemSet>> {
        let mut known: HashSet<Vec<usize>> = HashSet::new();
        let mut found: Vec<ItemSet> = Vec::new();
        let mut level: Vec<Vec<usize>> = vec![Vec::new()];
        let mut comparisons = 0;
        for _ in 0..max_dimensions.min(self.items.len()) {
            let mut next = Vec::new();
            for pattern in &level {
                let matching: Vec<&Basketful> = self.baskets.iter().filter(|basket| basket.has_all(pattern)).collect();
                for item in self.extensions(pattern, &matching) {
                    comparisons += self.baskets.len() + matching.len();
                    let closed = closure(matching.iter().copied().filter(|basket| basket.has(item)));
                    if !known.insert(closed.items.clone()) {
                        continue;
                    }
                    if found.len() == MAX_PATTERNS || comparisons > MAX_COMPARISONS {
                        return Err(too_many(plugin));
                    }
                    next.push(closed.items.clone());
                    found.push(closed);
                }
            }
            level = next;
        }
        Ok(found)
    }

    /// Returns the value that the rows of `pattern` share in `column`; None if they do not share one.
    pub fn value(&self, pattern: &ItemSet, column: usize) -> Option<Value> {
        let item = pattern.items.iter().find(|item| self.items[**item].column == column);
        item.map(|item| self.items[*item].value.clone())
    }

    /// Returns the items that are frequent among `matching`, the rows with `pattern`, and are not in the pattern yet.
    fn extensions(&self, pattern: &[usize], matching: &[&Basketful]) -> Vec<usize> {
        let mut weights = vec![[0.0; 2]; self.items.len()];
        for basket in matching {
            basket.items.iter().for_each(|item| add(&mut weights[*item], basket.weights));
        }
        let is_new = |item: &usize| reaches(weights[*item], self.least) && pattern.binary_search(item).is_err();
        (0..self.items.len()).filter(is_new).collect()
    }
}

impl Basketful {
    fn has(&self, item: usize) -> bool {
        self.items.binary_search(&item).is_ok()
    }

    fn has_all(&self, items: &[usize]) -> bool {
        items.iter().all(|item| self.has(*item))
    }
}

fn add(sum: &mut Weights, weights: Weights) {
    sum.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += weight);
}

fn reaches(weights: Weights, least: Weights) -> bool {
    weights.iter().zip(least).any(|(weight, least)| *weight >= least)
}

/// Returns the items that all of `baskets` have, and the weight of all baskets.
fn closure<'b>(mut baskets: impl Iterator<Item = &'b Basketful>) -> ItemSet {
    let Some(first) = baskets.next() else { return ItemSet { items: Vec::new(), weights: [0.0; 2] } };
    let mut pattern = ItemSet { items: first.items.clone(), weights: first.weights };
    for basket in baskets {
        pattern.items.retain(|item| basket.has(*item));
        add(&mut pattern.weights, basket.weights);
    }
    pattern
}

fn too_many(plugin: &str) -> Error {
    Error::Limit(format!("{plugin} found too many patterns; project fewer columns or raise the threshold"))
}
