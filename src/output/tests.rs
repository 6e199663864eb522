//! Tests every format with the same results: all types, nulls, escapes, wide characters, and no rows.

use std::fs::File;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use ::arrow::array::{Array, AsArray, DictionaryArray};
use ::arrow::datatypes::{DurationNanosecondType, Int32Type, TimestampNanosecondType};
use ::arrow::ipc::reader::StreamReader;
use ::arrow::record_batch::RecordBatch;
use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::arrow::TYPE_KEY;
use super::{FORMATS, OutputOptions, Stream, format, format_for_extension};
use crate::diagnostic::{Error, Result};
use crate::parquet::footer::SCHEMA_KEY;
use crate::types::{Batch, Column, ColumnBuilder, Field, Schema, Type, Value, datetime, decimal};

/// A stream whose bytes can be read afterwards.
#[derive(Clone, Default)]
struct Bytes(Arc<Mutex<Vec<u8>>>);

impl Bytes {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Bytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A stream whose reader has closed it.
struct Closed;

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
}

fn try_write(name: &str, schema: &Schema, batches: &[Batch], options: &OutputOptions, stream: Stream) -> Result<()> {
    let mut writer = (format(name).unwrap().writer)(stream, options);
    writer.begin(schema)?;
    batches.iter().try_for_each(|batch| writer.batch(batch))?;
    writer.finish()
}

fn bytes(name: &str, schema: &Schema, batches: &[Batch]) -> Vec<u8> {
    let bytes = Bytes::default();
    try_write(name, schema, batches, &OutputOptions::default(), Box::new(bytes.clone())).unwrap();
    bytes.take()
}

fn text(name: &str, schema: &Schema, batches: &[Batch]) -> String {
    String::from_utf8(bytes(name, schema, batches)).unwrap()
}

fn text_with(name: &str, options: OutputOptions, schema: &Schema, batches: &[Batch]) -> String {
    let bytes = Bytes::default();
    try_write(name, schema, batches, &options, Box::new(bytes.clone())).unwrap();
    String::from_utf8(bytes.take()).unwrap()
}

fn column(values: &[Value]) -> Column {
    let mut builder = ColumnBuilder::new(values[0].ty());
    values.iter().for_each(|value| builder.append(value));
    builder.finish()
}

/// Returns a column of every type, each with a typical value, an unusual value, and a null.
fn all_types() -> (Schema, Batch) {
    let number = |text: &str| Value::Decimal(decimal::parse(text).unwrap().unwrap());
    let time = datetime::parse("2024-03-05T01:02:03.0000004Z").unwrap();
    let guid = *b"\x74\xbe\x27\xde\x1e\x4e\x49\xd9\xb5\x79\xfe\x0b\x33\x1d\x36\x42";
    let columns = [
        ("b", [Value::Bool(true), Value::Bool(false), Value::Null(Type::Bool)]),
        ("i", [Value::Int(7), Value::Int(i32::MIN), Value::Null(Type::Int)]),
        ("l", [Value::Long(9_007_199_254_740_993), Value::Long(-1), Value::Null(Type::Long)]),
        ("r", [Value::Real(2.5), Value::Real(f64::NEG_INFINITY), Value::Null(Type::Real)]),
        ("m", [number("1.10"), number("-0.5"), Value::Null(Type::Decimal)]),
        ("s", [Value::string("anna@contoso.com"), Value::string("=a,\"b\"|\n\u{1b}[2J漢\\"), Value::string("")]),
        ("t", [Value::Datetime(time), Value::Datetime(datetime::UNIX_EPOCH), Value::Null(Type::Datetime)]),
        (
            "d",
            [
                Value::Timespan(datetime::TICKS_PER_DAY + 1),
                Value::Timespan(-datetime::TICKS_PER_HOUR),
                Value::Null(Type::Timespan),
            ],
        ),
        ("g", [Value::Guid(guid), Value::Guid([0; 16]), Value::Null(Type::Guid)]),
        ("y \"q\"", [Value::dynamic("{\"a\": [1, null]}"), Value::dynamic("\"x\\ny\""), Value::Null(Type::Dynamic)]),
    ];
    let schema = Schema::new(columns.iter().map(|(name, values)| Field::new(*name, values[0].ty())));
    (schema, Batch::new(columns.iter().map(|(_, values)| column(values)).collect(), 3))
}

