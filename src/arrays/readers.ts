/** Which reader reads which file: one row a format. */
import { refusal, tooLarge, wholeFile } from "./fileErrors.ts";
import {
  chooseMember,
  type ArrayHeader,
  type ArrayInFile,
  type OpenedFile,
  type ReadOptions,
} from "./members.ts";
import { openHdf5 } from "./formats/hdf5/open.ts";
import { openMatlab } from "./formats/matlab.ts";
import { openMetaImage } from "./formats/metaImage.ts";
import { openNifti } from "./formats/nifti.ts";
import { openNrrd } from "./formats/nrrd.ts";
import { openPng } from "./formats/png.ts";
import { openSafetensors } from "./formats/safetensors.ts";
import { openTable } from "./formats/table.ts";
import { openTiff } from "./formats/tiff.ts";
import { openTorch } from "./formats/torch.ts";
import { parseArrayLiteral } from "./literal.ts";
import { explained, refuseStandIn } from "./mistaken.ts";
import { ArrayError, type NdArray } from "./ndarray.ts";
import { openNpy } from "./npy.ts";
import { openNpz } from "./npz.ts";
import { otherFormat } from "./otherFormats.ts";
import { sourceOf, type ByteSource } from "./source.ts";

/** A file's content: its one array, or its arrays by name, each read when its function is called. */
export type FileContent = NdArray | ReadonlyMap<string, () => NdArray>;

/** What a file says of its one array, or of its arrays by name, before their elements. */
export type FileHeader = ArrayHeader | ReadonlyMap<string, () => ArrayHeader>;

/** A format. */
export interface ArrayReader {
  /** Endings of its files, with the dot, in lower case. */
  readonly extensions: readonly string[];
  /** What it is, for lists shown to people. */
  readonly title: string;
  /** Reads as little as it takes to know dtype and shape. */
  readonly open: (source: ByteSource, name: string, options: ReadOptions) => OpenedFile;
}

/** JSON becomes one JavaScript string, and every number in it an object while it is read. */
const MAX_JSON_BYTES = 2 ** 26;

/** Every format that is read. */
export const arrayReaders: readonly ArrayReader[] = [
  { extensions: [".npy"], title: "NumPy array", open: openNpy },
  { extensions: [".npz"], title: "NumPy archive of arrays", open: openNpz },
  {
    extensions: [".nii", ".nii.gz", ".hdr", ".hdr.gz", ".img", ".img.gz"],
    title: "NIfTI or Analyze image, axes as nibabel gives them",
    open: openNifti,
  },
  {
    extensions: [".mha", ".mhd"],
    title: "MetaImage, axes as SimpleITK gives them",
    open: openMetaImage,
  },
  { extensions: [".nrrd"], title: "NRRD, axes as pynrrd gives them", open: openNrrd },
  {
    extensions: [".pt", ".pth", ".ckpt", ".pt.tar", ".pth.tar"],
    title: "tensors of torch.save, without running its pickle",
    open: openTorch,
  },
  { extensions: [".safetensors"], title: "safetensors", open: openSafetensors },
  { extensions: [".png"], title: "PNG image, as Pillow gives it", open: openPng },
  {
    extensions: [".tif", ".tiff"],
    title: "TIFF image, as tifffile gives it",
    open: openTiff,
  },
  { extensions: [".h5", ".hdf5"], title: "HDF5 datasets, as h5py gives them", open: openHdf5 },
  { extensions: [".mat"], title: "MATLAB variables, with MATLAB's axes", open: openMatlab },
  { extensions: [".csv", ".tsv", ".txt"], title: "table of numbers", open: openTable },
  { extensions: [".json"], title: "JSON list of numbers", open: openJson },
];

function openJson(source: ByteSource, name: string, options: ReadOptions): ArrayInFile {
  if (source.size > MAX_JSON_BYTES) throw tooLarge(name, source.size, MAX_JSON_BYTES);
  const text = new TextDecoder().decode(wholeFile(source, name, options));
  if (text.trimStart().startsWith("{")) {
    throw refusal(`${name} holds a dictionary, and one list of numbers is read of a file.`, name, {
      remedy: "Open it and right-click a list in it, or save each list as a file of its own.",
    });
  }
  const { dtype, shape, data } = parseArrayLiteral(text, { file: name }, options.tick);
  const read = (): NdArray => ({ dtype, shape, data, origin: { kind: "file", path: name } });
  return { dtype, shape, read };
}

