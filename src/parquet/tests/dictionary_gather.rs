//! Tests that gathered rows are equal to the written rows.

use std::fs::File;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Int32Type, Int64Type};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::RowSelector;
use parquet::basic::ZstdLevel;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};
use parquet::file::properties::{WriterProperties, WriterVersion};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;

struct DictionaryFile {
    file: File,
    metadata: ParquetMetaData,
    has_nulls: bool,
    strings: Vec<Option<String>>,
    numbers: Vec<Option<i64>>,
}

fn written(random: &mut ChaCha8Rng) -> DictionaryFile {
    let rows: usize = random.random_range(1..3_000);
    let nulls = [0.0, 0.0, 0.0, 0.02][random.random_range(0..4)];
    let distinct = [1, 2, 30, 2_000][random.random_range(0..4)];
    let stays = [0.0, 0.9][random.random_range(0..2)];
    let mut number = 0;
    let mut next = |_| {
        if !random.random_bool(stays) {
            number = random.random_range(0..distinct);
        }
        (!random.random_bool(nulls)).then_some(number)
    };
    let numbers: Vec<Option<i64>> = (0..rows).map(&mut next).collect();
    let strings: Vec<Option<String>> = (0..rows).map(&mut next).map(|n| n.map(|n| format!("né {n}"))).collect();
    let version = [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0][random.random_range(0..2)];
    let compression = [Compression::UNCOMPRESSED, Compression::SNAPPY, Compression::ZSTD(ZstdLevel::default())];
    let properties = WriterProperties::builder()
        .set_writer_version(version)
        .set_compression(compression[random.random_range(0..3)])
        .set_offset_index_disabled(random.random_bool(0.5))
        .set_data_page_row_count_limit([usize::MAX, 500, 70][random.random_range(0..3)])
        .set_write_batch_size(50);
    let nullable = nulls > 0.0 || random.random_bool(0.5);
    let columns: [(&str, ArrayRef, bool); 2] = [
        ("text", Arc::new(StringArray::from(strings.clone())), nullable),
        ("number", Arc::new(Int64Array::from(numbers.clone())), nullable),
    ];
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let file = tempfile::tempfile().unwrap();
    let mut writer = ArrowWriter::try_new(file.try_clone().unwrap(), batch.schema(), Some(properties.build())).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let reader = ParquetMetaDataReader::new().with_page_index_policy(PageIndexPolicy::Optional);
    let metadata = reader.parse_and_finish(&file).unwrap();
    DictionaryFile { file, metadata, has_nulls: nulls > 0.0, strings, numbers }
}

impl DictionaryFile {
    fn gather(&self, file: &File, leaf: usize, selection: &RowSelection) -> Option<ArrayRef> {
        let input = ParquetInput::Disk(file.try_clone().unwrap());
        let index = self.metadata.page_index_for_row_group(0);
        let pages = index.offset_index(leaf).map_or(&[][..], |index| index.page_locations());
        let strings = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
        let ty = [strings, DataType::Int64][leaf].clone();
        let chunk = self.metadata.row_group(0).column(leaf);
        let start = chunk.dictionary_page_offset().unwrap() as u64;
        // Whether the dictionary was read before must make no difference.
        let known = (leaf == 0 && selection.row_count().is_multiple_of(2))
            .then(|| dictionary(&input, chunk, start..chunk.data_page_offset() as u64));
        gather(&ChunkPages { input: &input, chunk, pages }, known.flatten(), selection, &ty)
    }
}

fn selection(random: &mut ChaCha8Rng, rows: usize) -> RowSelection {
    let (mut selectors, mut left) = (Vec::new(), rows);
    let most = [4, 400, 3_000][random.random_range(0..3)];
    while left > 0 {
        let row_count = random.random_range(1..=left.min(most));
        selectors.push(RowSelector { row_count, skip: random.random_bool(0.5) });
        left -= row_count;
    }
    selectors.into()
}

#[test]
fn rows_are_those_that_were_written() {
    let mut random = ChaCha8Rng::seed_from_u64(41);
    for _ in 0..120 {
        let written = written(&mut random);
        for _ in 0..3 {
            let selection = selection(&mut random, written.strings.len());
            let wanted: Vec<usize> = SelectedRanges::new(&selection).0.into_iter().flatten().collect();
            if wanted.is_empty() {
                continue;
            }
            let Some(strings) = written.gather(&written.file, 0, &selection) else {
                assert!(written.has_nulls, "simple");
                continue;
            };
            let strings = strings.as_dictionary::<Int32Type>().downcast_dict::<StringArray>().unwrap();
            let expected: Vec<Option<&str>> = wanted.iter().map(|row| written.strings[*row].as_deref()).collect();
            assert_eq!(strings.into_iter().collect::<Vec<_>>(), expected);
            let Some(numbers) = written.gather(&written.file, 1, &selection) else {
                assert!(written.has_nulls, "simple");
                continue;
            };
            let expected: Int64Array = wanted.iter().map(|row| written.numbers[*row]).collect();
            assert_eq!(numbers.as_primitive::<Int64Type>(), &expected);
        }
    }
}

#[test]
fn damaged_pages_are_left_to_the_crate() {
    use std::io::{Read, Seek, SeekFrom, Write};
    let mut random = ChaCha8Rng::seed_from_u64(43);
    for _ in 0..12 {
        let mut written = written(&mut random);
        let every: RowSelection = vec![RowSelector::select(written.strings.len())].into();
        let mut whole = Vec::new();
        written.file.seek(SeekFrom::Start(0)).unwrap();
        written.file.read_to_end(&mut whole).unwrap();
        for leaf in 0..2 {
            let (start, length) = chunk_range(written.metadata.row_group(0).column(leaf)).unwrap();
            for place in (start..start + length).step_by(13) {
                let mut damaged = whole.clone();
                damaged[usize::try_from(place).unwrap()] ^= 0x55;
                let mut file = tempfile::tempfile().unwrap();
                file.write_all(&damaged).unwrap();
                // The result is either None or has all requested rows.
                let found = written.gather(&file, leaf, &every);
                assert!(found.is_none_or(|found| found.len() == written.strings.len()));
            }
        }
    }
}
