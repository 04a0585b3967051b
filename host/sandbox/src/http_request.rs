//! The parts of a request of `wasi:http` that the host keeps behind its handle: none is longer than
//! anybody needs, so that all requests that a guest may hold take little.

use crate::guest::Guest;
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi_http::WasiHttpView as _;
use wasmtime_wasi_http::p2::bindings::http::types::{
    HostOutgoingRequest as _, Method, OutgoingRequest, Scheme,
};

/// The interface whose setters are replaced, under the name that wasmtime links it by.
const TYPES: &str = "wasi:http/types@0.2.12";
/// Methods and schemes are words.
const WORD_BYTES_MAX: usize = 64;
/// A name of a host has 253 bytes at most; what else may stand there is short.
const AUTHORITY_BYTES_MAX: usize = 512;
/// Servers commonly refuse longer ones.
const PATH_BYTES_MAX: usize = 8 << 10;

/// What a setter answers.
type Set = wasmtime::Result<(Result<(), ()>,)>;

/// Replaces the setters by those that refuse what is too long.
pub(crate) fn bound(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    let mut types = linker.instance(TYPES)?;
    types.func_wrap("[method]outgoing-request.set-method", set_method)?;
    types.func_wrap("[method]outgoing-request.set-scheme", set_scheme)?;
    types.func_wrap("[method]outgoing-request.set-authority", set_authority)?;
    types.func_wrap("[method]outgoing-request.set-path-with-query", set_path)?;
    linker.allow_shadowing(false);
    Ok(())
}

type Request = Resource<OutgoingRequest>;

fn set_method(mut guest: StoreContextMut<'_, Guest>, (request, method): (Request, Method)) -> Set {
    if matches!(&method, Method::Other(word) if word.len() > WORD_BYTES_MAX) {
        return Ok((Err(()),));
    }
    Ok((guest.data_mut().http().set_method(request, method)?,))
}

fn set_scheme(mut guest: StoreContextMut<'_, Guest>, (request, scheme): (Request, Option<Scheme>)) -> Set {
    if matches!(&scheme, Some(Scheme::Other(word)) if word.len() > WORD_BYTES_MAX) {
        return Ok((Err(()),));
    }
    Ok((guest.data_mut().http().set_scheme(request, scheme)?,))
}

fn set_authority(mut guest: StoreContextMut<'_, Guest>, (request, text): (Request, Option<String>)) -> Set {
    if text.as_ref().is_some_and(|text| text.len() > AUTHORITY_BYTES_MAX) {
        return Ok((Err(()),));
    }
    Ok((guest.data_mut().http().set_authority(request, text)?,))
}

fn set_path(mut guest: StoreContextMut<'_, Guest>, (request, text): (Request, Option<String>)) -> Set {
    if text.as_ref().is_some_and(|text| text.len() > PATH_BYTES_MAX) {
        return Ok((Err(()),));
    }
    Ok((guest.data_mut().http().set_path_with_query(request, text)?,))
}
