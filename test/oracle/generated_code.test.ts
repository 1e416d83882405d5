import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { type BoundArray, evaluate } from "../../src/expression/evaluate.ts";
import { namesFor } from "../../src/expression/names.ts";
import type { Expr } from "../../src/expression/node.ts";
import {
  type Dialect,
  NUMPY_HELPERS,
  numpy,
  torch,
} from "../../src/expression/pythonCodeDialects.ts";
import { Emitter } from "../../src/expression/pythonCodeEmit.ts";
import { CannotWrite } from "../../src/expression/pythonCodeShapes.ts";
import { leaves, resize } from "../../src/expression/walk.ts";
import { derive } from "../../src/gradient/derive.ts";
import { deriveSteps } from "../../src/gradient/steps.ts";
import { ARRAYS, LEAVES, programs, runProgram } from "../unit/expression/programs.ts";
import { LOSSES, type LossCase } from "../unit/gradient/derivationLosses.ts";
import { runOracle } from "./environment.ts";

const folder = mkdtempSync(join(tmpdir(), "dice-gradient-code-"));
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Python that runs what a derivation wrote and compares it with real autograd. */
const HARNESS = `
import json, sys, types, warnings
import numpy as np
import torch

warnings.simplefilter("ignore")
out = {}
for case in json.load(open(sys.argv[1])):
    arrays = [np.array(a["data"]).reshape(a["shape"]) for a in case["arrays"]]
    names = [a["name"] for a in case["arrays"]]
    kwargs = dict(zip(names, arrays))
    scope = {"__name__": case["name"]}
    exec(case["numpy"], scope)
    numpy_function = scope[case["name"] + "_gradient"]
    gradient = numpy_function(**kwargs)
    scope = {"__name__": case["name"]}
    exec(case["torch"], scope)
    def tensors():
        given = {k: torch.tensor(v) for k, v in kwargs.items()}
        for k in case["labels"]:
            given[k] = given[k].to(torch.int64)
        given[case["wrt"]].requires_grad_(True)
        return given
    given = tensors()
    order = case["order"]
    loss = scope[case["name"]](*[given[k] for k in order])
    (3 * loss).backward()
    larger = {a["name"]: np.array(a["data"]).reshape(a["shape"]) for a in case["larger"]}
    try:
        other = np.asarray(numpy_function(**larger)).reshape(-1).tolist()
    except ValueError as error:
        other = str(error)
    # The forward pass again, without the Function around it, as autograd sees it.
    again = tensors()
    function = [v for v in scope.values() if isinstance(v, type) and issubclass(v, torch.autograd.Function) and v.__module__ == case["name"]][0]
    ctx = types.SimpleNamespace(save_for_backward=lambda *a: None)
    defaults = scope[case["name"]].__defaults__ or ()
    auto = function.forward(ctx, *[again[k] for k in order], *defaults)
    if auto.requires_grad:
        (3 * auto).backward()
    expected = again[case["wrt"]].grad
    out[case["name"]] = {
        "loss": float(loss.detach()),
        "shape": list(gradient.shape),
        "writable": bool(gradient.flags.writeable),
        "numpy": gradient.reshape(-1).tolist(),
        "torch": given[case["wrt"]].grad.reshape(-1).tolist(),
        "larger": other,
        "autograd": None if expected is None else expected.reshape(-1).tolist(),
    }
print(json.dumps(out))
`;

interface Ran {
  readonly loss: number;
  readonly shape: number[];
  readonly writable: boolean;
  readonly numpy: number[];
  readonly torch: number[];
  /** The NumPy function on arrays of other sizes, or why it refuses them. */
  readonly larger: number[] | string;
  readonly autograd: number[] | null;
}

const listed = (bindings: LossCase["bindings"]): object[] =>
  [...bindings].map(([name, a]) => ({ name, shape: a.shape, data: Array.from(a.data) }));

