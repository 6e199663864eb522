//! Tests that rows which are read from sparse pages are equal to the written rows.

use std::fs::File;

use arrow::array::{AsArray, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::RowSelector;
use parquet::basic::{Encoding, ZstdLevel};
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::file::reader::FileReader;
use parquet::file::serialized_reader::SerializedFileReader;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;

struct PlainFile {
    file: File,
    texts: Vec<Option<String>>,
    numbers: Vec<Option<i64>>,
}

fn written(random: &mut ChaCha8Rng) -> PlainFile {
    let rows: usize = random.random_range(1..3_000);
    let nulls = [0.0, 0.02, 0.7][random.random_range(0..3)];
    let mut number = |_| (!random.random_bool(nulls)).then(|| random.random_range(-5..1_000_000_i64));
    let numbers: Vec<Option<i64>> = (0..rows).map(&mut number).collect();
    let texts: Vec<Option<String>> = (0..rows)
        .map(&mut number)
        .map(|number| number.map(|number| "né".repeat(number.unsigned_abs() as usize % 90)))
        .collect();
    let version = [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0][random.random_range(0..2)];
    let properties = WriterProperties::builder()
        .set_writer_version(version)
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_dictionary_enabled(false)
        .set_encoding(Encoding::PLAIN)
        .set_data_page_row_count_limit([usize::MAX, 500, 70][random.random_range(0..3)])
        .set_write_batch_size(50);
    let required = nulls == 0.0 && random.random_bool(0.5);
    let columns: [(&str, ArrayRef, bool); 2] = [
        ("text", Arc::new(StringArray::from(texts.clone())), !required),
        ("number", Arc::new(Int64Array::from(numbers.clone())), !required),
    ];
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let file = tempfile::tempfile().unwrap();
    let mut writer = ArrowWriter::try_new(file.try_clone().unwrap(), batch.schema(), Some(properties.build())).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    PlainFile { file, texts, numbers }
}

fn selection(random: &mut ChaCha8Rng, rows: usize) -> RowSelection {
    let (mut selectors, mut left) = (Vec::new(), rows);
    while left > 0 {
        let count = random.random_range(1..=left.min(400));
        let count = if selectors.len() % 2 == 1 { count.min(3) } else { count };
        selectors.push(RowSelector { row_count: count, skip: selectors.len() % 2 == 0 });
        left -= count;
    }
    selectors.into()
}

#[test]
fn rows_are_those_that_were_written() {
    let mut random = ChaCha8Rng::seed_from_u64(17);
    for _ in 0..60 {
        let written = written(&mut random);
        let reader = SerializedFileReader::new(written.file.try_clone().unwrap()).unwrap();
        let group = reader.metadata().row_group(0).clone();
        let input = ParquetInput::Disk(written.file);
        for _ in 0..3 {
            let selection = selection(&mut random, written.numbers.len());
            let wanted = SelectedRows::new(&selection).rows;
            let texts = read_selected(&input, group.column(0), &selection, &DataType::Utf8View).expect("simple");
            let expected: Vec<Option<&str>> = wanted.iter().map(|row| written.texts[*row].as_deref()).collect();
            assert_eq!(texts.as_string_view().iter().collect::<Vec<_>>(), expected);
            let numbers = read_selected(&input, group.column(1), &selection, &DataType::Int64).expect("simple");
            let expected: Int64Array = wanted.iter().map(|row| written.numbers[*row]).collect();
            assert_eq!(numbers.as_primitive(), &expected);
        }
    }
}

#[test]
fn damaged_pages_are_left_to_the_crate() {
    use std::io::{Read, Seek, SeekFrom, Write};
    let mut random = ChaCha8Rng::seed_from_u64(23);
    let mut written = written(&mut random);
    let reader = SerializedFileReader::new(written.file.try_clone().unwrap()).unwrap();
    let group = reader.metadata().row_group(0).clone();
    let every: RowSelection = vec![RowSelector::select(written.numbers.len())].into();
    let mut whole = Vec::new();
    written.file.seek(SeekFrom::Start(0)).unwrap();
    written.file.read_to_end(&mut whole).unwrap();
    let (start, length) = chunk_range(group.column(0)).unwrap();
    for place in (start..start + length).step_by(7) {
        let mut damaged = whole.clone();
        damaged[usize::try_from(place).unwrap()] ^= 0x55;
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&damaged).unwrap();
        // The result is either None or has all requested rows.
        let found = read_selected(&ParquetInput::Disk(file), group.column(0), &every, &DataType::Utf8View);
        assert!(found.is_none_or(|found| found.len() == written.numbers.len()));
    }
}
