//! Restores records whose objects were flattened or converted to strings.
//!
//! Tools that convert records to tables write a member of an object under a key such as `status.errorCode`, and
//! objects as JSON strings. The reader expects objects, so such a record is rewritten before it is read.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeSet;

use super::key_tree::KeyTree;
use crate::entra::python;
use crate::types::dynamic::{self, Kind};

/// Maximum number of members of a record that is rewritten, and of parts in a flattened key.
const MAX_MEMBERS: usize = 2_048;
const MAX_KEYS: usize = 32;

/// Characters that separate the parts of a flattened key.
const SEPARATORS: [char; 4] = ['.', '/', ':', '_'];

/// Properties of records that are objects or arrays, in lower case.
const NESTED_PROPERTIES: [&str; 24] = [
    "properties",
    "status",
    "location",
    "locationdetails",
    "devicedetail",
    "mfadetail",
    "appliedconditionalaccesspolicies",
    "conditionalaccesspolicies",
    "networklocationdetails",
    "authenticationdetails",
    "authenticationprocessingdetails",
    "authenticationrequirementpolicies",
    "authenticationmethodsused",
    "authenticationcontextclassreferences",
    "appliedeventlisteners",
    "authenticationappdevicedetails",
    "authenticationapppolicyevaluationdetails",
    "managedserviceidentity",
    "agent",
    "riskeventtypes",
    "signineventtypes",
    "initiatedby",
    "targetresources",
    "additionaldetails",
];

/// The key of the object in the envelope of a diagnostic record.
pub(super) const PROPERTIES: &str = "properties";

/// Suffixes that `union` appends to the name of a column that has several types.
const UNION_TYPES: [&str; 9] = ["string", "dynamic", "long", "int", "real", "bool", "datetime", "guid", "timespan"];

/// True for a key such as `status.errorCode`, which tools make of a member of an inner object.
pub(crate) fn is_flattened_key(key: &str) -> bool {
    joined_keys(key).is_some()
}

/// Returns the keys in a flattened key such as `status.errorCode` or `a[0].b`; None for an ordinary key.
pub(super) fn joined_keys(key: &str) -> Option<Vec<String>> {
    // Nearly all keys have none of these, and each scan asks for every column of every file.
    if !key.bytes().any(|byte| byte == b'[' || SEPARATORS.contains(&char::from(byte))) {
        return None;
    }
    let separator = SEPARATORS.into_iter().find(|separator| {
        let first = key.split([*separator, '[']).next().unwrap_or_default();
        first.len() < key.len() && NESTED_PROPERTIES.contains(&first.to_ascii_lowercase().as_str())
    })?;
    let indexes = key.replace('[', &separator.to_string()).replace(']', "");
    let mut keys: Vec<String> = Vec::new();
    for part in indexes.split(separator) {
        match keys.last_mut() {
            // The only property with an underscore in its name.
            Some(last) if part.eq_ignore_ascii_case("v2") && separator == '_' => *last = format!("{last}_{part}"),
            _ => keys.push(part.to_owned()),
        }
    }
    let is_type = separator == '_' && keys.len() == 2 && UNION_TYPES.contains(&keys[1].as_str());
    let is_path = (2..=MAX_KEYS).contains(&keys.len()) && keys.iter().all(|key| !key.is_empty());
    (is_path && !is_type).then_some(keys)
}

/// The settings with which a record is rewritten.
#[derive(Clone, Copy)]
pub(super) struct RecordRewrite<'t> {
    /// The keys that the query needs.
    pub tree: &'t KeyTree,
    /// True if strings that contain a JSON object become that object.
    pub texts: bool,
    /// True if all values are strings, even those that represent numbers, as in CSV.
    pub cells: bool,
    /// Collects the keys of strings in Python's notation that were converted.
    pub python: &'t RefCell<BTreeSet<String>>,
}

/// A value of a rewritten record.
enum RebuiltValue<'a> {
    Json(Cow<'a, str>),
    Object(Vec<(Cow<'a, str>, RebuiltValue<'a>)>),
}

