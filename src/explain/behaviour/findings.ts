/** What a measured behaviour comes to, a sentence a finding, with the numbers of the user's arrays. */
import { number } from "../../gradient/nodeWords.ts";
import type { Chart, Series } from "./chart.ts";
import type { Measured } from "./behaviour.ts";
import {
  type Finding,
  capital,
  elements,
  finding,
  limitWords,
  place,
  ratioWords,
  share,
  voxels,
  whose,
} from "./finding.ts";
import { filled, largestOf, parts } from "../../numbers/interruption.ts";
import type { LimitValue } from "./limits.ts";
import { median } from "./shrink.ts";
import { smoothingFindings } from "./smoothingFindings.ts";

/** Slopes below this are called saturated; predictions within it of 0 or 1 have them. */
const SATURATED = 1e-3;
/** Predictions that are off by more than 1 less this are wrong and sure. */
const SURE = 0.01;
/** Gradients this many times the largest of the user's are called exploding. */
const EXPLODED = 1000;

export function findingsOf(m: Measured): Finding[] {
  const { here } = m;
  const bad = here.gradient.findIndex((g) => !Number.isFinite(g));
  if (bad >= 0) {
    return [
      finding(
        "undefined",
        "undefined",
        `The gradient has no value on these arrays: at ${place(m, bad)} it is ${here.gradient[bad]!}`,
      ),
      ...emptyFindings(m),
    ];
  }
  if (here.largest === 0) {
    return [
      finding("zero", "vanishes", "The gradient is exactly zero at every element"),
      ...emptyFindings(m),
    ];
  }
  const found = [
    ...activationFindings(m),
    ...endFindings(m),
    ...scaleFindings(m),
    ...smoothingFindings(m),
    ...emptyFindings(m),
  ];
  const explosion = explosionFinding(m);
  return explosion.kind === "explodes" ? [explosion, ...found] : [...found, explosion];
}

function activationFindings(m: Measured): Finding[] {
  const { slope, probability, gradient, largest } = m.here;
  const { activation } = m.factors;
  if (activation === null || slope === null || probability === null) return [];
  const name = activation.slopeText;
  let [small, most, least] = [0, 0, Infinity];
  for (const [first, end] of parts(slope.length)) {
    for (let k = first; k < end; k++) {
      const s = Math.abs(slope[k]!);
      if (s < least) least = s;
      if (s >= SATURATED) continue;
      small++;
      const g = Math.abs(gradient[k]!);
      if (g > most) most = g;
    }
  }
  const half = median(filled(new Float64Array(slope.length), (k) => Math.abs(slope[k]!))) ?? 0;
  const total = elements(slope.length);
  if (small === 0) {
    return [
      finding(
        "saturation",
        "steady",
        `No element is saturated: ${name} is at least ${number(least)} at each of ${whose(m)} ${total}, and at least ${number(half)} at half of them`,
      ),
      ...wrongAndSure(m, probability),
    ];
  }
  return [
    finding(
      "saturation",
      "vanishes",
      `${share(small, slope.length)} of ${whose(m)} ${total} have ${name} below ${SATURATED}, so their gradient is at most ${number(most)}: ${ratioWords(most, largest)} the largest, ${number(largest)}`,
    ),
    ...wrongAndSure(m, probability),
  ];
}

/** Elements whose prediction is all but the opposite of their target: they need a gradient most. */
function wrongAndSure(m: Measured, probability: Float64Array): Finding[] {
  if (m.groups === null || m.factors.activation?.kind === "other") return [];
  const { foreground } = m.groups;
  const { gradient, largest } = m.here;
  let [count, worst, least] = [0, -1, Infinity];
  for (let k = 0; k < probability.length; k++) {
    const off = foreground[k] === 1 ? 1 - probability[k]! : probability[k]!;
    if (off < 1 - SURE) continue;
    count++;
    const g = Math.abs(gradient[k]!);
    if (g < least) [least, worst] = [g, k];
  }
  if (count === 0) {
    return [
      finding(
        "wrong-and-sure",
        "steady",
        `No element is wrong and sure (off by more than ${1 - SURE}), so the small gradients are where little is wrong`,
      ),
    ];
  }
  const what = foreground[worst] === 1 ? "foreground" : "background";
  return [
    finding(
      "wrong-and-sure",
      "vanishes",
      `${capital(elements(count))} ${count === 1 ? "is" : "are"} wrong and sure (off by more than ${1 - SURE}): at ${place(m, worst)}, ${what} with a probability of ${number(probability[worst]!, 3)}, the gradient is ${number(gradient[worst]!)}, ${ratioWords(least, largest)} the largest`,
    ),
  ];
}

/** What happens to one prediction's gradient between its ends. */
function endFindings(m: Measured): Finding[] {
  if (m.domain === "values") return [];
  const found = (["foreground", "background"] as const).flatMap((group): Finding[] => {
    const chart = m.charts.find((c) => c.id === `one-${group}`);
    const series = chart?.series.find((s) => s.role === "gradient");
    if (chart === undefined || series === undefined) return [];
    return [oneFinding(m, chart, series, group)];
  });
  if (m.domain === "probabilities" && m.factors.activation?.squashes !== true)
    found.push(upstream(m));
  return found;
}

