//! The commands of the README run, each as written.

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
        // What cargo would build and install is the program under test.
        let text =
            command.replace("cargo run --release -- ", "coldcase ").replace("coldcase ", &format!("'{program}' "));
        let output = Command::new("sh").args(["-c", &text]).current_dir(root()).output().expect("a shell");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command}\n{stderr}");
        assert!(!output.stdout.is_empty(), "{command} answers nothing\n{stderr}");
    }
}

#[test]
fn the_first_command_answers_two_rows() {
    let readme = fs::read_to_string(root().join("README.md")).expect("README.md");
    let first = commands(&readme).into_iter().next().expect("a command");
    let text = first.replace("cargo run --release -- ", &format!("'{}' ", program().display()));
    let output = Command::new("sh").args(["-c", &text]).current_dir(root()).output().expect("a shell");
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 2, "{first}");
}
