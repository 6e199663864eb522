//! One record -> the places of the wanted values, in one strict pass.

use std::sync::Arc;

use hashbrown::HashMap;

use super::follow::{Followed, Workspace, follow};
use super::keys::{KeyTree, Slot, Target};
use super::template::{MemberTarget, Template};
use crate::json::cursor::{Cursor, JsonError};
use crate::records::ColumnHeader;
use crate::types::dynamic;

/// Keys of one object that are remembered; an object with more different ones is looked up key by key.
const MAX_REMEMBERED: usize = 1_024;

/// So many objects are laid over one template before it is asked whether another would serve better, ...
const TRIAL: u32 = 256;

/// ... and so many later it is made anew where there is none yet.
const RETRY: u32 = 16;

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
    pub(super) fn new(start: usize, end: usize) -> Self {
        let offset = |at: usize| u32::try_from(at).unwrap_or(0);
        Self { start: offset(start), end: offset(end) }
    }

    /// Moves the end.
    pub(super) fn set_end(&mut self, end: usize) {
        self.end = Self::new(0, end).end;
    }

    /// The value in `record`, the text that was scanned; None where the record has none.
    #[inline]
    pub(crate) fn text<'a>(&self, record: &'a [u8]) -> Option<&'a str> {
        if self.end == self.start {
            return None;
        }
        // The record as a whole has been checked; checking the slice again is cheap and needs no unsafe code.
        record.get(self.start as usize..self.end as usize).and_then(|bytes| simdutf8::basic::from_utf8(bytes).ok())
    }
}

/// Scans records of one layout after the other, and expects each to have the keys of the one before.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each says something of its own")]
pub(crate) struct RecordScanner {
    tree: Arc<KeyTree>,
    remembered: Vec<Remembered>,
    places: Vec<Place>,
    /// Keys of the last record that no shape has: object and key.
    unknown: Vec<(usize, usize)>,
    cells: Option<Cells>,
    /// True if the last record has a text that may stand for an object that is wanted.
    texts: bool,
    /// True if one may be what PowerShell left of such an object.
    cut: bool,
    /// Room for [`follow`] to work in.
    workspace: Workspace,
    /// True if every key that is named again is to be found, which takes time.
    exact: bool,
    /// True if the last record names a wanted key again.
    repeated: bool,
}

/// What the cells of the rows of one table are.
#[derive(Debug)]
struct Cells {
    header: Arc<ColumnHeader>,
    targets: Vec<Target>,
    unknown: Vec<String>,
}

/// The keys of an object: those of the template in its order, then the others as they came.
#[derive(Debug, Default)]
struct Remembered {
    keys: Vec<Member>,
    index: HashMap<Box<[u8]>, usize>,
    template: Option<Template>,
    /// Objects until the template is looked at.
    trial: u32,
    /// How often members were others than in the template since it was looked at last.
    departures: u32,
}

/// A key of an object.
#[derive(Debug)]
struct Member {
    /// The key as it is written, quotes and colon included.
    key: Box<[u8]>,
    target: Target,
}

impl Remembered {
    /// Puts the keys of `order` first.
    fn arrange(&mut self, order: &[usize]) {
        let mut keys: Vec<Option<Member>> = std::mem::take(&mut self.keys).into_iter().map(Some).collect();
        let first: Vec<Member> = order.iter().filter_map(|&found| keys.get_mut(found)?.take()).collect();
        self.keys = first.into_iter().chain(keys.into_iter().flatten()).collect();
        for (place, member) in self.keys.iter().enumerate() {
            let key = member.key.strip_suffix(b":").unwrap_or(&member.key);
            if let Some(found) = self.index.get_mut(key) {
                *found = place;
            }
        }
    }
}

impl RecordScanner {
    /// A scanner for the wanted keys of `tree`.
    pub(crate) fn new(tree: Arc<KeyTree>) -> Self {
        let remembered = (0..tree.node_count()).map(|_| Remembered::default()).collect();
        let places = vec![Place::default(); tree.slot_count()];
        Self {
            tree,
            remembered,
            places,
            unknown: Vec::new(),
            cells: None,
            texts: false,
            cut: false,
            workspace: Workspace::default(),
            exact: false,
            repeated: false,
        }
    }

    /// The same, which finds every key that is named again, not only those that are met on the way.
    pub(crate) fn exact(self, exact: bool) -> Self {
        Self { exact, ..self }
    }

    /// True if the last record names a wanted key again: the last value counts.
    pub(crate) fn repeats_key(&self) -> bool {
        self.repeated
    }

