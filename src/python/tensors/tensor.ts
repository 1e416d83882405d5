/** Tensors: making them, and seeing other values as one. */
import {
  type Axis,
  type Shape,
  axis,
  elementCount,
  isUnit,
  sameShape,
} from "../../expression/axis.ts";
import {
  cast,
  constant,
  expand,
  input,
  positions,
  reduce,
  reshape,
  size,
  stack,
  stopGradient,
  withArgs,
} from "../../expression/build.ts";
import { type Expr, annotate } from "../../expression/node.ts";
import {
  type DType,
  type Library,
  type Operand,
  castTarget,
  defaultDType,
  followsNumpy,
  isDType,
  scalarType,
} from "../dtypes.ts";
import type { TapeKernel } from "../../expression/tape.ts";
import type { ArrayHandle } from "../host.ts";
import type { Interpreter } from "../interpreter/interpreter.ts";
import { numberExpr } from "../interpreter/numbers.ts";
import {
  type NumberValue,
  type Selection,
  type TensorValue,
  type Value,
  int,
  typeName,
} from "../values.ts";
import { changedUnseen } from "./detached.ts";
import { ofOneType } from "./strictTypes.ts";

/** How a view's entries follow from its base's, and the other way round. */
export interface View {
  readonly base: TensorValue;
  readonly read: (base: Expr) => Expr;
  /** The base after the view's entries have become `changed`; `null`: not known. */
  readonly write: ((base: Expr, changed: Expr) => Expr) | null;
}

class Tensor implements TensorValue {
  readonly kind = "tensor" as const;
  readonly library: Library;
  readonly dtype: DType | null;
  readonly identity: boolean;
  readonly contiguous: boolean;
  readonly selection = null;
  readonly born: number;
  private readonly view: View | null;
  private readonly unsure: (() => never) | null;
  private readonly reshaped: () => never;
  /** What it was made as, where another array holds the same: a copy; else null. */
  private readonly copied: Expr | null;
  /** Nodes that had been made before it. */
  private readonly since: number;
  private own: Expr;
  /** State of the base that `own` was read from. */
  private seen: Expr | null;

  constructor(
    vm: Interpreter,
    expr: Expr,
    library: Library,
    dtype: DType | null,
    o: TensorOptions,
  ) {
    this.library = library;
    this.dtype = dtype;
    this.identity = o.identity ?? false;
    this.contiguous = o.contiguous ?? true;
    this.born = vm.epoch;
    this.view = o.view ?? null;
    this.since = vm.recorder.spans.size;
    const isHeld = vm.recorder.spans.has(expr) || vm.traceInputs.includes(expr);
    this.copied = isHeld && o.isGiven !== true ? expr : null;
    this.own = expr;
    this.seen = this.view?.base.expr ?? null;
    this.reshaped = () =>
      vm.unsupported(
        "an array gets another shape in place while another shares its memory",
        "Write x = x.unsqueeze(1) instead of x.unsqueeze_(1).",
      );
    this.unsure =
      this.view !== null && this.view.write === null
        ? () =>
            vm.unsupported(
              "an array is changed in place while another shares (or may share) its memory",
              "Write x = x * y instead of x *= y, or take a copy first.",
            )
        : null;
  }

  get expr(): Expr {
    if (this.view === null) return this.own;
    const base = this.view.base.expr;
    if (base !== this.seen) {
      this.unsure?.();
      if (base.shape.length !== this.seen?.shape.length) this.reshaped();
      this.own = this.view.read(base);
      this.seen = base;
    }
    return this.own;
  }

  assign(vm: Interpreter, entries: Expr): void {
    const { view, own } = this;
    const isUnseen =
      this.library === "torch" && vm.stopGradientDepth > 0 && sameShape(own.shape, entries.shape);
    const changed = isUnseen && view === null ? changedUnseen(vm, own, entries) : entries;
    if (view === null) {
      vm.remember(this, () => {
        const before = this.own;
        return () => (this.own = before);
      });
      if (this.library === "torch" && changed.shape.length === own.shape.length) {
        const copy = own === this.copied ? { since: this.since } : null;
        vm.recorder.write(own, changed, copy, vm.at);
      }
      this.own = changed;
      return;
    }
    if (view.write === null) return this.unsure!();
    if (changed.shape.length !== own.shape.length) this.reshaped();
    view.base.assign(
      vm,
      vm.shaped(() => view.write!(view.base.expr, changed)),
    );
    this.own = changed;
    this.seen = view.base.expr;
  }
}

