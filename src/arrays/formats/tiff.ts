/**
 * TIFF images, also BigTIFF, as `tifffile.imread(path)` gives them: one page as (rows, columns),
 * several of one shape as (pages, rows, columns), channels last or, where the file keeps them in
 * planes, before the rows; the indices of a palette; one bit a pixel as bool. Pages of different
 * shapes are members by their number, from 0. Thumbnails and masks of transparency are left out.
 * The shape that tifffile notes in a file's description is restored, and so are the axes along which
 * ImageJ and OME-TIFF say that the pages lie.
 *
 * A reader of our own: the small libraries lack PackBits, signed and 32-bit integers, and bounds on
 * what a file makes them allocate; the large ones bring native parts and fetch from the network.
 * Source: "TIFF Revision 6.0", Adobe's "TIFF Technical Note 3" (predictor 3), the BigTIFF design.
 */
import { dtypes, type DType } from "../dtype.ts";
import { HOST_IS_LITTLE_ENDIAN } from "../elements.ts";
import { arrayBytes, checkThere, damaged, refusal } from "../fileErrors.ts";
import type { ArrayInFile, OpenedFile, ReadOptions } from "../members.ts";
import { elementCount, formatShape, type ArrayOrigin, type NdArray } from "../ndarray.ts";
import type { ByteSource, Tick } from "../source.ts";
import type { PutBytes, StoredElements } from "../stored.ts";
import { COMPRESSIONS } from "./tiffCodecs.ts";
import { notedAxes } from "./tiffDescription.ts";
import { TIFF_TAGS as TAG, readDirectories, type TiffDirectory } from "./tiffDirectory.ts";
import { flatOffset, readPlane, type TiffPage } from "./tiffPage.ts";

const REMEDY =
  'tifffile.imwrite("mask.tif", mask, compression="zlib") writes one that is read here.';

/** Opens a .tif or .tiff file. @throws ArrayError */
export function openTiff(source: ByteSource, name: string, options: ReadOptions): OpenedFile {
  const directories = readDirectories(source, name);
  const full = directories.filter((directory) => {
    // Bit 0 is a copy of less resolution, bit 2 a mask of transparency.
    return (directory.number(TAG.newSubfileType, 0) & 5) === 0;
  });
  const pages = (full.length === 0 ? directories : full).map((page) => pageOf(page, name));
  const [first] = pages;
  if (first === undefined) {
    throw refusal(`${name} has no image in it.`, name, { remedy: REMEDY });
  }
  const shape = first.shape;
  const alike = pages.every(
    (page) => page.dtype === first.dtype && formatShape(page.shape) === formatShape(shape),
  );
  const inFile = (
    pages: readonly TiffPage[],
    shape: readonly number[],
    member?: string,
  ): ArrayInFile => ({
    dtype: pages[0]!.dtype,
    shape,
    read: () => readPages(source, pages, shape, name, member, options),
    stored: () => storedPages(source, pages, shape, name, member),
  });
  if (!alike) {
    return new Map(
      pages.map((page, i) => [String(i), () => inFile([page], page.shape, String(i))]),
    );
  }
  const stacked = pages.length === 1 ? shape : [pages.length, ...shape];
  return inFile(pages, noted(first, stacked, pages.length, name));
}

