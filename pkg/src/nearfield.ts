import { answerOf, summaryOf } from "./answer.js";
import type { Engine, EngineAnswer, EngineInfo } from "./contract.js";
import { NearfieldError } from "./errors.js";
import type { Loading } from "./load.js";
import { data, moment, nonEmpty, readOptions, text, texts, unknownName, wrong } from "./options.js";
import { given, randomName } from "./plain.js";
import type { Profile } from "./profile.js";
import { context as contextOption } from "./profile-file.js";
import type { Recorded } from "./profile-types.js";
import {
  DISCOVER,
  FACETS,
  FILTER,
  LIST,
  ONBOARDING,
  plainOf,
  RANK,
  RECOMMEND,
  requestOf,
  requestText,
  SIMILAR,
  SUMMARY,
} from "./request.js";
import type { Request } from "./request.js";
import type { Supervisor } from "./supervisor.js";
import type {
  Answer,
  ArchiveInfo,
  CatalogItem,
  DiscoverOptions,
  EngineKind,
  Facet,
  FacetsOptions,
  FilterOptions,
  OnboardingOptions,
  RankOptions,
  RecommendOptions,
  Row,
  RowsOptions,
  SearchOptions,
  ShownOptions,
  SimilarOptions,
  SummaryOptions,
  TasteSummary,
} from "./types.js";

/** What was asked for an answer, so that the next page can be asked for. */
interface Question {
  readonly ask: (engine: Engine, request: string) => EngineAnswer;
  readonly request: Request;
  readonly fields: readonly string[] | undefined;
  /** What earlier pages showed. */
  readonly before: readonly string[];
}

/**
 * One open archive with one profile. Every answer is computed here, in this process, synchronously and
 * usually in well under a millisecond; nothing is sent anywhere.
 */
export class Nearfield {
  readonly #supervisor: Supervisor;
  /** The names of the catalog's columns. */
  readonly #columns: ReadonlySet<string>;
  readonly #questions = new WeakMap<Answer, Question>();
  /** What the ids of this object's answers begin with. */
  readonly #name = randomName();
  #nAnswers = 0;
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
   * @returns At most `k` items, exactly `k` whenever that many qualify and nothing in the request forbids it.
   * @throws NearfieldError `E_ARG`, `E_FILTER`, `E_NOT_READY`, `E_ENGINE`.
   */
  recommend(options?: RecommendOptions): Answer {
    const { fields, ...read } = readOptions("recommend", options, RECOMMEND);
    this.#requireColumns("recommend", fields);
    const ask = (engine: Engine, request: string): EngineAnswer => engine.recommend(request);
    return this.#slate({ ask, request: requestOf(read), fields, before: [] });
  }

  /**
   * The page after an answer of `recommend`, `rank` or `discover`: the same request, for the same moment,
   * without what earlier pages showed. Caps, shares and diversity take those pages into account. What the
   * profile has learned since counts. Pages of one answer can be asked for again and again.
   *
   * @param answer - An answer of this object, or a page of one.
   * @param k - The length of this page and those after it. Default: that of the page before.
   * @throws NearfieldError `E_ARG`, `E_FILTER`, `E_NOT_READY`, `E_ENGINE`.
   */
  next(answer: Answer, k?: number): Answer {
    const question = this.#questions.get(answer);
    if (question === undefined) throw wrong("next answer", "an answer of recommend, rank or discover", answer);
    const length = k === undefined ? {} : { k: data(k, "next k") };
    const before = [...question.before, ...answer.items.map(({ id }) => id)];
    return this.#slate({ ...question, request: { ...question.request, ...length }, before });
  }

  /**
   * A list that comes from elsewhere, in the order for this person, whether they know its items or not.
   *
   * @param ids - The items. Those that the catalog lacks are told in `warnings`.
   * @throws NearfieldError `E_ARG`, `E_FILTER`, `E_NOT_READY`, `E_ENGINE`.
   */
  rank(ids: readonly string[], options?: RankOptions): Answer {
    const { fields, ...read } = readOptions("rank", options, RANK);
    this.#requireColumns("rank", fields);
    const these = texts(ids, "rank ids");
    const request = requestOf({ ...read, k: read.k ?? Math.max(1, these.length) });
    return this.#slate({ ask: (engine, request) => engine.rank(these, request), request, fields, before: [] });
  }

  /**
   * What somebody may like who likes and dislikes these items, whatever the profile says. The examples do
   * not come back.
   *
   * @throws NearfieldError `E_ARG` (also for an example that the catalog lacks), `E_FILTER`, `E_NOT_READY`,
   *   `E_ENGINE`.
   */
  discover(options: DiscoverOptions): Answer {
    const { fields, like = [], dislike = [], ...read } = readOptions("discover", options, DISCOVER);
    this.#requireColumns("discover", fields);
    const ask = (engine: Engine, request: string): EngineAnswer => engine.discover(like, dislike, request);
    return this.#slate({ ask, request: requestOf(read), fields, before: [] });
  }

  /**
   * One row of recommendations for each of the person's interests, the most important first. No item
   * comes twice. Empty where no interest is known.
   *
   * @throws NearfieldError `E_ARG`, `E_FILTER`, `E_NOT_READY`, `E_ENGINE`.
   */
  rows(options?: RowsOptions): readonly Row[] {
    const { fields, ...read } = readOptions("rows", options, RECOMMEND);
    this.#requireColumns("rows", fields);
    const request = requestText(requestOf({ ...read, interests: read.interests ?? "auto" }));
    const found = this.#supervisor.call((engine) => engine.rows(request));
    return found.flatMap((row) => {
      const answer = this.#answer(row, fields);
      const interest = answer.interests?.[0];
      return interest === undefined ? [] : [Object.assign(answer, { interest })];
    });
  }

