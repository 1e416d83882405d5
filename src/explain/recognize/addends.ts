/** Terms besides the ratio: each summand of the loss that is a cross entropy, a focal term, … */
import * as x from "../../expression/build.ts";
import type { Expr, Input } from "../../expression/node.ts";
import { dependsOn } from "../../expression/walk.ts";
import { buildFamily } from "../../losses/family.ts";
import { type Addend, FamilyError, familySpec } from "../../losses/spec.ts";
import { type Constants, named, numberOf } from "./constants.ts";
import type { Cut } from "./cut.ts";
import { Probe } from "./probe.ts";
import { tidy } from "./ratio.ts";
import { type Role, type Subject, rolesOf } from "./subject.ts";

/** A summand with the number in front of it. */
interface Term {
  readonly factor: number;
  readonly expr: Expr;
}

export interface Split {
  /** What is not an addend: the ratio with its constants; null when nothing is left. */
  readonly ratio: Expr | null;
  readonly addends: readonly Addend[];
}

export function splitAddends(parts: Cut, subject: Subject, constants: Constants): Split {
  const terms = termsOf(parts.loss);
  const addends: Addend[] = [];
  const rest: Term[] = [];
  for (const term of terms) {
    const found = terms.length === 1 ? null : addendOf(term, parts, subject, constants);
    if (found === null) rest.push(term);
    else addends.push(found);
  }
  const own = rest.filter((r) => dependsOn(r.expr, parts.p));
  if (own.length === 0) return { ratio: null, addends };
  const whole = rest
    .map((r) => (r.factor === 1 ? r.expr : x.mul(x.constant(r.factor), r.expr)))
    .reduce((a, b) => x.add(a, b));
  return { ratio: addends.length === 0 ? parts.loss : whole, addends };
}

function termsOf(loss: Expr): Term[] {
  const found: Term[] = [];
  const visit = (e: Expr, factor: number): void => {
    if (e.kind === "binary" && e.shape.length === 0) {
      const [a, b] = [e.args[0]!, e.args[1]!];
      if (e.op === "add" || e.op === "sub") {
        visit(a, factor);
        visit(b, e.op === "sub" ? -factor : factor);
        return;
      }
      const [ka, kb] = [numberOf(a), numberOf(b)];
      if (e.op === "mul" && ka !== null) {
        visit(b, factor * ka);
        return;
      }
      if (e.op === "mul" && kb !== null) {
        visit(a, factor * kb);
        return;
      }
      if (e.op === "div" && kb !== null) {
        visit(a, factor / kb);
        return;
      }
    }
    if (e.kind === "unary" && e.op === "neg") {
      visit(e.args[0]!, -factor);
      return;
    }
    found.push({ factor, expr: e });
  };
  visit(loss, 1);
  return found;
}

/** The addend that a term is, told by its values at two points. */
function addendOf(term: Term, parts: Cut, subject: Subject, constants: Constants): Addend | null {
  const roles = rolesOf(subject);
  const { p, t } = parts;
  const z = subject.prediction;
  const logits = z !== p && dependsOn(term.expr, z);
  if (logits && dependsOn(term.expr, p)) return null;
  const leaf = logits ? z : p;
  if (!dependsOn(term.expr, leaf)) return null;
  const probe = new Probe(term.expr, leaf, t, roles);
  const points = [0, 1, 2].map(() => [probe.draw(), probe.draw()] as const);
  const values = points.map(([a, b]) => probe.value(a, b));
  for (const addend of candidates(logits || z === p, constants, roles.includes("class"))) {
    const takesLogits = addend.takes === "logits";
    if (takesLogits !== logits && z !== p) continue;
    const spec = familySpec({ factor: 0, addends: [{ ...addend, weight: 1 }] });
    let template: Expr;
    try {
      template = buildFamily(spec, { prediction: leaf, target: t, roles });
    } catch (e) {
      if (e instanceof FamilyError) continue;
      throw e;
    }
    const own = probe.other(template);
    const ratios =
      own === null
        ? besides(term.expr, template, leaf, t, roles)
        : points.map(([a, b], n) => values[n]! / own(a, b));
    const [k] = ratios as [number, number, number];
    if (!Number.isFinite(k) || ratios.some((r) => Math.abs(r - k) > 1e-9 * Math.abs(k))) continue;
    return { ...addend, weight: named(tidy(k * term.factor), constants) };
  }
  return null;
}

/** The term over the template at three points, on sizes that both allow. */
function besides(
  term: Expr,
  template: Expr,
  leaf: Input,
  t: Input,
  roles: readonly Role[],
): number[] {
  const both = x.add(term, x.mul(x.ZERO, template));
  const probe = new Probe(both, leaf, t, roles, 0, [template]);
  return [0, 1, 2].map(() => {
    const [value, own] = probe.values(probe.draw(), probe.draw());
    return value![0]! / own![0]!;
  });
}

function* candidates(
  raw: boolean,
  constants: Constants,
  hasClasses: boolean,
): Generator<Omit<Addend, "weight">> {
  const gammas = [...new Set([2, ...constants.exponents, ...constants.values])].filter(
    (v) => v > 0 && v < 20,
  );
  const alphas = constants.values.filter((v) => v > 0 && v < 1);
  for (const takes of raw ? (["logits", "prediction"] as const) : (["prediction"] as const)) {
    for (const reduction of ["mean", "sum"] as const) {
      const base = { takes, reduction } as const;
      yield { ...base, loss: "binary cross entropy" };
      if (hasClasses) yield { ...base, loss: "cross entropy" };
      yield { ...base, loss: "squared error" };
      for (const gamma of gammas) {
        const g = named(gamma, constants);
        yield { ...base, loss: "binary focal", gamma: g };
        for (const alpha of alphas) {
          yield { ...base, loss: "binary focal", gamma: g, alpha: named(alpha, constants) };
        }
        if (hasClasses) yield { ...base, loss: "focal", gamma: g };
      }
      if (takes === "prediction") {
        for (const v of constants.values.filter((c) => c > 0 && c < 0.1)) {
          const s = named(v, constants);
          yield { ...base, loss: "binary cross entropy", clip: s };
          yield { ...base, loss: "binary cross entropy", insideLog: s };
          if (hasClasses) yield { ...base, loss: "cross entropy", clip: s };
          if (hasClasses) yield { ...base, loss: "cross entropy", insideLog: s };
        }
      }
    }
  }
}
