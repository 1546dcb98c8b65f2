//! The one error type of the crate, and the stable codes under which errors reach JavaScript.
//!
//! Every variant names the place (a field, a section, a line), what was `expected`, what was
//! `found`, and, where there is one, the remedy.

use std::fmt;

/// Result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The closed list of error codes. The strings never change; TypeScript mirrors them as a union.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// A request is malformed: an option, an id, a vector.
    Arg,
    /// A `where` expression does not compile.
    Filter,
    /// Bytes that are not a valid archive.
    Corrupt,
    /// An archive of a format version this build does not read.
    Version,
    /// A valid archive that asks for something this build does not have.
    Unsupported,
    /// What was asked for has not arrived yet.
    NotReady,
    /// Memory could not be reserved.
    Memory,
    /// The numeric engine cannot answer (for example a matrix that is not positive definite).
    Engine,
    /// A profile log that cannot be read.
    Store,
    /// The builder's input is wrong.
    Input,
}

impl ErrorCode {
    /// The stable string, for example `"E_CORRUPT"`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Arg => "E_ARG",
            Self::Filter => "E_FILTER",
            Self::Corrupt => "E_CORRUPT",
            Self::Version => "E_VERSION",
            Self::Unsupported => "E_UNSUPPORTED",
            Self::NotReady => "E_NOT_READY",
            Self::Memory => "E_MEMORY",
            Self::Engine => "E_ENGINE",
            Self::Store => "E_STORE",
            Self::Input => "E_INPUT",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What went wrong, where, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A request's argument is wrong.
    #[error("{path}: expected {expected}, found {found}")]
    Arg {
        /// The argument, as a path into the request: `k`, `vector[3]`, `where`.
        path: String,
        /// What the argument must be.
        expected: String,
        /// What it was.
        found: String,
    },
    /// A `where` expression is wrong.
    #[error("where, at character {position}: expected {expected}, found {found}")]
    Filter {
        /// Position of the first wrong character, counted in characters from 0.
        position: usize,
        /// What would be right here.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// The bytes are not a valid archive.
    #[error("corrupt archive: {section}: {check}; fetch or build the archive again")]
    Corrupt {
        /// The part of the archive: `header`, `section table`, or a section's name.
        section: &'static str,
        /// The rule that does not hold.
        check: &'static str,
    },
    /// The archive's format version is outside what this build reads.
    #[error(
        "archive format version {found} is outside {oldest}..={newest}, which this build reads; \
         build the archive again, or use a release that reads it"
    )]
    Version {
        /// Version in the archive's header.
        found: u32,
        /// Oldest version this build reads.
        oldest: u32,
        /// Newest version this build reads.
        newest: u32,
    },
    /// The archive or request needs something that is not there.
    #[error("{what} is not supported here; {remedy}")]
    Unsupported {
        /// What is missing.
        what: String,
        /// What to do instead.
        remedy: String,
    },
    /// A part of the archive is needed that is still being loaded.
    #[error("section {section} has not arrived yet; ask again when more is loaded")]
    NotReady {
        /// The section.
        section: &'static str,
    },
    /// Memory was refused. Nothing was changed.
    #[error(
        "cannot reserve {needed_bytes} bytes of memory; close other archives or use a smaller one"
    )]
    Memory {
        /// Bytes that were asked for.
        needed_bytes: u64,
    },
    /// The numbers do not allow an answer.
    #[error("{operation}: {reason}; {remedy}")]
    Engine {
        /// What was being computed.
        operation: &'static str,
        /// Why it cannot be.
        reason: &'static str,
        /// What to change.
        remedy: &'static str,
    },
    /// A profile log is unreadable.
    #[error("profile log {place}: expected {expected}, found {found}")]
    Store {
        /// The file, and the byte where something is wrong, counted from 0.
        place: String,
        /// What must stand there, with the remedy.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// The builder's input is wrong.
    #[error("{place}: expected {expected}, found {found}")]
    Input {
        /// File, line and field, for example `films.jsonl:12: year`.
        place: String,
        /// What is needed there, with the remedy.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// A file could not be read or written.
    #[cfg(not(target_arch = "wasm32"))]
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// The system's own error.
        #[source]
        source: std::io::Error,
    },
}

