/**
 * Files of torch.save: a pickle, which describes the tensors, and their storages, in a ZIP archive or,
 * as before version 1.6, one after the other. The pickle is interpreted by pickle.ts, which makes
 * nothing but what stands in torchTensors.ts.
 *
 * Tensors in dictionaries and lists are members by their path, `model/weight` or `outputs/0`; other
 * values beside them are left out. Source: PyTorch's torch/serialization.py and torch/_utils.py.
 */
import { dtypes, type ArrayData } from "../dtype.ts";
import { elementsOf } from "../elements.ts";
import { arrayBytes, damaged, quoted, refusal, tooLarge } from "../fileErrors.ts";
import { float8Bytes, float8InFile, float8ToFloat32 } from "../float8.ts";
import { MAX_DEFLATE_RATIO } from "../inflate.ts";
import {
  MAX_ARRAY_BYTES,
  type ArrayInFile,
  type OpenedFile,
  type ReadOptions,
} from "../members.ts";
import { elementCount, type ArrayOrigin, type NdArray } from "../ndarray.ts";
import { latin1, type ByteSource, type Tick } from "../source.ts";
import { putAfter, type PutBytes, type StoredElements } from "../stored.ts";
import { isContiguous, stridedElements } from "../strided.ts";
import { listZip, readZipEntry, unpackZipEntry, zipEntryBytes, type ZipEntry } from "../zip.ts";
import { unpickle } from "./pickle.ts";
import { PickledArray } from "./pickledArrays.ts";
import { MAX_PICKLE_BYTES, type StoredStorage, type TorchFile } from "./torchFile.ts";
import { beginsAsPickle, openLegacyTorch } from "./torchLegacy.ts";
import {
  storedBytes,
  Tensor,
  tensorsIn,
  torchHost,
  TORCH_REMEDY,
  type Held,
} from "./torchTensors.ts";

/** Opens a .pt or .pth file. @throws ArrayError */
export function openTorch(source: ByteSource, name: string, options: ReadOptions): OpenedFile {
  const file = beginsAsPickle(source) ? openLegacyTorch(source, name) : openArchive(source, name);
  const { tensors, leftOut } = tensorsIn(file.value, name);
  const open = (found: readonly Held[], member?: string): ArrayInFile => {
    const label = member === undefined ? name : `${name}[${member}]`;
    const [tensor] = found;
    if (found.length > 1 || tensor === undefined) throw ambiguous(name, member ?? "");
    if (tensor instanceof PickledArray) {
      const { dtype, shape } = tensor.layout;
      const origin = originOf(name, member);
      return { dtype, shape, read: () => tensor.read(origin) };
    }
    if (!(tensor instanceof Tensor)) {
      throw refusal(`${label} is ${tensor.what}.`, label, { file: name, remedy: tensor.remedy });
    }
    return new TensorInFile(file, source, tensor, name, member).opened(options);
  };
  const alone = tensors.get("");
  if (alone !== undefined) return open(alone);
  if (tensors.size === 0 && leftOut.size > 0) throw withoutTensors(leftOut, name);
  return new Map([...tensors].map(([member, found]) => [member, () => open(found, member)]));
}

function ambiguous(name: string, member: string): Error {
  return refusal(`${name} holds two tensors under the path ${quoted(member)}.`, name, {
    remedy: TORCH_REMEDY,
  });
}

function withoutTensors(leftOut: ReadonlySet<string>, name: string): Error {
  const [first] = leftOut;
  return refusal(
    `${name} holds no tensors in dictionaries or lists; it holds an object of ${quoted(first!, 120)}, and no object is made from a pickle, since that can run any code.`,
    name,
    { remedy: TORCH_REMEDY },
  );
}

