//! How much later a tick starts, so that what has the same instant does not start at once.

use crate::digest::Digest;
use jiff::{SignedDuration, Timestamp};

/// Less than `most`, in whole milliseconds, and always the same for the same key and instant: the first
/// eight bytes of SHA-256 over the key, a zero byte and the instant, as a number, modulo the milliseconds.
pub(super) fn jitter(key: &str, instant: Timestamp, most: SignedDuration) -> SignedDuration {
    let Ok(most) = u64::try_from(most.as_millis()) else {
        return SignedDuration::ZERO;
    };
    if most == 0 {
        return SignedDuration::ZERO;
    }
    let digest = Digest::of(format!("{key}\0{instant}"));
    let bytes = digest.as_bytes().first_chunk().expect("a digest has 32 bytes");
    let chosen = u64::from_be_bytes(*bytes) % most;
    SignedDuration::from_millis(i64::try_from(chosen).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn minute(number: i64) -> Timestamp {
        Timestamp::from_second(number * 60).unwrap()
    }

    #[test]
    fn a_tick_keeps_its_delay_and_others_have_their_own() {
        let most = SignedDuration::from_secs(30);
        // It is for ever: another value would move the starts of operators.
        let known = jitter("clinic/backup", minute(1), most);
        assert_eq!(known, SignedDuration::from_millis(246));
        let all: BTreeSet<_> = (0..100)
            .map(|tick| jitter("clinic/backup", minute(tick), most))
            .collect();
        assert!(all.len() > 90, "{} of 100", all.len());
        assert!(all.iter().all(|delay| !delay.is_negative() && *delay < most));
    }

    #[test]
    fn no_room_is_no_delay() {
        for most in [
            SignedDuration::ZERO,
            SignedDuration::from_micros(900),
            SignedDuration::from_secs(-1),
        ] {
            assert_eq!(jitter("key", minute(1), most), SignedDuration::ZERO);
        }
    }
}
