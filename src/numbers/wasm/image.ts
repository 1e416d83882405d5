/** A compiled module as any thread may have it. */
import { scalarFunctions } from "../kernel/scalar.ts";

export interface ProgramImage {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** Where the constants stand that its functions load. */
  readonly constants: number;
}

export type Exported = (...args: number[]) => void;

/** What modules call where vectors have no instructions. */
const FUNCTIONS: Readonly<Record<string, (...args: number[]) => number>> = {
  ...(scalarFunctions as unknown as Record<string, (...args: number[]) => number>),
  sin: Math.sin,
  cos: Math.cos,
  sinh: Math.sinh,
  cosh: Math.cosh,
};

const instances = new WeakMap<WebAssembly.Module, Record<string, Exported>>();

/** The name by which a module exports the function at a position. */
export function exportName(position: number): string {
  return `p${position}`;
}

/** The module's function at a position, in this thread. */
export function functionOf({ module, memory }: ProgramImage, position: number): Exported {
  let exported = instances.get(module);
  if (exported === undefined) {
    const { exports } = new WebAssembly.Instance(module, { numbers: { memory, ...FUNCTIONS } });
    instances.set(module, (exported = exports as Record<string, Exported>));
  }
  return exported[exportName(position)]!;
}
