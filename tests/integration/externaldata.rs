//! `externaldata`, `--externaldata` and `[externaldata]`: files by the URLs of published queries.

use std::fs;
use std::io::Write;
use std::path::Path;

use serde_json::Value as Json;

use crate::catalog::{CATALOG, archive, run_in};

const URL: &str = "https://lists.contoso.com/feeds/networks.csv";

fn lists() -> tempfile::TempDir {
    let folder = archive(&format!("{CATALOG}\n[externaldata]\n'{URL}' = 'lists/networks.csv'\n"));
    fs::create_dir_all(folder.path().join("lists/more")).expect("folders");
    let write = |name: &str, text: &str| fs::write(folder.path().join("lists").join(name), text).expect("written");
    write("networks.csv", "network,since\n203.0.113.0/24,2026-01-01\n198.51.100.0/24,2026-02-01\n");
    write("names.txt", "ann\r\n\r\n\"bo\"\n");
    write("cells.tsv", "1\t\"a\tb\"\n2\n3\tc\td\n");
    write("escaped.tsve", "1\ta\\tb\\\\\n");
    write("more/a.psv", "1|x\n");
    write("more/b.psv", "2|y\n");
    let json = "[{\"id\":1,\"tags\":[\"a\"]},\n{\n\"id\":\"2\",\"tags\":\"b\",\"more\":0},\n7,{\"id\":{},\"ID\":3}]";
    write("tags.json", json);
    write("broken.csv", "1,a\n2,\"b\n3,c\nx,d\n");
    write("latin.csv", "");
    fs::write(folder.path().join("lists/latin.csv"), b"1,J\xf5\n").expect("written");
    let gz = fs::File::create(folder.path().join("lists/networks.csv.gz")).expect("created");
    let mut gz = flate2::write::GzEncoder::new(gz, flate2::Compression::fast());
    gz.write_all(b"network\n192.0.2.0/24\n").and_then(|()| gz.finish().map(drop)).expect("written");
    folder
}

fn answer(folder: &Path, args: &[&str]) -> (String, String) {
    let (status, rows, said) = run_in(folder, args, &[]);
    assert_eq!(status, 0, "{args:?}: {said}");
    (rows, said)
}

#[test]
fn files_are_mapped_to_urls() {
    let folder = lists();
    let rows = |query: &str, more: &[&str]| answer(folder.path(), &[&[query], more].concat()).0;
    let query = format!("externaldata(network:string, since:datetime) ['{URL}'] with (ignoreFirstRecord=true) | count");
    assert_eq!(rows(&query, &[]), "Count\n2\n");
    // A signature in the URL is no part of its name.
    let signed = format!("externaldata(network:string) [h@'{URL}?sig=a%3D&se=1'] with(format='csv') | count");
    assert_eq!(rows(&signed, &[]), "Count\n3\n");
    let given = format!("{URL}=lists/networks.csv.gz");
    assert_eq!(rows(&query, &["--externaldata", &given]), "Count\n1\n");
    let given = "https://x.contoso.com/f?name=a.csv=lists/names.txt";
    let one = "externaldata(a:string) ['https://x.contoso.com/f?name=a.csv'] with (format=txt) | take 1";
    assert_eq!(rows(one, &["--externaldata", given]), "a\nann\n");
    // In every position of a table, and with sign-ins of the catalog.
    for query in [
        format!("SigninLogs | where '203.0.113.0/24' in (externaldata(n:string)['{URL}']) | count"),
        format!("let T = externaldata(n:string)['{URL}']; SigninLogs | where '203.0.113.0/24' in (T) | count"),
        format!(
            "let T = () {{ externaldata(n:string)['{URL}'] }}; union (T | where n == 'network'), SigninLogs | take 4 | count"
        ),
    ] {
        assert_eq!(rows(&query, &[]), "Count\n4\n", "{query}");
    }
}

#[test]
fn formats_are_declared_or_named_by_the_extension() {
    let folder = lists();
    let rows = |query: &str| answer(folder.path(), &[query, "-o", "jsonl"]).0;
    for (query, expected) in [
        ("externaldata(a:string)['lists/names.txt']", "{\"a\":\"ann\"}\n{\"a\":\"\\\"bo\\\"\"}\n"),
        ("externaldata(a:string)['lists/names.txt'] with (format=raw)", "{\"a\":\"ann\\r\\n\\r\\n\\\"bo\\\"\\n\"}\n"),
        (
            "externaldata(a:int, b:string)['lists/cells.tsv']",
            "{\"a\":1,\"b\":\"a\\tb\"}\n{\"a\":2,\"b\":\"\"}\n{\"a\":3,\"b\":\"c\"}\n",
        ),
        ("externaldata(a:int, b:string)['lists/escaped.tsve']", "{\"a\":1,\"b\":\"a\\tb\\\\\"}\n"),
        ("externaldata(a:int, b:string)['lists/more/*.psv']", "{\"a\":1,\"b\":\"x\"}\n{\"a\":2,\"b\":\"y\"}\n"),
        (
            "externaldata(a:int, b:string)['lists/more/b.psv', 'lists/more/a.psv']",
            "{\"a\":2,\"b\":\"y\"}\n{\"a\":1,\"b\":\"x\"}\n",
        ),
        ("externaldata(a:string)['lists/networks.csv.gz'] with (ignoreFirstRecord=true)", "{\"a\":\"192.0.2.0/24\"}\n"),
    ] {
        assert_eq!(rows(query), expected, "{query}");
    }
    let archive = ["externaldata(a:long)['lists/more/a.psv'] | project a", "-O", "lists/a.parquet"];
    answer(folder.path(), &archive);
    assert_eq!(rows("externaldata(a:long, b:string)['lists/a.parquet']"), "{\"a\":1,\"b\":\"\"}\n");
}

