/**
 * Builds the loops of a pass from its plan. Every node that is not stored is computed where its
 * operands are known: what depends on outer loops only is computed outside the inner ones.
 */
import type { Expr } from "../../expression/node.ts";
import { sizeProduct } from "../typedArrays.ts";
import { Accesses, type Choosing, isChoosing, isReduction } from "./access.ts";
import { type Arrangement, arrange } from "./arrange.ts";
import {
  type IndexForm,
  type Range,
  ZERO_INDEX,
  addIndex,
  constantIndex,
  divideIndex,
  foldIndex,
  indexKey,
  indexRange,
  scaleIndex,
  variableIndex,
} from "./indexForm.ts";
import type {
  Accumulator,
  Case,
  Computation,
  Effect,
  Instruction,
  Loop,
  LoopNest,
  Operand,
  Pass,
  Register,
  Running,
} from "./loops.ts";
import { type Lookup, dimsOf, lookedUp } from "./lookups.ts";
import {
  type Buffer,
  PassTooLong,
  type PassPlan,
  type ReduceRoot,
  type Root,
  type ScanRoot,
  type Schedule,
  overOf,
} from "./plan.ts";

/** A buffer would be overwritten where the pass still reads it: it must not be shared. */
export class SharingConflict extends Error {
  readonly buffer: Buffer;
  constructor(buffer: Buffer) {
    super("a buffer is read where it was overwritten");
    this.buffer = buffer;
  }
}

interface Scope {
  readonly level: number;
  readonly instructions: Instruction[];
  readonly accumulators: Accumulator[];
  readonly loops: Loop[];
  readonly effects: Effect[];
  open: boolean;
}

export function buildPass(schedule: Schedule, plan: PassPlan): Pass {
  const [first] = plan.roots;
  if (first?.kind === "scan") {
    return { total: plan.total, nests: [], compensated: [], running: runningOf(schedule, first) };
  }
  const arrangement = arrange(schedule, plan);
  const { order, segments, boundedLoops } = arrangement;
  let boxes: Box[] = [[]];
  for (const axis of order.slice(0, boundedLoops)) {
    boxes = boxes.flatMap((box) => segments[axis]!.map((segment) => [...box, segment]));
  }
  return {
    total: plan.total,
    nests: boxes.map((box) => new Builder(schedule, plan, arrangement, box).build()),
    compensated: plan.roots.flatMap((r) =>
      r.kind === "reduce" && r.second?.role === "compensation"
        ? [{ result: r.buffer, errors: r.second }]
        : [],
    ),
    running: null,
  };
}

function runningOf({ sizes }: Schedule, { scan, source, buffer }: ScanRoot): Running {
  const own = sizes.of(scan.x);
  const [outer, inner] = [own.slice(0, scan.dim), own.slice(scan.dim + 1)].map(sizeProduct);
  return {
    source,
    result: buffer,
    outer: outer!,
    count: own[scan.dim]!,
    inner: inner!,
    isReverse: scan.range === "ge" || scan.range === "gt",
    isExclusive: scan.range === "lt" || scan.range === "gt",
  };
}

/** Ranges [from, to) of the loops whose bounds the run gives. */
type Box = readonly (readonly [number, number])[];

class Builder {
  private readonly schedule: Schedule;
  private readonly plan: PassPlan;
  private readonly arrangement: Arrangement;
  private readonly accesses: Accesses;
  private readonly ranges: Range[];
  private readonly levels: number[];
  /** Scopes of the loops around the present place, by level. */
  private readonly scopes: Scope[] = [];
  /** Scopes of the cases around it. */
  private readonly guards: Scope[] = [];
  private readonly known = new Map<string, { operand: Operand; scope: Scope }>();
  private readonly knownVariables = new Map<string, { variable: number; scope: Scope }>();
  private readonly knownAccumulators = new Map<
    string,
    { accumulator: Accumulator; scope: Scope }
  >();
  private readonly buffers = new Map<number, Buffer>();
  private readonly parameters = new Set<string>();
  private readonly written: ReadonlySet<number>;
  private registers = 0;
  private instructions = 0;
  private weight = 0;

