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
  ["argmax, whatever becomes of it", "h = (p.argmax(0) == 1).long().float()\nreturn (p * t).sum() + h.sum()", ["argmax() on line 5: p"]],
  ["sign", "return (torch.sign(p) * t).sum()", ["sign() on line 5: p"]],
  [
    "a clamp, outside its bounds",
    "return (p.clamp(0, 1) * t).sum()",
    ["clamp() outside its bounds on line 5: p (some entries)"],
  ],
  ["a threshold of the target alone", "return (p * (t > 0.5)).sum()", ["the comparison > on line 5: t"]],
  [
    "relu, below 0",
    "return (torch.relu(p) * t).sum()",
    ["relu() below 0 on line 5: p (some entries)"],
  ],
  [
    "a maximum with a bound",
    "s = torch.maximum(p.sum(), torch.tensor(1.0))\nreturn (p * t).sum() / s",
    ["a maximum where the bound is larger on line 5: p (some entries)"],
  ],
  ["nothing in a maximum of two predictions", "return torch.maximum(p, p * t).sum()", []],
  ["nothing in torch.where's condition", "return torch.where(p > 0.5, p, p * t).sum()", []],
  ["nothing in sorting", "return (p.sort()[0] * t).sum()", []],
]; // prettier-ignore

/** The same in the other libraries: what to import, a body, and what is said. */
const ELSEWHERE: readonly (readonly [library: string, body: string, expected: string])[] = [
  ["numpy as np", "return (np.round(p) * t).sum()", "round() on line 5: p"],
  ["numpy as np", "return (np.argmax(p, 0) * t[0]).sum()", "argmax() on line 5: p"],
  ["numpy as np", "return ((p > 0.5) * t).sum()", "the comparison > on line 5: p"],
  ["numpy as np", "return ((9 * p).astype(int) * t).sum()", "the conversion to integers on line 5: p"],
  ["tensorflow as tf", "return tf.reduce_sum(tf.stop_gradient(p) * t)", "tf.stop_gradient() on line 5: p"],
  ["tensorflow as tf", "return tf.reduce_sum(tf.round(p) * t)", "round() on line 5: p"],
  ["tensorflow as tf", "return tf.reduce_sum(tf.cast(tf.cast(9 * p, tf.int32), tf.float64) * t)", "the conversion to integers on line 5: p"],
  ["tensorflow as tf", "return tf.reduce_sum(tf.cast(p > 0.5, tf.float64) * t)", "the comparison > on line 5: p"],
  ["tensorflow as tf", "return tf.reduce_sum(tf.one_hot(tf.argmax(p, 0), 2, axis=0, dtype=tf.float64) * t)", "argmax() on line 5: p"],
  ["tensorflow as tf", "return tf.reduce_sum(tf.clip_by_value(p, 0.2, 1.0) * t)", "clamp() outside its bounds on line 5: p (some entries)"],
  ["keras", "return keras.ops.sum(keras.ops.stop_gradient(p) * t)", "keras.ops.stop_gradient() on line 5: p"],
  ["keras", "return keras.ops.sum(keras.ops.round(p) * t)", "round() on line 5: p"],
  ["jax", "return (jax.lax.stop_gradient(p) * t).sum()", "lax.stop_gradient() on line 5: p"],
  ["jax.numpy as jnp", "return (jnp.round(p) * t).sum()", "round() on line 5: p"],
  ["jax.numpy as jnp", "return ((p > 0.5).astype(float) * t).sum()", "the comparison > on line 5: p"],
  ["jax.numpy as jnp", "return ((9 * p).astype(int) * t).sum()", "the conversion to integers on line 5: p"],
  ["jax.numpy as jnp", "return (jnp.argmax(p, 0) * t[0]).sum()", "argmax() on line 5: p"],
  ["jax.numpy as jnp", "return (jnp.clip(p, 0.2) * t).sum()", "a maximum where the bound is larger on line 5: p (some entries)"],
  ["autograd.numpy as np", "return np.sum(np.round(p) * t)", "round() on line 5: p"],
  ["autograd.numpy as np", "return np.sum((p > 0.5) * t)", "the comparison > on line 5: p"],
  ["autograd.numpy as np", "return np.sum(np.floor(p) * t)", "floor() on line 5: p"],
  ["autograd.numpy as np", "return np.sum(np.argmax(p, 0) * t[0])", "argmax() on line 5: p"],
  ["autograd.numpy as np", "return np.sum(np.clip(p, 0.2, 1.0) * t)", "clamp() outside its bounds on line 5: p (some entries)"],
]; // prettier-ignore

const ARRAY = { shape: [2, 3], data: [0.1, 0.9, 0.4, 0.3, 0.7, 0.6] };

async function stopsIn(library: string, body: string): Promise<string[]> {
  const lines = body.split("\n").map((l) => `    ${l}`);
  const source = [`import ${library}`, "", "def loss(p, t):", "    p = p * 1.0", ...lines];
  const trace = await traceOf(source.join("\n"), "loss", { p: ARRAY, t: ARRAY });
  return trace.blockers
    .map((b) => {
      const partial = b.partial ? " (some entries)" : "";
      return `${b.how} on line ${b.span.line}: ${b.inputs.join(", ")}${partial}`;
    })
    .sort();
}

describe("What stops the gradient", () => {
  for (const [title, body, expected] of STOPS) {
    it(`is said with its line and its inputs: ${title}`, async () => {
      assert.deepEqual(await stopsIn("torch", body), [...expected].sort());
    });
  }

  for (const [library, body, expected] of ELSEWHERE) {
    it(`is said in other libraries too: ${body}`, async () => {
      assert.deepEqual(await stopsIn(library, body), [expected]);
    });
  }
});
