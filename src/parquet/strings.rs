//! Converts strings of a file to the type of the table column. Strings in a dictionary are converted once for each
//! entry.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, DictionaryArray, Int32Array, StringArray, StringBuilder, StringViewArray,
    StringViewBuilder, UInt32Array,
};
use arrow::compute::kernels::zip::zip;
use arrow::datatypes::{DataType, Int32Type};

use super::cast::cast;
use super::times::{ConversionFinding, TimeReader};
use crate::diagnostic::{Error, Result};
use crate::entra::dynamic_strings::{Fit, HeldJson, has_unpaired_surrogate, read_dynamic_string};
use crate::json::validated_cache::ValidatedCache;
use crate::types::column::text_at;
use crate::types::dictionary_encode::{DictionaryEncoder, EncodedStrings};
use crate::types::{Column, ColumnBuilder, Type, Value, dynamic};

/// Converts the strings of one column.
///
/// The batches of a chunk share one dictionary. The converted dictionary is cached, so that it is converted only
/// once, and so that later operators see the same `Arc` and can cache results for it.
#[derive(Debug)]
pub(super) struct StringConverter {
    target: Type,
    times: TimeReader,
    /// Set if the query reads only paths inside the values: equal strings are then encoded as a dictionary, so that a
    /// path is extracted once for each distinct string.
    repeats: Option<DictionaryEncoder>,
    dictionary: Option<ConvertedDictionary>,
    /// Elements of arrays in a dynamic column that were validated before.
    elements: ValidatedCache,
    findings: StringFindings,
}

/// The numbers of strings that must be reported.
#[derive(Clone, Debug, Default)]
pub(super) struct StringFindings {
    /// Strings that were converted to another type, by what must be reported about them.
    pub values: BTreeMap<ConversionFinding, usize>,
    /// Strings of a dynamic column that are in Python's notation; they are converted to JSON.
    pub python: usize,
    /// Strings of a dynamic column that are not JSON; they stay strings.
    pub not_json: usize,
    /// Strings of a dynamic column that contain half of a surrogate pair.
    pub half_pairs: usize,
}

impl StringFindings {
    fn add(&mut self, fit: Fit) {
        match fit {
            Fit::Python => self.python += 1,
            Fit::NotJson => self.not_json += 1,
            Fit::HalfPair => self.half_pairs += 1,
            _ => {}
        }
    }

    fn add_value(&mut self, finding: Option<ConversionFinding>) {
        if let Some(finding) = finding {
            *self.values.entry(finding).or_default() += 1;
        }
    }

    /// Counts how many of `keys` refer to entries in `inexact`.
    fn add_keys(&mut self, keys: &Int32Array, inexact: &InexactEntries) {
        if inexact.is_empty() {
            return;
        }
        for key in keys.iter().flatten() {
            if let Ok(at) = inexact.binary_search_by_key(&index(key), |(entry, _)| *entry) {
                self.add(inexact[at].1);
            }
        }
    }
}

/// The positions of the dictionary entries that are not valid JSON, sorted, each with how it was converted.
type InexactEntries = Vec<(usize, Fit)>;

/// A dictionary of the file, and its converted entries.
#[derive(Debug)]
struct ConvertedDictionary {
    original: ArrayRef,
    values: ConvertedEntries,
}

#[derive(Debug)]
enum ConvertedEntries {
    /// The distinct strings of a string column. The cell is filled when a null first occurs: with the strings and "",
    /// and the position of "", which stands for null.
    Strings(ArrayRef, OnceCell<(ArrayRef, i32)>),
    /// The distinct strings of a dynamic column as JSON, and which of them were not valid JSON.
    Json(ArrayRef, InexactEntries),
    /// Values of any other type, and for each what must be reported.
    Parsed(Column, Vec<Option<ConversionFinding>>),
}

impl StringConverter {
    /// Creates a converter to columns of type `target`; `times` reads datetimes. `is_taken_apart` is true if the
    /// query reads only paths inside the values.
    pub fn new(target: Type, is_taken_apart: bool, times: TimeReader) -> Self {
        let repeats = is_taken_apart.then(DictionaryEncoder::default);
        Self {
            target,
            times,
            repeats,
            dictionary: None,
            elements: ValidatedCache::default(),
            findings: StringFindings::default(),
        }
    }

    /// Returns the findings since the last call.
    pub fn take_findings(&mut self) -> StringFindings {
        std::mem::take(&mut self.findings)
    }

    /// Converts an array of type Utf8View or Dictionary(Int32, Utf8).
    pub fn convert(&mut self, array: &ArrayRef) -> Result<Column> {
        match array.as_any().downcast_ref::<DictionaryArray<Int32Type>>() {
            Some(dictionary) => self.convert_dictionary(dictionary),
            None => self.convert_views(array),
        }
    }

