/**
 * `npm run test:host`: the tests that need a real VS Code.
 *   1. test/host/suite/*.test.ts run inside its extension host, in desktop VS Code where it can be
 *      had, otherwise in the browser workbench;
 *   2. test/host/window/*.test.ts click in the browser workbench's window from outside.
 * Arguments: --build-only, --suite, --window (only that part), and --grep PATTERN.
 * DICE_GRADIENT_HOST=desktop or =browser decides where the suite runs.
 */
import { readdirSync } from "node:fs";
import { copyFile, mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import * as esbuild from "esbuild";
import { onPath } from "../../scripts/lib/browser.mjs";
import { run } from "../../scripts/lib/process.mjs";
import { outFolder, root } from "../../scripts/lib/root.mjs";
import { oraclePython } from "../oracle/environment.ts";
import { desktopProblem, runInDesktop } from "./desktop.ts";
import { copyExample, temporaryFolder } from "./example.ts";
import { reportPrefix } from "./reportPrefix.ts";
import { launchWorkbench, standInFolder } from "./workbench.ts";

/** Minutes after which the suite inside the extension host is given up. */
const suiteLimit = 15;

const { values: args } = parseArgs({
  options: {
    "build-only": { type: "boolean", default: false },
    suite: { type: "boolean", default: false },
    window: { type: "boolean", default: false },
    grep: { type: "string", default: "" },
  },
});

/** Bundles the suite for the extension host, whose loader takes CommonJS. */
async function buildSuite(): Promise<string> {
  const folder = join(outFolder, "host");
  await rm(folder, { recursive: true, force: true });
  const suites = readdirSync(join(root, "test/host/suite")).filter((name) =>
    name.endsWith(".test.ts"),
  );
  await esbuild.build({
    absWorkingDir: root,
    entryPoints: [
      { in: "test/host/suite/index.ts", out: "index" },
      ...suites.map((name) => ({
        in: `test/host/suite/${name}`,
        out: `suite/${name.replace(/\.ts$/, "")}`,
      })),
    ],
    outdir: folder,
    outExtension: { ".js": ".cjs" },
    bundle: true,
    platform: "node",
    target: "node20.20",
    format: "cjs",
    packages: "external",
    sourcemap: "inline",
    logLevel: "warning",
  });
  return join(folder, "index.cjs");
}

/** Bundles the extensions that stand in for those that users have beside ours. */
async function buildExtensions(): Promise<void> {
  for (const name of readdirSync(join(root, "test/host/extensions"))) {
    const source = join(root, "test/host/extensions", name);
    const target = join(standInFolder, name);
    await esbuild.build({
      entryPoints: [join(source, "extension.ts")],
      outfile: join(target, "extension.cjs"),
      bundle: true,
      platform: "node",
      target: "node20.20",
      format: "cjs",
      external: ["vscode"],
      logLevel: "warning",
    });
    await copyFile(join(source, "package.json"), join(target, "package.json"));
  }
}

/** Where the suite runs, and why not in the desktop build if it does not. */
async function chooseHost(): Promise<"desktop" | "browser"> {
  const wanted = process.env["DICE_GRADIENT_HOST"];
  if (wanted === "desktop" || wanted === "browser") {
    console.log(`VS Code: ${wanted}, as DICE_GRADIENT_HOST says`);
    return wanted;
  }
  const problem = await desktopProblem();
  if (problem === undefined) {
    console.log("VS Code: the desktop build, through @vscode/test-electron");
    return "desktop";
  }
  console.log(`VS Code: the browser workbench; the desktop build cannot run here: ${problem}`);
  return "browser";
}

/** Prints the test report and collects everything else that VS Code says. */
function reportReader(): { readonly take: (line: string) => void; readonly rest: string[] } {
  const rest: string[] = [];
  const take = (line: string) => {
    const start = line.indexOf(reportPrefix);
    if (start >= 0) console.log(line.slice(start + reportPrefix.length));
    else rest.push(line);
  };
  return { take, rest };
}

/** Leaves what VS Code printed beside its report in a file, and its end on the screen. */
async function keepOutput(lines: readonly string[]): Promise<void> {
  const file = join(outFolder, "failures/host-suite.output.log");
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, lines.join("\n"));
  console.log(lines.slice(-15).join("\n"));
  console.log(`All that VS Code printed: ${file}`);
}

/** Names the interpreter with the real libraries to the suite; without Python it skips what needs one. */
async function pythonVariable(): Promise<Record<string, string>> {
  return onPath("python3") === undefined ? {} : { DICE_GRADIENT_PYTHON: await oraclePython() };
}

async function runSuiteInBrowser(tests: string): Promise<number> {
  const reader = reportReader();
  const workbench = await launchWorkbench({
    workspace: await copyExample(),
    extensionTestsPath: tests,
    env: { DICE_GRADIENT_GREP: args.grep, ...(await pythonVariable()) },
    onTestOutput: reader.take,
  });
  try {
    const code = await Promise.race([
      workbench.testsEnded,
      delay(suiteLimit * 60_000, undefined, { ref: false }),
    ]);
    if (code !== 0) {
      const picture = await workbench.keepEvidence("host suite");
      await keepOutput(reader.rest);
      console.log(`Screenshot and logs of the window at the end: ${picture}`);
    }
    if (code === undefined) console.log(`The suite did not end within ${suiteLimit} minutes.`);
    return code ?? 1;
  } finally {
    await workbench.close();
  }
}

async function runSuite(tests: string): Promise<number> {
  if ((await chooseHost()) === "browser") return runSuiteInBrowser(tests);
  Object.assign(process.env, { DICE_GRADIENT_GREP: args.grep, ...(await pythonVariable()) });
  const reader = reportReader();
  const code = await runInDesktop({
    workspace: await copyExample(),
    tests,
    dataFolder: await temporaryFolder(),
    onTestOutput: reader.take,
  });
  if (code !== 0) await keepOutput(reader.rest);
  return code;
}

async function runWindowTests(): Promise<number> {
  const { code } = await run(
    process.execPath,
    [
      join(root, "node_modules/mocha/bin/mocha.js"),
      "--import=tsx",
      "--timeout=120000",
      // A click from outside can meet a window that is just being drawn: one more try tells that
      // from a fault.
      "--retries=1",
      ...(process.env["CI"] === undefined ? [] : ["--forbid-only"]),
      ...(args.grep === "" ? [] : ["--grep", args.grep]),
      "test/host/window/**/*.test.ts",
    ],
    { cwd: root, echo: true },
  );
  return code;
}

const both = args.suite === args.window;
const tests = await buildSuite();
await buildExtensions();
if (!args["build-only"]) {
  let failed = 0;
  if (both || args.suite) failed |= await runSuite(tests);
  if (both || args.window) failed |= await runWindowTests();
  process.exitCode = failed === 0 ? 0 : 1;
}
