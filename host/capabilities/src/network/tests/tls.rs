//! HTTPS against a real service with certificates made for the test.

use super::server::Service;
use super::world::{World, request};
use crate::network::Trust;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::ServerSessionMemoryCache;
use rustls::{HandshakeKind, ServerConfig};
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::port::capabilities::{Answer, HttpRequest, HttpResponse, Probe as _};
use std::sync::Arc;
use tempfile::TempDir;

/// An authority, with its certificate in a file.
struct Authority {
    folder: TempDir,
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("ca.pem"), certificate.pem()).unwrap();
        Self {
            folder,
            certificate: certificate.der().clone(),
            issuer: Issuer::new(params, key),
        }
    }

    /// A service whose certificate this authority gave out, valid from one year to another.
    async fn service(&self, names: &[&str], years: (i32, i32)) -> Service {
        let (certificate, key) = self.certificate(names, years);
        serve(certificate, key).await
    }

    /// A certificate that this authority gave out, with its key.
    fn certificate(&self, names: &[&str], years: (i32, i32)) -> (CertificateDer<'static>, Vec<u8>) {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.not_before = date_time_ymd(years.0, 1, 1);
        params.not_after = date_time_ymd(years.1, 1, 1);
        params.distinguished_name.push(DnType::CommonName, "clinic");
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.der().clone(), key.serialize_der())
    }

    /// A world that believes this authority, and knows the service by its name.
    fn world(&self, service: &Service) -> World {
        let granted = [service.url(""), service.url_at("clinic.test", "")];
        let mut world = World::granting(granted).with_name("clinic.test", &["127.0.0.1"]);
        world.ca_files = vec![self.folder.path().join("ca.pem")];
        world
    }
}

async fn serve(certificate: CertificateDer<'static>, key: Vec<u8>) -> Service {
    Service::secure("127.0.0.1:0", config(certificate, key)).await
}

fn config(certificate: CertificateDer<'static>, key: Vec<u8>) -> ServerConfig {
    let key = PrivateKeyDer::try_from(key).unwrap();
    ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap()
}

async fn visit(authority: &Authority, service: &Service) -> Answer<HttpResponse> {
    let scene = authority.world(service).build();
    scene.get(&service.url_at("clinic.test", "/ok")).await
}

#[track_caller]
fn check(answer: Answer<HttpResponse>, words: &str) {
    let failure = answer.unwrap_err();
    assert_eq!(
        (failure.kind, failure.blame),
        (FailureKind::Failed, Blame::Outside)
    );
    assert_eq!(failure.message, words);
    assert!(failure.extra.contains(&("phase".to_owned(), "tls".to_owned())));
    assert!(!failure.retryable);
}

#[tokio::test]
async fn a_trusted_server_answers_and_shows_its_certificate() {
    let authority = Authority::new("Test Authority");
    let service = authority
        .service(&["clinic.test", "127.0.0.1"], (2020, 2120))
        .await;
    let answer = visit(&authority, &service).await.unwrap();
    assert_eq!(answer.body, b"hello");
    assert!(answer.timing.tls.is_some());
    let certificate = answer.certificate.unwrap();
    assert_eq!(certificate.subject, "CN=clinic");
    assert_eq!(certificate.issuer, "CN=Test Authority");
    assert_eq!(certificate.names, ["clinic.test", "127.0.0.1"]);
    assert_eq!(certificate.not_before, "2020-01-01T00:00:00Z".parse().unwrap());
    assert_eq!(certificate.not_after, "2120-01-01T00:00:00Z".parse().unwrap());
    assert_eq!(
        (certificate.key_algorithm.as_str(), certificate.key_bits),
        ("EC", 256)
    );
    assert_eq!(certificate.signature_algorithm, "ecdsa-with-SHA256");
    assert_eq!(
        (certificate.sha256.len(), certificate.serial.is_empty()),
        (64, false)
    );
    // The certificate names the address too, so the URL may.
    let scene = authority.world(&service).build();
    assert!(scene.get(&service.url("/ok")).await.is_ok());
}

#[tokio::test]
async fn a_server_that_is_not_trusted_is_told_why() {
    let authority = Authority::new("Test Authority");
    let good = authority.service(&["clinic.test"], (2020, 2120)).await;
    check(
        visit(&Authority::new("Somebody"), &good).await,
        "the certificate of `clinic.test` is not trusted: unknown issuer",
    );
    check(
        visit(&Authority::new("Test Authority"), &good).await,
        "the certificate of `clinic.test` is not trusted: the issuer that it names did not sign it",
    );
    let root = serve(
        authority.certificate.clone(),
        authority.issuer.key().serialize_der(),
    )
    .await;
    check(
        visit(&authority, &root).await,
        "the certificate of `clinic.test` is not trusted: it is that of an authority, not of a server",
    );
    let other = authority
        .service(&["other.test", "more.test"], (2020, 2120))
        .await;
    check(
        visit(&authority, &other).await,
        "the certificate is not for `clinic.test`: it names `other.test`, `more.test`",
    );
    let old = authority.service(&["clinic.test"], (2020, 2021)).await;
    check(
        visit(&authority, &old).await,
        "the certificate of `clinic.test` expired at 2021-01-01T00:00:00Z",
    );
    let young = authority.service(&["clinic.test"], (2120, 2121)).await;
    check(
        visit(&authority, &young).await,
        "the certificate of `clinic.test` is valid from 2120-01-01T00:00:00Z on",
    );
}

