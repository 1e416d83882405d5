// Installs the packages of package-lock.json when they are missing or stale.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { npm } from "./process.mjs";
import { root } from "./root.mjs";

/** The oldest Node.js that the project's tools run on: `engines.node` of package.json. */
const oldestNode = [20, 20, 0];

/** Throws, with what to do, when this Node.js is too old. */
export function requireNode() {
  const have = process.versions.node.split(".").map(Number);
  for (const [index, wanted] of oldestNode.entries()) {
    const part = have[index] ?? 0;
    if (part > wanted) return;
    if (part < wanted) {
      throw new Error(
        `Node.js ${oldestNode.join(".")} or later is needed; this is ${process.versions.node}.`,
      );
    }
  }
}

/**
 * @typedef {object} LockFile
 * @property {Record<string, LockedPackage>} [packages]
 *
 * @typedef {object} LockedPackage
 * @property {string} [version]
 * @property {boolean} [optional]
 * @property {boolean} [devOptional]
 */

/** The packages a lock file names, path to version, without those a platform may leave out.
 * @param {string} file */
function lockedVersions(file) {
  /** @type {LockFile} */
  const lock = JSON.parse(readFileSync(file, "utf8"));
  return Object.entries(lock.packages ?? {}).filter(
    ([path, entry]) => path !== "" && entry.optional !== true && entry.devOptional !== true,
  );
}

/** Whether node_modules holds exactly the versions that package-lock.json names. */
export function dependenciesAreCurrent() {
  const installed = join(root, "node_modules/.package-lock.json");
  if (!existsSync(installed)) return false;
  const have = new Map(lockedVersions(installed));
  return lockedVersions(join(root, "package-lock.json")).every(
    ([path, { version }]) => have.get(path)?.version === version,
  );
}

/** Brings node_modules up to package-lock.json. Install scripts are not needed and not run.
 * @param {(message: string) => void} log */
export async function ensureDependencies(log) {
  if (dependenciesAreCurrent()) return;
  const fresh = !existsSync(join(root, "node_modules"));
  log(fresh ? "installing packages" : "updating packages");
  const { code, output } = await npm(
    [fresh ? "ci" : "install", "--ignore-scripts", "--no-audit", "--no-fund"],
    { cwd: root },
  );
  if (code !== 0) throw new Error(`npm could not install the packages:\n${output}`);
}
