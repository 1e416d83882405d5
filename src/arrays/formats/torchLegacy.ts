/**
 * The form in which torch.save wrote before version 1.6, and writes without its ZIP archive: five
 * pickles in a row (a magic number, a version, the machine, the value, the keys of the storages), and
 * then the storages, each after its length. Source: PyTorch's torch/serialization.py.
 */
import { bytesAt, damaged, refusal, tooLarge } from "../fileErrors.ts";
import { partOf, viewOf, type ByteSource } from "../source.ts";
import { isKind, unpickleAt, type Pickled } from "./pickle.ts";
import { MAX_PICKLE_BYTES, type StoredStorage, type TorchFile } from "./torchFile.ts";
import { torchHost, TORCH_REMEDY, type Storage } from "./torchTensors.ts";

const MAGIC = 0x1950a86a20f9469cfc6cn;
const VERSION = 1001;

/** Whether a file begins as a pickle does, which no archive does. */
export function beginsAsPickle(source: ByteSource): boolean {
  const start = source.read(0, 2);
  return start[0] === 0x80 && start[1]! <= 5;
}

/** Opens a file of that form. @throws ArrayError */
export function openLegacyTorch(source: ByteSource, name: string): TorchFile {
  const referred = new Map<string, Storage>();
  const host = torchHost(referred);
  const pickles = partOf(source, 0, MAX_PICKLE_BYTES);
  let at = 0;
  const next = (): Pickled => {
    const { value, end } = unpickleAt(pickles, at, host, name, name);
    at = end;
    return value;
  };
  if (next() !== MAGIC) {
    throw refusal(`${name} is a Python pickle, but not one of torch.save.`, name, {
      byteOffset: 0,
      remedy: TORCH_REMEDY,
    });
  }
  if (next() !== VERSION) {
    throw damaged(name, `it is not of version ${String(VERSION)} of its form`, { byteOffset: at });
  }
  next(); // The machine: storages are little-endian on every one.
  const value = next();
  const keys = next();
  if (!isKind(keys, "list")) throw damaged(name, "it does not list its storages");
  if (at > MAX_PICKLE_BYTES - 1) throw tooLarge(name, source.size, MAX_PICKLE_BYTES);
  let found: ReadonlyMap<string, StoredStorage> | undefined;
  return {
    value,
    littleEndian: () => true,
    storage: (key) => {
      found ??= storagesFrom(source, at, keys.items, referred, name);
      return found.get(key);
    },
  };
}

function storagesFrom(
  source: ByteSource,
  start: number,
  keys: readonly Pickled[],
  referred: ReadonlyMap<string, Storage>,
  name: string,
): ReadonlyMap<string, StoredStorage> {
  const found = new Map<string, StoredStorage>();
  let at = start;
  for (const key of keys) {
    const unitBytes = typeof key === "string" ? referred.get(key)?.unitBytes : undefined;
    if (unitBytes === undefined) {
      throw damaged(name, "it has a storage of a type that is not known", { byteOffset: at });
    }
    const length = viewOf(bytesAt(source, at, 8, "a storage's length", name)).getBigInt64(0, true);
    const byteOffset = at + 8;
    const bytes = Number(length) * unitBytes;
    if (!(bytes >= 0 && bytes <= source.size - byteOffset)) {
      throw damaged(
        name,
        `a storage in it should have ${String(bytes)} bytes, and ${String(source.size - byteOffset)} are there`,
        { byteOffset: at },
      );
    }
    found.set(key as string, {
      bytes,
      byteOffset,
      read: () => bytesAt(source, byteOffset, bytes, "a storage", name),
      flat: () => ({ source, offset: byteOffset }),
    });
    at = byteOffset + bytes;
  }
  return found;
}
