//! Sopwith as its users meet it: the real binary, real plugins, a real service, a real `kill -9`.

mod bad_input;
mod commands;
mod dry_run;
mod egress;
mod fences;
mod full_disk;
mod golden;
mod grants;
mod guest;
mod held;
mod init;
mod integrity_of_plugins;
mod kill;
mod layout;
mod main_job;
mod place;
mod procedures;
mod record;
mod recorder;
mod reload;
mod tampering;
mod tour;
mod warm;
mod web;
