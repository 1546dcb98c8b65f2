//! Vectors from NumPy's `.npy`.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use npyz::{DType, Deserialize, NpyFile, Order, TypeChar, half::f16};

use super::Items;
use crate::build::Embeddings;
use crate::error::{Error, Result};
use crate::kernel::code::MAX_DIM;
use crate::metric::Metric;

/// Largest absolute component: beyond it the codes' scales could not hold the vector.
const MAX_COMPONENT: f64 = 1e15;
/// A vector shorter than this has no direction that arithmetic in f64 could keep.
const MIN_LENGTH: f64 = 1e-18;
/// Values read between two calls of `progress`.
const VALUES_A_REPORT: usize = 1 << 20;

/// What to do with a vector that is not finite or, under cosine, zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BadVectors {
    /// Refuse it, naming file, row and item.
    #[default]
    Error,
    /// Leave the item out, count it.
    Drop,
}

/// The vectors of a catalog's items.
#[derive(Clone, Debug, PartialEq)]
pub struct Vectors {
    /// One row for each item that is left.
    pub embeddings: Embeddings,
    /// Number of items that were left out because of their vectors.
    pub n_dropped: usize,
}

/// Reads one vector for each item line from a `.npy` of kind f2, f4 or f8, two-dimensional, in C
/// order. Its rows belong to the item lines in order, before any are left out as duplicates.
///
/// Items with a bad vector are an error or, with [`BadVectors::Drop`], taken out of `items`. A
/// vector of zeros is bad under cosine only: elsewhere it is an item that no query is near to.
/// `progress` is called now and then with the number of bytes read.
///
/// # Errors
/// [`Error::Io`] where the file cannot be read; [`Error::Input`] for another kind, shape or order,
/// a file that ends early or late, and bad vectors.
pub fn read_vectors(
    path: &Path,
    items: &mut Items,
    metric: Metric,
    bad_vectors: BadVectors,
    progress: &mut dyn FnMut(u64),
) -> Result<Vectors> {
    let file = path.display().to_string();
    let io = |source| Error::Io { path: file.clone(), source };
    let mut reader = BufReader::with_capacity(1 << 18, File::open(path).map_err(io)?);
    check_start(&file, &mut reader)?;
    // The start has been read: give it back in front of the rest.
    let mut reader = io::Cursor::new(MAGIC).chain(reader);
    let npy = NpyFile::new(&mut reader)
        .map_err(|e| Error::input(format!("{file}: header"), "a NumPy header", e))?;
    let (dim, bytes) = check_header(&file, &npy, items)?;
    let mut reading = Reading { file: &file, items, metric, bad_vectors, dim, progress };
    let (values, bad) = match bytes {
        2 => reading.read(npy, f16::to_f64)?,
        4 => reading.read(npy, |x: f32| f64::from(x))?,
        _ => reading.read(npy, |x: f64| x)?,
    };
    if reader.read(&mut [0]).map_err(io)? > 0 {
        let expected = format!("{} rows of {dim} and nothing behind them", items.n_rows);
        return Err(Error::input(file, expected, "more bytes"));
    }
    items.remove(&bad);
    Ok(Vectors { embeddings: Embeddings { dim, values }, n_dropped: bad.len() })
}

/// First bytes of every `.npy`.
const MAGIC: &[u8] = b"\x93NUMPY";

/// Tells files that are something else from damaged ones.
fn check_start(file: &str, reader: &mut impl Read) -> Result<()> {
    let mut start = Vec::new();
    reader
        .take(MAGIC.len() as u64)
        .read_to_end(&mut start)
        .map_err(|source| Error::Io { path: file.to_owned(), source })?;
    if start == MAGIC {
        return Ok(());
    }
    let found = match start.as_slice() {
        [] => "an empty file",
        [b'P', b'K', ..] => "a zip archive: from a .npz, save the one array with numpy.save",
        [0x1f, 0x8b, ..] => "a gzip file: unpack it first",
        _ => "a file of another kind",
    };
    Err(Error::input(file, "a .npy file, as numpy.save writes it", found))
}

/// The number of components and the bytes of each.
fn check_header(file: &str, npy: &npyz::NpyHeader, items: &Items) -> Result<(usize, u64)> {
    let wrong = |field: &str, expected: String, found: String| {
        Err(Error::input(format!("{file}: {field}"), expected, found))
    };
    let bytes = match npy.dtype() {
        DType::Plain(t) if t.type_char() == TypeChar::Float => t.size_field(),
        _ => 0,
    };
    if !matches!(bytes, 2 | 4 | 8) {
        let expected = "f2, f4 or f8: save it as array.astype(\"float32\")".to_owned();
        let found = match npy.uses_pickled_array() {
            true => "an array of Python objects, which is never unpickled".to_owned(),
            false => npy.dtype().descr(),
        };
        return wrong("dtype", expected, found);
    }
    let shape = npy.shape();
    let &[n_rows, dim] = shape else {
        let expected = "two dimensions, (items, components)".to_owned();
        return wrong("shape", expected, format!("{shape:?}"));
    };
    if npy.order() == Order::Fortran && n_rows > 1 && dim > 1 {
        let expected = "C order: save numpy.ascontiguousarray(array)".to_owned();
        return wrong("order", expected, "Fortran order".into());
    }
    if n_rows != items.n_rows as u64 {
        let expected = format!("{} rows, one for each item line of {}", items.n_rows, items.file);
        return wrong("shape", expected, n_rows.to_string());
    }
    if !(1..=MAX_DIM as u64).contains(&dim) {
        return wrong("shape", format!("1 to {MAX_DIM} components"), dim.to_string());
    }
    Ok((dim as usize, bytes))
}