  private readonly box: Box;

  constructor(schedule: Schedule, plan: PassPlan, arrangement: Arrangement, box: Box) {
    this.schedule = schedule;
    this.plan = plan;
    this.arrangement = arrangement;
    this.box = box;
    this.ranges = this.arrangement.sizes.map((n) => [0, n - 1]);
    this.levels = this.arrangement.sizes.map((_, a) => this.arrangement.order.indexOf(a) + 1);
    this.accesses = new Accesses(schedule.sizes, (form, by) => this.divide(form, by));
    this.written = new Set(plan.roots.filter((r) => r.kind === "store").map((r) => r.buffer.id));
  }

  build(): LoopNest {
    const { order, sizes, boundedLoops } = this.arrangement;
    const top = this.openScope(0);
    this.nest(0);
    top.open = false;
    return {
      block: top,
      bounded: this.box,
      inner: order.slice(boundedLoops).reduce((n, a) => n * sizes[a]!, 1),
      buffers: [...this.buffers.values()],
      parameters: [...this.parameters],
      weight: Math.max(this.weight, 1),
    };
  }

  private nest(depth: number): void {
    const { order, segments } = this.arrangement;
    const axis = order[depth];
    if (axis === undefined) {
      for (const root of this.plan.roots) this.effect(root);
      return;
    }
    const whole = this.ranges[axis]!;
    const box = this.box[depth];
    for (const [from, to] of box === undefined ? segments[axis]! : [box]) {
      this.ranges[axis] = [from, to - 1];
      const scope = this.openScope(depth + 1);
      this.scopes[depth]!.loops.push({
        variable: axis,
        from,
        to,
        bounded: box !== undefined,
        body: scope,
      });
      this.nest(depth + 1);
      scope.open = false;
      this.scopes.pop();
    }
    this.ranges[axis] = whole;
  }

  private openScope(level: number): Scope {
    const scope = emptyScope(level);
    this.scopes.push(scope);
    return scope;
  }

  private effect(root: Root): void {
    if (root.kind === "scan") throw new Error("running sums are made in a pass of their own");
    const over = overOf(root);
    const here = this.fold(this.arrangement.position);
    const leaf = this.scopes.at(-1)!;
    this.use(root.buffer);
    if (root.kind === "store") {
      const value = this.value(over, here);
      const index = this.hoisted(here);
      leaf.effects.push({ kind: "store", buffer: root.buffer, index, value });
      return;
    }
    const lookups = this.schedule.lookups.of(root.node);
    const sizes = this.schedule.sizes.of(over);
    const start = this.accesses.opened(sizes, here, dimsOf(lookups));
    const at = this.lookedUp(lookups, start);
    const value = this.value(over, at);
    const { kept, along } = this.accesses.reducing(root.node, at);
    const into = this.accumulator(root, this.fold(kept));
    const position = root.node.kind === "argReduce" ? this.positionNumber(this.fold(along)) : 0;
    leaf.effects.push({ kind: "accumulate", into, value, position });
  }

  /** A position with the places along what is looked up, once they are read. */
  private lookedUp(lookups: readonly Lookup[], start: IndexForm): IndexForm {
    return lookedUp(lookups, this.accesses, start, (e, at, size) =>
      this.lookup(this.value(e, at), size),
    );
  }

  private lookup(place: Operand, size: number): IndexForm {
    if (typeof place === "number") {
      return constantIndex(Math.min(Math.max(Math.trunc(place) || 0, 0), size - 1));
    }
    const key = `lookup${size}:${place.id}`;
    const before = this.knownVariables.get(key);
    if (before?.scope.open === true) return variableIndex(before.variable);
    const variable = this.ranges.push([0, size - 1]) - 1;
    this.levels.push(place.level);
    this.knownVariables.set(key, { variable, scope: this.scopeFor(place.level) });
    this.emit({ kind: "lookup", variable, place, size }, place.level);
    return variableIndex(variable);
  }

