/** Files that are not what their names say: what they are, by their first bytes, and what to do. */
import { refusal } from "./fileErrors.ts";
import { ArrayError } from "./ndarray.ts";
import type { ByteSource } from "./source.ts";

interface Mistaken {
  /** Latin-1, as the file begins. */
  readonly begins: RegExp;
  /** After "is": "a PNG image". */
  readonly what: string;
  readonly remedy: string;
}

/** What version control leaves in place of a large file: text, so that a table would be read of it. */
const POINTERS: readonly Mistaken[] = [
  {
    begins: /^version https:\/\/git-lfs/,
    what: "a pointer of Git LFS, which stands for a file that has not been fetched",
    remedy: "Fetch it: git lfs pull",
  },
  {
    begins: /^[./]*(?:\.git)?\/annex\/objects\//,
    what: "a pointer of git-annex, which stands for a file that has not been fetched",
    remedy: "Fetch it: git annex get",
  },
];
/** They are this short. */
const MOST_POINTER_BYTES = 1024;

const SIGNATURES: readonly Mistaken[] = [
  { begins: /^\x93NUMPY/, what: "a NumPy array", remedy: "Name it .npy." },
  {
    begins: /^PK\x03\x04/,
    what: "a ZIP archive, as np.savez and torch.save write them",
    remedy: "Name it .npz or .pt.",
  },
  { begins: /^\x89PNG/, what: "a PNG image", remedy: "Name it .png." },
  { begins: /^(?:II[*+]\0|MM\0[*+])/, what: "a TIFF image", remedy: "Name it .tif." },
  { begins: /^\x89HDF/, what: "an HDF5 file", remedy: "Name it .h5." },
  { begins: /^MATLAB /, what: "a MATLAB file", remedy: "Name it .mat." },
  { begins: /^NRRD/, what: "a NRRD image", remedy: "Name it .nrrd." },
  { begins: /^\x1f\x8b/, what: "packed by gzip", remedy: "Unpack it: gunzip" },
  {
    begins: /^\xff\xd8\xff/,
    what: "a JPEG image, whose compression changes values, which no mask survives",
    remedy: "Use the mask or the probabilities themselves, as .png, .tif or .npy.",
  },
  {
    begins: /^\s*<(?:!doctype html|html)/i,
    what: "a web page, perhaps in place of a download that failed",
    remedy: "Download the file again.",
  },
];
const MOST_SIGNATURE_BYTES = 64;

/** @throws ArrayError for a file that is empty, or stands for another one */
export function refuseStandIn(source: ByteSource, name: string): void {
  if (source.size === 0) {
    throw refusal(`${name} is empty.`, name, { remedy: "Copy or save the file again." });
  }
  if (source.size > MOST_POINTER_BYTES) return;
  const pointer = among(POINTERS, source);
  if (pointer !== undefined) throw errorOf(pointer, name);
}

/** What a reader's error comes of, if the file begins as one of another kind; else the error. */
export function explained(error: unknown, source: ByteSource, name: string): unknown {
  // Where a file begins as its name says, what is wrong stands further on.
  if (!(error instanceof ArrayError) || error.where?.byteOffset !== 0) return error;
  const found = among(SIGNATURES, source);
  return found === undefined ? error : errorOf(found, name, error);
}

function among(kinds: readonly Mistaken[], source: ByteSource): Mistaken | undefined {
  const bytes = source.read(0, Math.min(MOST_SIGNATURE_BYTES, source.size));
  const text = String.fromCharCode(...bytes);
  return kinds.find(({ begins }) => begins.test(text));
}

function errorOf({ what, remedy }: Mistaken, name: string, cause?: unknown): ArrayError {
  return refusal(`${name} is not what its name says: it is ${what}.`, name, { remedy, cause });
}
