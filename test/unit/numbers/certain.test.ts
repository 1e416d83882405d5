import assert from "node:assert/strict";
import { axis } from "../../../src/expression/axis.ts";
import * as b from "../../../src/expression/build.ts";
import {
  CertainScalars,
  certainEntries,
  difference,
  differences,
} from "../../../src/numbers/certain.ts";
import { compileKernel } from "../../../src/numbers/kernel.ts";

const n = 1000;
const x = b.input("x", [axis("i", n)]);
const arrays = new Map([
  ["x", Float64Array.from({ length: n }, (_, k) => 0.1 + 0.8 * ((k % 17) / 17))],
]);

describe("numbers whose digits are certain", () => {
  it("are those of float64 where rounding cannot reach them", () => {
    const e = b.sum(x);
    const [value] = new CertainScalars([e]).at(arrays);
    assert.equal(value, compileKernel([e]).run(arrays).outputs[0]!.data[0]);
  });

  it("are those of exact arithmetic where terms cancel", () => {
    const [a, c, d] = ["a", "c", "d"].map((name) => b.input(name, [])) as [
      typeof x,
      typeof x,
      typeof x,
    ];
    const e = b.sub(b.add(a, c), d);
    const at = new Map([
      ["a", Float64Array.of(0.1)],
      ["c", Float64Array.of(0.2)],
      ["d", Float64Array.of(0.3)],
    ]);
    assert.equal(
      compileKernel([e]).run(at).outputs[0]!.data[0],
      2 ** -54,
      "float64 rounds the sum",
    );
    assert.deepEqual(new CertainScalars([e]).at(at), [2 ** -55]);
  });

  it("are 0 where double-double cannot tell them from it", () => {
    const third = b.div(b.ONE, b.constant(3));
    const whole = b.sub(b.add(b.add(third, third), third), b.ONE);
    assert.deepEqual(new CertainScalars([whole, b.sum(x)]).at(arrays).slice(0, 1), [0]);
  });

  it("stay what they are where they are not finite", () => {
    const zero = b.sub(b.sum(x), b.sum(x));
    const [none, infinite] = new CertainScalars([b.div(zero, zero), b.div(b.ONE, zero)]).at(arrays);
    assert.ok(Number.isNaN(none));
    assert.equal(infinite, Infinity);
  });
});

describe("entries whose digits are certain", () => {
  /** Left of entries near 1, in which float64 holds few digits of it. */
  const left = b.mul(b.sub(b.add(x, b.ONE), b.ONE), b.constant(3));

  it("are those of exact arithmetic, in each entry of a small array", () => {
    const small = Float64Array.from({ length: n }, (_, k) => 10 ** -(k % 17) / 7);
    const [entries] = certainEntries([left], new Map([["x", small]]));
    const [naive] = compileKernel([left]).run(new Map([["x", small]])).outputs;
    assert.ok(naive!.data.some((v, k) => Math.abs(v / (3 * small[k]!) - 1) > 0.1));
    entries!.forEach((v, k) => {
      assert.ok(Math.abs(v / (3 * small[k]!) - 1) < 1e-10, `${k}`);
    });
  });

  it("are no numbers in a large array, where only rounding is left of them", () => {
    const large = b.input("x", [axis("i", 100_000)]);
    const values = Float64Array.from({ length: 100_000 }, (_, k) => (k % 3 === 0 ? 1e-15 : 0.25));
    const of = b.sub(b.add(large, b.ONE), b.ONE);
    const [entries] = certainEntries([of], new Map([["x", values]]));
    entries!.forEach((v, k) => {
      assert.equal(v, k % 3 === 0 ? NaN : 0.25);
    });
  });

  it("are those of float64 where all of these are certain", () => {
    const e = b.mul(x, b.constant(3));
    const [entries] = certainEntries([e], arrays);
    assert.deepEqual(entries, compileKernel([e]).run(arrays).outputs[0]!.data);
  });
});

describe("the difference of two arrays", () => {
  it("is exact though it is below the rounding of either", () => {
    const other = b.mul(x, b.constant(1 + 2 ** -50));
    const further = b.div(b.mul(other, b.constant(3)), b.constant(3));
    const apart = difference(x, further, arrays)!;
    const largest = Math.max(...arrays.get("x")!);
    assert.ok(Math.abs(apart.size / largest - 1) < 2 ** -49);
    assert.ok(Math.abs(apart.largest / (largest * 2 ** -50) - 1) < 1e-9, `${apart.largest}`);
  });

  it("is none where an entry has no value", () => {
    assert.equal(difference(x, b.div(x, b.sub(x, x)), arrays), null);
  });

  it("is the same for several arrays together as for each alone", () => {
    const shape = [axis("i", 3)];
    const [x, y] = [b.input("x", shape), b.input("y", shape)];
    const at = new Map([
      ["x", Float64Array.of(1, 2, 3)],
      ["y", Float64Array.of(0, 2, 4)],
    ]);
    const others = [y, b.div(x, y), b.add(x, b.constant(2 ** -60)), x];
    const together = differences(x, others, at);
    assert.deepEqual(
      together,
      others.map((other) => difference(x, other, at)),
    );
    assert.deepEqual(together[0], { largest: 1, size: 4 });
    assert.equal(together[1], null, "1/0 has no value");
    assert.equal(together[2]!.largest, 2 ** -60);
  });
});
