/** A gradient that is the right one times something: a number, a size, a quantity of the forward pass. */
import * as b from "../../expression/build.ts";
import type { Expr } from "../../expression/node.ts";
import { topological } from "../../expression/walk.ts";
import type { Finding, Words } from "./fault.ts";
import { type Probe, sameGradient } from "./probe.ts";

interface Factor {
  readonly value: Expr;
  readonly find: (w: Words) => Pick<Finding, "id" | "sentence">;
}

/** What `written` is times `right`, if that can be said in one factor. */
export function factorBetween(written: Expr, right: Expr, base: Expr, probe: Probe): Factor | null {
  const number = probe.factor(written, right);
  if (number !== null) {
    const constant = niceNumber(number);
    if (constant !== null && proved(written, right, constant)) {
      return { value: constant, find: (w) => numberFinding(constant, w) };
    }
  }
  for (const f of quantities(base)) {
    const product = b.mul(f.value, right);
    if (probe.mayBe(product, written) && proved(written, right, f.value)) return f;
  }
  return null;
}

const proved = (written: Expr, right: Expr, factor: Expr): boolean =>
  sameGradient(b.mul(factor, right), written);

/** A number of few digits, or a fraction of small whole numbers. */
function niceNumber(c: number): Expr | null {
  for (let q = 1; q <= 12; q++) {
    const p = Math.round(c * q);
    if (p !== 0 && Math.abs(c - p / q) < 1e-9 * Math.abs(c)) {
      return q === 1 ? b.constant(p) : b.div(b.constant(p), b.constant(q));
    }
  }
  const short = Number(c.toPrecision(6));
  return Math.abs(c - short) < 1e-9 * Math.abs(c) ? b.constant(short) : null;
}

function numberFinding(c: Expr, w: Words): Pick<Finding, "id" | "sentence"> {
  const value = valueOf(c);
  if (value === -1) {
    return { id: "sign", sentence: "the gradient has the wrong sign: it points uphill" };
  }
  const turned = value < 0 ? ", and the sign is wrong" : "";
  const size = Math.abs(value);
  const sentence =
    size < 1
      ? `a factor ${w.formula(inverse(c))} is missing: the gradient is ${w.formula(c)} times the right one${turned}`
      : `the gradient is ${w.formula(c)} times the right one${turned}`;
  return { id: "factor", sentence };
}

function valueOf(c: Expr): number {
  if (c.kind === "const") return c.value;
  const [p, q] = c.args;
  return valueOf(p!) / valueOf(q!);
}

function inverse(c: Expr): Expr {
  const value = 1 / Math.abs(valueOf(c));
  return niceNumber(value) ?? b.constant(value);
}

/** Sizes, sums, quotients and activations of the forward pass, their powers and inverses. */
function quantities(base: Expr): Factor[] {
  const found: Factor[] = [];
  const seen = new Set<Expr>();
  const add = (value: Expr, find: Factor["find"]): void => {
    if (!seen.has(value)) found.push({ value, find });
    seen.add(value);
  };
  const powers = (q: Expr, id: Finding["id"], missing: boolean): void => {
    const two = b.constant(2);
    const times = (how: string) => (w: Words) => ({
      id,
      sentence: `the gradient is ${how} ${w.name(q)}${q.kind === "size" ? " (a number of entries)" : ""}`,
    });
    add(q, times(missing ? "too large by the factor" : "multiplied by"));
    add(b.div(b.ONE, q), times("divided once too often by"));
    add(b.pow(q, two), (w) => ({
      id,
      sentence: `the gradient is too large by the square of ${w.name(q)}: a divisor is missing, or x / D * D was written for x / (D * D)`,
    }));
    add(b.div(b.ONE, b.pow(q, two)), times("divided by the square of"));
  };
  for (const e of topological(base)) {
    if (e.kind === "reduce") {
      const count = b.size(e.dims.map((d) => e.args[0]!.shape[d]!));
      if (count.kind === "size") powers(count, "count", true);
      for (const a of count.kind === "size" ? count.axes : []) powers(b.size([a]), "count", true);
    }
  }
  for (const e of topological(base)) {
    if (e.kind === "binary" && e.op === "div") {
      powers(e.args[1]!, "denominator-power", true);
      powers(e.args[0]!, "factor-replaced", false);
      powers(e, "factor-replaced", false);
    }
    if (e.kind === "reduce") powers(e, "factor-replaced", false);
    if (e.kind === "input" && e.type === "float" && e.shape.length > 0) {
      powers(e, "factor-replaced", false);
    }
    if (e.kind === "unary" && e.op === "sigmoid") {
      const slope = b.mul(e, b.sub(b.ONE, e));
      add(slope, (w) => ({
        id: "activation-missing",
        sentence: `the sigmoid's factor s·(1−s) with s = ${w.name(e)} stands in the gradient once more than it must`,
      }));
      add(b.div(b.ONE, slope), (w) => ({
        id: "activation-missing",
        sentence: `the sigmoid's factor s·(1−s) with s = ${w.name(e)} is missing`,
      }));
    }
  }
  return found;
}
