//! What bytes may be, whoever made them.

mod component;
mod sections;
