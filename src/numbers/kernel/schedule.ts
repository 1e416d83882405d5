/**
 * Decides what is computed when: which nodes are stored and which are inlined where they are used,
 * and which passes over the data do it.
 *
 * - Elementwise nodes and rearrangements are inlined into the loops that use them.
 * - A reduction is stored (its result is small), unless it combines few entries into a large
 *   result, as a softmax over classes does: that is computed inline.
 * - Everything at the same distance from the inputs and over the same index space shares a pass,
 *   so that a plain function of sums takes two: the sums, then the outputs.
 * - Windows over windows (a pooling of what was pooled) would be written out once for every entry
 *   of every window: where that gets long, what windows look at is stored, and so is what they give.
 * - A costly node (a sigmoid) that two passes need is computed once and kept in an output array
 *   whose final value a later pass writes; `keep.ts` chooses.
 */
import { ShapeError, formatShape } from "../../expression/axis.ts";
import type { ArgReduce, Expr, Input, Reduce } from "../../expression/node.ts";
import { topological } from "../../expression/walk.ts";
import { Sizes, sizeProduct } from "../typedArrays.ts";
import { isChoosing, isReduction, reducedDims } from "./access.ts";
import { requiredCuts, wantedCuts } from "./cuts.ts";
import { COSTLY, costOf } from "./cost.ts";
import { chooseKept } from "./keep.ts";
import { Lookups, dimsOf } from "./lookups.ts";
import { lower } from "../lower.ts";
import type { Scan, Scans } from "../runningSums.ts";
import {
  type Buffer,
  type Limits,
  type PassPlan,
  type Root,
  type Schedule,
  type Stored,
  overOf,
  sweptBy,
  totalOf,
} from "./plan.ts";

export interface SchedulerOptions {
  /** Whatever windows look at, and every reduction, gets a pass of its own. */
  readonly windowsApart?: boolean;
  /** Whether running sums can be made one after the other, in passes of their own. */
  readonly canScan?: boolean;
  /** Whether entries can be looked up at positions, anywhere in an array. */
  readonly canLookUp?: boolean;
}

export class Scheduler {
  readonly sizes = new Sizes();
  readonly buffers: Buffer[] = [];
  readonly stored = new Map<Expr, Stored>();
  readonly inlined = new Set<Expr>();
  readonly limits: Limits;
  readonly lookups: Lookups;
  private readonly outputs: readonly Expr[];
  private readonly order: readonly Expr[];
  private readonly users = new Map<Expr, Expr[]>();
  private readonly levels = new Map<Expr, number>();
  private readonly depths = new Map<Expr, number>();
  private readonly roots: { stage: number; root: Root }[] = [];
  private readonly windowsApart: boolean;
  private readonly scans: ReadonlyMap<Expr, Scan>;
  /** Nodes whose entries windows that slide look at, one after another. */
  private readonly slid = new Set<Expr>();

  constructor(
    outputs: readonly Expr[],
    limits: Limits,
    { windowsApart = false, canScan = true, canLookUp = true }: SchedulerOptions = {},
  ) {
    this.limits = limits;
    // Of few entries it takes less time to compare every position than to look one up.
    this.lookups = new Lookups(this.sizes, canLookUp ? limits.mostInlined + 1 : Infinity);
    this.windowsApart = windowsApart;
    const scans: Scans = { above: limits.mostInlined, found: new Map() };
    this.outputs = lower(outputs, canScan ? scans : null);
    this.scans = scans.found;
    this.order = topological(...this.outputs);
    for (const e of this.order) {
      if (e.kind === "input" && !this.buffers.some((b) => b.name === e.name)) {
        this.buffer("input", this.sizes.count(e), 0, e.name);
      }
      for (const a of new Set(e.args)) {
        const users = this.users.get(a);
        if (users === undefined) this.users.set(a, [e]);
        else users.push(e);
      }
    }
    for (const e of this.order.toReversed()) {
      if (e.kind === "slide" || (this.slid.has(e) && !isReduction(e))) {
        e.args.forEach((a) => this.slid.add(a));
      }
    }
  }

  /** @param noKeeping outputs (by position) that must not hold another node's values meanwhile */
  run(noKeeping: ReadonlySet<number>): Schedule {
    for (const e of this.order) this.decide(e);
    const outputs = this.outputs.map((e) => ({ node: e, buffer: this.outputBuffer(e) }));
    let passes = this.group();
    const kept = chooseKept(this, passes, outputs, noKeeping);
    if (kept.length > 0) {
      for (const { node, buffer, stage } of kept) {
        this.stored.set(node, { buffer, stage });
        if (
          !this.roots.some(
            (r) => r.root.kind === "store" && r.root.buffer === buffer && r.root.node === node,
          )
        ) {
          this.roots.push({ stage, root: { kind: "store", node, buffer } });
        }
      }
      passes = this.group();
    }
    const { limits, sizes, lookups, buffers, stored, inlined } = this;
    return { limits, sizes, lookups, buffers, passes, stored, inlined, outputs };
  }

