import { h } from "./dom.js";
import { named } from "./film.js";
import type { Film } from "./film.js";
import { icon } from "./icons.js";
import { SOURCES } from "./opinions.js";
import type { Opinion, Opinions, Standing } from "./opinions.js";

/** How many opinions are listed before the rest has to be asked for. */
const FIRST = 12;

/** What the panel asks of the page around it. */
export interface HistoryHost {
  /** Reads a film by its id. */
  film(id: string): Film;
  /** Shows a film's details. */
  details(film: Film): void;
  /** Hands the whole history to the person as a file. */
  exportFile(): void;
  /** Takes in a file exported before. */
  importFile(file: File): void;
  /** Asks, and then erases everything. */
  erase(): void;
}

/** The person's view of their own profile: what is known, what of it counts, and how to be rid of it. */
export class History {
  readonly #opinions: Opinions;
  readonly #host: HistoryHost;
  readonly #sources = h("div", { class: "sources" });
  readonly #count = h("span", { class: "count" });
  readonly #list = h("ul", { class: "opinions" });
  readonly #rest = h("button", { class: "plain", type: "button" });
  readonly #empty = h(
    "p",
    { class: "shelf-note" },
    "Nothing yet. Like or dislike a film and it appears here, where you can take it back.",
  );
  #all = false;

  /**
   * @param root - The panel.
   * @param opinions - What the buttons change.
   * @param host - The page around it.
   */
  constructor(root: HTMLElement, opinions: Opinions, host: HistoryHost) {
    this.#opinions = opinions;
    this.#host = host;
    this.#rest.addEventListener("click", () => {
      this.#all = !this.#all;
      this.draw(opinions.standing);
    });
    root.replaceChildren(
      h("h2", { id: "history-title" }, "Your history ", this.#count),
      this.#occasion(),
      this.#empty,
      this.#list,
      this.#rest,
      this.#sources,
      this.#tools(),
    );
  }

  /** Draws the present standing. */
  draw({ opinions, silenced }: Standing): void {
    const focus = (document.activeElement as HTMLElement | null)?.dataset["key"];
    const counting = opinions.filter((opinion) => opinion.counts).length;
    this.#count.textContent = opinions.length === 0 ? "" : `${counting} of ${opinions.length} count`;
    this.#empty.hidden = opinions.length > 0;
    const shown = this.#all ? opinions : opinions.slice(0, FIRST);
    this.#list.replaceChildren(...shown.map((opinion) => this.#row(opinion)));
    this.#rest.hidden = opinions.length <= FIRST;
    this.#rest.textContent = this.#all ? "Show fewer" : `Show all ${opinions.length}`;
    this.#drawSources(opinions, silenced);
    if (focus !== undefined) {
      document.querySelector<HTMLElement>(`[data-key="${CSS.escape(focus)}"]`)?.focus();
    }
  }

  #row(opinion: Opinion): HTMLElement {
    const film = this.#host.film(opinion.item);
    const title = h("button", { class: "opinion-title", type: "button" }, film.title);
    title.addEventListener("click", () => this.#host.details(film));
    const counts = checkbox(`counts ${opinion.item}`, !opinion.setAside, (on) =>
      this.#opinions.setCounts(opinion.item, on),
    );
    const undo = h(
      "button",
      { class: "action", type: "button", title: "Take back", "aria-label": `Take back ${named(film)}` },
      icon("undo"),
    );
    undo.dataset["key"] = `undo ${opinion.item}`;
    undo.addEventListener("click", () => this.#opinions.undo(opinion.item));
    return h(
      "li",
      { class: opinion.counts ? "opinion" : "opinion opinion-quiet" },
      h("span", { class: `opinion-kind opinion-${opinion.kind}` }, icon(iconOf(opinion))),
      h("span", { class: "opinion-text" }, title, h("span", { class: "opinion-when" }, whenText(opinion))),
      h("label", { class: "switch", title: "Counts for my taste profile" }, counts, h("span", {}, "counts")),
      undo,
    );
  }

  #drawSources(opinions: readonly Opinion[], silenced: ReadonlySet<string>): void {
    const used = new Set(opinions.flatMap(({ source }) => source ?? []));
    for (const source of silenced) used.add(source);
    const rows = [...used].map((source) => {
      const n = opinions.filter((opinion) => opinion.source === source).length;
      const on = checkbox(`source ${source}`, !silenced.has(source), (counts) =>
        this.#opinions.setSourceCounts(source, counts),
      );
      return h("label", { class: "switch source" }, on, h("span", {}, `${labelOf(source)} (${n})`));
    });
    this.#sources.hidden = rows.length === 0;
    this.#sources.replaceChildren(h("h3", {}, "Counts for my taste profile"), ...rows);
  }

  /** Under which occasion the next opinion is recorded. */
  #occasion(): HTMLElement {
    const choices = SOURCES.map(({ id, label }) => {
      const input = h("input", {
        type: "radio",
        name: "occasion",
        value: id,
        checked: id === this.#opinions.source,
      });
      input.addEventListener("change", () => {
        this.#opinions.source = id;
      });
      return h("label", { class: "chip" }, input, h("span", { class: "chip-face" }, label));
    });
    return h(
      "div",
      { class: "occasion", role: "radiogroup", "aria-label": "Choosing for" },
      h("span", { class: "occasion-label" }, "Choosing for"),
      ...choices,
    );
  }

  #tools(): HTMLElement {
    const file = h("input", { type: "file", accept: "application/json,.json", hidden: true });
    file.addEventListener("change", () => {
      const chosen = file.files?.[0];
      file.value = "";
      if (chosen !== undefined) this.#host.importFile(chosen);
    });
    return h(
      "div",
      { class: "tools" },
      button("Export", () => this.#host.exportFile()),
      button("Import", () => file.click()),
      button("Erase everything", () => this.#host.erase(), "plain danger"),
      file,
    );
  }
}

function button(label: string, onClick: () => void, style = "plain"): HTMLElement {
  const element = h("button", { class: style, type: "button" }, label);
  element.addEventListener("click", onClick);
  return element;
}

function checkbox(key: string, checked: boolean, onChange: (on: boolean) => void): HTMLInputElement {
  const input = h("input", { type: "checkbox", checked });
  input.dataset["key"] = key;
  input.addEventListener("change", () => onChange(input.checked));
  return input;
}

function iconOf({ kind }: Opinion): "like" | "dislike" | "aside" {
  if (kind === "like") return "like";
  return kind === "dislike" ? "dislike" : "aside";
}

function labelOf(source: string): string {
  return SOURCES.find(({ id }) => id === source)?.label ?? source;
}

function whenText({ kind, at, source, setAside }: Opinion): string {
  const verb = kind === "like" ? "liked" : kind === "dislike" ? "disliked" : "seen";
  const occasion = source === undefined || source === SOURCES[0].id ? "" : `, ${labelOf(source)}`;
  return `${verb} ${ago(Date.now() - at)}${occasion}${setAside ? ", not for my taste" : ""}`;
}

/** Elapsed time in the largest unit that fits. */
function ago(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return "just now";
  const format = new Intl.RelativeTimeFormat("en", { numeric: "always", style: "short" });
  if (minutes < 60) return format.format(-minutes, "minute");
  if (minutes < 60 * 24) return format.format(-Math.floor(minutes / 60), "hour");
  return format.format(-Math.floor(minutes / (60 * 24)), "day");
}
