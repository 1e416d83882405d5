/** What the explanation of a generated pair says, held against what is known of it. */
import type { Expr } from "../../../../src/expression/node.ts";
import { onInputs } from "../../../../src/explain/reasons/inputs.ts";
import { type Explanation, explain } from "../../../../src/explain/reasons/explain.ts";
import type { Trace } from "../../../../src/python/program.ts";
import { argumentsOf, array, handleOf, session } from "../../python/session.ts";
import { type Written, evaluateOn, writtenOf } from "../subject.ts";
import type { GeneratedPair } from "./generate.ts";
import { CLASSES, type WrittenLoss } from "./write.ts";

export interface Judged {
  readonly explanation: Explanation;
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
  const { names, dialect, labels } = loss.style;
  const first = dialect.layout === "channels-first";
  const shape = first ? [2, CLASSES, 2, 3] : [2, 2, 3, CLASSES];
  const size = 36;
  const target = labels
    ? handleOf(
        array(
          [2, 2, 3],
          Array.from({ length: 12 }, (_, k) => k % CLASSES),
        ),
        "int64",
      )
    : handleOf(
        array(
          shape,
          Array.from({ length: size }, (_, k) => k % 2),
        ),
        "float32",
      );
  return program.trace(
    loss.callable,
    argumentsOf({
      [names.prediction]: handleOf(
        array(
          shape,
          Array.from({ length: size }, (_, k) => (k % 7) / 7),
        ),
        "float32",
      ),
      [names.target]: target,
    }),
  );
}

const read = async (loss: WrittenLoss, bound: boolean): Promise<Written> =>
  writtenOf(await traced(loss, bound));

const onArrays = (a: Written, b: Written): Expr | null =>
  onInputs(b.subject.loss, [
    [b.subject.prediction, a.subject.prediction],
    [b.subject.target, a.subject.target],
  ]);

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
  const explanation = explain(
    subject,
    { loss: standard, spec: null },
    { spans, file: "loss.py", evaluate: evaluateOn(subject) },
  );
  const found = explanation.reasons.map((r) => r.id as string);
  const misplaced = explanation.reasons
    .filter((r) => {
      const right = pair.a.lines.get(r.id);
      return r.lines.length === 0 || !r.lines.every((l) => right?.has(l) === true);
    })
    .map((r) => `${r.id} ${r.lines.join("+")} (${[...(pair.a.lines.get(r.id) ?? [])].join("/")})`);
  return {
    explanation,
    found,
    missing: pair.edits.filter((e) => !found.includes(e)),
    extra: found.filter((f) => !(pair.edits as readonly string[]).includes(f)),
    misplaced,
  };
}