export interface TensorOptions {
  readonly identity?: boolean;
  readonly contiguous?: boolean;
  readonly view?: View;
  /** The caller's own array. */
  readonly isGiven?: true;
  /** The library's own kernel for what a formula of several operations says. */
  readonly kernel?: TapeKernel;
}

/** More entries than any machine's memory holds. */
const MOST_ENTRIES = 2 ** 44;

/** The result of an operation: inside `torch.no_grad()` no gradient flows through it. */
export function tensor(
  vm: Interpreter,
  expr: Expr,
  library: Library,
  dtype: DType | null,
  options: TensorOptions = {},
): TensorValue {
  vm.tensorOperation();
  // Axes of open size have at least one entry.
  const count = expr.shape.reduce((n, a) => n * (a.size ?? 1), 1);
  if (count > MOST_ENTRIES) {
    vm.fail(
      "MemoryError",
      `an array of ${count.toExponential(1)} entries fits in no memory`,
      "Check the sizes that it is made with.",
    );
  }
  let e = expr;
  if (vm.stopGradientDepth > 0 && e.type === "float" && e.kind !== "stopGradient") {
    // What is inside has no gradient either way; one cut around the whole says it best.
    const bare = e.args.map((a) => (a.kind === "stopGradient" ? a.args[0]! : a));
    e = stopGradient(withArgs(e, bare));
    vm.recorder.block(e, "no_grad", vm.at);
  }
  return new Tensor(
    vm,
    vm.recorder.result(e, dtype, vm.at, options.kernel),
    library,
    dtype,
    options,
  );
}

/** A tensor that shares its memory with `base`, perhaps as another library's. */
export function viewOf(
  vm: Interpreter,
  base: TensorValue,
  read: View["read"],
  write: View["write"],
  contiguous = base.contiguous,
  library: Library = base.library,
): TensorValue {
  const e = vm.shaped(() => read(base.expr));
  // In TensorFlow and JAX nothing changes in place.
  const mutable = followsNumpy(library) || library === "torch";
  const options = mutable ? { contiguous, view: { base, read, write } } : {};
  return tensor(vm, e, library, base.dtype, options);
}

export function isTensor(v: Value): v is TensorValue {
  return v.kind === "tensor";
}

/** The library in which an operation on these takes place: that of its tensors. */
export function libraryOf(values: readonly Value[], otherwise: Library): Library {
  const libraries = values.filter(isTensor).map((t) => t.library);
  return libraries.find((l) => l !== "numpy") ?? libraries[0] ?? otherwise;
}

export function rankOf(t: TensorValue): number {
  const { selection } = t;
  return selection === null
    ? t.expr.shape.length
    : selection.all.expr.shape.length - pickedAxes(selection).span + 1;
}

/** The axes of all entries for which the picked ones have a single one: the first, and how many. */
export function pickedAxes({ mask, at, order }: Selection): {
  readonly at: number;
  readonly span: number;
} {
  const along = order?.along ?? null;
  return along === null ? { at, span: mask.shape.length } : { at: at + along, span: 1 };
}

/** The node that holds a tensor's entries, be it with others that are not picked. */
export function nodeOf(t: TensorValue): Expr {
  return t.selection === null ? t.expr : t.selection.all.expr;
}

/** The sizes of its axes as Python ints. */
export function sizeNumbers(t: TensorValue): NumberValue[] {
  const { selection } = t;
  if (selection === null) return t.expr.shape.map(sizeNumber);
  const { at, span } = pickedAxes(selection);
  const sizes = selection.all.expr.shape.map(sizeNumber);
  sizes.splice(at, span, pickedCount(selection));
  return sizes;
}

/** How many entries the axis of the picked ones has. */
export function pickedCount({ mask, order }: Selection): NumberValue {
  if (order !== null) return int(order.count);
  return {
    kind: "number",
    type: "int",
    value: null,
    symbol: reduce("sum", mask, null),
    axes: null,
  };
}

/** An operand of elementwise arithmetic: a tensor, a number, or a list that NumPy would convert. */
export function operandExpr(vm: Interpreter, v: Value, library: Library): Expr {
  if (v.kind === "tensor") return vm.recorder.held(v.expr, v.dtype, vm.at);
  if (v.kind === "number") return numberExpr(v);
  return asTensor(vm, v, library).expr;
}

export function operandOf(v: Value, e: Expr): Operand {
  return {
    type: v.kind === "number" ? v.type : e.type,
    dtype: v.kind === "tensor" ? v.dtype : null,
    weak: v.kind === "number",
    rank: e.shape.length,
  };
}

/**
 * The value as an array: numbers become 0-dimensional, nested lists of numbers arrays, lists of
 * tensors are stacked.
 * @throws PythonError TypeError for anything else
 */
