//! A catalog's file as a stream of text, whatever wraps it.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::rc::Rc;

use flate2::bufread::MultiGzDecoder;

use crate::error::{Error, Result};

/// How items stand in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// One JSON object a line.
    JsonLines,
    /// Fields separated by this byte, as in CSV.
    Separated(u8),
}

/// An opened file.
pub(super) struct Source<'a> {
    /// The file's name as errors give it: as the caller wrote it.
    pub(super) file: String,
    pub(super) encoding: Encoding,
    pub(super) reader: Box<dyn BufRead>,
    n_bytes: Rc<Cell<u64>>,
    progress: &'a mut dyn FnMut(u64),
}

impl<'a> Source<'a> {
    pub(super) fn open(path: &Path, progress: &'a mut dyn FnMut(u64)) -> Result<Self> {
        let file = path.display().to_string();
        let encoding = encoding(&file)?;
        let io = |source| failed(&file, 1, source);
        let n_bytes = Rc::new(Cell::new(0));
        let counted = Counted { inner: File::open(path).map_err(io)?, n_bytes: n_bytes.clone() };
        let mut reader: Box<dyn BufRead> = Box::new(BufReader::with_capacity(1 << 18, counted));
        // The content decides, not the name: `.jsonl.gz` files are unpacked in transit often
        // enough, by browsers and by tools that mean well.
        if reader.fill_buf().map_err(io)?.starts_with(&[0x1f, 0x8b]) {
            reader = Box::new(BufReader::with_capacity(1 << 18, MultiGzDecoder::new(reader)));
        }
        if reader.fill_buf().map_err(io)?.starts_with(b"\xef\xbb\xbf") {
            reader.consume(3);
        }
        Ok(Self { file, encoding, reader, n_bytes, progress })
    }

    /// Tells how far the file has been read.
    pub(super) fn report_progress(&mut self) {
        (self.progress)(self.n_bytes.get());
    }

    /// An error while reading, with the line where it happened.
    pub(super) fn failed(&self, line: u64, error: io::Error) -> Error {
        failed(&self.file, line, error)
    }
}

fn failed(file: &str, line: u64, error: io::Error) -> Error {
    match error.kind() {
        // What a decoder says about the bytes, as opposed to the system about the file.
        io::ErrorKind::InvalidData
        | io::ErrorKind::InvalidInput
        | io::ErrorKind::UnexpectedEof => {
            let expected = "a complete gzip file: transfer or compress it again";
            Error::input(format!("{file}:{line}"), expected, error)
        }
        _ => Error::Io { path: file.to_owned(), source: error },
    }
}

fn encoding(file: &str) -> Result<Encoding> {
    let name = file.to_ascii_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("jsonl" | "ndjson") => Ok(Encoding::JsonLines),
        Some("csv") => Ok(Encoding::Separated(b',')),
        Some("tsv") => Ok(Encoding::Separated(b'\t')),
        _ => Err(Error::input(
            file,
            "a file name ending in .jsonl, .ndjson, .csv or .tsv, with or without .gz",
            "another ending",
        )),
    }
}

/// Counts what is read from the file itself, before unpacking.
struct Counted {
    inner: File,
    n_bytes: Rc<Cell<u64>>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.n_bytes.set(self.n_bytes.get() + n as u64);
        Ok(n)
    }
}
