/**
 * The same questions for every host, and their answers down to the last bit. For Node and pages alike:
 * this file imports nothing, and draws by whole numbers only, because no two hosts need agree on the
 * last bit of `Math.log` or the like.
 */

/** The golden archives that are asked, by metric. */
const ARCHIVES = [
  { archive: "small-v1", metric: "cosine" },
  { archive: "small-ip-v1", metric: "inner-product" },
  { archive: "small-neighbours-v1", metric: "inner-product" },
  { archive: "small-euclid-v1", metric: "euclidean" },
];

/** How many questions of each kind an archive is asked. */
const KINDS = { vectors: 150, items: 75, recommend: 75, slates: 50 };

/** Every archive with every kind of question, in the order in which digests are compared. */
export const CASES = ARCHIVES.flatMap(({ archive, metric }) =>
  Object.entries(KINDS).map(([kind, n]) => ({ name: `${archive}, ${kind}`, archive, metric, kind, n })),
);

/** The present of all questions. */
const NOW = Date.UTC(2026, 0, 15, 20);
const DAY = 86_400_000;

const CONDITIONS = [
  'genres has "jazz"',
  'genres has any ["rock", "blues"] and year >= 1960',
  "not explicit",
  "explicit or rating > 5.5",
  "year between 1950 and 2000",
  'released >= age("4000w")',
  'label in ["Kiln", "Étoile"]',
  "rating < 0",
];

/** Every sort of arithmetic that there is in composing a slate. */
const COMPOSITIONS = [
  { diversity: { method: "mmr", strength: 0.4 }, caps: { label: 2 }, parts: true },
  { diversity: { method: "dpp", strength: 0.5 }, weights: { taste: 1, prior: 0.3 } },
  { calibration: { field: "genres", strength: 0.5 }, interests: "auto" },
  { explore: { slots: [1, 4] }, boosts: [{ value: "rating / 10", weight: 0.2 }] },
  { explore: { slots: [0, 7], method: "thompson" }, windows: [{ days: 30, weight: 2 }, {}] },
  { freshness: { field: "released", days: 3000, weight: 0.5 }, parts: true, floor: 0.2 },
];

