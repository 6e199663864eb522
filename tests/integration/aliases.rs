//! `--alias` and `[aliases]`: the local tables of names of other databases.

use crate::catalog::{CATALOG, archive, run_in};

#[test]
fn names_of_other_databases_are_mapped() {
    let aliases = "[aliases]\n'workspace(\"soc\").SigninLogs' = 'SigninLogs'\nOldSignins = 'SigninLogs'\n";
    let folder = archive(&format!("{CATALOG}\n{aliases}"));
    let answer = |args: &[&str]| run_in(folder.path(), args, &[]);
    for query in [
        "workspace('soc').SigninLogs | count",
        "workspace(\"soc\").table('SigninLogs') | count",
        "OldSignins | count",
        "table('OldSignins') | count",
        "let T = workspace('soc').SigninLogs; T | count",
        "print Count = toscalar(workspace('soc').SigninLogs | count)",
        "SigninLogs | where Id in ((workspace('soc').SigninLogs | project Id)) | count",
    ] {
        let (status, count, said) = answer(&[query]);
        assert_eq!((status, count.as_str()), (0, "Count\n4\n"), "{query}: {said}");
    }
    let (status, _, said) = answer(&["workspace('other').SigninLogs | count"]);
    assert_eq!(status, 4, "{said}");
    assert!(said.contains("--alias \"workspace('other').SigninLogs=TABLE\""), "{said}");
}

#[test]
fn the_command_line_overrides_the_catalog_file() {
    let folder = archive(&format!("{CATALOG}\n[aliases]\n\"workspace('soc').SigninLogs\" = 'Missing'\n"));
    let run = |alias: &str, query: &str| run_in(folder.path(), &[query, "--alias", alias], &[]);
    let query = "union SigninLogs, database('d').['Sign ins'], workspace('soc').SigninLogs | count";
    let (status, answer, said) = run_in(
        folder.path(),
        &[
            query,
            "--alias",
            "database(\"d\").['Sign ins']=SigninLogs",
            "--alias",
            "workspace('soc').SigninLogs=SigninLogs",
        ],
        &[],
    );
    assert_eq!((status, answer.as_str()), (0, "Count\n12\n"), "{said}");
    let (status, _, said) = run("SigninLogs | count=SigninLogs", "SigninLogs | count");
    assert_eq!(status, 2, "{said}");
    assert!(said.contains("is not the name of a table"), "{said}");
    let (status, _, said) = run("app('a').requests=Unheard", "app('a').requests | count");
    assert_eq!(status, 3, "{said}");
    assert!(said.contains("unknown table `Unheard`"), "{said}");
}
