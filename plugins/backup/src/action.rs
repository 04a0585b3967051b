//! What the plugin can do, one module an action.

pub(crate) mod backup;
pub(crate) mod list;
pub(crate) mod prune;
pub(crate) mod restore;
pub(crate) mod verify;
