/**
 * Our kernels on an engine with relaxed SIMD, which VS Code's own has and Node.js 20 has not: npm
 * carries newer ones as packages. Run by such a Node.js, this file answers as volumes.py does.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { run } from "../../scripts/lib/process.mjs";
import { root } from "../../scripts/lib/root.mjs";
import { features } from "../../src/numbers/wasm/features.ts";
import { TimingProcess } from "./answers.ts";
import { type Ours, ours } from "./ours.ts";
import { LOSSES, type Loss } from "./volumeLosses.ts";

/** The Node.js of the VS Code of 2026. */
const MAJOR = 24;

export interface RelaxedQuestion {
  readonly loss: Loss["key"];
  readonly entries: number;
  readonly way: "reused" | "threads" | "check";
}

/** null where this engine has relaxed SIMD itself, or no other is to be had. */
export async function startRelaxed(): Promise<{
  readonly version: string;
  readonly timer: TimingProcess<RelaxedQuestion>;
} | null> {
  if (features().relaxed || process.platform !== "linux") return null;
  const folder = join(root, ".cache/node-relaxed");
  const name = `node-linux-${process.arch}`;
  const node = join(folder, "node_modules", name, "bin/node");
  if (!existsSync(node)) {
    const args = ["install", "--prefix", folder, "--no-save", "--no-audit", "--no-fund"];
    await run("npm", [...args, `${name}@${MAJOR}`], { cwd: root });
  }
  if (!existsSync(node)) return null;
  const { output } = await run(node, ["--version"], { cwd: root });
  const file = join(root, "test/bench/relaxed.ts");
  return {
    version: output.trim().replace("v", ""),
    timer: new TimingProcess(node, ["--import=tsx", file]),
  };
}

async function answer(): Promise<void> {
  let present = null as { readonly key: string; readonly ways: Ours } | null;
  for await (const line of createInterface({ input: process.stdin })) {
    const { loss, entries, way } = JSON.parse(line) as RelaxedQuestion;
    const key = `${loss} ${entries}`;
    if (present?.key !== key) {
      present?.ways.release();
      present = {
        key,
        ways: ours(
          LOSSES.find((l) => l.key === loss)!,
          entries,
        ),
      };
    }
    console.log(JSON.stringify(await present.ways[way]()));
  }
  process.exit(0);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await answer();
