/**
 * The parts that HDF5 files are made of: the superblock, and the messages in objects' headers.
 * Source: "HDF5 File Format Specification Version 3.0", sections II and IV.A.
 */
import { bytesAt, damaged, refusal } from "../../fileErrors.ts";
import type { ArrayError } from "../../ndarray.ts";
import { latin1, partOf, type ByteSource } from "../../source.ts";

export const HDF5_REMEDY =
  'with h5py.File("new.h5", "w") as f: f["pred"] = pred  # in h5py\'s default form';

const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];
/** An object has a handful of messages; attributes may bring it to some hundreds. */
const MAX_MESSAGES = 10_000;
const MAX_BLOCKS = 1000;

/** Numbers of the messages that are read. */
export const MESSAGE = {
  dataspace: 0x01,
  linkInfo: 0x02,
  datatype: 0x03,
  oldFillValue: 0x04,
  fillValue: 0x05,
  link: 0x06,
  externalFiles: 0x07,
  layout: 0x08,
  filters: 0x0b,
  attribute: 0x0c,
  continuation: 0x10,
  symbolTable: 0x11,
} as const;

/** One message of an object's header. */
export interface Message {
  readonly type: number;
  /** Whether its contents are those of another object. */
  readonly shared: boolean;
  readonly fields: Fields;
}

/** An open file: where its bytes are and how wide its numbers. */
export class Hdf5File {
  readonly name: string;
  readonly source: ByteSource;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  readonly root: number;
  /** Bytes that may still be read of what describes the elements; see {@link startOver}. */
  private budget = Infinity;

  constructor(file: ByteSource, name: string) {
    this.name = name;
    const at = superblockAt(file, name);
    const start = bytesAt(file, at, Math.min(128, file.size - at), "its first block", name);
    const version = start[8]!;
    const old = version < 2;
    const widths = old ? start.subarray(13, 15) : start.subarray(9, 11);
    if (version > 3 || ![...widths].every((width) => [2, 4, 8].includes(width))) {
      throw damaged(name, `its first block is of the unknown version ${String(version)}`, {
        byteOffset: at + 8,
      });
    }
    this.offsetBytes = widths[0]!;
    this.lengthBytes = widths[1]!;
    this.source = file;
    const fields = new Fields(this, start, at);
    fields.skip(version === 0 ? 24 : version === 1 ? 28 : 12);
    const base = fields.offset() ?? at;
    fields.skip(2 * this.offsetBytes);
    // Versions 0 and 1 have one address more, and the root as an entry of a group.
    if (old) fields.skip(2 * this.offsetBytes);
    const root = fields.offset();
    if (root === undefined) throw this.damaged("it has no root", at);
    this.root = root;
    this.source = partOf(file, base, file.size);
    this.startOver();
  }

  /**
   * To be called before each walk through the file. Blocks that describe elements do not overlap, so
   * that one walk reads about as many bytes as the file has; where they do, it would have no end.
   */
  startOver(): void {
    this.budget = 4 * this.source.size + 2 ** 16;
  }

  /** Fields from an address on. @throws ArrayError if there are fewer bytes */
  at(address: number, length: number, what: string): Fields {
    this.budget -= length;
    if (this.budget < 0) throw this.damaged("its parts overlap", address);
    return new Fields(this, bytesAt(this.source, address, length, what, this.name), address);
  }

  /** The same for a part that begins with its signature, which is passed over. */
  signed(address: number, signature: string, length: number, what: string): Fields {
    const fields = this.at(address, length, what);
    if (latin1(fields.part(4).bytes) === signature) return fields;
    throw this.damaged(`${what} is not there`, address);
  }

  damaged(what: string, byteOffset: number): ArrayError {
    return damaged(this.name, what, { byteOffset });
  }

  refused(what: string, byteOffset: number): ArrayError {
    return refusal(`${this.name} ${what}`, this.name, { byteOffset, remedy: HDF5_REMEDY });
  }

  /** The messages of the object at an address. @throws ArrayError if there is none */
  messages(address: number): Message[] {
    const start = this.source.read(address, 4);
    return latin1(start) === "OHDR" ? this.newMessages(address) : this.oldMessages(address);
  }

  private oldMessages(address: number): Message[] {
    const prefix = this.at(address, 16, "an object's header");
    if (prefix.uint(1) !== 1) throw this.damaged("there is no object where one should be", address);
    prefix.skip(7);
    const size = prefix.uint(4);
    return this.blocks(address + 16, size, 0, (fields) => {
      const type = fields.uint(2);
      const length = fields.uint(2);
      const flags = fields.uint(1);
      fields.skip(3);
      return { type, length, flags };
    });
  }

