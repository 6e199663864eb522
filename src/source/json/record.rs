//! One record -> the places of the wanted values, in one strict pass.

use std::sync::Arc;

use hashbrown::HashMap;

use super::cursor::{Cursor, Flaw};
use super::expected::Expected;
use super::keys::{KeyTree, Slot, Target};
use crate::source::framing::Header;
use crate::types::dynamic;

/// Keys of one object that are remembered; an object with more different ones is looked up key by key.
const MAX_REMEMBERED: usize = 1_024;

/// Longer members than this are not compared with the one before.
const MAX_REPEATED: usize = 4_096;

/// So many values in a row that are another than the one before tell that the next one will be as well.
const MAX_CHANGES: u32 = 16;

/// How far ahead of the expected key the next one is looked for: exports leave keys out.
const LOOK_AHEAD: usize = 4;

/// Where a value lies in the scanned bytes; empty where the record has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    start: u32,
    end: u32,
}

impl Place {
    /// The bytes from `start` to `end`, which stay below the length of a record.
    fn new(start: usize, end: usize) -> Self {
        let offset = |at: usize| u32::try_from(at).unwrap_or(0);
        Self { start: offset(start), end: offset(end) }
    }

    /// The value in `record`, the text that was scanned; None where the record has none.
    #[inline]
    pub(crate) fn text<'a>(&self, record: &'a [u8]) -> Option<&'a str> {
        if self.end == self.start {
            return None;
        }
        // The record as a whole has been checked; checking the slice again is cheap and needs no unsafe code.
        record.get(self.start as usize..self.end as usize).and_then(|bytes| std::str::from_utf8(bytes).ok())
    }
}

/// Scans records of one layout after the other, and expects each to have the keys of the one before.
#[derive(Debug)]
pub(crate) struct RecordScanner {
    tree: Arc<KeyTree>,
    remembered: Vec<Remembered>,
    places: Vec<Place>,
    /// Keys of the last record that no shape has: object and key.
    unknown: Vec<(usize, usize)>,
    cells: Option<Cells>,
}

/// What the cells of the rows of one table are.
#[derive(Debug)]
struct Cells {
    header: Arc<Header>,
    targets: Vec<Target>,
    unknown: Vec<String>,
}

/// The keys of an object in the order in which they came first.
#[derive(Debug, Default)]
struct Remembered {
    keys: Vec<Member>,
    index: HashMap<Box<[u8]>, usize>,
}

/// A key of an object, and what it last came with: exports repeat keys, their order, and most values.
#[derive(Debug)]
struct Member {
    /// The key as it is written, quotes and colon included.
    key: Box<[u8]>,
    target: Target,
    /// The key with its value, as they were last written; the key alone where the value changes all the time.
    last: Expected,
    /// How many values in a row were another than the one before.
    changes: u32,
}

impl Member {
    fn new(key: &[u8], target: Target) -> Self {
        let key: Box<[u8]> = [key, b":"].concat().into();
        Self { last: Expected::new(&key), key, target, changes: 0 }
    }

    /// Remembers what the key came with. A value that always changes is looked at again now and then only.
    #[inline]
    fn remember(&mut self, text: &[u8]) {
        self.changes = self.changes.wrapping_add(1);
        if text.len() <= MAX_REPEATED && (self.changes < MAX_CHANGES || self.changes.is_multiple_of(MAX_CHANGES)) {
            self.last.set(text);
        } else if self.last.length > self.key.len() {
            self.last.set(&self.key);
        }
    }
}

/// What stands at the cursor, and has been passed.
enum Seen {
    /// The expected key and the value that it had before.
    Member,
    /// This key with its colon.
    Key(usize),
    /// Nothing: it is a key that was not expected, or none.
    Nothing,
}

impl RecordScanner {
    /// A scanner for the wanted keys of `tree`.
    pub(crate) fn new(tree: Arc<KeyTree>) -> Self {
        let remembered = (0..tree.node_count()).map(|_| Remembered::default()).collect();
        let places = vec![Place::default(); tree.slot_count()];
        Self { tree, remembered, places, unknown: Vec::new(), cells: None }
    }

    /// Checks that `record` is one JSON object, and notes where the wanted values are.
    pub(crate) fn scan(&mut self, record: &str) -> Result<(), Flaw> {
        self.places.fill(Place::default());
        self.unknown.clear();
        let mut cursor = Cursor::new(record.as_bytes());
        if cursor.skip_blanks() != Some(b'{') {
            return Err(cursor.flaw("no JSON object"));
        }
        self.object(&mut cursor, 0)?;
        cursor.end()
    }

