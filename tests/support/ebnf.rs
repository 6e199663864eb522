//! Parses the notation of `grammar/*.ebnf` (grammar/README.md explains it).

use std::collections::HashMap;

/// A grammar as written.
pub struct Grammar {
    /// In the order written.
    pub productions: Vec<Production>,
}

/// One production.
pub struct Production {
    pub name: String,
    pub body: Node,
    /// Texts that it accepts, from the comment above it.
    pub accepted: Vec<String>,
    /// Texts that it rejects.
    pub rejected: Vec<String>,
}

/// The parts of a production.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// All, in order.
    Sequence(Vec<Node>),
    /// One of several.
    Choice(Vec<Node>),
    /// Once or not at all.
    Optional(Box<Node>),
    /// Any number of times.
    Repeat(Box<Node>),
    /// Another production, or a class of tokens if there is none of that name.
    Name(String),
    /// Exactly these characters.
    Quoted(String),
    /// A character, described in words.
    Special(String),
}

impl Grammar {
    /// Parses a grammar; panics with the position of the first mistake.
    pub fn read(text: &str) -> Self {
        let mut reader = Reader { text, rest: text };
        let mut productions = Vec::new();
        let mut comment = reader.skip();
        while !reader.rest.is_empty() {
            let name = reader.name();
            reader.expect("=");
            let body = reader.choice();
            reader.expect(";");
            let examples = |kind: &str| {
                let lines = comment.lines().map(str::trim);
                lines.filter_map(|line| line.strip_prefix(kind)).map(|text| text.trim().to_owned()).collect()
            };
            productions.push(Production { name, body, accepted: examples("yes:"), rejected: examples("no:") });
            comment = reader.skip();
        }
        Self { productions }
    }

    /// The productions by name.
    pub fn by_name(&self) -> HashMap<&str, &Production> {
        self.productions.iter().map(|production| (production.name.as_str(), production)).collect()
    }
}

impl Node {
    /// Calls `visit` for this node and every node inside.
    pub fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a Node)) {
        visit(self);
        match self {
            Node::Sequence(nodes) | Node::Choice(nodes) => nodes.iter().for_each(|node| node.walk(visit)),
            Node::Optional(node) | Node::Repeat(node) => node.walk(visit),
            Node::Name(_) | Node::Quoted(_) | Node::Special(_) => {}
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    rest: &'a str,
}

impl Reader<'_> {
    /// Skips whitespace and comments; returns the last comment.
    fn skip(&mut self) -> String {
        let mut comment = String::new();
        loop {
            self.rest = self.rest.trim_start();
            let Some(inside) = self.rest.strip_prefix("(*") else { return comment };
            let (inside, rest) = inside.split_once("*)").unwrap_or_else(|| self.fail("a comment without an end"));
            comment = inside.to_owned();
            self.rest = rest;
        }
    }

    fn fail(&self, message: &str) -> ! {
        let line = self.text[..self.text.len() - self.rest.len()].lines().count();
        panic!("grammar, line {line}: {message}");
    }

    fn peek(&mut self) -> char {
        self.skip();
        self.rest.chars().next().unwrap_or(';')
    }

    fn expect(&mut self, symbol: &str) {
        self.skip();
        self.rest = self.rest.strip_prefix(symbol).unwrap_or_else(|| self.fail(&format!("expected {symbol}")));
    }

    fn name(&mut self) -> String {
        self.skip();
        let end = self.rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        if name.is_empty() {
            self.fail("expected a name");
        }
        self.rest = rest;
        name.to_owned()
    }

    fn choice(&mut self) -> Node {
        let mut nodes = vec![self.sequence()];
        while self.peek() == '|' {
            self.expect("|");
            nodes.push(self.sequence());
        }
        if nodes.len() == 1 { nodes.remove(0) } else { Node::Choice(nodes) }
    }

    fn sequence(&mut self) -> Node {
        let mut nodes = Vec::new();
        while !matches!(self.peek(), '|' | ';' | ')' | ']' | '}') {
            nodes.push(self.item());
        }
        if nodes.len() == 1 { nodes.remove(0) } else { Node::Sequence(nodes) }
    }

    fn item(&mut self) -> Node {
        match self.peek() {
            '(' => self.within("(", Self::choice, ")"),
            '[' => Node::Optional(Box::new(self.within("[", Self::choice, "]"))),
            '{' => Node::Repeat(Box::new(self.within("{", Self::choice, "}"))),
            '?' => Node::Special(self.delimited('?').trim().to_owned()),
            quote @ ('"' | '\'') => Node::Quoted(self.delimited(quote)),
            _ => Node::Name(self.name()),
        }
    }

    fn within(&mut self, open: &str, inside: fn(&mut Self) -> Node, close: &str) -> Node {
        self.expect(open);
        let node = inside(self);
        self.expect(close);
        node
    }

    fn delimited(&mut self, quote: char) -> String {
        let inside = &self.rest[quote.len_utf8()..];
        let (text, rest) = inside.split_once(quote).unwrap_or_else(|| self.fail("a quote without an end"));
        self.rest = rest;
        text.to_owned()
    }
}
