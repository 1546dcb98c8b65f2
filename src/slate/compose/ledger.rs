//! Who may still be placed: the book that caps, quotas, pools and pins keep together.

use super::rules::{Candidates, Rules, Values};
use super::trace::Why;

/// Where a candidate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Competes for every place.
    Open,
    /// Below the floor: for pools alone.
    Below,
    /// Not ranked: for pools alone.
    Extra,
    /// Waits for the position it is pinned to.
    Pinned,
    /// In the list.
    Placed,
    /// On an earlier page.
    Shown,
    /// A value of it came as often as this cap allows.
    Capped(usize),
    /// This quota has its most.
    Full(usize),
}

/// Counts of one cap.
struct Counts {
    /// For each entry of [`Values::codes`] the number of its value, dense from 0.
    values: Vec<u32>,
    /// Candidates by value: those of value `v` are `holders[starts[v]..starts[v + 1]]`.
    starts: Vec<u32>,
    holders: Vec<u32>,
    /// How often each value came.
    used: Vec<usize>,
}

impl Counts {
    fn new(values: Values<'_>, n: usize) -> Self {
        let numbers = number(values.codes);
        let n_values = numbers.iter().map(|&v| v as usize + 1).max().unwrap_or(0);
        let mut starts = vec![0; n_values + 1];
        for &v in &numbers {
            starts[v as usize + 1] += 1;
        }
        for v in 0..n_values {
            starts[v + 1] += starts[v];
        }
        let (mut next, mut holders) = (starts.clone(), vec![0; numbers.len()]);
        for i in 0..n {
            for at in values.starts[i]..values.starts[i + 1] {
                let place = &mut next[numbers[at as usize] as usize];
                holders[*place as usize] = i as u32;
                *place += 1;
            }
        }
        Self { values: numbers, starts, holders, used: vec![0; n_values] }
    }

    fn holders(&self, value: u32) -> std::ops::Range<usize> {
        self.starts[value as usize] as usize..self.starts[value as usize + 1] as usize
    }
}

/// Gives equal codes equal numbers, dense from 0 in order of appearance: a table with open
/// addressing, of fixed hashes, so that nothing depends on a seed.
fn number(codes: &[u32]) -> Vec<u32> {
    const FREE: u32 = u32::MAX;
    let size = (2 * codes.len()).next_power_of_two().max(2);
    let shift = 32 - size.trailing_zeros();
    let mut table = vec![(0, FREE); size];
    let mut n_numbers = 0;
    let mut number_of = |code: u32| {
        // Fibonacci hashing (Knuth, volume 3, section 6.4).
        let mut at = (code.wrapping_mul(0x9e37_79b9) >> shift) as usize;
        loop {
            let (found, number) = table[at];
            if number == FREE {
                table[at] = (code, n_numbers);
                n_numbers += 1;
                return n_numbers - 1;
            }
            if found == code {
                return number;
            }
            at = (at + 1) % size;
        }
    };
    codes.iter().map(|&code| number_of(code)).collect()
}

/// What a group has and can still get.
#[derive(Clone, Copy, Default)]
struct Tally {
    /// Members that were counted.
    have: usize,
    /// Members that may still be placed.
    supply: usize,
}

/// The book.
pub(super) struct Ledger<'a> {
    rules: &'a Rules<'a>,
    states: Vec<State>,
    caps: Vec<Counts>,
    quotas: Vec<Tally>,
    /// For each pool the members that may still be placed, and its positions to come.
    pools: Vec<(usize, usize)>,
    /// Whether every place left is needed by a quota.
    is_tight: bool,
}

impl<'a> Ledger<'a> {
    pub(super) fn new(
        candidates: &Candidates<'_>,
        rules: &'a Rules<'a>,
        relevance: &[f64],
    ) -> Self {
        let state = |(i, &relevance): (usize, &f64)| match () {
            () if i >= candidates.n_ranked => State::Extra,
            () if relevance < rules.floor => State::Below,
            () => State::Open,
        };
        let states: Vec<State> = relevance.iter().enumerate().map(state).collect();
        let supply = |members: &[bool], may: fn(State) -> bool| {
            members.iter().zip(&states).filter(|&(&m, &s)| m && may(s)).count()
        };
        let quotas = rules.quotas.iter();
        let quotas = quotas.map(|q| Tally { have: 0, supply: supply(q.members, is_open) });
        let pools = rules.pools.iter();
        let pools = pools.map(|p| (supply(p.members, is_eligible), p.positions.len()));
        let (quotas, pools) = (quotas.collect(), pools.collect());
        let caps = rules.caps.iter().map(|cap| Counts::new(cap.values, states.len())).collect();
        let mut ledger = Self { rules, states, caps, quotas, pools, is_tight: false };
        for q in 0..rules.quotas.len() {
            ledger.close_if_full(q);
        }
        for &shown in rules.before {
            if ledger.states[shown] != State::Shown {
                ledger.take(shown, State::Shown);
                ledger.count(shown);
            }
        }
        // Pins are counted before anything is placed: a cap is kept over the whole list, also
        // where the pin comes last.
        for pin in rules.pins {
            if ledger.states[pin.candidate] != State::Shown {
                ledger.take(pin.candidate, State::Pinned);
                ledger.count(pin.candidate);
            }
        }
        ledger
    }

