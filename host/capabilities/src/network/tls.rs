//! Speaks TLS, and says in words why a server is not trusted.

use crate::network::phase::{Phase, outside};
use jiff::Timestamp;
use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, RootCertStore};
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::port::capabilities::Answer;
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Servers whose sessions an attempt keeps.
const SERVERS_MAX: usize = 64;
/// Sessions that are kept of one server: a name or two, each with a ticket for the next connection.
const SESSIONS_MAX: usize = 8;

/// Whom to believe: the system's authorities, and those of the operator.
pub(crate) struct Trust {
    config: ClientConfig,
}

impl Trust {
    /// Loads the system's authorities and those in these files (PEM).
    pub(crate) fn new(ca_files: &[PathBuf]) -> Result<Self, Failure> {
        let mut roots = RootCertStore::empty();
        let system = rustls_native_certs::load_native_certs();
        for error in &system.errors {
            tracing::warn!("an authority of the system is left out: {error}");
        }
        roots.add_parsable_certificates(system.certs);
        for path in ca_files {
            add_file(&mut roots, path)?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Failure::host(format!("TLS is not to be had: {error}")))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // A resumed session is not judged again, so none outlives its attempt.
        config.resumption = Resumption::disabled();
        Ok(Self { config })
    }
}

/// The TLS sessions of one attempt: a second connection to a server is agreed on faster.
///
/// They are kept apart by address, since a session shows the certificate that it began with, and a
/// probe of each address behind a name is to see each one's own.
pub(super) struct Sessions {
    trust: Arc<Trust>,
    servers: Mutex<BTreeMap<SocketAddr, TlsConnector>>,
}

impl Sessions {
    /// No sessions yet.
    pub(super) fn new(trust: Arc<Trust>) -> Self {
        Self {
            trust,
            servers: Mutex::default(),
        }
    }

    /// Agrees on TLS with the server of that name; `host` is as a URL writes it.
    pub(super) async fn handshake(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        host: &str,
    ) -> Answer<TlsStream<TcpStream>> {
        let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned()).map_err(|_| {
            Failure::invalid(format!("no certificate can be for `{host}`")).with("phase", "tls")
        })?;
        self.connector(peer)
            .connect(name, stream)
            .await
            .map_err(|error| refusal(&error, host))
    }

    fn connector(&self, peer: SocketAddr) -> TlsConnector {
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = servers.get(&peer) {
            return known.clone();
        }
        let mut config = self.trust.config.clone();
        if servers.len() == SERVERS_MAX {
            return Arc::new(config).into();
        }
        config.resumption = Resumption::in_memory_sessions(SESSIONS_MAX);
        let connector = TlsConnector::from(Arc::new(config));
        servers.insert(peer, connector.clone());
        connector
    }
}

fn add_file(roots: &mut RootCertStore, path: &Path) -> Result<(), Failure> {
    let bad = |why: String| {
        let message = format!("`{}` cannot be used as an authority: {why}", path.display());
        Failure::new(FailureKind::Invalid, Blame::Operator, message)
            .hint("[egress] ca_files names files with certificates in PEM")
    };
    let mut found = false;
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| bad(error.to_string()))? {
        let certificate = certificate.map_err(|error| bad(error.to_string()))?;
        roots.add(certificate).map_err(|error| bad(error.to_string()))?;
        found = true;
    }
    if found {
        Ok(())
    } else {
        Err(bad("there is no certificate in it".to_owned()))
    }
}

fn refusal(error: &io::Error, host: &str) -> Failure {
    let known = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let failed = |message: String| outside(FailureKind::Failed, Phase::Tls, message);
    match known {
        Some(rustls::Error::InvalidCertificate(cause)) => failed(distrust(cause, host)),
        Some(rustls::Error::InvalidMessage(_)) => failed(format!("`{host}` does not speak TLS on this port")),
        Some(cause) => failed(format!("TLS with `{host}` failed: {cause}")),
        None => outside(
            FailureKind::Unavailable,
            Phase::Tls,
            format!("`{host}` ended the connection while TLS was agreed on: {error}"),
        ),
    }
}

fn distrust(cause: &CertificateError, host: &str) -> String {
    match cause {
        CertificateError::UnknownIssuer => {
            format!("the certificate of `{host}` is not trusted: unknown issuer")
        }
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("the certificate of `{host}` expired at {}", instant(*not_after))
        }
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!(
                "the certificate of `{host}` is valid from {} on",
                instant(*not_before)
            )
        }
        CertificateError::NotValidForNameContext { presented, .. } => {
            let names: Vec<String> = presented.iter().map(|name| format!("`{}`", bare(name))).collect();
            format!(
                "the certificate is not for `{host}`: it names {}",
                if names.is_empty() {
                    "nobody".to_owned()
                } else {
                    names.join(", ")
                }
            )
        }
        CertificateError::BadSignature => {
            format!("the certificate of `{host}` is not trusted: the issuer that it names did not sign it")
        }
        // `openssl req -x509` makes such certificates, so people meet them.
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            format!("the certificate of `{host}` is not trusted: it is that of an authority, not of a server")
        }
        other => format!("the certificate of `{host}` is not trusted: {other}"),
    }
}

/// The name in `DnsName("clinic.example")`, as rustls hands it out.
fn bare(name: &str) -> &str {
    name.split('"').nth(1).unwrap_or(name)
}

fn instant(time: UnixTime) -> String {
    i64::try_from(time.as_secs())
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .map_or_else(|| "an unknown time".to_owned(), |time| time.to_string())
}
