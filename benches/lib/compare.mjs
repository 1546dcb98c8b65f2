/** What one contender takes where it finds as much as another. Runs everywhere. */

/** A miss rate below this is none: half of one neighbour in 1,000 answers of ten. */
const NO_MISS = 0.5 / 10_000;

/**
 * A peer's time at a recall, between those of its variants that were measured.
 *
 * Between two of them the time is taken to be a power of the share missed, which is close to a straight line
 * in a plot of both on logarithmic axes. Below the least thorough variant nothing is made up: that
 * variant counts, to our disadvantage.
 *
 * @param results - The peer's results, `{variant, ms, recall}` each.
 * @returns `{ms, variant}`, or `undefined` where the peer does not reach that recall.
 */
export function atEqualRecall(results, recall) {
  const curve = frontier(results);
  const above = curve.findIndex((point) => point.recall >= recall);
  if (above < 1) return above === 0 ? { ms: curve[0].ms, variant: curve[0].variant } : undefined;
  const [low, high] = [curve[above - 1], curve[above]];
  const at = (x) => Math.log(Math.max(1 - x, NO_MISS));
  const span = at(low.recall) - at(high.recall);
  const share = span > 0 ? (at(low.recall) - at(recall)) / span : 1;
  const ms = low.ms * (high.ms / low.ms) ** share;
  return { ms, variant: share === 1 ? high.variant : `${low.variant} to ${high.variant}` };
}

/** The variants that no other one beats in both, the fastest first. */
export function frontier(results) {
  const best = [];
  for (const result of results.toSorted((a, b) => a.ms - b.ms || b.recall - a.recall)) {
    if (best.length === 0 || result.recall > best.at(-1).recall) best.push(result);
  }
  return best;
}

/** Each peer's time over that of each of ours (keys), at the recall that ours has. */
export function ratios(results, ours) {
  const isOurs = ({ peer }) => ours.includes(peer);
  const searches = results.filter(({ recall, below }) => recall !== undefined && below === undefined);
  const others = searches.filter((result) => !isOurs(result));
  return searches.filter(isOurs).flatMap((own) =>
    [...new Set(others.map(({ peer }) => peer))].map((peer) => {
      const theirs = others.filter((result) => result.peer === peer);
      const equal = atEqualRecall(theirs, own.recall);
      const against = `${own.name} ${own.variant}`.trim();
      return { peer: theirs[0].name, variant: equal?.variant, against, ratio: equal && equal.ms / own.ms };
    }),
  );
}

/**
 * What a run asserts: that nobody's answers got worse.
 *
 * @param sets - What was measured, as records have it.
 * @param ours - Keys of the peers whose recall must reach the set's floor.
 * @returns A sentence for each failure.
 */
export function failures(sets, ours) {
  const problems = [];
  for (const set of sets) {
    for (const { host, results = [] } of set.hosts) {
      for (const { peer, name, variant, recall } of results) {
        if (ours.includes(peer) && recall < set.recallFloor) {
          const which = `${name} ${variant}`.trim();
          problems.push(`${set.name}, ${host}: recall of ${which} is ${recall}, below ${set.recallFloor}`);
        }
        // The loop is exact but for its rounding: if it were not, the measuring would be wrong.
        if (peer === "plain-loop" && recall < 0.999) {
          problems.push(`${set.name}, ${host}: the plain loop's recall is ${recall}: the measurement is wrong`);
        }
      }
    }
  }
  return problems;
}

/** The share of the true neighbours that was found. Rows that tie with the last of them count too. */
export function recallOf(lists, truth, k) {
  let found = 0;
  let wanted = 0;
  for (const [q, rows] of lists.entries()) {
    const right = new Set(truth[q]);
    const most = Math.min(k, right.size);
    wanted += most;
    found += Math.min(most, rows.filter((row) => right.has(row)).length);
  }
  return found / wanted;
}
