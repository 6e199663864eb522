//! hll, hll_if, hll_merge: sets of values that can be stored, merged and counted later.

use super::conditional::conditional;
use super::dcount::{ACCURACY, EXPR, PREDICATE, check_accuracy, for_each_hash, precision};
use super::element::{EntryValues, GroupedRows};
use super::summary::{AddValue, GroupSummary, for_each_json, summaries};
use super::{AggregateCall, AggregateFunction};
use crate::diagnostic::{Code, Error, Result, Span};
use crate::functions::distinct_set::DistinctSet;
use crate::functions::docs::Example;
use crate::functions::signature::{Accepts, Param, ResultName, Returns};
use crate::types::{Column, Type, Value};

/// The aggregate functions that this file defines.
pub static FUNCTIONS: &[AggregateFunction] = &[
    AggregateFunction {
        name: "hll",
        summary: "Returns the set of distinct values for dcount_hll() and hll_merge(): exact for few values, \
                  estimated beyond.",
        params: &[EXPR, ACCURACY],
        result_name: ResultName::Prefix("hll_"),
        validate: |constants| check_accuracy(constants, 1),
        accumulator: |call| Ok(summaries::<HashedValues>(call, call_precision(call)?)),
        examples: &[Example::new("range x from 1 to 9 step 1 | summarize s = hll(x % 4) | project dcount_hll(s)", "4")],
        ..HLL
    },
    AggregateFunction {
        name: "hll_if",
        summary: "Returns the set of distinct values in rows for which a condition is true, as hll() does.",
        params: &[EXPR, PREDICATE, ACCURACY],
        result_name: ResultName::Prefix("hll_if_"),
        validate: |constants| check_accuracy(constants, 2),
        accumulator: |call| conditional(call, 1, |call| Ok(summaries::<HashedValues>(call, call_precision(call)?))),
        examples: &[Example::new(
            "range x from 1 to 9 step 1 | summarize s = hll_if(x, x > 4) | project dcount_hll(s)",
            "5",
        )],
        ..HLL
    },
    AggregateFunction {
        name: "hll_merge",
        summary: "Returns the union of sets that hll() returned.",
        params: &[Param::of("hll", Accepts::Only(&[Type::Dynamic]), "results of hll()")],
        result_name: ResultName::Prefix("hll_merge_"),
        accumulator: |call| Ok(summaries::<MergedSets>(call, ())),
        examples: &[Example::new(
            "range x from 1 to 9 step 1 | summarize s = hll(x) by x % 2 | summarize s = hll_merge(s) \
             | project dcount_hll(s)",
            "9",
        )],
        ..HLL
    },
];

const HLL: AggregateFunction =
    AggregateFunction { returns: Returns::Type(Type::Dynamic), ..AggregateFunction::DEFAULT };

fn call_precision(call: &AggregateCall) -> Result<u8> {
    let accuracy = call.constants.get(1).and_then(Option::as_ref);
    precision(accuracy.unwrap_or(&Value::Long(1)))
}

/// The set of the values of a group; None before the first value.
#[derive(Debug, Default)]
struct HashedValues(Option<DistinctSet>);

impl GroupSummary for HashedValues {
    type Options = u8;

    fn for_each(
        precision: &u8,
        rows: GroupedRows<'_>,
        arguments: &[Column],
        each: &mut AddValue<'_, Self>,
    ) -> Result<()> {
        for_each_hash(&arguments[0], rows, &mut EntryValues::default(), |row, hash| {
            each(row, &mut |set| set.0.get_or_insert_with(|| DistinctSet::new(*precision)).insert(hash));
        });
        Ok(())
    }

    fn merge(&mut self, later: Self) {
        merge(&mut self.0, later.0);
    }

    fn bytes(&self) -> usize {
        self.0.as_ref().map_or(0, DistinctSet::bytes)
    }

    fn json(&mut self, _: &u8) -> Option<String> {
        self.0.take().map(|set| set.to_json())
    }
}

/// The union of the sets of a group; None before the first set.
#[derive(Debug, Default)]
struct MergedSets(Option<DistinctSet>);

impl GroupSummary for MergedSets {
    type Options = ();

    fn for_each((): &(), rows: GroupedRows<'_>, arguments: &[Column], each: &mut AddValue<'_, Self>) -> Result<()> {
        for_each_json(&arguments[0], rows, |row, json| {
            let mut set = Some(DistinctSet::from_json(json).ok_or_else(not_a_set)?);
            each(row, &mut |union| merge(&mut union.0, set.take()));
            Ok(())
        })
    }

    fn merge(&mut self, later: Self) {
        merge(&mut self.0, later.0);
    }

    fn bytes(&self) -> usize {
        self.0.as_ref().map_or(0, DistinctSet::bytes)
    }

    fn json(&mut self, (): &()) -> Option<String> {
        self.0.take().map(|set| set.to_json())
    }
}

fn merge(set: &mut Option<DistinctSet>, later: Option<DistinctSet>) {
    match (set, later) {
        (Some(set), Some(later)) => set.merge(later),
        (empty @ None, later) => *empty = later,
        (Some(_), None) => {}
    }
}

/// Returns the error for a value that `hll()` of this program did not return, such as one that Kusto stored.
pub(crate) fn not_a_set() -> Error {
    let message = "a value is not a result of hll() of this program; the format of Kusto is not known";
    Error::query(Code::ValueOutOfRange, Span::default(), message)
}
