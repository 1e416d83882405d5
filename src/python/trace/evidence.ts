/**
 * What the code of a function says about the shapes of its array parameters, found without running
 * it: subscripts, axes that are summed over, unpacked shapes, permutations.
 */
import type { Library } from "../dtypes.ts";
import { lookup } from "../interpreter/attributes.ts";
import type { CallArgument, Call, Expression, Statement } from "../syntax.ts";
import { walkSyntax } from "../syntaxWalk.ts";
import type { FunctionValue } from "../values.ts";
import { axesUpTo, classAfter, isNone, parts, permutation, rankOf, shapeOf } from "./arrayCalls.ts";
import { letterOf } from "./letters.ts";
import { type Numbers, constantsOf, integers, sourceOf } from "./readSyntax.ts";
import type { TraceTarget } from "./target.ts";

/** One thing that a line of code says of one parameter. */
export interface Clue {
  readonly parameter: string;
  /** The array has that many axes, or at least as many. */
  readonly rank: number;
  readonly exact: boolean;
  /** Where the class axis stands, if the line tells. */
  readonly classAxis: "first" | "last" | null;
  /** Names given to its axes, in order; as many as `rank`. */
  readonly letters: readonly string[] | null;
  /** It holds class numbers, one a position. */
  readonly labelMap: boolean;
  /** A sum runs over the last (or third) axis alone, which is all of space where classes stand second. */
  readonly alongOne: boolean;
  readonly reason: string;
}

/** Calls whose result has the shape of their (first) array. */
const KEEPING =
  /^(sigmoid|softmax|log_softmax|logsigmoid|softplus|tanh|relu|exp|log|log1p|sqrt|abs|absolute|square|pow|power|clamp|clip|clip_by_value|clamp_min|clamp_max|float|double|half|long|int|bool|to|type|type_as|astype|cast|contiguous|detach|clone|copy|cpu|cuda|tensor|as_tensor|asarray|array|convert_to_tensor|stop_gradient|maximum|minimum|where|nan_to_num|multiply|add|subtract|sigmoid_|identity|requires_grad_)$/;
/** Calls whose result has the entries of their array in another shape. */
const JOINING_AXES = /^(flatten|view|reshape|ravel)$/;
const REDUCING =
  /^(sum|mean|prod|max|min|amax|amin|any|all|norm|logsumexp|nansum|nanmean|std|var|count_nonzero|reduce_(?:sum|mean|prod|max|min|any|all))$/;
const OVER_CLASSES = /^(softmax|log_softmax|argmax|softmin)$/;
const ONE_HOT = /one_?hot|to_categorical/i;
const CLASS_LOSS = /^(cross_entropy|nll_loss|sparse_categorical_crossentropy|CrossEntropyLoss)$/;
const SEVERAL_CLASSES = /^(n|num)?_?(class(es)?|channels?|labels)$|^[CK]$/i;

const MAX_DEPTH = 3;

/** All clues, in the order of the code, also from helpers that the arrays are handed to. */
export function cluesOf(target: TraceTarget, names: readonly string[], library: Library): Clue[] {
  const self = target.self?.kind === "instance" ? target.self : null;
  const reader = new Reader(self, library, []);
  reader.read(target.fn, new Map(names.map((n) => [n, [n]])));
  return reader.clues;
}

type Aliases = Map<string, readonly string[]>;

function setOrDelete(aliases: Aliases, name: string, arrays: readonly string[]): void {
  if (arrays.length > 0) aliases.set(name, arrays);
  else aliases.delete(name);
}

class Reader {
  readonly clues: Clue[] = [];
  private readonly self: (TraceTarget["self"] & { kind: "instance" }) | null;
  private readonly library: Library;
  private readonly stack: readonly FunctionValue[];
  private aliases: Aliases = new Map();
  /** Variables that hold the entries of parameters in another shape. */
  private joined: Aliases = new Map();
  private numbers: Numbers = new Map();
  /** Variables that hold the size of an axis: its position. */
  private readonly sizes = new Map<string, number>();
  private readonly seen = new Set<Expression | Statement>();
  private fn!: FunctionValue;

  constructor(self: Reader["self"], library: Library, stack: readonly FunctionValue[]) {
    this.self = self;
    this.library = library;
    this.stack = stack;
  }

  read(fn: FunctionValue, aliases: Aliases): void {
    this.fn = fn;
    this.aliases = new Map(aliases);
    this.joined = new Map();
    this.numbers = constantsOf(fn);
    walkSyntax(fn.code.body, (node) => {
      this.visit(node);
    });
  }

