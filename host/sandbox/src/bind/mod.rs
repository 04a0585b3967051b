//! Binds each interface of the contract to its port: counts the call, converts, passes on.
//!
//! Nothing is decided here. A failure of the port is the guest's answer; only a limit that the
//! whole attempt has reached stops the guest.

mod approvals;
mod commands;
mod failure;
mod files;
mod flow;
pub(crate) mod handles;
mod journal;
mod probe;
mod procedures;
mod run;
mod secrets;
mod sql;
mod state;

use crate::answered::Answered;
use crate::bindings::Plugin;
use crate::bindings::sopwith::plugin::types;
use crate::ending::{Stop, start};
use crate::guest::Guest;
use jiff::Timestamp;
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::port::capabilities::{Answer, Capabilities, Waited};
use std::sync::Arc;
use std::time::Duration;
use wasmtime::component::{HasSelf, Linker, Resource};

/// No word of the contract is longer.
const WORD_BYTES_MAX: usize = 64;

/// What a call hands back: the outer error stops the guest, the inner one is its answer.
type Reply<T> = wasmtime::Result<Result<T, types::Error>>;

impl types::Host for Guest {}

impl Guest {
    /// Counts a call, and returns what answers it.
    pub(crate) fn call(&self) -> wasmtime::Result<Arc<dyn Capabilities>> {
        self.capabilities.count_call().map_err(Stop::error)?;
        Ok(Arc::clone(&self.capabilities))
    }

    /// Hands a thing to the guest, by a handle.
    fn hand_over<T: Send + 'static>(&mut self, answer: Answer<T>) -> Reply<Resource<T>> {
        match answer {
            Ok(thing) => {
                let handle = self.table.push(thing)?;
                self.count_handles();
                Ok(Ok(handle))
            }
            Err(failure) => reply(&self.answered, Err(failure)),
        }
    }
}

/// Links all interfaces of the contract.
pub(crate) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    Plugin::add_to_linker::<Guest, HasSelf<Guest>>(linker, |guest| guest)
}

#[expect(clippy::unnecessary_wraps, reason = "the type that the bindings ask for")]
fn reply<T>(answered: &Answered, answer: Answer<T>) -> Reply<T> {
    Ok(answer.map_err(|failure| answered.with(failure)))
}

/// What the host has in memory for texts that it keeps.
fn texts_bytes<'t>(texts: impl IntoIterator<Item = &'t String>) -> usize {
    let bytes = |text: &String| size_of::<String>() + text.len();
    texts.into_iter().map(bytes).sum()
}

/// As much of a word that nobody knows as anybody reads.
fn shown(word: &str) -> &str {
    start(word, WORD_BYTES_MAX)
}

/// Hands over what a call came to; one that suspended the run ends the guest.
fn reply_or_end<T>(answered: &Answered, answer: Answer<Waited<T>>) -> Reply<T> {
    match answer {
        Ok(Waited::Over(value)) => Ok(Ok(value)),
        Ok(Waited::Suspended) => Err(Stop::error(suspended())),
        Err(failure) => reply(answered, Err(failure)),
    }
}

/// What ends a guest whose run is suspended; what the run waits for is on record.
fn suspended() -> Failure {
    Failure::new(FailureKind::Cancelled, Blame::Operator, "the run is suspended")
}

fn time(instant: Timestamp) -> types::Timestamp {
    format!("{instant:.6}")
}

/// An instant that the guest names.
fn instant(text: &str) -> Answer<Timestamp> {
    text.parse().map_err(|error| {
        let text = shown(text);
        Failure::invalid(format!("`{text}` is not an instant: {error}"))
            .hint("instants are written like `2026-11-20T18:00:00Z`")
    })
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
