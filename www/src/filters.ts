import type { Facet, Nearfield } from "nearfield";
import { h } from "./dom.js";
import { number } from "./film.js";

/** What the person asked to see. */
export interface Choice {
  readonly genre: string;
  /** First and last year, both included; `undefined` leaves that side open. */
  readonly from: number | undefined;
  readonly to: number | undefined;
}

/** Writes a choice as a `where` expression; `undefined` when everything is asked for. */
export function whereOf({ genre, from, to }: Choice): string | undefined {
  const parts = [
    // JSON's way of quoting is also the language's.
    genre === "" ? undefined : `genres has ${JSON.stringify(genre)}`,
    from === undefined ? undefined : `year >= ${from}`,
    to === undefined ? undefined : `year <= ${to}`,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : parts.join(" and ");
}

/** The row of filters: one genre, a span of decades. */
export class Filters {
  readonly #nf: Nearfield;
  readonly #onChange: () => void;
  readonly #genres = h("div", { class: "chips", role: "radiogroup", "aria-label": "Genre" });
  readonly #from: HTMLSelectElement;
  readonly #to: HTMLSelectElement;
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
    root.replaceChildren(
      this.#genres,
      h(
        "div",
        { class: "years" },
        h("label", { for: "year-from" }, "from"),
        this.#from,
        h("label", { for: "year-to" }, "to"),
        this.#to,
      ),
    );
    root.addEventListener("submit", (event) => event.preventDefault());
    for (const select of [this.#from, this.#to]) {
      select.addEventListener("change", () => {
        this.#keepOrder(select);
        this.#drawGenres();
        onChange();
      });
    }
    this.#drawGenres();
  }

  /** The present choice. */
  get choice(): Choice {
    const year = ({ value }: HTMLSelectElement): number | undefined =>
      value === "" ? undefined : Number(value);
    return { genre: this.#genre, from: year(this.#from), to: year(this.#to) };
  }

  /** A span that ends before it begins shows nothing: the other end follows. */
  #keepOrder(changed: HTMLSelectElement): void {
    const { from, to } = this.choice;
    if (from === undefined || to === undefined || from <= to) return;
    if (changed === this.#from) this.#to.value = String(from + 9);
    else this.#from.value = String(to - 9);
  }

  /** Draws the genres with their counts in the chosen years. */
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
      this.#onChange();
    });
    const number = count === undefined ? undefined : h("span", { class: "chip-count" }, count);
    return h("label", { class: "chip" }, input, h("span", { class: "chip-face" }, label, number));
  }
}
