//! The profile's log in a file: one line an entry, added to and never rewritten in place.
//!
//! The first line says what the file is. Every other is one entry: the length and the XXH3 check
//! of the JSON behind them, in hexadecimal digits. So the file can be read by eye, damage is
//! found, and a line that was not written to its end is told from one that was changed later.
//!
//! ```text
//! nearfield-profile-log 1
//! 0000007b 9f0c6b1c7d0a44e2 {"device":"phone","sequence":0,...}
//! ```

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::xxh3_64;

use super::profile::{Entry, Profile};
use crate::error::{Error, Result, quoted};

/// The first line, up to the version.
const MAGIC: &str = "nearfield-profile-log ";
/// Raised when an older reader would misunderstand the file.
const VERSION: &str = "1";
/// Length, space, check and space before the JSON of a line.
const PREFIX: usize = 8 + 1 + 16 + 1;

/// A profile's log in a file, which this process alone has open.
///
/// What [`ProfileStore::append`] has returned for survives the end of the process and of the
/// machine. Beside the file stands an empty one with `.lock` behind its name, by which a second
/// process is kept away, and while the log is rewritten one with `.new`.
///
/// ```
/// use nearfield::{Entry, Event, Interaction, Kind, ProfileStore};
///
/// # let folder = tempfile::tempdir()?;
/// let path = folder.path().join("profile.log");
/// let (mut store, mut profile, _) = ProfileStore::open(&path)?;
/// let event = Event::Interaction(Interaction::new("17", Kind::Like));
/// let entry = Entry { device: "start 1".into(), sequence: 0, at_ms: 1.7e12, event };
/// if profile.append(entry.clone())? {
///     store.append(&entry)?;
/// }
/// drop(store);
///
/// let (_, again, recovered) = ProfileStore::open(&path)?;
/// assert!(again.entries().eq(profile.entries()) && recovered.lost.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ProfileStore {
    path: PathBuf,
    file: File,
    /// Held as long as the store is open; the system lets go of it when the process ends.
    lock: File,
    /// Where the last whole line ends.
    len: u64,
    /// Whether a write failed, so that there may be a piece of a line behind `len`.
    is_torn: bool,
}

/// What opening a log found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Number of entries that were read.
    pub n_entries: usize,
    /// What stood behind the last whole line and was cut off: the piece of an entry whose
    /// [`ProfileStore::append`] never returned. Empty where the log was whole. (A last line that
    /// was damaged after it was kept looks the same; here it is.)
    pub lost: Vec<u8>,
}

impl ProfileStore {
    /// Opens a log, or begins one, and reads the profile that it holds.
    ///
    /// A last line that is not whole is the trace of a crash while it was written: it is cut off
    /// and reported. Cost: one reading of the file.
    ///
    /// # Errors
    /// [`Error::Store`] where another process has the log open, where the file is no log or one of
    /// a later version, and where a line is damaged that others follow, naming its byte; nothing
    /// is changed then. [`Error::Io`] where the system refuses.
    pub fn open(path: impl AsRef<Path>) -> Result<(Self, Profile, Recovered)> {
        let path = path.as_ref().to_owned();
        let lock_path = beside(&path, ".lock");
        let lock = private().write(true).create(true).truncate(false).open(&lock_path);
        let lock = lock.map_err(io(&lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let expected = "a log that nobody has open: end the other process";
                return Err(damage(&path, 0, expected, "a lock"));
            }
            Err(TryLockError::Error(source)) => return Err(io(&lock_path)(source)),
        }
        // A rewrite that a crash ended left the log as it was.
        remove(&beside(&path, ".new"))?;
        let is_new = !path.exists();
        let file = private().read(true).write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(io(&path))?;
        if is_new {
            sync_folder(&path)?;
        }
        let bytes = std::fs::read(&path).map_err(io(&path))?;
        let (profile, n_entries, len) = read(&path, &bytes)?;
        let recovered = Recovered { n_entries, lost: bytes[len..].to_vec() };
        if !recovered.lost.is_empty() {
            file.set_len(len as u64).and_then(|()| file.sync_all()).map_err(io(&path))?;
        }
        let store = Self { path, file, lock, len: len as u64, is_torn: false };
        Ok((store, profile, recovered))
    }

    /// Adds an entry, and returns when it would survive a loss of power. It should be one that the
    /// profile has taken: what [`Profile::append`] finds known already need not be kept twice.
    ///
    /// # Errors
    /// As [`Profile::append`] for an entry that no profile takes; [`Error::Io`] where it was not
    /// kept. The log is then as before, and later entries can be added.
    pub fn append(&mut self, entry: &Entry) -> Result<()> {
        entry.clone().check()?;
        let mut bytes = Vec::new();
        if self.len == 0 {
            bytes.extend(header());
        }
        line(entry, &mut bytes)?;
        if self.is_torn {
            self.file.set_len(self.len).map_err(io(&self.path))?;
        }
        self.is_torn = true;
        let written = self
            .file
            .seek(SeekFrom::Start(self.len))
            .and_then(|_| self.file.write_all(&bytes))
            .and_then(|()| self.file.sync_all());
        written.map_err(io(&self.path))?;
        self.is_torn = false;
        self.len += bytes.len() as u64;
        Ok(())
    }

