/**
 * The Python environment of the oracle tests: real NumPy, PyTorch, TensorFlow, JAX, HIPS autograd,
 * and the libraries whose losses are compared with. It lies in .cache/oracle-venv, or where
 * DICE_GRADIENT_ORACLE_VENV says, and is made anew only when its requirements or Python change.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { run } from "../../scripts/lib/process.mjs";
import { root } from "../../scripts/lib/root.mjs";

const requirements = join(root, "test/oracle/requirements.txt");
const withoutTheirs = join(root, "test/oracle/requirements-no-deps.txt");
const folder = process.env["DICE_GRADIENT_ORACLE_VENV"] ?? join(root, ".cache/oracle-venv");
const marker = join(folder, "made-from.txt");

/** Path of the environment's Python, which need not be there yet. */
export const python = join(
  folder,
  process.platform === "win32" ? "Scripts/python.exe" : "bin/python",
);

let making: Promise<string> | undefined;

/** The environment's Python, by path. The first call may install packages, for some minutes. */
export function oraclePython(): Promise<string> {
  making ??= make();
  return making;
}

async function make(): Promise<string> {
  const { code, output: version } = await run("python3", ["--version"]);
  if (code !== 0) throw new Error(`python3 does not run: ${version}`);
  const source = [version.trim(), ...[requirements, withoutTheirs].map(text)].join("\n");
  const wanted = createHash("sha256").update(source).digest("hex");
  if (existsSync(marker) && readFileSync(marker, "utf8") === wanted) return python;

  console.log(`making the Python environment of the oracle tests in ${folder}, once`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(dirname(folder), { recursive: true });
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
  await must("python3", ["-m", "venv", folder]);
  await must(python, [...pip, "--requirement", requirements]);
  await must(python, [...pip, "--no-deps", "--requirement", withoutTheirs]);
  await writeFile(marker, wanted);
  return python;
}

function text(file: string): string {
  return readFileSync(file, "utf8");
}

async function must(command: string, args: readonly string[]): Promise<void> {
  const { code, output } = await run(command, args, { cwd: root });
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} failed:\n${output}`);
}

/**
 * Runs a Python script of the environment and returns what it printed.
 * @throws when it ends with another code than 0, with all that it printed
 */
export async function runOracle(script: string, args: readonly string[] = []): Promise<string> {
  const { code, output } = await run(await oraclePython(), [script, ...args], {
    cwd: root,
    // One thread: sums keep their order from run to run.
    env: { ...process.env, OMP_NUM_THREADS: "1", PYTHONDONTWRITEBYTECODE: "1" },
  });
  if (code !== 0) throw new Error(`${script} ended with code ${code}:\n${output}`);
  return output;
}