    fn convert_views(&mut self, array: &ArrayRef) -> Result<Column> {
        match self.target {
            Type::String => Ok(Column::array(Type::String, without_nulls(array)?)),
            Type::Dynamic => {
                let encoded = self.repeats.as_mut().and_then(|repeats| repeats.encode(array.as_string_view()));
                let json = match encoded {
                    Some(encoded) => encoded_as_json(encoded, &mut self.elements, &mut self.findings)?,
                    None => views_as_json(array, &mut self.elements, &mut self.findings),
                };
                Ok(Column::array(Type::Dynamic, json))
            }
            target => {
                let (column, findings) = parse_all(array, target, &self.times);
                findings.into_iter().for_each(|finding| self.findings.add_value(finding));
                Ok(column)
            }
        }
    }

    fn convert_dictionary(&mut self, dictionary: &DictionaryArray<Int32Type>) -> Result<Column> {
        let keys = dictionary.keys();
        let known = self.dictionary.take().filter(|known| Arc::ptr_eq(&known.original, dictionary.values()));
        let converted = match known {
            Some(known) => known,
            None => ConvertedDictionary::new(dictionary.values(), self.target, &self.times, &mut self.elements)?,
        };
        let column = match &converted.values {
            // The keys stay valid: the new values are at least as many.
            ConvertedEntries::Strings(strings, with_empty) if keys.null_count() == 0 => {
                let strings = with_empty.get().map_or(strings, |(strings, _)| strings);
                Column::array(Type::String, Arc::new(dictionary.with_values(Arc::clone(strings))))
            }
            ConvertedEntries::Strings(strings, with_empty) => {
                let (strings, empty) = with_empty.get_or_init(|| self::with_empty(strings));
                let keys: Int32Array = keys.iter().map(|key| Some(key.unwrap_or(*empty))).collect();
                Column::array(Type::String, Arc::new(DictionaryArray::try_new(keys, Arc::clone(strings))?))
            }
            ConvertedEntries::Json(strings, inexact) => {
                self.findings.add_keys(keys, inexact);
                Column::array(Type::Dynamic, Arc::new(dictionary.with_values(Arc::clone(strings))))
            }
            ConvertedEntries::Parsed(values, findings) => {
                keys.iter().flatten().for_each(|key| self.findings.add_value(findings[index(key)]));
                let rows: UInt32Array =
                    keys.iter().map(|key| key.and_then(|key| u32::try_from(index(key)).ok())).collect();
                values.take(&rows)?
            }
        };
        self.dictionary = Some(converted);
        Ok(column)
    }
}

fn index(key: i32) -> usize {
    usize::try_from(key).expect("keys of a dictionary array are not negative")
}

impl ConvertedDictionary {
    fn new(original: &ArrayRef, target: Type, times: &TimeReader, elements: &mut ValidatedCache) -> Result<Self> {
        let strings = original.as_any().downcast_ref::<StringArray>();
        let strings = strings.ok_or_else(|| Error::internal("a dictionary of strings is not of type Utf8"))?;
        let values = match target {
            Type::String => ConvertedEntries::Strings(Arc::clone(original), OnceCell::new()),
            Type::Dynamic => {
                let (strings, inexact) = all_as_json(strings.iter(), elements);
                ConvertedEntries::Json(Arc::new(strings), inexact)
            }
            target => {
                let (column, findings) = parse_all(original, target, times);
                ConvertedEntries::Parsed(column, findings)
            }
        };
        Ok(Self { original: Arc::clone(original), values })
    }
}

/// Returns the strings, with "" appended if it is missing, and the position of "".
fn with_empty(original: &ArrayRef) -> (ArrayRef, i32) {
    let place = |place: usize| i32::try_from(place).unwrap_or(0);
    let strings = original.as_string::<i32>();
    if let Some(found) = (0..strings.len()).find(|&row| strings.value_length(row) == 0) {
        return (Arc::clone(original), place(found));
    }
    let mut builder = StringBuilder::with_capacity(strings.len() + 1, strings.value_data().len());
    strings.iter().for_each(|text| builder.append_value(text.unwrap_or_default()));
    builder.append_value("");
    (Arc::new(builder.finish()), place(strings.len()))
}

/// Returns the strings with "" in place of nulls.
fn without_nulls(array: &ArrayRef) -> Result<ArrayRef> {
    let Some(nulls) = array.nulls().filter(|nulls| nulls.null_count() > 0) else {
        return Ok(Arc::clone(array));
    };
    let valid = BooleanArray::new(nulls.inner().clone(), None);
    let empty = StringViewArray::new_scalar("");
    Ok(zip(&valid, array, &empty)?)
}

/// Converts dictionary-encoded strings to JSON, once for each distinct string.
fn encoded_as_json(
    encoded: EncodedStrings,
    elements: &mut ValidatedCache,
    findings: &mut StringFindings,
) -> Result<ArrayRef> {
    let (strings, inexact) = all_as_json(encoded.texts.iter(), elements);
    findings.add_keys(&encoded.keys, &inexact);
    Ok(Arc::new(DictionaryArray::try_new(encoded.keys, Arc::new(strings))?))
}

