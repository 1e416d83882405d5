/** The ladder: one loss in several number types beside its exact gradient, and what goes wrong. */
import type { ElementType } from "../../expression/tape.ts";
import type { Performance } from "../../numbers/precision/forward.ts";
import { type Held, isHalf, valuesOf } from "../../numbers/precision/held.ts";
import { parts } from "../../numbers/interruption.ts";
import type { Rung } from "../../numbers/precision/rungs.ts";
import { type Finding, forwardFindings, leastOf, unitOf } from "./findings.ts";
import { DIALECTS, type Dialect, decimal, grouped, wordsOf } from "./words.ts";

/** A rung as performed, or why it could not be. */
export interface Run {
  readonly rung: Rung;
  readonly performance: Performance | null;
  readonly gradient: Held | null;
  readonly failure: RunFailure | null;
}

/** Why a loss is not performed in a number type, and where. */
export interface RunFailure {
  readonly sentence: string;
  readonly file: string;
  readonly line: number;
  readonly fix: string | null;
}

export interface Exact {
  readonly loss: number;
  readonly gradient: ArrayLike<number>;
}

export interface JudgedRung {
  readonly name: string;
  readonly loss: number | null;
  readonly lossWords: string;
  readonly gradientError: number | null;
  readonly digits: number | null;
  readonly notFinite: number;
  readonly lost: number;
  readonly verdict: "reference" | "fine" | "coarse" | "wrong" | "not-a-number" | "refused";
  readonly sentence: string;
}

export interface LadderFinding {
  readonly id: string;
  readonly rungs: readonly string[];
  readonly severity: Finding["severity"];
  readonly sentence: string;
  readonly lines: readonly number[];
  readonly fix: string | null;
}

export interface Ladder {
  readonly rungs: readonly JudgedRung[];
  readonly findings: readonly LadderFinding[];
}

type KeyedFinding = LadderFinding & { readonly key: string };

/** Judges rung after rung against the exact gradient, and keeps none but the first, float64's. */
export class LadderJudge {
  private readonly exact: Exact;
  private readonly file: string;
  private readonly dialect: Dialect;
  private wide: Performance | null = null;
  private readonly rungs: JudgedRung[] = [];
  private readonly found: KeyedFinding[] = [];

  /**
   * @param library whose words say what to do
   * @param file where the loss is written, whose lines findings name
   */
  constructor(exact: Exact, library: "torch" | "numpy", file: string) {
    this.exact = exact;
    this.file = file;
    this.dialect = DIALECTS[library];
  }

  /** @param tick called between operations with the share that is done; what it throws stops the rest */
  add(run: Run, tick?: (done: number) => void): void {
    const { name } = run.rung;
    const rung = judge(run, this.exact);
    this.rungs.push(rung);
    if (name === "float64") this.wide = run.performance;
    if (run.failure !== null) this.refused(name, run.failure);
    if (run.performance === null || name === "float64") return;
    const own = forwardFindings(run.performance, this.wide, this.dialect, tick).map((f) =>
      consequence(f, rung),
    );
    const hasOverflow = own.some((f) => f.id === "overflow");
    const later = hasOverflow ? [] : gradientFindings(run, rung, this.exact, this.dialect);
    for (const f of [...own, ...later]) {
      this.found.push({
        id: f.id,
        key: f.key ?? f.sentence,
        rungs: [label(name)],
        severity: f.severity,
        sentence: f.sentence,
        lines: f.span === null ? [] : this.own(f.span.file, f.span.line),
        fix: f.fix,
      });
    }
  }

  private refused(name: string, { sentence, file, line, fix }: RunFailure): void {
    this.found.push({
      id: "refused",
      key: sentence,
      rungs: [label(name)],
      severity: "error",
      sentence,
      lines: this.own(file, line),
      fix,
    });
  }

  /** Of what a library does inside, no line of the user's own file is to be shown. */
  private own(file: string, line: number): number[] {
    return file === this.file ? [line] : [];
  }

