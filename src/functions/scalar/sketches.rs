//! Functions that read the results of `hll()` and `tdigest()`.

use crate::diagnostic::{Code, Error, Result, Span};
use crate::functions::aggregate::hll::not_a_set;
use crate::functions::aggregate::tdigest::{different_types, not_a_digest};
use crate::functions::args::Args;
use crate::functions::digest::TDigest;
use crate::functions::distinct_set::DistinctSet;
use crate::functions::docs::{Category, Example};
use crate::functions::operand::reals;
use crate::functions::signature::{Accepts, Nulls, Overload, Param, ResultName, Returns};
use crate::functions::{ScalarFunction, TypeArgument};
use crate::types::dynamic::{ArrayWriter, Kind, elements, kind};
use crate::types::{Column, Type, Value};

const HLL: Param = Param::of("hll", Accepts::Only(&[Type::Dynamic]), "the result of hll()");
const DIGEST: Param = Param::of("tdigest", Accepts::Only(&[Type::Dynamic]), "the result of tdigest()");
const PERCENTILE: Param = Param::of(
    "percentile",
    Accepts::Only(&[Type::Real, Type::Long, Type::Int, Type::Decimal]),
    "a number from 0 to 100",
);

/// The functions that this file defines.
pub static FUNCTIONS: &[ScalarFunction] = &[
    ScalarFunction {
        name: "dcount_hll",
        summary: "Returns the number of distinct values in a set that hll() returned.",
        overloads: &[Overload { params: &[HLL], returns: Returns::Type(Type::Long), kernel: count }],
        examples: &[Example::new("isnull(dcount_hll(dynamic(null)))", "true")],
        result_name: ResultName::Prefix("dcount_hll_"),
        ..SKETCH
    },
    ScalarFunction {
        name: "hll_merge",
        summary: "Returns the union of several sets that hll() returned.",
        overloads: &[Overload { params: &[HLL, HLL.repeated()], returns: Returns::Type(Type::Dynamic), kernel: union }],
        examples: &[Example::new("isnull(hll_merge(dynamic(null), dynamic(null)))", "true")],
        result_name: ResultName::Fixed("hll_merged_result"),
        nulls: Nulls::Handled,
        ..SKETCH
    },
    ScalarFunction {
        name: "merge_tdigest",
        aliases: &["tdigest_merge"],
        summary: "Returns the union of several distributions that tdigest() returned.",
        overloads: &[Overload {
            params: &[DIGEST, DIGEST.repeated()],
            returns: Returns::Type(Type::Dynamic),
            kernel: merge_digests,
        }],
        examples: &[Example::new(
            "merge_tdigest(dynamic([[7], [1], [1]]), dynamic([[7], [2], [3]]))",
            "[[7],[1,2],[1,3]]",
        )],
        result_name: ResultName::Fixed("tdigests_merge_result"),
        nulls: Nulls::Handled,
        ..SKETCH
    },
    ScalarFunction {
        name: "percentile_tdigest",
        summary: "Returns a percentile of a distribution that tdigest() returned, cast to a type if one is given.",
        overloads: &[Overload {
            params: &[DIGEST, PERCENTILE],
            returns: Returns::Type(Type::Dynamic),
            kernel: percentile,
        }],
        examples: &[
            Example::new("percentile_tdigest(dynamic([[7], [1, 2], [1, 3]]), 50)", "2"),
            Example::new("percentile_tdigest(dynamic([[7], [1, 2], [1, 3]]), 25, typeof(long))", "1"),
        ],
        result_name: ResultName::Prefix("percentile_tdigest_"),
        type_argument: TypeArgument::CastsString,
        ..SKETCH
    },
    ScalarFunction {
        name: "percentiles_array_tdigest",
        aliases: &["percentile_array_tdigest"],
        summary: "Returns an array of percentiles of a distribution that tdigest() returned.",
        overloads: &[
            Overload {
                params: &[DIGEST, PERCENTILE.repeated()],
                returns: Returns::Type(Type::Dynamic),
                kernel: percentiles,
            },
            Overload {
                params: &[DIGEST, Param::new("percentiles", Type::Dynamic, "an array of numbers from 0 to 100")],
                returns: Returns::Type(Type::Dynamic),
                kernel: percentiles,
            },
        ],
        examples: &[
            Example::new("percentiles_array_tdigest(dynamic([[7], [1, 2], [1, 3]]), 25, 50)", "[1,2]"),
            Example::new("percentiles_array_tdigest(dynamic([[7], [1, 2], [1, 3]]), dynamic([25]))", "[1]"),
        ],
        result_name: ResultName::Prefix("percentile_tdigest_"),
        ..SKETCH
    },
    ScalarFunction {
        name: "rank_tdigest",
        summary: "Returns the number of values in a distribution that are less than or equal to a value.",
        overloads: &[ranking(|args| rank(args, TDigest::rank))],
        examples: &[Example::new("rank_tdigest(dynamic([[7], [1, 2], [1, 3]]), 1)", "1.0")],
        ..SKETCH
    },
    ScalarFunction {
        name: "percentrank_tdigest",
        summary: "Returns the percentage of values in a distribution that are less than or equal to a value.",
        overloads: &[ranking(|args| rank(args, TDigest::percent_rank))],
        examples: &[Example::new("percentrank_tdigest(dynamic([[7], [1, 2], [1, 3]]), 1)", "25.0")],
        ..SKETCH
    },
];

