/**
 * A loss of the family written out as Python, in one of many styles. The writer knows nothing of the
 * engine's templates: it writes down what people write, and on which line each thing stands.
 */
import type { ReasonId } from "../../../../src/explain/reasons/groups.ts";
import { type FamilySpec, type Scalar, valueOf } from "../../../../src/losses/spec.ts";
import type { Dialect } from "./dialects.ts";
import type { Random } from "./random.ts";

/** How the code is laid out. */
export interface Style {
  readonly dialect: Dialect;
  /** Sums over axes, over flattened arrays, by einsum, or class by class. */
  readonly sums: "axes" | "flattened" | "einsum" | "loop over classes";
  /** Where numbers stand: in place, as default arguments, in `__init__`, or at the top of the file. */
  readonly numbers: "literals" | "arguments" | "attributes" | "constants";
  /** The ratio in a function of its own. */
  readonly helper: boolean;
  /** Numerator and denominator in one line with the quotient. */
  readonly dense: boolean;
  /** Label maps, which the loss encodes itself. */
  readonly labels: boolean;
  readonly names: Names;
}

interface Names {
  readonly prediction: string;
  readonly target: string;
  readonly p: string;
  readonly t: string;
  readonly overlap: string;
  readonly denominator: string;
}

const NAMES: readonly Names[] = [
  {
    prediction: "logits",
    target: "target",
    p: "probs",
    t: "truth",
    overlap: "inter",
    denominator: "union",
  },
  {
    prediction: "y_pred",
    target: "y_true",
    p: "p",
    t: "g",
    overlap: "tp",
    denominator: "cardinality",
  },
  { prediction: "pred", target: "mask", p: "q", t: "m", overlap: "num", denominator: "den" },
  {
    prediction: "inputs",
    target: "targets",
    p: "soft",
    t: "hard",
    overlap: "intersection",
    denominator: "total",
  },
];

export interface WrittenLoss {
  readonly source: string;
  /** What makes the loss a callable: a name, or a class called without arguments. */
  readonly callable: string;
  /** Lines (from 1) on which each reason stands, or would. */
  readonly lines: ReadonlyMap<ReasonId, ReadonlySet<number>>;
  readonly style: Style;
}

/** Classes of the losses that name their number. */
export const CLASSES = 3;

export function drawStyle(
  random: Random,
  spec: FamilySpec,
  dialects: readonly Dialect[],
  labels: boolean,
): Style {
  const able = dialects.filter(
    (d) =>
      (!labels || d.oneHot !== null) &&
      (spec.stopped === "nothing" || d.detached !== null) &&
      spec.addends.every((a) => (a.takes === "logits" ? d.bceOfLogits : d.bce) !== null),
  );
  const dialect = random.pick(able);
  const sums: Style["sums"][] = ["axes", "axes"];
  if (dialect.flatten !== null) sums.push("flattened", "flattened");
  if (dialect.einsum !== null && spec.overlap === "product") sums.push("einsum");
  const separate = spec.region === "space" || spec.region === "batch and space";
  if (separate && canLoop(spec)) sums.push("loop over classes", "loop over classes");
  const numbers = random.pick(["literals", "arguments", "attributes", "constants"] as const);
  return {
    dialect,
    sums: random.pick(sums),
    // Python rounds what is computed from literals: ε/3 is then no third of ε to fifty digits.
    numbers:
      (numbers === "attributes" && dialect.module === null) ||
      (numbers === "literals" && spec.targetSmoothing.kind !== "none")
        ? "arguments"
        : numbers,
    helper: random.chance(0.25),
    dense: random.chance(0.4),
    labels,
    names: random.pick(NAMES),
  };
}

/** What happens to each class by itself. */
function canLoop(spec: FamilySpec): boolean {
  return (
    spec.classWeighting !== "volume" &&
    spec.classWeighting !== "normalized loss" &&
    spec.absentClasses !== "left out" &&
    spec.lossPlace === "each region" &&
    spec.outerPlace === "each region"
  );
}

interface Line {
  readonly indent: number;
  readonly code: string;
  readonly reasons: readonly ReasonId[];
}

/** @throws when the style cannot hold the spec */
export function write(spec: FamilySpec, style: Style): WrittenLoss {
  return new Writer(spec, style).write();
}