  get ladder(): Ladder {
    return { rungs: this.rungs, findings: merged(this.found) };
  }
}

/** "autocast-float16" as it is said. */
export function label(name: string): string {
  return name.replace("cuda-", "CUDA ").replace("autocast-", "autocast ");
}

function judge({ rung, performance, gradient, failure }: Run, exact: Exact): JudgedRung {
  const name = label(rung.name);
  const nothing = { loss: null, gradientError: null, digits: null, notFinite: 0, lost: 0 };
  if (performance === null) {
    const sentence = failure?.sentence ?? "it could not be performed";
    return { name, ...nothing, lossWords: "none", verdict: "refused", sentence };
  }
  const values = valuesOf(performance.result);
  const loss = values.length === 1 ? values[0]! : values.reduce((a, b) => a + b, 0);
  const lossWords = Number.isFinite(loss) ? decimal(loss) : wordsOf(loss);
  const told = { name, loss: Number.isFinite(loss) ? loss : null, lossWords };
  if (gradient === null) {
    const verdict = Number.isFinite(loss) ? "coarse" : "not-a-number";
    const sentence = failure?.sentence ?? "the gradient is not computed";
    return { ...nothing, ...told, verdict, sentence };
  }
  const g = valuesOf(gradient);
  let [largest, worst, notFinite, lost] = [0, 0, 0, 0];
  for (const [first, end] of parts(g.length)) {
    for (let k = first; k < end; k++) {
      const right = exact.gradient[k]!;
      if (!Number.isFinite(right)) continue;
      largest = Math.max(largest, Math.abs(right));
      if (!Number.isFinite(g[k]!)) notFinite++;
      else worst = Math.max(worst, Math.abs(g[k]! - right));
      if (g[k] === 0 && right !== 0) lost++;
    }
  }
  if (notFinite > 0 || !Number.isFinite(loss)) {
    const which =
      notFinite === g.length
        ? "the whole gradient is"
        : notFinite > 0
          ? `${grouped(notFinite)} of ${grouped(g.length)} entries of the gradient are`
          : "the loss is";
    const sentence = `${which} NaN or infinite`;
    return {
      ...told,
      gradientError: null,
      digits: null,
      notFinite,
      lost,
      verdict: "not-a-number",
      sentence,
    };
  }
  const error = largest === 0 ? 0 : worst / largest;
  const digits = error === 0 ? 17 : Math.max(0, Math.floor(-Math.log10(error)));
  const unit = unitOf(rung.prediction);
  const verdict =
    rung.name === "float64"
      ? "reference"
      : error > 0.05
        ? "wrong"
        : error > 32 * unit
          ? "coarse"
          : "fine";
  const share = `${decimal(100 * Number(error.toPrecision(2)))} % of its largest entry`;
  const sentence =
    verdict === "fine" || verdict === "reference"
      ? `the gradient has ${digits} ${digits === 1 ? "digit" : "digits"}` +
        (verdict === "fine" ? ", as many as the type allows" : "")
      : verdict === "coarse"
        ? `the gradient is off by up to ${share}`
        : lost === g.length
          ? "the whole gradient is zero, and should not be"
          : `the gradient is wrong: off by up to ${share}`;
  return { ...told, gradientError: error, digits, notFinite, lost, verdict, sentence };
}

/** An overflow or a vanished epsilon that ends in NaN says so. */
function consequence(f: Finding, rung: JudgedRung): Finding {
  if (rung.verdict !== "not-a-number")
    return f.id === "epsilon-zero" ? { ...f, severity: "warning" } : f;
  const ends = rung.notFinite > 0 ? "and the gradient is NaN" : "and the loss is NaN";
  return f.id === "overflow" ? { ...f, sentence: `${f.sentence}, ${ends}` } : f;
}