/// Converts the entries of a dictionary to JSON. Returns which of them were not valid JSON, too.
fn all_as_json<'a>(
    strings: impl Iterator<Item = Option<&'a str>>,
    elements: &mut ValidatedCache,
) -> (StringArray, InexactEntries) {
    let mut inexact = InexactEntries::new();
    let strings = strings.enumerate().map(|(entry, text)| {
        let (json, fit) = as_json(text?, elements);
        if fit != Fit::Whole {
            inexact.push((entry, fit));
        }
        json
    });
    let strings = strings.collect();
    (strings, inexact)
}

/// Converts strings to JSON; "" and `null` become null.
fn views_as_json(array: &ArrayRef, elements: &mut ValidatedCache, findings: &mut StringFindings) -> ArrayRef {
    let views = array.as_string_view();
    let mut unchanged = |text: Option<&str>| {
        text.is_none_or(|text| matches!(as_json(text, elements), (Some(Cow::Borrowed(_)), Fit::Whole)))
    };
    if views.iter().all(&mut unchanged) {
        return Arc::clone(array);
    }
    let mut builder = StringViewBuilder::with_capacity(views.len());
    for text in views {
        let (json, fit) = text.map_or((None, Fit::Whole), |text| as_json(text, elements));
        findings.add(fit);
        builder.append_option(json);
    }
    Arc::new(builder.finish())
}

/// Parses strings as values of type `target`. Returns for each what must be reported, too.
fn parse_all(array: &ArrayRef, target: Type, times: &TimeReader) -> (Column, Vec<Option<ConversionFinding>>) {
    let mut builder = ColumnBuilder::with_capacity(target, array.len());
    let mut findings = vec![None; array.len()];
    for (row, finding) in findings.iter_mut().enumerate() {
        let Some(text) = plain_text_at(array, row).filter(|text| !text.is_empty()) else {
            builder.append_null();
            continue;
        };
        let (value, found) = parse(text, target, times);
        *finding = found;
        match value {
            Some(value) => builder.append(&value),
            None => builder.append_null(),
        }
    }
    (builder.finish(), findings)
}

/// Parses a string that is not empty. Returns its value and what must be reported.
fn parse(text: &str, target: Type, times: &TimeReader) -> (Option<Value>, Option<ConversionFinding>) {
    if target == Type::Datetime {
        let (ticks, finding) = times.read_string(text);
        return (ticks.map(Value::Datetime), finding);
    }
    let value = cast(&Value::string(text), target);
    let finding = value.is_none().then_some(ConversionFinding::Unconverted);
    (value, finding)
}

fn plain_text_at(array: &ArrayRef, row: usize) -> Option<&str> {
    match array.as_string_opt::<i32>() {
        Some(strings) => (!strings.is_null(row)).then(|| strings.value(row)),
        None => text_at(array, row),
    }
}

/// Returns the JSON of a string in a dynamic column: the string itself if it is JSON, None for "" and `null`. Any
/// other string becomes the JSON that exports mean by it, or else a JSON string.
fn as_json<'a>(text: &'a str, elements: &mut ValidatedCache) -> (Option<Cow<'a, str>>, Fit) {
    if text.is_empty() {
        return (None, Fit::Whole);
    }
    if dynamic::is_valid(text, elements) {
        let fit = if has_unpaired_surrogate(text) { Fit::HalfPair } else { Fit::Whole };
        return ((text.trim_ascii() != "null").then_some(Cow::Borrowed(text)), fit);
    }
    match read_dynamic_string(text, true) {
        (HeldJson::Nothing, fit) => (None, fit),
        (HeldJson::Json(json), fit) if dynamic::validate(json.as_bytes()).is_ok() => (Some(Cow::Owned(json)), fit),
        _ => {
            let mut quoted = String::with_capacity(text.len() + 2);
            dynamic::quote(text, &mut quoted);
            (Some(Cow::Owned(quoted)), Fit::NotJson)
        }
    }
}

/// Converts bytes to strings. Returns the number of strings in which invalid bytes were replaced, too.
pub(super) fn check(array: &ArrayRef) -> Result<(ArrayRef, usize)> {
    let bytes = match array.data_type() {
        // The crate did not validate these, so they are treated as bytes first.
        DataType::Utf8View => array.as_string_view().clone().to_binary_view(),
        _ => array.as_binary_view().clone(),
    };
    if let Ok(strings) = bytes.clone().to_string_view() {
        return Ok((Arc::new(strings), 0));
    }
    let mut repaired = 0;
    let mut builder = StringViewBuilder::with_capacity(bytes.len());
    for value in &bytes {
        let text = value.map(String::from_utf8_lossy);
        repaired += usize::from(matches!(text, Some(Cow::Owned(_))));
        builder.append_option(text);
    }
    Ok((Arc::new(builder.finish()), repaired))
}
