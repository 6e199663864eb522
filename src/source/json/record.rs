//! One record -> the places of the wanted values, in one strict pass.

use std::sync::Arc;

use hashbrown::HashMap;

use super::cursor::{Cursor, Flaw};
use super::keys::{KeyTree, Slot, Target};
use crate::source::framing::Header;
use crate::types::dynamic;

/// Keys of one object that are remembered; an object with more different ones is looked up key by key.
const MAX_REMEMBERED: usize = 1_024;

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
    /// Each as it is written, quotes and colon included, since that is how the next record most likely has it.
    keys: Vec<(Box<[u8]>, Target)>,
    index: HashMap<Box<[u8]>, usize>,
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
            let (key, target) = &mut remembered[node].keys[found];
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
            match self.expect_key(cursor, node, expected) {
                Some(found) => {
                    expected = found + 1;
                    cursor.skip_blanks();
                    let target = &self.remembered[node].keys[found].1;
                    if target.is_ignored() {
                        cursor.value()?;
                    } else {
                        let child = target.child;
                        let start = self.member(cursor, child)?;
                        self.note(node, found, start, cursor.position());
                    }
                }
                None => expected = self.new_key(cursor, node)?,
            }
            if cursor.separator(b'}')? {
                return Ok(());
            }
        }
    }

    /// The remembered key that stands at the cursor with its colon, both passed; looked for from `expected` on.
    #[inline]
    fn expect_key(&self, cursor: &mut Cursor<'_>, node: usize, expected: usize) -> Option<usize> {
        let keys = &self.remembered[node].keys;
        let rest = cursor.rest();
        for (ahead, (key, _)) in keys.iter().skip(expected).take(LOOK_AHEAD).enumerate() {
            if rest.starts_with(key) {
                cursor.advance(key.len());
                return Some(expected + ahead);
            }
        }
        None
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
                remembered.keys.push(([key, b":"].concat().into(), target));
                remembered.index.insert(key.into(), remembered.keys.len() - 1);
                remembered.keys.len() - 1
            }
        };
        cursor.colon()?;
        let child = self.remembered[node].keys[found].1.child;
        let start = self.member(cursor, child)?;
        self.note(node, found, start, cursor.position());
        Ok(found + 1)
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
        let (_, target) = &self.remembered[node].keys[found];
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
