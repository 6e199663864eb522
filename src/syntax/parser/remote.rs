//! Parses tables outside the default database, such as `workspace('w').T`, `cluster('c').database('d').table('T')` or
//! `external_table('T')`.

use nom::Parser;
use nom::combinator::cut;

use super::literal::string_literal;
use super::{ParseResult, TokenKind, Tokens, any_name, committed, symbol};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::Name;
use crate::syntax::print::table_reference;

/// Functions after whose call the name of a table may follow.
const SCOPES: &[&str] = &["adx", "app", "arg", "cluster", "database", "resource", "workspace"];

/// Functions that return a table by its name.
const TABLES: &[&str] = &["external_table", "table"];

/// True if such a table begins here. `table('T')` is one only after a dot.
pub(super) fn begins_remote_table(input: &Tokens<'_>) -> bool {
    let is_call = is_call_of_string(input);
    let is_scope = SCOPES.contains(&input.peek().text) && input.peek_at(4).is_symbol(".");
    input.peek().kind == TokenKind::Word && is_call && (is_scope || input.peek().is_word("external_table"))
}

/// True if `word('string')` begins here.
fn is_call_of_string(input: &Tokens<'_>) -> bool {
    input.peek_at(1).is_symbol("(") && input.peek_at(2).kind == TokenKind::String && input.peek_at(3).is_symbol(")")
}

/// Parses the table. Returns its canonical spelling as a name, such as `cluster('c').database('d').T`.
pub(super) fn remote_table(input: Tokens<'_>) -> ParseResult<'_, Name> {
    let (mut rest, mut scopes) = (input, Vec::new());
    loop {
        let word = rest.peek();
        if !rest.peek_at(1).is_symbol("(") {
            let (rest, table) = any_name("a table")(rest)?;
            return named(input, rest, &scopes, &table.text);
        }
        if !is_call_of_string(&rest) || !SCOPES.iter().chain(TABLES).any(|known| word.is_word(known)) {
            let message = format!("the function `{}` of another database is not supported yet", word.text);
            return rest.refuse(Diagnostic::new(Code::UnsupportedSyntax, word.span, message));
        }
        let (after, text) = committed(string_literal(rest.advance(2)))?;
        let (after, _) = cut(symbol(")")).parse(after)?;
        if word.is_word("table") {
            return named(input, after, &scopes, &text);
        }
        scopes.push((word.text, text));
        if word.is_word("external_table") {
            return named(input, after, &scopes, "");
        }
        let (after, _) = cut(symbol(".")).parse(after)?;
        rest = after;
    }
}

fn named<'a>(input: Tokens<'a>, rest: Tokens<'a>, scopes: &[(&str, String)], table: &str) -> ParseResult<'a, Name> {
    let span = rest.span_since(input.span());
    let (rest, ()) = rest.built(1, span)?;
    Ok((rest, Name { text: table_reference(scopes, table), span }))
}
