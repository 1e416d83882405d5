// `npm start`: installs what is missing, builds, and opens the example notebook with the extension
// loaded: in desktop VS Code if `code` is on the PATH, else in the browser workbench.
// Arguments: --browser (even if there is a desktop VS Code), --port N, --no-open.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { onPath } from "./lib/browser.mjs";
import { ensureDependencies, requireNode } from "./lib/dependencies.mjs";
import { copyExample } from "./lib/example.mjs";
import { run } from "./lib/process.mjs";
import { root } from "./lib/root.mjs";
import { ensureWorkbench, startServer } from "./lib/workbench.mjs";

const { values: args } = parseArgs({
  options: {
    browser: { type: "boolean", default: process.env["DICE_GRADIENT_HOST"] === "browser" },
    port: { type: "string", default: "0" },
    "no-open": { type: "boolean", default: false },
  },
});

const folder = join(root, ".cache/example");

const began = performance.now();
const say = (/** @type {string} */ message) => {
  const seconds = ((performance.now() - began) / 1000).toFixed(0).padStart(3);
  console.log(`${seconds} s  ${message}`);
};

/** Opens the window of the desktop VS Code at the path given; false when it would not start.
 * @param {string} code @param {string} notebook */
async function openInDesktop(code, notebook) {
  const windows = process.platform === "win32";
  const { code: status, output } = await run(
    windows ? `"${code}"` : code,
    [`--extensionDevelopmentPath=${root}`, folder, notebook],
    { shell: windows },
  );
  if (status === 0) return true;
  say(`desktop VS Code (${code}) would not start: ${output.trim()}`);
  return false;
}

/** Shows an address in the user's browser, where there is a screen to show it on.
 * @param {string} url */
function openInBrowser(url) {
  const hasScreen =
    process.platform !== "linux" ||
    (process.env["DISPLAY"] ?? process.env["WAYLAND_DISPLAY"] ?? "") !== "";
  if (args["no-open"] || !hasScreen) return false;
  /** @type {Partial<Record<NodeJS.Platform, string>>} */
  const openers = { darwin: "open", win32: "explorer", linux: "xdg-open" };
  const opener = openers[process.platform];
  if (opener === undefined || onPath(opener) === undefined) return false;
  const child = spawn(opener, [url], { stdio: "ignore", detached: true });
  child.once("error", () => undefined);
  child.unref();
  return true;
}

async function main() {
  requireNode();
  const code = args.browser ? undefined : onPath("code");
  // The two installs do not touch each other.
  await Promise.all([
    ensureDependencies(say),
    code === undefined ? ensureWorkbench(say) : undefined,
  ]);
  say("building");
  const build = await run(process.execPath, ["esbuild.mjs"], { cwd: root });
  if (build.code !== 0) throw new Error(`The build failed.\n${build.output}`);
  const { notebook, kept } = await copyExample(join(root, "media/example"), folder);
  if (kept) say(`the notebook as you left it is opened; delete ${folder} for a new copy`);

  if (code !== undefined) {
    say("opening the example in desktop VS Code");
    if (await openInDesktop(code, notebook)) return;
    await ensureWorkbench(say);
  }

  say("starting VS Code's browser workbench");
  const server = await startServer({
    dataFolder: join(root, ".cache/window"),
    lingers: true,
    port: Number(args.port),
  });
  const url = server.windowUrl({ folder, file: notebook, extension: root });
  say("ready. Ctrl-C ends it.");
  console.log(
    openInBrowser(url)
      ? `\nThe example notebook opens in your browser, from\n\n${url}\n`
      : `\nOpen this address in a browser:\n\n${url}\n`,
  );
  process.exitCode = await server.ended;
  console.log(`The workbench has ended; what it printed is in ${server.logFile}.`);
}

for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
  process.on(signal, () => {
    console.log("\nstopped");
    process.exit(0);
  });
}
try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
