import assert from "node:assert/strict";
import { topological } from "../../../src/expression/walk.ts";
import { derive } from "../../../src/gradient/derive.ts";
import { compileKernel } from "../../../src/numbers/kernel.ts";
import { PythonError } from "../../../src/python/errors.ts";
import type { Trace } from "../../../src/python/program.ts";
import {
  argumentsOf,
  array,
  binary,
  close,
  probabilities,
  session,
  slopes,
  traceOf,
  valueOf,
} from "./session.ts";

/** More entries than are compared with each other in a formula. */
const MANY = 5000;

const z = array([MANY], probabilities(MANY));
const y = array([MANY], binary(MANY));

async function traced(body: string, arrays = { z, y }): Promise<Trace> {
  const lines = body.split("\n").map((line) => `    ${line}`);
  const source = `import torch\n\ndef loss(z, y):\n${lines.join("\n")}\n`;
  return traceOf(source, "loss", arrays);
}

/** The arrays of a trace, those that it has made included. */
function bound(
  trace: Trace,
  arrays: Record<string, typeof z> = { z, y },
): Record<string, typeof z> {
  const made = trace.captured.map((c) => [c.name, c.handle.token as typeof z] as const);
  return { ...arrays, ...Object.fromEntries(made) };
}

/** Derivatives where an array of all products is too large. */
function kernelSlopes(trace: Trace, arrays: Record<string, typeof z>): Float64Array {
  const inputs = Object.entries(arrays).map(
    ([name, a]) => [name, Float64Array.from(a.data)] as const,
  );
  const kernel = compileKernel([derive(trace.loss, trace.inputs[0]!.node)]);
  return kernel.run(new Map(inputs)).outputs[0]!.data;
}

/** The positions of the k largest of some numbers, equal ones in their order. */
function largest(values: readonly number[], k: number): Set<number> {
  const order = values.map((_, p) => p).sort((p, q) => values[q]! - values[p]! || p - q);
  return new Set(order.slice(0, k));
}

/** What cells print about an array a of 5,000 entries: 0, 7, 14, …, modulo 5,000. */
const PRINTED: readonly (readonly [expression: string, printed: string])[] = [
  ["torch.sort(a).values[:3].tolist()", "[0.0, 1.0, 2.0]"],
  ["torch.sort(a, descending=True)[0][[0, -1]].tolist()", "[4999.0, 0.0]"],
  ["a.topk(20)[0].shape[0], len(a.topk(20).indices), a.topk(20)[0].numel()", "20 20 20"],
  ["a.topk(20, largest=False)[0].sum().item()", "190.0"],
  ["a.topk(20)[0][19].item(), a.topk(20)[0][-20].item()", "4980.0 4999.0"],
  ["np.sort(b)[::-1][:2].tolist()", "[4999.0, 4998.0]"],
  ["a.sort()[0].flip(0)[::1000].tolist()", "[4999.0, 3999.0, 2999.0, 1999.0, 999.0]"],
  ["a.argsort()[:3].tolist()", "[0, 2143, 4286]"],
  ["np.argsort(-b)[0]", "2857"],
  ["(a.sort()[0] * torch.arange(5000)).sum().item() == (torch.arange(5000.) ** 2).sum().item()", "True"],
  ["(a.sort()[0] - a[a.argsort()]).abs().sum().item()", "0.0"],
  ["a.sort()[0].cumsum(0)[100].item()", "5050.0"],
  ["a[a > 2].sort()[0][0].item(), a[a > 2].sort()[1][:2].tolist()", "3.0 [1428, 3570]"],
  ["a.sort()[0][a.sort()[0] > 4990][0].item()", "4991.0"],
  ["a.median().item(), c.median(1).values.tolist()", "2499.0 [2499.0, 2500.0]"],
  ["list(c.topk(30, dim=1)[0].shape), c.sort(1)[0][1][:2].tolist(), c.sort(1)[0][:, -1].tolist()", "[2, 30] [1.0, 2.0] [4999.0, 5000.0]"],
  ["a.kthvalue(3)[0].item(), c.kthvalue(3, keepdim=True).values.tolist()", "2.0 [[2.0], [3.0]]"],
  ["torch.tensor([4., 1., 3.]).kthvalue(2).indices.item()", "2"],
  ["round(a.quantile(0.1).item(), 3), a.quantile(0.5, interpolation='higher').item()", "499.9 2500.0"],
  ["np.quantile(b, 0.25), np.percentile(b, 75, method='lower'), np.percentile(b, 100)", "1249.75 3749.0 4999.0"],
  ["np.quantile(b.reshape(2, 2500), 0.5, axis=1, keepdims=True).shape", "(2, 1)"],
  ["c.t().sort(0)[0].reshape(-1)[:4].tolist(), c.t().sort(0)[0].cumsum(0)[9].tolist()", "[0.0, 1.0, 1.0, 2.0] [45.0, 55.0]"],
  ["torch.sort(torch.cat([a, torch.tensor([float('nan')])]), descending=True)[0][:2].tolist()", "[nan, 4999.0]"],
]; // prettier-ignore

