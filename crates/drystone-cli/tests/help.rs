//! What the command says of itself.

use std::process::Command;

fn help(args: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_drystone"));
    let output = command.args(args).arg("--help").output().expect("a process");
    assert!(output.status.success());
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn each_command_says_what_it_takes() {
    for args in [
        &[][..],
        &["scheduler"],
        &["worker"],
        &["cluster"],
        &["status"],
        &["tls"],
        &["tls", "init"],
    ] {
        let name = if args.is_empty() { "drystone".to_owned() } else { args.join("_") };
        insta::assert_snapshot!(name, help(args));
    }
}