    /// The same for an array of cells, whose columns `header` names.
    pub(crate) fn scan_cells(&mut self, row: &str, header: &Arc<Header>) -> Result<(), Flaw> {
        self.places.fill(Place::default());
        self.unknown.clear();
        let cells = match self.cells.take().filter(|cells| cells.header == *header) {
            Some(cells) => cells,
            None => Cells::new(&self.tree, header),
        };
        let scanned = self.row(row, &cells.targets);
        self.cells = Some(cells);
        scanned
    }

    fn row(&mut self, row: &str, targets: &[Target]) -> Result<(), Flaw> {
        let mut cursor = Cursor::new(row.as_bytes());
        if cursor.skip_blanks() != Some(b'[') {
            return Err(cursor.flaw("no row of cells"));
        }
        cursor.advance(1);
        cursor.skip_blanks();
        for (index, target) in targets.iter().enumerate() {
            if cursor.peek() == Some(b']') {
                return Err(cursor.flaw("a row with fewer cells than its table has columns"));
            }
            let start = self.member(&mut cursor, target.child)?;
            self.note_at(&target.slots, start, cursor.position());
            if cursor.separator(b']')? {
                return match index + 1 == targets.len() {
                    true => cursor.end(),
                    false => Err(cursor.flaw("a row with fewer cells than its table has columns")),
                };
            }
        }
        Err(cursor.flaw("a row with more cells than its table has columns"))
    }

    /// The places of the last record, by slot.
    pub(crate) fn places(&self) -> &[Place] {
        &self.places
    }

    /// The value of a slot in the last record, which was `record`.
    pub(crate) fn value<'a>(&self, slot: Slot, record: &'a str) -> Option<&'a str> {
        self.places[slot].text(record.as_bytes())
    }

    /// Keys of the last record that no shape has; each is answered once.
    pub(crate) fn take_unknown(&mut self) -> Vec<String> {
        let Self { unknown, remembered, cells, .. } = self;
        let name = |(node, found): (usize, usize)| {
            let Member { key, target, .. } = &mut remembered[node].keys[found];
            target.unknown = false;
            let key = key.strip_suffix(b":").unwrap_or(key);
            dynamic::unescape(std::str::from_utf8(key).unwrap_or("")).into_owned()
        };
        let of_table = cells.as_mut().map(|cells| std::mem::take(&mut cells.unknown)).unwrap_or_default();
        unknown.drain(..).map(name).chain(of_table).collect()
    }

    fn object(&mut self, cursor: &mut Cursor<'_>, node: usize) -> Result<(), Flaw> {
        cursor.advance(1);
        if cursor.skip_blanks() == Some(b'}') {
            cursor.advance(1);
            return Ok(());
        }
        let mut expected = 0;
        loop {
            let found = match self.expect(cursor, node, expected) {
                Seen::Member => expected,
                Seen::Key(found) => self.known_member(cursor, node, found)?,
                Seen::Nothing => self.new_key(cursor, node)?,
            };
            expected = found + 1;
            if cursor.separator(b'}')? {
                return Ok(());
            }
        }
    }

    /// Passes the expected key, and its value where that is as it was in the record before: what was JSON there is
    /// JSON here. Exports leave keys out, so the next few are looked at as well.
    #[inline]
    fn expect(&mut self, cursor: &mut Cursor<'_>, node: usize, expected: usize) -> Seen {
        let Some(member) = self.remembered[node].keys.get_mut(expected) else { return Seen::Nothing };
        let rest = cursor.rest();
        let same = member.last.same(rest);
        if same >= member.key.len() {
            let value = cursor.position() + member.key.len();
            let ends = same == member.last.length && matches!(rest.get(same), Some(b',' | b'}'));
            if !ends || same == member.key.len() {
                cursor.advance(member.key.len());
                return Seen::Key(expected);
            }
            cursor.advance(same);
            member.changes = 0;
            for &slot in &member.target.slots {
                self.places[slot] = Place::new(value, cursor.position());
            }
            return Seen::Member;
        }
        let ahead = self.remembered[node].keys[expected + 1..].iter().take(LOOK_AHEAD);
        match ahead.map(|member| &member.key).position(|key| rest.starts_with(key)) {
            Some(ahead) => {
                let found = expected + 1 + ahead;
                cursor.advance(self.remembered[node].keys[found].key.len());
                Seen::Key(found)
            }
            None => Seen::Nothing,
        }
    }

    /// Passes the value of a key that is known, behind its colon.
    fn known_member(&mut self, cursor: &mut Cursor<'_>, node: usize, found: usize) -> Result<usize, Flaw> {
        let member = &self.remembered[node].keys[found];
        let begin = cursor.position() - member.key.len();
        let child = member.target.child;
        cursor.skip_blanks();
        let start = self.member(cursor, child)?;
        self.note(node, found, start, cursor.position());
        let member = &mut self.remembered[node].keys[found];
        // A value behind blanks, or one that is taken apart, is not where the key alone tells.
        if child.is_none() && !member.target.unknown && start == begin + member.key.len() {
            member.remember(cursor.passed(begin));
        }
        Ok(found)
    }

    /// A key that was not expected: looked up, and remembered where it is new.
    fn new_key(&mut self, cursor: &mut Cursor<'_>, node: usize) -> Result<usize, Flaw> {
        let rest = cursor.rest();
        let start = cursor.position();
        cursor.string()?;
        let key = &rest[..cursor.position() - start];
        let remembered = &mut self.remembered[node];
        let found = match remembered.index.get(key) {
            Some(&found) => found,
            None => {
                let text = std::str::from_utf8(key).unwrap_or("");
                let target = self.tree.resolve(node, &dynamic::unescape(text));
                if remembered.keys.len() >= MAX_REMEMBERED {
                    self.unknown.retain(|(other, _)| *other != node);
                    remembered.keys.clear();
                    remembered.index.clear();
                }
                remembered.keys.push(Member::new(key, target));
                remembered.index.insert(key.into(), remembered.keys.len() - 1);
                remembered.keys.len() - 1
            }
        };
        cursor.colon()?;
        let child = self.remembered[node].keys[found].target.child;
        let start = self.member(cursor, child)?;
        self.note(node, found, start, cursor.position());
        Ok(found)
    }

    /// Passes a value; goes into it where it is a wanted object.
    fn member(&mut self, cursor: &mut Cursor<'_>, child: Option<usize>) -> Result<usize, Flaw> {
        let start = cursor.position();
        let Some(child) = child else { return cursor.value().map(|range| range.start) };
        // The last of several equal keys counts, with all that is below it.
        for &slot in self.tree.below(child) {
            self.places[slot] = Place::default();
        }
        if cursor.peek() == Some(b'{') {
            self.object(cursor, child)?;
        } else {
            cursor.value()?;
        }
        Ok(start)
    }

    #[inline]
    fn note(&mut self, node: usize, found: usize, start: usize, end: usize) {
        let target = &self.remembered[node].keys[found].target;
        for &slot in &target.slots {
            self.places[slot] = Place::new(start, end);
        }
        if target.unknown {
            self.unknown.push((node, found));
        }
    }

    fn note_at(&mut self, slots: &[Slot], start: usize, end: usize) {
        for &slot in slots {
            self.places[slot] = Place::new(start, end);
        }
    }
}

