/** What the tests run against: the film archive, and `open` from the package by its public name. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { open } from "nearfield";

/** Path of the film archive; `NEARFIELD_ARCHIVE` names another. */
export const archivePath = resolve(
  process.env.NEARFIELD_ARCHIVE ??
    fileURLToPath(new URL("../../../target/films.nf", import.meta.url)),
);

if (!existsSync(archivePath)) {
  throw new Error(`no archive at ${archivePath}: run make demo, or set NEARFIELD_ARCHIVE`);
}

/** Path of a golden archive, small enough to be damaged in a thousand ways. */
export const fixture = (name) => fileURLToPath(new URL(`../../../tests/fixtures/${name}`, import.meta.url));

/** A moment that tests use as the present, so that answers can be compared. */
export const NOW = Date.UTC(2026, 0, 15, 20);

/** Opens the film archive for one test and disposes of it afterwards. */
export async function openFilms(t, options = {}) {
  const nf = await open(archivePath, { profile: false, ...options });
  t.after(() => nf.dispose());
  return nf;
}

/** The id of the first film a title search finds. */
export function idOf(nf, title) {
  const id = nf.search(title, { k: 1 }).items[0]?.id;
  if (id === undefined) throw new Error(`the film archive has no ${title}`);
  return id;
}

/** The ids of an answer, best first. */
export const ids = (answer) => answer.items.map((item) => item.id);

/** A predicate for `assert.throws` and `assert.rejects`: this code, and what `check` says. */
export const failsWith = (code, check = () => true) => (error) =>
  error.name === "NearfieldError" && error.code === code && check(error) !== false;
