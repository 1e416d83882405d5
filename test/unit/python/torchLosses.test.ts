import assert from "node:assert/strict";
import { topological } from "../../../src/expression/walk.ts";
import { PythonError } from "../../../src/python/errors.ts";
import { close, errorOf, session, slopes, traceOf, array } from "./session.ts";

/** What PyTorch gives, to twelve digits. */
const VALUES: readonly (readonly [expression: string, values: readonly number[]])[] = [
  ["F.gaussian_nll_loss(x, t, v)", [0.791666666667]],
  ["F.gaussian_nll_loss(x, t, v, full=True, reduction='sum')", [10.263631199228]],
  ["F.gaussian_nll_loss(x, t, v[:, 0])", [2.98013961458]],
  ["F.gaussian_nll_loss(x, t, v[:, :1])", [2.98013961458]],
  ["nn.GaussianNLLLoss(eps=1.)(x, t, v)", [0.964953461807]],
  ["F.gaussian_nll_loss(x, t, 2.0)", [0.888240256947]],
  ["F.multi_margin_loss(x, y)", [0.666666666667]],
  ["F.multi_margin_loss(x, y, p=2, margin=2., reduction='sum')", [8.666666666667]],
  ["nn.MultiMarginLoss(weight=v[0])(x, y)", [0.333333333333]],
  ["F.multi_margin_loss(x[1], y[1])", [1.333333333333]],
  ["F.multi_margin_loss(x[1], y[1:])", [1.333333333333]],
  ["F.multi_margin_loss(x, y, reduction='none').sum()", [1.333333333333]],
  ["F.layer_norm(x, (3,))[0]", [-1.06904153145, -0.267260382863, 1.336301914313]],
  ["F.layer_norm(x, [2, 3]).square().sum()", [5.999979428642]],
  ["nn.LayerNorm(3).double()(x)[1]", [-0.392231591415, -0.980578978536, 1.372810569951]],
  ["F.layer_norm(x, (3,), v[0], t[0])[0]", [0.465479234275, -0.267260382863, 5.672603828626]],
  ["F.group_norm(i, 1)[0, 0]", [-0.292769519994, 0.292769519994, 1.463847599972]],
  ["nn.GroupNorm(2, 2).double()(i)[0, 0]", [-1.06904153145, -0.267260382863, 1.336301914313]],
  ["F.group_norm(i, 2, v[0, :2], t[0, :2])[0, 0]", [0.465479234275, 0.866369808569, 1.668150957156]],
  ["nn.InstanceNorm1d(2)(i)[0, 1]", [-0.392231591415, -0.980578978536, 1.372810569951]],
  ["F.instance_norm(i, weight=v[0, :2])[0, 0]", [-0.534520765725, -0.133630191431, 0.668150957156]],
]; // prettier-ignore

const FAILURES: readonly (readonly [expression: string, message: RegExp])[] = [
  ["F.gaussian_nll_loss(x, t, -v)", /var has negative entry/],
  ["F.gaussian_nll_loss(x, t, v[0])", /var is of incorrect size/],
  ["F.multi_margin_loss(x, y, p=3)", /only p == 1 and p == 2 supported/],
  ["F.layer_norm(x, (2,))", /expected input with shape \[\*, 2\], but got input of size \[2, 3\]/],
  ["F.group_norm(i, 3)", /got 2 channels and num_groups=3/],
  ["F.instance_norm(x)", /samples, channels and places, not 2 axes/],
  ["nn.InstanceNorm2d(2)(i)", /InstanceNorm2d of an array with 3 axes is not supported/],
  ["F.instance_norm(i, use_input_stats=False)", /running statistics is not supported/],
]; // prettier-ignore

const ARRAYS = `
import torch
import torch.nn as nn
import torch.nn.functional as F
x = torch.tensor([[1., 2., 4.], [0., -1., 3.]]).double()
y = torch.tensor([2, 0])
t = torch.tensor([[1., 0., 3.], [0., 1., 1.]]).double()
v = torch.tensor([[.5, 1., 2.], [.25, 4., 1.]]).double()
i = x.view(1, 2, 3)
`;

describe("Losses of likelihoods and margins, and normalizations", () => {
  for (const [expression, values] of VALUES) {
    it(`${expression} is ${values.join(", ")}`, async () => {
      const { run, host } = await session();
      run(`${ARRAYS}print((${expression}).reshape(-1).tolist())`);
      const printed = JSON.parse(host.printed.join("")) as number[];
      assert.equal(printed.length, values.length);
      values.forEach((value, k) => {
        close(printed[k]!, value, 1e-11);
      });
    });
  }

  for (const [expression, message] of FAILURES) {
    it(`${expression} is refused`, async () => {
      const { run } = await session();
      const e = errorOf(() => run(`${ARRAYS}${expression}`));
      assert.ok(e instanceof PythonError);
      assert.match(e.message, message);
    });
  }

  it("a variance below eps has the gradient that it would have at eps", async () => {
    const source =
      "import torch.nn.functional as F\n\ndef loss(v, x):\n    return F.gaussian_nll_loss(x, 0 * x, v, eps=0.5)\n";
    const inputs = { v: array([1], [0.25]), x: array([1], [1]) };
    // ½(1/v - (x/v)²) at v = 0.5
    close(slopes(await traceOf(source, "loss", inputs), inputs)[0]!, 0.5 * (2 - 4));
  });

  for (const norm of [
    "torch.norm(x, dim=1)",
    "x.norm(dim=1)",
    "torch.linalg.vector_norm(x, dim=1)",
  ]) {
    it(`${norm} is flat where all entries are 0, and a root as any where none are`, async () => {
      const source = `import torch\n\ndef loss(x):\n    return ${norm}.sum()\n`;
      const some = { x: array([2, 2], [3, 4, 0, 0]) };
      const found = slopes(await traceOf(source, "loss", some), some);
      [0.6, 0.8, 0, 0].forEach((slope, k) => {
        close(found[k]!, slope);
      });
      const { loss } = await traceOf(source, "loss", { x: array([2, 2], [3, 4, 0, 1]) });
      assert.ok(topological(loss).every((e) => e.kind !== "where"));
    });
  }
});
