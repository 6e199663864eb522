//! A diagnostic and the text of the query -> an excerpt with the words underlined.

use super::Diagnostic;

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
pub fn render(diagnostic: &Diagnostic, text: &str, origin: &str, _style: Style) -> String {
    format!("{origin}: {diagnostic}: {}", diagnostic.span.text(text))
}

/// `diagnostic` as one JSON object.
#[must_use]
pub fn render_json(diagnostic: &Diagnostic, _text: &str, _origin: &str) -> String {
    diagnostic.to_string()
}
