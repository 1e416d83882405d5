/** Arguments for a trace: from a call that was written, from arrays by name, or assumed. */
import { type Axis, type Shape, formatShape, isUnit } from "../../expression/axis.ts";
import { parameter } from "../../expression/build.ts";
import type { Layout } from "../../expression/inputAxes.ts";
import type { ScalarType } from "../../expression/node.ts";
import type { Library } from "../dtypes.ts";
import type { ArrayHandle } from "../host.ts";
import { bindArguments } from "../interpreter/calls.ts";
import type { Interpreter } from "../interpreter/interpreter.ts";
import { Recorder } from "../interpreter/recorder.ts";
import type { Parameter } from "../syntax.ts";
import {
  type CallRequest,
  type DictValue,
  type TensorValue,
  type Value,
  int,
  symbolic,
} from "../values.ts";
import { libraryUsed } from "./library.ts";
import { nameAxes } from "./axes.ts";
import { letterAxis } from "./letters.ts";
import { rolesOf } from "./roles.ts";
import { shapeOfValue } from "./shapeText.ts";
import type { InputPlan, Plan } from "./trace.ts";
import type { TraceTarget } from "./target.ts";

/** How an assumption begins that gives arrays shapes of which the code says nothing. */
export const SHAPES_TAKEN = "no arrays were given; shapes taken";

/** What the caller says a parameter is: an array, an array's shape alone, or any Python value. */
export type Argument =
  | { readonly kind: "array"; readonly handle: ArrayHandle }
  | ShapeArgument
  | { readonly kind: "value"; readonly value: Value };

export interface ShapeArgument {
  readonly kind: "shape";
  /** Of each axis its size, or a letter for one whose size stays open. */
  readonly axes: readonly (number | string)[];
  /** NumPy's name, e.g. `int64`; `null` for real numbers of no particular precision. */
  readonly dtype: string | null;
  /** What it was taken from; absent for one that the user has set. */
  readonly reason?: string;
}

/** By parameter name. */
export type Arguments = ReadonlyMap<string, Argument>;

export function layoutOf(library: Library): Layout {
  return library === "tensorflow" ? "channels-last" : "channels-first";
}

/** The call's values, each array among them replaced by an input with its parameter's name. */
export function planOfCall(vm: Interpreter, target: TraceTarget, request: CallRequest): Plan {
  const self = target.self === null ? [] : [target.self];
  const extra = extraArguments(target, request);
  const bound = bindArguments(vm, target.fn, {
    positional: [...self, ...extra.positional],
    keywords: new Map([...request.keywords].filter(([name]) => !extra.given.has(name))),
  });
  const found: { readonly name: string; readonly tensor: TensorValue }[] = [];
  for (const p of target.parameters) collect(p.name, bound.get(p.name)!, found);
  for (const [name, v] of extra.given) collect(name, v, found);
  const used = libraryUsed(target);
  const own = used === "jax" || used === "autograd" ? used : "numpy";
  const layout = layoutOf(found[0]?.tensor.library ?? "numpy");
  const shapes = nameAxes(
    found.map(({ tensor: t }) => t.expr.shape.map((a) => a.size)),
    layout,
  );
  const inputs = found.map(({ name, tensor: t }, k): InputPlan => ({
    name,
    shape: shapes[k]!,
    type: t.expr.type,
    // JAX and HIPS Autograd turn NumPy's arrays into their own where they differentiate.
    library: t.library === "numpy" ? own : t.library,
    dtype: t.dtype,
    argument: t.expr,
    handle: null,
  }));
  return {
    inputs,
    assumptions: [],
    call: (tensors) => {
      const next = [...tensors];
      const swap = (v: Value): Value => replaceTensors(v, next);
      const args = callWith(
        target,
        target.parameters.map((p) => [p, swap(bound.get(p.name)!)] as const),
      );
      for (const [name, v] of extra.given) args.keywords.set(name, swap(v));
      return args;
    },
  };
}

