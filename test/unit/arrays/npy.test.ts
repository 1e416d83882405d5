import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import { dtypes, type ArrayData, type DType } from "../../../src/arrays/dtype.ts";
import { elementCount, toFloat64, type NdArray } from "../../../src/arrays/ndarray.ts";
import { readNpy, readNpyHeader, writeNpy } from "../../../src/arrays/npy.ts";
import { arrayError, goldenBytes } from "./expected.ts";

/** A version 1.0 file of this header and these bytes after it. */
function npy(
  header: string,
  body: Uint8Array = new Uint8Array(0),
  magic = "\x93NUMPY\x01\0",
): Uint8Array {
  const length = header.length;
  const head = `${magic}${String.fromCharCode(length & 255, length >> 8)}${header}`;
  return Uint8Array.from([...Array.from(head, (c) => c.charCodeAt(0)), ...body]);
}

function refusal(bytes: Uint8Array): string {
  return arrayError(() => readNpy(bytes, "x.npy")).describe();
}

const HEADER = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";

describe("readNpy", () => {
  it("tells how many bytes a truncated file should have and has", () => {
    const whole = goldenBytes("float32-le.npy");
    const { dataOffset } = readNpyHeader(whole);
    for (let length = 0; length < whole.length; length += 1) {
      const said = refusal(whole.subarray(0, length));
      if (length >= dataOffset) {
        assert.match(
          said,
          new RegExp(`cut short.* 96 bytes, and ${String(length - dataOffset)} are there`),
        );
      } else if (length >= 6) {
        assert.match(said, /cut short/);
      } else {
        assert.match(said, /not a \.npy file/);
      }
    }
  });

  it("refuses bytes after the array, and knows a second array there", () => {
    const one = goldenBytes("float32-le.npy");
    assert.match(refusal(Uint8Array.from([...one, 0])), /goes on for 1 bytes/);
    assert.match(
      refusal(Uint8Array.from([...one, ...one])),
      /another array begins there[^]*np\.savez/,
    );
  });

  it("reads from the middle of a buffer, where elements are not aligned", () => {
    for (const file of ["float64-le.npy", "complex64-be.npy", "int16-le-fortran.npy"]) {
      const bytes = goldenBytes(file);
      for (const shift of [0, 1, 2, 4, 8]) {
        const around = new Uint8Array(bytes.length + 16).fill(0xff);
        around.set(bytes, shift);
        const shifted = readNpy(around.subarray(shift, shift + bytes.length), file);
        assert.deepEqual(shifted, readNpy(bytes, file));
      }
    }
  });

  it("leaves the bytes it was given as they are, also Node's own buffers", () => {
    const bytes = Buffer.from(goldenBytes("float64-be.npy"));
    const before = Buffer.from(bytes);
    const first = readNpy(bytes, "x");
    assert.deepEqual(bytes, before);
    assert.deepEqual(readNpy(bytes, "x"), first);
  });

  it("views the file's memory where no conversion is needed", () => {
    const bytes = goldenBytes("float32-le.npy");
    assert.equal(readNpy(bytes, "x").data.buffer, bytes.buffer);
  });

  it("takes any byte but zero as true", () => {
    const header = HEADER.replace("<f4", "|b1").replace("(2,)", "(3,)");
    assert.deepEqual([...readNpy(npy(header, Uint8Array.of(0, 2, 255)), "x").data], [0, 1, 1]);
  });

  it("reads the lengths that Python 2 wrote", () => {
    const array = readNpy(npy(HEADER.replace("(2,)", "(1L, 2L)"), new Uint8Array(8)), "x");
    assert.deepEqual(array.shape, [1, 2]);
  });

  it("reads a native-order and an order-less type string", () => {
    assert.equal(readNpyHeader(npy(HEADER.replace("<f4", "=f4"))).littleEndian, true);
    assert.equal(readNpyHeader(npy(HEADER.replace("<f4", "?"))).dtype, "bool");
  });

  const malformed: readonly (readonly [string, string, RegExp])[] = [
    ["an empty header", "", /damaged/],
    ["no dictionary", "[1, 2]", /no dictionary/],
    ["a missing shape", "{'descr': '<f4', 'fortran_order': False}", /no "shape"/],
    ["a missing type", "{'fortran_order': False, 'shape': ()}", /no "descr"/],
    ["an order that is no boolean", HEADER.replace("False", "0"), /neither True nor False/],
    ["a shape that is a number", HEADER.replace("(2,)", "2"), /no tuple/],
    ["a shape with a negative length", HEADER.replace("(2,)", "(-2,)"), /not expected there/],
    ["a shape with a fraction", HEADER.replace("(2,)", "(2.5,)"), /not expected there/],
    ["a shape of names", HEADER.replace("(2,)", "('a',)"), /no tuple/],
    [
      "a length beyond 2^53",
      HEADER.replace("(2,)", "(99999999999999999999,)"),
      /too large to be true/,
    ],
    ["too many axes", HEADER.replace("(2,)", `(${"1,".repeat(65)})`), /65 axes/],
    ["a call", HEADER.replace("False", "exit()"), /not expected there/],
    ["deep nesting", "(".repeat(2000), /nested too deeply/],
    ["an unclosed string", "{'descr", /not closed/],
    ["something after the dictionary", `${HEADER} 1`, /not expected there/],
    ["an unknown type", HEADER.replace("<f4", "<q9"), /"<q9".*unknown/],
    ["a type that is a number", HEADER.replace("'<f4'", "4"), /unknown/],
  ];
  for (const [what, header, pattern] of malformed) {
    it(`refuses a header with ${what}`, () => {
      assert.match(refusal(npy(header)), pattern);
    });
  }

  it("refuses versions it does not know, and headers of absurd length", () => {
    assert.match(refusal(npy(HEADER, undefined, "\x93NUMPY\x04\0")), /version 4\.0/);
    assert.match(refusal(npy(HEADER, undefined, "\x93NUMPY\x01\x01")), /version 1\.1/);
    const long = Uint8Array.from([
      ...npy("", undefined, "\x93NUMPY\x02\0").subarray(0, 8),
      0,
      0,
      0,
      16,
    ]);
    assert.match(refusal(Uint8Array.from([...long, 32])), /header of 268435456 bytes/);
  });

  it("allocates nothing for a shape that the file cannot hold", () => {
    for (const shape of ["(4000000000,)", "(9007199254740991, 9007199254740991)"]) {
      assert.match(refusal(npy(HEADER.replace("(2,)", shape), new Uint8Array(8))), /cut short/);
    }
    const lengths = "9007199254740991, ".repeat(30);
    const empty = readNpy(npy(HEADER.replace("(2,)", `(${lengths}0)`)), "x");
    assert.equal(empty.data.length, 0);
  });
});

