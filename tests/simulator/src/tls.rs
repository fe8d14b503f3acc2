//! The server's certificate. Each start creates an authority, and a certificate that it signs. Clients get the
//! authority's certificate.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

const CA_FILE: &str = "ca.pem";
const SERVER_NAMES: [&str; 2] = ["127.0.0.1", "localhost"];

/// Makes a certificate and writes that of its authority into the folder, as `ca.pem`.
pub fn acceptor(directory: &Path) -> Result<(TlsAcceptor, PathBuf), Box<dyn std::error::Error + Send + Sync>> {
    let authority = authority()?;
    let key = KeyPair::generate()?;
    let mut parameters = CertificateParams::new(SERVER_NAMES.map(ToOwned::to_owned))?;
    parameters.distinguished_name = name("casebridge simulator");
    parameters.use_authority_key_identifier_extension = true;
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = parameters.signed_by(&key, &authority)?;

    std::fs::create_dir_all(directory)?;
    let ca_file = std::path::absolute(directory.join(CA_FILE))?;
    std::fs::write(&ca_file, authority.pem())?;

    let chain = vec![certificate.der().clone()];
    let private_key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, private_key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((TlsAcceptor::from(Arc::new(config)), ca_file))
}

fn authority() -> Result<CertifiedIssuer<'static, KeyPair>, rcgen::Error> {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = name("casebridge simulator authority");
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    CertifiedIssuer::self_signed(parameters, KeyPair::generate()?)
}

fn name(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name
}
