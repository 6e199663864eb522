//! `coldcase rule convert`: rules in the formats of other services.

use std::collections::BTreeMap;
use std::path::Path;

use super::super::args::{RuleConvertArgs, RuleTargetArg};
use super::super::query_files::{TextFile, find_files, is_stdin};
use super::super::reporter::Reporter;
use super::super::rule_files::{JSON_EXTENSIONS, YAML_EXTENSIONS, report_error, rule_format};
use super::super::{Outcome, destination, documents};
use crate::diagnostic::{Error, Result};
use crate::messages::{CommandNote, CommandWarning, RuleWarning};
use crate::rules::convert::{ConvertedRule, RuleTarget, convert, joined};
use crate::rules::{self, RuleFormat};

pub(in crate::cli) fn run(args: &RuleConvertArgs) -> Result<Outcome> {
    let target = target(args.to);
    let reporter = Reporter::new(&args.messages, "rule convert", "");
    let (mut rules, mut is_wrong) = (Vec::new(), false);
    for path in find_files(&args.paths, &[YAML_EXTENSIONS, JSON_EXTENSIONS].concat())? {
        let file = TextFile::read(&path)?;
        let format = format(&file)?;
        let is_other = !args.paths.contains(&path) && rules::read(&file.text, format).is_ok_and(|all| all.is_empty());
        if is_other {
            reporter.note(CommandNote::NoRule(path.display().to_string()));
            continue;
        }
        match convert(&file.text, format, target) {
            Ok(converted) => rules.extend(converted),
            Err(error) => {
                report_error(&file, &error);
                is_wrong = true;
            }
        }
    }
    if is_wrong {
        return Err(Error::Reported(3));
    }
    if rules.is_empty() {
        return Err(Error::Usage("the files contain no alert rule".to_owned()));
    }
    let mut has_losses = false;
    for rule in &rules {
        for loss in &rule.losses {
            let (rule, loss) = (rule.name.clone(), loss.clone());
            reporter.warn(CommandWarning::Rule(RuleWarning::Loss { rule, loss }));
            has_losses = true;
        }
    }
    if has_losses && args.lossless {
        return Ok(Outcome::Negative);
    }
    write(args, &rules, target)?;
    Ok(Outcome::Success)
}

fn target(argument: RuleTargetArg) -> RuleTarget {
    match argument {
        RuleTargetArg::SentinelYaml => RuleTarget::SentinelYaml,
        RuleTargetArg::SentinelArm => RuleTarget::SentinelArm,
        RuleTargetArg::ScheduledQueryRule => RuleTarget::LogAlert,
        RuleTargetArg::DetectionRule => RuleTarget::CustomDetection,
    }
}

/// The format of a file. That of stdin is known by its first character.
fn format(file: &TextFile) -> Result<RuleFormat> {
    let of_stdin = || match file.text.trim_start().starts_with(['{', '[']) {
        true => RuleFormat::Json,
        false => RuleFormat::Yaml,
    };
    let known = rule_format(&file.path).or_else(|| is_stdin(&file.path).then(of_stdin));
    known.ok_or_else(|| {
        let text = format!("{}: not a rule file: its name must end in .yaml, .yml or .json", file.path.display());
        Error::Usage(text)
    })
}

fn write(args: &RuleConvertArgs, rules: &[ConvertedRule], target: RuleTarget) -> Result<()> {
    if let Some(folder) = args.output_file.as_deref().filter(|path| path.is_dir()) {
        return write_all(folder, rules, target);
    }
    if target == RuleTarget::SentinelYaml && rules.len() > 1 {
        let count = rules.len();
        return Err(Error::Usage(format!("{count} rules, of which a YAML file holds one: give a folder with -O")));
    }
    let text = joined(rules, target);
    match &args.output_file {
        Some(path) => destination::write_file(path, |out| out.write_all(text.as_bytes())),
        None => documents::print(text.as_bytes()).map(drop),
    }
}

/// Writes a file for each rule, named after it.
fn write_all(folder: &Path, rules: &[ConvertedRule], target: RuleTarget) -> Result<()> {
    let extension = if target.format() == RuleFormat::Yaml { "yaml" } else { "json" };
    let mut files = BTreeMap::new();
    for rule in rules {
        let name = rule.name.to_lowercase().replace(|c: char| !c.is_alphanumeric(), "-");
        if files.insert(folder.join(format!("{name}.{extension}")), rule).is_some() {
            let text = format!("several rules have the name `{}`: convert their files one after the other", rule.name);
            return Err(Error::Usage(text));
        }
    }
    for (path, rule) in files {
        destination::write_file(&path, |out| out.write_all(rule.text.as_bytes()))?;
    }
    Ok(())
}
