import type { Answer, Axis, Fields, HeldBack, Item, Shortfall, TasteSummary, Unmet } from "./answer-types.js";
import type { EngineAnswer, EngineAxis, EngineSummary } from "./contract.js";
import { given } from "./plain.js";

/** What the engine's ordinals stand for. */
export interface Names {
  readonly ids: readonly string[];
  /** The columns asked for, if any were. */
  readonly cards: readonly Fields[] | undefined;
  /** The candidates that places were drawn from, if any were. */
  readonly explored: readonly string[] | undefined;
}

/**
 * The engine's parallel arrays as an answer.
 *
 * @param slate - The answer's id.
 * @param before - Ids that earlier pages showed: that a pin among them is not there again is no news.
 */
export function answerOf(slate: string, found: EngineAnswer, names: Names, before: readonly string[]): Answer {
  const { qualifying, basis, approximate, policy, interests, trace, warnings = [] } = found;
  const items = names.ids.map((id, i) => item(found, i, id, names.cards?.[i]));
  const unmet = (found.unmet ?? []).filter(
    (rule): rule is Unmet => rule.what !== "k" && !(rule.what === "pin" && before.includes(rule.name)),
  );
  const answer: object = {
    items,
    qualifying,
    basis,
    ...given({
      approximate,
      shortfall: shortfall(found, items.length),
      policy,
      explored: names.explored?.map((id, i) => ({ id, relevance: found.explored_relevance?.[i] ?? 0 })),
      interests,
      trace,
      unmet: unmet.length === 0 ? undefined : unmet,
    }),
    warnings,
  };
  return Object.defineProperty(answer, "slate", { value: slate }) as Answer;
}

function item(found: EngineAnswer, i: number, id: string, fields: Fields | undefined): Item {
  return {
    id,
    score: found.scores[i] as number,
    ...given({
      because: found.because?.[i]?.map(({ item, kind, at_ms: at, share }) => ({ item, kind, at, share })),
      parts: parts(found, i),
      propensity: found.propensities?.[i],
      interest: found.interest_of?.[i],
      fields,
    }),
  };
}

/** One row of the parts, by name; those of one name together. */
function parts({ part_names: names, parts: values }: EngineAnswer, i: number): Record<string, number> | undefined {
  if (names === undefined || values === undefined) return undefined;
  const sums = new Map<string, number>();
  names.forEach((name, j) => sums.set(name, (sums.get(name) ?? 0) + (values[i * names.length + j] ?? 0)));
  return Object.fromEntries(sums);
}

function shortfall(found: EngineAnswer, returned: number): Shortfall | undefined {
  const { requested, qualifying, basis, unmet = [] } = found;
  if (returned >= requested) return undefined;
  if (basis === "title") return { requested, returned, reason: "matches" };
  if (returned >= qualifying) return { requested, returned, reason: "qualifying" };
  const held = unmet.filter(({ what }) => what === "k");
  const heldBack = held.map(({ name: by, missing: count }): HeldBack => ({ by, count }));
  return { requested, returned, reason: "composition", heldBack };
}

/** The engine's page about a taste. */
export function summaryOf({ interests, mix, exploring, niche, new: age, varied }: EngineSummary): TasteSummary {
  return {
    interests,
    mix,
    ...given({ exploring: axis(exploring), niche: axis(niche), new: axis(age), varied: axis(varied) }),
  };
}

function axis(found: EngineAxis | undefined): Axis | undefined {
  return found && { value: found.value, measured: found.measured, nItems: found.n_items };
}
