//! Tests damaged files: readable rows are returned, lost rows are counted, and nothing panics.

use std::ops::Range;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::ColumnChunkMetaData;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;

const GROUP_ROWS: usize = 100;
const GROUPS: usize = 5;

/// Returns a file of five row groups of a hundred rows, with a column of numbers and a column of strings.
fn healthy(compression: Compression) -> Vec<u8> {
    let count = (GROUPS * GROUP_ROWS) as i64;
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..count));
    let texts: ArrayRef = Arc::new(StringArray::from_iter_values((0..count).map(|n| format!("text {}", n % 37))));
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_data_page_row_count_limit(30)
        .set_write_batch_size(10)
        .set_compression(compression)
        .set_bloom_filter_enabled(true)
        .build();
    let file = write(&RecordBatch::try_from_iter([("number", numbers), ("text", texts)]).unwrap(), properties);
    std::fs::read(file.path()).unwrap()
}

fn table() -> Schema {
    Schema::new([Field::new("number", Type::Long), Field::new("text", Type::String)])
}

fn save(bytes: &[u8]) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    file
}

/// Returns the byte range of each row group, from the footer.
fn group_bytes(file: &ParquetFile) -> Vec<Range<usize>> {
    let of = |group: &parquet::file::metadata::RowGroupMetaData| {
        let ranges = group.columns().iter().map(|chunk| chunk.byte_range());
        let start = ranges.clone().map(|(start, _)| start).min().unwrap();
        let end = ranges.map(|(start, length)| start + length).max().unwrap();
        start as usize..end as usize
    };
    file.metadata.row_groups().iter().map(of).collect()
}

/// Tests that negative offsets and lengths in a footer are outside the file, and that nothing panics.
#[test]
fn chunks_lie_nowhere_where_numbers_are_negative() {
    let chunk = open(save(&healthy(Compression::UNCOMPRESSED)).path()).metadata.row_group(0).column(0).clone();
    let range = |chunk: ColumnChunkMetaData| pages::chunk_range(&chunk);
    assert_eq!(range(chunk.clone()), Some(chunk.byte_range()));
    let without = || chunk.clone().into_builder().set_dictionary_page_offset(None);
    assert_eq!(range(chunk.clone().into_builder().set_total_compressed_size(-1).build().unwrap()), None);
    assert_eq!(range(without().set_data_page_offset(-1).build().unwrap()), None);
    assert_eq!(range(without().set_data_page_offset(7).set_total_compressed_size(9).build().unwrap()), Some((7, 9)));
}

fn filtered() -> ScanRequest {
    let mut request = request([1, 0]);
    let value = Value::string("text 7");
    let wanted = Predicate::Compare { column: 1, comparison: Comparison::Equal, value };
    request.prune = vec![wanted.clone()];
    request.filter = Some(Arc::new(RowByRowFilter::new(wanted)));
    request.columns.push(ScanColumn::Column(0));
    request
}

#[test]
fn a_file_that_is_none_is_refused_with_its_name() {
    for bytes in [&b""[..], b"PAR1", b"PAR1 and then nothing", b"{\"Records\": []}"] {
        let file = save(bytes);
        let error = ParquetFile::open(file.path(), "archive/a.parquet").unwrap_err();
        assert!(error.to_string().starts_with("archive/a.parquet: footer: "), "{error}");
        assert_eq!(error.exit_code(), 5);
    }
    let error = ParquetFile::open("/nowhere/a.parquet", "a.parquet").unwrap_err();
    assert!(matches!(error, Error::Io { .. }), "{error}");
}

#[test]
fn a_file_that_was_cut_off_is_refused() {
    let bytes = healthy(Compression::SNAPPY);
    for length in (0..bytes.len()).step_by(37) {
        let file = save(&bytes[..length]);
        assert!(ParquetFile::open(file.path(), "a.parquet").is_err(), "{length} of {} bytes", bytes.len());
    }
}

#[test]
fn the_row_groups_around_a_broken_one_are_read_and_its_rows_are_counted() {
    let mut bytes = healthy(Compression::ZSTD(ZstdLevel::default()));
    let range = group_bytes(&open(save(&bytes).path()))[2].clone();
    bytes[range].fill(0xff);
    let file = save(&bytes);
    let file = open(file.path());
    let request = request([0]);
    let numbers = rows(&file, &table(), &request).concat();
    let expected = (0..200).chain(300..500).map(Value::Long);
    assert!(numbers.into_iter().eq(expected));
    let problems = &request.report.problems()["test.parquet"];
    assert_eq!(problems.lost, 100);
    let (place, reason) = &problems.examples[0];
    assert_eq!(place, "row group 2, rows 0 to 99");
    assert!(reason.starts_with("100 rows not read: "), "{reason}");
}