fn nothing() -> (Schema, Batch) {
    let schema = Schema::new([Field::new("a", Type::Long), Field::new("b", Type::String)]);
    (schema, Batch::new(vec![ColumnBuilder::new(Type::Long).finish(), ColumnBuilder::new(Type::String).finish()], 0))
}

fn golden(name: &str, expected: &str) {
    let (schema, batch) = all_types();
    assert_eq!(text(name, &schema, &[batch]), expected);
}

#[test]
fn lines_of_json() {
    golden(
        "jsonl",
        concat!(
            r#"{"b":true,"i":7,"l":9007199254740993,"r":2.5,"m":"1.1","s":"anna@contoso.com","#,
            r#""t":"2024-03-05T01:02:03.0000004Z","d":"1.00:00:00.0000001","#,
            r#""g":"74be27de-1e4e-49d9-b579-fe0b331d3642","y \"q\"":{"a":[1,null]}}"#,
            "\n",
            r#"{"b":false,"i":-2147483648,"l":-1,"r":"-Infinity","m":"-0.5","s":"=a,\"b\"|\n\u001b[2J漢\\","#,
            r#""t":"1970-01-01T00:00:00.0000000Z","d":"-01:00:00","#,
            r#""g":"00000000-0000-0000-0000-000000000000","y \"q\"":"x\ny"}"#,
            "\n",
            r#"{"b":null,"i":null,"l":null,"r":null,"m":null,"s":"","t":null,"d":null,"g":null,"y \"q\"":null}"#,
            "\n",
        ),
    );
}

#[test]
fn an_array_of_json() {
    let (schema, batch) = all_types();
    let two = batch.project(&[1, 5]).slice(0, 2);
    assert_eq!(
        text("json", &schema.project(&[1, 5]), &[two]),
        "[\n{\"i\":7,\"s\":\"anna@contoso.com\"},\n{\"i\":-2147483648,\"s\":\"=a,\\\"b\\\"|\\n\\u001b[2J漢\\\\\"}\n]\n"
    );
}

#[test]
fn the_answer_of_the_query_api() {
    let (schema, batch) = all_types();
    let two = batch.project(&[7, 9]).slice(0, 2);
    assert_eq!(
        text("la-api", &schema.project(&[7, 9]), &[two]),
        concat!(
            r#"{"tables":[{"name":"PrimaryResult","columns":[{"name":"d","type":"timespan"},"#,
            r#"{"name":"y \"q\"","type":"dynamic"}],"rows":["#,
            "\n[\"1.00:00:00.0000001\",{\"a\":[1,null]}],\n[\"-01:00:00\",\"x\\ny\"]\n]}]}\n"
        )
    );
}

#[test]
fn json_is_json() {
    let (schema, batch) = all_types();
    for line in text("jsonl", &schema, std::slice::from_ref(&batch)).lines() {
        let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).unwrap();
        assert_eq!(object.len(), schema.len());
    }
    for (schema, batch) in [all_types(), nothing()] {
        for name in ["json", "la-api"] {
            let _: serde_json::Value =
                serde_json::from_str(&text(name, &schema, std::slice::from_ref(&batch))).unwrap();
        }
    }
}

#[test]
fn comma_separated_values() {
    golden(
        "csv",
        concat!(
            "b,i,l,r,m,s,t,d,g,\"y \"\"q\"\"\"\r\n",
            "true,7,9007199254740993,2.5,1.1,anna@contoso.com,2024-03-05T01:02:03.0000004Z,1.00:00:00.0000001,",
            "74be27de-1e4e-49d9-b579-fe0b331d3642,\"{\"\"a\"\":[1,null]}\"\r\n",
            "false,-2147483648,-1,-Infinity,-0.5,\"=a,\"\"b\"\"|\n\u{1b}[2J漢\\\",1970-01-01T00:00:00.0000000Z,-01:00:00,",
            "00000000-0000-0000-0000-000000000000,\"x\ny\"\r\n",
            ",,,,,,,,,\r\n",
        ),
    );
}