impl Cells {
    fn new(tree: &KeyTree, header: &Arc<Header>) -> Self {
        let targets: Vec<Target> = header.names.iter().map(|name| tree.resolve(0, name)).collect();
        let unknown = header.names.iter().zip(&targets).filter(|(_, target)| target.unknown);
        let unknown = unknown.map(|(name, _)| name.clone()).collect();
        Self { header: Arc::clone(header), targets, unknown }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::RecordScanner;
    use crate::source::json::keys::KeyTree;

    #[test]
    fn a_record_is_read_whatever_came_before() {
        let values =
            ["1", "12", "12 ", "1.5", "true", "tru", "\"\"", "\"x\"", "\"x\\\"", "{}", "{\"b\":1}", "[1]", "[1", " 1"];
        let records: Vec<String> = values
            .iter()
            .flat_map(|value| {
                ["{\"a\":@,\"b\":\"long enough for vectors\"}", "{\"a\":@}", "{\"c\":null,\"a\":@,\"a\":@ }"]
                    .map(|record| record.replace('@', value))
            })
            .collect();
        let scan = |scanner: &mut RecordScanner, record: &str| {
            scanner.scan(record).map(|()| [0, 1].map(|slot| scanner.value(slot, record).map(str::to_owned)))
        };
        let scanner = || {
            let mut tree = KeyTree::new();
            tree.slot(&["a"], false);
            tree.slot(&["b"], false);
            RecordScanner::new(Arc::new(tree))
        };
        for before in &records {
            for record in &records {
                let mut warm = scanner();
                for text in [before, before, record, before] {
                    let cold = scan(&mut scanner(), text);
                    assert_eq!(cold.is_ok(), serde_json::from_str::<serde_json::Value>(text).is_ok(), "{text}");
                    assert_eq!(scan(&mut warm, text), cold, "{text} after {before}");
                }
            }
        }
    }
}