/** Every file ending that is read, with the dot. */
export function readableExtensions(): string[] {
  return arrayReaders.flatMap((reader) => reader.extensions);
}

/** The reader for a file's name: the one with the longest ending that fits (`.nii.gz` before `.gz`). */
export function readerFor(name: string): ArrayReader | undefined {
  const lower = name.toLowerCase();
  const fitting = arrayReaders.flatMap((reader) =>
    reader.extensions
      .filter((extension) => lower.endsWith(extension))
      .map((extension) => ({ reader, length: extension.length })),
  );
  return fitting.sort((a, b) => b.length - a.length)[0]?.reader;
}

/**
 * Opens a file by its name's ending, and reads as little of it as it takes to know what it holds.
 *
 * @throws ArrayError if the ending is not known (the error lists those that are), or its reader
 *   refuses the file.
 */
export function openFile(
  file: Uint8Array | ByteSource,
  name: string,
  options: ReadOptions = {},
): OpenedFile {
  const reader = readerFor(name) ?? unreadable(name);
  const source = sourceOf(file);
  refuseStandIn(source, name);
  try {
    return reader.open(source, name, options);
  } catch (error) {
    throw explained(error, source, name);
  }
}

/**
 * A file's content: its one array, or its arrays by name.
 *
 * @throws ArrayError as {@link openFile} does, and if the one array is damaged or too large.
 */
export function openArrays(
  file: Uint8Array | ByteSource,
  name: string,
  options: ReadOptions = {},
): FileContent {
  const opened = openFile(file, name, options);
  if (!isMembers(opened)) return opened.read();
  return new Map([...opened].map(([member, open]) => [member, () => open().read()] as const));
}

/**
 * What a file says of its one array, or of its arrays by name, without their elements.
 *
 * @throws ArrayError as {@link openFile} does.
 */
export function readHeader(
  file: Uint8Array | ByteSource,
  name: string,
  options: ReadOptions = {},
): FileHeader {
  const opened = openFile(file, name, options);
  if (!isMembers(opened)) return headerOf(opened);
  return new Map([...opened].map(([member, open]) => [member, () => headerOf(open())] as const));
}

function headerOf({ dtype, shape, space }: ArrayInFile): ArrayHeader {
  return { dtype, shape, ...(space === undefined ? {} : { space }) };
}

function isMembers(opened: OpenedFile): opened is ReadonlyMap<string, () => ArrayInFile> {
  return opened instanceof Map;
}

/**
 * Reads one array of a file's content.
 *
 * @param member which one, for a file with several.
 * @throws ArrayError as {@link openArrays} does, and if there is no such member.
 */
export function readArray(
  file: Uint8Array | ByteSource,
  name: string,
  member?: string,
  options: ReadOptions = {},
): NdArray {
  return selectArray(openArrays(file, name, options), name, member);
}

/** One array of an opened file. */
export function selectArray(content: FileContent, name: string, member?: string): NdArray {
  if (content instanceof Map) {
    return chooseMember(content as ReadonlyMap<string, () => NdArray>, member, name)();
  }
  if (member !== undefined) throw withoutMembers(name, member);
  return content as NdArray;
}

/** The error for a member of a file that has none. */
export function withoutMembers(name: string, member: string): ArrayError {
  return new ArrayError(`${name} holds one array without a name; there is no "${member}" in it.`, {
    where: { file: name },
    remedy: `Give the file alone: ${name}`,
  });
}

/** Raises the error for a file that no reader reads. */
export function unreadable(name: string): never {
  const other = otherFormat(name);
  if (other !== undefined) {
    throw new ArrayError(`${name} is ${other.what}.`, {
      where: { file: name },
      remedy: other.remedy,
    });
  }
  const base = name.slice(Math.max(name.lastIndexOf("/"), name.lastIndexOf("\\")) + 1);
  const dot = base.lastIndexOf(".");
  const ending = dot <= 0 ? "without an ending" : `ending in "${base.slice(dot)}"`;
  throw new ArrayError(`Files ${ending} are not read: ${name}.`, {
    where: { file: name },
    remedy: `Readable are ${readableExtensions().join(", ")}. np.save(path, arr) writes the first.`,
  });
}
