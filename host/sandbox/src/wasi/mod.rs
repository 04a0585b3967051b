//! WASI 0.2 as a guest sees it: no environment, no arguments, no standard input, no sockets, and
//! granted directories to read.

mod filesystem;
mod listing;
mod metadata;
mod opened;
mod reading;

pub(crate) use opened::{OpenDirectory, Places};
pub(crate) use reading::Turns;

use crate::guest::Guest;
use crate::machine::Machine;
use crate::printed::Printed;
use rand_core::TryRng;
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::port::capabilities::Preopen;
use sopwith_core::port::{Clock, Entropy};
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use wasmtime::component::{HasSelf, Linker};
use wasmtime_wasi::WasiCtx;
use wasmtime_wasi::clocks::{HostMonotonicClock, HostWallClock};
use wasmtime_wasi::p2::bindings::filesystem::{preopens, types};

/// What a guest may ask of `get-random-bytes` at once.
pub(crate) const RANDOM_BYTES_MAX: u64 = 64 << 10;

/// Links all of WASI. What it has for files is replaced by what is here, which opens nothing that
/// a thread could be kept waiting by.
pub(crate) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    linker.allow_shadowing(true);
    types::add_to_linker::<Guest, HasSelf<Guest>>(linker, |guest| guest)?;
    preopens::add_to_linker::<Guest, HasSelf<Guest>>(linker, |guest| guest)?;
    linker.allow_shadowing(false);
    Ok(())
}

/// Makes the surroundings of a guest.
pub(crate) fn surroundings(machine: &Machine, output: Printed, error_output: Printed) -> WasiCtx {
    let random = || Random(Arc::clone(&machine.entropy));
    let mut wasi = WasiCtx::builder();
    wasi.stdout(output)
        .stderr(error_output)
        .wall_clock(GuestClock(Arc::clone(&machine.clock)))
        .monotonic_clock(GuestClock(Arc::clone(&machine.clock)))
        .secure_random(random())
        .insecure_random(random())
        .insecure_random_seed(machine.entropy.random())
        .max_random_size(RANDOM_BYTES_MAX)
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false);
    wasi.build()
}

/// Opens the directories that a guest sees.
pub(crate) fn directories(preopens: Vec<Preopen>) -> Result<Vec<(String, Arc<OpenDirectory>)>, Failure> {
    let open = |Preopen { name, path }| match OpenDirectory::granted(&path) {
        Ok(directory) => Ok((name, Arc::new(directory))),
        Err(error) => Err(cannot_open(&name, &error)),
    };
    preopens.into_iter().map(open).collect()
}

fn cannot_open(name: &str, error: &io::Error) -> Failure {
    let message = format!("the directory `{name}` cannot be opened: {error}");
    Failure::new(FailureKind::Unavailable, Blame::Operator, message).with("resource", name)
}

struct GuestClock(Arc<dyn Clock>);

impl HostWallClock for GuestClock {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }

    fn now(&self) -> Duration {
        Duration::try_from(self.0.now().as_duration()).unwrap_or_default()
    }
}

impl HostMonotonicClock for GuestClock {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        u64::try_from(self.0.monotonic().as_nanos()).unwrap_or(u64::MAX)
    }
}

struct Random(Arc<dyn Entropy>);

impl TryRng for Random {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for piece in bytes.chunks_mut(size_of::<u128>()) {
            piece.copy_from_slice(&self.0.random().to_le_bytes()[..piece.len()]);
        }
        Ok(())
    }
}
