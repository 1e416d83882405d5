// VS Code's own workbench and Node extension host as a local web server, out of the npm package
// code-server. It serves where no desktop VS Code can be had: in tests, in CI, and for `npm start`.
import { createWriteStream, existsSync, rmSync } from "node:fs";
import { cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { npm, start, stop } from "./process.mjs";
import { root } from "./root.mjs";

const codeServerVersion = "4.139.1";
/** The Node.js that this version of the workbench runs on. */
const nodeMajor = 24;

/** The folder that holds the installed workbench; it is reused across runs. */
export const workbenchFolder =
  process.env["DICE_GRADIENT_WORKBENCH"] ?? join(root, ".cache/workbench");

const marker = JSON.stringify({ codeServer: codeServerVersion, node: nodeMajor });

/** The npm package that carries a Node.js binary for this machine. */
function nodePackage() {
  const platform = process.platform === "win32" ? "win" : process.platform;
  const prefix = platform === "darwin" && process.arch === "arm64" ? "node-bin" : "node";
  return `${prefix}-${platform}-${process.arch}`;
}

function nodeBinary() {
  if (Number(process.versions.node.split(".")[0]) === nodeMajor) return process.execPath;
  const name = process.platform === "win32" ? "bin/node.exe" : "bin/node";
  return join(workbenchFolder, "node_modules", nodePackage(), name);
}

const serverFolder = () => join(workbenchFolder, "node_modules/code-server/lib/vscode");

/** Whether the workbench is installed. */
export async function workbenchIsInstalled() {
  const file = join(workbenchFolder, "installed.json");
  return existsSync(file) && (await readFile(file, "utf8")) === marker;
}

/**
 * Installs the workbench unless it is there. It is put together in a folder beside its place and
 * moved there when complete, so that an interrupted install leaves nothing half done.
 * @param {(message: string) => void} log
 */
export async function ensureWorkbench(log) {
  if (await workbenchIsInstalled()) return;
  log(`installing the browser workbench (code-server ${codeServerVersion}), once`);
  await mkdir(dirname(workbenchFolder), { recursive: true });
  const partial = await mkdtemp(`${workbenchFolder}.partial-`);
  try {
    await writeFile(join(partial, "package.json"), '{ "private": true }\n');
    const flags = ["--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"];
    const server = join(partial, "node_modules/code-server/lib/vscode");
    /** @type {[string, string[]][]} */
    const steps = [
      [partial, [`code-server@${codeServerVersion}`, `${nodePackage()}@${nodeMajor}`]],
      [server, []],
      [join(server, "extensions"), []],
    ];
    for (const [cwd, packages] of steps) {
      const { code, output } = await npm(["install", ...flags, ...packages], { cwd });
      if (code !== 0) throw new Error(`npm could not install the workbench:\n${output}`);
    }
    await writeFile(join(partial, "installed.json"), marker);
    await rm(workbenchFolder, { recursive: true, force: true });
    await rename(partial, workbenchFolder);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    // Another run may have finished the same install in the meantime.
    if (!(await workbenchIsInstalled())) throw error;
  }
}

/** A file's path as the path of a URI: with slashes, and one in front of a drive letter.
 * @param {string} path */
function uriPath(path) {
  const slashed = path.replaceAll("\\", "/");
  return slashed.startsWith("/") ? slashed : `/${slashed}`;
}

/** Settings that keep a window quiet: no welcome page, no updates, nothing that looks outside. */
const quietSettings = {
  "workbench.startupEditor": "none",
  "workbench.tips.enabled": false,
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  // Without it a notebook named in the window's address opens as text: the address is read before
  // the built-in notebook extension is.
  "workbench.editorAssociations": { "*.ipynb": "jupyter-notebook" },
  "workbench.enableExperiments": false,
  "workbench.welcomePage.walkthroughs.openOnInstall": false,
  "security.workspace.trust.enabled": false,
  // A colour theme that is asked for is used, whatever the system prefers.
  "window.autoDetectColorScheme": false,
  "telemetry.telemetryLevel": "off",
  "update.mode": "none",
  "extensions.autoUpdate": false,
  "extensions.autoCheckUpdates": false,
  "extensions.ignoreRecommendations": true,
  "chat.disableAIFeatures": true,
  "files.autoSave": "off",
  "git.enabled": false,
  "git.openRepositoryInParentFolders": "never",
};

/**
 * @typedef {object} Server
 * @property {string} authority host and port
 * @property {string} dataFolder where this server keeps settings and state
 * @property {string} logFile what it printed
 * @property {(window: WindowOptions) => string} windowUrl the address of a window
 * @property {Promise<number>} ended resolves with the exit code when the server ends
 * @property {() => Promise<void>} close ends the server and removes what it kept
 *
 * @typedef {object} WindowOptions
 * @property {string} folder the folder to open
 * @property {string} [file] a file to open in it
 * @property {string} [extension] the folder of the extension under development
 * @property {string} [tests] the script to run in the extension host
 * @property {boolean} [proposedApi] whether extensions may use API that VS Code has only proposed
 */

/**
 * Starts the workbench on a free port of 127.0.0.1 and waits until it listens.
 * @param {object} [options]
 * @param {Record<string, unknown>} [options.settings] user settings beside the quiet ones
 * @param {Record<string, string>} [options.env] variables for the server and its extension host
 * @param {string} [options.dataFolder] kept across runs when given; otherwise made and removed
 * @param {readonly string[]} [options.extensions] folders of extensions that are installed in it
 * @param {boolean} [options.untrusted] whether the folder is one that the user has not trusted
 * @param {boolean} [options.lingers] keep the server without a window; otherwise it ends itself
 *   some minutes after the last window closed
 * @param {number} [options.port] 0, the usual, takes any free one
 * @param {number} [options.timeout] milliseconds to wait for it to listen
 * @returns {Promise<Server>}
 */
export async function startServer({
  settings = {},
  env = {},
  dataFolder,
  extensions = [],
  untrusted = false,
  lingers = false,
  port: wantedPort = 0,
  timeout = 60_000,
} = {}) {
  const data = dataFolder ?? (await mkdtemp(join(tmpdir(), "dice-gradient-window-")));
  const trust = untrusted
    ? {
        "security.workspace.trust.enabled": true,
        "security.workspace.trust.startupPrompt": "never",
        "security.workspace.trust.banner": "never",
      }
    : {};
  const merged = JSON.stringify({ ...quietSettings, ...trust, ...settings }, null, 2);
  for (const place of ["data/User", "data/Machine"]) {
    const file = join(data, place, "settings.json");
    // In a folder that is kept, what the user has set since is theirs.
    if (existsSync(file)) continue;
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, merged);
  }
  for (const path of extensions) {
    await cp(path, join(data, "extensions", basename(path)), { recursive: true });
  }
  const logFile = join(data, "server.log");
  const log = createWriteStream(logFile);
  const child = start(
    nodeBinary(),
    [
      join(serverFolder(), "out/server-main.js"),
      ...["--host", "127.0.0.1", "--port", String(wantedPort), "--without-connection-token"],
      // Only with this switch does a release build accept tests from the window's address.
      "--enable-smoke-test-driver",
      ...(untrusted ? [] : ["--disable-workspace-trust"]),
      ...["--disable-telemetry", "--accept-server-license-terms"],
      ...["--server-data-dir", data, "--extensions-dir", join(data, "extensions")],
      ...(lingers ? [] : ["--enable-remote-auto-shutdown"]),
    ],
    { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] },
  );
  /** @type {Promise<number>} */
  const ended = new Promise((resolve) => {
    child.once("exit", (code) => {
      resolve(code ?? 1);
    });
  });
  const remove = () => {
    if (dataFolder !== undefined) return;
    rmSync(data, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  };
  process.once("exit", remove);
  const close = async () => {
    await stop(child);
    log.end();
    remove();
    process.off("exit", remove);
  };

  /** @type {string} */
  let port;
  try {
    port = await new Promise((resolve, reject) => {
      let printed = "";
      const timer = setTimeout(() => {
        reject(new Error(`The workbench did not start within ${timeout / 1000} s.\n${printed}`));
      }, timeout);
      const take = (/** @type {Buffer} */ chunk) => {
        log.write(chunk);
        printed += chunk.toString();
        const listening = /Extension host agent listening on (\d+)/.exec(printed);
        if (listening?.[1] !== undefined) {
          clearTimeout(timer);
          printed = "";
          resolve(listening[1]);
        }
      };
      child.stdout?.on("data", take);
      child.stderr?.on("data", take);
      child.once("error", (error) => {
        clearTimeout(timer);
        reject(error);
      });
      child.once("exit", (code) => {
        clearTimeout(timer);
        reject(new Error(`The workbench ended at once with code ${code ?? "none"}.\n${printed}`));
      });
    });
  } catch (error) {
    await close();
    throw error;
  }

  const authority = `127.0.0.1:${port}`;
  const remote = (/** @type {string} */ path) =>
    `vscode-remote://${authority}${uriPath(path).split("/").map(encodeURIComponent).join("/")}`;
  return {
    authority,
    dataFolder: data,
    logFile,
    ended,
    close,
    windowUrl({ folder, file, extension, tests, proposedApi = false }) {
      const payload = [];
      if (extension !== undefined) payload.push(["extensionDevelopmentPath", remote(extension)]);
      if (tests !== undefined) payload.push(["extensionTestsPath", remote(tests)]);
      if (proposedApi) payload.push(["enableProposedApi", ""]);
      if (file !== undefined) payload.push(["openFile", remote(file)]);
      const query = new URLSearchParams({
        folder: uriPath(folder),
        payload: JSON.stringify(payload),
      });
      return `http://${authority}/?${query.toString()}`;
    },
  };
}
