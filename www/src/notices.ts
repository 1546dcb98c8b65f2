import { h } from "./dom.js";

/** How long a remark stays, in milliseconds: long enough to reach its button. */
const STAYS_MS = 6000;

/** One remark at the lower edge, with a way to take back what it reports. */
export class Toast {
  readonly #root: HTMLElement;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param root - An element with the role `status`, so that the remark is read out. */
  constructor(root: HTMLElement) {
    this.#root = root;
  }

  /** Shows a remark; `onUndo` gives it a button. */
  show(text: string, onUndo?: () => void): void {
    const hide = (): void => {
      this.#root.hidden = true;
    };
    this.#root.replaceChildren(h("span", {}, text));
    if (onUndo !== undefined) {
      const undo = h("button", { class: "plain", type: "button" }, "Undo");
      undo.addEventListener("click", () => {
        hide();
        onUndo();
      });
      this.#root.append(undo);
    }
    this.#root.hidden = false;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(hide, STAYS_MS);
  }
}

/**
 * Asks before something that cannot be taken back.
 *
 * @returns Whether the person confirmed.
 */
export function confirmed(
  dialog: HTMLDialogElement,
  text: { readonly title: string; readonly body: string; readonly yes: string },
): Promise<boolean> {
  const no = h("button", { class: "plain", type: "button" }, "Keep it");
  const yes = h("button", { class: "plain danger", type: "button" }, text.yes);
  dialog.replaceChildren(
    h("h2", { id: "confirm-title" }, text.title),
    h("p", {}, text.body),
    h("div", { class: "tools" }, no, yes),
  );
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
    dialog.returnValue = "";
    no.addEventListener("click", () => dialog.close("no"));
    yes.addEventListener("click", () => dialog.close("yes"));
    dialog.showModal();
  });
}
