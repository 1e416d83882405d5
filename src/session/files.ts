/** File access as the session needs it: supplied by Node (`files.node.ts`), or by tests. */
import type { NdArray } from "../arrays/ndarray.ts";
import type { FileContent } from "../arrays/readers.ts";

export interface Files {
  /**
   * A file's one array, or its arrays by name, each read when asked for.
   * @throws ArrayError that says what is wrong with the file and what to do
   */
  openArrays(path: string, directory: string): FileContent;
  /** A file's array; `member` says which, for a file with several. @throws ArrayError */
  readArray(path: string, member: string | undefined, directory: string): NdArray;
  /** Text of a Python module beside `fromFile`, which is relative to `directory`, or null. */
  readModule(
    dottedName: string,
    fromFile: string,
    directory: string,
  ): { file: string; text: string } | null;
}
