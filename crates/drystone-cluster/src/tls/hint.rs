//! What an error of TLS means to who runs a cluster.

use std::error::Error;
use std::io;

use rustls::{AlertDescription as Alert, CertificateError as Cert, Error as Tls, InvalidMessage};

/// What to do about an error of a connection, if TLS is the reason: to be said after it.
///
/// With TLS 1.3 a client whose certificate is refused is told so by its first request, not while
/// it connects.
pub(crate) fn hint(error: &(dyn Error + 'static)) -> Option<&'static str> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<Tls>() {
            return of_tls(found);
        }
        if let Some(alert) = alert_in(&error.to_string()) {
            return of_alert(alert);
        }
        // An I/O error says the source of what it wraps, not what it wraps.
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match wrapped {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        };
    }
    None
}

/// The alert that a text speaks of: of an error below HTTP/2, its library keeps the text alone.
fn alert_in(text: &str) -> Option<Alert> {
    let (_, name) = text.rsplit_once("received fatal alert: ")?;
    let all = [
        Alert::CertificateRequired,
        Alert::UnknownCA,
        Alert::DecryptError,
        Alert::CertificateExpired,
        Alert::ProtocolVersion,
    ];
    all.into_iter().find(|alert| format!("{alert:?}") == name)
}

fn of_tls(error: &Tls) -> Option<&'static str> {
    match error {
        Tls::InvalidMessage(InvalidMessage::InvalidContentType) => {
            Some("there is no TLS on the other side: use it on both, or on none")
        }
        Tls::InvalidCertificate(why) => of_certificate(why),
        Tls::AlertReceived(alert) => of_alert(*alert),
        _ => None,
    }
}

fn of_certificate(why: &Cert) -> Option<&'static str> {
    match why {
        Cert::UnknownIssuer | Cert::BadSignature => Some(
            "the other side is of another authority: make all keys with one `drystone tls init`",
        ),
        Cert::Expired | Cert::ExpiredContext { .. } => Some(
            "the certificate of the other side has expired: make a new one with `drystone tls init`",
        ),
        Cert::NotValidYet | Cert::NotValidYetContext { .. } => {
            Some("the certificate of the other side is of the future: look at the clocks")
        }
        Cert::NotValidForName | Cert::NotValidForNameContext { .. } => Some(
            "the certificate of the other side is for another name: use that name, or add this one \
             with `drystone tls init --hosts`",
        ),
        Cert::InvalidPurpose | Cert::InvalidPurposeContext { .. } => {
            Some("the other side serves with a client's certificate: give it that of its host")
        }
        _ => None,
    }
}

fn of_alert(alert: Alert) -> Option<&'static str> {
    match alert {
        Alert::CertificateRequired => Some("the other side asks for a certificate"),
        Alert::UnknownCA | Alert::DecryptError => Some(
            "the other side does not know the authority of this certificate: make all keys with \
             one `drystone tls init`",
        ),
        Alert::CertificateExpired => {
            Some("this certificate has expired: make a new one with `drystone tls init`")
        }
        Alert::ProtocolVersion => Some("the other side speaks TLS 1.3 only"),
        _ => None,
    }
}
