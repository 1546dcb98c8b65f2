import type { Axis, Interest, Nearfield, TasteSummary } from "nearfield";
import { h } from "./dom.js";
import type { Film } from "./film.js";
import { liked } from "./opinions.js";
import type { Standing } from "./opinions.js";

/** Fewer likes than these make no summary. */
const FEWEST = 3;
const INTERESTS = 4;
const GENRES = 5;

/** The axes of a summary, each with what stands at its two ends. */
const AXES = [
  ["exploring", "familiar", "exploring"],
  ["niche", "popular", "niche"],
  ["new", "old", "new"],
  ["varied", "one thing", "varied"],
] as const;

/** What interests are named by. */
export const LABELS = ["genres", "director"] as const;

/** What an interest is called: by its labels, or where it has none by its film. */
export function interestName({ labels }: Interest, film: Film): string {
  const names = labels.map((label) => ("value" in label ? label.value : `${label.decade}s`));
  return names.length === 0 ? film.title : names.join(", ");
}

/** The panel that says what the page has understood of the person's taste. */
export class Taste {
  readonly #root: HTMLElement;
  readonly #nf: Nearfield;
  readonly #film: (id: string) => Film;

  /**
   * @param root - The panel.
   * @param nf - The open archive.
   * @param film - Reads a film by its id.
   */
  constructor(root: HTMLElement, nf: Nearfield, film: (id: string) => Film) {
    this.#root = root;
    this.#nf = nf;
    this.#film = film;
  }

  /** Draws the present taste, or nothing while there is little to say. */
  draw(standing: Standing): void {
    const summary =
      liked(standing).length < FEWEST
        ? undefined
        : this.#nf.summary({ mix: "genres", age: "year", labels: LABELS });
    this.#root.hidden = summary === undefined;
    if (summary === undefined) return;
    this.#root.replaceChildren(
      h("h2", { id: "taste-title" }, "Your taste"),
      h("h3", {}, "Interests"),
      h("ul", { class: "interests" }, ...summary.interests.slice(0, INTERESTS).map((one) => this.#interest(one))),
      h("h3", {}, "Genres"),
      h("ul", { class: "mix" }, ...summary.mix.slice(0, GENRES).map(share)),
      h("div", { class: "axes" }, ...axes(summary)),
    );
  }

  #interest(interest: Interest): HTMLElement {
    const film = this.#film(interest.medoid);
    const more = interest.size - 1;
    const films = more === 0 ? film.title : `${film.title} and ${more} more`;
    const name = interestName(interest, film);
    return h("li", {}, h("b", {}, name), name === film.title ? undefined : h("span", {}, films));
  }
}

function share({ value, share }: TasteSummary["mix"][number]): HTMLElement {
  const percent = `${Math.round(share * 100)} %`;
  return h(
    "li",
    {},
    h("span", { class: "mix-name" }, value),
    h("meter", { value: String(share), max: "0.5", "aria-label": `${value}: ${percent}` }),
    h("span", { class: "mix-share" }, percent),
  );
}

function axes(summary: TasteSummary): HTMLElement[] {
  return AXES.flatMap(([name, low, high]) => {
    const found = summary[name];
    return found === undefined ? [] : [axis(found, low, high)];
  });
}

function axis({ value }: Axis, low: string, high: string): HTMLElement {
  const label = `from ${low}, 0, to ${high}, 100: ${Math.round(value * 100)}`;
  const track = h("span", { class: "track", role: "img", "aria-label": label });
  track.style.setProperty("--at", String(value));
  return h("div", { class: "axis" }, h("span", {}, low), track, h("span", {}, high));
}
