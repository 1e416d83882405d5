/**
 * The formula of a spec at the level at which people think of it, with the terms that a reason
 * changes in a box: two of them side by side show a difference.
 */
import { formatValue } from "../../losses/python.ts";
import type { FamilySpec, Scalar } from "../../losses/spec.ts";
import { valueOf } from "../../losses/spec.ts";
import type { Role } from "../recognize/subject.ts";
import type { ReasonId } from "./groups.ts";

export interface PairFormula {
  readonly latex: string;
  readonly text: string;
}

/** A piece in both forms. */
interface Piece {
  readonly latex: string;
  readonly text: string;
}

const piece = (latex: string, text = latex): Piece => ({ latex, text });

/** @param roles what the prediction's axes stand for: only those it has are written */
export function specFormula(
  spec: FamilySpec,
  changed: ReadonlySet<ReasonId>,
  roles: readonly Role[],
): PairFormula {
  const mark = (id: ReasonId, p: Piece): Piece =>
    changed.has(id) ? piece(`\\boxed{${p.latex}}`, `[${p.text}]`) : p;
  const join = (...parts: readonly Piece[]): Piece =>
    piece(parts.map((p) => p.latex).join(""), parts.map((p) => p.text).join(""));

  const subscript = regionLetters(spec, roles);
  const sub = (name: string): Piece =>
    piece(`${name}${subscript.latex}`, `${name}${subscript.text}`);
  const score = fraction(numeratorOf(spec, sub, mark), denominatorOf(spec, sub, mark));
  let value = mark("loss-of-score", lossOf(spec, score));
  if (spec.outer.kind !== "none") value = mark("outer-function", outerOf(spec, value));
  value = reduced(spec, value, mark, roles);
  const factor = valueOf(spec.factor);
  if (factor !== 1 || changed.has("constant-factor")) {
    value = join(mark("constant-factor", number(spec.factor)), piece("\\cdot ", "·"), value);
  }
  const terms = spec.addends.map((a) => {
    const w = valueOf(a.weight) === 1 ? piece("") : join(number(a.weight), piece("\\,", " "));
    return join(piece(" + "), mark("further-terms", join(w, piece(`\\text{${a.loss}}`, a.loss))));
  });
  const parts = [value, ...terms];
  const definitions = definitionsOf(spec, subscript, mark, roles);
  return {
    latex: `\\begin{aligned} & L = ${join(...parts).latex} \\\\[4pt] & ${definitions.map((d) => d.latex).join(" \\quad ")} \\end{aligned}`,
    text: `L = ${join(...parts).text}; ${definitions.map((d) => d.text).join(", ")}`,
  };
}

type Mark = (id: ReasonId, p: Piece) => Piece;

/** Letters of the axes that each have a ratio of their own. */
function regionLetters(spec: FamilySpec, roles: readonly Role[]): Piece {
  const all = {
    space: ["b", "c"],
    "batch and space": ["c"],
    "class and space": ["b"],
    everything: [],
    class: ["b", "i"],
  }[spec.region];
  const letters = all.filter((letter) => isThere(letter, roles)).join("");
  return letters === "" ? piece("", "") : piece(`_{${letters}}`, `_${letters}`);
}

/** Whether the axis of a letter is one of the prediction's; `i` stands for all others. */
function isThere(letter: string, roles: readonly Role[]): boolean {
  return letter === "i" || roles.includes(letter === "b" ? "batch" : "class");
}

function number(s: Scalar): Piece {
  const text = formatValue(valueOf(s));
  const [mantissa, exponent] = text.split("e");
  if (exponent === undefined) return piece(text);
  const power = `10^{${Number(exponent)}}`;
  return piece(mantissa === "1" ? power : `${mantissa!} \\cdot ${power}`, text);
}

function fraction(n: Piece, d: Piece): Piece {
  return piece(`\\frac{${n.latex}}{${d.latex}}`, `(${n.text}) / (${d.text})`);
}

function plus(spec: FamilySpec, field: "smoothNumerator" | "smoothDenominator", mark: Mark): Piece {
  const s = spec[field];
  const shown = mark("smoothing", number(s));
  if (valueOf(s) === 0 && shown.latex === number(s).latex) return piece("");
  return piece(` + ${shown.latex}`, ` + ${shown.text}`);
}

