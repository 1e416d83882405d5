// The licences of what the bundles contain, as those licences ask.
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";

/**
 * @param {string} root of the project
 * @param {Iterable<string>} inputs files that went into the bundles, relative to the root
 * @param {readonly string[]} copied packages of which files are shipped as they are
 * @returns {Promise<string>} every package's name, version, licence and licence text
 * @throws when a package states no licence: it must not be shipped unseen
 */
export async function noticesOf(root, inputs, copied) {
  const names = new Set(copied);
  for (const input of inputs) {
    const name = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1];
    if (name !== undefined) names.add(name);
  }
  const parts = [];
  for (const name of [...names].sort()) {
    const folder = join(root, "node_modules", name);
    /** @type {{ version: string, license?: string }} */
    const manifest = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    const files = (await readdir(folder)).filter((f) => /^(licen[cs]e|notice|copying)/i.test(f));
    if (files.length === 0 && manifest.license === undefined) {
      throw new Error(`${name} is shipped but states no licence`);
    }
    const texts = await Promise.all(files.sort().map((f) => readFile(join(folder, f), "utf8")));
    parts.push(
      `${name} ${manifest.version} (${manifest.license ?? "see below"})\n\n` +
        texts.map((t) => t.trim()).join("\n\n"),
    );
  }
  // Its licence does not come with the package that carries it compiled.
  parts.push(
    "tree-sitter-python, compiled to tree-sitter-python.wasm (MIT)\n\n" +
      "Copyright (c) 2016 Max Brunsfeld. The terms are those of web-tree-sitter above.",
  );
  const rule = `\n\n${"-".repeat(80)}\n\n`;
  return `Dice Gradient Inspector contains the following packages.${rule}${parts.join(rule)}\n`;
}
