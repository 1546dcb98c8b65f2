import { card, update } from "./card.js";
import type { Action, CardState } from "./card.js";
import { h } from "./dom.js";
import type { Film } from "./film.js";
import { icon } from "./icons.js";

/** One film on a shelf and what its card says. */
export interface Entry extends CardState {
  readonly film: Film;
}

/** What stands above and below the cards. */
export interface ShelfText {
  readonly title: string;
  /** One line under the title; none when absent. */
  readonly note?: string;
  /** Label of a button below that asks for more; none when absent. */
  readonly more?: string;
}

/** Called when a button of a card is pressed. */
export type OnAction = (action: Action, film: Film) => void;

/**
 * A titled grid of cards. Showing a new list moves the cards that stay and keeps their elements, so that
 * neither focus nor eye loses its place; when the card under the focus goes away, the one that takes its
 * place gets it.
 */
export class Shelf {
  readonly #root: HTMLElement;
  readonly #title: HTMLElement;
  readonly #note = h("p", { class: "shelf-note" });
  readonly #grid = h("div", { class: "grid" });
  readonly #more = h("button", { class: "plain more", type: "button" });
  readonly #cards = new Map<string, { element: HTMLElement; film: Film }>();

  /**
   * @param root - The section that becomes the shelf; its id names the heading.
   * @param onAction - Called for the cards' buttons.
   * @param options - `onMore`: for the button below. `onClose`: gives the shelf a button that closes it.
   */
  constructor(
    root: HTMLElement,
    onAction: OnAction,
    options: { readonly onMore?: () => void; readonly onClose?: () => void } = {},
  ) {
    this.#root = root;
    this.#title = h("h2", { id: `${root.id}-title` });
    const head = h("div", { class: "shelf-head" }, this.#title);
    const { onMore, onClose } = options;
    if (onClose !== undefined) {
      const close = h("button", { class: "action", type: "button", "aria-label": "Close", title: "Close" });
      close.append(icon("close"));
      close.addEventListener("click", onClose);
      head.append(close);
    }
    if (onMore !== undefined) this.#more.addEventListener("click", onMore);
    root.replaceChildren(head, this.#note, this.#grid, this.#more);
    this.#grid.addEventListener("click", (event) => {
      const button = (event.target as Element).closest<HTMLElement>("[data-action]");
      const id = button?.closest<HTMLElement>("[data-id]")?.dataset["id"];
      const film = id === undefined ? undefined : this.#cards.get(id)?.film;
      if (button !== null && film !== undefined) onAction(button.dataset["action"] as Action, film);
    });
  }

  /** The section itself. */
  get root(): HTMLElement {
    return this.#root;
  }

  /** How many cards stand side by side at this width; 1 while the shelf is hidden. */
  get columns(): number {
    const tracks = getComputedStyle(this.#grid).gridTemplateColumns;
    return this.#root.hidden ? 1 : Math.max(1, tracks.split(" ").length);
  }

  /** Shows a list in place of the present one. */
  show(entries: readonly Entry[], { title, note, more }: ShelfText): void {
    const focus = this.#focus();
    this.#title.textContent = title;
    this.#note.textContent = note ?? "";
    this.#note.hidden = note === undefined;
    this.#more.textContent = more ?? "";
    this.#more.hidden = more === undefined;
    const kept = new Set(entries.map(({ film }) => film.id));
    for (const id of this.#cards.keys()) if (!kept.has(id)) this.#cards.delete(id);
    const elements = entries.map((entry) => this.#element(entry));
    this.#grid.replaceChildren(...elements);
    this.#root.hidden = false;
    if (focus !== undefined) this.#restore(focus);
  }

  /** Takes the shelf away. */
  hide(): void {
    this.#root.hidden = true;
    this.#cards.clear();
    this.#grid.replaceChildren();
  }

  #element(entry: Entry): HTMLElement {
    const { film } = entry;
    const present = this.#cards.get(film.id);
    if (present !== undefined) {
      update(present.element, film, entry);
      return present.element;
    }
    const element = card(film, entry);
    this.#cards.set(film.id, { element, film });
    return element;
  }

  /** Which card and button have the focus, when one here has it. */
  #focus(): { id: string; action: string; index: number } | undefined {
    const button = document.activeElement?.closest<HTMLElement>("[data-action]");
    const element = button?.closest<HTMLElement>("[data-id]");
    const { id } = element?.dataset ?? {};
    if (button == null || element == null || id === undefined || !this.#grid.contains(element)) {
      return undefined;
    }
    const index = [...this.#grid.children].indexOf(element);
    return { id, action: button.dataset["action"] ?? "", index };
  }

  #restore({ id, action, index }: { id: string; action: string; index: number }): void {
    const { children } = this.#grid;
    const element = this.#cards.get(id)?.element ?? children[Math.min(index, children.length - 1)];
    const button = element?.querySelector<HTMLElement>(`[data-action="${action}"]`);
    (button ?? this.#root).focus({ preventScroll: true });
  }
}
