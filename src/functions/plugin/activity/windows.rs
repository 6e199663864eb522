//! Plugins that count the users of windows of time: active users, sessions, engagement, sliding windows.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::{Activity, ActivityRow, ActivityWindow, Appearance, MAX_WINDOWS, long, ratio};
use crate::diagnostic::Result;
use crate::types::Value;

impl Activity {
    /// Returns the users of each window, by the start of the window. Appearances outside the range are ignored.
    pub(super) fn users_by_window(
        &self,
        group: &[Appearance],
        window: ActivityWindow,
    ) -> BTreeMap<i64, HashSet<usize>> {
        let mut windows: BTreeMap<i64, HashSet<usize>> = BTreeMap::new();
        for appearance in group.iter().filter(|appearance| self.is_in_range(**appearance)) {
            windows.entry(self.window_of(appearance.time, window)).or_default().insert(appearance.user);
        }
        windows
    }

    /// Computes `active_users_count`. A user is active at an appearance if they appear in enough periods of the
    /// lookback window that ends there. The lookback window excludes its start.
    pub(super) fn active_users(&self, group: &[Appearance], lengths: [i64; 4]) -> Vec<ActivityRow> {
        let [lookback, period, active_periods, bin] = lengths;
        let (period, bin) = (ActivityWindow::Fixed(period), ActivityWindow::Fixed(bin));
        let mut times: HashMap<usize, Vec<i64>> = HashMap::new();
        let mut active: BTreeMap<i64, HashSet<usize>> = BTreeMap::new();
        for appearance in group {
            let earlier = times.entry(appearance.user).or_default();
            earlier.push(appearance.time);
            let start = appearance.time.saturating_sub(lookback);
            let recent = &earlier[earlier.partition_point(|time| *time <= start)..];
            let periods: HashSet<i64> = recent.iter().map(|time| self.window_of(*time, period)).collect();
            if self.is_in_range(*appearance) && i64::try_from(periods.len()).unwrap_or(i64::MAX) >= active_periods {
                active.entry(self.window_of(appearance.time, bin)).or_default().insert(appearance.user);
            }
        }
        let row =
            |(time, users): (i64, HashSet<usize>)| ActivityRow { times: vec![time], measures: vec![long(users.len())] };
        active.into_iter().map(row).collect()
    }

    pub(super) fn counts_metrics(&self, group: &[Appearance], window: ActivityWindow) -> Vec<ActivityRow> {
        let mut counts: BTreeMap<i64, usize> = BTreeMap::new();
        for appearance in group.iter().filter(|appearance| self.is_in_range(**appearance)) {
            *counts.entry(self.window_of(appearance.time, window)).or_default() += 1;
        }
        let mut seen: HashSet<usize> = HashSet::new();
        let row = |(time, users): (i64, HashSet<usize>)| {
            let new = users.iter().filter(|user| seen.insert(**user)).count();
            let count = counts.get(&time).copied().unwrap_or_default();
            let measures = vec![long(count), long(users.len()), long(new), long(seen.len())];
            ActivityRow { times: vec![time], measures }
        };
        self.users_by_window(group, window).into_iter().map(row).collect()
    }

    /// Computes `activity_engagement`: the users of each inner window as a fraction of those of the outer window, which
    /// ends at the same time.
    pub(super) fn engagement(&self, group: &[Appearance], inner: i64, outer: i64) -> Vec<ActivityRow> {
        let row = |(time, users): (i64, HashSet<usize>)| {
            let end = time.saturating_add(inner);
            let start = end.saturating_sub(outer);
            let from = group.partition_point(|appearance| appearance.time < start);
            let to = group.partition_point(|appearance| appearance.time < end);
            let outer: HashSet<usize> = group[from..to.max(from)].iter().map(|appearance| appearance.user).collect();
            let rate = Value::Real(ratio(users.len(), outer.len()));
            ActivityRow { times: vec![time], measures: vec![long(users.len()), long(outer.len()), rate] }
        };
        self.users_by_window(group, ActivityWindow::Fixed(inner)).into_iter().map(row).collect()
    }

    /// Computes `session_count`: the sessions that begin in each bin. A session begins when a user appears who did not
    /// appear for the length of the lookback window.
    pub(super) fn sessions(&self, group: &[Appearance], bin: i64, lookback: i64) -> Vec<ActivityRow> {
        let (mut last, mut sessions) = (HashMap::new(), BTreeMap::<i64, usize>::new());
        for appearance in group {
            let before: Option<i64> = last.insert(appearance.user, appearance.time);
            let is_new = before.is_none_or(|before| appearance.time.saturating_sub(before) >= lookback);
            if self.is_in_range(*appearance) {
                *sessions.entry(self.window_of(appearance.time, ActivityWindow::Fixed(bin))).or_default() +=
                    usize::from(is_new);
            }
        }
        let row = |(time, count)| ActivityRow { times: vec![time], measures: vec![long(count)] };
        sessions.into_iter().map(row).collect()
    }

    /// Computes `sliding_window_counts`: each appearance counts in all bins that begin less than `lookback` after its
    /// own bin.
    pub(super) fn sliding_window(
        &self,
        group: &[Appearance],
        lookback: i64,
        bin: ActivityWindow,
    ) -> Result<Vec<ActivityRow>> {
        let mut bins: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
        for appearance in group.iter().filter(|appearance| appearance.time <= self.to) {
            bins.entry(self.window_of(appearance.time, bin)).or_default().push(appearance.user);
        }
        let first = self.window_of(self.from, bin);
        let (mut ends, mut count) = (BTreeSet::new(), 0);
        for start in bins.keys() {
            let end = start.saturating_add(lookback).min(self.to.saturating_add(1));
            let starts = (0..).map(|count| Self::window_after(*start, bin, count));
            // An appearance counts in its own bin, even if that is longer than the lookback window.
            for at in starts.enumerate().take_while(|(index, at)| *index == 0 || *at < end).map(|(_, at)| at) {
                count += 1;
                if count > MAX_WINDOWS {
                    return Err(self.too_many_windows());
                }
                ends.extend((first..=self.to).contains(&at).then_some(at));
            }
        }
        let row = |time: i64| {
            let start = time.saturating_sub(lookback).saturating_add(1).min(time);
            let users: Vec<usize> = bins.range(start..=time).flat_map(|(_, users)| users.iter().copied()).collect();
            let distinct: HashSet<usize> = users.iter().copied().collect();
            ActivityRow { times: vec![time], measures: vec![long(users.len()), long(distinct.len())] }
        };
        Ok(ends.into_iter().map(row).collect())
    }
}
