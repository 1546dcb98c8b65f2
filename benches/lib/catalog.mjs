/**
 * A catalog of any size, item by item, from a generator of its own: the builder reads it from a file, and
 * a page makes the very same objects. Imports nothing: pages and Node run it alike.
 */

const GENRES = [
  "ambient", "blues", "classical", "country", "disco", "dub", "electro", "folk", "funk", "gospel",
  "hip hop", "house", "jazz", "latin", "metal", "pop", "punk", "reggae", "rock", "soul",
];

/** Random numbers from 0 to below 1: mulberry32, which is short and good enough for a catalog. */
function random(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Yields `n` items: an id, a year, a rating, a flag, a category, zero to four tags. Few have no year. */
export function* items(n) {
  const next = random(7);
  for (let i = 0; i < n; i += 1) {
    const genres = new Set();
    for (let left = Math.floor(next() * 5); left > 0; left -= 1) {
      // The square makes some genres common and some rare.
      genres.add(GENRES[Math.floor(next() ** 2 * GENRES.length)]);
    }
    yield {
      id: `item-${i}`,
      year: next() < 0.02 ? null : 1940 + Math.floor(next() * 85),
      rating: Math.round(next() * 100) / 10,
      explicit: next() < 0.2,
      label: `label ${Math.floor(next() ** 3 * 400)}`,
      genres: [...genres],
    };
  }
}

const KINDS = ["song", "song", "song", "song", "song", "song", "song", "podcast", "podcast", "book"];

/** The same items with what slates ask for: who made them, what they are, since when, and how known. */
export function* slateItems(n) {
  let i = 0;
  for (const { year, ...item } of items(n)) {
    const day = new Date(Date.UTC(1990, 0, 1 + ((i * 7919) % 13_000)));
    yield {
      ...item,
      ...(year === null ? {} : { year }),
      artist: `artist ${(i * 31) % 5_000}`,
      kind: KINDS[i % KINDS.length],
      released: day.toISOString().slice(0, 10),
      plays: Math.floor(1e6 / (1 + ((i * 7919) % n))),
    };
    i += 1;
  }
}
