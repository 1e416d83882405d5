/** Running a function on named inputs, and what comes out as its loss. */
import type { Axis, Shape } from "../../expression/axis.ts";
import { constant, input, parameter, renamedInput } from "../../expression/build.ts";
import {
  type Expr,
  type Input,
  type ScalarType,
  type SourceSpan,
  annotationOf,
} from "../../expression/node.ts";
import { leaves, rewrite, topological } from "../../expression/walk.ts";
import { type Library, defaultDType, isDType } from "../dtypes.ts";
import type { ArrayHandle } from "../host.ts";
import { call, isCallable } from "../interpreter/calls.ts";
import type { Interpreter } from "../interpreter/interpreter.ts";
import { recordPair } from "../handwritten/pairs.ts";
import { callSitesOf } from "../handwritten/callSites.ts";
import type { CallSite, HandwrittenUse } from "../handwritten/record.ts";
import { type Decision, Recorder, type Write } from "../interpreter/recorder.ts";
import type { Module } from "../syntax.ts";
import { tensor } from "../tensors/tensor.ts";
import { type TensorValue, type Value, typeName } from "../values.ts";
import { type TraceBlocker, blockersOf } from "./blockers.ts";
import type { ElementType, Tape } from "../../expression/tape.ts";
import { type TraceFixed, fixedIn } from "./fixed.ts";
import { type Role, rolesOf } from "./roles.ts";
import type { TraceTarget } from "./target.ts";

export interface TraceInput {
  /** The function's own name for it. */
  readonly parameter: string;
  readonly node: Expr;
  readonly library: Library;
  readonly dtype: string | null;
  readonly role: Role;
  /** The expression that the caller passed; null where an array or nothing was bound. */
  readonly argument: Expr | null;
}

/** An array that the function uses without being given it, e.g. class weights. */
export interface CapturedArray {
  readonly name: string;
  readonly node: Expr;
  readonly handle: ArrayHandle;
}

export interface Trace {
  readonly loss: Expr;
  readonly inputs: readonly TraceInput[];
  readonly captured: readonly CapturedArray[];
  readonly name: string;
  readonly file: string;
  readonly line: number;
  readonly assumptions: readonly string[];
  /** Where gradient is stopped on its way to the inputs: by the code's own word, or for want of a slope. */
  readonly blockers: readonly TraceBlocker[];
  /** Arrays of PyTorch that are changed in place, in order. */
  readonly writes: readonly Write[];
  /** Conditions on the arrays' entries that decided which way the code went, in order. */
  readonly decisions: readonly Decision[];
  /** What the arrays' values decided for good, such as an order of entries, in the order of the run. */
  readonly fixed: readonly TraceFixed[];
  /** Axes of the loss if it is no scalar (`reduction="none"`); then there is one a entry. */
  readonly outputs: Shape | null;
  /** Where in the source, and as which variable, this trace made a node. */
  readonly spans: ReadonlyMap<Expr, SourceSpan>;
  readonly labels: ReadonlyMap<Expr, string>;
  /** What is written in the files that it went through, by their names. */
  readonly syntax: ReadonlyMap<string, Module>;
  /** It went over axes from the third on where there are none, as `range(2, x.ndim)` of a matrix. */
  readonly isFlat: boolean;
  /** Functions with a gradient written by hand that the loss uses, in the order of their use. */
  readonly handwritten: readonly HandwrittenUse[];
  /** Where the file itself uses the class, if it is a class with a backward of its own that was traced. */
  readonly callSites: readonly CallSite[];
  /** The loss with a node in the place of each value whose gradient is written by hand. */
  readonly inParts: Expr;
  /** The run's operations in their order, where they were asked for. */
  readonly tape: TraceTape | null;
}

export interface TraceTape extends Tape {
  /** Arrays that it starts from besides the inputs: captured ones, and literals. */
  readonly arrays: ReadonlyMap<Input, ElementType | null>;
  /** Functions with a gradient written by hand whose forward passes are on the tape. */
  readonly handwritten: readonly string[];
}

