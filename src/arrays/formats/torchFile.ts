/** What the two forms of a file of torch.save have in common. */
import type { Tick } from "../source.ts";
import type { FlatElements } from "../stored.ts";
import type { Pickled } from "./pickle.ts";

/** A pickle of tensors has some 200 bytes for each; values take many times their pickle's bytes. */
export const MAX_PICKLE_BYTES = 2 ** 26;

/** The bytes of a storage. */
export interface StoredStorage {
  /** How many there are, unpacked, and where in the file they begin. */
  readonly bytes: number;
  readonly byteOffset: number;
  /** @throws ArrayError if they are more than `maxBytes`, or damaged */
  readonly read: (maxBytes: number, tick?: Tick) => Uint8Array;
  /** Where they lie as they are, if they do. */
  readonly flat: () => Omit<FlatElements, "kind"> | undefined;
  /** Unpacks them part by part, where they do not. */
  readonly unpack?: (give: (part: Uint8Array) => void) => void;
}

/** A file of torch.save in either form. */
export interface TorchFile {
  readonly value: Pickled;
  readonly littleEndian: () => boolean;
  readonly storage: (key: string) => StoredStorage | undefined;
}
