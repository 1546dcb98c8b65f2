import type { InteractionKind } from "./contract.js";
import { NearfieldError } from "./errors.js";
import type { Because } from "./types.js";

/** The app's own words for reasons. */
export interface Words {
  /**
   * A template for each kind of interaction, with `{items}` where the titles go:
   * `{ like: "Weil Ihnen {items} gefällt", play: "Weil Sie {items} gehört haben" }`. Reasons of kinds
   * without one are left out.
   */
  readonly templates: Partial<Record<InteractionKind, string>>;
  /** What an item is called. */
  readonly title: (id: string) => string;
  /** The language whose "and" joins titles, as in `"de"`. Default: the host's. */
  readonly locale?: string;
  /** Most titles in the sentence, at least 1. Default: 2. */
  readonly most?: number;
}

/**
 * A sentence that says why an item is there: the interactions that speak for it, of the kind of the
 * strongest one, strongest first. It says nothing that the shares do not.
 *
 * @param because - An item's reasons, from an answer with `explain`.
 * @param words - The app's words.
 * @returns `undefined` where nothing speaks for the item that there are words for.
 * @throws NearfieldError `E_ARG` for a template without `{items}`.
 *
 * @example
 * ```ts
 * const [film] = nf.recommend({ explain: 3, fields: ["title"] }).items;
 * sentence(film.because ?? [], {
 *   templates: { like: "Because you liked {items}" },
 *   title: (id) => String(nf.item(id, ["title"])?.fields.title ?? id),
 *   locale: "en",
 * }); // "Because you liked Alien and Blade Runner"
 * ```
 */
export function sentence(because: readonly Because[], words: Words): string | undefined {
  const { templates, title, locale, most = 2 } = words;
  const own = (kind: InteractionKind) => (Object.hasOwn(templates, kind) ? templates[kind] : undefined);
  const reasons = because.filter(({ kind, share }) => share > 0 && own(kind) !== undefined);
  const strongest = reasons[0];
  if (strongest === undefined) return undefined;
  const template = own(strongest.kind) ?? "";
  if (!template.includes("{items}")) {
    throw new NearfieldError("E_ARG", `sentence: the template for ${strongest.kind} has no {items}`, {
      path: `templates.${strongest.kind}`,
    });
  }
  const titles = reasons
    .filter(({ kind }) => kind === strongest.kind)
    .slice(0, Math.max(1, most))
    .map(({ item }) => title(item));
  // Not as a replacement text, in which a title's "$" would mean something.
  return template.split("{items}").join(new Intl.ListFormat(locale, { type: "conjunction" }).format(titles));
}
