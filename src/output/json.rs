//! JSON: one object on each line, one array, or the response of the Log Analytics query API.

use super::{Format, NamedResult, Stream, TextStream, Writer};
use crate::diagnostic::Result;
use crate::types::{Batch, Schema, dynamic};

/// The format with one object on each line.
pub const LINES: Format = Format {
    name: "jsonl",
    extensions: &["jsonl", "ndjson"],
    summary: "JSON Lines: one object per row, with datetimes in RFC 3339 and dynamic values inline.",
    binary: false,
    holds_several: false,
    writer: |stream, _| json(stream, JsonLayout::Lines),
};

/// The format with one array of objects.
pub const ARRAY: Format = Format {
    name: "json",
    extensions: &["json"],
    summary: "One JSON array with one object per row.",
    binary: false,
    holds_several: false,
    writer: |stream, _| json(stream, JsonLayout::Array),
};

/// The format of the Log Analytics query API. Source: the reference of the Azure Monitor Log Analytics API, "response
/// format".
pub const LOG_ANALYTICS: Format = Format {
    name: "la-api",
    extensions: &[],
    summary: "The response format of the Log Analytics query API: typed columns, and rows as arrays.",
    binary: false,
    holds_several: true,
    writer: |stream, _| json(stream, JsonLayout::LogAnalytics),
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum JsonLayout {
    Lines,
    Array,
    LogAnalytics,
}

fn json(stream: Stream, layout: JsonLayout) -> Box<dyn Writer> {
    Box::new(Json { out: TextStream::new(stream), layout, keys: Vec::new(), rows: 0, name: None })
}

struct Json {
    out: TextStream,
    layout: JsonLayout,
    /// The text before each value: its key, or "" for values in an array.
    keys: Vec<String>,
    rows: u64,
    /// The name of the result, and whether other results precede and follow it in the stream; None for a single
    /// result.
    name: Option<(String, [bool; 2])>,
}

impl Json {
    fn open(&mut self, schema: &Schema) {
        let key = |name: &str| {
            let mut key = String::new();
            dynamic::quote(name, &mut key);
            key.push(':');
            key
        };
        match self.layout {
            JsonLayout::Lines | JsonLayout::Array => self.keys = schema.names().map(key).collect(),
            JsonLayout::LogAnalytics => {
                self.keys = vec![String::new(); schema.len()];
                let (name, is_first) = match &self.name {
                    Some((name, [is_first, _])) => (name.as_str(), *is_first),
                    None => ("PrimaryResult", true),
                };
                self.out.text.push_str(if is_first { r#"{"tables":["# } else { ",\n" });
                self.out.text.push_str(r#"{"name":"#);
                dynamic::quote(name, &mut self.out.text);
                self.out.text.push_str(r#","columns":["#);
                for (index, field) in schema.fields().iter().enumerate() {
                    self.out.text.push_str(if index == 0 { r#"{"name":"# } else { r#",{"name":"# });
                    dynamic::quote(&field.name, &mut self.out.text);
                    self.out.text.push_str(r#","type":""#);
                    self.out.text.push_str(field.ty.name());
                    self.out.text.push_str("\"}");
                }
                self.out.text.push_str(r#"],"rows":"#);
            }
        }
    }

    /// Returns the text between the row before the current one and the current row.
    fn before_row(&self) -> &'static str {
        match (self.layout, self.rows) {
            (JsonLayout::Lines, _) => "",
            (_, 0) => "[\n",
            _ => ",\n",
        }
    }

    fn row(&mut self, batch: &Batch, row: usize) {
        let before = self.before_row();
        let (open, close) = if self.layout == JsonLayout::LogAnalytics { ('[', ']') } else { ('{', '}') };
        let text = &mut self.out.text;
        text.push_str(before);
        text.push(open);
        for (index, (key, column)) in self.keys.iter().zip(batch.columns()).enumerate() {
            if index > 0 {
                text.push(',');
            }
            text.push_str(key);
            dynamic::write_row(column, row, text);
        }
        text.push(close);
        if self.layout == JsonLayout::Lines {
            text.push('\n');
        }
        self.rows += 1;
    }
}

impl Writer for Json {
    fn name(&mut self, result: NamedResult<'_>) {
        self.name = Some((result.name.to_owned(), [result.is_first, result.is_last]));
    }

    fn begin(&mut self, schema: &Schema) -> Result<()> {
        self.open(schema);
        Ok(())
    }

    fn batch(&mut self, batch: &Batch) -> Result<()> {
        for row in 0..batch.rows() {
            self.row(batch, row);
            self.out.row_done()?;
        }
        self.out.flush()
    }

    fn finish(&mut self) -> Result<()> {
        if self.layout != JsonLayout::Lines {
            self.out.text.push_str(if self.rows == 0 { "[]" } else { "\n]" });
        }
        self.out.text.push_str(match self.layout {
            JsonLayout::Lines => "",
            JsonLayout::Array => "\n",
            JsonLayout::LogAnalytics if self.name.as_ref().is_some_and(|(_, [_, is_last])| !is_last) => "}",
            JsonLayout::LogAnalytics => "}]}\n",
        });
        self.out.flush()
    }
}
