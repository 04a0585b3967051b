//! `sopwith:plugin/secrets` and `sopwith:plugin/secret-reveal`

use super::{Reply, reply, time};
use crate::bindings::sopwith::plugin::{secret_reveal, secrets};
use crate::guest::Guest;
use sopwith_core::secret::SecretVersion;

impl secrets::Host for Guest {
    async fn versions(&mut self, secret: String) -> Reply<Vec<secrets::Version>> {
        let versions = self.call()?.secrets().versions(&secret).await;
        reply(
            &self.answered,
            versions.map(|versions| versions.into_iter().map(Into::into).collect()),
        )
    }
}

impl secret_reveal::Host for Guest {
    async fn reveal(&mut self, secret: String, version: String) -> Reply<Vec<u8>> {
        let value = self.call()?.secret_reveal().reveal(&secret, &version).await;
        reply(&self.answered, value.map(|value| value.expose().to_vec()))
    }

    async fn put(&mut self, secret: String, value: Vec<u8>) -> Reply<String> {
        reply(
            &self.answered,
            self.call()?.secret_reveal().put(&secret, value).await,
        )
    }
}

impl From<SecretVersion> for secrets::Version {
    fn from(version: SecretVersion) -> Self {
        Self {
            id: version.id,
            stage: version.stage.as_str().to_owned(),
            created_at: time(version.created_at),
            fingerprint: version.fingerprint,
            extra: vec![("origin".to_owned(), version.origin.as_str().to_owned())],
        }
    }
}
