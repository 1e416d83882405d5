/**
 * NIfTI-1 and NIfTI-2 images in one file or in two (.hdr and .img), and Analyze 7.5 images, which are
 * always in two; each packed by gzip or not.
 *
 * Axes, dtype and values are those of nibabel's `np.asanyarray(nibabel.load(path).dataobj)`: shape in
 * the order of the header's `dim`, elements in the order of the file whatever the orientation, and
 * the dtype of the file unless the header scales the values, when they are float64. `get_fdata()` has
 * the same values, always as float64.
 *
 * Source: nifti1.h and nifti2.h (fields and their offsets), and nibabel's reading of scaling and
 * affines. A reader of our own, since what the known JavaScript one has (a header parser and an
 * unbounded gunzip) leaves the scaling, the byte order and the limits to do.
 */
import type { DType } from "../dtype.ts";
import { arrayOf, type Layout } from "../elements.ts";
import { arrayBytes, bytesAt, checkThere, damaged, refusal } from "../fileErrors.ts";
import { checkRatio, inflateParts, inflateStart, inflateWhole } from "../inflate.ts";
import type { ArrayInFile, ReadOptions } from "../members.ts";
import { ArrayError, elementCount, type ArraySpace, type NdArray } from "../ndarray.ts";
import { viewOf, type ByteSource, type Tick } from "../source.ts";
import { putAfter, scaledDtype, scaleInto, type PutBytes, type Scaling } from "../stored.ts";
import { analyzeFields } from "./analyze.ts";
import { niftiAffine } from "./niftiAffine.ts";

/** What is read of a header. */
export interface NiftiHeader extends Layout {
  readonly version: 1 | 2;
  /** Where the elements begin, in bytes from the start of the unpacked file. */
  readonly dataOffset: number;
  /** What each element is multiplied by, and what is added then; undefined where nothing is done. */
  readonly scaling: Scaling | undefined;
  readonly space: ArraySpace;
}

const HEADER_BYTES = { 1: 348, 2: 540 } as const;
/** The header of the longer version and the four bytes that say whether extensions follow. */
const LONGEST_HEADER = 544;
const GZIP_MAGIC = [0x1f, 0x8b];

const DATATYPES: Readonly<Record<number, DType>> = {
  2: "uint8",
  4: "int16",
  8: "int32",
  16: "float32",
  32: "complex64",
  64: "float64",
  256: "int8",
  512: "uint16",
  768: "uint32",
  1024: "int64",
  1280: "uint64",
  1792: "complex128",
};

const NO_NUMBERS: Readonly<Record<number, string>> = {
  1: "single bits",
  128: "colours (RGB24)",
  1536: "floating-point numbers of 128 bits",
  2048: "complex numbers of 256 bits",
  2304: "colours (RGBA32)",
};

/** Opens a .nii file, or a .hdr or .img file with the other beside it. @throws ArrayError */
export function openNifti(file: ByteSource, name: string, options: ReadOptions): ArrayInFile {
  const pair = pairOf(file, name);
  const { header: headerSource, image: source } = pair ?? { header: file, image: file };
  const place = { label: name, file: name };
  const packed = isGzip(source);
  const start = isGzip(headerSource)
    ? inflateStart(headerSource, LONGEST_HEADER, "gzip", place)
    : headerSource.read(0, LONGEST_HEADER);
  const header = readNiftiHeader(start, name, pair !== undefined);
  const { shape, dataOffset, scaling, space } = header;
  const dtype = scaling === undefined ? header.dtype : scaledDtype(header.dtype);
  return {
    dtype,
    shape,
    space,
    stored: () => {
      const size = arrayBytes(header.dtype, shape, name, { maxBytes: Infinity });
      if (packed) checkRatio(source.size, dataOffset + size, place);
      else checkThere(source, dataOffset, size, "elements", name);
      const unpack = (put: PutBytes, tick: Tick): void => {
        inflateParts(
          source,
          dataOffset + size,
          "gzip",
          place,
          putAfter(dataOffset, size, put, tick),
        );
      };
      return {
        layout: header,
        scaling,
        bytes: packed
          ? { kind: "packed", packing: "gzip", unpack }
          : { kind: "flat", source, offset: dataOffset },
      };
    },
    read: () => {
      const size = arrayBytes(header.dtype, shape, name, options);
      arrayBytes(dtype, shape, name, options);
      const bytes = packed
        ? inflateWhole(source, dataOffset + size, "gzip", place, options.tick).subarray(dataOffset)
        : bytesAt(source, dataOffset, size, "elements", name);
      const origin = { kind: "file", path: name } as const;
      const array = arrayOf(bytes, header, origin, space, options.tick);
      return scaling === undefined ? array : scaled(array, dtype, scaling, options.tick);
    },
  };
}

