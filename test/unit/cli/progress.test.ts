import assert from "node:assert/strict";
import { type ProgressLine, progressLine } from "../../../src/cli/progress.ts";

describe("the command line's progress", () => {
  let time = 0;
  let written = "";
  const lineOn = (write: ((text: string) => void) | null): ProgressLine =>
    progressLine(
      write,
      () => false,
      () => time,
    );
  const write = (text: string): void => {
    written += text;
  };

  beforeEach(() => {
    time = 0;
    written = "";
  });

  it("is one line with the step and how far it is, and erased before something is printed", () => {
    const line = lineOn(write);
    time = 1000;
    line.onProgress(null, "deriving");
    line.onProgress(0.251, "checking");
    line.onProgress(0.252, "checking");
    line.clear();
    assert.deepEqual(written.split("\r\x1b[K"), ["", "deriving", "checking 25 %", ""]);
  });

  it("is not shown by runs that are over at once, and leaves nothing to erase", () => {
    const line = lineOn(write);
    time = 100;
    line.onProgress(0.5, "checking");
    line.clear();
    assert.equal(written, "");
  });

  it("is not shown where nobody looks", () => {
    const line = lineOn(null);
    time = 1000;
    line.onProgress(0.5, "checking");
    line.clear();
    assert.equal(written, "");
  });
});
