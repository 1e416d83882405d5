// The example as `npm start` opens it: a copy that may be run, changed and saved, while the files
// that git tracks stay as they are.
import { existsSync } from "node:fs";
import { cp, mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

const notebook = "dice-gradient.ipynb";

/** Brings the copy up to date; a notebook that has been changed since it was copied is kept.
 * @param {string} source @param {string} target @returns {Promise<{ notebook: string, kept: boolean }>} */
export async function copyExample(source, target) {
  await mkdir(target, { recursive: true });
  for (const name of await readdir(source)) {
    if (name !== notebook) await cp(join(source, name), join(target, name), { recursive: true });
  }
  const ours = await readFile(join(source, notebook), "utf8");
  const path = join(target, notebook);
  const read = async (/** @type {string} */ file) =>
    existsSync(file) ? readFile(file, "utf8") : undefined;
  const theirs = await read(path);
  // The notebook as it was copied lies beside the folder: by it a change of the user's is known.
  const copied = `${target}.copied.ipynb`;
  const kept = theirs !== undefined && theirs !== (await read(copied));
  if (!kept) {
    await writeFile(path, ours);
    await writeFile(copied, ours);
  }
  return { notebook: path, kept };
}
