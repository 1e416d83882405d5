// Child processes that never outlive the script that started them.
import { spawn } from "node:child_process";

/** Process groups to end when this process ends.
 * @type {Set<number>} */
const groups = new Set();
let watching = false;

/** Ends a process and everything it started. Its group may already be gone.
 * @param {number | undefined} pid @param {NodeJS.Signals} [signal] */
export function endGroup(pid, signal = "SIGTERM") {
  if (pid === undefined) return;
  try {
    process.kill(process.platform === "win32" ? pid : -pid, signal);
  } catch {
    // Nothing left to end.
  }
}

function watchExit() {
  if (watching) return;
  watching = true;
  process.on("exit", () => {
    for (const pid of groups) endGroup(pid, "SIGKILL");
  });
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
    process.on(signal, () => {
      process.exit(signal === "SIGINT" ? 130 : 143);
    });
  }
}

/**
 * Starts a program in a process group of its own that ends with this process.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {import("node:child_process").SpawnOptions} [options]
 */
export function start(command, args, options = {}) {
  watchExit();
  const child = spawn(command, args, { ...options, detached: process.platform !== "win32" });
  const { pid } = child;
  if (pid !== undefined) {
    groups.add(pid);
    child.once("exit", () => {
      // The group may still hold grandchildren.
      endGroup(pid);
      groups.delete(pid);
    });
  }
  return child;
}

/**
 * Ends a child started with `start` and waits for it: politely at first, after three seconds not.
 * @param {import("node:child_process").ChildProcess} child
 */
export async function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  endGroup(child.pid);
  const force = setTimeout(() => {
    endGroup(child.pid, "SIGKILL");
  }, 3000);
  await ended;
  clearTimeout(force);
}

/**
 * Runs a program to its end and returns what it printed. Rejects when it cannot start; a non-zero
 * exit code is the caller's to judge.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {import("node:child_process").SpawnOptions & {
 *   echo?: boolean, onLine?: (line: string) => void }} [options]
 *   `echo` passes the output on as it comes; `onLine` is told of each line.
 * @returns {Promise<{ code: number, output: string }>}
 */
export function run(command, args, { echo = false, onLine, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const child = start(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    let rest = "";
    const take = (/** @type {Buffer} */ chunk) => {
      const text = chunk.toString();
      output += text;
      if (echo) process.stdout.write(text);
      if (onLine) {
        const lines = (rest + text).split(/\r?\n/);
        rest = lines.pop() ?? "";
        lines.forEach(onLine);
      }
    };
    child.stdout?.on("data", take);
    child.stderr?.on("data", take);
    child.once("error", reject);
    child.once("close", (code, signal) => {
      if (onLine && rest !== "") onLine(rest);
      resolve({ code: code ?? (signal === null ? 1 : 128), output });
    });
  });
}

/** The npm to call: `npm.cmd` needs a shell on Windows.
 * @param {readonly string[]} args
 * @param {Parameters<typeof run>[2]} [options] */
export function npm(args, options) {
  return run("npm", args, { shell: process.platform === "win32", ...options });
}
