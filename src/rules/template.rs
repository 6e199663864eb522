//! Evaluates the expressions of templates of Azure Resource Manager that depend on nothing outside the file: parameters
//! with default values, variables, and strings made of them. All others become [`NodeContent::Expression`].
//!
//! Source: the pages on the syntax, the functions and the nested deployments of templates.

use super::RuleFileError;
use super::node::{Node, NodeContent};
use super::template_expression::{self, TemplateExpression, TemplateString};

/// The maximum depth of values and of expressions in them.
const MAX_DEPTH: usize = 256;
/// The maximum size of everything that expressions are replaced by: bytes of strings, and [`NODE_SIZE`] for each value.
const MAX_SIZE: usize = 16 << 20;
const NODE_SIZE: usize = 64;

/// Returns the tree with the values of its expressions; a tree that is no template is returned as it is.
///
/// # Errors
/// The values of the expressions are larger than a limit.
pub(super) fn evaluate(root: Node) -> Result<Node, RuleFileError> {
    if root.entry("resources").is_none() && root.entry("$schema").is_none() {
        return Ok(root);
    }
    let scope = TemplateScope { template: &root, given: Vec::new() };
    Evaluator { left: MAX_SIZE }.template(&root, &scope, 0)
}

/// What the names of an expression stand for.
struct TemplateScope<'a> {
    /// The template, with its `parameters` and `variables`.
    template: &'a Node,
    /// The values of parameters that an outer template gives.
    given: Vec<(String, Node)>,
}

struct Evaluator {
    /// What is left of [`MAX_SIZE`].
    left: usize,
}

type Evaluated<T> = Result<T, RuleFileError>;

impl Evaluator {
    /// Evaluates a template, except for the values of its names.
    fn template(&mut self, node: &Node, scope: &TemplateScope<'_>, depth: usize) -> Evaluated<Node> {
        let NodeContent::Mapping(entries) = &node.content else { return Ok(node.clone()) };
        let mut evaluated = Vec::new();
        for (key, value) in entries {
            let is_named = ["parameters", "variables"].iter().any(|name| key.text.eq_ignore_ascii_case(name));
            let value = if is_named { value.clone() } else { self.value(value, scope, depth + 1)? };
            evaluated.push((key.clone(), value));
        }
        Ok(Node { content: NodeContent::Mapping(evaluated), span: node.span })
    }

    /// Evaluates the expressions in a value.
    fn value(&mut self, node: &Node, scope: &TemplateScope<'_>, depth: usize) -> Evaluated<Node> {
        if depth > MAX_DEPTH {
            return Ok(with_unknown_expressions(node));
        }
        let content = match &node.content {
            NodeContent::String(text) => match template_expression::parse(text) {
                TemplateString::Literal(text) => NodeContent::String(text.to_owned()),
                TemplateString::Unknown => return Ok(with_unknown_expressions(node)),
                TemplateString::Expression(expression) => {
                    let value = self.evaluated(&expression, node, scope, depth)?;
                    return Ok(value.unwrap_or_else(|| with_unknown_expressions(node)));
                }
            },
            NodeContent::Mapping(_) if is_deployment(node) => return self.deployment(node, scope, depth),
            NodeContent::Mapping(entries) => {
                let value = |(key, value): &(_, Node)| -> Evaluated<_> {
                    Ok((Clone::clone(key), self.value(value, scope, depth + 1)?))
                };
                NodeContent::Mapping(entries.iter().map(value).collect::<Evaluated<_>>()?)
            }
            NodeContent::Sequence(elements) => {
                let elements = elements.iter().map(|element| self.value(element, scope, depth + 1));
                NodeContent::Sequence(elements.collect::<Evaluated<_>>()?)
            }
            NodeContent::Other(_) | NodeContent::Expression(_) => return Ok(node.clone()),
        };
        Ok(Node { content, span: node.span })
    }

    /// Evaluates a template in a resource. Its names are its own if its scope is `inner`, else those of the outer one.
    fn deployment(&mut self, node: &Node, outer: &TemplateScope<'_>, depth: usize) -> Evaluated<Node> {
        let scope = node.get(&["properties", "expressionEvaluationOptions", "scope"]).and_then(Node::text);
        let is_inner = scope.is_some_and(|scope| scope.eq_ignore_ascii_case("inner"));
        let Some(template) = node.get(&["properties", "template"]) else { return Ok(node.clone()) };
        let mut given = Vec::new();
        if let Some(Node { content: NodeContent::Mapping(entries), .. }) = node.get(&["properties", "parameters"]) {
            for (name, parameter) in entries {
                let value = match parameter.get(&["value"]) {
                    Some(value) => self.value(value, outer, depth + 1)?,
                    // A reference to a secret.
                    None => Node { content: NodeContent::Expression(String::new()), span: parameter.span },
                };
                given.push((name.text.clone(), value));
            }
        }
        let template = match is_inner {
            true => self.template(template, &TemplateScope { template, given }, depth + 1)?,
            false => self.template(template, outer, depth + 1)?,
        };
        Ok(with_template(node, &template))
    }