function numeratorOf(spec: FamilySpec, sub: (n: string) => Piece, mark: Mark): Piece {
  const own = (spec.ratio.kind === "dice" ? 2 : 1) * valueOf(spec.overlapFactor);
  const factor = own === 1 ? piece("") : mark("overlap-factor", piece(String(own)));
  const overlap = mark("overlap", sub("I"));
  const s = plus(spec, "smoothNumerator", mark);
  return piece(
    `${factor.latex}${overlap.latex}${s.latex}`,
    `${factor.text}${overlap.text}${s.text}`,
  );
}

function denominatorOf(spec: FamilySpec, sub: (n: string) => Piece, mark: Mark): Piece {
  const { ratio } = spec;
  const [I, P, T] = ["I", "P", "T"].map(sub) as [Piece, Piece, Piece];
  let body: Piece;
  if (ratio.kind === "dice") body = piece(`${P.latex} + ${T.latex}`, `${P.text} + ${T.text}`);
  else if (ratio.kind === "jaccard") {
    body = piece(`${P.latex} + ${T.latex} - ${I.latex}`, `${P.text} + ${T.text} - ${I.text}`);
  } else {
    const [a, b] = [number(ratio.alpha), number(ratio.beta)];
    body = piece(
      `${I.latex} + ${a.latex}\\,(${P.latex} - ${I.latex}) + ${b.latex}\\,(${T.latex} - ${I.latex})`,
      `${I.text} + ${a.text}(${P.text} - ${I.text}) + ${b.text}(${T.text} - ${I.text})`,
    );
  }
  const marked = mark("ratio", body);
  const s = plus(spec, "smoothDenominator", mark);
  const whole = piece(`${marked.latex}${s.latex}`, `${marked.text}${s.text}`);
  const floor = number(spec.denominatorFloor);
  const limited = piece(
    `\\max(${whole.latex}, ${floor.latex})`,
    `max(${whole.text}, ${floor.text})`,
  );
  if (valueOf(spec.denominatorFloor) !== 0) return mark("denominator-floor", limited);
  return whole;
}

function lossOf(spec: FamilySpec, D: Piece): Piece {
  const w = spec.classWeighting === "score" ? piece("w_c", "w_c ") : piece("");
  switch (spec.loss) {
    case "1 - D":
      return piece(`1 - ${w.latex}${D.latex}`, `1 - ${w.text}${D.text}`);
    case "-D":
      return piece(`-${w.latex}${D.latex}`, `-${w.text}${D.text}`);
    case "D":
      return piece(`${w.latex}${D.latex}`, `${w.text}${D.text}`);
    case "-log D":
      return piece(`-\\log ${D.latex}`, `-log(${D.text})`);
  }
}

function outerOf(spec: FamilySpec, e: Piece): Piece {
  const inside = `\\left(${e.latex}\\right)`;
  switch (spec.outer.kind) {
    case "none":
      return e;
    case "power": {
      const n = number(spec.outer.exponent);
      return piece(`${inside}^{${n.latex}}`, `(${e.text})^${n.text}`);
    }
    case "log-cosh":
      return piece(`\\log\\cosh${inside}`, `log(cosh(${e.text}))`);
    case "log":
      return piece(`\\log${inside}`, `log(${e.text})`);
    case "penalty": {
      const k = number(spec.outer.k);
      return piece(
        `\\frac{${e.latex}}{1 + ${k.latex}(1 - ${inside})}`,
        `(${e.text}) / (1 + ${k.text}(1 - (${e.text})))`,
      );
    }
  }
}

