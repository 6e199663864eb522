//! Decides in which encoding a text begins, from its first bytes and the encoding that the user specified.

use encoding_rs::{UTF_8, UTF_16BE, UTF_16LE};

use super::encoding::Encoding;
use crate::storage::text_settings::TextEncoding;

/// The encoding in which a text begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TextStart {
    pub encoding: Encoding,
    /// The encoding of the parts that are not UTF-16; None if these are UTF-8.
    pub legacy: Option<TextEncoding>,
    /// The encoding that the user specified, if the first bytes contradict it.
    pub overridden: Option<TextEncoding>,
}

impl TextStart {
    /// Decides the encoding of a text that begins with `head`. A byte order mark overrides the specified encoding, as
    /// in the WHATWG Encoding Standard. NUL bytes in every second position override it, too, because only UTF-16 has
    /// them.
    pub(super) fn of(head: &[u8], specified: Option<TextEncoding>) -> Self {
        let detected = Encoding::of(head);
        let Some(specified) = specified else { return Self { encoding: detected, legacy: None, overridden: None } };
        let unicode = unicode(specified);
        let marked = match head {
            [0xef, 0xbb, 0xbf, ..] => Some(Encoding::Utf8),
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some(detected),
            _ => None,
        };
        match (marked, unicode) {
            (Some(marked), _) => {
                Self { encoding: marked, legacy: None, overridden: Some(specified).filter(|_| unicode != Some(marked)) }
            }
            (None, Some(Encoding::Utf8) | None) => Self {
                encoding: detected,
                legacy: Some(specified).filter(|_| unicode.is_none()),
                overridden: Some(specified).filter(|_| detected != Encoding::Utf8),
            },
            (None, Some(utf16)) => Self { encoding: utf16, legacy: None, overridden: None },
        }
    }

    /// Returns the name of the encoding for messages.
    pub(super) fn name(self) -> &'static str {
        match self.legacy {
            Some(legacy) if self.encoding == Encoding::Utf8 => legacy.name(),
            _ => self.encoding.name(),
        }
    }
}

/// Returns the Unicode encoding that `encoding` stands for; None if it is a legacy encoding.
fn unicode(encoding: TextEncoding) -> Option<Encoding> {
    let known = [(UTF_8, Encoding::Utf8), (UTF_16LE, Encoding::Utf16Le), (UTF_16BE, Encoding::Utf16Be)];
    known.into_iter().find(|(standard, _)| *standard == encoding.standard()).map(|(_, encoding)| encoding)
}

#[cfg(test)]
mod tests {
    use super::{Encoding, TextStart};

    #[test]
    fn marks_count_more_than_labels_and_labels_more_than_the_default() {
        let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        let text = "{\"a\":\"M\u{fc}nchen\"}";
        for (head, label, name, is_overridden) in [
            (text.as_bytes().to_vec(), "utf-8", "UTF-8", false),
            (text.as_bytes().to_vec(), "iso-8859-2", "ISO-8859-2", false),
            (format!("\u{feff}{text}").into_bytes(), "utf-8", "UTF-8", false),
            (format!("\u{feff}{text}").into_bytes(), "windows-1252", "UTF-8", true),
            (format!("\u{feff}{text}").into_bytes(), "utf-16le", "UTF-8", true),
            (utf16(&format!("\u{feff}{text}")), "utf-16", "UTF-16 LE", false),
            (utf16(&format!("\u{feff}{text}")), "utf-16be", "UTF-16 LE", true),
            (utf16(text), "windows-1252", "UTF-16 LE", true),
            (utf16(text), "utf-8", "UTF-16 LE", true),
            (utf16("李雷"), "utf-16le", "UTF-16 LE", false),
            (Vec::new(), "shift_jis", "Shift_JIS", false),
        ] {
            let start = TextStart::of(&head, Some(label.parse().expect("a label")));
            assert_eq!((start.name(), start.overridden.is_some()), (name, is_overridden), "{label} {head:?}");
        }
        assert_eq!(TextStart::of(b"{}", None), TextStart { encoding: Encoding::Utf8, legacy: None, overridden: None });
    }
}
