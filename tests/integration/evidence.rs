//! Evidence as it comes: exports that went through other tools and hands before they came here.

use std::fs;
use std::path::Path;

use crate::command::{Output, coldcase};

const TIME: &str = "2026-03-02T09:00:00Z";

/// A folder of files for one test.
struct Evidence(tempfile::TempDir);

impl Evidence {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap_or(Path::new(""))).expect("folders");
        fs::write(path, bytes).expect("written");
        self.path(name)
    }

    /// A Parquet file with the rows of a query.
    fn parquet(&self, name: &str, query: &str) -> String {
        self.write(name, "");
        let path = self.path(name);
        let output = coldcase(&[query, "-o", "parquet", "-O", &path]);
        assert_eq!(output.code, 0, "{output:?}");
        path
    }
}

/// The answer as CSV without its header line, and what was said.
fn ask(args: &[&str]) -> (String, String) {
    let Output { code, stdout, stderr } = coldcase(&[args, &["-o", "csv"]].concat());
    assert_eq!(code, 0, "{args:?}: {stderr}");
    let rows: Vec<&str> = stdout.lines().skip(1).collect();
    (rows.join("\n"), stderr)
}

/// A tool that met a missing value widens whole numbers; texts that look alike stay what they are.
#[test]
fn numbers_that_were_widened_are_whole_again() {
    let evidence = Evidence::new();
    let query = "SigninLogs | project Id, ResultType, AutonomousSystemNumber, OperationVersion, ResultDescription";
    let expected = "1,50126,8075,1.0,wrong\n2,0,,1.0,";
    let rows = "datatable(TimeGenerated:datetime, Type:string, Id:string, ResultType:real, AutonomousSystemNumber:real, \
                OperationVersion:real, ResultDescription:string) \
                [datetime(2026-03-02), 'SigninLogs', '1', 50126.0, 8075.0, 1.0, 'wrong', \
                datetime(2026-03-02), 'SigninLogs', '2', 0.0, real(null), 1.0, '']";
    let parquet = evidence.parquet("widened.parquet", rows);
    assert_eq!(ask(&[query, &parquet]).0, expected);
    let failures = "SigninLogs | where ResultType == 50126 | project Id";
    assert_eq!(ask(&[failures, &parquet]).0, "1");
    let start = format!("{{\"TimeGenerated\":\"{TIME}\",\"Type\":\"SigninLogs\",\"OperationVersion\":1.0");
    let json = format!(
        "{start},\"Id\":\"1\",\"ResultType\":50126.0,\"AutonomousSystemNumber\":8075.0,\"ResultDescription\":\"wrong\"}}\n\
         {start},\"Id\":\"2\",\"ResultType\":0.0}}\n"
    );
    let json = evidence.write("widened.json", json);
    assert_eq!(ask(&[query, &json]).0, expected);
    assert_eq!(ask(&[failures, &json]).0, "1");
    let graph = format!(
        "{{\"createdDateTime\":\"{TIME}\",\"id\":\"3\",\"isInteractive\":true,\
         \"status\":{{\"errorCode\":0.0,\"failureReason\":\"Other.\"}}}}\n"
    );
    let graph = evidence.write("graph.json", graph);
    assert_eq!(ask(&["SigninLogs | project Id, ResultType, ResultDescription", &graph]).0, "3,0,");
    // A column of a table of the user's own is what its file says.
    let own = evidence.write("own.json", "{\"ResultType\":50126.0}\n{\"ResultType\":\"x\"}\n");
    assert_eq!(ask(&["T", "-t", &format!("T={own}")]).0, "50126.0\nx");
}
