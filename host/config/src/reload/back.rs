//! Takes up files when somebody asks for it, and goes back to the plugin before.

use super::{Inner, Looked, Reloader};
use crate::inputs::{Inputs, PluginFile};
use crate::last_good::LastGood;
use crate::rollback::Rollbacks;
use crate::shape::nearest;
use async_trait::async_trait;
use sopwith_core::actor::Actor;
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::name::PluginName;
use sopwith_core::port::operations::ReloadStatus;
use sopwith_core::port::{Reloads, Rollback, RolledBack};
use std::fmt::Display;

#[async_trait]
impl Reloads for Reloader {
    async fn look(&self) -> ReloadStatus {
        self.0.look(false).await;
        self.0.status.borrow().clone()
    }

    async fn roll_back(&self, plugin: &PluginName, way: Rollback, by: &Actor) -> Result<RolledBack, Failure> {
        let mut looked = self.0.looked.lock().await;
        let inputs = Inputs::read(&self.0.parts.folder);
        let Some(file) = inputs.plugins.get(plugin.as_str()) else {
            return Err(self.0.no_file(plugin, &inputs));
        };
        let before = self.0.rollbacks()?;
        // Another file has ended it, also one that was refused, or that nobody has looked at yet.
        let standing = before.of(plugin, file).cloned();
        match (way, standing) {
            (Rollback::Back, None) => self.0.back(plugin, file, by, before, &mut looked).await,
            (Rollback::Back, Some(standing)) => Err(stands(plugin, &standing)),
            (Rollback::Undo, Some(standing)) => self.0.undo(plugin, standing, before, &mut looked).await,
            (Rollback::Undo, None) => {
                let message = format!(
                    "the plugin `{plugin}` is not rolled back: the file in the folder ({}) is none that somebody \
                     went back from",
                    file.digest.short()
                );
                Err(operator(FailureKind::NotFound, message))
            }
        }
    }
}

impl Inner {
    async fn back(
        &self,
        plugin: &PluginName,
        file: &PluginFile,
        by: &Actor,
        before: Rollbacks,
        looked: &mut Looked,
    ) -> Result<RolledBack, Failure> {
        let kept = LastGood::read(&self.parts.data_directory).map_err(unusable)?;
        let Some((to, signature)) = kept.and_then(|kept| kept.other_than(plugin, file.digest)) else {
            let message = format!("no bytes of the plugin `{plugin}` are kept but those in the folder");
            let hint = "those before the newest change are kept of plugins that a procedure names";
            return Err(operator(FailureKind::NotFound, message).hint(hint));
        };
        let told = RolledBack {
            from: file.digest,
            to,
            at: self.parts.clock.now(),
            by: by.clone(),
        };
        let mut after = before.clone();
        after.insert(plugin.clone(), told.clone(), signature);
        self.take_up(&before, &after, looked).await?;
        tracing::warn!(%plugin, from = %told.from.short(), to = %told.to.short(), %by, "the plugin is rolled back");
        Ok(told)
    }

    async fn undo(
        &self,
        plugin: &PluginName,
        standing: RolledBack,
        before: Rollbacks,
        looked: &mut Looked,
    ) -> Result<RolledBack, Failure> {
        let mut after = before.clone();
        after.remove(plugin);
        self.take_up(&before, &after, looked).await?;
        tracing::warn!(%plugin, to = %standing.from.short(), "the file in the folder is in force again");
        Ok(standing)
    }

    /// Takes up the folder with other rollbacks, or says why that cannot be and leaves all as it was.
    async fn take_up(
        &self,
        before: &Rollbacks,
        after: &Rollbacks,
        looked: &mut Looked,
    ) -> Result<(), Failure> {
        after.write().map_err(unusable)?;
        self.reload(looked).await;
        let status = self.status.borrow().clone();
        if status.accepted {
            return Ok(());
        }
        before.write().map_err(unusable)?;
        self.reload(looked).await;
        let why = status.diagnostics.join("\n");
        let message =
            format!("the configuration is not good with that plugin, and nothing was changed:\n{why}");
        Err(operator(FailureKind::Invalid, message))
    }

    fn rollbacks(&self) -> Result<Rollbacks, Failure> {
        Rollbacks::read(&self.parts.data_directory).map_err(unusable)
    }

    fn no_file(&self, plugin: &PluginName, inputs: &Inputs) -> Failure {
        if self
            .parts
            .standard
            .iter()
            .any(|standard| standard.name == *plugin)
        {
            let message = format!("the plugin `{plugin}` is part of Sopwith and has no file in the folder");
            let hint = "the version before is in the Sopwith before; or put its file into `plugins/`";
            return operator(FailureKind::Invalid, message).hint(hint);
        }
        let failure = operator(FailureKind::NotFound, format!("there is no plugin `{plugin}`"));
        match nearest::hint(plugin.as_str(), inputs.plugins.keys().map(String::as_str)) {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

fn operator(kind: FailureKind, message: String) -> Failure {
    Failure::new(kind, Blame::Operator, message)
}

fn stands(plugin: &PluginName, standing: &RolledBack) -> Failure {
    let message = format!(
        "the plugin `{plugin}` was rolled back already, by {} at {}; no bytes before those are kept",
        standing.by, standing.at
    );
    let hint =
        format!("another file in `plugins/` ends it, and so does `sopwith plugins rollback {plugin} --undo`");
    operator(FailureKind::Conflict, message).hint(hint)
}

fn unusable(error: impl Display) -> Failure {
    Failure::host(format!("the data directory cannot be used: {error}"))
}
