//! Decides whether a wait goes on.

use std::time::Duration;

/// How many rounds in a row were well, and whether there is time for more.
pub(crate) struct Streak {
    wanted: u32,
    limit: Duration,
    interval: Duration,
    rounds: u32,
    held: u32,
}

/// How a wait goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// All was well for long enough.
    Well,
    /// There is time for another round.
    Again,
    /// There is none.
    Over,
}

impl Streak {
    /// A wait for so many good rounds, which begin so far apart and no later than `limit`.
    pub(crate) fn new(wanted: u32, limit: Duration, interval: Duration) -> Self {
        let (rounds, held) = (0, 0);
        Self {
            wanted,
            limit,
            interval,
            rounds,
            held,
        }
    }

    /// Takes note of a round that ended after so long.
    pub(crate) fn after(&mut self, is_well: bool, elapsed: Duration) -> Next {
        self.rounds += 1;
        self.held = if is_well { self.held + 1 } else { 0 };
        match elapsed.checked_add(self.interval) {
            _ if self.held >= self.wanted => Next::Well,
            Some(begin_of_next) if begin_of_next < self.limit => Next::Again,
            _ => Next::Over,
        }
    }

    /// How many rounds there were.
    pub(crate) fn rounds(&self) -> u32 {
        self.rounds
    }

    /// How many of them, up to the last, were well.
    pub(crate) fn held(&self) -> u32 {
        self.held
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Carries out rounds of a second each, a second apart, for ten seconds at most.
    fn check(wanted: u32, rounds: &[bool], expected: (Next, u32)) {
        let mut streak = Streak::new(wanted, 10 * SECOND, SECOND);
        let ends = (0..).map(|round| (2 * round + 1) * SECOND);
        let mut steps = rounds
            .iter()
            .zip(ends)
            .map(|(is_well, end)| streak.after(*is_well, end));
        let next = steps.find(|next| *next != Next::Again);
        assert_eq!((next.unwrap_or(Next::Again), streak.rounds()), expected);
    }

    #[test]
    fn first_good_round_ends_the_wait() {
        check(1, &[false, false, true, true], (Next::Well, 3));
    }

    #[test]
    fn bad_round_begins_the_count_anew() {
        check(2, &[true, false, true, true], (Next::Well, 4));
        check(2, &[true, false, true], (Next::Again, 3));
    }

    #[test]
    fn wait_is_over_when_no_other_round_fits() {
        check(1, &[false; 9], (Next::Over, 5));
        check(3, &[true, true, false, true, true], (Next::Over, 5));
    }
}