impl RecordRewrite<'_> {
    /// Returns the restored record; None if nothing changes, or if it has more than [`MAX_MEMBERS`] members.
    pub(super) fn record(self, record: &str) -> Option<String> {
        self.object(record, &|key, value| {
            let value = self.value(0, key, value);
            // Tools flatten the object in an envelope, too.
            let is_envelope = key.eq_ignore_ascii_case(PROPERTIES) && value.starts_with('{');
            let whole = if is_envelope { self.object(&value, &|_, value| value.into()) } else { None };
            whole.map_or(value, Cow::Owned)
        })
    }

    /// Returns an object in which flattened keys are put together to inner objects, and every other value is what
    /// `member` returns for it. None if nothing changes, or if the object has more than [`MAX_MEMBERS`] members.
    fn object(self, object: &str, member: &dyn for<'a> Fn(&str, &'a str) -> Cow<'a, str>) -> Option<String> {
        // The order of keys stays: of duplicate keys the last one is used, in an envelope in any case.
        let entries: Vec<_> = dynamic::entries(object).take(MAX_MEMBERS + 1).collect();
        if entries.len() > MAX_MEMBERS {
            return None;
        }
        let (mut members, mut joined) = (Vec::new(), Vec::new());
        let mut changed = false;
        for entry in entries {
            let key = entry.key.text();
            if let Some(keys) = joined_keys(&key) {
                insert(&mut joined, keys, self.leaf(entry.value));
                continue;
            }
            let value = member(&key, entry.value);
            changed |= matches!(value, Cow::Owned(_));
            members.push((key, RebuiltValue::Json(value)));
        }
        changed |= !joined.is_empty();
        // An object is preferred to its flattened parts, and these to a scalar under the same key.
        joined.retain(|(key, _)| !members.iter().any(|(name, value)| name == key && value.is_nested()));
        members.retain(|(key, _)| !joined.iter().any(|(name, _)| name == key));
        members.append(&mut joined);
        let mut out = String::with_capacity(object.len());
        write_object(&members, &mut out);
        changed.then_some(out)
    }

    /// Returns the value of a member of the object `node`. Strings in it that contain a needed object are replaced by
    /// that object.
    fn value<'a>(self, node: usize, key: &str, value: &'a str) -> Cow<'a, str> {
        let is_text = dynamic::kind(value) == Kind::String;
        let child = self.tree.resolve(node, key).child.filter(|_| self.texts);
        let Some(child) = child.filter(|_| is_text || value.starts_with('{')) else { return value.into() };
        let decoded = if is_text { dynamic::unescape(value) } else { value.into() };
        let Some(object) = (if is_text { object_in(&decoded) } else { Some(value.into()) }) else {
            return value.into();
        };
        let text = object.trim_ascii();
        // A string stays a string if no member of its object is needed.
        if is_text && !dynamic::entries(text).any(|entry| self.tree.knows(child, &entry.key.text())) {
            return value.into();
        }
        if matches!(object, Cow::Owned(_)) {
            self.python.borrow_mut().insert(key.to_owned());
        }
        let mut changed = false;
        let mut out = String::with_capacity(text.len());
        for entry in dynamic::entries(text) {
            let inner = self.value(child, &entry.key.text(), entry.value);
            changed |= matches!(inner, Cow::Owned(_));
            out.push(if out.is_empty() { '{' } else { ',' });
            out.extend([entry.key.json(), ":", &inner]);
        }
        out.push_str(if out.is_empty() { "{}" } else { "}" });
        match (changed, is_text) {
            (true, _) => out.into(),
            (false, true) => text.to_owned().into(),
            (false, false) => value.into(),
        }
    }

    /// Converts the value of a flattened key. In a table of strings, strings that are JSON numbers or literals become
    /// these.
    fn leaf(self, value: &str) -> RebuiltValue<'_> {
        if !self.cells || dynamic::kind(value) != Kind::String {
            return RebuiltValue::Json(value.into());
        }
        let text = dynamic::unescape(value);
        let is_number = || text.parse::<f64>().is_ok() && dynamic::validate(text.as_bytes()).is_ok();
        RebuiltValue::Json(match &*text {
            "True" | "true" | "TRUE" => "true".into(),
            "False" | "false" | "FALSE" => "false".into(),
            "None" | "null" | "NaN" => "null".into(),
            _ if is_number() => text.into_owned().into(),
            _ => value.into(),
        })
    }
}

/// Returns the JSON object in a string, converted if it is in Python's notation; None if there is none.
fn object_in(text: &str) -> Option<Cow<'_, str>> {
    let text = text.trim_ascii();
    if !text.starts_with('{') {
        return None;
    }
    if dynamic::validate(text.as_bytes()).is_ok() {
        return Some(text.into());
    }
    python::to_json(text).map(Cow::Owned)
}

/// Inserts a value at the path `keys`. A scalar on the path is replaced by an object.
fn insert<'a>(mut members: &mut Vec<(Cow<'a, str>, RebuiltValue<'a>)>, keys: Vec<String>, value: RebuiltValue<'a>) {
    let last = keys.len() - 1;
    let mut value = Some(value);
    for (depth, key) in keys.into_iter().enumerate() {
        let at = members.iter().position(|(name, _)| *name == key).unwrap_or(members.len());
        if at == members.len() {
            members.push((key.into(), RebuiltValue::Json("null".into())));
        }
        let found = &mut members[at].1;
        if depth == last {
            if !matches!(found, RebuiltValue::Object(_)) {
                *found = value.take().unwrap_or(RebuiltValue::Json("null".into()));
            }
            return;
        }
        if !matches!(found, RebuiltValue::Object(_)) {
            *found = RebuiltValue::Object(Vec::new());
        }
        let RebuiltValue::Object(inner) = found else { return };
        members = inner;
    }
}

