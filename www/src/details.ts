import type { Fields } from "nearfield";
import { actions } from "./card.js";
import type { Action } from "./card.js";
import { h } from "./dom.js";
import { number, strings } from "./film.js";
import type { Film } from "./film.js";
import { icon } from "./icons.js";
import { paint } from "./palette.js";

/** How many names of a long list are shown. */
const NAMES = 10;

/** The sheet with everything the catalog knows about one film. */
export class Details {
  readonly #dialog: HTMLDialogElement;
  readonly #onAction: (action: Action, film: Film) => void;

  /**
   * @param dialog - The sheet.
   * @param onAction - Called for the buttons under the text.
   */
  constructor(dialog: HTMLDialogElement, onAction: (action: Action, film: Film) => void) {
    this.#dialog = dialog;
    this.#onAction = onAction;
    // A click beside the sheet lands on the dialog itself.
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close();
    });
  }

  /** Shows a film with all its columns. */
  show(film: Film, fields: Fields, said: Action | undefined): void {
    const close = h("button", { class: "action details-close", type: "button", "aria-label": "Close" });
    close.append(icon("close"));
    close.addEventListener("click", () => this.#dialog.close());
    const buttons = actions(film, said);
    buttons.addEventListener("click", (event) => {
      const name = (event.target as Element).closest<HTMLElement>("[data-action]")?.dataset["action"];
      if (name === undefined) return;
      this.#dialog.close();
      this.#onAction(name as Action, film);
    });
    const head = h(
      "div",
      { class: "details-head" },
      h("p", { class: "poster-year" }, film.year === undefined ? "" : String(film.year)),
      h("h2", { id: "details-title" }, film.title),
      h("p", { class: "poster-by" }, film.directors.join(", ")),
    );
    paint(head, film.id, film.genres);
    this.#dialog.replaceChildren(close, head, h("dl", { class: "details-list" }, ...rows(fields)), buttons);
    this.#dialog.showModal();
  }
}

function rows(fields: Fields): HTMLElement[] {
  const minutes = number(fields["runtime"]);
  const score = number(fields["critics_score"]);
  const reviews = number(fields["reviews"]);
  const facts: [string, string | undefined][] = [
    ["Genres", list(fields["genres"])],
    ["Writers", list(fields["writers"])],
    ["Cast", list(fields["cast"])],
    ["Country", list(fields["country"])],
    ["Language", list(fields["language"])],
    ["Runtime", minutes === undefined ? undefined : `${minutes} minutes`],
    [
      "Critics",
      score === undefined
        ? undefined
        : `${score} of 10${reviews === undefined ? "" : `, from ${reviews} reviews`}`,
    ],
  ];
  return facts.flatMap(([name, value]) =>
    value === undefined ? [] : [h("dt", {}, name), h("dd", {}, value)],
  );
}

function list(value: unknown): string | undefined {
  const names = strings(value);
  if (names.length === 0) return undefined;
  const rest = names.length - NAMES;
  return names.slice(0, NAMES).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}
