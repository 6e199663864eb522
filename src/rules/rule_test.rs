//! Reads unit tests of rules: YAML files with rows and the alerts that they should make.
//!
//! A file has one or several documents. Each of them has rows under `given` and what they should make under `expect`, or
//! rows that must each make an alert (`true_positive`) or none (`true_negative`).

use super::fields::{Fields, Notation, Read, wrong};
use super::given_rows::{self, GivenTable};
use super::node::{Node, NodeContent};
use super::{MAX_RULE_FILE, RuleFileError, yaml};
use crate::diagnostic::{Span, Spanned};
use crate::types::Type;

/// The maximum number of tests in a file.
const MAX_TESTS: usize = 10_000;

const KEYS: &[&str] =
    &["name", "rule", "select", "now", "table", "columns", "given", "expect", "true_positive", "true_negative"];

/// A test of one or several rules.
#[derive(Clone, Debug)]
pub struct RuleTest {
    /// The name for people.
    pub name: String,
    /// The files of the rules, relative to that of the test.
    pub rules: Vec<Spanned<String>>,
    /// The identifier or name of the rule, if a file has several.
    pub selected: Option<Spanned<String>>,
    /// The time of the only run, in ticks; None if the rule runs over all rows, or if rows have no times.
    pub now: Option<i64>,
    /// Columns that a table has besides those that are known.
    pub columns: Vec<DeclaredColumns>,
    /// The rows of each table.
    pub given: Vec<GivenTable>,
    /// The expected result.
    pub expected: ExpectedResult,
    /// Where the test begins in its file.
    pub span: Span,
}

/// The declared columns of a table.
#[derive(Clone, Debug)]
pub struct DeclaredColumns {
    /// The name of the table.
    pub table: String,
    /// The names and types.
    pub columns: Vec<(String, Type)>,
}

/// What a test expects.
#[derive(Clone, Debug)]
pub enum ExpectedResult {
    /// At least one alert.
    SomeAlert,
    /// No alert.
    NoAlert,
    /// Alerts with these properties.
    Alerts(ExpectedAlerts),
}

/// The expected alerts. What is None or empty is not compared.
#[derive(Clone, Debug)]
pub struct ExpectedAlerts {
    /// The number of alerts.
    pub alerts: Option<Spanned<usize>>,
    /// The rows of the alerts.
    pub rows: Option<ExpectedRows>,
    /// The entities of all alerts together.
    pub entities: Vec<ExpectedEntities>,
}

/// The expected rows of all alerts together.
#[derive(Clone, Debug)]
pub enum ExpectedRows {
    /// Their number.
    Number(Spanned<usize>),
    /// Some columns of each row, in any order.
    Listed(GivenTable),
}

/// The expected entities of a type.
#[derive(Clone, Debug)]
pub struct ExpectedEntities {
    /// The type, such as `Account`.
    pub entity: String,
    /// The values of their identifiers, in any order.
    pub values: Vec<String>,
    /// The position of the values.
    pub span: Span,
}

/// Reads the tests of a file, in order.
///
/// # Errors
/// The text is not valid YAML, or not a file of tests.
pub fn read_tests(text: &str) -> Result<Vec<RuleTest>, RuleFileError> {
    if text.len() > MAX_RULE_FILE {
        return wrong(Span::default(), format!("larger than {} MiB", MAX_RULE_FILE >> 20));
    }
    let (mut tests, mut inherited) = (Vec::new(), InheritedKeys::default());
    for (number, (start, document)) in yaml::read_documents(text)?.iter().enumerate() {
        let fields = Fields::new(document, Notation::default());
        fields.refuse_others(KEYS)?;
        inherited.replace(fields)?;
        let name = fields.text("name")?.map_or(format!("test {}", number + 1), str::to_owned);
        let span = if document.span.end > document.span.start { document.span } else { *start };
        let found = document_tests(fields, &inherited, &name, Span { end: span.start, ..span })?;
        if found.is_empty() {
            return wrong(span, "the test expects nothing: give `expect`, `true_positive` or `true_negative`");
        }
        tests.extend(found);
        if tests.len() > MAX_TESTS {
            return wrong(span, format!("more than {MAX_TESTS} tests"));
        }
    }
    match tests.is_empty() {
        true => wrong(Span::default(), "no test is in it"),
        false => Ok(tests),
    }
}

/// What holds for the following documents, too.
#[derive(Default)]
struct InheritedKeys {
    rules: Vec<Spanned<String>>,
    selected: Option<Spanned<String>>,
    columns: Vec<DeclaredColumns>,
}

