//! The values of columns as classes: what caps count, and mixes are made of.

use super::column::Column;
use crate::error::{Error, Result, quoted};
use crate::format::FieldKind;
use crate::ids::Ordinal;

impl Column<'_> {
    /// Refuses a column whose values are no classes.
    ///
    /// # Errors
    /// [`Error::Arg`], naming `path`, for a column of reals or texts: two items hardly ever share a
    /// value there.
    pub(crate) fn check_classes(self, path: &str) -> Result<()> {
        match self.kind() {
            FieldKind::Real | FieldKind::Text => Err(Error::arg(
                path,
                "a column of kind flag, category, tags, integer or date",
                format_args!("{} of kind {}", quoted(self.name()), self.kind().as_str()),
            )),
            _ => Ok(()),
        }
    }

    /// Appends the classes of an item to `out`: none where it has no value, several where it has
    /// several tags. Classes are numbers that mean nothing outside their column.
    ///
    /// # Errors
    /// [`Error::Corrupt`] for damaged columns.
    pub(crate) fn classes(self, item: Ordinal, out: &mut Vec<u64>) -> Result<()> {
        if !self.is_present(item) {
            return Ok(());
        }
        match self.kind() {
            FieldKind::Flag => out.push(u64::from(self.flag(item.index()))),
            FieldKind::Tags => out.extend(self.run(item.index())?.map(|at| self.raw(at))),
            FieldKind::Text => {}
            _ => out.push(self.raw(item.index())),
        }
        Ok(())
    }

    /// The class with this name; `None` where no item has it. Of columns with few values: flags,
    /// categories and tags.
    ///
    /// # Errors
    /// [`Error::Corrupt`] for damaged columns.
    pub(crate) fn class_named(self, name: &str) -> Result<Option<u64>> {
        Ok(match self.kind() {
            FieldKind::Flag => ["false", "true"].iter().position(|n| *n == name).map(|c| c as u64),
            _ => self.code(name)?.map(|code| code as u64),
        })
    }
}
