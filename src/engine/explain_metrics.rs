//! The measurements of a plan node, as the lines that `explain --analyze` prints below it.

use crate::exec::NodeMetrics;
use crate::storage::counters::{ScanCount, ScanCounters};

/// Returns the lines for a node: two for a scan of files, one for any other node.
pub(super) fn lines(metrics: &NodeMetrics) -> Vec<String> {
    let (rows, batches) = (counted(metrics.rows(), "row"), counted(metrics.batches(), "batch"));
    let own = format!("{rows} in {batches}, {:.3} ms busy", metrics.busy().as_secs_f64() * 1000.0);
    let scan = metrics.scan().filter(|counters| counters.get(ScanCount::FilesListed) > 0).map(scan_line);
    [own].into_iter().chain(scan).collect()
}

/// Returns a line with what a scan of files read and skipped.
fn scan_line(counters: &ScanCounters) -> String {
    let count = |count| counters.get(count);
    let groups = count(ScanCount::RowGroups);
    let groups = if groups > 0 { format!(", {}", counted(groups, "row group")) } else { String::new() };
    let read = format!(
        "read {} of {}, {}, {}{groups}",
        count(ScanCount::Files),
        counted(count(ScanCount::FilesListed), "file"),
        counted(count(ScanCount::Bytes), "byte"),
        counted(count(ScanCount::Rows), "row"),
    );
    let skipped: Vec<String> = SKIPPED
        .iter()
        .filter(|skipped| count(skipped.count) > 0)
        .map(|Skipped { count: skipped, unit, reason }| match (skipped, count(ScanCount::FilesPrunedByTime)) {
            (ScanCount::FilesPruned, by_time @ 1..) => {
                format!("{} {reason}, {by_time} of them by time alone", counted(count(*skipped), unit))
            }
            _ => format!("{} {reason}", counted(count(*skipped), unit)),
        })
        .collect();
    if skipped.is_empty() { read } else { format!("{read}; left out {}", skipped.join(", ")) }
}

/// A kind of thing that scans skip, with its counter, its unit, and the reason why it is skipped.
struct Skipped {
    count: ScanCount,
    unit: &'static str,
    reason: &'static str,
}

const SKIPPED: [Skipped; 5] = [
    Skipped { count: ScanCount::FilesPruned, unit: "file", reason: "by statistics" },
    Skipped { count: ScanCount::FilesOfOtherTables, unit: "file", reason: "of other tables" },
    Skipped { count: ScanCount::RowGroupsPruned, unit: "row group", reason: "by statistics and contents" },
    Skipped { count: ScanCount::PageRowsPruned, unit: "row", reason: "by statistics of pages" },
    Skipped { count: ScanCount::RecordsSkipped, unit: "record", reason: "unparsed" },
];

/// Returns a count with its unit, in the plural unless it is 1.
fn counted(count: u64, unit: &str) -> String {
    let ending = match (count, unit) {
        (1, _) => "",
        (_, "batch") => "es",
        _ => "s",
    };
    format!("{count} {unit}{ending}")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use crate::engine::{Engine, Settings};
    use crate::exec::{self, Clock, ExecContext, Flow, PlanMetrics};
    use crate::plan::PlanNode;
    use crate::scan::MemoryCatalog;

    #[derive(Debug)]
    struct StoppedClock;

    impl Clock for StoppedClock {
        fn elapsed(&self) -> Duration {
            Duration::ZERO
        }
    }

    /// Returns the number of rows that each node returned, in the order of a depth-first walk.
    fn rows(metrics: &PlanMetrics, node: PlanNode<'_>) -> Vec<u64> {
        let own = metrics.of(node.id).expect("every node is measured").rows();
        [own].into_iter().chain(node.inputs().into_iter().flat_map(|input| rows(metrics, input))).collect()
    }

    #[test]
    fn a_clone_of_a_plan_is_measured_by_the_ids_of_its_nodes() {
        let settings = Settings { optimize: false, ..Settings::new(0) };
        let engine = Engine::new(Arc::new(MemoryCatalog::default()), settings);
        let query = "range N from 1 to 10 step 1 | where N > 3 \
                     | join kind=inner (range N from 4 to 5 step 1 | where N > 4) on N | summarize count()";
        let prepared = engine.prepare(query).expect("a valid query");
        let clock: Arc<dyn Clock> = Arc::new(StoppedClock);
        let measured = |plan| {
            let metrics = Arc::new(PlanMetrics::new(&prepared.plan, &clock));
            let context = ExecContext { metrics: Some(Arc::clone(&metrics)), ..prepared.context.clone() };
            exec::execute(plan, &context, &mut |_| Ok(Flow::Continue(()))).expect("it runs");
            rows(&metrics, PlanNode::root(plan))
        };
        let clone = prepared.plan.clone();
        assert_eq!(measured(&clone), measured(&prepared.plan));
        // The left table and the filter above it.
        assert!(measured(&clone).windows(2).any(|pair| pair == [7, 10]), "{:?}", measured(&clone));
        assert!(measured(&clone).iter().all(|rows| *rows > 0));
    }
}
