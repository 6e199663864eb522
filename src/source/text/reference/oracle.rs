//! Finds the expected rows slowly: `serde_json` parses every record, and nothing is skipped.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::entra::integral_columns::holds_whole_numbers;
use crate::entra::mapping::KeyPath;
use crate::entra::{ColumnSource, KnownTable, RowKind, table_named};
use crate::scan::ScanColumn;
use crate::types::{Type, Value, datetime, dynamic};

type Bag = BTreeMap<String, Box<RawValue>>;

/// Returns the rows of a table in a text that has lines and multi-line values, and the number of lost records.
pub(super) fn reference(text: &[u8], table: &KnownTable, columns: &[ScanColumn]) -> (Vec<Vec<Value>>, u64) {
    let mut rows = Vec::new();
    let mut lost = 0;
    let mut start = 0;
    while start < text.len() {
        let line_end = text[start..].iter().position(|byte| *byte == b'\n').map_or(text.len(), |length| start + length);
        let line = text[start..line_end].trim_ascii();
        let line = line.strip_prefix(b",").unwrap_or(line).trim_ascii();
        let end = if line.starts_with(b"{") && !line.ends_with(b"}") { reference_end(text, start) } else { line_end };
        let record = text[start..end].trim_ascii();
        let record = record.strip_prefix(b",").unwrap_or(record);
        // The comma after a multi-line value whose layout shows where it ends.
        let record = record.strip_suffix(b",").unwrap_or(record);
        for record in between_nul_bytes(record) {
            match serde_json::from_str::<Bag>(&text_of(record)) {
                Ok(bag) => rows.extend(reference_row(&bag, table, columns)),
                Err(_) => lost += 1,
            }
        }
        start = if end == line_end { end + 1 } else { end };
    }
    (rows, lost)
}

/// Returns the parts between NUL bytes if one of them is valid JSON, otherwise the record itself; nothing for
/// whitespace.
fn between_nul_bytes(record: &[u8]) -> Vec<&[u8]> {
    let pieces: Vec<&[u8]> = record.split(|byte| *byte == 0).map(<[u8]>::trim_ascii).collect();
    let pieces: Vec<&[u8]> = pieces.into_iter().filter(|piece| !piece.is_empty()).collect();
    let is_json = |piece: &&[u8]| serde_json::from_slice::<&RawValue>(piece).is_ok();
    if pieces.len() < 2 || pieces.iter().any(is_json) { pieces } else { vec![record] }
}

/// Decodes a record: bytes that are not UTF-8 are taken as Windows-1252.
fn text_of(record: &[u8]) -> String {
    let mut text = String::new();
    for chunk in record.utf8_chunks() {
        text += chunk.valid();
        text += &encoding_rs::WINDOWS_1252.decode_without_bom_handling(chunk.invalid()).0;
    }
    text
}

/// Returns the end of a record that begins at `start` and continues after its first line. It is the end of its JSON
/// value, or, if the record is damaged, of the indented lines that follow.
fn reference_end(text: &[u8], start: usize) -> usize {
    let indent = |line: &[u8]| line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let skipped = indent(&text[start..]);
    let skipped = skipped + usize::from(text[start + skipped] == b',');
    // Invalid UTF-8 ends valid JSON.
    let valid = match std::str::from_utf8(&text[start + skipped..]) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&text[start + skipped..][..error.valid_up_to()]).expect("valid"),
    };
    let mut values = serde_json::Deserializer::from_str(valid).into_iter::<Box<RawValue>>();
    if let Some(Ok(_)) = values.next() {
        return start + skipped + values.byte_offset();
    }
    let mut end = None;
    let mut position = start;
    for line in text[start..].split(|byte| *byte == b'\n') {
        let behind = position + line.len();
        let closes = line.trim_ascii().starts_with(b"}") || line.trim_ascii().starts_with(b"]");
        match end {
            None => end = Some(behind),
            Some(_) if line.trim_ascii().is_empty() => {}
            Some(_) if indent(line) > indent(&text[start..]) => end = Some(behind),
            Some(_) if indent(line) == indent(&text[start..]) && closes => return behind,
            Some(end) => return end,
        }
        position = behind + 1;
    }
    end.unwrap_or(text.len())
}

fn reference_row(bag: &Bag, table: &KnownTable, columns: &[ScanColumn]) -> Option<Vec<Value>> {
    let kind = reference_kind(bag)?;
    let name = match kind {
        RowKind::Diagnostic => {
            let category = envelope(bag, "category")?;
            let category: String = serde_json::from_str(category).unwrap_or_else(|_| category.to_owned());
            if !category.eq_ignore_ascii_case(table.category) {
                return None;
            }
            table.name.to_owned()
        }
        RowKind::Flat => match bag.get("_OriginalType").or(bag.get("Type")).map(|raw| raw.get()) {
            None | Some("null" | "\"\"") => "SigninLogs".to_owned(),
            Some(json) => serde_json::from_str(json).unwrap_or_default(),
        },
        RowKind::Graph => match bag.get("isInteractive").map(|raw| raw.get()) {
            Some("false") => "AADNonInteractiveUserSignInLogs".to_owned(),
            _ => "SigninLogs".to_owned(),
        },
        RowKind::Cmdlet | RowKind::Az | RowKind::PortalCsv => return None,
    };
    (name == table.name).then(|| columns.iter().map(|column| reference_value(bag, table, kind, column)).collect())
}

