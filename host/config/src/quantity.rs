//! Sizes and times, which are written with their units.

use bytesize::ByteSize;
use jiff::SignedDuration;
use std::time::Duration;

/// Reads a size such as `64 MiB`.
pub(crate) fn bytes(text: &str) -> Result<u64, String> {
    let invalid = || format!("`{text}` is not a size with its unit");
    if text.trim().parse::<f64>().is_ok() {
        return Err(invalid());
    }
    text.parse::<ByteSize>().map(|size| size.0).map_err(|_| invalid())
}

/// Reads a time such as `10m` or `1h 30m`.
pub(crate) fn time(text: &str) -> Result<Duration, String> {
    let invalid = || format!("`{text}` is not a time with its unit");
    let signed: SignedDuration = text.parse().map_err(|_| invalid())?;
    Duration::try_from(signed).map_err(|_| format!("`{text}` is less than nothing"))
}

/// Reads a time that may have days and weeks, each day of 24 hours: `400d`.
pub(crate) fn days(text: &str) -> Result<Duration, String> {
    let invalid = || format!("`{text}` is not a time in weeks, days or hours");
    let span: jiff::Span = text.parse().map_err(|_| invalid())?;
    let days_are_24_hours = jiff::SpanRelativeTo::days_are_24_hours();
    let signed = span.to_duration(days_are_24_hours).map_err(|_| invalid())?;
    Duration::try_from(signed).map_err(|_| format!("`{text}` is less than nothing"))
}

/// A size as an operator would write it.
pub(crate) fn written_bytes(bytes: u64) -> String {
    ByteSize(bytes).display().iec().to_string().replace(".0 ", " ")
}

/// A time as an operator would write it.
pub(crate) fn written_time(time: Duration) -> String {
    SignedDuration::try_from(time)
        .map_or_else(|_| format!("{}s", time.as_secs()), |signed| format!("{signed:#}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_need_their_units() {
        assert_eq!(bytes("64 MiB"), Ok(64 << 20));
        assert_eq!(bytes("1MB"), Ok(1_000_000));
        assert_eq!(time("1h 30m"), Ok(Duration::from_mins(90)));
        assert_eq!(time("500ms"), Ok(Duration::from_millis(500)));
        for bad in ["64", "64.5", "MiB", "", "64 parsecs"] {
            assert!(bytes(bad).is_err(), "{bad}");
            assert!(time(bad).is_err(), "{bad}");
        }
        assert!(time("-5s").is_err());
        assert_eq!(days("2w 1d"), Ok(Duration::from_hours(24 * 15)));
        for bad in ["400", "1y", "-1d", ""] {
            assert!(days(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn quantities_are_shown_as_they_are_written() {
        assert_eq!(written_bytes(512 << 20), "512 MiB");
        assert_eq!(written_time(Duration::from_mins(90)), "1h 30m");
    }
}
