//! A dictionary of the distinct elements of dynamic values. Logs have many arrays, but few distinct elements in them,
//! so operators after `mv-expand` work once per distinct element.

use std::borrow::Cow;

use arrow::array::{StringArray, StringBuilder};

use crate::types::dynamic::{self, Kind};
use crate::types::interner::{Interner, InternerFull};

/// Number of elements after which the dictionary is abandoned, if most of them are distinct.
const SAMPLE_ELEMENTS: usize = 2_048;

/// Encodes elements: the code of an element is its position among the distinct ones, in the order of first occurrence.
pub(super) struct ElementDictionary {
    elements: Interner<StringBuilder>,
    /// A guess of the next element. At index 0: the element that the last array began with. At index i + 1: the element
    /// that followed element i last.
    followers: Vec<Option<u32>>,
    /// The number of elements encoded so far.
    encoded: usize,
}

/// Calls `each` with the elements of a value. A null has one element, a null, and a scalar is its own only element.
pub(super) fn for_each_element<'a>(json: Option<&'a str>, as_arrays: bool, mut each: impl FnMut(UnnestElement<'a>)) {
    let Some(json) = json else { return each(UnnestElement::Value("null")) };
    match dynamic::kind(json) {
        Kind::Array => dynamic::elements(json).for_each(|element| each(UnnestElement::Value(element))),
        Kind::Bag => {
            let entries = dynamic::unique_entries(json).into_iter();
            entries
                .for_each(|entry| each(UnnestElement::Entry { key: entry.key.json(), value: entry.value, as_arrays }));
        }
        _ => each(UnnestElement::Value(json)),
    }
}

/// An element of an array or bag.
#[derive(Clone, Copy)]
pub(super) enum UnnestElement<'a> {
    Value(&'a str),
    Entry { key: &'a str, value: &'a str, as_arrays: bool },
}

impl<'a> UnnestElement<'a> {
    pub fn to_json(self) -> Cow<'a, str> {
        match self {
            Self::Value(json) => Cow::Borrowed(json),
            Self::Entry { key, value, as_arrays: true } => Cow::Owned(format!("[{key},{value}]")),
            Self::Entry { key, value, as_arrays: false } => Cow::Owned(format!("{{{key}:{value}}}")),
        }
    }
}

impl ElementDictionary {
    pub fn new() -> Self {
        Self { elements: Interner::with_random_seed(StringBuilder::new()), followers: vec![None], encoded: 0 }
    }

    /// Appends the codes of the elements of `value` to `codes`; None stands for a null element.
    ///
    /// # Errors
    /// [`InternerFull`] if the distinct elements are too large for one array.
    pub fn encode(
        &mut self,
        value: Option<&str>,
        as_arrays: bool,
        codes: &mut Vec<Option<i32>>,
    ) -> Result<(), InternerFull> {
        let before = codes.len();
        match value {
            Some(json) if dynamic::kind(json) == Kind::Array => self.encode_array(json, codes)?,
            other => {
                let mut result = Ok(());
                for_each_element(other, as_arrays, |element| {
                    let code = if result.is_ok() { self.code(&element.to_json()) } else { Ok(None) };
                    codes.push(code.unwrap_or_else(|full| {
                        result = Err(full);
                        None
                    }));
                });
                result?;
            }
        }
        self.encoded += codes.len() - before;
        Ok(())
    }

    /// True if there is a sample of elements, and more than half of them are distinct.
    pub fn is_mostly_distinct(&self) -> bool {
        self.encoded >= SAMPLE_ELEMENTS && self.elements.len() > self.encoded / 2
    }

    /// Encodes the elements of an array. If the JSON continues with the whole text of the element that is expected
    /// next, that element is skipped without being parsed. This is safe because the text of an object, array or string
    /// shows where it ends.
    fn encode_array(&mut self, json: &str, codes: &mut Vec<Option<i32>>) -> Result<(), InternerFull> {
        let mut elements = dynamic::elements(json);
        let mut before = 0;
        loop {
            let expected = self.followers.get(before).copied().flatten();
            let code = match expected {
                Some(code) if elements.skip_if(self.elements.get(code as usize)) => Some(code),
                _ => match elements.next() {
                    Some(element) => {
                        let code = self.code(element)?.and_then(|code| u32::try_from(code).ok());
                        if let Some(follower) = self.followers.get_mut(before) {
                            *follower = code.filter(|_| element.starts_with(['{', '[', '"']));
                        }
                        code
                    }
                    None => return Ok(()),
                },
            };
            codes.push(code.and_then(|code| i32::try_from(code).ok()));
            before = code.map_or(before, |code| code as usize + 1);
        }
    }

    /// Returns the code of an element; None for null.
    fn code(&mut self, element: &str) -> Result<Option<i32>, InternerFull> {
        if element == "null" {
            return Ok(None);
        }
        let code = i32::try_from(self.elements.intern(element)?).map_err(|_| InternerFull)?;
        self.followers.resize(self.elements.len() + 1, None);
        Ok(Some(code))
    }

    /// Returns the distinct elements; the code of an element is its position.
    pub fn finish(self) -> StringArray {
        self.elements.into_strings().finish()
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::Array;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::{ElementDictionary, UnnestElement, for_each_element};

    #[test]
    fn expected_elements_are_those_that_parsing_finds() {
        let elements = [
            "{\"a\":1}",
            "{\"a\":1,\"b\":[2]}",
            "1",
            "12",
            "null",
            "\"1\"",
            "\"1\\\"\"",
            "[]",
            "[1]",
            "true",
            " 7",
            "{ }",
        ];
        let mut random = ChaCha8Rng::seed_from_u64(11);
        for _ in 0..200 {
            let mut dictionary = ElementDictionary::new();
            let (mut codes, mut expected) = (Vec::new(), Vec::new());
            for _ in 0..random.random_range(1..30) {
                let count = random.random_range(0..6);
                let chosen: Vec<&str> = (0..count).map(|_| elements[random.random_range(0..elements.len())]).collect();
                let separator = [",", ", ", " ,"][random.random_range(0..3)];
                let array = format!("[{}]", chosen.join(separator));
                for_each_element(Some(&array), false, |element| match element {
                    UnnestElement::Value(json) => expected.push((json != "null").then(|| json.to_owned())),
                    UnnestElement::Entry { .. } => panic!("an entry of an array"),
                });
                assert!(dictionary.encode(Some(&array), false, &mut codes).is_ok());
            }
            let values = dictionary.finish();
            let found =
                codes.iter().map(|code| code.map(|code| values.value(usize::try_from(code).unwrap()).to_owned()));
            assert_eq!(found.collect::<Vec<_>>(), expected);
            assert!(values.len() <= elements.len());
        }
    }

    #[test]
    fn distinct_elements_are_noticed() {
        let mut dictionary = ElementDictionary::new();
        let mut codes = Vec::new();
        let array =
            |from: usize| format!("[{}]", (from..from + 100).map(|n| n.to_string()).collect::<Vec<_>>().join(","));
        let ended = (0..100).position(|part| {
            assert!(dictionary.encode(Some(&array(part * 100)), false, &mut codes).is_ok());
            dictionary.is_mostly_distinct()
        });
        assert_eq!(ended, Some(20));
    }
}
