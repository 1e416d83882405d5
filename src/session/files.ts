/** File access as the session needs it: supplied by Node (`files.node.ts`), or by tests. */
import type { NdArray } from "../arrays/ndarray.ts";

export interface Files {
  /**
   * One array of a file, or all members of an archive by name.
   * @throws ArrayError that says what is wrong with the file and what to do
   */
  readArray(path: string, directory: string): NdArray | ReadonlyMap<string, () => NdArray>;
  /** Text of a Python module next to `fromFile`, or null. */
  readModule(dottedName: string, fromFile: string): { file: string; text: string } | null;
}
