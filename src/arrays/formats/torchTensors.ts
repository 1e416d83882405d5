/**
 * What stands in the pickle of a file of torch.save: its tensors, by their paths in dictionaries and
 * lists, and where their elements are. Source: PyTorch's torch/_utils.py and torch/_tensor.py.
 */
import { dtypes, type DType } from "../dtype.ts";
import { quoted, refusal } from "../fileErrors.ts";
import type { Float8 } from "../float8.ts";
import { isKind, unmade, type Pickled, type PickleHost } from "./pickle.ts";
import { isPickledArray, pickledArray, type PickledArray } from "./pickledArrays.ts";

export const TORCH_REMEDY =
  'Save the tensors alone: torch.save({"pred": pred, "target": target}, "case.pt")';

const MAX_AXES = 64;
const MAX_DEPTH = 64;
/** Values that are looked through for tensors, and characters of the paths of those. */
const MAX_VALUES = 1_000_000;
const MAX_PATHS = 2 ** 24;

/** The type of a tensor's elements: one that arrays have, or one that is read as float32. */
export type TorchType =
  | { readonly dtype: DType; readonly float8?: undefined }
  | { readonly dtype: "float32"; readonly float8: Float8 };

/** The bytes of one element in the file. */
export function storedBytes(type: TorchType): number {
  return type.float8 === undefined ? dtypes[type.dtype].bytes : 1;
}

/** The elements that one or several tensors show. */
export class Storage {
  /** Undefined where the tensor says what the bytes are. */
  readonly type: TorchType | undefined;
  readonly key: string;
  /** Bytes of the unit that its length is counted in; undefined for a storage that is not known. */
  readonly unitBytes: number | undefined;
  /** Elements of the storage named before the first of this one, which is a view of that. */
  readonly offset: number;
  constructor(
    type: TorchType | undefined,
    key: string,
    unitBytes: number | undefined,
    offset: number,
  ) {
    this.type = type;
    this.key = key;
    this.unitBytes = unitBytes;
    this.offset = offset;
  }
}

/** A tensor that shows elements of a storage. */
export class Tensor {
  readonly storage: Storage;
  readonly type: TorchType;
  /** In elements of the file's storage. */
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  /** Whether it is the conjugate of what its storage holds, and whether the negative of that. */
  readonly conjugate: boolean;
  readonly negative: boolean;
  constructor(
    storage: Storage,
    type: TorchType,
    place: Pick<Tensor, "offset" | "shape" | "strides">,
    marks: Pick<Tensor, "conjugate" | "negative">,
  ) {
    this.storage = storage;
    this.type = type;
    this.offset = place.offset;
    this.shape = place.shape;
    this.strides = place.strides;
    this.conjugate = marks.conjugate;
    this.negative = marks.negative;
  }
}

/** A tensor that has no element of its own for each place, or elements that are not read. */
export class OtherTensor {
  /** What it is: "a sparse tensor, …". */
  readonly what: string;
  readonly remedy: string;
  constructor(what: string, remedy: string) {
    this.what = what;
    this.remedy = remedy;
  }
}

const plain = (dtype: DType): TorchType => ({ dtype });

const STORAGES: Readonly<Record<string, TorchType>> = {
  "torch.BoolStorage": plain("bool"),
  "torch.CharStorage": plain("int8"),
  "torch.ByteStorage": plain("uint8"),
  "torch.ShortStorage": plain("int16"),
  "torch.IntStorage": plain("int32"),
  "torch.LongStorage": plain("int64"),
  "torch.HalfStorage": plain("float16"),
  "torch.BFloat16Storage": plain("bfloat16"),
  "torch.FloatStorage": plain("float32"),
  "torch.DoubleStorage": plain("float64"),
  "torch.ComplexFloatStorage": plain("complex64"),
  "torch.ComplexDoubleStorage": plain("complex128"),
};

/** Bytes of the units that other storages are counted in. */
const OTHER_STORAGES: Readonly<Record<string, number>> = {
  "torch.storage.UntypedStorage": 1,
  "torch.QInt8Storage": 1,
  "torch.QUInt8Storage": 1,
  "torch.QInt32Storage": 4,
  "torch.QUInt4x2Storage": 1,
  "torch.QUInt2x4Storage": 1,
};

const FLOAT8: readonly Float8[] = ["e4m3fn", "e4m3fnuz", "e5m2", "e5m2fnuz", "e8m0fnu"];

const TORCH_DTYPES: ReadonlyMap<string, TorchType> = new Map([
  ...(Object.keys(dtypes) as DType[]).map((dtype) => [`torch.${dtype}`, plain(dtype)] as const),
  ...FLOAT8.map(
    (float8) => [`torch.float8_${float8}`, { dtype: "float32", float8 } as const] as const,
  ),
]);

