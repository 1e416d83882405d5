import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { unzipSync } from "fflate";
import { run } from "../../scripts/lib/process.mjs";
import { root } from "../../scripts/lib/root.mjs";

/** MB that the whole package may take, compressed. */
const largestPackage = 3;

describe("the packaged extension", function () {
  this.timeout(120_000);
  let files: Record<string, Uint8Array>;
  let packageSize: number;
  const text = (name: string) => {
    const file = files[`extension/${name}`];
    assert.ok(file, `${name} is not in the package`);
    return new TextDecoder().decode(file);
  };

  before(async () => {
    const folder = await mkdtemp(join(tmpdir(), "dice-gradient-package-"));
    try {
      const vsix = join(folder, "extension.vsix");
      const { code, output } = await run("npm", ["run", "package", "--", "--out", vsix], {
        cwd: root,
      });
      assert.equal(code, 0, output);
      const bytes = readFileSync(vsix);
      packageSize = bytes.length;
      files = unzipSync(bytes);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("holds bundles, media and four documents, and nothing else", () => {
    const expected =
      /^(\[Content_Types\]\.xml|extension\.vsixmanifest|extension\/(package\.json|readme\.md|changelog\.md|LICENSE\.txt|dist\/.+|media\/.+))$/i;
    assert.deepEqual(
      Object.keys(files).filter((name) => !expected.test(name)),
      [],
    );
    for (const document of ["package.json", "changelog.md", "LICENSE.txt", "readme.md"]) {
      text(document);
    }
  });

  it("holds no sources, source maps, caches or training scripts", () => {
    const unwanted = /\.(ts|map|tsbuildinfo|pyc)$|node_modules|__pycache__|\.ipynb_checkpoints/;
    assert.deepEqual(
      Object.keys(files).filter((name) => unwanted.test(name)),
      [],
    );
  });

  it("holds every file that its manifest names", () => {
    const manifest = JSON.parse(text("package.json")) as {
      main: string;
      icon?: string;
      bin: Record<string, string>;
      contributes?: { notebookRenderer?: { entrypoint: string }[] };
    };
    const named = [
      manifest.main,
      ...(manifest.icon === undefined ? [] : [manifest.icon]),
      ...Object.values(manifest.bin),
      ...(manifest.contributes?.notebookRenderer ?? []).map(({ entrypoint }) => entrypoint),
    ];
    for (const name of named) text(name.replace(/^\.\//, ""));
  });

  it("runs its command line without anything beside it", async () => {
    const folder = await mkdtemp(join(tmpdir(), "dice-gradient-package-"));
    try {
      for (const [name, bytes] of Object.entries(files)) {
        const file = join(folder, name);
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, bytes);
      }
      const losses = join(folder, "losses.py");
      await writeFile(
        losses,
        "import numpy as np\n\ndef dice(y_true, y_pred):\n" +
          "    return 1 - 2 * np.sum(y_true * y_pred) / (np.sum(y_true) + np.sum(y_pred))\n",
      );
      const { code, output } = await run(
        process.execPath,
        [
          join(folder, "extension/dist/cli.js"),
          ...["check", `${losses}:dice`, "y_true=[1, 0, 1]", "y_pred=[0.9, 0.2, 0.6]"],
        ],
        { cwd: folder },
      );
      assert.equal(code, 0, output);
      assert.match(output, /agrees/i);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("holds nothing that makes code from text in the frame of the notebook's outputs", () => {
    const scripts = Object.keys(files).filter((f) => /dist\/(renderer|pages-\w+)\.js$/.test(f));
    assert.ok(scripts.length > 1);
    for (const name of scripts) {
      const script = text(name.replace("extension/", ""));
      assert.doesNotMatch(script, /\beval\s*\(|\bnew Function\b/, name);
    }
  });

  it("loads little into the extension host", () => {
    const size = text("dist/extension.cjs").length;
    assert.ok(size < 200_000, `${size} characters`);
  });

  it("holds every font that its style sheet names, and no other address", () => {
    const urls = [...text("dist/katex/katex.min.css").matchAll(/url\(([^)]*)\)/g)];
    assert.ok(urls.length > 0);
    for (const [, url] of urls) text(`dist/katex/${url ?? ""}`);
  });

  it(`takes less than ${largestPackage} MB`, () => {
    assert.ok(packageSize < largestPackage * 1e6, `${packageSize} bytes`);
  });
});
