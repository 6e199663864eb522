//! What the parser says about whole texts.

use super::parse;

/// Every query of the files in `COLDCASE_CORPUS` (JSON lines with a `query`, separated by `:`) parses or is refused as
/// unsupported; those that do not are listed.
#[test]
fn corpora() {
    let Ok(files) = std::env::var("COLDCASE_CORPUS") else { return };
    for file in files.split(':') {
        let text = std::fs::read_to_string(file).expect("a readable file");
        let (mut good, mut refused, mut bad) = (0, 0, 0);
        for line in text.lines() {
            let value: serde_json::Value = serde_json::from_str(line).expect("JSON");
            let query = value["query"].as_str().expect("a query");
            let parsed = parse(query);
            let worst = parsed.diagnostics.iter().find(|d| d.code.info().id.starts_with("KQL1"));
            match worst {
                _ if parsed.diagnostics.is_empty() => good += 1,
                None => refused += 1,
                Some(d) => {
                    bad += 1;
                    let start = d.span.start as usize;
                    let before = query[..start].rfind('\n').map_or(0, |at| at + 1);
                    println!("{}: {d}\n    {:.150}", value["id"], &query[before..]);
                }
            }
        }
        println!("{file}: {good} parse, {refused} refused, {bad} bad");
    }
}
