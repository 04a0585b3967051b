//! Decides which addresses a name may lead to.

use crate::network::address::special;
use crate::network::target::Target;
use sopwith_core::failure::Failure;
use sopwith_core::grant::Wanted;
use sopwith_core::port::capabilities::Answer;
use std::net::IpAddr;

/// Decides about every address that a granted server's name leads to; `allow` asks the grants.
///
/// One address that is not plainly public and not granted refuses them all, since a name that
/// answers with both is how rebinding begins. No name opens such an address, but only a grant of
/// the address itself for this scheme, port and method; `localhost` opens loopback as well.
pub(super) fn admit(
    target: &Target,
    method: &str,
    addresses: &[IpAddr],
    allow: impl Fn(&Wanted) -> Answer<()>,
) -> Answer<()> {
    for address in addresses {
        let Some(what) = special(*address) else { continue };
        if target.origin.host == "localhost" && address.is_loopback() {
            continue;
        }
        let wanted = Wanted::Network {
            origin: target.at(*address),
            method: method.to_owned(),
        };
        allow(&wanted).map_err(|denial| refusal(target, *address, what, denial))?;
    }
    Ok(())
}

fn refusal(target: &Target, address: IpAddr, what: &str, denial: Failure) -> Failure {
    let message = format!("`{}` leads to {address}, {what}: {denial}", target.origin);
    let hint = denial.hint.clone().unwrap_or_default();
    Failure { message, ..denial }
        .hint(format!(
            "a name does not open {what}; name the address itself: {hint}"
        ))
        .with("phase", "dns")
}
