import assert from "node:assert/strict";
import { zipSync } from "fflate";
import { describe, it } from "mocha";
import type { OpenedFile } from "../../../src/arrays/members.ts";
import { readArray } from "../../../src/arrays/readers.ts";
import { openTorch } from "../../../src/arrays/formats/torch.ts";
import { unmade, unpickle, unpickleAt, type Pickled } from "../../../src/arrays/formats/pickle.ts";
import { sourceOf } from "../../../src/arrays/source.ts";
import { arrayError } from "./expected.ts";

const host = {
  refuses: (name: string) => (/^(os|posix)\./.test(name) ? "which can run any code" : undefined),
  call: (name: string, args: readonly Pickled[]): Pickled | undefined => {
    if (name !== "collections.OrderedDict") return unmade(name, args);
    return args.length === 0 ? { kind: "dict", entries: new Map() } : undefined;
  },
  persistent: () => undefined,
  remedy: "Save the tensors alone.",
};

/** Bytes from text of one character each. */
function latin1Bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function value(pickle: string): Pickled {
  return unpickle(latin1Bytes(pickle), host, "data.pkl", "x.pt");
}

function refusal(pickle: string): string {
  return arrayError(() => value(pickle)).describe();
}

/** A file of torch.save with that pickle and one storage of four float32 numbers. */
function torchFile(pickle: string): Uint8Array {
  const storage = new Uint8Array(new Float32Array([1, 2, 3, 4]).buffer);
  return zipSync(
    { "x/data.pkl": latin1Bytes(pickle), "x/data/0": storage },
    { level: 0, mtime: new Date("2020-01-01") },
  );
}

/** The pickle of a tensor over that storage; shape and strides are pickled integers. */
function tensor(offset: string, shape: string, strides: string): string {
  const storage = "(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x04tQ";
  return `\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(${storage}${offset}(${shape}t(${strides}t\x89}tR.`;
}

function open(pickle: string): OpenedFile {
  return openTorch(sourceOf(torchFile(pickle)), "x.pt", {});
}

describe("unpickle", () => {
  it("gives plain values", () => {
    assert.equal(value("N."), null);
    assert.equal(value("\x88."), true);
    assert.equal(value("J\xfe\xff\xff\xff."), -2);
    assert.equal(value("\x8a\x02\x00\xff."), -256);
    assert.equal(value("\x8a\x09\0\0\0\0\0\0\0\0\x01."), 2n ** 64n);
    assert.equal(value("\x8a\0."), 0);
    assert.equal(value("G\x3f\xe0\0\0\0\0\0\0."), 0.5);
    assert.equal(value("X\x02\0\0\0\xc3\xa9."), "é");
    assert.deepEqual(value("(K\x01K\x02t."), { kind: "tuple", items: [1, 2] });
    assert.deepEqual(value("](K\x01]eK\x03a."), {
      kind: "list",
      items: [1, { kind: "list", items: [] }, 3],
    });
  });

  it("keeps what is remembered one value, not a copy", () => {
    const found = value("]q\x05K\x01ah\x05\x86.");
    assert.deepEqual(found, value("]K\x01a]K\x01a\x86."));
    const items = (found as { items: Pickled[] }).items;
    assert.equal(items[0], items[1]);
  });

  it("takes a dictionary's own attributes, and those of an object", () => {
    assert.deepEqual(value("ccollections\nOrderedDict\n)R}b."), {
      kind: "dict",
      entries: new Map(),
    });
    assert.match(refusal("]}b."), /what is no dictionary/);
  });

  it("refuses a name that its host refuses, whichever way it is written", () => {
    assert.match(refusal("cos\nsystem\n."), /"os\.system"[^]*any code[^]*tensors alone/);
    assert.match(refusal("\x8c\x05posix\x8c\x06system\x93."), /"posix\.system"/);
    assert.match(refusal(`cos\n${"a".repeat(1000)}\n.`), /"os\.a{117}…"/);
    assert.match(refusal("cos\nb\x1b[31m\n."), /"os\.b\ufffd\[31m"/u);
  });

  it("leaves an object as it was written, with what it was given", () => {
    const object = (name: string, items: Pickled[], more = {}) => ({
      kind: "object",
      name,
      items,
      entries: new Map(),
      state: null,
      ...more,
    });
    assert.deepEqual(value("ca\nb\n(K\x01K\x02tR."), object("a.b", [1, 2]));
    assert.deepEqual(value("ca\nb\n)\x81}b."), object("a.b", [], { state: value("}.") }));
    assert.deepEqual(value("ca\nb\n)}\x92K\x05a."), object("a.b", [5]));
    const entries = new Map([[1, 2]]);
    assert.deepEqual(value("ca\nb\n)\x81K\x01K\x02s."), object("a.b", [], { entries }));
  });

  it("reads pickles that stand one after the other, however long", () => {
    const text = "é".repeat(100_000);
    const long = `X${String.fromCharCode(...new Uint8Array(new Uint32Array([200_000]).buffer))}`;
    const bytes = latin1Bytes(`K\x01.${long}${"\xc3\xa9".repeat(100_000)}.cos`);
    const source = sourceOf(bytes);
    const first = unpickleAt(source, 0, host, "x.pt", "x.pt");
    assert.deepEqual(first, { value: 1, end: 3 });
    const second = unpickleAt(source, first.end, host, "x.pt", "x.pt");
    assert.deepEqual(second, { value: text, end: bytes.length - 3 });
    const third = arrayError(() => unpickleAt(source, second.end, host, "x.pt", "x.pt"));
    assert.match(third.message, /ends in the middle/);
  });

  it("keeps bytes as they are", () => {
    assert.equal(value("C\x03\x80\x9f\xff."), "\x80\x9f\xff");
  });

  it("names an instruction of another protocol, and does not follow it", () => {
    for (const code of ["i", "o", "P", "\x82", "I", "d", "\x97"]) {
      assert.match(refusal(`${code}os\nsystem\n.`), /needs the pickle instruction/);
    }
  });

  it("says where a damaged pickle stops making sense", () => {
    for (const pickle of ["", "K", "X\xff\xff\xff\xffab", "\x8d\0\0\0\0\0\0\0\x80.", "cos"]) {
      assert.match(refusal(pickle), /ends in the middle/);
    }
    assert.match(refusal("."), /a value that is not there/);
    assert.match(refusal("(0."), /a value that is not there/);
    assert.match(refusal("t."), /a mark that is not there/);
    assert.match(refusal("h\x01."), /recalls a value/);
    assert.match(refusal("}K\x01u."), /mark/);
    assert.match(refusal("}(K\x01u."), /a key without a value/);
    assert.match(refusal("K\x01K\x02a."), /what is no list/);
    assert.match(refusal("K\x01)R."), /calls no function/);
    assert.match(refusal("ccollections\nOrderedDict\nK\x01\x85R."), /do not fit/);
    assert.match(refusal("NQ."), /unknown way/);
    assert.match(refusal("\x8b\xff\xff\xff\x7f."), /absurd size/);
    assert.match(refusal("K\x01\x80\x02."), /protocol/);
  });
});

