import type { InteractionKind, Nearfield, ProfileEntry } from "nearfield";

/** The occasions under which this page records, so that one of them can be kept out of taste. */
export const SOURCES = [
  { id: "myself", label: "Myself" },
  { id: "family evening", label: "Family evening" },
] as const;

/** The last thing the person said about a film, and whether it counts. */
export interface Opinion {
  readonly item: string;
  readonly kind: InteractionKind;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly source: string | undefined;
  /** Whether the film itself has been taken out of taste. */
  readonly setAside: boolean;
  /** Whether it counts: neither the film nor its source is taken out. */
  readonly counts: boolean;
}

/** What the log amounts to at this moment. */
export interface Standing {
  /** Newest first; films whose opinion was taken back are not among them. */
  readonly opinions: readonly Opinion[];
  /** Sources that are taken out of taste. */
  readonly silenced: ReadonlySet<string>;
}

/** The films that are liked and count, newest first. */
export function liked({ opinions }: Standing): readonly Opinion[] {
  return opinions.filter(({ kind, counts }) => kind === "like" && counts);
}

/** Reads the log into what this page shows. */
export function standing(entries: readonly ProfileEntry[]): Standing {
  const latest = new Map<string, ProfileEntry>();
  const silenced = new Set<string>();
  const setAside = new Map<string, { forgotten: boolean }>();
  for (const entry of entries) {
    const { event } = entry;
    if (event.type === "interaction") {
      latest.delete(event.item);
      latest.set(event.item, entry);
      continue;
    }
    // What was shown says nothing by itself.
    if (event.type === "shown") continue;
    const { item, source } = event.selector;
    if (item !== undefined && source === undefined) {
      if (event.type === "include") setAside.delete(item);
      else setAside.set(item, { forgotten: event.forgetSeen ?? false });
    } else if (source !== undefined && item === undefined) {
      if (event.type === "include") silenced.delete(source);
      else silenced.add(source);
    }
  }
  const opinions: Opinion[] = [];
  for (const { at, event } of latest.values()) {
    if (event.type !== "interaction" || setAside.get(event.item)?.forgotten) continue;
    const { item, kind, source } = event;
    const isAside = setAside.has(item);
    const quiet = source !== undefined && silenced.has(source);
    opinions.unshift({ item, kind, at, source, setAside: isAside, counts: !isAside && !quiet });
  }
  return { opinions, silenced };
}

/** What the buttons do, in terms of the profile. */
export class Opinions {
  readonly #nf: Nearfield;
  /** The occasion under which the next opinion is recorded. */
  source: string = SOURCES[0].id;

  /** @param nf - The open archive. */
  constructor(nf: Nearfield) {
    this.#nf = nf;
  }

  /** What the log amounts to now. */
  get standing(): Standing {
    return standing(this.#nf.profile.entries());
  }

  /** Records an opinion about a film; one that was taken back or set aside counts again. */
  record(item: string, kind: InteractionKind): void {
    this.#readmit(item);
    this.#nf.profile.record({ item, kind, source: this.source });
  }

  /** Marks a film as seen without letting it say anything about taste. */
  recordAside(item: string): void {
    if (!this.standing.opinions.some((opinion) => opinion.item === item)) this.record(item, "play");
    this.#nf.profile.exclude({ item });
  }

  /** Takes an opinion back, as if the film had never been touched. */
  undo(item: string): void {
    this.#nf.profile.exclude({ item }, { forgetSeen: true });
  }

  /** Sets whether a film in the history says something about taste. */
  setCounts(item: string, counts: boolean): void {
    if (counts) this.#nf.profile.include({ item });
    else this.#nf.profile.exclude({ item });
  }

  /** Sets whether everything recorded under a source says something about taste. */
  setSourceCounts(source: string, counts: boolean): void {
    if (counts) this.#nf.profile.include({ source });
    else this.#nf.profile.exclude({ source });
  }

  #readmit(item: string): void {
    const entries = this.#nf.profile.entries();
    const last = entries.findLast(
      ({ event }) => (event.type === "exclude" || event.type === "include") && event.selector.item === item,
    );
    if (last?.event.type === "exclude") this.#nf.profile.include({ item });
  }
}
