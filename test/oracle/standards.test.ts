/**
 * The default Dice losses of libraries, every one against every other, on one segmentation: what the
 * generated comparison says of their gradients is checked against both libraries running.
 *
 * UPDATE_STANDARDS=1 writes the table of test/oracle/STANDARDS.md, and the README's short form of it.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Axis, axis } from "../../src/expression/axis.ts";
import * as x from "../../src/expression/build.ts";
import { parseCall } from "../../src/losses/catalogue.ts";
import { type CatalogueEntry, Settings } from "../../src/losses/entry.ts";
import type { Comparison } from "../../src/report/schema.ts";
import { compareInspections, numericDifference } from "../../src/session/compare.ts";
import { inspect } from "../../src/session/inspect.ts";
import { type StandardLoss, standardLoss } from "../../src/session/standard.ts";
import { format } from "prettier";
import { root } from "../../scripts/lib/root.mjs";
import { type Filled, prediction, target } from "./catalogueArrays.ts";
import { runOracle } from "./environment.ts";

/** With the arguments that a loss cannot be made without. */
const STANDARDS: readonly string[] = [
  "monai.losses.DiceLoss()",
  'segmentation_models_pytorch.losses.DiceLoss(mode="multiclass")',
  'torchseg.losses.DiceLoss(mode="multiclass")',
  'pytorch_toolbelt.losses.DiceLoss(mode="multiclass")',
  "nnunetv2.training.loss.dice.SoftDiceLoss()",
  "nnunetv2.training.loss.dice.MemoryEfficientSoftDiceLoss()",
  "kornia.losses.DiceLoss()",
  "keras.losses.Dice()",
  "mmseg.models.losses.DiceLoss()",
  "mmdet.models.losses.DiceLoss()",
  "ultralytics.utils.loss.MultiChannelDiceLoss()",
  "catalyst.contrib.losses.DiceLoss()",
  "voxelmorph.torch.losses.Dice()",
];
const SHORT: readonly string[] = [
  "MONAI",
  "segmentation_models_pytorch",
  "torchseg",
  "pytorch-toolbelt",
  "nnU-Net",
  "nnU-Net, memory-efficient",
  "Kornia",
  "Keras",
  "MMSegmentation",
  "MMDetection",
  "Ultralytics",
  "Catalyst",
  "VoxelMorph (PyTorch)",
];

const SHAPE = [2, 3, 4, 5] as const;
const FILLED = {
  // Numbers that are probabilities to one loss and logits to another.
  prediction: prediction(SHAPE, "probabilities", 3),
  labels: target(SHAPE, 1, "labels", "hard", 5),
  channels: target(SHAPE, 1, "like the prediction", "hard", 5),
} as const;
const watch = { onProgress: () => undefined, isCancelled: () => false };
const folder = mkdtempSync(join(tmpdir(), "dice-gradient-standards-"));