#[test]
fn tab_separated_values() {
    let schema = Schema::new([Field::new("a", Type::String), Field::new("b", Type::Long)]);
    let columns =
        vec![column(&[Value::string("x\ty"), Value::string("x, y")]), column(&[Value::Long(1), Value::Long(2)])];
    assert_eq!(text("tsv", &schema, &[Batch::new(columns, 2)]), "a\tb\n\"x\ty\"\t1\nx, y\t2\n");
}

#[test]
fn formulas_are_defused_on_request() {
    let schema = Schema::new([Field::new("a", Type::String), Field::new("b", Type::Long)]);
    let batch = Batch::new(vec![column(&[Value::string("=1+2")]), column(&[Value::Long(-1)])], 1);
    assert_eq!(text("csv", &schema, std::slice::from_ref(&batch)), "a,b\r\n=1+2,-1\r\n");
    let options = OutputOptions { excel_safe: true, ..OutputOptions::default() };
    assert_eq!(text_with("csv", options, &schema, std::slice::from_ref(&batch)), "\u{feff}a,b\r\n'=1+2,-1\r\n");
    assert_eq!(text_with("tsv", options, &schema, std::slice::from_ref(&batch)), "\u{feff}a\tb\n'=1+2\t-1\n");
    let terminal = OutputOptions { width: Some(80), ..options };
    assert_eq!(text_with("csv", terminal, &schema, &[batch]), "a,b\r\n'=1+2,-1\r\n", "no mark on a terminal");
}

#[test]
fn a_line_a_cell() {
    let (schema, batch) = all_types();
    let two = batch.project(&[5, 9]).slice(1, 2);
    assert_eq!(
        text("line", &schema.project(&[5, 9]), &[two]),
        "row 1\n    s: =a,\"b\"|\\n\\x1b[2J漢\\\ny \"q\": x\\ny\n\nrow 2\n    s:\ny \"q\":\n"
    );
}

#[test]
fn a_markdown_table() {
    let (schema, batch) = all_types();
    assert_eq!(
        text("md", &schema.project(&[1, 5]), &[batch.project(&[1, 5])]),
        concat!(
            "| i | s |\n| ---: | --- |\n| 7 | anna@contoso.com |\n",
            "| -2147483648 | =a,\"b\"\\|\\\\n\\\\x1b\\[2J漢\\\\ |\n|  |  |\n"
        )
    );
}

#[test]
fn a_table() {
    let (schema, batch) = all_types();
    let wide = Batch::new(vec![batch.column(1).clone(), batch.column(5).clone(), batch.column(0).clone()], 3);
    assert_eq!(
        text("table", &schema.project(&[1, 5, 0]), &[wide]),
        concat!(
            "          i  s                    b\n",
            "───────────  ───────────────────  ─────\n",
            "          7  anna@contoso.com     true\n",
            "-2147483648  =a,\"b\"|\\n\\x1b[2J漢\\  false\n",
            "\n",
            "\n3 rows\n"
        )
    );
}

#[test]
fn a_narrow_table_says_what_it_leaves_out() {
    let (schema, batch) = all_types();
    let options = OutputOptions { width: Some(32), ..OutputOptions::default() };
    assert_eq!(
        text_with("table", options, &schema.project(&[1, 5, 0]), &[batch.project(&[1, 5, 0])]),
        concat!(
            "          i  s             b\n",
            "───────────  ────────────  ─────\n",
            "          7  anna@contos…  true\n",
            "-2147483648  =a,\"b\"|\\n\\x…  false\n",
            "\n",
            "\n3 rows · 2 cells cut · use -o line to see all\n"
        )
    );
    let options = OutputOptions { width: Some(21), ..OutputOptions::default() };
    assert_eq!(
        text_with("table", options, &schema.project(&[1, 5, 0]), &[batch.project(&[1, 5, 0]).slice(0, 1)]),
        "i  s             b\n─  ────────────  ────\n7  anna@contos…  true\n\n1 row · 1 cell cut · use -o line to see all\n"
    );
    let options = OutputOptions { width: Some(26), ..OutputOptions::default() };
    let narrow = text_with("table", options, &schema, &[batch.slice(0, 1)]);
    assert!(
        narrow.ends_with("1 row · 7 columns hidden · use -o line to see all, or project the columns you need\n"),
        "{narrow}"
    );
    assert!(narrow.lines().take(3).all(|line| line.chars().count() <= 26), "{narrow}");
}

