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
pub(in crate::build) enum Encoding {
    /// One JSON object a line.
    JsonLines,
    /// Fields separated by this byte, as in CSV.
    Separated(u8),
}

/// Endings of files of items.
const ITEMS: [(&str, Encoding); 4] = [
    ("jsonl", Encoding::JsonLines),
    ("ndjson", Encoding::JsonLines),
    ("csv", Encoding::Separated(b',')),
    ("tsv", Encoding::Separated(b'\t')),
];

/// An opened file.
pub(in crate::build) struct Source<'a> {
    /// The file's name as errors give it: as the caller wrote it.
    pub(in crate::build) file: String,
    pub(in crate::build) encoding: Encoding,
    pub(in crate::build) reader: Box<dyn BufRead>,
    n_bytes: Rc<Cell<u64>>,
    progress: &'a mut dyn FnMut(u64),
}

impl<'a> Source<'a> {
    /// Opens a catalog's items.
    pub(super) fn open(path: &Path, progress: &'a mut dyn FnMut(u64)) -> Result<Self> {
        Self::open_as(path, &ITEMS, progress)
    }

    /// Opens a table whose name has one of these endings.
    pub(in crate::build) fn open_as(
        path: &Path,
        endings: &[(&str, Encoding)],
        progress: &'a mut dyn FnMut(u64),
    ) -> Result<Self> {
        let file = path.display().to_string();
        let encoding = encoding(&file, endings)?;
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
    pub(in crate::build) fn report_progress(&mut self) {
        (self.progress)(self.n_bytes.get());
    }

    /// An error while reading, with the line where it happened.
    pub(in crate::build) fn failed(&self, line: u64, error: io::Error) -> Error {
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

fn encoding(file: &str, endings: &[(&str, Encoding)]) -> Result<Encoding> {
    let name = file.to_ascii_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    match endings.iter().find(|(known, _)| *known == ending) {
        Some((_, encoding)) => Ok(*encoding),
        None => {
            let known: Vec<String> = endings.iter().map(|(e, _)| format!(".{e}")).collect();
            let (last, others) = known.split_last().map_or(("", &[][..]), |(l, o)| (l, o));
            let expected = format!(
                "a file name ending in {} or {last}, with or without .gz",
                others.join(", ")
            );
            Err(Error::input(file, expected, "another ending"))
        }
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