/** What statements leave in w, an array of 5,000 zeros beside a. */
const ASSIGNED: readonly (readonly [statements: string, printed: string])[] = [
  ["w[a.topk(3).indices] = 2", "[6.0, 2.0]"],
  ["w.scatter_(0, a.topk(3).indices, 2.0)", "[6.0, 2.0]"],
  ["v = w[a > 9]\nv[a[a > 9].argsort()[-3:]] = 2\nw[a > 9] = v", "[6.0, 2.0]"],
  ["v = w[a > 9]\nv[a[a > 9] > 4996] = 2\nw[a > 9] = v", "[6.0, 2.0]"],
  ["w[a.argsort()] = a.sort()[0] * 1", "[12497500.0, 4999.0]"],
  ["w[a.argsort()] = torch.arange(5000.0)", "[12497500.0, 4999.0]"],
  ["s = a.sort()[0]\ns[4000:] *= 0\ns[0] = 5\ns[-1] += 1\nw[:2] = torch.stack([s.sum(), s[-1]])", "[7998007.0, 0.0]"],
  ["s = a.sort()[0]\nt = s[s > 10]\nt *= 0\nw[0] = s[-1] + t.sum()", "[4999.0, 0.0]"],
  ["v = a[a > 4]\ns = v[v.argsort()]\nv *= 0\nw[0] = s[-1]", "[4999.0, 0.0]"],
]; // prettier-ignore