    /// The value of an expression that stands at `node`; None if only a deployment knows it.
    fn evaluated(
        &mut self,
        expression: &TemplateExpression,
        node: &Node,
        scope: &TemplateScope<'_>,
        depth: usize,
    ) -> Evaluated<Option<Node>> {
        let text = |text: String| Node { content: NodeContent::String(text), span: node.span };
        let value = match expression {
            TemplateExpression::String(literal) => Some(text(literal.clone())),
            TemplateExpression::Number(number) => {
                Some(Node { content: NodeContent::Other(number.clone()), span: node.span })
            }
            TemplateExpression::Property(value, name) => {
                self.evaluated(value, node, scope, depth + 1)?.and_then(|value| value.get(&[name]).cloned())
            }
            TemplateExpression::Call { function, arguments } => {
                let mut values = Vec::new();
                for argument in arguments {
                    match self.evaluated(argument, node, scope, depth + 1)? {
                        Some(value) => values.push(value),
                        None => return Ok(None),
                    }
                }
                match (function.to_ascii_lowercase().as_str(), values.as_slice()) {
                    ("parameters", [name]) => self.parameter(name, scope, depth)?,
                    ("variables", [name]) => match named(scope.template, "variables", name) {
                        Some(value) => Some(self.value(value, scope, depth + 1)?),
                        None => None,
                    },
                    (function, values) => template_expression::call(function, values, self.left).map(text),
                }
            }
        };
        if let Some(value) = &value {
            let size = size(value);
            self.left = self.left.checked_sub(size).ok_or_else(|| RuleFileError {
                span: node.span,
                reason: format!("the expressions of the template stand for more than {} MiB", MAX_SIZE >> 20),
            })?;
        }
        Ok(value)
    }

    /// The value that is given for a parameter, else its default value.
    fn parameter(&mut self, name: &Node, scope: &TemplateScope<'_>, depth: usize) -> Evaluated<Option<Node>> {
        let text = name.text().unwrap_or_default();
        if let Some((_, value)) = scope.given.iter().find(|(given, _)| given.eq_ignore_ascii_case(text)) {
            return Ok(Some(value.clone()));
        }
        match named(scope.template, "parameters", name).and_then(|parameter| parameter.get(&["defaultValue"])) {
            Some(value) => self.value(value, scope, depth + 1).map(Some),
            None => Ok(None),
        }
    }
}

/// Returns the value with every string that is an expression as [`NodeContent::Expression`].
fn with_unknown_expressions(node: &Node) -> Node {
    let content = match &node.content {
        NodeContent::String(text) if template_expression::is_expression(text) => NodeContent::Expression(text.clone()),
        NodeContent::Mapping(entries) => NodeContent::Mapping(
            entries.iter().map(|(key, value)| (key.clone(), with_unknown_expressions(value))).collect(),
        ),
        NodeContent::Sequence(elements) => {
            NodeContent::Sequence(elements.iter().map(with_unknown_expressions).collect())
        }
        content => content.clone(),
    };
    Node { content, span: node.span }
}

/// The value under the text of `name` in a section of a template.
fn named<'a>(template: &'a Node, section: &str, name: &Node) -> Option<&'a Node> {
    template.get(&[section, name.text()?])
}

fn is_deployment(node: &Node) -> bool {
    let kind = node.get(&["type"]).and_then(Node::text).unwrap_or_default();
    kind.eq_ignore_ascii_case("Microsoft.Resources/deployments") && node.get(&["properties", "template"]).is_some()
}

/// The resource with another template in its properties.
fn with_template(node: &Node, template: &Node) -> Node {
    let replaced = |node: &Node, name: &str, value: Node| match &node.content {
        NodeContent::Mapping(entries) => {
            let is_it = |key: &str| key.eq_ignore_ascii_case(name);
            let entry = |(key, old): &(super::node::NodeKey, Node)| {
                (key.clone(), if is_it(&key.text) { value.clone() } else { old.clone() })
            };
            Node { content: NodeContent::Mapping(entries.iter().map(entry).collect()), span: node.span }
        }
        _ => node.clone(),
    };
    let Some(properties) = node.get(&["properties"]) else { return node.clone() };
    replaced(node, "properties", replaced(properties, "template", template.clone()))
}

fn size(node: &Node) -> usize {
    NODE_SIZE + node.written().map_or(0, str::len) + node.children().map(size).sum::<usize>()
}
