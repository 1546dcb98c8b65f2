/**
 * The published types as a stranger meets them: this file is compiled against the package by its name,
 * strictly, under both module resolutions in use. It is never run.
 */
import { NearfieldError, open } from "nearfield";
import type {
  Answer,
  CatalogItem,
  Compacted,
  Context,
  EngineKind,
  ErrorCode,
  Fields,
  Item,
  Nearfield,
  OpenOptions,
  Profile,
  Recorded,
  Row,
  Scenario,
  Shown,
  SlateOptions,
  TasteSummary,
  TraceStep,
  Unmet,
  Where,
} from "nearfield";

/** Fails to compile unless both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <T extends true>(): T | undefined => undefined;

export async function everySource(blob: Blob, response: Response): Promise<void> {
  await open("films.nf");
  await open(new URL("https://example.org/films.nf"), { verify: false });
  await open(new Uint8Array(8), { profile: false });
  await open(new ArrayBuffer(8), { profile: "films", storage: "memory" });
  await open(blob, { signal: AbortSignal.timeout(1000) });
  await open(response, { onProgress: ({ receivedBytes, totalBytes }) => receivedBytes / (totalBytes ?? 1) });
  await open("films.nf", { wasm: new WebAssembly.Module(new Uint8Array(8)) });
  await open("films.nf", { wasm: { simd128: "/a.wasm", relaxed: new URL("https://example.org/b.wasm") } });
  const { engine, loaded } = await open("films.nf", { engine: "relaxed", progressive: true });
  same<Same<typeof engine, EngineKind>>();
  same<Same<typeof loaded, Promise<void>>>();
  // @ts-expect-error no such engine
  await open("films.nf", { engine: "fast" });
  // @ts-expect-error a misspelt option
  await open("films.nf", { profil: "x" });
  // @ts-expect-error no such storage
  await open("films.nf", { storage: "disk" });
  // @ts-expect-error an archive is not a number
  await open(7);
}

export function everyAnswer(nf: Nearfield): void {
  const answer = nf.recommend({ k: 5, seen: "include", explain: 1, now: new Date(), fields: ["title"] });
  same<Same<typeof answer, Answer>>();
  same<Same<Answer["items"], readonly Item[]>>();
  const [first] = answer.items;
  same<Same<typeof first, Item | undefined>>();
  const title: string | number | boolean | readonly string[] | null | undefined = first?.fields?.["title"];
  const share: number | undefined = first?.because?.[0]?.share;
  const approximate: true | undefined = answer.approximate;
  nf.similar("id", { where: "year > 1990", exclude: ["a"] as const, recall: 0.9 });
  nf.recommend({ recall: "exhaustive" });
  // @ts-expect-error no such recall
  nf.recommend({ recall: "all" });
  // @ts-expect-error search looks at all titles
  nf.search("x", { recall: 0.9 });
  nf.similar(new Float32Array(64));
  const fields: Fields | undefined = nf.item("id", ["year"])?.fields;
  const facets: readonly { value: string | number | boolean; count: number }[] = nf.facets("genres");
  nf.search("miles dav", { k: 3 });
  console.log(title, share, approximate, fields, facets, nf.has("id"), nf.info.sections[0]?.bytes);
  console.log(nf.info.codeBits + nf.info.nLists);
  // @ts-expect-error answers are read-only
  answer.items.push(first);
  nf.search("x", { where: "year > $from", params: { from: 1990 }, now: new Date() });
  const where: Where = {
    and: [
      { has: [{ field: "genres" }, "jazz"] },
      { between: [{ field: "year" }, 1960, { param: "to" }] },
      { not: { field: "explicit" } },
      { "==": [{ seen: "30d" }, false] },
      { "<": [{ "+": [{ count: ["play", "7d"] }, 1] }, { age: { field: "released" } }] },
      { ">=": [{ field: "released" }, { age: "2w" }] },
    ],
  };
  const n: number = nf.count({ where, params: { to: 1975, genres: ["jazz"] as const } });
  nf.facets("genres", { where, limit: n });
  // @ts-expect-error a misspelt operation
  nf.count({ where: { adn: [] } });
  // @ts-expect-error a column is no condition on its own without its object
  nf.count({ where: { not: "explicit" } });
  // @ts-expect-error a month is no fixed time
  nf.count({ where: { seen: "3m" } });
  // @ts-expect-error info is read-only
  nf.info.nItems = 0;
  nf.dispose();
}

export async function everySlate(nf: Nearfield): Promise<void> {
  const composed: SlateOptions = {
    k: 20,
    where: { ">=": [{ field: "year" }, { param: "from" }] },
    params: { from: 1990 },
    context: { hour: 20 },
    focus: 0.5,
    windows: [{ name: "session", days: 0.1, weight: 2 }, {}],
    halflives: { play: 30, like: null },
    interests: "auto",
    labels: ["genres"],
    weights: { prior: 0.1 },
    freshness: { field: "added", days: 30, weight: 0.2 },
    boosts: [{ where: "ours", weight: 0.1 }, { name: "margin", value: "margin / 10", weight: 0.05 }],
    floor: 0.2,
    diversity: { strength: 0.3 },
    calibration: { field: "genres", strength: 0.3, target: { jazz: 2, folk: 1 } },
    caps: { artist: 2 },
    quotas: [{ where: { field: "local" }, least: 0.3 }],
    pins: [{ item: "a", position: 0 }],
    pools: [{ name: "editors", items: ["b"], positions: [3], least: 1 }],
    rotation: { rate: 0.5, hours: 24 },
    explore: { slots: [7], method: "thompson" },
  };
  const scenarios: Record<string, Scenario> = { home: composed, radio: { ...composed, recall: 0.9 } };
  await open("films.nf", { scenarios });
  const answer: Answer = nf.recommend({ scenario: "home", ...composed, parts: true, trace: true, fields: ["title"] });
  const following: Answer = nf.next(nf.next(answer), 5);
  const ranked: Answer = nf.rank(["a", "b"] as const, { floor: 0.5 });
  const found: Answer = nf.discover({ like: ["a"], dislike: ["b"], k: 3 });
  const rows: readonly Row[] = nf.rows({ k: 5, interests: 3 });
  const summary: TasteSummary | undefined = nf.summary({ mix: "genres", age: "year" });
  const asked: readonly CatalogItem[] = nf.onboarding({ k: 5, where: "true", seed: 1 });
  const recorded: Recorded = nf.shown(answer, { context: { device: "tv" }, at: new Date() });
  const names: string[] = await nf.profiles();
  await nf.switchProfile(names[0] ?? false);
  const parts: number | undefined = answer.items[0]?.parts?.["taste"];
  const propensity: number | undefined = following.items[0]?.propensity;
  const trace: readonly TraceStep[] | undefined = ranked.trace;
  const unmet: readonly Unmet[] | undefined = found.unmet;
  const held: number | undefined = answer.shortfall?.heldBack?.[0]?.count;
  for (const label of rows[0]?.interest.labels ?? []) console.log("decade" in label ? label.decade + 1 : label.value);
  console.log(answer.slate, answer.policy, answer.explored?.[0]?.relevance, summary?.varied?.nItems, summary?.mix[0]?.share);
  console.log(asked[0]?.fields, recorded.recorded, parts, propensity, trace, unmet, held);
  // @ts-expect-error a boost is a condition or a formula
  nf.recommend({ boosts: [{ weight: 1 }] });
  // @ts-expect-error a misspelt member
  nf.recommend({ diversity: { strenght: 0.3 } });
  // @ts-expect-error no such kind
  nf.recommend({ halflives: { plya: 3 } });
  // @ts-expect-error a ranking has no use for what was seen
  nf.rank([], { seen: "include" });
  // @ts-expect-error a scenario is for any moment
  await open("films.nf", { scenarios: { home: { now: 5 } } });
  // @ts-expect-error an id has no next page
  nf.next("a");
}

export async function everyChange(profile: Profile): Promise<void> {
  const { durable } = profile.record({ item: "id", kind: "like", at: Date.now(), source: "radio" });
  same<Same<typeof durable, Promise<void>>>();
  await durable;
  profile.exclude({ source: "radio" }, { forgetSeen: true });
  profile.include({ item: "id" });
  profile.exclude({ where: { exists: { field: "year" } } });
  profile.exclude({ from: new Date(0), to: 5, context: { guest: true } });
  const context: Context = { hour: 20, device: "tv", weekend: false };
  const { recorded } = profile.record({ item: "id", kind: "play", context });
  const shown: Shown = { slate: "s", policy: "p", context, items: [{ item: "id", position: 0, propensity: null }] };
  same<Same<typeof recorded, boolean>>();
  const { dropped }: Compacted = profile.compact();
  profile.recording = profile.shown(shown).recorded && dropped === 0;
  await profile.switchTo(profile.name === false ? "kids" : false);
  // @ts-expect-error a context holds no lists
  profile.record({ item: "id", kind: "play", context: { genres: ["jazz"] } });
  // @ts-expect-error an item of a slate has a position
  profile.shown({ slate: "s", items: [{ item: "id" }] });
  const { added, known } = profile.import(profile.export());
  const leave: () => void = profile.subscribe(() => {});
  for (const { event } of profile.entries()) {
    if (event.type === "exclude") console.log(event.selector.source, event.forgetSeen);
    if (event.type === "interaction") console.log(event.item, event.kind, event.context?.["hour"]);
    if (event.type === "shown") console.log(event.slate, event.items[0]?.propensity);
  }
  await profile.erase();
  console.log(added + known, profile.storage, leave);
  // @ts-expect-error no such kind
  profile.record({ item: "id", kind: "love" });
  // @ts-expect-error an interaction needs an item
  profile.record({ kind: "like" });
}

export function errors(error: unknown): ErrorCode | undefined {
  if (!(error instanceof NearfieldError)) return undefined;
  const retryable: boolean = error.retryable;
  console.log(retryable, error.details["needed_bytes"]);
  // @ts-expect-error no such code
  if (error.code === "E_NOPE") return undefined;
  return error.code;
}

export const options: OpenOptions = {};