/** A loss over axes of one entry more (where there are several), and arrays for it. */
function enlarged(c: LossCase): { loss: Expr; bindings: Map<string, BoundArray> } {
  const inputs = leaves(c.loss).filter((e) => e.kind === "input");
  const sizes = new Map(
    inputs.flatMap((e) => e.shape.map((a) => [a.name, a.size === 1 ? 1 : a.size! + 1] as const)),
  );
  const bindings = new Map(
    inputs.map((e) => {
      const shape = e.shape.map((a) => sizes.get(a.name)!);
      const old = c.bindings.get(e.name)!;
      const n = shape.reduce((x, y) => x * y, 1);
      const data = Array.from({ length: n }, (_, k) => old.data[(k * 7) % old.data.length]!);
      return [e.name, { shape, data }];
    }),
  );
  return { loss: resize(c.loss, sizes), bindings };
}

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

  describe("of a derivation", () => {
    const cases = LOSSES.map((c) => {
      const { python, gradientExpr } = deriveSteps(c.loss, c.wrt, { functionName: c.name });
      return { ...c, python: python!, gradientExpr };
    });
    let ran: Record<string, Ran> = {};

    before(async () => {
      const script = join(folder, "derived.py");
      const data = join(folder, "derived.json");
      const payload = cases.map((c) => ({
        name: c.name,
        numpy: c.python.numpy,
        torch: c.python.torch,
        wrt: c.wrt.kind === "input" ? c.wrt.name : "",
        // Arguments in the order of the generated signature.
        order: /def \w+\(([^)]*)\):\n {4}return/
          .exec(c.python.torch)![1]!
          .split(", ")
          .filter((a) => !a.includes("=")),
        labels: leaves(c.loss).flatMap((e) =>
          e.kind === "input" && e.type === "int" ? [e.name] : [],
        ),
        arrays: listed(c.bindings),
        larger: listed(enlarged(c).bindings),
      }));
      writeFileSync(script, HARNESS);
      writeFileSync(data, JSON.stringify(payload));
      ran = JSON.parse(await runOracle(script, [data])) as Record<string, Ran>;
    });

    for (const c of cases) {
      it(`${c.name}: NumPy function and PyTorch backward equal the gradient and real autograd`, () => {
        const r = ran[c.name]!;
        const expected = evaluate(c.gradientExpr, c.bindings);
        assert.deepEqual(r.shape, expected.shape);
        assert.ok(r.writable);
        const loss = evaluate(c.loss, c.bindings).data[0]!;
        assert.ok(Math.abs(r.loss - loss) <= 1e-12 * Math.max(1, Math.abs(loss)));
        expected.data.forEach((v, k) => {
          const close = (x: number, y: number): boolean =>
            Math.abs(x - y) <= 1e-12 * Math.max(1, Math.abs(y));
          assert.ok(close(r.numpy[k]!, v), `NumPy gives ${r.numpy[k]} at ${k}, it is ${v}`);
          // The harness multiplies the loss by 3: the upstream gradient must arrive.
          assert.ok(close(r.torch[k]!, 3 * v), `backward gives ${r.torch[k]} at ${k}`);
          const auto = r.autograd?.[k] ?? 0;
          // The forward code drops stop-gradients, which only backward's formula is about.
          if (c.name !== "detached_size") assert.ok(close(auto, 3 * v), `autograd gives ${auto}`);
        });
      });
    }

    it("the NumPy function is right for other sizes too, or refuses them", () => {
      let right = 0;
      for (const c of cases) {
        const { larger } = ran[c.name]!;
        if (typeof larger === "string") {
          assert.match(larger, /derived for arrays with/);
          continue;
        }
        // A slice to the end keeps its length in a resized graph, but not in Python.
        if (c.name === "without_background") continue;
        const { loss, bindings } = enlarged(c);
        const wrt = leaves(loss).find(
          (e) => e.kind === "input" && c.wrt.kind === "input" && e.name === c.wrt.name,
        )!;
        evaluate(derive(loss, wrt), bindings).data.forEach((v, k) => {
          const difference = Math.abs(larger[k]! - v);
          assert.ok(difference <= 1e-12 * Math.max(1, Math.abs(v)), `${c.name} at ${k}`);
        });
        right++;
      }
      assert.ok(right > 20);
    });
  });
});