#[test]
fn rows_after_the_widths_are_settled() {
    let schema = Schema::new([Field::new("a", Type::String)]);
    let batch = |text: &str, rows| Batch::new(vec![Column::constant(Value::string(text), rows)], rows);
    let batches = [batch("x", 600), batch("much longer", 1)];
    let wide = text("table", &schema, &batches);
    assert!(wide.ends_with("x\nmuch longer\n\n601 rows\n"), "{wide}");
    let options = OutputOptions { width: Some(80), ..OutputOptions::default() };
    let whole = text_with("table", options, &schema, &batches);
    assert!(whole.ends_with("x\nmuch longer\n\n601 rows\n"), "there is room for it: {whole}");
    let options = OutputOptions { width: Some(8), ..OutputOptions::default() };
    let cut = text_with("table", options, &schema, &batches);
    assert!(cut.ends_with("x\nmuch lo…\n\n601 rows · 1 cell cut · use -o line to see all\n"), "{cut}");
}

#[test]
fn cells_of_any_width() {
    let schema = Schema::new([Field::new("a", Type::String), Field::new("n".repeat(70_000), Type::Long)]);
    let long = "x".repeat(200_000);
    let cells = [Value::string("short"), Value::string(long.as_str())];
    let batch = Batch::new(vec![column(&cells), column(&[Value::Long(1), Value::Long(2)])], 2);
    for name in ["table", "line", "md", "csv", "tsv", "json", "jsonl", "la-api"] {
        let text = text(name, &schema, std::slice::from_ref(&batch));
        assert!(text.contains(&long) && text.contains("short"), "{name}");
        assert!(text.len() < 2_000_000, "{name}: one long cell does not widen every row");
    }
    let options = OutputOptions { width: Some(80), ..OutputOptions::default() };
    let cut = text_with("table", options, &schema, &[batch]);
    assert!(cut.contains("x…\n") && cut.contains("1 cell cut · 1 column hidden"), "{cut}");
}

#[test]
fn hidden_columns_that_are_empty_are_told_from_others() {
    let names = ["a", "b", "c"];
    let schema = Schema::new(names.map(|name| Field::new(name, Type::String)));
    let rows = |c: &str, rows| {
        let cells = ["x".repeat(15), String::new(), c.to_owned()];
        Batch::new(cells.iter().map(|cell| Column::constant(Value::string(cell.as_str()), rows)).collect(), rows)
    };
    let options = OutputOptions { width: Some(16), ..OutputOptions::default() };
    let table = |batches: &[Batch]| text_with("table", options, &schema, batches);
    let empty = table(&[rows("", 600)]);
    assert!(
        empty
            .ends_with("600 rows · 2 empty columns hidden · use -o line to see all, or project the columns you need\n")
    );
    let later = table(&[rows("", 600), rows("y", 1)]);
    assert!(later.contains("601 rows · 1 column hidden · 1 empty column hidden"), "{later}");
}

#[test]
fn no_rows() {
    let (schema, batch) = nothing();
    let expected = [
        ("table", "a  b\n─  ─\n\n0 rows\n"),
        ("line", "0 rows\n"),
        ("md", "| a | b |\n| ---: | --- |\n"),
        ("jsonl", ""),
        ("json", "[]\n"),
        ("csv", "a,b\r\n"),
        ("tsv", "a\tb\n"),
    ];
    for (name, expected) in expected {
        assert_eq!(text(name, &schema, &[]), expected, "{name}");
        assert_eq!(text(name, &schema, std::slice::from_ref(&batch)), expected, "{name}");
    }
    assert!(text("la-api", &schema, &[]).ends_with("\"rows\":[]}]}\n"));
}

