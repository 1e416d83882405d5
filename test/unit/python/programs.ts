/** Python programs with what Python 3 prints for them. */
import assert from "node:assert/strict";
import { PythonProgram } from "../../../src/python/program.ts";
import { TestHost, errorOf, session, sharedParser } from "./session.ts";

export type Program = readonly [what: string, source: string, printed: string];

/** One test a program: the tracer prints what Python prints. */
export function printAsPython(programs: readonly Program[]): void {
  for (const [what, source, printed] of programs) {
    it(what, async () => {
      const { run, host } = await session();
      run(unindented(source));
      assert.equal(host.printed.join(""), `${unindented(printed)}\n`);
    });
  }
}

export type Refusal = readonly [what: string, source: string, message: RegExp, line: number];

/** One test a program: it stops at that line with that message. */
export function stopAt(refusals: readonly Refusal[]): void {
  for (const [what, source, message, line] of refusals) {
    it(what, async () => {
      const limits = { steps: 20_000 };
      const program = new PythonProgram(await sharedParser(), new TestHost(), {
        file: "main.py",
        limits,
      });
      const e = errorOf(() => program.execute(unindented(source), "cell"));
      assert.match(e.headline, message);
      assert.equal(e.line, line);
    });
  }
}

/** Without the first line break and the margin that all lines share. */
export function unindented(text: string): string {
  const lines = text
    .replace(/^\n/, "")
    .replace(/\n[ ]*$/, "")
    .split("\n");
  const margins = lines.filter((l) => l.trim() !== "").map((l) => /^ */.exec(l)![0].length);
  const margin = Math.min(...margins, Infinity);
  return lines.map((l) => l.slice(Number.isFinite(margin) ? margin : 0)).join("\n");
}
