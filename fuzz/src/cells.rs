//! Cells of any text as CSV: what is read is what was written.

use arbitrary::Arbitrary;
use coldcase::types::Type;

use super::scan;

/// A table as CSV.
#[derive(Arbitrary, Debug)]
pub struct Cells {
    rows: Vec<[String; 3]>,
    delimiter: Delimiter,
    always_quoted: bool,
    carriage_return: bool,
    byte_order_mark: bool,
}

#[derive(Arbitrary, Debug)]
enum Delimiter {
    Comma,
    Semicolon,
    Tab,
}

impl Cells {
    /// Every cell of a column of text has the text that was written.
    ///
    /// # Panics
    /// Where it has another one.
    pub fn check(&self) {
        let delimiter = match self.delimiter {
            Delimiter::Comma => b',',
            Delimiter::Semicolon => b';',
            Delimiter::Tab => b'\t',
        };
        let style = if self.always_quoted { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary };
        let end = if self.carriage_return { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
        let mut builder = csv::WriterBuilder::new();
        let mut writer = builder.delimiter(delimiter).quote_style(style).terminator(end).from_writer(Vec::new());
        writer.write_record(["First", "Second", "Third"]).expect("memory");
        for row in &self.rows {
            writer.write_record(row).expect("memory");
        }
        let text = writer.into_inner().expect("memory");
        let mark = if self.byte_order_mark { &b"\xef\xbb\xbf"[..] } else { b"" };
        let file = [mark, &text].concat();
        let catalog = scan::catalog(&scan::write("cells.csv", &file)).expect("a file");
        let found = match scan::ask(&catalog, "Bound", scan::PLAIN) {
            Ok(found) => found,
            // Nothing but the header.
            Err(_) if !self.rows.iter().any(|row| row.iter().any(|cell| !cell.trim().is_empty())) => return,
            Err(why) => panic!("refused: {why}"),
        };
        assert_eq!(found.lost, 0, "lost");
        // Spreadsheets write empty rows as nothing but delimiters.
        let is_filled = |row: &&[String; 3]| row.iter().any(|cell| !cell.trim().is_empty());
        let rows: Vec<&[String; 3]> = self.rows.iter().filter(is_filled).collect();
        assert_eq!(found.rows.len(), rows.len(), "rows");
        for (at, (name, ty)) in found.columns.iter().enumerate() {
            let column = ["First", "Second", "Third"].iter().position(|other| other == name).expect("a column");
            for (row, found) in rows.iter().zip(&found.rows).filter(|_| *ty == Type::String) {
                assert_eq!(row[column], found[at], "{name}");
            }
        }
    }
}
