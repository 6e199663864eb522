//! An Earley recogniser: for any grammar, left recursion and ambiguity included, it decides whether a sequence is a
//! sentence. Slow and simple on purpose: it is the reference that the parser is compared with.

use std::collections::{HashMap, HashSet};

use crate::ebnf::{Grammar, Node};

/// A preprocessed grammar: plain rules, with groups and repetitions turned into rules of their own.
pub struct Recogniser {
    rules: Vec<Rule>,
    /// The terminals, by number.
    terminals: Vec<Node>,
    /// Whether a rule matches the empty sequence.
    nullable: Vec<bool>,
    /// The terminals that a rule's sentences can begin with.
    first: Vec<HashSet<usize>>,
    names: HashMap<String, usize>,
}

struct Rule {
    name: Option<String>,
    alternatives: Vec<Vec<Symbol>>,
}

#[derive(Clone, Copy)]
enum Symbol {
    Terminal(usize),
    Rule(usize),
}

/// A rule, one of its alternatives, how much of it is matched, and where it began.
type Item = (usize, usize, usize, usize);

/// The verdict on one sequence.
pub struct Verdict {
    /// True if the sequence is a sentence.
    pub accepted: bool,
    /// The last position that could be matched.
    pub furthest: usize,
    /// The productions that matched somewhere.
    pub used: HashSet<String>,
}

impl Recogniser {
    /// Preprocesses `grammar`.
    pub fn new(grammar: &Grammar) -> Self {
        let names = grammar.productions.iter().enumerate().map(|(index, p)| (p.name.clone(), index)).collect();
        let rules = grammar.productions.iter().map(|p| Rule { name: Some(p.name.clone()), alternatives: Vec::new() });
        let mut this =
            Self { rules: rules.collect(), terminals: Vec::new(), nullable: Vec::new(), first: Vec::new(), names };
        for (index, production) in grammar.productions.iter().enumerate() {
            this.rules[index].alternatives = this.alternatives(&production.body);
        }
        this.find_nullable();
        this.find_first();
        this
    }

    /// The terminals: a class, exact characters, or a description of a character.
    pub fn terminals(&self) -> &[Node] {
        &self.terminals
    }

    fn alternatives(&mut self, node: &Node) -> Vec<Vec<Symbol>> {
        match node {
            Node::Choice(nodes) => nodes.iter().flat_map(|node| self.alternatives(node)).collect(),
            Node::Sequence(nodes) => vec![nodes.iter().map(|node| self.symbol(node)).collect()],
            _ => vec![vec![self.symbol(node)]],
        }
    }

    fn symbol(&mut self, node: &Node) -> Symbol {
        match node {
            Node::Name(name) => match self.names.get(name) {
                Some(rule) => Symbol::Rule(*rule),
                None => self.terminal(node),
            },
            Node::Quoted(_) | Node::Special(_) => self.terminal(node),
            Node::Sequence(_) | Node::Choice(_) => {
                let alternatives = self.alternatives(node);
                self.rule(alternatives)
            }
            Node::Optional(inner) => {
                let mut alternatives = self.alternatives(inner);
                alternatives.push(Vec::new());
                self.rule(alternatives)
            }
            Node::Repeat(inner) => {
                let rule = self.rule(vec![Vec::new()]);
                let Symbol::Rule(index) = rule else { unreachable!("`rule` makes rules") };
                for mut alternative in self.alternatives(inner) {
                    alternative.insert(0, rule);
                    self.rules[index].alternatives.push(alternative);
                }
                rule
            }
        }
    }

    fn rule(&mut self, alternatives: Vec<Vec<Symbol>>) -> Symbol {
        self.rules.push(Rule { name: None, alternatives });
        Symbol::Rule(self.rules.len() - 1)
    }

    fn terminal(&mut self, node: &Node) -> Symbol {
        let known = self.terminals.iter().position(|terminal| terminal == node);
        Symbol::Terminal(known.unwrap_or_else(|| {
            self.terminals.push(node.clone());
            self.terminals.len() - 1
        }))
    }

    fn find_nullable(&mut self) {
        self.nullable = vec![false; self.rules.len()];
        let is_empty = |nullable: &[bool], symbol: &Symbol| matches!(symbol, Symbol::Rule(rule) if nullable[*rule]);
        while let Some(found) = (0..self.rules.len()).find(|rule| {
            let mut alternatives = self.rules[*rule].alternatives.iter();
            !self.nullable[*rule] && alternatives.any(|all| all.iter().all(|symbol| is_empty(&self.nullable, symbol)))
        }) {
            self.nullable[found] = true;
        }
    }

