//! parse_user_agent: browser, operating system and device of a user agent.
//!
//! The rules are those of uap-core, which the engine uses, too, judging by its results. `regexes.json` is its file
//! `regexes.yaml` as JSON. The rules are compiled when a query first needs them.

use std::sync::OnceLock;

use serde::Deserialize;
use ua_parser::{device, os, user_agent};

use crate::diagnostic::{Code, Error, Result, Span};
use crate::functions::args::Args;
use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Overload, Param, Returns};
use crate::functions::{Doubt, ScalarFunction};
use crate::types::dynamic::{BagWriter, Kind, elements, kind, to_text};
use crate::types::{Column, Type, Value};

/// The functions that this file defines.
pub static FUNCTIONS: &[ScalarFunction] = &[ScalarFunction {
    name: "parse_user_agent",
    category: Category::Parse,
    summary: "Returns what a user agent says about the browser, the operating system and the device, as a property \
              bag; the family is Other if it is not known, and the result is null, with a warning, for more than 16 KiB.",
    overloads: &[
        Overload {
            params: &[AGENT, Param::new("look_for", Type::String, "browser, os or device")],
            returns: Returns::Type(Type::Dynamic),
            kernel: parse,
        },
        Overload {
            params: &[AGENT, Param::new("look_for", Type::Dynamic, "an array of browser, os and device")],
            returns: Returns::Type(Type::Dynamic),
            kernel: parse,
        },
    ],
    examples: &[
        Example::new(
            "parse_user_agent('Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0', 'browser')",
            r#"{"Browser":{"Family":"Firefox","MajorVersion":"128","MinorVersion":"0","Patch":""}}"#,
        ),
        Example::new("parse_user_agent('curl/8.5.0', 'os').OperatingSystem.Family", "Other"),
    ],
    validate: |constants| constants.get(1).copied().flatten().map_or(Ok(()), |value| targets(value).map(|_| ())),
    ..ScalarFunction::DEFAULT
}];

const AGENT: Param = Param::new("user_agent", Type::String, "the user agent");
/// Maximum length in bytes of a user agent. The rules do not need more, and longer ones are attacks.
const MAX_BYTES: usize = 16 << 10;
const UNKNOWN_FAMILY: &str = "Other";

/// Which of the three descriptions a call asks for.
#[derive(Clone, Copy, Debug, Default)]
struct Targets {
    browser: bool,
    os: bool,
    device: bool,
}

fn targets(value: &Value) -> Result<Targets> {
    let mut targets = Targets::default();
    match value {
        Value::String(name) => targets.add(name)?,
        Value::Dynamic(json) if kind(json) == Kind::Array => {
            elements(json).try_for_each(|element| targets.add(&to_text(element)))?;
        }
        Value::Dynamic(json) => targets.add(&to_text(json))?,
        _ => {}
    }
    Ok(targets)
}

impl Targets {
    fn add(&mut self, name: &str) -> Result<()> {
        match name {
            "browser" => self.browser = true,
            "os" => self.os = true,
            "device" => self.device = true,
            _ => {
                let message = "parse_user_agent looks for 'browser', 'os' or 'device'";
                return Err(Error::query(Code::InvalidValue, Span::default(), message));
            }
        }
        Ok(())
    }
}

fn parse(args: &Args<'_>) -> Result<Column> {
    let agents = args.texts(0);
    args.try_map(|row| {
        let Some(agent) = agents.get(row) else { return Ok(None) };
        if agent.len() > MAX_BYTES {
            args.context().doubts().add(Doubt::UserAgentLength, agent);
            return Ok(None);
        }
        let part = args.column(1).value(row);
        let Ok(targets) = targets(&part) else {
            args.context().doubts().add(Doubt::UserAgentPart, &part.to_text());
            return Ok(None);
        };
        let mut bag = BagWriter::new();
        if targets.browser {
            bag.push_json("Browser", &browser(agent)?);
        }
        if targets.os {
            bag.push_json("OperatingSystem", &operating_system(agent)?);
        }
        if targets.device {
            bag.push_json("Device", &device(agent)?);
        }
        Ok(Some(bag.finish()))
    })
}

