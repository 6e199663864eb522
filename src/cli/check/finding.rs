//! Findings about a query, with positions in the file that contains it.

use super::advice::AdviceKind;
use crate::diagnostic::{Code, Diagnostic, Family, Label, Severity, Span, is_misspelt};
use crate::functions::callable_names;
use crate::rules::RuleQuery;
use crate::syntax::{MAX_TEXT, tokens};

/// The plugins whose columns depend on the data, unless the query declares them.
const WITH_COLUMNS_OF_DATA: &[&str] = &["bag_unpack", "pivot"];

/// The verdict on a query, from the best to the worst.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::cli) enum Verdict {
    /// The query runs.
    #[default]
    Valid,
    /// The query needs something that is not supported or not known here.
    Unsupported,
    /// The file cannot be read.
    Unreadable,
    /// The query is wrong.
    Wrong,
}

impl Verdict {
    /// The name in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Unsupported => "unsupported",
            Self::Unreadable => "unreadable",
            Self::Wrong => "wrong",
        }
    }

    /// The exit code.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Valid => 0,
            Self::Unsupported => 4,
            Self::Unreadable => 5,
            Self::Wrong => 3,
        }
    }
}

/// Returns the verdict on a query with these errors; `names` are the known tables.
///
/// A workspace may have tables, functions and watchlists that are not known here. A query that uses them is wrong only
/// if a known name is similar.
pub(in crate::cli) fn verdict(diagnostics: &[Diagnostic], text: &str, names: &[String]) -> Verdict {
    let is_unknown_here = |diagnostic: &Diagnostic| match diagnostic.code {
        Code::UnknownTable => !is_misspelt(diagnostic.span.text(text), names.iter().map(String::as_str)),
        Code::UnknownFunction => !is_misspelt(diagnostic.span.text(text), callable_names()),
        Code::UnknownWatchlist | Code::NothingToRead => true,
        Code::UnknownColumn => has_columns_of_data(text),
        code => code.family() == Family::Unsupported,
    };
    if diagnostics.iter().all(is_unknown_here) { Verdict::Unsupported } else { Verdict::Wrong }
}

/// True if the columns of some table in `text` depend on the data.
fn has_columns_of_data(text: &str) -> bool {
    tokens(text).iter().any(|token| WITH_COLUMNS_OF_DATA.iter().any(|plugin| token.is_word(plugin)))
}

/// A message about a query or a file.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Finding {
    /// The code of a message about a query; None if it is about the file or the rule.
    pub code: Option<Code>,
    /// The kind of a message about a rule.
    pub advice: Option<AdviceKind>,
    /// The message.
    pub message: String,
    /// Advice on how to correct the query.
    pub help: Vec<String>,
    /// The position in the file.
    pub span: Span,
    /// The message with positions in the file, if it is about a query.
    pub diagnostic: Option<Diagnostic>,
}

impl Finding {
    /// A message about a file.
    pub fn of_file(span: Span, message: String) -> Self {
        Self { code: None, advice: None, message, help: Vec::new(), span, diagnostic: None }
    }

    /// A message about a rule, at a position in the file.
    pub fn about_rule(kind: AdviceKind, span: Span, message: String) -> Self {
        Self { advice: Some(kind), ..Self::of_file(span, message) }
    }

    /// A message about a rule, at a position in its query.
    pub fn of_rule(kind: AdviceKind, query: &RuleQuery, span: Span, message: String) -> Self {
        Self::about_rule(kind, in_file(span, query), message)
    }

    /// The identifier of the kind of message; None if it is about the file.
    pub fn id(&self) -> Option<&'static str> {
        self.code.map(|code| code.info().id).or_else(|| self.advice.map(AdviceKind::id))
    }

    /// A message about a query, with positions in the file.
    pub fn of_query(diagnostic: &Diagnostic, query: &RuleQuery) -> Self {
        let label = |label: &Label| Label { span: in_file(label.span, query), message: label.message.clone() };
        let mut moved = diagnostic.clone();
        moved.span = in_file(diagnostic.span, query);
        moved.labels = diagnostic.labels.iter().map(label).collect();
        if query.positions.is_none() {
            let before = query.text.get(..diagnostic.span.start as usize).unwrap_or("");
            moved.help.push(format!("this is line {} of the query", before.matches('\n').count() + 1));
        }
        let (message, help) = (moved.message.clone(), moved.help.clone());
        Self { code: Some(moved.code), advice: None, message, help, span: moved.span, diagnostic: Some(moved) }
    }

    /// True for a message that does not keep the query from running.
    pub fn is_warning(&self) -> bool {
        let is_warning = |diagnostic: &Diagnostic| diagnostic.severity() == Severity::Warning;
        self.diagnostic.as_ref().is_some_and(is_warning)
            || self.advice.is_some_and(|advice| advice != AdviceKind::Rejected)
    }

    /// The message and the help, in one line.
    pub fn line(&self) -> String {
        self.help.iter().fold(self.message.clone(), |line, help| format!("{line} ({help})"))
    }
}

/// The position in the file of `span` in the query; the key of the query if it is not known. Spans of stored functions
/// follow those of all queries, and stay as they are.
fn in_file(span: Span, query: &RuleQuery) -> Span {
    match &query.positions {
        _ if span.start as usize > MAX_TEXT => span,
        Some(positions) => positions.span(span),
        None => query.key,
    }
}
