//! Validates a record in one strict pass and finds the positions of the needed values.

use std::sync::Arc;

use hashbrown::HashMap;

use super::key_tree::{KeyTarget, KeyTree, ValueSlot};
use super::template::{MemberTarget, Template};
use super::template_parser::{MatchOutcome, ParserWorkspace, match_template};
use crate::json::cursor::{Cursor, JsonError};
use crate::records::ColumnHeader;
use crate::types::dynamic;

/// Maximum number of keys in an object layout. An object with more distinct keys starts a new layout.
const MAX_LAYOUT_KEYS: usize = 1_024;

/// Number of objects after which the scanner checks whether another template would match better.
const RELEARN_INTERVAL: u32 = 256;

/// Number of objects without a template after which the scanner tries again to make one.
const RETRY_INTERVAL: u32 = 16;

/// Number of expected keys that are compared with the next key, because exports omit some keys.
const LOOK_AHEAD: usize = 4;

/// The range of a value in the scanned bytes; empty if the record does not have the value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ValueRange {
    start: u32,
    end: u32,
}

impl ValueRange {
    /// Returns the range from `start` to `end`, which are at most
    /// [`ReadLimits::max_record_bytes`](crate::storage::limits::ReadLimits).
    pub(super) fn new(start: usize, end: usize) -> Self {
        let offset = |at: usize| u32::try_from(at).unwrap_or(0);
        Self { start: offset(start), end: offset(end) }
    }

    /// Sets the end of the range.
    pub(super) fn set_end(&mut self, end: usize) {
        self.end = Self::new(0, end).end;
    }

    /// Returns the value in `record`, the scanned text; None if the record does not have it.
    #[inline]
    pub(crate) fn text<'a>(&self, record: &'a [u8]) -> Option<&'a str> {
        // The record was validated; validating the slice again is cheap and avoids unsafe code.
        self.bytes(record).and_then(|bytes| simdutf8::basic::from_utf8(bytes).ok())
    }

    /// Returns the bytes of the value in `record`; None if the record does not have it.
    #[inline]
    pub(crate) fn bytes<'a>(&self, record: &'a [u8]) -> Option<&'a [u8]> {
        if self.end == self.start {
            return None;
        }
        record.get(self.start as usize..self.end as usize)
    }
}

/// Scans records one after the other; it is fast if each has the keys of the previous one.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each says something of its own")]
pub(crate) struct RecordScanner {
    tree: Arc<KeyTree>,
    layouts: Vec<ObjectLayout>,
    ranges: Vec<ValueRange>,
    /// The keys of the last record that no known shape has, each as the index of its layout and of the key there.
    unknown: Vec<(usize, usize)>,
    cells: Option<CellTargets>,
    /// True if the last record has a string in place of a needed object.
    texts: bool,
    /// True if such a string may come from an object that PowerShell truncated.
    cut: bool,
    /// Allocations and caches that [`match_template`] reuses.
    workspace: ParserWorkspace,
    /// True if every duplicate key must be found, which takes more time.
    finds_all_duplicates: bool,
    /// True if the last record has a needed key more than once.
    has_duplicate: bool,
}

/// For each column of a header, the slots that its cells fill.
#[derive(Debug)]
struct CellTargets {
    header: Arc<ColumnHeader>,
    targets: Vec<KeyTarget>,
    unknown: Vec<String>,
}

/// The keys of an object: first those of the template in its order, then other keys in the order in which they
/// occurred.
#[derive(Debug, Default)]
struct ObjectLayout {
    keys: Vec<LayoutKey>,
    index: HashMap<Box<[u8]>, usize>,
    template: Option<Template>,
    /// Number of objects until the scanner checks again whether the template is a good one.
    until_relearn: u32,
    /// Number of mismatches since the last such check.
    mismatches: u32,
}

/// A key of an object layout.
#[derive(Debug)]
struct LayoutKey {
    /// The key as written, with its quotes and colon.
    key: Box<[u8]>,
    target: KeyTarget,
}

