import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { readableExtensions } from "../../../../src/arrays/readers.ts";

interface MenuEntry {
  readonly command: string;
  readonly when?: string;
}
interface Manifest {
  readonly contributes: { readonly menus: Readonly<Record<string, readonly MenuEntry[]>> };
}

describe("the menus of array files", () => {
  const manifest = JSON.parse(
    readFileSync(new URL("../../../../package.json", import.meta.url), "utf8"),
  ) as Manifest;

  for (const menu of ["explorer/context", "editor/title/context"]) {
    it(`are there for every format that is read, and for no other: ${menu}`, () => {
      const entry = manifest.contributes.menus[menu]!.find(
        (e) => e.command === "dice-gradient.checkArrayFile",
      );
      const [, pattern] = /resourceFilename =~ \/(.+)\/i/.exec(entry!.when!)!;
      const regex = new RegExp(pattern!, "i");
      for (const extension of readableExtensions()) {
        assert.ok(regex.test(`a${extension}`), extension);
        assert.ok(regex.test(`A${extension.toUpperCase()}`), extension);
      }
      for (const other of ["a.py", "a.ipynb", "a.gz", "npy", "a.npy.bak"]) {
        assert.ok(!regex.test(other), other);
      }
    });
  }
});
