/**
 * Colours for films that have no poster: each genre has a hue that fits its mood, so a shelf can be read
 * from a distance, and each film a shade and a pattern of its own, so that two dramas differ.
 */
const HUES: ReadonlyMap<string, number> = new Map([
  ["Horror", 12],
  ["Thriller", 28],
  ["Action", 40],
  ["War", 55],
  ["Western", 62],
  ["Adventure", 80],
  ["Comedy", 90],
  ["Family", 120],
  ["Animation", 140],
  ["Sport", 155],
  ["Documentary", 180],
  ["History", 70],
  ["Biography", 205],
  ["Sci-Fi", 225],
  ["Mystery", 285],
  ["Crime", 265],
  ["Drama", 245],
  ["Fantasy", 305],
  ["Music", 330],
  ["Musical", 340],
  ["Romance", 355],
]);

/** Genres that say least about a film come last when a colour is chosen. */
const VAGUE: ReadonlySet<string> = new Set(["Drama", "Short", "News"]);

/** How many patterns the style sheet draws. */
const PATTERNS = 5;

/** FNV-1a: small, and the same on every visit. */
function digest(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** Paints an element as a film's poster, through custom properties that the style sheet reads. */
export function paint(element: HTMLElement, id: string, genres: readonly string[]): void {
  const genre = genres.find((name) => HUES.has(name) && !VAGUE.has(name)) ?? genres[0] ?? "";
  const own = digest(id);
  const hue = (HUES.get(genre) ?? digest(genre) % 360) + (own % 17) - 8;
  element.style.setProperty("--hue", String(hue));
  element.style.setProperty("--shade", String((own >>> 8) % 7));
  element.style.setProperty("--turn", `${(own >>> 12) % 360}deg`);
  element.dataset["pattern"] = String((own >>> 4) % PATTERNS);
}
