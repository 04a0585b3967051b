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
        let _ = Masked.write_all(describe(panic).as_bytes());
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

/// Standard error, on which no secret is readable. What is written at once is masked as a whole.
pub(crate) struct Masked;

impl io::Write for Masked {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        io::stderr().write_all(&REDACTOR.mask_bytes(bytes))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
