import type { Answer, Item, Nearfield, RecommendOptions } from "nearfield";
import type { Action } from "./card.js";
import { Details } from "./details.js";
import { byId, rested } from "./dom.js";
import { CARD_FIELDS, toFilm } from "./film.js";
import type { Film } from "./film.js";
import { Filters, whereOf } from "./filters.js";
import { History } from "./history.js";
import { bytesText, Meter } from "./meter.js";
import { confirmed, Toast } from "./notices.js";
import { liked, Opinions } from "./opinions.js";
import type { Standing } from "./opinions.js";
import { Shelf } from "./shelf.js";
import type { Entry } from "./shelf.js";
import { interestName, LABELS, Taste } from "./taste.js";

/** About how many films a shelf shows, and how many each "more" adds. */
const PAGE = 12;
/** About how many films a title search shows: they stand above everything else. */
const MATCHES = 5;
/** About how many films a shelf of one line shows. */
const LINE = 4;
/** How many likes end the questions to somebody new. */
const ENOUGH = 3;
/** From how many likes on the page has rows of its own for the person's interests. */
const LIKES_FOR_ROWS = 5;
/** The page's places for such rows. */
const ROWS = ["row-1", "row-2", "row-3"] as const;
/**
 * What makes a shelf of recommendations more than the best scores: films that are not all alike, and no
 * director's whole work.
 */
const COMPOSITION = { diversity: { strength: 0.3 }, caps: { director: 2 } } satisfies RecommendOptions;

/** The page once the archive is open: asks the recommender and shows what it says. */
export class App {
  readonly #nf: Nearfield;
  readonly #meter = new Meter(byId("fact-time"));
  readonly #toast = new Toast(byId("toast"));
  readonly #details: Details;
  readonly #opinions: Opinions;
  readonly #filters: Filters;
  readonly #history: History;
  readonly #taste: Taste;
  readonly #start: Shelf;
  readonly #forYou: Shelf;
  readonly #rows: readonly Shelf[];
  readonly #likeThis: Shelf;
  readonly #matches: Shelf;
  readonly #search = byId<HTMLInputElement>("search");
  /** How many pages "for you" shows. */
  #pages = 1;
  /** The ids of the pages that were last recorded as shown. */
  #shown: readonly string[] = [];
  /** The film that "more like this" was asked for. */
  #subject: Film | undefined;

