//! What bytes may be, whoever made them.

mod calls;
mod component;
mod sections;