/** A shape that stands in the description, if the elements are as many. */
function noted(
  { directory, shape: page, planes, group }: TiffPage,
  shape: readonly number[],
  pages: number,
  name: string,
): readonly number[] {
  const description = directory.text(TAG.imageDescription);
  const inside = (count: number, what: string): void => {
    // One page may stand for more that follow it without pages of their own.
    if (count > elementCount(shape) && pages === 1) {
      throw refusal(
        `${name} has one page, but its description says that it holds ${what}; elements outside of pages are not read.`,
        name,
        { remedy: REMEDY },
      );
    }
  };
  const json = /^\{.*"shape": \[([\d, ]+)\]/su.exec(description);
  if (json !== null) {
    const lengths = json[1]!.split(",").map(Number);
    inside(elementCount(lengths), `an array of shape ${formatShape(lengths)}`);
    if (elementCount(lengths) === elementCount(shape)) return lengths;
  }
  const images = Number(/^ImageJ=[^]*?\nimages=(\d+)/u.exec(description)?.[1] ?? 1);
  inside(images * elementCount(shape), `${String(images)} images`);
  const axes = notedAxes(description, planes * group);
  const isWhole = axes !== null && elementCount(axes) === pages;
  return isWhole ? [...axes, ...page] : shape;
}

const KINDS: Readonly<Record<number, string>> = { 1: "uint", 2: "int", 3: "float", 4: "uint" };

function pageOf(directory: TiffDirectory, name: string): TiffPage {
  const place = { byteOffset: directory.offset, remedy: REMEDY };
  const refuse = (what: string) => refusal(`${name} holds ${what}.`, name, place);
  const columns = directory.number(TAG.imageWidth);
  const rows = directory.number(TAG.imageLength);
  const samples = directory.number(TAG.samplesPerPixel, 1);
  if (columns < 1 || rows < 1 || samples < 1) {
    throw damaged(name, "an image in it has no pixels", { byteOffset: directory.offset });
  }
  const bits = same(directory.numbers(TAG.bitsPerSample, [1]));
  const format = same(directory.numbers(TAG.sampleFormat, [1]));
  if (bits === undefined || format === undefined) {
    throw refuse("channels of different types, which are not read");
  }
  const bitwise = bits === 1 && format === 1;
  const dtype = bitwise ? "bool" : `${KINDS[format] ?? "complex"}${String(bits)}`;
  const known = Object.hasOwn(dtypes, dtype) && !dtype.startsWith("complex");
  if (!known || (bitwise && samples > 1)) {
    throw refuse(`samples of ${String(bits)} bits (format ${String(format)}), which are not read`);
  }
  const compression = directory.number(TAG.compression, 1);
  const codec = COMPRESSIONS[compression];
  if (codec === undefined || "refused" in codec) {
    const title = codec === undefined ? `method ${String(compression)}` : codec.refused;
    throw refuse(`an image compressed by ${title}; none, LZW, Deflate and PackBits are read`);
  }
  const photometric = directory.number(TAG.photometric, 1);
  if (photometric === 6) throw refuse("colours as brightness and difference (YCbCr)");
  if (directory.number(TAG.fillOrder, 1) !== 1) {
    throw refuse("bits in reversed order (fill order 2), which is not read");
  }
  if (directory.number(TAG.imageDepth, 1) !== 1) {
    throw refuse("volumes in one page (image depth), which are not read");
  }
  const predictor = directory.number(TAG.predictor, 1);
  const floating = dtype.startsWith("float");
  if (
    ![1, 2, 3].includes(predictor) ||
    (predictor === 3) > floating ||
    (predictor > 1 && bitwise)
  ) {
    throw damaged(name, `it names the predictor ${String(predictor)} for ${dtype}`, place);
  }
  const planar = directory.number(TAG.planarConfiguration, 1) === 2 && samples > 1;
  const plane = [rows, columns];
  return {
    directory,
    dtype: dtype as DType,
    shape: samples === 1 ? plane : planar ? [samples, ...plane] : [...plane, samples],
    rows,
    columns,
    planes: planar ? samples : 1,
    group: planar ? 1 : samples,
    bitwise,
    codec,
    predictor,
  };
}

function same(values: readonly number[]): number | undefined {
  return values.every((value) => value === values[0]) ? values[0] : undefined;
}

function readPages(
  source: ByteSource,
  pages: readonly TiffPage[],
  shape: readonly number[],
  name: string,
  member: string | undefined,
  options: ReadOptions,
): NdArray {
  const { dtype } = pages[0]!;
  const label = labelOf(name, member);
  const size = bytesOfPages(source, pages, shape, name, label, options);
  const data = dtypes[dtype].store(elementCount(shape));
  const out = new Uint8Array(data.buffer);
  unpackPages(
    source,
    pages,
    size,
    name,
    label,
    (at, bytes) => {
      out.set(bytes, at);
    },
    options.tick ?? (() => undefined),
  );
  const origin: ArrayOrigin = {
    kind: "file",
    path: name,
    ...(member === undefined ? {} : { member }),
  };
  return { dtype, shape, data, origin };
}

function labelOf(name: string, member: string | undefined): string {
  return member === undefined ? name : `${name}[${member}]`;
}

/** What they take in memory. @throws ArrayError if that is too much, or more than can be in the file */
function bytesOfPages(
  source: ByteSource,
  pages: readonly TiffPage[],
  shape: readonly number[],
  name: string,
  label: string,
  options: ReadOptions,
): number {
  const size = arrayBytes(pages[0]!.dtype, shape, label, options, { file: name });
  const ratio = Math.max(...pages.map((page) => page.codec.ratio * (page.bitwise ? 8 : 1)));
  // Pages and strips may overlap in the file, so that only the file as a whole is a bound.
  if (size > source.size * ratio) {
    throw damaged(
      label,
      `a file of ${String(source.size)} bytes cannot hold an image of ${String(size)}`,
      { file: name },
    );
  }
  return size;
}

/** Gives their elements plane by plane, in native byte order. */
function unpackPages(
  source: ByteSource,
  pages: readonly TiffPage[],
  size: number,
  name: string,
  label: string,
  put: PutBytes,
  tick: Tick,
): void {
  const planeBytes = size / pages.reduce((sum, page) => sum + page.planes, 0);
  let start = 0;
  for (const page of pages) {
    for (let plane = 0; plane < page.planes; plane += 1) {
      const putInPlane: PutBytes = (at, bytes) => {
        put(start + at, bytes);
        tick((start + at + bytes.length) / size);
      };
      readPlane(source, page, plane, putInPlane, label, name);
      start += planeBytes;
    }
  }
}

/** How they lie in the file: one after the other as they are, or to be unpacked page by page. */
function storedPages(
  source: ByteSource,
  pages: readonly TiffPage[],
  shape: readonly number[],
  name: string,
  member: string | undefined,
): StoredElements {
  const { dtype, directory } = pages[0]!;
  const label = labelOf(name, member);
  const size = bytesOfPages(source, pages, shape, name, label, { maxBytes: Infinity });
  const layout = { dtype, shape, fortranOrder: false };
  const offset = flatOffset(pages, label, name);
  if (offset !== undefined) {
    checkThere(source, offset, size, "elements", label, { file: name });
    const { littleEndian } = directory;
    return { layout: { ...layout, littleEndian }, bytes: { kind: "flat", source, offset } };
  }
  const unpack = (put: PutBytes, tick: Tick): void => {
    unpackPages(source, pages, size, name, label, put, tick);
  };
  return {
    layout: { ...layout, littleEndian: HOST_IS_LITTLE_ENDIAN },
    bytes: { kind: "packed", packing: "pages", unpack },
  };
}