impl InheritedKeys {
    fn replace(&mut self, fields: Fields<'_>) -> Read<()> {
        if let Some(rule) = fields.value("rule") {
            (self.rules, self.selected) = (texts(rule, "rule")?, None);
        }
        if self.rules.is_empty() {
            return wrong(fields.span(), "the test has no `rule`: give the path of a rule file, relative to this file");
        }
        if let Some(name) = fields.text("select")? {
            self.selected = Some(Spanned::new(name.to_owned(), fields.span_of("select")));
        }
        if let Some(tables) = fields.mapping("columns")? {
            self.columns =
                tables.entries().iter().map(|(key, table)| columns(&key.text, table)).collect::<Read<_>>()?;
        }
        Ok(())
    }
}

/// The strings of a list, or the only one.
fn texts(node: &Node, name: &str) -> Read<Vec<Spanned<String>>> {
    let nodes = match &node.content {
        NodeContent::Sequence(elements) => elements.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let text = |node: &Node| match node.text() {
        Some(text) => Ok(Spanned::new(text.to_owned(), node.span)),
        None => wrong(node.span, format!("`{name}` must be a string, or a list of strings")),
    };
    nodes.iter().map(text).collect()
}

fn columns(table: &str, node: &Node) -> Read<DeclaredColumns> {
    let NodeContent::Mapping(entries) = &node.content else {
        return wrong(node.span, format!("the columns of `{table}` must be names and types, such as `Amount: long`"));
    };
    let mut columns = Vec::new();
    for (key, value) in entries {
        match value.text().and_then(Type::from_name) {
            Some(ty) => columns.push((key.text.clone(), ty)),
            None => return wrong(value.span, "not a type: expected one such as string, long, datetime or dynamic"),
        }
    }
    Ok(DeclaredColumns { table: table.to_owned(), columns })
}

/// The tests of a document.
fn document_tests(fields: Fields<'_>, inherited: &InheritedKeys, name: &str, span: Span) -> Read<Vec<RuleTest>> {
    let now = fields.time("now")?;
    let table = fields.text("table")?;
    let test = |name: String, span: Span, given: Vec<GivenTable>, expected: ExpectedResult| RuleTest {
        name,
        rules: inherited.rules.clone(),
        selected: inherited.selected.clone(),
        now,
        columns: inherited.columns.clone(),
        given,
        expected,
        span,
    };
    let mut tests = Vec::new();
    let given = fields.mapping("given")?;
    match fields.mapping("expect")? {
        Some(expected) => {
            let given = given.map(given_rows::tables).transpose()?.unwrap_or_default();
            tests.push(test(name.to_owned(), span, given, ExpectedResult::Alerts(alerts(expected)?)));
        }
        None if given.is_some() => return wrong(fields.span_of("given"), "the test has `given`, but no `expect`"),
        None => {}
    }
    for (key, words, expected) in [
        ("true_positive", "true positive", ExpectedResult::SomeAlert),
        ("true_negative", "true negative", ExpectedResult::NoAlert),
    ] {
        let Some(node) = fields.value(key) else { continue };
        for (number, rows) in given_rows::fixtures(node, key, table)?.into_iter().enumerate() {
            let (span, name) = (rows.span, format!("{name}: {words} {}", number + 1));
            tests.push(test(name, span, vec![rows], expected.clone()));
        }
    }
    Ok(tests)
}

fn alerts(fields: Fields<'_>) -> Read<ExpectedAlerts> {
    fields.refuse_others(&["alerts", "rows", "entities"])?;
    let number = |name: &str| -> Read<Option<Spanned<usize>>> {
        let number = fields.whole(name, 0, u32::MAX)?;
        Ok(number.map(|number| Spanned::new(number as usize, fields.span_of(name))))
    };
    let rows = match fields.value("rows") {
        Some(list) if matches!(list.content, NodeContent::Sequence(_)) => {
            Some(ExpectedRows::Listed(given_rows::listed(list, None)?))
        }
        _ => number("rows")?.map(ExpectedRows::Number),
    };
    let entities = fields.mapping("entities")?.map_or(Ok(Vec::new()), entities)?;
    let expected = ExpectedAlerts { alerts: number("alerts")?, rows, entities };
    match expected.alerts.is_none() && expected.rows.is_none() && expected.entities.is_empty() {
        true => wrong(fields.span(), "`expect` expects nothing: give `alerts`, `rows` or `entities`"),
        false => Ok(expected),
    }
}

fn entities(fields: Fields<'_>) -> Read<Vec<ExpectedEntities>> {
    let of_type = |(key, node): &(super::node::NodeKey, Node)| {
        let values = texts(node, &key.text)?.into_iter().map(|value| value.node).collect();
        Ok(ExpectedEntities { entity: key.text.clone(), values, span: node.span })
    };
    fields.entries().iter().map(of_type).collect()
}
