//! The results of tests in the formats of `--format`.

use std::fmt::Write;

use serde_json::json;

use super::super::args::{TestArgs, TestFormat};
use super::super::{destination, documents};
use super::TestOutcome;
use crate::diagnostic::{Result, Sources, visible, visible_json};

/// The results of a run.
pub(super) struct TestReport<'a> {
    outcomes: &'a [TestOutcome<'a>],
}

/// Where a test is, and what it is about.
struct TestOrigin {
    file: String,
    line: usize,
    rule: String,
}

impl<'a> TestReport<'a> {
    pub fn new(outcomes: &'a [TestOutcome<'a>]) -> Self {
        Self { outcomes }
    }

    pub fn write(&self, args: &TestArgs) -> Result<()> {
        let text = match args.format {
            TestFormat::Pretty => self.pretty(),
            TestFormat::Json => self.json(),
            TestFormat::Junit => self.junit(),
            TestFormat::Tap => self.tap(),
        };
        match &args.output_file {
            Some(path) => destination::write_file(path, |out| out.write_all(text.as_bytes())),
            None => documents::print(text.as_bytes()).map(drop),
        }
    }

    fn failed(&self) -> usize {
        self.outcomes.iter().filter(|outcome| !outcome.failures.is_empty()).count()
    }

    fn pretty(&self) -> String {
        let mut text = String::new();
        let mut last = String::new();
        for outcome in self.outcomes {
            let TestOrigin { file, line, rule } = outcome.origin();
            if file != last {
                text.extend([&*visible(&file), "\n"]);
                last = file;
            }
            let word = if outcome.failures.is_empty() { "ok  " } else { "FAIL" };
            let _ = writeln!(text, "  {word} {} ({})", visible(&outcome.test.name), visible(&rule));
            for failure in &outcome.failures {
                let _ = writeln!(text, "       line {line}: {}", visible(failure));
            }
        }
        let (count, failed) = (self.outcomes.len(), self.failed());
        let tests = if count == 1 { "test" } else { "tests" };
        let _ = writeln!(text, "{count} {tests}: {} passed, {failed} failed", count - failed);
        text
    }

    fn json(&self) -> String {
        let object = |outcome: &TestOutcome<'_>| {
            let TestOrigin { file, line, rule } = outcome.origin();
            let object = json!({
                "name": outcome.test.name,
                "file": file,
                "line": line,
                "rule": rule,
                "ruleName": outcome.rule.rule.name,
                "passed": outcome.failures.is_empty(),
                "failures": outcome.failures,
            });
            format!("{}\n", visible_json(&object.to_string()))
        };
        self.outcomes.iter().map(object).collect()
    }

    fn junit(&self) -> String {
        let (count, failed) = (self.outcomes.len(), self.failed());
        let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        let _ = writeln!(text, "<testsuites name=\"coldcase\" tests=\"{count}\" failures=\"{failed}\">");
        for suite in self.outcomes.chunk_by(|first, second| std::ptr::eq(first.file, second.file)) {
            let failed = suite.iter().filter(|outcome| !outcome.failures.is_empty()).count();
            let name = xml(&suite[0].origin().file);
            let _ = writeln!(text, "  <testsuite name=\"{name}\" tests=\"{}\" failures=\"{failed}\">", suite.len());
            suite.iter().for_each(|outcome| test_case(outcome, &mut text));
            text.push_str("  </testsuite>\n");
        }
        text.push_str("</testsuites>\n");
        text
    }

    fn tap(&self) -> String {
        let mut text = format!("TAP version 14\n1..{}\n", self.outcomes.len());
        for (number, outcome) in self.outcomes.iter().enumerate() {
            let TestOrigin { file, line, rule } = outcome.origin();
            let word = if outcome.failures.is_empty() { "ok" } else { "not ok" };
            // A number sign begins a directive.
            let name = visible(&outcome.test.name).replace('\\', "\\\\").replace('#', "\\#");
            let _ = writeln!(text, "{word} {} - {name}", number + 1);
            if !outcome.failures.is_empty() {
                let failures = json!({"file": file, "line": line, "rule": rule, "failures": outcome.failures});
                // JSON is YAML, in one line.
                let _ = writeln!(text, "  ---\n  {}\n  ...", visible_json(&failures.to_string()));
            }
        }
        text
    }
}

impl TestOutcome<'_> {
    fn origin(&self) -> TestOrigin {
        let region = Sources::new(self.file.text.as_str(), self.file.path.display().to_string()).region(self.test.span);
        let rule = self.rule.file.path.file_name().map(|name| name.to_string_lossy().into_owned());
        TestOrigin { file: region.file, line: region.line, rule: rule.unwrap_or_default() }
    }
}

fn test_case(outcome: &TestOutcome<'_>, text: &mut String) {
    let TestOrigin { file, line, rule } = outcome.origin();
    let (name, rule, file) = (xml(&outcome.test.name), xml(&rule), xml(&file));
    let _ = write!(text, "    <testcase classname=\"{rule}\" name=\"{name}\" file=\"{file}\" line=\"{line}\"");
    if outcome.failures.is_empty() {
        text.push_str("/>\n");
        return;
    }
    let all = xml(&outcome.failures.join("\n"));
    let first = xml(&outcome.failures[0]);
    let _ = writeln!(text, ">\n      <failure message=\"{first}\">{all}</failure>\n    </testcase>");
}

/// Escapes text for XML, with line ends kept; control characters, which XML has not, are shown as escapes.
fn xml(text: &str) -> String {
    let shown: Vec<String> = text.split('\n').map(|line| visible(line).into_owned()).collect();
    let shown = shown.join("\n");
    shown.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