#[tokio::test]
async fn a_server_without_tls_is_told_apart_from_one_with_it() {
    let service = Service::plain().await;
    let url = service.url("/ok").replace("http:", "https:");
    let scene = World::granting([url.trim_end_matches("/ok")]).build();
    check(
        scene.get(&url).await,
        "`127.0.0.1` does not speak TLS on this port",
    );
}

#[test]
fn a_file_that_is_no_authority_is_the_operators_fault() {
    let folder = TempDir::new().unwrap();
    let refused = |name: &str| -> Failure { Trust::new(&[folder.path().join(name)]).err().unwrap() };
    std::fs::write(folder.path().join("empty.pem"), "nothing").unwrap();
    for (name, words) in [
        ("missing.pem", "No such file"),
        ("empty.pem", "no certificate in it"),
    ] {
        let failure = refused(name);
        assert_eq!(failure.blame, Blame::Operator);
        assert!(
            failure.message.contains(name) && failure.message.contains(words),
            "{failure}"
        );
    }
}

#[tokio::test]
async fn a_second_connection_of_an_attempt_goes_on_with_the_session_and_another_attempt_does_not() {
    let authority = Authority::new("Test Authority");
    let service = authority.service(&["clinic.test"], (2020, 2120)).await;
    let url = service.url_at("clinic.test", "/ok");
    let scene = authority.world(&service).build();
    let first = scene.get(&url).await.unwrap();
    let second = scene.get(&url).await.unwrap();
    assert_eq!(first.certificate, second.certificate);
    visit(&authority, &service).await.unwrap();
    let named = Some("clinic.test".to_owned());
    let kinds = [HandshakeKind::Full, HandshakeKind::Resumed, HandshakeKind::Full];
    assert_eq!(
        service.handshakes(),
        kinds.map(|kind| (named.clone(), Some(kind)))
    );
}

#[tokio::test]
async fn each_address_behind_a_name_shows_its_own_certificate() {
    let authority = Authority::new("Test Authority");
    // Servers behind one name share their sessions, so the second could go on with one of the first.
    let sessions = ServerSessionMemoryCache::new(16);
    let serving = || {
        let (certificate, key) = authority.certificate(&["clinic.test"], (2020, 2120));
        let mut config = config(certificate, key);
        config.session_storage = sessions.clone();
        config
    };
    let one = Service::secure("127.0.0.1:0", serving()).await;
    let port = one.address.port();
    let other = Service::secure(&format!("127.0.0.2:{port}"), serving()).await;
    let mut world = authority.world(&one);
    world.allow.push(other.url(""));
    world.names = vec![("clinic.test".to_owned(), "127.0.0.1 127.0.0.2".to_owned())];
    let scene = world.build();
    let mut shown = Vec::new();
    for address in ["127.0.0.1", "127.0.0.2", "127.0.0.1"] {
        let question = HttpRequest {
            options: vec![("address".to_owned(), address.to_owned())],
            ..request(&one.url_at("clinic.test", "/ok"))
        };
        let answer = scene.network.http(question).await.unwrap();
        shown.push(answer.certificate.unwrap().sha256);
    }
    assert_ne!(shown[0], shown[1]);
    assert_eq!(shown[0], shown[2]);
}

#[tokio::test]
async fn the_name_of_the_url_is_agreed_on_whatever_the_request_says() {
    let authority = Authority::new("Test Authority");
    let service = authority
        .service(&["clinic.test", "127.0.0.1"], (2020, 2120))
        .await;
    let scene = authority.world(&service).build();
    for host in ["CLINIC.test.", "127.0.0.1"] {
        scene.get(&service.url_at(host, "/ok")).await.unwrap();
    }
    let names: Vec<_> = service.handshakes().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, [Some("clinic.test".to_owned()), None]);
}

#[tokio::test]
async fn a_redirect_to_the_same_server_without_tls_is_refused() {
    let authority = Authority::new("Test Authority");
    let service = authority.service(&["clinic.test"], (2020, 2120)).await;
    let scene = authority.world(&service).build();
    let plain = service.url_at("clinic.test", "/ok").replace("https:", "http:");
    let question = HttpRequest {
        follow_redirects_max: 5,
        ..request(&service.url_at("clinic.test", &format!("/redirect?302&{plain}")))
    };
    let failure = scene.network.http(question).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Denied);
    assert_eq!(service.handshakes().len(), 1);
}