after(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** The losses on one prediction, with class numbers as the target. */
function standards(): StandardLoss[] {
  const [b, c, h, w] = [
    axis("b", 2, "batch"),
    axis("c", 3, "class"),
    axis("h", 4, "space"),
    axis("w", 5, "space"),
  ] satisfies Axis[];
  const array = ({ shape, data }: Filled) =>
    ({ dtype: "float64", shape, data: Float64Array.from(data) }) as const;
  const p = x.input("prediction", [b!, c!, h!, w!]);
  const t = x.input("target", [b!, h!, w!], "int");
  const inputs = [
    { name: "prediction", node: p, role: "prediction", array: array(FILLED.prediction) },
    { name: "target", node: t, role: "target", array: array(FILLED.labels) },
  ] as const;
  const own = { name: "anything", file: "anything.py", line: 1 };
  const like = inspect(
    { function: own, loss: x.mean(p), inputs, wrt: null, assumptions: [], blockers: [] },
    watch,
  );
  return STANDARDS.map((call) => standardLoss(call, like, watch));
}

/** The arrays as a library takes them: its own order of axes, class numbers or channels. */
function arraysFor(entry: CatalogueEntry, call: string): { name: string; array: Filled }[] {
  const last = entry.layout === "channels-last";
  const form = entry.target(new Settings(parseCall(call).parameters), { classes: SHAPE[1] });
  const { labels, channels } = FILLED;
  const given: Readonly<Record<typeof form, Filled>> = {
    "like the prediction": last ? classesLast(channels) : channels,
    labels,
    "labels with a channel": { ...labels, shape: [SHAPE[0], 1, SHAPE[2], SHAPE[3]] },
  };
  const own = last ? classesLast(FILLED.prediction) : FILLED.prediction;
  return entry.arrays
    .filter((a) => a.is !== "mask")
    .map(({ name, is }) => ({ name, array: is === "prediction" ? own : given[form] }));
}

function classesLast({ data, type }: Filled): Filled {
  const [b, c, h, w] = SHAPE;
  const moved = data.map((_, k) => {
    const channel = k % c;
    const voxel = Math.floor(k / c) % (h * w);
    const sample = Math.floor(k / (c * h * w));
    return data[(sample * c + channel) * h * w + voxel]!;
  });
  return { shape: [b, h, w, c], data: moved, type };
}

function classesSecond(values: readonly number[]): Float64Array {
  const [b, c, h, w] = SHAPE;
  const moved = new Float64Array(b * c * h * w);
  for (const [k, v] of values.entries()) {
    const voxel = Math.floor(k / c) % (h * w);
    moved[(Math.floor(k / (c * h * w)) * c + (k % c)) * h * w + voxel] = v;
  }
  return moved;
}

/** Gradients as the libraries themselves make them; classes second. */
async function gradients(): Promise<Float64Array[]> {
  const found = new Array<Float64Array>(STANDARDS.length);
  const by = new Map<string, number[]>();
  STANDARDS.forEach((call, k) => {
    const { source } = parseCall(call).entry;
    const own = source.kind === "library" && source.transcribed !== true;
    const name = own ? source.package : "formulas";
    by.set(name, [...(by.get(name) ?? []), k]);
  });
  for (const [library, losses] of by) {
    const requests = losses.map((k) => {
      const { entry } = parseCall(STANDARDS[k]!);
      const arrays = arraysFor(entry, STANDARDS[k]!);
      return {
        call: STANDARDS[k],
        form: entry.form,
        arrays: arrays.map(({ name, array }) => ({ name, ...array })),
        wrt: entry.arrays.find((a) => a.is === "prediction")!.name,
      };
    });
    const [asked, answered] = [join(folder, "requests.json"), join(folder, "answers.json")];
    writeFileSync(asked, JSON.stringify(requests));
    await runOracle("test/oracle/catalogue.py", [library, asked, answered]);
    const { answers } = JSON.parse(readFileSync(answered, "utf8")) as {
      readonly answers: readonly { readonly gradient?: number[]; readonly error?: string }[];
    };
    answers.forEach(({ gradient, error }, j) => {
      assert.ok(gradient !== undefined, `${STANDARDS[losses[j]!]!}: ${error ?? ""}`);
      const last = parseCall(STANDARDS[losses[j]!]!).entry.layout === "channels-last";
      found[losses[j]!] = last ? classesSecond(gradient) : Float64Array.from(gradient);
    });
  }
  return found;
}

type Pair = Comparison["pairs"][number];

describe("the default Dice losses of two libraries, both running", function () {
  this.timeout(900_000);
  let made: StandardLoss[] = [];
  let theirs: Float64Array[] = [];
  const found = new Map<string, Pair>();
  before(async () => {
    made = standards();
    theirs = await gradients();
  });

  STANDARDS.forEach((a, k) => {
    it(`${a}: what is said of it beside each of the ${STANDARDS.length - k - 1} below is so`, () => {
      const others = made.slice(k + 1);
      const { pairs } = compareInspections([made[k]!, ...others], watch);
      pairs.forEach((pair, j) => {
        const b = k + 1 + j;
        const names = `${a} and ${STANDARDS[b]!}`;
        found.set(`${k} ${b}`, pair);
        const measured = numericDifference(theirs[k]!, theirs[b]!)!;
        const ours = numericDifference(made[k]!.inspection.gradient, made[b]!.inspection.gradient)!;
        const largest = theirs[k]!.reduce((m, g) => Math.max(m, Math.abs(g)), 0);
        assert.ok(Math.abs(ours.maxAbs - measured.maxAbs) <= 1e-12 * largest, names);
        assert.equal(pair.equal, measured.relative! < 1e-12 ? "exactly" : "no", names);
        if (pair.equal === "exactly") return;
        assert.equal(pair.complete, true, names);
        assert.ok(pair.differences.length > 0, names);
        const shares = pair.differences.map((d) => d.share!);
        assert.ok(Math.abs(shares.reduce((s, v) => s + v, 0) - 1) < 1e-6, names);
      });
    });
  });

  it("make the table of test/oracle/STANDARDS.md, and the README's", async function () {
    if (found.size < (STANDARDS.length * (STANDARDS.length - 1)) / 2) this.skip();
    const page = await format(pageText(found), { parser: "markdown", printWidth: 100 });
    const table = await format(shortText(found), { parser: "markdown", printWidth: 100 });
    write(join(root, "test/oracle/STANDARDS.md"), () => page);
    write(join(root, "README.md"), (text) =>
      text.replace(/(<!-- standards -->\n)[^]*?(<!-- \/standards -->)/, `$1\n${table}\n$2`),
    );
  });
});

/** Puts the text into the file, or sees that it is there. */
function write(path: string, change: (text: string) => string): void {
  const before = readFileSync(path, "utf8");
  const after = change(before);
  if (process.env["UPDATE_STANDARDS"] !== undefined) writeFileSync(path, after);
  else assert.equal(before, after, `UPDATE_STANDARDS=1 writes ${path} anew.`);
}

const percent = (relative: number): string =>
  relative < 0.005 ? "under 1 %" : `${Math.round(100 * relative)} %`;

function pageText(pairs: ReadonlyMap<string, Pair>): string {
  const rows = [...pairs].map(([key, pair]) => {
    const [a, b] = key.split(" ").map((k) => STANDARDS[Number(k)]!);
    const size = /([\d.e+-]+) of the largest gradient/.exec(pair.sentence)?.[1];
    const why = pair.differences.map((d) => d.title!.toLowerCase()).join(", ");
    const equal = pair.equal === "exactly";
    return `| \`${a!}\` | \`${b!}\` | ${equal ? "equal" : "different"} | ${equal ? "" : percent(Number(size))} | ${why} |`;
  });
  return `# Which standard Dice losses agree

Their gradients with default settings on one segmentation of three classes, given to each library as
it takes it: class numbers, or channels. How far two of them are apart is a share of the largest
entry of either gradient there. Written by test/oracle/standards.test.ts with UPDATE_STANDARDS=1,
which runs both libraries of every pair in float64.

| loss | other loss | gradients | apart by | why |
| --- | --- | --- | --- | --- |
${rows.join("\n")}
`;
}

/** One letter for each reason, so that the table fits a page. */
function shortText(pairs: ReadonlyMap<string, Pair>): string {
  const reasons = [...pairs.values()].flatMap((p) => p.differences);
  const titles = new Map(reasons.map((d) => [d.id!, d.title!.toLowerCase()]));
  const used = [...titles.keys()];
  const letter = (id: string): string => String.fromCharCode(65 + used.indexOf(id));
  const cell = (a: number, b: number): string => {
    const pair = pairs.get(`${Math.min(a, b)} ${Math.max(a, b)}`)!;
    return pair.equal === "exactly" ? "**=**" : pair.differences.map((d) => letter(d.id!)).join("");
  };
  const head = SHORT.map((_, k) => k + 1);
  const rows = SHORT.map((name, a) => {
    const cells = SHORT.map((_, b) => (b < a ? "" : a === b ? "" : cell(a, b)));
    return `| ${a + 1} ${name} | ${cells.slice(1).join(" | ")} |`;
  });
  const legend = [...titles].map(([id, title]) => `${letter(id)} ${title}`);
  return `| loss | ${head.slice(1).join(" | ")} |
| --- | ${head
    .slice(1)
    .map(() => "---")
    .join(" | ")} |
${rows.slice(0, -1).join("\n")}

**=**: the same gradient. Else why they differ: ${legend.join("; ")}.
`;
}