  /**
   * What is to be said of the person's taste, from what of the history counts.
   *
   * @returns `undefined` where nothing is known of it.
   * @throws NearfieldError `E_ARG`, `E_NOT_READY`, `E_ENGINE`.
   */
  summary(options?: SummaryOptions): TasteSummary | undefined {
    const { mix, age, ...read } = readOptions("summary", options, SUMMARY);
    const request = requestText(requestOf(read));
    const found = this.#supervisor.call((engine) => engine.summary(mix, age, request));
    return found && summaryOf(found);
  }

  /**
   * Items to ask a new person about: well known, unlike each other, and telling.
   *
   * @returns At most `k` items, in the order to ask in.
   * @throws NearfieldError `E_ARG`, `E_FILTER`, `E_NOT_READY`, `E_ENGINE`.
   */
  onboarding(options?: OnboardingOptions): readonly CatalogItem[] {
    const { fields = [...this.#columns], ...read } = readOptions("onboarding", options, ONBOARDING);
    this.#requireColumns("onboarding", fields);
    const request = requestText(requestOf(read));
    return this.#supervisor.call((engine) => {
      const ordinals = engine.onboarding(request);
      const cards = engine.cards(ordinals, fields);
      return engine.ids(ordinals).map((id, i) => ({ id, fields: cards[i] ?? {} }));
    });
  }

  /**
   * Records in the profile that an answer was shown: which items stood where, by which policy and with
   * which propensities. A shorthand for {@link Profile.shown}.
   *
   * @throws NearfieldError `E_ARG`.
   */
  shown(answer: Answer, options?: ShownOptions): Recorded {
    const read = readOptions("shown", options, { context: contextOption, at: moment });
    if (typeof answer?.slate !== "string") throw wrong("shown answer", "an answer as it came", answer);
    const { slate, policy } = answer;
    const asked = this.#questions.get(answer)?.request["context"] as ShownOptions["context"];
    const items = answer.items.map(({ id: item, propensity }, position) => ({
      item,
      position,
      ...given({ propensity }),
    }));
    return this.profile.shown({ slate, items, ...given({ policy, context: read.context ?? asked, at: read.at }) });
  }

  /** The names of the profiles that have something in storage; see {@link Profile.names}. */
  profiles(): Promise<string[]> {
    return this.profile.names();
  }

  /** Goes on with the profile of another name; see {@link Profile.switchTo}. */
  switchProfile(name: string | false): Promise<void> {
    return this.profile.switchTo(name);
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
    const { fields, ...read } = readOptions("similar", options, SIMILAR);
    if (typeof target !== "string" && !(target instanceof Float32Array)) {
      throw wrong("similar target", "an item id or a Float32Array", target);
    }
    this.#requireColumns("similar", fields);
    const [id, vector] = typeof target === "string" ? [target, new Float32Array()] : [undefined, target];
    const plain = id === undefined ? plainOf(read) : undefined;
    const request = plain ?? requestText(requestOf(read));
    const found = this.#supervisor.call((engine, instance) =>
      typeof request === "string" ? engine.similar(id, vector, request) : instance.nearest(vector, request),
    );
    return this.#answer(found, fields);
  }

  /**
   * Finds items by title: words and beginnings of words, small typing errors forgiven.
   *
   * @param query - What was typed; an empty text finds nothing.
   * @throws NearfieldError `E_ARG`, `E_FILTER`, `E_UNSUPPORTED` (the archive has no titles),
   *   `E_NOT_READY` (they have not arrived yet), `E_ENGINE`.
   */
  search(query: string, options?: SearchOptions): Answer {
    const { fields, ...read } = readOptions("search", options, LIST);
    this.#requireColumns("search", fields);
    // Decomposed and in lower case: the host has the tables for that, and the engine needs none.
    const typed = text(query, "search query").normalize("NFKD").toLowerCase();
    const request = requestText(requestOf(read));
    return this.#answer(this.#supervisor.call((engine) => engine.find(typed, request)), fields);
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
      return { id: wanted, fields: engine.cards([ordinal], names)[0] ?? {} };
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
    const request = requestText(requestOf(readOptions("count", options, FILTER)));
    return this.#supervisor.call((engine) => engine.count(request));
  }

  /**
   * The values of a column with their counts, most frequent first.
   *
   * @throws NearfieldError `E_ARG` for an unknown column or one without countable values, `E_FILTER`.
   */
  facets(field: string, options?: FacetsOptions): readonly Facet[] {
    const { limit, ...read } = readOptions("facets", options, FACETS);
    const column = nonEmpty(field, "facets field");
    this.#requireColumns("facets", [column]);
    const request = requestText(requestOf(read));
    return this.#supervisor.call((engine) => engine.facets(column, limit, request));
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

  #slate(question: Question): Answer {
    const { ask, request, fields, before } = question;
    const text = requestText(before.length === 0 ? request : { ...request, after: before });
    const answer = this.#answer(this.#supervisor.call((engine) => ask(engine, text)), fields, before);
    this.#questions.set(answer, question);
    return answer;
  }

  #answer(found: EngineAnswer, fields: readonly string[] | undefined, before: readonly string[] = []): Answer {
    const names = this.#supervisor.call((engine) => ({
      ids: engine.ids(found.ordinals),
      cards: fields && engine.cards(found.ordinals, fields),
      explored: found.explored && engine.ids(found.explored),
    }));
    this.#nAnswers += 1;
    return answerOf(`${this.#name}-${this.#nAnswers}`, found, names, before);
  }
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
