//! assert, and functions that return what a service knows about the session of a query.

use crate::diagnostic::{Code, Error, Result, Span};
use crate::functions::ScalarFunction;
use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Overload, Param, Returns};
use crate::types::{Type, Value};

/// The functions that this file defines.
pub static FUNCTIONS: &[ScalarFunction] = &[
    ScalarFunction {
        name: "assert",
        category: Category::Conditional,
        summary: "Returns true if the constant condition is true; otherwise the query is refused with the message.",
        overloads: &[Overload {
            params: &[
                Param::new("condition", Type::Bool, "the condition").constant(),
                Param::new("message", Type::String, "the message if it is not true").constant(),
            ],
            returns: Returns::Type(Type::Bool),
            kernel: |args| Ok(args.map(|_| true)),
        }],
        examples: &[Example::new("assert(1 < 2, 'one is less than two')", "true")],
        validate: check_assertion,
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "current_database",
        category: Category::Metadata,
        summary: "Returns NetDefaultDB, the name of the only database, as Kusto's emulator does.",
        overloads: &[constant(|args| Ok(args.map(|_| "NetDefaultDB")))],
        examples: &[Example::new("current_database()", "NetDefaultDB")],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "current_principal",
        category: Category::Metadata,
        summary: "Returns `<null identity>`, as Kusto's emulator does: nobody signs in to run a query.",
        overloads: &[constant(|args| Ok(args.map(|_| "<null identity>")))],
        examples: &[Example::new("current_principal()", "<null identity>")],
        ..ScalarFunction::DEFAULT
    },
];

const fn constant(kernel: crate::functions::Kernel) -> Overload {
    Overload { params: &[], returns: Returns::Type(Type::String), kernel }
}

/// Rejects a constant condition that is false or null.
fn check_assertion(constants: &[Option<&Value>]) -> Result<()> {
    match constants {
        [Some(Value::Bool(true)) | None, ..] | [] => Ok(()),
        [Some(_), message @ ..] => {
            let message = message.first().copied().flatten().and_then(Value::as_str).unwrap_or_default();
            Err(Error::query(Code::InvalidValue, Span::default(), format!("assert() failed: {message}")))
        }
    }
}
