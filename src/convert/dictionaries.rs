//! Dictionaries of strings with many duplicates. Rows that wait for the merge have 32-bit codes instead of strings,
//! so that many more rows fit in memory. The dictionaries stay in memory to the end. A column is not encoded if few
//! of its strings are duplicates, or if its dictionary would be too large.

use std::sync::Arc;

use arrow::array::{Array, AsArray, Int32Array, StringViewArray, StringViewBuilder};
use arrow::compute::take;

use crate::diagnostic::{Error, Result};
use crate::types::column::text_at;
use crate::types::interner::Interner;
use crate::types::{Batch, Column, Schema, Type, Value};

/// The code that stands for null.
pub(super) const NULL: i32 = -1;
/// Number of rows after which a column is no longer encoded if nine of ten strings are new.
const FIRST_LOOK: usize = 4 * 1024;
/// Number of rows after which a column is no longer encoded if every second string is new.
const SECOND_LOOK: usize = 32 * 1024;
/// Number of bytes that a dictionary entry takes besides its string.
const ENTRY_BYTES: u64 = 40;

/// The dictionaries of all columns.
#[derive(Debug)]
pub(super) struct StringDictionaries {
    types: Vec<Type>,
    columns: Vec<ColumnDictionary>,
    bytes: u64,
    max_bytes: u64,
}

#[derive(Debug)]
enum ColumnDictionary {
    /// The column is not encoded, or its dictionary was freed.
    Plain,
    Open(Box<OpenDictionary>),
    /// The codes so far can be decoded, but no strings are encoded any more.
    Closed(StringViewArray),
}

#[derive(Debug)]
struct OpenDictionary {
    texts: Interner<StringViewBuilder>,
    rows: usize,
    bytes: u64,
    /// The code of the last string. Most strings are equal to the string of the previous row.
    last: i32,
}

impl StringDictionaries {
    /// Creates empty dictionaries, which may take `max_bytes` bytes together.
    pub fn new(schema: &Schema, max_bytes: u64) -> Self {
        let types: Vec<Type> = schema.fields().iter().map(|field| field.ty).collect();
        let state =
            |ty: &Type| if ty.is_text() { ColumnDictionary::Open(Box::default()) } else { ColumnDictionary::Plain };
        let columns = types.iter().map(state).collect();
        Self { types, columns, bytes: 0, max_bytes }
    }

    /// Returns the number of bytes that the dictionaries take.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// True if strings of the column at `index` are encoded.
    pub fn is_open(&self, index: usize) -> bool {
        matches!(self.columns[index], ColumnDictionary::Open(_))
    }

    /// Appends the codes of the strings of the column at `index` to `codes`. Returns false, and appends nothing, if
    /// the column is not encoded or stops being encoded now.
    pub fn encode(&mut self, index: usize, column: &Column, codes: &mut Vec<i32>) -> bool {
        let ColumnDictionary::Open(open) = &mut self.columns[index] else { return false };
        let (start, before) = (codes.len(), open.bytes);
        // One column must not take the memory of all others.
        let max_bytes = (self.max_bytes / 4).min(self.max_bytes.saturating_sub(self.bytes) + before);
        let whole = open.encode(column, max_bytes, codes) && open.is_worthwhile();
        self.bytes += open.bytes - before;
        if !whole {
            codes.truncate(start);
            self.close(index);
        }
        whole
    }

    fn close(&mut self, index: usize) {
        self.columns[index] = match std::mem::replace(&mut self.columns[index], ColumnDictionary::Plain) {
            ColumnDictionary::Open(open) => {
                let texts = open.texts.into_strings().finish();
                self.bytes = self.bytes.saturating_sub(open.bytes) + texts.get_array_memory_size() as u64;
                ColumnDictionary::Closed(texts)
            }
            closed => closed,
        };
    }

    /// Closes all dictionaries, because no more strings will follow.
    pub fn close_all(&mut self) {
        (0..self.columns.len()).for_each(|index| self.close(index));
    }

