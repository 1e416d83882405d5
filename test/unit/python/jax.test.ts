import assert from "node:assert/strict";
import { gradient } from "../../../src/gradient/gradient.ts";
import { evaluate } from "../../../src/expression/evaluate.ts";
import type { Trace } from "../../../src/python/program.ts";
import { printAsPython, stopAt, unindented } from "./programs.ts";
import {
  type TestArray,
  array,
  argumentsOf,
  close,
  errorOf,
  probabilities,
  session,
  slopes,
  traceOf,
  valueOf,
} from "./session.ts";

const HEADER = "import jax\nimport jax.numpy as jnp\nfrom jax import lax\n";

/** The trace of `loss` in this source. */
function traced(source: string, inputs: Readonly<Record<string, TestArray>>): Promise<Trace> {
  return traceOf(HEADER + unindented(source), "loss", inputs);
}

/** The error of tracing `loss` in this source. */
async function refusal(source: string, inputs: Readonly<Record<string, TestArray>>) {
  const { program } = await session();
  program.load(HEADER + unindented(source), "losses.py");
  return errorOf(() => program.trace("loss", argumentsOf(inputs)));
}

const p = array([2, 3], probabilities(6));
const g = array([2, 3], [1, 0, 1, 0, 0, 1]);

describe("JAX", () => {
  describe("jax.numpy", () => {
    printAsPython([
      [
        "gives the dtypes of its own lattice: float32 by default, and numbers take the other side's",
        `
        import numpy as np
        import jax.numpy as jnp
        print(jnp.zeros(2).dtype, (jnp.ones(2, dtype=jnp.float16) * 2.0).dtype)
        print((jnp.ones(2, jnp.float16) + jnp.zeros((), jnp.float32)).dtype, jnp.sum(jnp.ones(2) > 0).dtype)
        print((jnp.ones(2, jnp.int32) / 2).dtype, (np.ones(2) > jnp.zeros(2)).dtype)
        `,
        `
        float32 float16
        float32 int32
        float32 bool
        `,
      ],
      [
        "has the keyword names of every version of clip",
        `
        import jax.numpy as jnp
        x = jnp.array([-1.0, 0.5, 2.0])
        print(jnp.clip(x, 0.0, 1.0).tolist(), jnp.clip(x, min=0.0).tolist(), jnp.clip(x, a_max=1.0).tolist(), x.clip(max=0.0).tolist())
        `,
        "[0.0, 0.5, 1.0] [0.0, 0.5, 2.0] [-1.0, 0.5, 1.0] [-1.0, 0.0, 0.0]",
      ],
      [
        "sorts into another array, and leaves the first as it is",
        `
        import jax.numpy as jnp
        x = jnp.array([2.0, -1.0, 0.5])
        print(x.sort().tolist(), x.tolist(), hasattr(x, "fill"))
        `,
        "[-1.0, 0.5, 2.0] [2.0, -1.0, 0.5] False",
      ],
      [
        "changes copies by .at[…], also with slices and masks",
        `
        import jax.numpy as jnp
        x = jnp.arange(4.0)
        print(x.at[1].set(9.0).tolist(), x.at[1:3].add(10.0).tolist(), x.at[-1].multiply(2.0).tolist())
        print(x.at[::2].min(1.0).tolist(), x.at[x > 1].set(0.0).tolist(), x.at[x > 1].max(2.5).tolist(), x.tolist())
        print(jnp.zeros((2, 2)).at[0, 1].set(5.0).at[1].divide(1.0).tolist())
        `,
        `
        [0.0, 9.0, 2.0, 3.0] [0.0, 11.0, 12.0, 3.0] [0.0, 1.0, 2.0, 6.0]
        [0.0, 1.0, 1.0, 3.0] [0.0, 1.0, 0.0, 0.0] [0.0, 1.0, 2.5, 3.0] [0.0, 1.0, 2.0, 3.0]
        [[0.0, 5.0], [0.0, 0.0]]
        `,
      ],
    ]);

    it("shares the gradient evenly with a bound that clip meets, as JAX does", async () => {
      const x = array([3], [0, 0.5, 1]);
      const trace = await traced("def loss(x):\n    return jnp.clip(x, 0.0, 1.0).sum()", { x });
      assert.deepEqual(slopes(trace, { x }), [0.5, 1, 0.5]);
    });

    it("says how to write an assignment into an array", async () => {
      const e = await refusal("def loss(p):\n    p[0] = 1.0\n    return p.sum()", { p });
      assert.match(e.message, /JAX arrays are immutable/);
      assert.match(e.remedy ?? "", /x\.at\[index\]\.set\(value\)/);
      assert.equal(e.line, 5);
    });

    it("finds positions with where() of one argument on the arrays at hand", async () => {
      const { run, host } = await session();
      run("import jax.numpy as jnp\nprint(jnp.where(jnp.array([0.2, 0.9, 0.7]) > 0.5)[0].sum())");
      assert.deepEqual(host.printed, ["3\n"]);
    });
  });

  describe("jax.nn and jax.lax", () => {
    it("clamp passes no gradient at its bounds", async () => {
      const x = array([3], [0, 0.5, 1]);
      const trace = await traced("def loss(x):\n    return lax.clamp(0.0, x, 1.0).sum()", { x });
      assert.equal(valueOf(trace, { x }), 1.5);
      assert.deepEqual(slopes(trace, { x }), [0, 1, 0]);
    });

    it("abs rises at 0, where the other libraries give it no slope", async () => {
      const x = array([3], [-0.5, 0, 2]);
      const trace = await traced("def loss(x):\n    return jnp.abs(x).sum()", { x });
      assert.equal(valueOf(trace, { x }), 2.5);
      assert.deepEqual(slopes(trace, { x }), [-1, 1, 1]);
    });

    it("stop_gradient cuts every array of a structure, and says so", async () => {
      const trace = await traced(
        `
        def loss(p):
            w, _ = lax.stop_gradient((1 / p.sum(), 3))
            return w * p.sum()
        `,
        { p },
      );
      assert.equal(trace.blockers[0]?.how, "lax.stop_gradient()");
      close(slopes(trace, { p })[0]!, 1 / p.data.reduce((a, b) => a + b));
    });

    const COND = `
        def loss(p, g, soft=True):
            q = lax.cond(soft, lambda x: x, lambda x: x * x, p)
            return lax.cond(g.sum() > 0, lambda: 1 - (q * g).sum() / g.sum(), lambda: q.sum())
        `;

    it("cond takes the branch that the arrays lead to, whatever the other one would give", async () => {
      const none = array([2, 3], [0, 0, 0, 0, 0, 0]);
      const empty = await traced(COND, { p, g: none });
      close(
        valueOf(empty, { p, g: none }),
        p.data.reduce((a, b) => a + b),
      );
      assert.deepEqual(slopes(empty, { p, g: none }), [1, 1, 1, 1, 1, 1]);
      assert.match(empty.assumptions.join(), /its condition is false for these arrays/);
      const trace = await traced(COND, { p, g });
      close(valueOf(trace, { p, g }), 1 - (p.data[0]! + p.data[2]! + p.data[5]!) / 3);
    });

    it("cond is piecewise where what decides is not known", async () => {
      const trace = await traced(
        `
        def one(p, g):
            return lax.cond(g.sum() > 1, lambda a: a.sum(), lambda a: -a.sum(), p)
        def loss(p, g):
            return jax.vmap(one)(p, g).sum()
        `,
        { p, g: array([2, 3], [1, 0, 1, 0, 0, 1]) },
      );
      assert.deepEqual(slopes(trace, { p, g }), [1, 1, 1, -1, -1, -1]);
    });

    printAsPython([
      [
        "loops run where their bounds are known",
        `
        import jax.numpy as jnp
        from jax import lax
        print(lax.fori_loop(1, 4, lambda k, s: s + k, 0), lax.while_loop(lambda s: s < 5, lambda s: 2 * s, 1))
        xs = jnp.arange(3.0)
        carry, ys = lax.scan(lambda c, x: (c + x, c * x), 1.0, xs)
        print(float(carry), ys.tolist(), lax.map(lambda x: x + 1, xs).tolist())
        _, back = lax.scan(lambda c, x: (c + x, {'sum': c + x}), 0.0, xs, reverse=True)
        print(back['sum'].tolist(), lax.switch(1, [lambda x: x, lambda x: -x], 4))
        `,
        `
        6 8
        4.0 [0.0, 1.0, 4.0] [1.0, 2.0, 3.0]
        [3.0, 3.0, 2.0] -4
        `,
      ],
      [
        "the primitives are what their names say",
        `
        import jax.numpy as jnp
        from jax import lax
        x = jnp.array([[1.0, 4.0], [9.0, 16.0]])
        print(lax.rsqrt(x).tolist(), lax.square(x[0]).tolist(), lax.reciprocal(x[0]).tolist())
        print(lax.select(x > 4, x, -x).tolist(), lax.dynamic_index_in_dim(x, 1, axis=1).shape, lax.index_in_dim(x, 0, 0, False).tolist())
        print(lax.dynamic_slice_in_dim(x, 1, 1, axis=1).tolist(), lax.reduce_max(x, (1,)).tolist(), lax.concatenate([x, x], 0).shape)
        `,
        `
        [[1.0, 0.5], [0.3333333333333333, 0.25]] [1.0, 16.0] [1.0, 0.25]
        [[-1.0, -4.0], [9.0, 16.0]] (2, 1) [1.0, 4.0]
        [[4.0], [16.0]] [4.0, 16.0] (4, 2)
        `,
      ],
    ]);
  });

  describe("jax.vmap", () => {
    const DICE = `
        def one(p, g):
            return 1 - 2 * jnp.sum(p * g) / (jnp.sum(p) + jnp.sum(g))
        `;
    const diceOf = (k: number): number => {
      const [a, b] = [p.data.slice(3 * k, 3 * k + 3), g.data.slice(3 * k, 3 * k + 3)];
      const total = (xs: readonly number[]): number => xs.reduce((s, x) => s + x, 0);
      return 1 - (2 * total(a.map((x, j) => x * b[j]!))) / (total(a) + total(b));
    };

    it("gives the formula of the batch, not one term for each example", async () => {
      const trace = await traced(
        `${DICE}\n        def loss(p, g):\n            return jax.vmap(one)(p, g).mean()`,
        {
          p,
          g,
        },
      );
      close(valueOf(trace, { p, g }), (diceOf(0) + diceOf(1)) / 2);
      const written = trace.inputs[0]!.node;
      const again = evaluate(gradient(trace.loss, written), new Map(Object.entries({ p, g })));
      assert.deepEqual(again.shape, [2, 3]);
    });

    printAsPython([
      [
        "maps over the axes that in_axes names and puts the result's where out_axes wants it",
        `
        import jax
        import jax.numpy as jnp
        x = jnp.arange(6.0).reshape(2, 3)
        w = jnp.array([1.0, 10.0])
        print(jax.vmap(jnp.sum, in_axes=1)(x).tolist(), jax.vmap(lambda r, k: r * k, in_axes=(0, None))(x, 2.0).tolist())
        print(jax.vmap(lambda r, k: r * k, out_axes=1)(x, w).tolist(), jax.vmap(lambda r: 7.0)(x).tolist())
        print(jax.vmap(lambda s: s['a'] + s['b'], in_axes=({'a': 0, 'b': None},))({'a': w, 'b': 1.0}).tolist())
        print(jax.vmap(lambda r: (r.max(), jnp.stack([r, -r])))(x)[1].shape)
        `,
        `
        [3.0, 5.0, 7.0] [[0.0, 2.0, 4.0], [6.0, 8.0, 10.0]]
        [[0.0, 30.0], [1.0, 40.0], [2.0, 50.0]] [7.0, 7.0]
        [2.0, 11.0]
        (2, 2, 3)
        `,
      ],
      [
        "nests, and broadcasts what the function takes from outside",
        `
        import jax
        import jax.numpy as jnp
        a = jnp.array([1.0, 2.0])
        b = jnp.array([1.0, 10.0])
        print(jax.vmap(lambda x: jax.vmap(lambda y: x * y)(b))(a).tolist(), jax.vmap(lambda x: x + b)(a).tolist())
        print(jax.vmap(lambda x: jnp.where(x > 1, b, x))(a).tolist(), jax.vmap(lambda x: jnp.concatenate([x[None], b]))(a).tolist())
        `,
        `
        [[1.0, 10.0], [2.0, 20.0]] [[2.0, 11.0], [3.0, 12.0]]
        [[1.0, 1.0], [1.0, 10.0]] [[1.0, 1.0, 10.0], [2.0, 1.0, 10.0]]
        `,
      ],
    ]);
    stopAt([
      [
        "refuses arrays of different lengths",
        `
        import jax
        import jax.numpy as jnp
        jax.vmap(lambda a, b: a + b)(jnp.zeros(2), jnp.zeros(3))
        `,
        /vmap got inconsistent sizes for array axes to be mapped: 2 and 3/,
        3,
      ],
      [
        "needs one array to map",
        "import jax\njax.vmap(lambda a: a, in_axes=None)(1.0)",
        /vmap must have at least one non-None value in in_axes/,
        2,
      ],
      [
        "cannot follow an `if` on the values of one example",
        `
        import jax
        import jax.numpy as jnp
        def f(x):
            if x > 0:
                return x
            return -x
        jax.vmap(f)(jnp.ones(2))
        `,
        /which way this goes depends on values that are not known here/,
        4,
      ],
    ]);
  });

  describe("transformations", () => {
    it("jit, checkpoint and partial(jit, …) leave the loss as it is", async () => {
      const trace = await traced(
        `
        from functools import partial
        @partial(jax.jit, static_argnames=('power',))
        @jax.checkpoint
        def loss(p, power=2):
            with jax.named_scope('loss'):
                return (p ** power).sum()
        `,
        { p },
      );
      close(
        valueOf(trace, { p }),
        p.data.reduce((s, x) => s + x * x, 0),
      );
    });

    it("value_and_grad gives the value, and the gradient may be handed on", async () => {
      const trace = await traced(
        `
        def inner(p):
            return p.sum()
        def loss(p):
            value, grads = jax.value_and_grad(inner)(p)
            return value, grads
        `,
        { p },
      );
      close(
        valueOf(trace, { p }),
        p.data.reduce((s, x) => s + x),
      );
    });

    it("grad(f)(x) inside a loss is an error that says what to do", async () => {
      const e = await refusal("def loss(p):\n    return jax.grad(lambda x: x.sum())(p).sum()", {
        p,
      });
      assert.match(e.message, /jax\.grad\(…\) is not known here: it is a gradient/);
      assert.match(e.remedy ?? "", /Derive the loss function itself/);
    });
  });

  describe("its neighbours", () => {
    it("knows Optax's cross entropies", async () => {
      const z = array([2, 3], [0.3, -1, 2, 0.1, 0.7, -0.4]);
      const t = array([2, 3], [1, 0, 0, 0, 1, 0]);
      const trace = await traced(
        `
        import optax, chex
        def loss(z, t):
            chex.assert_equal_shape([z, t])
            both = optax.sigmoid_binary_cross_entropy(z, t).sum()
            return both + 100 * optax.softmax_cross_entropy(logits=z, labels=t).sum()
        `,
        { z, t },
      );
      const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
      const binary = z.data.reduce(
        (s, x, k) => s - Math.log(t.data[k] === 1 ? sigmoid(x) : 1 - sigmoid(x)),
        0,
      );
      const row = (k: number): number => {
        const own = z.data.slice(3 * k, 3 * k + 3);
        const log = Math.log(own.reduce((s, x) => s + Math.exp(x), 0));
        return own.reduce((s, x, j) => s - t.data[3 * k + j]! * (x - log), 0);
      };
      close(valueOf(trace, { z, t }), binary + 100 * (row(0) + row(1)));
    });
  });
});