/** Everything that makes the quotient; where one of them is missing, here it would stand. */
const RATIO: readonly ReasonId[] = [
  "ratio",
  "smoothing",
  "overlap-factor",
  "denominator-floor",
  "class-weights",
  "absent-classes",
];
class Writer {
  private readonly lines: Line[] = [];
  private readonly constants = new Map<string, number>();
  private indent = 1;
  private readonly spec: FamilySpec;
  private readonly style: Style;

  constructor(spec: FamilySpec, style: Style) {
    this.spec = spec;
    this.style = style;
  }

  write(): WrittenLoss {
    const { dialect, names, helper, numbers } = this.style;
    this.prepared();
    const split = this.lines.length;
    if (this.style.sums === "loop over classes") this.loop();
    else this.vectors();
    const file: Line[] = dialect.imports.map((code) => ({ indent: 0, code, reasons: [] }));
    const put = (indent: number, code: string, reasons: readonly ReasonId[] = []): void => {
      file.push({ indent, code, reasons });
    };
    put(0, "");
    const asDefaults = [...this.constants].map(([name, v]) => `, ${name}=${v}`).join("");
    const isModule = numbers === "attributes";
    if (numbers === "constants") {
      for (const [name, v] of this.constants) put(0, `${name} = ${v}`);
      put(0, "");
    }
    const body = helper ? this.lines.slice(0, split) : this.lines;
    if (helper && !isModule) {
      const own = numbers === "arguments" ? asDefaults : "";
      put(
        0,
        `def region_loss(${names.p}, ${names.t}, ${names.prediction}, ${names.target}${own}):`,
      );
      file.push(...this.lines.slice(split));
      put(0, "");
    }
    const shift = isModule ? 1 : 0;
    const base =
      dialect.layout === "channels-last"
        ? [names.target, names.prediction]
        : [names.prediction, names.target];
    if (isModule) {
      const { base: parent, method } = dialect.module!;
      put(0, `class Loss(${parent}):`);
      put(1, `def __init__(self${asDefaults}):`);
      put(2, "super().__init__()");
      for (const name of this.constants.keys()) put(2, `self.${name} = ${name}`);
      put(0, "");
      put(1, `def ${method}(self, ${base.join(", ")}):`);
    } else {
      put(0, `def loss(${base.join(", ")}${numbers === "arguments" ? asDefaults : ""}):`);
    }
    for (const l of body) file.push({ ...l, indent: l.indent + shift });
    if (helper && isModule) {
      put(
        2,
        `return self.region_loss(${names.p}, ${names.t}, ${names.prediction}, ${names.target})`,
      );
      put(0, "");
      put(
        1,
        `def region_loss(self, ${names.p}, ${names.t}, ${names.prediction}, ${names.target}):`,
      );
      for (const l of this.lines.slice(split)) file.push({ ...l, indent: l.indent + 1 });
    } else if (helper) {
      const passed =
        numbers === "arguments"
          ? [...this.constants.keys()].map((n) => `, ${n}=${n}`).join("")
          : "";
      put(
        1,
        `return region_loss(${names.p}, ${names.t}, ${names.prediction}, ${names.target}${passed})`,
      );
    }
    const lines = new Map<ReasonId, Set<number>>();
    file.forEach((l, k) => {
      for (const id of l.reasons) lines.set(id, (lines.get(id) ?? new Set()).add(k + 1));
    });
    const source = file.map((l) => "    ".repeat(l.code === "" ? 0 : l.indent) + l.code).join("\n");
    return {
      source: `${source}\n`,
      callable: isModule ? "Loss()" : "loss",
      lines,
      style: this.style,
    };
  }

  private put(code: string, ...reasons: readonly ReasonId[]): void {
    this.lines.push({ indent: this.indent, code, reasons });
  }

  /** A number in the code: a literal, or the name that stands for it. */
  private number(s: Scalar, hint: string): string {
    const value = valueOf(s);
    const { numbers } = this.style;
    if (numbers === "literals" || value === 0) return String(value);
    const wanted = numbers === "constants" ? hint.toUpperCase() : hint;
    let name = wanted;
    for (let k = 2; this.constants.has(name) && this.constants.get(name) !== value; k++) {
      name = `${wanted}${k}`;
    }
    this.constants.set(name, value);
    return numbers === "attributes" ? `self.${name}` : name;
  }