    /// Frees the dictionary of the column at `index` if it is closed, because it is not needed any more.
    pub fn forget(&mut self, index: usize) {
        if let ColumnDictionary::Closed(texts) = &self.columns[index] {
            self.bytes = self.bytes.saturating_sub(texts.get_array_memory_size() as u64);
            self.columns[index] = ColumnDictionary::Plain;
        }
    }

    /// True if `column` has codes instead of the strings of the column at `index`.
    pub fn is_coded(&self, index: usize, column: &Column) -> bool {
        self.types[index].is_text() && column.ty() == Type::Int
    }

    /// Returns the batch; the columns at `indices` are decoded if they have codes.
    pub fn decoded(&self, batch: Batch, indices: &[usize]) -> Result<Batch> {
        let mut columns = batch.columns().to_vec();
        for &index in indices.iter().filter(|index| self.is_coded(**index, batch.column(**index))) {
            columns[index] = self.decode(index, batch.column(index))?;
        }
        Ok(Batch::new(columns, batch.rows()))
    }

    /// Decodes codes of the column at `index`, whose dictionary must be closed.
    pub fn decode(&self, index: usize, codes: &Column) -> Result<Column> {
        let ColumnDictionary::Closed(texts) = &self.columns[index] else {
            return Err(Error::internal("numbers without dictionaries"));
        };
        let ty = self.types[index];
        if let Some(code) = codes.as_constant() {
            let text = match code {
                Value::Int(code) => usize::try_from(*code).ok().and_then(|code| text_at(texts, code)),
                _ => None,
            };
            let value = match text {
                Some(text) if ty == Type::Dynamic => Value::Dynamic(text.into()),
                Some(text) => Value::string(text),
                None => Value::null(ty),
            };
            return Ok(Column::constant(value, codes.rows()));
        }
        Ok(Column::array(ty, take(texts, &codes.to_array(), None)?))
    }
}

impl Default for OpenDictionary {
    fn default() -> Self {
        let texts = Interner::with_random_seed(StringViewBuilder::new());
        Self { texts, rows: 0, bytes: 0, last: NULL }
    }
}

impl OpenDictionary {
    /// Appends the codes of the strings of a column. Returns false if the dictionary would take more than `max_bytes`
    /// bytes.
    fn encode(&mut self, column: &Column, max_bytes: u64, codes: &mut Vec<i32>) -> bool {
        self.rows += column.rows();
        let Some(views) = column.as_array().and_then(|array| array.as_string_view_opt()) else {
            let text = match column.as_constant() {
                Some(Value::String(text) | Value::Dynamic(text)) => Some(&**text),
                _ => None,
            };
            let code = text.map_or(Some(NULL), |text| self.intern(text, max_bytes));
            codes.extend(std::iter::repeat_n(code.unwrap_or(NULL), column.rows()));
            return code.is_some();
        };
        let mut before: Option<(u128, i32)> = None;
        for (row, view) in views.views().iter().enumerate() {
            // Equal views of one array are equal strings.
            let code = match before {
                _ if views.is_null(row) => Some(NULL),
                Some((same, code)) if same == *view => Some(code),
                _ => self.intern(views.value(row), max_bytes),
            };
            let Some(code) = code else { return false };
            before = (code != NULL).then_some((*view, code));
            codes.push(code);
        }
        true
    }

    /// Interns a string, and returns its code; None if the dictionary has no room for a new string.
    fn intern(&mut self, text: &str, max_bytes: u64) -> Option<i32> {
        if usize::try_from(self.last).is_ok_and(|last| self.texts.get(last) == text.as_bytes()) {
            return Some(self.last);
        }
        let code = match self.texts.find(text) {
            Ok(code) => code,
            Err(free) => {
                self.bytes += ENTRY_BYTES + text.len() as u64;
                if self.bytes > max_bytes {
                    return None;
                }
                self.texts.insert(free, text).ok()?
            }
        };
        self.last = i32::try_from(code).ok()?;
        Some(self.last)
    }

