import assert from "node:assert/strict";
import { copyExample } from "../example.ts";
import { keepEvidenceOfFailures, launchWorkbench, type Workbench } from "../workbench.ts";

describe("the window", () => {
  let workbench: Workbench;

  before(async () => {
    workbench = await launchWorkbench({ workspace: await copyExample() });
  });
  after(() => workbench.close());
  keepEvidenceOfFailures(() => workbench);

  it("opens the folder with the extension under development", async () => {
    const title = await workbench.page.title();
    assert.match(title, /Extension Development Host/);
    const root = workbench.page.locator(".explorer-folders-view .monaco-list-row").first();
    await root.waitFor();
  });
});
