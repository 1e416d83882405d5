import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { axis } from "../../../src/expression/axis.ts";
import {
  add,
  constant,
  div,
  input,
  mul,
  parameter,
  sigmoid,
  sub,
  sum,
} from "../../../src/expression/build.ts";
import { decideEqual } from "../../../src/expression/equality.ts";
import type { Expr } from "../../../src/expression/node.ts";
import { root } from "../../../scripts/lib/root.mjs";
import { traceOf } from "./session.ts";

const source = readFileSync(join(root, "media/example/losses.py"), "utf8");
const i = axis("i", null);
const two = constant(2);

function dice(p: Expr, g: Expr, eps: Expr): Expr {
  const top = add(mul(two, sum(mul(p, g))), eps);
  return sub(constant(1), div(top, add(add(sum(p), sum(g)), eps)));
}

describe("The example's losses", () => {
  const y = input("y_true", [i]);
  const p = input("y_pred", [i]);
  const z = input("logits", [i]);
  const g = input("target", [i]);
  const epsilon = parameter("epsilon", 1e-7);

  for (const [callable, expected] of [
    ["dice_loss_plain", dice(p, y, constant(0))],
    ["dice_loss_smooth", dice(p, y, epsilon)],
    ["dice_loss_torch", dice(sigmoid(z), g, epsilon)],
    ["DiceLoss", dice(sigmoid(z), g, parameter("smooth", 1))],
  ] as const) {
    it(`${callable} is what its formula says`, async () => {
      const trace = await traceOf(source, callable);
      const same = decideEqual(trace.loss, expected, { parameters: "valued" });
      assert.equal(same.equal, true);
    });
  }
});
