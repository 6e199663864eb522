//! Lays out statements and pipelines.

use std::ops::Range;

use super::Formatter;
use super::layout::Document;

impl<'a> Formatter<'a> {
    /// Lays out the whole query.
    pub(super) fn query(&self) -> Document<'a> {
        let end = self.tokens.len() - 1;
        let begin = Document::Line { empty: self.gaps[0].ends_empty };
        Document::Sequence(vec![self.comments(0, true), begin, self.statements(0..end), self.comments(end, true)])
    }

    /// Lays out statements, each on a line of its own. One empty line between them is kept.
    pub(super) fn statements(&self, range: Range<usize>) -> Document<'a> {
        let mut documents = Vec::new();
        for part in self.split(range.clone(), |token| token.is_symbol(";")) {
            if part.is_empty() {
                continue;
            }
            if part.start > range.start {
                documents.push(self.comments(part.start, true));
                documents.push(Document::Line { empty: self.gaps[part.start].ends_empty });
            }
            documents.push(self.statement(part.clone()));
            if part.end < range.end {
                documents.push(self.token(part.end));
            }
        }
        Document::Sequence(documents)
    }

    fn statement(&self, range: Range<usize>) -> Document<'a> {
        let assigns = self.tokens[range.start].is_word("let");
        let value = assigns.then(|| self.split(range.clone(), |token| token.is_symbol("="))[0].end + 1);
        let Some(value) = value.filter(|value| *value < range.end) else { return self.pipeline(range, true) };
        let name = self.sequence(range.start..value);
        if self.contains(value..range.end, "|") {
            let pipeline = vec![self.before(value, Document::line()), self.pipeline(value..range.end, true)];
            return Document::Sequence(vec![name, Document::indented(Document::Sequence(pipeline))]);
        }
        let space = self.before_indented(value, Document::Text(" "));
        Document::Sequence(vec![name, space, self.operator(value..range.end, false)])
    }

    /// Lays out a source and its operators, each on a line of its own. With only one operator, they are on one line
    /// if that fits and `is_broken` is false.
    pub(super) fn pipeline(&self, range: Range<usize>, is_broken: bool) -> Document<'a> {
        let parts = self.split(range, |token| token.is_symbol("|"));
        let separator = if is_broken || parts.len() > 2 { Document::line() } else { Document::Space };
        let mut documents = Vec::new();
        for (number, part) in parts.into_iter().enumerate() {
            if number == 0 {
                documents.push(self.operator(part, false));
                continue;
            }
            let bar = part.start - 1;
            documents.push(self.before(bar, separator.clone()));
            documents.push(self.token(bar));
            documents.push(self.before_indented(part.start, Document::Text(" ")));
            documents.push(self.operator(part, true));
        }
        Document::Sequence(documents)
    }
}
