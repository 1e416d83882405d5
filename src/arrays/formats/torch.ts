/**
 * Files of `torch.save`: a ZIP archive of one pickle, which describes the tensors, and their storages.
 * The pickle is interpreted by pickle.ts, which makes nothing but what stands in the tables here.
 *
 * Tensors in dictionaries and lists are members by their path, `model/weight` or `outputs/0`; other
 * values beside them are left out. Source: PyTorch's torch/serialization.py and torch/_utils.py.
 */
import { dtypes, type DType } from "../dtype.ts";
import { elementsOf } from "../elements.ts";
import { arrayBytes, damaged, quoted, refusal, tooLarge } from "../fileErrors.ts";
import { MAX_DEFLATE_RATIO } from "../inflate.ts";
import {
  MAX_ARRAY_BYTES,
  type ArrayInFile,
  type OpenedFile,
  type ReadOptions,
} from "../members.ts";
import { elementCount, type ArrayOrigin, type NdArray } from "../ndarray.ts";
import { latin1, type ByteSource } from "../source.ts";
import { putAfter, type PutBytes, type StoredElements, type Tick } from "../stored.ts";
import { isContiguous, stridedElements } from "../strided.ts";
import { listZip, readZipEntry, unpackZipEntry, zipEntryBytes, type ZipEntry } from "../zip.ts";
import { isKind, unpickle, type Pickled, type PickleHost } from "./pickle.ts";

const REMEDY = 'Save the tensors alone: torch.save({"pred": pred, "target": target}, "case.pt")';

/** A pickle of tensors has some 200 bytes for each; values take many times their pickle's bytes. */
const MAX_PICKLE_BYTES = 2 ** 26;
const MAX_AXES = 64;
const MAX_DEPTH = 64;
/** Values that are looked through for tensors, and characters of the paths of those. */
const MAX_VALUES = 1_000_000;
const MAX_PATHS = 2 ** 24;

/** The elements that one or several tensors show. */
class Storage {
  /** Undefined where the tensor says what the bytes are. */
  readonly dtype: DType | undefined;
  readonly key: string;
  constructor(dtype: DType | undefined, key: string) {
    this.dtype = dtype;
    this.key = key;
  }
}

class Tensor {
  readonly storage: Storage;
  readonly dtype: DType;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  constructor(
    storage: Storage,
    dtype: DType,
    offset: number,
    shape: readonly number[],
    strides: readonly number[],
  ) {
    this.storage = storage;
    this.dtype = dtype;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }
}

/** Opens a .pt or .pth file. @throws ArrayError */
export function openTorch(source: ByteSource, name: string, options: ReadOptions): OpenedFile {
  const archive = openArchive(source, name);
  const pickle = archive.entry("data.pkl");
  const script = archive.entry("constants.pkl") !== undefined;
  if (pickle === undefined || script) throw notSaved(script, name);
  if (pickle.unpackedBytes > MAX_PICKLE_BYTES) {
    throw tooLarge(`${name}[${pickle.path}]`, pickle.unpackedBytes, MAX_PICKLE_BYTES);
  }
  const label = `${name}[${pickle.path}]`;
  const bytes = readZipEntry(source, pickle, name, MAX_PICKLE_BYTES);
  const value = unpickle(bytes, HOST, label, name);
  const inFile = (tensor: Tensor, member?: string): ArrayInFile => ({
    dtype: tensor.dtype,
    shape: tensor.shape,
    read: () => readTensor(archive, tensor, name, member, options),
    ...(isContiguous(tensor.shape, tensor.strides)
      ? { stored: () => storedTensor(archive, tensor, name, member) }
      : {}),
  });
  if (isKind(value, "made") && value.value instanceof Tensor) return inFile(value.value);
  const tensors = tensorsIn(value, name);
  return new Map(
    [...tensors].map(([member, tensor]) => [
      member,
      () => {
        if (tensor === undefined) throw ambiguous(name, member);
        return inFile(tensor, member);
      },
    ]),
  );
}

interface Archive {
  readonly source: ByteSource;
  /** The member of that path inside the archive's one folder. */
  readonly entry: (path: string) => ZipEntry | undefined;
}

function openArchive(source: ByteSource, name: string): Archive {
  // What torch.save wrote before version 1.6: a row of pickles, the first of which is a number.
  const start = source.read(0, 2);
  if (start[0] === 0x80 && start[1]! <= 5) {
    throw refusal(`${name} is in the old form of torch.save, which is not read.`, name, {
      byteOffset: 0,
      remedy: `torch.save(torch.load("old.pt", weights_only=True), "new.pt") writes the form that is read.`,
    });
  }
  const entries = listZip(source, name, "a file of torch.save is", REMEDY);
  const folder = entries[0]?.path.split("/")[0] ?? "";
  const byPath = new Map(entries.map((entry) => [entry.path, entry]));
  return { source, entry: (path) => byPath.get(`${folder}/${path}`) };
}