impl RebuiltValue<'_> {
    fn is_nested(&self) -> bool {
        match self {
            Self::Json(json) => json.starts_with(['{', '[']),
            Self::Object(_) => true,
        }
    }

    /// True for a value that was null or empty before the record was flattened.
    fn is_empty(&self) -> bool {
        match self {
            Self::Json(json) => matches!(&**json, "null" | "\"\""),
            Self::Object(members) => members.iter().all(|(_, value)| value.is_empty()),
        }
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Json(json) => out.push_str(json),
            Self::Object(_) if self.is_empty() => out.push_str("null"),
            Self::Object(members) => match elements(members) {
                Some(elements) => write_array(&elements, out),
                None => write_object(members, out),
            },
        }
    }
}

/// Returns the elements of an array that was flattened to members with indices as keys; None for an object.
fn elements<'b, 'a>(members: &'b [(Cow<'a, str>, RebuiltValue<'a>)]) -> Option<Vec<&'b RebuiltValue<'a>>> {
    let mut elements: Vec<Option<&RebuiltValue>> = vec![None; members.len()];
    for (key, value) in members {
        *elements.get_mut(key.parse::<usize>().ok()?)? = Some(value);
    }
    elements.into_iter().collect()
}

fn write_array(elements: &[&RebuiltValue<'_>], out: &mut String) {
    for (index, element) in elements.iter().enumerate() {
        out.push(if index == 0 { '[' } else { ',' });
        element.write(out);
    }
    out.push(']');
}

fn write_object(members: &[(Cow<'_, str>, RebuiltValue<'_>)], out: &mut String) {
    out.push('{');
    for (index, (key, value)) in members.iter().enumerate() {
        out.push_str(if index > 0 { "," } else { "" });
        dynamic::quote(key, out);
        out.push(':');
        value.write(out);
    }
    out.push('}');
}

#[cfg(test)]
mod tests {
    use super::{KeyTree, RecordRewrite, RefCell, joined_keys};

    fn rewritten(record: &str, cells: bool) -> Option<String> {
        let mut tree = KeyTree::new();
        for path in [&["properties", "status", "errorCode"][..], &["status", "errorCode"]] {
            tree.slot(path, path.len() > 2);
        }
        RecordRewrite { tree: &tree, texts: true, cells, python: &RefCell::default() }.record(record)
    }

    #[test]
    fn keys_are_taken_apart() {
        let keys = |key: &str| joined_keys(key).map(|keys| keys.join(" "));
        for key in ["status.errorCode", "status/errorCode", "status_errorCode", "status:errorCode"] {
            assert_eq!(keys(key).as_deref(), Some("status errorCode"), "{key}");
        }
        assert_eq!(
            keys("appliedConditionalAccessPolicies[0].id").as_deref(),
            Some("appliedConditionalAccessPolicies 0 id")
        );
        assert_eq!(keys("properties_riskEventTypes_v2").as_deref(), Some("properties riskEventTypes_v2"));
        for key in [
            "riskEventTypes_v2",
            "RiskEventTypes_V2",
            "Status_dynamic",
            "status",
            "status.",
            "a.b",
            "@odata.type",
            "_raw",
        ] {
            assert_eq!(keys(key), None, "{key}");
        }
    }

    #[test]
    fn objects_are_put_together() {
        let record =
            r#"{"id":"1","status.errorCode":0,"status.details":null,"location.geo.lat":1.50,"location.geo.lon":2}"#;
        let expected = r#"{"id":"1","status":{"errorCode":0,"details":null},"location":{"geo":{"lat":1.50,"lon":2}}}"#;
        assert_eq!(rewritten(record, false).as_deref(), Some(expected));
        let record = r#"{"status":null,"status.errorCode":"0","deviceDetail.isManaged":"False","signInEventTypes.0":"x","location.city":""}"#;
        let expected =
            r#"{"status":{"errorCode":0},"deviceDetail":{"isManaged":false},"signInEventTypes":["x"],"location":null}"#;
        assert_eq!(rewritten(record, true).as_deref(), Some(expected));
        let record = r#"{"category":"c","Properties":{"id":"1","status.errorCode":0}}"#;
        let expected = r#"{"category":"c","Properties":{"id":"1","status":{"errorCode":0}}}"#;
        assert_eq!(rewritten(record, false).as_deref(), Some(expected));
        assert_eq!(rewritten(r#"{"a":1,"status":{"errorCode":0}}"#, false), None);
        assert_eq!(rewritten(r#"{"other":{"status.errorCode":0}}"#, false), None);
    }

    #[test]
    fn texts_become_objects() {
        let record = r#"{"time":"x","properties":"{\"id\":\"1\",\"status\":\"{\\\"errorCode\\\":5}\"}"}"#;
        let expected = r#"{"time":"x","properties":{"id":"1","status":{"errorCode":5}}}"#;
        assert_eq!(rewritten(record, false).as_deref(), Some(expected));
        assert_eq!(rewritten(r#"{"properties":"{no","status":"@{errorCode=0}"}"#, false), None);
    }
}
