//! Reads YAML into nodes.
//!
//! Keys that occur twice are errors. Aliases are replaced by their values, and the number of values and their depth are
//! limited: a small file cannot grow without end.

use std::collections::{HashMap, HashSet};

use granit_parser::{Event, Options, Parser, ScalarStyle, ScanError, StrInput};

use super::RuleFileError;
use super::node::{Node, NodeContent, NodeKey};
use crate::diagnostic::Span;

/// The maximum number of values in a file, those of aliases included.
const MAX_NODES: usize = 50_000;

/// The maximum depth of sequences and mappings, each in its block and in its flow style.
const MAX_DEPTH: usize = 48;

/// Reads the document that `text` consists of.
pub(super) fn read(text: &str) -> Result<Node, RuleFileError> {
    let mut documents = read_documents(text)?.into_iter();
    match (documents.next(), documents.next()) {
        (first, None) => Ok(first.map_or(nothing(Span::default()), |(_, document)| document)),
        (_, Some((span, _))) => Err(RuleFileError { span, reason: "more than one document".to_owned() }),
    }
}

/// Reads the documents of `text`, each with the position of its beginning.
pub(super) fn read_documents(text: &str) -> Result<Vec<(Span, Node)>, RuleFileError> {
    let mut options = Options::default();
    options.flow_nesting_limit = MAX_DEPTH;
    options.block_nesting_limit = MAX_DEPTH;
    let events = Parser::new_from_str_with_options(text, options);
    let mut reader = YamlReader { events, anchors: HashMap::new(), nodes: 0 };
    reader.documents()
}

fn nothing(span: Span) -> Node {
    Node { content: NodeContent::Other(String::new()), span }
}

struct YamlReader<'a> {
    events: Parser<'a, StrInput<'a>>,
    /// The complete values by the numbers of their anchors.
    anchors: HashMap<usize, Node>,
    /// The number of values so far.
    nodes: usize,
}

/// The next event and its position.
type PlacedEvent<'a> = (Event<'a>, Span);

impl<'a> YamlReader<'a> {
    fn next(&mut self) -> Result<PlacedEvent<'a>, RuleFileError> {
        match self.events.next() {
            Some(Ok((event, span))) => Ok((event, span_of(&span))),
            Some(Err(error)) => Err(failure(&error)),
            None => Err(RuleFileError { span: Span::default(), reason: "not YAML: cut off".to_owned() }),
        }
    }

    fn documents(&mut self) -> Result<Vec<(Span, Node)>, RuleFileError> {
        let mut documents: Vec<(Span, Node)> = Vec::new();
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(documents),
                Event::DocumentStart(..) => documents.push((span, nothing(span))),
                Event::StreamStart | Event::DocumentEnd => {}
                event => {
                    let document = self.value(event, span)?;
                    if let Some(last) = documents.last_mut() {
                        last.1 = document;
                    }
                }
            }
        }
    }

    /// The value that begins with `event`. The parser limits the depth.
    fn value(&mut self, event: Event<'a>, span: Span) -> Result<Node, RuleFileError> {
        self.count(1, span)?;
        let mut end = span.end;
        let (content, anchor) = match event {
            Event::Alias(anchor) => return self.alias(anchor, span),
            Event::Scalar(text, style, anchor, _) => (scalar(text.into_owned(), style), anchor),
            Event::SequenceStart(_, anchor, _) => (NodeContent::Sequence(self.sequence(&mut end)?), anchor),
            Event::MappingStart(_, anchor, _) => (NodeContent::Mapping(self.mapping(&mut end)?), anchor),
            _ => return Err(RuleFileError { span, reason: "not YAML: no value".to_owned() }),
        };
        let node = Node { content, span: Span { end: end.max(span.end), ..span } };
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn count(&mut self, nodes: usize, span: Span) -> Result<(), RuleFileError> {
        self.nodes += nodes;
        match self.nodes > MAX_NODES {
            true => Err(RuleFileError {
                span,
                reason: format!("more than {MAX_NODES} values, counting those that aliases repeat"),
            }),
            false => Ok(()),
        }
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<Node, RuleFileError> {
        let Some(node) = self.anchors.get(&anchor) else {
            return Err(RuleFileError { span, reason: "the alias is inside the value that it refers to".to_owned() });
        };
        let node = node.clone();
        self.count(node.size(), span)?;
        Ok(node)
    }

    /// Reads elements, and sets `end` to the position after them.
    fn sequence(&mut self, end: &mut u32) -> Result<Vec<Node>, RuleFileError> {
        let mut elements = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, span) => {
                    *end = end_of(span, elements.last());
                    return Ok(elements);
                }
                (event, span) => elements.push(self.value(event, span)?),
            }
        }
    }

    /// Reads keys and values, and sets `end` to the position after them.
    fn mapping(&mut self, end: &mut u32) -> Result<Vec<(NodeKey, Node)>, RuleFileError> {
        let (mut entries, mut names) = (Vec::new(), HashSet::new());
        loop {
            let key = match self.next()? {
                (Event::MappingEnd, span) => {
                    *end = end_of(span, entries.last().map(|(_, value)| value));
                    return Ok(entries);
                }
                (event, span) => self.key(event, span)?,
            };
            if !names.insert(key.text.clone()) {
                return Err(RuleFileError { span: key.span, reason: format!("the key `{}` occurs twice", key.text) });
            }
            let (event, span) = self.next()?;
            entries.push((key, self.value(event, span)?));
        }
    }

    fn key(&mut self, event: Event<'a>, span: Span) -> Result<NodeKey, RuleFileError> {
        match self.value(event, span)?.content {
            NodeContent::String(text) if text == "<<" => {
                Err(RuleFileError { span, reason: "merge keys (`<<`) are not supported".to_owned() })
            }
            NodeContent::String(text) | NodeContent::Other(text) => Ok(NodeKey { text, span }),
            _ => Err(RuleFileError { span, reason: "a key is not a string".to_owned() }),
        }
    }
}

/// The end of a collection: after its bracket, or after its last value.
fn end_of(bracket: Span, last: Option<&Node>) -> u32 {
    let is_flow = bracket.end > bracket.start;
    last.filter(|_| !is_flow).map_or(bracket.end, |last| last.span.end)
}

fn span_of(span: &granit_parser::Span) -> Span {
    span.byte_range().map_or(Span::default(), |range| Span::new(range.start, range.end))
}

fn failure(error: &ScanError) -> RuleFileError {
    let at = error.marker().byte_offset().unwrap_or(0);
    RuleFileError { span: Span::new(at, at), reason: format!("not YAML: {}", error.info()) }
}

/// A scalar: only without quotes may it be a number, a truth value or null, as in the core schema of YAML 1.2.
fn scalar(text: String, style: ScalarStyle) -> NodeContent {
    let is_other = || {
        matches!(
            text.as_str(),
            "" | "~" | "null" | "Null" | "NULL" | "true" | "True" | "TRUE" | "false" | "False" | "FALSE"
        ) || text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) && text.parse::<f64>().is_ok()
    };
    match style {
        ScalarStyle::Plain if is_other() => NodeContent::Other(text),
        _ => NodeContent::String(text),
    }
}
