/**
 * What is interrupted while it writes a file removes what it has written. A signal reaches a process
 * only between its calls, and a run is one long call: so runs that write are in a thread, and the
 * process, which waits for signals, tells it to stop.
 */
import { constants } from "node:os";
import { Worker, isMainThread, parentPort, workerData } from "node:worker_threads";

interface ThreadData {
  /** Its one number is not 0 once the run is to stop. */
  readonly stop: Int32Array;
  readonly isTerminal: boolean;
}

const own = isMainThread ? null : (workerData as Partial<ThreadData> | null);

/** Where this is such a thread. */
export const isRunThread = own?.stop !== undefined;

/** Whether a person sees standard error. */
export const isTerminal = own?.isTerminal ?? process.stderr.isTTY;

/** Whether this run is to stop. */
export function isStopped(): boolean {
  return own?.stop !== undefined && Atomics.load(own.stop, 0) !== 0;
}

/** Aborted when this run is to stop, for what it waits for. */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  if (isRunThread) {
    parentPort?.once("message", () => {
      controller.abort();
    });
    // The run ends when it is done, though nobody has stopped it.
    parentPort?.unref();
  }
  return controller.signal;
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Runs the script again, in a thread. A signal stops it, a second one at once.
 * @returns its exit code, or 128 and the signal's number, as shells give it
 */
export async function runInThread(script: string, argv: readonly string[]): Promise<number> {
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const workerData: ThreadData = { stop, isTerminal: process.stderr.isTTY };
  const worker = new Worker(script, { argv: [...argv], workerData });
  let asked = 0;
  const handlers = SIGNALS.map((name) => {
    const handler = (): void => {
      if (asked !== 0) void worker.terminate();
      asked = 128 + constants.signals[name];
      Atomics.store(stop, 0, 1);
      worker.postMessage("stop");
    };
    process.on(name, handler);
    return { name, handler };
  });
  try {
    const code = await new Promise<number>((resolve, reject) => {
      worker.once("error", reject);
      worker.once("exit", resolve);
    });
    return asked === 0 ? code : asked;
  } finally {
    for (const { name, handler } of handlers) process.off(name, handler);
  }
}
