import { h } from "./dom.js";
import { named } from "./film.js";
import type { Film } from "./film.js";
import { icon } from "./icons.js";
import type { IconName } from "./icons.js";
import { paint, telling } from "./palette.js";

/** What a card's buttons can ask for; the value of their `data-action`. */
export type Action = "details" | "like" | "dislike" | "aside" | "more";

/** What a card shows beside the film. */
export interface CardState {
  /** The film for whose sake this one is here, as it is to be named, and what was said about it. */
  readonly because: { readonly film: Film; readonly verb: string } | undefined;
  /** What the person has said about this film: its button is shown pressed. */
  readonly said: Action | undefined;
}

/** A film as a card. Its buttons carry `data-action` and the card `data-id`; whoever lists it listens. */
export function card(film: Film, state: CardState): HTMLElement {
  const element = h("article", { class: "card", "data-id": film.id });
  element.append(poster(film), meta(film));
  update(element, film, state);
  return element;
}

/** Brings a card that is already shown up to date, keeping its elements and hence the focus. */
export function update(element: HTMLElement, film: Film, { because, said }: CardState): void {
  element.querySelector(".because")?.remove();
  element.querySelector(".actions")?.remove();
  if (because !== undefined) {
    // Remakes share their title: then only the year says which one is meant.
    const name = because.film.title === film.title ? named(because.film) : because.film.title;
    element.append(h("p", { class: "because" }, `because you ${because.verb} `, h("b", {}, name)));
  }
  element.append(actions(film, said));
}

function poster(film: Film): HTMLElement {
  const button = h(
    "button",
    { class: "poster", type: "button", "data-action": "details", "aria-label": `About ${named(film)}` },
    h("span", { class: "poster-year" }, film.year === undefined ? "" : String(film.year)),
    h("span", { class: "poster-title" }, film.title),
    h("span", { class: "poster-by" }, film.directors.slice(0, 2).join(", ")),
  );
  // Long titles get smaller letters; the widest word decides how large they may be at most, so that
  // it fits on a line.
  const widest = Math.max(1, ...film.title.split(/(?<=[\s-])/).map((word) => widthOf(word.trim())));
  button.style.setProperty("--widest", widest.toFixed(3));
  if (film.title.length > 46) button.dataset["size"] = "small";
  else if (film.title.length > 22) button.dataset["size"] = "middle";
  paint(button, film.id, film.genres);
  return button;
}

let ruler: CanvasRenderingContext2D | null | undefined;

/** How wide a word of a title is, in em: measured, since fonts and letters differ by half. */
function widthOf(word: string): number {
  if (ruler === undefined) {
    ruler = document.createElement("canvas").getContext("2d");
    const family = getComputedStyle(document.documentElement).getPropertyValue("--serif");
    if (ruler !== null) ruler.font = `600 100px ${family}`;
  }
  return ruler === null ? word.length * 0.7 : ruler.measureText(word).width / 100;
}

function meta(film: Film): HTMLElement {
  return h("p", { class: "meta" }, telling(film.genres).slice(0, 2).join(", "));
}

/** The row of buttons under a film. */
export function actions(film: Film, said: Action | undefined): HTMLElement {
  return h(
    "div",
    { class: "actions", role: "group", "aria-label": named(film) },
    action("like", "like", "Like", said === "like"),
    action("dislike", "dislike", "Dislike", said === "dislike"),
    action("aside", "aside", "Not for my taste profile", said === "aside"),
    action("more", "more", "More like this"),
  );
}

function action(name: Action, symbol: IconName, label: string, pressed?: boolean): HTMLElement {
  return h(
    "button",
    {
      class: `action action-${name}`,
      type: "button",
      title: label,
      "data-action": name,
      "aria-label": label,
      ...(pressed === undefined ? {} : { "aria-pressed": pressed }),
    },
    icon(symbol),
    // Shown only where there is room for it.
    h("span", { class: "action-label" }, label),
  );
}