    /// Writes the log anew, with the entries of this profile and nothing else: after
    /// [`Profile::compact`], or to keep a merge of many entries at once. After a crash the file
    /// holds either all of the old log or all of the new one.
    ///
    /// # Errors
    /// [`Error::Io`] where the system refuses; the old log stands then.
    pub fn rewrite(&mut self, profile: &Profile) -> Result<()> {
        let mut bytes = header();
        for entry in profile.entries() {
            line(entry, &mut bytes)?;
        }
        let new_path = beside(&self.path, ".new");
        let written =
            private().read(true).write(true).create(true).truncate(true).open(&new_path).and_then(
                |mut file| {
                    file.write_all(&bytes)?;
                    file.sync_all()?;
                    std::fs::rename(&new_path, &self.path)?;
                    Ok(file)
                },
            );
        match written {
            Ok(file) => self.file = file,
            Err(source) => {
                // The first error is the one to tell; what is left over goes at the next opening.
                let _ = std::fs::remove_file(&new_path);
                return Err(io(&self.path)(source));
            }
        }
        (self.len, self.is_torn) = (bytes.len() as u64, false);
        sync_folder(&self.path)
    }

    /// Forgets everything: afterwards the file is empty. The store stays open and can be added to.
    ///
    /// # Errors
    /// [`Error::Io`] where the system refuses; something may be left then.
    pub fn erase(&mut self) -> Result<()> {
        remove(&beside(&self.path, ".new"))?;
        self.file.set_len(0).and_then(|()| self.file.sync_all()).map_err(io(&self.path))?;
        (self.len, self.is_torn) = (0, false);
        Ok(())
    }
}

impl Drop for ProfileStore {
    fn drop(&mut self) {
        // Closing the file would do, were it not for a process that this one is just starting: until
        // that runs its own program it holds every file of ours. What fails here ends with us.
        let _ = self.lock.unlock();
    }
}

/// Reads a log: the profile, the number of its lines, and where the last whole line ends.
fn read(path: &Path, bytes: &[u8]) -> Result<(Profile, usize, usize)> {
    let mut profile = Profile::default();
    let header = header();
    if header.starts_with(bytes) && bytes.len() < header.len() {
        // Nothing yet, or a first write that did not come to the end of this line.
        return Ok((profile, 0, 0));
    }
    let Some(mut rest) = bytes.strip_prefix(&*header) else {
        let first = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
        let first = String::from_utf8_lossy(&first[..first.len().min(80)]);
        let expected = match first.starts_with(MAGIC) {
            true => format!("version {VERSION}: use a release that reads the later one"),
            false => format!("a profile log, which begins with \"{MAGIC}{VERSION}\""),
        };
        return Err(damage(path, 0, expected, quoted(&first)));
    };
    let mut n_entries = 0;
    while !rest.is_empty() {
        let at = bytes.len() - rest.len();
        let Some((json, next)) = whole_line(rest) else {
            if is_torn(rest) {
                return Ok((profile, n_entries, at));
            }
            let expected = "an entry as it was written: restore the file from a copy";
            return Err(damage(path, at, expected, "bytes that fail their check"));
        };
        let entry: Entry = serde_json::from_slice(json).map_err(|error| {
            let expected = "an entry that this release understands: use a later one";
            damage(path, at, expected, error)
        })?;
        profile.append(entry).map_err(|error| {
            damage(path, at, "an entry that this release takes: use a later one", error)
        })?;
        n_entries += 1;
        rest = next;
    }
    Ok((profile, n_entries, bytes.len()))
}

/// The JSON of the line that `bytes` begin with, and what follows the line; `None` where the line
/// is not whole or not as it was written.
fn whole_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, check) = prefix(bytes)?;
    let json = bytes.get(PREFIX..)?.get(..len)?;
    let next = bytes[PREFIX + len..].strip_prefix(b"\n")?;
    (xxh3_64(json) == check).then_some((json, next))
}

/// Length and check at the beginning of a line.
fn prefix(bytes: &[u8]) -> Option<(usize, u64)> {
    let text = std::str::from_utf8(bytes.get(..PREFIX)?).ok()?;
    let (len, check) = text.strip_suffix(' ')?.split_once(' ')?;
    (len.len() == 8).then_some(())?;
    Some((usize::from_str_radix(len, 16).ok()?, u64::from_str_radix(check, 16).ok()?))
}

/// Whether these bytes, at whose beginning no whole line stands, can be the trace of one write that
/// did not come to its end. Not where a whole line follows, nor where the line says of itself that
/// something follows it: what was synced before is never cut off.
fn is_torn(bytes: &[u8]) -> bool {
    let ends_inside =
        prefix(bytes).is_none_or(|(len, _)| len.saturating_add(PREFIX + 1) >= bytes.len());
    let mut lines = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    ends_inside && !lines.any(|(at, _)| whole_line(&bytes[at + 1..]).is_some())
}

fn header() -> Vec<u8> {
    format!("{MAGIC}{VERSION}\n").into_bytes()
}

fn line(entry: &Entry, out: &mut Vec<u8>) -> Result<()> {
    let json = serde_json::to_string(entry)
        .map_err(|error| Error::arg("entry", "one that JSON can hold", error))?;
    let check = xxh3_64(json.as_bytes());
    out.extend(format!("{:08x} {check:016x} {json}\n", json.len()).into_bytes());
    Ok(())
}

/// Files that nobody but this user reads, where the system knows such a thing.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(io(path)(source)),
        _ => Ok(()),
    }
}

/// Makes a file's name as lasting as its contents. Only Unix has folders that can be synced.
fn sync_folder(path: &Path) -> Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(io(folder))
}

fn io(path: &Path) -> impl Fn(std::io::Error) -> Error {
    move |source| Error::Io { path: path.display().to_string(), source }
}

fn damage(
    path: &Path,
    at: usize,
    expected: impl Into<String>,
    found: impl std::fmt::Display,
) -> Error {
    let place = format!("{}, byte {at}", path.display());
    Error::Store { place, expected: expected.into(), found: found.to_string() }
}
