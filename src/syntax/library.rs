//! Parses the texts of stored functions: commands that create functions, or `let` statements.
//!
//! A mistake in the body of a function concerns only its callers, so each definition has its own messages. Only if
//! the end of a definition cannot be found, the whole text is refused.
//! Source: the reference's pages on the commands `.create function`, `.create-or-alter function` and `.alter
//! function`.

use std::sync::Arc;

use super::ast::{Function, Name, Parameter, ParsedExpr, ParsedExprKind};
use super::parser::function::{begins_function, function};
use super::parser::{comma_list, name, parameter};
use super::stream::{ParseResult, ParserState, Tokens};
use super::{MAX_FUNCTIONS, TokenKind, lexer, placeholder, too_long};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::types::Value;

/// The words between the dot and the name of the function in the commands that define one.
const COMMANDS: &[&[&str]] =
    &[&["create", "-", "or", "-", "alter", "function"], &["create", "function"], &["alter", "function"]];

/// The definition of a stored function.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition {
    /// The name of the function.
    pub name: Name,
    /// The function, or the mistakes in its parameters and body.
    pub function: Result<Arc<Function>, Vec<Diagnostic>>,
}

/// Parses function definitions. `base` is the offset of the first byte of `text` among all sources.
///
/// # Errors
/// The text cannot be divided into definitions; the error has the mistakes.
pub fn definitions(text: &str, base: usize) -> Result<Vec<Definition>, Vec<Diagnostic>> {
    if text.len() > MAX_FUNCTIONS {
        return Err(vec![too_long(text.len(), MAX_FUNCTIONS, Span::new(base, base))]);
    }
    let (tokens, diagnostics) = lexer::tokens_from(text, base);
    if !diagnostics.is_empty() {
        return Err(diagnostics);
    }
    let gaps = placeholder::of_tokens(&tokens);
    if !gaps.is_empty() {
        let help =
            "placeholders are filled only in queries, not in stored functions: make it a parameter of the function";
        return Err(gaps.iter().map(|gap| gap.unfilled(help)).collect());
    }
    let context = ParserState::new(&tokens).map_err(|diagnostic| vec![diagnostic])?;
    let (mut rest, mut found) = (Tokens::new(&context), Vec::new());
    while rest.peek().kind != TokenKind::End {
        match definition(rest, &context) {
            Ok((after, definition)) => {
                found.push(definition);
                rest = after;
            }
            Err(_) => {
                rest.recover(&[]);
                return Err(context.take_diagnostics());
            }
        }
    }
    Ok(found)
}

/// Parses a definition and the `;` after it.
fn definition<'a>(input: Tokens<'a>, context: &ParserState<'a>) -> ParseResult<'a, Definition> {
    let (rest, (name, view)) = head(input)?;
    if !begins_function(&rest) {
        return not_a_definition(rest);
    }
    let end = rest.after_function();
    let read = function(rest);
    if read.is_err() {
        rest.recover(&[]);
    }
    let mistakes = context.take_diagnostics();
    let function = match read {
        Ok((_, function)) if mistakes.is_empty() => Ok(Arc::new(Function { view: function.view || view, ..function })),
        _ => Err(mistakes),
    };
    let rest = if end.peek().is_symbol(";") { end.advance(1) } else { end };
    Ok((rest, Definition { name, function }))
}

/// Parses the part before the parameters. Returns the name, and true if the properties declare a view.
fn head(input: Tokens<'_>) -> ParseResult<'_, (Name, bool)> {
    let token = input.peek();
    if token.is_word("let") {
        let (rest, name) = name("a name")(input.advance(1))?;
        return if rest.peek().is_symbol("=") { Ok((rest.advance(1), (name, false))) } else { not_a_definition(input) };
    }
    let begins =
        |words: &&&[&str]| words.iter().enumerate().all(|(index, word)| input.peek_at(index + 1).text == *word);
    let Some(command) = COMMANDS.iter().find(begins).filter(|_| token.is_symbol(".")) else {
        return not_a_definition(input);
    };
    let mut rest = input.advance(command.len() + 1);
    if rest.peek().is_word("ifnotexists") {
        rest = rest.advance(1);
    }
    let (rest, properties) = properties(rest)?;
    let (rest, name) = name("a name")(rest)?;
    Ok((rest, (name, properties.iter().any(is_view))))
}

/// Parses `with (docstring = "...", folder = "...", view = true)`; returns no properties if it does not follow.
fn properties(input: Tokens<'_>) -> ParseResult<'_, Vec<Parameter>> {
    if !input.peek().is_word("with") || !input.peek_at(1).is_symbol("(") {
        return Ok((input, Vec::new()));
    }
    let (rest, list) = comma_list(parameter)(input.advance(2))?;
    match rest.peek().is_symbol(")") {
        true => Ok((rest.advance(1), list)),
        false => not_a_definition(rest),
    }
}

fn is_view(property: &Parameter) -> bool {
    let is_true = |value: &ParsedExpr| match &value.kind {
        ParsedExprKind::Literal(Value::Bool(truth)) => *truth,
        ParsedExprKind::Literal(Value::String(text)) => text.eq_ignore_ascii_case("true"),
        _ => false,
    };
    property.name.text.eq_ignore_ascii_case("view") && is_true(&property.value)
}

fn not_a_definition<T>(input: Tokens<'_>) -> ParseResult<'_, T> {
    let message = format!("{} is not a function definition", input.peek().describe());
    let diagnostic = Diagnostic::new(Code::UnexpectedToken, input.span(), message);
    input.refuse(diagnostic.help(
        "a file of functions holds `.create-or-alter function NAME(PARAMETERS) { ... }` or \
         `let NAME = (PARAMETERS) { ... };`, one or several",
    ))
}
