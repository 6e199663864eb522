//! Output never overwrites input.

use std::fs;

use crate::command::coldcase;

#[test]
fn inputs_are_not_overwritten() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let row = "{\"TimeGenerated\":\"2026-03-02T09:00:00Z\",\"Type\":\"SigninLogs\",\"Id\":\"1\"}\n";
    let input = path("in.json");
    fs::write(&input, row).expect("written");
    let other = folder.path().join("sub/../in.json");
    fs::create_dir(folder.path().join("sub")).expect("a folder");
    let other = other.to_str().expect("UTF-8");
    let batch = path("batch.jsonl");
    fs::write(&batch, "{\"id\":1,\"query\":\"SigninLogs | count\"}\n").expect("written");
    let root = path("");
    let count = "SigninLogs | count";
    let calls: [&[&str]; 7] = [
        &[count, &input, "--rejects", &input],
        &[count, &input, "--manifest", &input],
        &[count, &root, "-O", other],
        &["explain", "--analyze", count, &input, "--rejects", &input],
        &["convert", &input, "-O", &path("archive"), "--manifest", &input],
        &["batch", &batch, &input, "--manifest", &input],
        &[count, &input, "-O", &path("new.csv"), "--rejects", &path("sub/../new.csv")],
    ];
    for call in calls {
        let output = coldcase(call);
        assert_eq!(output.code, 2, "{call:?}: {output:?}");
        assert_eq!(fs::read_to_string(&input).expect("readable"), row, "{call:?}");
    }
    assert_eq!(coldcase(&[count, &input, "-O", &path("new.csv"), "--rejects", &path("rejects.jsonl")]).code, 0);
}
