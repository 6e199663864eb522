//! Bars over time, as inline SVG. Labels are text of the page, so that they stay readable at every width.

use std::fmt::Write;

use super::line;
use crate::types::datetime::{self, TICKS_PER_HOUR};

/// The maximum number of bars.
const MAX_BARS: i64 = 60;
/// The height of the drawing area; its width is the number of bars.
const HEIGHT: f64 = 100.0;
/// The width of a bar; the rest is the gap to the next one.
const BAR_WIDTH: f64 = 0.82;

/// The times that a bar may stand for, with their names; longer ones are multiples of the last.
const STEPS: &[(i64, &str)] = &[
    (TICKS_PER_HOUR / 60, "minute"),
    (TICKS_PER_HOUR / 12, "5 minutes"),
    (TICKS_PER_HOUR / 4, "15 minutes"),
    (TICKS_PER_HOUR, "hour"),
    (6 * TICKS_PER_HOUR, "6 hours"),
    (24 * TICKS_PER_HOUR, "day"),
    (7 * 24 * TICKS_PER_HOUR, "week"),
    (28 * 24 * TICKS_PER_HOUR, "4 weeks"),
    (364 * 24 * TICKS_PER_HOUR, "52 weeks"),
];

/// Times that are counted together.
#[derive(Clone, Debug)]
pub struct TimeSeries<'a> {
    /// What is counted, in the plural.
    pub name: &'a str,
    /// The times, in ticks.
    pub times: Vec<i64>,
}

/// The numbers of events in each part of a range of time, as stacked bars.
#[derive(Clone, Debug)]
pub struct TimeChart<'a> {
    /// What is shown; at most two.
    pub series: Vec<TimeSeries<'a>>,
    /// The first and the last moment, in ticks. Times outside of it extend it.
    pub range: Option<[i64; 2]>,
}

impl TimeChart<'_> {
    /// Writes the chart, or that there is nothing to show.
    pub(super) fn write(&self, out: &mut String) {
        let Some([first, last]) = self.extent() else {
            out.push_str("<p class=\"soft\">No times to show.</p>\n");
            return;
        };
        let (step, unit) = step(first, last);
        let start = first.div_euclid(step);
        let bars = usize::try_from(last.div_euclid(step) - start + 1).unwrap_or(1);
        let counts: Vec<Vec<usize>> =
            self.series.iter().map(|series| counts(&series.times, step, start, bars)).collect();
        let total = |bar: usize| counts.iter().map(|series| series[bar]).sum::<usize>();
        let most = (0..bars).map(total).max().unwrap_or(0).max(1);
        let names: Vec<&str> = self.series.iter().map(|series| series.name).collect();
        let title = capitalized(&format!("{} per {unit}", names.join(" and ")));
        let _ = writeln!(
            out,
            "<figure>\n<svg viewBox=\"0 0 {bars} {HEIGHT}\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{}\">",
            line(&title)
        );
        for bar in 0..bars {
            let time = start.saturating_add(i64::try_from(bar).unwrap_or(0)).saturating_mul(step);
            let values = counts.iter().map(|series| series[bar]).collect::<Vec<_>>();
            self.write_bar(out, Bar { position: bar, time, values: &values, most });
        }
        let _ = writeln!(out, "</svg>");
        let end = start.saturating_add(i64::try_from(bars).unwrap_or(1));
        let [from, to] = [start, end].map(|bar| short(bar.saturating_mul(step)));
        let _ = writeln!(out, "<div class=\"axis\"><span>{from}</span><span>{to}</span></div>");
        let _ = write!(out, "<figcaption>{}; the highest bar is {most}.", line(&title));
        for (index, name) in names.iter().enumerate().filter(|_| names.len() > 1) {
            let _ = write!(out, " <span class=\"key\"><span class=\"series-{index}\"></span>{}</span>", line(name));
        }
        out.push_str("</figcaption>\n</figure>\n");
    }

    fn write_bar(&self, out: &mut String, bar: Bar<'_>) {
        let Bar { position, time, values, most } = bar;
        if values.iter().all(|value| *value == 0) {
            return;
        }
        let texts: Vec<String> =
            self.series.iter().zip(values).map(|(series, value)| format!("{value} {}", series.name)).collect();
        let _ = write!(out, "<g><title>{}: {}</title>", short(time), line(&texts.join(", ")));
        let mut top = HEIGHT;
        for (index, value) in values.iter().enumerate().filter(|(_, value)| **value > 0) {
            let height = share(*value, most);
            top -= height;
            let _ = write!(
                out,
                "<rect class=\"series-{index}\" x=\"{position}\" y=\"{top:.3}\" width=\"{BAR_WIDTH}\" height=\"{height:.3}\"/>"
            );
        }
        out.push_str("</g>\n");
    }

    /// The first and the last moment to show; None without any.
    fn extent(&self) -> Option<[i64; 2]> {
        let times =
            self.series.iter().flat_map(|series| series.times.iter().copied()).chain(self.range.into_iter().flatten());
        times.clone().min().zip(times.max()).map(|(first, last)| [first, last])
    }
}

/// A part of the range of time.
struct Bar<'a> {
    position: usize,
    time: i64,
    /// The count of each series.
    values: &'a [usize],
    /// The total of the highest bar.
    most: usize,
}

/// The height of a bar.
#[expect(clippy::cast_precision_loss, reason = "a bar needs no more digits")]
fn share(value: usize, most: usize) -> f64 {
    HEIGHT * value as f64 / most as f64
}

/// The time that a bar stands for, so that few enough are needed.
fn step(first: i64, last: i64) -> (i64, String) {
    let fits = |step: i64| last.div_euclid(step) - first.div_euclid(step) < MAX_BARS;
    if let Some((step, name)) = STEPS.iter().find(|(step, _)| fits(*step)) {
        return (*step, (*name).to_owned());
    }
    let (longest, _) = STEPS[STEPS.len() - 1];
    let times = (last.saturating_sub(first) / longest / (MAX_BARS - 1) + 1).max(1);
    (longest.saturating_mul(times), format!("{} weeks", times.saturating_mul(52)))
}

fn counts(times: &[i64], step: i64, start: i64, bars: usize) -> Vec<usize> {
    let mut counts = vec![0; bars];
    for time in times {
        if let Some(count) = usize::try_from(time.div_euclid(step) - start).ok().and_then(|bar| counts.get_mut(bar)) {
            *count += 1;
        }
    }
    counts
}

/// The text with a capital letter at the beginning.
fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or(String::new(), |first| first.to_uppercase().chain(characters).collect())
}

/// The time to the minute.
fn short(ticks: i64) -> String {
    let text = datetime::to_text(ticks);
    text.get(..16).unwrap_or(&text).replace('T', " ")
}
