//! The sandbox with real guests: those of the fixtures, and hostile ones written here.

mod attacks;
mod bounds;
mod cache;
mod calls;
mod capabilities;
mod clock;
mod company;
mod fuzz;
mod guests;
mod hostile;
mod loading;
mod manifests;
mod speed;
mod stage;
mod wasi_files;