export function asTensor(vm: Interpreter, v: Value, library: Library, dtype?: DType): TensorValue {
  switch (v.kind) {
    case "tensor":
      return v;
    case "number": {
      const d = dtype ?? defaultDType(v.type, library);
      return tensor(vm, castTo(numberExpr(v), null, d), library, d);
    }
    case "list":
    case "tuple":
    case "range":
      return fromSequence(vm, v, library, dtype);
    default:
      return vm.fail("TypeError", `expected an array or a number, got '${typeName(v)}'`);
  }
}

export function itemsOf(v: Value): readonly Value[] | null {
  if (v.kind === "list" || v.kind === "tuple") return v.items;
  if (v.kind !== "range") return null;
  const items: Value[] = [];
  const forward = v.step > 0;
  for (let n = v.start; forward ? n < v.stop : n > v.stop; n += v.step) {
    items.push({ kind: "number", type: "int", value: n, symbol: null, axes: null });
  }
  return items;
}

interface Nested {
  readonly shape: readonly number[];
  readonly leaves: readonly Value[];
}

function fromSequence(vm: Interpreter, v: Value, library: Library, dtype?: DType): TensorValue {
  const nested = flattenNested(vm, v);
  const leaves = nested.leaves;
  if (leaves.every((x): x is NumberValue => x.kind === "number" && x.symbol === null)) {
    return literal(vm, leaves, nested.shape, library, dtype);
  }
  return stackNested(vm, v, library, dtype);
}

/** Row-major leaves of nested lists, which must be as regular as an array. */
function flattenNested(vm: Interpreter, v: Value): Nested {
  const items = itemsOf(v);
  if (items === null) return { shape: [], leaves: [v] };
  const parts = items.map((x) => flattenNested(vm, x));
  const inner = parts[0]?.shape ?? [];
  for (const p of parts) {
    if (p.shape.length !== inner.length || p.shape.some((n, d) => n !== inner[d])) {
      vm.fail("ValueError", "the rows of this array differ in length");
    }
  }
  return { shape: [parts.length, ...inner], leaves: parts.flatMap((p) => p.leaves) };
}

function literal(
  vm: Interpreter,
  leaves: readonly NumberValue[],
  shape: readonly number[],
  library: Library,
  dtype?: DType,
): TensorValue {
  const kinds = new Set(leaves.map((x) => x.type));
  const type =
    kinds.has("float") || leaves.length === 0 ? "float" : kinds.has("int") ? "int" : "bool";
  const d = dtype ?? defaultDType(type, library);
  const values = leaves.map((x) => x.value!);
  return literalArray(vm, values, shape, d, library);
}

/** An array of known numbers, held by the host. Equal short ones are one and the same input. */
export function literalArray(
  vm: Interpreter,
  values: readonly number[],
  shape: readonly number[],
  dtype: DType,
  library: Library,
): TensorValue {
  const key = values.length <= 64 ? `${dtype}(${shape.join()})${values.join()}` : null;
  const known = key === null ? undefined : vm.arrays.byContent.get(key);
  const expr = known ?? inputFor(vm, held(vm, values, shape, dtype), vm.arrays.hint);
  if (key !== null) vm.arrays.byContent.set(key, expr);
  return tensor(vm, expr, library, dtype);
}

/** The positions 0, 1, … along an axis of `n` entries. */
export function positionsArray(vm: Interpreter, n: number, library: Library): TensorValue {
  const dtype = defaultDType("int", library);
  const key = `positions ${dtype} ${n}`;
  let expr = vm.arrays.byContent.get(key);
  if (expr === undefined) {
    const numbers = Array.from({ length: n }, (_, k) => k);
    const handle = held(vm, numbers, [n], dtype);
    const [along] = vm.arrays.axesFor([n]);
    expr = bound(vm, positions(vm.arrays.freshName("positions"), along!), handle);
    vm.arrays.byContent.set(key, expr);
  }
  return tensor(vm, expr, library, dtype);
}

/** @throws PythonError OverflowError at the array, for numbers that its dtype cannot hold */
function held(
  vm: Interpreter,
  values: readonly number[],
  shape: readonly number[],
  dtype: DType,
): ArrayHandle {
  try {
    return vm.host.literalArray(values, shape, dtype, vm.at);
  } catch (e) {
    vm.host.checkpoint(); // an interruption says nothing of the numbers
    if (!(e instanceof Error)) throw e;
    const { remedy } = e as { remedy?: unknown };
    return vm.fail("OverflowError", e.message, typeof remedy === "string" ? remedy : null, e);
  }
}

