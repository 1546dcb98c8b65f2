//! Section *neighbours*.

use super::{ensure, in_range};
use crate::error::Result;
use crate::format::layout::{NeighboursLayout, Span};
use crate::format::sections::{ArchivedNeighbours, NeighboursKind, SectionKind};
use crate::kernel::code::MAX_SCALE_BASE;

const NEIGHBOURS: SectionKind = SectionKind::Neighbours;

/// Sizes of the arrays of weights between items. Positions and ordinals inside them are not looked
/// at here.
pub(super) fn neighbours_layout(
    archive: &[u8],
    neighbours: &ArchivedNeighbours,
    n: usize,
) -> Result<NeighboursLayout> {
    let (code, width) = (neighbours.kind.to_native(), neighbours.width.to_native() as usize);
    let kind = NeighboursKind::from_code(code);
    ensure(kind.is_some() || code == 0, NEIGHBOURS, "their kind is a known one")?;
    let widths: &[usize] = if kind.is_some() { &[2, 3, 4] } else { &[0] };
    ensure(widths.contains(&width), NEIGHBOURS, "an ordinal has 2 to 4 bytes")?;
    let (starts, scales) = if kind.is_some() { (n + 1, n) } else { (0, 0) };
    ensure(neighbours.starts.len() == starts, NEIGHBOURS, "there are n + 1 starts")?;
    ensure(neighbours.scales.len() == scales, NEIGHBOURS, "there is one scale an item")?;
    let targets = neighbours.weights.len() as u64 * width as u64;
    ensure(neighbours.targets.len() as u64 == targets, NEIGHBOURS, "each weight has a target")?;
    ensure(kind.is_some() || neighbours.weights.is_empty(), NEIGHBOURS, "weights have a kind")?;
    let base = neighbours.scale_base.to_native();
    ensure((1..=MAX_SCALE_BASE).contains(&base), NEIGHBOURS, "scale bases are within 1 to 150")?;
    let (beta, regularisation) =
        (neighbours.beta.to_native(), neighbours.regularisation.to_native());
    let holds = in_range(beta) && beta >= 0.0 && in_range(regularisation);
    ensure(holds, NEIGHBOURS, "beta and regularisation are finite, beta is not negative")?;
    Ok(NeighboursLayout {
        kind,
        beta,
        regularisation,
        m: neighbours.m.to_native(),
        width,
        scale_base: base,
        starts: Span::locate(archive, &neighbours.starts),
        targets: Span::locate(archive, &neighbours.targets),
        weights: Span::locate(archive, &neighbours.weights),
        scales: Span::locate(archive, &neighbours.scales),
    })
}
