//! Reads the certificate that a server showed.

use crate::network::phase::{Phase, outside};
use jiff::Timestamp;
use sopwith_core::digest::Digest;
use sopwith_core::failure::{Failure, FailureKind};
use sopwith_core::port::capabilities::{Answer, Certificate};
use std::net::IpAddr;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::oid_registry::{
    OID_KEY_TYPE_EC_PUBLIC_KEY, OID_PKCS1_RSAENCRYPTION, OID_SIG_ED448, OID_SIG_ED25519, Oid,
};
use x509_parser::prelude::FromDer as _;
use x509_parser::time::ASN1Time;
use x509_parser::x509::SubjectPublicKeyInfo;

/// Reads a certificate in DER.
pub(super) fn read(der: &[u8]) -> Answer<Certificate> {
    let (_, parsed) = X509Certificate::from_der(der).map_err(|error| unreadable(&error))?;
    let key = parsed.public_key();
    Ok(Certificate {
        subject: parsed.subject().to_string(),
        issuer: parsed.issuer().to_string(),
        names: names(&parsed),
        serial: parsed.raw_serial_as_string(),
        not_before: instant(parsed.validity().not_before)?,
        not_after: instant(parsed.validity().not_after)?,
        key_algorithm: key_algorithm(&key.algorithm.algorithm),
        key_bits: key_bits(key),
        signature_algorithm: word(&parsed.signature_algorithm.algorithm),
        sha256: Digest::of(der).hexadecimal(),
    })
}

/// The names and addresses that it is for.
fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else {
        return Vec::new();
    };
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => address(bytes).map(|address| address.to_string()),
        _ => None,
    };
    extension.value.general_names.iter().filter_map(name).collect()
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let four = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    four.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from))
        .ok()
}

fn key_algorithm(oid: &Oid<'_>) -> String {
    let known = [
        (OID_PKCS1_RSAENCRYPTION, "RSA"),
        (OID_KEY_TYPE_EC_PUBLIC_KEY, "EC"),
        (OID_SIG_ED25519, "Ed25519"),
        (OID_SIG_ED448, "Ed448"),
    ];
    let found = known.iter().find(|(known, _)| known == oid);
    found.map_or_else(|| word(oid), |(_, name)| (*name).to_owned())
}

fn key_bits(key: &SubjectPublicKeyInfo<'_>) -> u32 {
    if key.algorithm.algorithm == OID_SIG_ED25519 {
        return 256;
    }
    if key.algorithm.algorithm == OID_SIG_ED448 {
        return 456;
    }
    match key.parsed().map_or(0, |key| key.key_size()) {
        // The coordinates of P-521 are padded to whole bytes.
        528 => 521,
        bits => u32::try_from(bits).unwrap_or(u32::MAX),
    }
}

/// The usual name of an identifier, or its numbers where it has none.
fn word(oid: &Oid<'_>) -> String {
    let registry = x509_parser::objects::oid_registry();
    x509_parser::objects::oid2sn(oid, registry).map_or_else(|_| oid.to_id_string(), ToOwned::to_owned)
}

fn instant(time: ASN1Time) -> Answer<Timestamp> {
    Timestamp::from_second(time.timestamp()).map_err(|error| unreadable(&error))
}

fn unreadable(error: &impl std::fmt::Display) -> Failure {
    let message = format!("the server's certificate cannot be read: {error}");
    outside(FailureKind::Failed, Phase::Tls, message)
}
