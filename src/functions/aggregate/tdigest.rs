//! tdigest, tdigest_merge: distributions that can be stored and merged, and give percentiles later.

use super::AggregateFunction;
use super::element::{Element, GroupedRows};
use super::percentile::{EXPR, WEIGHT, key, percentile_type};
use super::summary::{AddValue, GroupSummary, for_each_json, summaries};
use crate::diagnostic::{Code, Error, Result, Span};
use crate::functions::digest::TDigest;
use crate::functions::docs::Example;
use crate::functions::signature::{Accepts, Param, ResultName, Returns};
use crate::types::{Column, Type};

/// The aggregate functions that this file defines.
pub static FUNCTIONS: &[AggregateFunction] = &[
    AggregateFunction {
        name: "tdigest",
        summary: "Returns the distribution of the values for percentile_tdigest() and tdigest_merge(): exact up to \
                  4,096 distinct values.",
        params: &[EXPR, WEIGHT.optional()],
        result_name: ResultName::Prefix("tdigest_"),
        accumulator: |call| Ok(summaries::<Distribution>(call, percentile_type(&call.arguments))),
        examples: &[Example::new("datatable(x:long) [3, 1, 3] | summarize tdigest(x)", "[[7],[1,3],[1,2]]")],
        ..DIGEST
    },
    AggregateFunction {
        name: "tdigest_merge",
        aliases: &["merge_tdigest"],
        summary: "Returns the union of distributions that tdigest() returned.",
        params: &[Param::of("tdigest", Accepts::Only(&[Type::Dynamic]), "results of tdigest()")],
        result_name: ResultName::Prefix("merge_tdigests_"),
        accumulator: |call| Ok(summaries::<MergedDistributions>(call, ())),
        examples: &[Example::new(
            "range x from 1 to 3 step 1 | summarize t = tdigest(x) by x % 2 | summarize t = tdigest_merge(t) \
             | project percentile_tdigest(t, 100)",
            "3",
        )],
        ..DIGEST
    },
];

const DIGEST: AggregateFunction =
    AggregateFunction { returns: Returns::Type(Type::Dynamic), ..AggregateFunction::DEFAULT };

/// The distribution of the values of a group; None before the first value.
#[derive(Debug, Default)]
struct Distribution(Option<TDigest>);

impl GroupSummary for Distribution {
    type Options = Type;

    fn for_each(ty: &Type, rows: GroupedRows<'_>, arguments: &[Column], each: &mut AddValue<'_, Self>) -> Result<()> {
        let mut weights = vec![1; rows.groups.len()];
        if let Some(column) = arguments.get(1) {
            weights.fill(0);
            i64::for_each(column, |row, weight| weights[row] = u64::try_from(weight).unwrap_or(0));
        }
        let mut add = |row: usize, key: i64| {
            if weights[row] > 0 {
                each(row, &mut |values| values.0.get_or_insert_with(|| TDigest::new(*ty)).push(key, weights[row]));
            }
        };
        if *ty == Type::Real {
            f64::for_each(&arguments[0], |row, value| add(row, key(value)));
        } else {
            i64::for_each(&arguments[0], add);
        }
        Ok(())
    }

    fn merge(&mut self, later: Self) {
        match (&mut self.0, later.0) {
            (Some(values), Some(later)) => _ = values.merge(later),
            (empty @ None, later) => *empty = later,
            (Some(_), None) => {}
        }
    }

    fn bytes(&self) -> usize {
        self.0.as_ref().map_or(0, TDigest::bytes)
    }

    fn json(&mut self, _: &Type) -> Option<String> {
        self.0.take().map(TDigest::into_json)
    }
}

/// The union of the distributions of a group; None before the first one.
#[derive(Debug, Default)]
struct MergedDistributions {
    digest: Option<TDigest>,
}

impl MergedDistributions {
    fn add(&mut self, later: Option<TDigest>) -> bool {
        match (&mut self.digest, later) {
            (Some(digest), Some(later)) => digest.merge(later),
            (empty @ None, later) => {
                *empty = later;
                true
            }
            (Some(_), None) => true,
        }
    }
}

impl GroupSummary for MergedDistributions {
    type Options = ();

    fn for_each((): &(), rows: GroupedRows<'_>, arguments: &[Column], each: &mut AddValue<'_, Self>) -> Result<()> {
        let mut fits = true;
        for_each_json(&arguments[0], rows, |row, json| {
            let mut digest = Some(TDigest::from_json(json).ok_or_else(not_a_digest)?);
            each(row, &mut |union| fits &= union.add(digest.take()));
            Ok(())
        })?;
        if fits { Ok(()) } else { Err(different_types()) }
    }

    fn merge(&mut self, later: Self) {
        self.add(later.digest);
    }

    fn bytes(&self) -> usize {
        self.digest.as_ref().map_or(0, TDigest::bytes)
    }

    fn json(&mut self, (): &()) -> Option<String> {
        self.digest.take().map(TDigest::into_json)
    }
}

/// Returns the error for a value that `tdigest()` did not return.
pub(crate) fn not_a_digest() -> Error {
    Error::query(Code::ValueOutOfRange, Span::default(), "a value is not the result of tdigest()")
}

/// Returns the error for merging distributions of numbers with distributions of times.
pub(crate) fn different_types() -> Error {
    Error::query(Code::ValueOutOfRange, Span::default(), "distributions of values of different types cannot be merged")
}