  private get axes(): { batch: number; class: number; space: readonly number[] } {
    return this.style.dialect.layout === "channels-first"
      ? { batch: 0, class: 1, space: [2, 3] }
      : { batch: 0, class: 3, space: [1, 2] };
  }

  /** Some channels of an array. */
  private channels(e: string, which: string): string {
    return this.style.dialect.layout === "channels-first"
      ? `${e}[:, ${which}]`
      : `${e}[..., ${which}]`;
  }

  // Activation, target, classes.
  private prepared(): void {
    const { spec, style } = this;
    const { dialect: d, names } = style;
    const { p, t, prediction, target } = names;
    const { axes } = this;
    const activated: Record<string, () => void> = {
      none: () => {
        this.put(`${p} = ${prediction}`, "activation", "clipping", "classes", "thresholded");
      },
      sigmoid: () => {
        this.put(`${p} = ${d.sigmoid(prediction)}`, "activation", "clipping", "classes");
      },
      softmax: () => {
        this.put(
          `${p} = ${d.softmax(prediction, axes.class)}`,
          "activation",
          "clipping",
          "classes",
        );
      },
      "sigmoid twice": () => {
        this.put(`${p} = ${d.sigmoid(prediction)}`, "activation", "clipping", "classes");
        this.put(`${p} = ${d.sigmoid(p)}`, "activation", "clipping", "classes");
      },
      "softmax twice": () => {
        this.put(
          `${p} = ${d.softmax(prediction, axes.class)}`,
          "activation",
          "clipping",
          "classes",
        );
        this.put(`${p} = ${d.softmax(p, axes.class)}`, "activation", "clipping", "classes");
      },
      "softmax over batch": () => {
        this.put(
          `${p} = ${d.softmax(prediction, axes.batch)}`,
          "activation",
          "clipping",
          "classes",
        );
      },
    };
    const write = activated[spec.activation];
    if (write === undefined) throw new Error(`no way to write ${spec.activation}`);
    write();
    const clip = this.number(spec.predictionClip, "margin");
    if (valueOf(spec.predictionClip) !== 0) {
      this.put(`${p} = ${d.clip(p, clip, `1 - ${clip}`)}`, "clipping");
    }
    this.put(
      style.labels ? `${t} = ${d.oneHot!(target, CLASSES)}` : `${t} = ${target}`,
      "target-smoothing",
      "target-encoding",
      "classes",
    );
    const smoothing = spec.targetSmoothing;
    if (smoothing.kind === "uniform") {
      const e = this.number(smoothing.epsilon, "label_smoothing");
      this.put(`${t} = (1 - ${e}) * ${t} + ${e} / ${CLASSES}`, "target-smoothing");
    } else if (smoothing.kind === "floor") {
      const e = this.number(smoothing.epsilon, "label_smoothing");
      this.put(`${t} = (1 - ${e}) * ${t} + ${e}`, "target-smoothing");
    }
    if (spec.classes === "without background" && style.sums !== "loop over classes") {
      this.put(`${p}, ${t} = ${this.channels(p, "1:")}, ${this.channels(t, "1:")}`, "classes");
    }
    if (spec.stopped === "prediction") this.put(`${p} = ${d.detached!(p)}`, "detached");
    if (style.sums === "flattened") this.flattened();
  }

  private flattened(): void {
    const { names, dialect: d } = this.style;
    for (const e of [names.p, names.t]) {
      const own = {
        space: () => d.flatten!(e, 2),
        "batch and space": () => d.flatten!(d.swapBatchAndClass!(e), 1),
        "class and space": () => d.flatten!(e, 1),
        everything: () => d.flatten!(e, 0),
        class: () => assertNever(),
      }[this.spec.region]();
      this.put(`${e} = ${own}`, "region", ...this.firstUses());
    }
  }

