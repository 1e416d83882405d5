/** The lines from the scores of the regions to the value that is returned. */
import { valueOf } from "../../../../src/losses/spec.ts";
import type { Page } from "./page.ts";
import { presenceOf, writeScore } from "./score.ts";
import { CLASSES, type Content } from "./style.ts";

export function reduce(page: Page, content: Content): void {
  if (page.style.sums === "loop over classes") loop(page, content);
  else vectors(page, content);
}

/** All regions at once. */
function vectors(page: Page, content: Content): void {
  const { spec } = content;
  const { dialect: d, names } = page.style;
  let score = writeScore(page, content, names.p, names.t);
  const w = (): string => d.vector((spec.weights as readonly number[]).map(asFloat));
  if (spec.classWeighting === "score") {
    page.put(`score = ${w()} * ${score}`, "class-weights");
    score = "score";
  }
  const noClass =
    spec.region === "class and space" ||
    spec.region === "everything" ||
    spec.classWeighting === "volume";
  const noBatch = spec.region === "batch and space" || spec.region === "everything";
  const single = noClass && noBatch;
  page.put(
    `value = ${spec.lossPlace === "each region" || single ? lossOf(page, content, score) : score}`,
    "loss-of-score",
    "outer-function",
    "constant-factor",
  );
  if (spec.outer.kind !== "none" && (spec.outerPlace === "each region" || single)) {
    page.put(`value = ${outerOf(page, content, "value")}`, "outer-function");
  }
  if (spec.absentClasses === "zero loss") {
    page.put(`value = value * ${presenceOf(page, content, names.t)}`, "absent-classes");
  }
  if (spec.absentClasses === "left out") {
    if (!noBatch || spec.classWeighting !== "none")
      throw new Error("one mean over present classes at a time");
    page.put(`seen = ${presenceOf(page, content, names.t)}`, "absent-classes");
    page.put(
      `value = ${d.sum("value * seen", null)} / ${d.sum("seen", null)}`,
      "absent-classes",
      "class-reduction",
    );
    finish(page, content);
    return;
  }
  if (spec.classWeighting === "loss") page.put(`value = ${w()} * value`, "class-weights");
  if (spec.classWeighting === "normalized loss") {
    page.put(`w = ${w()}`, "class-weights");
    page.put(
      `value = ${d.sum("w * value", [noBatch ? 0 : 1])} / ${d.sum("w", null)}`,
      "class-weights",
      "class-reduction",
    );
  } else if (
    spec.classReduction === spec.batchReduction &&
    spec.lossPlace !== "after the classes" &&
    spec.outerPlace !== "after the classes"
  ) {
    const whole = spec.classReduction === "sum" ? d.sum("value", null) : d.mean("value", null);
    if (!single) page.put(`value = ${whole}`, "class-reduction", "batch-reduction");
  } else {
    if (!noClass) {
      const axis = noBatch ? 0 : 1;
      const over = spec.classReduction === "sum" ? d.sum("value", [axis]) : d.mean("value", axis);
      page.put(`value = ${over}`, "class-reduction");
    }
    if (!noBatch) {
      const over = spec.batchReduction === "sum" ? d.sum("value", null) : d.mean("value", null);
      page.put(`value = ${over}`, "batch-reduction");
    }
  }
  if (spec.classWeighting === "normalized loss" && !noBatch) {
    page.put(`value = ${d.mean("value", null)}`, "batch-reduction");
  }
  if (spec.lossPlace !== "each region" && !single) {
    page.put(
      `value = ${lossOf(page, content, "value")}`,
      "loss-of-score",
      "outer-function",
      "constant-factor",
    );
  }
  if (spec.outer.kind !== "none" && spec.outerPlace !== "each region" && !single) {
    page.put(`value = ${outerOf(page, content, "value")}`, "outer-function");
  }
  finish(page, content);
}

/** TensorFlow takes whole numbers for integers, which do not multiply floats. */
const asFloat = (v: number): string => (Number.isInteger(v) ? `${v}.0` : String(v));

