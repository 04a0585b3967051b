//! Builds the standard plugins, so that they can be embedded and `sopwith` is one file.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The plugins that are part of Sopwith; `src/standard.rs` embeds the same.
const STANDARD: [&str; 3] = ["backup", "integrity", "smoke"];

fn main() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins");
    let contract = workspace.join("../wit");
    for watched in [
        contract.as_path(),
        &workspace.join("sdk"),
        &workspace.join("Cargo.toml"),
        &workspace.join("Cargo.lock"),
    ] {
        println!("cargo::rerun-if-changed={}", watched.display());
    }
    for name in STANDARD {
        println!("cargo::rerun-if-changed={}", workspace.join(name).display());
    }
    build(&workspace);
    embed(&workspace.join("target/wasm32-wasip2/release"));
}

fn build(workspace: &Path) {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args([
        "build",
        "--release",
        "--locked",
        "--target",
        "wasm32-wasip2",
        "--manifest-path",
    ]);
    command.arg(workspace.join("Cargo.toml"));
    command.arg("--target-dir").arg(workspace.join("target"));
    for name in STANDARD {
        command.args(["--package", name]);
    }
    // What cargo tells this build about itself must not reach the inner one.
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("CARGO_") && name != "CARGO_HOME"
            || name.starts_with("RUSTC")
            || name == "RUSTFLAGS"
        {
            command.env_remove(name);
        }
    }
    let status = command.status().expect("cargo can be started");
    assert!(
        status.success(),
        "the standard plugins cannot be built; is their target installed? `rustup target add wasm32-wasip2`"
    );
}

fn embed(built: &Path) {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    for name in STANDARD {
        let file = format!("{name}.wasm");
        std::fs::copy(built.join(&file), out.join(&file)).expect("the plugin was just built");
    }
}
