//! Bitwise functions of whole numbers, and their hexadecimal form.

use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Accepts, Kernel, Overload, Param, ResultName, Returns};
use crate::functions::{Args, ScalarFunction};
use crate::types::{Column, Type};

/// The functions that this file defines.
pub static FUNCTIONS: &[ScalarFunction] = &[
    ScalarFunction {
        name: "binary_and",
        summary: "Returns the bitwise AND of two numbers.",
        overloads: &[pair(|args| combine(args, |a, b| Some(a & b)))],
        examples: &[Example::new("binary_and(6, 3)", "2")],
        ..BITS
    },
    ScalarFunction {
        name: "binary_or",
        summary: "Returns the bitwise OR of two numbers.",
        overloads: &[pair(|args| combine(args, |a, b| Some(a | b)))],
        examples: &[Example::new("binary_or(int(4), int(1))", "5")],
        ..BITS
    },
    ScalarFunction {
        name: "binary_xor",
        summary: "Returns the bitwise XOR of two numbers.",
        overloads: &[pair(|args| combine(args, |a, b| Some(a ^ b)))],
        examples: &[Example::new("binary_xor(6, 3)", "5")],
        ..BITS
    },
    ScalarFunction {
        name: "binary_not",
        summary: "Returns the bitwise negation of a number.",
        overloads: &[Overload {
            params: &[VALUE],
            returns: Returns::Type(Type::Long),
            kernel: |args| Ok(args.map_long(0, |value| !value)),
        }],
        examples: &[Example::new("binary_not(100)", "-101")],
        ..BITS
    },
    ScalarFunction {
        name: "binary_shift_left",
        summary: "Returns the number shifted left by the shift modulo 64, or null if the shift is negative.",
        overloads: &[shift(|args| {
            combine(args, |value, shift| Some(value.wrapping_shl(u32::try_from(shift % 64).ok()?)))
        })],
        examples: &[
            Example::new("binary_shift_left(1, 2)", "4"),
            Example::new("binary_shift_left(1, -1)", "long(null)"),
        ],
        ..BITS
    },
    ScalarFunction {
        name: "binary_shift_right",
        summary: "Returns the number shifted right by the shift modulo 64, or null if the shift is negative.",
        overloads: &[shift(|args| {
            combine(args, |value, shift| Some(value.wrapping_shr(u32::try_from(shift % 64).ok()?)))
        })],
        examples: &[
            Example::new("binary_shift_right(int(5), 1)", "2"),
            Example::new("binary_shift_right(5, -1)", "long(null)"),
        ],
        ..BITS
    },
    ScalarFunction {
        name: "bitset_count_ones",
        summary: "Returns the number of bits that are set.",
        overloads: &[Overload {
            params: &[VALUE],
            returns: Returns::Type(Type::Long),
            kernel: |args| Ok(args.map_long(0, |value| i64::from(value.count_ones()))),
        }],
        examples: &[Example::new("bitset_count_ones(42)", "3")],
        ..BITS
    },
    ScalarFunction {
        name: "tohex",
        summary: "Returns the number as a hexadecimal string, a negative one as the bits of its type.",
        overloads: &[
            Overload {
                params: &[INT, LENGTH],
                returns: Returns::Type(Type::String),
                kernel: |args| Ok(hex(args, 0xffff_ffff)),
            },
            Overload {
                params: &[VALUE, LENGTH],
                returns: Returns::Type(Type::String),
                kernel: |args| Ok(hex(args, u64::MAX)),
            },
        ],
        examples: &[
            Example::new("tohex(256)", "100"),
            Example::new("tohex(-256)", "ffffffffffffff00"),
            Example::new("tohex(toint(-256), 8)", "ffffff00"),
            Example::new("tohex(256, 8)", "00000100"),
        ],
        ..BITS
    },
];

const BITS: ScalarFunction =
    ScalarFunction { category: Category::Math, result_name: ResultName::FirstArgument, ..ScalarFunction::DEFAULT };

const WHOLE: Accepts = Accepts::Only(&[Type::Long]);
const VALUE: Param = Param::of("value", WHOLE, "a whole number");
const INT: Param = Param::of("value", Accepts::Exactly(&[Type::Int]), "a whole number");
const LENGTH: Param =
    Param::of("minLength", WHOLE, "the minimum number of digits, at most 16; padded with zeros").optional();

const fn pair(kernel: Kernel) -> Overload {
    Overload {
        params: const { &[Param::of("value1", WHOLE, "a whole number"), Param::of("value2", WHOLE, "a whole number")] },
        returns: Returns::Type(Type::Long),
        kernel,
    }
}

const fn shift(kernel: Kernel) -> Overload {
    Overload {
        params: const { &[VALUE, Param::of("shift", WHOLE, "the number of bits to shift by")] },
        returns: Returns::Type(Type::Long),
        kernel,
    }
}

fn combine(args: &Args<'_>, of: impl Fn(i64, i64) -> Option<i64>) -> crate::diagnostic::Result<Column> {
    let (a, b) = (args.longs(0), args.longs(1));
    Ok(args.map(|row| of(a.get(row)?, b.get(row)?)))
}

/// Converts the argument to hexadecimal digits, after masking its bits with `mask`.
fn hex(args: &Args<'_>, mask: u64) -> Column {
    /// Maximum number of digits; a greater number in the call is reduced to it.
    const LONGEST: i64 = 16;
    let values = args.longs(0);
    let length = |row| if args.len() > 1 { args.longs(1).get(row).unwrap_or(0) } else { 0 };
    args.map(|row| {
        let width = usize::try_from(length(row).clamp(0, LONGEST)).unwrap_or(0);
        values.get(row).map(|value| format!("{:0width$x}", value.cast_unsigned() & mask))
    })
}
