//! One figure beside its baseline and its target, as a row of the table.

use std::fmt;
use std::time::Duration;

/// What was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Quantity {
    /// How long something takes.
    Time(Duration),
    /// How often something happens in a second.
    Rate(f64),
    /// How much memory something takes.
    Mebibytes(f64),
    /// How many there are.
    Count(u64),
}

/// What a figure is measured by.
#[derive(Debug, Clone, Copy)]
pub enum Target {
    /// At most so many times the baseline.
    TimesBaseline(f64),
    /// At most this.
    AtMost(Quantity),
    /// At least this.
    AtLeast(Quantity),
    /// Stands beside another figure.
    None,
}

/// One row.
#[derive(Debug)]
pub struct Figure<'a> {
    /// What it is about.
    pub name: &'a str,
    /// What was measured.
    pub measured: Quantity,
    /// What was measured beside it in the same run, and by what.
    pub baseline: (&'a str, Quantity),
    /// What was aimed at.
    pub target: Target,
}

impl Quantity {
    #[expect(clippy::cast_precision_loss, reason = "counts are small")]
    fn value(self) -> f64 {
        match self {
            Self::Time(time) => time.as_secs_f64(),
            Self::Rate(number) | Self::Mebibytes(number) => number,
            Self::Count(count) => count as f64,
        }
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(time) if time.as_millis() < 1 => write!(f, "{:.1} µs", time.as_secs_f64() * 1e6),
            Self::Time(time) if time.as_secs() < 1 => write!(f, "{:.2} ms", time.as_secs_f64() * 1e3),
            Self::Time(time) => write!(f, "{:.2} s", time.as_secs_f64()),
            Self::Rate(rate) => write!(f, "{rate:.0}/s"),
            Self::Mebibytes(number) => write!(f, "{number:.1} MiB"),
            Self::Count(count) => write!(f, "{count}"),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimesBaseline(times) => write!(f, "≤ {times:.2} ×"),
            Self::AtMost(quantity) => write!(f, "≤ {quantity}"),
            Self::AtLeast(quantity) => write!(f, "≥ {quantity}"),
            Self::None => f.write_str("–"),
        }
    }
}

impl Figure<'_> {
    /// The measured as so many times the baseline; none for a baseline of nothing.
    fn ratio(&self) -> Option<f64> {
        let baseline = self.baseline.1.value();
        (baseline > 0.0).then(|| self.measured.value() / baseline)
    }

    /// Whether the target is met; none where there is none.
    fn is_met(&self) -> Option<bool> {
        let measured = self.measured.value();
        match self.target {
            Target::TimesBaseline(times) => Some(self.ratio()? <= times),
            Target::AtMost(most) => Some(measured <= most.value()),
            Target::AtLeast(least) => Some(measured >= least.value()),
            Target::None => None,
        }
    }

    /// Prints the row, with tabs between the columns.
    pub fn tell(&self) {
        let (name, baseline) = self.baseline;
        let ratio = self
            .ratio()
            .map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2} ×"));
        let met = self
            .is_met()
            .map_or("–", |is_met| if is_met { "yes" } else { "NO" });
        println!(
            "{}\t{}\t{ratio}\t{}\t{met}\t{baseline} {name}",
            self.name, self.measured, self.target
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(target: Target, expected: Option<bool>) {
        let figure = Figure {
            name: "a walk",
            measured: Quantity::Time(Duration::from_millis(30)),
            baseline: ("a run", Quantity::Time(Duration::from_millis(20))),
            target,
        };
        assert_eq!(figure.is_met(), expected, "{target}");
    }

    #[test]
    fn figure_is_measured_by_its_baseline_or_by_a_limit() {
        let time = |milliseconds| Quantity::Time(Duration::from_millis(milliseconds));
        check(Target::TimesBaseline(1.5), Some(true));
        check(Target::TimesBaseline(1.4), Some(false));
        check(Target::AtMost(time(29)), Some(false));
        check(Target::AtLeast(time(29)), Some(true));
        check(Target::None, None);
    }
}
