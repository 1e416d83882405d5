/**
 * Library functions from one-line tables: a signature in Python's notation and what it means.
 *
 *     sum: ["a, axis=None, dtype=None, !out, keepdims=False", (c) => …]
 *
 * `!name` may be given only as None or False: what else it does is not modelled. `~name` changes
 * nothing that matters here (a device, a memory format). `*name` takes the remaining positional
 * arguments, `*` alone begins the keyword-only ones, `**` lets any further keyword pass unread.
 */
import type { Library } from "../dtypes.ts";
import type { Interpreter } from "../interpreter/interpreter.ts";
import { iterate } from "../interpreter/iterate.ts";
import { knownNumber } from "../interpreter/known.ts";
import { truth } from "../interpreter/truth.ts";
import { asTensor, itemsOf } from "../tensors/tensor.ts";
import { inLibrary } from "./convert.ts";
import type { Expr } from "../../expression/node.ts";
import {
  type BuiltinValue,
  type CallArguments,
  type LibraryParameter,
  NONE,
  type TensorValue,
  type Value,
  bool,
  float,
  int,
  str,
  tuple,
  typeName,
} from "../values.ts";

interface Parameter extends LibraryParameter {
  readonly mark: "" | "!" | "~";
  readonly star: boolean;
}

interface Signature {
  readonly parameters: readonly Parameter[];
  readonly anyKeyword: boolean;
}

const parsed = new Map<string, Signature>();

function parseSignature(text: string): Signature {
  const known = parsed.get(text);
  if (known !== undefined) return known;
  let keywordOnly = false;
  let anyKeyword = false;
  const parameters: Parameter[] = [];
  for (const part of text.split(",").map((p) => p.trim())) {
    if (part === "") continue;
    if (part === "*") {
      keywordOnly = true;
      continue;
    }
    if (part === "**") {
      anyKeyword = true;
      continue;
    }
    const m = /^([!~]?)(\*?)(\w+)(?:=(.+))?$/.exec(part);
    if (m === null) throw new Error(`bad signature: ${text}`);
    const [, mark, star, name, value] = m;
    parameters.push({
      name: name!,
      mark: mark as Parameter["mark"],
      star: star === "*",
      keywordOnly,
      default:
        value !== undefined ? literal(value) : mark !== "" || star === "*" ? NONE : undefined,
    });
    if (star === "*") keywordOnly = true;
  }
  const signature = { parameters, anyKeyword };
  parsed.set(text, signature);
  return signature;
}

