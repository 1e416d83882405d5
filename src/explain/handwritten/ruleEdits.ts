/**
 * Mistakes in single rules of differentiation: what a node passes on to one of its arguments, as
 * people get it wrong. The gradient with such a mistake is derived like the right one.
 */
import * as b from "../../expression/build.ts";
import type { Expr } from "../../expression/node.ts";
import { topological } from "../../expression/walk.ts";
import { rules } from "../../gradient/rules.ts";
import type { FaultId, Words } from "./fault.ts";

export interface RuleEdit {
  readonly id: FaultId;
  readonly at: Expr;
  /** What argument `k` receives of the adjoint `a`; undefined where the rule is not touched. */
  readonly share: (a: Expr, k: number) => Expr | null | undefined;
  readonly say: (w: Words) => string;
}

const HALF = b.constant(0.5);
const TWO = b.constant(2);
const square = (x: Expr): Expr => b.pow(x, TWO);

/** Edits at every node between the forward value and the input. */
export function ruleEdits(base: Expr, x: Expr): RuleEdit[] {
  const depends = new Set<Expr>([x]);
  const edits: RuleEdit[] = [];
  for (const e of topological(base)) {
    if (!e.args.some((a) => depends.has(a))) continue;
    depends.add(e);
    edits.push(...editsAt(e, (a) => depends.has(a)));
  }
  // Where several say the same, the quotient rule is what a reader looks for first.
  const rank = (edit: RuleEdit): number => {
    const { at } = edit;
    return at.kind === "binary" && at.op === "div" ? 0 : edit.id === "term-sign" ? 2 : 1;
  };
  return edits.sort((a, b) => rank(a) - rank(b));
}

function editsAt(e: Expr, varies: (a: Expr) => boolean): RuleEdit[] {
  switch (e.kind) {
    case "binary":
      return e.op === "div"
        ? quotientEdits(e, varies)
        : e.op === "mul"
          ? productEdits(e, varies)
          : e.op === "pow"
            ? powerEdits(e)
            : e.op === "add" || e.op === "sub"
              ? sumEdits(e, varies)
              : [];
    case "unary":
      return unaryEdits(e);
    case "softmax":
      return softmaxEdits(e);
    case "reduce":
      return reduceEdits(e);
    case "clamp":
      return [
        passOn(
          e,
          "clamp-ignored",
          (w) =>
            `the clamp of ${w.name(e.args[0]!)} passes no gradient outside its bounds, and the gradient is written as if it did`,
        ),
      ];
    default:
      return [];
  }
}

/** The right share, to be changed by a factor. */
function rightShare(a: Expr, e: Expr, k: number): Expr | null {
  return (rules[e.kind] as (a: Expr, e: Expr, k: number) => Expr | null)(a, e, k);
}

function at(
  e: Expr,
  k: number,
  id: FaultId,
  share: (a: Expr) => Expr | null,
  say: (w: Words) => string,
): RuleEdit {
  return { id, at: e, say, share: (a, n) => (n === k ? share(a) : undefined) };
}

function passOn(e: Expr, id: FaultId, say: (w: Words) => string): RuleEdit {
  return at(e, 0, id, (a) => a, say);
}

