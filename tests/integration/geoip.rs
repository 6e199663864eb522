//! The database that `geo_info_from_ip_address()` reads: named by an option, the environment or the catalog file.

use std::fs;

use crate::catalog::run_in;
use crate::command::root;

const QUERY: &str = "datatable(ip:string) ['203.0.113.7', '192.0.2.1', '198.51.100.1', 'contoso'] \
                     | project l = tostring(geo_info_from_ip_address(ip))";

fn database() -> String {
    root().join("testdata/geoip/fictional.mmdb").display().to_string()
}

#[test]
fn locations_of_addresses() {
    let folder = tempfile::tempdir().expect("a folder");
    let (code, stdout, stderr) = run_in(folder.path(), &[QUERY, "--geoip", &database(), "-o", "jsonl"], &[]);
    let oslo = r#"{\"country\":\"Norway\",\"state\":\"Oslo County\",\"city\":\"Oslo\",\"latitude\":59.91,\"longitude\":10.75}"#;
    let iceland = r#"{\"country\":\"Iceland\",\"latitude\":64.96,\"longitude\":-19.02}"#;
    let expected = [oslo, iceland, "", ""].map(|location| format!("{{\"l\":\"{location}\"}}\n")).concat();
    assert_eq!((code, stdout), (0, expected), "{stderr}");
}

#[test]
fn the_option_overrides_the_environment_and_that_the_catalog_file() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::copy(database(), folder.path().join("places.mmdb")).expect("copied");
    let run = |catalog: &str, environment: &[(&str, &str)], options: &[&str]| {
        fs::write(folder.path().join("coldcase.toml"), catalog).expect("written");
        let query = "print tostring(geo_info_from_ip_address('203.0.113.7').city)";
        run_in(folder.path(), &[&[query, "-o", "csv"], options].concat(), environment)
    };
    let found = (0, "print_0\nOslo\n".to_owned());
    let outcome = |(code, stdout, _): (i32, String, String)| (code, stdout);
    let (good, bad) = ("geoip = 'places.mmdb'\n", "geoip = 'missing.mmdb'\n");
    assert_eq!(outcome(run(good, &[], &[])), found);
    assert_eq!(outcome(run(bad, &[("COLDCASE_GEOIP", "places.mmdb")], &[])), found);
    assert_eq!(outcome(run(bad, &[("COLDCASE_GEOIP", "missing.mmdb")], &["--geoip", "places.mmdb"])), found);
    let (code, _, stderr) = run(bad, &[], &[]);
    assert!(code != 0 && stderr.contains("missing.mmdb"), "{stderr}");
}

#[test]
fn without_a_database_the_call_is_refused_and_a_broken_one_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let (code, _, stderr) = run_in(folder.path(), &[QUERY], &[]);
    assert!(code == 4 && stderr.contains("--geoip"), "{code} {stderr}");
    fs::write(folder.path().join("broken.mmdb"), "not a database").expect("written");
    let (code, _, stderr) = run_in(folder.path(), &[QUERY, "--geoip", "broken.mmdb"], &[]);
    assert!(code == 5 && stderr.contains("broken.mmdb"), "{code} {stderr}");
}
