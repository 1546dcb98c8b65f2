//! Section *model*.

use super::{ensure, in_range};
use crate::error::{Error, Result};
use crate::format::MAX_NU;
use crate::format::sections::{ArchivedModel, Fold, SectionKind};
use crate::kernel::code::{CODE_BITS, MAX_SCALE_BASE};
use crate::kernel::rotation::sign_bytes;
use crate::metric::Metric;

const MODEL: SectionKind = SectionKind::Model;

/// The model's numbers are what every score is made of: each must be finite and in range.
pub(super) fn check_model(model: &ArchivedModel, dim: usize) -> Result<(Metric, Fold)> {
    let Some(metric) = Metric::from_code(model.metric.to_native()) else {
        return Err(Error::corrupt(MODEL.as_str(), "the metric is a known one"));
    };
    let Some(fold) = Fold::from_code(model.fold.to_native()) else {
        return Err(Error::corrupt(MODEL.as_str(), "the fold-in convention is a known one"));
    };
    let bits = model.code_bits.to_native();
    ensure(CODE_BITS.contains(&bits), MODEL, "codes have 5 to 8 bits")?;
    for base in [model.scale_base.to_native(), model.norm_base.to_native()] {
        ensure((1..=MAX_SCALE_BASE).contains(&base), MODEL, "scale bases are within 1 to 150")?;
    }
    let (alpha, lambda) = (model.alpha.to_native(), model.lambda.to_native());
    ensure(in_range(alpha) && alpha > 0.0, MODEL, "alpha is positive and finite")?;
    ensure(in_range(lambda) && lambda >= 0.0, MODEL, "lambda is finite and not negative")?;
    ensure((0.0..=MAX_NU).contains(&model.nu.to_native()), MODEL, "nu is within 0 to 4")?;
    ensure(
        model.signs.len() == sign_bytes(dim),
        MODEL,
        "there is one sign a round and dimension",
    )?;
    ensure(model.centre.len() == dim, MODEL, "the centre has dim components")?;
    let finite = model.centre.iter().all(|x| in_range(x.to_native()));
    ensure(finite, MODEL, "the centre is finite")?;
    ensure(model.gram.len() == dim * (dim + 1) / 2, MODEL, "the Gram matrix has dim rows")?;
    let finite = model.gram.iter().all(|x| x.to_native().is_finite());
    ensure(finite, MODEL, "the Gram matrix is finite")?;
    Ok((metric, fold))
}