function notSaved(script: boolean, name: string): Error {
  return refusal(
    script
      ? `${name} is a TorchScript program, not saved tensors.`
      : `${name} is an archive, but not one of torch.save: it has no data.pkl.`,
    name,
    { remedy: REMEDY },
  );
}

const STORAGES: Readonly<Record<string, DType | undefined>> = {
  "torch.BoolStorage": "bool",
  "torch.CharStorage": "int8",
  "torch.ByteStorage": "uint8",
  "torch.ShortStorage": "int16",
  "torch.IntStorage": "int32",
  "torch.LongStorage": "int64",
  "torch.HalfStorage": "float16",
  "torch.BFloat16Storage": "bfloat16",
  "torch.FloatStorage": "float32",
  "torch.DoubleStorage": "float64",
  "torch.ComplexFloatStorage": "complex64",
  "torch.ComplexDoubleStorage": "complex128",
  "torch.storage.UntypedStorage": undefined,
};

const TORCH_DTYPES: ReadonlyMap<string, DType> = new Map(
  (Object.keys(dtypes) as DType[]).map((dtype) => [`torch.${dtype}`, dtype]),
);

type Call = (args: readonly Pickled[]) => Pickled | undefined;

/** What may be called, and what that gives. */
const CALLS: Readonly<Record<string, Call>> = {
  "collections.OrderedDict": (args) =>
    args.length === 0 ? { kind: "dict", entries: new Map() } : undefined,
  "torch._utils._rebuild_tensor_v2": ([storage, offset, shape, strides, , , metadata]) =>
    tensorOf(storage, undefined, offset, shape, strides, metadata),
  "torch._utils._rebuild_tensor_v3": ([storage, offset, shape, strides, , , dtype, metadata]) =>
    tensorOf(storage, dtype, offset, shape, strides, metadata),
  "torch._utils._rebuild_parameter": ([tensor]) => (isTensor(tensor) ? tensor : undefined),
  // Values that stand beside tensors in checkpoints, and are left out.
  "torch.Size": () => null,
  "torch.device": () => null,
};

const HOST: PickleHost = {
  knows: (name) =>
    Object.hasOwn(CALLS, name) || Object.hasOwn(STORAGES, name) || TORCH_DTYPES.has(name),
  call: (name, args) => (Object.hasOwn(CALLS, name) ? CALLS[name]!(args) : undefined),
  persistent: (id) => {
    if (!isKind(id, "tuple")) return undefined;
    const [what, type, key] = id.items;
    const known =
      what === "storage" && isKind(type, "global") && Object.hasOwn(STORAGES, type.name);
    if (!known || typeof key !== "string") return undefined;
    return { kind: "made", value: new Storage(STORAGES[type.name], key) };
  },
  remedy: REMEDY,
};

function isTensor(value: Pickled | undefined): boolean {
  return isKind(value, "made") && value.value instanceof Tensor;
}

function tensorOf(
  storage: Pickled | undefined,
  type: Pickled | undefined,
  offset: Pickled | undefined,
  size: Pickled | undefined,
  stride: Pickled | undefined,
  metadata: Pickled | undefined,
): Pickled | undefined {
  if (!isKind(storage, "made") || !(storage.value instanceof Storage)) return undefined;
  const dtype = isKind(type, "global") ? TORCH_DTYPES.get(type.name) : storage.value.dtype;
  const shape = wholeNumbers(size);
  const strides = wholeNumbers(stride);
  // A tensor may be marked as the conjugate or the negative of what its storage holds.
  const marked = isKind(metadata, "dict") && metadata.entries.size > 0;
  if (
    marked ||
    dtype === undefined ||
    !isWhole(offset) ||
    shape === undefined ||
    strides?.length !== shape.length
  ) {
    return undefined;
  }
  return { kind: "made", value: new Tensor(storage.value, dtype, offset, shape, strides) };
}

function isWhole(value: Pickled | undefined): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function wholeNumbers(value: Pickled | undefined): number[] | undefined {
  if (!isKind(value, "tuple") || value.items.length > MAX_AXES) return undefined;
  return value.items.every(isWhole) ? value.items : undefined;
}