    fn is_worthwhile(&self) -> bool {
        let entries = self.texts.len();
        !(self.rows >= FIRST_LOOK && entries > self.rows / 10 * 9
            || self.rows >= SECOND_LOOK && entries > self.rows / 2)
    }
}

/// Creates a column of codes. It is a constant if all codes are equal.
pub(super) fn code_column(codes: &[i32]) -> Column {
    let value = |code: i32| if code == NULL { Value::null(Type::Int) } else { Value::Int(code) };
    match codes.first() {
        Some(&first) if codes.iter().all(|code| *code == first) => Column::constant(value(first), codes.len()),
        _ if codes.contains(&NULL) => {
            let array: Int32Array = codes.iter().map(|code| (*code != NULL).then_some(*code)).collect();
            Column::array(Type::Int, Arc::new(array))
        }
        _ => Column::array(Type::Int, Arc::new(Int32Array::from(codes.to_vec()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Field;

    fn schema() -> Schema {
        Schema::new([Field::new("Text", Type::String), Field::new("Object", Type::Dynamic)])
    }

    fn column(ty: Type, texts: &[Option<&str>]) -> Column {
        let mut builder = StringViewBuilder::new();
        texts.iter().for_each(|text| builder.append_option(*text));
        Column::array(ty, Arc::new(builder.finish()))
    }

    #[test]
    fn codes_decode_to_the_strings_of_the_rows() {
        let mut dictionaries = StringDictionaries::new(&schema(), 1 << 20);
        let long = "a string that does not fit into a view";
        let texts = column(Type::String, &[Some("a"), Some(""), Some(long), Some("a"), Some("a"), Some(long)]);
        let objects = column(Type::Dynamic, &[Some("{\"a\":1}"), None, None, Some("null"), Some("{\"a\":1}"), None]);
        let mut codes = [Vec::new(), Vec::new()];
        for (index, column) in [&texts, &objects].into_iter().enumerate() {
            assert!(dictionaries.encode(index, column, &mut codes[index]));
        }
        assert!(dictionaries.encode(0, &Column::constant(Value::string(long), 2), &mut codes[0]));
        assert_eq!(codes, [vec![0, 1, 2, 0, 0, 2, 2, 2], vec![0, NULL, NULL, 1, 0, NULL]]);
        dictionaries.close_all();
        for (index, column) in [texts, objects].iter().enumerate() {
            let read = dictionaries.decode(index, &code_column(&codes[index])).expect("texts");
            assert!((0..6).all(|row| text(&read, row) == text(column, row)), "{read:?}");
            // If all codes are equal, the column is a constant.
            let last = dictionaries.decode(index, &code_column(&codes[index][5..])).expect("texts");
            assert_eq!(last.value(0), column.value(5));
            assert!(last.as_constant().is_some());
        }
    }

    fn text(column: &Column, row: usize) -> Option<&str> {
        column.as_array().and_then(|array| text_at(array, row))
    }

    #[test]
    fn columns_with_few_duplicates_or_too_much_memory_are_not_encoded() {
        let unique: Vec<String> = (0..FIRST_LOOK).map(|n| format!("{n:036}")).collect();
        let texts = column(Type::String, &unique.iter().map(|text| Some(text.as_str())).collect::<Vec<_>>());
        for max_bytes in [1 << 20, 1 << 30] {
            let mut dictionaries = StringDictionaries::new(&schema(), max_bytes);
            let mut codes = vec![7];
            assert!(!dictionaries.encode(0, &texts, &mut codes));
            assert!(codes == [7] && !dictionaries.is_open(0) && dictionaries.is_open(1));
            dictionaries.forget(0);
            assert_eq!(dictionaries.bytes(), 0);
            assert!(!dictionaries.encode(0, &texts, &mut codes));
        }
    }
}
