/** The Python text by which a cell gets hold of a picked array, as an array of the loss's library. */
import { relative } from "node:path";
import * as vscode from "vscode";
import { elementCount, toFloat64, type NdArray } from "../../arrays/ndarray.ts";
import { directoryOf } from "../controller.ts";
import { arrayCall, arrayFromFile, nested } from "../inline/sampleArrays.ts";
import type { ArrayStore } from "./arrayStore.ts";
import type { ArrayLibrary, PickedArray } from "./pickedArray.ts";

/** More elements than this are kept in a file: nobody reads them in a cell. */
export const LONGEST_LITERAL = 256;

/** Also writes the elements of an array that is in no file, where they are many. */
export async function expressionOf(
  { name, value }: PickedArray,
  library: ArrayLibrary,
  notebook: vscode.NotebookDocument | null,
  store: ArrayStore,
): Promise<string> {
  switch (value.kind) {
    case "expression":
      return converted(value.text, value.library, library);
    case "file": {
      const load = `np.load(${JSON.stringify(pathFor(value.uri, notebook))})`;
      const { member } = value;
      return arrayFromFile(
        library,
        member === undefined ? load : `${load}[${JSON.stringify(member)}]`,
      );
    }
    case "elements": {
      const literal = literalOf(value.array, library);
      if (literal !== null) return literal;
      const path = await store.keep(value.array, name, notebook);
      return arrayFromFile(library, `np.load(${JSON.stringify(path)})`);
    }
  }
}

/** The path as a notebook's cells give it: relative where the file lies below. */
function pathFor(uri: vscode.Uri, notebook: vscode.NotebookDocument | null): string {
  const path = relative(directoryOf(notebook), uri.fsPath);
  return path.startsWith("..") || path === "" ? uri.fsPath : path.replaceAll("\\", "/");
}

/** Text that makes an array of one library, as text that makes one of another. */
function converted(text: string, from: ArrayLibrary, to: ArrayLibrary): string {
  const isNumpy = (x: ArrayLibrary): boolean => x === "numpy" || x === "autograd";
  if (from === to || (isNumpy(from) && isNumpy(to))) return text;
  const numpy = isNumpy(from) ? text : from === "jax" ? `np.asarray(${text})` : `${text}.numpy()`;
  return arrayFromFile(to, numpy);
}

/** Written out, if it is small and the text gives exactly the same elements back; else null. */
function literalOf(array: NdArray, library: ArrayLibrary): string | null {
  const count = elementCount(array.shape);
  if (count === 0 || count > LONGEST_LITERAL) return null;
  const type = array.dtype === "bool" ? "bool" : array.dtype.includes("int") ? "int" : "float";
  const values = [...toFloat64(array)];
  if (!values.every(Number.isFinite)) return null;
  const text = nested(values, array.shape, type);
  if (array.dtype === "float64" || array.dtype === "int64" || array.dtype === "bool") {
    return arrayFromFile(library, arrayCall("numpy", text));
  }
  return arrayFromFile(library, `np.array(${text}, dtype="${array.dtype}")`);
}