  private accumulator(root: ReduceRoot, position: IndexForm): Accumulator {
    const key = `${root.node.id}:${indexKey(position)}`;
    const before = this.knownAccumulators.get(key);
    if (before?.scope.open === true) return before.accumulator;
    const level = this.levelOf(position);
    const innermost = this.innermostLoop();
    const scope = this.scopes[level]!;
    if (root.second !== null) this.use(root.second);
    const accumulator: Accumulator = {
      id: this.registers++,
      op: root.node.op,
      buffer: root.buffer,
      second: root.second,
      index: this.hoisted(position),
      direct: level > 0 && level === innermost,
      exact: root.node.args[0]!.type !== "float",
    };
    scope.accumulators.push(accumulator);
    this.knownAccumulators.set(key, { accumulator, scope });
    return accumulator;
  }

  /** Level of the deepest loop around here that takes more than one step. */
  private innermostLoop(): number {
    const { order } = this.arrangement;
    return order.findLastIndex((a) => this.ranges[a]![0] !== this.ranges[a]![1]) + 1;
  }

  private value(e: Expr, at: IndexForm): Operand {
    if (e.kind === "const") return e.value;
    const position = this.fold(at);
    const key = `${e.id}@${indexKey(position)}`;
    const before = this.known.get(key);
    if (before?.scope.open === true) return before.operand;
    const operand = this.computed(e, position);
    // Where the register is known, but not beyond the loops that the position belongs to: in another
    // segment of the same axis the same entry may be chosen from elsewhere.
    const level = Math.max(levelOfOperand(operand), this.levelOf(position));
    this.known.set(key, { operand, scope: this.scopeFor(level) });
    return operand;
  }

  private computed(e: Expr, at: IndexForm): Operand {
    const stored = this.schedule.stored.get(e);
    if (stored !== undefined && stored.stage < this.plan.stage) {
      return this.load(stored.buffer, at);
    }
    if (isChoosing(e)) return this.choose(e, at);
    if (isReduction(e)) return this.inlineReduction(e, at);
    const argument = (k: number): Operand =>
      this.value(e.args[k]!, this.accesses.argument(e, k, at));
    switch (e.kind) {
      case "input":
        return this.load(this.inputBuffer(e.name), at);
      case "parameter":
        return this.parameter(e.name);
      case "unary":
        return this.compute(
          { kind: "unary", op: e.op, ofNonPositive: isBelowLargest(e.args[0]!) },
          [argument(0)],
        );
      case "binary":
        return this.compute({ kind: "binary", op: e.op }, [argument(0), argument(1)]);
      case "where":
        return this.compute({ kind: "where" }, [argument(0), argument(1), argument(2)]);
      case "clamp":
        return this.compute({ kind: "clamp" }, [argument(0), argument(1), argument(2)]);
      case "cast":
        return this.compute({ kind: "cast", to: e.to }, [argument(0)]);
      case "oneHot": {
        const { along } = this.accesses.around(e, at);
        const position = this.positionNumber(this.fold(along));
        return this.compute({ kind: "binary", op: "eq" }, [argument(0), position]);
      }
      case "stopGradient":
      case "reshape":
      case "transpose":
      case "expand":
      case "index":
      case "slice":
        return argument(0);
      default:
        throw new Error(`a ${e.kind} node was not lowered`);
    }
  }

  private inputBuffer(name: string): Buffer {
    return this.schedule.buffers.find((b) => b.role === "input" && b.name === name)!;
  }

  private use(buffer: Buffer): void {
    this.buffers.set(buffer.id, buffer);
  }

  private load(from: Buffer, position: IndexForm): Operand {
    this.use(from);
    if (this.written.has(from.id) && !this.readsOwnPlace(position)) {
      throw new SharingConflict(from);
    }
    const to = this.register(this.levelOf(position));
    this.emit({ kind: "load", to, from, index: this.hoisted(position) }, to.level);
    return to;
  }

