//! Says in the contract's words why a guest was ended: the one place that reads wasmtime's errors.

use crate::configuration::STACK_BYTES_MAX;
use crate::printed::PANIC;
use crate::visit::HEADER_BYTES_MAX;
use crate::wasi::RANDOM_BYTES_MAX;
use sopwith_core::failure::{Blame, Failure, FailureKind};
use std::{fmt, io};
use wasmtime::component::ResourceTableError;
use wasmtime::{PoolConcurrencyLimitError, Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;
use wasmtime_wasi_http::FieldMapError;

/// How much is kept of a backtrace, of what a guest said last, and of each text of its error.
pub(crate) const TEXT_BYTES_MAX: usize = 4 << 10;

/// Ends a guest from within a call of the host.
#[derive(Debug)]
pub(crate) struct Stop(Failure);

impl Stop {
    pub(crate) fn error(failure: Failure) -> wasmtime::Error {
        wasmtime::Error::new(Self(failure))
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Stop {}

/// Why the guest was ended; `last_words` is the end of its standard error, and `call_bytes_max` what
/// it could hand over in a call. What is cut is masked first, since half a secret is not recognised.
pub(crate) fn failure(
    error: &wasmtime::Error,
    last_words: &str,
    call_bytes_max: usize,
    mask: &dyn Fn(&str) -> String,
) -> Failure {
    let failure = if let Some(Stop(failure)) = error.downcast_ref() {
        return failure.clone();
    } else if let Some(failure) = limit(error, call_bytes_max) {
        failure
    } else if let Some(I32Exit(code)) = error.downcast_ref() {
        of_plugin(format!("the plugin ended itself with exit code {code}"))
    } else if let Some(trap) = error.downcast_ref() {
        trapped(*trap, last_words)
    } else if let Some(error) = error.downcast_ref::<PoolConcurrencyLimitError>() {
        Failure::host(format!(
            "there are more runs at once than the sandbox has room for: {error}"
        ))
        .retryable()
    } else if error.chain().any(<dyn std::error::Error>::is::<io::Error>) {
        Failure::host(format!("the machine failed the sandbox: {}", all_causes(error)))
    } else {
        of_plugin(format!(
            "the plugin broke a rule of the sandbox: {}",
            all_causes(error)
        ))
    };
    let failure = Failure {
        message: start(&mask(&failure.message), TEXT_BYTES_MAX).to_owned(),
        ..failure
    };
    match error.downcast_ref::<WasmBacktrace>() {
        Some(backtrace) => failure.with("backtrace", start(&mask(&frames(backtrace)), TEXT_BYTES_MAX)),
        None => failure,
    }
}

/// The causes of what is wrong with a file, in which there are no secrets.
pub(crate) fn causes(error: &wasmtime::Error) -> String {
    start(&all_causes(error), TEXT_BYTES_MAX).to_owned()
}

/// The causes in order, without the backtrace, which is kept apart.
fn all_causes(error: &wasmtime::Error) -> String {
    let causes = error.chain().map(ToString::to_string);
    let causes: Vec<_> = causes.filter(|cause| !cause.contains(BACKTRACE)).collect();
    causes.join(": ")
}

const BACKTRACE: &str = "error while executing at wasm backtrace:";

fn frames(backtrace: &WasmBacktrace) -> String {
    let text = backtrace.to_string();
    text.strip_prefix(BACKTRACE)
        .unwrap_or(&text)
        .trim_matches('\n')
        .to_owned()
}

fn of_plugin(message: String) -> Failure {
    Failure::new(FailureKind::Failed, Blame::Plugin, message)
}

/// Limits of wasmtime that end a guest. Some have no type of their own, only a text.
fn limit(error: &wasmtime::Error, call_bytes_max: usize) -> Option<Failure> {
    if matches!(error.downcast_ref(), Some(ResourceTableError::Full)) {
        return Some(too_many_handles());
    }
    if matches!(
        error.downcast_ref(),
        Some(FieldMapError::TooManyFields | FieldMapError::TotalSizeTooBig)
    ) {
        let message = format!("the headers of a message take more than {HEADER_BYTES_MAX} bytes");
        return Some(Failure::limit("header_bytes", message));
    }
    let cause = error.root_cause().to_string();
    if cause.contains("store handle limit exceeded") {
        Some(too_many_handles())
    } else if cause.contains("fuel allocated for hostcalls has been exhausted") {
        let message = format!("a call to the host may carry {call_bytes_max} bytes");
        let hint = "raise `memory` under [limits] if the work needs it: a call may carry a tenth of it";
        Some(Failure::limit("call_bytes", message).hint(hint))
    } else if cause.starts_with("requested len") && cause.contains("exceeds limit") {
        let message = format!("a plugin may ask for {RANDOM_BYTES_MAX} random bytes at once");
        Some(Failure::limit("random_bytes", message))
    } else {
        None
    }
}

fn too_many_handles() -> Failure {
    Failure::limit("handles", "the plugin holds too many things open at once")
        .hint("raise `handles` under [limits] if the work needs it")
}

fn trapped(trap: Trap, last_words: &str) -> Failure {
    match trap {
        Trap::StackOverflow => {
            let message = format!("the plugin's calls nest deeper than its stack of {STACK_BYTES_MAX} bytes");
            Failure::limit("stack", message)
        }
        Trap::MemoryOutOfBounds => of_plugin("the plugin reached outside of its memory".to_owned())
            .hint("recursion that is too deep for the plugin's own stack ends so, too"),
        Trap::UnreachableCodeReached => of_plugin(aborted(last_words)),
        trap => {
            let text = trap.to_string();
            let text = text.strip_prefix("wasm trap: ").unwrap_or(&text);
            of_plugin(format!("the plugin trapped: {text}"))
        }
    }
}

fn aborted(last_words: &str) -> String {
    if let Some(panic) = panic_text(last_words) {
        return format!("the plugin panicked: {panic}");
    }
    match last_words.lines().rfind(|line| !line.trim().is_empty()) {
        Some(line) => format!("the plugin aborted; its last words: {}", line.trim()),
        None => "the plugin aborted".to_owned(),
    }
}

/// The message and the place of a panic as Rust prints it.
fn panic_text(last_words: &str) -> Option<String> {
    let (_, panic) = last_words.rsplit_once(PANIC)?;
    let (place, message) = panic.split_once('\n')?;
    let message = message.split("\nnote: ").next().unwrap_or(message).trim();
    let message = start(message, TEXT_BYTES_MAX / 2);
    Some(format!("{message} (at `{}`)", place.trim_end_matches(':')))
}

/// The start of a text.
pub(crate) fn start(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panic_is_told_with_its_place() {
        let printed = "starting\n\nthread 'main' (1) panicked at src/lib.rs:7:5:\nno such table: `x`\n\
                       note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n";
        assert_eq!(
            aborted(printed),
            "the plugin panicked: no such table: `x` (at `src/lib.rs:7:5`)"
        );
        assert_eq!(
            aborted("out of luck\n"),
            "the plugin aborted; its last words: out of luck"
        );
        assert_eq!(aborted(""), "the plugin aborted");
    }
}