function gradientFindings(
  { rung, gradient, performance }: Run,
  judged: JudgedRung,
  exact: Exact,
  { module, single, singleLoss }: Dialect,
): Finding[] {
  const scaling =
    module === "torch" ? "Scale the loss before backward(): torch.amp.GradScaler" : null;
  if (gradient === null || performance === null) return [];
  const found: Finding[] = [];
  const type: ElementType = rung.prediction;
  let [largest, tooSmall] = [0, 0];
  const g = valuesOf(gradient);
  const n = g.length;
  for (const [first, end] of parts(exact.gradient.length)) {
    for (let k = first; k < end; k++) {
      const size = Math.abs(exact.gradient[k]!);
      largest = Math.max(largest, size);
      if (g[k] === 0 && size !== 0 && size < leastOf(type)) tooSmall++;
    }
  }
  if (isHalf(type) && judged.lost > n / 20 && judged.verdict !== "not-a-number") {
    const cancelled = judged.lost - tooSmall;
    const least = `below ${decimal(leastOf(type))}, the smallest number of ${type}`;
    const inSingle = `Compute the loss in float32: ${singleLoss}.`;
    // A gradient by a float16 array is float16, in whatever type the loss itself is computed.
    const larger =
      scaling === null
        ? inSingle
        : `${scaling}; or give the loss a prediction that is float32 from the network on.`;
    const of = (count: number): string => (count === judged.lost ? "they" : grouped(count));
    const causes = [
      ...(tooSmall > 0 ? [`${of(tooSmall)} are ${least}`] : []),
      ...(cancelled > 0 ? [`${of(cancelled)} come of operations that gave 0 in this type`] : []),
    ];
    const helping = [
      ...(tooSmall > judged.lost / 20 ? [larger] : []),
      ...(cancelled > judged.lost / 20 ? [inSingle] : []),
    ];
    found.push({
      id: "underflow",
      severity: judged.lost > n / 2 ? "error" : "warning",
      sentence:
        `${grouped(judged.lost)} of ${grouped(n)} entries of the gradient are zero and should not ` +
        `be: ${causes.join(", and ")}`,
      span: null,
      fix: [...new Set(helping)].join(" "),
    });
  }
  if (type === "float16" && largest < 2 ** -14 && judged.lost <= n / 20) {
    found.push({
      id: "subnormal",
      severity: "warning",
      sentence:
        `the gradient's largest entry is ${decimal(largest)}; below ${decimal(2 ** -14)} the numbers of ` +
        `float16 are ${decimal(2 ** -24)} apart, so that its digits are lost`,
      span: null,
      fix: scaling === null ? `Compute it in float32: ${singleLoss}.` : `${scaling}.`,
    });
  }
  if (judged.loss === 0 && exact.loss !== 0) {
    found.push({
      id: "loss-zero",
      severity: "warning",
      sentence: `the loss is exactly 0, and should be ${decimal(exact.loss)}: 1 - ${decimal(1 - exact.loss)} is below the spacing of ${performance.result.dtype}`,
      span: null,
      fix: `Compute the loss in float32: convert the prediction with ${single("")} first.`,
    });
  }
  return found;
}

const ORDER: Readonly<Record<Finding["severity"], number>> = {
  error: 0,
  warning: 1,
  information: 2,
};

/** One sentence once: what is true of several rungs, or of several lines, is said together. */
function merged(found: readonly KeyedFinding[]): LadderFinding[] {
  const bySentence = new Map<string, LadderFinding>();
  for (const { key, ...f } of found) {
    const known = bySentence.get(key);
    bySentence.set(
      key,
      known === undefined
        ? f
        : {
            ...known,
            severity: ORDER[f.severity] < ORDER[known.severity] ? f.severity : known.severity,
            rungs: [...new Set([...known.rungs, ...f.rungs])],
            lines: [...new Set([...known.lines, ...f.lines])].sort((a, b) => a - b),
          },
    );
  }
  return [...bySentence.values()].sort((a, b) => ORDER[a.severity] - ORDER[b.severity]);
}
