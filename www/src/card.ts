import { h } from "./dom.js";
import { named } from "./film.js";
import type { Film } from "./film.js";
import { icon } from "./icons.js";
import type { IconName } from "./icons.js";
import { paint } from "./palette.js";

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
    element.append(
      h("p", { class: "because" }, `because you ${because.verb} `, h("b", {}, because.film.title)),
    );
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
  // Long titles get smaller letters; the longest word decides how large they may be at most, so that
  // it fits on a line.
  const longest = Math.max(...film.title.split(/[\s-]+/).map((word) => word.length));
  button.style.setProperty("--letters", String(longest));
  if (film.title.length > 46) button.dataset["size"] = "small";
  else if (film.title.length > 22) button.dataset["size"] = "middle";
  paint(button, film.id, film.genres);
  return button;
}

function meta(film: Film): HTMLElement {
  return h("p", { class: "meta" }, film.genres.slice(0, 2).join(", "));
}

/** The row of buttons under a film. */
export function actions(film: Film, said: Action | undefined): HTMLElement {
  return h(
    "div",
    { class: "actions", role: "group", "aria-label": named(film) },
    action("like", "like", "Like", said === "like"),
    action("dislike", "dislike", "Dislike", said === "dislike"),
    action("aside", "aside", "Seen, but not for my taste profile", said === "aside"),
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
