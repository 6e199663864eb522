//! Reports as HTML pages: one file without scripts that loads nothing, to be read on a screen, on a phone and on paper.
//!
//! Texts may come from logs that an attacker wrote: all of them are escaped here, and the page forbids the browser to run
//! or load anything.

mod chart;
#[cfg(test)]
mod tests;

use std::fmt::Write;

pub use chart::{TimeChart, TimeSeries};

use crate::diagnostic::{visible, visible_lines};
use crate::types::datetime;

/// The style of all pages.
const STYLE: &str = include_str!("style.css");

/// The length of a time without a fraction.
const SECONDS: usize = "2026-03-02 09:07:10".len();

/// What a page may do: nothing but apply the style in it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// A page; its parts follow each other in the order in which they are added.
#[derive(Debug)]
pub struct ReportPage {
    title: String,
    body: String,
}

/// A cell of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageCell {
    /// A text, of one line or several.
    Text(String),
    /// A time, which is not broken.
    Time(String),
    /// A number, which is aligned to the right.
    Number(String),
}

impl PageCell {
    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A count.
    #[must_use]
    pub fn count(count: usize) -> Self {
        Self::Number(count.to_string())
    }
}

impl ReportPage {
    /// A page with a title, and with a line below it.
    #[must_use]
    pub fn new(title: &str, line: &str) -> Self {
        let mut page = Self { title: title.to_owned(), body: String::new() };
        page.element("h1", "", title);
        page.element("p", " class=\"soft\"", line);
        page
    }

    /// Starts a section.
    pub fn section(&mut self, heading: &str) {
        self.element("h2", "", heading);
    }

    /// Adds the heading of a part of a section.
    pub fn heading(&mut self, heading: &str) {
        self.element("h3", "", heading);
    }

    /// Adds a paragraph.
    pub fn paragraph(&mut self, text: &str) {
        self.element("p", "", text);
    }

    /// Adds names and values, such as counts.
    pub fn facts(&mut self, facts: &[(&str, String)]) {
        self.body.push_str("<dl class=\"facts\">\n");
        for (name, value) in facts {
            let _ = writeln!(self.body, "<div><dt>{}</dt><dd>{}</dd></div>", line(name), line(value));
        }
        self.body.push_str("</dl>\n");
    }

    /// Adds names and values, a line for each; a value may have several lines.
    pub fn values(&mut self, values: &[(&str, String)]) {
        self.body.push_str("<dl class=\"values\">\n");
        for (name, value) in values {
            let _ = writeln!(self.body, "<dt>{}</dt><dd>{}</dd>", line(name), lines(value));
        }
        self.body.push_str("</dl>\n");
    }

    /// Adds a list of warnings.
    pub fn warnings(&mut self, warnings: &[String]) {
        self.body.push_str("<ul class=\"warnings\">\n");
        warnings.iter().for_each(|warning| self.element("li", "", warning));
        self.body.push_str("</ul>\n");
    }

    /// Adds a text whose line ends count, such as a query.
    pub fn code(&mut self, text: &str) {
        let _ = writeln!(self.body, "<pre>{}</pre>", lines(text.trim_end()));
    }

    /// Adds a table. On narrow screens, each row is shown as a list of names and values.
    pub fn table(&mut self, columns: &[&str], rows: impl IntoIterator<Item = Vec<PageCell>>) {
        self.body.push_str("<table>\n<thead><tr>");
        columns.iter().for_each(|column| {
            let _ = write!(self.body, "<th scope=\"col\">{}</th>", line(column));
        });
        self.body.push_str("</tr></thead>\n<tbody>\n");
        for row in rows {
            self.body.push_str("<tr>");
            for (column, cell) in columns.iter().zip(&row) {
                let (class, text) = match cell {
                    PageCell::Text(text) => ("", lines(text)),
                    PageCell::Time(text) => (" class=\"time\"", lines(text)),
                    PageCell::Number(text) => (" class=\"number\"", lines(text)),
                };
                let _ = write!(self.body, "<td{class} data-column=\"{}\">{text}</td>", line(column));
            }
            self.body.push_str("</tr>\n");
        }
        self.body.push_str("</tbody>\n</table>\n");
    }

    /// Adds a chart.
    pub fn chart(&mut self, chart: &TimeChart<'_>) {
        chart.write(&mut self.body);
    }

    /// The whole page. By the generator that it names, it is recognised beside evidence.
    #[must_use]
    pub fn finish(self) -> String {
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"generator\" content=\"coldcase\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
             <meta name=\"referrer\" content=\"no-referrer\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n{}</body>\n</html>\n",
            line(&self.title),
            self.body
        )
    }

    fn element(&mut self, name: &str, attributes: &str, text: &str) {
        let _ = writeln!(self.body, "<{name}{attributes}>{}</{name}>", line(text));
    }
}

/// A time for people: without zeros at the end of the fraction, and with a space where a narrow cell may break.
#[must_use]
pub fn time(ticks: i64) -> String {
    let text = datetime::to_text(ticks).replace('T', " ");
    let digits = text.trim_end_matches('Z').trim_end_matches('0').trim_end_matches('.');
    // What was cut may be digits of a whole second: only the fraction is shortened.
    if digits.len() >= SECONDS {
        format!("{digits}Z")
    } else {
        text.get(..SECONDS).map_or(text.clone(), |text| format!("{text}Z"))
    }
}

/// Escapes a text of one line, for elements and for attributes in double quotes.
fn line(text: &str) -> String {
    escape(&visible(text))
}

/// Escapes a text whose line ends count.
fn lines(text: &str) -> String {
    escape(&visible_lines(text))
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
