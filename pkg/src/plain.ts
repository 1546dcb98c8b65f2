/** The fields of `T` with a value, which may each be absent. */
export type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** The fields that have a value; the engine and readers tell an absent field from an undefined one. */
export function given<T extends object>(fields: T): Given<T> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as Given<T>;
}