impl Error {
    /// The stable code of this error.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Arg { .. } => ErrorCode::Arg,
            Self::Filter { .. } => ErrorCode::Filter,
            Self::Corrupt { .. } => ErrorCode::Corrupt,
            Self::Version { .. } => ErrorCode::Version,
            Self::Unsupported { .. } => ErrorCode::Unsupported,
            Self::NotReady { .. } => ErrorCode::NotReady,
            Self::Memory { .. } => ErrorCode::Memory,
            Self::Engine { .. } => ErrorCode::Engine,
            Self::Store { .. } => ErrorCode::Store,
            Self::Input { .. } => ErrorCode::Input,
            #[cfg(not(target_arch = "wasm32"))]
            Self::Io { .. } => ErrorCode::Input,
        }
    }

    /// An [`Error::Arg`] from anything that can be shown.
    #[cold]
    #[inline(never)]
    pub fn arg(
        path: impl Into<String>,
        expected: impl Into<String>,
        found: impl fmt::Display,
    ) -> Self {
        Self::Arg { path: path.into(), expected: expected.into(), found: found.to_string() }
    }

    /// The same error, told where in a request the program stands that it is about. Other errors
    /// stay as they are.
    #[must_use]
    pub(crate) fn within(self, path: &str) -> Self {
        match self {
            Self::Filter { position, expected, found } => {
                Self::Filter { position, expected: format!("{expected} (in {path})"), found }
            }
            other => other,
        }
    }

    /// An [`Error::Corrupt`].
    #[must_use]
    pub const fn corrupt(section: &'static str, check: &'static str) -> Self {
        Self::Corrupt { section, check }
    }

    /// An [`Error::Input`] from anything that can be shown.
    pub fn input(
        place: impl Into<String>,
        expected: impl Into<String>,
        found: impl fmt::Display,
    ) -> Self {
        Self::Input { place: place.into(), expected: expected.into(), found: found.to_string() }
    }
}

/// A piece of the caller's text inside a message: between quotes, cut after 80 characters. (Not
/// `{:?}`, whose tables of printable characters weigh more than most of this crate.)
#[must_use]
#[cold]
#[inline(never)]
pub fn quoted(text: &str) -> String {
    let cut = text.char_indices().nth(80).and_then(|(end, _)| text.get(..end));
    match cut {
        None => format!("\"{text}\""),
        Some(cut) => format!("\"{cut}...\""),
    }
}

/// A number inside a message, to about six digits. (Not `{}` of floats, whose shortest exact
/// digits take 20 kB of WebAssembly.)
pub struct Number(pub f64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let x = self.0;
        if x.is_nan() {
            return f.write_str("NaN");
        }
        if x < 0.0 {
            f.write_str("-")?;
        }
        let mut rest = x.abs();
        if rest.is_infinite() {
            return f.write_str("infinity");
        }
        let mut exponent = 0;
        if rest != 0.0 && !(1e-4..1e15).contains(&rest) {
            while rest >= 10.0 {
                rest /= 10.0;
                exponent += 1;
            }
            while rest < 1.0 {
                rest *= 10.0;
                exponent -= 1;
            }
        }
        let millionths = if rest < 1e9 { (rest * 1e6).round() as u64 } else { 0 };
        let whole = if rest < 1e9 { millionths / 1_000_000 } else { rest as u64 };
        write!(f, "{whole}")?;
        let fraction = millionths % 1_000_000;
        if fraction > 0 {
            let digits = format!("{fraction:06}");
            write!(f, ".{}", digits.trim_end_matches('0'))?;
        }
        if exponent != 0 { write!(f, "e{exponent}") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn numbers_read_well() {
        for (x, text) in [
            (0.0, "0"),
            (-3.0, "-3"),
            (7.4, "7.4"),
            (1e12, "1000000000000"),
            (1.5e20, "1.5e20"),
            (2.5e-7, "2.5e-7"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-infinity"),
        ] {
            assert_eq!(Number(x).to_string(), text);
        }
        assert_eq!(quoted(&"x".repeat(81)), format!("\"{}...\"", "x".repeat(80)));
    }
}
