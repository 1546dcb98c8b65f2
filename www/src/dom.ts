/**
 * The only way in which this page makes elements. Text goes in as text nodes and attributes come from a
 * short list without event handlers or addresses, so nothing that stands in a catalog can become markup.
 */
export interface Attributes {
  readonly class?: string;
  readonly id?: string;
  readonly type?: string;
  readonly name?: string;
  readonly value?: string;
  readonly title?: string;
  readonly role?: string;
  readonly for?: string;
  readonly accept?: string;
  readonly max?: string;
  readonly "aria-label"?: string;
  readonly "aria-pressed"?: boolean;
  readonly "aria-hidden"?: boolean;
  readonly "data-action"?: string;
  readonly "data-id"?: string;
  readonly checked?: boolean;
  readonly disabled?: boolean;
  readonly hidden?: boolean;
}

type Child = Node | string | undefined;

/**
 * Makes an element.
 *
 * @param tag - Its name.
 * @param attributes - Its attributes; `undefined` and, for plain flags, `false` leave one out.
 * @param children - Nodes, or strings that become text. `undefined` is skipped.
 */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes) as [string, string | boolean | undefined][]) {
    if (value === undefined) continue;
    if (typeof value === "string") element.setAttribute(name, value);
    else if (name.startsWith("aria-")) element.setAttribute(name, String(value));
    else element.toggleAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

/** The element with this id, which the page's own HTML is known to have. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no #${id}`);
  return element as T;
}

/** Calls back once input has rested for `ms`, so that typing fast asks once. */
export function rested<A extends unknown[]>(ms: number, callback: (...args: A) => void): (...args: A) => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => callback(...args), ms);
  };
}