/** One class after another. */
function loop(page: Page, content: Content): void {
  const { spec } = content;
  const { dialect: d, names } = page.style;
  const first = spec.classes === "without background" ? 1 : 0;
  const weights = spec.weights as readonly number[];
  const weighted = spec.classWeighting === "loss" || spec.classWeighting === "score";
  if (weighted) page.put(`weights = [${weights.join(", ")}]`, "class-weights");
  page.put("summed = 0.0", "class-reduction");
  page.put(
    first === 0 ? `for c in range(${CLASSES}):` : `for c in range(1, ${CLASSES}):`,
    "classes",
  );
  page.indent++;
  page.put(`pc = ${page.channels(names.p, "c")}`, "classes");
  page.put(`gc = ${page.channels(names.t, "c")}`, "classes");
  let score = writeScore(page, content, "pc", "gc");
  const w = first === 0 ? "weights[c]" : "weights[c - 1]";
  if (spec.classWeighting === "score") {
    page.put(`score = ${w} * ${score}`, "class-weights");
    score = "score";
  }
  page.put(
    `value = ${lossOf(page, content, score)}`,
    "loss-of-score",
    "outer-function",
    "constant-factor",
  );
  if (spec.outer.kind !== "none") {
    page.put(`value = ${outerOf(page, content, "value")}`, "outer-function");
  }
  if (spec.absentClasses === "zero loss") {
    page.put(`value = value * ${presenceOf(page, content, "gc")}`, "absent-classes");
  }
  if (spec.classWeighting === "loss") page.put(`value = ${w} * value`, "class-weights");
  if (spec.region === "space") {
    const over = spec.batchReduction === "sum" ? d.sum("value", null) : d.mean("value", null);
    page.put(`summed = summed + ${over}`, "batch-reduction", "class-reduction");
  } else {
    page.put("summed = summed + value", "class-reduction");
  }
  page.indent--;
  page.put(
    spec.classReduction === "sum" ? "value = summed" : `value = summed / ${CLASSES - first}`,
    "class-reduction",
    "classes",
    "constant-factor",
  );
  finish(page, content);
}

function lossOf(page: Page, { spec }: Content, score: string): string {
  const { dialect: d } = page.style;
  switch (spec.loss) {
    case "1 - D":
      return `1 - ${score}`;
    case "-D":
      return `-${score}`;
    case "D":
      return score;
    case "-log D": {
      const floor = valueOf(spec.scoreFloor);
      const inside = floor === 0 ? score : d.atLeast(score, page.number(spec.scoreFloor, "eps"));
      return `-${d.log(inside)}`;
    }
  }
}

function outerOf(page: Page, { spec }: Content, e: string): string {
  const { outer } = spec;
  const { dialect: d } = page.style;
  switch (outer.kind) {
    case "none":
      return e;
    case "power":
      return `(${e}) ** ${page.number(outer.exponent, "gamma")}`;
    case "log-cosh":
      return d.log(d.cosh(e));
    default:
      throw new Error(`no way to write ${outer.kind}`);
  }
}

/** The factor and further terms. */
function finish(page: Page, { spec }: Content): void {
  const { dialect: d, names, labels, rank } = page.style;
  const own =
    valueOf(spec.factor) === 1 ? "value" : `${page.number(spec.factor, "weight")} * value`;
  const terms = spec.addends.map((a) => {
    if (a.loss !== "binary cross entropy") throw new Error(`no way to write ${a.loss}`);
    const truth = labels ? d.oneHot!(names.target, CLASSES, rank) : names.target;
    const of =
      a.takes === "logits"
        ? d.bceOfLogits!(names.prediction, truth)
        : d.bce!(names.prediction, truth);
    return valueOf(a.weight) === 1 ? of : `${page.number(a.weight, "weight_bce")} * ${of}`;
  });
  if (terms.length > 0) page.put(`extra = ${terms.join(" + ")}`, "further-terms");
  page.put(
    `return ${[own, ...terms.map(() => "extra")].join(" + ")}`,
    "further-terms",
    "constant-factor",
  );
}