  buffer(role: Buffer["role"], count: number, initial = 0, name?: string): Buffer {
    const id = this.buffers.length;
    const made: Buffer =
      name === undefined ? { id, role, count, initial } : { id, role, count, initial, name };
    this.buffers.push(made);
    return made;
  }

  levelOf(e: Expr): number {
    return this.levels.get(e)!;
  }

  /** Nodes that a pass of this stage computes (rather than loads) for `e`, `e` included. */
  region(e: Expr, stage: number, cut: Expr | null = null, seen = new Set<Expr>()): Set<Expr> {
    const stack = [e];
    for (let x = stack.pop(); x !== undefined; x = stack.pop()) {
      if (seen.has(x) || x === cut || this.isStored(x, stage)) continue;
      seen.add(x);
      stack.push(...x.args);
    }
    return seen;
  }

  isStored(e: Expr, stage: number): boolean {
    const s = this.stored.get(e);
    return s !== undefined && s.stage < stage;
  }

  /** Decides how `e` is had: stored by a pass of its own stage, or inlined. */
  private decide(e: Expr): void {
    const stage = Math.max(0, ...e.args.map((a) => this.levels.get(a)!));
    const depth = 1 + Math.max(0, ...e.args.map((a) => this.depths.get(a)!));
    this.levels.set(e, stage);
    this.depths.set(e, e.args.length === 0 ? 0 : depth);
    const scan = this.scans.get(e);
    if (scan !== undefined) this.storeScan(e, scan);
    else if (isReduction(e)) {
      const way = this.wayOf(e);
      if (way === null) this.storeReduction(e, stage);
      else this.inlined.add(e);
      if (way === "stored") this.storeEntries(e, stage);
    } else if (depth > this.limits.deepestRegion || this.isWorthStoring(e)) {
      this.storeEntries(e, stage);
    }
  }

  private storeEntries(e: Expr, stage: number): void {
    const buffer = this.buffer("stored", this.sizes.count(e));
    this.store(e, { kind: "store", node: e, buffer }, stage);
  }

  private store(e: Expr, root: Root, stage: number): void {
    this.stored.set(e, { buffer: root.buffer, stage });
    this.roots.push({ stage, root });
    this.levels.set(e, stage + 1);
    this.depths.set(e, 0);
  }

  private storeReduction(e: Reduce | ArgReduce, stage: number): void {
    const count = this.sizes.count(e);
    const op = e.op;
    if ((op === "max" || op === "min") && this.sizes.count(e.args[0]!) === 0 && count > 0) {
      throw new ShapeError(`${op} of no entries: ${formatShape(e.args[0]!.shape)}`);
    }
    const buffer = this.buffer("stored", count, identityOf(op));
    const second =
      op === "sum"
        ? this.buffer("compensation", count)
        : op === "argmax" || op === "argmin"
          ? this.buffer("best", count, op === "argmax" ? -Infinity : Infinity)
          : null;
    this.store(e, { kind: "reduce", node: e, buffer, second }, stage);
  }

  private storeScan(e: Expr, scan: Scan): void {
    const x = baseOf(scan.x);
    if (x.kind !== "input" && !this.stored.has(x)) this.storeEntries(x, this.levels.get(x)!);
    const source =
      this.stored.get(x)?.buffer ?? this.buffers.find((b) => b.name === (x as Input).name)!;
    const buffer = this.buffer("stored", this.sizes.count(e));
    this.store(e, { kind: "scan", node: e, buffer, scan, source }, this.levels.get(x)!);
  }

  /**
   * How a reduction is had: computed where it is used, computed entry by entry and stored, or (null)
   * combined in a pass over what it reduces.
   */
  private wayOf(e: Reduce | ArgReduce): "inlined" | "stored" | null {
    const x = e.args[0]!;
    const lookedUp = dimsOf(this.lookups.within(e));
    const others = reducedDims(e).filter((d) => !lookedUp.includes(d));
    const combined = sizeProduct(others.map((d) => this.sizes.of(x)[d]!));
    if (combined === 0 || combined > this.limits.mostInlined) return null;
    if (this.sizes.count(e) < this.limits.leastInlinedResult) return null;
    const region = [...this.region(x, Infinity)];
    if (region.length * combined > this.limits.mostInlinedNodes) return null;
    if (region.some((n) => n.kind === "slide")) {
      if (region.some(isReduction)) return null;
      // Where windows look at windows, the entries of both would be written out.
      if (e.op !== "sum") return "stored";
    }
    if (this.windowsApart && !this.isRow(e)) return null;
    // What windows look at would be computed again for each of them.
    return this.slid.has(e) ? "stored" : "inlined";
  }

  /** Whether it is a part of sums over windows: stored, it would have an axis of theirs. */
  private isRow(e: Reduce | ArgReduce): boolean {
    const users = this.users.get(e) ?? [];
    return e.op === "sum" && users.every((u) => u.kind === "reduce" && u.op === "sum");
  }

