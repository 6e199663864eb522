//! Writes nodes as YAML in block style.

use std::fmt::Write;

use super::super::json;
use super::super::node::{Node, NodeContent};
use crate::diagnostic::{Span, is_unsafe_to_show, visible_json};
use crate::types::guid;

/// Spaces for each level.
const INDENT: usize = 2;

/// Returns a mapping as a document.
pub(super) fn text(node: &Node) -> String {
    let mut out = String::new();
    match &node.content {
        NodeContent::Mapping(_) | NodeContent::Sequence(_) => collection(node, 0, false, &mut out),
        _ => scalar(node, 0, &mut out),
    }
    out
}

/// Writes the entries of a mapping or the elements of a list; `is_begun` if the first line has its indentation.
fn collection(node: &Node, depth: usize, mut is_begun: bool, out: &mut String) {
    let mut indent = |out: &mut String| {
        if !std::mem::take(&mut is_begun) {
            out.extend(std::iter::repeat_n(' ', depth * INDENT));
        }
    };
    match &node.content {
        NodeContent::Mapping(entries) => {
            for (key, value) in entries {
                indent(out);
                let _ = write!(out, "{}:", key_text(&key.text));
                if is_block(value) {
                    out.push('\n');
                    collection(value, depth + 1, false, out);
                } else {
                    out.push(' ');
                    scalar(value, depth + 1, out);
                }
            }
        }
        NodeContent::Sequence(elements) => {
            for element in elements {
                indent(out);
                out.push_str("- ");
                if is_block(element) {
                    collection(element, depth + 1, true, out);
                } else {
                    scalar(element, depth + 1, out);
                }
            }
        }
        _ => {}
    }
}

fn is_block(node: &Node) -> bool {
    node.children().next().is_some()
}

fn key_text(text: &str) -> String {
    if is_plain(text) { text.to_owned() } else { quoted(text) }
}

/// Writes a value that is not indented below its key.
fn scalar(node: &Node, depth: usize, out: &mut String) {
    match &node.content {
        NodeContent::Mapping(_) => out.push_str("{}\n"),
        NodeContent::Sequence(_) => out.push_str("[]\n"),
        NodeContent::Other(text) if node.is_null() || text.is_empty() => out.push_str("null\n"),
        NodeContent::Other(text) => out.extend([text, "\n"]),
        NodeContent::String(text) if text.contains('\n') && fits_block(text) => block(text, depth, out),
        NodeContent::String(text) if is_plain(text) => out.extend([text, "\n"]),
        NodeContent::String(text) | NodeContent::Expression(text) => out.extend([&*quoted(text), "\n"]),
    }
}

/// True if a string can be written without quotes, whatever the schema of the reader.
fn is_plain(text: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || " _-./@()".contains(c);
    let first = text.chars().next();
    // Words such as `yes`, `null` and `1.0` have another meaning in some schema.
    let is_special = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
        .iter()
        .any(|word| text.eq_ignore_ascii_case(word));
    let starts_like_number = first.is_some_and(|c| c.is_ascii_digit() || "-.".contains(c)) && !is_known_form(text);
    first.is_some_and(|c| c.is_alphanumeric() || c == '.')
        && !text.ends_with(' ')
        && text.chars().all(is_word)
        && !is_special
        && !starts_like_number
}

/// True for durations such as `5m`, versions such as `1.0.0` and GUIDs, which look like numbers only at first.
fn is_known_form(text: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    let is_duration = text.strip_suffix(['d', 'h', 'm', 's']).is_some_and(is_number);
    is_duration || (text.split('.').count() == 3 && text.split('.').all(is_number)) || guid::parse(text).is_some()
}

/// A string in double quotes, with the escapes of JSON, which YAML has, too.
fn quoted(text: &str) -> String {
    let node = Node { content: NodeContent::String(text.to_owned()), span: Span::default() };
    visible_json(&json::to_text(&node)).into_owned()
}

/// True if lines of a block can have these characters.
fn fits_block(text: &str) -> bool {
    text.chars().all(|c| matches!(c, '\n' | '\t') || !is_unsafe_to_show(c)) && !text.trim_matches('\n').is_empty()
}

/// Writes a block with all its line ends. The indentation is given if the first line begins with whitespace.
fn block(text: &str, depth: usize, out: &mut String) {
    let end = match text.len() - text.trim_end_matches('\n').len() {
        0 => "-",
        1 => "",
        _ => "+",
    };
    let indentation = if text.starts_with([' ', '\n', '\t']) { INDENT.to_string() } else { String::new() };
    let _ = writeln!(out, "|{indentation}{end}");
    for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
        if !line.is_empty() {
            out.extend(std::iter::repeat_n(' ', depth * INDENT));
        }
        out.extend([line, "\n"]);
    }
}
