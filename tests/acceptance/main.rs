//! Sopwith as its users meet it: the real binary, real plugins, a real service, a real `kill -9`.

mod bad_input;
mod commands;
mod fences;
mod full_disk;
mod golden;
mod guest;
mod held;
mod init;
mod kill;
mod layout;
mod main_job;
mod place;
mod procedures;
mod record;
mod reload;
mod tampering;
mod tour;
mod warm;
mod web;