/** A small generator of whole numbers (mulberry32): `below(n)` is one from 0 to n - 1. */
function numbers(seed) {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** A seed that another case does not have. */
function seedOf(name) {
  return [...name].reduce((sum, letter) => (Math.imul(sum, 31) + letter.codePointAt(0)) | 0, 7);
}

/** A vector as people have them, or one that drives a quantised query to the ends of its range. */
function vector(below, dim) {
  const scale = [0.001, 1, 1, 1000][below(4)];
  const shape = below(5);
  const place = below(dim);
  const dense = Float32Array.from({ length: dim }, () => ((below(2001) - 1000) / 1000) * scale);
  if (shape === 0) return dense.map((x, i) => (i === place ? 50 * scale : x));
  if (shape === 1) return dense.map((x, i) => (i === place || i % 7 === 0 ? x + scale : 0));
  if (shape === 2) return dense.map((x) => (x < 0 ? -scale : scale));
  return dense;
}

const some = (below, from) => from[below(from.length)];

/** Which items may come back and how thoroughly they are sought. */
function limits(below, ids) {
  return {
    k: some(below, [1, 5, 10, 40, 300]),
    now: NOW,
    ...(below(2) === 0 ? { where: some(below, CONDITIONS) } : {}),
    ...(below(3) === 0 ? { exclude: Array.from({ length: below(20) }, () => some(below, ids)) } : {}),
    ...[{}, { recall: "exhaustive" }, { recall: 0.5 }, { recall: (1 + below(98)) / 100 }][below(4)],
  };
}

/** Something that happened to the person. */
function entry(below, ids, sequence) {
  const kind = some(below, ["like", "like", "dislike", "play", "skip", "save", "rating"]);
  const weight = kind === "rating" ? { weight: (below(9) - 4) / 3 } : {};
  const source = below(4) === 0 ? { source: "radio" } : {};
  const interaction = { type: "interaction", item: some(below, ids), kind, ...weight, ...source };
  const selection = { type: some(below, ["exclude", "include"]), selector: { source: "radio" } };
  return { device: "d", sequence, at_ms: NOW - below(60) * DAY, event: below(12) > 0 ? interaction : selection };
}

/** One question: what it is, for people, and how to put it. The person's history grows on the way. */
function question(kind, engine, below, ids, sequence) {
  if (kind === "vectors") {
    const [asked, request] = [vector(below, engine.info().dim), JSON.stringify(limits(below, ids))];
    return { text: `similar to [${asked.join()}] ${request}`, put: () => engine.similar(undefined, asked, request) };
  }
  if (kind === "items") {
    const [item, request] = [some(below, ids), JSON.stringify(limits(below, ids))];
    return { text: `similar to ${item} ${request}`, put: () => engine.similar(item, new Float32Array(0), request) };
  }
  if (below(3) === 0 || sequence === 0) engine.append(entry(below, ids, sequence));
  const composed = { ...some(below, COMPOSITIONS), k: 12, seed: below(1000) };
  const rules = kind === "slates" ? composed : { explain: below(4) };
  const seen = below(3) === 0 ? { seen: "include" } : {};
  const request = JSON.stringify({ ...limits(below, ids), ...seen, ...rules });
  return { text: `recommend ${request}`, put: () => engine.recommend(request) };
}

/** Any value as text, every number in it by its bits. */
function bits(value) {
  if (typeof value === "number") return new BigUint64Array(Float64Array.of(value).buffer)[0].toString(16);
  if (typeof value !== "object" || value === null) return String(value);
  const members = Object.entries(value).map(([name, member]) => `${name}:${bits(member)}`);
  return `{${members.join(" ")}}`;
}

/** Everything of an answer that a host could get wrong; ordinals and scores first, to be found by eye. */
function record({ ordinals, scores, ...rest }) {
  const items = Array.from(ordinals, (ordinal, i) => `${ordinal}=${bits(scores[i])}`);
  return `${items.join(" ")} ${bits(rest)}`;
}

/**
 * Asks all questions of a case, in an instance of its own.
 *
 * @param instantiate - Gives new glue: `instantiateGlue`.
 * @param module - The compiled module.
 * @param bytes - The archive.
 * @returns `{ question, answer }` for each.
 */
export function answers({ name, metric, kind, n }, instantiate, module, bytes) {
  const glue = instantiate();
  const { memory } = glue.initSync({ module });
  const engine = new glue.Engine(bytes.length);
  new Uint8Array(memory.buffer, engine.address(), bytes.length).set(bytes);
  if (!engine.arrive(bytes.length)) throw new Error(`${name}: the archive does not open`);
  engine.verify(0);
  const { metric: found, n_items: nItems } = engine.info();
  if (found !== metric) throw new Error(`${name}: expected ${metric}, found ${found}`);
  const ids = engine.ids(Uint32Array.from({ length: nItems }, (_, i) => i));
  const below = numbers(seedOf(name));
  return Array.from({ length: n }, (_, i) => {
    const { text, put } = question(kind, engine, below, ids, i);
    return { question: text, answer: record(put()) };
  });
}

/** SHA-256, in hexadecimal. */
export async function digest(text) {
  const sum = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(sum), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * All cases, by one module.
 *
 * @param read - Gives an archive's bytes by its name.
 * @returns `digest` of everything, `n` questions, and the digest of each case in the order of `CASES`.
 */
export async function work(instantiate, module, read) {
  const cases = [];
  let n = 0;
  for (const asked of CASES) {
    const given = answers(asked, instantiate, module, await read(asked.archive));
    n += given.length;
    cases.push(await digest(given.map(({ answer }) => answer).join("\n")));
  }
  return { digest: await digest(cases.join("\n")), n, cases };
}