  /**
   * Whether an entry that is read belongs to those that this turn of the innermost loop writes.
   * Within a turn everything is read before anything is written.
   */
  private readsOwnPlace(position: IndexForm): boolean {
    const { strides, unrolled, sizes } = this.arrangement;
    let own = ZERO_INDEX;
    const reachable = new Set([0]);
    strides.forEach((step, axis) => {
      if (!unrolled.has(axis)) own = addIndex(own, variableIndex(axis, step));
      else {
        for (const start of [...reachable]) {
          for (let k = 0; k < sizes[axis]!; k++) reachable.add(start + k * step);
        }
      }
    });
    const difference = addIndex(position, scaleIndex(this.fold(own), -1));
    return difference.terms.length === 0 && reachable.has(difference.constant);
  }

  private parameter(name: string): Operand {
    this.parameters.add(name);
    const to = this.register(0);
    this.emit({ kind: "parameter", to, name }, 0);
    return to;
  }

  private compute(computation: Computation, args: readonly Operand[]): Operand {
    if (computation.kind === "binary" && computation.op === "add") {
      // What place and spread leave out is an exact zero.
      if (Object.is(args[0], 0)) return args[1]!;
      if (Object.is(args[1], 0)) return args[0]!;
    }
    const level = Math.max(0, ...args.map((a) => (typeof a === "number" ? 0 : a.level)));
    const to = this.register(level, isTruthValue(computation));
    this.emit({ kind: "compute", to, computation, args }, level);
    return to;
  }

  private positionNumber(form: IndexForm): Operand {
    if (form.terms.length === 0) return form.constant;
    const to = this.register(this.levelOf(form));
    this.emit({ kind: "position", to, index: this.hoisted(form) }, to.level);
    return to;
  }

  private inlineReduction(
    e: Extract<Expr, { kind: "reduce" | "argReduce" }>,
    at: IndexForm,
  ): Operand {
    const arg = e.args[0]!;
    const lookups = this.schedule.lookups.within(e);
    const values = this.accesses
      .reduced(e, at, dimsOf(lookups))
      .map((start) => this.value(arg, this.lookedUp(lookups, start)));
    if (e.kind === "argReduce") return this.compute({ kind: "first", op: e.op }, values);
    const op = (
      {
        sum: "add",
        mean: "add",
        prod: "mul",
        max: "max",
        min: "min",
        any: "or",
        all: "and",
      } as const
    )[e.op];
    // In pairs: the rounding error then grows with the logarithm of how many are added.
    let row = values;
    while (row.length > 1) {
      const pairs: Operand[] = [];
      for (let k = 0; k + 1 < row.length; k += 2) {
        pairs.push(this.compute({ kind: "binary", op }, [row[k]!, row[k + 1]!]));
      }
      if (row.length % 2 === 1) pairs.push(row.at(-1)!);
      row = pairs;
    }
    return row[0]!;
  }

  private choose(e: Choosing, at: IndexForm): Operand {
    const cases: Case[] = [];
    let level = 0;
    for (const choice of this.accesses.choices(e, at)) {
      const { first, end, step } = choice;
      const coordinate = this.fold(choice.coordinate);
      const [lo, hi] = indexRange(coordinate, (v) => this.ranges[v]!);
      if (hi < first || lo >= end) continue;
      const isEven = coordinate.terms.every((t) => t.factor % step === 0);
      if (isEven && (coordinate.constant - first) % step !== 0) continue;
      const certain = lo >= first && hi < end && isEven;
      if (certain && cases.length === 0) return this.value(choice.arg, choice.at);
      const testLevel = this.levelOf(coordinate);
      const guard = emptyScope(testLevel);
      this.guards.push(guard);
      const value = this.value(choice.arg, choice.at);
      this.guards.pop();
      guard.open = false;
      level = Math.max(
        level,
        testLevel,
        levelOfOperand(value),
        ...guard.instructions.map(levelOfInstruction(this.levels)),
      );
      cases.push({
        test: { coordinate: this.hoisted(coordinate), first, end, step: isEven ? 1 : step },
        body: guard.instructions,
        value,
      });
    }
    if (cases.length === 0) return 0;
    const to = this.register(level);
    this.emit({ kind: "choose", to, cases }, level);
    return to;
  }

