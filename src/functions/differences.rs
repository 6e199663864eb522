//! Results that may differ from those of Kusto, although the function is supported: where Kusto estimates, selects at
//! random, or does not publish how it selects. `docs/support.md` lists them.

/// Returns how the results of a function or plugin may differ from those of Kusto; None if they do not.
#[must_use]
pub fn difference(name: &str) -> Option<&'static str> {
    DIFFERENCES.iter().find(|(names, _)| names.contains(&name)).map(|(_, text)| *text)
}

/// Names of functions and plugins, and how their results may differ from those of Kusto.
pub static DIFFERENCES: &[(&[&str], &str)] = &[
    (
        &["dcount", "dcountif"],
        "Kusto estimates. Here the number is exact up to 65,536 values per group, and estimated beyond.",
    ),
    (
        &["hll", "hll_if", "hll_merge", "dcount_hll"],
        "The stored sets have a format of their own, and counts are estimated for other values than those of Kusto.",
    ),
    (
        &["percentile", "percentilew", "percentiles", "percentiles_array", "percentilesw", "percentilesw_array"],
        "Kusto estimates. Here percentiles are exact.",
    ),
    (
        &["tdigest", "tdigest_merge", "percentile_tdigest", "percentrank_tdigest", "rank_tdigest"],
        "The stored distributions have a format of their own, and estimates differ from those of Kusto.",
    ),
    (
        &["make_list", "make_list_if", "make_set", "make_set_if", "make_bag", "make_bag_if"],
        "Kusto does not define the order of the elements. Here it is the order in which values first occur.",
    ),
    (&["take_any", "take_anyif"], "Kusto takes any row. Here it is the first one."),
    (
        &["hash"],
        "Kusto does not publish how it reduces a negative hash. Here hash(x, n) is hash(x) % n, which is never negative.",
    ),
    (
        &[
            "unixtime_seconds_todatetime",
            "unixtime_milliseconds_todatetime",
            "unixtime_microseconds_todatetime",
            "unixtime_nanoseconds_todatetime",
        ],
        "Fractions are rounded to 100 nanoseconds.",
    ),
    (&["rand", "new_guid"], "The values are random; those of a run cannot be repeated."),
    (
        &["series_decompose", "series_decompose_forecast", "series_seasonal"],
        "Kusto does not publish how it detects a period that is not given. Another one may be detected here, with a \
         warning.",
    ),
    (
        &["series_decompose_anomalies"],
        "Kusto does not publish how it detects a period that is not given. Another one may be detected here, with a \
         warning. If most points are equal, scores of the others are infinite here, with a warning.",
    ),
    (
        &["series_outliers"],
        "If most points are equal, scores of the others are infinite here, with a warning. The percentiles of \
         `ctukey` cannot be changed.",
    ),
    (
        &[
            "series_fit_line",
            "series_fit_line_dynamic",
            "series_fit_2lines",
            "series_fit_2lines_dynamic",
            "series_fit_poly",
        ],
        "The quality of the fit, rsquare, is null here for equal points.",
    ),
    (
        &["series_periods_detect", "series_periods_validate"],
        "Kusto does not publish how it selects periods. Other periods may be selected here, with a warning.",
    ),
    (
        &["autocluster", "diffpatterns"],
        "Kusto does not publish how it selects segments. Other segments may be selected here, with exact counts.",
    ),
    (&["basket"], "Kusto estimates from a sample. Here patterns and counts are exact."),
    (
        &["geo_info_from_ip_address"],
        "Kusto has a database of its own. Here the database is the one that is given with --geoip.",
    ),
    (
        &["ingestion_time"],
        "The times are those of the column that the catalog file names, else `_IngestionTime`, else `_TimeReceived`. In \
         `backtest`, they are the assumed times of arrival.",
    ),
];