    /// Checks that `record` is one JSON object, and notes where the wanted values are.
    pub(crate) fn scan(&mut self, record: &str) -> Result<(), JsonError> {
        self.places.fill(Place::default());
        self.unknown.clear();
        (self.texts, self.cut, self.repeated) = (false, false, false);
        let mut cursor = Cursor::new(record.as_bytes());
        if cursor.skip_whitespace() != Some(b'{') {
            return Err(cursor.error("no JSON object"));
        }
        self.object(&mut cursor, 0)?;
        cursor.end()
    }

    /// The same for an array of cells, whose columns `header` names.
    pub(crate) fn scan_cells(&mut self, row: &str, header: &Arc<ColumnHeader>) -> Result<(), JsonError> {
        self.places.fill(Place::default());
        self.unknown.clear();
        (self.texts, self.cut) = (false, false);
        let cells = match self.cells.take().filter(|cells| cells.header == *header) {
            Some(cells) => cells,
            None => Cells::new(&self.tree, header),
        };
        let scanned = self.row(row, &cells.targets);
        self.cells = Some(cells);
        scanned
    }

    fn row(&mut self, row: &str, targets: &[Target]) -> Result<(), JsonError> {
        let mut cursor = Cursor::new(row.as_bytes());
        if cursor.skip_whitespace() != Some(b'[') {
            return Err(cursor.error("no row of cells"));
        }
        cursor.advance(1);
        cursor.skip_whitespace();
        for (index, target) in targets.iter().enumerate() {
            if cursor.peek() == Some(b']') {
                return Err(cursor.error("a row with fewer cells than its table has columns"));
            }
            let start = self.member(&mut cursor, target.child)?;
            self.note_at(&target.slots, start, cursor.position());
            if cursor.separator(b']')? {
                return match index + 1 == targets.len() {
                    true => cursor.end(),
                    false => Err(cursor.error("a row with fewer cells than its table has columns")),
                };
            }
        }
        Err(cursor.error("a row with more cells than its table has columns"))
    }

    /// The places of the last record, by slot.
    pub(crate) fn places(&self) -> &[Place] {
        &self.places
    }

    /// True if a text of the last record may stand for an object that is wanted.
    pub(crate) fn has_texts(&self) -> bool {
        self.texts
    }

    /// True if a text of the last record may be what PowerShell left of an object that is wanted.
    pub(crate) fn has_cut(&self) -> bool {
        self.cut
    }