#[test]
fn no_columns() {
    let schema = Schema::new([]);
    let batch = Batch::new(Vec::new(), 2);
    let expected = [
        ("table", "2 rows\n"),
        ("line", "row 1\n\nrow 2\n"),
        ("md", ""),
        ("jsonl", "{}\n{}\n"),
        ("json", "[\n{},\n{}\n]\n"),
        ("csv", ""),
        ("tsv", ""),
    ];
    for (name, expected) in expected {
        assert_eq!(text(name, &schema, std::slice::from_ref(&batch)), expected, "{name}");
    }
    assert_eq!(read_arrow(&bytes("arrow", &schema, std::slice::from_ref(&batch))).num_rows(), 2);
    let refused = try_write("parquet", &schema, &[batch], &OutputOptions::default(), Box::new(Bytes::default()));
    assert!(matches!(refused, Err(Error::Usage(_))));
}

#[test]
fn batches_and_encodings_do_not_show() {
    let (schema, batch) = all_types();
    let single: Vec<Batch> = (0..3).map(|row| batch.slice(row, 1)).collect();
    let constants =
        |row: &Batch| Batch::new(row.columns().iter().map(|column| Column::constant(column.value(0), 1)).collect(), 1);
    let constants: Vec<Batch> = single.iter().map(constants).collect();
    let encoded = Batch::new(batch.columns().iter().map(encoded).collect(), 3);
    for format in FORMATS.iter().filter(|format| !format.binary) {
        let whole = text(format.name, &schema, std::slice::from_ref(&batch));
        assert_eq!(text(format.name, &schema, &single), whole, "{}", format.name);
        assert_eq!(text(format.name, &schema, &constants), whole, "{}", format.name);
        assert_eq!(text(format.name, &schema, std::slice::from_ref(&encoded)), whole, "{}", format.name);
    }
    for (name, read) in [("arrow", read_arrow as fn(&[u8]) -> RecordBatch), ("parquet", read_parquet)] {
        let whole = read(&bytes(name, &schema, std::slice::from_ref(&batch)));
        assert_eq!(read(&bytes(name, &schema, &single)), whole, "{name}");
        assert_eq!(read(&bytes(name, &schema, &constants)), whole, "{name}");
        assert_eq!(read(&bytes(name, &schema, std::slice::from_ref(&encoded))), whole, "{name}");
    }
}

fn encoded(column: &Column) -> Column {
    if !column.ty().is_text() {
        return column.clone();
    }
    let dictionary: DictionaryArray<Int32Type> = (0..column.rows()).map(|row| column.text_at(row)).collect();
    Column::array(column.ty(), Arc::new(dictionary))
}

fn read_arrow(bytes: &[u8]) -> RecordBatch {
    let reader = StreamReader::try_new(bytes, None).unwrap();
    let schema = reader.schema();
    let batches: Vec<RecordBatch> = reader.collect::<Result<_, _>>().unwrap();
    if schema.fields().is_empty() {
        return batches.into_iter().next().unwrap();
    }
    ::arrow::compute::concat_batches(&schema, &batches).unwrap()
}

fn on_disk(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file
}

fn read_parquet(file: &[u8]) -> RecordBatch {
    let builder = ParquetRecordBatchReaderBuilder::try_new(on_disk(file)).unwrap();
    let schema = Arc::clone(builder.schema());
    let batches: Vec<RecordBatch> = builder.build().unwrap().collect::<Result<_, _>>().unwrap();
    ::arrow::compute::concat_batches(&schema, &batches).unwrap()
}

