//! `sopwith:plugin/flow`

use super::handles::OpenPipe;
use super::{Reply, milliseconds, reply, shown, texts_bytes};
use crate::bindings::sopwith::plugin::flow::{Host, HostPipe, Receipt};
use crate::bindings::sopwith::plugin::types;
use crate::guest::Guest;
use sopwith_core::digest::Digest;
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::port::capabilities as port;
use sopwith_core::port::capabilities::{Answer, IfExists, Sink, Source, Stage};
use wasmtime::component::Resource;

impl OpenPipe {
    fn unused(&mut self) -> Answer<&mut port::Pipe> {
        self.0.as_mut().ok_or_else(used)
    }
}

fn used() -> Failure {
    Failure::new(FailureKind::Conflict, Blame::Plugin, "the pipe was used before")
        .hint("make a new pipe for each sink")
}

impl Host for Guest {}

impl HostPipe for Guest {
    async fn from_bytes(&mut self, content: Vec<u8>) -> Reply<Resource<OpenPipe>> {
        self.open_pipe(Source::Bytes(content)).await
    }

    async fn from_file(&mut self, directory: String, path: String) -> Reply<Resource<OpenPipe>> {
        self.open_pipe(Source::File { directory, path }).await
    }

    async fn from_tree(
        &mut self,
        directory: String,
        path: String,
        include: Vec<String>,
        exclude: Vec<String>,
    ) -> Reply<Resource<OpenPipe>> {
        let source = Source::Tree {
            directory,
            path,
            include,
            exclude,
        };
        self.open_pipe(source).await
    }

    async fn from_database(&mut self, database: String) -> Reply<Resource<OpenPipe>> {
        self.open_pipe(Source::Database(database)).await
    }

    async fn from_command(&mut self, command: String, arguments: types::Pairs) -> Reply<Resource<OpenPipe>> {
        self.open_pipe(Source::Command { command, arguments }).await
    }

    async fn compress(&mut self, pipe: Resource<OpenPipe>, format: String, level: i32) -> Reply<()> {
        self.add_stage(&pipe, &format, Stage::CompressZstd(level))
    }

    async fn decompress(&mut self, pipe: Resource<OpenPipe>, format: String) -> Reply<()> {
        self.add_stage(&pipe, &format, Stage::DecompressZstd)
    }

    async fn expect(&mut self, pipe: Resource<OpenPipe>, digest: String) -> Reply<()> {
        self.call()?;
        let pipe = self.table.get_mut(&pipe)?;
        let expected = parse_digest(&digest).and_then(|digest| Ok((pipe.unused()?, digest)));
        reply(
            &self.answered,
            expected.map(|(pipe, digest)| pipe.expect = Some(digest)),
        )
    }

    async fn to_file(
        &mut self,
        pipe: Resource<OpenPipe>,
        directory: String,
        path: String,
        if_exists: String,
        mode: Option<u32>,
    ) -> Reply<Receipt> {
        let sink = what_if_it_exists(&if_exists).map(|if_exists| Sink::File {
            directory,
            path,
            if_exists,
            mode,
        });
        self.move_bytes(&pipe, sink).await
    }

    async fn to_database(&mut self, pipe: Resource<OpenPipe>, database: String) -> Reply<Receipt> {
        self.move_bytes(&pipe, Ok(Sink::Database(database))).await
    }

    async fn to_command(
        &mut self,
        pipe: Resource<OpenPipe>,
        command: String,
        arguments: types::Pairs,
    ) -> Reply<Receipt> {
        self.move_bytes(&pipe, Ok(Sink::Command { command, arguments }))
            .await
    }

    async fn to_nothing(&mut self, pipe: Resource<OpenPipe>) -> Reply<Receipt> {
        self.move_bytes(&pipe, Ok(Sink::Nothing)).await
    }

    async fn drop(&mut self, pipe: Resource<OpenPipe>) -> wasmtime::Result<()> {
        if let Some(pipe) = self.table.delete(pipe)?.0 {
            self.memory.give_back(held_bytes(&pipe.source));
        }
        Ok(())
    }
}

impl Guest {
    async fn open_pipe(&mut self, source: Source) -> Reply<Resource<OpenPipe>> {
        let checked = self.call()?.flow().check(&source).await;
        let held = checked.and_then(|()| self.memory.hold(held_bytes(&source)));
        let pipe = held.map(|()| port::Pipe {
            source,
            stages: Vec::new(),
            expect: None,
        });
        self.hand_over(pipe.map(|pipe| OpenPipe(Some(pipe))))
    }

    fn add_stage(&mut self, pipe: &Resource<OpenPipe>, format: &str, stage: Stage) -> Reply<()> {
        self.call()?;
        let pipe = self.table.get_mut(pipe)?;
        let pipe = known_format(format).and_then(|()| pipe.unused());
        reply(&self.answered, pipe.map(|pipe| pipe.stages.push(stage)))
    }

    async fn move_bytes(&mut self, pipe: &Resource<OpenPipe>, sink: Answer<Sink>) -> Reply<Receipt> {
        let capabilities = self.call()?;
        let pipe = self.table.get_mut(pipe)?;
        let ready = sink.and_then(|sink| Ok((pipe.0.take().ok_or_else(used)?, sink)));
        match ready {
            Ok((pipe, sink)) => {
                let held = held_bytes(&pipe.source);
                let receipt = capabilities.flow().move_bytes(pipe, sink).await;
                self.memory.give_back(held);
                reply(&self.answered, receipt.map(Receipt::from))
            }
            Err(failure) => reply(&self.answered, Err(failure)),
        }
    }
}

/// What the host holds in memory until the pipe was used or dropped.
fn held_bytes(source: &Source) -> usize {
    match source {
        Source::Bytes(content) => content.len(),
        Source::File { directory, path } => directory.len() + path.len(),
        Source::Tree {
            directory,
            path,
            include,
            exclude,
        } => directory.len() + path.len() + texts_bytes(include.iter().chain(exclude)),
        Source::Database(name) => name.len(),
        Source::Command { command, arguments } => {
            command.len() + texts_bytes(arguments.iter().flat_map(|(name, value)| [name, value]))
        }
    }
}

fn parse_digest(text: &str) -> Answer<Digest> {
    text.parse()
        .map_err(|_| Failure::invalid(format!("`{}` is not a digest", shown(text))))
}

fn known_format(word: &str) -> Answer<()> {
    match word {
        "zstd" => Ok(()),
        _ => Err(
            Failure::invalid(format!("`{}` is not a format of compression", shown(word)))
                .hint("the only format is `zstd`"),
        ),
    }
}

fn what_if_it_exists(word: &str) -> Answer<IfExists> {
    match word {
        "fail" => Ok(IfExists::Fail),
        "replace" => Ok(IfExists::Replace),
        _ => Err(Failure::invalid(format!(
            "`{}` does not say what becomes of an old file",
            shown(word)
        ))
        .hint("`if-exists` is `fail` or `replace`")),
    }
}

impl From<port::Receipt> for Receipt {
    fn from(receipt: port::Receipt) -> Self {
        Self {
            bytes_read: receipt.bytes_read,
            bytes_written: receipt.bytes_written,
            source_digest: receipt.source_digest,
            sink_digest: receipt.sink_digest,
            elapsed_ms: milliseconds(receipt.elapsed),
            warnings: receipt.warnings,
            extra: receipt.extra,
        }
    }
}
