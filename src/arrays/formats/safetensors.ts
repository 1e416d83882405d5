/**
 * safetensors files: a header of JSON, then the elements of every tensor.
 *
 * A reader of our own: eight bytes of length, JSON and offsets leave nothing for a library to do but
 * check them. Source: the format's description in the safetensors repository.
 */
import { dtypes, type DType } from "../dtype.ts";
import { arrayOf } from "../elements.ts";
import { arrayBytes, bytesAt, checkThere, damaged, quoted, refusal } from "../fileErrors.ts";
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
      const { dtype, shape } = tensor;
      const layout = { dtype, shape, littleEndian: true, fortranOrder: false };
      const read = () => {
        const size = arrayBytes(dtype, shape, label, options, { file: name });
        const bytes = bytesAt(source, start, size, "elements", label, { file: name });
        return arrayOf(bytes, layout, { kind: "file", path: name, member });
      };
      const stored = (): StoredElements => {
        const size = arrayBytes(dtype, shape, label, { maxBytes: Infinity }, { file: name });
        checkThere(source, start, size, "elements", label, { file: name });
        return { layout, bytes: { kind: "flat", source, offset: start } };
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
  /** Where its elements begin, from the end of the header. */
  readonly start: number;
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
  const dtype = Object.hasOwn(DTYPES, type) ? DTYPES[type] : undefined;
  if (dtype === undefined) {
    throw refusal(`${label} holds elements of ${quoted(type)}, which are not read.`, label, {
      file,
      remedy: "Save the tensor as float32 or bfloat16: tensor.float()",
    });
  }
  const [start, end] = offsets as [number, number];
  const size = elementCount(shape) * dtypes[dtype].bytes;
  if (end - start !== size) {
    throw damaged(
      label,
      `${dtype} elements of shape ${formatShape(shape)} take ${String(size)} bytes, and the header gives it ${String(end - start)}`,
      { file },
    );
  }
  return { dtype, shape, start };
}

const MAX_NUMBERS = 64;

function lengths(value: unknown): number[] | undefined {
  if (!Array.isArray(value) || value.length > MAX_NUMBERS) return undefined;
  const numbers: readonly unknown[] = value;
  return numbers.every((item): item is number => Number.isSafeInteger(item) && Number(item) >= 0)
    ? [...numbers]
    : undefined;
}
