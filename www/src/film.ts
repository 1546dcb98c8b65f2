import type { Fields } from "nearfield";

/** The columns a card shows. */
export const CARD_FIELDS = ["title", "year", "genres", "director"] as const;

/** A film as this page shows it. */
export interface Film {
  readonly id: string;
  readonly title: string;
  /** Absent where the catalog does not know it. */
  readonly year: number | undefined;
  readonly genres: readonly string[];
  readonly directors: readonly string[];
}

/** Reads a card's columns. A value of an unexpected type counts as missing. */
export function toFilm(id: string, fields: Fields): Film {
  return {
    id,
    title: string(fields["title"]) ?? id,
    year: number(fields["year"]),
    genres: strings(fields["genres"]),
    directors: strings(fields["director"]),
  };
}

/** "Alien (1979)", or the title alone. */
export function named({ title, year }: Film): string {
  return year === undefined ? title : `${title} (${year})`;
}

/** A string with something in it. */
export function string(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** A number that can be shown. */
export function number(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

/** The strings of a tag column. */
export function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === "string") : [];
}