function quotientEdits(e: Expr, varies: (a: Expr) => boolean): RuleEdit[] {
  const [n, d] = [e.args[0]!, e.args[1]!];
  const edits: RuleEdit[] = [];
  const where = (w: Words): string => `, with N = ${w.name(n)} and D = ${w.name(d)}`;
  const factor =
    (k: number, c: Expr): ((a: Expr) => Expr | null) =>
    (a) => {
      const share = rightShare(a, e, k);
      return share === null ? null : b.mul(c, share);
    };
  if (varies(d)) {
    const wrong = (how: string) => (w: Words) =>
      `the quotient rule's term −N·D′/D² ${how}${where(w)}`;
    edits.push(
      at(
        e,
        1,
        "quotient-term-missing",
        () => null,
        (w) =>
          `the term −N·D′/D² of the quotient rule is missing${where(w)}: D depends on the prediction too`,
      ),
      at(e, 1, "term-sign", factor(1, b.constant(-1)), wrong("has the wrong sign")),
      at(
        e,
        1,
        "denominator-power",
        (a) => b.neg(b.div(b.mul(a, n), d)),
        wrong("is divided by D, not by D²"),
      ),
      at(e, 1, "term-factor", factor(1, TWO), wrong("is taken twice")),
      at(
        e,
        1,
        "term-factor",
        factor(1, HALF),
        wrong("is only half of what it must be: a factor 2 is missing"),
      ),
      at(e, 1, "numerator-replaced", (a) => b.neg(b.div(a, square(d))), wrong("lacks its N")),
      at(
        e,
        1,
        "numerator-replaced",
        (a) => b.neg(b.div(b.mul(a, d), square(d))),
        wrong("has D in the place of N"),
      ),
      at(
        e,
        1,
        "denominator-power",
        (a) => b.neg(b.div(b.mul(a, n), b.pow(d, b.constant(3)))),
        wrong("is divided by D³, not by D²"),
      ),
      at(
        e,
        1,
        "denominator-power",
        (a) => b.neg(b.mul(a, n)),
        wrong("is not divided by D² at all"),
      ),
    );
  }
  if (varies(n)) {
    const wrong = (how: string) => (w: Words) => `the quotient rule's term N′/D ${how}${where(w)}`;
    edits.push(
      at(
        e,
        0,
        "numerator-term-missing",
        () => null,
        (w) => `the term N′/D of the quotient rule is missing${where(w)}`,
      ),
      at(e, 0, "term-sign", factor(0, b.constant(-1)), wrong("has the wrong sign")),
      at(e, 0, "term-factor", factor(0, TWO), wrong("is taken twice")),
      at(
        e,
        0,
        "term-factor",
        factor(0, HALF),
        wrong("is only half of what it must be: a factor 2 is missing"),
      ),
      at(
        e,
        0,
        "denominator-power",
        (a) => b.div(a, square(d)),
        wrong("is divided by D², not by D"),
      ),
      at(e, 0, "denominator-power", (a) => a, wrong("is not divided by D")),
    );
  }
  return edits;
}

function productEdits(e: Expr, varies: (a: Expr) => boolean): RuleEdit[] {
  const [x, y] = [e.args[0]!, e.args[1]!];
  if (x === y) {
    return [
      at(
        e,
        1,
        "power",
        () => null,
        (w) =>
          `the derivative of the square of ${w.name(x)} is 2·${w.name(x)}: the factor 2 is missing`,
      ),
      {
        id: "power",
        at: e,
        share: (a, k) => (k === 0 ? a : null),
        say: (w) =>
          `${w.name(x)} is squared in the forward pass, and the gradient is that of the unsquared sum`,
      },
      {
        id: "power",
        at: e,
        share: (a, k) => (k === 0 ? b.mul(TWO, a) : null),
        say: (w) => `the derivative of the square of ${w.name(x)} is 2·${w.name(x)}, not 2`,
      },
    ];
  }
  return [0, 1].flatMap((k): RuleEdit[] => {
    const [own, other] = [e.args[k]!, e.args[1 - k]!];
    if (!varies(own)) return [];
    const isNumber = other.kind === "const" || other.kind === "parameter";
    return [
      at(
        e,
        k,
        isNumber ? "term-factor" : "factor-replaced",
        (a) => a,
        (w) => `the factor ${w.formula(other)} is missing in the derivative of ${w.name(e)}`,
      ),
      ...(isNumber
        ? []
        : [
            at(
              e,
              k,
              "swapped",
              (a) => b.mul(a, own),
              (w) =>
                `the derivative of ${w.formula(e)} by ${w.name(own)} is ${w.name(other)}, not ${w.name(own)}: prediction and target are swapped`,
            ),
          ]),
    ];
  });
}