type Call = (args: readonly Pickled[]) => Pickled | undefined;

const made = (value: object): Pickled => ({ kind: "made", value });
const other = (what: string, remedy: string): Pickled => made(new OtherTensor(what, remedy));

const REBUILD: Readonly<Record<string, Call>> = {
  // Before version 0.4.
  "torch._utils._rebuild_tensor": ([storage, offset, shape, strides]) =>
    tensorOf(storage, undefined, offset, shape, strides, undefined),
  "torch._utils._rebuild_tensor_v2": ([storage, offset, shape, strides, , , metadata]) =>
    tensorOf(storage, undefined, offset, shape, strides, metadata),
  "torch._utils._rebuild_tensor_v3": ([storage, offset, shape, strides, , , dtype, metadata]) =>
    tensorOf(storage, dtype, offset, shape, strides, metadata),
  "torch._utils._rebuild_qtensor": () =>
    other("a quantized tensor, whose elements stand for others", "Save tensor.dequantize()."),
  "torch._utils._rebuild_sparse_tensor": () =>
    other("a sparse tensor, which has no element for each place", "Save tensor.to_dense()."),
  "torch._utils._rebuild_nested_tensor": () =>
    other("a nested tensor, whose rows differ in length", "Save the list tensor.unbind()."),
  "torch._utils._rebuild_meta_tensor_no_storage": () =>
    other("a tensor of the device meta, which has no elements", "Save a tensor that has some."),
};

const tensorItself: Call = ([tensor]) => (isTensor(tensor) ? tensor : undefined);

/** A tensor of a subclass; its attributes are left out. */
const ofSubclass: Call = ([rebuild, , args]) => {
  if (!isKind(rebuild, "global") || !isKind(args, "tuple")) return undefined;
  const call = Object.hasOwn(REBUILD, rebuild.name) ? REBUILD[rebuild.name]! : undefined;
  return call === undefined ? unmade(rebuild.name, []) : call(args.items);
};

const emptyDict: Call = () => ({ kind: "dict", entries: new Map() });

/** Python 3 sets the entries afterwards; Python 2 gives them as a list of pairs. */
const orderedDict: Call = ([pairs]) => {
  const entries = new Map<Pickled, Pickled>();
  if (pairs === undefined) return { kind: "dict", entries };
  if (!isKind(pairs, "list")) return undefined;
  for (const pair of pairs.items) {
    if (!(isKind(pair, "list") || isKind(pair, "tuple")) || pair.items.length !== 2) {
      return undefined;
    }
    entries.set(pair.items[0]!, pair.items[1]!);
  }
  return { kind: "dict", entries };
};

/** What is known to be called, and what that gives. */
const CALLS: Readonly<Record<string, Call>> = {
  ...REBUILD,
  "torch._utils._rebuild_parameter": tensorItself,
  "torch._utils._rebuild_parameter_with_state": tensorItself,
  "torch._utils._rebuild_device_tensor_from_cpu_tensor": tensorItself,
  "torch._tensor._rebuild_from_type": ofSubclass,
  "torch._tensor._rebuild_from_type_v2": ofSubclass,
  "collections.OrderedDict": orderedDict,
  "collections.defaultdict": emptyDict,
  // bytes, as Python 3 writes them in the forms that Python 2 reads
  "__builtin__.bytes": (args) => (args.length === 0 ? "" : undefined),
  "_codecs.encode": ([text]) => (typeof text === "string" ? text : undefined),
};

/** Functions that reach outside of a value: a file that calls one is made to do harm. */
const HARMFUL =
  /^(?:os|posix|nt|subprocess|sys|socket|shutil|pty|runpy|importlib|ctypes|webbrowser)\.|^(?:builtins|__builtin__)\.(?:eval|exec|execfile|compile|open|input|breakpoint|__import__)$/u;

/** What the names in the pickle of torch.save stand for; `storages` takes those that are referred to. */
export function torchHost(storages: Map<string, Storage>): PickleHost {
  return {
    refuses: (name) =>
      HARMFUL.test(name)
        ? "which no tensor needs: loading it in Python can run any code, and nothing of it is run here"
        : undefined,
    call: (name, args) => {
      if (Object.hasOwn(CALLS, name)) return CALLS[name]!(args);
      const [items] = args;
      // What torch.max and the like return is a tuple with names.
      if (name.startsWith("torch.return_types.") && isKind(items, "tuple")) return items;
      return unmade(name, args);
    },
    persistent: (id) => {
      if (!isKind(id, "tuple")) return undefined;
      const [what, type, key, , , view] = id.items;
      // The old form keeps a module's class together with its source.
      if (what === "module" && isKind(type, "global")) return type;
      if (what !== "storage" || !isKind(type, "global") || typeof key !== "string") {
        return undefined;
      }
      const storage = storageOf(type.name, key, view);
      if (storage === undefined) return undefined;
      storages.set(storage.key, storage);
      return made(storage);
    },
    remedy: TORCH_REMEDY,
  };
}

