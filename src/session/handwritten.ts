/** The gradients written by hand that a trace has found, judged and put into words for the report. */
import * as b from "../expression/build.ts";
import type { Expr } from "../expression/node.ts";
import { dependsOn, leaves, substitute } from "../expression/walk.ts";
import { type Wanted, fixEdits } from "../explain/handwritten/fix.ts";
import { type InputJudgement, type WrittenGradient, judge } from "../explain/handwritten/judge.ts";
import { derive } from "../gradient/derive.ts";
import { gradientInForce } from "../gradient/inForce.ts";
import type { HandwrittenUse } from "../python/handwritten/record.ts";
import type { Trace } from "../python/program.ts";
import { rolesOf } from "../python/trace/roles.ts";
import type { Diagnostic, HandWritten } from "../report/schema.ts";
import { isIgnored } from "./ignored.ts";
import { reasonInForce, sentenceFor, useSentence } from "./handwrittenWords.ts";

export interface HandwrittenResult {
  readonly entries: readonly HandWritten[];
  /** What is wrong with them, but for what a comment silences. */
  readonly diagnostics: readonly Diagnostic[];
  /** The gradient that the program computes by an input; null where it is the derived one. */
  readonly inForce: (wrt: Expr) => Expr | null;
}

/** Call it where the trace's annotations hold: the user's names stand in the sentences. */
export function judgeHandwritten(trace: Trace): HandwrittenResult {
  const uses = trace.handwritten.map(transposed);
  const entries: HandWritten[] = [];
  const seen = new Map<string, boolean>();
  let allRight = true;
  const predictions = trace.inputs.flatMap((x) =>
    x.role === "prediction" && x.node.kind === "input" ? [x.node.name] : [],
  );
  for (const use of uses) {
    const force = reasonInForce(use, trace.callSites);
    const key = keyOf(use, force.inForce);
    const known = seen.get(key);
    if (known !== undefined) {
      allRight &&= known;
      continue;
    }
    const sentence = useSentence(use, trace.callSites, force.inForce);
    const own = entriesOf(use, predictions, force.inForce, sentence);
    const isRight = !force.inForce || own.every((e) => e.verdict === "right");
    seen.set(key, isRight);
    allRight &&= isRight;
    entries.push(...own);
  }
  return {
    entries,
    diagnostics: entries
      .flatMap(toDiagnostic)
      .filter(
        ({ code, location: at }) =>
          at?.line === undefined ||
          !isIgnored(code, { file: at.file, line: at.line }, trace.syntax),
      ),
    inForce: (wrt) => (allRight ? null : inForce(trace, uses, wrt)),
  };
}

/** What is wrong with a gradient written by hand; one that never runs does no harm. */
function toDiagnostic(h: HandWritten): Diagnostic[] {
  if (h.verdict === "right") return [];
  const isWrong = h.verdict === "wrong" || h.verdict === "refused";
  const first = h.faults[0]?.lines[0] ?? h.location.line;
  return [
    {
      code: isWrong ? "DG015" : `handwritten-gradient-${h.verdict}`,
      severity: !h.inForce ? "information" : isWrong ? "error" : "warning",
      message: h.inForce ? h.sentence : `${h.use}. (${h.sentence})`,
      location: { file: h.location.file, ...(first === undefined ? {} : { line: first }) },
      remedy: h.fix?.title ?? null,
    },
  ];
}

/** Uses of one function that differ in nothing but the place are judged once. */
function keyOf(use: HandwrittenUse, isInForce: boolean): string {
  const { file, line, column } = use.definition;
  const ids = [...use.outputs, ...use.gradients].map((e) => e?.id ?? "");
  return [file, line, column, isInForce, ...ids].join(":");
}

/** Gradients of a rule that gives changes of outputs for changes of inputs: its transpose. */
function transposed(use: HandwrittenUse): HandwrittenUse {
  const { tangents, upstream } = use;
  if (tangents === null) return use;
  const outputs = tangents.outputs.map((t, k) => {
    const e = b.mul(upstream[k]!, t);
    return e.shape.length === 0 ? e : b.sum(e);
  });
  const whole = outputs.slice(1).reduce((a, e) => b.add(a, e), outputs[0] ?? b.ZERO);
  const gradients = tangents.inputs.map((t) => (t === null ? null : derive(whole, t)));
  const isLinear = !tangents.inputs.some(
    (t) => t !== null && gradients.some((g) => g !== null && dependsOn(g, t)),
  );
  if (isLinear) return { ...use, gradients };
  const message = `the rule of ${use.name} is not linear in the tangents, so that it has no transpose`;
  return { ...use, refusal: { what: "type", message } };
}

function inForce(trace: Trace, uses: readonly HandwrittenUse[], wrt: Expr): Expr | null {
  const running = uses.filter((u) => u.stands.length > 0);
  if (running.some((u) => u.failure !== null || u.refusal !== null)) return null;
  if (running.length > 0) return gradientInForce(trace.inParts, wrt, running);
  const pair = uses.find((u) => u.how === "by hand");
  const k = pair?.inputs.findIndex((x) => x.node === wrt) ?? -1;
  const own = pair?.gradients[k] ?? null;
  if (pair === undefined || own === null) return null;
  return substitute(own, new Map(pair.upstream.map((u) => [u, ones(u)])));
}

