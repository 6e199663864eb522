//! The elements of the time or number axis as JSON, which is written once for all groups.

use std::ops::Range;

use super::GroupSeries;
use crate::plan::Axis;
use crate::plan::series::MAX_ELEMENTS;
use crate::types::dynamic;

/// The starts of consecutive bins as JSON, separated by commas.
#[derive(Debug)]
pub(super) struct AxisText {
    axis: Axis,
    /// The numbers of the bins that are written; empty if all groups together have too many.
    bins: Range<i64>,
    text: String,
    /// The offset of each element in the text, and at the end the length of the text plus one.
    offsets: Vec<usize>,
}

impl AxisText {
    /// Writes the bins of all `groups`.
    pub fn new(axis: &Axis, groups: &[GroupSeries]) -> Self {
        let first = groups.iter().map(|group| group.bins.start).min().unwrap_or(0);
        let end = groups.iter().map(|group| group.bins.end).max().unwrap_or(0);
        let bins = if end.saturating_sub(first) > MAX_ELEMENTS { 0..0 } else { first..end };
        let mut written = Self { axis: axis.clone(), bins: bins.clone(), text: String::new(), offsets: Vec::new() };
        for bin in bins {
            written.offsets.push(written.text.len());
            dynamic::write_value(&axis.start_of(bin), &mut written.text);
            written.text.push(',');
        }
        written.offsets.push(written.text.len());
        written
    }

    /// Returns the bytes in use.
    pub fn bytes(&self) -> usize {
        self.text.capacity() + self.offsets.capacity() * size_of::<usize>()
    }

    /// Appends the JSON array of the starts of `bins`.
    pub fn write(&self, bins: &Range<i64>, out: &mut String) {
        out.push('[');
        if bins.start >= self.bins.start && bins.end <= self.bins.end {
            let offset = |bin: i64| usize::try_from(bin - self.bins.start).map_or(0, |index| self.offsets[index]);
            let elements = &self.text[offset(bins.start)..offset(bins.end)];
            out.push_str(elements.strip_suffix(',').unwrap_or(elements));
        } else {
            for bin in bins.clone() {
                out.push_str(if bin == bins.start { "" } else { "," });
                dynamic::write_value(&self.axis.start_of(bin), out);
            }
        }
        out.push(']');
    }
}
