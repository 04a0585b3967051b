//! `wasi:filesystem`: granted directories, to read. Whatever would change something is refused here,
//! since every change goes through `files` and `flow`.

use super::listing::{LISTING_BYTES, Listing};
use super::metadata::{hash, identity, stat};
use super::opened::{OpenDirectory, OpenFile, Opened, Place};
use super::reading::{FileStream, READ_BYTES_MAX, read_at};
use crate::ending::Stop;
use crate::guest::Guest;
use crate::memory::Held;
use cap_fs_ext::FollowSymlinks;
use cap_std::fs::Metadata;
use sopwith_core::failure::Failure;
use std::io;
use std::sync::Arc;
use wasmtime::component::Resource;
use wasmtime_wasi::filesystem::Descriptor;
use wasmtime_wasi::p2::bindings::filesystem::preopens;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    Advice, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry, DirectoryEntryStream, ErrorCode,
    Filesize, Host, HostDescriptor, HostDirectoryEntryStream, MetadataHashValue, NewTimestamp, OpenFlags,
    PathFlags,
};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, FsError, FsResult};
use wasmtime_wasi::runtime::spawn_blocking;

impl preopens::Host for Guest {
    fn get_directories(&mut self) -> wasmtime::Result<Vec<(Resource<Descriptor>, String)>> {
        self.call()?;
        let granted: Vec<_> = self
            .directories
            .iter()
            .map(|(name, directory)| (name.clone(), Arc::clone(directory)))
            .collect();
        let mut handles = Vec::new();
        for (name, directory) in granted {
            handles.push((
                self.push_opened(Opened::Directory(directory))?,
                format!("/{name}"),
            ));
        }
        Ok(handles)
    }
}

impl Guest {
    fn push_opened(&mut self, opened: Opened) -> wasmtime::Result<Resource<Descriptor>> {
        Ok(Resource::new_own(self.table.push(opened)?.rep()))
    }

    /// Counts a call about this handle, and returns what it stands for.
    fn opened(&self, handle: &Resource<Descriptor>) -> FsResult<Opened> {
        self.call().map_err(FsError::trap)?;
        Ok(self
            .table
            .get(&Resource::<Opened>::new_borrow(handle.rep()))?
            .clone())
    }

    fn file(&self, handle: &Resource<Descriptor>) -> FsResult<Arc<OpenFile>> {
        match self.opened(handle)? {
            Opened::File(file) => Ok(file),
            Opened::Directory(_) => Err(ErrorCode::IsDirectory.into()),
        }
    }

    fn directory(&self, handle: &Resource<Descriptor>) -> FsResult<Arc<OpenDirectory>> {
        match self.opened(handle)? {
            Opened::Directory(directory) => Ok(directory),
            Opened::File(_) => Err(ErrorCode::NotDirectory.into()),
        }
    }

    async fn metadata(&mut self, handle: &Resource<Descriptor>) -> FsResult<Metadata> {
        let opened = self.opened(handle)?;
        let look = move || match opened {
            Opened::File(file) => file.metadata(),
            Opened::Directory(directory) => directory.dir_metadata(),
        };
        Ok(spawn_blocking(look).await?)
    }

    async fn metadata_at(
        &mut self,
        handle: &Resource<Descriptor>,
        flags: PathFlags,
        path: String,
    ) -> FsResult<Metadata> {
        let directory = self.directory(handle)?;
        Ok(spawn_blocking(move || directory.stat(&path, follow(flags))).await?)
    }

    fn place(&self) -> FsResult<Place> {
        self.places.take().map_err(stop)
    }

    fn held(&mut self, bytes: usize) -> FsResult<Held> {
        self.memory.hold_until_dropped(bytes).map_err(stop)
    }

    /// Every call that would change something.
    fn refuse<T>(&self, handle: &Resource<Descriptor>) -> FsResult<T> {
        self.opened(handle)?;
        Err(ErrorCode::ReadOnly.into())
    }
}

impl Host for Guest {
    fn convert_error_code(&mut self, error: FsError) -> wasmtime::Result<ErrorCode> {
        error.downcast()
    }

    fn filesystem_error_code(
        &mut self,
        error: Resource<wasmtime::Error>,
    ) -> wasmtime::Result<Option<ErrorCode>> {
        self.call()?;
        let error = self.table.get(&error)?.downcast_ref::<io::Error>();
        Ok(error.map(ErrorCode::from))
    }
}

