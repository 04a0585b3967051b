//! Figures as operators read them.

use bytesize::ByteSize;
use jiff::SignedDuration;

/// `12.4 MiB`
pub(crate) fn size(bytes: u64) -> String {
    ByteSize(bytes).display().iec().to_string()
}

/// `10,532`
pub(crate) fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 table`, `10,532 rows`
pub(crate) fn count(number_of_them: u64, thing: &str) -> String {
    let plural = if number_of_them == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", number(number_of_them))
}

/// `45 ms`, `0.8 s`
pub(crate) fn elapsed(duration: SignedDuration) -> String {
    match duration.as_millis() {
        milliseconds @ 0..100 => format!("{milliseconds} ms"),
        _ => format!("{:.1} s", duration.as_secs_f64()),
    }
}

/// `sha256:0c8987fa37d0`, as much of a digest as tells it from others.
pub(crate) fn digest(digest: &str) -> &str {
    digest.get(.."sha256:".len() + 12).unwrap_or(digest)
}

/// The first of some sentences, and how many more there are.
pub(crate) fn first(sentences: &[String]) -> String {
    match sentences {
        [] => String::new(),
        [one] => one.clone(),
        [one, further @ ..] => format!("{one}, and {} more", number(further.len() as u64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_well() {
        assert_eq!(size(13_002_343), "12.4 MiB");
        assert_eq!(size(8_192), "8.0 KiB");
        assert_eq!(size(0), "0 B");
        let numbers = [0, 999, 1_000, 10_532, 1_234_567].map(number);
        assert_eq!(numbers, ["0", "999", "1,000", "10,532", "1,234,567"]);
        assert_eq!(count(1, "table"), "1 table");
        assert_eq!(count(10_532, "row"), "10,532 rows");
        let sentences = ["it shrank", "it is empty", "it is old"].map(str::to_owned);
        assert_eq!(first(&sentences[..1]), "it shrank");
        assert_eq!(first(&sentences), "it shrank, and 2 more");
        assert_eq!(elapsed(SignedDuration::from_millis(849)), "0.8 s");
        assert_eq!(elapsed(SignedDuration::from_millis(45)), "45 ms");
        let whole = "sha256:0c8987fa37d0bcab30ba9047da9c944bf09c61a9a92ffd05755c677640795c2b";
        assert_eq!(digest(whole), "sha256:0c8987fa37d0");
    }
}