/** The arguments that the target's caller takes for itself, and those that it passes on. */
function extraArguments(
  target: TraceTarget,
  { positional, keywords }: CallRequest,
): { readonly positional: readonly Value[]; readonly given: ReadonlyMap<string, Value> } {
  const own = target.extra.length === 0 ? positional.length : target.parameters.length;
  const given = new Map<string, Value>();
  for (const [k, name] of target.extra.entries()) {
    const v = positional[own + k] ?? keywords.get(name);
    if (v !== undefined) given.set(name, v);
  }
  return { positional: positional.slice(0, own), given };
}

/** Arrays in an argument, also inside lists and dictionaries. */
function collect(
  name: string,
  v: Value,
  into: { readonly name: string; readonly tensor: TensorValue }[],
): void {
  if (v.kind === "tensor") into.push({ name, tensor: v });
  else if (v.kind === "list" || v.kind === "tuple") {
    v.items.forEach((x, k) => {
      collect(`${name}_${k + 1}`, x, into);
    });
  } else if (v.kind === "dict") {
    for (const { key, value } of v.entries.values()) {
      collect(key.kind === "str" && /^\w+$/.test(key.value) ? key.value : name, value, into);
    }
  }
}

/** The same value with its arrays, in the order of `collect`, taken from `next`. */
function replaceTensors(v: Value, next: TensorValue[]): Value {
  if (v.kind === "tensor") return next.shift()!;
  if (v.kind === "list" || v.kind === "tuple") {
    return { ...v, items: v.items.map((x) => replaceTensors(x, next)) };
  }
  if (v.kind === "dict") {
    const entries: DictValue["entries"] = new Map();
    for (const [k, e] of v.entries)
      entries.set(k, { key: e.key, value: replaceTensors(e.value, next) });
    return { ...v, entries };
  }
  return v;
}

/** Arguments in the form that the parameters' kinds call for. */
function callWith(
  target: TraceTarget,
  values: readonly (readonly [Parameter, Value])[],
): { readonly positional: Value[]; readonly keywords: Map<string, Value> } {
  const positional: Value[] = [];
  const keywords = new Map<string, Value>();
  // Once an argument is left to its default, those after it go by name.
  const byPosition = target.parameters.some(
    (p) => p.kind === "args" || p.kind === "positionalOnly",
  );
  for (const [p, v] of values) {
    if (p.kind === "args") positional.push(...(v.kind === "tuple" ? v.items : []));
    else if (p.kind === "kwargs") {
      for (const e of v.kind === "dict" ? v.entries.values() : []) {
        if (e.key.kind === "str") keywords.set(e.key.value, e.value);
      }
    } else if (p.kind !== "keywordOnly" && (byPosition || keywords.size === 0)) positional.push(v);
    else keywords.set(p.name, v);
  }
  return { positional, keywords };
}

// Arrays by name, or assumed ones

/** What is assumed of a parameter for which nothing was given. */
export interface AssumedArray {
  readonly sizes: readonly (number | null)[];
  readonly type: ScalarType;
  /** Letters for the axes; those that its rank usually has if left out. */
  readonly letters?: readonly string[];
  /** What the shape was taken from. */
  readonly reason?: string;
}

/** How each parameter that needs a value gets one. */
export type Assumption = (parameterName: string) => AssumedArray;

const SCALAR_NAME =
  /^(smooth\w*|eps\w*|epsilon|alpha|beta|gamma|delta|lambda_?\w*|lam|tau|temperature|power|p_norm|scale|margin|threshold|thr|k|weight_\w+|\w+_weight|coef\w*|ratio)$/i;
const COUNT_NAME = /^(n_?|num_?)(class(es)?|labels?|channels?)$|^classes$|^C$/i;

/** Number of classes where code needs one and none was given. */
export const ASSUMED_CLASSES = 3;

