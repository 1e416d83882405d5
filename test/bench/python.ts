/** Python processes that time what they are asked to, where there is a Python with PyTorch. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../scripts/lib/root.mjs";
import { TimingProcess } from "./answers.ts";

export interface PythonRequest {
  readonly library: "torch" | "compiled" | "numpy" | "c" | "avx512" | "check";
  readonly loss: string;
  readonly entries: number;
  readonly threads: number;
}

/** glibc keeps the memory of large arrays instead of returning it to the system at every operation. */
const TUNED_ALLOCATOR = {
  MALLOC_MMAP_MAX_: "0",
  MALLOC_TRIM_THRESHOLD_: "1000000000000",
  MALLOC_TOP_PAD_: "268435456",
};

/** The environment of a process whose allocator is tuned, or is as the system has it. */
export function allocatorOf(tuned: boolean): NodeJS.ProcessEnv {
  return { ...process.env, ...(tuned ? TUNED_ALLOCATOR : {}) };
}

/** The interpreter that DICE_GRADIENT_ORACLE_VENV names; null if there is none. */
export function benchPython(): string | null {
  const folder = process.env["DICE_GRADIENT_ORACLE_VENV"] ?? join(root, ".cache/oracle-venv");
  const python = join(folder, process.platform === "win32" ? "Scripts/python.exe" : "bin/python");
  return existsSync(python) ? python : null;
}

export class PythonTimer extends TimingProcess<PythonRequest> {
  constructor(python: string, tuned: boolean) {
    super(python, [join(root, "test/bench/volumes.py")], allocatorOf(tuned));
  }
}
