//! What a guest holds by a handle: an object of the port until it is dropped.

#![expect(unreachable_pub, reason = "the bindings hand these on as public")]

use crate::memory::Held;
use sopwith_core::port::capabilities as port;

/// A step that was begun.
pub struct OpenStep(pub(super) Box<dyn port::Step>);

/// A transaction.
pub struct OpenSession(pub(super) Box<dyn port::Session>);

/// Rows that are still to be read.
pub struct OpenCursor {
    pub(super) cursor: Box<dyn port::Cursor>,
    /// What the names of their columns take.
    pub(super) _held: Held,
}

/// A pipe; empty once its bytes were moved.
pub struct OpenPipe(pub(super) Option<port::Pipe>);

/// Files that are still to be listed.
pub struct OpenInventory(pub(super) Box<dyn port::Inventory>);

/// A command that goes on.
pub struct OpenProcess(pub(super) Box<dyn port::Process>);
