/**
 * safetensors files: a header of JSON, then the elements of every tensor.
 *
 * A reader of our own: eight bytes of length, JSON and offsets leave nothing for a library to do but
 * check them. Source: the format's description in the safetensors repository.
 */
import { dtypes, type DType } from "../dtype.ts";
import { arrayOf } from "../elements.ts";
import { arrayBytes, bytesAt, checkThere, damaged, quoted, refusal } from "../fileErrors.ts";
import { float8Bytes, float8InFile, type Float8 } from "../float8.ts";
import type { ArrayInFile, ReadOptions } from "../members.ts";
import { elementCount, formatShape } from "../ndarray.ts";
import { viewOf, type ByteSource } from "../source.ts";
import type { StoredElements } from "../stored.ts";

/** The library allows 100 MB; what has tensors in a training run comes to a few at most. */
const MAX_HEADER_BYTES = 2 ** 25;

const DTYPES: Readonly<Record<string, DType>> = {
  BOOL: "bool",
  I8: "int8",
  U8: "uint8",
  I16: "int16",
  U16: "uint16",
  I32: "int32",
  U32: "uint32",
  I64: "int64",
  U64: "uint64",
  F16: "float16",
  BF16: "bfloat16",
  F32: "float32",
  F64: "float64",
  C64: "complex64",
};

/** Types that are read as float32. */
const FLOAT8: Readonly<Record<string, Float8>> = {
  F8_E4M3: "e4m3fn",
  F8_E4M3FNUZ: "e4m3fnuz",
  F8_E5M2: "e5m2",
  F8_E5M2FNUZ: "e5m2fnuz",
  F8_E8M0: "e8m0fnu",
};

const REMEDY = 'safetensors.numpy.save_file({"pred": pred}, "case.safetensors") writes one.';

/** Opens a .safetensors file: its tensors by name. @throws ArrayError */
export function openSafetensors(
  source: ByteSource,
  name: string,
  options: ReadOptions,
): ReadonlyMap<string, () => ArrayInFile> {
  const headerBytes = headerLength(source, name);
  const text = new TextDecoder().decode(
    bytesAt(source, 8, headerBytes, "header", name, { byteOffset: 8 }),
  );
  const members = new Map<string, () => ArrayInFile>();
  for (const [member, description] of Object.entries(headerObject(text, name))) {
    if (member === "__metadata__") continue;
    members.set(member, () => {
      const label = `${name}[${member}]`;
      const tensor = tensorOf(description, label, name);
      const start = 8 + headerBytes + tensor.start;
      const { dtype, shape, float8, size } = tensor;
      const layout = { dtype, shape, littleEndian: true, fortranOrder: false };
      const read = () => {
        arrayBytes(dtype, shape, label, options, { file: name });
        const bytes = bytesAt(source, start, size, "elements", label, { file: name });
        const elements = float8 === undefined ? bytes : float8Bytes(bytes, float8);
        const origin = { kind: "file", path: name, member } as const;
        return arrayOf(elements, layout, origin, undefined, options.tick);
      };
      const stored = (): StoredElements => {
        arrayBytes(dtype, shape, label, { maxBytes: Infinity }, { file: name });
        checkThere(source, start, size, "elements", label, { file: name });
        const flat = { source, offset: start };
        if (float8 !== undefined) {
          return { layout, bytes: float8InFile(flat, elementCount(shape), float8, label) };
        }
        return { layout, bytes: { kind: "flat", ...flat } };
      };
      return { dtype, shape, read, stored };
    });
  }
  return members;
}

function headerLength(source: ByteSource, name: string): number {
  const start = source.read(0, 9);
  // A header is an object, and what is none of these files rarely has a brace there.
  if (start.length < 9 || start[8] !== 0x7b) {
    throw refusal(`${name} is not a safetensors file: no header begins at its byte 8.`, name, {
      byteOffset: Math.min(8, start.length),
      remedy: REMEDY,
    });
  }
  const length = Number(viewOf(start).getBigUint64(0, true));
  if (length > MAX_HEADER_BYTES || length > source.size - 8) {
    throw damaged(
      name,
      `it gives its header ${String(length)} bytes, and at most ${String(Math.min(MAX_HEADER_BYTES, source.size - 8))} are possible`,
      { byteOffset: 0 },
    );
  }
  return length;
}

function headerObject(text: string, name: string): object {
  try {
    const header: unknown = JSON.parse(text);
    if (typeof header === "object" && header !== null && !Array.isArray(header)) return header;
    throw new SyntaxError("it is no object");
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : "";
    throw damaged(name, `its header is no JSON object (${quoted(why, 120)})`, {
      byteOffset: 8,
      cause,
    });
  }
}

interface Tensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** What its elements are in the file, where that is not `dtype`. */
  readonly float8: Float8 | undefined;
  /** Where its elements begin, from the end of the header, and their bytes. */
  readonly start: number;
  readonly size: number;
}

function tensorOf(description: unknown, label: string, file: string): Tensor {
  const fields = new Map<string, unknown>(
    typeof description === "object" && description !== null ? Object.entries(description) : [],
  );
  const type = fields.get("dtype");
  const shape = lengths(fields.get("shape"));
  const offsets = lengths(fields.get("data_offsets"));
  if (typeof type !== "string" || shape === undefined || offsets?.length !== 2) {
    throw damaged(label, "the header does not give its dtype, its shape and its place", { file });
  }
  const float8 = Object.hasOwn(FLOAT8, type) ? FLOAT8[type] : undefined;
  const plain = Object.hasOwn(DTYPES, type) ? DTYPES[type] : undefined;
  const dtype = float8 === undefined ? plain : "float32";
  if (dtype === undefined) {
    throw refusal(`${label} holds elements of ${quoted(type)}, which are not read.`, label, {
      file,
      remedy: "Save the tensor as float32 or bfloat16: tensor.float()",
    });
  }
  const [start, end] = offsets as [number, number];
  const size = elementCount(shape) * (float8 === undefined ? dtypes[dtype].bytes : 1);
  if (end - start !== size) {
    throw damaged(
      label,
      `${float8 === undefined ? dtype : type} elements of shape ${formatShape(shape)} take ${String(size)} bytes, and the header gives it ${String(end - start)}`,
      { file },
    );
  }
  return { dtype, shape, float8, start, size };
}

const MAX_NUMBERS = 64;

function lengths(value: unknown): number[] | undefined {
  if (!Array.isArray(value) || value.length > MAX_NUMBERS) return undefined;
  const numbers: readonly unknown[] = value;
  return numbers.every((item): item is number => Number.isSafeInteger(item) && Number(item) >= 0)
    ? [...numbers]
    : undefined;
}