const ones = (u: Expr): Expr => (u.shape.length === 0 ? b.ONE : b.expand(b.ONE, u.shape));

/** @param predictions names of the loss's own: what depends on them is no target, whatever its name */
function writtenOf(use: HandwrittenUse, predictions: readonly string[]): WrittenGradient {
  const roles = rolesOf(
    use.inputs.map((x) => ({ name: x.name, isReal: x.node.type === "float" })),
    use.library,
  );
  return {
    inputs: use.inputs.map((x, k) => ({
      name: x.name,
      node: x.node,
      isTarget:
        roles[k] === "target" &&
        !leaves(use.passed[k]!).some((e) => e.kind === "input" && predictions.includes(e.name)),
    })),
    outputs: use.outputs,
    upstream: use.upstream,
    gradients: use.gradients,
  };
}

function entriesOf(
  use: HandwrittenUse,
  predictions: readonly string[],
  isInForce: boolean,
  used: string,
): HandWritten[] {
  const { file, line, column } = use.definition;
  const common = {
    kind: use.kind,
    name: use.name,
    gradientName: use.gradientName,
    location: { file, line, column },
    inForce: isInForce,
    use: used,
    maxAbsDifference: null,
  };
  const w = writtenOf(use, predictions);
  if (use.failure !== null || use.refusal !== null) {
    const first = w.inputs.find((x) => !x.isTarget) ?? w.inputs[0];
    return [
      {
        ...common,
        input: first?.name ?? "",
        verdict: use.failure !== null ? "not-traced" : "refused",
        sentence: sentenceFor(use, null),
        written: null,
        right: null,
        faults: [],
        residual: null,
        counterexample: null,
        fix:
          use.refusal === null
            ? null
            : fixOf(
                use,
                w,
                w.inputs.filter((x) => !x.isTarget).map((x) => x.name),
              ),
      },
    ];
  }
  const judged = judge(w);
  return judged.map((j): HandWritten => ({
    ...common,
    input: j.input.name,
    verdict: j.verdict,
    sentence: sentenceFor(use, j),
    written: j.formulas.written,
    right: j.formulas.right,
    faults: j.findings.map((f, k) => ({
      id: f.id,
      sentence: `${capital(f.sentence)}.`,
      term: j.terms[k] ?? null,
      lines: linesOf(use, j),
    })),
    residual: j.residual,
    counterexample: counterexampleOf(j),
    // Code for a single number, as a loop over voxels passes it on, is no repair for arrays.
    fix:
      j.verdict === "wrong" && j.input.node.shape.length > 0
        ? fixOf(use, w, wantedNames(use, judged))
        : null,
  }));
}

const capital = (s: string): string => s[0]!.toUpperCase() + s.slice(1);

/** Inputs whose gradients a new body must return: those that were, and those that should have been. */
function wantedNames(use: HandwrittenUse, judged: readonly InputJudgement[]): string[] {
  const wrong = judged.filter((j) => j.verdict === "wrong").map((j) => j.input);
  const isOrder = judged.some((j) => j.findings.some((f) => f.id === "gradient-order"));
  if (isOrder) return wrong.map((x) => x.name);
  const kept = judged.filter((j) => j.verdict === "right" && !j.input.isTarget).map((j) => j.input);
  return use.inputs
    .map((x) => x.name)
    .filter((name) => [...wrong, ...kept].some((x) => x.name === name));
}

function fixOf(
  use: HandwrittenUse,
  w: WrittenGradient,
  names: readonly string[],
): HandWritten["fix"] {
  if (use.fix === null) return null;
  const { position } = use.fix;
  const wanted = use.inputs.filter(
    (x): x is Wanted & typeof x =>
      names.includes(x.name) &&
      x.node.type === "float" &&
      (position === null || x.position === position) &&
      w.outputs.some((o) => dependsOn(o, x.node)),
  );
  if (wanted.length === 0) return null;
  const edits = fixEdits(w, wanted, use.fix);
  return edits === null
    ? null
    : { title: `Replace ${use.gradientName} by the derived gradient`, edits };
}

/** Lines of the gradient's definition that made the outermost parts of what it returns. */
function linesOf(use: HandwrittenUse, j: InputJudgement): number[] {
  const k = use.inputs.findIndex((x) => x.node === j.input.node);
  const { line, endLine } = use.definition;
  const isInside = (n: number): boolean => n >= line && n <= (endLine ?? line);
  const found = new Set<number>();
  const visit = (e: Expr | null | undefined, depth: number): void => {
    if (e === null || e === undefined || depth > 6) return;
    const own = use.lines.get(e);
    if (own !== undefined && isInside(own)) found.add(own);
    else for (const a of e.args) visit(a, depth + 1);
  };
  visit(use.gradients[k], 0);
  return [...found].sort((a, c) => a - c);
}

function counterexampleOf(j: InputJudgement): HandWritten["counterexample"] {
  const found = j.counterexample;
  if (found === null) return null;
  return {
    arrays: Object.entries(found.inputs).map(([name, a]) => ({
      name,
      shape: a.shape,
      values: Array.from(a.data),
    })),
    index: found.index,
    written: found.a,
    right: found.b,
  };
}
