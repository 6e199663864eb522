//! String operators: case-insensitive equality, substrings, terms and regular expressions.
//!
//! A dynamic is converted to string. No result is null: a null counts as the empty
//! string, so that negated operators, such as `!has`, are true for it.

use crate::diagnostic::Result;
use crate::functions::args::Args;
use crate::functions::docs::{Category, Example};
use crate::functions::needle::{Anchor, Case, Needle};
use crate::functions::signature::{Kernel, Nulls, Overload, Param, Returns};
use crate::functions::{ScalarFunction, pattern};
use crate::types::{Column, Type};

/// The operators on two strings.
pub(super) static OPERATORS: &[ScalarFunction] = &[
    ScalarFunction {
        name: "=~",
        summary: "True if two strings are equal, ignoring case.",
        overloads: &[form(|args| Ok(find(args, Anchor::Whole, Case::Ignored, false)))],
        examples: &[Example::new("'Admin' =~ 'ADMIN'", "true"), Example::new("'Admin' =~ 'Admins'", "false")],
        ..TEXT_OPERATOR
    },
    ScalarFunction {
        name: "!~",
        summary: "True if two strings differ, ignoring case.",
        overloads: &[form(|args| Ok(find(args, Anchor::Whole, Case::Ignored, true)))],
        examples: &[Example::new("'Admin' !~ 'ADMIN'", "false"), Example::new("'Admin' !~ 'Admins'", "true")],
        ..TEXT_OPERATOR
    },
    ScalarFunction {
        name: "has",
        summary: "True if the string contains another as a whole term, ignoring case.",
        overloads: &[form(|args| Ok(find(args, Anchor::Term, Case::Ignored, false)))],
        examples: &[
            Example::new("'North America' has 'america'", "true"),
            Example::new("'North America' has 'amer'", "false"),
        ],
        ..TEXT_OPERATOR
    },
    ScalarFunction {
        name: "!has",
        summary: "True if the string does not contain another as a whole term, ignoring case.",
        overloads: &[form(|args| Ok(find(args, Anchor::Term, Case::Ignored, true)))],
        examples: &[Example::new("'North America' !has 'america'", "false"), Example::new("'' !has 'america'", "true")],
        ..TEXT_OPERATOR
    },
    ScalarFunction {
        name: "has_cs",
        summary: "True if the string contains another as a whole term, matching case.",
        overloads: &[form(|args| Ok(find(args, Anchor::Term, Case::Matters, false)))],
        examples: &[
            Example::new("'North America' has_cs 'America'", "true"),
            Example::new("'North America' has_cs 'america'", "false"),
        ],
        ..TEXT_OPERATOR
    },
    ScalarFunction {
        name: "!has_cs",
        summary: "True if the string does not contain another as a whole term, matching case.",
        overloads: &[form(|args| Ok(find(args, Anchor::Term, Case::Matters, true)))],
        examples: &[
            Example::new("'North America' !has_cs 'America'", "false"),
            Example::new("'' !has_cs 'America'", "true"),
        ],
        ..TEXT_OPERATOR
    },
    ScalarFunction {
        name: "hasprefix",
        summary: "True if a term of the string starts with another string, ignoring case.",
        overloads: &[form(|args| Ok(find(args, Anchor::TermStart, Case::Ignored, false)))],
        examples: &[
            Example::new("'North America' hasprefix 'ame'", "true"),
            Example::new("'North America' hasprefix 'mer'", "false"),
        ],
        ..TEXT_OPERATOR
    },
    ScalarFunction {
        name: "!hasprefix",
        summary: "True if no term of the string starts with another string, ignoring case.",
        overloads: &[form(|args| Ok(find(args, Anchor::TermStart, Case::Ignored, true)))],
        examples: &[
            Example::new("'North America' !hasprefix 'ame'", "false"),
            Example::new("'' !hasprefix 'ame'", "true"),
        ],
        ..TEXT_OPERATOR
    },
    ScalarFunction {
        name: "hasprefix_cs",
        summary: "True if a term of the string starts with another string, matching case.",
        overloads: &[form(|args| Ok(find(args, Anchor::TermStart, Case::Matters, false)))],
        examples: &[
            Example::new("'North America' hasprefix_cs 'Ame'", "true"),
            Example::new("'North America' hasprefix_cs 'ame'", "false"),
        ],
        ..TEXT_OPERATOR
    },
    ScalarFunction {
        name: "!hasprefix_cs",
        summary: "True if no term of the string starts with another string, matching case.",
        overloads: &[form(|args| Ok(find(args, Anchor::TermStart, Case::Matters, true)))],
        examples: &[
            Example::new("'North America' !hasprefix_cs 'Ame'", "false"),
            Example::new("'' !hasprefix_cs 'Ame'", "true"),
        ],
        ..TEXT_OPERATOR
    },
    ScalarFunction {
        name: "hassuffix",
        summary: "True if a term of the string ends with another string, ignoring case.",
        overloads: &[form(|args| Ok(find(args, Anchor::TermEnd, Case::Ignored, false)))],
        examples: &[
            Example::new("'North America' hassuffix 'TH'", "true"),
            Example::new("'North America' hassuffix 'ort'", "false"),
        ],
        ..TEXT_OPERATOR
    },
    ScalarFunction {
        name: "!hassuffix",
        summary: "True if no term of the string ends with another string, ignoring case.",
        overloads: &[form(|args| Ok(find(args, Anchor::TermEnd, Case::Ignored, true)))],
        examples: &[
            Example::new("'North America' !hassuffix 'TH'", "false"),
            Example::new("'' !hassuffix 'TH'", "true"),
        ],
        ..TEXT_OPERATOR
    },
    ScalarFunction {
        name: "hassuffix_cs",
        summary: "True if a term of the string ends with another string, matching case.",
        overloads: &[form(|args| Ok(find(args, Anchor::TermEnd, Case::Matters, false)))],
        examples: &[
            Example::new("'North America' hassuffix_cs 'th'", "true"),
            Example::new("'North America' hassuffix_cs 'TH'", "false"),
        ],
        ..TEXT_OPERATOR
    },
    ScalarFunction {
        name: "!hassuffix_cs",
        summary: "True if no term of the string ends with another string, matching case.",
        overloads: &[form(|args| Ok(find(args, Anchor::TermEnd, Case::Matters, true)))],
        examples: &[
            Example::new("'North America' !hassuffix_cs 'th'", "false"),
            Example::new("'' !hassuffix_cs 'th'", "true"),
        ],
        ..TEXT_OPERATOR
    },
    ScalarFunction {
        name: "contains",
        summary: "True if the string contains another, ignoring case.",
        overloads: &[form(|args| Ok(find(args, Anchor::Anywhere, Case::Ignored, false)))],
        examples: &[
            Example::new("'Fabrikam' contains 'BRIK'", "true"),
            Example::new("'Fabrikam' contains 'xyz'", "false"),
        ],
        ..TEXT_OPERATOR
    },
    ScalarFunction {
        name: "!contains",
        summary: "True if the string does not contain another, ignoring case.",
        overloads: &[form(|args| Ok(find(args, Anchor::Anywhere, Case::Ignored, true)))],
        examples: &[Example::new("'Fabrikam' !contains 'BRIK'", "false"), Example::new("'' !contains 'BRIK'", "true")],
        ..TEXT_OPERATOR
    },
    ScalarFunction {
        name: "contains_cs",
        summary: "True if the string contains another, matching case.",
        overloads: &[form(|args| Ok(find(args, Anchor::Anywhere, Case::Matters, false)))],
        examples: &[
            Example::new("'Fabrikam' contains_cs 'brik'", "true"),
            Example::new("'Fabrikam' contains_cs 'BRIK'", "false"),
        ],
        ..TEXT_OPERATOR
    },
    ScalarFunction {
        name: "!contains_cs",
        summary: "True if the string does not contain another, matching case.",
        overloads: &[form(|args| Ok(find(args, Anchor::Anywhere, Case::Matters, true)))],
        examples: &[
            Example::new("'Fabrikam' !contains_cs 'brik'", "false"),
            Example::new("'' !contains_cs 'brik'", "true"),
        ],
        ..TEXT_OPERATOR
    },
    ScalarFunction {
        name: "startswith",
        summary: "True if the string starts with another, ignoring case.",
        overloads: &[form(|args| Ok(find(args, Anchor::Start, Case::Ignored, false)))],
        examples: &[
            Example::new("'Fabrikam' startswith 'FAB'", "true"),
            Example::new("'Fabrikam' startswith 'kam'", "false"),
        ],
        ..TEXT_OPERATOR
    },
    ScalarFunction {
        name: "!startswith",
        summary: "True if the string does not start with another, ignoring case.",
        overloads: &[form(|args| Ok(find(args, Anchor::Start, Case::Ignored, true)))],
        examples: &[
            Example::new("'Fabrikam' !startswith 'FAB'", "false"),
            Example::new("'' !startswith 'FAB'", "true"),
        ],
        ..TEXT_OPERATOR
    },
    ScalarFunction {
        name: "startswith_cs",
        summary: "True if the string starts with another, matching case.",
        overloads: &[form(|args| Ok(find(args, Anchor::Start, Case::Matters, false)))],
        examples: &[
            Example::new("'Fabrikam' startswith_cs 'Fab'", "true"),
            Example::new("'Fabrikam' startswith_cs 'fab'", "false"),
        ],
        ..TEXT_OPERATOR
    },
    ScalarFunction {
        name: "!startswith_cs",
        summary: "True if the string does not start with another, matching case.",
        overloads: &[form(|args| Ok(find(args, Anchor::Start, Case::Matters, true)))],
        examples: &[
            Example::new("'Fabrikam' !startswith_cs 'Fab'", "false"),
            Example::new("'' !startswith_cs 'Fab'", "true"),
        ],
        ..TEXT_OPERATOR
    },
    ScalarFunction {
        name: "endswith",
        summary: "True if the string ends with another, ignoring case.",
        overloads: &[form(|args| Ok(find(args, Anchor::End, Case::Ignored, false)))],
        examples: &[
            Example::new("'Fabrikam' endswith 'KAM'", "true"),
            Example::new("'Fabrikam' endswith 'fab'", "false"),
        ],
        ..TEXT_OPERATOR
    },
    ScalarFunction {
        name: "!endswith",
        summary: "True if the string does not end with another, ignoring case.",
        overloads: &[form(|args| Ok(find(args, Anchor::End, Case::Ignored, true)))],
        examples: &[Example::new("'Fabrikam' !endswith 'KAM'", "false"), Example::new("'' !endswith 'KAM'", "true")],
        ..TEXT_OPERATOR
    },
    ScalarFunction {
        name: "endswith_cs",
        summary: "True if the string ends with another, matching case.",
        overloads: &[form(|args| Ok(find(args, Anchor::End, Case::Matters, false)))],
        examples: &[
            Example::new("'Fabrikam' endswith_cs 'kam'", "true"),
            Example::new("'Fabrikam' endswith_cs 'KAM'", "false"),
        ],
        ..TEXT_OPERATOR
    },
    ScalarFunction {
        name: "!endswith_cs",
        summary: "True if the string does not end with another, matching case.",
        overloads: &[form(|args| Ok(find(args, Anchor::End, Case::Matters, true)))],
        examples: &[
            Example::new("'Fabrikam' !endswith_cs 'kam'", "false"),
            Example::new("'' !endswith_cs 'kam'", "true"),
        ],
        ..TEXT_OPERATOR
    },
    ScalarFunction {
        name: "matches regex",
        summary: "True if a regular expression matches anywhere in the string.",
        overloads: &[form(matches_regex)],
        examples: &[
            Example::new("'Fabrikam' matches regex 'b.*k'", "true"),
            Example::new("'Fabrikam' matches regex '^b'", "false"),
        ],
        validate: |arguments| pattern::check(arguments, 1).map(|_| ()),
        ..TEXT_OPERATOR
    },
];