describe("writeNpy", () => {
  const shapes = fc.array(fc.nat(4), { maxLength: 4 });
  for (const dtype of Object.keys(dtypes) as DType[]) {
    if (dtype === "bfloat16") continue;
    it(`writes ${dtype} arrays of any shape and bits so that they read back the same`, () => {
      const { store, bytes } = dtypes[dtype];
      fc.assert(
        fc.property(shapes, fc.infiniteStream(fc.nat(255)), (shape, stream) => {
          const data = store(elementCount(shape));
          const raw = new Uint8Array(data.buffer);
          raw.forEach((_, i) => {
            const byte = stream.next().value as number;
            raw[i] = dtype === "bool" ? byte & 1 : byte;
          });
          const file = writeNpy({ dtype, shape, data });
          const header = readNpyHeader(file);
          assert.equal(header.dataOffset % 64, 0);
          assert.equal(file.length, header.dataOffset + elementCount(shape) * bytes);
          const back = readNpy(file, "back.npy");
          assert.deepEqual([back.dtype, back.shape], [dtype, shape]);
          assert.deepEqual(rawBytes(back.data), raw);
        }),
        { numRuns: 100, seed: 3 },
      );
    });
  }

  it("writes bfloat16 as float32, with the same values", () => {
    const array: NdArray = { dtype: "bfloat16", shape: [2], data: Uint16Array.of(0x3dcd, 0xff80) };
    const back = readNpy(writeNpy(array), "x");
    assert.equal(back.dtype, "float32");
    assert.deepEqual(toFloat64(back), toFloat64(array));
  });

  it("writes part of a larger buffer alone", () => {
    const data = new Float32Array([9, 1, 2, 9]).subarray(1, 3);
    assert.deepEqual(
      [...readNpy(writeNpy({ dtype: "float32", shape: [2], data }), "x").data],
      [1, 2],
    );
  });

  it("writes the very bytes that NumPy's header parser expects", () => {
    const file = writeNpy({ dtype: "float32", shape: [3], data: new Float32Array(3) });
    const text = String.fromCharCode(...file.subarray(0, 128));
    assert.ok(
      text.startsWith(
        "\x93NUMPY\x01\0\x76\0{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }",
      ),
    );
    assert.ok(text.endsWith(" \n"));
  });
});

function rawBytes(data: ArrayData): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
}
