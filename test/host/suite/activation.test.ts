import assert from "node:assert/strict";
import * as vscode from "vscode";

const id = "dice-gradient.dice-gradient-inspector";

describe("the extension in VS Code", () => {
  it("is present and activates without an error", async () => {
    const extension = vscode.extensions.getExtension(id);
    assert.ok(extension, `${id} is not among the extensions`);
    await extension.activate();
    assert.equal(extension.isActive, true);
  });
});
