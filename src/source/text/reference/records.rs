//! Generates random files: records of several shapes, in awkward layouts, whole and damaged.

use std::fmt::Write;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

pub(super) struct RecordGenerator {
    pub random: ChaCha8Rng,
}

/// Strings with special cases, including those that the filters search for.
pub(super) const TEXTS: [&str; 23] = [
    "Mozilla/5.0",
    "",
    "0",
    "50126",
    "bg-admin-01@contoso.com",
    "BG-ADMIN-01@CONTOSO.COM",
    "bg-admin-02@contoso.com",
    "München",
    "a\"b\\c/d",
    "tab\tline\nend",
    "\u{212a}im@contoso.com",
    "kim@contoso.com",
    "😀 emoji",
    "null",
    "{\"a\": 1}",
    "[1,2",
    " x ",
    "2026-03-02T09:05:11Z",
    "11/14/2025 1:48:53 AM",
    "Azure Portal",
    "azure PORTAL",
    "ＡＺＵＲＥ",
    "true",
];

impl RecordGenerator {
    pub(super) fn pick<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.random.random_range(0..list.len())]
    }

    fn pick_byte(&mut self, list: &[u8]) -> u8 {
        list[self.random.random_range(0..list.len())]
    }

    pub(super) fn one_in(&mut self, n: u32) -> bool {
        self.random.random_range(0..n) == 0
    }

    /// Returns a text as a JSON string, sometimes with needless escapes.
    fn quoted(&mut self, text: &str) -> String {
        let mut out = String::from("\"");
        let escape_often = self.one_in(6);
        for c in text.chars() {
            let mut units = [0; 2];
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '/' if self.one_in(2) => out.push_str("\\/"),
                c if c < ' ' || (escape_often && self.one_in(4)) => {
                    for unit in c.encode_utf16(&mut units) {
                        let digits = if self.one_in(2) { format!("\\u{unit:04x}") } else { format!("\\u{unit:04X}") };
                        out.push_str(&digits);
                    }
                }
                c => out.push(c),
            }
        }
        out.push('"');
        out
    }

    fn text(&mut self) -> String {
        let text = self.pick(&TEXTS);
        self.quoted(text)
    }

    fn blank(&mut self) -> &'static str {
        if self.one_in(12) { self.pick(&[" ", "\t", "  ", " \r "]) } else { "" }
    }

    fn scalar(&mut self) -> String {
        match self.random.random_range(0..8) {
            0 => self.random.random_range(-5_i64..60_000).to_string(),
            1 => self
                .pick(&["0", "-0", "1.50", "1.25e-7", "12.0", "9223372036854775807", "123456789012345678901"])
                .to_owned(),
            2 => self.pick(&["true", "false", "null"]).to_owned(),
            _ => self.text(),
        }
    }

    fn value(&mut self, depth: u32) -> String {
        match self.random.random_range(0..6) {
            0 if depth < 4 => {
                let items: Vec<String> = (0..self.random.random_range(0..4)).map(|_| self.value(depth + 1)).collect();
                format!("[{}{}]", self.blank(), items.join(","))
            }
            1 if depth < 4 => self.nested(depth + 1),
            _ => self.scalar(),
        }
    }

    /// Returns a random object in which no key occurs twice.
    fn nested(&mut self, depth: u32) -> String {
        let keys = ["errorCode", "failureReason", "city", "browser", "x", "countryOrRegion"];
        let mut members = Vec::new();
        for key in keys {
            if self.one_in(2) {
                members.push((key.to_owned(), self.value(depth)));
            }
        }
        self.object(&members)
    }

    fn object(&mut self, members: &[(String, String)]) -> String {
        let mut out = String::from("{");
        for (index, (key, value)) in members.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let key = if self.one_in(40) { self.quoted(key) } else { format!("\"{key}\"") };
            let [before, after, behind, last] = [(); 4].map(|()| self.blank());
            write!(out, "{comma}{before}{key}{after}:{behind}{value}{last}").expect("a string");
        }
        out.push('}');
        out
    }

    fn time(&mut self) -> String {
        let second = self.random.random_range(0..60);
        match self.random.random_range(0..5) {
            0 => format!("\"2026-03-02T09:07:{second:02}.1234567Z\""),
            1 => format!("\"2026-03-02T09:07:{second:02}+02:00\""),
            2 => format!("\"3/2/2026 9:07:{second:02} AM\""),
            _ => format!("\"2026-03-02T09:07:{second:02}Z\""),
        }
    }

    /// Returns values for some of the keys, in their order, sometimes with a duplicate or an unknown key.
    fn members(&mut self, keys: &[&str]) -> Vec<(String, String)> {
        let mut members = Vec::new();
        for key in keys {
            if !self.one_in(5) {
                let value = if *key == "status" || *key == "deviceDetail" || *key == "location" {
                    if self.one_in(6) { self.value(1) } else { self.nested(1) }
                } else {
                    self.value(2)
                };
                members.push(((*key).to_owned(), value));
            }
            if self.one_in(60) {
                members.push(((*key).to_owned(), self.scalar()));
            }
            if self.one_in(60) {
                members.push(("somethingNew".to_owned(), self.value(1)));
            }
        }
        members
    }

    pub(super) fn record(&mut self) -> String {
        match self.random.random_range(0..10) {
            0..4 => self.diagnostic(),
            4..6 => self.graph(),
            6..9 => self.flat(),
            _ => self.nested(0),
        }
    }

    fn diagnostic(&mut self) -> String {
        let keys = [
            "id",
            "createdDateTime",
            "userPrincipalName",
            "appDisplayName",
            "ipAddress",
            "status",
            "deviceDetail",
            "location",
            "isInteractive",
            "processingTimeInMilliseconds",
            "appliedConditionalAccessPolicies",
        ];
        let properties = self.members(&keys);
        let properties = self.object(&properties);
        let category = self.pick(&["SignInLogs", "signinlogs", "NonInteractiveUserSignInLogs", "AuditLogs"]);
        let level = self.pick(&["level", "Level"]).to_owned();
        let mut members = vec![("time".to_owned(), self.time()), ("category".to_owned(), self.quoted(category))];
        members.extend(self.members(&["resultType", "durationMs", "callerIpAddress", "location", "identity"]));
        members.push((level, self.scalar()));
        members.push(("properties".to_owned(), properties));
        if self.one_in(20) {
            members.push(("properties".to_owned(), "{\"id\":\"second\"}".to_owned()));
        }
        self.object(&members)
    }

    fn graph(&mut self) -> String {
        let mut members = vec![("createdDateTime".to_owned(), self.time())];
        members.extend(self.members(&[
            "id",
            "userPrincipalName",
            "appDisplayName",
            "ipAddress",
            "status",
            "deviceDetail",
            "location",
            "userAgent",
            "appliedConditionalAccessPolicies",
        ]));
        members.push(("isInteractive".to_owned(), self.pick(&["true", "false"]).to_owned()));
        self.object(&members)
    }

    pub(super) fn flat(&mut self) -> String {
        let mut members = self.members(&[
            "AppDisplayName",
            "ConditionalAccessPolicies",
            "CreatedDateTime",
            "DeviceDetail",
            "DurationMs",
            "IPAddress",
            "Id",
            "IsInteractive",
            "Location",
            "LocationDetails",
            "ResultDescription",
            "ResultType",
            "UserPrincipalName",
            "_BilledSize",
        ]);
        members.push(("TimeGenerated".to_owned(), self.time()));
        let ty = self.pick(&["\"SigninLogs\"", "\"AADNonInteractiveUserSignInLogs\"", "\"Other_CL\"", "null"]);
        members.push(("Type".to_owned(), ty.to_owned()));
        self.object(&members)
    }

    /// Damages a line: changes, removes or inserts a byte, or cuts off the end. The first byte stays, because it
    /// decides what the line is. No exponent is introduced, because the reference implementation prints exponents
    /// differently.
    fn damage(&mut self, line: &mut Vec<u8>) {
        let at = self.random.random_range(1..line.len());
        match self.random.random_range(0..4) {
            0 => line.truncate(at),
            1 => drop(line.remove(at)),
            2 => line[at] = Some(self.random.random()).filter(|byte| !matches!(byte, b'e' | b'E')).unwrap_or(b'x'),
            _ => line.insert(at, self.pick_byte(b"\"\\{}[],:\x00\xff0a ")),
        }
    }

    /// Returns the record on several lines, as pretty-printers write it: the opening bracket ends the first line.
    fn spread(&mut self, record: &str) -> String {
        let mut out = String::new();
        let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
        for c in record.chars() {
            let closes = !in_text && matches!(c, '}' | ']');
            depth -= usize::from(closes);
            if closes && (depth == 0 || self.one_in(2)) {
                self.break_line(&mut out, depth);
            }
            out.push(c);
            (in_text, escaped) = match (in_text, c) {
                (true, '\\') => (true, !escaped),
                (true, '"') => (escaped, false),
                (true, _) => (true, false),
                (false, c) => (c == '"', false),
            };
            let opens = !in_text && matches!(c, '{' | '[');
            depth += usize::from(opens);
            if (opens && depth == 1) || (!in_text && matches!(c, '{' | '[' | ',') && self.one_in(2)) {
                self.break_line(&mut out, depth);
            }
        }
        out
    }

    fn break_line(&mut self, out: &mut String, depth: usize) {
        out.push_str(self.pick(&["\n", "\n", "\n", "\r\n", " \n", "\n\n"]));
        let width = self.random.random_range(1..4);
        out.extend(std::iter::repeat_n(' ', depth * width));
    }

    /// Returns a file of lines with multi-line values among them.
    pub(super) fn mixed_file(&mut self, records: usize, damaged: bool) -> Vec<u8> {
        let mut file = self.flat().into_bytes();
        for index in 0..records {
            // The first line shows that the file consists of lines.
            let ends = ["\n", "\n", "\r\n", "\n\n", ",\n"];
            file.extend_from_slice(self.pick(if index == 0 { &ends[..4] } else { &ends }).as_bytes());
            let record = self.record().replace(" \r ", " ");
            let record = if self.one_in(3) { self.spread(&record) } else { record };
            let mut record = record.into_bytes();
            if damaged && self.one_in(6) {
                self.damage(&mut record);
            }
            file.extend_from_slice(&record);
        }
        file
    }

    pub(super) fn file(&mut self, records: usize, damaged: bool) -> Vec<u8> {
        let mut file = Vec::new();
        for index in 0..records {
            let mut line = self.record().into_bytes();
            if damaged && index > 3 && self.one_in(8) {
                self.damage(&mut line);
            }
            file.extend_from_slice(&line);
            file.extend_from_slice(self.pick(&["\n", "\r\n", "\n\n", "\n"]).as_bytes());
        }
        if self.one_in(2) {
            file.truncate(file.trim_ascii_end().len());
        }
        file
    }
}
