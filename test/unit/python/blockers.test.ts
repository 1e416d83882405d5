import assert from "node:assert/strict";
import { traceOf } from "./session.ts";

/** Places that stop the gradient of `p`: what the code does, the lines, and how each is called. */
const STOPS: readonly (readonly [title: string, body: string, expected: readonly string[]])[] = [
  ["detach()", "return (p.detach() * t).sum()", ["detach() on line 5: p"]],
  [".data", "w = p.data\nreturn (w * p * t).sum()", [".data on line 5: p"]],
  [".item()", "return (p * t).sum() * p.mean().item()", [".item() on line 5: p"]],
  ["float()", "return (p * t).sum() * float(p.mean())", ["float() on line 5: p"]],
  ["torch.tensor()", "return (p * t).sum() / torch.tensor(p.sum())", ["torch.tensor() on line 5: p"]],
  [
    "no_grad()",
    "with torch.no_grad():\n    w = p.sum()\nreturn (p * t).sum() / w",
    ["no_grad on line 6: p"],
  ],
  [
    ".numpy()",
    "w = p.detach().numpy().mean()\nreturn (p * t).sum() * float(w)",
    ["detach() on line 5: p", "float() on line 6: p"],
  ],
  ["rounding", "h = torch.round(p)\nreturn (h * t).sum()", ["round() on line 5: p"]],
  ["floor", "return (torch.floor(p) * t).sum()", ["floor() on line 5: p"]],
  ["a threshold", "h = (p > 0.5).float()\nreturn (h * t).sum()", ["the comparison > on line 5: p"]],
  ["argmax", "k = p.argmax(0).float()\nreturn (p * t).sum() + k.sum()", ["argmax() on line 5: p"]],
  ["a cast to integers", "return ((p * 9).long() * t).sum()", ["the conversion to integers on line 5: p"]],
  ["sign", "return (torch.sign(p) * t).sum()", ["sign() on line 5: p"]],
  [
    "a clamp, outside its bounds",
    "return (p.clamp(0, 1) * t).sum()",
    ["clamp() outside its bounds on line 5: p (some entries)"],
  ],
  ["a threshold of the target alone", "return (p * (t > 0.5)).sum()", ["the comparison > on line 5: t"]],
  ["nothing in torch.where's condition", "return torch.where(p > 0.5, p, p * t).sum()", []],
  ["nothing in sorting", "return (p.sort()[0] * t).sum()", []],
]; // prettier-ignore

describe("What stops the gradient", () => {
  for (const [title, body, expected] of STOPS) {
    it(`is said with its line and its inputs: ${title}`, async () => {
      const lines = body.split("\n").map((l) => `    ${l}`);
      const source = ["import torch", "", "def loss(p, t):", "    p = p * 1.0", ...lines].join(
        "\n",
      );
      const shape = { shape: [2, 3], data: [0.1, 0.9, 0.4, 0.3, 0.7, 0.6] };
      const trace = await traceOf(source, "loss", { p: shape, t: shape });
      const found = trace.blockers.map(
        (b) =>
          `${b.how} on line ${b.span.line}: ${b.inputs.join(", ")}${b.partial ? " (some entries)" : ""}`,
      );
      assert.deepEqual(found.sort(), [...expected].sort());
    });
  }
});