function storageOf(name: string, key: string, view: Pickled | undefined): Storage | undefined {
  const type = Object.hasOwn(STORAGES, name) ? STORAGES[name]! : undefined;
  const unitBytes =
    type === undefined
      ? Object.hasOwn(OTHER_STORAGES, name)
        ? OTHER_STORAGES[name]!
        : undefined
      : storedBytes(type);
  // A view of another storage, as the old form has it: that one's key, and where it begins there.
  if (!isKind(view, "tuple")) return new Storage(type, key, unitBytes, 0);
  const [, offset] = view.items;
  return isWhole(offset) ? new Storage(type, key, unitBytes, offset) : undefined;
}

function isTensor(value: Pickled | undefined): boolean {
  return (
    isKind(value, "made") && (value.value instanceof Tensor || value.value instanceof OtherTensor)
  );
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
  if (isKind(type, "global") && !TORCH_DTYPES.has(type.name)) {
    return other(`a tensor of ${quoted(type.name)} elements`, "Save tensor.to(torch.float32).");
  }
  const elements = isKind(type, "global") ? TORCH_DTYPES.get(type.name) : storage.value.type;
  const shape = wholeNumbers(size);
  const strides = wholeNumbers(stride);
  if (
    elements === undefined ||
    !isWhole(offset) ||
    shape === undefined ||
    strides?.length !== shape.length
  ) {
    return undefined;
  }
  const marks = isKind(metadata, "dict") ? metadata.entries : new Map<Pickled, Pickled>();
  const place = { offset: storage.value.offset + offset, shape, strides };
  const conjugate = marks.get("conj") === true;
  const negative = marks.get("neg") === true;
  return made(new Tensor(storage.value, elements, place, { conjugate, negative }));
}

function isWhole(value: Pickled | undefined): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function wholeNumbers(value: Pickled | undefined): number[] | undefined {
  const items = isKind(value, "object") && value.name === "torch.Size" ? value.items[0] : value;
  if (!isKind(items, "tuple") || items.items.length > MAX_AXES) return undefined;
  return items.items.every(isWhole) ? items.items : undefined;
}

/** A tensor, or a NumPy array beside tensors. */
export type Held = Tensor | OtherTensor | PickledArray;

/** What a pickle holds. */
export interface TorchContent {
  /** The tensors by their paths, `model/weight` or `outputs/0`; "" is a tensor alone. */
  readonly tensors: ReadonlyMap<string, Held[]>;
  /** Classes and functions whose objects are left out. */
  readonly leftOut: ReadonlySet<string>;
}

/** The tensors in nested dictionaries, lists and tuples. @throws ArrayError if that has no end */
export function tensorsIn(value: Pickled, name: string): TorchContent {
  const tensors = new Map<string, Held[]>();
  const leftOut = new Set<string>();
  let seen = 0;
  let characters = 0;
  const add = (path: readonly string[], tensor: Held): void => {
    const member = path.join("/");
    characters += member.length;
    tensors.set(member, [...(tensors.get(member) ?? []), tensor]);
  };
  const look = (value: Pickled, path: readonly string[]): void => {
    seen += 1;
    // A pickle may hold itself, or one value very often, or under a key without end.
    if (path.length > MAX_DEPTH || seen > MAX_VALUES || characters > MAX_PATHS) {
      throw refusal(`${name} nests its values too deeply or holds too many.`, name, {
        remedy: TORCH_REMEDY,
      });
    }
    if (typeof value !== "object" || value === null || value.kind === "global") return;
    if (value.kind === "made") {
      if (!(value.value instanceof Storage)) add(path, value.value as Tensor | OtherTensor);
      return;
    }
    if (value.kind === "object" && isPickledArray(value)) {
      const array = pickledArray(value);
      add(path, typeof array === "string" ? new OtherTensor(array, TORCH_REMEDY) : array);
      return;
    }
    if (value.kind === "object") leftOut.add(value.name);
    if (value.kind === "dict" || value.kind === "object") {
      for (const [key, item] of value.entries) {
        if (typeof key !== "object") look(item, [...path, String(key)]);
      }
    }
    if (value.kind !== "dict") {
      value.items.forEach((item, i) => {
        look(item, [...path, String(i)]);
      });
    }
  };
  look(value, []);
  return { tensors, leftOut };
}
