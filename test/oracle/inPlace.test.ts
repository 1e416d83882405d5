/** DG014 against PyTorch itself: what it calls broken is what the backward pass refuses. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { loadParserFromDisk } from "../../src/python/parser.node.ts";
import { filesFor } from "../../src/session/files.node.ts";
import { lintSource } from "../../src/session/lint.ts";
import { runOracle } from "./environment.ts";

const FILE = "test/rules/in_place.py";

describe("arrays changed in place", () => {
  it("are found where PyTorch refuses the backward pass, and nowhere else", async () => {
    const engine = { parser: await loadParserFromDisk(), files: filesFor(null) };
    const watch = { onProgress: () => undefined, isCancelled: () => false };
    const text = readFileSync(FILE, "utf8");
    const result = lintSource(text, FILE, process.cwd(), engine, watch);
    assert.deepEqual(result.untraced, []);
    const refused = JSON.parse(await runOracle("test/oracle/in_place.py", [FILE])) as Record<
      string,
      boolean
    >;
    const found = new Set(result.findings.filter((f) => f.code === "DG014").map((f) => f.function));
    const ours = Object.fromEntries(Object.keys(refused).map((name) => [name, found.has(name)]));
    assert.deepEqual(ours, refused);
    assert.ok(Object.values(refused).filter(Boolean).length >= 8);
  });
});
