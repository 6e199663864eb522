//! `externaldata`, `--externaldata` and `[externaldata]`: files by the URLs of published queries.

use std::fs;
use std::io::Write;
use std::path::Path;

use serde_json::Value as Json;

use crate::catalog::{CATALOG, archive, run_in};
use crate::limits::{container, long, text_of};

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

/// Sign-ins as records of Avro.
fn sign_ins() -> Vec<u8> {
    let schema = br#"{"type":"record","name":"SignIn","fields":[
        {"name":"user","type":"string"},
        {"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}},
        {"name":"risk","type":{"type":"enum","name":"Risk","symbols":["none","high"]}},
        {"name":"tries","type":["null","int"]},
        {"name":"raw","type":"bytes"},
        {"name":"device","type":{"type":"record","name":"Device","fields":[
            {"name":"os","type":"string"},{"name":"ids","type":{"type":"array","items":"long"}}]}},
        {"name":"other","type":{"type":"map","values":["boolean","double","string"]}},
        {"name":"since","type":{"type":"int","logicalType":"time-millis"}}]}"#;
    let text = |text: &str| text_of(text.as_bytes());
    let first = [
        [text("ann@contoso.com"), long(1_772_359_200_123), long(1), long(1), long(7), text_of(&[0, 0xff])].concat(),
        [text("Windows"), long(2), long(5), long(300), long(0)].concat(),
        [long(2), text("a"), long(0), vec![1], text("b"), long(1), 1.5_f64.to_le_bytes().to_vec(), long(0)].concat(),
        long(1),
    ];
    let second = [
        [text("b\u{f6}@contoso.com"), long(0), long(0), long(0), text_of(b"")].concat(),
        [text(""), long(0)].concat(),
        [long(1), text("c"), long(2), text("\"x\""), long(0)].concat(),
        long(2),
    ];
    container(schema, &[first.concat(), second.concat()])
}

#[test]
fn records_of_avro_are_read_by_name() {
    let folder = lists();
    fs::write(folder.path().join("lists/sign-ins.avro"), sign_ins()).expect("written");
    let rows = |query: &str| -> Vec<Json> {
        let rows = answer(folder.path(), &[query, "-o", "jsonl"]).0;
        rows.lines().map(|row| serde_json::from_str(row).expect("JSON")).collect()
    };
    let columns = "user:string, at:datetime, risk:string, tries:long, device:dynamic, other:dynamic, none:string";
    let expected = [
        serde_json::json!({
            "user": "ann@contoso.com", "at": "2026-03-01T10:00:00.1230000Z", "risk": "high", "tries": 7,
            "device": {"os": "Windows", "ids": [5, 300]}, "other": {"a": true, "b": 1.5}, "none": ""
        }),
        serde_json::json!({
            "user": "b\u{f6}@contoso.com", "at": "1970-01-01T00:00:00.0000000Z", "risk": "none", "tries": null,
            "device": {"os": "", "ids": []}, "other": {"c": "\"x\""}, "none": ""
        }),
    ];
    assert_eq!(rows(&format!("externaldata({columns}) ['lists/sign-ins.avro']")), expected);
    let mapping = r#"[{"Column":"os","Properties":{"Path":"$.device.os"}},
        {"Column":"id","Properties":{"Path":"$.device.ids[1]"}},
        {"Column":"who","Properties":{"Field":"user"}}, {"Column":"list","Properties":{"ConstValue":"a"}}]"#
        .replace('\n', "");
    let mapped = format!(
        "externaldata(who:string, os:string, id:long, list:string) ['lists/sign-ins.avro']
         with (format=apacheavro, ingestionMapping=@'{mapping}') | where os has 'windows'"
    );
    let expected = serde_json::json!({"who": "ann@contoso.com", "os": "Windows", "id": 300, "list": "a"});
    assert_eq!(rows(&mapped), [expected]);
}

#[test]
fn avro_that_cannot_be_read_is_an_error() {
    let folder = lists();
    let bytes = sign_ins();
    fs::write(folder.path().join("lists/sign-ins.avro"), &bytes).expect("written");
    let whole = r#"ingestionMapping=@'[{"Column":"a","Properties":{"Path":"$"}}]'"#;
    for (query, reason) in [
        ("externaldata(raw:string) ['lists/sign-ins.avro']", "the field raw has values of the type bytes"),
        ("externaldata(since:timespan) ['lists/sign-ins.avro']", "values of the type time-millis"),
        (&format!("externaldata(a:dynamic) ['lists/sign-ins.avro'] with ({whole})"), "the type bytes"),
        ("externaldata(a:string) ['lists/names.txt'] with (format=avro)", "it is not an Avro container"),
    ] {
        let (status, rows, said) = run_in(folder.path(), &[query], &[]);
        assert_eq!((status, rows.as_str()), (5, ""), "{query}: {said}");
        assert!(said.contains(reason), "{query}: {said}");
    }
    // Records before damage are read.
    fs::write(folder.path().join("lists/cut.avro"), &bytes[..bytes.len() - 30]).expect("written");
    let (rows, said) = answer(folder.path(), &["externaldata(user:string) ['lists/cut.avro']"]);
    assert!(rows.contains("ann") && !rows.contains("b\u{f6}") && said.contains("cut off"), "{rows}{said}");
    // A number where a time is expected is damage, as in JSON.
    let (rows, said) = answer(folder.path(), &["externaldata(tries:datetime) ['lists/sign-ins.avro'] | count"]);
    assert!(rows.contains('2') && said.contains("1 value"), "{rows}{said}");
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
