/**
 * How long the built command line takes to lint 5,000 files: copies of the corpus, of the right and
 * the wrong losses among files without a loss. Run `npm run build` first.
 */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../../scripts/lib/root.mjs";

const FILES = 5000;
/** One file in so many holds losses, the corpus's and the rules' own: dense, beside real workspaces. */
const EVERY = 25;
const WITHOUT_LOSS =
  'import numpy as np\n\n\ndef load(path):\n    """Reads an array."""\n    return np.load(path)\n';

function losses(): string[] {
  return ["test/corpus", "test/rules"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".py"))
      .map((name) => readFileSync(join(root, folder, name), "utf8")),
  );
}

const folder = mkdtempSync(join(tmpdir(), "dice-gradient-bench-"));
try {
  const texts = losses();
  for (let k = 0; k < FILES; k++) {
    const inner = join(folder, `package_${Math.floor(k / 50)}`);
    mkdirSync(inner, { recursive: true });
    // Each copy differs, as files of a workspace do.
    const text = k % EVERY === 0 ? texts[(k / EVERY) % texts.length]! : WITHOUT_LOSS;
    writeFileSync(join(inner, `file_${k}.py`), `# ${k}\n${text}`);
  }
  const started = performance.now();
  const said = await new Promise<string>((resolve) => {
    const args = [join(root, "dist/cli.js"), "lint", folder];
    execFile(process.execPath, args, { maxBuffer: 1e9 }, (_, stdout) => {
      resolve(stdout);
    });
  });
  const seconds = (performance.now() - started) / 1000;
  const summary = said.trim().split("\n").at(-1) ?? "";
  console.log(
    `lint of ${FILES} files, one in ${EVERY} with losses, by ${Math.min(availableParallelism(), 8)} threads: ` +
      `${seconds.toFixed(1)} s (${summary})`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
