//! Parses expressions by precedence climbing, with one table of operators.

use nom::Parser;
use nom::combinator::cut;

use super::{
    Expected, ParseResult, TokenKind, Tokens, any_name, begins_named, brackets, comma_list, committed,
    is_bracketed_name, is_end, literal, name, remote, source, symbol, unsupported,
};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::syntax::ast::{
    Argument, BinaryOperator, MembershipOperator, Name, ParsedExpr, ParsedExprKind, Pipeline, Source, SourceKind,
    UnaryOperator,
};
use crate::syntax::mismatch::OPERATOR;

/// Precedence levels, from the loosest to the tightest, as in the reference and in Kusto's own grammar. Note that
/// string operators bind more tightly than arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::syntax) enum Level {
    Or,
    And,
    Equality,
    Relation,
    Sum,
    Product,
    Text,
    /// A sign and its operand.
    Sign,
    /// A member or element access and its base.
    Path,
}

impl Level {
    /// Returns the level of a binary operator.
    pub(in crate::syntax) fn of(operator: BinaryOperator) -> Self {
        use BinaryOperator as B;
        match operator {
            B::Or => Self::Or,
            B::And => Self::And,
            B::Equal | B::NotEqual => Self::Equality,
            B::Less | B::LessOrEqual | B::Greater | B::GreaterOrEqual => Self::Relation,
            B::Add | B::Subtract => Self::Sum,
            B::Multiply | B::Divide | B::Modulo => Self::Product,
            _ => Self::Text,
        }
    }

    /// Returns the level of an expression.
    pub(in crate::syntax) fn of_expr(expr: &ParsedExpr) -> Self {
        match &expr.kind {
            ParsedExprKind::Binary { operator, .. } => Self::of(*operator),
            ParsedExprKind::Membership { .. } | ParsedExprKind::Between { .. } => Self::Equality,
            ParsedExprKind::Unary { .. } => Self::Sign,
            ParsedExprKind::Pipeline(_) => Self::Or,
            _ => Self::Path,
        }
    }

    /// True if `a op b op c` means `(a op b) op c`; at other levels it is a mistake.
    pub(in crate::syntax) fn chains(self) -> bool {
        matches!(self, Self::Or | Self::And | Self::Sum | Self::Product)
    }

    /// True if `a op (b op c)` equals `(a op b) op c` for all values.
    pub(in crate::syntax) fn is_associative(self) -> bool {
        matches!(self, Self::Or | Self::And)
    }

    /// Returns the next tighter level.
    pub(in crate::syntax) fn tighter(self) -> Self {
        match self {
            Self::Or => Self::And,
            Self::And => Self::Equality,
            Self::Equality => Self::Relation,
            Self::Relation => Self::Sum,
            Self::Sum => Self::Product,
            Self::Product => Self::Text,
            Self::Text => Self::Sign,
            Self::Sign | Self::Path => Self::Path,
        }
    }
}

/// An operator that follows a value.
#[derive(Clone, Copy)]
pub(super) enum Infix {
    Binary(BinaryOperator),
    Membership(MembershipOperator),
    Between { negated: bool },
}

impl Infix {
    fn level(self) -> Level {
        match self {
            Self::Binary(operator) => Level::of(operator),
            Self::Membership(_) | Self::Between { .. } => Level::Equality,
        }
    }
}

