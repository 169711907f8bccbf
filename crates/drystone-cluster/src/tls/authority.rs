//! A certificate authority: who is believed, and what it signs. Files are not its business.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use drystone_core::{Error, ErrorKind, Result};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
};
use time::OffsetDateTime;

use super::host::Host;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Of an authority: as long as a cluster may live.
const TEN_YEARS: Duration = Duration::from_secs(3653 * 24 * 60 * 60);
/// Of what it signs: keys are on many machines.
const TWO_YEARS: Duration = Duration::from_secs(730 * 24 * 60 * 60);

/// Whom a certificate is for.
pub(crate) enum Holder<'a> {
    /// Serves under this name, and connects to others.
    Host(&'a Host),
    /// Only connects: it has no name that anybody could be sent to.
    Client,
}

/// From when and until when a certificate holds.
#[derive(Clone, Copy)]
pub(crate) struct Validity {
    pub from: SystemTime,
    pub until: SystemTime,
}

impl Validity {
    /// From now on, and a day more: clocks of hosts differ.
    fn lasting(duration: Duration) -> Self {
        let now = SystemTime::now();
        Self { from: now - DAY, until: now + duration }
    }

    pub fn of_host() -> Self {
        Self::lasting(TWO_YEARS)
    }
}

/// A certificate and its key, as they are written to files.
pub(crate) struct Signed {
    pub cert: String,
    pub key: String,
}

/// A key that signs certificates, and the certificate that says so.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    cert: String,
}

impl Authority {
    /// A new one.
    pub fn make() -> Result<Self> {
        let key = new_key()?;
        let params = params_of_authority(&key)?;
        let cert = params.self_signed(&key).map_err(failed)?.pem();
        Ok(Self { issuer: Issuer::new(params, key), cert })
    }

    /// The one of a key; whether the certificate is of that key shows in what it signs.
    pub fn of_files(key: &str, cert: String) -> Result<Self> {
        let key = KeyPair::from_pem(key).map_err(failed)?;
        let params = params_of_authority(&key)?;
        Ok(Self { issuer: Issuer::new(params, key), cert })
    }

    pub fn cert(&self) -> &str {
        &self.cert
    }

    pub fn key(&self) -> String {
        self.issuer.key().serialize_pem()
    }

    /// A certificate of a new key.
    pub fn sign(&self, holder: &Holder<'_>, validity: Validity) -> Result<Signed> {
        let key = new_key()?;
        let params = params_of(holder, validity)?;
        let cert = params.signed_by(&key, &self.issuer).map_err(failed)?.pem();
        Ok(Signed { cert, key: key.serialize_pem() })
    }
}

/// On the curve that all TLS libraries know.
fn new_key() -> Result<KeyPair> {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(failed)
}

/// The name follows from the key: so authorities have names of their own, and a certificate of
/// another one is said to be just that.
fn params_of_authority(key: &KeyPair) -> Result<CertificateParams> {
    let mut params = CertificateParams::default();
    let id = params.key_identifier(key);
    let id: String = id.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    params.distinguished_name = name(&format!("drystone authority {id}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    set_validity(&mut params, Validity::lasting(TEN_YEARS))?;
    Ok(params)
}

fn params_of(holder: &Holder<'_>, validity: Validity) -> Result<CertificateParams> {
    let names: Vec<String> = match holder {
        Holder::Host(host) => vec![host.as_str().to_owned()],
        Holder::Client => Vec::new(),
    };
    let mut params = CertificateParams::new(names).map_err(failed)?;
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    if let Holder::Host(_) = holder {
        params.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth);
    }
    params.distinguished_name = name(match holder {
        Holder::Host(_) => "drystone host",
        Holder::Client => "drystone client",
    });
    params.use_authority_key_identifier_extension = true;
    set_validity(&mut params, validity)?;
    Ok(params)
}

fn name(common: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common);
    name
}

fn set_validity(params: &mut CertificateParams, validity: Validity) -> Result<()> {
    params.not_before = date(validity.from)?;
    params.not_after = date(validity.until)?;
    Ok(())
}

fn date(time: SystemTime) -> Result<OffsetDateTime> {
    let seconds = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let date = i64::try_from(seconds).ok().map(OffsetDateTime::from_unix_timestamp);
    let Some(Ok(date)) = date else {
        return Err(Error::format("a clock of this millennium", format!("{seconds} s since 1970")));
    };
    Ok(date)
}

fn failed(error: rcgen::Error) -> Error {
    Error::from(ErrorKind::Io { action: "cannot make a certificate".into() }).caused_by(error)
}
