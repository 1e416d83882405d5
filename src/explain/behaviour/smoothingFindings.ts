/** Findings about the smoothing of a loss: where it matters, and where it does not. */
import type { Measured } from "./behaviour.ts";
import type { Chart, Series } from "./chart.ts";
import { type Finding, factorWords, finding, percent, voxels, whose } from "./finding.ts";
import { smoothingWords } from "./smoothing.ts";

/** What the smoothing does on the arrays, at the smallest mask, and from which size of mask down. */
export function smoothingFindings(m: Measured): Finding[] {
  const { here, smoothing } = m;
  if (smoothing.length === 0 || here.bare === null) {
    return [finding("smoothing", "information", "The loss has no smoothing and no epsilon")];
  }
  const lines = [...new Set(smoothing.flatMap((s) => s.lines))];
  const names = smoothingWords(smoothing);
  const found: Finding[] = [];
  const change = here.smoothingChange;
  found.push(
    change === null
      ? finding(
          "smoothing",
          "information",
          `Without ${names} the gradient would have no value on these arrays`,
          lines,
        )
      : finding(
          "smoothing",
          "information",
          `On these arrays ${names} changes the gradient by ${change === 0 ? "nothing" : `at most ${percent(change)} of its largest entry`}`,
          lines,
        ),
  );
  const smallest = here.regions
    .filter((r) => r.foreground > 0)
    .sort((a, b) => a.foreground - b.foreground)[0];
  if (smallest !== undefined && here.regions.length > 1 && smallest.bareLargest > 0) {
    const factor = smallest.largest / smallest.bareLargest;
    found.push(
      finding(
        "smallest-mask",
        factor < 0.5 ? "vanishes" : "information",
        `At ${whose(m)} smallest mask (${voxels(smallest.foreground)}) ${names} ${factorWords(factor)}`,
        lines,
      ),
    );
  }
  const onset = onsetWords(m);
  if (onset !== null) found.push(finding("smoothing-onset", "information", onset, lines));
  return found;
}

/** Foreground series of the path where the prediction follows the mask. */
function following(charts: readonly Chart[]): {
  readonly at: readonly number[];
  readonly ratio: readonly number[];
} | null {
  const chart = charts.find((c) => c.id === "following");
  const of = (role: Series["role"]): readonly number[] | undefined =>
    chart?.series.find((s) => s.role === role && s.group === "foreground")?.values;
  const [own, bare] = [of("gradient"), of("without-smoothing")];
  if (chart === undefined || own === undefined || bare === undefined) return null;
  return { at: chart.at, ratio: own.map((g, k) => g / bare[k]!) };
}

/**
 * The largest mask, on the path where the prediction follows it, at which smoothing changes the mean
 * gradient of the foreground by a tenth or more; null where none does.
 */
export function smoothingOnset({ charts }: Measured): number | null {
  const path = following(charts);
  if (path === null) return null;
  const matters = path.at.filter((n, k) => {
    const ratio = path.ratio[k]!;
    return n >= 1 && (ratio < 0.9 || ratio > 1 / 0.9);
  });
  return matters.at(-1) ?? null;
}

function onsetWords(m: Measured): string | null {
  const path = following(m.charts);
  if (path === null) return null;
  const names = smoothingWords(m.smoothing);
  const first = smoothingOnset(m);
  const last = path.ratio[path.at.indexOf(1)];
  const atOne =
    last === undefined || !Number.isFinite(last) ? "" : `; at a single one it ${factorWords(last)}`;
  return first === null
    ? `As the mask and what is predicted of it shrink to a single voxel, ${names} changes the mean gradient of the foreground by less than a tenth${atOne}`
    : `As the mask and what is predicted of it shrink, ${names} changes the mean gradient of the foreground by a tenth or more from about ${voxels(first)} down${atOne}`;
}
