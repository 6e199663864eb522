//! The documentation of functions: categories, examples, signatures, and pages in Markdown.

use std::fmt::Write;

use super::differences::difference;
use super::signature::{Accepts, Occurs, Param, Returns, TypeVariable, type_variable};
use super::{AggregateFunction, Plugin, ScalarFunction, SpecialForm};
use crate::types::Type;

/// The chapter of the documentation that a function belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is the title of a chapter")]
pub enum Category {
    Binary,
    Conditional,
    Conversion,
    Datetime,
    Dynamic,
    Encoding,
    Geo,
    Hash,
    Ip,
    Math,
    Metadata,
    Operator,
    Parse,
    Regex,
    RowSelector,
    Series,
    Special,
    Statistical,
    String,
    Timespan,
    Window,
}

impl Category {
    /// Returns the heading of the chapter.
    #[must_use]
    pub fn title(self) -> String {
        match self {
            Self::Ip => "IP address".to_owned(),
            Self::RowSelector => "Row selector".to_owned(),
            other => format!("{other:?}"),
        }
    }
}

/// A call and its expected result. The tests run it.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// An expression without columns for scalar functions, otherwise a whole query that returns one cell.
    pub query: &'static str,
    /// The result, as a KQL literal or as the string that `tostring` returns for it.
    pub answer: &'static str,
}

impl Example {
    /// Returns an example in which `query` returns `answer`.
    #[must_use]
    pub const fn new(query: &'static str, answer: &'static str) -> Self {
        Self { query, answer }
    }
}

/// Returns the signatures of a scalar function, one per overload.
#[must_use]
pub fn scalar_signatures(function: &ScalarFunction) -> Vec<String> {
    let columns: Vec<String> = function.columns.iter().map(|(name, ty)| format!("{name}: {ty}")).collect();
    let signature = |overload: &super::Overload| {
        let params = parameters(overload.params) + function.type_argument.parameter();
        let returns = match columns.as_slice() {
            [] => result_type(overload.returns, overload.params),
            columns => format!("({})", columns.join(", ")),
        };
        format!("{}({params}) -> {returns}", function.name)
    };
    function.overloads.iter().map(signature).collect()
}

/// Returns the signature of an aggregate.
#[must_use]
pub fn aggregate_signature(function: &AggregateFunction) -> String {
    let returns = result_type(function.returns, function.params);
    format!("{}({}) -> {returns}", function.name, parameters(function.params))
}

/// Returns the signature of a special form.
#[must_use]
pub fn special_signature(form: &SpecialForm) -> String {
    format!("{}({}) -> {}", form.name, parameters(form.params), form.returns)
}

/// Returns the signature of a plugin.
#[must_use]
pub fn plugin_signature(plugin: &Plugin) -> String {
    format!("{}({})", plugin.name, parameters(plugin.params))
}

/// Returns the type of a result as signatures show it.
fn result_type(returns: Returns, params: &[Param]) -> String {
    match returns {
        Returns::Argument(index) => match params.get(index) {
            Some(Param { accepts: Accepts::Same(_), .. }) => VARIABLE.to_owned(),
            param => param.map_or_else(String::new, |param| format!("type of {}", param.name)),
        },
        other => format!("{other:?}"),
    }
}

/// The name of the type variable in signatures.
const VARIABLE: &str = "T";

/// Returns a parameter list as the documentation shows it, such as `a: string, [b: long]`.
#[must_use]
pub fn parameters(params: &[Param]) -> String {
    params.iter().map(parameter).collect::<Vec<_>>().join(", ")
}