#[test]
fn what_cannot_be_read_is_told() {
    let folder = lists();
    let read = |query: &str| answer(folder.path(), &[query, "-o", "jsonl"]);
    let (rows, said) = read("externaldata(id:long, tags:dynamic)['lists/tags.json'] with (format=multijson)");
    assert_eq!(rows, "{\"id\":1,\"tags\":[\"a\"]}\n{\"id\":2,\"tags\":\"b\"}\n{\"id\":null,\"tags\":null}\n");
    assert!(said.contains("1 value of id cannot be read as long"), "{said}");
    assert!(said.contains("1 record was not read (line 4: not a JSON object)"), "{said}");
    let (rows, said) = read("externaldata(a:long, b:string)['lists/broken.csv']");
    assert_eq!(rows, "{\"a\":1,\"b\":\"a\"}\n{\"a\":3,\"b\":\"c\"}\n{\"a\":null,\"b\":\"d\"}\n");
    assert!(said.contains("line 2: a quote is not closed"), "{said}");
    assert!(said.contains("1 value of a cannot be read as long"), "{said}");
    let strict = run_in(folder.path(), &["externaldata(a:long)['lists/broken.csv']", "--strict"], &[]);
    assert_eq!(strict.0, 5, "{}", strict.2);
    let (rows, said) = read("externaldata(a:long, b:string)['lists/latin.csv']");
    assert_eq!(rows, "{\"a\":1,\"b\":\"J\u{f5}\"}\n");
    assert!(said.contains("UTF-8"), "{said}");
    let latin2 = ["externaldata(a:long, b:string)['lists/latin.csv']", "--encoding", "iso-8859-2", "-o", "jsonl"];
    assert_eq!(answer(folder.path(), &latin2).0, "{\"a\":1,\"b\":\"J\u{151}\"}\n");
}

#[test]
fn queries_download_nothing_and_read_only_what_they_name() {
    let folder = lists();
    let fails = |query: &str, status: i32, text: &str| {
        let (was, _, said) = run_in(folder.path(), &[query], &[]);
        assert_eq!(was, status, "{query}: {said}");
        assert!(said.contains(text), "{query}: {said}");
    };
    let missing = "externaldata(a:string)['https://x.contoso.com/list.csv?sig=secret']";
    fails(missing, 4, "--externaldata \"https://x.contoso.com/list.csv=PATH\"");
    fails("externaldata(a:string)['file:///etc/hosts']", 4, "download");
    fails("externaldata(a:string)['lists/../lists/names.txt']", 4, "`..`");
    fails("let n = toscalar(print 'lists/names.txt'); externaldata(a:string)[n]", 4, "string literal");
    fails("externaldata(a:string)['lists/none.txt']", 5, "none.txt");
    fails("externaldata(a:string)['lists/names.txt'] with (format=parquet)", 5, "not a Parquet file");
    fails("externaldata(a:string)['x.orc']", 4, "the format `orc`");
    fails("externaldata(a:string)['x'] with (format=orcs)", 4, "supported are csv");
    fails("externaldata(a:string)['x'] with (ingestionMappingReference='m')", 4, "ingestionMappingReference");
    fails("externaldata(a:string)['lists/tags.json'] with (ignoreFirstRecord=true)", 4, "ignoreFirstRecord");
    fails("externaldata(a:string)[1]", 3, "KQL2006");
    #[cfg(unix)]
    {
        let outside = tempfile::tempdir().expect("a folder");
        fs::write(outside.path().join("x.txt"), "secret\n").expect("written");
        std::os::unix::fs::symlink(outside.path().join("x.txt"), folder.path().join("lists/link.txt")).expect("a link");
        fails("externaldata(a:string)['lists/link.txt']", 4, "out of the working folder");
        let path = outside.path().join("x.txt").display().to_string();
        assert_eq!(answer(folder.path(), &[&format!("externaldata(a:string)['{path}']")]).0, "a\nsecret\n");
    }
    let (status, _, said) = run_in(folder.path(), &["print 1", "--externaldata", "x"], &[]);
    assert_eq!(status, 2, "{said}");
}

