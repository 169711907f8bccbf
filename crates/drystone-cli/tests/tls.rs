//! `drystone tls init` as a process.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

fn init(dir: &Path, hosts: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_drystone"));
    command.args(["tls", "init", "--hosts", hosts, "--dir"]).arg(dir).output().unwrap()
}

#[test]
fn keys_are_made_once() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("keys");
    let first = init(&dir, "a,127.0.0.1");
    assert!(first.status.success(), "{first:?}");
    let said = String::from_utf8(first.stdout).unwrap();
    for made in ["a", "127.0.0.1", "client"] {
        assert!(said.contains(&format!("made {}: for ", dir.join(made).display())), "{said}");
    }
    for key in ["ca.key", "a/key.pem", "127.0.0.1/key.pem", "client/key.pem"] {
        let mode = dir.join(key).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{key}");
    }

    let again = init(&dir, "b,a");
    assert_eq!(again.status.code(), Some(1));
    let said = String::from_utf8(again.stderr).unwrap();
    let expected = format!("error: {}: it is there already", dir.join("a").display());
    assert!(said.starts_with(&expected), "{said}");
    assert!(!dir.join("b").exists());
    assert!(init(&dir, "b").status.success());
}

#[test]
fn names_that_are_none_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    for hosts in ["../a", "a,,b", "a/b", ""] {
        let refused = init(&dir.path().join("keys"), hosts);
        assert_eq!(refused.status.code(), Some(1), "{hosts}");
        let said = String::from_utf8(refused.stderr).unwrap();
        assert!(said.starts_with("error: parameter `hosts` must be"), "{said}");
    }
    assert_eq!(dir.path().read_dir().unwrap().count(), 0);
}
