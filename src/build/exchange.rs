//! Divisions of one size, improved by exchange.
//!
//! k-means cannot keep its clusters at one size. Here members of two units (items of blocks, or blocks of
//! lists) change places where that brings them nearer to their units' means, in sum, which a step of k-means
//! under a constant size amounts to; then the means are made anew.

use rayon::prelude::*;

use super::rows::{Rows, distance};

/// Times that means are made anew: later ones change little.
const ROUNDS: usize = 6;
/// Units near its own that a member may change to. (Looked for near each member that lies apart from its unit, they
/// leave films a thousandth or four nearer to their means, squared, and searches as they are.)
const NEAR: usize = 64;
/// Units, one behind the other, that are compared as one before each of them is; and how many of such groups near
/// units are looked for in. So the order should be one in which near units are seldom far apart.
const A_GROUP: usize = 32;
const NEAR_GROUPS: usize = 16;
/// Units that a member would like best, which are asked for a change.
const ASKED: usize = 8;

/// Improves an order in which every `unit` rows are one unit, of which the last may have fewer.
pub(super) fn exchange(rows: &Rows<'_>, order: &mut [u32], unit: usize) {
    if unit >= order.len() {
        return;
    }
    let mut near = Vec::new();
    for round in 0..ROUNDS {
        let units = Units::new(rows, order, unit);
        // Units hardly move.
        if round == 0 {
            near = (0..units.len())
                .into_par_iter()
                .map(|u| units.near(units.means().row(u)))
                .collect();
        }
        let wishes = units.wishes(order, &near);
        if !units.grant(wishes, order) {
            break;
        }
    }
    // Rows that are read one after the other lie one after the other.
    order.par_chunks_mut(unit).for_each(<[u32]>::sort_unstable);
}

/// What a member of a unit would gain by a change, best first.
struct Wish {
    member: u32,
    /// Each with the unit.
    gains: Vec<(f32, u32)>,
}

/// Units as they are in one round.
struct Units<'a> {
    rows: &'a Rows<'a>,
    unit: usize,
    means: Vec<f32>,
    /// Of the means of every so many.
    group_means: Vec<f32>,
}

impl<'a> Units<'a> {
    fn new(rows: &'a Rows<'a>, order: &[u32], unit: usize) -> Self {
        let means = |size: usize| -> Vec<f32> {
            order.par_chunks(size).flat_map_iter(|members| rows.mean(members)).collect()
        };
        Self { rows, unit, means: means(unit), group_means: means(unit * A_GROUP) }
    }

    fn means(&self) -> Rows<'_> {
        Rows { values: &self.means, dim: self.rows.dim }
    }

    fn len(&self) -> u32 {
        self.means().len() as u32
    }

    /// The squared distance of a member from a unit's mean.
    fn cost(&self, member: u32, unit: u32) -> f32 {
        distance(self.rows.row(member), self.means().row(unit))
    }

    /// Units near a vector.
    fn near(&self, to: &[f32]) -> Vec<u32> {
        let groups = Rows { values: &self.group_means, dim: self.rows.dim };
        let near = groups.nearest(to, 0..groups.len() as u32, NEAR_GROUPS);
        let of_group = |group: u32| {
            let first = group * A_GROUP as u32;
            first..(first + A_GROUP as u32).min(self.len())
        };
        self.means().nearest(to, near.into_iter().flat_map(of_group), NEAR)
    }

    /// What members wish: those who would gain most first.
    fn wishes(&self, order: &[u32], near: &[Vec<u32>]) -> Vec<Wish> {
        let of_unit = |(own, members): (usize, &[u32])| {
            let own = own as u32;
            let wish = |member: &u32| {
                let own_cost = self.cost(*member, own);
                let mut gains: Vec<(f32, u32)> = near[own as usize]
                    .iter()
                    .map(|other| (own_cost - self.cost(*member, *other), *other))
                    .filter(|(gain, _)| *gain > 0.0)
                    .collect();
                gains.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
                gains.truncate(ASKED);
                (!gains.is_empty()).then_some(Wish { member: *member, gains })
            };
            members.iter().filter_map(wish).collect::<Vec<_>>()
        };
        let mut wishes: Vec<Wish> =
            order.par_chunks(self.unit).enumerate().flat_map_iter(of_unit).collect();
        wishes.sort_unstable_by(|a, b| {
            b.gains[0].0.total_cmp(&a.gains[0].0).then(a.member.cmp(&b.member))
        });
        wishes
    }

    /// Changes of place, each of two members that have not changed in this round. Returns whether there were any.
    fn grant(&self, wishes: Vec<Wish>, order: &mut [u32]) -> bool {
        let mut places = vec![0; self.rows.len()];
        order.iter().enumerate().for_each(|(place, member)| places[*member as usize] = place);
        let mut has_changed = vec![false; self.rows.len()];
        let mut any = false;
        for Wish { member, gains } in wishes {
            if has_changed[member as usize] {
                continue;
            }
            let place = places[member as usize];
            let own = (place / self.unit) as u32;
            let with = |(gain, other): &(f32, u32)| {
                let (gain, unit) = (*gain, *other);
                let first = unit as usize * self.unit;
                let others = &order[first..(first + self.unit).min(order.len())];
                let others = others.iter().filter(|o| !has_changed[**o as usize]);
                others.map(move |o| (gain + self.cost(*o, unit) - self.cost(*o, own), *o))
            };
            let best =
                gains.iter().flat_map(with).max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
            // A little more than rounding.
            if let Some((gain, other)) = best
                && gain > 1e-6 * gains[0].0
            {
                let others_place = places[other as usize];
                order.swap(place, others_place);
                (places[member as usize], places[other as usize]) = (others_place, place);
                (has_changed[member as usize], has_changed[other as usize]) = (true, true);
                any = true;
            }
        }
        any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::synthetic::Generator;

    #[test]
    fn units_come_closer_together_and_keep_their_sizes() {
        let dim = 16;
        for (n, unit) in [(3000, 32), (3001, 7), (40, 32)] {
            let values = Generator::ClusteredV1.base(n, dim, 7);
            let rows = Rows { values: &values, dim };
            let by_chance: Vec<u32> = (0..n as u32).collect();
            let mut order = by_chance.clone();
            exchange(&rows, &mut order, unit);
            let (before, after) = (rows.residual(&by_chance, unit), rows.residual(&order, unit));
            assert!(after < 0.9 * before, "{n} in {unit}: {after} of {before}");
            assert!(order.chunks(unit).all(<[u32]>::is_sorted));
            order.sort_unstable();
            assert_eq!(order, by_chance);
        }
    }

    #[test]
    fn what_cannot_be_improved_stays() {
        let rows = Rows { values: &[0.0, 0.1, 5.0, 5.1, 9.0], dim: 1 };
        let mut order = [0, 1, 2, 3, 4];
        exchange(&rows, &mut order, 2);
        assert_eq!(order, [0, 1, 2, 3, 4]);
        // A member of one unit is in the place of one of the other.
        let rows = Rows { values: &[0.0, 0.1, 0.2, 5.0, 5.1, 5.2], dim: 1 };
        let mut order = [0, 1, 4, 3, 2, 5];
        exchange(&rows, &mut order, 3);
        assert_eq!(order, [0, 1, 2, 3, 4, 5]);
        // Nothing tells equal vectors apart.
        let rows = Rows { values: &[1.0; 100], dim: 1 };
        let mut order: Vec<u32> = (0..100).collect();
        exchange(&rows, &mut order, 32);
        assert!(order.is_sorted());
        exchange(&rows, &mut [], 32);
    }
}