#[test]
fn a_mapping_says_what_columns_are_read_from() {
    let folder = lists();
    let rows = |query: &str| answer(folder.path(), &[query, "-o", "jsonl"]).0;
    let cells = r#"externaldata(b:string, a:int, c:string, d:string)['lists/cells.tsv'] with (format=tsv, ingestionMapping='[{"Column":"a","Properties":{"Ordinal":"0"}},{"column":"b","ordinal":2},{"Column":"c","Properties":{"ConstValue":"x"}}]')"#;
    let expected = "{\"b\":\"\",\"a\":1,\"c\":\"x\",\"d\":\"\"}\n{\"b\":\"\",\"a\":2,\"c\":\"x\",\"d\":\"\"}\n\
                    {\"b\":\"d\",\"a\":3,\"c\":\"x\",\"d\":\"\"}\n";
    assert_eq!(rows(cells), expected);
    fs::write(folder.path().join("lists/deep.json"), "{\"a\":{\"b\":[{\"c\":5}]},\"d\":1}\n").expect("written");
    let deep = r#"externaldata(c:long, d:real, all:dynamic)['lists/deep.json'] with (ingestionMapping='[{"Column":"c","Properties":{"Path":"$.a.b[0].c"}},{"Column":"d","Properties":{"Field":"d"}},{"Column":"all","Properties":{"Path":"$"}}]')"#;
    assert_eq!(rows(deep), "{\"c\":5,\"d\":1.0,\"all\":{\"a\":{\"b\":[{\"c\":5}]},\"d\":1}}\n");
    for (mapping, status, text) in [
        ("{}", 3, "JSON array"),
        (r#"[{"Column":"x","Properties":{"Ordinal":0}}]"#, 3, "not declared"),
        (r#"[{"Column":"a","Properties":{"Path":"$.a"}}]"#, 3, "does not say"),
        (r#"[{"Column":"a","Properties":{"Ordinal":0,"Transform":"SourceLocation"}}]"#, 4, "transformations"),
    ] {
        let query = format!("externaldata(a:string)['lists/cells.tsv'] with (ingestionMapping='{mapping}')");
        let (was, _, said) = run_in(folder.path(), &[&query], &[]);
        assert_eq!(was, status, "{mapping}: {said}");
        assert!(said.contains(text), "{mapping}: {said}");
    }
}

#[test]
fn mappings_are_shown() {
    let folder = lists();
    let (rows, _) = answer(folder.path(), &["tables", "-o", "jsonl"]);
    let shown = rows.lines().find(|line| line.contains("externaldata")).expect("a row");
    assert!(shown.contains(&format!("externaldata('{URL}')")) && shown.contains("networks.csv"), "{shown}");
    let query = format!("externaldata(a:string)['{URL}']");
    let (_, said) = answer(folder.path(), &[&query, "-v", "--manifest", "m.json"]);
    assert!(said.contains(&format!("source: externaldata('{URL}') is read from")), "{said}");
    let text = fs::read_to_string(folder.path().join("m.json")).expect("a manifest");
    let manifest: Json = serde_json::from_str(&text).expect("JSON");
    assert_eq!(manifest["inputs"][0]["table"], format!("externaldata('{URL}')"));
    assert_eq!(manifest["inputs"][0]["contents"], Json::Null);
    assert_eq!(manifest["inputs"][0]["bytes"], 67);
    let unused = ["print 1", "--externaldata", "https://y.contoso.com/a.csv=lists/names.txt"];
    assert!(answer(folder.path(), &unused).1.contains("lists/names.txt is not read"));
}

#[test]
fn lists_have_encodings() {
    let lists = "[watchlists]\nPeople = { path = 'lists/people.csv', encoding = 'iso-8859-2' }\n\
                 [externaldata]\n'https://x.contoso.com/p' = { path = 'lists/people.csv', encoding = 'iso-8859-2' }\n";
    let folder = archive(&format!("{CATALOG}\n{lists}"));
    fs::create_dir_all(folder.path().join("lists")).expect("folders");
    fs::write(folder.path().join("lists/people.csv"), b"Name,Level\nJ\xf5,1\n").expect("written");
    assert_eq!(answer(folder.path(), &["_GetWatchlist('People')"]).0, "Name,Level\nJ\u{151},1\n");
    let external = "externaldata(a:string)['https://x.contoso.com/p'] with (ignoreFirstRecord=true)";
    assert_eq!(answer(folder.path(), &[external]).0, "a\nJ\u{151}\n");
    fs::write(folder.path().join("coldcase.toml"), "[externaldata]\nx = { path = 'x', search-key = 'y' }\n")
        .expect("written");
    assert_eq!(run_in(folder.path(), &["print 1"], &[]).0, 2);
}
