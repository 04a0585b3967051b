//! The standard plugins, embedded; `build.rs` builds the same.

use sopwith_config::StandardPlugin;

const STANDARD: [(&str, &[u8]); 3] = [
    ("backup", include_bytes!(concat!(env!("OUT_DIR"), "/backup.wasm"))),
    (
        "integrity",
        include_bytes!(concat!(env!("OUT_DIR"), "/integrity.wasm")),
    ),
    ("smoke", include_bytes!(concat!(env!("OUT_DIR"), "/smoke.wasm"))),
];

/// The standard plugins.
pub(crate) fn plugins() -> Vec<StandardPlugin> {
    let named = |(name, bytes): (&str, &[u8])| StandardPlugin {
        name: name.parse().expect("the name of a standard plugin is a name"),
        bytes: bytes.into(),
    };
    STANDARD.into_iter().map(named).collect()
}