describe("Sorting arrays that are too large for a formula of comparisons", () => {
  for (const [expression, printed] of PRINTED) {
    it(`prints ${printed} for ${expression}`, async () => {
      const { run, host } = await session();
      run(`
import numpy as np
import torch
a = (torch.arange(5000) * 7 % 5000).float()
b = np.arange(5000) * 7 % 5000 * 1.0
c = torch.stack([a, a + 1])
print(${expression})`);
      assert.equal(host.printed.join("").trim(), printed);
    });
  }

  for (const [statements, printed] of ASSIGNED) {
    it(`leaves ${printed} of all and of the largest after ${JSON.stringify(statements)}`, async () => {
      const { run, host } = await session();
      run(`
import torch
a = (torch.arange(5000) * 7 % 5000).float()
w = torch.zeros(5000)
${statements}
print([w.sum().item(), w[2857].item()])`);
      assert.equal(host.printed.join("").trim(), printed);
    });
  }

  it("looks nothing up, place by place, on a tape either", async () => {
    const { run, program } = await session();
    const { call } = run(`
import torch
def loss(z, y):
    at = (y == 0).nonzero().squeeze()
    s, order = torch.sort(z[at], descending=True)
    return (s * y[at][order.data]).sum() + z[z.argsort()[:900]].mean()
z = torch.sin(torch.arange(5000.0))
loss(z, torch.arange(5000) % 3)`);
    const { tape } = program.tapeOfCall(call!, (p) => p.dtype);
    const nodes = tape!.entries.flatMap((e) => topological(e.value));
    assert.ok(!nodes.some((e) => e.kind === "oneHot"));
  });

  /** The mean of the 500 largest, as people write it. */
  const WORST = [
    "return z.topk(500, sorted=False)[0].mean()",
    "return z.sort(descending=True)[0][:500].mean()",
    "return z[z.detach().argsort(descending=True)[:500]].sum() / 500",
    "return torch.sort(z)[0].flip(0)[:500].mean()",
    "return z.gather(0, torch.topk(z, 500).indices).mean()",
  ];

  it("is a sum over entries that an array picks, the same however it is written", async () => {
    const traces = await Promise.all(WORST.map((body) => traced(body)));
    const [first] = traces;
    const chosen = largest(z.data, 500);
    const mean = z.data.reduce((total, v, k) => total + (chosen.has(k) ? v : 0), 0) / 500;
    close(valueOf(first!, bound(first!)), mean);
    slopes(first!, bound(first!)).forEach((s, k) => {
      close(s, chosen.has(k) ? 1 / 500 : 0);
    });
    for (const trace of traces) {
      assert.deepEqual(trace.captured.map((c) => c.name), ["chosen"]); // prettier-ignore
      assert.deepEqual(trace.captured[0]!.handle.token, first!.captured[0]!.handle.token);
      close(valueOf(trace, bound(trace)), mean);
    }
  });

  it("says that the formula holds for this order", async () => {
    const trace = await traced(WORST[0]!);
    assert.ok(trace.assumptions.some((a) => a.includes("the order in which topk() puts entries")));
    assert.deepEqual(trace.fixed.map((f) => [f.inputs, f.lost]), [[["z"], []]]); // prettier-ignore
  });

  it("takes equal entries in their order", async () => {
    const tied = array([MANY], z.data.map((v) => Math.round(4 * v) / 4)); // prettier-ignore
    const trace = await traced("return z.topk(1700)[0].sum()", { z: tied, y });
    const chosen = largest(tied.data, 1700);
    slopes(trace, bound(trace, { z: tied, y })).forEach((s, k) => {
      close(s, chosen.has(k) ? 1 : 0);
    });
  });

  it("gives each row its own entries", async () => {
    const rows = array([2, MANY], probabilities(2 * MANY));
    const body = "v = z.topk(40, dim=1)[0]\nreturn v.sum(1).mean() + v.mean() + v[1].sum()";
    const trace = await traced(body, { z: rows, y });
    const chosen = [0, 1].map((r) => largest(rows.data.slice(r * MANY, (r + 1) * MANY), 40));
    slopes(trace, bound(trace, { z: rows, y })).forEach((s, k) => {
      const row = Math.floor(k / MANY);
      close(s, chosen[row]!.has(k % MANY) ? 1 / 2 + 1 / 80 + row : 0);
    });
  });

  it("puts weights by rank where the entries lie", async () => {
    const body = "s = z.sort(descending=True)[0]\nreturn (s * torch.arange(5000) ** 2).sum()";
    const trace = await traced(body);
    const order = z.data.map((_, p) => p).sort((p, q) => z.data[q]! - z.data[p]!);
    const found = slopes(trace, bound(trace));
    order.forEach((p, rank) => {
      close(found[p]!, rank ** 2);
    });
  });

  it("knows whose gradient is lost in constants: not that of what is cut off, or unused", async () => {
    const lost = async (body: string): Promise<string[]> =>
      (await traced(body)).fixed.flatMap((f) => f.lost);
    // z and y are prediction and target by their names.
    const running = "s, i = z.sort()\nc = y[i].cumsum(0)\n";
    assert.deepEqual(await lost(`${running}return (s * c).sum()`), ["y"]);
    assert.deepEqual(await lost(`${running}return (s * (1 - c / c[-1])).sum()`), ["y"]);
    assert.deepEqual(await lost(`${running}return (s * c.detach()).sum()`), []);
    assert.deepEqual(await lost(`${running}return s.sum()`), []);
    const compared = "s, i = z.sort()\nreturn (s * (y > 0.5)[i].cumsum(0)).sum()";
    assert.deepEqual(await lost(compared), []);
  });

  it("lets gradient flow through sums up to each, and through what stands beside", async () => {
    const some = { z: array([600], probabilities(600)), y };
    const trace = await traced("s = z.sort()[0]\nreturn (s.cumsum(0) * s.flip(0)).sum()", some);
    assert.ok(trace.fixed.every((f) => f.lost.length === 0));
    const { data } = some.z;
    const order = data.map((_, p) => p).sort((p, q) => data[p]! - data[q]!);
    const sums: number[] = [];
    for (const p of order) sums.push((sums.at(-1) ?? 0) + data[p]!);
    const found = slopes(trace, bound(trace, some));
    // Of Σ_k C_k·s_{n−1−k} by s_r: the flipped entries from r on, and the running sum beside it.
    order.forEach((p, r) => {
      close(found[p]!, 2 * sums[order.length - 1 - r]!);
    });
  });

  it("lets gradient flow through however many entries", async () => {
    const n = 100_000;
    const some = { z: array([n], probabilities(n)), y };
    const trace = await traced("return z.sort()[0].cumsum(0).sum()", some);
    assert.deepEqual(trace.fixed.flatMap((f) => f.lost), []); // prettier-ignore
    const { data } = some.z;
    const order = data.map((_, p) => p).sort((p, q) => data[p]! - data[q]!);
    const found = kernelSlopes(trace, bound(trace, some));
    order.forEach((p, r) => {
      assert.equal(found[p], n - r);
    });
  });

  it("lets gradient flow to the array that is asked for", async () => {
    const source =
      "import torch\n\ndef loss(z, y):\n    s, i = z.sort()\n    return (s * y[i].cumsum(0)).sum()\n";
    const { program } = await session();
    program.load(source, "losses.py");
    const args = argumentsOf({ z, y });
    const lostBy = (wrt: string | null): string[] =>
      program.asking({ wrt }, () => program.trace("loss", args)).fixed.flatMap((f) => f.lost);
    assert.deepEqual(lostBy(null), ["y"]);
    assert.deepEqual(lostBy("y"), []);
  });

  it("compares few entries with each other where the formula is to hold for any order", async () => {
    const source = "def loss(z):\n    return z.topk(9)[0].sum()\n";
    const { program } = await session();
    program.load(source, "losses.py");
    const args = argumentsOf({ z: array([900], probabilities(900)) });
    const trace = (ordering: "compared" | "fixed"): Trace =>
      program.asking({ ordering }, () => program.trace("loss", args));
    assert.equal(trace("compared").fixed.length, 0);
    assert.equal(trace("fixed").fixed.length, 1);
  });

  /** What is refused, and the words that say why. */
  const REFUSED: readonly (readonly [body: string, words: RegExp])[] = [
    ["s = z.sort()[0]\nt = s[:500]\nt *= 2\nreturn s.sum()", /another shares/],
    ["s = z.sort()[0]\nt = s[:500]\ns[0] = 2\nreturn s.sum() + t.sum()", /another shares/],
    ["i = z.argsort()\nreturn z[:4990][i].sum()", /index 4999 is out of bounds/],
  ];

  for (const [body, words] of REFUSED) {
    it(`refuses ${JSON.stringify(body)}`, async () => {
      await assert.rejects(traced(body), (e) => e instanceof PythonError && words.test(e.message));
    });
  }

  it("without values is refused with the advice to give arrays", async () => {
    const source = "import torch\n\ndef loss(z):\n    return torch.topk(z.view(-1), 9)[0].sum()\n";
    const { program } = await session();
    program.load(source, "losses.py");
    const shape = { kind: "shape", axes: [MANY], dtype: null } as const;
    assert.throws(
      () => program.trace("loss", new Map([["z", shape]])),
      (e) => e instanceof PythonError && (e.remedy ?? "").includes("Bind arrays"),
    );
  });
});