fn parameter(param: &Param) -> String {
    let kind = match param.accepts {
        Accepts::Type(ty) => ty.name().to_owned(),
        Accepts::Any => "any".to_owned(),
        Accepts::OneOf(types) | Accepts::Only(types) | Accepts::Exactly(types) => join_types(types, " | "),
        Accepts::Same(_) => VARIABLE.to_owned(),
        Accepts::Table => "table".to_owned(),
        Accepts::Column => "column".to_owned(),
    };
    let dots = if matches!(param.occurs, Occurs::Repeated | Occurs::Any | Occurs::Grouped) { "..." } else { "" };
    let text = format!("{}: {kind}{dots}", param.name);
    if matches!(param.occurs, Occurs::Optional | Occurs::Any) { format!("[{text}]") } else { text }
}

fn join_types(types: &[Type], separator: &str) -> String {
    types.iter().map(|ty| ty.name()).collect::<Vec<_>>().join(separator)
}

/// Returns the types that a type variable can take.
fn variable_types(variable: TypeVariable) -> String {
    if variable.types.len() == Type::ALL.len() { "any type".to_owned() } else { join_types(variable.types, ", ") }
}

/// Returns the documentation page of a scalar function.
#[must_use]
pub fn scalar_markdown(function: &ScalarFunction) -> String {
    let params = function.overloads.iter().map(|overload| overload.params).max_by_key(|params| params.len());
    let page = Page {
        name: function.name,
        aliases: function.aliases,
        summary: function.summary,
        signatures: scalar_signatures(function),
        params: params.unwrap_or_default(),
        variable: type_variable(function.overloads.iter().flat_map(|overload| overload.params)),
        examples: function.examples,
    };
    page.markdown()
}

/// Returns the documentation page of an aggregate.
#[must_use]
pub fn aggregate_markdown(function: &AggregateFunction) -> String {
    let page = Page {
        name: function.name,
        aliases: function.aliases,
        summary: function.summary,
        signatures: vec![aggregate_signature(function)],
        params: function.params,
        variable: None,
        examples: function.examples,
    };
    page.markdown()
}

/// Returns the documentation page of a special form.
#[must_use]
pub fn special_markdown(form: &SpecialForm) -> String {
    let page = Page {
        name: form.name,
        aliases: form.aliases,
        summary: form.summary,
        signatures: vec![special_signature(form)],
        params: form.params,
        variable: None,
        examples: form.examples,
    };
    page.markdown()
}

/// Returns the documentation page of a plugin.
#[must_use]
pub fn plugin_markdown(plugin: &Plugin) -> String {
    let page = Page {
        name: plugin.name,
        aliases: &[],
        summary: plugin.summary,
        signatures: vec![format!("{} -> {}", plugin_signature(plugin), plugin.returns)],
        params: plugin.params,
        variable: None,
        examples: plugin.examples,
    };
    page.markdown()
}

/// The content of the documentation page of a function, operator or plugin.
struct Page {
    name: &'static str,
    aliases: &'static [&'static str],
    summary: &'static str,
    signatures: Vec<String>,
    params: &'static [Param],
    variable: Option<TypeVariable>,
    examples: &'static [Example],
}

impl Page {
    fn markdown(&self) -> String {
        let signatures = self.signatures.join("\n");
        let mut text = format!("### {}\n\n{}\n\n```text\n{signatures}\n```\n", self.name, self.summary);
        let mut line = |content: String| writeln!(text, "{content}").expect("writing to a String cannot fail");
        if !self.aliases.is_empty() {
            let aliases: Vec<String> = self.aliases.iter().map(|name| format!("`{name}`")).collect();
            line(format!("\nAlso written {}.", aliases.join(", ")));
        }
        if let Some(difference) = difference(self.name) {
            line(format!("\n{difference}"));
        }
        line(String::new());
        for param in self.params {
            line(format!("- `{}`: {}", param.name, param.about));
        }
        if let Some(variable) = self.variable {
            line(format!("- `{VARIABLE}`: one type throughout the call ({})", variable_types(variable)));
        }
        if !self.params.is_empty() {
            line(String::new());
        }
        for example in self.examples {
            line(match example.answer {
                "" => format!("`{}` returns an empty string  ", example.query),
                answer => format!("`{}` returns `{answer}`  ", example.query),
            });
        }
        text
    }
}