function oneFinding(
  m: Measured,
  chart: Chart,
  series: Series,
  group: "foreground" | "background",
): Finding {
  const id = `one-${group}`;
  const limit = (which: 0 | 1): LimitValue | undefined =>
    m.limits.find((l) => l.id === `${group}-to-${which}`)?.own;
  const ends = [limit(0), limit(1)] as const;
  const sizes = series.values.filter(Number.isFinite).map(Math.abs);
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)];
  const told = ([0, 1] as const).map((which) => {
    const end = m.domain === "logits" ? `probability ${which}` : String(which);
    return `${limitWords(ends[which])} at ${end}`;
  });
  const own = `${number(series.own, 3)} at ${whose(m)} ${chart.x} = ${number(chart.own, 3)}`;
  const values = `${told[0]!}, ${own}, ${told[1]!}`;
  if (ends.some((e) => e?.kind === "infinite")) {
    return finding(
      id,
      "explodes",
      `The gradient of one ${group} element grows without bound: ${values}`,
    );
  }
  const vanishing = ([0, 1] as const).filter((which) => ends[which]?.kind === "zero");
  if (vanishing.length > 0) {
    const where = vanishing.length === 2 ? "to 0 and to 1" : `to ${vanishing[0]!}`;
    return finding(
      id,
      "vanishes",
      `The gradient of one ${group} element vanishes as its prediction goes ${where}: ${values}`,
    );
  }
  if (least > 0 && most / least < 10) {
    return finding(
      id,
      "steady",
      `The gradient of one ${group} element does not vanish, wherever its prediction is: ${values}`,
    );
  }
  return finding(
    id,
    "information",
    `The gradient of one ${group} element depends on its prediction: ${values}, and between ${number(least)} and ${number(most)} in size on the way`,
  );
}

/** A sigmoid that stands outside the function is not in its gradient. */
function upstream(m: Measured): Finding {
  const { subject } = m;
  const data = subject.bindings.get(subject.wrt.name)!;
  let small = 0;
  const slopes = filled(new Float64Array(data.length), (k) => {
    const slope = data[k]! * (1 - data[k]!);
    if (slope < SATURATED) small++;
    return slope;
  });
  return finding(
    "sigmoid-outside",
    small > 0 ? "information" : "steady",
    `No sigmoid and no softmax is inside this loss. If a sigmoid makes ${subject.wrt.name} before it, that multiplies what reaches the logits by p(1 − p): ${number(median(slopes) ?? 0)} for half of ${whose(m)} elements or less, and below ${SATURATED} for ${share(small, data.length)} of them`,
  );
}

function scaleFindings(m: Measured): Finding[] {
  const { ratio } = m.factors;
  const { regions } = m.here;
  if (ratio === null || regions.length === 0) return [];
  const sorted = [...regions].sort((a, b) => a.denominator - b.denominator);
  const [small, large] = [sorted[0]!, sorted.at(-1)!];
  const { words } = ratio;
  if (regions.length === 1) {
    return [
      finding(
        "scale",
        "information",
        `The ratio's scale is 1/${words} = 1/${number(small.denominator, 6)} = ${number(1 / small.denominator)}: every element's gradient has it as a factor, and it shrinks as the masks grow`,
      ),
    ];
  }
  return [
    finding(
      "scale",
      "information",
      `The ratio's scale is 1/${words}, from ${number(1 / large.denominator)} to ${number(1 / small.denominator)} over its ${regions.length} regions (samples or classes): elements of the smallest (${voxels(small.foreground)} of foreground) get ${number(large.denominator / small.denominator)} times as much of it as those of the largest (${voxels(large.foreground)})`,
    ),
  ];
}

function emptyFindings(m: Measured): Finding[] {
  const found: Finding[] = [];
  for (const id of ["empty-mask", "both-empty"] as const) {
    const limit = m.limits.find((l) => l.id === id);
    if (limit === undefined) continue;
    const { own, bare } = limit;
    const without = bare === null ? "" : `; without smoothing it is ${limitWords(bare)}`;
    const kind =
      own.kind === "infinite" || Math.abs(own.value ?? 0) > EXPLODED * m.here.largest
        ? "explodes"
        : own.kind === "undefined" || !own.reached
          ? "undefined"
          : own.kind === "zero"
            ? "vanishes"
            : "information";
    found.push(
      finding(
        id,
        kind,
        `Where ${limit.what}, the gradient of an element is ${limitWords(own)}${without}`,
      ),
    );
  }
  return found;
}

/** The largest gradient anywhere on the paths, beside the user's own largest. */
function explosionFinding(m: Measured): Finding {
  const { largest } = m.here;
  const infinite = m.limits.filter((l) => l.own.kind === "infinite");
  if (infinite.length > 0) {
    return finding(
      "explosion",
      "explodes",
      `The gradient grows without bound where ${infinite[0]!.what}`,
    );
  }
  const values = m.limits.flatMap((l) =>
    l.own.value === null ? [] : [{ size: Math.abs(l.own.value), what: l.what }],
  );
  const paths = m.charts.flatMap((c) =>
    c.series
      .filter((s) => s.role === "gradient")
      .map((s) => ({ size: largestOf(s.values.filter(Number.isFinite)), what: `in “${c.title}”` })),
  );
  const most = [...values.map((v) => ({ ...v, what: `where ${v.what}` })), ...paths].reduce(
    (a, c) => (c.size > a.size ? c : a),
    { size: largest, what: "" },
  );
  const times = most.size / largest;
  return times >= EXPLODED
    ? finding(
        "explosion",
        "explodes",
        `The gradient gets as large as ${number(most.size)} ${most.what}, ${number(times)} times ${whose(m)} largest, ${number(largest)}`,
      )
    : finding(
        "explosion",
        "steady",
        `Nothing explodes: on all of these paths no gradient is larger than ${number(most.size)}, ${number(Math.max(1, times))} times ${whose(m)} largest`,
      );
}
