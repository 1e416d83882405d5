/** What this engine's WebAssembly can do. Found out by offering it modules that use it. */
import { FunctionBody, assemble } from "./assembler.ts";
import { F32X4, SIMD } from "./opcodes.ts";

export interface Features {
  readonly simd: boolean;
  /** a·b + c as one instruction. Where it exists, results may differ by machine, within the bound. */
  readonly relaxed: boolean;
  /** Memory that several threads see. */
  readonly shared: boolean;
}

let found: Features | null = null;

export function features(): Features {
  found ??= {
    simd: accepts(false, (f) => {
      f.vector(new Uint8Array(16));
      f.simd(F32X4.sqrt);
    }),
    relaxed: accepts(false, (f) => {
      for (let k = 0; k < 3; k++) f.vector(new Uint8Array(16));
      f.simd(F32X4.madd);
    }),
    shared:
      typeof SharedArrayBuffer === "function" &&
      accepts(true, (f) => {
        f.vector(new Uint8Array(16));
      }),
  };
  return found;
}

function accepts(shared: boolean, write: (f: FunctionBody) => void): boolean {
  if (typeof WebAssembly !== "object") return false;
  const body = new FunctionBody([]);
  body.i32(0);
  write(body);
  body.simdMemory(SIMD.store);
  const functions = [{ name: "f", body }];
  return WebAssembly.validate(assemble({ memory: { shared, maximum: 1 }, imports: [], functions }));
}