function isScalar(p: Parameter): boolean {
  if (p.annotation !== null && /tensor|array/i.test(p.annotation)) return false;
  if (p.annotation !== null && /\b(float|int|bool|str)\b/.test(p.annotation)) return true;
  return SCALAR_NAME.test(p.name) || COUNT_NAME.test(p.name);
}

/** Parameters that get arrays if nothing else is said: those without a default that are no number. */
export function arrayParameters(target: TraceTarget, args: Arguments): Parameter[] {
  return target.parameters.filter(
    (p) =>
      p.kind !== "args" &&
      p.kind !== "kwargs" &&
      !args.has(p.name) &&
      p.default === null &&
      !isScalar(p),
  );
}

/**
 * What `shapes(f, y_pred=(2, 3, 64, 64), smooth=1.0)` gives: shapes for arrays, values for the rest.
 * @throws PythonError ValueError for what is no shape
 */
export function argumentsOfShapes(
  vm: Interpreter,
  target: TraceTarget,
  keywords: ReadonlyMap<string, Value>,
): Arguments {
  const arrays = new Set(arrayParameters(target, new Map()).map((p) => p.name));
  return new Map(
    [...keywords].map(([name, value]): [string, Argument] => {
      if (!arrays.has(name)) return [name, { kind: "value", value }];
      const shape = shapeOfValue(value);
      if (typeof shape === "string") return vm.fail("ValueError", `${name} ${shape}`);
      return [name, shape];
    }),
  );
}

export function planOfArguments(
  vm: Interpreter,
  target: TraceTarget,
  args: Arguments,
  library: Library,
  assume: Assumption,
): Plan {
  for (const name of args.keys()) {
    if (!target.parameters.some((p) => p.name === name || p.kind === "kwargs")) {
      const known = target.parameters.map((p) => p.name).join(", ");
      vm.fail(
        "TypeError",
        `${target.name} has no parameter '${name}'`,
        `Its parameters are: ${known}.`,
      );
    }
  }
  const assumptions: string[] = [];
  const assumed = new Set(arrayParameters(target, args).map((p) => p.name));
  const arrays = target.parameters.filter(
    (p) => assumed.has(p.name) || /^(array|shape)$/.test(args.get(p.name)?.kind ?? ""),
  );
  const drafts = arrays.map((p) => {
    const given = args.get(p.name);
    if (given?.kind === "array") {
      const { handle } = given;
      return { p, sizes: handle.shape, type: handle.type, dtype: handle.dtype, handle };
    }
    if (given?.kind === "shape") return { p, handle: null, ...ofShape(given) };
    return { p, dtype: null, handle: null, ...assume(p.name) };
  });
  const shapes = lettered(
    nameAxes(
      drafts.map((d) => d.sizes),
      layoutOf(library),
    ),
    drafts.map((d) => ("letters" in d ? (d.letters ?? null) : null)),
  );
  const inputs = drafts.map((d, k): InputPlan => ({
    name: d.p.name,
    shape: shapes[k]!,
    type: d.type,
    library,
    dtype: d.dtype,
    argument: null,
    handle: d.handle,
  }));
  const plain: string[] = [];
  for (const [k, i] of inputs.entries()) {
    if (i.handle !== null) continue;
    const { reason } = { reason: undefined, ...drafts[k] };
    const shape = `${formatShape(i.shape)}${i.type === "float" ? "" : ` of type ${i.type}`}`;
    if (reason === undefined) plain.push(`${i.name} ${shape}`);
    else assumptions.push(`${i.name} is taken to be ${shape}: ${reason}`);
  }
  if (plain.length > 0) {
    assumptions.push(`${SHAPES_TAKEN}: ${plain.join(", ")}`);
  }
  return {
    inputs,
    assumptions,
    call: (tensors) => {
      const values: [Parameter, Value][] = [];
      for (const p of target.parameters) {
        const k = arrays.indexOf(p);
        const given = args.get(p.name);
        if (k >= 0) values.push([p, tensors[k]!]);
        else if (given?.kind === "value") values.push([p, given.value]);
        else if (p.default === null && p.kind !== "args" && p.kind !== "kwargs") {
          values.push([p, assumedNumber(vm, p)]);
        }
      }
      return namedCall(target, values);
    },
  };
}

