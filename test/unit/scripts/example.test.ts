import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { copyExample } from "../../../scripts/lib/example.mjs";

describe("the example that npm start opens", () => {
  const source = mkdtempSync(join(tmpdir(), "dice-gradient-source-"));
  const target = mkdtempSync(join(tmpdir(), "dice-gradient-target-"));
  const write = (text: string): void => {
    writeFileSync(join(source, "dice-gradient.ipynb"), text);
  };
  after(() => {
    for (const folder of [source, target, `${target}.copied.ipynb`])
      rmSync(folder, { recursive: true, force: true });
  });

  it("is a copy, brought up to date while nobody has changed it", async () => {
    write("first");
    writeFileSync(join(source, "data.npy"), "data");
    const { notebook, kept } = await copyExample(source, target);
    assert.deepEqual([readFileSync(notebook, "utf8"), kept], ["first", false]);
    assert.equal(readFileSync(join(target, "data.npy"), "utf8"), "data");
    write("second");
    await copyExample(source, target);
    assert.equal(readFileSync(notebook, "utf8"), "second");
  });

  it("is kept as its user saved it", async () => {
    const path = join(target, "dice-gradient.ipynb");
    writeFileSync(path, "with outputs");
    write("third");
    const { kept } = await copyExample(source, target);
    assert.equal(kept, true);
    assert.equal(readFileSync(path, "utf8"), "with outputs");
  });
});
