/** Damaged copies of files: bytes changed anywhere, or inside what checksums and packing protect. */
import { gunzipSync, gzipSync, deflateSync, inflateSync } from "node:zlib";
import { unzipSync, zipSync, type Zippable } from "fflate";
import { crc32 } from "../../src/arrays/checksums.ts";

export type Random = () => number;

/** Mulberry32: the same sequence of numbers in [0, 1) for a seed, everywhere. */
export function randomOf(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const INTERESTING = [0, 1, 0x7f, 0x80, 0xff, 0x20, 0x27, 0x28, 0x2c, 0x39, 0x4f, 0x5d];
const LARGE = [0x7fffffff, 0x80000000, 0xffffffff, 0x10000, 0x7fff, 0x100];

/** Changes, drops, repeats or inserts bytes at a few places, or cuts the end off. */
export function mutated(bytes: Uint8Array, random: Random): Uint8Array {
  const below = (limit: number): number => Math.floor(random() * limit);
  let out = bytes.slice();
  const splice = (at: number, drop: number, insert: Uint8Array): void => {
    const rest = out.subarray(Math.min(out.length, at + drop));
    const next = new Uint8Array(at + insert.length + rest.length);
    next.set(out.subarray(0, at));
    next.set(insert, at);
    next.set(rest, at + insert.length);
    out = next;
  };
  for (let i = 0; i <= below(4); i += 1) {
    // Headers are where the decisions are, and archives have theirs at the end.
    const near = random();
    const at =
      near < 0.5
        ? below(Math.min(out.length, 160))
        : near < 0.6
          ? out.length - 1 - below(Math.min(out.length, 160))
          : below(out.length);
    switch (below(7)) {
      case 0:
        if (at < out.length) out[at] = below(256);
        break;
      case 1:
        if (at < out.length) out[at] = INTERESTING[below(INTERESTING.length)]!;
        break;
      case 2:
        if (at < out.length) out[at]! ^= 1 << below(8);
        break;
      case 3:
        splice(Math.max(0, at), 1 + below(4), new Uint8Array(0));
        break;
      case 4:
        splice(Math.max(0, at), 0, out.slice(at, at + below(12)));
        break;
      case 5:
        if (at + 4 <= out.length && at >= 0) {
          const little = random() < 0.5;
          new DataView(out.buffer).setUint32(at, LARGE[below(LARGE.length)]!, little);
        }
        break;
      default:
        out = out.slice(0, below(out.length + 1));
    }
  }
  return out;
}

/** A damaged copy of a file; where its contents are packed or checked, often damaged before that. */
export function damagedCopy(name: string, bytes: Uint8Array, random: Random): Uint8Array {
  if (random() < 0.3) return mutated(bytes, random);
  try {
    if (/\.(?:pt|pth|ckpt|npz)$/u.test(name)) return rezipped(bytes, random);
    if (name.endsWith(".nii.gz")) {
      const unpacked = new Uint8Array(gunzipSync(bytes));
      return new Uint8Array(gzipSync(mutated(unpacked, random), { level: 1 }));
    }
    if (name.endsWith(".png")) return repainted(bytes, random);
  } catch {
    // A file that is broken already is changed as it is.
  }
  return mutated(bytes, random);
}

function rezipped(bytes: Uint8Array, random: Random): Uint8Array {
  const members = Object.entries(unzipSync(bytes));
  const pickle = members.findIndex(([path]) => path.endsWith("data.pkl"));
  const chosen = pickle >= 0 && random() < 0.8 ? pickle : Math.floor(random() * members.length);
  const level = random() < 0.8 ? 0 : 1;
  const out: Zippable = Object.fromEntries(
    members.map(([path, data], i) => [path, i === chosen ? mutated(data, random) : data]),
  );
  return zipSync(out, { level, mtime: new Date("2020-01-01") });
}

/** A PNG image with its header or its unpacked rows changed, and right checksums. */
function repainted(bytes: Uint8Array, random: Random): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: { type: string; data: Uint8Array }[] = [];
  for (let at = 8; at + 12 <= bytes.length;) {
    const length = view.getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    parts.push({ type, data: bytes.slice(at + 8, at + 8 + length) });
    at += 12 + length;
  }
  const images = parts.filter(({ type }) => type === "IDAT");
  const packed = new Uint8Array(images.reduce((sum, { data }) => sum + data.length, 0));
  let filled = 0;
  for (const { data } of images) {
    packed.set(data, filled);
    filled += data.length;
  }
  const rows = new Uint8Array(inflateSync(packed));
  const others = parts.filter(({ type }) => type !== "IDAT" && type !== "IEND");
  const header = others[0];
  if (header !== undefined && random() < 0.5) {
    header.data = mutated(header.data, random).slice(0, 13);
  }
  const chunks = [
    ...others,
    {
      type: "IDAT",
      data: deflateSync(random() < 0.6 ? mutated(rows, random) : rows, { level: 1 }),
    },
    { type: "IEND", data: new Uint8Array(0) },
  ];
  const out = [...bytes.subarray(0, 8)];
  for (const { type, data } of chunks) {
    const body = Uint8Array.from([...new TextEncoder().encode(type), ...data]);
    const word = new Uint8Array(4);
    new DataView(word.buffer).setUint32(0, data.length);
    out.push(...word, ...body);
    new DataView(word.buffer).setUint32(0, crc32(body));
    out.push(...word);
  }
  return Uint8Array.from(out);
}
