//! The value of a secret, which is in no debug output and does not stay in memory.

use std::fmt;
use zeroize::Zeroizing;

/// The value of a secret. It is overwritten when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretValue(Zeroizing<Vec<u8>>);

/// Bytes that are no value of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSecret {
    /// There are none.
    #[error("it is empty")]
    Empty,
    /// There are too many.
    #[error("it has more than {} bytes", SecretValue::BYTES_MAX)]
    TooLong,
}

impl SecretValue {
    /// The most bytes that a value may have: certificates with their chains have some 10 KiB.
    pub const BYTES_MAX: usize = 64 << 10;

    /// A value of these bytes, whichever they are.
    pub fn new(bytes: impl Into<Zeroizing<Vec<u8>>>) -> Result<Self, InvalidSecret> {
        let bytes = bytes.into();
        match bytes.len() {
            0 => Err(InvalidSecret::Empty),
            1..=Self::BYTES_MAX => Ok(Self(bytes)),
            _ => Err(InvalidSecret::TooLong),
        }
    }

    /// The same without one newline at the end, which editors and `echo` leave.
    pub fn of_text(bytes: impl Into<Zeroizing<Vec<u8>>>) -> Result<Self, InvalidSecret> {
        let mut bytes = bytes.into();
        if bytes.ends_with(b"\n") {
            bytes.pop();
            if bytes.ends_with(b"\r") {
                bytes.pop();
            }
        }
        Self::new(bytes)
    }

    /// The bytes.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_text(text: &[u8]) -> Result<Vec<u8>, InvalidSecret> {
        SecretValue::of_text(text.to_vec()).map(|value| value.expose().to_vec())
    }

    #[test]
    fn one_newline_at_the_end_is_not_part_of_a_text() {
        assert_eq!(of_text(b"hush\n").unwrap(), b"hush");
        assert_eq!(of_text(b"hush\r\n").unwrap(), b"hush");
        assert_eq!(of_text(b"hush\r").unwrap(), b"hush\r");
        assert_eq!(of_text(b"a\nb\n\n").unwrap(), b"a\nb\n");
        assert_eq!(of_text(b" \0 ").unwrap(), b" \0 ");
        assert_eq!(of_text(b"\n"), Err(InvalidSecret::Empty));
    }

    #[test]
    fn a_value_is_neither_empty_nor_endless() {
        assert_eq!(SecretValue::new(Vec::new()), Err(InvalidSecret::Empty));
        let of = |length| SecretValue::new(vec![1; length]);
        assert!(of(SecretValue::BYTES_MAX).is_ok());
        assert_eq!(of(SecretValue::BYTES_MAX + 1), Err(InvalidSecret::TooLong));
    }

    #[test]
    fn no_debug_output_shows_it() {
        let value = SecretValue::new(b"hush".to_vec()).unwrap();
        assert_eq!(
            format!("{value:?} {:?}", Some(&value)),
            "[redacted] Some([redacted])"
        );
    }
}
