//! Keeps secrets inside this process: no dumps of its memory, and one redactor for all its text.

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
use sopwith_capabilities::Redactor;
use std::io::{self, Write as _};
use std::panic::PanicHookInfo;
use std::sync::{Arc, LazyLock};

static REDACTOR: LazyLock<Arc<Redactor>> = LazyLock::new(Arc::default);

/// What knows the values of secrets in this process.
pub(crate) fn redactor() -> Arc<Redactor> {
    Arc::clone(&REDACTOR)
}

/// Lets nobody but root look into the memory of this process, and leaves none of it behind when it
/// dies. What it starts inherits the second.
pub(crate) fn forbid_dumps() -> io::Result<()> {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    setrlimit(Resource::Core, none)?;
    Ok(set_dumpable_behavior(DumpableBehavior::NotDumpable)?)
}

/// Masks what a panic says, too.
pub(crate) fn mask_panics() {
    std::panic::set_hook(Box::new(|panic| {
        // There is nobody to tell where even this fails.
        let _ = Masked(io::stderr()).write_all(describe(panic).as_bytes());
    }));
}

fn describe(panic: &PanicHookInfo<'_>) -> String {
    let thread = std::thread::current();
    let name = thread.name().unwrap_or("<unnamed>");
    let backtrace = std::backtrace::Backtrace::capture();
    let backtrace = match backtrace.status() {
        std::backtrace::BacktraceStatus::Captured => format!("stack backtrace:\n{backtrace}\n"),
        _ => String::new(),
    };
    format!("thread '{name}' {panic}\n{backtrace}")
}

/// A way out on which no secret is readable. What is written at once is masked as a whole.
pub(crate) struct Masked<W>(pub(crate) W);

impl<W: io::Write> io::Write for Masked<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write_all(&REDACTOR.mask_bytes(bytes))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logging::{self, LogFormat};
    use std::process::Command;

    /// Says in which format the second process logs.
    const FORMAT: &str = "SOPWITH_TEST_LOG_FORMAT";

    #[test]
    fn a_secret_is_masked_in_the_log_and_in_a_panic() {
        for format in ["text", "json"] {
            let output = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "secrecy::tests::the_second_process", "--nocapture"])
                .env(FORMAT, format)
                .output()
                .unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(!output.status.success(), "it panicked");
            assert!(!said.contains("vögelein"), "{said}");
            assert!(said.matches("[redacted]").count() >= 3, "{format}: {said}");
            assert!(said.contains("the panic of [redacted]"), "{said}");
        }
    }

    /// Does nothing but what the test above asks of it.
    #[test]
    fn the_second_process() {
        let Some(format) = std::env::var_os(FORMAT) else {
            return;
        };
        redactor().learn(&"TOKEN".parse().unwrap(), "\"vögelein\"".as_bytes());
        mask_panics();
        logging::start(
            if format == "json" {
                LogFormat::Json
            } else {
                LogFormat::Text
            },
            false,
        );
        tracing::warn!(value = "\"vögelein\"", "it is \"vögelein\"");
        panic!("the panic of \"vögelein\"");
    }
}
