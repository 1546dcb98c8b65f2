import type { EngineAnswer, EngineFilter, EngineInfo } from "./contract.js";
import { NearfieldError } from "./errors.js";
import type { Loading } from "./load.js";
import {
  count,
  countOrZero,
  json,
  moment,
  nonEmpty,
  oneOf,
  program,
  readOptions,
  recall as recallOption,
  text,
  texts,
  unknownName,
  wrong,
} from "./options.js";
import type { Read } from "./options.js";
import type { Profile } from "./profile.js";
import { given } from "./plain.js";
import type { Supervisor } from "./supervisor.js";
import type {
  Answer,
  ArchiveInfo,
  CatalogItem,
  EngineKind,
  Facet,
  FacetsOptions,
  FilterOptions,
  Item,
  RecommendOptions,
  SearchOptions,
  Shortfall,
  SimilarOptions,
} from "./types.js";

/** Results per list where the caller names no number: what one row of a page shows. */
const DEFAULT_K = 10;

const FILTER = { where: program, params: json, now: moment };
const LIST = { ...FILTER, k: count, fields: texts, exclude: texts };
const SIMILAR = { ...LIST, recall: recallOption };
const RECOMMEND = { ...SIMILAR, seen: oneOf("exclude", "include"), explain: countOrZero };
const FACETS = { ...FILTER, limit: count };

/** The part of a request that says which items it is about. */
function filter({ where, params, now = Date.now() }: Read<typeof FILTER>): EngineFilter {
  return { now_ms: now, ...given({ where, params }) };
}

/**
 * One open archive with one profile. Every answer is computed here, in this process, synchronously and
 * usually in well under a millisecond; nothing is sent anywhere.
 */
export class Nearfield {
  readonly #supervisor: Supervisor;
  /** The names of the catalog's columns. */
  readonly #columns: ReadonlySet<string>;
  /** What the person did, and what of it counts. */
  readonly profile: Profile;
  /** What the archive says about itself. */
  readonly info: ArchiveInfo;
  /** Which form of the engine runs here. Answers do not depend on it. */
  readonly engine: EngineKind;
  /**
   * Resolves when all of the archive is there and, unless `verify` is off, checked; has done so already
   * unless the archive was opened as `progressive`. Rejects with a NearfieldError when the rest does
   * not come: `E_FETCH`, `E_CORRUPT` (a damaged section is not used), `E_ABORTED` (by the signal or by
   * {@link dispose}), `E_ENGINE`, or with what `onProgress` threw. Answers then go on from what came
   * before; opening the archive again is the way to the rest. No listener is needed.
   */
  readonly loaded: Promise<void>;
  readonly #stop: Loading["stop"];

  /** @internal Made by `open`. */
  constructor(supervisor: Supervisor, profile: Profile, engine: EngineKind, { loaded, stop }: Loading) {
    this.#supervisor = supervisor;
    this.profile = profile;
    this.engine = engine;
    this.loaded = loaded;
    this.#stop = stop;
    this.info = publicInfo(supervisor.call((engine) => engine.info()));
    this.#columns = new Set(this.info.columns.map((column) => column.name));
  }

  /**
   * Items for this person, from everything the profile knows at this moment.
   *
   * @returns At most `k` items, exactly `k` whenever that many qualify.
   * @throws NearfieldError `E_ARG`, `E_FILTER`, `E_NOT_READY`, `E_ENGINE`.
   */
  recommend(options?: RecommendOptions): Answer {
    const read = readOptions("recommend", options, RECOMMEND);
    const { k = DEFAULT_K, fields, exclude, recall, seen, explain } = read;
    this.#requireColumns("recommend", fields);
    const request = { ...filter(read), k, ...given({ exclude, recall, seen, explain }) };
    const answer = this.#supervisor.call((engine) => engine.recommend(request));
    return this.#answer(answer, k, fields);
  }

  /**
   * Items near an item or a vector.
   *
   * @param target - An item's id (the item itself is not in its own answer), or a vector of
   *   `info.dim` finite components in the space of the catalog's vectors.
   * @throws NearfieldError `E_ARG` (an unknown id, a wrong dimension), `E_FILTER`, `E_NOT_READY`,
   *   `E_ENGINE`.
   */
  similar(target: string | Float32Array, options?: SimilarOptions): Answer {
    const read = readOptions("similar", options, SIMILAR);
    const { k = DEFAULT_K, fields, exclude, recall } = read;
    if (typeof target !== "string" && !(target instanceof Float32Array)) {
      throw wrong("similar target", "an item id or a Float32Array", target);
    }
    this.#requireColumns("similar", fields);
    const subject = typeof target === "string" ? { id: target } : { vector: target };
    const request = { ...subject, ...filter(read), k, ...given({ exclude, recall }) };
    return this.#answer(this.#supervisor.call((engine) => engine.similar(request)), k, fields);
  }

