//! What a function's entry says about itself, and its page in Markdown.

use std::fmt::Write;

use super::signature::{Accepts, Occurs, Overload, Param, Returns};
use super::{AggregateFunction, ScalarFunction};

/// Where a function stands in the documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is the title of a chapter")]
pub enum Category {
    Aggregate,
    Conditional,
    Conversion,
    Datetime,
    Dynamic,
    Encoding,
    Hash,
    Ip,
    Math,
    Operator,
    Parse,
    Regex,
    Series,
    String,
    Timespan,
    Window,
}

/// A call and its answer. It runs in the tests.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// An expression without columns; for aggregates a whole query that answers one cell.
    pub query: &'static str,
    /// What it answers, as a literal of the language or as the text that `tostring` gives.
    pub answer: &'static str,
}

impl Example {
    /// `query` answers `answer`.
    #[must_use]
    pub const fn new(query: &'static str, answer: &'static str) -> Self {
        Self { query, answer }
    }
}

/// The forms of a scalar function, one a line.
#[must_use]
pub fn scalar_signatures(function: &ScalarFunction) -> Vec<String> {
    let forms = function.overloads.iter();
    if function.columns.is_empty() {
        return forms.map(|overload| signature(function.name, overload)).collect();
    }
    let columns: Vec<String> = function.columns.iter().map(|(name, ty)| format!("{name}: {ty}")).collect();
    let columns = columns.join(", ");
    forms.map(|form| format!("{}({}) -> ({columns})", function.name, parameters(form.params))).collect()
}

fn signature(name: &str, overload: &Overload) -> String {
    format!("{name}({}) -> {}", parameters(overload.params), result(overload.returns, overload.params))
}

/// The type of a result in words.
fn result(returns: Returns, params: &[Param]) -> String {
    match returns {
        Returns::Argument(index) => {
            params.get(index).map_or_else(String::new, |param| format!("type of {}", param.name))
        }
        other => format!("{other:?}"),
    }
}

/// `a: string, b: long = ...` for a list of parameters.
#[must_use]
pub fn parameters(params: &[Param]) -> String {
    let text = |param: &Param| {
        let kind = match param.accepts {
            Accepts::Type(ty) => ty.name().to_owned(),
            Accepts::Any => "any".to_owned(),
            Accepts::OneOf(types) | Accepts::Only(types) | Accepts::Exactly(types) => {
                types.iter().map(|ty| ty.name()).collect::<Vec<_>>().join(" | ")
            }
        };
        let dots = if matches!(param.occurs, Occurs::Repeated | Occurs::Any | Occurs::Grouped) { "..." } else { "" };
        let text = format!("{}: {kind}{dots}", param.name);
        if matches!(param.occurs, Occurs::Optional | Occurs::Any) { format!("[{text}]") } else { text }
    };
    params.iter().map(text).collect::<Vec<_>>().join(", ")
}

/// The page of a scalar function.
#[must_use]
pub fn scalar_markdown(function: &ScalarFunction) -> String {
    let params: Vec<&Param> = longest(function.overloads.iter().map(|overload| overload.params));
    page(function.name, function.aliases, function.summary, &scalar_signatures(function), &params, function.examples)
}

/// The page of an aggregate.
#[must_use]
pub fn aggregate_markdown(function: &AggregateFunction) -> String {
    let returns = result(function.returns, function.params);
    let signature = format!("{}({}) -> {returns}", function.name, parameters(function.params));
    let params: Vec<&Param> = function.params.iter().collect();
    page(function.name, function.aliases, function.summary, &[signature], &params, function.examples)
}

fn longest(lists: impl Iterator<Item = &'static [Param]>) -> Vec<&'static Param> {
    lists.max_by_key(|params| params.len()).unwrap_or_default().iter().collect()
}

fn page(
    name: &str,
    aliases: &[&str],
    summary: &str,
    signatures: &[String],
    params: &[&Param],
    examples: &[Example],
) -> String {
    let mut text = format!("### {name}\n\n{summary}\n\n```text\n{}\n```\n", signatures.join("\n"));
    let mut line = |content: String| writeln!(text, "{content}").expect("writing to a String cannot fail");
    if !aliases.is_empty() {
        line(format!(
            "\nAlso written {}.",
            aliases.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
        ));
    }
    line(String::new());
    for param in params {
        line(format!("- `{}`: {}", param.name, param.about));
    }
    if !params.is_empty() {
        line(String::new());
    }
    for example in examples {
        line(format!("`{}` answers `{}`  ", example.query, example.answer));
    }
    text
}