impl ObjectLayout {
    /// Moves the keys at the positions `order` to the front, in this order.
    fn arrange(&mut self, order: &[usize]) {
        let mut keys: Vec<Option<LayoutKey>> = std::mem::take(&mut self.keys).into_iter().map(Some).collect();
        let first: Vec<LayoutKey> = order.iter().filter_map(|&found| keys.get_mut(found)?.take()).collect();
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
    /// Creates a scanner that finds the values of the keys of `tree`.
    pub(crate) fn new(tree: Arc<KeyTree>) -> Self {
        let layouts = (0..tree.node_count()).map(|_| ObjectLayout::default()).collect();
        let ranges = vec![ValueRange::default(); tree.slot_count()];
        Self {
            tree,
            layouts,
            ranges,
            unknown: Vec::new(),
            cells: None,
            texts: false,
            cut: false,
            workspace: ParserWorkspace::default(),
            finds_all_duplicates: false,
            has_duplicate: false,
        }
    }

    /// Returns the scanner; with `finds_all_duplicates`, it finds every duplicate key, otherwise only those that cost
    /// no extra time.
    pub(crate) fn finding_all_duplicates(self, finds_all_duplicates: bool) -> Self {
        Self { finds_all_duplicates, ..self }
    }

    /// True if the last record has a needed key more than once; the last value is used then.
    pub(crate) fn has_duplicate_key(&self) -> bool {
        self.has_duplicate
    }

    /// Validates that `record` is one JSON object, and records the positions of the needed values.
    pub(crate) fn scan(&mut self, record: &str) -> Result<(), JsonError> {
        self.ranges.fill(ValueRange::default());
        self.unknown.clear();
        (self.texts, self.cut, self.has_duplicate) = (false, false, false);
        let mut cursor = Cursor::new(record.as_bytes());
        if cursor.skip_whitespace() != Some(b'{') {
            return Err(cursor.error("not a JSON object"));
        }
        self.object(&mut cursor, 0)?;
        cursor.end()
    }

    /// Like [`Self::scan`], for an array of cells whose columns `header` names.
    pub(crate) fn scan_cells(&mut self, row: &str, header: &Arc<ColumnHeader>) -> Result<(), JsonError> {
        self.ranges.fill(ValueRange::default());
        self.unknown.clear();
        (self.texts, self.cut) = (false, false);
        let cells = match self.cells.take().filter(|cells| cells.header == *header) {
            Some(cells) => cells,
            None => CellTargets::new(&self.tree, header),
        };
        let scanned = self.row(row, &cells.targets);
        self.cells = Some(cells);
        scanned
    }

    fn row(&mut self, row: &str, targets: &[KeyTarget]) -> Result<(), JsonError> {
        let mut cursor = Cursor::new(row.as_bytes());
        if cursor.skip_whitespace() != Some(b'[') {
            return Err(cursor.error("not a row of cells"));
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

    /// Returns the ranges of the values of the last record, by slot.
    pub(crate) fn ranges(&self) -> &[ValueRange] {
        &self.ranges
    }

    /// True if the last record has a string in place of a needed object.
    pub(crate) fn has_texts(&self) -> bool {
        self.texts
    }

    /// True if a string of the last record may come from a needed object that PowerShell truncated.
    pub(crate) fn has_cut(&self) -> bool {
        self.cut
    }

    /// True if the last record has a value for `slot`.
    pub(crate) fn has(&self, slot: ValueSlot) -> bool {
        self.ranges[slot].end != self.ranges[slot].start
    }

    /// Returns the value of a slot in the last record, whose text is `record`; None if it has none.
    pub(crate) fn value<'a>(&self, slot: ValueSlot, record: &'a str) -> Option<&'a str> {
        self.ranges[slot].text(record.as_bytes())
    }

    /// Returns the keys of the last record that no known shape has. Each key is returned only once in the life of the
    /// scanner.
    pub(crate) fn take_unknown(&mut self) -> Vec<String> {
        let Self { unknown, layouts, cells, .. } = self;
        let name = |(node, found): (usize, usize)| {
            let LayoutKey { key, target, .. } = &mut layouts[node].keys[found];
            target.unknown = false;
            let key = key.strip_suffix(b":").unwrap_or(key);
            dynamic::unescape(std::str::from_utf8(key).unwrap_or("")).into_owned()
        };
        let of_table = cells.as_mut().map(|cells| std::mem::take(&mut cells.unknown)).unwrap_or_default();
        unknown.drain(..).map(name).chain(of_table).collect()
    }

    /// Moves the cursor over an object, whose number in the key tree is `node`, and records its needed values.
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

    /// Moves the cursor over members, starting at the key under it, which may be the `expected` one. Returns true at
    /// the end of the object, false at a key that was not expected.
    #[inline]
    fn members(&mut self, cursor: &mut Cursor<'_>, node: usize, expected: &mut usize) -> Result<bool, JsonError> {
        let Self { layouts, ranges, workspace, .. } = self;
        let layout = &mut layouts[node];
        if let Some(template) = layout.template.as_ref().filter(|template| *expected < template.members.len()) {
            match match_template(template, *expected, cursor, ranges, workspace)? {
                MatchOutcome::ToEnd => return Ok(true),
                MatchOutcome::ToChild(member) => {
                    self.value_of(cursor, node, member)?;
                    *expected = member + 1;
                    return cursor.separator(b'}');
                }
                MatchOutcome::Before(member) => {
                    layout.mismatches = layout.mismatches.saturating_add(1);
                    if member > *expected {
                        *expected = member;
                        if cursor.separator(b'}')? {
                            return Ok(true);
                        }
                    }
                }
            }
        }
        // Exports omit keys, so the next few are compared as well.
        let ahead = layout.keys.iter().skip(*expected).take(LOOK_AHEAD);
        let found = ahead.map(|member| &member.key).position(|key| cursor.rest().starts_with(key));
        match found {
            // From this key on, the template may match again.
            Some(ahead @ 1..) if layout.template.is_some() => {
                *expected += ahead;
                return Ok(false);
            }
            Some(ahead) => {
                *expected += ahead;
                cursor.advance(layout.keys[*expected].key.len());
            }
            None => {
                let found = self.new_key(cursor, node)?;
                if self.finds_all_duplicates && found < *expected {
                    // Templates assume that each key occurs once.
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

    /// Moves the cursor over the value of a member, after its colon.
    fn value_of(&mut self, cursor: &mut Cursor<'_>, node: usize, found: usize) -> Result<(), JsonError> {
        let child = self.layouts[node].keys[found].target.child;
        cursor.skip_whitespace();
        let start = self.member(cursor, child)?;
        self.note(node, found, start, cursor.position());
        Ok(())
    }

    /// Moves the cursor over an unexpected key and its colon. Returns its position in the layout, to which it is
    /// added if it is new.
    fn new_key(&mut self, cursor: &mut Cursor<'_>, node: usize) -> Result<usize, JsonError> {
        let start = cursor.position();
        cursor.string()?;
        let key = cursor.passed(start);
        let layout = &mut self.layouts[node];
        let found = match layout.index.get(key) {
            Some(&found) => found,
            None => {
                let text = std::str::from_utf8(key).unwrap_or("");
                let target = self.tree.resolve(node, &dynamic::unescape(text));
                if layout.keys.len() >= MAX_LAYOUT_KEYS {
                    self.unknown.retain(|(other, _)| *other != node);
                    *layout = ObjectLayout::default();
                }
                layout.keys.push(LayoutKey { key: [key, b":"].concat().into(), target });
                layout.index.insert(key.into(), layout.keys.len() - 1);
                layout.keys.len() - 1
            }
        };
        cursor.colon()?;
        Ok(found)
    }

    /// Makes a template of an object that was scanned, if there is no template or if it matches badly.
    #[inline]
    fn learn(&mut self, text: &[u8], node: usize) {
        let layout = &mut self.layouts[node];
        match layout.until_relearn.checked_sub(1) {
            Some(left) => layout.until_relearn = left,
            None if layout.template.is_some() && layout.mismatches <= RELEARN_INTERVAL => {
                (layout.until_relearn, layout.mismatches) = (RELEARN_INTERVAL, 0);
            }
            None => self.make_template(text, node),
        }
    }

    #[cold]
    fn make_template(&mut self, text: &[u8], node: usize) {
        // Unknown keys must be reported first.
        let unlabelled = self.unknown.iter().any(|(other, _)| *other == node);
        let layout = &mut self.layouts[node];
        let mut order = Vec::with_capacity(layout.keys.len());
        let template = Template::of(text, |key| {
            let found = *layout.index.get(key).filter(|found| !unlabelled && !order.contains(*found))?;
            order.push(found);
            let target = &layout.keys[found].target;
            Some(MemberTarget { slots: &target.slots, has_child: target.child.is_some() })
        });
        let due = if template.is_some() { RELEARN_INTERVAL } else { RETRY_INTERVAL };
        if template.is_some() {
            layout.arrange(&order);
        }
        (layout.template, layout.until_relearn, layout.mismatches) = (template, due, 0);
    }

    /// Moves the cursor over a value, and records the needed values inside it if it is a needed object. Returns its
    /// start.
    fn member(&mut self, cursor: &mut Cursor<'_>, child: Option<usize>) -> Result<usize, JsonError> {
        let start = cursor.position();
        let Some(child) = child else { return cursor.value().map(|range| range.start) };
        // The last of several duplicate keys is used, with everything below it.
        if self.finds_all_duplicates {
            self.has_duplicate |= self.tree.below(child).iter().any(|&slot| self.ranges[slot] != ValueRange::default());
        }
        for &slot in self.tree.below(child) {
            self.ranges[slot] = ValueRange::default();
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
        let target = &self.layouts[node].keys[found].target;
        for &slot in &target.slots {
            self.has_duplicate |= self.ranges[slot] != ValueRange::default();
            self.ranges[slot] = ValueRange::new(start, end);
        }
        if target.unknown {
            self.unknown.push((node, found));
        }
    }

    fn note_at(&mut self, slots: &[ValueSlot], start: usize, end: usize) {
        for &slot in slots {
            self.ranges[slot] = ValueRange::new(start, end);
        }
    }
}

impl CellTargets {
    fn new(tree: &KeyTree, header: &Arc<ColumnHeader>) -> Self {
        let targets: Vec<KeyTarget> = header.names.iter().map(|name| tree.resolve(0, name)).collect();
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
    use crate::source::text::key_tree::KeyTree;

    type Scanned = Result<Vec<Option<String>>, JsonError>;

    /// Returns the values of all slots in a record, or the reason why it cannot be read.
    fn scan(scanner: &mut RecordScanner, record: &str) -> Scanned {
        let slots = scanner.ranges().len();
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

    /// Generates random records that are very similar to each other.
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

        /// Returns an element of an array: often one of a few long objects.
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

        /// Returns a record with one character removed, doubled or replaced, or with its end removed.
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