  /** @param nf - The open archive. */
  constructor(nf: Nearfield) {
    this.#nf = nf;
    this.#opinions = new Opinions(nf);
    const act = (action: Action, film: Film): void => this.#act(action, film);
    this.#details = new Details(byId("details"), act);
    this.#filters = new Filters(byId("filters"), nf, () => {
      this.#pages = 1;
      this.#draw();
    });
    this.#forYou = new Shelf(byId("for-you"), act, {
      onMore: () => {
        this.#pages += 1;
        this.#draw();
      },
    });
    this.#start = new Shelf(byId("start"), act);
    this.#rows = ROWS.map((id) => new Shelf(byId(id), act));
    this.#likeThis = new Shelf(byId("like-this"), act, { onClose: () => this.#closeLikeThis() });
    this.#matches = new Shelf(byId("matches"), act, { onClose: () => this.#closeMatches() });
    this.#taste = new Taste(byId("taste"), nf, (id) => this.#film(id));
    this.#history = new History(byId("history"), this.#opinions, {
      film: (id) => this.#film(id),
      details: (film) => this.#act("details", film),
      exportFile: () => this.#export(),
      importFile: (file) => void this.#import(file),
      erase: () => void this.#erase(),
    });
    const typed = rested(40, () => this.#draw());
    this.#search.addEventListener("input", typed);
    this.#search.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#closeMatches();
      if (event.key === "Enter") this.#matches.root.querySelector<HTMLElement>(".poster")?.focus();
    });
    // Another width has other rows; the same number of columns asks for nothing.
    let { columns } = this.#forYou;
    addEventListener("resize", rested(150, () => {
      if (columns === this.#forYou.columns) return;
      columns = this.#forYou.columns;
      this.#draw();
    }));
    // One way for every change, from here or from another tab.
    nf.profile.subscribe(rested(0, () => this.#draw()));
    this.#showFacts();
    this.#draw();
  }

  #act(action: Action, film: Film): void {
    if (action === "details") {
      const fields = this.#nf.item(film.id)?.fields ?? {};
      this.#details.show(film, fields, said(this.#opinions.standing, film.id));
      return;
    }
    if (action === "more") {
      this.#subject = film;
      this.#draw();
      this.#likeThis.root.scrollIntoView({ block: "start" });
      this.#likeThis.root.focus({ preventScroll: true });
      return;
    }
    const { id } = film;
    const before = said(this.#opinions.standing, id);
    if (before === action) {
      this.#opinions.undo(id);
      this.#toast.show(`Taken back: ${film.title}`);
      return;
    }
    if (action === "aside") this.#opinions.recordAside(id);
    else this.#opinions.record(id, action);
    const done = { like: "Liked", dislike: "Disliked", aside: "Not for your taste profile:" }[action];
    this.#toast.show(`${done} ${film.title}`, () => {
      if (before === "like" || before === "dislike") this.#opinions.record(id, before);
      else if (before === "aside") this.#opinions.recordAside(id);
      else this.#opinions.undo(id);
    });
  }

  /** Asks for everything that is shown, and shows it. */
  #draw(): void {
    const standing = this.#opinions.standing;
    // What the person knows has changed, perhaps, and with it what the menus count.
    if (this.#filters.choice.unknownOnly) this.#filters.draw();
    this.#drawMatches(standing);
    this.#drawLikeThis(standing);
    const asked = this.#drawStart(standing);
    const forYou = this.#drawForYou(standing, asked);
    this.#drawRows(standing, forYou);
    this.#taste.draw(standing);
    this.#history.draw(standing);
  }

  /** The number of films nearest to `about` that fills whole rows at this width. */
  #whole(about: number): number {
    const { columns } = this.#forYou;
    return Math.max(1, Math.round(about / columns)) * columns;
  }

  /** Where the filters say something. */
  get #where(): Pick<RecommendOptions, "where"> {
    const where = whereOf(this.#filters.choice);
    return where === undefined ? {} : { where };
  }

  /** Draws the shelf "for you", without the films that are on the page already, and returns its ids. */
  #drawForYou(standing: Standing, exclude: readonly string[]): readonly string[] {
    const k = this.#whole(PAGE);
    const first = this.#meter.time(() =>
      this.#nf.recommend({ k, explain: 1, exclude, fields: CARD_FIELDS, ...COMPOSITION, ...this.#where }),
    );
    const pages = [first];
    let last = first;
    while (pages.length < this.#pages && last.items.length === k) pages.push((last = this.#nf.next(last)));
    const items = pages.flatMap((page) => page.items);
    const more = last.qualifying > last.items.length && last.shortfall === undefined ? { more: "Show more" } : {};
    this.#forYou.show(
      items.map((item) => this.#entry(item, standing)),
      { title: "For you", note: forYouNote(first, standing), ...more },
    );
    this.#recordShown(pages);
    return items.map(({ id }) => id);
  }

  /**
   * Records what stands on the shelf, once: recording changes the profile, and that draws again. What
   * everybody gets to see says nothing about anybody and is not recorded.
   */
  #recordShown(pages: readonly Answer[]): void {
    const shown = pages.map((page) => page.items.map(({ id }) => id).join(" "));
    const before = this.#shown;
    this.#shown = shown;
    pages.forEach((page, i) => {
      if (page.basis === "taste" && page.items.length > 0 && shown[i] !== before[i]) this.#nf.shown(page);
    });
  }

  /** Asks somebody new about a few films that tell much, and returns their ids. */
  #drawStart(standing: Standing): readonly string[] {
    const items =
      liked(standing).length >= ENOUGH
        ? []
        : this.#nf.onboarding({ k: this.#whole(LINE), fields: CARD_FIELDS, ...this.#where });
    if (items.length === 0) {
      this.#start.hide();
      return [];
    }
    this.#start.show(
      items.map(({ id, fields }) => ({ film: toFilm(id, fields), said: said(standing, id), because: undefined })),
      { title: "Which do you like?", note: "Films that many know and that tell tastes apart. Two or three answers are enough." },
    );
    return items.map(({ id }) => id);
  }

  /** Draws a row for each of the strongest interests, without the films that are on the page already. */
  #drawRows(standing: Standing, exclude: readonly string[]): void {
    const rows =
      liked(standing).length < LIKES_FOR_ROWS
        ? []
        : this.#nf.rows({
            k: this.#whole(LINE),
            labels: LABELS,
            exclude,
            fields: CARD_FIELDS,
            ...COMPOSITION,
            ...this.#where,
          });
    this.#rows.forEach((shelf, i) => {
      const row = rows[i];
      if (row === undefined || row.items.length === 0) {
        shelf.hide();
        return;
      }
      const film = this.#film(row.interest.medoid);
      shelf.show(
        row.items.map((item) => this.#entry(item, standing)),
        { title: `Because you like ${film.title}`, note: interestName(row.interest, film) },
      );
    });
  }

  #drawLikeThis(standing: Standing): void {
    const subject = this.#subject;
    if (subject === undefined) return;
    const answer = this.#meter.time(() =>
      this.#nf.similar(subject.id, { k: this.#whole(PAGE), fields: CARD_FIELDS, ...this.#where }),
    );
    this.#likeThis.show(
      answer.items.map((item) => this.#entry(item, standing)),
      {
        title: `More like ${subject.title}`,
        ...(answer.items.length === 0 ? { note: "No film within these filters." } : {}),
      },
    );
  }

  #drawMatches(standing: Standing): void {
    const query = this.#search.value.trim();
    if (query === "") {
      this.#matches.hide();
      return;
    }
    const answer = this.#meter.time(() =>
      this.#nf.search(query, { k: this.#whole(MATCHES), fields: CARD_FIELDS }),
    );
    this.#matches.show(
      answer.items.map((item) => this.#entry(item, standing)),
      {
        title: "Matches",
        ...(answer.items.length === 0 ? { note: `No title begins like “${query}”.` } : {}),
      },
    );
  }

  #entry({ id, fields = {}, because }: Item, standing: Standing): Entry {
    const reason = because?.find(({ share, kind }) => share > 0 && kind !== "dislike");
    return {
      film: toFilm(id, fields),
      said: said(standing, id),
      because:
        reason === undefined
          ? undefined
          : { film: this.#film(reason.item), verb: reason.kind === "like" ? "liked" : "watched" },
    };
  }

  /** A film by its id; one that this catalog lacks goes by its id. */
  #film(id: string): Film {
    return toFilm(id, this.#nf.item(id, CARD_FIELDS)?.fields ?? {});
  }

  #closeMatches(): void {
    this.#search.value = "";
    this.#matches.hide();
    this.#search.focus();
  }

  #closeLikeThis(): void {
    this.#subject = undefined;
    this.#likeThis.hide();
    this.#forYou.root.focus();
  }

  #export(): void {
    const file = new Blob([this.#nf.profile.export()], { type: "application/json" });
    const link = document.createElement("a");
    link.href = URL.createObjectURL(file);
    link.download = "nearfield-profile.json";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }

  async #import(file: File): Promise<void> {
    try {
      const { added, known } = this.#nf.profile.import(await file.text());
      this.#toast.show(`Imported: ${added} new, ${known} already here`);
    } catch (error) {
      this.#toast.show(`Not imported: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  async #erase(): Promise<void> {
    const sure = await confirmed(byId("confirm"), {
      title: "Erase everything?",
      body: "Your whole history goes, in this browser and in every open tab. This cannot be undone.",
      yes: "Erase",
    });
    if (!sure) return;
    try {
      await this.#nf.profile.erase();
      this.#toast.show("Erased. This page knows nothing about you.");
    } catch (error) {
      this.#toast.show(`Not erased: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #showFacts(): void {
    const { nItems, totalBytes, sections } = this.#nf.info;
    byId("fact-items").textContent = nItems.toLocaleString("en");
    byId("fact-bytes").textContent = bytesText(totalBytes);
    const parts = sections.map(({ name, bytes }) => `${name} ${bytesText(bytes)}`).join(", ");
    byId("sections").textContent =
      `The archive takes ${(totalBytes / Math.max(1, nItems)).toFixed(0)} bytes a film: ${parts}.`;
    byId("facts").hidden = false;
    byId("to-history").hidden = false;
  }
}

/** Which button of a film is pressed. */
function said({ opinions }: Standing, id: string): Action | undefined {
  const opinion = opinions.find(({ item }) => item === id);
  if (opinion === undefined) return undefined;
  if (opinion.setAside) return "aside";
  if (opinion.kind === "like" || opinion.kind === "dislike") return opinion.kind;
  return undefined;
}

function forYouNote({ basis, items, qualifying }: Answer, { opinions }: Standing): string {
  if (items.length === 0) return "No film is left within these filters.";
  const range = `${qualifying.toLocaleString("en")} films to choose from`;
  if (basis !== "taste") {
    return opinions.length === 0
      ? "Nothing is known about you yet: these are the films that most people know."
      : `Nothing in your history counts for your taste at the moment. ${range}.`;
  }
  return `Computed here, from what counts in your history. ${range}.`;
}

