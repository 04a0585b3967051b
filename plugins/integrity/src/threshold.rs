//! How many offending rows are too many: `> 0`.

use sopwith::{Error, Result};
use std::fmt::{self, Display};
use std::str::FromStr;

/// A number of rows, compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Threshold {
    comparison: Comparison,
    /// What the number of rows is compared with.
    pub(crate) number: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    NotEqual,
    LessOrEqual,
    GreaterOrEqual,
    Less,
    Greater,
}

/// The longer ones first, since the others begin them.
const COMPARISONS: [(&str, Comparison); 6] = [
    ("==", Comparison::Equal),
    ("!=", Comparison::NotEqual),
    ("<=", Comparison::LessOrEqual),
    (">=", Comparison::GreaterOrEqual),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
];

impl Threshold {
    /// Any row at all.
    pub(crate) const ANY: Self = Self {
        comparison: Comparison::Greater,
        number: 0,
    };

    /// Whether so many rows are too many.
    pub(crate) fn is_met_by(self, rows: u64) -> bool {
        match self.comparison {
            Comparison::Equal => rows == self.number,
            Comparison::NotEqual => rows != self.number,
            Comparison::LessOrEqual => rows <= self.number,
            Comparison::GreaterOrEqual => rows >= self.number,
            Comparison::Less => rows < self.number,
            Comparison::Greater => rows > self.number,
        }
    }
}

impl FromStr for Threshold {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let trimmed = text.trim();
        let read = COMPARISONS.iter().find_map(|(sign, comparison)| {
            let number = trimmed.strip_prefix(sign)?.trim().parse().ok()?;
            Some(Self {
                comparison: *comparison,
                number,
            })
        });
        read.ok_or_else(|| Error::invalid(format!("`{text}` compares with no number of rows, as `> 0` does")))
    }
}

impl Display for Threshold {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = COMPARISONS
            .iter()
            .find(|(_, comparison)| *comparison == self.comparison);
        write!(formatter, "{} {}", sign.map_or("", |(sign, _)| sign), self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The numbers from 0 to 4 that meet it.
    fn check(text: &str, expected: &[u64]) {
        let threshold: Threshold = text.parse().expect(text);
        let met: Vec<_> = (0..5).filter(|rows| threshold.is_met_by(*rows)).collect();
        assert_eq!(met, expected, "{text}");
    }

    #[test]
    fn rows_are_compared_as_written() {
        check("> 0", &[1, 2, 3, 4]);
        check(">=2", &[2, 3, 4]);
        check(" == 3 ", &[3]);
        check("!= 0", &[1, 2, 3, 4]);
        check("< 2", &[0, 1]);
        check("<= 2", &[0, 1, 2]);
    }

    #[test]
    fn what_is_no_comparison_is_refused() {
        for text in ["", "0", "=> 1", "> -1", "> 0.5", "> many", ">"] {
            assert!(text.parse::<Threshold>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn threshold_is_read_as_it_is_shown(text in "(==|!=|<=|>=|<|>) [0-9]{1,6}") {
            let threshold: Threshold = text.parse().expect("it is one");
            prop_assert_eq!(threshold.to_string().parse::<Threshold>(), Ok(threshold));
        }

        #[test]
        fn any_text_is_read_or_refused(text in any::<String>()) {
            let _ = text.parse::<Threshold>();
        }
    }
}
