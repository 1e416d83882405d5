/** Tests of expressions, one a line: what NumPy prints of them, or what is said of refused ones. */
import assert from "node:assert/strict";
import { PythonError } from "../../../src/python/errors.ts";
import { session } from "./session.ts";

export type Printed = readonly (readonly [expression: string, printed: string])[];
export type Refused = readonly (readonly [expression: string, message: RegExp, remedy: RegExp])[];

/** @param show how the printed value is written, of an expression */
export function prints(
  before: string,
  rows: Printed,
  show = (e: string): string => `listed(${e})`,
): void {
  for (const [expression, printed] of rows) {
    it(`${expression} is ${printed}`, async () => {
      const { run, host } = await session();
      run(`${before}\nprint(${show(expression)})`);
      assert.equal(host.printed.join("").trim(), printed);
    });
  }
}

export function refuses(before: string, rows: Refused): void {
  for (const [expression, message, remedy] of rows) {
    it(`${expression} is refused with a remedy`, async () => {
      const { run } = await session();
      assert.throws(
        () => run(`${before}\n${expression}`),
        (e) => {
          assert.ok(e instanceof PythonError);
          assert.match(e.message, message);
          assert.match(e.remedy ?? "", remedy);
          return true;
        },
      );
    });
  }
}