function isGzip(source: ByteSource): boolean {
  const magic = source.read(0, 2);
  return GZIP_MAGIC.every((byte, i) => magic[i] === byte);
}

/** The two files of an image that is in two; undefined for a .nii file. @throws ArrayError */
function pairOf(
  file: ByteSource,
  name: string,
): { header: ByteSource; image: ByteSource } | undefined {
  const base = name.slice(Math.max(name.lastIndexOf("/"), name.lastIndexOf("\\")) + 1);
  const [, stem, ending, gz = ""] = /^(.*\.)(hdr|img)(\.gz)?$/iu.exec(base) ?? [];
  if (stem === undefined || ending === undefined) return undefined;
  const isHeader = ending.toLowerCase() === "hdr";
  const wanted = isHeader ? "img" : "hdr";
  const other = stem + (ending === ending.toUpperCase() ? wanted.toUpperCase() : wanted);
  const found = besides(file, gz === "" ? [other, `${other}.gz`] : [other + gz, other]);
  if (found === undefined) {
    throw refusal(
      `${name} is one half of an image in two files, and ${other} is not beside it.`,
      name,
      { remedy: "Put both files into one folder, under the same name." },
    );
  }
  return isHeader ? { header: file, image: found } : { header: found, image: file };
}

/** The first of those files that is there. */
function besides(file: ByteSource, names: readonly string[]): ByteSource | undefined {
  for (const name of names) {
    try {
      const found = file.beside?.(name);
      if (found !== undefined) return found;
    } catch (error) {
      if (!(error instanceof ArrayError)) throw error;
    }
  }
  return undefined;
}

/**
 * Reads a header from the start of an unpacked file.
 *
 * @param isPair whether the elements are in another file: then it may be Analyze's
 * @throws ArrayError
 */
export function readNiftiHeader(bytes: Uint8Array, name: string, isPair = false): NiftiHeader {
  const view = viewOf(bytes);
  const { version, littleEndian, isAnalyze } = versionOf(view, name, isPair);
  const at = FIELDS[version];
  const integer = (offset: number): number =>
    version === 1
      ? view.getInt16(offset, littleEndian)
      : Number(view.getBigInt64(offset, littleEndian));
  const float = (offset: number): number =>
    version === 1 ? view.getFloat32(offset, littleEndian) : view.getFloat64(offset, littleEndian);
  const width = version === 1 ? { integer: 2, float: 4 } : { integer: 8, float: 8 };

  const dimensions = integer(at.dim);
  if (!(dimensions >= 1 && dimensions <= 7)) {
    throw damaged(name, `its header gives ${String(dimensions)} axes; 1 to 7 are possible`, {
      byteOffset: at.dim,
    });
  }
  const shape = Array.from({ length: dimensions }, (_, i) =>
    integer(at.dim + (i + 1) * width.integer),
  );
  if (!shape.every((length) => Number.isSafeInteger(length) && length >= 0)) {
    throw damaged(name, `its header gives the shape ${shape.join(" × ")}`, { byteOffset: at.dim });
  }
  const dtype = elementType(view.getInt16(at.datatype, littleEndian), at.datatype, name);
  const numbers = (offset: number, count: number): number[] =>
    Array.from({ length: count }, (_, i) => float(offset + i * width.float));
  const code = (offset: number): number =>
    version === 1 ? view.getInt16(offset, littleEndian) : view.getInt32(offset, littleEndian);
  const first = isPair ? 0 : HEADER_BYTES[version] + 4;
  const offset = version === 1 ? float(at.offset) : integer(at.offset);
  const common = {
    version,
    dtype,
    shape,
    littleEndian,
    fortranOrder: true,
    dataOffset: dataOffset(offset, first, at.offset, name),
  };
  if (isAnalyze) return { ...common, ...analyzeFields(view, shape, littleEndian) };
  return {
    ...common,
    scaling: scalingOf(float(at.slope), float(at.slope + width.float), at.slope, name),
    space: {
      affine: niftiAffine({
        shape,
        pixdim: numbers(at.pixdim, 4),
        qform: code(at.qform) !== 0,
        sform: code(at.sform) !== 0,
        // Three of the quaternion's four numbers and three offsets, then the rows of the sform.
        quaternion: numbers(at.quaternion, 6),
        rows: numbers(at.quaternion + 6 * width.float, 12),
        version,
      }),
      axes: shape.slice(0, 3).map((_, axis) => axis),
      towards: "RAS",
    },
  };
}