  private visit(node: Expression | Statement): void {
    if (this.seen.has(node)) return;
    this.seen.add(node);
    switch (node.kind) {
      case "Assign": {
        // What stands on the right is about the variables as they were.
        walkSyntax([node.value], (n) => {
          this.visit(n);
        });
        for (const t of node.targets) this.assigned(t, node.value);
        return;
      }
      case "Assert":
        this.asserted(node.test, false);
        return;
      case "If":
        if (node.body[0]?.kind === "Raise") this.asserted(node.test, true);
        return;
      case "Subscript":
        this.subscript(node.value, node.index, node);
        return;
      case "Call":
        this.call(node);
        return;
      default:
    }
  }

  /** The parameters whose shape an expression has. */
  private arrays(e: Expression | undefined): readonly string[] {
    switch (e?.kind) {
      case "Name":
        return this.aliases.get(e.id) ?? [];
      case "Binary":
        return [...this.arrays(e.left), ...this.arrays(e.right)];
      case "Unary":
        return this.arrays(e.operand);
      case "Compare":
        return this.arrays(e.first);
      case "Conditional":
        return this.arrays(e.then);
      case "Call": {
        const { name, array } = parts(e);
        const kept = KEEPING.test(name) || OVER_CLASSES.test(name);
        return kept && name !== "argmax" ? this.arrays(array ?? undefined) : [];
      }
      default:
        return [];
    }
  }

  /** The parameters whose entries an expression has, in whatever shape. */
  private entries(e: Expression | undefined): readonly string[] {
    if (e?.kind === "Name") return this.joined.get(e.id) ?? this.arrays(e);
    if (e?.kind !== "Call") return this.arrays(e);
    const { name, array } = parts(e);
    const kept = JOINING_AXES.test(name) || KEEPING.test(name);
    return kept ? this.entries(array ?? undefined) : [];
  }

  private note(
    e: Expression | undefined,
    at: Expression | Statement,
    clue: Partial<Clue>,
    parameters = this.arrays(e),
  ): void {
    const reason = `${sourceOf(this.fn, at)} on line ${at.span.line}`;
    for (const parameter of new Set(parameters)) {
      this.clues.push({
        parameter,
        rank: 0,
        exact: false,
        classAxis: null,
        letters: null,
        labelMap: false,
        alongOne: false,
        reason,
        ...clue,
      });
    }
  }

  private assigned(target: Expression, value: Expression): void {
    if (target.kind === "Name") {
      const axis = this.sizeAxis(value);
      if (axis !== null) this.sizes.set(target.id, axis.position);
      if (axis !== null && SEVERAL_CLASSES.test(target.id) && Math.abs(axis.position) === 1) {
        const classAxis = axis.position === 1 ? "first" : "last";
        this.note(axis.of, value, { rank: 2, classAxis });
      }
      const arrays = this.arrays(value);
      const joined = arrays.length > 0 ? [] : this.entries(value);
      setOrDelete(this.aliases, target.id, arrays);
      setOrDelete(this.joined, target.id, joined);
      return;
    }
    if (target.kind !== "Tuple" && target.kind !== "List") return;
    if (value.kind === "Tuple" && value.items.length === target.items.length) {
      target.items.forEach((t, k) => {
        this.assigned(t, value.items[k]!);
      });
      return;
    }
    const shape = shapeOf(value);
    if (shape === null) return;
    const starred = target.items.findIndex((t) => t.kind === "Starred");
    const named = starred < 0 ? target.items : target.items.slice(0, starred);
    const words = named.map((t) => (t.kind === "Name" ? letterOf(t.id) : null));
    named.forEach((t, k) => {
      if (t.kind === "Name" && shape.from === 0) this.sizes.set(t.id, k);
    });
    const letters = words.every((w) => w !== null) ? words : null;
    const own = new Set(letters).size === words.length ? letters : null;
    const classAxis =
      words[1] === "c" ? "first" : words.at(-1) === "c" && words.length > 2 ? "last" : null;
    const text = { span: { ...target.span, endColumn: value.span.endColumn! } } as Expression;
    const exact = starred < 0 && shape.whole;
    const rank = shape.from < 0 ? Math.max(words.length, -shape.from) : words.length;
    this.note(shape.of, target.span.line === value.span.endLine ? text : value, {
      rank,
      exact,
      classAxis: shape.from < 0 ? null : classAxis,
      letters: exact ? own : null,
    });
  }

  /** `x.dim() == 4`, `len(x.shape) == 4`; `negated`: what must not hold. */
  private asserted(test: Expression, negated: boolean): void {
    if (test.kind === "Boolean") {
      this.asserted(test.left, negated);
      this.asserted(test.right, negated);
      return;
    }
    const only = test.kind === "Compare" ? test.rest[0] : undefined;
    if (test.kind !== "Compare" || only === undefined) return;
    const of = rankOf(test.first);
    const ranks = integers(only.value, this.numbers);
    const holds = negated ? ["!=", "not in"] : ["==", "in"];
    if (of === null || ranks === null || !holds.includes(only.op)) return;
    const rank = ranks.includes(4) ? 4 : ranks[0]!;
    this.note(of, test, { rank, exact: true });
  }

