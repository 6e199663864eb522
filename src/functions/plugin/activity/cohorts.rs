//! Plugins that compare the users of windows of time: retention and churn.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{Activity, ActivityRow, ActivityWindow, Appearance, MAX_WINDOWS, long, ratio};
use crate::diagnostic::Result;
use crate::types::Value;

impl Activity {
    /// Computes `activity_metrics`: compares the users of each window with those of the window before.
    pub(super) fn metrics(&self, group: &[Appearance], window: ActivityWindow) -> Vec<ActivityRow> {
        let windows = self.users_by_window(group, window);
        let none = HashSet::new();
        let row = |(time, users): (&i64, &HashSet<usize>)| {
            let before = windows.get(&Self::window_after(*time, window, -1)).unwrap_or(&none);
            let returning = users.intersection(before).count();
            let retention = ratio(returning, before.len());
            let measures = vec![
                long(users.len()),
                long(users.len() - returning),
                Value::Real(retention),
                Value::Real(1.0 - retention),
            ];
            ActivityRow { times: vec![*time], measures }
        };
        windows.iter().map(row).collect()
    }

    /// Computes `new_activity_metrics`. A cohort is the users who were first seen in a window; it is compared with the
    /// users of that window and of all later ones.
    pub(super) fn new_metrics(
        &self,
        group: &[Appearance],
        window: ActivityWindow,
        cohort: Option<i64>,
    ) -> Result<Vec<ActivityRow>> {
        let windows = self.users_by_window(group, window);
        let is_known = |appearance: &&Appearance| appearance.time == i64::MIN;
        let mut first_seen: HashMap<usize, i64> =
            group.iter().filter(is_known).map(|known| (known.user, known.time)).collect();
        let mut cohorts: BTreeMap<i64, HashSet<usize>> = BTreeMap::new();
        for (time, users) in &windows {
            for user in users.iter().filter(|user| !first_seen.contains_key(user)).copied().collect::<Vec<_>>() {
                first_seen.insert(user, *time);
                cohorts.entry(*time).or_default().insert(user);
            }
        }
        cohorts.retain(|time, _| cohort.is_none_or(|cohort| self.window_of(cohort, window) == *time));
        let mut rows = Vec::new();
        for (from, cohort) in &cohorts {
            let windows_after = (0..).map(|count| Self::window_after(*from, window, count));
            for to in windows_after.take_while(|start| *start <= self.to) {
                if i64::try_from(rows.len()).unwrap_or(i64::MAX) >= MAX_WINDOWS {
                    return Err(self.too_many_windows());
                }
                let users = windows.get(&to).into_iter().flatten();
                // Users of the cohort itself are new in its own window.
                let is_new = |user: &&usize| {
                    first_seen.get(user).is_some_and(|first| first > from || to == *from && first == from)
                };
                let new = users.clone().filter(is_new).count();
                let retained = users.filter(|user| cohort.contains(user)).count();
                let churned = cohort.len() - retained;
                let mut measures = vec![long(new), long(retained), long(churned)];
                measures.extend([retained, churned].map(|part| Value::Real(ratio(part, cohort.len()))));
                rows.push(ActivityRow { times: vec![*from, to], measures });
            }
        }
        Ok(rows)
    }
}
