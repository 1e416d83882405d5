import assert from "node:assert/strict";
import { build, type Metafile } from "esbuild";

describe("the renderer's bundle", () => {
  let text = "";
  let inputs: string[] = [];
  let output: Metafile["outputs"][string];

  before(async () => {
    const result = await build({
      entryPoints: ["src/renderer/index.ts"],
      bundle: true,
      minify: true,
      format: "esm",
      write: false,
      metafile: true,
      logLevel: "silent",
    });
    text = result.outputFiles[0]!.text;
    inputs = Object.keys(result.metafile.inputs);
    output = Object.values(result.metafile.outputs)[0]!;
  });

  it("is smaller than 450 KB", () => {
    assert.ok(text.length < 450_000, `${text.length} bytes`);
  });

  it("is one module that exports activate and imports nothing", () => {
    assert.deepEqual(output.exports, ["activate"]);
    assert.deepEqual(output.imports, []);
  });

  it("holds nothing of the engine, and one package", () => {
    for (const input of inputs) assert.match(input, /^(src\/renderer|node_modules\/katex)\//);
  });

  it("evaluates no text as code or as markup, and opens no connection", () => {
    const never = [
      "eval\\(",
      "new Function",
      "innerHTML",
      "outerHTML",
      "insertAdjacentHTML",
      "document\\.write",
      "DOMParser",
      // KaTeX has a method of this name; it takes no arguments.
      "\\bfetch\\([^)]",
      "XMLHttpRequest",
      "WebSocket",
      "sendBeacon",
      "localStorage",
    ];
    for (const each of never) assert.ok(!new RegExp(each).test(text), each);
  });
});
