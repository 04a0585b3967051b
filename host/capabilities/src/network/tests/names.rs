//! Names are looked up with the name servers of the operator alone.

use super::world::World;
use crate::network::name_servers::NameServers;
use crate::network::resolve::Resolve as _;
use nameserver::NameServer;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};

async fn resolve(servers: &[SocketAddr], name: &str) -> io::Result<Vec<IpAddr>> {
    NameServers::new(servers.into()).resolve(name).await
}

fn many(network: &str) -> String {
    let addresses: Vec<String> = (1..=250).map(|last| format!("{network}.{last}")).collect();
    addresses.join(" ")
}

#[tokio::test]
async fn both_families_are_asked_for_the_name_itself_and_nothing_else() {
    let names = NameServer::start([("clinic", "9.9.9.9 2620:fe::fe")]).unwrap();
    let found = resolve(&[names.address()], "clinic").await.unwrap();
    assert_eq!(
        found,
        ["2620:fe::fe", "9.9.9.9"].map(|text| text.parse::<IpAddr>().unwrap())
    );
    let mut asked = names.asked();
    asked.sort_unstable();
    assert_eq!(asked, ["UDP A clinic.", "UDP AAAA clinic."]);
}

#[tokio::test]
async fn loopback_is_known_without_a_question_and_the_hosts_file_has_no_say() {
    let names = NameServer::start([("localhost", "9.9.9.9")]).unwrap();
    for name in ["localhost", "a.localhost"] {
        let found = resolve(&[names.address()], name).await.unwrap();
        assert!(
            found.iter().all(IpAddr::is_loopback) && found.len() == 2,
            "{name}: {found:?}"
        );
    }
    assert!(names.asked().is_empty());
    // Each machine's file names the machine itself.
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let failure = resolve(&[names.address()], machine.trim()).await.unwrap_err();
    assert_eq!(failure.to_string(), "there is no such name");
}

#[tokio::test]
async fn what_is_too_long_for_a_datagram_is_asked_for_again() {
    let names = NameServer::start([("clinic.test", many("9.9.9"))]).unwrap();
    let found = resolve(&[names.address()], "clinic.test").await.unwrap();
    assert_eq!(found.len(), 250);
    assert!(
        names.asked().contains(&"TCP A clinic.test.".to_owned()),
        "{:?}",
        names.asked()
    );
}

#[tokio::test]
async fn the_last_of_many_addresses_is_judged_too() {
    let says = format!("{} 127.0.0.1", many("9.9.9"));
    let scene = World::granting(["http://clinic.test"])
        .says("clinic.test", &says)
        .build();
    let failure = scene.get("http://clinic.test/").await.unwrap_err();
    assert!(
        failure.message.contains("leads to 127.0.0.1, a loopback address"),
        "{failure}"
    );
}

#[tokio::test]
async fn a_name_with_many_aliases_leads_where_the_last_one_leads() {
    let aliases = (0..20).map(|index| (format!("a{index}.test"), format!("-> a{}.test", index + 1)));
    let end = [("a20.test".to_owned(), "9.9.9.9".to_owned())];
    let names = NameServer::start(aliases.chain(end)).unwrap();
    let found = resolve(&[names.address()], "a0.test").await.unwrap();
    assert_eq!(found, ["9.9.9.9".parse::<IpAddr>().unwrap()]);
}

#[tokio::test]
async fn an_answer_is_not_kept_for_the_next_request() {
    let names = NameServer::start([("clinic.test", "9.9.9.9 | 1.1.1.1")]).unwrap();
    let servers = NameServers::new([names.address()].into());
    let first = servers.resolve("clinic.test").await.unwrap();
    let second = servers.resolve("clinic.test").await.unwrap();
    assert_eq!(
        (first[0].to_string(), second[0].to_string()),
        ("9.9.9.9".to_owned(), "1.1.1.1".to_owned())
    );
}

#[tokio::test]
async fn a_name_server_that_is_not_there_holds_up_nobody_while_another_one_is() {
    let names = NameServer::start([("clinic.test", "9.9.9.9")]).unwrap();
    let mute = UdpSocket::bind("127.0.0.1:0").unwrap();
    let gone = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for dead in [mute.local_addr().unwrap(), gone] {
        let found = resolve(&[dead, names.address()], "clinic.test").await.unwrap();
        assert_eq!(found, ["9.9.9.9".parse::<IpAddr>().unwrap()]);
    }
}

#[tokio::test]
async fn what_is_no_name_of_dns_is_not_asked_for() {
    let names = NameServer::start([("clinic.test", "9.9.9.9")]).unwrap();
    let long = [&"a".repeat(64), "test"].join(".");
    let longer = ["aaaaaaa"; 40].join(".");
    for name in [long, longer] {
        assert!(resolve(&[names.address()], &name).await.is_err(), "{name}");
    }
    assert!(names.asked().is_empty());
}
