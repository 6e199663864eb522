//! parse_path: the parts of a file path, of Windows or Unix.
//!
//! Source: the reference's page on parse_path().

use crate::functions::ScalarFunction;
use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Overload, Param, Returns};
use crate::types::Type;
use crate::types::dynamic::BagWriter;

/// The functions that this file defines.
pub static FUNCTIONS: &[ScalarFunction] = &[ScalarFunction {
    name: "parse_path",
    category: Category::Parse,
    summary: "Returns the parts of the path of a file as a property bag.",
    overloads: &[Overload {
        params: &[Param::new("path", Type::String, "the path, with slashes or backslashes")],
        returns: Returns::Type(Type::Dynamic),
        kernel: |args| Ok(args.map_text(0, parts)),
    }],
    examples: &[
        Example::new(
            r#"parse_path(@"C:\temp\report.txt:notes")"#,
            r#"{"Scheme":"","RootPath":"C:","DirectoryPath":"C:\\temp","DirectoryName":"temp","Filename":"report.txt","Extension":"txt","AlternateDataStreamName":"notes"}"#,
        ),
        Example::new("parse_path('file:///srv/logs/a.tar.gz').Extension", "gz"),
    ],
    ..ScalarFunction::DEFAULT
}];

const SLASHES: [char; 2] = ['/', '\\'];

fn parts(path: &str) -> String {
    let (scheme, rest) = path.split_once("://").unwrap_or(("", path));
    let (directory, name) = rest.rfind(SLASHES).map_or(("", rest), |at| (&rest[..at], &rest[at + 1..]));
    let root = root(rest);
    // The colon of a drive does not begin the name of a stream.
    let (file, stream) = match name.split_once(':') {
        Some((file, stream)) if !(directory.is_empty() && root.len() == file.len() + 1) => (file, stream),
        _ => (name, ""),
    };
    let folder = directory.rsplit(SLASHES).next().unwrap_or_default();
    let mut bag = BagWriter::new();
    bag.push_text("Scheme", scheme);
    bag.push_text("RootPath", root);
    bag.push_text("DirectoryPath", directory);
    bag.push_text("DirectoryName", folder);
    bag.push_text("Filename", file);
    bag.push_text("Extension", file.rsplit_once('.').map_or("", |(_, extension)| extension));
    bag.push_text("AlternateDataStreamName", stream);
    bag.finish()
}

/// Returns the drive of a path, such as `C:`, also after the prefix `\\?\` of long paths; "" if there is none.
fn root(path: &str) -> &str {
    let drive = path.strip_prefix(r"\\?\").unwrap_or(path);
    let drive = drive.strip_prefix('/').filter(|rest| is_drive(rest)).unwrap_or(drive);
    if is_drive(drive) { &drive[..2] } else { "" }
}

fn is_drive(path: &str) -> bool {
    matches!(path.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::parts;
    use crate::types::dynamic::{get_member, to_text};

    #[test]
    fn parts_of_paths() {
        let table = [
            (r"C:\temp\a.txt", ["", "C:", r"C:\temp", "temp", "a.txt", "txt", ""]),
            (r"temp\a", ["", "", "temp", "temp", "a", "", ""]),
            ("file://C:/temp/a.txt:b.exe", ["file", "C:", "C:/temp", "temp", "a.txt", "txt", "b.exe"]),
            (r"\\server\share\a.gz", ["", "", r"\\server\share", "share", "a.gz", "gz", ""]),
            (r"\\?\C:\a.txt", ["", "C:", r"\\?\C:", "C:", "a.txt", "txt", ""]),
            ("/usr/lib/a.txt", ["", "", "/usr/lib", "lib", "a.txt", "txt", ""]),
            ("a.exe:b.exe", ["", "", "", "", "a.exe", "exe", "b.exe"]),
            ("C:", ["", "C:", "", "", "C:", "", ""]),
            ("", ["", "", "", "", "", "", ""]),
        ];
        let keys = [
            "Scheme",
            "RootPath",
            "DirectoryPath",
            "DirectoryName",
            "Filename",
            "Extension",
            "AlternateDataStreamName",
        ];
        for (path, expected) in table {
            let json = parts(path);
            let found = keys.map(|key| to_text(get_member(&json, key).expect("every key")).into_owned());
            assert_eq!(found, expected, "{path}");
        }
    }
}
