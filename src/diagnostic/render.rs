//! A diagnostic and the text of the query -> an excerpt with the words underlined, as plain text, coloured or JSON.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde_json::json;

use super::{Diagnostic, Severity, Sources};

/// How messages look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Plain text.
    Plain,
    /// With terminal colours.
    Coloured,
}

/// `diagnostic` with the lines that it is about.
#[must_use]
pub fn render(diagnostic: &Diagnostic, sources: &Sources, style: Style) -> String {
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
    for number in numbers {
        let source = sources.get(number);
        let labels = diagnostic.labels.iter().filter(|label| sources.number(label.span) == number);
        let labels =
            labels.map(|label| AnnotationKind::Context.span(source.visible(label.span)).label(label.message.as_str()));
        let mut snippet = Snippet::source(&*source.text).path(source.origin.as_str());
        if number == first {
            let primary = AnnotationKind::Primary.span(source.visible(diagnostic.span));
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

/// `diagnostic` as one JSON object: code, severity, message, file, line and column (from 1, in characters), the words,
/// help.
#[must_use]
pub fn render_json(diagnostic: &Diagnostic, sources: &Sources) -> String {
    let source = sources.get(sources.number(diagnostic.span));
    let range = source.visible(diagnostic.span);
    let (line, column) = line_and_column(&source.text, range.start);
    json!({
        "code": diagnostic.code.info().id,
        "severity": match diagnostic.severity() {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        "message": diagnostic.message,
        "file": source.origin,
        "line": line,
        "column": column,
        "text": &source.text[range],
        "help": diagnostic.help,
    })
    .to_string()
}

/// `diagnostic` on one line: file, line, column and message.
#[must_use]
pub fn render_line(diagnostic: &Diagnostic, sources: &Sources) -> String {
    let source = sources.get(sources.number(diagnostic.span));
    let (line, column) = line_and_column(&source.text, source.visible(diagnostic.span).start);
    format!("{}:{line}:{column}: {diagnostic}", source.origin)
}

/// From 1, in characters.
fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..at];
    (before.matches('\n').count() + 1, before.rsplit('\n').next().unwrap_or("").chars().count() + 1)
}