  /** The sum of `terms` multiplied over the region. */
  private summed(term: string, letters: string): string {
    const { dialect: d, sums } = this.style;
    const { region } = this.spec;
    if (sums === "flattened") return d.sum(term, region === "everything" ? null : [-1]);
    const { axes } = this;
    if (sums === "loop over classes") {
      // A class alone: (B, H, W) in either layout.
      return d.sum(term, region === "space" ? [1, 2] : null);
    }
    if (sums === "einsum" && letters !== "") {
      const all = d.layout === "channels-first" ? "bchw" : "bhwc";
      const to = { space: "bc", "batch and space": "c", "class and space": "b", everything: "" }[
        region as "space"
      ];
      const factors = letters.split(",");
      return d.einsum!(factors.map(() => all).join(","), to, ...factors);
    }
    switch (region) {
      case "space":
        return d.sum(term, axes.space);
      case "batch and space":
        return d.sum(term, [axes.batch, ...axes.space]);
      case "class and space":
        return d.sum(term, [axes.class, ...axes.space].sort());
      default:
        return d.sum(term, null);
    }
  }

  /** Lines up to the score of each region; the score's name. */
  private score(p: string, t: string): string {
    const { spec, style } = this;
    const { dialect: d, names } = style;
    const { overlap: I, denominator: U } = names;
    const raised = (e: string, k: Scalar): string =>
      valueOf(k) === 1 ? e : valueOf(k) === 2 ? d.square(e) : `${e} ** ${this.number(k, "power")}`;
    if (spec.overlap === "l1") {
      const apart = this.summed(d.abs(`${p} - ${t}`), "");
      this.put(`apart = ${apart}`, "overlap", "region", ...this.firstUses());
      this.put(
        `${I} = (${this.summed(p, p)} + ${this.summed(t, t)} - apart) / 2`,
        "overlap",
        "region",
      );
    } else {
      const first = this.firstUses();
      this.put(`${I} = ${this.summed(`${p} * ${t}`, `${p},${t}`)}`, "overlap", "region", ...first);
    }
    const n = this.number(spec.smoothNumerator, "smooth");
    const e = this.number(
      spec.smoothDenominator,
      valueOf(spec.smoothNumerator) === valueOf(spec.smoothDenominator) ? "smooth" : "eps",
    );
    const plus = (name: string, s: Scalar): string => (valueOf(s) === 0 ? "" : ` + ${name}`);
    const { ratio } = spec;
    const own = (ratio.kind === "dice" ? 2 : 1) * valueOf(spec.overlapFactor);
    if (spec.classWeighting === "numerator")
      throw new Error("weights of the numerator are not written");
    const factor = own === 1 ? "" : `${own} * `;
    const P = this.summed(
      raised(p, spec.predictionPower),
      valueOf(spec.predictionPower) === 1 ? p : `${p},${p}`,
    );
    const T = this.summed(
      raised(t, spec.targetPower),
      valueOf(spec.targetPower) === 1 ? t : `${t},${t}`,
    );
    let bottom: string;
    if (ratio.kind === "tversky") {
      const [a, b] = [this.number(ratio.alpha, "alpha"), this.number(ratio.beta, "beta")];
      this.put(`fp = ${P} - ${I}`, "powers", "region", "ratio");
      this.put(`fn = ${T} - ${I}`, "powers", "region", "ratio");
      bottom = `${I} + ${a} * fp + ${b} * fn`;
    } else {
      const minus = ratio.kind === "jaccard" ? ` - ${I}` : "";
      if (style.dense) {
        bottom = `${P} + ${T}${minus}`;
      } else {
        this.put(`${U} = ${P} + ${T}${minus}`, "powers", "region", "ratio");
        bottom = U;
      }
    }
    if (spec.classWeighting === "volume") {
      this.volumeWeights(t);
      const axis = [spec.region === "space" ? 1 : 0];
      this.put(`top = ${d.sum(`w * ${I}`, axis)}`, "class-weights", "region");
      this.put(
        `bottom = ${d.sum(`w * (${bottom})`, axis)}`,
        "class-weights",
        "ratio",
        "region",
        "powers",
      );
      bottom = "bottom";
    }
    const top = spec.classWeighting === "volume" ? "top" : I;
    let whole = `${bottom}${plus(e, spec.smoothDenominator)}`;
    if (spec.stopped === "denominator") {
      this.put(
        `scale = ${d.detached!(whole)}`,
        "detached",
        ...RATIO,
        ...(style.dense ? (["powers", "region"] as const) : []),
      );
      whole = "scale";
    }
    if (valueOf(spec.denominatorFloor) !== 0) {
      const floor = this.number(spec.denominatorFloor, "eps");
      this.put(`bound = ${d.atLeast(whole, floor)}`, ...RATIO, "powers", "region");
      whole = "bound";
    }
    this.put(
      `score = (${factor}${top}${plus(n, spec.smoothNumerator)}) / (${whole})`,
      ...RATIO,
      ...(style.dense ? (["powers", "region"] as const) : []),
      "loss-of-score",
    );
    return "score";
  }