#[test]
fn rows_before_a_broken_page_are_kept() {
    let mut bytes = healthy(Compression::ZSTD(ZstdLevel::default()));
    let file = save(&bytes);
    let chunk = open(file.path()).metadata.row_group(0).column(0).byte_range();
    let end = (chunk.0 + chunk.1) as usize;
    bytes[end - 20..end].fill(0xff);
    let file = save(&bytes);
    let request = ScanRequest { batch_rows: 10, ..request([0]) };
    let numbers = rows(&open(file.path()), &table(), &request).concat();
    // The last of four pages starts at row 90; the row groups that follow are whole.
    assert!(numbers.into_iter().eq((0..90).chain(100..500).map(Value::Long)));
    let problems = &request.report.problems()["test.parquet"];
    assert!(problems.examples[0].1.starts_with("10 rows not read: "), "{problems:?}");
}

#[test]
fn whatever_is_broken_nothing_panics_and_whole_row_groups_stay_whole() {
    let mut saved = 0;
    for seed in 0..150 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let compression = [Compression::UNCOMPRESSED, Compression::SNAPPY][rng.random_range(0..2)];
        let mut bytes = healthy(compression);
        let whole = save(&bytes);
        let groups = group_bytes(&open(whole.path()));
        let in_pages = rng.random_bool(0.5);
        let end = if in_pages { groups[GROUPS - 1].end } else { bytes.len() };
        let start = if in_pages { 4 } else { groups[GROUPS - 1].end };
        let mut broken = [false; GROUPS];
        for _ in 0..rng.random_range(1..4) {
            let at = rng.random_range(start..end);
            bytes[at] ^= 1 << rng.random_range(0..8);
            groups.iter().zip(&mut broken).for_each(|(group, broken)| *broken |= group.contains(&at));
        }
        let file = save(&bytes);
        let Ok(file) = ParquetFile::open(file.path(), "a.parquet") else { continue };
        for request in [request([0, 1]), filtered(), request([])] {
            // With a broken footer, any result or error is accepted, but no panic.
            let found = rows_within_reason(&file, &request);
            if in_pages && request.filter.is_none() && request.columns.len() == 2 {
                let kept = |group: usize| (0..GROUP_ROWS).map(move |row| (group * GROUP_ROWS + row) as i64);
                for number in (0..GROUPS).filter(|group| !broken[*group]).flat_map(kept) {
                    assert!(found.iter().any(|row| row[0] == Value::Long(number)), "seed {seed}: row {number} is gone");
                }
                saved += 1;
            }
        }
    }
    assert!(saved > 30);
}

/// Returns the rows of a scan. It ends early if there are many more than were written, as a broken footer may claim.
fn rows_within_reason(file: &Arc<ParquetFile>, request: &ScanRequest) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for part in file.partitions(&table(), request).unwrap() {
        for batch in part.read().unwrap() {
            let batch = batch.unwrap();
            if rows.len() > 20 * GROUPS * GROUP_ROWS {
                return rows;
            }
            rows.extend((0..batch.rows()).map(|row| batch.columns().iter().map(|c| c.value(row)).collect()));
        }
    }
    rows
}

/// A file that pyarrow 26 wrote with `write_page_checksum`: three row groups of a hundred rows, not compressed.
const CHECKSUMS: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/parquet/checksums.parquet"));

#[test]
fn pages_with_checksums_never_give_wrong_values() {
    let sound: Vec<Vec<Value>> =
        (0..300).map(|n| vec![Value::Long(n), Value::string(format!("text {}", n % 7))]).collect();
    let whole = save(CHECKSUMS);
    let whole = open(whole.path());
    assert_eq!(rows(&whole, &table(), &request([0, 1])), sound);
    let groups = group_bytes(&whole);
    let mut lost = 0;
    for at in (groups[0].start..groups[2].end).step_by(3) {
        let mut bytes = CHECKSUMS.to_vec();
        bytes[at] ^= 0x10;
        let file = save(&bytes);
        let request = request([0, 1]);
        let found = rows(&open(file.path()), &table(), &request);
        assert!(found.iter().all(|row| sound.contains(row)), "byte {at}");
        assert_eq!(found.len() < 300, !request.report.problems().is_empty(), "byte {at}");
        lost += usize::from(found.len() < 300);
    }
    assert!(lost > 500, "{lost}");
}