function powerEdits(e: Expr): RuleEdit[] {
  const [x, n] = [e.args[0]!, e.args[1]!];
  const less = n.kind === "const" ? b.constant(n.value - 1) : b.sub(n, b.ONE);
  const power = (w: Words): string =>
    `the derivative of (${w.name(x)})^${w.formula(n)} is ${w.formula(n)}·(${w.name(x)})^(${w.formula(n)}−1)`;
  const slope = (a: Expr, of: Expr): Expr => b.mul(a, b.mul(n, b.pow(of, less)));
  const elsewhere = complementOf(x);
  return [
    at(
      e,
      0,
      "power",
      (a) => b.mul(a, b.pow(x, less)),
      (w) => `${power(w)}: the factor ${w.formula(n)} is missing`,
    ),
    at(
      e,
      0,
      "power",
      (a) => b.mul(a, n),
      (w) => `${power(w)}, not ${w.formula(n)}`,
    ),
    at(
      e,
      0,
      "power",
      (a) => a,
      (w) =>
        n.kind === "const" && n.value === 2
          ? `the forward pass squares ${w.name(x)}, and the gradient is that of the sum without squares: the factor 2·${w.name(x)} is missing`
          : `${power(w)}: the factor is missing altogether`,
    ),
    at(
      e,
      0,
      "power",
      (a) => b.mul(a, b.mul(n, b.pow(x, n))),
      (w) => `${power(w)}: the exponent is not lowered by 1`,
    ),
    ...(elsewhere === null
      ? []
      : [
          at(
            e,
            0,
            "outer-derivative",
            (a) => slope(a, elsewhere),
            (w) => `${power(w)}, taken at ${w.name(elsewhere)} instead of at ${w.name(x)}`,
          ),
        ]),
  ];
}

/** 1 − D for D, and D for 1 − D: where an outer derivative is taken by mistake. */
function complementOf(x: Expr): Expr | null {
  if (x.shape.length > 0) return null;
  const isOne = (e: Expr): boolean => e.kind === "const" && e.value === 1;
  if (x.kind === "binary" && x.op === "sub" && isOne(x.args[0]!)) return x.args[1]!;
  return b.sub(b.ONE, x);
}

function sumEdits(e: Expr, varies: (a: Expr) => boolean): RuleEdit[] {
  return [0, 1].flatMap((k): RuleEdit[] => {
    const own = e.args[k]!;
    if (!varies(own)) return [];
    const isNegative = e.kind === "binary" && e.op === "sub" && k === 1;
    const other = e.args[1 - k]!;
    const flips = isNegative && other.kind === "const";
    return [
      at(
        e,
        k,
        flips ? "sign" : "term-sign",
        (a) => (isNegative ? a : b.neg(a)),
        (w) =>
          flips
            ? `the forward pass is ${w.formula(other)} minus the score, and the gradient is that of the score: its sign must be turned`
            : `the contribution of ${w.name(own)} has the wrong sign`,
      ),
      ...(varies(other)
        ? [
            at(
              e,
              k,
              "term-missing",
              () => null,
              (w) => `the contribution of ${w.name(own)} is missing`,
            ),
          ]
        : []),
    ];
  });
}

