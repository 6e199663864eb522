//! Tests that each stored type becomes the right KQL value, also at the limits of its range.

use arrow::array::{
    Array, ArrayRef, Date32Array, DurationMillisecondArray, Int64Array, ListArray, MapBuilder, StringArray,
    StringBuilder, StructArray,
};
use arrow::datatypes::{DataType, Field as ArrowField, Int64Type};
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType as PhysicalBound, DoubleType, FixedLenByteArray,
    FixedLenByteArrayType, FloatType, Int32Type as Int32, Int64Type as Int64, Int96, Int96Type,
};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

use super::*;
use crate::types::{datetime, guid, timespan};

/// Writes a column. Its second row is null in every file.
fn put<T: PhysicalBound>(group: &mut SerializedRowGroupWriter<'_, std::fs::File>, values: &[T::T]) {
    let mut levels = vec![1; values.len() + 1];
    levels[1] = 0;
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<T>().write_batch(values, Some(&levels), None).unwrap();
    column.close().unwrap();
}

/// Writes one column of a Parquet type, and reads it with the KQL type that the file suggests. Returns the type, the
/// values without the null in the second row, and the messages about damage.
fn read_back<T: PhysicalBound>(declaration: &str, values: &[T::T]) -> (Type, Vec<Value>, Vec<String>) {
    let schema = Arc::new(parse_message_type(&format!("message m {{ optional {declaration}; }}")).unwrap());
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut writer = SerializedFileWriter::new(file.reopen().unwrap(), schema, Default::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    put::<T>(&mut group, values);
    group.close().unwrap();
    writer.close().unwrap();
    let file = open(file.path());
    let (table, request) = (file.columns(), request([0]));
    let mut rows: Vec<Value> = rows(&file, &table, &request).into_iter().flatten().collect();
    assert_eq!(request.report.problems(), Default::default());
    let ty = table.field(0).ty;
    assert_eq!(rows.remove(1), Value::null(ty), "{declaration}");
    (ty, rows, crate::messages::all_damage(&request.report.damage()))
}

fn check<T: PhysicalBound>(declaration: &str, values: &[T::T], expected: &[Value]) {
    let (ty, actual, damage) = read_back::<T>(declaration, values);
    assert_eq!(actual, expected, "{declaration}");
    let nulls = expected.iter().filter(|value| value.is_null()).count();
    let expected = match nulls {
        0 => vec![],
        nulls => {
            let damage = match ty {
                Type::Datetime => Damage::UnreadableTime("c".to_owned()),
                ty => Damage::UnreadableValue("c".to_owned(), ty),
            };
            vec![format!("{}: test.parquet", crate::messages::damage(&damage, nulls as u64))]
        }
    };
    assert_eq!(damage, expected, "{declaration}");
}

fn time(text: &str) -> Value {
    Value::Datetime(datetime::parse(text).unwrap())
}

fn span(text: &str) -> Value {
    Value::Timespan(timespan::parse(text).unwrap())
}

const NO_TIME: Value = Value::Null(Type::Datetime);

#[test]
fn whole_numbers() {
    let (int, long) = (Value::Int, Value::Long);
    check::<Int32>("int32 c", &[i32::MIN, i32::MAX], &[int(i32::MIN), int(i32::MAX)]);
    check::<Int32>("int32 c (INTEGER(8,true))", &[-128, 127], &[int(-128), int(127)]);
    check::<Int32>("int32 c (INTEGER(16,false))", &[0, 65535], &[int(0), int(65535)]);
    check::<Int32>("int32 c (INTEGER(32,false))", &[0, -1], &[long(0), long(u32::MAX.into())]);
    check::<Int64>("int64 c", &[i64::MIN, i64::MAX], &[long(i64::MIN), long(i64::MAX)]);
    check::<Int64>("int64 c (INTEGER(64,false))", &[i64::MAX, -1], &[long(i64::MAX), Value::Null(Type::Long)]);
    check::<BoolType>("boolean c", &[true, false], &[Value::Bool(true), Value::Bool(false)]);
}

#[test]
fn reals_and_decimals() {
    check::<FloatType>("float c", &[0.5, f32::INFINITY], &[Value::Real(0.5), Value::Real(f64::INFINITY)]);
    check::<DoubleType>("double c", &[-0.1, 1e300], &[Value::Real(-0.1), Value::Real(1e300)]);
    let decimal = |text: &str| Value::Decimal(crate::types::decimal::parse(text).unwrap().unwrap());
    check::<Int32>("int32 c (DECIMAL(9,2))", &[12345, -1], &[decimal("123.45"), decimal("-0.01")]);
    check::<Int64>("int64 c (DECIMAL(18,0))", &[7, -7], &[decimal("7"), decimal("-7")]);
    let bytes = |digits: i128| FixedLenByteArray::from(digits.to_be_bytes().to_vec());
    let padded = 12_345_678 * 10_i128.pow(30);
    check::<FixedLenByteArrayType>(
        "fixed_len_byte_array(16) c (DECIMAL(38,30))",
        &[bytes(padded), bytes(padded + 1)],
        &[decimal("12345678"), Value::Null(Type::Decimal)],
    );
}

#[test]
fn datetimes_of_every_unit() {
    let first = time("0001-01-01");
    let last = |fraction: &str| time(&format!("9999-12-31T23:59:59.{fraction}Z"));
    let year_one = -62_135_596_800_i64;
    let year_ten_thousand = 253_402_300_800_i64;
    check::<Int64>(
        "int64 c (TIMESTAMP(MILLIS,true))",
        &[year_one * 1000, year_one * 1000 - 1, year_ten_thousand * 1000 - 1, year_ten_thousand * 1000, i64::MAX],
        &[first.clone(), NO_TIME, last("999"), NO_TIME, NO_TIME],
    );
    check::<Int64>(
        "int64 c (TIMESTAMP(MICROS,false))",
        &[year_one * 1_000_000, i64::MIN, year_ten_thousand * 1_000_000 - 1, -1],
        &[first.clone(), NO_TIME, last("999999"), time("1969-12-31T23:59:59.999999Z")],
    );
    check::<Int64>(
        "int64 c (TIMESTAMP(NANOS,true))",
        &[0, 199, -1, i64::MAX],
        &[
            time("1970-01-01"),
            time("1970-01-01T00:00:00.0000001Z"),
            time("1969-12-31T23:59:59.9999999Z"),
            time("2262-04-11T23:47:16.8547758Z"),
        ],
    );
    check::<Int64>("int64 c (TIMESTAMP_MILLIS)", &[1], &[time("1970-01-01T00:00:00.001Z")]);
    check::<Int32>(
        "int32 c (DATE)",
        &[-719_162, -719_163, 2_932_896, 2_932_897, i32::MAX],
        &[first, NO_TIME, time("9999-12-31"), NO_TIME, NO_TIME],
    );
}

#[test]
fn datetimes_of_96_bits_keep_every_digit_and_never_wrap() {
    let int96 = |day: u32, nanoseconds: u64| {
        let mut value = Int96::new();
        value.set_data(nanoseconds as u32, (nanoseconds >> 32) as u32, day);
        value
    };
    const EPOCH: u32 = 2_440_588;
    const DAY: u64 = 86_400_000_000_000;
    check::<Int96Type>(
        "int96 c",
        &[
            int96(EPOCH, 123_456_700),
            int96(EPOCH - 719_162, 0),
            int96(EPOCH - 719_163, DAY - 1),
            int96(EPOCH + 2_932_896, DAY - 1),
            int96(EPOCH + 2_932_897, 0),
            int96(0, 0),
            int96(i32::MAX as u32, DAY - 1),
        ],
        &[
            time("1970-01-01T00:00:00.1234567Z"),
            time("0001-01-01"),
            NO_TIME,
            time("9999-12-31T23:59:59.9999999Z"),
            NO_TIME,
            NO_TIME,
            NO_TIME,
        ],
    );
}

#[test]
fn timespans() {
    check::<Int32>("int32 c (TIME(MILLIS,true))", &[1, 86_399_999], &[span("00:00:00.001"), span("23:59:59.999")]);
    check::<Int64>("int64 c (TIME(MICROS,true))", &[1], &[span("00:00:00.000001")]);
    check::<Int64>("int64 c (TIME(NANOS,true))", &[199, -1], &[Value::Timespan(1), Value::Timespan(-1)]);
    let durations: ArrayRef = Arc::new(DurationMillisecondArray::from(vec![Some(-90_061_001), None, Some(i64::MAX)]));
    let file = write(&RecordBatch::try_from_iter([("c", durations)]).unwrap(), Default::default());
    let file = open(file.path());
    assert_eq!(file.columns(), Schema::new([Field::new("c", Type::Timespan)]));
    let null = || vec![Value::Null(Type::Timespan)];
    assert_eq!(rows(&file, &file.columns(), &request([0])), [vec![span("-1.01:01:01.001")], null(), null()]);
}

#[test]
fn texts_guids_and_json() {
    let text = Value::string;
    let bytes = |texts: &[&[u8]]| texts.iter().map(|text| ByteArray::from(text.to_vec())).collect::<Vec<_>>();
    check::<ByteArrayType>("binary c (STRING)", &bytes(&[b"a", b""]), &[text("a"), text("")]);
    check::<ByteArrayType>("binary c (ENUM)", &bytes(&[b"a"]), &[text("a")]);
    check::<ByteArrayType>(
        "binary c",
        &bytes("zoë".as_bytes().chunks(9).collect::<Vec<_>>().as_slice()),
        &[text("zoë")],
    );
    let (_, values, damage) = read_back::<ByteArrayType>("binary c", &bytes(&[b"a\xff", b"b"]));
    assert_eq!(values, [text("a\u{fffd}"), text("b")]);
    assert_eq!(damage, ["1 value of c is not valid UTF-8: the invalid bytes are replaced here: test.parquet"]);
    let json = [&b"{\"a\": 1}"[..], b" null", b"\"x\"", b"{\"cut", b"[1]", b"-1.5e3", b"\xff"];
    let (ty, values, damage) = read_back::<ByteArrayType>("binary c (JSON)", &bytes(&json));
    let dynamic = Value::dynamic;
    let expected = [
        dynamic("{\"a\": 1}"),
        Value::Null(Type::Dynamic),
        dynamic("\"x\""),
        dynamic("\"{\\\"cut\""),
        dynamic("[1]"),
        dynamic("-1.5e3"),
        dynamic("\"\u{fffd}\""),
    ];
    assert_eq!((ty, values), (Type::Dynamic, expected.to_vec()));
    let said = [
        "1 value of c is not valid UTF-8: the invalid bytes are replaced here: test.parquet",
        "2 values of c are not JSON: every path into them is empty: test.parquet",
    ];
    assert_eq!(damage, said);
    let id = guid::parse("00112233-4455-6677-8899-aabbccddeeff").unwrap();
    check::<FixedLenByteArrayType>(
        "fixed_len_byte_array(16) c (UUID)",
        &[FixedLenByteArray::from(id.to_vec())],
        &[Value::Guid(id)],
    );
}

#[test]
fn a_type_without_counterpart_is_left_out_and_said() {
    let schema = "message m { required int32 a; required fixed_len_byte_array(3) b; }";
    let file = tempfile::NamedTempFile::new().unwrap();
    let schema = Arc::new(parse_message_type(schema).unwrap());
    SerializedFileWriter::new(file.reopen().unwrap(), schema, Default::default()).unwrap().close().unwrap();
    let file = open(file.path());
    let request = request([0]);
    assert!(rows(&file, &file.columns(), &request).is_empty());
    assert_eq!(file.columns(), Schema::new([Field::new("a", Type::Int)]));
    let message = "column b cannot be read: its type FixedSizeBinary(3) has no counterpart in KQL: test.parquet";
    assert_eq!(crate::messages::all_damage(&request.report.damage()), [message]);
}

#[test]
fn structs_lists_and_maps_are_json_without_the_members_that_are_null() {
    let field = |name: &str, ty| Arc::new(ArrowField::new(name, ty, true));
    let list = ListArray::from_iter_primitive::<Int64Type, _, _>([Some(vec![Some(1), None]), None, Some(vec![])]);
    let device = StructArray::from(vec![
        (field("os \"x\"", DataType::Utf8), Arc::new(StringArray::from(vec![Some("Linux\n"), None, None])) as ArrayRef),
        (field("seen", DataType::Date32), Arc::new(Date32Array::from(vec![Some(0), None, None])) as ArrayRef),
        (field("list", list.data_type().clone()), Arc::new(list) as ArrayRef),
    ]);
    let mut map = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
    map.keys().append_value("k");
    map.values().append_value("v");
    map.keys().append_value("n");
    map.values().append_null();
    map.append(true).unwrap();
    map.append(false).unwrap();
    map.append(true).unwrap();
    let columns: [(&str, ArrayRef); 2] = [("device", Arc::new(device)), ("map", Arc::new(map.finish()))];
    let file = write(&RecordBatch::try_from_iter(columns).unwrap(), Default::default());
    let file = open(file.path());
    let dynamic = Value::dynamic;
    let expected = [
        vec![
            dynamic(r#"{"os \"x\"":"Linux\n","seen":"1970-01-01T00:00:00.0000000Z","list":[1,null]}"#),
            dynamic(r#"{"k":"v","n":null}"#),
        ],
        vec![dynamic("{}"), Value::Null(Type::Dynamic)],
        vec![dynamic(r#"{"list":[]}"#), dynamic("{}")],
    ];
    assert_eq!(rows(&file, &file.columns(), &request([0, 1])), expected);
}

#[test]
fn the_tables_type_wins() {
    let texts = ["50126", "", "True", "2026-03-02T06:58:12.4417093Z", "{\"a\":1}", "plain"];
    let texts: ArrayRef = Arc::new(StringArray::from_iter(texts.iter().map(Some).chain([None])));
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter((0..7).map(|n| (n < 6).then_some(n << 31))));
    let batch = RecordBatch::try_from_iter([("text", texts), ("number", numbers)]).unwrap();
    let null = Value::null;
    let as_text = |ty: Type| -> Vec<Value> {
        let mut values = vec![null(ty); 7];
        match ty {
            Type::Long => values[0] = Value::Long(50126),
            Type::Bool => (values[0], values[2]) = (Value::Bool(true), Value::Bool(true)),
            Type::Datetime => values[3] = time("2026-03-02T06:58:12.4417093Z"),
            _ => {
                let json = ["50126", "null", "\"True\"", "\"2026-03-02T06:58:12.4417093Z\"", "{\"a\":1}", "\"plain\""];
                json.iter().zip(&mut values).for_each(|(json, value)| *value = Value::dynamic(*json));
            }
        }
        values
    };
    for dictionary in [true, false] {
        let properties = WriterProperties::builder().set_dictionary_enabled(dictionary).build();
        let file = write(&batch, properties);
        let file = open(file.path());
        for ty in [Type::Long, Type::Bool, Type::Datetime, Type::Dynamic] {
            let request = request([0]);
            let actual = rows(&file, &Schema::new([Field::new("text", ty)]), &request);
            assert_eq!(actual.concat(), as_text(ty), "{ty}, dictionary {dictionary}");
            let kept = as_text(ty).iter().filter(|value| !value.is_null()).count() as u64;
            // Strings that are no JSON stay what they are, and are damage.
            let kept = if ty == Type::Dynamic { kept - 3 } else { kept };
            let lost: u64 = request.report.damage().kinds().flat_map(|(_, files)| files.values()).sum();
            assert_eq!(lost, 5 - kept, "{ty}, dictionary {dictionary}");
        }
        let table = Schema::new([Field::new("number", Type::String)]);
        let expected = ["0", "2147483648", "4294967296", "6442450944", "8589934592", "10737418240", ""];
        assert_eq!(rows(&file, &table, &request([0])).concat(), expected.map(Value::string));
        let table = Schema::new([Field::new("number", Type::Int)]);
        assert_eq!(rows(&file, &table, &request([0])).concat()[..2], [Value::Int(0), null(Type::Int)]);
    }
}
