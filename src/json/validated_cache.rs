//! Objects that were checked before, as elements of arrays have them over and over: the same policies in every sign-in.

use super::cursor::{Cursor, JsonError};

/// Sets of objects; each holds those that begin alike.
const SETS: usize = 64;

/// Objects in a set.
const WAYS: usize = 4;

/// Shorter objects are checked faster than they are found, ...
const MIN_LENGTH: usize = 32;

/// ... and longer ones hardly come again.
const MAX_LENGTH: usize = 1_024;

/// Texts of objects that are JSON.
#[derive(Debug, Default)]
pub(crate) struct ValidatedCache {
    /// Empty until there is an object to remember.
    sets: Vec<CacheSet>,
}

#[derive(Clone, Debug, Default)]
struct CacheSet {
    objects: [CachedObject; WAYS],
    /// The one that is forgotten next.
    oldest: usize,
}

#[derive(Clone, Debug, Default)]
struct CachedObject {
    text: Vec<u8>,
    /// How many arrays and objects were around it.
    depth: usize,
}

impl ValidatedCache {
    /// Passes one value around which there are `depth` arrays and objects.
    pub(crate) fn value(&mut self, cursor: &mut Cursor<'_>, depth: usize) -> Result<(), JsonError> {
        if !cursor.rest().starts_with(b"[") {
            return cursor.nested_value(depth);
        }
        cursor.enter_array(depth)?;
        if cursor.skip_whitespace() == Some(b']') {
            cursor.advance(1);
            return Ok(());
        }
        loop {
            self.element(cursor, depth + 1)?;
            if cursor.separator(b']')? {
                return Ok(());
            }
        }
    }

    fn element(&mut self, cursor: &mut Cursor<'_>, depth: usize) -> Result<(), JsonError> {
        let rest = cursor.rest();
        let Some(set) = set_of(rest) else { return cursor.nested_value(depth) };
        if let Some(set) = self.sets.get(set)
            && let Some(known) = set.objects.iter().find(|known| known.is(rest, depth))
        {
            cursor.advance(known.text.len());
            return Ok(());
        }
        cursor.nested_value(depth)?;
        let text = &rest[..rest.len() - cursor.rest().len()];
        if (MIN_LENGTH..=MAX_LENGTH).contains(&text.len()) {
            self.remember(set, text, depth);
        }
        Ok(())
    }

    fn remember(&mut self, set: usize, text: &[u8], depth: usize) {
        if self.sets.is_empty() {
            self.sets.resize_with(SETS, CacheSet::default);
        }
        let CacheSet { objects, oldest } = &mut self.sets[set];
        let object = &mut objects[*oldest];
        *oldest = (*oldest + 1) % WAYS;
        object.text.clear();
        object.text.extend_from_slice(text);
        object.depth = depth;
    }
}

impl CachedObject {
    fn is(&self, rest: &[u8], depth: usize) -> bool {
        !self.text.is_empty() && self.depth == depth && rest.starts_with(&self.text)
    }
}

/// The set of an object, told by its first bytes: objects of one key and different values are in different ones, mostly.
/// Whoever writes objects that share a set makes them no slower than without a memo by more than a few comparisons.
fn set_of(rest: &[u8]) -> Option<usize> {
    let head: &[u8; MIN_LENGTH] = rest.first_chunk().filter(|head| head[0] == b'{')?;
    let mixed = head.as_chunks::<8>().0.iter().fold(0_u64, |mixed, part| {
        (mixed ^ u64::from_le_bytes(*part)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
    });
    usize::try_from(mixed % SETS as u64).ok()
}
