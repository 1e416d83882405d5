import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { ArrayError } from "../../../src/arrays/ndarray.ts";
import { folderWithRoom } from "../../../src/session/scratch.node.ts";

describe("the folder that arrays are unpacked in", () => {
  it("is one that is there, with room", () => {
    assert.ok(existsSync(folderWithRoom(1000, "a.nii.gz")));
  });

  it("is refused before anything is written where there is no room, with how much there is", () => {
    assert.throws(
      () => folderWithRoom(2 ** 60, "a.nii.gz"),
      (e) => {
        assert.ok(e instanceof ArrayError);
        assert.match(
          e.message,
          /^There is no room to unpack a\.nii\.gz: it takes 1152921504\.6 GB, and /,
        );
        assert.match(e.message, / has \d+\.\d [MG]B/);
        assert.match(e.describe(), /TMPDIR/);
        return true;
      },
    );
  });
});