fn reference_kind(bag: &Bag) -> Option<RowKind> {
    let object = |json: &str| json.starts_with('{');
    if envelope(bag, "properties").is_some_and(object)
        && envelope(bag, "time").is_some()
        && envelope(bag, "category").is_some()
    {
        Some(RowKind::Diagnostic)
    } else if bag.contains_key("TimeGenerated") && !bag.contains_key("TableName") {
        Some(RowKind::Flat)
    } else if bag.contains_key("createdDateTime") && is_sign_in(bag) {
        Some(RowKind::Graph)
    } else if is_untimed(bag) {
        Some(RowKind::Flat)
    } else {
        None
    }
}

/// True for a row without `TimeGenerated` that names its table or has columns of sign-ins.
fn is_untimed(bag: &Bag) -> bool {
    let named = bag.get("Type").and_then(|raw| serde_json::from_str::<String>(raw.get()).ok());
    let columns = ["CreatedDateTime", "UserPrincipalName", "AppDisplayName"];
    named.is_some_and(|name| table_named(&name).is_some())
        || (bag.contains_key("ResultType") && columns.iter().any(|column| bag.contains_key(*column)))
}

/// True if a Graph record has the keys of a sign-in.
fn is_sign_in(bag: &Bag) -> bool {
    let has = |key: &&str| bag.contains_key(*key);
    ["ipAddress", "userAgent", "isInteractive"].iter().any(has)
        || bag.get("status").is_some_and(|raw| raw.get().starts_with('{'))
        || ["userPrincipalName", "appDisplayName"].iter().all(has)
}

/// Returns the value of a key of the envelope, in any case. The generator never writes a key in two cases.
fn envelope<'a>(bag: &'a Bag, key: &str) -> Option<&'a str> {
    bag.iter().find(|(name, _)| name.to_lowercase() == key.to_lowercase()).map(|(_, raw)| raw.get())
}

fn reference_find(bag: &Bag, path: &KeyPath, in_envelope: bool) -> Option<String> {
    let (first, rest) = path.split_first()?;
    let json = if in_envelope { envelope(bag, first) } else { bag.get(&**first).map(|raw| raw.get()) }?;
    if rest.is_empty() {
        return Some(json.to_owned());
    }
    reference_find(&serde_json::from_str::<Bag>(json).ok()?, &rest.to_vec(), false)
}

fn reference_value(bag: &Bag, table: &KnownTable, kind: RowKind, wanted: &ScanColumn) -> Value {
    let column = wanted.column();
    let ty = table.schema.field(column).ty;
    let constant = |text: &str| if ty == Type::String { Value::string(text) } else { Value::null(ty) };
    let find = |path: &KeyPath| reference_find(bag, path, kind == RowKind::Diagnostic);
    let json = match &table.mapping(column, kind).source {
        ColumnSource::Unsupplied => return constant(""),
        ColumnSource::Constant(text) => return constant(text),
        ColumnSource::Table => return constant(table.name),
        ColumnSource::Category => return constant(table.category),
        ColumnSource::Keys(paths) => {
            let found: Vec<String> = paths.iter().filter_map(find).collect();
            found.iter().find(|json| !matches!(json.as_str(), "null" | "\"\"")).or(found.first()).cloned()
        }
        ColumnSource::UnlessZero { value, guard } => match find(guard).as_deref() {
            Some("0" | "\"0\"") => None,
            _ => find(value),
        },
    };
    let whole = holds_whole_numbers(&table.schema.field(column).name);
    let json = json.map(|json| if whole { unwidened(json) } else { json });
    let value = json.map_or(Value::null(ty), |json| reference_convert(&json, ty));
    match (wanted, &value) {
        (ScanColumn::Path { path, .. }, Value::Dynamic(json)) => {
            dynamic::extract(json, path).map_or(Value::null(Type::Dynamic), Value::dynamic)
        }
        _ => value,
    }
}

fn reference_convert(json: &str, ty: Type) -> Value {
    let parsed: serde_json::Value = serde_json::from_str(json).expect("checked");
    let text = match &parsed {
        serde_json::Value::Null => return Value::null(ty),
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Bool(_) | serde_json::Value::Number(_) => json.to_owned(),
        nested => nested.to_string(),
    };
    let trimmed = text.trim();
    let or_null = |value: Option<Value>| value.unwrap_or(Value::null(ty));
    match ty {
        Type::String => Value::string(text),
        Type::Long => or_null(match (trimmed.parse::<i64>(), trimmed.parse::<f64>()) {
            (Ok(whole), _) => Some(Value::Long(whole)),
            (_, Ok(number)) if number.fract() == 0.0 && number.abs() < 1e15 => {
                format!("{number}").parse().ok().map(Value::Long)
            }
            _ => None,
        }),
        Type::Real => or_null(trimmed.parse().ok().filter(|n: &f64| n.is_finite()).map(Value::Real)),
        Type::Datetime => {
            or_null(if parsed.is_string() { datetime::parse(trimmed).map(Value::Datetime) } else { None })
        }
        Type::Bool => match trimmed.to_lowercase().as_str() {
            "true" | "1" => Value::Bool(true),
            "false" | "0" => Value::Bool(false),
            _ => Value::null(ty),
        },
        _ if parsed.is_string() && (trimmed.is_empty() || trimmed == "null") => Value::null(ty),
        _ if parsed.is_string() && trimmed.starts_with(['{', '[']) => {
            match serde_json::from_str::<Box<RawValue>>(trimmed) {
                Ok(_) => Value::dynamic(trimmed),
                Err(_) => Value::dynamic(json),
            }
        }
        _ => Value::dynamic(json),
    }
}

/// Returns `5.0` and `"5.0"` as `5`, and other JSON unchanged.
fn unwidened(json: String) -> String {
    let digits = json.trim_matches('"').trim_end_matches(".0");
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { digits.to_owned() } else { json }
}
