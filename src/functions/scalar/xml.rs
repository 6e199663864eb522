//! parse_xml: an XML document as dynamic.
//!
//! Source: the reference's page on parse_xml(). In its examples, text that is a number becomes a number.

use roxmltree::{Document, Node, ParsingOptions};

use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Overload, Param, ResultName, Returns};
use crate::functions::{Doubt, ScalarFunction};
use crate::types::Type;
use crate::types::dynamic::{BagWriter, Kind, MAX_DEPTH, kind, quote, validate};

/// The functions that this file defines.
pub static FUNCTIONS: &[ScalarFunction] = &[ScalarFunction {
    name: "parse_xml",
    category: Category::Parse,
    summary: "Returns an XML document as a property bag: elements by name, attributes with `@` before the name, and \
              the text beside them as `#text`; null if it is not well-formed, longer than 1 MiB, \
              or, with a warning, nested too deep.",
    overloads: &[Overload {
        params: &[Param::new("xml", Type::String, "the XML document")],
        returns: Returns::Type(Type::Dynamic),
        kernel: |args| {
            let texts = args.texts(0);
            args.try_map(|row| {
                let Some(xml) = texts.get(row) else { return Ok(None) };
                Ok(parse(xml).unwrap_or_else(|TooDeep| {
                    args.context().doubts().add(Doubt::XmlDepth, xml);
                    None
                }))
            })
        },
    }],
    examples: &[
        Example::new(
            r#"parse_xml('<user id="a1"><role>Reader</role><role>Owner</role></user>')"#,
            r#"{"user":{"@id":"a1","role":["Reader","Owner"]}}"#,
        ),
        Example::new("parse_xml('<a>1.0</a>')", r#"{"a":1.0}"#),
        Example::new("isnull(parse_xml('<a>'))", "true"),
    ],
    result_name: ResultName::FirstArgument,
    ..ScalarFunction::DEFAULT
}];

/// Maximum length of a document in bytes. Source: the reference's page.
const MAX_BYTES: usize = 1 << 20;

/// The error for a document that is nested deeper than a dynamic may be.
#[derive(Debug, PartialEq)]
struct TooDeep;

/// Converts a document to JSON; None if it is not valid.
fn parse(xml: &str) -> Result<Option<String>, TooDeep> {
    if xml.len() > MAX_BYTES {
        return Ok(None);
    }
    if depth(xml) > MAX_DEPTH {
        return Err(TooDeep);
    }
    let options = ParsingOptions { allow_dtd: false, ..ParsingOptions::default() };
    let Ok(document) = Document::parse_with_options(xml, options) else { return Ok(None) };
    let root = document.root_element();
    let mut bag = BagWriter::new();
    bag.push_json(&name(root), &element(root));
    let json = bag.finish();
    // Each element can be two levels of JSON: a bag, and an array of elements of one name.
    if validate(json.as_bytes()).is_err() { Err(TooDeep) } else { Ok(Some(json)) }
}

/// Returns at least the depth to which elements are nested. It is needed before the document is parsed, which is
/// recursive.
fn depth(xml: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for tag in xml.split('<').skip(1) {
        if tag.starts_with('/') {
            depth = depth.saturating_sub(1);
        } else if tag.starts_with(['!', '?']) || tag.split('>').next().is_some_and(|inner| inner.ends_with('/')) {
        } else {
            depth += 1;
            deepest = deepest.max(depth);
        }
    }
    deepest
}

/// Returns the name of an element as the document spells it, with its prefix.
fn name(node: Node<'_, '_>) -> String {
    let local = node.tag_name().name();
    let prefix =
        node.tag_name().namespace().and_then(|uri| node.lookup_prefix(uri)).filter(|prefix| !prefix.is_empty());
    prefix.map_or_else(|| local.to_owned(), |prefix| format!("{prefix}:{local}"))
}

/// Converts an element to JSON. Recurses as deep as elements are nested, which is limited.
fn element(node: Node<'_, '_>) -> String {
    let mut members: Vec<(String, Vec<String>)> = Vec::new();
    for attribute in node.attributes() {
        members.push((format!("@{}", attribute.name()), vec![scalar(attribute.value())]));
    }
    let text: String = node.children().filter(Node::is_text).filter_map(|text| text.text()).collect();
    let text = text.trim();
    let children = node.children().filter(Node::is_element);
    if members.is_empty() && node.children().all(|child| !child.is_element()) {
        return if text.is_empty() { "null".to_owned() } else { scalar(text) };
    }
    if !text.is_empty() {
        members.push(("#text".to_owned(), vec![scalar(text)]));
    }
    let mut positions = std::collections::HashMap::new();
    for child in children {
        let name = name(child);
        let position = *positions.entry(name.clone()).or_insert(members.len());
        if position == members.len() {
            members.push((name, Vec::new()));
        }
        members[position].1.push(element(child));
    }
    let mut bag = BagWriter::new();
    for (name, values) in members {
        match values.as_slice() {
            [value] => bag.push_json(&name, value),
            values => bag.push_json(&name, &format!("[{}]", values.join(","))),
        }
    }
    bag.finish()
}

/// Returns a number unchanged, and anything else as a JSON string.
fn scalar(text: &str) -> String {
    if matches!(kind(text), Kind::Long | Kind::Double) && validate(text.as_bytes()).is_ok() {
        return text.to_owned();
    }
    let mut quoted = String::new();
    quote(text, &mut quoted);
    quoted
}

#[cfg(test)]
mod tests {
    use super::{MAX_BYTES, parse};

    fn json(xml: &str) -> Option<String> {
        parse(xml).expect("within the limits")
    }

    #[test]
    fn elements_attributes_and_text() {
        let table = [
            ("<e/>", r#"{"e":null}"#),
            ("<e>text</e>", r#"{"e":"text"}"#),
            (r#"<e n="v" />"#, r#"{"e":{"@n":"v"}}"#),
            (r#"<e n="v">text</e>"#, r##"{"e":{"@n":"v","#text":"text"}}"##),
            ("<e> <a>x</a> <b>y</b> </e>", r#"{"e":{"a":"x","b":"y"}}"#),
            ("<e> <a>x</a> <b/> <a>y</a> </e>", r#"{"e":{"a":["x","y"],"b":null}}"#),
            ("<e> text <a>x</a> </e>", r##"{"e":{"#text":"text","a":"x"}}"##),
            ("<e><!-- c --><![CDATA[<x>]]></e>", r#"{"e":"<x>"}"#),
            ("<?xml version=\"1.0\"?><e>118.0</e>", r#"{"e":118.0}"#),
            ("<e>007</e>", r#"{"e":"007"}"#),
            ("<p:e xmlns:p=\"urn:x\"/>", r#"{"p:e":null}"#),
            ("<e xmlns=\"urn:x\">a&lt;b</e>", r#"{"e":"a<b"}"#),
        ];
        for (xml, expected) in table {
            assert_eq!(json(xml).as_deref(), Some(expected), "{xml}");
        }
    }

    #[test]
    fn what_is_not_a_document_is_null() {
        for xml in ["", "text", "<a>", "<a></b>", "<a/><b/>", "<a>&x;</a>", "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>"]
        {
            assert_eq!(json(xml), None, "{xml}");
        }
        assert_eq!(json(&format!("<a>{}</a>", " ".repeat(MAX_BYTES))), None);
    }

    #[test]
    fn deep_documents_are_refused_without_recursion() {
        let deep = |depth: usize| "<a>".repeat(depth) + &"</a>".repeat(depth);
        assert!(parse(&deep(20)).is_ok());
        assert!(parse(&deep(100_000)).is_err());
    }
}
