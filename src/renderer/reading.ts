/**
 * Small parts to read data of unknown shape with: each takes a value and the place it stands at,
 * and returns a fresh, typed copy or throws `Unreadable`. Only the fields that are asked for are
 * looked at, and only own ones, so nothing else in the data (an extra field, a `__proto__` key, a
 * deeply nested value) has any effect.
 */

/** Why data could not be read, in words for the reader of the notebook. */
export class Unreadable extends Error {
  constructor(at: string, why: string) {
    super(`${at}: ${why}`);
  }
}

export type Read<T> = (value: unknown, at: string) => T;

/** What is there, without quoting it: data may be long, and is not ours. */
function kind(value: unknown): string {
  if (value === null) return "null";
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "number") return Number.isFinite(value) ? "a number" : "an infinite number";
  if (typeof value === "string") return "text";
  return typeof value === "boolean" ? "true or false" : "an object";
}

export function text(maximum: number): Read<string> {
  return (value, at) => {
    if (typeof value !== "string") throw new Unreadable(at, `expected text, found ${kind(value)}`);
    if (value.length > maximum) {
      throw new Unreadable(at, `${value.length} characters, and at most ${maximum} are read`);
    }
    return value;
  };
}

export const number: Read<number> = (value, at) => {
  if (typeof value !== "number" || !Number.isFinite(value)) {
    throw new Unreadable(at, `expected a number, found ${kind(value)}`);
  }
  return value;
};

export function whole(minimum: number, maximum: number): Read<number> {
  return (value, at) => {
    const n = number(value, at);
    if (!Number.isInteger(n) || n < minimum || n > maximum) {
      throw new Unreadable(at, `expected a whole number from ${minimum} to ${maximum}`);
    }
    return n;
  };
}

export const flag: Read<boolean> = (value, at) => {
  if (typeof value !== "boolean") {
    throw new Unreadable(at, `expected true or false, found ${kind(value)}`);
  }
  return value;
};

export function oneOf<T extends string>(...allowed: readonly T[]): Read<T> {
  return (value, at) => {
    const found = allowed.find((each) => each === value);
    if (found === undefined) {
      throw new Unreadable(at, `expected one of ${allowed.map((a) => `"${a}"`).join(", ")}`);
    }
    return found;
  };
}

export function nullable<T>(read: Read<T>): Read<T | null> {
  return (value, at) => (value === null ? null : read(value, at));
}

export function list<T>(read: Read<T>, maximum: number): Read<readonly T[]> {
  return (value, at) => {
    if (!Array.isArray(value)) throw new Unreadable(at, `expected a list, found ${kind(value)}`);
    if (value.length > maximum) {
      throw new Unreadable(at, `${value.length} entries, and at most ${maximum} are read`);
    }
    return value.map((entry: unknown, k) => read(entry, `${at}[${k}]`));
  };
}

interface Optional<T> {
  readonly optional: Read<T>;
}

/** A field that may be missing. */
export function optional<T>(read: Read<T>): Optional<T> {
  return { optional: read };
}

/** A reader for each field of T: the optional ones, and only those, marked as such. */
type Fields<T> = {
  readonly [K in keyof T]-?: undefined extends T[K]
    ? Optional<Exclude<T[K], undefined>>
    : Read<T[K]>;
};

export function record<T extends object>(fields: Fields<T>): Read<T> {
  const entries = Object.entries<Read<unknown> | Optional<unknown>>(fields);
  return (value, at) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new Unreadable(at, `expected an object, found ${kind(value)}`);
    }
    const source = value as Readonly<Record<string, unknown>>;
    const result: Record<string, unknown> = {};
    for (const [name, read] of entries) {
      const field = Object.hasOwn(source, name) ? source[name] : undefined;
      if (typeof read === "function") result[name] = read(field, `${at}.${name}`);
      else if (field !== undefined) result[name] = read.optional(field, `${at}.${name}`);
    }
    return result as T;
  };
}

/** Reads, then asks for what no single field can tell; `check` returns what is wrong, or null. */
export function checked<T>(read: Read<T>, check: (value: T) => string | null): Read<T> {
  return (value, at) => {
    const result = read(value, at);
    const wrong = check(result);
    if (wrong !== null) throw new Unreadable(at, wrong);
    return result;
  };
}
