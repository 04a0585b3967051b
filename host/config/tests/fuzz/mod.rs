//! What files may say, whoever wrote them.

mod generation;
mod settings;
