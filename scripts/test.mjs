// `npm test`: installs what is missing, then runs every check and every test. Name stages to run
// only those: `npm test -- unit host`. At the end stand what failed, and the counts of all stages.
import { stripVTControlCharacters } from "node:util";
import { onPath } from "./lib/browser.mjs";
import { ensureDependencies, requireNode } from "./lib/dependencies.mjs";
import { count, failures } from "./lib/mochaOutput.mjs";
import { run } from "./lib/process.mjs";
import { root } from "./lib/root.mjs";
import { ensureWorkbench } from "./lib/workbench.mjs";

/**
 * @typedef {object} Stage
 * @property {string} name
 * @property {string} script the npm script that it runs
 * @property {boolean} tests whether Mocha counts its tests; otherwise it is one check
 * @property {() => string | undefined} [skip] why it cannot run on this machine
 */

/** @type {Stage[]} */
const stages = [
  { name: "format", script: "format:check", tests: false },
  { name: "lint", script: "lint", tests: false },
  { name: "typecheck", script: "typecheck", tests: false },
  { name: "unit", script: "test:unit", tests: true },
  { name: "build", script: "build", tests: false },
  {
    name: "oracle",
    script: "test:oracle",
    tests: true,
    skip: () =>
      onPath("python3") === undefined ? "there is no python3 on this machine" : undefined,
  },
  // Builds for production, so the tests in VS Code run what is shipped.
  { name: "package", script: "test:package", tests: true },
  { name: "host", script: "test:host", tests: true },
];

/** @typedef {{ name: string, passed: number, failed: number, skipped: number, note: string, why?: string }} Result */

/** @param {Stage} stage @returns {Promise<Result>} */
async function runStage({ name, script, tests, skip }) {
  console.log(`\n=== ${name} ===`);
  const reason = skip?.();
  if (reason !== undefined) {
    console.log(`skipped: ${reason}`);
    return { name, passed: 0, failed: 0, skipped: 1, note: reason };
  }
  const began = performance.now();
  // A forgotten `it.only` must not pass where nobody looks. The host tests see to it themselves.
  const forbid = tests && name !== "host" && process.env["CI"] !== undefined;
  const args = ["run", "--silent", script, ...(forbid ? ["--", "--forbid-only"] : [])];
  const { code, output } = await run("npm", args, {
    cwd: root,
    echo: true,
    shell: process.platform === "win32",
    env: { ...process.env, ...(process.stdout.isTTY ? { FORCE_COLOR: "1" } : {}) },
  });
  const note = `${((performance.now() - began) / 1000).toFixed(1)} s`;
  const ok = code === 0;
  if (!tests) return { name, passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0, note };
  const plain = stripVTControlCharacters(output);
  const passed = count(plain, "passing");
  const failed = count(plain, "failing");
  const skipped = count(plain, "pending");
  if (ok && passed + failed === 0) return { name, passed, failed: 1, skipped, note: "ran no test" };
  // A run that ends badly without a failed test has crashed, which is a failure too.
  return {
    name,
    passed,
    failed: ok ? failed : Math.max(failed, 1),
    skipped,
    note,
    why: failures(plain),
  };
}

async function main() {
  requireNode();
  const wanted = process.argv.slice(2);
  const unknown = wanted.filter((name) => !stages.some((stage) => stage.name === name));
  if (unknown.length > 0) {
    throw new Error(
      `No such stage: ${unknown.join(", ")}. There are: ${stages.map(({ name }) => name).join(", ")}.`,
    );
  }
  const chosen = stages.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
  await Promise.all([
    ensureDependencies(console.log),
    chosen.some(({ name }) => name === "host") ? ensureWorkbench(console.log) : undefined,
  ]);

  /** @type {Result[]} */
  const results = [];
  for (const stage of chosen) results.push(await runStage(stage));

  // Their own places may be thousands of lines above.
  for (const { name, why } of results) if (why) console.log(`\n=== failed: ${name} ===${why}`);
  console.log("\n=== summary ===");
  for (const { name, passed, failed, skipped, note } of results) {
    const counts = `${String(passed).padStart(6)} ok ${String(failed).padStart(4)} bad ${String(skipped).padStart(4)} left out`;
    console.log(`${name.padEnd(10)} ${counts}   ${note}`);
  }
  const sum = (/** @type {"passed" | "failed" | "skipped"} */ key) =>
    results.reduce((total, result) => total + result[key], 0);
  const skipped = sum("skipped");
  console.log(
    `${sum("passed")} passed, ${sum("failed")} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`,
  );
  process.exitCode = sum("failed") === 0 ? 0 : 1;
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
