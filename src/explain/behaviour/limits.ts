/**
 * What the gradient is at the ends: predictions at 0 and 1, an empty mask. Evaluated at the end
 * itself, where it has a value there; where it has none (0/0, 1/0) it is followed toward the end.
 */
import type { Expr } from "../../expression/node.ts";
import { substitute } from "../../expression/walk.ts";
import { filled } from "../../numbers/interruption.ts";
import { type TypedArray, type Watch, within } from "../../numbers/typedArrays.ts";
import type { Domain, Mover } from "./domain.ts";
import { Scalars, entryOf } from "./point.ts";
import { type Shrinking, THRESHOLD } from "./shrink.ts";
import type { Gradients } from "./sweeps.ts";
import type { BehaviourSubject, Groups } from "./subject.ts";

/** Of one entry's gradient at an end. */
export interface LimitValue {
  readonly kind: "zero" | "finite" | "infinite" | "undefined";
  /** Null unless finite. */
  readonly value: number | null;
  /** Whether the gradient has a value at the end itself, or only tends to one. */
  readonly reached: boolean;
}

export interface Limit {
  readonly id:
    | "foreground-to-0"
    | "foreground-to-1"
    | "background-to-0"
    | "background-to-1"
    | "all-to-0"
    | "all-to-1"
    | "perfect"
    | "empty-mask"
    | "both-empty";
  readonly what: string;
  /** Whose gradient it is. */
  readonly of: "foreground" | "background";
  readonly own: LimitValue;
  /** Null where the loss has no smoothing. */
  readonly bare: LimitValue | null;
}

export interface LimitRequest {
  readonly subject: BehaviourSubject;
  readonly gradients: Gradients;
  readonly domain: Domain;
  readonly mover: Mover;
  readonly groups: Groups | null;
  readonly shrinking: Shrinking | null;
  /** Whether an activation makes each entry's probability depend on others (softmax). */
  readonly coupled: boolean;
  /** Entries looked at; -1 where there is none of the group. */
  readonly foreground: number;
  readonly background: number;
  /** The gradient's largest magnitude at the user's own point: what is small is small beside it. */
  readonly largest: number;
}

/** How near to an end a path comes, step by step: distances of probabilities, sizes of logits. */
const NEAR = [1e-2, 1e-4, 1e-6, 1e-9, 1e-12, 1e-15];
const FAR = [5, 10, 20, 40, 80, 160];

/** One entry at two ends from two groups, the same for all of them, and three about the mask. */
const MOST = 11;

export function limitsOf(request: LimitRequest, watch: Watch): Limit[] {
  const { subject, groups, foreground, background, domain } = request;
  const points = new EndPoints(request);
  const limits: Limit[] = [];
  const one = domain === "logits" ? "logit" : "prediction";
  const end = (which: 0 | 1): string =>
    domain === "probabilities"
      ? `goes to ${which}`
      : `goes to ${which === 0 ? "−∞, its probability to 0" : "∞, its probability to 1"}`;
  const add = (
    id: Limit["id"],
    what: string,
    of: Limit["of"],
    element: number,
    path: Path,
  ): void => {
    if (element < 0) return;
    watch.onProgress?.(Math.min(1, limits.length / MOST));
    const [from, to] = [limits.length, limits.length + 1].map((n) => Math.min(1, n / MOST));
    limits.push({ id, what, of, ...points.at(element, path, within(watch, from!, to!)) });
  };
  if (domain === "values") return limits;
  for (const which of [0, 1] as const) {
    const onlyOne = (group: "foreground" | "background", element: number): void => {
      add(`${group}-to-${which}`, `one ${group} ${one} ${end(which)}`, group, element, {
        toward: which,
        only: element,
        empty: false,
      });
    };
    if (groups !== null) onlyOne("foreground", foreground);
    onlyOne("background", background);
  }
  for (const which of request.coupled ? [] : ([0, 1] as const)) {
    for (const [of, element] of [
      ["foreground", foreground],
      ["background", background],
    ] as const) {
      const path = { toward: which, only: null, empty: false };
      add(`all-to-${which}`, `every ${one} ${end(which)}`, of, element, path);
    }
  }
  if (groups === null || request.shrinking === null) return limits;
  const perfect = { toward: 1, only: null, empty: false, marks: groups.foreground } as const;
  add("perfect", "every prediction is right", "foreground", foreground, perfect);
  const outside = emptyElement(request, subject.bindings.get(subject.wrt.name)!);
  const empty = { toward: null, only: null, empty: true } as const;
  add("empty-mask", "the mask is empty, the prediction as it is", "background", outside, empty);
  add("both-empty", "the mask is empty and nothing is predicted", "background", outside, {
    ...empty,
    toward: 0,
    ...(groups.classDim >= 0 && (groups.oneHot || groups.classMap)
      ? { marks: backgroundClass(request) }
      : {}),
  });
  return limits;
}