/// Returns a bag of names and values; the value None becomes "".
fn bag(entries: &[(&str, Option<&str>)]) -> String {
    let mut bag = BagWriter::new();
    entries.iter().for_each(|(name, value)| bag.push_text(name, value.unwrap_or_default()));
    bag.finish()
}

fn browser(agent: &str) -> Result<String> {
    let found = browsers()?.extract(agent);
    let found = found.as_ref();
    Ok(bag(&[
        ("Family", found.map(|found| &*found.family).or(Some(UNKNOWN_FAMILY))),
        ("MajorVersion", found.and_then(|found| found.major)),
        ("MinorVersion", found.and_then(|found| found.minor)),
        ("Patch", found.and_then(|found| found.patch)),
    ]))
}

fn operating_system(agent: &str) -> Result<String> {
    let found = systems()?.extract(agent);
    let found = found.as_ref();
    Ok(bag(&[
        ("Family", found.map(|found| &*found.os).or(Some(UNKNOWN_FAMILY))),
        ("MajorVersion", found.and_then(|found| found.major.as_deref())),
        ("MinorVersion", found.and_then(|found| found.minor.as_deref())),
        ("Patch", found.and_then(|found| found.patch.as_deref())),
        ("PatchMinor", found.and_then(|found| found.patch_minor.as_deref())),
    ]))
}

fn device(agent: &str) -> Result<String> {
    let found = devices()?.extract(agent);
    let found = found.as_ref();
    Ok(bag(&[
        ("Family", found.map(|found| &*found.device).or(Some(UNKNOWN_FAMILY))),
        ("Brand", found.and_then(|found| found.brand.as_deref())),
        ("Model", found.and_then(|found| found.model.as_deref())),
    ]))
}

/// The rules for browsers in the file. Serde skips those for systems and devices, which have structs of their own.
#[derive(Deserialize)]
struct BrowserRules {
    user_agent_parsers: Vec<user_agent::Parser<'static>>,
}

#[derive(Deserialize)]
struct SystemRules {
    os_parsers: Vec<os::Parser<'static>>,
}

#[derive(Deserialize)]
struct DeviceRules {
    device_parsers: Vec<device::Parser<'static>>,
}

const RULES: &str = include_str!("regexes.json");

fn browsers() -> Result<&'static user_agent::Extractor<'static>> {
    static BROWSERS: OnceLock<Option<user_agent::Extractor<'static>>> = OnceLock::new();
    let compile = || {
        let rules: BrowserRules = serde_json::from_str(RULES).ok()?;
        user_agent::Builder::new().push_all(rules.user_agent_parsers).ok()?.build().ok()
    };
    BROWSERS.get_or_init(compile).as_ref().ok_or_else(broken)
}

fn systems() -> Result<&'static os::Extractor<'static>> {
    static SYSTEMS: OnceLock<Option<os::Extractor<'static>>> = OnceLock::new();
    let compile = || {
        let rules: SystemRules = serde_json::from_str(RULES).ok()?;
        os::Builder::new().push_all(rules.os_parsers).ok()?.build().ok()
    };
    SYSTEMS.get_or_init(compile).as_ref().ok_or_else(broken)
}

fn devices() -> Result<&'static device::Extractor<'static>> {
    static DEVICES: OnceLock<Option<device::Extractor<'static>>> = OnceLock::new();
    let compile = || {
        let rules: DeviceRules = serde_json::from_str(RULES).ok()?;
        device::Builder::new().push_all(rules.device_parsers).ok()?.build().ok()
    };
    DEVICES.get_or_init(compile).as_ref().ok_or_else(broken)
}

fn broken() -> Error {
    Error::internal("the rules for user agents do not compile")
}
