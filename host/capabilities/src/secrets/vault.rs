//! Reads the values of secrets wherever they are kept, and keeps those that are given to it.

use super::command;
use super::key::HostKey;
use super::key_place::KeyPlace;
use super::outside::{Found, Outside, missing};
use super::seal;
use super::stages::{OUTSIDE, outside_id, with_present};
use crate::commands::Launcher;
use crate::redaction::{Redaction, Redactor};
use futures::future::BoxFuture;
use jiff::Timestamp;
use sopwith_core::audit::AuditRecord;
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::name::ResourceName;
use sopwith_core::port::capabilities::Answer;
use sopwith_core::port::{Clock, Entropy, SealedSecrets, SealedVersion};
use sopwith_core::resource::Resources;
use sopwith_core::secret::{Secret, SecretStore, SecretValue, SecretVersion, Stage, VersionOrigin};
use sopwith_core::template::SecretReference;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use ulid::Ulid;

/// Versions of one secret and one origin that are kept; a new one each day makes as many in three
/// years.
const VERSIONS_MAX: u64 = 1_000;

/// Where secrets and the host's key are.
pub struct SecretSettings {
    /// Keeps sealed values.
    pub sealed: Arc<dyn SealedSecrets>,
    /// Where the host's key is.
    pub key: KeyPlace,
    /// Where systemd put the credentials of this process.
    pub credentials_directory: Option<PathBuf>,
    /// Randomness, for the ids of versions.
    pub entropy: Arc<dyn Entropy>,
}

/// Reads and keeps the values of secrets. One for the process. Nothing is held back from one use to
/// the next, so that a value is used from the moment that it is in its store.
pub(crate) struct Vault {
    pub(super) settings: SecretSettings,
    launcher: Arc<Launcher>,
    pub(super) redactor: Arc<Redactor>,
    pub(super) clock: Arc<dyn Clock>,
    /// The versions in the record whose values the redactor knows, and the secrets that were told
    /// to be too short for it.
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    learned: BTreeSet<(ResourceName, String)>,
    told_short: BTreeSet<ResourceName>,
}

/// Who names a version of a secret.
#[derive(Clone, Copy)]
pub(crate) enum NamedBy<'r> {
    /// The operator, or nobody in particular.
    Operator,
    /// The plugin of this run.
    Run(&'r Redaction),
}

/// A value that is to be kept.
pub(super) struct Gift<'a> {
    pub(super) secret: &'a ResourceName,
    pub(super) value: &'a SecretValue,
    pub(super) stage: Stage,
    pub(super) origin: VersionOrigin,
}

