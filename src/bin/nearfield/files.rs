//! Writing files so that nobody ever sees half of one, and reading arrays.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use nearfield::{Error, Result};

/// An [`Error::Io`] for a file.
pub fn io_error(path: &Path) -> impl Fn(std::io::Error) -> Error + '_ {
    move |source| Error::Io { path: path.display().to_string(), source }
}

/// Writes a file under another name beside it, and renames it when it is complete. An archive
/// that is mapped or served meanwhile stays what it was for those who have it open.
pub fn write_whole(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
) -> Result<()> {
    let temporary = beside(path)?;
    let result = write_then_rename(path, &temporary, write);
    if result.is_err() {
        // The first error is the one to tell.
        let _ = std::fs::remove_file(&temporary);
    }
    result
}

fn write_then_rename(
    path: &Path,
    temporary: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
) -> Result<()> {
    let file = File::create(temporary).map_err(io_error(path))?;
    let mut writer = BufWriter::with_capacity(1 << 18, file);
    write(&mut writer).map_err(io_error(path))?;
    let file = writer.into_inner().map_err(|e| io_error(path)(e.into_error()))?;
    file.sync_all().map_err(io_error(path))?;
    std::fs::rename(temporary, path).map_err(io_error(path))
}

/// A name in the same folder (only there is a rename one step), of this process alone.
fn beside(path: &Path) -> Result<PathBuf> {
    let Some(name) = path.file_name() else {
        let found = format!("{:?}", path.display().to_string());
        return Err(Error::arg("output", "the name of a file", found));
    };
    let mut temporary = std::ffi::OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{}.tmp", std::process::id()));
    Ok(path.with_file_name(temporary))
}

/// Writes a two-dimensional `.npy` in C order.
pub fn write_npy<T: npyz::AutoSerialize + Copy>(
    path: &Path,
    width: usize,
    rows: impl ExactSizeIterator<Item = Vec<T>>,
) -> Result<()> {
    use npyz::WriterBuilder as _;
    let shape = [rows.len() as u64, width as u64];
    write_whole(path, |file| {
        let options = npyz::WriteOptions::new().default_dtype().shape(&shape);
        let mut npy = options.writer(file.by_ref()).begin_nd()?;
        for row in rows {
            npy.extend(row)?;
        }
        npy.finish()
    })
}

/// The rows of a .npy file of float32 in C order: number of columns, and all values.
pub fn read_npy(path: &Path) -> Result<(usize, Vec<f32>)> {
    let wrong = |found: String| {
        let expected = "a two-dimensional .npy file of float32 in C order";
        Error::input(path.display().to_string(), expected, found)
    };
    let file = BufReader::new(File::open(path).map_err(io_error(path))?);
    let npy = npyz::NpyFile::new(file).map_err(|e| wrong(e.to_string()))?;
    let (shape, order) = (npy.shape().to_vec(), npy.order());
    let &[_, dim] = shape.as_slice() else { return Err(wrong(format!("shape {shape:?}"))) };
    if order != npyz::Order::C {
        return Err(wrong("Fortran order".into()));
    }
    let values = npy.into_vec::<f32>().map_err(|e| wrong(e.to_string()))?;
    Ok((dim as usize, values))
}