/** An input to be made for one array argument. */
export interface InputPlan {
  readonly name: string;
  readonly shape: Shape;
  readonly type: ScalarType;
  readonly library: Library;
  readonly dtype: string | null;
  readonly argument: Expr | null;
  readonly handle: ArrayHandle | null;
}

export interface Plan {
  readonly inputs: readonly InputPlan[];
  /** The call's arguments, given the tensors made for `inputs`. */
  readonly call: (tensors: readonly TensorValue[]) => {
    readonly positional: readonly Value[];
    readonly keywords: ReadonlyMap<string, Value>;
  };
  readonly assumptions: readonly string[];
}

/**
 * Runs the target on the budget that is left; a second time where constants were made of sorted
 * entries and the gradient would flow through them. Whatever it changes is undone.
 * @throws PythonError
 */
export function runTrace(
  vm: Interpreter,
  target: TraceTarget,
  plan: Plan,
  withTape = false,
): Trace {
  const trace = runOnce(vm, target, plan, withTape);
  const { purpose } = vm;
  const isLost = trace.fixed.some(({ lost }) =>
    trace.inputs.some((x) => isDifferentiated(vm, x) && lost.includes(x.parameter)),
  );
  if (!isLost || purpose.ordering === "flowing" || withTape) return trace;
  vm.purpose = { ...purpose, ordering: "flowing" };
  try {
    return runOnce(vm, target, plan, withTape);
  } finally {
    vm.purpose = purpose;
  }
}

/** Whether the gradient by an input may be asked for. */
function isDifferentiated(
  { purpose }: Interpreter,
  { parameter, role }: Pick<TraceInput, "parameter" | "role">,
): boolean {
  return purpose.wrt === null ? role !== "target" : parameter === purpose.wrt;
}

function rolesIn({ inputs }: Plan): Role[] {
  return rolesOf(
    inputs.map((p) => ({ name: p.name, isReal: p.type === "float" })),
    inputs[0]?.library ?? "numpy",
  );
}

function runOnce(vm: Interpreter, target: TraceTarget, plan: Plan, withTape: boolean): Trace {
  const saved = {
    recorder: vm.recorder,
    standIns: vm.standIns,
    axes: vm.inputAxes,
    nodes: vm.traceInputs,
    differentiated: vm.differentiated,
    silent: vm.silent,
  };
  vm.recorder = new Recorder(true, withTape);
  vm.silent = true;
  try {
    return vm.transaction(false, () => {
      const nodes = plan.inputs.map((p) => input(p.name, p.shape, p.type));
      vm.standIns = new Map(
        nodes.flatMap((node, k): [Expr, Expr][] => {
          const { argument, handle } = plan.inputs[k]!;
          if (handle !== null) vm.host.bindInput(node, handle);
          return argument === null ? [] : [[node, argument]];
        }),
      );
      vm.traceInputs = nodes;
      const roles = rolesIn(plan);
      vm.differentiated = new Set(
        nodes.filter((_, k) =>
          isDifferentiated(vm, { parameter: plan.inputs[k]!.name, role: roles[k]! }),
        ),
      );
      vm.inputAxes = uniqueAxes(plan.inputs.map((p) => p.shape));
      const tensors = plan.inputs.map((p, k) => inputTensor(vm, p, nodes[k]!));
      const args = plan.call(tensors);
      const result = call(vm, target.callable, args.positional, args.keywords);
      if (!withTape) recordPair(vm, target, args, result);
      return finish(vm, target, plan, nodes, result);
    });
  } finally {
    vm.recorder = saved.recorder;
    vm.standIns = saved.standIns;
    vm.inputAxes = saved.axes;
    vm.traceInputs = saved.nodes;
    vm.differentiated = saved.differentiated;
    vm.silent = saved.silent;
  }
}

function inputTensor(vm: Interpreter, p: InputPlan, node: Expr): TensorValue {
  const dtype = p.dtype !== null && isDType(p.dtype) ? p.dtype : null;
  const known = dtype ?? (p.type === "float" ? null : defaultDType(p.type, p.library));
  return tensor(vm, node, p.library, known, { isGiven: true });
}