  /**
   * A node that is stretched along an outer axis would be computed again for every step along that
   * axis; a small one is stored first instead.
   */
  private isWorthStoring(e: Expr): boolean {
    const count = this.sizes.count(e);
    if (count <= 1 || e.args.length === 0) return false;
    const users = this.users.get(e) ?? [];
    const isSeen = this.windowsApart && users.some(looksElsewhere);
    if (!isSeen && !users.some((user) => this.stretchesOutside(e, user))) return false;
    const region = [...this.region(e, Infinity)];
    if (region.every((x) => x.args.length === 0 || isView(x))) return false;
    if (isSeen) return true;
    if (this.slid.has(e)) return region.reduce((sum, x) => sum + costOf(x), 0) >= COSTLY;
    if (region.some((x) => this.inlined.has(x))) return false;
    return count <= this.limits.smallResult || region.some((x) => costOf(x) >= COSTLY);
  }

  private stretchesOutside(e: Expr, user: Expr): boolean {
    if (!isBroadcasting(user)) return false;
    const times = this.sizes.count(user) / this.sizes.count(e);
    // What slides looks at another entry at each step, inside or outside.
    if (this.slid.has(e)) return times > 1;
    if (times < 4) return false;
    const want = this.sizes.of(user);
    const have = this.sizes.of(e);
    const shift = want.length - have.length;
    const innermost = have.findLastIndex((n) => n > 1);
    return want.some((n, d) => n > 1 && d < innermost + shift && (have[d - shift] ?? 1) === 1);
  }

  private outputBuffer(e: Expr): Buffer {
    const base = baseOf(e);
    const known = this.stored.get(base);
    if (known !== undefined) return known.buffer;
    const stage = this.levels.get(base)!;
    const buffer = this.buffer("stored", this.sizes.count(e));
    this.roots.push({ stage, root: { kind: "store", node: base, buffer } });
    // Available to later passes, which is worth it only where computing it again costs more.
    if ([...this.region(base, Infinity)].some((x) => costOf(x) >= COSTLY)) {
      this.stored.set(base, { buffer, stage });
    }
    return buffer;
  }

  /** Roots of the same stage over equally many entries share a pass if their axes fit together. */
  private group(): PassPlan[] {
    const passes: {
      stage: number;
      total: number;
      cuts: number[];
      roots: Root[];
      nodes: Set<Expr>;
    }[] = [];
    for (const { stage, root } of this.roots) {
      const over = overOf(root);
      const swept = sweptBy(this, root);
      const total = totalOf(this, root);
      if (total === 0) continue;
      const required =
        root.kind === "reduce" ? requiredCuts(root.node, swept, this.sizes.of(over)) : [];
      const nodes = this.region(over, stage);
      const fitting = passes.find(
        (p) =>
          root.kind !== "scan" &&
          p.roots[0]!.kind !== "scan" &&
          p.stage === stage &&
          p.total === total &&
          isChain([...p.cuts, ...required]) &&
          new Set([...p.nodes, ...nodes]).size <= this.limits.mostNodesInPass,
      );
      const pass = fitting ?? { stage, total, cuts: [], roots: [], nodes: new Set<Expr>() };
      if (fitting === undefined) passes.push(pass);
      pass.roots.push(root);
      pass.cuts = [...new Set([...pass.cuts, ...required])];
      nodes.forEach((n) => pass.nodes.add(n));
    }
    return passes
      .map(({ stage, total, cuts, roots }) => {
        const isHad = (e: Expr): boolean => this.isStored(e, stage);
        for (const root of roots) {
          if (root.kind === "scan") continue;
          const swept = sweptBy(this, root);
          for (const cut of wantedCuts(this.sizes, overOf(root), swept, isHad)) {
            // Of what is sliced, steps may be longer than all of the sweep.
            const fits = cut < total && isChain([...cuts, cut, total]);
            if (fits && !cuts.includes(cut)) cuts.push(cut);
          }
        }
        cuts.sort((a, b) => a - b);
        return { stage, total, cuts, roots };
      })
      .sort((a, b) => a.stage - b.stage);
  }
}

/** The node whose entries are the same, in the same order. */
function baseOf(e: Expr): Expr {
  let base = e;
  while (base.kind === "reshape" || base.kind === "stopGradient") base = base.args[0]!;
  return base;
}

function isChain(cuts: readonly number[]): boolean {
  const sorted = [...cuts].sort((a, b) => a - b);
  return sorted.slice(1).every((c, k) => Number.isInteger(c / sorted[k]!));
}

function identityOf(op: (Reduce | ArgReduce)["op"]): number {
  if (op === "prod" || op === "all") return 1;
  if (op === "max") return -Infinity;
  if (op === "min") return Infinity;
  return 0;
}

function isBroadcasting(e: Expr): boolean {
  return e.kind === "binary" || e.kind === "where" || e.kind === "clamp" || e.kind === "expand";
}

/** Nodes whose entries come from other positions of their arguments. */
function looksElsewhere(e: Expr): boolean {
  return isChoosing(e) || e.kind === "slice" || e.kind === "index" || e.kind === "transpose";
}

/** Nodes that only say where an entry is found. */
export function isView(e: Expr): boolean {
  return (
    e.kind === "reshape" ||
    e.kind === "transpose" ||
    e.kind === "expand" ||
    e.kind === "index" ||
    e.kind === "slice" ||
    e.kind === "stopGradient"
  );
}
