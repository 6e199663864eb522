//! Random sentences of a grammar, and mutants of texts: from a seed, so that a failure can be reproduced.

use std::collections::{HashMap, HashSet};

use crate::ebnf::{Grammar, Node, Production};

/// A random number generator (SplitMix64): enough for tests, the same on every machine.
pub struct Random(pub u64);

impl Random {
    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % bound.max(1) as u64) as usize
    }

    /// One of `items`.
    pub fn choose<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }
}

/// The length in bytes from which a sentence ends as soon as possible.
const LONG: usize = 240;

/// Generates sentences of a grammar.
pub struct Generator<'a> {
    grammar: &'a Grammar,
    /// The depth of the shallowest sentence of each production.
    depths: HashMap<&'a str, usize>,
    /// Sample texts for a class of tokens.
    samples: fn(&str) -> &'static [&'static str],
}

impl<'a> Generator<'a> {
    /// Creates a generator, with `samples` for the token classes of `grammar`.
    pub fn new(grammar: &'a Grammar, samples: fn(&str) -> &'static [&'static str]) -> Self {
        let mut this = Self { grammar, depths: HashMap::new(), samples };
        loop {
            let found: Vec<(&str, usize)> = grammar
                .productions
                .iter()
                .map(|production| (production.name.as_str(), this.depth(&production.body) + 1))
                .filter(|(name, depth)| *depth < this.depths.get(name).copied().unwrap_or(usize::MAX / 2))
                .collect();
            if found.is_empty() {
                return this;
            }
            this.depths.extend(found);
        }
    }

    fn depth(&self, node: &Node) -> usize {
        match node {
            Node::Sequence(nodes) => nodes.iter().map(|node| self.depth(node)).max().unwrap_or(0),
            Node::Choice(nodes) => nodes.iter().map(|node| self.depth(node)).min().unwrap_or(0),
            Node::Optional(_) | Node::Repeat(_) | Node::Quoted(_) | Node::Special(_) => 0,
            Node::Name(name) => match self.grammar.productions.iter().any(|production| production.name == *name) {
                true => self.depths.get(name.as_str()).copied().unwrap_or(usize::MAX / 4),
                false => 0,
            },
        }
    }

    /// Returns a sentence of `start`, its tokens separated by spaces, and adds its productions to `used`; beyond
    /// `budget` levels only the shallowest alternatives are used.
    pub fn sentence(&self, start: &str, budget: usize, random: &mut Random, used: &mut HashSet<&'a str>) -> String {
        let production = self.production(start).expect("a production of the grammar");
        let mut writer = Writer { generator: self, random, used, out: String::new() };
        writer.write(&production.body, budget);
        writer.out
    }

    fn production(&self, name: &str) -> Option<&'a Production> {
        self.grammar.productions.iter().find(|production| production.name == name)
    }
}

struct Writer<'a, 'b> {
    generator: &'b Generator<'a>,
    random: &'b mut Random,
    used: &'b mut HashSet<&'a str>,
    out: String,
}

impl<'a> Writer<'a, '_> {
    fn write(&mut self, node: &'a Node, budget: usize) {
        // A long sentence ends as soon as it can.
        let budget = if self.out.len() > LONG { 0 } else { budget };
        match node {
            Node::Sequence(nodes) => nodes.iter().for_each(|node| self.write(node, budget)),
            Node::Choice(nodes) => self.choice(nodes, budget),
            Node::Optional(inner) => {
                if self.fits(inner, budget) && self.random.below(3) == 0 {
                    self.write(inner, budget);
                }
            }
            Node::Repeat(inner) => {
                let times = if self.fits(inner, budget) { [0, 0, 0, 1, 2][self.random.below(5)] } else { 0 };
                (0..times).for_each(|_| self.write(inner, budget));
            }
            Node::Quoted(text) | Node::Special(text) => self.token(text),
            Node::Name(name) => match self.generator.production(name) {
                Some(production) => {
                    self.used.insert(&production.name);
                    self.write(&production.body, budget.saturating_sub(1));
                }
                None => {
                    let sample = *self.random.choose::<&str>((self.generator.samples)(name));
                    if name.starts_with("GLUED_") { self.out.push_str(sample) } else { self.token(sample) }
                }
            },
        }
    }

    fn fits(&self, node: &Node, budget: usize) -> bool {
        self.generator.depth(node) < budget
    }

    fn choice(&mut self, nodes: &'a [Node], budget: usize) {
        let fitting: Vec<&Node> = nodes.iter().filter(|node| self.fits(node, budget)).collect();
        let shallowest = nodes.iter().min_by_key(|node| self.generator.depth(node)).expect("a choice is of something");
        let chosen = if fitting.is_empty() { shallowest } else { *self.random.choose(&fitting) };
        self.write(chosen, budget);
    }

    fn token(&mut self, token: &str) {
        self.out.push(' ');
        self.out.push_str(token);
    }
}