  private newMessages(address: number): Message[] {
    const available = Math.max(0, Math.min(40, this.source.size - address));
    const prefix = this.at(address, available, "an object's header");
    prefix.skip(4);
    if (prefix.uint(1) !== 2)
      throw this.damaged("an object's header is of an unknown version", address);
    const flags = prefix.uint(1);
    prefix.skip((flags & 0x20 ? 16 : 0) + (flags & 0x10 ? 4 : 0));
    const size = prefix.uint(1 << (flags & 3));
    return this.blocks(address + prefix.position, size, 4, (fields) => {
      const type = fields.uint(1);
      const length = fields.uint(2);
      const messageFlags = fields.uint(1);
      if (flags & 4) fields.skip(2);
      return { type, length, flags: messageFlags };
    });
  }

  /**
   * The messages of a header's blocks.
   *
   * @param extra bytes of signature before, and of checksum after, the messages of a further block.
   */
  private blocks(
    start: number,
    size: number,
    extra: number,
    head: (fields: Fields) => { type: number; length: number; flags: number },
  ): Message[] {
    const found: Message[] = [];
    const blocks = [{ start, size }];
    // Blocks that are found on the way are added at the end.
    for (const block of blocks) {
      const fields = this.at(block.start, block.size, "an object's header");
      const smallest = extra === 0 ? 8 : 4;
      while (fields.left >= smallest) {
        const { type, length, flags } = head(fields);
        const contents = fields.part(length);
        if (type === MESSAGE.continuation) {
          const next = contents.offset();
          const bytes = contents.length();
          if (next === undefined || blocks.length > MAX_BLOCKS) {
            throw this.damaged("an object's header goes on nowhere", block.start);
          }
          blocks.push({ start: next + extra, size: bytes - 2 * extra });
        } else {
          found.push({ type, shared: (flags & 2) !== 0, fields: contents });
        }
        if (found.length > MAX_MESSAGES) throw this.damaged("an object's header has no end", start);
      }
    }
    return found;
  }
}

/** The superblock stands at the start, or after a block of 512 bytes or a power of two times that. */
function superblockAt(file: ByteSource, name: string): number {
  for (let at = 0; at < file.size; at = at === 0 ? 512 : 2 * at) {
    const start = file.read(at, SIGNATURE.length);
    if (SIGNATURE.every((byte, i) => start[i] === byte)) return at;
  }
  throw refusal(`${name} is not an HDF5 file: it does not begin as one.`, name, {
    byteOffset: 0,
    remedy: HDF5_REMEDY,
  });
}

/** Numbers, one after the other. */
export class Fields {
  readonly file: Hdf5File;
  readonly bytes: Uint8Array;
  /** Where the bytes begin in the file. */
  readonly address: number;
  position = 0;

  constructor(file: Hdf5File, bytes: Uint8Array, address: number) {
    this.file = file;
    this.bytes = bytes;
    this.address = address;
  }

  get left(): number {
    return this.bytes.length - this.position;
  }

  /** Steps over bytes and gives where they began. */
  skip(length: number): number {
    const start = this.position;
    if (!(length >= 0 && length <= this.left)) {
      throw this.file.damaged("a block in it ends too early", this.address + start);
    }
    this.position += length;
    return start;
  }

  /** A whole number of that many bytes; one that is too large to be held exactly is no size or place. */
  uint(width: number): number {
    const start = this.skip(width);
    let value = 0;
    for (let i = width - 1; i >= 0; i -= 1) value = value * 256 + this.bytes[start + i]!;
    return value;
  }

  length(): number {
    return this.uint(this.file.lengthBytes);
  }

  /** An address; undefined if there is none. */
  offset(): number | undefined {
    const start = this.position;
    const value = this.uint(this.file.offsetBytes);
    return this.bytes.subarray(start, this.position).every((byte) => byte === 255)
      ? undefined
      : value;
  }

  part(length: number): Fields {
    const start = this.skip(length);
    const bytes = this.bytes.subarray(start, start + length);
    return new Fields(this.file, bytes, this.address + start);
  }

  /** The same fields from their start. */
  again(): Fields {
    return new Fields(this.file, this.bytes, this.address);
  }

  /** Text up to the next zero byte. */
  text(): string {
    const end = this.bytes.indexOf(0, this.position);
    if (end < 0) throw this.file.damaged("a name in it has no end", this.address + this.position);
    const text = new TextDecoder().decode(this.bytes.subarray(this.position, end));
    this.position = end + 1;
    return text;
  }
}
