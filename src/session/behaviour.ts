/** `explain`: how the gradient of an inspected loss behaves on its arrays, and three claims settled. */
import { ShapeError } from "../expression/axis.ts";
import { type Expr, type Input, type SourceSpan, withAnnotations } from "../expression/node.ts";
import { leaves, resize, topological } from "../expression/walk.ts";
import { type Measured, measureBehaviour } from "../explain/behaviour/behaviour.ts";
import { takesLogits } from "../explain/behaviour/factors.ts";
import { limitWords } from "../explain/behaviour/finding.ts";
import { findingsOf } from "../explain/behaviour/findings.ts";
import type { LimitValue } from "../explain/behaviour/limits.ts";
import type { BehaviourSubject } from "../explain/behaviour/subject.ts";
import type { ClaimFacts } from "../explain/claims/claim.ts";
import { claimsOf } from "../explain/claims/claims.ts";
import { checkGradient } from "../gradient/check.ts";
import { gradient } from "../gradient/gradient.ts";
import { interruptible } from "../numbers/interruption.ts";
import { type Watch as PartWatch, type TypedArray, within } from "../numbers/typedArrays.ts";
import { Arena } from "../numbers/wasm/arena.ts";
import { formatShape } from "../arrays/ndarray.ts";
import { finite } from "../report/numbers.ts";
import type { Autograd, Behaviour, LimitEntry, Report } from "../report/schema.ts";
import { kernelArray } from "./bindings.ts";
import { type Inspection, InspectionError, type Watch, refuseStreamed } from "./inspect.ts";
import { areTooLarge, sampleArrays } from "./sampleArrays.ts";

/** From where on, of all the work of an explanation, the claims are settled. */
const CLAIMS_FROM = 0.8;

/** What to do to have real autograd asked, in the words of the face. */
export interface ExplainFace {
  readonly askAutograd: string;
}

/**
 * The report with `behaviour` and `claims`.
 * @param report the inspection's own, or the same with what real autograd said
 * @throws Cancelled
 */
export function explained(
  inspection: Inspection,
  report: Report,
  { askAutograd }: ExplainFace,
  watch: Watch,
): Report {
  refuseStreamed(inspection, "its gradient would be evaluated on them a hundred times");
  refuseFixed(inspection);
  const { spans = new Map(), labels = new Map() } = inspection;
  const arena = new Arena();
  const isCancelled = (): boolean => watch.isCancelled();
  const explain = (): Report => {
    const { subject, assumed } = subjectOf(inspection, arena, watch);
    const measured = measureBehaviour(subject, {
      onProgress: (f, what) => {
        watch.onProgress(CLAIMS_FROM * f, `explaining: ${what}`);
      },
      isCancelled,
    });
    const onProgress = (f: number): void => {
      watch.onProgress(f, "explaining: claims");
    };
    onProgress(CLAIMS_FROM);
    const claiming = within({ onProgress, isCancelled }, CLAIMS_FROM, 1);
    return {
      ...report,
      behaviour: behaviourOf(measured, assumed),
      claims: claimsOf(factsOf(measured, inspection, report, askAutograd, claiming)),
    };
  };
  try {
    return interruptible(isCancelled, () => withAnnotations(spans, labels, explain));
  } finally {
    arena.release();
  }
}

/** Behaviour is seen by moving the arrays, and then other values would decide. */
function refuseFixed({ fixed = [], report }: Inspection): void {
  const found = fixed.find((f) => f.inputs.length > 0);
  if (found === undefined) return;
  throw new InspectionError(
    `${report.function.name} cannot be explained on these arrays: ${found.what} (line ${found.line}) depends on their values, and an explanation moves them`,
    "Give smaller arrays: of up to 4,096 entries along an axis the order is part of the formula.",
  );
}

/** For a number that the call did not say, such as a weight. */
const SAMPLE_NUMBER = 0.5;

