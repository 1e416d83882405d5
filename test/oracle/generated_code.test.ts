import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { evaluate } from "../../src/expression/evaluate.ts";
import { namesFor } from "../../src/expression/names.ts";
import type { Expr } from "../../src/expression/node.ts";
import {
  type Dialect,
  NUMPY_HELPERS,
  numpy,
  torch,
} from "../../src/expression/pythonCodeDialects.ts";
import { CannotWrite, Emitter } from "../../src/expression/pythonCodeEmit.ts";
import { ARRAYS, LEAVES, programs, runProgram } from "../unit/expression/programs.ts";
import { runOracle } from "./environment.ts";

const folder = mkdtempSync(join(tmpdir(), "dice-gradient-code-"));
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

const ARGUMENTS = "p, g, x, w, u, alpha";

/** A module with one function for each expression, which prints all their values as JSON. */
function moduleOf(dialect: Dialect, functions: readonly string[][]): string {
  const isTorch = dialect.name === "torch";
  const array = (name: string): string => {
    const { shape, data } = ARRAYS.get(name)!;
    const made = `[${Array.from(data).join(", ")}]`;
    return isTorch
      ? `torch.tensor(${made}, dtype=torch.float64).reshape(${shape.join(", ")})`
      : `np.array(${made}).reshape(${shape.join(", ")})`;
  };
  return [
    "import json",
    "import math",
    isTorch ? "import torch\nimport torch.nn.functional as F" : "import numpy as np",
    ...(isTorch ? [] : ["np.seterr(all='ignore')", ...Object.values(NUMPY_HELPERS)]),
    ...functions.map((lines, k) => `def f${k}(${ARGUMENTS}):\n    ${lines.join("\n    ")}`),
    `values = (${["p", "g", "x", "w", "u"].map(array).join(", ")}, 0.7)`,
    "out = []",
    `for k in range(${functions.length}):`,
    "    v = globals()[f'f{k}'](*values)",
    isTorch
      ? "    v = torch.as_tensor(v, dtype=torch.float64)\n    out.append([list(v.shape), v.reshape(-1).tolist()])"
      : "    v = np.asarray(v, dtype=float)\n    out.append([list(v.shape), v.reshape(-1).tolist()])",
    "print(json.dumps(out).replace('NaN', 'null').replace('-Infinity', '-1e999').replace('Infinity', '1e999'))",
    "",
  ].join("\n");
}

function codeOf(dialect: Dialect, e: Expr): string[] | null {
  try {
    const emitter = new Emitter(dialect, namesFor(LEAVES), LEAVES.slice(0, 5));
    emitter.define([e], [], new Set());
    const result = emitter.statement("return ", e);
    return [...emitter.lines, ...result];
  } catch (error) {
    if (error instanceof CannotWrite) return null;
    throw error;
  }
}

describe("generated Python", function () {
  this.timeout(600_000);

  for (const dialect of [numpy, torch]) {
    it(`${dialect.name} statements compute what the expressions say`, async () => {
      const expressions = fc
        .sample(programs, { seed: 3, numRuns: 1500 })
        .map((program) => runProgram(program));
      const written = expressions
        .map((e) => ({ e, code: codeOf(dialect, e) }))
        .flatMap(({ e, code }) => (code === null ? [] : [{ e, code }]));
      assert.ok(written.length > 0.9 * expressions.length, `${written.length} were written`);
      const file = join(folder, `${dialect.name}_values.py`);
      writeFileSync(
        file,
        moduleOf(
          dialect,
          written.map((w) => w.code),
        ),
      );
      const results = JSON.parse(await runOracle(file)) as [number[], (number | null)[]][];
      assert.equal(results.length, written.length);
      written.forEach(({ e, code }, k) => {
        const expected = evaluate(e, ARRAYS);
        const [shape, values] = results[k]!;
        const where = `${code.join("\n")}\n`;
        assert.deepEqual(shape, expected.shape, where);
        expected.data.forEach((v, n) => {
          const got = values[n] ?? NaN;
          const close = Object.is(v, got) || Math.abs(got - v) <= 1e-10 * Math.max(1, Math.abs(v));
          assert.ok(close || v === got, `${where} gives ${got} at ${n}, the graph says ${v}`);
        });
      });
    });
  }
});
