/** The fields of `T` with a value, which may each be absent. */
export type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** The fields that have a value; the engine and readers tell an absent field from an undefined one. */
export function given<T extends object>(fields: T): Given<T> {
  const some: Given<T> = {};
  for (const name of Object.keys(fields) as (keyof T)[]) {
    if (fields[name] !== undefined) some[name] = fields[name] as Given<T>[keyof T];
  }
  return some;
}

/** Whether two values that JSON can hold are equal, in whatever order their members stand. */
export function same(one: unknown, two: unknown): boolean {
  if (typeof one !== "object" || typeof two !== "object" || one === null || two === null) return one === two;
  const [keys, others] = [Object.keys(one), Object.keys(two)];
  return (
    keys.length === others.length &&
    keys.every(
      (key) =>
        Object.hasOwn(two, key) &&
        same((one as Record<string, unknown>)[key], (two as Record<string, unknown>)[key]),
    )
  );
}

/** 72 random bits as text: two makers of the same name would need some 2^36 makers. */
export function randomName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(9));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