  /** `x.shape[1]`, `x.size(1)`: which axis of which array. */
  private sizeAxis(e: Expression): { of: Expression; position: number } | null {
    if (e.kind === "Subscript") {
      const shape = shapeOf(e.value);
      const position = integers(e.index, this.numbers)?.[0];
      return shape?.whole === true && position !== undefined ? { of: shape.of, position } : null;
    }
    if (e.kind !== "Call" || e.callee.kind !== "Attribute" || e.callee.name !== "size") return null;
    const position = integers(e.args[0]?.value, this.numbers)?.[0];
    return position === undefined ? null : { of: e.callee.value, position };
  }

  private subscript(value: Expression, index: Expression, at: Expression): void {
    const size = this.sizeAxis(at);
    if (size !== null) {
      if (size.position > 0) this.note(size.of, at, { rank: size.position + 1 });
      return;
    }
    if (value.kind === "Call" && /^(eye|identity)$/.test(parts(value).name)) {
      this.note(index, at, { labelMap: true });
      return;
    }
    if (index.kind !== "Tuple") return;
    const items = index.items.filter((i) => !isNone(i));
    const dots = items.findIndex((i) => i.kind === "Singleton" && i.value === "Ellipsis");
    const picks = (i: Expression | undefined): boolean =>
      i !== undefined &&
      (i.kind === "Name" ||
        i.kind === "Number" ||
        i.kind === "Unary" ||
        (i.kind === "Slice" && i.lower !== null));
    const open = (i: Expression | undefined): boolean =>
      i?.kind === "Slice" && i.lower === null && i.upper === null;
    if (dots >= 0) {
      const last = dots === items.length - 2 && picks(items.at(-1));
      const second = dots === 2 && open(items[0]) && picks(items[1]);
      const classAxis = last ? "last" : second ? "first" : null;
      this.note(value, at, { rank: Math.max(2, items.length - 1), classAxis });
      return;
    }
    const added = items.length < index.items.length;
    if (added && items.every(open)) {
      this.note(value, at, { rank: items.length, exact: items.length > 1 });
      return;
    }
    const n = items.length;
    const last = n > 2 && picks(items.at(-1)) && items.slice(0, -1).every(open);
    const second = n > 1 && open(items[0]) && picks(items[1]) && items.slice(2).every(open);
    const classAxis = last ? "last" : second ? "first" : null;
    this.note(value, at, { rank: n, exact: n > 2 && (last || second), classAxis });
  }

  private call(node: Call): void {
    const { name, array, rest } = parts(node);
    const named = (...keys: string[]): Expression | undefined =>
      node.args.find((a) => a.kind === "keyword" && keys.includes(a.name!))?.value;
    const dims = integers(named("dim", "axis", "axes") ?? rest[0]?.value, this.numbers);
    if (name === "einsum") {
      this.contracted(node);
      return;
    }
    if (array === null) {
      this.helper(node);
      return;
    }
    if (name === "size" && dims !== null) {
      if (dims[0]! > 0) this.note(array, node, { rank: dims[0]! + 1 });
    } else if (name === "permute" || name === "transpose") {
      const order =
        integers(named("perm", "dims", "axes"), this.numbers) ?? permutation(rest, this.numbers);
      if (order === null || (name === "transpose" && order.length < 3)) return;
      const classAxis = classAfter(order);
      this.note(array, node, { rank: order.length, exact: true, classAxis });
      this.permutedOneHot(array, order, node);
    } else if (ONE_HOT.test(name)) {
      this.note(array, node, { labelMap: true }, this.entries(array));
    } else if (CLASS_LOSS.test(name)) {
      const target = name.startsWith("sparse") ? array : rest[0]?.value;
      this.note(target, node, { labelMap: true });
    } else if (name === "scatter_" || name === "scatter") {
      const index = rest[1]?.value;
      this.note(index?.kind === "Call" ? (parts(index).array ?? undefined) : undefined, node, {
        labelMap: true,
      });
    } else if (OVER_CLASSES.test(name) && dims?.length === 1) {
      const classAxis = dims[0] === 1 ? "first" : dims[0] === -1 || dims[0] === 3 ? "last" : null;
      this.note(array, node, { rank: Math.max(2, ...dims.map(axesUpTo)), classAxis });
    } else if (REDUCING.test(name) && dims !== null && dims.length > 0) {
      this.reduced(array, dims, named("dim", "axis", "axes") ?? rest[0]!.value, node);
    } else if ((name === "view" || name === "reshape") && rest.length > 2) {
      this.flattened(array, rest, node);
    } else if (name === "flatten") {
      const from = integers(named("start_dim") ?? rest[0]?.value, this.numbers)?.[0];
      if (from !== undefined && from > 0)
        this.note(array, node, { rank: from + 1, classAxis: from === 2 ? "first" : null });
    } else this.helper(node);
  }

