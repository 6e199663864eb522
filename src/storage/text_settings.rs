//! Settings for reading text that the user specifies, because the bytes of a file may not determine them.

use std::fmt;
use std::str::FromStr;

use crate::entra::numeric_dates::DateOrder;

/// The settings with which the text of a file is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TextSettings {
    /// The order of day and month in numeric dates; None if the dates themselves determine it.
    pub date_order: Option<DateOrder>,
    /// The encoding; None if the bytes determine it.
    pub encoding: Option<TextEncoding>,
}

impl TextSettings {
    /// Returns these settings; those that are not specified are taken from `other`.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self { date_order: self.date_order.or(other.date_order), encoding: self.encoding.or(other.encoding) }
    }
}

/// An encoding of the WHATWG Encoding Standard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextEncoding(&'static encoding_rs::Encoding);

impl TextEncoding {
    /// Returns the name of the encoding in the standard, such as `windows-1252` or `Shift_JIS`.
    pub(crate) fn name(self) -> &'static str {
        self.0.name()
    }

    /// Returns the encoding for the decoder.
    pub(crate) fn standard(self) -> &'static encoding_rs::Encoding {
        self.0
    }
}

impl fmt::Display for TextEncoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for TextEncoding {
    type Err = String;

    /// Parses a label of the standard. Labels that the standard maps to the replacement encoding are unknown here.
    fn from_str(label: &str) -> Result<Self, String> {
        encoding_rs::Encoding::for_label_no_replacement(label.as_bytes()).map(Self).ok_or_else(|| {
            format!(
                "unknown encoding {label:?}; use a label of the WHATWG Encoding Standard, such as utf-8, utf-16le, \
                 windows-1252, iso-8859-2, shift_jis or gb18030"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::TextEncoding;

    #[test]
    fn labels_are_those_of_the_standard() {
        for (label, name) in [
            ("windows-1252", "windows-1252"),
            ("Latin1", "windows-1252"),
            (" ISO-8859-2 ", "ISO-8859-2"),
            ("sjis", "Shift_JIS"),
            ("utf-16", "UTF-16LE"),
            ("utf8", "UTF-8"),
        ] {
            assert_eq!(label.parse::<TextEncoding>().map(TextEncoding::name), Ok(name), "{label}");
        }
        for label in ["", "cp850", "utf-7", "hz-gb-2312", "w\u{130}ndows-1252"] {
            assert!(label.parse::<TextEncoding>().is_err_and(|error| error.contains("windows-1252")), "{label}");
        }
    }
}