struct Reading<'a> {
    file: &'a str,
    items: &'a Items,
    metric: Metric,
    bad_vectors: BadVectors,
    dim: usize,
    progress: &'a mut dyn FnMut(u64),
}

impl Reading<'_> {
    /// The kept rows, and the positions of the items whose vectors are bad.
    fn read<T: Deserialize, R: Read>(
        &mut self,
        npy: NpyFile<R>,
        to_f64: impl Fn(T) -> f64,
    ) -> Result<(Vec<f32>, Vec<usize>)> {
        let mut reader = npy
            .data::<T>()
            .map_err(|e| Error::input(format!("{}: dtype", self.file), "f2, f4 or f8", e))?;
        let mut values = Vec::with_capacity(self.items.len() * self.dim);
        let mut bad = Vec::new();
        let mut row_values = vec![0.0; self.dim];
        let mut wanted = self.items.rows.iter().copied().enumerate().peekable();
        let mut n_read = 0;
        for row in 0..self.items.n_rows {
            for x in &mut row_values {
                *x = match reader.next() {
                    Some(Ok(x)) => to_f64(x),
                    Some(Err(error)) if error.kind() != io::ErrorKind::UnexpectedEof => {
                        return Err(Error::Io { path: self.file.to_owned(), source: error });
                    }
                    _ => {
                        let place = format!("{}: row {row}", self.file);
                        let expected = format!("{} rows of {}", self.items.n_rows, self.dim);
                        return Err(Error::input(place, expected, "the end of the file"));
                    }
                };
            }
            n_read += self.dim;
            if n_read >= VALUES_A_REPORT {
                (self.progress)((row * self.dim * size_of::<T>()) as u64);
                n_read = 0;
            }
            let Some((position, _)) = wanted.next_if(|(_, r)| *r == row) else { continue };
            match self.check(&row_values) {
                None => values.extend(row_values.iter().map(|x| *x as f32)),
                Some(_) if self.bad_vectors == BadVectors::Drop => bad.push(position),
                Some((field, expected, found)) => {
                    let place = format!("{}: row {row}{field}", self.file);
                    let expected = format!("{expected} (or --bad-vectors drop)");
                    let id = &self.items.table.ids[position];
                    let item = self.items.place(position);
                    let found = format!("{found}, for item {id:?} of {item}");
                    return Err(Error::input(place, expected, found));
                }
            }
        }
        Ok((values, bad))
    }

    /// What is wrong with a vector: place, expected, found.
    fn check(&self, row: &[f64]) -> Option<(String, &'static str, String)> {
        // Written so that NaN fails it too.
        if let Some(j) = row.iter().position(|x| !(x.abs() <= MAX_COMPONENT)) {
            let expected = "finite numbers within ±1e15";
            return Some((format!(", column {j}"), expected, row[j].to_string()));
        }
        let squared = |x: &f64| f64::from(*x as f32) * f64::from(*x as f32);
        let length = row.iter().map(squared).sum::<f64>().sqrt();
        if self.metric == Metric::Cosine && length < MIN_LENGTH {
            let expected = "a direction, since the metric is cosine";
            return Some((String::new(), expected, "a vector of zeros".into()));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use npyz::WriterBuilder as _;

    fn items(n: usize) -> Items {
        let mut items = Items { file: "items.jsonl".into(), n_rows: n, ..Items::default() };
        items.table.ids = (0..n).map(|i| format!("id{i}")).collect();
        items.rows = (0..n).collect();
        items.lines = (1..=n as u64).collect();
        items
    }

    fn npy<T: npyz::Serialize + npyz::AutoSerialize>(
        shape: &[u64],
        order: Order,
        values: Vec<T>,
    ) -> Vec<u8> {
        let mut bytes = Vec::new();
        let options = npyz::WriteOptions::new().default_dtype().shape(shape).order(order);
        let mut writer = options.writer(&mut bytes).begin_nd().unwrap();
        writer.extend(values).unwrap();
        writer.finish().unwrap();
        bytes
    }

    fn read(bytes: &[u8], items: &mut Items, metric: Metric, bad: BadVectors) -> Result<Vectors> {
        let mut file = tempfile::Builder::new().suffix(".npy").tempfile().unwrap();
        io::Write::write_all(&mut file, bytes).unwrap();
        let result = read_vectors(file.path(), items, metric, bad, &mut |_| {});
        let name = file.path().display().to_string();
        result.map_err(|e| Error::input(e.to_string().replace(&name, "v.npy"), "", ""))
    }

    fn message(bytes: &[u8], n: usize) -> String {
        let error = read(bytes, &mut items(n), Metric::Cosine, BadVectors::Error).unwrap_err();
        error.to_string().replace(": expected , found ", "")
    }

    #[test]
    fn every_float_kind_is_read() {
        let expected = vec![1.0f32, -0.5, 2.0, 0.25];
        let f2 = expected.iter().map(|x| f16::from_f32(*x)).collect();
        let f8 = expected.iter().map(|x| f64::from(*x)).collect();
        for bytes in [
            npy::<f16>(&[2, 2], Order::C, f2),
            npy::<f32>(&[2, 2], Order::C, expected.clone()),
            npy::<f64>(&[2, 2], Order::C, f8),
        ] {
            let vectors = read(&bytes, &mut items(2), Metric::Cosine, BadVectors::Error).unwrap();
            assert_eq!(vectors.embeddings, Embeddings { dim: 2, values: expected.clone() });
        }
    }

    #[test]
    fn headers_that_do_not_fit_are_refused() {
        let zeros = vec![0f32; 4];
        for (bytes, n, expected) in [
            (
                npy(&[2, 2], Order::Fortran, zeros.clone()),
                2,
                "v.npy: order: expected C order: save numpy.ascontiguousarray(array), found Fortran order",
            ),
            (
                npy(&[2, 2], Order::C, zeros.clone()),
                3,
                "v.npy: shape: expected 3 rows, one for each item line of items.jsonl, found 2",
            ),
            (
                npy(&[4], Order::C, zeros.clone()),
                4,
                "v.npy: shape: expected two dimensions, (items, components), found [4]",
            ),
            (
                npy(&[2, 0], Order::C, Vec::<f32>::new()),
                2,
                "v.npy: shape: expected 1 to 4096 components, found 0",
            ),
            (
                npy(&[2, 2], Order::C, vec![1i32; 4]),
                2,
                "v.npy: dtype: expected f2, f4 or f8: save it as array.astype(\"float32\"), found '<i4'",
            ),
            (
                b"PK\x03\x04....".to_vec(),
                1,
                "v.npy: expected a .npy file, as numpy.save writes it, found a zip archive: from a .npz, save the one array with numpy.save",
            ),
            (
                Vec::new(),
                1,
                "v.npy: expected a .npy file, as numpy.save writes it, found an empty file",
            ),
        ] {
            assert_eq!(message(&bytes, n), expected);
        }
        let mut object = npy(&[2, 2], Order::C, vec![1f32; 4]);
        let at = object.windows(3).position(|w| w == b"<f4").unwrap();
        object[at..at + 3].copy_from_slice(b"|O'");
        object[at + 3] = b' ';
        assert!(message(&object, 2).contains("never unpickled"), "{}", message(&object, 2));
        let mut short = npy(&[2, 2], Order::C, vec![1f32; 4]);
        short.pop();
        assert_eq!(
            message(&short, 2),
            "v.npy: row 1: expected 2 rows of 2, found the end of the file"
        );
        let mut long = npy(&[2, 2], Order::C, vec![1f32; 4]);
        long.push(0);
        assert_eq!(
            message(&long, 2),
            "v.npy: expected 2 rows of 2 and nothing behind them, found more bytes"
        );
    }

    #[test]
    fn bad_rows_are_named_or_dropped() {
        let bytes = npy(&[3, 2], Order::C, vec![1f32, 0.0, 0.0, 0.0, f32::NAN, 1.0]);
        assert_eq!(
            message(&bytes, 3),
            "v.npy: row 1: expected a direction, since the metric is cosine (or --bad-vectors \
             drop), found a vector of zeros, for item \"id1\" of items.jsonl:2"
        );
        let mut kept = items(3);
        let vectors = read(&bytes, &mut kept, Metric::Cosine, BadVectors::Drop).unwrap();
        assert_eq!((vectors.n_dropped, vectors.embeddings.values), (2, vec![1.0, 0.0]));
        assert_eq!(kept.table.ids, ["id0"]);
        let error = read(&bytes, &mut items(3), Metric::Euclidean, BadVectors::Error).unwrap_err();
        assert!(error.to_string().contains("row 2, column 0"), "{error}");
    }

    #[test]
    fn rows_belong_to_lines_before_duplicates_are_dropped() {
        let bytes = npy(&[3, 1], Order::C, vec![1f32, 2.0, 3.0]);
        let mut deduplicated = items(3);
        deduplicated.remove(&[1]);
        let vectors = read(&bytes, &mut deduplicated, Metric::Cosine, BadVectors::Error).unwrap();
        assert_eq!(vectors.embeddings.values, [1.0, 3.0]);
    }
}
