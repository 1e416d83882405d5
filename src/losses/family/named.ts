/**
 * Arrays whose axes are known by what they stand for, so that a spec can say "sum over the batch"
 * and be built on channels-first, channels-last and flat arrays alike.
 */
import type { AxisRole } from "../../expression/axis.ts";
import { type Expr, type ReduceOp } from "../../expression/node.ts";
import * as x from "../../expression/build.ts";
import { FamilyError, type Region, type Scalar, valueOf } from "../spec.ts";

/** What an axis means to a loss; everything that is neither batch nor class is space. */
export type Role = "batch" | "class" | "space";

export interface Named {
  readonly expr: Expr;
  /** One for each axis of `expr`; batch and class appear at most once. */
  readonly roles: readonly Role[];
}

export function named(expr: Expr, roles: readonly AxisRole[]): Named {
  if (roles.length !== expr.shape.length) {
    throw new FamilyError(`${roles.length} roles do not fit ${expr.shape.length} axes`);
  }
  const short = roles.map((r): Role => (r === "batch" || r === "class" ? r : "space"));
  for (const role of ["batch", "class"] as const) {
    if (short.filter((r) => r === role).length > 1) {
      throw new FamilyError(`an array has at most one ${role} axis`);
    }
  }
  return { expr, roles: short };
}

export function map(a: Named, f: (e: Expr) => Expr): Named {
  return { expr: f(a.expr), roles: a.roles };
}

/** Position of the axis with this role, or -1. */
export function position(a: Named, role: Role): number {
  return a.roles.indexOf(role);
}

/** An elementwise operation; an axis that one side lacks is broadcast. */
export function combine(a: Named, b: Named, f: (a: Expr, b: Expr) => Expr): Named {
  const [more, fewer] = a.roles.length >= b.roles.length ? [a, b] : [b, a];
  const wide = alignTo(fewer, more.roles);
  return a === more
    ? { expr: f(a.expr, wide), roles: a.roles }
    : { expr: f(wide, b.expr), roles: b.roles };
}

/** `a` with an axis of size 1 wherever `roles` has one more. */
export function alignTo(a: Named, roles: readonly Role[]): Expr {
  if (a.roles.length === 0) return a.expr;
  let e = a.expr;
  let at = 0;
  roles.forEach((role, d) => {
    if (a.roles[at] === role) at++;
    else e = x.unsqueeze(e, d);
  });
  if (at !== a.roles.length) {
    throw new FamilyError(
      `axes ${a.roles.join(", ")} do not fit into ${roles.join(", ")}: they stand in another order`,
    );
  }
  return e;
}

export function over(region: Region): ReadonlySet<Role> {
  switch (region) {
    case "space":
      return new Set(["space"]);
    case "batch and space":
      return new Set(["batch", "space"]);
    case "class and space":
      return new Set(["class", "space"]);
    case "everything":
      return new Set(["batch", "class", "space"]);
    case "class":
      return new Set(["class"]);
  }
}

/** Reduction over the axes with these roles; an array without any of them stays. */
export function reduceOver(op: ReduceOp, a: Named, gone: ReadonlySet<Role>): Named {
  const dims = a.roles.flatMap((r, d) => (gone.has(r) ? [d] : []));
  if (dims.length === 0) return a;
  return { expr: x.reduce(op, a.expr, dims), roles: a.roles.filter((r) => !gone.has(r)) };
}

export function scalar(s: Scalar): Expr {
  if (typeof s === "number") return x.constant(s);
  const p = x.parameter(s.name, s.value);
  return (s.times ?? 1) === 1 ? p : x.mul(x.constant(s.times!), p);
}

export function isZero(s: Scalar): boolean {
  return valueOf(s) === 0;
}

/** e + s, or e itself where there is nothing to add. */
export function plus(e: Expr, s: Scalar): Expr {
  return isZero(s) ? e : x.add(e, scalar(s));
}

/** e times s, or e itself where s is 1. */
export function times(s: Scalar, e: Expr): Expr {
  return valueOf(s) === 1 ? e : x.mul(scalar(s), e);
}

/** e to the power s; a square is a product, whose gradient exists at 0 without a special case. */
export function power(e: Expr, s: Scalar): Expr {
  const n = valueOf(s);
  return n === 1 ? e : x.pow(e, scalar(s));
}

export function atLeast(e: Expr, s: Scalar): Expr {
  return isZero(s) ? e : x.clamp(e, scalar(s), null);
}