#[test]
fn arrow_and_parquet_keep_values_and_types() {
    let (schema, batch) = all_types();
    let arrow = read_arrow(&bytes("arrow", &schema, std::slice::from_ref(&batch)));
    let parquet = read_parquet(&bytes("parquet", &schema, std::slice::from_ref(&batch)));
    for read in [arrow, parquet] {
        for (field, original) in read.schema().fields().iter().zip(schema.fields()) {
            assert_eq!(field.name(), &original.name);
            assert_eq!(field.metadata().get(TYPE_KEY).map(String::as_str), Some(original.ty.name()));
        }
        assert!(
            read.columns()
                .iter()
                .zip(schema.fields())
                .all(|(column, field)| { column.is_null(2) != (field.ty == Type::String) })
        );
        assert!(read.column(0).as_boolean().value(0));
        assert_eq!(read.column(1).as_primitive::<Int32Type>().value(1), i32::MIN);
        assert_eq!(read.column(4).as_string::<i32>().value(1), "-0.5");
        assert_eq!(read.column(5).as_string::<i32>().value(1), batch.column(5).text_at(1).unwrap());
        let times = read.column(6).as_primitive::<TimestampNanosecondType>();
        assert_eq!((times.value(0), times.value(1)), (1_709_600_523_000_000_400, 0));
        let spans = read.column(7).as_primitive::<DurationNanosecondType>();
        assert_eq!((spans.value(0), spans.value(1)), (86_400_000_000_100, -3_600_000_000_000));
        assert_eq!(read.column(8).as_string::<i32>().value(0), "74be27de-1e4e-49d9-b579-fe0b331d3642");
        assert_eq!(read.column(9).as_string::<i32>().value(0), "{\"a\": [1, null]}");
    }
}

#[test]
fn a_parquet_file_says_its_columns_in_kql() {
    let (schema, batch) = all_types();
    let file = bytes("parquet", &schema.project(&[6, 9]), &[batch.project(&[6, 9])]);
    let builder = ParquetRecordBatchReaderBuilder::try_new(on_disk(&file)).unwrap();
    let metadata = builder.metadata().file_metadata().key_value_metadata().unwrap();
    let columns = metadata.iter().find(|entry| entry.key == SCHEMA_KEY).unwrap().value.as_deref();
    assert_eq!(columns, Some(r#"[{"name":"t","type":"datetime"},{"name":"y \"q\"","type":"dynamic"}]"#));
}

#[test]
fn what_nanoseconds_cannot_hold_is_refused() {
    let cases = [Value::Datetime(0), Value::Datetime(datetime::MAX), Value::Timespan(i64::MAX)];
    for value in cases {
        let schema = Schema::new([Field::new("x", value.ty())]);
        for name in ["arrow", "parquet"] {
            let batch = Batch::new(vec![Column::constant(value.clone(), 1)], 1);
            let refused = try_write(name, &schema, &[batch], &OutputOptions::default(), Box::new(Bytes::default()));
            assert!(matches!(refused, Err(Error::Limit(message)) if message.contains("`x`")), "{name}");
        }
    }
}

#[test]
fn a_closed_pipe_is_told_as_such() {
    let (schema, batch) = all_types();
    for format in FORMATS {
        let result =
            try_write(format.name, &schema, std::slice::from_ref(&batch), &OutputOptions::default(), Box::new(Closed));
        let Err(Error::Io { source, .. }) = result else {
            panic!("{}: {result:?}", format.name);
        };
        assert_eq!(source.kind(), io::ErrorKind::BrokenPipe, "{}", format.name);
    }
}

#[test]
fn names_and_extensions_are_unique() {
    let mut names: Vec<_> = FORMATS.iter().map(|format| format.name).collect();
    let mut extensions: Vec<_> = FORMATS.iter().flat_map(|format| format.extensions).collect();
    for format in FORMATS {
        assert!(format.summary.ends_with('.'), "{}", format.name);
    }
    names.sort_unstable();
    extensions.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
    assert!(extensions.windows(2).all(|pair| pair[0] != pair[1]));
    assert_eq!(format_for_extension("CSV").unwrap().name, "csv");
    assert!(format_for_extension("xlsx").is_none());
}