/** The loss on its arrays, or on sample arrays where any is missing. */
function subjectOf(
  inspection: Inspection,
  arena: Arena,
  watch: Watch,
): { subject: BehaviourSubject; assumed: string | null } {
  const { inputs, wrt, loss, report, spans } = inspection;
  watch.onProgress(null, "deriving");
  const target = inputs.find((x) => x.role === "target" && x !== wrt) ?? null;
  const derived = derivedGradient(inspection);
  const place = {
    ...(inspection.spans === undefined ? {} : { spans: inspection.spans }),
    file: report.function.file,
    isSurrogate: derived === null,
    arena,
  };
  const own = derived ?? inspection.gradientExpr;
  if (inputs.every((x) => x.array !== null)) {
    const bindings = new Map<string, TypedArray>(
      inputs.map((x) => [x.name, arena.resident(kernelArray(x.array!))]),
    );
    return {
      subject: {
        ...place,
        loss,
        gradient: own,
        wrt: wrt.node as Input,
        target: (target?.node ?? null) as Input | null,
        bindings,
      },
      assumed: null,
    };
  }
  if (areTooLarge(inputs.map((x) => x.node))) {
    throw new InspectionError(
      `sample arrays of the shapes of ${report.function.name} would be too large`,
      "Give smaller shapes: what an explanation shows depends on them little.",
    );
  }
  const { sizes, bindings } = sampleArrays(inputs, takesLogits(loss, wrt.node));
  const numbers = leaves(loss).flatMap((e) =>
    e.kind === "parameter" && e.value === null ? [e.name] : [],
  );
  const sized = (e: Expr): Expr => {
    try {
      return resize(e, sizes);
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error;
      throw new InspectionError(
        `${report.function.name} fits no sample arrays, so it cannot be explained without arrays`,
        "Give it arrays: explain(loss(p, t)) in a cell, NAME=VALUE on the command line.",
      );
    }
  };
  const shapes = inputs.map(
    (x) => `${x.name} ${formatShape(sized(x.node).shape.map((a) => a.size!))}`,
  );
  return {
    subject: {
      loss: sized(loss),
      gradient: sized(own),
      wrt: sized(wrt.node) as Input,
      target: (target === null ? null : sized(target.node)) as Input | null,
      bindings: new Map([
        ...bindings,
        ...numbers.map((n) => [n, Float64Array.of(SAMPLE_NUMBER)] as const),
      ]),
      ...place,
      isSample: true,
      ...(spans === undefined ? {} : { spans: sizedSpans(loss, spans, sized) }),
    },
    assumed: `no arrays were given, so all numbers here are of sample arrays: ${shapes.join(", ")}, a round foreground and a fair prediction of it${numbers.length === 0 ? "" : `; ${numbers.join(", ")} = ${SAMPLE_NUMBER}`}`,
  };
}

/** Where the numbers were written that are added or limit something, of the loss with sizes. */
function sizedSpans(
  loss: Expr,
  spans: ReadonlyMap<Expr, SourceSpan>,
  sized: (e: Expr) => Expr,
): Map<Expr, SourceSpan> {
  const written = topological(loss).filter((e) => e.kind === "binary" || e.kind === "clamp");
  return new Map(
    written.flatMap((e) => {
      const span = spans.get(e);
      return span === undefined ? [] : [[sized(e), span] as const];
    }),
  );
}

/** Null where the loss itself has no gradient, and one written by hand stands in for it. */
function derivedGradient({ report, loss, wrt, gradientExpr }: Inspection): Expr | null {
  const own = (report.handwritten ?? []).find((h) => h.inForce);
  if (own === undefined) return gradientExpr;
  return own.verdict === "right" || own.verdict === "wrong" || own.verdict === "refused"
    ? gradient(loss, wrt.node)
    : null;
}

function behaviourOf(measured: Measured, assumed: string | null): Behaviour {
  const { smoothing, charts, limits } = measured;
  return {
    assumed,
    findings: findingsOf(measured),
    smoothing: smoothing.map(({ name, value, kind, place, lines }) => ({
      name, value, kind, place, lines,
    })), // prettier-ignore
    charts: charts.map((c) => ({
      ...c,
      series: c.series.map((s) => ({ ...s, values: s.values.map(finite), own: finite(s.own) })),
    })),
    limits: limits.map(({ id, what, of, own, bare }) => ({
      id,
      what,
      of,
      own: entryOf(own),
      without: bare === null ? null : entryOf(bare),
    })),
  };
}

function entryOf(limit: LimitValue): LimitEntry {
  return { ...limit, words: limitWords(limit) };
}

function factsOf(
  measured: Measured,
  { inputs, wrt }: Inspection,
  report: Report,
  askAutograd: string,
  watch: PartWatch,
): ClaimFacts {
  const { loss, bindings } = measured.subject;
  const isBound = inputs.every((x) => x.array !== null);
  const check = isBound
    ? report.check
    : checkGradient({ loss, wrt: measured.subject.wrt, bindings, ...within(watch, 0, 0.5) });
  return {
    measured,
    watch,
    check: {
      verdict: check.verdict,
      units: check.maxScaledError,
      bound: check.bound,
      sentence: check.sentence,
    },
    handwritten: (report.handwritten ?? [])
      .filter((h) => h.inForce)
      .map((h) => ({
        name: h.gradientName,
        wrong: h.verdict === "wrong" || h.verdict === "refused",
        sentence: h.sentence,
        lines: h.location.line === undefined ? [] : [h.location.line],
      })),
    runs: (report.autogradRuns ?? []).map((r, _k, all) => ({
      library: r.library,
      name: runName(r, all),
      dtype: r.dtype,
      agrees: r.verdict === "agrees" ? true : r.verdict === "differs" ? false : null,
      units: r.maxScaledError ?? null,
      bound: r.bound ?? null,
      maxAbs: r.maxAbsError,
      maxUlps: r.maxUlps ?? null,
      failure: r.failure ?? null,
    })),
    agreements: report.autogradAgreements ?? [],
    libraries: report.autogradLibraries ?? [],
    dtype: wrt.array?.dtype ?? "float64",
    askAutograd,
  };
}

/** "PyTorch 2.13.0", and where it ran on several devices, "PyTorch 2.13.0 (cuda)". */
function runName({ library, version, device }: Autograd, all: readonly Autograd[]): string {
  const name = version === "" ? library : `${library} ${version}`;
  return all.filter((r) => r.library === library).length > 1 ? `${name} (${device})` : name;
}
