//! What a run used of what it is allowed.

use crate::output::{self, bold, bytes, took};
use anstyle::AnsiColor;
use sopwith_core::failure::Failure;
use sopwith_core::limits::{Figure, Limits, Share};
use sopwith_core::run::Run;

/// The share of a limit from which on it is marked, in hundredths.
const NEAR_PERCENT: u64 = 80;

/// Limits of which nothing was used are counted, and left out.
pub(super) fn print(run: &Run, limits: Option<&Limits>) {
    let (Some(usage), Some(limits)) = (&run.usage, limits) else {
        return;
    };
    anstream::println!("{}", bold("Used of what is allowed"));
    let shares = limits.shares(usage);
    let failure = run.failure.as_ref();
    let (used, unused): (Vec<_>, Vec<_>) = shares
        .iter()
        .partition(|share| !is_nothing(share.used) || is_reached(share, failure));
    let rows = used.iter().map(|share| share_row(share, failure));
    output::table(&["LIMIT", "USED", "ALLOWED", "SHARE"], rows.collect());
    if !unused.is_empty() {
        anstream::println!("and nothing of {}", output::count(unused.len(), "further limit"));
    }
}

/// A limit that is used up, or nearly so, is marked.
fn share_row(share: &Share, failure: Option<&Failure>) -> Vec<String> {
    let figure = |figure| match figure {
        Figure::Time(time) => took(time),
        Figure::Bytes(count) => bytes(count),
        Figure::Count(count) => count.to_string(),
    };
    let percent = share.percent();
    let mark = if is_reached(share, failure) {
        output::painted(AnsiColor::Red.on_default(), " reached")
    } else if percent >= NEAR_PERCENT {
        output::painted(AnsiColor::Yellow.on_default(), " near the limit")
    } else {
        String::new()
    };
    vec![
        share.limit.to_owned(),
        figure(share.used),
        figure(share.allowed),
        format!("{percent} %{mark}"),
    ]
}

fn is_nothing(figure: Figure) -> bool {
    match figure {
        Figure::Time(time) => time.is_zero(),
        Figure::Bytes(number) | Figure::Count(number) => number == 0,
    }
}

/// Whether the run failed by this limit.
fn is_reached(share: &Share, failure: Option<&Failure>) -> bool {
    failure.is_some_and(|failure| {
        let named = |(name, value): &(String, String)| name == "limit" && value == share.limit;
        failure.extra.iter().any(named)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sopwith_core::limits::Usage;

    #[test]
    fn a_limit_that_is_near_or_reached_is_marked() {
        let limits = Limits::default();
        let usage = Usage {
            wall: limits.timeout * 4 / 5,
            calls: limits.calls - 1,
            rows: limits.rows / 2,
            ..Usage::default()
        };
        let failure = Failure::limit("rows", "too many");
        let rows: Vec<_> = limits
            .shares(&usage)
            .iter()
            .map(|share| {
                anstream::adapter::strip_str(&share_row(share, Some(&failure)).join(" ")).to_string()
            })
            .collect();
        for row in [
            "timeout 8m 10m 80 % near the limit",
            "calls 99999 100000 99 % near the limit",
            "rows 50000 100000 50 % reached",
            "memory 0 B 64.0 MiB 0 %",
        ] {
            assert!(rows.iter().any(|shown| shown == row), "{row}: {rows:?}");
        }
    }
}