/** Where the mask is emptied, an entry of a class other than the background. */
function emptyElement(
  { foreground, background, groups, shrinking }: LimitRequest,
  data: TypedArray,
): number {
  if (!(groups!.oneHot || groups!.classMap)) return background >= 0 ? background : foreground;
  const marked = shrinking!.bindings.get("·marked")!;
  const at = marked.indexOf(1);
  return at < 0 ? data.length - 1 : at;
}

/** 1 at class 0: where every voxel is predicted to be background, the others go down. */
function backgroundClass({ subject, groups }: LimitRequest): Uint8Array {
  const { wrt, bindings } = subject;
  const sizes = wrt.shape.map((a) => a.size!);
  const stride = sizes.slice(groups!.classDim + 1).reduce((n, s) => n * s, 1);
  const classes = sizes[groups!.classDim]!;
  return Uint8Array.from(bindings.get(wrt.name)!, (_, k) =>
    Math.floor(k / stride) % classes === 0 ? 0 : 1,
  );
}

interface Path {
  readonly toward: 0 | 1 | null;
  /** The only entry that moves; null for all. */
  readonly only: number | null;
  readonly empty: boolean;
  /** Entries that go the other way are 0 in it. */
  readonly marks?: Uint8Array;
}

class EndPoints {
  private readonly request: LimitRequest;
  private readonly compiled = new Map<string, Scalars>();

  constructor(request: LimitRequest) {
    this.request = request;
  }

  at(element: number, path: Path, watch: Watch): { own: LimitValue; bare: LimitValue | null } {
    const scalars = this.scalars(element, path.empty);
    const steps = path.toward === null ? [] : this.request.domain === "logits" ? FAR : NEAR;
    const there = scalars.at(this.bindings(path, null), within(watch, 0, 0.2));
    const followed: number[][] = there.every(Number.isFinite)
      ? []
      : scalars.along(steps, (s) => this.bindings(path, s), within(watch, 0.2, 1));
    const value = (k: number): LimitValue =>
      limitOf(
        there[k]!,
        followed.map((row) => row[k]!),
        this.request.largest,
      );
    return { own: value(0), bare: this.request.gradients.bare === null ? null : value(1) };
  }

  private scalars(element: number, empty: boolean): Scalars {
    const key = `${element} ${String(empty)}`;
    let known = this.compiled.get(key);
    if (known === undefined) {
      const { gradients, shrinking, subject } = this.request;
      const replaced = new Map<Expr, Expr>(empty ? [[subject.target!, shrinking!.target]] : []);
      const exprs = [gradients.own, ...(gradients.bare === null ? [] : [gradients.bare])];
      known = new Scalars(exprs.map((e) => entryOf(substitute(e, replaced), element)));
      this.compiled.set(key, known);
    }
    return known;
  }

  /** @param step how near to the end; null for the end itself */
  private bindings(path: Path, step: number | null): Map<string, TypedArray | number> {
    const { subject, shrinking } = this.request;
    const bound = new Map<string, TypedArray | number>(subject.bindings);
    if (path.empty) {
      for (const [name, array] of shrinking!.bindings) bound.set(name, array);
      bound.set(THRESHOLD, shrinking!.threshold(0));
    }
    if (path.toward !== null) bound.set(subject.wrt.name, this.moved(path, path.toward, step));
    return bound;
  }

  private moved(path: Path, toward: 0 | 1, step: number | null): Float64Array {
    const { mover } = this.request;
    const marks = path.marks ?? null;
    const all = step === null ? mover.end(toward, marks) : this.near(toward, step, marks);
    if (path.only === null) return all;
    return mover.one(path.only, all[path.only]!);
  }

  private near(toward: 0 | 1, step: number, marks: Uint8Array | null): Float64Array {
    const { mover } = this.request;
    const isLogits = this.request.domain === "logits";
    const { moved } = mover;
    return filled(moved, (k) => {
      const up = (marks?.[k] === 0 ? 1 - toward : toward) === 1;
      return isLogits ? (up ? step : -step) : up ? 1 - step : step;
    });
  }
}

/** From the value at the end, and where that is none, from those on the way to it. */
export function limitOf(there: number, followed: readonly number[], largest: number): LimitValue {
  if (Number.isFinite(there)) {
    return there === 0
      ? { kind: "zero", value: 0, reached: true }
      : { kind: "finite", value: there, reached: true };
  }
  const told = followed.filter(Number.isFinite);
  const [before, last] = [told.at(-2), told.at(-1)];
  if (before === undefined || last === undefined)
    return { kind: "undefined", value: null, reached: false };
  const [small, grown] = [Math.abs(before), Math.abs(last)];
  if (grown > 10 * small && grown > largest)
    return { kind: "infinite", value: null, reached: false };
  if (Math.abs(last - before) <= 1e-6 * grown) {
    return last === 0
      ? { kind: "zero", value: 0, reached: false }
      : { kind: "finite", value: last, reached: false };
  }
  if (grown < small / 10 || grown < 1e-12 * largest)
    return { kind: "zero", value: 0, reached: false };
  return { kind: "undefined", value: null, reached: false };
}
