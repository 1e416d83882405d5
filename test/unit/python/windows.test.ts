import assert from "node:assert/strict";
import { namesFor } from "../../../src/expression/names.ts";
import { toText } from "../../../src/expression/text.ts";
import { array, probabilities, traceOf } from "./session.ts";

const HEAD = "import torch\nimport torch.nn.functional as F\n\n";

/** What a loss of one picture of 4 × 4 is written as. */
async function written(body: string): Promise<string> {
  const p = array([1, 1, 4, 4], probabilities(16));
  const trace = await traceOf(`${HEAD}def loss(p):\n    ${body}\n`, "loss", { p });
  return toText(trace.loss, namesFor([trace.loss]));
}

describe("Losses of windows, small ones too, read as", () => {
  for (const [what, body, formula] of [
    [
      "maxima of windows side by side",
      "return F.max_pool2d(p, 2).sum()",
      "Σ_{b,c,q,r} max_{i,j}(p[b,c,2·q+i,2·r+j])",
    ],
    [
      "maxima over what lies inside",
      "return F.max_pool2d(p, (3, 1), 1, (1, 0)).sum()",
      "Σ_{b,c,h,w} max_i(p[b,c,h+i−1,w] if h+i ≥ 1 and h+i ≤ 4 else −∞)",
    ],
    ["erosions", "return -F.max_pool2d(-p, 3, 1).sum()", "Σ_{b,c,q,r} min_{i,j}(p[b,c,q+i,r+j])"],
    [
      "erosions up to the edge",
      "return -F.max_pool2d(-p, (1, 3), 1, (0, 1)).sum()",
      "Σ_{b,c,h,w} min_i(p[b,c,h,w+i−1] if w+i ≥ 1 and w+i ≤ 4 else ∞)",
    ],
    [
      "means, one axis after another",
      "return F.avg_pool2d(p, 3, 1, 1).sum()",
      "Σ_{b,c,h,w} (1/9)·Σ_i [h+i−1 ≥ 0 and h+i−1 ≤ 3]·Σ_j [w+j−1 ≥ 0 and w+j−1 ≤ 3]·p[b,c,h+i−1,w+j−1]",
    ],
    [
      "convolutions",
      "return F.conv2d(p, torch.tensor([[[[0., 1.], [-1., 2.]]]])).sum()",
      "Σ_{n,q,r,m,i,j} p[0,0,q+i,r+j]·array[n,m,i,j]",
    ],
    [
      "patches side by side",
      "return (F.unfold(p, 2, stride=2) ** 2).sum(1).max()",
      "max_{b,q,r}(Σ_{c,j,k} p[b,c,q,j,r,k]²)",
    ],
    [
      "patches that overlap",
      "return (F.unfold(p, 3) ** 2).sum(1).max()",
      "max_{b,q,r}(Σ_{c,j,k} p[b,c,q+j,r+k]²)",
    ],
  ] as const) {
    it(what, async () => {
      assert.equal(await written(body), formula);
    });
  }
});