function uniqueAxes(shapes: readonly Shape[]): Axis[] {
  const byName = new Map<string, Axis>();
  for (const a of shapes.flat()) if (!byName.has(a.name)) byName.set(a.name, a);
  return [...byName.values()];
}

function finish(
  vm: Interpreter,
  target: TraceTarget,
  plan: Plan,
  nodes: readonly Expr[],
  result: Value,
): Trace {
  const { recorder } = vm;
  for (const a of [...target.assumptions, ...plan.assumptions]) recorder.assume(a);
  // Gradients written by hand keep the nodes that stand for what they differentiate.
  const written = lossOf(vm, target, result);
  const raw = recorder.spelledOut(written);
  const { handwritten } = recorder;
  const { all, moved, captured } = tidy(vm, [raw, written, ...handwritten.flatMap(partsOf)], nodes);
  const loss = all[0]!;
  const roles = rolesIn(plan);
  const inGraph = new Set(topological(loss));
  const now = (e: Expr): Expr => moved.get(e) ?? recorder.spelledOut(e);
  const spans = new Map([...recorder.spans].map(([e, s]) => [now(e), s]));
  const stated = recorder.blockers
    .map((b) => ({ ...b, node: now(b.node) }))
    .filter((b) => inGraph.has(b.node));
  const chosen = new Set([...recorder.choices].map(now));
  return {
    loss,
    inputs: plan.inputs.map((p, k) => ({
      parameter: p.name,
      node: nodes[k]!,
      library: p.library,
      dtype: p.dtype,
      role: roles[k]!,
      argument: p.argument,
    })),
    captured,
    name: target.name,
    file: target.file,
    line: target.line,
    assumptions: [...recorder.assumptions],
    blockers: blockersOf(loss, nodes, stated, spans, chosen),
    writes: recorder.writes.map((w) => ({
      ...w,
      before: now(w.before),
      users: w.users.map(now),
    })),
    decisions: recorder.decisions.map((d) => ({ ...d, condition: now(d.condition) })),
    fixed: fixedIn(raw, nodes, recorder.fixed, now),
    outputs: loss.shape.length === 0 ? null : loss.shape,
    spans,
    labels: new Map([...recorder.labels].map(([e, s]) => [now(e), s])),
    syntax: vm.syntax,
    isFlat: recorder.isFlat,
    handwritten: handwritten.map((h) => renamed(h, (e) => moved.get(e) ?? e)),
    callSites: handwritten.some((h) => h.name === target.name && h.kind === "autograd.Function")
      ? callSitesOf(vm.parser, target.fn.code.source, target.name)
      : [],
    inParts: all[1]!,
    tape: tapeOf(vm, nodes, written),
  };
}

function tapeOf(vm: Interpreter, nodes: readonly Expr[], result: Expr): TraceTape | null {
  const { tape } = vm.recorder;
  if (tape === null) return null;
  const own = new Set(tape.entries.map((e) => e.node));
  const used = tape.entries.flatMap((e) => leaves(e.value)).concat(leaves(result));
  const arrays = new Map<Input, ElementType | null>();
  for (const leaf of used) {
    if (leaf.kind !== "input" || own.has(leaf) || nodes.includes(leaf)) continue;
    const held = vm.arrays.handles.get(leaf)?.dtype ?? "";
    arrays.set(leaf, tape.leaves.get(leaf) ?? (isDType(held) ? held : null));
  }
  return { entries: tape.entries, result, arrays, handwritten: tape.handwritten };
}