  /** What would stand here, where arrays are summed as they were given: a name alone is no step. */
  private firstUses(): ReasonId[] {
    const ids: ReasonId[] = [];
    if (this.spec.activation === "none") ids.push("activation", "clipping");
    if (!this.style.labels) ids.push("target-smoothing", "target-encoding");
    return ids;
  }

  private volumeWeights(t: string): void {
    const { spec } = this;
    const { absentWeight } = spec;
    const volume = this.summed(t, t);
    const power = valueOf(spec.volumePower);
    const raised = (e: string): string => (power === 1 ? e : `(${e}) ** ${power}`);
    if (absentWeight.kind === "added") {
      const e = this.number(absentWeight.epsilon, "tiny");
      this.put(
        `w = 1 / ${power === 1 ? `(${volume} + ${e})` : raised(`${volume} + ${e}`)}`,
        "class-weights",
        "region",
      );
    } else if (absentWeight.kind === "floor") {
      const e = this.number(absentWeight.at, "tiny");
      this.put(
        `w = 1 / ${this.style.dialect.atLeast(raised(volume), e)}`,
        "class-weights",
        "region",
      );
    } else if (absentWeight.kind === "infinite") {
      this.put(`w = 1 / ${raised(volume)}`, "class-weights", "region");
    } else throw new Error("the largest finite weight is not written");
  }

  private lossOf(score: string): string {
    const { spec } = this;
    const { dialect: d } = this.style;
    switch (spec.loss) {
      case "1 - D":
        return `1 - ${score}`;
      case "-D":
        return `-${score}`;
      case "D":
        return score;
      case "-log D": {
        const floor = valueOf(spec.scoreFloor);
        const inside = floor === 0 ? score : d.atLeast(score, this.number(spec.scoreFloor, "eps"));
        return `-${d.log(inside)}`;
      }
    }
  }

  private outerOf(e: string): string {
    const { outer } = this.spec;
    const { dialect: d } = this.style;
    switch (outer.kind) {
      case "none":
        return e;
      case "power":
        return `(${e}) ** ${this.number(outer.exponent, "gamma")}`;
      case "log-cosh":
        return d.log(d.cosh(e));
      default:
        throw new Error(`no way to write ${outer.kind}`);
    }
  }

  private present(t: string): string {
    return this.style.dialect.asFloat(`${this.summed(t, t)} > 0`);
  }