function ofShape({
  axes,
  dtype,
  reason,
}: ShapeArgument): AssumedArray & { readonly dtype: string | null } {
  const type =
    dtype === null || dtype.includes("float") ? "float" : dtype === "bool" ? "bool" : "int";
  return {
    sizes: axes.map((a) => (typeof a === "number" ? a : null)),
    type,
    dtype,
    letters: axes.map((a) => (typeof a === "string" ? a : "")),
    reason: reason ?? "as you set it",
  };
}

/** The shapes with axes called by the given letters, wherever those axes stand; "" keeps a name. */
function lettered(
  shapes: readonly Shape[],
  letters: readonly (readonly string[] | null)[],
): readonly Shape[] {
  const renamed = new Map<string, Axis>();
  shapes.forEach((shape, k) => {
    shape.forEach((a, d) => {
      const letter = letters[k]?.[d] ?? "";
      if (letter !== "" && !isUnit(a) && !renamed.has(a.name))
        renamed.set(a.name, letterAxis(letter, a.size));
    });
  });
  return shapes.map((shape, k) =>
    shape.map((a, d) => {
      const own = letters[k]?.[d] ?? "";
      if (own !== "" && !isUnit(a)) return letterAxis(own, a.size);
      return renamed.get(a.name) ?? a;
    }),
  );
}

/** Defaults stay with the function: whatever is not given is left out. */
function namedCall(
  target: TraceTarget,
  values: readonly (readonly [Parameter, Value])[],
): { readonly positional: Value[]; readonly keywords: Map<string, Value> } {
  const given = new Map(values.map(([p, v]) => [p.name, v]));
  const positional: Value[] = [];
  const keywords = new Map<string, Value>();
  let leftOut = false;
  for (const p of target.parameters) {
    const v = given.get(p.name);
    if (p.kind === "args" || p.kind === "kwargs") continue;
    if (v === undefined) leftOut = true;
    else if (p.kind !== "keywordOnly" && !leftOut) positional.push(v);
    else keywords.set(p.name, v);
  }
  return { positional, keywords };
}

/** Numbers for the settings that a class's constructor must be given, and what is assumed of them. */
export function assumedSettings(
  vm: Interpreter,
  parameters: readonly Parameter[],
): { readonly values: ReadonlyMap<string, Value>; readonly assumptions: readonly string[] } {
  const outer = vm.recorder;
  vm.recorder = new Recorder();
  try {
    const needed = parameters.filter(
      (p) => p.default === null && p.kind !== "args" && p.kind !== "kwargs" && isScalar(p),
    );
    const values = new Map(needed.map((p): [string, Value] => [p.name, assumedNumber(vm, p)]));
    return { values, assumptions: vm.recorder.assumptions };
  } finally {
    vm.recorder = outer;
  }
}

/** A number whose value nobody gave: it stays a symbol, except where it counts something. */
function assumedNumber(vm: Interpreter, p: Parameter): Value {
  if (COUNT_NAME.test(p.name)) {
    vm.recorder.assume(`${p.name} is taken to be ${ASSUMED_CLASSES}`);
    return int(ASSUMED_CLASSES);
  }
  return symbolic("float", parameter(p.name, null));
}

/** The target role by name alone, before anything has been run. */
export function looksLikeTarget(names: readonly string[], library: Library): Set<string> {
  const roles = rolesOf(
    names.map((name) => ({ name, isReal: true })),
    library,
  );
  return new Set(names.filter((_, k) => roles[k] === "target"));
}
