/** Threads that look at losses, from the side that starts them. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LintThread } from "../../../src/session/lintThreads.node.ts";

const JOB = { kind: "losses", file: "losses.py" } as const;

describe("a thread that looks at losses", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "lint-thread-"));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });
  const running = (script: string): LintThread => {
    const file = join(folder, `${script.length}.mjs`);
    writeFileSync(file, script);
    return new LintThread(file, null);
  };

  it("gives up the job that is under way when it is stopped", async () => {
    const thread = running("setInterval(() => undefined, 1000);");
    const asked = thread.ask(JOB);
    thread.dispose();
    await assert.rejects(asked, /stopped on request/);
  });

  it("says so when it ends, and is started again for the next job", async () => {
    const thread = running("process.exit(3);");
    await assert.rejects(thread.ask(JOB), /has ended/);
    await assert.rejects(thread.ask(JOB), /has ended/);
    thread.dispose();
  });
});
