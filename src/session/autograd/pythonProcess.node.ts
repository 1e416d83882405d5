/**
 * A warm Python process that runs losses: started on the first request, kept for later ones, started
 * anew after it died or was stopped. It serves one request at a time.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { type Frame, FrameReader, encodeFrame } from "./frames.ts";
import { STOPPED } from "./stopped.ts";

/** What went wrong in Python, or with it, and what to do. */
export class PythonFailure extends Error {
  override readonly name: string = "Python";
  readonly remedy: string | null;
  constructor(message: string, remedy: string | null = null) {
    super(message);
    this.remedy = remedy;
  }
}

export interface PythonOptions {
  /** The interpreter: a path, or a name on the PATH. */
  readonly interpreter: string;
  /** media/python/autograd_server.py of this extension. */
  readonly script: string;
  /** Seconds that a request may take, the start of the process included; 0 for no limit. */
  readonly timeoutSeconds: number;
  /** Told what Python writes to standard error, and when a process starts and ends. */
  readonly log?: (text: string) => void;
}

/** What a run that may be watched needs besides its frame. */
export interface Watching {
  /** Stops the run: the user's code is interrupted, and the process ended if it goes on. */
  readonly signal?: AbortSignal | undefined;
  /** Told what Python is at: starting, importing a library, running the code, differentiating. */
  readonly onProgress?: (what: string) => void;
}

/** How much of what Python wrote to standard error is kept, to be shown when something fails. */
const STDERR_CHARACTERS = 4000;

/** How long a process that was asked to stop may take before it is ended. */
const GRACE_MS = 2000;

interface Waiting {
  readonly id: number;
  readonly resolve: (frame: Frame) => void;
  readonly reject: (error: Error) => void;
  readonly onProgress: (what: string) => void;
}

export class PythonProcess {
  private readonly options: PythonOptions;
  private child: ChildProcess | null = null;
  private waiting: Waiting | null = null;
  private stderr = "";
  private nextId = 1;

  constructor(options: PythonOptions) {
    this.options = options;
  }

  /**
   * Sends a request and waits for its answer.
   * @throws PythonFailure with what Python said
   */
  async request(frame: Frame, { signal, onProgress }: Watching = {}): Promise<Frame> {
    if (this.waiting !== null) throw new PythonFailure("Python is busy with another run");
    if (isAborted(signal)) throw stopped();
    if (this.child === null) onProgress?.(`starting ${this.options.interpreter}`);
    const child = this.child ?? this.start();
    const id = this.nextId++;
    this.stderr = "";
    const { timeoutSeconds } = this.options;
    const answer = new Promise<Frame>((resolve, reject) => {
      this.waiting = { id, resolve, reject, onProgress: onProgress ?? (() => undefined) };
    });
    const timer =
      timeoutSeconds === 0
        ? undefined
        : setTimeout(() => {
            this.stop(
              new PythonFailure(
                `Python did not finish within ${String(timeoutSeconds)} s and was stopped`,
                "Raise the setting dice-gradient.python.timeout, or take smaller arrays.",
              ),
            );
          }, timeoutSeconds * 1000);
    const abort = (): void => {
      child.kill("SIGINT");
      setTimeout(() => {
        if (this.waiting?.id === id) this.stop(stopped());
      }, GRACE_MS).unref();
    };
    signal?.addEventListener("abort", abort, { once: true });
    keepAlive(child, true);
    try {
      for (const part of encodeFrame({ header: { ...frame.header, id }, arrays: frame.arrays })) {
        child.stdin!.write(part);
      }
      const reply = await answer;
      if (reply.header["kind"] !== "failure") return reply;
      if (isAborted(signal)) throw stopped();
      const { error, traceback } = reply.header as { error: string; traceback: string | null };
      throw new PythonFailure(error, traceback ?? null);
    } finally {
      this.waiting = null;
      keepAlive(child, false);
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    }
  }

  dispose(): void {
    this.stop(stopped());
  }

  private start(): ChildProcess {
    const { interpreter, script } = this.options;
    const child = spawn(interpreter, ["-u", script], {
      stdio: ["pipe", "pipe", "pipe"],
      windowsHide: true,
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1", PYTHONIOENCODING: "utf-8" },
    });
    this.child = child;
    const reader = new FrameReader((frame) => {
      const { header } = frame;
      if (header["kind"] === "ready") {
        this.log(`[Python ${String(header["python"])} started: ${interpreter}]\n`);
        return;
      }
      const { waiting } = this;
      if (waiting === null || header["id"] !== waiting.id) return;
      if (header["kind"] === "progress") waiting.onProgress(String(header["what"]));
      else {
        if (header["kind"] === "failure") this.log(saidIn(header));
        waiting.resolve(frame);
      }
    });
    child.stdout.on("data", (chunk: Buffer) => {
      try {
        reader.push(new Uint8Array(chunk));
      } catch (e) {
        this.stop(new PythonFailure(e instanceof Error ? e.message : String(e)));
      }
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.stderr = (this.stderr + text).slice(-STDERR_CHARACTERS);
      this.log(text);
    });
    child.on("error", (e: NodeJS.ErrnoException) => {
      this.ended(
        child,
        e.code === "ENOENT"
          ? new PythonFailure(
              `there is no Python interpreter ${interpreter}`,
              "Choose one with the setting dice-gradient.pythonPath, or --python on the command line.",
            )
          : new PythonFailure(`Python could not be started: ${e.message}`),
      );
    });
    child.on("close", (code, signal) => {
      const how = signal === null ? `with exit code ${String(code)}` : `by ${signal}`;
      const said = this.stderr.trim();
      this.log(`[Python ended ${how}: ${interpreter}]\n`);
      this.ended(
        child,
        new PythonFailure(
          `the Python process ended ${how}; the next run starts a new one`,
          said === "" ? null : said,
        ),
      );
    });
    // A write into a process that has just died fails here as well as in "close".
    child.stdin.on("error", () => undefined);
    return child;
  }

  private log(text: string): void {
    this.options.log?.(text);
  }

  private stop(reason: PythonFailure): void {
    const { child } = this;
    if (child === null) return;
    this.ended(child, reason);
    child.kill("SIGKILL");
  }

  private ended(child: ChildProcess, reason: PythonFailure): void {
    if (this.child !== child) return;
    this.child = null;
    this.waiting?.reject(reason);
  }
}

/** A process that works keeps its owner alive, an idle one does not. */
function keepAlive(child: ChildProcess, alive: boolean): void {
  const handles = [child, child.stdin, child.stdout, child.stderr] as unknown as {
    ref?(): void;
    unref?(): void;
  }[];
  for (const handle of handles) {
    if (alive) handle.ref?.();
    else handle.unref?.();
  }
}

export function stopped(): PythonFailure {
  return new PythonFailure(STOPPED);
}

/** The traceback of a failure, or its message where it has none, as a paragraph. */
function saidIn(header: Frame["header"]): string {
  const { error, traceback } = header as { error: string; traceback: string | null };
  return `${(traceback ?? error).trimEnd()}\n`;
}

/** A function, since a signal changes between two looks at it. */
function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted ?? false;
}
