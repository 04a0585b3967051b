//! `sopwith:plugin/files`

use super::handles::OpenInventory;
use super::{Reply, reply, time};
use crate::bindings::sopwith::plugin::files::{Host, HostInventory, Meta};
use crate::bindings::sopwith::plugin::types;
use crate::guest::Guest;
use sopwith_core::port::capabilities as port;
use wasmtime::component::Resource;

impl Host for Guest {
    async fn walk(
        &mut self,
        directory: String,
        path: String,
        include: Vec<String>,
        exclude: Vec<String>,
        options: types::Pairs,
    ) -> Reply<Resource<OpenInventory>> {
        let capabilities = self.call()?;
        let walk = capabilities
            .files()
            .walk(&directory, &path, include, exclude, options);
        let inventory = walk.await;
        self.hand_over(inventory.map(OpenInventory))
    }

    async fn stat(&mut self, directory: String, path: String) -> Reply<Meta> {
        let meta = self.call()?.files().stat(&directory, &path).await;
        reply(&self.answered, meta.map(Meta::from))
    }

    async fn digest(&mut self, directory: String, path: String) -> Reply<String> {
        reply(
            &self.answered,
            self.call()?.files().digest(&directory, &path).await,
        )
    }

    async fn read(&mut self, directory: String, path: String, offset: u64, bytes_max: u64) -> Reply<Vec<u8>> {
        reply(
            &self.answered,
            self.call()?
                .files()
                .read(&directory, &path, offset, bytes_max)
                .await,
        )
    }

    async fn replace(
        &mut self,
        directory: String,
        path: String,
        content: Vec<u8>,
        expected: Option<String>,
        mode: Option<u32>,
    ) -> Reply<()> {
        let capabilities = self.call()?;
        let files = capabilities.files();
        reply(
            &self.answered,
            files.replace(&directory, &path, content, expected, mode).await,
        )
    }

    async fn rename(&mut self, directory: String, path: String, to: String) -> Reply<()> {
        reply(
            &self.answered,
            self.call()?.files().rename(&directory, &path, &to).await,
        )
    }

    async fn truncate(&mut self, directory: String, path: String, bytes: u64) -> Reply<()> {
        reply(
            &self.answered,
            self.call()?.files().truncate(&directory, &path, bytes).await,
        )
    }

    async fn remove(&mut self, directory: String, path: String) -> Reply<()> {
        reply(
            &self.answered,
            self.call()?.files().remove(&directory, &path).await,
        )
    }

    async fn make_directory(&mut self, directory: String, path: String, mode: Option<u32>) -> Reply<()> {
        reply(
            &self.answered,
            self.call()?.files().make_directory(&directory, &path, mode).await,
        )
    }

    async fn set_mode(&mut self, directory: String, path: String, mode: u32) -> Reply<()> {
        reply(
            &self.answered,
            self.call()?.files().set_mode(&directory, &path, mode).await,
        )
    }
}

impl HostInventory for Guest {
    async fn next(&mut self, inventory: Resource<OpenInventory>, entries_max: u32) -> Reply<Vec<Meta>> {
        self.call()?;
        let entries = self.table.get_mut(&inventory)?.0.next(entries_max).await;
        reply(
            &self.answered,
            entries.map(|entries| entries.into_iter().map(Meta::from).collect()),
        )
    }

    async fn drop(&mut self, inventory: Resource<OpenInventory>) -> wasmtime::Result<()> {
        self.table.delete(inventory)?;
        Ok(())
    }
}

impl From<port::Meta> for Meta {
    fn from(meta: port::Meta) -> Self {
        Self {
            path: meta.path,
            kind: meta.kind,
            bytes: meta.bytes,
            mode: meta.mode,
            uid: meta.uid,
            gid: meta.gid,
            owner: meta.owner,
            group: meta.group,
            modified_at: time(meta.modified_at),
            digest: meta.digest,
            head: meta.head,
            extra: meta.extra,
        }
    }
}