function openArchive(source: ByteSource, name: string): TorchFile {
  const entries = listZip(source, name, "a file of torch.save is", TORCH_REMEDY);
  const folder = entries[0]?.path.split("/")[0] ?? "";
  const byPath = new Map(entries.map((entry) => [entry.path, entry]));
  const entry = (path: string): ZipEntry | undefined => byPath.get(`${folder}/${path}`);
  const pickle = entry("data.pkl");
  const script = entry("constants.pkl") !== undefined;
  if (pickle === undefined || script) throw notSaved(script, name);
  if (pickle.unpackedBytes > MAX_PICKLE_BYTES) {
    throw tooLarge(`${name}[${pickle.path}]`, pickle.unpackedBytes, MAX_PICKLE_BYTES);
  }
  const bytes = readZipEntry(source, pickle, name, MAX_PICKLE_BYTES);
  return {
    value: unpickle(bytes, torchHost(new Map()), `${name}[${pickle.path}]`, name),
    littleEndian: () => {
      const order = entry("byteorder");
      return order === undefined || latin1(readZipEntry(source, order, name, 64)) !== "big";
    },
    storage: (key) => {
      const found = entry(`data/${key}`);
      return found === undefined ? undefined : storageInArchive(source, found, name);
    },
  };
}

function storageInArchive(source: ByteSource, entry: ZipEntry, name: string): StoredStorage {
  const unpack = (give: (part: Uint8Array) => void): void => {
    unpackZipEntry(source, entry, name, give);
  };
  const verify = (tick: Tick): void => {
    unpack(putAfter(0, entry.unpackedBytes, () => undefined, tick));
  };
  return {
    bytes: entry.unpackedBytes,
    byteOffset: entry.offset,
    read: (maxBytes, tick) => readZipEntry(source, entry, name, maxBytes, tick),
    flat: () => {
      const bytes = zipEntryBytes(source, entry, name);
      return entry.method === 0 ? { source: bytes, offset: 0, verify } : undefined;
    },
    unpack,
  };
}

function notSaved(script: boolean, name: string): Error {
  return refusal(
    script
      ? `${name} is a TorchScript program, not saved tensors.`
      : `${name} is an archive, but not one of torch.save: it has no data.pkl.`,
    name,
    { remedy: TORCH_REMEDY },
  );
}

function originOf(path: string, member: string | undefined): ArrayOrigin {
  return { kind: "file", path, ...(member === undefined ? {} : { member }) };
}

/** A tensor and the file that its elements are in. */
class TensorInFile {
  private readonly file: TorchFile;
  private readonly source: ByteSource;
  private readonly tensor: Tensor;
  private readonly name: string;
  private readonly label: string;
  private readonly origin: ArrayOrigin;

  constructor(
    file: TorchFile,
    source: ByteSource,
    tensor: Tensor,
    name: string,
    member: string | undefined,
  ) {
    this.file = file;
    this.source = source;
    this.tensor = tensor;
    this.name = name;
    this.label = member === undefined ? name : `${name}[${member}]`;
    this.origin = originOf(name, member);
  }

  opened(options: ReadOptions): ArrayInFile {
    const { type, shape, strides, conjugate, negative } = this.tensor;
    const asStored = isContiguous(shape, strides) && !conjugate && !negative;
    return {
      dtype: type.dtype,
      shape,
      read: () => this.read(options),
      ...(asStored ? { stored: () => this.stored() } : {}),
    };
  }