const TEXT_OPERATOR: ScalarFunction =
    ScalarFunction { category: Category::Operator, nulls: Nulls::Handled, ..ScalarFunction::DEFAULT };

static TEXTS: [Param; 2] = [
    Param::new("text", Type::String, "the string to search"),
    Param::new("needle", Type::String, "the value to search for"),
];

const fn form(kernel: Kernel) -> Overload {
    Overload { params: &TEXTS, returns: Returns::Type(Type::Bool), kernel }
}

fn find(args: &Args<'_>, place: Anchor, case: Case, negated: bool) -> Column {
    let (texts, needles) = (args.texts(0), args.texts(1));
    let prepare = |text: &str| Needle::new(text, place, case);
    if args.constant(1).is_some() {
        let needle = prepare(needles.get(0).unwrap_or(""));
        return args.predicate(|row| needle.is_in(texts.get(row).unwrap_or("")) != negated);
    }
    args.predicate(|row| prepare(needles.get(row).unwrap_or("")).is_in(texts.get(row).unwrap_or("")) != negated)
}

fn matches_regex(args: &Args<'_>) -> Result<Column> {
    let (texts, patterns) = (args.texts(0), args.texts(1));
    if args.constant(1).is_some() {
        let regex = pattern::compile(patterns.get(0).unwrap_or(""))?;
        return Ok(args.predicate(|row| regex.is_match(texts.get(row).unwrap_or(""))));
    }
    args.try_map(|row| {
        let regex = pattern::compile(patterns.get(row).unwrap_or(""))?;
        Ok(regex.is_match(texts.get(row).unwrap_or("")))
    })
}
