//! Pages are safe whatever their texts are, and charts count every time.

use super::{PageCell, ReportPage, TimeChart, TimeSeries, time};
use crate::types::datetime::TICKS_PER_HOUR;

const ATTACK: &str = "</pre><script>alert(1)</script>\" onload='x' &amp; \u{202e}\u{1b}[2J";

#[test]
fn texts_cannot_leave_their_element() {
    let mut page = ReportPage::new(ATTACK, ATTACK);
    page.section(ATTACK);
    page.heading(ATTACK);
    page.paragraph(ATTACK);
    page.facts(&[(ATTACK, ATTACK.to_owned())]);
    page.values(&[(ATTACK, ATTACK.to_owned())]);
    page.warnings(&[ATTACK.to_owned()]);
    page.code(ATTACK);
    page.table(&[ATTACK], [vec![PageCell::text(ATTACK)], vec![PageCell::Number(ATTACK.to_owned())]]);
    page.chart(&TimeChart { series: vec![TimeSeries { name: ATTACK, times: vec![0] }], range: None });
    let html = page.finish();
    assert!(!html.contains("<script") && !html.contains("onload='"), "{html}");
    assert!(!html.contains('\u{202e}') && !html.contains('\u{1b}'), "{html}");
    assert!(html.matches("&lt;script&gt;").count() >= 12, "{html}");
    // Every element that is opened is closed.
    for name in ["h1", "h2", "h3", "p", "dl", "dt", "dd", "ul", "li", "pre", "table", "tr", "td", "svg", "figure", "g"]
    {
        let opened = html.matches(&format!("<{name}>")).count() + html.matches(&format!("<{name} ")).count();
        assert_eq!(opened, html.matches(&format!("</{name}>")).count(), "{name}");
    }
}

#[test]
fn pages_load_nothing() {
    let html = ReportPage::new("a", "b").finish();
    assert!(html.contains("Content-Security-Policy\" content=\"default-src 'none';"), "{html}");
    for word in ["http:", "https:", "src=", "href=", "url(", "@import", "<link"] {
        assert!(!html.contains(word), "{word}");
    }
}

/// The heights of the bars of a chart, and its text.
fn drawn(chart: &TimeChart<'_>) -> (Vec<f64>, String) {
    let mut text = String::new();
    chart.write(&mut text);
    let heights = text.split("height=\"").skip(1).map(|rest| rest.split('"').next().and_then(|text| text.parse().ok()));
    (heights.map(|height| height.expect("a number")).collect(), text)
}

#[test]
fn every_time_is_counted_once() {
    let day = 24 * TICKS_PER_HOUR;
    for (length, unit) in [(TICKS_PER_HOUR / 2, "minute"), (day, "hour"), (40 * day, "day"), (360 * day, "week")] {
        let times: Vec<i64> = (0..100).map(|index| 738_000 * day + index * length / 100).collect();
        let (first, second) = times.split_at(30);
        let series = [("alerts", first), ("missed events", second)];
        let series = series.map(|(name, times)| TimeSeries { name, times: times.to_vec() }).to_vec();
        let (heights, text) = drawn(&TimeChart { series, range: None });
        assert!(text.contains(&format!("Alerts and missed events per {unit};")), "{text}");
        let most: f64 = text
            .split("the highest bar is ")
            .nth(1)
            .and_then(|rest| rest.split('.').next()?.parse().ok())
            .expect("a number");
        let total: f64 = heights.iter().map(|height| height * most / 100.0).sum();
        assert!((total - 100.0).abs() < 0.1, "{total}\n{text}");
    }
}

#[test]
fn charts_of_any_times_are_bounded() {
    for times in [vec![], vec![0], vec![i64::MIN, i64::MAX], vec![i64::MAX; 3], vec![0, 3_155_378_975_999_999_999]] {
        let (heights, text) = drawn(&TimeChart { series: vec![TimeSeries { name: "rows", times }], range: None });
        assert!(heights.len() <= 60, "{text}");
    }
}

#[test]
fn times_lose_only_zeros_of_their_fraction() {
    let second = TICKS_PER_HOUR / 3600;
    let first = 738_000 * 24 * TICKS_PER_HOUR;
    assert!(time(first).ends_with(" 00:00:00Z"), "{}", time(first));
    assert!(time(first + 10 * second).ends_with(" 00:00:10Z"), "{}", time(first + 10 * second));
    assert!(time(first + 20 * second + 1_200).ends_with(" 00:00:20.00012Z"), "{}", time(first + 20 * second + 1_200));
}
