//! What a node of a plan took, in words.

use crate::exec::NodeMetrics;
use crate::storage::counters::{Count, ScanCounters};

/// Two lines for a scan of files, else one.
pub(super) fn lines(metrics: &NodeMetrics) -> Vec<String> {
    let (rows, batches) = (of(metrics.rows(), "row"), of(metrics.batches(), "batch"));
    let own = format!("{rows} in {batches}, {:.3} ms busy", metrics.busy().as_secs_f64() * 1000.0);
    let scan = metrics.scan().filter(|counters| counters.get(Count::FilesListed) > 0).map(scan_line);
    [own].into_iter().chain(scan).collect()
}

/// What a scan of files read and left out.
fn scan_line(counters: &ScanCounters) -> String {
    let count = |count| counters.get(count);
    let groups = count(Count::RowGroups);
    let groups = if groups > 0 { format!(", {}", of(groups, "row group")) } else { String::new() };
    let read = format!(
        "read {} of {}, {}, {}{groups}",
        count(Count::Files),
        of(count(Count::FilesListed), "file"),
        of(count(Count::Bytes), "byte"),
        of(count(Count::Rows), "row"),
    );
    let left_out: Vec<String> = LEFT_OUT
        .into_iter()
        .filter(|(counted, _, _)| count(*counted) > 0)
        .map(|(counted, what, why)| match (counted, count(Count::FilesPrunedByTime)) {
            (Count::FilesPruned, by_time @ 1..) => {
                format!("{} {why}, {by_time} of them by time alone", of(count(counted), what))
            }
            _ => format!("{} {why}", of(count(counted), what)),
        })
        .collect();
    if left_out.is_empty() { read } else { format!("{read}; left out {}", left_out.join(", ")) }
}

/// What may be left out, and why.
const LEFT_OUT: [(Count, &str, &str); 5] = [
    (Count::FilesPruned, "file", "by statistics"),
    (Count::FilesForeign, "file", "of other tables"),
    (Count::RowGroupsPruned, "row group", "by statistics and contents"),
    (Count::PageRowsPruned, "row", "by statistics of pages"),
    (Count::RecordsSkipped, "record", "unparsed"),
];

/// So many of what has this name.
fn of(count: u64, name: &str) -> String {
    let ending = match (count, name) {
        (1, _) => "",
        (_, "batch") => "es",
        _ => "s",
    };
    format!("{count} {name}{ending}")
}
