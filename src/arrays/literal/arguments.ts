/** The arguments of a call in a literal, bound to the names its function gives them. */
import type { DType } from "../dtype.ts";
import { typeArgument } from "./names.ts";
import {
  describe,
  isScalar,
  type LiteralContext,
  type Library,
  type Scalar,
  type Value,
} from "./value.ts";

/** A call as written; `path` is the dotted name, of a method its name alone. */
export interface Call {
  readonly path: string;
  readonly at: number;
  readonly positional: readonly Value[];
  readonly keywords: ReadonlyMap<string, Value>;
}

/** Arguments that do not change an array's numbers. */
const WITHOUT_EFFECT = new Set([
  "device",
  "requires_grad",
  "grad_fn",
  "copy",
  "order",
  "subok",
  "like",
  "pin_memory",
  "layout",
  "memory_format",
  "non_blocking",
  "weak_type",
  "name",
  "trainable",
]);

/** Binds a call's arguments; anything unknown is an error at its place. */
export class Arguments {
  private readonly bound = new Map<string, Value>();
  private readonly call: Call;
  private readonly context: LiteralContext;

  /** @param names the function's parameters in order, those it takes by keyword alone last. */
  constructor(call: Call, names: readonly string[], context: LiteralContext) {
    this.call = call;
    this.context = context;
    call.positional.forEach((value, i) => {
      const name = names[i] ?? this.unknown(value.at, `as many as ${String(i + 1)} arguments`);
      this.bound.set(name, value);
    });
    for (const [name, value] of call.keywords) {
      if (names.includes(name)) this.bound.set(name, value);
      else if (!WITHOUT_EFFECT.has(name)) this.unknown(value.at, `the argument "${name}"`);
    }
  }

  /** The argument's value, if given and not None. */
  optional(name: string): Value | undefined {
    const value = this.bound.get(name);
    return value?.kind === "none" ? undefined : value;
  }

  required(name: string): Value {
    return (
      this.optional(name) ??
      this.context.fail(this.call.at, `${this.call.path} lacks its argument "${name}".`)
    );
  }

  integer(name: string): number | undefined {
    const value = this.optional(name);
    return value === undefined ? undefined : integerOf(value, this.context);
  }

  number(name: string): Scalar | undefined {
    const value = this.optional(name);
    return value === undefined ? undefined : numberOf(value, this.context);
  }

  type(library: Library): DType | undefined {
    const value = this.optional("dtype");
    return value === undefined ? undefined : typeArgument(value, library, this.context);
  }

  private unknown(at: number, what: string): never {
    return this.context.fail(at, `${this.call.path} with ${what} is not read in a literal.`);
  }
}

/** The Python number that a value is; also that of a 0-d array would need its dtype, so it is not. */
export function numberOf(value: Value, context: LiteralContext): Scalar {
  if (isScalar(value)) return value;
  return context.fail(value.at, `A number is expected here, not ${describe(value)}.`);
}

/** A whole number that indexes and lengths can be. */
export function integerOf(value: Value, context: LiteralContext): number {
  if (value.kind !== "int") {
    return context.fail(value.at, `A whole number is expected here, not ${describe(value)}.`);
  }
  const number = Number(value.value);
  if (!Number.isSafeInteger(number)) return context.fail(value.at, "This number is too large.");
  return number;
}

/** Whole numbers given one by one or as one list: `2, 3`, `(2, 3)`, `6`. */
export function integersOf(values: readonly Value[], context: LiteralContext): number[] {
  const [first] = values;
  const list = values.length === 1 && first?.kind === "list" ? first.items : values;
  return list.map((value) => integerOf(value, context));
}
