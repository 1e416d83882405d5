/** What a reader would call a sum, from what is added up: I for Σ p g, P for Σ p, FP for Σ p(1−g). */
import {
  type Names,
  type SymbolName,
  type Wish,
  plainWish,
  uprightLatex,
  wishFor,
} from "../expression/names.ts";
import { type Expr, annotationOf } from "../expression/node.ts";
import { topological } from "../expression/walk.ts";
import { type Part, unmoved } from "./outline.ts";

export interface SumNaming {
  /** The node that stands for probabilities: an activation, or the input itself. */
  readonly predictions: ReadonlySet<Expr>;
  readonly target: Expr | null;
  readonly predictionName: string;
  readonly targetName: string;
}

/** Gives the sum's node its symbol. */
export function nameSum(part: Part, naming: SumNaming, names: Names): SymbolName {
  const reduce = part.original;
  const op = reduce.kind === "reduce" ? reduce.op : "sum";
  const label = annotationOf(part.original)?.label;
  const known = op === "sum" || op === "mean" ? knownSum(part.value.args[0]!, naming) : null;
  const own = label === undefined ? null : labelWish(label);
  const sub = fixedPlace(part.value);
  const wishes: Wish[] = [];
  if (known !== null) {
    const python = own?.python ?? known.python;
    // A mean of p·g is no intersection: it is barred.
    const base = op === "mean" ? { latex: `\\bar{${known.latex}}`, text: `${known.text}̄` } : known;
    wishes.push({
      latex: base.latex,
      text: base.text,
      sub: [known.sub, sub].filter((s) => s !== "").join(","),
      python: sub === "" ? python : `${python}_${sub}`,
    });
  } else if (own !== null) wishes.push(own);
  for (let n = 1; n <= 9; n++) wishes.push(plainWish("S", own?.python ?? `sum_${n}`, String(n)));
  return names.define(part.node, ...(wishes as [Wish, ...Wish[]]));
}

interface Known {
  readonly latex: string;
  readonly text: string;
  readonly sub: string;
  readonly python: string;
}

type Role = "p" | "g" | "1-p" | "1-g" | null;

function knownSum(body: Expr, n: SumNaming): Known | null {
  const { predictionName: p, targetName: g } = n;
  const e = unmoved(body);
  const [single, squared] = roleOf(e, n);
  if (single === "p") return symbol("P", squared, `${p}_sum`);
  if (single === "g") return symbol("G", squared, `${g}_sum`);
  if (e.kind !== "binary" || e.op !== "mul") return null;
  const roles = e.args.map((a) => roleOf(unmoved(a), n)).map(([r, s]) => (s ? null : r));
  switch (roles.toSorted().join(" ")) {
    case "g p":
      return symbol("I", false, "intersection");
    case "p p":
      return symbol("P", true, `${p}_sum`);
    case "g g":
      return symbol("G", true, `${g}_sum`);
    case "1-g p":
      return word("FP", "false_positives");
    case "1-p g":
      return word("FN", "false_negatives");
    case "1-g 1-p":
      return word("TN", "true_negatives");
    default:
      return null;
  }
}

const symbol = (letter: string, squared: boolean, python: string): Known => ({
  latex: letter,
  text: letter,
  sub: squared ? "2" : "",
  python: squared ? python.replace(/_sum$/, "_squared_sum") : python,
});
const word = (letters: string, python: string): Known => ({
  latex: `\\mathrm{${letters}}`,
  text: letters,
  sub: "",
  python,
});

/** What a factor is, and whether it is the square of that. */
function roleOf(e: Expr, n: SumNaming): [Role, boolean] {
  if (n.predictions.has(e)) return ["p", false];
  if (isTarget(e, n.target)) return ["g", false];
  if (e.kind !== "binary") return [null, false];
  const [x, y] = e.args.map(unmoved) as [Expr, Expr];
  if (e.op === "sub" && x.kind === "const" && x.value === 1) {
    const [role, squared] = roleOf(y, n);
    if (!squared && role === "p") return ["1-p", false];
    if (!squared && role === "g") return ["1-g", false];
  }
  if (e.op === "pow" && y.kind === "const" && y.value === 2) {
    const [role, squared] = roleOf(x, n);
    if (!squared && (role === "p" || role === "g")) return [role, true];
  }
  return [null, false];
}

/** The target as it was given, one-hot, or thresholded. */
function isTarget(e: Expr, target: Expr | null): boolean {
  if (target === null) return false;
  if (e === target) return true;
  if (e.kind === "oneHot") return isTarget(unmoved(e.args[0]!), target);
  const isComparison = e.kind === "binary" && e.type === "bool";
  return isComparison && isTarget(unmoved(e.args[0]!), target) && e.args[1]!.args.length === 0;
}

/** The class that a sum of an unrolled loop is for: all that it reads is read at one position. */
export function fixedPlace(value: Expr): string {
  const places = new Set<number>();
  for (const e of topological(value)) if (e.kind === "index") places.add(e.at);
  const only = [...places][0];
  return places.size === 1 && only !== undefined ? String(only) : "";
}

/** Names that say nothing about what they hold. */
const EMPTY_WORDS = new Set(
  "x y a b t s tmp temp out output result res ret val value loss score num den sum total dice iou coef".split(
    " ",
  ),
);

/** The user's own variable as a symbol, when it is short and says something. */
function labelWish(label: string): Wish | null {
  if (EMPTY_WORDS.has(label.toLowerCase()) || !/^[A-Za-z][A-Za-z0-9_]{0,13}$/.test(label))
    return null;
  const upper = label.toUpperCase();
  if (["TP", "FP", "FN", "TN"].includes(upper)) {
    return { latex: `\\mathrm{${upper}}`, text: upper, python: label };
  }
  // Letters of indices stay with the indices.
  if (label.length === 1) return /[b-dh-nw]/.test(label) ? null : wishFor(label);
  return { latex: uprightLatex(label), text: label, python: label };
}