describe("openTorch", () => {
  it("takes the elements that offset and strides lead to", () => {
    const read = (pickle: string) => [...readArray(torchFile(pickle), "x.pt").data];
    assert.deepEqual(read(tensor("K\x01", "K\x03", "K\x01")), [2, 3, 4]);
    assert.deepEqual(read(tensor("K\0", "K\x02K\x02", "K\x01K\x02")), [1, 3, 2, 4]);
    assert.deepEqual(read(tensor("K\x03", "K\x02", "K\0")), [4, 4]);
    assert.deepEqual(read(tensor("K\x03", "", "")), [4]);
  });

  it("refuses what reaches out of a storage, or repeats it beyond what the file can justify", () => {
    const read = (pickle: string) => arrayError(() => readArray(torchFile(pickle), "x.pt")).message;
    assert.match(read(tensor("K\x01", "K\x04", "K\x01")), /element 4 of a storage of 4/);
    assert.match(read(tensor("K\0", "K\x02K\x02", "K\x01K\x03")), /element 4 of a storage of 4/);
    assert.match(read(tensor("J\xff\xff\xff\xff", "K\x01", "K\x01")), /do not fit/);
    assert.match(read(tensor("K\0", "K\x01K\x01", "K\x01")), /do not fit/);
    assert.match(read(tensor("K\0", "J\0\0\0\x10", "K\0")), /repeats its 4 elements/);
    assert.match(read(tensor("K\0", "J\0\0\0\x7fJ\0\0\0\x7f", "K\0K\0")), /at most 2147483648/);
    const wide = "J\0\0\0\x7f".repeat(64);
    assert.match(read(tensor("K\0", wide, "K\0".repeat(64))), /at most 2147483648/);
    assert.match(read(tensor("K\0", `K\x01${wide}`, "K\0".repeat(65))), /do not fit/);
  });

  it("is done soon with values that hold one another very often, or themselves", () => {
    // Every list holds the one before it ten times: ten to the thirtieth lists in all.
    let laughs = "]q\0";
    for (let i = 1; i <= 30; i += 1) {
      laughs += `](${`h${String.fromCharCode(i - 1)}`.repeat(10)}eq${String.fromCharCode(i)}`;
    }
    assert.match(arrayError(() => open(`${laughs}.`)).message, /nests its values too deeply/);
    assert.match(arrayError(() => open("]q\0h\0a.")).message, /nests its values too deeply/);
    assert.match(
      arrayError(() => open(`${"](".repeat(100_000)}N${"e".repeat(100_000)}.`)).message,
      /nests/,
    );
  });

  it("takes the pairs that Python 2 makes an ordered dictionary of", () => {
    const one = tensor("K\x01", "K\x03", "K\x01").slice(2, -1);
    const pickle = `\x80\x02ccollections\nOrderedDict\n](](U\x04loss${one}ee\x85R.`;
    assert.deepEqual([...readArray(torchFile(pickle), "x.pt", "loss").data], [2, 3, 4]);
    const wrong = "\x80\x02ccollections\nOrderedDict\n](](K\x01ee\x85R.";
    assert.match(
      arrayError(() => open(wrong)).message,
      /OrderedDict with arguments that do not fit/,
    );
  });

  it("says what it holds where there is no tensor", () => {
    const error = arrayError(() => readArray(torchFile("}X\x01\0\0\0aK\x01s."), "x.pt"));
    assert.match(error.message, /x\.pt holds no arrays/);
  });
});
