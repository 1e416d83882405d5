/** File access as the session needs it: supplied by Node (`files.node.ts`), or by tests. */
import type { NdArray } from "../arrays/ndarray.ts";
import type { FileContent } from "../arrays/readers.ts";
import type { ModuleSource } from "../python/host.ts";

export type { ModuleSource };

export interface Files {
  /**
   * A file's one array, or its arrays by name, each read when asked for.
   * @throws ArrayError that says what is wrong with the file and what to do
   */
  openArrays(path: string, directory: string): FileContent;
  /** A file's array; `member` says which, for a file with several. @throws ArrayError */
  readArray(path: string, member: string | undefined, directory: string): NdArray;
  /** A Python module that `fromFile`, a file relative to `directory`, can import; or null. */
  readModule(dottedName: string, fromFile: string, directory: string): ModuleSource | null;
}
