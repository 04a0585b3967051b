//! Files in granted directories: looking at them, and changing them one at a time.

pub(crate) use change::check_mode;

mod change;
mod content;
pub(crate) mod filter;
mod listing;
mod meta;
pub(crate) mod walk;
pub(crate) mod walks;

use crate::blocking::{on_thread, until_done};
use crate::gate::{Gate, Proceed};
use crate::place::{Directories, RelativePath, Spot, object};
use crate::stop::Watch;
use crate::trouble::file_failure;
use async_trait::async_trait;
use sopwith_core::digest::Digest;
use sopwith_core::failure::Failure;
use sopwith_core::grant::Access;
use sopwith_core::port::capabilities::{Answer, Files, Inventory, Meta, Pairs};
use std::io;
use std::sync::Arc;

/// What one call hands to the guest at most; more is read by further calls.
const READ_BYTES_MAX: u64 = 8 << 20;

/// `sopwith:plugin/files`
pub(crate) struct GrantedFiles {
    gate: Arc<Gate>,
    directories: Arc<Directories>,
}

impl GrantedFiles {
    pub(crate) fn new(gate: Arc<Gate>, directories: Arc<Directories>) -> Self {
        Self { gate, directories }
    }

    /// Looks at something in a directory.
    async fn look<T: Send + 'static>(
        &self,
        verb: &'static str,
        directory: &str,
        path: &str,
        work: impl FnOnce(&crate::place::Place, &RelativePath, &Watch) -> Answer<io::Result<T>> + Send + 'static,
    ) -> Answer<T> {
        let place = self
            .directories
            .open(directory, Access::Read, &format!("files.{verb}"))?;
        let path = RelativePath::parse(path)?;
        self.directories.check_real(directory, &path)?;
        on_thread(&self.gate, move |watch| {
            work(&place, &path, &watch)?.map_err(|error| file_failure(&error, &place.doing(verb, &path)))
        })
        .await
    }

    /// Changes something in a directory: granted, on record before it happens, left out of a
    /// dry run.
    async fn change(
        &self,
        verb: &'static str,
        directory: &str,
        paths: &[&str],
        work: impl FnOnce(&[Spot], &Watch) -> Answer<io::Result<()>> + Send + 'static,
    ) -> Answer<()> {
        let call = format!("files.{verb}");
        let place = self.directories.open(directory, Access::Write, &call)?;
        let paths: Vec<_> = paths
            .iter()
            .map(|path| RelativePath::parse_inner(path))
            .collect::<Answer<_>>()?;
        let objects: Vec<_> = paths.iter().map(|path| object(directory, path)).collect();
        let shown = objects.join(" to ");
        if self.gate.change(&call, &shown).await? == Proceed::DryRun {
            for object in &objects {
                self.directories.pretended.add(object);
            }
            return Ok(());
        }
        let done = until_done(&self.gate, move |watch| {
            let spots: io::Result<Vec<_>> = paths.iter().map(|path| place.spot(path)).collect();
            watch.check()?;
            let done = match spots {
                Ok(spots) => work(&spots, &watch)?,
                Err(error) => Err(error),
            };
            done.map_err(|error| file_failure(&error, &place.doing(verb, &paths[0])))
        });
        self.gate.changed(&call, &shown, done.await)
    }
}

#[async_trait]
impl Files for GrantedFiles {
    async fn walk(
        &self,
        directory: &str,
        path: &str,
        include: Vec<String>,
        exclude: Vec<String>,
        options: Pairs,
    ) -> Answer<Box<dyn Inventory>> {
        let filter = filter::Filter::parse(&include, &exclude)?;
        let options = listing::Options::parse(&options)?;
        let gate = Arc::clone(&self.gate);
        let admitted = self.directories.walks.admit()?;
        let walker = self
            .look("walk", directory, path, move |place, path, _| {
                Ok(walk::Walker::begin(
                    place,
                    path,
                    filter,
                    options.depth_max,
                    admitted,
                ))
            })
            .await?;
        Ok(Box::new(listing::Listing::new(gate, directory, walker, options)))
    }

    async fn stat(&self, directory: &str, path: &str) -> Answer<Meta> {
        self.look("stat", directory, path, |place, path, _| {
            let spot = match path.as_str() {
                "" => Ok(Spot {
                    parent: Arc::clone(&place.directory),
                    name: ".".to_owned(),
                }),
                _ => place.spot(path),
            };
            Ok(
                spot.and_then(|spot| {
                    meta::of(&spot.parent, spot.name.as_ref(), path.as_str(), &spot.stat()?)
                }),
            )
        })
        .await
    }

    async fn digest(&self, directory: &str, path: &str) -> Answer<String> {
        let digest = self.look("digest", directory, path, |place, path, watch| {
            match place.open_file(path) {
                Ok(file) => meta::digest(&file, watch),
                Err(error) => Ok(Err(error)),
            }
        });
        Ok(digest.await?.to_string())
    }

    async fn read(&self, directory: &str, path: &str, offset: u64, bytes_max: u64) -> Answer<Vec<u8>> {
        let mask = self.gate.mask();
        self.look("read", directory, path, move |place, path, _| {
            Ok(place.open_file(path).and_then(|file| {
                let length = file.metadata()?.len().saturating_sub(offset);
                let wanted = length.min(bytes_max).min(READ_BYTES_MAX);
                content::read_masked(&file, offset, wanted, &mask)
            }))
        })
        .await
    }

    async fn replace(
        &self,
        directory: &str,
        path: &str,
        content: Vec<u8>,
        expected: Option<String>,
        mode: Option<u32>,
    ) -> Answer<()> {
        change::check_mode(mode)?;
        let expected = expected.as_deref().map(change::Expected::parse).transpose()?;
        let run = self.gate.attempt().run.id();
        self.change("replace", directory, &[path], move |spots, watch| {
            change::replace(&spots[0], run, &content, expected.as_ref(), mode, watch)
        })
        .await
    }

    async fn rename(&self, directory: &str, path: &str, to: &str) -> Answer<()> {
        self.change("rename", directory, &[path, to], |spots, _| {
            Ok(change::rename(&spots[0], &spots[1]))
        })
        .await
    }

    async fn truncate(&self, directory: &str, path: &str, bytes: u64) -> Answer<()> {
        self.change("truncate", directory, &[path], move |spots, _| {
            change::truncate(&spots[0], bytes)
        })
        .await
    }

    async fn remove(&self, directory: &str, path: &str) -> Answer<()> {
        self.change("remove", directory, &[path], |spots, _| {
            Ok(change::remove(&spots[0]))
        })
        .await
    }

    async fn make_directory(&self, directory: &str, path: &str, mode: Option<u32>) -> Answer<()> {
        change::check_mode(mode)?;
        self.change("make-directory", directory, &[path], move |spots, _| {
            Ok(change::make_directory(&spots[0], mode))
        })
        .await
    }

    async fn set_mode(&self, directory: &str, path: &str, mode: u32) -> Answer<()> {
        change::check_mode(Some(mode))?;
        self.change("set-mode", directory, &[path], move |spots, _| {
            change::set_mode(&spots[0], mode)
        })
        .await
    }
}

fn parse_digest(text: &str) -> Answer<Digest> {
    text.parse()
        .map_err(|_| Failure::invalid(format!("`{text}` is not a digest")))
}
