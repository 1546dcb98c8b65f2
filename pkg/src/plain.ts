/** The fields of `T` with a value, which may each be absent. */
export type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** The fields that have a value; the engine and readers tell an absent field from an undefined one. */
export function given<T extends object>(fields: T): Given<T> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as Given<T>;
}

/**
 * A copy without prototype, for objects that cross into the engine: its readers ask for each field by
 * name, and must not find what somebody planted on `Object.prototype`.
 */
export function bare<T extends object>(fields: T): T {
  return Object.assign(Object.create(null) as T, fields);
}