/** The tensors in nested dictionaries, lists and tuples; undefined where two have one path. */
function tensorsIn(value: Pickled, name: string): ReadonlyMap<string, Tensor | undefined> {
  const tensors = new Map<string, Tensor | undefined>();
  let seen = 0;
  let characters = 0;
  const look = (value: Pickled, path: readonly string[]): void => {
    seen += 1;
    // A pickle may hold itself, or one value very often, or under a key without end.
    if (path.length > MAX_DEPTH || seen > MAX_VALUES || characters > MAX_PATHS) {
      throw refusal(`${name} nests its values too deeply or holds too many.`, name, {
        remedy: REMEDY,
      });
    }
    if (typeof value !== "object" || value === null) return;
    if (value.kind === "made") {
      if (value.value instanceof Tensor) {
        const member = path.join("/");
        characters += member.length;
        tensors.set(member, tensors.has(member) ? undefined : value.value);
      }
    } else if (value.kind === "dict") {
      for (const [key, item] of value.entries) {
        if (typeof key !== "object") look(item, [...path, String(key)]);
      }
    } else if (value.kind !== "global") {
      value.items.forEach((item, i) => {
        look(item, [...path, String(i)]);
      });
    }
  };
  look(value, []);
  return tensors;
}

function ambiguous(name: string, member: string): Error {
  return refusal(`${name} holds two tensors under the path ${quoted(member)}.`, name, {
    remedy: REMEDY,
  });
}

/** How the elements of a tensor that lies in C order lie in the archive. */
function storedTensor(
  archive: Archive,
  tensor: Tensor,
  name: string,
  member: string | undefined,
): StoredElements {
  const { dtype, shape, offset } = tensor;
  const label = member === undefined ? name : `${name}[${member}]`;
  const entry = storageEntry(archive, tensor, label, name);
  const unit = dtypes[dtype].bytes;
  const size = arrayBytes(dtype, shape, label, { maxBytes: Infinity }, { file: name });
  checkReach(tensor, entry, label, name);
  const layout = { dtype, shape, littleEndian: isLittleEndian(archive, name), fortranOrder: false };
  const unpack = (put: PutBytes, tick: Tick): void => {
    const rest = entry.unpackedBytes - offset * unit;
    unpackZipEntry(
      archive.source,
      entry,
      name,
      putAfter(
        offset * unit,
        rest,
        (at, part) => {
          if (at < size) put(at, part.subarray(0, size - at));
        },
        tick,
      ),
    );
  };
  const verify = (tick: Tick): void => {
    unpack(() => undefined, tick);
  };
  const packed = zipEntryBytes(archive.source, entry, name);
  const bytes: StoredElements["bytes"] =
    entry.method === 0
      ? { kind: "flat", source: packed, offset: offset * unit, verify }
      : { kind: "packed", packing: "deflate", unpack };
  return { layout, bytes };
}

function storageEntry(archive: Archive, tensor: Tensor, label: string, name: string): ZipEntry {
  const entry = archive.entry(`data/${tensor.storage.key}`);
  if (entry !== undefined) return entry;
  throw damaged(label, `its storage ${quoted(tensor.storage.key)} is not in the archive`, {
    file: name,
  });
}

/** @throws ArrayError unless the storage has every element that the tensor reaches to */
function checkReach(tensor: Tensor, entry: ZipEntry, label: string, name: string): void {
  const { dtype, shape, strides, offset } = tensor;
  const there = Math.floor(entry.unpackedBytes / dtypes[dtype].bytes);
  const last = shape.reduce((at, length, axis) => at + (length - 1) * strides[axis]!, offset);
  if (elementCount(shape) === 0 || last < there) return;
  throw damaged(label, `it reaches to element ${String(last)} of a storage of ${String(there)}`, {
    file: name,
    byteOffset: entry.offset,
  });
}

function isLittleEndian(archive: Archive, name: string): boolean {
  const order = archive.entry("byteorder");
  return order === undefined || latin1(readZipEntry(archive.source, order, name, 64)) !== "big";
}

function readTensor(
  archive: Archive,
  tensor: Tensor,
  name: string,
  member: string | undefined,
  options: ReadOptions,
): NdArray {
  const { dtype, shape, strides, offset } = tensor;
  const label = member === undefined ? name : `${name}[${member}]`;
  const size = arrayBytes(dtype, shape, label, options, { file: name });
  const entry = storageEntry(archive, tensor, label, name);
  const maxBytes = options.maxBytes ?? MAX_ARRAY_BYTES;
  const bytes = readZipEntry(archive.source, entry, name, maxBytes);
  const unit = dtypes[dtype].bytes;
  const there = Math.floor(bytes.length / unit);
  checkReach(tensor, entry, label, name);
  // Where strides are 0, a small storage may stand for any number of elements.
  if (size > archive.source.size * MAX_DEFLATE_RATIO) {
    throw refusal(
      `${label} repeats its ${String(there)} elements ${String(size)} bytes long.`,
      label,
      {
        file: name,
        remedy: "Save the tensor before it is expanded.",
      },
    );
  }
  const littleEndian = isLittleEndian(archive, name);
  const elements = elementsOf(bytes.subarray(0, there * unit), dtype, littleEndian);
  const origin: ArrayOrigin = {
    kind: "file",
    path: name,
    ...(member === undefined ? {} : { member }),
  };
  const data = stridedElements(elements, dtype, offset, shape, strides);
  return { dtype, shape, data, origin };
}
