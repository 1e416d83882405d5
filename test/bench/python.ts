/** Python processes that time what they are asked to, where there is a Python with PyTorch. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { root } from "../../scripts/lib/root.mjs";

export interface PythonRequest {
  readonly library: "torch" | "compiled" | "numpy" | "c" | "check";
  readonly loss: string;
  readonly entries: number;
  readonly threads: number;
}

export interface PythonAnswer {
  readonly ms: number;
  readonly loss: number;
}

/** glibc keeps the memory of large arrays instead of returning it to the system at every operation. */
const TUNED_ALLOCATOR = {
  MALLOC_MMAP_MAX_: "0",
  MALLOC_TRIM_THRESHOLD_: "1000000000000",
  MALLOC_TOP_PAD_: "268435456",
};

/** The interpreter that DICE_GRADIENT_ORACLE_VENV names; null if there is none. */
export function benchPython(): string | null {
  const folder = process.env["DICE_GRADIENT_ORACLE_VENV"] ?? join(root, ".cache/oracle-venv");
  const python = join(folder, process.platform === "win32" ? "Scripts/python.exe" : "bin/python");
  return existsSync(python) ? python : null;
}

export class PythonTimer {
  private readonly child: ChildProcess;
  private readonly lines: AsyncIterator<string>;

  constructor(python: string, tuned: boolean) {
    const env = { ...process.env, ...(tuned ? TUNED_ALLOCATOR : {}) };
    this.child = spawn(python, [join(root, "test/bench/volumes.py")], {
      env,
      stdio: ["pipe", "pipe", "ignore"],
    });
    const reader = createInterface({ input: this.child.stdout! });
    this.lines = reader[Symbol.asyncIterator]();
  }

  /** null where it ran out of memory, or has no compiler. */
  async ask(request: PythonRequest): Promise<PythonAnswer | null> {
    this.child.stdin!.write(`${JSON.stringify(request)}\n`);
    const line = await this.lines.next();
    if (line.done === true) throw new Error("the Python of the bench has ended");
    const answer = JSON.parse(line.value) as PythonAnswer | { readonly error: string };
    return "error" in answer ? null : answer;
  }

  end(): void {
    this.child.stdin!.end();
    this.child.kill();
  }
}
