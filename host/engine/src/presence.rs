//! Since when this host has been there without a break: while a machine sleeps, or when its
//! clock is turned on, nobody is there to run ticks in time.

use jiff::{SignedDuration, Timestamp};

/// More than the pause between two looks of a host that is awake.
const BREAK: SignedDuration = SignedDuration::from_mins(1);

/// Since when this host has been there without a break.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Presence {
    since: Timestamp,
    looked_at: Timestamp,
}

impl Presence {
    pub(crate) fn new(since: Timestamp, now: Timestamp) -> Self {
        Self {
            since,
            looked_at: now,
        }
    }

    /// Looks at the clock.
    pub(crate) fn since(&mut self, now: Timestamp) -> Timestamp {
        if now.duration_since(self.looked_at) > BREAK {
            self.since = now;
        }
        self.looked_at = now;
        self.since
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_slept_was_not_there() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut presence = Presence::new(at(0), at(5));
        assert_eq!(presence.since(at(60)), at(0));
        assert_eq!(presence.since(at(3_600)), at(3_600));
        assert_eq!(presence.since(at(3_601)), at(3_600));
    }

    #[test]
    fn a_clock_that_is_turned_back_is_no_break() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut presence = Presence::new(at(3_600), at(3_600));
        assert_eq!(presence.since(at(0)), at(3_600));
    }
}
