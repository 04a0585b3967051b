//! The contract's `error` and the host's [`Failure`], either way.

use crate::bindings::sopwith::plugin::types;
use sopwith_core::failure::{Blame, Failure, FailureKind};

const BLAME: &str = "blame";

impl From<Failure> for types::Error {
    fn from(failure: Failure) -> Self {
        let blame = (BLAME.to_owned(), failure.blame.as_str().to_owned());
        Self {
            kind: failure.kind.as_str().to_owned(),
            message: failure.message,
            hint: failure.hint,
            retryable: failure.retryable,
            extra: std::iter::once(blame).chain(failure.extra).collect(),
        }
    }
}

impl From<types::Error> for Failure {
    fn from(error: types::Error) -> Self {
        let (blames, extra): (Vec<_>, Vec<_>) = error.extra.into_iter().partition(|(name, _)| name == BLAME);
        let blame = blames.iter().find_map(|(_, word)| Blame::from_word(word));
        Self {
            kind: FailureKind::from_word(&error.kind),
            message: error.message,
            hint: error.hint,
            retryable: error.retryable,
            blame: blame.unwrap_or(Blame::Plugin),
            extra,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failure_that_a_plugin_passes_on_keeps_its_blame() {
        let failure = Failure::host("the disk is full")
            .retryable()
            .with("resource", "app");
        let error = types::Error::from(failure.clone());
        assert_eq!(error.extra[0], ("blame".to_owned(), "host".to_owned()));
        assert_eq!(Failure::from(error), failure);
    }

    #[test]
    fn error_of_an_unknown_kind_is_a_failure_of_the_plugin() {
        let error = types::Error {
            kind: "exotic".to_owned(),
            message: "no luck".to_owned(),
            hint: None,
            retryable: false,
            extra: vec![("blame".to_owned(), "nobody".to_owned())],
        };
        let expected = Failure::new(FailureKind::Failed, Blame::Plugin, "no luck");
        assert_eq!(Failure::from(error), expected);
    }
}