  /**
   * Finds items by title: words and beginnings of words, small typing errors forgiven.
   *
   * @param query - What was typed; an empty text finds nothing.
   * @throws NearfieldError `E_ARG`, `E_FILTER`, `E_UNSUPPORTED` (the archive has no titles),
   *   `E_NOT_READY` (they have not arrived yet), `E_ENGINE`.
   */
  search(query: string, options?: SearchOptions): Answer {
    const read = readOptions("search", options, LIST);
    const { k = DEFAULT_K, fields, exclude } = read;
    this.#requireColumns("search", fields);
    // Decomposed and in lower case: the host has the tables for that, and the engine needs none.
    const typed = text(query, "search query").normalize("NFKD").toLowerCase();
    const request = { ...filter(read), k, ...given({ exclude }) };
    return this.#answer(this.#supervisor.call((engine) => engine.find(typed, request)), k, fields);
  }

  /**
   * One item's columns.
   *
   * @param fields - The columns wanted. Default: all.
   * @returns `undefined` when the catalog has no such item.
   * @throws NearfieldError `E_ARG` for an unknown column, with the nearest name, `E_NOT_READY` for a
   *   text that has not arrived yet.
   */
  item(id: string, fields?: readonly string[]): CatalogItem | undefined {
    const wanted = nonEmpty(id, "item id");
    const names = fields === undefined ? [...this.#columns] : texts(fields, "item fields");
    this.#requireColumns("item", names);
    return this.#supervisor.call((engine) => {
      const ordinal = engine.ordinal(wanted);
      if (ordinal === undefined) return undefined;
      return { id: wanted, fields: engine.cards(Uint32Array.of(ordinal), names)[0] ?? {} };
    });
  }

  /** Whether the catalog has an item with this id. */
  has(id: string): boolean {
    const wanted = text(id, "has id");
    return this.#supervisor.call((engine) => engine.has(wanted));
  }

  /**
   * How many items of the catalog there are for which `where` holds, whether or not the person has seen
   * them.
   *
   * @throws NearfieldError `E_ARG`, `E_FILTER`.
   */
  count(options?: FilterOptions): number {
    const request = filter(readOptions("count", options, FILTER));
    return this.#supervisor.call((engine) => engine.count(request));
  }

  /**
   * The values of a column with their counts, most frequent first.
   *
   * @throws NearfieldError `E_ARG` for an unknown column or one without countable values, `E_FILTER`.
   */
  facets(field: string, options?: FacetsOptions): readonly Facet[] {
    const read = readOptions("facets", options, FACETS);
    const column = nonEmpty(field, "facets field");
    this.#requireColumns("facets", [column]);
    const request = { ...filter(read), ...given({ limit: read.limit }) };
    return this.#supervisor.call((engine) => engine.facets(column, request));
  }

  /**
   * Gives back the memory and closes the profile's storage; writes already begun still complete. What
   * is still loading is given up. Every later call throws `E_NOT_READY`.
   */
  dispose(): void {
    this.#stop(new NearfieldError("E_ABORTED", "this archive was disposed of before all of it had arrived"));
    this.profile.close();
    this.#supervisor.close("this archive has been disposed of");
  }

  /** Refuses unknown columns before any work is done, with the name that was probably meant. */
  #requireColumns(call: string, fields: readonly string[] | undefined): void {
    for (const field of fields ?? []) {
      if (!this.#columns.has(field)) throw unknownName(call, "field", field, [...this.#columns]);
    }
  }

  #answer(answer: EngineAnswer, k: number, fields: readonly string[] | undefined): Answer {
    const { ordinals, scores, because, qualifying, basis, approximate, warnings = [] } = answer;
    const [ids, cards] = this.#supervisor.call((engine) => [
      engine.ids(ordinals),
      fields === undefined ? undefined : engine.cards(ordinals, fields),
    ]);
    const items = ids.map((id, i): Item => {
      const score = scores[i];
      if (score === undefined) {
        throw new NearfieldError("E_ENGINE", "the engine gave fewer scores than items");
      }
      return {
        id,
        score,
        ...given({
          because: because?.[i]?.map(({ item, kind, at_ms: at, share }) => ({ item, kind, at, share })),
          fields: cards?.[i],
        }),
      };
    });
    const shortened = shortfall(k, items.length, answer);
    return { items, qualifying, basis, ...given({ approximate, shortfall: shortened }), warnings };
  }
}

function shortfall(requested: number, returned: number, { basis }: EngineAnswer): Shortfall | undefined {
  if (returned >= requested) return undefined;
  return { requested, returned, reason: basis === "title" ? "matches" : "qualifying" };
}

function publicInfo(info: EngineInfo): ArchiveInfo {
  return Object.freeze({
    nItems: info.n_items,
    dim: info.dim,
    metric: info.metric,
    codeBits: info.code_bits,
    nLists: info.n_lists,
    formatVersion: info.format_version,
    totalBytes: info.total_bytes,
    foldin: info.foldin,
    foldinExact: info.foldin_exact,
    sections: info.sections.map(({ name, bytes }) => ({ name, bytes })),
    columns: info.columns.map(({ name, kind, n_null: nNull, n_distinct: nDistinct, min, max }) => ({
      name,
      kind,
      nNull,
      ...given({ nDistinct, min, max }),
    })),
  });
}
