/** File access as the session needs it: supplied by Node (`files.node.ts`), or by tests. */
import type { DType, NdArray } from "../arrays/ndarray.ts";
import type { Tick } from "../arrays/source.ts";
import type { Expr } from "../expression/node.ts";
import type { ModuleSource } from "../python/host.ts";
import type { Inspection, Watch } from "./inspect.ts";

export type { ModuleSource };

/** An array that is too large for a check in memory: what its file's header says of it. */
export interface LargeArray {
  readonly isLarge: true;
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** Where it is on this machine. */
  readonly path: string;
  readonly member: string | undefined;
}

/** What a loss is evaluated on where some of its arrays are too large for memory. */
export interface LargeInputs {
  /** By the names of inputs. */
  readonly large: ReadonlyMap<string, LargeArray>;
  /** Arguments that are computed from large arrays: inputs of the loss, in terms of other inputs. */
  readonly computed: ReadonlyMap<Expr, Expr>;
  /** What else those are computed from, by the names of inputs. */
  readonly beside: ReadonlyMap<string, NdArray>;
}

export type OpenedArray = NdArray | LargeArray;

export function isLarge(array: OpenedArray): array is LargeArray {
  return "isLarge" in array;
}

/** Null for a large array. */
export function inMemory(array: OpenedArray): NdArray | null {
  return isLarge(array) ? null : array;
}

export interface Files {
  /**
   * A file's one array, or its arrays by name, each read when asked for; of large ones the header.
   * @param tick told of the reading; what it throws ends it
   * @throws ArrayError that says what is wrong with the file and what to do
   */
  openArrays(
    path: string,
    directory: string,
    tick?: Tick,
  ): OpenedArray | ReadonlyMap<string, () => OpenedArray>;
  /**
   * An inspection with the value and a check of its loss, with large arrays read part by part.
   * @throws ArrayError, InspectionError
   */
  checkLarge(inspection: Inspection, inputs: LargeInputs, watch: Watch): Inspection;
  /** A file's array; `member` says which, for a file with several. @throws ArrayError */
  readArray(path: string, member: string | undefined, directory: string, tick?: Tick): NdArray;
  /** A Python module that `fromFile`, a file relative to `directory`, can import; or null. */
  readModule(dottedName: string, fromFile: string, directory: string): ModuleSource | null;
}