  private register(level: number, boolean = false): Register {
    return { id: this.registers++, boolean, level };
  }

  private emit(instruction: Instruction, level: number): void {
    if (++this.instructions > this.schedule.limits.mostInstructions) throw new PassTooLong();
    this.weight += level === this.scopes.length - 1 ? 1 : 0;
    this.scopeFor(level).instructions.push(instruction);
  }

  /**
   * Where an instruction of this level goes: before the loops that do not matter to it, but not
   * out of a case whose test depends on the same loop, because it may be wrong outside that case.
   */
  private scopeFor(level: number): Scope {
    return this.guards.findLast((g) => g.level <= level) ?? this.scopes[level]!;
  }

  private levelOf(form: IndexForm): number {
    return form.terms.reduce((level, t) => Math.max(level, this.levels[t.variable]!), 0);
  }

  private fold(form: IndexForm): IndexForm {
    return foldIndex(form, (v) => this.ranges[v]!);
  }

  /** The form with everything but the terms of its deepest loop gathered in one variable. */
  private hoisted(form: IndexForm): IndexForm {
    const level = this.levelOf(form);
    const isDeep = (variable: number): boolean => this.levels[variable] === level;
    const outer = form.terms.filter((t) => !isDeep(t.variable));
    if (outer.length === 0) return form;
    const variable = this.variable("whole", { constant: form.constant, terms: outer }, 1);
    return addIndex(
      { constant: 0, terms: form.terms.filter((t) => isDeep(t.variable)) },
      variableIndex(variable),
    );
  }

  private divide(form: IndexForm, by: number): { quotient: IndexForm; remainder: IndexForm } {
    const folded = this.fold(form);
    const even = divideIndex(folded, by, (v) => this.ranges[v]!);
    if (even !== null) return even;
    return {
      quotient: variableIndex(this.variable("quotient", folded, by)),
      remainder: variableIndex(this.variable("remainder", folded, by)),
    };
  }

  private variable(part: "quotient" | "remainder" | "whole", form: IndexForm, by: number): number {
    const key = `${part}${by}:${indexKey(form)}`;
    const before = this.knownVariables.get(key);
    if (before?.scope.open === true) return before.variable;
    const level = this.levelOf(form);
    const [lo, hi] = indexRange(form, (v) => this.ranges[v]!);
    const variable = this.ranges.length;
    this.ranges.push(
      part === "whole"
        ? [lo, hi]
        : part === "quotient"
          ? [Math.floor(lo / by), Math.floor(hi / by)]
          : [0, by - 1],
    );
    this.levels.push(level);
    const scope = this.scopeFor(level);
    this.knownVariables.set(key, { variable, scope });
    this.emit(
      { kind: "index", variable, form: part === "whole" ? form : this.hoisted(form), by, part },
      level,
    );
    return variable;
  }
}

function emptyScope(level: number): Scope {
  return { level, instructions: [], accumulators: [], loops: [], effects: [], open: true };
}

/** Whether this is an array less its largest entries along some axes, as in a softmax. */
function isBelowLargest(e: Expr): boolean {
  if (e.kind !== "binary" || e.op !== "sub") return false;
  const [x, m] = e.args as [Expr, Expr];
  return m.kind === "reduce" && m.op === "max" && m.keepDims && m.args[0] === x;
}

function levelOfOperand(o: Operand): number {
  return typeof o === "number" ? 0 : o.level;
}

function levelOfInstruction(levels: readonly number[]): (i: Instruction) => number {
  return (i) => ("variable" in i ? levels[i.variable]! : i.to.level);
}

function isTruthValue(c: Computation): boolean {
  if (c.kind === "cast") return c.to === "bool";
  if (c.kind === "unary") return c.op === "not" || c.op === "isnan" || c.op === "isfinite";
  if (c.kind !== "binary") return false;
  return ["eq", "ne", "lt", "le", "gt", "ge", "and", "or"].includes(c.op);
}
