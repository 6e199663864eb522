//! Runs the commands of the README as written; paths in documents exist.

use std::fs;
use std::process::Command;

use crate::command::{program, root};

/// The lines of the `sh` blocks of a document.
fn commands(document: &str) -> Vec<String> {
    let mut inside = false;
    let mut commands = Vec::new();
    for line in document.lines() {
        match line.trim() {
            "```sh" => inside = true,
            "```" => inside = false,
            "" => {}
            text if inside && !text.starts_with('#') => commands.push(text.to_owned()),
            _ => {}
        }
    }
    commands
}

#[test]
fn readme_commands_run() {
    let readme = fs::read_to_string(root().join("README.md")).expect("README.md");
    let commands = commands(&readme);
    assert!(commands.len() >= 8, "the README shows commands: {commands:?}");
    let program = program().display().to_string();
    for command in commands.iter().filter(|command| *command != "cargo test") {
        // Instead of what cargo would build and install, the program under test is used.
        let text =
            command.replace("cargo run --release -- ", "coldcase ").replace("coldcase ", &format!("'{program}' "));
        let output = Command::new("sh").args(["-c", &text]).current_dir(root()).output().expect("a shell");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command}\n{stderr}");
        assert!(!output.stdout.is_empty(), "{command} answers nothing\n{stderr}");
    }
}

/// The samples of a document: commands after `$ ` in `text` blocks, each with the output below it.
fn samples(document: &str) -> Vec<(String, String)> {
    let blocks = document.split("```text\n").skip(1).filter_map(|block| block.split("```").next());
    let samples = blocks.filter_map(|block| block.strip_prefix("$ ")?.split_once("\n\n"));
    samples.map(|(command, output)| (command.to_owned(), output.to_owned())).collect()
}

#[test]
fn readme_samples_are_what_the_program_prints() {
    let readme = fs::read_to_string(root().join("README.md")).expect("README.md");
    let samples = samples(&readme);
    assert!(samples.len() >= 2, "the README shows output: {samples:?}");
    let program = program().display().to_string();
    for (command, expected) in samples {
        // A terminal shows tables.
        let text = command.replacen("coldcase ", &format!("'{program}' "), 1) + " -o table";
        let output = Command::new("sh").args(["-c", &text]).current_dir(root()).output().expect("a shell");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{command}\n{stderr}");
    }
}

#[test]
fn the_first_command_returns_two_rows() {
    let readme = fs::read_to_string(root().join("README.md")).expect("README.md");
    let first = commands(&readme).into_iter().next().expect("a command");
    let text = first.replace("cargo run --release -- ", &format!("'{}' ", program().display()));
    let output = Command::new("sh").args(["-c", &text]).current_dir(root()).output().expect("a shell");
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 2, "{first}");
}

#[test]
fn paths_in_documents_exist() {
    for document in ["docs/life-of-a-query.md", "CONTRIBUTING.md", "README.md", "grammar/README.md"] {
        let text = fs::read_to_string(root().join(document)).expect(document);
        // The odd parts between backticks are code; placeholders of paths have other characters.
        let code = text.split('`').skip(1).step_by(2);
        let is_path = |part: &&str| {
            ["src/", "tests/", "docs/", "grammar/"].iter().any(|folder| part.starts_with(folder))
                && part.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c))
        };
        let missing: Vec<&str> = code.filter(is_path).filter(|path| !root().join(path).exists()).collect();
        assert!(missing.is_empty(), "{document} names paths that do not exist: {missing:?}");
    }
}

#[test]
fn the_life_of_a_query_names_many_files() {
    let text = fs::read_to_string(root().join("docs/life-of-a-query.md")).expect("the document");
    assert!(text.matches("`src/").count() >= 20, "the document leads through the source files");
}