impl Vault {
    pub(crate) fn new(
        settings: SecretSettings,
        launcher: Arc<Launcher>,
        redactor: Arc<Redactor>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            settings,
            launcher,
            redactor,
            clock,
            known: Mutex::default(),
        }
    }

    /// The value of a version, or the current one. It is masked everywhere from here on; but one that
    /// is not in use, in the run alone that names it, since a plugin can name any, and put any value.
    pub(crate) async fn value(
        &self,
        resources: &Resources,
        reference: &SecretReference,
        named_by: NamedBy<'_>,
    ) -> Answer<SecretValue> {
        let name = &reference.name;
        let secret = find(resources, name)?;
        match (&reference.version, &secret.store) {
            (None, SecretStore::Sealed) => {
                let versions = self.settings.sealed.sealed_versions(name).await?;
                let mut current = versions.iter().filter(|version| version.stage == Stage::Current);
                let Some(current) = current.next() else {
                    let hint = format!("set it:  sopwith secrets set {name}");
                    return Err(missing(name, "nobody has set it").hint(hint));
                };
                let opened = self.opened(name, &current.id, NamedBy::Operator).await?;
                opened.ok_or_else(|| unknown_version(name, &current.id))
            }
            (None, _) => Ok(self.present(resources, name, secret).await?.value),
            (Some(id), SecretStore::Sealed) => {
                let opened = self.opened(name, id, named_by).await?;
                opened.ok_or_else(|| unknown_version(name, id))
            }
            (Some(id), _) => {
                if let Some(value) = self.opened(name, id, named_by).await? {
                    return Ok(value);
                }
                if !id.starts_with(OUTSIDE) {
                    return Err(unknown_version(name, id));
                }
                let value = self.present(resources, name, secret).await?.value;
                let fingerprint = self.key().await?.fingerprint(name.as_str(), value.expose());
                if outside_id(&fingerprint) == *id {
                    Ok(value)
                } else {
                    Err(unknown_version(name, id))
                }
            }
        }
    }

    /// The versions of a secret, the newest first.
    pub(super) async fn versions(
        &self,
        resources: &Resources,
        name: &ResourceName,
    ) -> Answer<Vec<SecretVersion>> {
        let secret = find(resources, name)?;
        if secret.store == SecretStore::Sealed {
            return Ok(self.settings.sealed.sealed_versions(name).await?);
        }
        let present = self.present(resources, name, secret).await;
        self.versions_beside(name, present.as_ref()).await
    }

    /// The value in use and the versions, each store asked once.
    pub(super) async fn stand(
        &self,
        resources: &Resources,
        name: &ResourceName,
        secret: &Secret,
    ) -> (Answer<SecretValue>, Answer<Vec<SecretVersion>>) {
        if secret.store == SecretStore::Sealed {
            let current = SecretReference {
                name: name.clone(),
                version: None,
            };
            let value = self.value(resources, &current, NamedBy::Operator).await;
            return (value, self.versions(resources, name).await);
        }
        let present = self.present(resources, name, secret).await;
        let versions = self.versions_beside(name, present.as_ref()).await;
        (present.map(|found| found.value), versions)
    }

    /// The versions that are kept beside what a store has, and that one.
    async fn versions_beside(
        &self,
        name: &ResourceName,
        present: Result<&Found, &Failure>,
    ) -> Answer<Vec<SecretVersion>> {
        let kept = self.settings.sealed.sealed_versions(name).await?;
        match present {
            Ok(found) => {
                let fingerprint = self.key().await?.fingerprint(name.as_str(), found.value.expose());
                Ok(with_present(kept, found, fingerprint, self.clock.now()))
            }
            // What is not there is no version.
            Err(failure) if failure.kind == FailureKind::NotFound => Ok(kept),
            Err(failure) => Err(failure.clone()),
        }
    }

    /// Keeps a value, and returns the version that it is. The record is written with it, with the id
    /// of the version.
    pub(super) async fn keep(
        &self,
        gift: Gift<'_>,
        audit: impl FnOnce(&SecretVersion) -> AuditRecord,
    ) -> Answer<(SecretVersion, bool)> {
        let Gift {
            secret,
            value,
            stage,
            origin,
        } = gift;
        if stage == Stage::Current {
            self.learn(secret, value).await?;
        }
        let key = self.key().await?;
        let now = self.clock.now();
        let version = SecretVersion {
            id: new_id(now, self.settings.entropy.random()),
            stage,
            created_at: now,
            fingerprint: key.fingerprint(secret.as_str(), value.expose()),
            origin,
        };
        let added = SealedVersion {
            sealed: seal::seal(&key, secret, &version.id, value)?,
            key: key.sealing_public(),
            version: version.clone(),
        };
        let sealed = &self.settings.sealed;
        let kept = sealed
            .add_sealed(secret, added, VERSIONS_MAX, audit(&version))
            .await?;
        let changed = kept.id == version.id;
        Ok((kept, changed))
    }

    /// Reads every secret that is read without running anything, so that it is masked from here on,
    /// whether or not somebody uses it. What cannot be read is told when it is used.
    pub(crate) async fn learn_all(&self, resources: &Resources) {
        for (name, secret) in &resources.secrets {
            if !matches!(secret.store, SecretStore::Sealed | SecretStore::Command { .. }) {
                let _ = self.present(resources, name, secret).await;
            }
        }
        if resources.secrets.is_empty() {
            return;
        }
        let Ok(used) = self.settings.sealed.versions_in_use().await else {
            return;
        };
        for (name, id) in used {
            let learned = self.with_known(|known| known.learned.contains(&(name.clone(), id.clone())));
            if !learned {
                let _ = self.opened(&name, &id, NamedBy::Operator).await;
            }
        }
    }

    /// Whether a value is too short for the redactor.
    pub(super) fn is_too_short(value: &SecretValue) -> bool {
        value.expose().len() < Redactor::VALUE_BYTES_MIN
    }

    /// The value that a store has which is not Sopwith's own.
    async fn present(&self, resources: &Resources, name: &ResourceName, secret: &Secret) -> Answer<Found> {
        let found = match &secret.store {
            SecretStore::Command { command } => self.told(resources, name, command).await?,
            store => {
                let outside = Outside {
                    name: name.clone(),
                    store: store.clone(),
                    credentials_directory: self.settings.credentials_directory.clone(),
                };
                on_thread(move || outside.read()).await?
            }
        };
        self.learn(name, &found.value).await?;
        Ok(found)
    }

    /// What a command tells. The command may be given secrets itself, so this is a future in itself.
    fn told<'a>(
        &'a self,
        resources: &'a Resources,
        name: &'a ResourceName,
        command: &'a ResourceName,
    ) -> BoxFuture<'a, Answer<Found>> {
        Box::pin(command::read(self, &self.launcher, resources, name, command))
    }

    /// The value of a version in the record.
    async fn opened(
        &self,
        name: &ResourceName,
        id: &str,
        named_by: NamedBy<'_>,
    ) -> Answer<Option<SecretValue>> {
        let Some(kept) = self.settings.sealed.sealed(name, id).await? else {
            return Ok(None);
        };
        let value = seal::open(&*self.key().await?, name, &kept)?;
        match named_by {
            NamedBy::Run(redaction) if !kept.version.stage.is_in_use() => {
                redaction.add_secret(value.expose());
            }
            _ => {
                self.learn(name, &value).await?;
                self.with_known(|known| known.learned.insert((name.clone(), id.to_owned())));
            }
        }
        Ok(Some(value))
    }

    /// The host's key, read anew, so that it is used from the moment that it is there.
    async fn key(&self) -> Answer<Box<HostKey>> {
        let place = self.settings.key.clone();
        let path = place.path().display().to_string();
        let key = on_thread(move || place.read()).await?;
        key.map(Box::new).ok_or_else(|| {
            let message = "the host has no key, which sealed secrets and fingerprints need";
            Failure::new(FailureKind::Failed, Blame::Operator, message).hint(format!(
                "`sopwith secrets init-key` makes one: `{path}`; where there was one before, bring it back"
            ))
        })
    }

    async fn learn(&self, name: &ResourceName, value: &SecretValue) -> Answer<()> {
        let (redactor, secret, bytes) = (Arc::clone(&self.redactor), name.clone(), value.clone());
        on_thread(move || {
            redactor.learn(&secret, bytes.expose());
            Ok(())
        })
        .await?;
        if Self::is_too_short(value) && self.with_known(|known| known.told_short.insert(name.clone())) {
            tracing::warn!(secret = %name, "a secret is too short to be masked: {TOO_SHORT}");
        }
        Ok(())
    }

    fn with_known<T>(&self, work: impl FnOnce(&mut Known) -> T) -> T {
        work(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What is wrong with a value that is too short.
pub(super) const TOO_SHORT: &str = "so few bytes stand in every other text";

/// The secret of this name.
pub(super) fn find<'r>(resources: &'r Resources, name: &ResourceName) -> Answer<&'r Secret> {
    resources.secrets.get(name).ok_or_else(|| {
        let message = format!("there is no secret `{name}`");
        Failure::new(FailureKind::NotFound, Blame::Operator, message)
            .hint(format!("name it in sopwith.toml:  [secrets.{name}]"))
    })
}

fn unknown_version(name: &ResourceName, id: &str) -> Failure {
    let message = format!("the secret `{name}` has no version `{id}`");
    Failure::new(FailureKind::NotFound, Blame::Plugin, message).with("resource", format!("secrets.{name}"))
}

fn new_id(now: Timestamp, random: u128) -> String {
    let milliseconds = u64::try_from(now.as_millisecond()).unwrap_or(0);
    Ulid::from_parts(milliseconds, random)
        .to_string()
        .to_ascii_lowercase()
}

async fn on_thread<T: Send + 'static>(work: impl FnOnce() -> Answer<T> + Send + 'static) -> Answer<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Failure::host(format!("a thread of the host ended early: {error}")))?
}
