//! What `sopwith init` looks at and writes.

mod files;
mod survey;

pub(crate) use files::files;
pub(crate) use survey::survey;
