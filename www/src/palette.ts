/**
 * Colours for films that have no poster: each genre has a hue that fits its mood, so a shelf can be read
 * from a distance, and each film a shade and a pattern of its own, so that two dramas differ.
 *
 * The genre that says most about a film comes first and gives the colour: a film in space is more than
 * one of thousands with action in them.
 */
const HUES: ReadonlyMap<string, number> = new Map([
  ["Western", 62],
  ["Documentary", 180],
  ["Animation", 140],
  ["Musical", 340],
  ["Music", 330],
  ["Sport", 155],
  ["War", 105],
  ["Sci-Fi", 225],
  ["Fantasy", 305],
  ["Horror", 12],
  ["Biography", 205],
  ["History", 80],
  ["Family", 125],
  ["Mystery", 285],
  ["Romance", 355],
  ["Crime", 265],
  ["Adventure", 165],
  ["Thriller", 28],
  ["Comedy", 90],
  ["Action", 45],
  ["Drama", 245],
]);

/** How many patterns the style sheet draws. */
const PATTERNS = 5;

/** FNV-1a: small, and the same on every visit. */
function digest(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

const RANKS: ReadonlyMap<string, number> = new Map([...HUES.keys()].map((name, i) => [name, i]));

/** A film's genres, the one that says most about it first; unknown ones come last. */
export function telling(genres: readonly string[]): readonly string[] {
  const rank = (name: string): number => RANKS.get(name) ?? RANKS.size;
  return [...genres].sort((a, b) => rank(a) - rank(b));
}

/** Paints an element as a film's poster, through custom properties that the style sheet reads. */
export function paint(element: HTMLElement, id: string, genres: readonly string[]): void {
  const genre = telling(genres)[0] ?? "";
  const own = digest(id);
  const hue = (HUES.get(genre) ?? digest(genre) % 360) + (own % 25) - 12;
  element.style.setProperty("--hue", String(hue));
  element.style.setProperty("--shade", String((own >>> 8) % 7));
  element.style.setProperty("--turn", `${(own >>> 12) % 360}deg`);
  element.dataset["pattern"] = String((own >>> 4) % PATTERNS);
}
