/** What the explanation of a generated pair says, held against what is known of it. */
import type { Expr, Input } from "../../../../src/expression/node.ts";
import { onInputs } from "../../../../src/explain/reasons/inputs.ts";
import { type Reason, explain } from "../../../../src/explain/reasons/explain.ts";
import type { Trace } from "../../../../src/python/program.ts";
import { argumentsOf, array, handleOf, session } from "../../python/session.ts";
import { type Written, evaluateOn, writtenOf } from "../subject.ts";
import type { GeneratedPair } from "./generate.ts";
import { MASK } from "./prepare.ts";
import { CLASSES } from "./style.ts";
import type { WrittenLoss } from "./write.ts";

export interface Judged {
  /** Whether all changes together make the first loss the second. */
  readonly complete: boolean;
  /** What the shares of the reasons add up to; null where there are none, or they were not asked for. */
  readonly shares: number | null;
  readonly found: readonly string[];
  readonly missing: readonly string[];
  /** Reasons that are not there. */
  readonly extra: readonly string[];
  /** Reasons whose lines are not those on which they stand. */
  readonly misplaced: readonly string[];
}

export async function traced(loss: WrittenLoss, bound: boolean): Promise<Trace> {
  const { program } = await session();
  program.load(loss.source, "loss.py");
  if (!bound) return program.trace(loss.callable);
  const { names, dialect, labels, rank } = loss.style;
  const first = dialect.layout === "channels-first";
  const space = SPACES[rank - 3]!;
  const shape = first ? [2, CLASSES, ...space] : [2, ...space, CLASSES];
  const filled = (sizes: readonly number[], value: (k: number) => number, type: string): Handle => {
    const length = sizes.reduce((n, s) => n * s, 1);
    return handleOf(
      array(
        [...sizes],
        Array.from({ length }, (_, k) => value(k)),
      ),
      type,
    );
  };
  return program.trace(
    loss.callable,
    argumentsOf({
      [names.prediction]: filled(shape, (k) => (k % 7) / 7, "float32"),
      [names.target]: labels
        ? filled([2, ...space], (k) => k % CLASSES, "int64")
        : filled(shape, (k) => k % 2, "float32"),
      ...(loss.takesMask && {
        [MASK]: filled(first ? [2, 1, ...space] : [2, ...space, 1], (k) => k % 2, "float32"),
      }),
    }),
  );
}

/** Sizes of the axes of space, of predictions with 3, 4 and 5 axes. */
const SPACES: readonly (readonly number[])[] = [[6], [2, 3], [2, 3, 2]];

type Handle = ReturnType<typeof handleOf>;

const read = async (loss: WrittenLoss, bound: boolean): Promise<Written> =>
  writtenOf(await traced(loss, bound));

function onArrays({ subject: a }: Written, { subject: b }: Written): Expr | null {
  const masks: [Input, Input][] =
    a.mask === undefined || b.mask === undefined ? [] : [[b.mask, a.mask]];
  return onInputs(b.loss, [[b.prediction, a.prediction], [b.target, a.target], ...masks]);
}

export async function judge(pair: GeneratedPair): Promise<Judged> {
  let [a, b] = [await read(pair.a, pair.bound), await read(pair.b, pair.bound)];
  // Sums over everything do not tell how many axes there are.
  let standard = a.subject.prediction.shape.length >= 3 ? onArrays(a, b) : null;
  if (standard === null) {
    [a, b] = [await read(pair.a, true), await read(pair.b, true)];
    standard = onArrays(a, b);
  }
  if (standard === null) throw new Error(`the two losses of pair ${pair.seed} take other arrays`);
  const { subject, spans } = a;
  // Shares take as long as all else; of some pairs they tell as much as of all.
  const evaluate = pair.seed % 4 === 0 ? evaluateOn(subject) : null;
  const { reasons, complete } = explain(
    subject,
    { loss: standard, spec: null },
    { spans, file: "loss.py", written: a.byHand, evaluate },
  );
  const found = reasons.map((r) => r.id as string);
  const misplaced = reasons
    .filter((r) => {
      const right = pair.a.lines.get(r.id);
      return r.lines.length === 0 || !r.lines.every((l) => right?.has(l) === true);
    })
    .map((r) => `${r.id} ${r.lines.join("+")} (${[...(pair.a.lines.get(r.id) ?? [])].join("/")})`);
  return {
    complete,
    shares: sharesOf(reasons),
    found,
    missing: pair.edits.filter((e) => !found.includes(e)),
    extra: found.filter((f) => !(pair.edits as readonly string[]).includes(f)),
    misplaced,
  };
}

/** Reasons that interrupt the gradient have one share between them. */
function sharesOf(reasons: readonly Reason[]): number | null {
  if (reasons.length === 0 || reasons.some((r) => r.share === null)) return null;
  const isInterruption = ({ formulas }: Reason): boolean => formulas === null;
  const first = reasons.find(isInterruption);
  const counted = reasons.filter((r) => r === first || !isInterruption(r));
  return counted.reduce((sum, r) => sum + r.share!.share, 0);
}
