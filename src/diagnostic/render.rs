//! Renders a diagnostic in three forms: as an excerpt of the query with the words underlined (plain or coloured), as
//! one line, or as JSON.

use std::borrow::Cow;
use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
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
    let excerpts: Vec<(usize, Excerpt<'_>)> =
        numbers.into_iter().map(|number| (number, Excerpt::of(sources.get(number)))).collect();
    for (number, excerpt) in &excerpts {
        let labels = diagnostic.labels.iter().filter(|label| sources.number(label.span) == *number);
        let labels =
            labels.map(|label| AnnotationKind::Context.span(excerpt.range(label.span)).label(label.message.as_str()));
        let mut snippet = Snippet::source(&*excerpt.text).path(&*excerpt.origin);
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

/// A source text in which unsafe characters are escaped, and to which spans are translated.
struct Excerpt<'a> {
    source: &'a SourceText,
    text: Cow<'a, str>,
    origin: Cow<'a, str>,
}

impl<'a> Excerpt<'a> {
    fn of(source: &'a SourceText) -> Self {
        Self { source, text: visible_lines(&source.text), origin: visible(&source.origin) }
    }

    /// Translates `span` into a byte range of the shown text, in which escapes are longer than the characters that they
    /// replace.
    fn range(&self, span: Span) -> Range<usize> {
        let Range { start, end } = self.source.visible(span);
        match self.text {
            Cow::Borrowed(_) => start..end,
            Cow::Owned(_) => {
                let shown = |at: usize| visible_lines(&self.source.text[..at]).len();
                shown(start)..shown(end)
            }
        }
    }
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