/// Parses an expression. If it is missing, the message says that `expected` was expected.
pub(in crate::syntax) fn expression<'a>(expected: &'static str) -> impl Fn(Tokens<'a>) -> ParseResult<'a, ParsedExpr> {
    move |input| {
        let (rest, value) = climb(input.begun(), expected, Level::Or)?;
        match rest.peek() {
            token if token.is_symbol("=") => {
                let message = "`=` assigns a name; use `==` to compare";
                rest.refuse(Diagnostic::new(Code::UnexpectedToken, token.span, message))
            }
            token if infix_at(&rest).is_some() => {
                let message = format!("{} cannot follow another comparison", token.describe());
                let help = "put the first one in parentheses";
                rest.refuse(Diagnostic::new(Code::UnexpectedToken, token.span, message).help(help))
            }
            _ => unsupported::infix(rest).map(|(rest, ())| (rest, value)),
        }
    }
}

/// Parses an expression that ends before a comparison, such as the axis of `make-series` before `in range(...)`.
pub(super) fn relation<'a>(expected: &'static str) -> impl Fn(Tokens<'a>) -> ParseResult<'a, ParsedExpr> {
    move |input| climb(input.begun(), expected, Level::Relation)
}

/// Parses an expression, or a table with operators, as in `toscalar(T | count)`.
pub(super) fn expression_or_pipeline<'a>(expected: &'static str) -> impl Fn(Tokens<'a>) -> ParseResult<'a, ParsedExpr> {
    move |input| {
        if source::begins_source(&input) {
            let (rest, pipeline) = source::pipeline(input)?;
            return Ok((rest, pipeline_expr(pipeline)));
        }
        let (rest, value) = expression(expected)(input)?;
        if !rest.peek().is_symbol("|") {
            return Ok((rest, value));
        }
        let (rest, source) = source::from_expr(rest, value)?;
        let (rest, pipeline) = source::operators(rest, source)?;
        Ok((rest, pipeline_expr(pipeline)))
    }
}

/// True if the value is a table with operators; a comma after it belongs to the pipeline.
fn is_pipeline(value: &ParsedExpr) -> bool {
    matches!(&value.kind, ParsedExprKind::Pipeline(pipeline) if !matches!(pipeline.source.kind, SourceKind::Remote(_)))
}

/// True if the value is a `datatable` or `externaldata` without operators: its own end is clear.
fn is_literal_table(value: &ParsedExpr) -> bool {
    matches!(&value.kind, ParsedExprKind::Pipeline(pipeline) if pipeline.operators.is_empty()
        && matches!(pipeline.source.kind, SourceKind::Datatable { .. } | SourceKind::External(_)))
}

fn pipeline_expr(pipeline: Pipeline) -> ParsedExpr {
    ParsedExpr { span: pipeline.span, kind: ParsedExprKind::Pipeline(Box::new(pipeline)) }
}

/// Parses a value and every following operator that binds at least as tightly as `loosest`.
fn climb<'a>(input: Tokens<'a>, expected: &'static str, loosest: Level) -> ParseResult<'a, ParsedExpr> {
    let (mut rest, mut left) = match begins_star(&input).filter(|level| *level >= loosest) {
        Some(_) => all_columns(input)?,
        None => unary(input, expected)?,
    };
    // After `a + b`, operators of the same or a looser level may follow, after `a == b` only looser ones.
    let mut last = None;
    while let Some((infix, length)) = infix_at(&rest) {
        let level = infix.level();
        let fits = last.is_none_or(|last| level < last || level == last && level.chains());
        if level < loosest || !fits {
            break;
        }
        last = Some(level);
        (rest, left) = match infix {
            Infix::Binary(operator @ (BinaryOperator::And | BinaryOperator::Or)) => junction(rest, left, operator)?,
            Infix::Binary(operator) => binary(rest, left, operator, length)?,
            Infix::Membership(operator) => membership(rest, left, operator)?,
            Infix::Between { negated } => between(rest, left, negated)?,
        };
    }
    rest.note(OPERATOR);
    Ok((rest, left))
}

/// Returns the level of the operator after a `*` that stands for all columns: a string operator, or `==`. Returns
/// None if no such `*` begins here.
pub(super) fn begins_star(input: &Tokens<'_>) -> Option<Level> {
    let after = input.advance(1);
    match input.peek().is_symbol("*") {
        true if text_operator(&after) => Some(Level::Text),
        true if after.peek().is_symbol("==") => Some(Level::Equality),
        _ => None,
    }
}

/// True if a string operator begins here.
fn text_operator(input: &Tokens<'_>) -> bool {
    infix_at(input).is_some_and(|(infix, _)| infix.level() == Level::Text)
}

/// Parses a `*` before an operator.
fn all_columns(input: Tokens<'_>) -> ParseResult<'_, ParsedExpr> {
    let span = input.span();
    let (rest, ()) = input.advance(1).built(1, span)?;
    Ok((rest, ParsedExpr { kind: ParsedExprKind::Star, span }))
}

/// Returns the operator that begins here, and the number of its tokens; None if there is none.
pub(super) fn infix_at(input: &Tokens<'_>) -> Option<(Infix, usize)> {
    let token = input.peek();
    if !matches!(token.kind, TokenKind::Word | TokenKind::Symbol) {
        return None;
    }
    if token.is_word("matches") && input.peek_at(1).is_word("regex") {
        return Some((Infix::Binary(BinaryOperator::MatchesRegex), 2));
    }
    if token.is_word("between") || token.is_word("!between") {
        return Some((Infix::Between { negated: token.text != "between" }, 1));
    }
    let membership = || MembershipOperator::SPELLINGS.iter().find(|(text, _)| *text == token.text);
    match BinaryOperator::SPELLINGS.iter().find(|(text, _)| *text == token.text) {
        Some((_, operator)) => Some((Infix::Binary(*operator), 1)),
        None => membership().map(|(_, operator)| (Infix::Membership(*operator), 1)),
    }
}

/// Parses the right operand of an operator of `level`.
fn right_operand(input: Tokens<'_>, level: Level) -> ParseResult<'_, ParsedExpr> {
    committed(climb(input, "a value", level.tighter()))
}

fn binary(input: Tokens<'_>, left: ParsedExpr, operator: BinaryOperator, length: usize) -> ParseResult<'_, ParsedExpr> {
    let left_height = input.height();
    let operator_span = input.advance(length).span_since(input.span());
    let (rest, right) = right_operand(input.advance(length), Level::of(operator))?;
    let (rest, ()) = rest.built(left_height.max(rest.height()) + 1, operator_span)?;
    Ok((rest, join(operator, operator_span, left, right)))
}

fn join(operator: BinaryOperator, operator_span: Span, left: ParsedExpr, right: ParsedExpr) -> ParsedExpr {
    let span = left.span.to(right.span);
    let (left, right) = (Box::new(left), Box::new(right));
    ParsedExpr { kind: ParsedExprKind::Binary { operator, operator_span, left, right }, span }
}

/// Parses the rest of `a and b and c ...` or `a or b or c ...`, after the first operand. Generated queries have
/// thousands of operands, and both operators are associative, so the tree is made balanced: its height is
/// logarithmic.
fn junction(input: Tokens<'_>, first: ParsedExpr, operator: BinaryOperator) -> ParseResult<'_, ParsedExpr> {
    let (mut rest, mut height) = (input, input.height());
    let (mut operands, mut operators) = (vec![Some(first)], Vec::new());
    while rest.peek().is_word(operator.symbol()) {
        operators.push(rest.span());
        let (after, operand) = right_operand(rest.advance(1), Level::of(operator))?;
        operands.push(Some(operand));
        height = height.max(after.height());
        rest = after;
    }
    let (rest, ()) = rest.built(height + operators.len().ilog2() + 1, input.span())?;
    Ok((rest, balanced(operator, &mut operands, &operators)))
}

fn balanced(operator: BinaryOperator, operands: &mut [Option<ParsedExpr>], operators: &[Span]) -> ParsedExpr {
    if let [operand] = operands {
        return operand.take().expect("each operand is taken once");
    }
    // There is one more operand than operators; the operator in the middle joins the halves.
    let middle = operators.len() / 2;
    let (left, right) = operands.split_at_mut(middle + 1);
    let left = balanced(operator, left, &operators[..middle]);
    let right = balanced(operator, right, &operators[middle + 1..]);
    join(operator, operators[middle], left, right)
}

/// Parses the rest of `a in (b, c)`, `a in (T | project b)` and similar, after the left operand.
fn membership(input: Tokens<'_>, left: ParsedExpr, operator: MembershipOperator) -> ParseResult<'_, ParsedExpr> {
    let (left_height, operator_span) = (input.height(), input.span());
    let (rest, list) = committed(brackets("(", membership_list, ")")(input.advance(1)))?;
    let (rest, ()) = rest.built(left_height.max(rest.height()) + 1, operator_span)?;
    let span = rest.span_since(left.span);
    let left = Box::new(left);
    Ok((rest, ParsedExpr { kind: ParsedExprKind::Membership { operator, operator_span, left, list }, span }))
}

/// Parses a table with operators, or a list of values.
fn membership_list(input: Tokens<'_>) -> ParseResult<'_, Vec<ParsedExpr>> {
    let (rest, first) = expression_or_pipeline("a value")(input)?;
    if is_pipeline(&first) || !rest.peek().is_symbol(",") {
        return Ok((rest, vec![first]));
    }
    let (rest, more) = committed(comma_list(expression("a value"))(rest.advance(1)))?;
    Ok((rest, std::iter::once(first).chain(more).collect()))
}

/// Parses the rest of `a between (low .. high)`, after the operand.
fn between(input: Tokens<'_>, operand: ParsedExpr, negated: bool) -> ParseResult<'_, ParsedExpr> {
    let (left_height, operator_span) = (input.height(), input.span());
    let (rest, (low, high)) = committed(brackets("(", bounds, ")")(input.advance(1)))?;
    let (rest, ()) = rest.built(left_height.max(rest.height()) + 1, operator_span)?;
    let span = rest.span_since(operand.span);
    let (operand, low, high) = (Box::new(operand), Box::new(low), Box::new(high));
    Ok((rest, ParsedExpr { kind: ParsedExprKind::Between { negated, operator_span, operand, low, high }, span }))
}

/// Parses `low .. high`.
fn bounds(input: Tokens<'_>) -> ParseResult<'_, (ParsedExpr, ParsedExpr)> {
    (expression("a value"), symbol(".."), expression("a value")).map(|(low, _, high)| (low, high)).parse(input)
}

/// Parses an operand with an optional sign.
fn unary<'a>(input: Tokens<'a>, expected: &'static str) -> ParseResult<'a, ParsedExpr> {
    let token = input.peek();
    let operator = match token.text {
        "-" if token.kind == TokenKind::Symbol => UnaryOperator::Minus,
        "+" if token.kind == TokenKind::Symbol => UnaryOperator::Plus,
        _ => return path(input, expected),
    };
    if let Some(smallest) = literal::smallest_long(&input) {
        let (rest, ()) = input.advance(2).built(1, token.span)?;
        return Ok((rest, super::literal_expr(smallest, rest.span_since(token.span))));
    }
    let (rest, operand) = committed(path(input.advance(1), "a value"))?;
    let (rest, ()) = rest.built(rest.height() + 1, token.span)?;
    let span = token.span.to(operand.span);
    Ok((rest, ParsedExpr { kind: ParsedExprKind::Unary { operator, operand: Box::new(operand) }, span }))
}

/// Parses a value, and the accesses to members and elements after it: `a.b[0]['c']`.
pub(super) fn path<'a>(input: Tokens<'a>, expected: &'static str) -> ParseResult<'a, ParsedExpr> {
    let (mut rest, mut base) = primary(input, expected)?;
    loop {
        let height = rest.height();
        let step = rest.peek();
        let (after, kind) = match step.text {
            "." if step.kind == TokenKind::Symbol => member(rest.advance(1), base)?,
            "[" if step.kind == TokenKind::Symbol => index(rest, base)?,
            _ => return Ok((rest, base)),
        };
        (rest, ()) = after.built(height.max(after.height()) + 1, step.span)?;
        base = ParsedExpr { kind, span: rest.span_since(input.span()) };
    }
}

/// Parses what follows the dot of an access: a name, or `[index]`, before which the dot has no meaning.
fn member(input: Tokens<'_>, base: ParsedExpr) -> ParseResult<'_, ParsedExprKind> {
    if input.peek().is_symbol("[") && !is_bracketed_name(&input) {
        return index(input, base);
    }
    let (rest, name) = cut(any_name("a name")).parse(input)?;
    if rest.peek().is_symbol("(") {
        return unsupported::other_database(rest, name.span);
    }
    Ok((rest, ParsedExprKind::Member { base: Box::new(base), name }))
}

/// Parses the index of an access, with its brackets.
fn index(input: Tokens<'_>, base: ParsedExpr) -> ParseResult<'_, ParsedExprKind> {
    let (rest, index) = brackets("[", expression("a value"), "]")(input)?;
    Ok((rest, ParsedExprKind::Index { base: Box::new(base), index: Box::new(index) }))
}

/// Parses a literal, a name, a call, or anything in parentheses.
fn primary<'a>(input: Tokens<'a>, expected: &'static str) -> ParseResult<'a, ParsedExpr> {
    let token = input.peek();
    if literal::begins_literal(token) {
        let (rest, value) = literal::literal(input)?;
        let (rest, ()) = rest.built(rest.height().max(1), token.span)?;
        return Ok((rest, value));
    }
    match token {
        _ if token.is_symbol("(") => parenthesised(input),
        _ if remote::begins_remote_table(&input) => {
            let (rest, table) = remote::remote_table(input)?;
            let (kind, span) = (SourceKind::Remote(table), rest.span_since(input.span()));
            Ok((rest, pipeline_expr(Pipeline { source: Source { kind, span }, operators: Vec::new(), span })))
        }
        _ if token.is_name() && input.peek_at(1).is_symbol("(") => call(input),
        _ if is_bracketed_name(&input) && input.peek_after_brackets().is_symbol("(") => call(input),
        _ if token.is_name() || is_bracketed_name(&input) => {
            let (rest, name) = name(expected)(input)?;
            let (rest, ()) = rest.built(1, name.span)?;
            Ok((rest, ParsedExpr { span: name.span, kind: ParsedExprKind::Name(name) }))
        }
        _ => input.mismatch(Expected::Kind(expected)),
    }
}

/// Parses `(value)` or `(T | count)`.
fn parenthesised(input: Tokens<'_>) -> ParseResult<'_, ParsedExpr> {
    let (rest, inner) = brackets("(", expression_or_pipeline("a value"), ")")(input)?;
    let span = rest.span_since(input.span());
    Ok((rest, ParsedExpr { kind: ParsedExprKind::Parenthesised(Box::new(inner)), span }))
}

/// Parses `function(argument, ...)`.
fn call(input: Tokens<'_>) -> ParseResult<'_, ParsedExpr> {
    let (rest, function): (_, Name) = name("a function")(input)?;
    // dynamic is the only type whose name begins a literal.
    let word = rest.peek_at(1);
    if input.peek().is_word("typeof") && word.is_word("dynamic") && rest.peek_at(2).is_symbol(")") {
        let ty = Name { text: word.text.to_owned(), span: word.span };
        let value = ParsedExpr { span: ty.span, kind: ParsedExprKind::Name(ty) };
        let (rest, span) = (rest.advance(3), rest.advance(3).span_since(function.span));
        return Ok((
            rest,
            ParsedExpr {
                kind: ParsedExprKind::Call { function, arguments: vec![Argument { name: None, value }] },
                span,
            },
        ));
    }
    let (rest, arguments) = brackets("(", arguments, ")")(rest)?;
    let span = rest.span_since(function.span);
    Ok((rest, ParsedExpr { kind: ParsedExprKind::Call { function, arguments }, span }))
}

/// Parses the arguments of a call: a list of them, or a single table with operators.
pub(super) fn arguments(input: Tokens<'_>) -> ParseResult<'_, Vec<Argument>> {
    let token = input.peek();
    if token.is_symbol(")") {
        return Ok((input, Vec::new()));
    }
    if token.is_symbol("*") || begins_named(&input) {
        return comma_list(argument)(input);
    }
    let (rest, value) = expression_or_pipeline("a value")(input)?;
    let first = Argument { name: None, value };
    if (is_pipeline(&first.value) && !is_literal_table(&first.value)) || !rest.peek().is_symbol(",") {
        return Ok((rest, vec![first]));
    }
    let (rest, more) = committed(comma_list(argument)(rest.advance(1)))?;
    Ok((rest, std::iter::once(first).chain(more).collect()))
}

/// Parses an argument: `*`, `name = value`, or a value.
fn argument(input: Tokens<'_>) -> ParseResult<'_, Argument> {
    let token = input.peek();
    if token.is_symbol("*") && is_end(input.peek_at(1)) {
        let (rest, ()) = input.advance(1).built(1, token.span)?;
        return Ok((rest, Argument { name: None, value: ParsedExpr { kind: ParsedExprKind::Star, span: token.span } }));
    }
    if begins_named(&input) {
        let (rest, name) = any_name("a name")(input)?;
        let (rest, value) = cut(expression_or_literal_table).parse(rest.advance(1))?;
        return Ok((rest, Argument { name: Some(name), value }));
    }
    let (rest, value) = expression_or_literal_table(input)?;
    Ok((rest, Argument { name: None, value }))
}

/// Parses an expression; a `datatable` or `externaldata` may be written without parentheses.
fn expression_or_literal_table(input: Tokens<'_>) -> ParseResult<'_, ParsedExpr> {
    if !source::begins_literal_table(&input) {
        return expression("a value")(input);
    }
    let (rest, source) = source::source(input)?;
    let span = source.span;
    Ok((rest, pipeline_expr(Pipeline { source, operators: Vec::new(), span })))
}
