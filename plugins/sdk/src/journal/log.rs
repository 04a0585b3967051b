//! Lines in the log of the run.

use crate::bindings::sopwith::plugin::journal as host;

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For the author, in detail.
    Trace,
    /// For the author.
    Debug,
    /// For the operator.
    Info,
    /// Something that the operator should see.
    Warn,
    /// Something that went wrong.
    Error,
}

impl Level {
    fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// Writes a line to the log of the run; the macros [`info!`](crate::info) and so on are shorter.
pub fn log(level: Level, message: &str, fields: &[(String, String)]) {
    host::log(level.as_str(), message, fields);
}

#[doc(hidden)]
#[macro_export]
macro_rules! __log {
    ($level:ident, $($field:ident = $value:expr,)* $format:literal $($arguments:tt)*) => {
        $crate::journal::log(
            $crate::journal::Level::$level,
            &::std::format!($format $($arguments)*),
            &[$((::std::stringify!($field).to_owned(), ::std::string::ToString::to_string(&$value))),*],
        )
    };
}

/// Writes a line for the author, in detail: `trace!(rows = 3, "read {table}")`.
#[macro_export]
macro_rules! trace {
    ($($line:tt)+) => { $crate::__log!(Trace, $($line)+) };
}

/// Writes a line for the author: `debug!(rows = 3, "read {table}")`.
#[macro_export]
macro_rules! debug {
    ($($line:tt)+) => { $crate::__log!(Debug, $($line)+) };
}

/// Writes a line for the operator: `info!(rows = 3, "read {table}")`.
#[macro_export]
macro_rules! info {
    ($($line:tt)+) => { $crate::__log!(Info, $($line)+) };
}

/// Writes a line that the operator should see: `warn!(rows = 3, "read {table}")`.
#[macro_export]
macro_rules! warn {
    ($($line:tt)+) => { $crate::__log!(Warn, $($line)+) };
}

/// Writes a line about what went wrong: `error!(rows = 3, "read {table}")`.
#[macro_export]
macro_rules! error {
    ($($line:tt)+) => { $crate::__log!(Error, $($line)+) };
}
