//! Writes JSON directly into a buffer.

/// Appends `text` as a quoted JSON string; non-ASCII characters are not escaped.
pub fn write_text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | ..0x20)) {
        out.extend_from_slice(&rest[..at]);
        match rest[at] {
            byte @ (b'"' | b'\\') => out.extend_from_slice(&[b'\\', byte]),
            byte => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
        }
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// Returns `text` as a JSON string.
pub fn text(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len() + 2);
    write_text(&mut out, text);
    String::from_utf8(out).expect("escapes keep UTF-8 whole")
}

/// Returns a JSON array of strings.
pub fn texts(items: &[&str]) -> String {
    let items: Vec<String> = items.iter().map(|item| text(item)).collect();
    format!("[{}]", items.join(","))
}

#[cfg(test)]
mod tests {
    #[test]
    fn escapes() {
        for text in ["", "plain", "a\"b\\c", "\u{1}\n\u{1f}x", "Łódź 東京", "\"\"\\"] {
            assert_eq!(serde_json::from_str::<String>(&super::text(text)).unwrap(), text);
        }
    }
}
