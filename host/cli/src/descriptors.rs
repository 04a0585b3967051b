//! Lets the host have as many files open as the system allows: whatever runs have open, the record
//! and the socket need theirs.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io;

/// Raises what this process is limited to by custom to what it is limited to by force. Commands are
/// started with what is customary.
pub(crate) fn raise_limit() -> io::Result<()> {
    let maximum = getrlimit(Resource::Nofile).maximum;
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    Ok(setrlimit(Resource::Nofile, raised)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_of_custom_becomes_the_limit_of_force() {
        let maximum = getrlimit(Resource::Nofile).maximum;
        let current = Some(256);
        setrlimit(Resource::Nofile, Rlimit { current, maximum }).unwrap();
        raise_limit().unwrap();
        assert_eq!(getrlimit(Resource::Nofile).current, maximum);
    }
}
