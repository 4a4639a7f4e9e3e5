//! Passes the version of the compiler to the program, which states it in its reports.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=RUSTC");
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    if let Ok(output) = Command::new(compiler).arg("--version").output() {
        println!("cargo:rustc-env=LATENTLINK_RUSTC={}", String::from_utf8_lossy(&output.stdout).trim());
    }
}
