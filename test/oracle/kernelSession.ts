/** A real ipykernel process, driven through kernel_client.py. */
import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import type { KernelOutput } from "../../src/arrays/live/kernel.ts";
import { start, stop } from "../../scripts/lib/process.mjs";

interface Line {
  readonly id?: number;
  readonly status?: string;
  readonly items?: readonly { readonly mime: string; readonly text: unknown }[];
  readonly done?: true;
}

export class KernelSession {
  private readonly client: ChildProcess;
  private readonly listeners = new Set<(line: Line) => void>();
  private next = 1;

  private constructor(client: ChildProcess) {
    this.client = client;
    createInterface({ input: client.stdout! }).on("line", (text) => {
      const line = JSON.parse(text) as Line;
      for (const listener of this.listeners) listener(line);
    });
  }

  /**
   * Starts a kernel and waits until it is idle.
   * @param script path of kernel_client.py
   * @param folder the kernel's working folder; this process's unless given
   */
  static async launch(python: string, script: string, folder = ""): Promise<KernelSession> {
    const client = start(python, folder === "" ? [script] : [script, folder], {
      env: { ...process.env, OMP_NUM_THREADS: "1" },
      stdio: ["pipe", "pipe", "ignore"],
    });
    const session = new KernelSession(client);
    await session.line((line) => line.status === "idle");
    return session;
  }

  /** Executes code, and gives its outputs one after the other. */
  async *execute(code: string): AsyncGenerator<KernelOutput> {
    const id = this.next++;
    const lines: Line[] = [];
    let wake = (): void => undefined;
    const listener = (line: Line): void => {
      if (line.id !== id) return;
      lines.push(line);
      wake();
    };
    this.listeners.add(listener);
    this.send({ id, code });
    try {
      for (;;) {
        const line = lines.shift();
        if (line === undefined) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        } else if (line.items !== undefined) {
          yield {
            items: line.items.map(({ mime, text }) => ({
              mime,
              data: new TextEncoder().encode(
                typeof text === "string" ? text : JSON.stringify(text),
              ),
            })),
          };
        } else return;
      }
    } finally {
      this.listeners.delete(listener);
    }
  }

  /** Runs a cell and gives all that it printed. */
  async run(code: string): Promise<string> {
    let printed = "";
    for await (const { items } of this.execute(code)) {
      for (const { data } of items) printed += new TextDecoder().decode(data);
    }
    return printed;
  }

  /** Waits until it begins to execute something. */
  busy(): Promise<void> {
    return this.line((line) => line.status === "busy");
  }

  /** Tells of the kernel's states from now on. */
  onStatus(listener: (status: string) => void): void {
    this.listeners.add(({ status }) => {
      if (status !== undefined) listener(status);
    });
  }

  /** Ends the kernel under whoever uses it. */
  async kill(): Promise<void> {
    const dead = this.line((line) => line.status === "dead");
    this.send({ kill: true });
    await dead;
  }

  /** Interrupts what is running, as the keyboard does. */
  interrupt(): void {
    this.send({ interrupt: true });
  }

  async close(): Promise<void> {
    await stop(this.client);
  }

  private send(request: unknown): void {
    this.client.stdin!.write(`${JSON.stringify(request)}\n`);
  }

  private line(wanted: (line: Line) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const listener = (line: Line): void => {
        if (!wanted(line)) return;
        this.listeners.delete(listener);
        resolve();
      };
      this.listeners.add(listener);
    });
  }
}
