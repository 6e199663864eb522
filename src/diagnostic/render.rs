//! Renders a diagnostic in three forms: as an excerpt of the query with the words underlined (plain or coloured), as
//! one line, or as JSON.

use std::borrow::Cow;
use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde_json::json;

use super::sources::SourceText;
use super::{Diagnostic, Label, Region, Severity, Sources, Span, visible, visible_json, visible_lines};

/// How messages are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Without colours.
    Plain,
    /// With terminal colours.
    Coloured,
}

/// Renders `diagnostic` with the lines of the query that it is about. Unsafe characters are escaped, so that only
/// `style` adds escape sequences for the terminal.
#[must_use]
pub fn render(diagnostic: &Diagnostic, sources: &Sources, style: Style) -> String {
    let diagnostic = &shown(diagnostic);
    let level = match diagnostic.severity() {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(diagnostic.message.as_str()).id(diagnostic.code.info().id);
    let mut group = Group::with_title(title);
    let first = sources.number(diagnostic.span);
    let mut numbers = vec![first];
    for number in diagnostic.labels.iter().map(|label| sources.number(label.span)) {
        if !numbers.contains(&number) {
            numbers.push(number);
        }
    }
    let spans = || diagnostic.labels.iter().map(|label| label.span).chain([diagnostic.span]);
    let excerpt = |number: usize| {
        let source = sources.get(number);
        let ranges = spans().filter(|span| sources.number(*span) == number).map(|span| source.visible(span));
        (number, Excerpt::of(source, ranges))
    };
    let excerpts: Vec<(usize, Excerpt<'_>)> = numbers.into_iter().map(excerpt).collect();
    for (number, excerpt) in &excerpts {
        let labels = diagnostic.labels.iter().filter(|label| sources.number(label.span) == *number);
        let labels =
            labels.map(|label| AnnotationKind::Context.span(excerpt.range(label.span)).label(label.message.as_str()));
        let mut snippet = Snippet::source(&*excerpt.text).line_start(excerpt.line);
        if excerpt.is_in_line {
            // The renderer would count the column from the start of the excerpt.
            let span = spans().find(|span| sources.number(*span) == *number).unwrap_or(diagnostic.span);
            let Region { line, column, .. } = sources.region(if *number == first { diagnostic.span } else { span });
            group = group.element(Origin::path(&*excerpt.origin).line(line).char_column(column));
        } else {
            snippet = snippet.path(&*excerpt.origin);
        }
        if *number == first {
            let primary = AnnotationKind::Primary.span(excerpt.range(diagnostic.span));
            snippet = snippet.annotation(match &diagnostic.note_at_span {
                Some(note) => primary.label(note.as_str()),
                None => primary,
            });
        }
        group = group.element(snippet.annotations(labels));
    }
    for help in &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    let renderer = match style {
        Style::Plain => Renderer::plain(),
        Style::Coloured => Renderer::styled(),
    };
    renderer.decor_style(DecorStyle::Ascii).render(&[group])
}

/// Source texts up to this length, in bytes, are given to the renderer as a whole, which looks at all of them.
const MAX_WHOLE: usize = 64 << 10;
/// The maximum number of bytes before and after the spans of an excerpt of a longer text, in the same line. A line is no
/// wider than that in any terminal.
const MARGIN: usize = 2 << 10;

/// The lines of a source text that a diagnostic is about, in which unsafe characters are escaped, and to which spans are
/// translated.
struct Excerpt<'a> {
    source: &'a SourceText,
    /// The offset of the excerpt in the source text.
    offset: usize,
    /// The line in which the excerpt begins, counted from 1.
    line: usize,
    /// True if the excerpt does not begin at the start of its line.
    is_in_line: bool,
    text: Cow<'a, str>,
    origin: Cow<'a, str>,
}

impl<'a> Excerpt<'a> {
    /// The excerpt of `source` with these ranges of bytes.
    fn of(source: &'a SourceText, ranges: impl Iterator<Item = Range<usize>>) -> Self {
        let all = ranges.reduce(|one, other| one.start.min(other.start)..one.end.max(other.end)).unwrap_or(0..0);
        let text = &*source.text;
        let Range { start, end } = if text.len() > MAX_WHOLE { surroundings(text, all) } else { 0..text.len() };
        Self {
            source,
            offset: start,
            line: text[..start].matches('\n').count() + 1,
            is_in_line: start > 0 && !text[..start].ends_with('\n'),
            text: visible_lines(&text[start..end]),
            origin: visible(&source.origin),
        }
    }

    /// Translates `span` into a byte range of the shown text, in which escapes are longer than the characters that they
    /// replace.
    fn range(&self, span: Span) -> Range<usize> {
        let Range { start, end } = self.source.visible(span);
        match self.text {
            Cow::Borrowed(_) => start - self.offset..end - self.offset,
            Cow::Owned(_) => {
                let shown = |at: usize| visible_lines(&self.source.text[self.offset..at]).len();
                shown(start)..shown(end)
            }
        }
    }
}

/// The lines of `text` with the bytes in `range`; of long lines, only the part around it.
fn surroundings(text: &str, range: Range<usize>) -> Range<usize> {
    let line_start = text[..range.start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = text[range.end..].find('\n').map_or(text.len(), |at| range.end + at);
    let start = match range.start - line_start {
        0..=MAX_WHOLE => line_start,
        _ => char_boundary(text, range.start - MARGIN),
    };
    start..char_boundary(text, line_end.min(range.end.saturating_add(MARGIN)))
}

/// The last boundary of characters at `at` or before.
fn char_boundary(text: &str, at: usize) -> usize {
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// Escapes unsafe characters in the messages of `diagnostic`, which quote names from the query and from files.
fn shown(diagnostic: &Diagnostic) -> Diagnostic {
    let label = |label: &Label| Label { span: label.span, message: visible(&label.message).into_owned() };
    Diagnostic {
        code: diagnostic.code,
        span: diagnostic.span,
        message: visible(&diagnostic.message).into_owned(),
        note_at_span: diagnostic.note_at_span.as_deref().map(|note| visible(note).into_owned()),
        labels: diagnostic.labels.iter().map(label).collect(),
        help: diagnostic.help.iter().map(|help| visible(help).into_owned()).collect(),
    }
}

/// Renders `diagnostic` as a JSON object with its code, severity, message, file, line and column (from 1, in
/// characters), the underlined words, and the help.
#[must_use]
pub fn render_json(diagnostic: &Diagnostic, sources: &Sources) -> String {
    let Region { file, line, column, text, .. } = sources.region(diagnostic.span);
    let object = json!({
        "code": diagnostic.code.info().id,
        "severity": match diagnostic.severity() {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        "message": diagnostic.message,
        "file": file,
        "line": line,
        "column": column,
        "text": text,
        "help": diagnostic.help,
    });
    visible_json(&object.to_string()).into_owned()
}

/// Renders `diagnostic` on one line: file, line, column and message.
#[must_use]
pub fn render_line(diagnostic: &Diagnostic, sources: &Sources) -> String {
    let Region { file, line, column, .. } = sources.region(diagnostic.span);
    visible(&format!("{file}:{line}:{column}: {diagnostic}")).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Code;

    fn rendered(text: &str, words: &str) -> String {
        let at = text.find(words).expect("the words");
        let diagnostic = Diagnostic::new(Code::UnknownTable, Span::new(at, at + words.len()), "wrong");
        render(&diagnostic, &Sources::new(text, "q.kql"), Style::Plain)
    }

    #[test]
    fn excerpts_of_long_texts_are_those_of_short_ones() {
        // Escapes before and after the words move them.
        for line in ["SigninLogs | Bad", "a\u{202e}b | Bad\x1b | Bad", "    Bad"] {
            let short = rendered(&format!("{}{line}\ntake 5\n", "count\n".repeat(9)), "Bad");
            let long = rendered(&format!("{}{line}\ntake 5\n{}", "count\n".repeat(9), "count\n".repeat(90_000)), "Bad");
            assert_eq!(short, long);
            let late = rendered(&format!("{}{line}\ntake 5\n", "count\n".repeat(90_009)), "Bad");
            let plain = |text: &str| text.replace("90010", "10").replace([' ', '-'], "");
            assert_eq!(plain(&short), plain(&late));
        }
    }

    #[test]
    fn long_lines_are_cut_around_the_words() {
        let text = format!("print '{}' | Bad '{}'", "é".repeat(5_000_000), "x".repeat(5_000_000));
        let started = std::time::Instant::now();
        let shown = rendered(&text, "Bad");
        assert!(shown.contains("--> q.kql:1:5000012\n") && shown.contains("| Bad"), "{shown}");
        assert!(shown.contains("^^^") && shown.len() < 2_000, "{shown}");
        assert!(started.elapsed().as_secs() < 5, "the whole line was looked at");
    }
}