  private reduced(
    array: Expression,
    dims: readonly number[],
    written: Expression,
    node: Call,
  ): void {
    const rank = Math.max(...dims.map(axesUpTo), dims.length);
    const alongOne = dims.length === 1 && (dims[0] === -1 || dims[0] === 2);
    if (rank < 2 && !alongOne) return;
    const has = (d: number): boolean => dims.includes(d);
    const space = dims.length > 1 && has(2) && !has(1);
    const middle = dims.length > 1 && has(1) && has(2) && !dims.includes(rank);
    // Without the batch's axis, (1, 2) leaves channels behind in TensorFlow, nothing elsewhere.
    const last = middle && !has(3) && (has(0) || this.library === "tensorflow");
    const classAxis = space || (has(-1) && has(-2)) ? "first" : last ? "last" : null;
    const keyword = node.args.find((a) => a.value === written && a.kind === "keyword")?.name;
    const text = sourceOf(this.fn, written);
    const reason = `${keyword === undefined ? "axes " : `${keyword}=`}${text} on line ${node.span.line}`;
    const exact = dims.length > 1 && rank > 3;
    this.note(array, node, { rank, exact, classAxis, alongOne, reason });
  }

  /** `einsum("bci,bci->bc", p, t)`: a letter for each axis. */
  private contracted(node: Call): void {
    const [first, ...others] = node.args.map((a) => a.value);
    if (first?.kind !== "String") return;
    const only = others[0];
    const operands = only?.kind === "List" || only?.kind === "Tuple" ? only.items : others;
    const subscripts = first.value.split("->")[0]!.split(",");
    operands.forEach((operand, k) => {
      const written: readonly string[] = (subscripts[k] ?? "").match(/\S/g) ?? [];
      if (written.length < 2 || written.includes(".")) return;
      const named = written.map((l) => letterOf(l) ?? l.toLowerCase());
      const letters = new Set(named).size === named.length ? named : null;
      const classAxis =
        letters?.[1] === "c"
          ? "first"
          : letters?.at(-1) === "c" && letters.length > 2
            ? "last"
            : null;
      this.note(operand, node, { rank: written.length, exact: true, classAxis, letters });
    });
  }

  /** `x.view(b, c, -1)`: the sizes of the first axes stay, the others are joined. */
  private flattened(array: Expression, sizes: readonly CallArgument[], node: Call): void {
    const kept = sizes.filter(({ value: v }, k) => {
      const position = v.kind === "Name" ? this.sizes.get(v.id) : this.sizeAxis(v)?.position;
      return position === k;
    });
    if (kept.length === 0 || kept.length !== sizes.length - 1) return;
    this.note(array, node, { rank: sizes.length, classAxis: kept.length === 2 ? "first" : null });
  }

  /** `one_hot(y, C).permute(0, 3, 1, 2)`: `y` lacks the class axis. */
  private permutedOneHot(array: Expression, order: readonly number[], node: Call): void {
    let inner: Expression = array;
    while (inner.kind === "Call" && !ONE_HOT.test(parts(inner).name)) {
      const next = parts(inner).array;
      if (next === null) return;
      inner = next;
    }
    if (inner.kind !== "Call") return;
    this.note(parts(inner).array ?? undefined, node, {
      rank: order.length - 1,
      exact: true,
      labelMap: true,
    });
  }

  /** A function or a method of the user's that arrays are handed to. */
  private helper(node: Call): void {
    if (this.stack.length >= MAX_DEPTH) return;
    const { callee } = node;
    const method =
      callee.kind === "Attribute" && callee.value.kind === "Name" && callee.value.id === "self";
    const found =
      callee.kind === "Name"
        ? this.fn.scope.lookup(callee.id)
        : method && this.self !== null
          ? lookup(this.self.cls.mro, callee.name)
          : undefined;
    if (found === undefined || found === "unbound" || found.kind !== "function") return;
    if (found === this.fn || this.stack.includes(found)) return;
    const parameters = method ? found.code.parameters.slice(1) : found.code.parameters;
    const aliases: Aliases = new Map();
    node.args.forEach((a, k) => {
      const p =
        a.kind === "keyword" ? a.name! : a.kind === "positional" ? parameters[k]?.name : undefined;
      const arrays = this.arrays(a.value);
      if (p !== undefined && arrays.length > 0) aliases.set(p, arrays);
    });
    if (aliases.size === 0) return;
    const inner = new Reader(this.self, this.library, [...this.stack, this.fn]);
    inner.read(found, aliases);
    this.clues.push(...inner.clues);
  }
}
