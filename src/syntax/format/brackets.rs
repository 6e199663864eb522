//! Lays out lists, chains of conditions, and the content of brackets.

use std::ops::Range;

use super::super::token::TokenKind;
use super::Formatter;
use super::layout::Document;

impl<'a> Formatter<'a> {
    /// Lays out items that commas separate. If `is_hanging`, the lines after the first are indented.
    pub(super) fn list(&self, range: Range<usize>, is_hanging: bool) -> Document<'a> {
        let items = self.split(range.clone(), |token| token.is_symbol(","));
        let (mut first, mut more) = (Document::nothing(), Vec::new());
        for item in items.into_iter().filter(|item| !item.is_empty()) {
            let comma = if item.end < range.end { self.token(item.end) } else { Document::nothing() };
            let document = Document::Sequence(vec![self.chain(item.clone(), "or", true), comma]);
            if item.start == range.start {
                first = document;
            } else {
                more.extend([self.before(item.start, Document::Space), document]);
            }
        }
        let more = Document::Sequence(more);
        Document::Sequence(vec![first, if is_hanging { Document::indented(more) } else { more }])
    }

    /// Lays out `a or b and c`: if the operands do not fit on one line, each gets its own.
    fn chain(&self, range: Range<usize>, word: &'static str, is_hanging: bool) -> Document<'a> {
        let parts = self.split(range.clone(), |token| token.is_word(word));
        let operand = |part: Range<usize>, is_hanging| match word {
            "or" => self.chain(part, "and", is_hanging),
            _ => self.sequence(part),
        };
        if parts.len() == 1 {
            return operand(range, is_hanging);
        }
        let (mut documents, mut more) = (Vec::new(), Vec::new());
        for (number, part) in parts.into_iter().enumerate() {
            if number == 0 {
                documents.push(operand(part, true));
                continue;
            }
            let operator = part.start - 1;
            more.extend([self.before(operator, Document::Space), self.token(operator)]);
            more.extend([self.before_indented(part.start, Document::Text(" ")), operand(part, true)]);
        }
        let more = Document::Sequence(more);
        documents.push(if is_hanging { Document::indented(more) } else { more });
        Document::group(documents)
    }

    /// Lays out tokens, and the content of the brackets among them.
    pub(super) fn sequence(&self, range: Range<usize>) -> Document<'a> {
        let (mut documents, mut at) = (Vec::new(), range.start);
        while at < range.end {
            if at > range.start {
                let space = if self.is_spaced(at) { Document::Text(" ") } else { Document::nothing() };
                documents.push(self.before_indented(at, space));
            }
            documents.push(if self.closing[at] > at { self.brackets(at) } else { self.token(at) });
            at = self.closing[at] + 1;
        }
        Document::Sequence(documents)
    }

    /// Lays out the bracket `open`, its content, and the closing bracket.
    fn brackets(&self, open: usize) -> Document<'a> {
        let close = self.closing[open];
        let edge = if self.is_block(open) { Document::Space } else { Document::Soft };
        let mut documents = vec![self.token(open)];
        if close > open + 1 {
            let inside = vec![self.before(open + 1, edge.clone()), self.content(open + 1..close)];
            documents.push(Document::indented(Document::Sequence(inside)));
        }
        match self.gaps[close].comments.is_empty() {
            true if close == open + 1 => {}
            true => documents.push(edge),
            false => documents.extend([Document::indented(self.comments(close, false)), Document::line()]),
        }
        documents.push(self.token(close));
        Document::group(documents)
    }

    /// True for the braces of a function or a subquery, false for the braces of a bag.
    fn is_block(&self, open: usize) -> bool {
        let is_value = |index: usize| ["(", "[", ",", ":"].iter().any(|symbol| self.tokens[index].is_symbol(symbol));
        self.tokens[open].is_symbol("{") && open.checked_sub(1).is_some_and(|before| !is_value(before))
    }

    fn content(&self, range: Range<usize>) -> Document<'a> {
        if self.contains(range.clone(), ";") {
            return self.statements(range);
        }
        if self.contains(range.clone(), "|") {
            return self.pipeline(range, false);
        }
        if !self.contains(range.clone(), ",") {
            let is_operator = self.is_keyword(range.start);
            return if is_operator { self.operator(range, false) } else { self.chain(range, "or", false) };
        }
        if self.is_datatable(range.start - 1) {
            return self.table_rows(range);
        }
        if self.is_list_of_literals(range.clone()) {
            return Document::Fill(self.cells(range));
        }
        if self.is_keyword(range.start) { self.operator(range, false) } else { self.list(range, false) }
    }

    /// True if `range` has only literals and commas, and no comments.
    fn is_list_of_literals(&self, range: Range<usize>) -> bool {
        range.clone().all(|index| {
            let token = &self.tokens[index];
            let is_comma = token.is_symbol(",");
            let is_literal = !matches!(token.kind, TokenKind::Symbol | TokenKind::Word);
            (is_comma || is_literal) && (index == range.start || self.gaps[index].comments.is_empty())
        })
    }

    /// Lays out the items of a list, each with the comma after it.
    fn cells(&self, range: Range<usize>) -> Vec<Document<'a>> {
        let items = self.split(range.clone(), |token| token.is_symbol(","));
        let cell = |item: Range<usize>| {
            let comma = if item.end < range.end { self.token(item.end) } else { Document::nothing() };
            Document::Sequence(vec![self.sequence(item), comma])
        };
        items.into_iter().filter(|item| !item.is_empty()).map(cell).collect()
    }

    /// Lays out the cells of a `datatable`, with one row on each line.
    fn table_rows(&self, range: Range<usize>) -> Document<'a> {
        let columns = self.opening[range.start - 2] + 1..range.start - 2;
        let declared = self.split(columns, |token| token.is_symbol(","));
        let width = declared.iter().filter(|column| !column.is_empty()).count().max(1);
        let items = self.split(range.clone(), |token| token.is_symbol(","));
        let starts = items.iter().map(|item| item.start);
        let mut documents = Vec::new();
        for (number, (start, cell)) in starts.zip(self.cells(range.clone())).enumerate() {
            if number > 0 {
                let separator = if number % width == 0 { Document::line() } else { Document::Text(" ") };
                documents.push(self.before(start, separator));
            }
            documents.push(cell);
        }
        Document::Sequence(documents)
    }
}
