//! Decides which backups are kept, exactly as restic does and for the reasons that it gives.

use crate::settings::{Keep, Within, Zone};
use jiff::{Timestamp, Zoned};

/// Why each of these backups is kept, newest first; none where no rule keeps it.
///
/// The newest is always kept, and a policy without rules keeps all. The rules are those of
/// `ApplyPolicy` in restic: a backup is kept by a rule where its bucket is not the one that the
/// rule kept last, and the oldest where the rule has count left.
pub(crate) fn reasons(newest_first: &[Timestamp], keep: &Keep, zone: &Zone) -> Vec<Vec<String>> {
    let Some(newest) = newest_first.first() else {
        return Vec::new();
    };
    let mut rules = rules(keep, &zone.at(*newest));
    if rules.is_empty() {
        return vec![vec!["policy is empty".to_owned()]; newest_first.len()];
    }
    let places = newest_first.iter().enumerate().map(|(place, taken_at)| {
        let taken_at = zone.at(*taken_at);
        let oldest = place + 1 == newest_first.len();
        let reasons = rules.iter_mut();
        reasons
            .filter_map(|rule| rule.keeps(&taken_at, place, oldest))
            .collect::<Vec<_>>()
    });
    let mut reasons: Vec<_> = places.collect();
    if let Some(first) = reasons.first_mut().filter(|reasons| reasons.is_empty()) {
        first.push("newest backup".to_owned());
    }
    reasons
}

/// Why each of the safety copies is kept, newest first; none where they are too many.
pub(crate) fn reasons_of_safety_copies(count: usize, keep: &Keep) -> Vec<Vec<String>> {
    let reason = |place| match usize::try_from(keep.safety) {
        Ok(0) => vec!["policy is empty".to_owned()],
        Ok(safety) if place >= safety => Vec::new(),
        _ => vec!["safety copy".to_owned()],
    };
    (0..count).map(reason).collect()
}

fn rules(keep: &Keep, newest: &Zoned) -> Vec<Rule> {
    let counted = [
        ("last", keep.last, Bucket::Each),
        ("hourly", keep.hourly, Bucket::Hour),
        ("daily", keep.daily, Bucket::Day),
        ("weekly", keep.weekly, Bucket::Week),
        ("monthly", keep.monthly, Bucket::Month),
        ("yearly", keep.yearly, Bucket::Year),
    ];
    let counted = counted
        .into_iter()
        .filter(|(_, count, _)| *count != 0)
        .map(|(name, count, bucket)| {
            // What is not a number of backups is without end.
            let left = u32::try_from(count).ok();
            Rule::new(format!("{name} snapshot"), bucket, Bound::Count(left))
        });
    let within = [
        ("hourly ", &keep.within_hourly, Bucket::Hour),
        ("daily ", &keep.within_daily, Bucket::Day),
        ("weekly ", &keep.within_weekly, Bucket::Week),
        ("monthly ", &keep.within_monthly, Bucket::Month),
        ("yearly ", &keep.within_yearly, Bucket::Year),
    ];
    let rule_within = |(name, within, bucket): (&str, &Option<Within>, Bucket)| {
        let within = within.as_ref()?;
        let bound = Bound::After(before(newest, within));
        Some(Rule::new(format!("{name}within {within}"), bucket, bound))
    };
    let all_within = rule_within(("", &keep.within, Bucket::Each));
    let within = within.into_iter().filter_map(rule_within);
    all_within.into_iter().chain(counted).chain(within).collect()
}

/// A span that leads out of the calendar reaches to all backups.
fn before(newest: &Zoned, within: &Within) -> Timestamp {
    let since = newest.checked_sub(within.span);
    since.map_or(Timestamp::MIN, |since| since.timestamp())
}

struct Rule {
    name: String,
    bucket: Bucket,
    bound: Bound,
    /// The bucket of the backup that it kept last.
    last: Option<i64>,
}

enum Bound {
    /// So many more, or without end.
    Count(Option<u32>),
    After(Timestamp),
}

#[derive(Clone, Copy)]
enum Bucket {
    Each,
    Hour,
    Day,
    Week,
    Month,
    Year,
}

impl Rule {
    fn new(name: String, bucket: Bucket, bound: Bound) -> Self {
        let last = None;
        Self {
            name,
            bucket,
            bound,
            last,
        }
    }

    /// Why it keeps this backup, if it does.
    fn keeps(&mut self, taken_at: &Zoned, place: usize, oldest: bool) -> Option<String> {
        let open = match &self.bound {
            Bound::Count(left) => *left != Some(0),
            Bound::After(since) => taken_at.timestamp() > *since,
        };
        let bucket = self.bucket.of(taken_at, place);
        let again = self.last == Some(bucket);
        if !open || (again && !oldest) {
            return None;
        }
        self.last = Some(bucket);
        if let Bound::Count(Some(left)) = &mut self.bound {
            *left -= 1;
        }
        Some(if again {
            format!("oldest {}", self.name)
        } else {
            self.name.clone()
        })
    }
}

impl Bucket {
    /// A number that backups of one bucket share, and neighbours of different ones do not.
    fn of(self, taken_at: &Zoned, place: usize) -> i64 {
        let year = i64::from(taken_at.year());
        let month = year * 100 + i64::from(taken_at.month());
        let day = month * 100 + i64::from(taken_at.day());
        match self {
            Self::Each => i64::try_from(place).unwrap_or(i64::MAX),
            Self::Hour => day * 100 + i64::from(taken_at.hour()),
            Self::Day => day,
            Self::Week => {
                let week = taken_at.date().iso_week_date();
                i64::from(week.year()) * 100 + i64::from(week.week())
            }
            Self::Month => month,
            Self::Year => year,
        }
    }
}

#[cfg(test)]
mod tests;