  /** All regions at once. */
  private vectors(): void {
    const { spec, style } = this;
    const { dialect: d, names } = style;
    let score = this.score(names.p, names.t);
    const w = (): string => d.vector((spec.weights as readonly number[]).map((v) => String(v)));
    if (spec.classWeighting === "score") {
      this.put(`score = ${w()} * ${score}`, "class-weights");
      score = "score";
    }
    const noClass =
      spec.region === "class and space" ||
      spec.region === "everything" ||
      spec.classWeighting === "volume";
    const noBatch = spec.region === "batch and space" || spec.region === "everything";
    const single = noClass && noBatch;
    this.put(
      `value = ${spec.lossPlace === "each region" ? this.lossOf(score) : score}`,
      "loss-of-score",
      "outer-function",
      "constant-factor",
    );
    if (spec.outer.kind !== "none" && (spec.outerPlace === "each region" || single)) {
      this.put(`value = ${this.outerOf("value")}`, "outer-function");
    }
    if (spec.absentClasses === "zero loss") {
      this.put(`value = value * ${this.present(names.t)}`, "absent-classes");
    }
    if (spec.absentClasses === "left out") {
      if (!noBatch || spec.classWeighting !== "none")
        throw new Error("one mean over present classes at a time");
      this.put(`seen = ${this.present(names.t)}`, "absent-classes");
      this.put(
        `value = ${d.sum("value * seen", null)} / ${d.sum("seen", null)}`,
        "absent-classes",
        "class-reduction",
      );
      this.finish("value");
      return;
    }
    if (spec.classWeighting === "loss") this.put(`value = ${w()} * value`, "class-weights");
    if (spec.classWeighting === "normalized loss") {
      this.put(`w = ${w()}`, "class-weights");
      this.put(
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
      if (!single) this.put(`value = ${whole}`, "class-reduction", "batch-reduction");
    } else {
      if (!noClass) {
        const axis = noBatch ? 0 : 1;
        const over = spec.classReduction === "sum" ? d.sum("value", [axis]) : d.mean("value", axis);
        this.put(`value = ${over}`, "class-reduction");
      }
      if (!noBatch) {
        const over = spec.batchReduction === "sum" ? d.sum("value", null) : d.mean("value", null);
        this.put(`value = ${over}`, "batch-reduction");
      }
    }
    if (spec.classWeighting === "normalized loss" && !noBatch) {
      this.put(`value = ${d.mean("value", null)}`, "batch-reduction");
    }
    if (spec.lossPlace !== "each region") {
      this.put(
        `value = ${this.lossOf("value")}`,
        "loss-of-score",
        "outer-function",
        "constant-factor",
      );
    }
    if (spec.outer.kind !== "none" && spec.outerPlace !== "each region" && !single) {
      this.put(`value = ${this.outerOf("value")}`, "outer-function");
    }
    this.finish("value");
  }

  /** One class after another. */
  private loop(): void {
    const { spec, style } = this;
    const { dialect: d, names } = style;
    const first = spec.classes === "without background" ? 1 : 0;
    const count = CLASSES - first;
    const weights = spec.weights as readonly number[];
    const weighted = spec.classWeighting === "loss" || spec.classWeighting === "score";
    if (weighted) this.put(`weights = [${weights.join(", ")}]`, "class-weights");
    this.put("summed = 0.0", "class-reduction");
    this.put(
      first === 0 ? `for c in range(${CLASSES}):` : `for c in range(1, ${CLASSES}):`,
      "classes",
    );
    this.indent++;
    this.put(`pc = ${this.channels(names.p, "c")}`, "classes");
    this.put(`gc = ${this.channels(names.t, "c")}`, "classes");
    let score = this.score("pc", "gc");
    const w = first === 0 ? "weights[c]" : "weights[c - 1]";
    if (spec.classWeighting === "score") {
      this.put(`score = ${w} * ${score}`, "class-weights");
      score = "score";
    }
    this.put(`value = ${this.lossOf(score)}`, "loss-of-score", "outer-function", "constant-factor");
    if (spec.outer.kind !== "none") this.put(`value = ${this.outerOf("value")}`, "outer-function");
    if (spec.absentClasses === "zero loss") {
      this.put(`value = value * ${this.present("gc")}`, "absent-classes");
    }
    if (spec.classWeighting === "loss") this.put(`value = ${w} * value`, "class-weights");
    if (spec.region === "space") {
      const over = spec.batchReduction === "sum" ? d.sum("value", null) : d.mean("value", null);
      this.put(`summed = summed + ${over}`, "batch-reduction", "class-reduction");
    } else {
      this.put("summed = summed + value", "class-reduction");
    }
    this.indent--;
    this.put(
      spec.classReduction === "sum" ? "value = summed" : `value = summed / ${count}`,
      "class-reduction",
      "classes",
      "constant-factor",
    );
    this.finish("value");
  }

  /** The factor and further terms. */
  private finish(value: string): void {
    const { spec, style } = this;
    const { dialect: d, names } = style;
    const k = valueOf(spec.factor);
    const own = k === 1 ? value : `${this.number(spec.factor, "weight")} * ${value}`;
    const terms = spec.addends.map((a) => {
      if (a.loss !== "binary cross entropy") throw new Error(`no way to write ${a.loss}`);
      const truth = style.labels ? d.oneHot!(names.target, CLASSES) : names.target;
      const of =
        a.takes === "logits"
          ? d.bceOfLogits!(names.prediction, truth)
          : d.bce!(names.prediction, truth);
      const weight = valueOf(a.weight);
      return weight === 1 ? of : `${this.number(a.weight, "weight_bce")} * ${of}`;
    });
    if (terms.length > 0) this.put(`extra = ${terms.join(" + ")}`, "further-terms");
    this.put(
      `return ${[own, ...terms.map(() => "extra")].join(" + ")}`,
      "further-terms",
      "constant-factor",
    );
  }
}

function assertNever(): never {
  throw new Error("unreachable");
}