/** Offsets of the fields in the header, in bytes. */
const FIELDS = {
  1: {
    dim: 40,
    datatype: 70,
    pixdim: 76,
    offset: 108,
    slope: 112,
    qform: 252,
    sform: 254,
    quaternion: 256,
  },
  2: {
    dim: 16,
    datatype: 12,
    pixdim: 104,
    offset: 168,
    slope: 176,
    qform: 344,
    sform: 348,
    quaternion: 352,
  },
} as const;

function versionOf(
  view: DataView,
  name: string,
  isPair: boolean,
): { version: 1 | 2; littleEndian: boolean; isAnalyze: boolean } {
  for (const version of [1, 2] as const) {
    for (const littleEndian of [true, false]) {
      if (view.byteLength < 4 || view.getInt32(0, littleEndian) !== HEADER_BYTES[version]) continue;
      if (view.byteLength < HEADER_BYTES[version]) {
        throw refusal(`${name} is cut short inside its header.`, name, {
          byteOffset: view.byteLength,
          remedy: "Copy or save the file again.",
        });
      }
      const magic = magicOf(view, version);
      // Two files have a signature of their own, but what is in the header is the same.
      const isOwn = magic === `n+${String(version)}\0`;
      const isPairs = magic === `ni${String(version)}\0`;
      if (!isOwn && !(isPair && (isPairs || version === 1))) {
        throw wrongMagic(isPairs, version, name);
      }
      return { version, littleEndian, isAnalyze: !isOwn && !isPairs };
    }
  }
  throw refusal(`${name} is not a NIfTI image: its header does not begin as one.`, name, {
    byteOffset: 0,
    remedy: 'nibabel.save(nibabel.Nifti1Image(arr, affine), "mask.nii.gz") writes one.',
  });
}

function magicOf(view: DataView, version: 1 | 2): string {
  const at = MAGIC_AT[version];
  return String.fromCharCode(...[0, 1, 2, 3].map((i) => view.getUint8(at + i)));
}

const MAGIC_AT = { 1: 344, 2: 4 } as const;

function wrongMagic(isPairs: boolean, version: 1 | 2, name: string): Error {
  const byteOffset = MAGIC_AT[version];
  if (isPairs) {
    return refusal(
      `${name} is the header of an image in two files (.hdr and .img); its elements are not in it.`,
      name,
      {
        byteOffset,
        remedy:
          'Name it .hdr, or make one file: nibabel.save(nibabel.load("mask.hdr"), "mask.nii.gz")',
      },
    );
  }
  return refusal(
    `${name} has a header of ${String(HEADER_BYTES[version])} bytes as a NIfTI image has, but not its signature; it may be the header of an Analyze 7.5 image.`,
    name,
    { byteOffset, remedy: "Name it .hdr, with its .img file beside it." },
  );
}

function elementType(code: number, byteOffset: number, name: string): DType {
  const dtype = DATATYPES[code];
  if (dtype !== undefined) return dtype;
  const what = NO_NUMBERS[code];
  if (what === undefined) {
    throw damaged(name, `its header gives the unknown element type ${String(code)}`, {
      byteOffset,
    });
  }
  throw refusal(`${name} holds ${what}, which are not read.`, name, {
    byteOffset,
    remedy:
      "Save the array of labels or probabilities itself: nibabel.Nifti1Image(arr.astype(np.float32), affine)",
  });
}

function dataOffset(offset: number, first: number, byteOffset: number, name: string): number {
  // Zero stands for the first place that is possible.
  if (offset === 0) return first;
  const whole = Math.trunc(offset);
  if (Number.isSafeInteger(whole) && whole >= first) return whole;
  throw damaged(
    name,
    `its elements begin at byte ${String(offset)}, before the end of its header`,
    { byteOffset },
  );
}

function scalingOf(
  slope: number,
  intercept: number,
  byteOffset: number,
  name: string,
): NiftiHeader["scaling"] {
  if (slope === 0 || !Number.isFinite(slope)) return undefined;
  if (!Number.isFinite(intercept)) {
    throw damaged(
      name,
      `its values are scaled by ${String(slope)}, but shifted by ${String(intercept)}`,
      { byteOffset },
    );
  }
  return slope === 1 && intercept === 0 ? undefined : { slope, intercept };
}

function scaled(array: NdArray, dtype: DType, scaling: Scaling, tick?: Tick): NdArray {
  const units = dtype === "complex128" ? 2 : 1;
  const data = new Float64Array(units * elementCount(array.shape));
  scaleInto(array.data, array.dtype, scaling, data, tick);
  return { ...array, dtype, data };
}