const SKETCH: ScalarFunction = ScalarFunction { category: Category::Statistical, ..ScalarFunction::DEFAULT };

const fn ranking(kernel: crate::functions::Kernel) -> Overload {
    Overload {
        params: const { &[DIGEST, Param::of("value", Accepts::Any, "the value, of the type of the distribution")] },
        returns: Returns::Type(Type::Real),
        kernel,
    }
}

fn set_at(column: &Column, row: usize) -> Result<Option<DistinctSet>> {
    column.text_at(row).map(|json| DistinctSet::from_json(json).ok_or_else(not_a_set)).transpose()
}

fn digest_at(column: &Column, row: usize) -> Result<Option<TDigest>> {
    column.text_at(row).map(|json| TDigest::from_json(json).ok_or_else(not_a_digest)).transpose()
}

fn count(args: &Args<'_>) -> Result<Column> {
    args.try_map(|row| Ok(set_at(args.column(0), row)?.map(|set| set.count())))
}

fn union(args: &Args<'_>) -> Result<Column> {
    args.try_map(|row| {
        let mut union: Option<DistinctSet> = None;
        for column in args.columns() {
            match (&mut union, set_at(column, row)?) {
                (Some(union), Some(set)) => union.merge(set),
                (empty @ None, set) => *empty = set,
                (Some(_), None) => {}
            }
        }
        Ok(union.map(|union| union.to_json()))
    })
}

fn merge_digests(args: &Args<'_>) -> Result<Column> {
    args.try_map(|row| {
        let mut union: Option<TDigest> = None;
        for column in args.columns() {
            match (&mut union, digest_at(column, row)?) {
                (Some(union), Some(digest)) => {
                    if !union.merge(digest) {
                        return Err(different_types());
                    }
                }
                (empty @ None, digest) => *empty = digest,
                (Some(_), None) => {}
            }
        }
        Ok(union.map(TDigest::into_json))
    })
}

fn check_rank(rank: f64) -> Result<f64> {
    if (0.0..=100.0).contains(&rank) {
        return Ok(rank);
    }
    Err(Error::query(Code::ValueOutOfRange, Span::default(), "a percentile must be a number from 0 to 100"))
}

fn percentile(args: &Args<'_>) -> Result<Column> {
    let ranks = reals(args.column(1));
    args.try_map(|row| match digest_at(args.column(0), row)? {
        Some(digest) => Ok(digest.percentile(check_rank(ranks.get(row))?)),
        None => Ok(None),
    })
}

fn percentiles(args: &Args<'_>) -> Result<Column> {
    args.try_map(|row| {
        let Some(digest) = digest_at(args.column(0), row)? else { return Ok(None) };
        let mut ranks = Vec::new();
        for column in &args.columns()[1..] {
            match column.value(row) {
                Value::Dynamic(json) if kind(&json) == Kind::Array => {
                    ranks.extend(elements(&json).map(|text| text.parse().unwrap_or(f64::NAN)));
                }
                _ => ranks.push(reals(column).get(row)),
            }
        }
        let mut array = ArrayWriter::new();
        for rank in ranks {
            array.push_json(digest.percentile(check_rank(rank)?).as_deref().unwrap_or("null"));
        }
        Ok(Some(array.finish()))
    })
}

/// Calls `of` with the distribution in the first argument and the value in the second one. The result is null if the
/// value has another type than the distribution.
fn rank(args: &Args<'_>, of: fn(&TDigest, &Value) -> Option<f64>) -> Result<Column> {
    args.try_map(|row| Ok(digest_at(args.column(0), row)?.and_then(|digest| of(&digest, &args.column(1).value(row)))))
}