/** The loss among what the function returned. */
function lossOf(vm: Interpreter, target: TraceTarget, v: Value): Expr {
  const direct = exprOf(v);
  if (direct !== null) return direct;
  if (v.kind === "tuple" || v.kind === "list") {
    const k = v.items.findIndex((x) => exprOf(x)?.shape.length === 0);
    const at = k >= 0 ? k : v.items.findIndex((x) => exprOf(x) !== null);
    if (at >= 0) {
      vm.recorder.assume(
        `${target.name} returns ${v.items.length} values; number ${at + 1} is taken as the loss`,
      );
      return exprOf(v.items[at]!)!;
    }
  }
  if (v.kind === "dict") {
    const entries = [...v.entries.values()];
    const named = entries.find((e) => e.key.kind === "str" && /^(total_)?loss$/.test(e.key.value));
    const chosen = named ?? entries.find((e) => exprOf(e.value) !== null);
    const e = chosen === undefined ? null : exprOf(chosen.value);
    if (e !== null && chosen?.key.kind === "str") {
      vm.recorder.assume(
        `${target.name} returns a dictionary; "${chosen.key.value}" is taken as the loss`,
      );
      return e;
    }
  }
  return vm.fail(
    "TypeError",
    `${target.name} returns ${typeName(v)}, not a loss`,
    isCallable(v)
      ? `It makes something that is called in turn: give what it returns its arrays, ${target.name}(…)(pred, target).`
      : "Return a number or an array from the function.",
  );
}

function exprOf(v: Value): Expr | null {
  if (v.kind === "tensor") return v.expr;
  if (v.kind !== "number" || v.type === "bool") return null;
  return v.symbol ?? constant(v.value!, v.type);
}

interface Tidied {
  readonly all: readonly Expr[];
  /** What became of each node that changed. */
  readonly moved: ReadonlyMap<Expr, Expr>;
  readonly captured: readonly CapturedArray[];
}

/**
 * Gives captured arrays their plain names, and tells apart equal names of different numbers. The
 * first root says what was captured.
 */
function tidy(vm: Interpreter, roots: readonly Expr[], nodes: readonly Expr[]): Tidied {
  const taken = new Set(nodes.map((n) => (n.kind === "input" ? n.name : "")));
  const replacements = new Map<Expr, Expr>();
  const captured: CapturedArray[] = [];
  for (const leaf of new Set(roots.flatMap((root) => leaves(root)))) {
    const handle = leaf.kind === "input" ? vm.arrays.handles.get(leaf) : undefined;
    if (nodes.includes(leaf) || (leaf.kind === "input" && handle === undefined)) continue;
    const plain = plainName(leaf);
    let name = plain;
    for (let k = 2; taken.has(name); k++) name = `${plain}_${k}`;
    taken.add(name);
    if (leaf.kind === "parameter") {
      if (name !== leaf.name) replacements.set(leaf, parameter(name, leaf.value));
    } else if (leaf.kind === "input") {
      const node = renamedInput(leaf, name);
      replacements.set(leaf, node);
      captured.push({ name, node, handle: handle! });
    }
  }
  const moved = new Map<Expr, Expr>();
  if (replacements.size === 0) return { all: roots, moved, captured };
  const all = roots.map((root) =>
    rewrite(root, (e, original) => {
      const now = replacements.get(original) ?? e;
      moved.set(original, now);
      return now;
    }),
  );
  return { all, moved, captured };
}

/** Every expression of a record. */
function partsOf(h: HandwrittenUse): Expr[] {
  const gradients = [...h.gradients, ...(h.tangents?.outputs ?? [])].filter((g) => g !== null);
  return [...h.inputs.map((x) => x.node), ...h.passed, ...h.outputs, ...gradients];
}

function renamed(h: HandwrittenUse, now: (e: Expr) => Expr): HandwrittenUse {
  return {
    ...h,
    passed: h.passed.map(now),
    outputs: h.outputs.map(now),
    gradients: h.gradients.map((g) => (g === null ? null : now(g))),
    tangents: h.tangents === null ? null : { ...h.tangents, outputs: h.tangents.outputs.map(now) },
    lines: new Map([...h.lines].map(([e, line]) => [now(e), line])),
    fix:
      h.fix === null
        ? null
        : { ...h.fix, available: h.fix.available.map((a) => ({ ...a, node: now(a.node) })) },
  };
}

function plainName(leaf: Expr): string {
  if (leaf.kind === "parameter") return leaf.name;
  const own = leaf.kind === "input" ? leaf.name.replace(/@.*$/, "") : "array";
  return annotationOf(leaf)?.label ?? own;
}
