//! The mixes that slates are calibrated to.

use super::bandit::{self, LinTs, Response, Showing, WINDOW_MS, attribute};
use super::make::Maker;
use super::request::{Calibration, Mix};
use crate::catalog::{Catalog, Column, FieldKind};
use crate::error::{Error, Result, quoted};
use crate::ids::Ordinal;

/// The wanted mix over classes of a column: each class once, with a share in some unit. `None`
/// where the person's history says nothing.
pub(super) fn wanted_mix(
    maker: &Maker<'_>,
    calibration: &Calibration,
) -> Result<Option<Vec<(u64, f64)>>> {
    let column = Catalog::new(maker.index).column(&calibration.field)?;
    let mix = match &calibration.target {
        Mix::History => of_history(maker, column)?,
        Mix::Bandit => of_bandit(maker, column)?,
        Mix::Given(shares) => {
            let mut mix = Vec::new();
            for (name, share) in shares {
                let Some(class) = column.class_named(name)? else {
                    let expected = format!("values of {}", quoted(column.name()));
                    return Err(Error::arg("calibration.target", expected, quoted(name)));
                };
                mix.push((class, *share));
            }
            mix
        }
    };
    Ok(mix.iter().any(|(_, share)| *share > 0.0).then_some(mix))
}

/// How much of what the person liked has each value; something of several values belongs to each
/// by an equal share.
fn of_history(maker: &Maker<'_>, column: Column<'_>) -> Result<Vec<(u64, f64)>> {
    let Some(taste) = maker.taste else { return Ok(Vec::new()) };
    let mut mix: Vec<(u64, f64)> = Vec::new();
    let mut classes = Vec::new();
    for liked in taste.history().iter().filter(|h| h.weight > 0.0) {
        classes.clear();
        column.classes(liked.item, &mut classes)?;
        for class in &classes {
            let share = liked.weight * liked.decay / classes.len() as f64;
            match mix.iter_mut().find(|(c, _)| c == class) {
                Some((_, sum)) => *sum += share,
                None => mix.push((*class, share)),
            }
        }
    }
    Ok(mix)
}

/// What a bandit over the values of the column has learned for the request's context.
fn of_bandit(maker: &Maker<'_>, column: Column<'_>) -> Result<Vec<(u64, f64)>> {
    let (index, past) = (maker.index, maker.past);
    let n_arms = match column.kind() {
        FieldKind::Flag => 2,
        FieldKind::Category => column.n_distinct(),
        _ => usize::MAX,
    };
    if n_arms > bandit::MAX_ARMS {
        return Err(Error::arg(
            "calibration.field",
            format!("a flag or a category with at most {} values, for a bandit", bandit::MAX_ARMS),
            quoted(column.name()),
        ));
    }
    let mut showings: Vec<Showing<'_>> = Vec::new();
    let mut last = None;
    for (at_ms, shown, placed) in past.shown() {
        let Some(item) = index.ordinal(&placed.item)? else { continue };
        // Items of one slate come one after the other.
        if last != Some(std::ptr::from_ref(shown)) {
            last = Some(std::ptr::from_ref(shown));
            showings.push(Showing { at_ms, context: &shown.context, items: Vec::new() });
        }
        if let Some(showing) = showings.last_mut() {
            showing.items.push(item);
        }
    }
    let mut responses = Vec::new();
    for (at_ms, item, interaction) in past.for_taste() {
        let weight = interaction.weight.or(interaction.kind.default_weight()).unwrap_or(0.0);
        responses.push(Response { item, at_ms, weight });
    }
    let arm_of = |item: Ordinal| {
        let mut classes = Vec::new();
        column.classes(item, &mut classes).ok()?;
        classes.first().map(|class| *class as usize).filter(|arm| *arm < n_arms)
    };
    let rounds = attribute(&showings, &responses, WINDOW_MS, &arm_of);
    let settings = bandit::Settings::default();
    let now_ms = maker.request.now_ms.unwrap_or(0);
    let bandit = LinTs::replay(n_arms, &rounds, &settings, now_ms)?;
    let mix = bandit.mix(&maker.request.context, maker.request.seed)?;
    Ok((0..).zip(&mix.shares).map(|(class, share)| (class, share.probability)).collect())
}
