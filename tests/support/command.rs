//! Runs the program as a user would.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value as Json;

/// The outcome of a run.
#[derive(Debug)]
pub struct Output {
    /// The exit code.
    pub code: i32,
    /// stdout.
    pub stdout: String,
    /// stderr.
    pub stderr: String,
}

/// The project's folder.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The path of the program.
pub fn program() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_coldcase"))
}

/// Runs the program in the project's folder; `stdin` is its whole standard input.
pub fn coldcase_with(args: &[&str], stdin: &str) -> Output {
    coldcase_at(root(), args, stdin.as_bytes())
}

/// Runs the program in `folder`; `stdin` is its whole standard input.
pub fn coldcase_at(folder: &Path, args: &[&str], stdin: &[u8]) -> Output {
    run(Command::new(program()).args(args).current_dir(folder), stdin)
}

/// Runs the program in `folder` with additional environment variables.
#[cfg(feature = "remote")]
pub fn coldcase_in(folder: &Path, args: &[&str], environment: &[(&str, &str)]) -> Output {
    run(Command::new(program()).args(args).current_dir(folder).envs(environment.iter().copied()), b"")
}

fn run(command: &mut Command, stdin: &[u8]) -> Output {
    let mut child = command
        .env("NO_COLOR", "1")
        // The settings of the user who runs the tests do not count.
        .env("XDG_CONFIG_HOME", root().join("target/no-settings"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut pipe = child.stdin.take().expect("stdin is piped");
    // A program that does not read its stdin closes it: that is no failure of the test.
    let _ = pipe.write_all(stdin);
    drop(pipe);
    let output = child.wait_with_output().expect("the program ends");
    Output {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Runs the program with nothing on stdin.
pub fn coldcase(args: &[&str]) -> Output {
    coldcase_with(args, "")
}

/// Returns the JSON values on the lines of stdout.
pub fn lines(output: &Output) -> Vec<Json> {
    let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    output.stdout.lines().map(parse).collect()
}

/// Creates a folder with files of these names and contents; a name may have folders.
pub fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        fs::write(path, text).expect("written");
    }
    folder
}