/** A tensor for an array of the host's. */
export function tensorOfHandle(
  vm: Interpreter,
  handle: ArrayHandle,
  library: Library,
): TensorValue {
  const dtype = isDType(handle.dtype) ? handle.dtype : null;
  if (dtype === null && handle.type === "float") {
    vm.unsupported(`arrays of dtype ${handle.dtype} are not supported`);
  }
  return tensor(vm, inputFor(vm, handle, vm.arrays.hint), library, dtype);
}

function inputFor(vm: Interpreter, handle: ArrayHandle, hint: string): Expr {
  const shape = vm.arrays.axesFor(handle.shape);
  const node = bound(vm, input(vm.arrays.freshName(hint), shape, handle.type), handle);
  if (hint !== "") annotate(node, undefined, hint);
  return node;
}

function bound(vm: Interpreter, node: Expr, handle: ArrayHandle): Expr {
  vm.arrays.handles.set(node, handle);
  vm.host.bindInput(node, handle);
  return node;
}

function stackNested(vm: Interpreter, v: Value, library: Library, dtype?: DType): TensorValue {
  const items = itemsOf(v);
  if (items === null) return asTensor(vm, v, library, dtype);
  const rows = items.map((x) => stackNested(vm, x, library, dtype));
  return stackTensors(vm, rows, 0, library);
}

/** Joins tensors of one shape along a new axis. */
export function stackTensors(
  vm: Interpreter,
  items: readonly TensorValue[],
  dim: number,
  library: Library,
): TensorValue {
  const first = items[0] ?? vm.fail("ValueError", "need at least one array to stack");
  const used = first.expr.shape;
  const along = axisOfSize(vm, items.length, used);
  const dtypes = new Set(items.map((t) => t.dtype));
  const dtype = dtypes.size === 1 ? first.dtype : null;
  const exprs = ofOneType(
    vm,
    "Pack",
    library,
    items,
    items.map((t) => t.expr),
  );
  const e = vm.shaped(() => stack(exprs, dim, along));
  return tensor(vm, e, library, dtype);
}

/** An axis for `n` classes: the inputs' own class axis if it has that size, else a new one. */
export function axisOfSize(vm: Interpreter, n: number, used: Shape): Axis {
  const own = vm.inputAxes.find((a) => a.role === "class" && a.size === n);
  const free = (name: string): boolean => !used.some((a) => a.name === name);
  if (own !== undefined && free(own.name)) return own;
  return axis(freshLetter(used, ["k", "l", "m"]), n, "class");
}

const LETTERS = ["i", "j", "k", "l", "m", "n", "q", "r", "s", "u", "v"];

/** A letter that none of these axes has. */
export function freshLetter(used: Shape, preferred: readonly string[] = []): string {
  const taken = new Set(used.map((a) => a.name));
  const free = [...preferred, ...LETTERS].find((l) => !taken.has(l));
  if (free !== undefined) return free;
  let n = 1;
  while (taken.has(`k${n}`)) n++;
  return `k${n}`;
}

/** `e` converted from one dtype to another; unchanged where no value can change. */
export function castTo(e: Expr, from: DType | null, to: DType): Expr {
  const target = castTarget(to);
  if (from === to || target === e.type) return e;
  if (target === "float64" && e.type === "float") return e; // every float is exact in float64
  return cast(e, target);
}

/** An array of one repeated number. */
export function filled(
  vm: Interpreter,
  value: NumberValue,
  shape: Shape,
  library: Library,
  dtype: DType,
): TensorValue {
  const scalar =
    value.symbol === null && value.value !== null
      ? constant(value.value, scalarType(dtype))
      : castTo(numberExpr(value), null, dtype);
  return tensor(vm, shape.length === 0 ? scalar : expand(scalar, shape), library, dtype);
}

/** The same entries with some axes renamed, so that no two axes of a result share a name. */
export function renameAxes(e: Expr, names: ReadonlyMap<number, string>): Expr {
  const shape = e.shape.map((a, d): Axis => {
    const name = names.get(d);
    return name === undefined ? a : { name, size: a.size, role: a.role, parts: [a] };
  });
  return reshape(e, shape);
}

/** The size of an axis as a Python int. */
export function sizeNumber(a: Axis): NumberValue {
  return {
    kind: "number",
    type: "int",
    value: a.size,
    symbol: a.size === null ? size([a]) : null,
    axes: isUnit(a) ? null : [a],
  };
}

/** Number of entries as a Python int. */
export function countNumber(shape: Shape): NumberValue {
  const n = elementCount(shape);
  return {
    kind: "number",
    type: "int",
    value: n,
    symbol: n === null ? size(shape) : null,
    axes: shape.filter((a) => !isUnit(a)),
  };
}
