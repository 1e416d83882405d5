/** The passes of a kernel as functions of one WebAssembly module. */
import type { LoopNest } from "../kernel/loops.ts";
import type { Buffer } from "../kernel/plan.ts";
import { type ImportedFunction, assemble } from "./assembler.ts";
import type { ElementType } from "./elements.ts";
import { emitPass } from "./emit.ts";
import { features } from "./features.ts";
import { heap } from "./heap.ts";
import { exportName } from "./image.ts";
import { ConstantPool, type TermType } from "./lanes.ts";
import { VectorPass } from "./pass.ts";
import { Unsupported } from "./survey.ts";

export interface ProgramOptions {
  readonly lanes: (nest: LoopNest) => TermType;
  readonly roundCasts: boolean;
  readonly elementType: (buffer: Buffer) => ElementType;
  /** Whether a·b + c may be rounded once, where the engine can. */
  readonly relaxed: boolean;
}

/** Gives back what a module that nobody holds any more has of the heap. */
const abandoned = new FinalizationRegistry((release: () => void) => {
  release();
});

export class Program {
  private readonly passes: readonly (VectorPass | null)[];

  private constructor(passes: readonly (VectorPass | null)[]) {
    this.passes = passes;
  }

  /** The pass made of `nests[k]`; null where vectors cannot do it. */
  pass(k: number): VectorPass | null {
    return this.passes[k]!;
  }

  /** Compiles what can be; null where nothing can or the engine has no vectors. */
  static compile(nests: readonly LoopNest[], options: ProgramOptions): Program | null {
    if (!features().simd) return null;
    const pool = new ConstantPool();
    const imports: ImportedFunction[] = [];
    const functionIndex = (name: string, parameters: number): number => {
      const known = imports.findIndex((f) => f.name === name);
      return known >= 0 ? known : imports.push({ name, parameters }) - 1;
    };
    const relaxed = options.relaxed && features().relaxed;
    const emitted = nests.map((nest) => {
      try {
        const lanes = options.lanes(nest);
        return emitPass(nest, { ...options, lanes, relaxed, pool, functionIndex });
      } catch (error) {
        if (error instanceof Unsupported) return null;
        throw error;
      }
    });
    if (emitted.every((p) => p === null)) return null;
    const functions = emitted.flatMap((p, k) =>
      p === null ? [] : [{ name: exportName(k), body: p.body }],
    );
    const on = heap();
    const { memory, shared } = on;
    const bytes = assemble({ memory: { shared, maximum: 1 << 16 }, imports, functions });
    const module = new WebAssembly.Module(bytes);
    const constants = on.allocate(Math.max(pool.bytes().length, 16));
    on.view(Uint8Array, constants, pool.bytes().length).set(pool.bytes());
    const image = { module, memory, constants };
    const passes = emitted.map((p, k) =>
      p === null ? null : new VectorPass(nests[k]!, p, image, k, on),
    );
    abandoned.register(image, () => {
      on.release(constants);
    });
    return new Program(passes);
  }
}