function literal(text: string): Value {
  if (text === "None") return NONE;
  if (text === "True" || text === "False") return bool(text === "True");
  if (/^["']/.test(text)) return str(text.slice(1, -1));
  return /[.e]/.test(text) ? float(Number(text)) : int(Number(text));
}

/** Keyword names that a library takes for one another, e.g. PyTorch's `axis` for `dim`. */
export type Aliases = Readonly<Record<string, string>>;

export type Meaning = (c: CallContext) => Value;
export type Entry = readonly [signature: string, meaning: Meaning];
export type Table = Readonly<Record<string, Entry>>;

/** A function as values see it. `prefix` is how error messages call its home, e.g. "torch.". */
export function builtin(
  prefix: string,
  name: string,
  [signature, meaning]: Entry,
  library: Library,
  aliases: Aliases = {},
): BuiltinValue {
  return {
    kind: "builtin",
    name: prefix + name,
    parameters: () => parseSignature(signature).parameters.filter((p) => p.mark === "" && !p.star),
    call: (vm, args) => {
      const bound = bind(vm, name, parseSignature(signature), args, aliases);
      const context = new CallContext(vm, prefix + name, bound, library);
      const { tape } = vm.recorder;
      if (tape === null) return meaning(context);
      return tape.within(prefix + name, () => meaning(context));
    },
  };
}

function bind(
  vm: Interpreter,
  name: string,
  { parameters, anyKeyword }: Signature,
  args: CallArguments,
  aliases: Aliases,
): Map<string, Value> {
  const bound = new Map<string, Value>();
  const positional = parameters.filter((p) => !p.keywordOnly);
  const star = positional.find((p) => p.star);
  const plain = positional.filter((p) => !p.star);
  args.positional.slice(0, plain.length).forEach((v, k) => bound.set(plain[k]!.name, v));
  const rest = args.positional.slice(plain.length);
  if (star !== undefined) {
    // Where none is given by position, a sequence may be given by name: flip(x, dims=[1]).
    if (rest.length > 0) bound.set(star.name, tuple(rest));
  } else if (rest.length > 0) {
    const n = plain.length;
    vm.fail(
      "TypeError",
      `${name}() takes ${n} positional argument${n === 1 ? "" : "s"} but ` +
        `${args.positional.length} were given`,
    );
  }
  for (const [given, value] of args.keywords) {
    const own = parameters.some((p) => p.name === given) ? given : (aliases[given] ?? given);
    if (!parameters.some((p) => p.name === own)) {
      if (anyKeyword) continue;
      vm.fail("TypeError", `${name}() got an unexpected keyword argument '${given}'`);
    }
    if (bound.has(own)) vm.fail("TypeError", `${name}() got multiple values for argument '${own}'`);
    bound.set(own, value);
  }
  for (const p of parameters) {
    const value = bound.get(p.name);
    if (value === undefined) {
      if (p.default === undefined) {
        vm.fail("TypeError", `${name}() missing required argument '${p.name}'`);
      }
      bound.set(p.name, p.star ? tuple([]) : p.default);
    } else if (p.mark === "!" && !isNothing(value, p.default)) {
      vm.unsupported(`the argument '${p.name}' of ${name}() is not supported`);
    }
  }
  return bound;
}

function isNothing(v: Value, usual: Value | undefined): boolean {
  if (v.kind === "none") return true;
  if (v.kind === "number" && v.type === "bool" && v.value === 0) return true;
  if (v.kind === "number" && usual?.kind === "number") return v.value === usual.value;
  return v.kind === "str" && usual?.kind === "str" && v.value === usual.value;
}

/** What the libraries call the arguments that the table entries ask for by one name. */
const SYNONYMS: Readonly<Record<string, readonly string[]>> = {
  x: [
    "a",
    "input",
    "inputs",
    "images",
    "image",
    "x1",
    "arr",
    "tensor",
    "object",
    "obj",
    "ar",
    "input_tensor",
    "features",
    "value",
    "m",
    "A",
    "self",
  ],
  y: ["b", "other", "x2", "values"],
  dim: ["axis"],
  keepdim: ["keepdims"],
  tensors: ["arrays"],
};

/** One call of a library function: its arguments, as the table entries want to have them. */
export class CallContext {
  readonly vm: Interpreter;
  readonly name: string;
  readonly library: Library;
  private readonly bound: ReadonlyMap<string, Value>;

  constructor(vm: Interpreter, name: string, bound: ReadonlyMap<string, Value>, library: Library) {
    this.vm = vm;
    this.name = name;
    this.bound = bound;
    this.library = library;
  }

  /** By the library's own name or by the common one: `dim` finds NumPy's `axis` as well. */
  value(name: string): Value {
    const own = this.bound.get(name);
    if (own !== undefined) return own;
    for (const other of SYNONYMS[name] ?? []) {
      const v = this.bound.get(other);
      if (v !== undefined) return v;
    }
    return NONE;
  }

  given(name: string): boolean {
    return this.value(name).kind !== "none";
  }

  /** The value, or `null` for None. */
  optional(name: string): Value | null {
    const v = this.value(name);
    return v.kind === "none" ? null : v;
  }

  /** As an array: numbers and nested lists are converted. */
  tensor(name: string): TensorValue {
    return this.asOwn(this.value(name));
  }

  /** The entries of a tuple or list of arrays. */
  tensors(name: string): TensorValue[] {
    return this.list(name).map((v) => this.asOwn(v));
  }

  /** As an array; functions of libraries other than PyTorch take NumPy's too, and give their own. */
  asOwn(v: Value): TensorValue {
    const t = asTensor(this.vm, v, this.library);
    const takesNumpy = this.library !== "numpy" && this.library !== "torch";
    return takesNumpy ? inLibrary(this.vm, t, this.library) : t;
  }

  expr(name: string): Expr {
    return this.tensor(name).expr;
  }

  list(name: string): readonly Value[] {
    const v = this.value(name);
    if (v.kind === "iterator") return [...iterate(this.vm, v)];
    const items = itemsOf(v);
    if (items !== null) return items;
    return this.vm.fail(
      "TypeError",
      `${this.name}(): argument '${name}' must be a list or a tuple, not ${typeName(v)}`,
    );
  }

  flag(name: string): boolean {
    return truth(this.vm, this.value(name));
  }

  /** @throws PythonError if it is no number, or one without a value */
  number(name: string): number {
    return this.numberOf(this.value(name), name);
  }

  int(name: string): number {
    const n = this.number(name);
    if (!Number.isInteger(n)) this.bad(name, "an integer");
    return n;
  }

  text(name: string): string {
    const v = this.value(name);
    return v.kind === "str" ? v.value : this.bad(name, "a string");
  }

  /** Axes: an integer, or several in a tuple, list or range; `null` for None. */
  dims(name: string): number[] | null {
    const v = this.value(name);
    if (v.kind === "none") return null;
    const items = itemsOf(v) ?? this.knownEntries(v) ?? [v];
    return items.map((x) => this.numberOf(x, name));
  }

  bad(name: string, expected: string): never {
    return this.vm.fail(
      "TypeError",
      `${this.name}(): argument '${name}' must be ${expected}, not ${typeName(this.value(name))}`,
    );
  }

  /** The entries of a one-dimensional array of integers such as `tf.range(1, 3)`. */
  private knownEntries(v: Value): readonly Value[] | null {
    if (v.kind !== "tensor" || v.expr.type !== "int" || v.expr.shape.length !== 1) return null;
    const values = this.vm.evaluate(v.expr);
    return values === null ? null : Array.from(values.data, int);
  }

  private numberOf(v: Value, name: string): number {
    if (v.kind === "number") return knownNumber(this.vm, v, `${this.name}(): '${name}'`);
    if (v.kind === "tensor" && v.expr.shape.length === 0) {
      const value = this.vm.evaluate(v.expr)?.data[0];
      if (value !== undefined) return value;
    }
    return this.bad(name, "a number");
  }
}
