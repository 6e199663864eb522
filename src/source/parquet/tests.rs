use super::*;

#[test]
fn a_file_that_is_none_is_refused_with_its_name() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), b"PAR1 and then nothing").unwrap();
    let error = ParquetFile::open(file.path(), "archive/a.parquet").unwrap_err();
    assert!(error.to_string().starts_with("archive/a.parquet: footer: "), "{error}");
}
