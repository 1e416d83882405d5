import assert from "node:assert/strict";
import { decodeSource } from "../../../src/python/encoding.ts";

const latin = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));

describe("The encoding of a source file", () => {
  it("is UTF-8, with or without a mark", () => {
    assert.equal(decodeSource(new TextEncoder().encode("x = 'é'\n")), "x = 'é'\n");
    assert.equal(decodeSource(new TextEncoder().encode("\uFEFFx = 'é'\n")), "x = 'é'\n");
  });

  it("is what a comment in the first two lines names", () => {
    for (const head of [
      "# -*- coding: latin-1 -*-\n",
      "#!/usr/bin/python\n# coding=iso_8859-1\n",
    ]) {
      assert.equal(decodeSource(latin(`${head}x = '\xe9'\n`)), `${head}x = 'é'\n`);
    }
    const late = "a = 1\nb = 2\n# coding: latin-1\n";
    assert.equal(decodeSource(latin(`${late}'\xe9'`)), `${late}'\uFFFD'`);
  });

  it("is UTF-8 where the name is none", () => {
    assert.equal(decodeSource(latin("# coding: rot13\nx = 1\n")), "# coding: rot13\nx = 1\n");
  });
});