    fn find_first(&mut self) {
        self.first = vec![HashSet::new(); self.rules.len()];
        loop {
            let before: usize = self.first.iter().map(HashSet::len).sum();
            for rule in 0..self.rules.len() {
                let found: Vec<usize> =
                    self.rules[rule].alternatives.iter().flat_map(|symbols| self.first_of(symbols)).collect();
                self.first[rule].extend(found);
            }
            if before == self.first.iter().map(HashSet::len).sum::<usize>() {
                return;
            }
        }
    }

    fn first_of(&self, symbols: &[Symbol]) -> HashSet<usize> {
        let mut first = HashSet::new();
        for symbol in symbols {
            match symbol {
                Symbol::Terminal(terminal) => {
                    first.insert(*terminal);
                    return first;
                }
                Symbol::Rule(rule) => {
                    first.extend(&self.first[*rule]);
                    if !self.nullable[*rule] {
                        return first;
                    }
                }
            }
        }
        first
    }

    /// Matches a sequence with `start`; `classes` holds the terminals that each element matches.
    pub fn recognise(&self, start: &str, classes: &[HashSet<usize>]) -> Verdict {
        let start = self.names[start];
        let mut chart =
            Chart { recogniser: self, classes, sets: vec![Vec::new(); classes.len() + 1], seen: HashSet::new() };
        chart.predict(start, 0);
        for position in 0..=classes.len() {
            let mut next = 0;
            while let Some(item) = chart.sets[position].get(next).copied() {
                chart.step(item, position);
                next += 1;
            }
        }
        chart.verdict(start)
    }
}

struct Chart<'a> {
    recogniser: &'a Recogniser,
    classes: &'a [HashSet<usize>],
    sets: Vec<Vec<Item>>,
    seen: HashSet<(usize, Item)>,
}

impl Chart<'_> {
    fn add(&mut self, item: Item, position: usize) {
        if self.seen.insert((position, item)) {
            self.sets[position].push(item);
        }
    }

    /// Adds the alternatives of `rule` that can begin here.
    fn predict(&mut self, rule: usize, position: usize) {
        let recogniser = self.recogniser;
        for (index, symbols) in recogniser.rules[rule].alternatives.iter().enumerate() {
            let can_begin = match (symbols.first(), self.classes.get(position)) {
                (None, _) => true,
                (Some(Symbol::Rule(first)), Some(classes)) => {
                    recogniser.nullable[*first] || !recogniser.first[*first].is_disjoint(classes)
                }
                (Some(Symbol::Terminal(terminal)), Some(classes)) => classes.contains(terminal),
                (Some(Symbol::Rule(first)), None) => recogniser.nullable[*first],
                (Some(Symbol::Terminal(_)), None) => false,
            };
            if can_begin {
                self.add((rule, index, 0, position), position);
            }
        }
    }

    fn step(&mut self, item: Item, position: usize) {
        let (rule, alternative, read, origin) = item;
        let after = (rule, alternative, read + 1, origin);
        match self.recogniser.rules[rule].alternatives[alternative].get(read) {
            Some(Symbol::Terminal(terminal)) => {
                if self.classes.get(position).is_some_and(|classes| classes.contains(terminal)) {
                    self.add(after, position + 1);
                }
            }
            Some(Symbol::Rule(wanted)) => {
                self.predict(*wanted, position);
                if self.recogniser.nullable[*wanted] {
                    self.add(after, position);
                }
            }
            None => self.complete(rule, origin, position),
        }
    }

    /// `rule` matched from `origin` to `position`: advances the items that waited for it.
    fn complete(&mut self, rule: usize, origin: usize, position: usize) {
        let waits = |(waiting, alternative, read, _): &Item| {
            let next = self.recogniser.rules[*waiting].alternatives[*alternative].get(*read);
            matches!(next, Some(Symbol::Rule(wanted)) if *wanted == rule)
        };
        let waiting: Vec<Item> = self.sets[origin].iter().copied().filter(waits).collect();
        for (waiting, alternative, read, from) in waiting {
            self.add((waiting, alternative, read + 1, from), position);
        }
    }

    fn verdict(&self, start: usize) -> Verdict {
        let is_complete = |(rule, alternative, read, _): &Item| {
            self.recogniser.rules[*rule].alternatives[*alternative].len() == *read
        };
        let last = &self.sets[self.classes.len()];
        let names = self.sets.iter().flatten().filter(|item| is_complete(item));
        Verdict {
            accepted: last.iter().any(|item| item.0 == start && item.3 == 0 && is_complete(item)),
            furthest: self.sets.iter().rposition(|set| !set.is_empty()).unwrap_or(0),
            used: names.filter_map(|item| self.recogniser.rules[item.0].name.clone()).collect(),
        }
    }
}
