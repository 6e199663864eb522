//! A diagnostic and the text of the query -> an excerpt with the words underlined, as plain text, coloured or JSON.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde_json::json;

use super::{Diagnostic, Severity, Span};

/// How messages look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Plain text.
    Plain,
    /// With terminal colours.
    Coloured,
}

/// `diagnostic` with the line of `text` that it is about; `origin` names where the text came from.
#[must_use]
pub fn render(diagnostic: &Diagnostic, text: &str, origin: &str, style: Style) -> String {
    let level = match diagnostic.severity() {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut primary = AnnotationKind::Primary.span(visible(diagnostic.span, text));
    if let Some(note) = &diagnostic.note_at_span {
        primary = primary.label(note.as_str());
    }
    let labels = diagnostic
        .labels
        .iter()
        .map(|label| AnnotationKind::Context.span(visible(label.span, text)).label(label.message.as_str()));
    let snippet = Snippet::source(text).path(origin).annotation(primary).annotations(labels);
    let title = level.primary_title(diagnostic.message.as_str()).id(diagnostic.code.info().id);
    let mut group: Group<'_> = title.element(snippet);
    for help in &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    let renderer = match style {
        Style::Plain => Renderer::plain(),
        Style::Coloured => Renderer::styled(),
    };
    renderer.decor_style(DecorStyle::Ascii).render(&[group])
}

/// The span as a range of whole characters inside `text`.
fn visible(span: Span, text: &str) -> std::ops::Range<usize> {
    let inside = |at: u32| {
        let mut at = (at as usize).min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    inside(span.start)..inside(span.end).max(inside(span.start))
}

/// `diagnostic` as one JSON object: code, severity, message, line and column (from 1, in characters), the words, help.
#[must_use]
pub fn render_json(diagnostic: &Diagnostic, text: &str, origin: &str) -> String {
    let range = visible(diagnostic.span, text);
    let before = &text[..range.start];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    json!({
        "code": diagnostic.code.info().id,
        "severity": match diagnostic.severity() {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        "message": diagnostic.message,
        "file": origin,
        "line": line,
        "column": column,
        "text": &text[range],
        "help": diagnostic.help,
    })
    .to_string()
}