function unaryEdits(e: Expr): RuleEdit[] {
  if (e.kind !== "unary" || e.op === "neg")
    return e.kind === "unary"
      ? [
          at(
            e,
            0,
            "sign",
            (a) => a,
            () => "the minus sign of the forward pass is missing in the gradient",
          ),
        ]
      : [];
  const x = e.args[0]!;
  const isOuter = x.shape.length === 0;
  const missing = (w: Words): string =>
    isOuter
      ? `the derivative of the outer function ${w.formula(e)} is missing`
      : `the derivative of the activation, ${SLOPES[e.op] ?? `that of ${e.op}`} with s = ${w.name(e)}, is missing`;
  const edits = [passOn(e, isOuter ? "outer-derivative" : "activation-missing", missing)];
  const elsewhere = complementOf(x);
  if (isOuter && elsewhere !== null) {
    edits.push(
      at(
        e,
        0,
        "outer-derivative",
        (a) => rightShare(a, b.unary(e.op, elsewhere), 0),
        (w) =>
          `the derivative of ${e.op} is taken at ${w.name(elsewhere)} instead of at ${w.name(x)}`,
      ),
    );
  }
  if (e.op === "sigmoid") {
    const rest = b.sub(b.ONE, e);
    edits.push(
      at(
        e,
        0,
        "activation-incomplete",
        (a) => b.mul(a, e),
        (w) =>
          `the sigmoid's derivative is s·(1−s) with s = ${w.name(e)}: the factor (1−s) is missing`,
      ),
      at(
        e,
        0,
        "activation-incomplete",
        (a) => b.mul(a, rest),
        (w) => `the sigmoid's derivative is s·(1−s) with s = ${w.name(e)}: the factor s is missing`,
      ),
      at(
        e,
        0,
        "activation-incomplete",
        (a) => b.mul(a, b.mul(x, b.sub(b.ONE, x))),
        (w) => `the sigmoid's derivative s·(1−s) is taken at ${w.name(x)}, not at s = ${w.name(e)}`,
      ),
      at(
        e,
        0,
        "activation-incomplete",
        (a) => b.mul(a, b.mul(e, b.add(b.ONE, e))),
        (w) => `the sigmoid's derivative is s·(1−s) with s = ${w.name(e)}, not s·(1+s)`,
      ),
    );
  }
  if (e.op === "tanh") {
    edits.push(
      at(
        e,
        0,
        "activation-incomplete",
        (a) => b.mul(a, b.sub(b.ONE, e)),
        (w) => `the derivative of tanh is 1−s² with s = ${w.name(e)}: the square is missing`,
      ),
    );
  }
  return edits;
}

const SLOPES: Readonly<Record<string, string>> = {
  sigmoid: "s·(1−s)",
  tanh: "1−s²",
  exp: "s",
};

function softmaxEdits(e: Expr): RuleEdit[] {
  const own = (w: Words): string =>
    `the classes are coupled by the softmax s = ${w.name(e)}: its derivative by one score is s·(a − Σ a·s) with a sum over the classes`;
  return [
    passOn(e, "activation-missing", (w) => `${own(w)}; it is missing altogether`),
    at(
      e,
      0,
      "softmax-coupling",
      (a) => b.mul(a, b.mul(e, b.sub(b.ONE, e))),
      (w) => `${own(w)}; s·(1−s) is right for a sigmoid only`,
    ),
    at(
      e,
      0,
      "softmax-coupling",
      (a) => b.mul(a, e),
      (w) => `${own(w)}; the sum is missing`,
    ),
  ];
}

function reduceEdits(e: Expr): RuleEdit[] {
  if (e.kind !== "reduce" || (e.op !== "sum" && e.op !== "mean")) return [];
  const count = b.size(e.dims.map((d) => e.args[0]!.shape[d]!));
  const scaled =
    (op: "mul" | "div") =>
    (a: Expr): Expr | null => {
      const share = rightShare(a, e, 0);
      return share === null ? null : b.binary(op, share, count);
    };
  return [
    e.op === "mean"
      ? at(
          e,
          0,
          "count",
          scaled("mul"),
          (w) =>
            `${w.name(e)} is a mean: its gradient must be divided by the number of entries, ${w.formula(count)}`,
        )
      : at(
          e,
          0,
          "count",
          scaled("div"),
          (w) =>
            `${w.name(e)} is a sum, and its gradient is divided by the number of entries, ${w.formula(count)}, as for a mean`,
        ),
  ];
}
