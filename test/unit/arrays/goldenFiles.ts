/** The files and values that test/golden/make_files.py wrote with the libraries that people use. */
import { readFileSync, readdirSync } from "node:fs";
import { ArrayError } from "../../../src/arrays/ndarray.ts";
import type { ByteSource } from "../../../src/arrays/source.ts";
import { sourceOf } from "../../../src/arrays/source.ts";
import type { ExpectedArray } from "./expected.ts";

export interface GoldenFile extends ExpectedArray {
  readonly file: string;
  readonly member?: string;
  /** The first half of it, of the elements, little-endian and in C order, where they are too many to be listed. */
  readonly sha256?: string;
  readonly affine?: readonly (readonly number[])[];
  readonly axes?: readonly number[];
  readonly towards?: string;
}

interface GoldenFiles {
  readonly versions: Readonly<Record<string, string>>;
  readonly files: readonly GoldenFile[];
  readonly refused: readonly {
    readonly file: string;
    readonly member?: string;
    readonly words: readonly string[];
  }[];
}

/** The ways in which elements are packed in them that can be unpacked part by part. */
export const PACKINGS = ["bits", "chunks", "deflate", "float8", "gzip", "pages", "rows", "zlib"];

const FOLDER = new URL("../../golden/files/", import.meta.url);

export const goldenFiles = JSON.parse(
  readFileSync(new URL("expected.json", FOLDER), "utf8"),
) as unknown as GoldenFiles;

/** Every file's name, of those that are read and those that are refused. */
export const goldenFileNames = readdirSync(FOLDER).filter((name) => name !== "expected.json");

/** The bytes of a golden file, in memory of their own. */
export function fileBytes(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(name, FOLDER)));
}

/** A golden file with its neighbours, as the Node loader gives them. */
export function fileSource(name: string, bytes: Uint8Array = fileBytes(name)): ByteSource {
  const beside = (fileName: string): ByteSource => {
    if (goldenFileNames.includes(fileName)) return fileSource(fileName);
    throw new ArrayError(`There is no file ${fileName}.`);
  };
  return { ...sourceOf(bytes), beside };
}