  /** How the elements of a tensor that lies in C order lie in the file. */
  private stored(): StoredElements {
    const { type, shape, offset } = this.tensor;
    const storage = this.storage();
    const unit = storedBytes(type);
    const size = elementCount(shape) * unit;
    arrayBytes(type.dtype, shape, this.label, { maxBytes: Infinity }, { file: this.name });
    this.checkReach(storage);
    const littleEndian = this.file.littleEndian();
    const layout = { dtype: type.dtype, shape, littleEndian, fortranOrder: false };
    const flat = storage.flat();
    const first = offset * unit;
    if (flat !== undefined) {
      const at = flat.offset + first;
      if (type.float8 === undefined) {
        return { layout, bytes: { kind: "flat", ...flat, offset: at } };
      }
      const bytes = float8InFile(
        { ...flat, offset: at },
        elementCount(shape),
        type.float8,
        this.label,
      );
      return { layout: { ...layout, littleEndian: true }, bytes };
    }
    const unpack = (put: PutBytes, tick: Tick): void => {
      const give = (at: number, part: Uint8Array): void => {
        if (at >= size) return;
        const bytes = part.subarray(0, size - at);
        if (type.float8 === undefined) put(at, bytes);
        else put(4 * at, float8Bytes(bytes, type.float8));
      };
      storage.unpack?.(putAfter(first, storage.bytes - first, give, tick));
    };
    return { layout, bytes: { kind: "packed", packing: "deflate", unpack } };
  }

  private read(options: ReadOptions): NdArray {
    const { type, shape, strides, offset } = this.tensor;
    const size = arrayBytes(type.dtype, shape, this.label, options, { file: this.name });
    const storage = this.storage();
    const bytes = storage.read(options.maxBytes ?? MAX_ARRAY_BYTES, options.tick);
    this.checkReach(storage);
    const unit = storedBytes(type);
    const there = Math.floor(bytes.length / unit);
    // Where strides are 0, a small storage may stand for any number of elements.
    if (size > this.source.size * MAX_DEFLATE_RATIO) {
      throw refusal(
        `${this.label} repeats its ${String(there)} elements ${String(size)} bytes long.`,
        this.label,
        { file: this.name, remedy: "Save the tensor before it is expanded." },
      );
    }
    const stored = type.float8 === undefined ? type.dtype : "uint8";
    const littleEndian = this.file.littleEndian();
    const own = bytes.subarray(0, there * unit);
    const elements = elementsOf(own, stored, littleEndian, options.tick);
    const shown = stridedElements(elements, stored, offset, shape, strides, options.tick);
    const data =
      type.float8 === undefined ? shown : float8ToFloat32(shown as Uint8Array, type.float8);
    return { dtype: type.dtype, shape, data: this.marked(data), origin: this.origin };
  }

  /** The elements with their signs changed, where the tensor is the conjugate or the negative. */
  private marked(data: ArrayData): ArrayData {
    const { conjugate, negative, type } = this.tensor;
    const { kind } = dtypes[type.dtype];
    const isComplex = kind === "complex";
    if (!negative && !(conjugate && isComplex)) return data;
    if (!isComplex && type.dtype !== "float32" && type.dtype !== "float64") {
      throw refusal(`${this.label} is the negative of ${type.dtype} elements.`, this.label, {
        file: this.name,
        remedy: "Save tensor.resolve_neg().",
      });
    }
    const signed = (data as Float32Array | Float64Array).slice();
    for (let i = 0; i < signed.length; i += 1) {
      const imaginary = isComplex && i % 2 === 1;
      if (negative !== (imaginary && conjugate)) signed[i] = -signed[i]!;
    }
    return signed;
  }

  private storage(): StoredStorage {
    const { key } = this.tensor.storage;
    const storage = this.file.storage(key);
    if (storage !== undefined) return storage;
    throw damaged(this.label, `its storage ${quoted(key)} is not in the file`, {
      file: this.name,
    });
  }

  /** @throws ArrayError unless the storage has every element that the tensor reaches to */
  private checkReach({ bytes, byteOffset }: StoredStorage): void {
    const { type, shape, strides, offset } = this.tensor;
    const there = Math.floor(bytes / storedBytes(type));
    const last = shape.reduce((at, length, axis) => at + (length - 1) * strides[axis]!, offset);
    if (elementCount(shape) === 0 || last < there) return;
    throw damaged(
      this.label,
      `it reaches to element ${String(last)} of a storage of ${String(there)}`,
      { file: this.name, byteOffset },
    );
  }
}
