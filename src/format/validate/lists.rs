//! Sections *lists* and *blocks*.

use super::ensure;
use crate::error::Result;
use crate::format::layout::{LevelLayout, ListsLayout, Span};
use crate::format::sections::{ArchivedLevel, ArchivedLists, NO_REACH, Probes, SectionKind};
use crate::kernel::code::{
    BLOCK, MAX_SCALE_BASE, centroid_block_bytes, n_blocks, prefix_block_bytes,
};
use crate::metric::Metric;

/// Sizes of the lists' arrays, and what was measured.
pub(super) fn lists_layout(
    archive: &[u8],
    lists: &ArchivedLists,
    n: usize,
    dim: usize,
    metric: Metric,
) -> Result<ListsLayout> {
    const LISTS: SectionKind = SectionKind::Lists;
    let blocks_a_list = lists.blocks_a_list.to_native();
    ensure(blocks_a_list.is_power_of_two(), LISTS, "a list has a power of two of blocks")?;
    // An archive without items has one empty list.
    let n_lists = n_blocks(n).div_ceil(blocks_a_list as usize).max(1);
    let level =
        level_layout(archive, &lists.level, n_lists, centroid_block_bytes(dim), metric, LISTS)?;
    let layout = ListsLayout {
        level,
        probes: lists
            .probes
            .iter()
            .map(|p| Probes {
                k: p.k.to_native(),
                share: p.share.to_native(),
                n_lists: p.n_lists.to_native(),
                n_blocks: p.n_blocks.to_native(),
                reach: p.reach.to_native(),
            })
            .collect(),
        n_lists,
        shift: blocks_a_list.ilog2(),
        recall: lists.recall.to_native(),
        code_recall: lists.code_recall.to_native(),
        margin: lists.margin.to_native(),
        filtered_margin: lists.filtered_margin.to_native(),
        radius_share: lists.radius_share.to_native(),
    };
    let is_share = |x: f32| (0.0..=1.0).contains(&x);
    ensure(layout.probes.len() <= 256, LISTS, "at most 256 measurements")?;
    let shares = layout.probes.iter().all(|p| is_share(p.share));
    let measured = [layout.recall, layout.code_recall, layout.radius_share];
    let shares = shares && measured.into_iter().all(is_share);
    ensure(shares, LISTS, "shares are within 0 to 1")?;
    let margins = [layout.margin, layout.filtered_margin].into_iter();
    check_finite(margins.chain(layout.probes.iter().map(|p| p.reach)), LISTS)?;
    Ok(layout)
}

/// Sizes of the blocks' arrays.
pub(super) fn blocks_layout(
    archive: &[u8],
    blocks: &ArchivedLevel,
    n: usize,
    dim: usize,
    metric: Metric,
) -> Result<LevelLayout> {
    let bytes = prefix_block_bytes(dim);
    level_layout(archive, blocks, n_blocks(n), bytes, metric, SectionKind::Blocks)
}

/// `n` centroids, 32 of which have codes of `block_bytes`.
fn level_layout(
    archive: &[u8],
    level: &ArchivedLevel,
    n: usize,
    block_bytes: usize,
    metric: Metric,
    section: SectionKind,
) -> Result<LevelLayout> {
    let lanes = n_blocks(n) * BLOCK;
    let bytes = n_blocks(n) as u64 * block_bytes as u64;
    ensure(level.codes.len() as u64 == bytes, section, "every list and block has a centroid")?;
    ensure(level.scales.len() == lanes, section, "every centroid has a scale")?;
    ensure(level.spreads.len() == lanes, section, "every centroid has a spread")?;
    let norms = if metric == Metric::Euclidean { lanes } else { 0 };
    ensure(level.norms.len() == norms, section, "norms are there if needed")?;
    let layout = LevelLayout {
        codes: Span::locate(archive, &level.codes),
        scales: Span::locate(archive, &level.scales),
        norms: Span::locate(archive, &level.norms),
        spreads: Span::locate(archive, &level.spreads),
        scale_base: level.scale_base.to_native(),
        norm_base: level.norm_base.to_native(),
        spread_base: level.spread_base.to_native(),
        reach: level.reach.to_native(),
        optimism: level.optimism.to_native(),
    };
    let bases = [layout.scale_base, layout.norm_base, layout.spread_base];
    let fit = bases.iter().all(|base| (1..=MAX_SCALE_BASE).contains(base));
    ensure(fit, section, "scale bases are within 1 to 150")?;
    check_finite([layout.reach, layout.optimism].into_iter(), section)?;
    Ok(layout)
}

fn check_finite(mut values: impl Iterator<Item = f32>, section: SectionKind) -> Result<()> {
    let finite = values.all(|x| (0.0..=NO_REACH).contains(&x));
    ensure(finite, section, "margins, reach and optimism are finite and not negative")
}
