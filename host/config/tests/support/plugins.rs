//! Plugins that are nothing but their manifest.

use async_trait::async_trait;
use sopwith_config::StandardPlugin;
use sopwith_core::digest::Digest;
use sopwith_core::failure::Failure;
use sopwith_core::grant::{Access, ResourceKind};
use sopwith_core::limits::Usage;
use sopwith_core::manifest::{CapabilityRequest, Manifest};
use sopwith_core::port::capabilities::Capabilities;
use sopwith_core::port::{Bounds, Call, Ended, Plugin, PluginLoader, PluginProblem};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Reads manifests, and counts how often.
#[derive(Default)]
pub(crate) struct ManifestLoader {
    pub(crate) loads: AtomicUsize,
}

struct ManifestPlugin {
    digest: Digest,
    size: u64,
    manifest: Manifest,
}

#[async_trait]
impl PluginLoader for ManifestLoader {
    async fn load(&self, bytes: Arc<[u8]>) -> Result<Arc<dyn Plugin>, PluginProblem> {
        self.loads.fetch_add(1, Ordering::Relaxed);
        let manifest = serde_json::from_slice(&bytes).map_err(|_| PluginProblem {
            message: "it is not a WebAssembly component".to_owned(),
            hint: Some("build it for the target `wasm32-wasip2`".to_owned()),
        })?;
        Ok(Arc::new(ManifestPlugin {
            digest: Digest::of(&bytes),
            size: bytes.len() as u64,
            manifest,
        }))
    }
}

#[async_trait]
impl Plugin for ManifestPlugin {
    fn digest(&self) -> Digest {
        self.digest
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn imports(&self) -> &[String] {
        &[]
    }

    async fn run(&self, _: Call, _: Arc<dyn Capabilities>, _: Bounds) -> Ended {
        Ended {
            result: Err(Failure::host("a manifest cannot run")),
            usage: Usage::default(),
        }
    }
}

/// The manifest of a standard plugin.
pub(crate) fn manifest(name: &str) -> Manifest {
    let text = match name {
        "backup" => include_str!("../standard/backup.json"),
        _ => include_str!("../standard/smoke.json"),
    };
    serde_json::from_str(text).unwrap()
}

/// The next version of `backup`, which wants to write the database as well.
pub(crate) fn asking_for_more() -> String {
    let mut more = manifest("backup");
    "2.0.0".clone_into(&mut more.version);
    more.actions[0].capabilities.push(CapabilityRequest {
        kind: ResourceKind::Databases,
        access: Access::Replace,
        from: "$.database".to_owned(),
        required: true,
        reason: "to tidy up".to_owned(),
    });
    serde_json::to_string(&more).unwrap()
}

/// The plugins that are part of the program.
pub(crate) fn standard() -> Vec<StandardPlugin> {
    let plugin = |name: &str| StandardPlugin {
        name: name.parse().unwrap(),
        bytes: serde_json::to_vec(&manifest(name)).unwrap().into(),
    };
    ["backup", "smoke"].map(plugin).into()
}