function reduced(spec: FamilySpec, e: Piece, mark: Mark, roles: readonly Role[]): Piece {
  const pooled = spec.region;
  const overClasses =
    roles.includes("class") && !["class and space", "everything", "class"].includes(pooled);
  const overBatch = roles.includes("batch") && !["batch and space", "everything"].includes(pooled);
  let prefix = piece("");
  const put = (id: ReasonId, how: string, letter: string): void => {
    if (how === "none") return;
    const big =
      how === "mean"
        ? piece(`\\operatorname{mean}_{${letter}}`, `mean_${letter} `)
        : piece(`\\sum_{${letter}}`, `sum_${letter} `);
    const marked = mark(id, big);
    prefix = piece(`${prefix.latex}${marked.latex} `, `${prefix.text}${marked.text}`);
  };
  if (overBatch) put("batch-reduction", spec.batchReduction, "b");
  if (overClasses) {
    const letter = spec.classes === "without background" ? "c \\ge 1" : "c";
    put("class-reduction", spec.classReduction, letter);
    if (spec.classes !== "all") {
      const shown =
        typeof spec.classes === "string" ? spec.classes : `classes ${spec.classes.only.join(", ")}`;
      const marked = mark("classes", piece(`_{\\text{${shown}}}`, `(${shown}) `));
      prefix = piece(`${prefix.latex}${marked.latex} `, `${prefix.text}${marked.text}`);
    }
  }
  const weighted = spec.classWeighting !== "none" && spec.classWeighting !== "score";
  const w = weighted ? mark("class-weights", piece("w_c\\,", "w_c ")) : piece("");
  if (prefix.latex === "" && w.latex === "") return e;
  return piece(
    `${prefix.latex}${w.latex}\\left(${e.latex}\\right)`,
    `${prefix.text}${w.text}(${e.text})`,
  );
}

function sumOver(letters: readonly string[], roles: readonly Role[]): string {
  const there = letters.filter((letter) => isThere(letter, roles));
  return `\\sum_{${there.join(",")}}`;
}

function definitionsOf(spec: FamilySpec, sub: Piece, mark: Mark, roles: readonly Role[]): Piece[] {
  const over = mark(
    "region",
    {
      space: piece("\\sum_i", "sum over voxels"),
      "batch and space": piece(sumOver(["b", "i"], roles), "sum over samples and voxels"),
      "class and space": piece(sumOver(["c", "i"], roles), "sum over classes and voxels"),
      everything: piece(sumOver(["b", "c", "i"], roles), "sum over everything"),
      class: piece("\\sum_c", "sum over classes"),
    }[spec.region],
  );
  const power = (letter: string, s: Scalar): Piece =>
    mark(
      "powers",
      valueOf(s) === 1
        ? piece(letter)
        : piece(`${letter}^{${number(s).latex}}`, `${letter}^${number(s).text}`),
    );
  const define = (name: string, body: Piece): Piece =>
    piece(
      `${name}${sub.latex} = ${over.latex}\\, ${body.latex}`,
      `${name}${sub.text} = ${over.text} of ${body.text}`,
    );
  const product =
    spec.overlap === "l1"
      ? mark("overlap", piece("\\tfrac12(p + t - |p - t|)", "(p + t - |p - t|)/2"))
      : mark(
          "overlap",
          piece(
            spec.overlap === "product" ? "p\\,t" : "(p\\,t)^2",
            spec.overlap === "product" ? "p t" : "(p t)^2",
          ),
        );
  const p = mark("activation", activationOf(spec));
  return [
    define("I", product),
    define("P", power("p", spec.predictionPower)),
    define("T", power("t", spec.targetPower)),
    piece(`p = ${p.latex}`, `p = ${p.text}`),
  ];
}

function activationOf(spec: FamilySpec): Piece {
  switch (spec.activation) {
    case "none":
      return piece("x", "x");
    case "sigmoid":
      return piece("\\sigma(x)", "sigmoid(x)");
    case "softmax":
      return piece("\\operatorname{softmax}_c(x)", "softmax over classes of x");
    case "sigmoid twice":
      return piece("\\sigma(\\sigma(x))", "sigmoid(sigmoid(x))");
    case "softmax twice":
      return piece(
        "\\operatorname{softmax}_c(\\operatorname{softmax}_c(x))",
        "softmax(softmax(x))",
      );
    case "softmax then sigmoid":
      return piece("\\sigma(\\operatorname{softmax}_c(x))", "sigmoid(softmax(x))");
    case "softmax over batch":
      return piece("\\operatorname{softmax}_b(x)", "softmax over samples of x");
    case "relu":
      return piece("\\max(x, 0)", "max(x, 0)");
    case "tanh":
      return piece("\\tanh x", "tanh(x)");
    case "argmax":
      return piece("[x = \\max_c x]", "1 where x is the largest");
    case "threshold":
      return piece("[x > \\tfrac12]", "1 where x > 1/2");
    case "sigmoid, then threshold":
      return piece("[\\sigma(x) > \\tfrac12]", "1 where sigmoid(x) > 1/2");
  }
}