    pub(super) fn state(&self, i: usize) -> State {
        self.states[i]
    }

    /// Whether a candidate can never be taken again, except by its pin.
    pub(super) fn is_gone(&self, i: usize) -> bool {
        !is_eligible(self.states[i])
    }

    /// Places a candidate.
    pub(super) fn place(&mut self, i: usize) {
        let was_counted = self.states[i] == State::Pinned;
        self.take(i, State::Placed);
        if !was_counted {
            self.count(i);
        }
    }

    /// Takes a candidate out of what groups can still get.
    fn take(&mut self, i: usize, state: State) {
        let old = std::mem::replace(&mut self.states[i], state);
        if is_open(old) {
            for (quota, tally) in self.rules.quotas.iter().zip(&mut self.quotas) {
                tally.supply -= usize::from(quota.members[i]);
            }
        }
        if is_eligible(old) {
            for (pool, (supply, _)) in self.rules.pools.iter().zip(&mut self.pools) {
                *supply -= usize::from(pool.members[i]);
            }
        }
    }

    /// Counts an item of the list, and closes what is used up by it.
    fn count(&mut self, i: usize) {
        for (c, cap) in self.rules.caps.iter().enumerate() {
            for at in cap.values.starts[i]..cap.values.starts[i + 1] {
                let value = self.caps[c].values[at as usize];
                self.caps[c].used[value as usize] += 1;
                if self.caps[c].used[value as usize] != cap.most {
                    continue;
                }
                for at in self.caps[c].holders(value) {
                    self.close(self.caps[c].holders[at] as usize, State::Capped(c));
                }
            }
        }
        for q in 0..self.quotas.len() {
            if self.rules.quotas[q].members[i] {
                self.quotas[q].have += 1;
                self.close_if_full(q);
            }
        }
    }

    fn close_if_full(&mut self, q: usize) {
        let quota = &self.rules.quotas[q];
        if self.quotas[q].have == quota.most {
            for i in 0..self.states.len() {
                if quota.members[i] {
                    self.close(i, State::Full(q));
                }
            }
        }
    }

    fn close(&mut self, i: usize, state: State) {
        if is_eligible(self.states[i]) {
            self.take(i, state);
        }
    }

    /// How many items a quota lacks.
    #[inline]
    pub(super) fn lacks(&self, q: usize) -> usize {
        self.rules.quotas[q].least.saturating_sub(self.quotas[q].have)
    }

    /// Gets ready for the next place, where `n_free` places that belong to no pin and no pool
    /// are left, this one included.
    pub(super) fn prepare(&mut self, n_free: usize) {
        let wanted = self.quotas.iter().enumerate().map(|(q, t)| self.lacks(q).min(t.supply));
        let wanted: usize = wanted.sum();
        self.is_tight = wanted > 0 && wanted >= n_free;
    }

    /// Gives up on quotas for the next place. `false` where they asked for nothing.
    pub(super) fn relax(&mut self) -> bool {
        std::mem::take(&mut self.is_tight)
    }

    /// A position of a pool is there: it needs one member less kept from now on.
    pub(super) fn begin_slot(&mut self, pool: usize) {
        self.pools[pool].1 -= 1;
    }

    /// Why a candidate cannot have the next place, which belongs to `pool` if to any.
    pub(super) fn refusal(&self, i: usize, pool: Option<usize>) -> Option<Why> {
        let for_pool = pool.is_some_and(|p| self.rules.pools[p].members[i]);
        match self.states[i] {
            State::Open => {}
            State::Below if for_pool => {}
            State::Extra if for_pool => {}
            State::Below => return Some(Why::Floor),
            State::Extra => return Some(Why::Unranked),
            State::Pinned => return Some(Why::Pinned),
            State::Placed | State::Shown => return Some(Why::Shown),
            State::Capped(cap) => return Some(Why::Cap(cap)),
            State::Full(quota) => return Some(Why::Quota(quota)),
        }
        if let Some(pool) = pool.filter(|_| !for_pool) {
            return Some(Why::Pool(pool));
        }
        for (p, &(supply, needed)) in self.pools.iter().enumerate() {
            if Some(p) != pool && needed >= supply && needed > 0 && self.rules.pools[p].members[i]
            {
                return Some(Why::PoolReserve(p));
            }
        }
        if pool.is_some() || !self.is_tight {
            return None;
        }
        let mut lacking = (0..self.quotas.len()).filter(|&q| self.lacks(q) > 0);
        let first = lacking.clone().find(|&q| self.quotas[q].supply > 0)?;
        let helps = lacking.any(|q| self.rules.quotas[q].members[i]);
        (!helps).then_some(Why::QuotaReserve(first))
    }
}

fn is_open(state: State) -> bool {
    state == State::Open
}

fn is_eligible(state: State) -> bool {
    matches!(state, State::Open | State::Below | State::Extra)
}
