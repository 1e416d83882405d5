/**
 * `npm run bench`: what a person waits for, in medians. Builds nothing: run `npm run build --
 * --production` first, on a machine that does nothing else.
 */
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { run } from "../../scripts/lib/process.mjs";
import { root } from "../../scripts/lib/root.mjs";
import { LOSSES } from "./volumeLosses.ts";

const dist = join(root, "dist");
const folder = mkdtempSync(join(tmpdir(), "dice-gradient-bench-"));

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

async function outputOf(args: readonly string[]): Promise<string> {
  const { code, output } = await run(process.execPath, args, {
    env: { ...process.env, NODE_PATH: folder },
  });
  if (code !== 0) throw new Error(`node ${args.join(" ")} ended with code ${code}:\n${output}`);
  return output;
}

/** Runs a Node program several times; the median of what it takes, in milliseconds. */
async function timeOf(args: readonly string[], times: number): Promise<number> {
  const taken: number[] = [];
  for (let k = 0; k < times; k++) {
    const began = performance.now();
    await outputOf(args);
    taken.push(performance.now() - began);
  }
  return median(taken);
}

/** Of bundles, as they are and packed. */
function sizesOf(names: readonly string[]): string {
  const files = names.map((name) => readFileSync(join(dist, name)));
  const packed = files.reduce((n, bytes) => n + gzipSync(bytes, { level: 9 }).length, 0);
  const plain = files.reduce((n, bytes) => n + bytes.length, 0);
  return `${(plain / 1024).toFixed(0)} KiB, ${(packed / 1024).toFixed(0)} gz`;
}

const rows: [string, string][] = [];

function row(what: string, value: string): void {
  rows.push([what, value]);
  console.log(`${what.padEnd(62)} ${value.padStart(24)}`);
}

try {
  console.log(`Node.js ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model ?? "?"}\n`);
  for (const name of [
    "extension.cjs",
    "renderer.js",
    "worker.js",
    "inline.js",
    "typeset.js",
    "cli.js",
  ]) {
    row(`size of ${name}`, sizesOf([name]));
  }
  const shared = readdirSync(dist).filter((name) => /^engine-.*\.js$/.test(name));
  row("size of the engine that workers and cli.js share", sizesOf(shared));
  const ofPages = readdirSync(dist).filter((name) => /^pages-.*\.js$/.test(name));
  row("size of what renderer.js and the catalogue share", sizesOf(ofPages));

  const vsix = join(folder, "extension.vsix");
  const packaged = await run("npm", ["run", "package", "--", "--out", vsix], { cwd: root });
  if (packaged.code !== 0) throw new Error(`the extension cannot be packaged:\n${packaged.output}`);
  row("size of the extension, packaged", `${(statSync(vsix).size / 1e6).toFixed(2)} MB`);

  const empty = await timeOf(["-e", "0"], 9);
  row("start of Node.js, doing nothing", `${empty.toFixed(0)} ms`);

  // Something to require under the name that VS Code gives its own API: classes and enumerations
  // that are named on loading.
  const bundle = readFileSync(join(dist, "extension.cjs"), "utf8");
  const names = new Set([...bundle.matchAll(/\.([A-Z]\w*)/g)].map(([, name]) => name!));
  mkdirSync(join(folder, "vscode"));
  writeFileSync(
    join(folder, "vscode/index.js"),
    `for (const name of ${JSON.stringify([...names])}) exports[name] = class {};\n`,
  );
  const loaded = await timeOf(["-e", `require(${JSON.stringify(join(dist, "extension.cjs"))})`], 9);
  row("the extension host bundle is loaded, beyond that", `${(loaded - empty).toFixed(0)} ms`);

  const cli = join(dist, "cli.js");
  const losses = join(root, "media/example/losses.py");
  const volume = join(root, "media/example/volume.npz");
  const check = [cli, "check", `${losses}:dice_loss_smooth`];
  const literal = ["y_true=[1, 0, 1]", "y_pred=[0.9, 0.2, 0.6]"];
  const files = [`y_true=${volume}[mask]`, `y_pred=${volume}[probability]`];
  row(
    "derive a loss, from the terminal",
    `${(await timeOf([cli, "derive", losses], 5)).toFixed(0)} ms`,
  );
  row("check it on a literal", `${(await timeOf([...check, ...literal], 5)).toFixed(0)} ms`);
  row(
    "check it on a volume of 373,248 voxels",
    `${(await timeOf([...check, ...files], 3)).toFixed(0)} ms`,
  );

  const cold = join(folder, "cold.mjs");
  await build({
    entryPoints: [join(root, "test/bench/cold.ts")],
    bundle: true,
    minify: true,
    platform: "node",
    format: "esm",
    outfile: cold,
  });
  for (const { key, title } of LOSSES) {
    const taken: number[] = [];
    for (let k = 0; k < 9; k++) taken.push(Number((await outputOf([cold, key])).trim()));
    row(
      `the first kernel of a process compiled: ${title}, loss and gradient`,
      `${median(taken).toFixed(0)} ms`,
    );
  }
  // volumes.ts puts them into the README beside its own.
  mkdirSync(join(root, ".cache"), { recursive: true });
  writeFileSync(join(root, ".cache/bench-product.json"), JSON.stringify(rows));
} finally {
  rmSync(folder, { recursive: true });
}
