//! How many rows broke each check in the run before.

use crate::outcome::CheckOutcome;
use crate::plan::Check;
use sopwith::{Result, state};
use std::collections::BTreeMap;

/// Where the procedure keeps the counts.
const KEY: &str = "rows";

/// Counts by the names of the checks.
pub(crate) type Counts = BTreeMap<String, u64>;

/// The counts of the run before.
pub(crate) fn previous() -> Result<Counts> {
    Ok(state::get(KEY)?.unwrap_or_default())
}

/// Remembers the counts of this run.
pub(crate) fn remember(checks: &[Check], outcomes: &[CheckOutcome]) -> Result<()> {
    state::update(KEY, |before: Option<Counts>| {
        Ok(merge(before.unwrap_or_default(), checks, outcomes))
    })?;
    Ok(())
}

/// What could not be checked keeps its count; what is no check any more is forgotten.
fn merge(mut counts: Counts, checks: &[Check], outcomes: &[CheckOutcome]) -> Counts {
    counts.retain(|name, _| checks.iter().any(|check| check.name == *name));
    counts.extend(
        outcomes
            .iter()
            .map(|outcome| (outcome.name.clone(), outcome.rows)),
    );
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit;
    use crate::offenders::Offenders;
    use crate::plan;
    use sopwith::serde_json::{from_value, json};

    #[test]
    fn counts_follow_the_checks() {
        let check = |name: &str| json!({ "name": name, "query": "SELECT …" });
        let settings = json!({ "database": "app", "engine": "off", "checks": [check("a"), check("b")] });
        let plan = plan::read(&from_value(settings).expect("of their shape")).expect("they make sense");
        let found = Offenders {
            rows: 3,
            ..Offenders::default()
        };
        let outcomes = [audit::judge(&plan.checks[0], &found, None)];
        let before = Counts::from([("a".to_owned(), 1), ("b".to_owned(), 2), ("gone".to_owned(), 9)]);
        let after = merge(before, &plan.checks, &outcomes);
        assert_eq!(after, Counts::from([("a".to_owned(), 3), ("b".to_owned(), 2)]));
    }
}
