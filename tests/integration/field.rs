//! Inputs found in practice: each folder of `testdata/field` is a case, described in `testdata/field/README.md`.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::command::{coldcase_at, root};
use crate::diff::line_diff;

/// A command and its expected outcome.
#[derive(Default)]
struct Call {
    command: String,
    exit: i32,
    stdout: String,
    said: Vec<String>,
    unsaid: Vec<String>,
}

/// The description before the commands, and the commands.
fn parse(text: &str) -> (String, Vec<Call>) {
    let (mut title, mut calls) = (String::new(), Vec::<Call>::new());
    for line in text.lines() {
        if let Some(command) = line.strip_prefix("$ coldcase ") {
            calls.push(Call { command: command.to_owned(), ..Call::default() });
            continue;
        }
        let Some(call) = calls.last_mut() else {
            title += &format!("{line}\n");
            continue;
        };
        match line.split_once(' ').unwrap_or((line, "")) {
            ("exit", code) => call.exit = code.parse().expect("an exit code"),
            (">", rest) => call.stdout += &format!("{rest}\n"),
            ("!", rest) => call.said.push(rest.to_owned()),
            ("-", rest) => call.unsaid.push(rest.to_owned()),
            ("", "") => {}
            _ => panic!("a line that is no part of a case: {line}"),
        }
    }
    (title, calls)
}

/// Splits a command line into words; both kinds of quotes group words, and nothing else is special.
fn words(command: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in command.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            None if c == '"' || c == '\'' => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            None if c == ' ' => words.extend(word.take()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

fn check(folder: &Path, update: bool) -> Vec<String> {
    let path = folder.join("case.txt");
    let (title, calls) =
        parse(&fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())));
    assert!(!calls.is_empty() && !title.trim().is_empty(), "{}: no description, or no call", path.display());
    let mut failures = Vec::new();
    let mut rewritten = title;
    for call in calls {
        let mut args = words(&call.command);
        let mut stdin = Vec::new();
        if let Some(at) = args.iter().position(|word| word == "<") {
            stdin = fs::read(folder.join(&args[at + 1])).expect("the file for stdin");
            args.drain(at..at + 2);
        }
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let output = coldcase_at(folder, &args, &stdin);
        let _ = writeln!(rewritten, "$ coldcase {}\nexit {}", call.command, output.code);
        output.stdout.lines().for_each(|line| _ = writeln!(rewritten, "> {line}"));
        call.said.iter().for_each(|line| _ = writeln!(rewritten, "! {line}"));
        call.unsaid.iter().for_each(|line| _ = writeln!(rewritten, "- {line}"));
        rewritten.push('\n');
        let mut wrong = Vec::new();
        if !update && (output.code, &output.stdout) != (call.exit, &call.stdout) {
            let text = |code: i32, stdout: &str| format!("exit {code}\n{stdout}");
            wrong.push(line_diff(&text(call.exit, &call.stdout), &text(output.code, &output.stdout)));
        }
        let missing = call.said.iter().filter(|text| !output.stderr.contains(*text));
        wrong.extend(missing.map(|text| format!("stderr does not say: {text}")));
        let present = call.unsaid.iter().filter(|text| output.stderr.contains(*text));
        wrong.extend(present.map(|text| format!("stderr says: {text}")));
        if !wrong.is_empty() {
            let name = folder.file_name().unwrap_or_default().display();
            failures.push(format!("{name}: coldcase {}\n{}\n{output:#?}", call.command, wrong.join("\n")));
        }
    }
    if update {
        fs::write(&path, rewritten.trim_end().to_owned() + "\n").expect("written");
    }
    failures
}

#[test]
fn every_field_case() {
    let update = std::env::var_os("UPDATE").is_some();
    let entries = fs::read_dir(root().join("testdata/field")).expect("the cases");
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.expect("readable").path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    let failures: Vec<String> = folders.iter().flat_map(|folder| check(folder, update)).collect();
    assert!(failures.is_empty(), "{} calls\n{}", failures.len(), failures.join("\n\n"));
}