    /// True if the last record has a value for a slot.
    pub(crate) fn has(&self, slot: Slot) -> bool {
        self.places[slot].end != self.places[slot].start
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

    /// Passes an object, the wanted one number `node`.
    fn object(&mut self, cursor: &mut Cursor<'_>, node: usize) -> Result<(), JsonError> {
        let start = cursor.position();
        cursor.advance(1);
        if cursor.skip_whitespace() == Some(b'}') {
            cursor.advance(1);
            return Ok(());
        }
        let mut expected = 0;
        while !self.members(cursor, node, &mut expected)? {}
        self.learn(cursor.passed(start), node);
        Ok(())
    }

    /// Passes members from the key at the cursor on, `expected` or another one; true at the end of the object, false at
    /// another key.
    #[inline]
    fn members(&mut self, cursor: &mut Cursor<'_>, node: usize, expected: &mut usize) -> Result<bool, JsonError> {
        let Self { remembered, places, workspace, .. } = self;
        let remembered = &mut remembered[node];
        if let Some(template) = remembered.template.as_ref().filter(|template| *expected < template.members.len()) {
            match follow(template, *expected, cursor, places, workspace)? {
                Followed::ToEnd => return Ok(true),
                Followed::ToChild(member) => {
                    self.value_of(cursor, node, member)?;
                    *expected = member + 1;
                    return cursor.separator(b'}');
                }
                Followed::Before(member) => {
                    remembered.departures = remembered.departures.saturating_add(1);
                    if member > *expected {
                        *expected = member;
                        if cursor.separator(b'}')? {
                            return Ok(true);
                        }
                    }
                }
            }
        }
        // Exports leave keys out, so the next few are looked at as well.
        let ahead = remembered.keys.iter().skip(*expected).take(LOOK_AHEAD);
        let found = ahead.map(|member| &member.key).position(|key| cursor.rest().starts_with(key));
        match found {
            // From its key on, the template may hold again.
            Some(ahead @ 1..) if remembered.template.is_some() => {
                *expected += ahead;
                return Ok(false);
            }
            Some(ahead) => {
                *expected += ahead;
                cursor.advance(remembered.keys[*expected].key.len());
            }
            None => {
                let found = self.new_key(cursor, node)?;
                if self.exact && found < *expected {
                    // The template is for objects that name each key once.
                    self.value_of(cursor, node, found)?;
                    *expected = usize::MAX;
                    return cursor.separator(b'}');
                }
                *expected = found;
            }
        }
        self.value_of(cursor, node, *expected)?;
        *expected += 1;
        cursor.separator(b'}')
    }

    /// Passes the value of a member, behind its colon.
    fn value_of(&mut self, cursor: &mut Cursor<'_>, node: usize, found: usize) -> Result<(), JsonError> {
        let child = self.remembered[node].keys[found].target.child;
        cursor.skip_whitespace();
        let start = self.member(cursor, child)?;
        self.note(node, found, start, cursor.position());
        Ok(())
    }

    /// Passes a key that was not expected, and its colon: looked up, and remembered where it is new.
    fn new_key(&mut self, cursor: &mut Cursor<'_>, node: usize) -> Result<usize, JsonError> {
        let start = cursor.position();
        cursor.string()?;
        let key = cursor.passed(start);
        let remembered = &mut self.remembered[node];
        let found = match remembered.index.get(key) {
            Some(&found) => found,
            None => {
                let text = std::str::from_utf8(key).unwrap_or("");
                let target = self.tree.resolve(node, &dynamic::unescape(text));
                if remembered.keys.len() >= MAX_REMEMBERED {
                    self.unknown.retain(|(other, _)| *other != node);
                    *remembered = Remembered::default();
                }
                remembered.keys.push(Member { key: [key, b":"].concat().into(), target });
                remembered.index.insert(key.into(), remembered.keys.len() - 1);
                remembered.keys.len() - 1
            }
        };
        cursor.colon()?;
        Ok(found)
    }

    /// Makes a template of an object that was passed, where there is none or a bad one.
    #[inline]
    fn learn(&mut self, text: &[u8], node: usize) {
        let remembered = &mut self.remembered[node];
        match remembered.trial.checked_sub(1) {
            Some(left) => remembered.trial = left,
            None if remembered.template.is_some() && remembered.departures <= TRIAL => {
                (remembered.trial, remembered.departures) = (TRIAL, 0);
            }
            None => self.make_template(text, node),
        }
    }

    #[cold]
    fn make_template(&mut self, text: &[u8], node: usize) {
        // Keys that no shape has are to be told first.
        let untold = self.unknown.iter().any(|(other, _)| *other == node);
        let remembered = &mut self.remembered[node];
        let mut order = Vec::with_capacity(remembered.keys.len());
        let template = Template::of(text, |key| {
            let found = *remembered.index.get(key).filter(|found| !untold && !order.contains(*found))?;
            order.push(found);
            let target = &remembered.keys[found].target;
            Some(MemberTarget { slots: &target.slots, has_child: target.child.is_some() })
        });
        let due = if template.is_some() { TRIAL } else { RETRY };
        if template.is_some() {
            remembered.arrange(&order);
        }
        (remembered.template, remembered.trial, remembered.departures) = (template, due, 0);
    }

    /// Passes a value; goes into it where it is a wanted object.
    fn member(&mut self, cursor: &mut Cursor<'_>, child: Option<usize>) -> Result<usize, JsonError> {
        let start = cursor.position();
        let Some(child) = child else { return cursor.value().map(|range| range.start) };
        // The last of several equal keys counts, with all that is below it.
        if self.exact {
            self.repeated |= self.tree.below(child).iter().any(|&slot| self.places[slot] != Place::default());
        }
        for &slot in self.tree.below(child) {
            self.places[slot] = Place::default();
        }
        if cursor.peek() == Some(b'{') {
            self.object(cursor, child)?;
        } else {
            self.texts |= matches!(cursor.rest(), [b'"', b'{' | b' ' | b'\\', ..]);
            self.cut |= matches!(cursor.rest(), [b'"', b'@' | b'M' | b'S', ..]);
            cursor.value()?;
        }
        Ok(start)
    }

    #[inline]
    fn note(&mut self, node: usize, found: usize, start: usize, end: usize) {
        let target = &self.remembered[node].keys[found].target;
        for &slot in &target.slots {
            self.repeated |= self.places[slot] != Place::default();
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
    fn new(tree: &KeyTree, header: &Arc<ColumnHeader>) -> Self {
        let targets: Vec<Target> = header.names.iter().map(|name| tree.resolve(0, name)).collect();
        let unknown = header.names.iter().zip(&targets).filter(|(_, target)| target.unknown);
        let unknown = unknown.map(|(name, _)| name.clone()).collect();
        Self { header: Arc::clone(header), targets, unknown }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rand::seq::IndexedRandom;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::RecordScanner;
    use crate::json::cursor::JsonError;
    use crate::source::text::keys::KeyTree;

    type Scanned = Result<Vec<Option<String>>, JsonError>;

    /// What the wanted values of a record are, or its flaw.
    fn scan(scanner: &mut RecordScanner, record: &str) -> Scanned {
        let slots = scanner.places().len();
        scanner.scan(record).map(|()| (0..slots).map(|slot| scanner.value(slot, record).map(str::to_owned)).collect())
    }

    fn scanner(paths: &[&[&str]]) -> RecordScanner {
        let mut tree = KeyTree::new();
        for path in paths {
            tree.slot(path, false);
        }
        RecordScanner::new(Arc::new(tree))
    }

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
        let scanner = || scanner(&[&["a"], &["b"]]);
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

    /// Random records that are much like each other.
    struct Records {
        random: ChaCha8Rng,
        keys: Vec<&'static str>,
    }

    impl Records {
        fn new(seed: u64) -> Self {
            let keys = vec!["id", "user", "properties", "policies", "status", "n", "time", "a\\u0062", "wide \u{e9}"];
            Self { random: ChaCha8Rng::seed_from_u64(seed), keys }
        }

        fn one_of(&mut self, list: &[&str]) -> String {
            list.choose(&mut self.random).expect("some").to_string()
        }

        fn text(&mut self) -> String {
            let part = ["a", "Kim", "0b5c2214-d966-487d", "\\\"", "\\\\", "\\u00e9", "\u{e9}", " ", "{", "]", ",", "7"];
            let parts: String = (0..self.random.random_range(0..6)).map(|_| self.one_of(&part)).collect();
            format!("\"{parts}\"")
        }

        fn value(&mut self, depth: usize) -> String {
            match self.random.random_range(0..if depth < 3 { 12 } else { 9 }) {
                0..5 => self.text(),
                5..7 => self.one_of(&["0", "1", "12", "-3", "1.25", "6e4", "100"]),
                7 => self.one_of(&["true", "false", "null"]),
                8 => self.one_of(&["\"2026-03-05T02:06:01Z\"", "\"2026-03-05T02:06:11Z\""]),
                9 | 10 => {
                    let count = self.random.random_range(0..4);
                    let items: Vec<String> = (0..count).map(|_| self.element(depth)).collect();
                    format!("[{}]", items.join(","))
                }
                _ => self.object(&["result", "x"], depth + 1),
            }
        }

        /// An element of an array: often one of a few long objects.
        fn element(&mut self, depth: usize) -> String {
            if self.random.random_bool(0.5) {
                let result = self.one_of(&["success", "failure"]);
                let id = self.one_of(&["76885f58-55f7-4a7a", "b9a1f3b1-cc63-4c85"]);
                return format!("{{\"id\":\"{id}\",\"controls\":[\"Mfa\"],\"result\":\"{result}\"}}");
            }
            self.value(depth + 1)
        }

        fn object(&mut self, keys: &[&str], depth: usize) -> String {
            let mut members = Vec::new();
            for key in keys {
                if self.random.random_bool(0.95) {
                    let blank = if self.random.random_bool(0.98) { "" } else { " " };
                    let value = if *key == "properties" {
                        self.object(&["user", "city", "n"], depth + 1)
                    } else {
                        self.value(depth)
                    };
                    members.push(format!("\"{key}\":{blank}{value}"));
                }
            }
            format!("{{{}}}", members.join(","))
        }

        fn record(&mut self) -> String {
            if self.random.random_bool(0.05) {
                let (from, to) =
                    (self.random.random_range(0..self.keys.len()), self.random.random_range(0..self.keys.len()));
                self.keys.swap(from, to);
            }
            let keys = self.keys.clone();
            let record = self.object(&keys, 0);
            if self.random.random_bool(0.8) { record } else { self.damaged(&record) }
        }

        /// A record with a character left out, doubled, or replaced.
        fn damaged(&mut self, record: &str) -> String {
            let mut characters: Vec<char> = record.chars().collect();
            let at = self.random.random_range(0..characters.len());
            match self.random.random_range(0..4) {
                0 => drop(characters.remove(at)),
                1 => characters.insert(at, characters[at]),
                2 => characters.truncate(at),
                _ => {
                    characters[at] =
                        *['"', '\\', '{', ']', ',', '\u{1}', '0', 'x'].choose(&mut self.random).expect("some")
                }
            }
            characters.into_iter().collect()
        }
    }

    #[test]
    fn records_that_are_alike_are_read_as_each_by_itself() {
        let paths: [&[&str]; 6] =
            [&["id"], &["user"], &["properties", "city"], &["properties", "user"], &["policies"], &["ab"]];
        for seed in 0..200 {
            let mut records = Records::new(seed);
            let mut warm = scanner(&paths);
            let mut sound = 0;
            for _ in 0..300 {
                let record = records.record();
                let cold = scan(&mut scanner(&paths), &record);
                assert_eq!(cold.is_ok(), serde_json::from_str::<serde_json::Value>(&record).is_ok(), "{record}");
                sound += usize::from(cold.is_ok());
                assert_eq!(scan(&mut warm, &record), cold, "seed {seed}: {record}");
            }
            assert!((100..300).contains(&sound), "{sound}");
        }
    }
}