impl HostDescriptor for Guest {
    async fn open_at(
        &mut self,
        handle: Resource<Descriptor>,
        path_flags: PathFlags,
        path: String,
        open_flags: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<Resource<Descriptor>> {
        let directory = self.directory(&handle)?;
        let changes = DescriptorFlags::WRITE | DescriptorFlags::MUTATE_DIRECTORY;
        let makes = OpenFlags::CREATE | OpenFlags::EXCLUSIVE | OpenFlags::TRUNCATE;
        if flags.intersects(changes) || open_flags.intersects(makes) {
            return Err(ErrorCode::ReadOnly.into());
        }
        let place = self.place()?;
        let capabilities = Arc::clone(&self.capabilities);
        let open = move || directory.open(&path, follow(path_flags), place, capabilities);
        let opened = spawn_blocking(open).await?;
        if open_flags.contains(OpenFlags::DIRECTORY) && matches!(opened, Opened::File(_)) {
            return Err(ErrorCode::NotDirectory.into());
        }
        self.push_opened(opened).map_err(FsError::trap)
    }

    fn drop(&mut self, handle: Resource<Descriptor>) -> wasmtime::Result<()> {
        self.table.delete(Resource::<Opened>::new_own(handle.rep()))?;
        Ok(())
    }

    async fn read(
        &mut self,
        handle: Resource<Descriptor>,
        length: Filesize,
        offset: Filesize,
    ) -> FsResult<(Vec<u8>, bool)> {
        let file = self.file(&handle)?;
        let bytes_max = usize::try_from(length).unwrap_or(usize::MAX);
        let bytes = spawn_blocking(move || read_at(&file, bytes_max, offset)).await?;
        let is_end = bytes.is_empty();
        Ok((bytes, is_end))
    }

    fn read_via_stream(
        &mut self,
        handle: Resource<Descriptor>,
        offset: Filesize,
    ) -> FsResult<Resource<DynInputStream>> {
        let file = self.file(&handle)?;
        let held = self.held(READ_BYTES_MAX)?;
        let stream: DynInputStream = Box::new(FileStream::new(file, offset, self.turns.clone(), held));
        Ok(self.table.push(stream)?)
    }

    async fn read_directory(
        &mut self,
        handle: Resource<Descriptor>,
    ) -> FsResult<Resource<DirectoryEntryStream>> {
        let directory = self.directory(&handle)?;
        let held = self.held(LISTING_BYTES)?;
        let listing = Listing::begin(directory, self.place()?, held).await?;
        Ok(Resource::new_own(self.table.push(listing)?.rep()))
    }

    async fn readlink_at(&mut self, handle: Resource<Descriptor>, path: String) -> FsResult<String> {
        let directory = self.directory(&handle)?;
        let target = spawn_blocking(move || directory.read_link(path)).await?;
        let target = target.into_os_string().into_string();
        target.map_err(|_| ErrorCode::IllegalByteSequence.into())
    }

    async fn stat(&mut self, handle: Resource<Descriptor>) -> FsResult<DescriptorStat> {
        Ok(stat(&self.metadata(&handle).await?))
    }

    async fn stat_at(
        &mut self,
        handle: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
    ) -> FsResult<DescriptorStat> {
        Ok(stat(&self.metadata_at(&handle, flags, path).await?))
    }

    async fn metadata_hash(&mut self, handle: Resource<Descriptor>) -> FsResult<MetadataHashValue> {
        Ok(hash(&self.metadata(&handle).await?))
    }

    async fn metadata_hash_at(
        &mut self,
        handle: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
    ) -> FsResult<MetadataHashValue> {
        Ok(hash(&self.metadata_at(&handle, flags, path).await?))
    }

    async fn is_same_object(
        &mut self,
        one: Resource<Descriptor>,
        other: Resource<Descriptor>,
    ) -> wasmtime::Result<bool> {
        let one = self.metadata(&one).await;
        let other = self.metadata(&other).await;
        Ok(matches!((one, other), (Ok(one), Ok(other)) if identity(&one) == identity(&other)))
    }

    async fn get_flags(&mut self, handle: Resource<Descriptor>) -> FsResult<DescriptorFlags> {
        self.opened(&handle)?;
        Ok(DescriptorFlags::READ)
    }

    async fn get_type(&mut self, handle: Resource<Descriptor>) -> FsResult<DescriptorType> {
        Ok(match self.opened(&handle)? {
            Opened::File(_) => DescriptorType::RegularFile,
            Opened::Directory(_) => DescriptorType::Directory,
        })
    }

    async fn advise(
        &mut self,
        handle: Resource<Descriptor>,
        _: Filesize,
        _: Filesize,
        _: Advice,
    ) -> FsResult<()> {
        self.opened(&handle).map(drop)
    }

    /// The guest has changed nothing, and the disk is not its to keep busy.
    async fn sync(&mut self, handle: Resource<Descriptor>) -> FsResult<()> {
        self.opened(&handle).map(drop)
    }

    async fn sync_data(&mut self, handle: Resource<Descriptor>) -> FsResult<()> {
        self.opened(&handle).map(drop)
    }

    async fn set_size(&mut self, handle: Resource<Descriptor>, _: Filesize) -> FsResult<()> {
        self.refuse(&handle)
    }

    async fn set_times(
        &mut self,
        handle: Resource<Descriptor>,
        _: NewTimestamp,
        _: NewTimestamp,
    ) -> FsResult<()> {
        self.refuse(&handle)
    }

    async fn set_times_at(
        &mut self,
        handle: Resource<Descriptor>,
        _: PathFlags,
        _: String,
        _: NewTimestamp,
        _: NewTimestamp,
    ) -> FsResult<()> {
        self.refuse(&handle)
    }

    async fn write(&mut self, handle: Resource<Descriptor>, _: Vec<u8>, _: Filesize) -> FsResult<Filesize> {
        self.refuse(&handle)
    }

    fn write_via_stream(
        &mut self,
        handle: Resource<Descriptor>,
        _: Filesize,
    ) -> FsResult<Resource<DynOutputStream>> {
        self.refuse(&handle)
    }

    fn append_via_stream(&mut self, handle: Resource<Descriptor>) -> FsResult<Resource<DynOutputStream>> {
        self.refuse(&handle)
    }

    async fn create_directory_at(&mut self, handle: Resource<Descriptor>, _: String) -> FsResult<()> {
        self.refuse(&handle)
    }

    async fn link_at(
        &mut self,
        handle: Resource<Descriptor>,
        _: PathFlags,
        _: String,
        _: Resource<Descriptor>,
        _: String,
    ) -> FsResult<()> {
        self.refuse(&handle)
    }

    async fn remove_directory_at(&mut self, handle: Resource<Descriptor>, _: String) -> FsResult<()> {
        self.refuse(&handle)
    }

    async fn rename_at(
        &mut self,
        handle: Resource<Descriptor>,
        _: String,
        _: Resource<Descriptor>,
        _: String,
    ) -> FsResult<()> {
        self.refuse(&handle)
    }

    async fn symlink_at(&mut self, handle: Resource<Descriptor>, _: String, _: String) -> FsResult<()> {
        self.refuse(&handle)
    }

    async fn unlink_file_at(&mut self, handle: Resource<Descriptor>, _: String) -> FsResult<()> {
        self.refuse(&handle)
    }
}

impl HostDirectoryEntryStream for Guest {
    async fn read_directory_entry(
        &mut self,
        handle: Resource<DirectoryEntryStream>,
    ) -> FsResult<Option<DirectoryEntry>> {
        self.call().map_err(FsError::trap)?;
        let listing = self
            .table
            .get_mut(&Resource::<Listing>::new_borrow(handle.rep()))?;
        listing.next().await
    }

    fn drop(&mut self, handle: Resource<DirectoryEntryStream>) -> wasmtime::Result<()> {
        self.table.delete(Resource::<Listing>::new_own(handle.rep()))?;
        Ok(())
    }
}

fn stop(failure: Failure) -> FsError {
    FsError::trap(Stop::error(failure))
}

fn follow(flags: PathFlags) -> FollowSymlinks {
    if flags.contains(PathFlags::SYMLINK_FOLLOW) {
        FollowSymlinks::Yes
    } else {
        FollowSymlinks::No
    }
}
