//! Sections *lists* and *blocks*.

use super::ensure;
use crate::error::Result;
use crate::format::layout::{BlocksLayout, ListsLayout, Span};
use crate::format::sections::{ArchivedBlocks, ArchivedLists, Probes, SectionKind};
use crate::kernel::code::{
    BLOCK, MAX_SCALE_BASE, centroid_block_bytes, n_blocks, prefix_block_bytes,
};
use crate::metric::Metric;

const LISTS: SectionKind = SectionKind::Lists;
const BLOCKS: SectionKind = SectionKind::Blocks;

/// Sizes of the lists' arrays, and that the lists divide the blocks among them. Lists are few (one
/// for about five hundred items), so their starts are looked at one by one.
pub(super) fn lists_layout(
    archive: &[u8],
    lists: &ArchivedLists,
    n: usize,
    dim: usize,
    metric: Metric,
) -> Result<ListsLayout> {
    let n_lists = lists.starts.len().saturating_sub(1);
    ensure(n_lists > 0, LISTS, "there is a list")?;
    let first = lists.starts[0].to_native();
    let last = lists.starts[n_lists].to_native();
    ensure(first == 0 && last as usize == n_blocks(n), LISTS, "the lists hold all blocks")?;
    let sorted = lists.starts.windows(2).all(|w| w[0] <= w[1]);
    ensure(sorted, LISTS, "a list begins where the one before it ends")?;
    let lanes = n_blocks(n_lists) * BLOCK;
    let bytes = n_blocks(n_lists) as u64 * centroid_block_bytes(dim) as u64;
    ensure(lists.codes.len() as u64 == bytes, LISTS, "there is one centroid a list")?;
    ensure(lists.scales.len() == lanes, LISTS, "there is one scale a list")?;
    ensure(lists.spreads.len() == lanes, LISTS, "there is one spread a list")?;
    let norms = if metric == Metric::Euclidean { lanes } else { 0 };
    ensure(lists.norms.len() == norms, LISTS, "norms are there if needed")?;
    let layout = ListsLayout {
        codes: Span::locate(archive, &lists.codes),
        starts: Span::locate(archive, &lists.starts),
        scales: Span::locate(archive, &lists.scales),
        norms: Span::locate(archive, &lists.norms),
        spreads: Span::locate(archive, &lists.spreads),
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
        scale_base: lists.scale_base.to_native(),
        norm_base: lists.norm_base.to_native(),
        spread_base: lists.spread_base.to_native(),
        recall: lists.recall.to_native(),
        code_recall: lists.code_recall.to_native(),
        margin: lists.margin.to_native(),
        filtered_margin: lists.filtered_margin.to_native(),
        reach: lists.reach.to_native(),
        optimism: lists.optimism.to_native(),
    };
    check_bases([layout.scale_base, layout.norm_base, layout.spread_base], LISTS)?;
    let is_share = |x: f32| (0.0..=1.0).contains(&x);
    ensure(layout.probes.len() <= 256, LISTS, "at most 256 measurements")?;
    let shares = layout.probes.iter().all(|p| is_share(p.share));
    let shares = shares && is_share(layout.recall) && is_share(layout.code_recall);
    ensure(shares, LISTS, "shares are within 0 to 1")?;
    let finite = [layout.margin, layout.filtered_margin, layout.reach, layout.optimism];
    let finite = finite.into_iter().chain(layout.probes.iter().map(|p| p.reach));
    check_finite(finite, LISTS)?;
    Ok(layout)
}

/// Sizes of the blocks' arrays.
pub(super) fn blocks_layout(
    archive: &[u8],
    blocks: &ArchivedBlocks,
    n: usize,
    dim: usize,
    metric: Metric,
) -> Result<BlocksLayout> {
    let lanes = n_blocks(n_blocks(n)) * BLOCK;
    let bytes = n_blocks(n_blocks(n)) as u64 * prefix_block_bytes(dim) as u64;
    ensure(blocks.codes.len() as u64 == bytes, BLOCKS, "there is one centroid a block")?;
    ensure(blocks.scales.len() == lanes, BLOCKS, "there is one scale a block")?;
    ensure(blocks.spreads.len() == lanes, BLOCKS, "there is one spread a block")?;
    let norms = if metric == Metric::Euclidean { lanes } else { 0 };
    ensure(blocks.norms.len() == norms, BLOCKS, "norms are there if needed")?;
    let layout = BlocksLayout {
        codes: Span::locate(archive, &blocks.codes),
        scales: Span::locate(archive, &blocks.scales),
        norms: Span::locate(archive, &blocks.norms),
        spreads: Span::locate(archive, &blocks.spreads),
        scale_base: blocks.scale_base.to_native(),
        norm_base: blocks.norm_base.to_native(),
        spread_base: blocks.spread_base.to_native(),
        reach: blocks.reach.to_native(),
        optimism: blocks.optimism.to_native(),
    };
    check_bases([layout.scale_base, layout.norm_base, layout.spread_base], BLOCKS)?;
    check_finite([layout.reach, layout.optimism].into_iter(), BLOCKS)?;
    Ok(layout)
}

fn check_bases(bases: [u32; 3], section: SectionKind) -> Result<()> {
    let fit = bases.iter().all(|base| (1..=MAX_SCALE_BASE).contains(base));
    ensure(fit, section, "scale bases are within 1 to 150")
}

fn check_finite(mut values: impl Iterator<Item = f32>, section: SectionKind) -> Result<()> {
    let finite = values.all(|x| (0.0..=1e18).contains(&x));
    ensure(finite, section, "margins, reach and optimism are finite and not negative")
}
