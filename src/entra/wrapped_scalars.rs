//! Recognises scalars that tools write as objects: numbers, times and ids in the Extended JSON of MongoDB, strings
//! and numbers of DynamoDB such as `{"S": "a"}` and `{"N": "1"}`, and times as Windows PowerShell writes them:
//! `{"value": "/Date(...)/", "DisplayHint": 2, "DateTime": ...}`.

use crate::types::dynamic;

/// The keys of objects in Extended JSON that stand for a scalar. Source: the specification of MongoDB Extended JSON
/// v2.
const EXTENDED_JSON: [&str; 7] =
    ["$numberInt", "$numberLong", "$numberDouble", "$numberDecimal", "$date", "$oid", "$symbol"];

/// Returns the JSON of the scalar for which an object stands; None for any other object.
pub(crate) fn wrapped_scalar(object: &str) -> Option<&str> {
    let mut entries = dynamic::entries(object);
    let (first, second) = (entries.next()?, entries.next());
    let key = first.key.text();
    match second {
        None if ["S", "N"].contains(&&*key) => scalar(first.value).filter(|value| value.starts_with('"')),
        None if EXTENDED_JSON.contains(&&*key) => scalar(first.value).or_else(|| wrapped_scalar(first.value)),
        Some(_) if key == "value" && dynamic::get_member(object, "DateTime").is_some() => {
            let is_time = dynamic::get_member(object, "DisplayHint").is_some();
            scalar(first.value).filter(|value| is_time && value.starts_with('"'))
        }
        _ => None,
    }
}

fn scalar(json: &str) -> Option<&str> {
    (!json.starts_with(['{', '['])).then_some(json)
}

#[cfg(test)]
mod tests {
    use super::wrapped_scalar;

    #[test]
    fn objects_that_stand_for_scalars_are_unwrapped() {
        for (object, scalar) in [
            (r#"{"$numberInt":"50126"}"#, Some(r#""50126""#)),
            (r#"{ "$date" : "2026-03-02T09:07:43Z" }"#, Some(r#""2026-03-02T09:07:43Z""#)),
            (r#"{"$date":{"$numberLong":"1772442463500"}}"#, Some(r#""1772442463500""#)),
            (r#"{"$date":1772442463500}"#, Some("1772442463500")),
            (r#"{"value":"\/Date(1)\/","DisplayHint":2,"DateTime":"x"}"#, Some(r#""\/Date(1)\/""#)),
            (r#"{"value":"a","DateTime":"x"}"#, None),
            (r#"{"S":"bg@contoso.com"}"#, Some(r#""bg@contoso.com""#)),
            (r#"{"N":"50126"}"#, Some(r#""50126""#)),
            (r#"{"S":{"a":1}}"#, None),
            (r#"{"$numberInt":"1","b":2}"#, None),
            (r#"{"$date":{"a":1}}"#, None),
            ("{}", None),
        ] {
            assert_eq!(wrapped_scalar(object), scalar, "{object}");
        }
    }
}
