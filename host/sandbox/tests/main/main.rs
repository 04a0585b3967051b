//! The sandbox with real guests: those of the fixtures, and hostile ones written here.

mod bounds;
mod calls;
mod capabilities;
mod clock;
mod guests;
mod hostile;
mod loading;
mod speed;
mod stage;
