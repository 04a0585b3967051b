//! Who speaks: the user of the operating system at the other end.

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use sopwith_core::actor::Actor;
use tokio::net::UnixListener;

/// The actor that a user of the operating system is.
pub fn actor_of(uid: u32) -> Actor {
    let user = uzers::get_user_by_uid(uid);
    let name = user.map_or_else(
        || uid.to_string(),
        |user| user.name().to_string_lossy().into_owned(),
    );
    Actor::User { name, uid }
}

/// The names of the groups that an actor is in; none of whoever is no user.
pub fn groups_of(actor: &Actor) -> Vec<String> {
    let Actor::User { name, uid } = actor else {
        return Vec::new();
    };
    let Some(user) = uzers::get_user_by_uid(*uid) else {
        return Vec::new();
    };
    let groups = uzers::get_user_groups(name, user.primary_group_id()).unwrap_or_default();
    let names = groups
        .iter()
        .map(|group| group.name().to_string_lossy().into_owned());
    names.collect()
}

/// The peer of a connection; none where the kernel does not tell.
#[derive(Debug, Clone)]
pub(crate) struct Peer(pub(crate) Option<Actor>);

impl Connected<IncomingStream<'_, UnixListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        let credentials = stream.io().peer_cred();
        Self(credentials.ok().map(|credentials| actor_of(credentials.uid())))
    }
}
