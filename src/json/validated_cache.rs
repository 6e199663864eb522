//! A cache of validated elements of arrays. It is useful because sign-ins repeat the same policy objects.

use super::cursor::{Cursor, JsonError};

/// Number of sets in the cache. The set of an object is the hash of its first bytes.
const SETS: usize = 64;

/// Number of objects in a set.
const WAYS: usize = 4;

/// Minimum length in bytes of an object that is looked up. Validating a shorter object is faster than looking it up.
const MIN_LENGTH: usize = 32;

/// Maximum length in bytes of an object that is stored. Longer objects are rarely repeated.
const MAX_LENGTH: usize = 1_024;

/// A set-associative cache of objects that are valid JSON.
#[derive(Debug, Default)]
pub(crate) struct ValidatedCache {
    /// The sets; empty until the first object is stored.
    sets: Vec<CacheSet>,
}

#[derive(Clone, Debug, Default)]
struct CacheSet {
    objects: [CachedObject; WAYS],
    /// The index of the object that is replaced next.
    oldest: usize,
}

#[derive(Clone, Debug, Default)]
struct CachedObject {
    text: Vec<u8>,
    /// Number of arrays and objects around the object. The same text may be nested too deeply in another place.
    depth: usize,
}

impl ValidatedCache {
    /// Skips and validates the value at the position; `depth` is the number of arrays and objects around it. If the
    /// value is an array, its elements are looked up in the cache.
    #[inline]
    pub(crate) fn value(&mut self, cursor: &mut Cursor<'_>, depth: usize) -> Result<(), JsonError> {
        if cursor.rest().starts_with(b"[") { self.array(cursor, depth) } else { cursor.nested_value(depth) }
    }

    fn array(&mut self, cursor: &mut Cursor<'_>, depth: usize) -> Result<(), JsonError> {
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
            self.store(set, text, depth);
        }
        Ok(())
    }

    fn store(&mut self, set: usize, text: &[u8], depth: usize) {
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

/// Returns the set of an object, which is a hash of its first bytes; None for short objects and for anything else.
/// Objects with the same first key but different values are mostly in different sets. If an attacker makes all
/// objects fall into one set, this costs only a few more comparisons than having no cache.
fn set_of(rest: &[u8]) -> Option<usize> {
    let head: &[u8; MIN_LENGTH] = rest.first_chunk().filter(|head| head[0] == b'{')?;
    let mixed = head.as_chunks::<8>().0.iter().fold(0_u64, |mixed, part| {
        (mixed ^ u64::from_le_bytes(*part)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
    });
    usize::try_from(mixed % SETS as u64).ok()
}
