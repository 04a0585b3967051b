//! What the thread of a test logs.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::sync::Arc;
use tracing::subscriber::DefaultGuard;

/// What this thread logs while it is there.
pub(crate) struct Log {
    file: Arc<File>,
    _guard: DefaultGuard,
}

impl Log {
    pub(crate) fn start() -> Self {
        let file = Arc::new(tempfile::tempfile().unwrap());
        let subscriber = tracing_subscriber::fmt()
            .with_writer(Arc::clone(&file))
            .with_target(false)
            .with_ansi(false)
            .without_time()
            .finish();
        Self {
            file,
            _guard: tracing::subscriber::set_default(subscriber),
        }
    }

    /// What was logged since the last look.
    pub(crate) fn take(&self) -> String {
        let (mut file, mut text) = (&*self.file, String::new());
        file.rewind().unwrap();
        file.read_to_string(&mut text).unwrap();
        file.rewind().unwrap();
        file.set_len(0).unwrap();
        text
    }
}
