/**
 * A few hundred requests and one digest of all answers, for Node and pages alike: this file imports
 * nothing and uses what both have.
 */

/** The present of all requests. */
const NOW = Date.UTC(2026, 0, 15, 20);

/** Rules for slates, with every sort of arithmetic that there is in composing one. */
const COMPOSITIONS = [
  { diversity: { method: "mmr", strength: 0.4 }, caps: { director: 1 } },
  { diversity: { method: "dpp", strength: 0.5 } },
  { calibration: { field: "genres", strength: 0.5 }, interests: "auto" },
  { explore: { slots: [1, 4] }, boosts: [{ value: "reviews / 3", weight: 0.001 }] },
  { explore: { slots: [0, 7], method: "thompson" }, windows: [{ days: 30, weight: 2 }, {}] },
];

/** A small generator of whole numbers (mulberry32), so that every host asks the same. */
function numbers(seed) {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** Everything of an answer that a host could get wrong, its floats by their bits. */
function bits({ items, qualifying, basis, warnings, policy }) {
  const hex = (x) => new BigUint64Array(Float64Array.of(x).buffer)[0].toString(16);
  const lines = items.map(({ id, score, propensity = 0, because = [] }) =>
    [id, hex(score), hex(propensity), ...because.map(({ item, kind, at, share }) => [item, kind, at, hex(share)])].join(" "),
  );
  return [basis, qualifying, warnings, policy, ...lines].join("\n");
}

/**
 * Lets a made-up person use an archive.
 *
 * @param nf - An open archive without history.
 * @param n - How many requests.
 * @returns `digest` of all answers, in hexadecimal, and how many of each `basis` they were.
 */
export async function digestOfSlates(nf, n = 400) {
  const pick = numbers(20260115);
  // Ids that a host can only get from the archive itself.
  const ids = nf.recommend({ k: 2000, now: NOW }).items.map(({ id }) => id);
  const genres = nf.facets("genres").map(({ value }) => value);
  const anyId = () => ids[pick(ids.length)];
  const kinds = ["like", "like", "dislike", "play", "skip", "save", "rating"];
  const answers = [];
  const basis = {};
  for (let i = 0; i < n; i += 1) {
    if (pick(3) === 0) {
      const kind = kinds[pick(kinds.length)];
      const weight = kind === "rating" ? { weight: (pick(9) - 4) / 3 } : {};
      const source = pick(4) === 0 ? { source: "radio" } : {};
      nf.profile.record({ item: anyId(), kind, at: NOW - pick(1e9), ...weight, ...source });
    }
    if (pick(40) === 0) nf.profile[pick(2) === 0 ? "exclude" : "include"]({ source: "radio" });
    const where = pick(2) === 0 ? {} : { where: `genres has "${genres[pick(genres.length)]}" or year < ${1940 + pick(70)}` };
    const recall = [undefined, 0.5, "exhaustive"][pick(3)];
    const list = { k: 1 + pick(60), ...where, exclude: [anyId(), "no such item"], recall };
    const answer = [
      () => nf.recommend({ ...list, explain: pick(4), now: NOW }),
      () => nf.recommend({ ...list, ...COMPOSITIONS[pick(COMPOSITIONS.length)], k: 12, seed: pick(1000), now: NOW }),
      () => nf.similar(anyId(), list),
      () => nf.similar(Float32Array.from({ length: nf.info.dim }, () => (pick(2001) - 1000) / 1000), list),
      () => nf.search(nf.item(anyId(), ["title"]).fields.title.slice(0, 2 + pick(12)), { k: list.k }),
    ][pick(6) % 5]();
    basis[answer.basis] = (basis[answer.basis] ?? 0) + 1;
    answers.push(bits(answer));
  }
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(answers.join("\n\n")));
  return { digest: Array.from(new Uint8Array(digest), (b) => b.toString(16).padStart(2, "0")).join(""), basis };
}
