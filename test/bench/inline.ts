/**
 * How long a hover and the lenses of a file of 2,000 lines wait, with the workers of the build:
 * `npm run bench` runs it after the other measurements.
 */
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { root } from "../../scripts/lib/root.mjs";
import type { InlineRequest, InlineResponse } from "../../src/session/inline/protocol.ts";
import type { TypesetRequest, TypesetResponse } from "../../src/typeset/protocol.ts";
import type { Report } from "../../src/report/schema.ts";
import { reportText } from "../../src/editor/inline/hoverText.ts";

const LOSSES = 60;
const LINES = 2000;
const ROUNDS = 300;

/** A file like those in which people keep their losses: each with a helper, much text between. */
function sourceOf(edit: number): string {
  const parts = ["import torch\nfrom torch import nn\n\nEPS = 1e-6\n"];
  for (let k = 0; k < LOSSES; k++) {
    const changed = k === 7 ? edit : 0;
    parts.push(`
def flat_${k}(x):
    return x.reshape(x.shape[0], -1)


class DiceLoss${k}(nn.Module):
    def __init__(self, smooth=1.0, weight=${k + 1}.0):
        super().__init__()
        self.smooth = smooth
        self.weight = weight

    def forward(self, logits, target):
        p = torch.sigmoid(logits)
        p, target = flat_${k}(p), flat_${k}(target)
        intersection = (p * target).sum(1)
        total = (p ** ${(k % 3) + 1}).sum(1) + target.sum(1)
        score = (2 * intersection + self.smooth + ${changed}) / (total + self.smooth + EPS)
        return self.weight * (1 - score).mean()
`);
  }
  const body = parts.join("");
  const missing = Math.max(0, LINES - body.split("\n").length);
  const remarks = Array.from({ length: missing }, (_, k) => `# remark ${k}`).join("\n");
  return `${body}\n${remarks}\n`;
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}

function row(what: string, value: string): void {
  console.log(`${what.padEnd(62)} ${value.padStart(24)}`);
}

function spread(what: string, values: readonly number[]): void {
  const [half, most] = [0.5, 0.95].map((s) => percentile(values, s).toFixed(1));
  row(what, `${half} ms, 95 %: ${most} ms`);
}

const posted = new Int32Array(new SharedArrayBuffer(4));
const inline = new Worker(join(root, "dist/inline.js"), { workerData: { posted: posted.buffer } });
const typesetter = new Worker(join(root, "dist/typeset.js"));

let listen: (r: InlineResponse) => void = () => undefined;
inline.on("message", (r: InlineResponse) => {
  listen(r);
});

/** Sends a text; when its outline came, and when all its losses were derived, in milliseconds. */
function read(version: number, text: string, reports: Map<string, Report>): Promise<number[]> {
  const began = performance.now();
  return new Promise((resolve) => {
    let outline = 0;
    listen = (r) => {
      if (r.kind === "outline") outline = performance.now() - began;
      else if (r.kind === "derived") {
        if (r.result.kind === "derived") reports.set(r.name, r.result.report);
      } else if (r.kind === "idle" && r.version === version)
        resolve([outline, performance.now() - began]);
    };
    Atomics.add(posted, 0, 1);
    inline.postMessage({
      kind: "update",
      document: "bench",
      version,
      directory: root,
      parts: [{ file: "losses.py", text }],
      shapes: {},
      python: null,
    } satisfies InlineRequest);
  });
}

const waiting = new Map<number, (svg: string | null) => void>();
typesetter.on("message", ({ id, svg }: TypesetResponse) => {
  waiting.get(id)?.(svg);
  waiting.delete(id);
});
let next = 1;
const pictures = new Map<string, Promise<string | null>>();
function draw(latex: string): Promise<string | null> {
  let found = pictures.get(latex);
  found ??= new Promise((resolve) => {
    const id = next++;
    waiting.set(id, resolve);
    typesetter.postMessage({ id, latex, ink: "#ccc", width: 480 } satisfies TypesetRequest);
  });
  pictures.set(latex, found);
  return found;
}

const reports = new Map<string, Report>();
const text = sourceOf(0);
const first = await read(1, text, reports);
row(
  `a file of ${text.split("\n").length} lines, ${LOSSES} losses: outline, first time`,
  `${first[0]!.toFixed(0)} ms`,
);
row("all its losses derived, first time", `${first[1]!.toFixed(0)} ms`);

const hovers: number[] = [];
const names = [...reports.keys()];
for (let k = 0; k < ROUNDS; k++) {
  const report = reports.get(names[(k * 17) % names.length]!)!;
  const began = performance.now();
  await reportText(report, [], draw, { asText: false, isStale: false });
  hovers.push(performance.now() - began);
}
row("the first hover, with the typesetter's start", `${hovers[0]!.toFixed(0)} ms`);
spread("a hover after that", hovers.slice(1));
spread("a hover on a loss not hovered before", hovers.slice(1, names.length));

/** The pause in which the slow rules have their turn, as between two edits of a person. */
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 150));
let version = 1;
for (const [what, edited] of Object.entries({
  "an edit in one loss": (k: number) => sourceOf(k),
  "a line put in above all losses": (k: number) => "# remark\n".repeat(k) + sourceOf(0),
  "a line broken, then mended": (k: number) =>
    k % 2 === 0 ? sourceOf(k) : sourceOf(k).replace("self.weight = weight", "self.weight = )"),
})) {
  const outlines: number[] = [];
  const diagnosed: number[] = [];
  for (let k = 1; k <= 40; k++) {
    const [outline, all] = await read(++version, edited(k), reports);
    outlines.push(outline!);
    diagnosed.push(all!);
    await pause();
  }
  spread(`after ${what}: the outline`, outlines);
  spread(`after ${what}: all diagnostics`, diagnosed);
}
await Promise.all([inline.terminate(), typesetter.terminate()]);
