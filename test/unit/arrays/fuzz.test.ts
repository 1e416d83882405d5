import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { parseArrayLiteral } from "../../../src/arrays/literal.ts";
import { ArrayError, elementCount, type NdArray } from "../../../src/arrays/ndarray.ts";
import { readNpy } from "../../../src/arrays/npy.ts";
import { openNpz } from "../../../src/arrays/npz.ts";
import { golden, goldenBytes } from "./expected.ts";

/** Mulberry32: the same sequence of numbers in [0, 1) for a seed, everywhere. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const INTERESTING = [0, 1, 0x7f, 0x80, 0xff, 0x20, 0x27, 0x28, 0x2c, 0x39, 0x4f, 0x5d];

/** Changes, drops, repeats or inserts bytes at a few places, or cuts the end off. */
function mutated(bytes: Uint8Array, random: () => number): Uint8Array {
  const list = [...bytes];
  const below = (limit: number): number => Math.floor(random() * limit);
  for (let i = 0; i <= below(4); i += 1) {
    // Headers are where the decisions are.
    const at = random() < 0.7 ? below(Math.min(list.length, 160)) : below(list.length);
    switch (below(6)) {
      case 0:
        list[at] = below(256);
        break;
      case 1:
        list[at] = INTERESTING[below(INTERESTING.length)]!;
        break;
      case 2:
        list[at] = (list[at] ?? 0) ^ (1 << below(8));
        break;
      case 3:
        list.splice(at, 1 + below(4));
        break;
      case 4:
        list.splice(at, 0, ...list.slice(at, at + below(12)));
        break;
      default:
        list.length = below(list.length + 1);
    }
  }
  return Uint8Array.from(list);
}

/** Runs the reader; anything but an array or an ArrayError fails the test. */
function survives(read: () => NdArray[], limit: number, label: string): boolean {
  try {
    for (const array of read()) {
      const { byteLength } = array.data;
      assert.ok(byteLength <= limit, `${label}: ${String(byteLength)} bytes of elements`);
      const units = array.dtype.startsWith("complex") ? 2 : 1;
      assert.equal(array.data.length, elementCount(array.shape) * units, label);
    }
    return true;
  } catch (error) {
    if (!(error instanceof ArrayError))
      throw new Error(`${label} raised another error`, { cause: error });
    assert.ok(error.message.length > 10 && error.message.length < 2000, label);
    return false;
  }
}

/**
 * Runs `act` with every `new Uint8Array(length)` watched, which is what unpacking allocates; none may
 * be beyond `limit`. The storage of elements is checked on the array itself.
 */
function allocatingAtMost<T>(limit: number, act: () => T): T {
  const original = globalThis.Uint8Array;
  let largest = 0;
  const note = (length: unknown): void => {
    if (typeof length === "number") largest = Math.max(largest, length);
  };
  globalThis.Uint8Array = new Proxy(original, {
    construct(target, args, newTarget) {
      note(args[0]);
      return Reflect.construct(target, args, newTarget) as object;
    },
  });
  try {
    return act();
  } finally {
    globalThis.Uint8Array = original;
    assert.ok(
      largest <= limit,
      `${String(largest)} bytes were allocated, ${String(limit)} at most`,
    );
  }
}

describe("damaged files", () => {
  const npyFiles = golden.files.map(({ file }) => file).filter((file) => file.endsWith(".npy"));

  it("give a .npy's array or an ArrayError, and take no more memory than the file", () => {
    const random = randomOf(4);
    let read = 0;
    const names = [...npyFiles, ...Object.keys(golden.refused)];
    for (let run = 0; run < 6000; run += 1) {
      const name = names[run % names.length]!;
      const bytes = mutated(goldenBytes(name), random);
      const whole = allocatingAtMost(bytes.length, () =>
        survives(() => [readNpy(bytes, name)], bytes.length, `${name}, run ${String(run)}`),
      );
      read += whole ? 1 : 0;
    }
    assert.ok(read > 100 && read < 5900, `${String(read)} mutations were harmless`);
  });

  it("give an archive's arrays or an ArrayError, and take no more memory than they can unpack to", () => {
    const random = randomOf(5);
    const names = ["stored.npz", "deflated.npz", "single.npz", "streamed.npz", "mixed.npz"];
    let read = 0;
    for (let run = 0; run < 3000; run += 1) {
      const name = names[run % names.length]!;
      const original = goldenBytes(name);
      const bytes =
        run % 2 === 0
          ? mutated(original, random)
          : mutated(original.toReversed(), random).reverse();
      // Deflate packs at most 1032 bytes into one.
      const limit = bytes.length * 1032;
      const whole = allocatingAtMost(limit, () =>
        survives(
          () => [...openNpz(bytes, name).values()].map((open) => open().read()),
          limit,
          `${name}, run ${String(run)}`,
        ),
      );
      read += whole ? 1 : 0;
    }
    assert.ok(read > 20 && read < 2950, `${String(read)} mutations were harmless`);
  });
});

describe("damaged literals", () => {
  it("give an array or an ArrayError with a place inside the text", () => {
    const random = randomOf(6);
    const texts = golden.literals.map(({ text }) => text);
    const pieces = "[](){},.:=+-*/%<>'\"#\\ \n019eEj_xX∞…"
      .split("")
      .concat(["np.", "1e9", "**", "nan", "for "]);
    for (let run = 0; run < 6000; run += 1) {
      const characters = Array.from(texts[run % texts.length]!);
      for (let i = 0; i <= random() * 3; i += 1) {
        const at = Math.floor(random() * (characters.length + 1));
        const drop = Math.floor(random() * 3);
        characters.splice(at, drop, pieces[Math.floor(random() * pieces.length)]!);
      }
      const text = characters.join("");
      try {
        const array = parseArrayLiteral(text);
        assert.ok(array.data.length >= elementCount(array.shape), text);
      } catch (error) {
        if (!(error instanceof ArrayError)) throw new Error(`Text: ${text}`, { cause: error });
        const { line, column } = error.where ?? {};
        const lines = text.split("\n");
        assert.ok(line !== undefined && line >= 1 && line <= lines.length, text);
        assert.ok(column !== undefined && column >= 1, text);
        assert.ok(column <= lines[line - 1]!.length + 1, `${text}: column ${String(column)}`);
      }
    }
  });
});
