import type { Facet, Nearfield, Where } from "nearfield";
import { h } from "./dom.js";
import { number } from "./film.js";

/** What the person asked to see. */
export interface Choice {
  readonly genre: string;
  /** First and last year, both included; `undefined` leaves that side open. */
  readonly from: number | undefined;
  readonly to: number | undefined;
  readonly country: string;
  /** The least that critics gave, of ten; `undefined` for any, and for films without a score. */
  readonly score: number | undefined;
  /** Leave out what the person has had to do with. */
  readonly unknownOnly: boolean;
}

/** How many countries the menu offers: the most frequent ones of 130. */
const COUNTRIES = 24;
const SCORES = [6, 7, 8] as const;

/** Writes a choice as a condition; `undefined` when everything is asked for. */
export function whereOf({ genre, from, to, country, score, unknownOnly }: Choice): Where | undefined {
  const year = { field: "year" } as const;
  const parts: (Where | undefined)[] = [
    genre === "" ? undefined : { has: [{ field: "genres" }, genre] },
    from !== undefined && to !== undefined ? { between: [year, from, to] } : undefined,
    from !== undefined && to === undefined ? { ">=": [year, from] } : undefined,
    from === undefined && to !== undefined ? { "<=": [year, to] } : undefined,
    country === "" ? undefined : { has: [{ field: "country" }, country] },
    score === undefined ? undefined : { ">=": [{ field: "critics_score" }, score] },
    unknownOnly ? { not: { seen: [] } } : undefined,
  ];
  const and = parts.filter((part) => part !== undefined);
  return and.length === 0 ? undefined : { and };
}

/** The filters: one genre, a span of decades, a country, a score, and what is not known yet. */
export class Filters {
  readonly #nf: Nearfield;
  readonly #onChange: () => void;
  readonly #genres = h("div", { class: "chips", role: "radiogroup", "aria-label": "Genre" });
  readonly #from: HTMLSelectElement;
  readonly #to: HTMLSelectElement;
  readonly #country = h("select", { id: "country" });
  readonly #score = h("select", { id: "score" }, h("option", { value: "" }, "any score"));
  readonly #unknownOnly = h("input", { id: "unknown-only", type: "checkbox" });
  readonly #count = h("output", { id: "filter-count", class: "filter-count" });
  #genre = "";

  /**
   * @param root - The form that holds them.
   * @param nf - The open archive, for genres, their counts, and the years there are.
   * @param onChange - Called after the choice has changed.
   */
  constructor(root: HTMLElement, nf: Nearfield, onChange: () => void) {
    this.#nf = nf;
    this.#onChange = onChange;
    const year = nf.info.columns.find((column) => column.name === "year");
    const first = Math.floor((number(year?.min) ?? 1900) / 10) * 10;
    const last = Math.floor((number(year?.max) ?? 2020) / 10) * 10;
    const decades = Array.from({ length: (last - first) / 10 + 1 }, (_, i) => first + 10 * i);
    this.#from = h("select", { id: "year-from" }, h("option", { value: "" }, "any year"));
    this.#to = h("select", { id: "year-to" }, h("option", { value: "" }, "any year"));
    for (const decade of decades) {
      this.#from.append(h("option", { value: String(decade) }, String(decade)));
      this.#to.append(h("option", { value: String(decade + 9) }, String(decade + 9)));
    }
    for (const score of SCORES) {
      this.#score.append(h("option", { value: String(score) }, `${score} and more`));
    }
    root.replaceChildren(
      this.#genres,
      h(
        "div",
        { class: "years" },
        h("label", { for: "year-from" }, "from"),
        this.#from,
        h("label", { for: "year-to" }, "to"),
        this.#to,
        h("label", { for: "country" }, "country"),
        this.#country,
        h("label", { for: "score" }, "critics"),
        this.#score,
        h("label", { for: "unknown-only" }, this.#unknownOnly, "only films I do not know"),
        this.#count,
      ),
    );
    root.addEventListener("submit", (event) => event.preventDefault());
    for (const select of [this.#from, this.#to]) {
      select.addEventListener("change", () => this.#keepOrder(select));
    }
    for (const control of [this.#from, this.#to, this.#country, this.#score, this.#unknownOnly]) {
      control.addEventListener("change", () => {
        this.draw();
        onChange();
      });
    }
    this.draw();
  }

  /** The present choice. */
  get choice(): Choice {
    const number = ({ value }: HTMLSelectElement): number | undefined =>
      value === "" ? undefined : Number(value);
    return {
      genre: this.#genre,
      from: number(this.#from),
      to: number(this.#to),
      country: this.#country.value,
      score: number(this.#score),
      unknownOnly: this.#unknownOnly.checked,
    };
  }

  /** Draws the menus with their counts, each within what the others choose. */
  draw(): void {
    this.#drawGenres();
    this.#drawCountries();
    this.#showCount();
  }

  #showCount(): void {
    const where = whereOf(this.choice);
    const count = this.#nf.count(where === undefined ? {} : { where });
    this.#count.textContent = `${count.toLocaleString("en")} films`;
  }

  #drawCountries(): void {
    const chosen = this.#country.value;
    const where = whereOf({ ...this.choice, country: "" });
    const facets = this.#nf.facets("country", { limit: COUNTRIES, ...(where === undefined ? {} : { where }) });
    const known = chosen === "" || facets.some(({ value }) => value === chosen);
    const options = [...facets, ...(known ? [] : [{ value: chosen, count: undefined }])].map(({ value, count }) =>
      h("option", { value: String(value) }, count === undefined ? String(value) : `${value} (${count.toLocaleString("en")})`),
    );
    this.#country.replaceChildren(h("option", { value: "" }, "any country"), ...options);
    this.#country.value = chosen;
  }

  /** A span that ends before it begins shows nothing: the other end follows. */
  #keepOrder(changed: HTMLSelectElement): void {
    const { from, to } = this.choice;
    if (from === undefined || to === undefined || from <= to) return;
    if (changed === this.#from) this.#to.value = String(from + 9);
    else this.#from.value = String(to - 9);
  }

  /** Draws the genres with their counts in what else is chosen. */
  #drawGenres(): void {
    const where = whereOf({ ...this.choice, genre: "" });
    const facets = this.#nf.facets("genres", where === undefined ? {} : { where });
    const focused = document.activeElement instanceof HTMLInputElement ? document.activeElement.value : undefined;
    const chosen = facets.some(({ value }) => value === this.#genre);
    const known: Facet[] = chosen || this.#genre === "" ? [...facets] : [...facets, { value: this.#genre, count: 0 }];
    const chips = known.map(({ value, count }) => this.#chip(String(value), String(value), count.toLocaleString("en")));
    this.#genres.replaceChildren(this.#chip("", "All genres"), ...chips);
    if (focused === undefined || !this.#genres.isConnected) return;
    this.#genres.querySelector<HTMLInputElement>(`input[value="${CSS.escape(focused)}"]`)?.focus();
  }

  #chip(value: string, label: string, count?: string): HTMLElement {
    const input = h("input", {
      type: "radio",
      name: "genre",
      value,
      checked: value === this.#genre,
    });
    input.addEventListener("change", () => {
      this.#genre = value;
      this.#drawCountries();
      this.#showCount();
      this.#onChange();
    });
    const number = count === undefined ? undefined : h("span", { class: "chip-count" }, count);
    return h("label", { class: "chip" }, input, h("span", { class: "chip-face" }, label, number));
  }
}
