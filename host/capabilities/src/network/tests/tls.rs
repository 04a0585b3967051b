//! HTTPS against a real service with certificates made for the test.

use super::server::Service;
use super::world::World;
use crate::network::Trust;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::port::capabilities::{Answer, HttpResponse};
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
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.not_before = date_time_ymd(years.0, 1, 1);
        params.not_after = date_time_ymd(years.1, 1, 1);
        params.distinguished_name.push(DnType::CommonName, "clinic");
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        serve(certificate.der().clone(), key.serialize_der()).await
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
    let key = PrivateKeyDer::try_from(key).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    Service::secure(config).await
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
