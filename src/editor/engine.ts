/**
 * The computing worker, as the extension host sees it. Started when first needed; a worker that
 * dies fails what it was doing with a clear message, and the next request starts a new one.
 */
import { Worker } from "node:worker_threads";
import type { KernelAnswer, KernelAsk } from "../session/arrays/protocol.ts";
import type {
  CatalogueAnswer,
  CellLanguage,
  CellOutput,
  PythonLeave,
  Request,
  Response,
  Usage,
} from "../session/protocol.ts";

export interface RunEvents {
  onOutput(output: CellOutput): void;
  onProgress(fraction: number | null, what: string): void;
  onUsage?(usage: Usage): void;
  onArrays?(answer: KernelAnswer): void;
}

type InspectRequest = Omit<Extract<Request, { kind: "inspect" }>, "run" | "kind" | "interrupt">;

/** One notebook's state in the worker. */
export interface Session {
  readonly id: string;
  execute(
    cell: {
      language: CellLanguage;
      source: string;
      file: string;
      /** Leave to run the cells in Python; null in a workspace that is not trusted. */
      python: PythonLeave | null;
    },
    events: RunEvents,
  ): Promise<boolean>;
  /** What the notebook has of a function with these array parameters. */
  usage(name: string, parameters: readonly string[]): Promise<Usage>;
  /** What the notebook has in arrays. */
  arrays(ask: KernelAsk): Promise<KernelAnswer>;
  /** Stops the run in progress at its next statement or chunk; state stays as it was before it. */
  interrupt(): void;
  close(): void;
}

export class EngineFailure extends Error {
  override readonly name = "EngineFailure";
}

interface Run {
  readonly events: RunEvents & { onCatalogue?(answer: CatalogueAnswer): void };
  readonly resolve: (ok: boolean) => void;
  readonly reject: (error: Error) => void;
}

/** A loss that goes through most of what every loss goes through. */
const WARM_UP =
  "import numpy as np\ndef dice(g, p):\n    return 1 - 2 * np.sum(p * g) / (np.sum(p) + np.sum(g))\n";

export class Engine {
  private readonly workerFile: string;
  private worker: Worker | null = null;
  /** Raised by one whenever sessions opened earlier have lost their state. */
  private generation = 0;
  /** The generation that {@link warm} was asked for. */
  private warmed = -1;
  private nextRun = 1;
  private readonly runs = new Map<number, Run>();
  /** Told what the Python processes write to standard error. */
  onPythonLog: (text: string) => void = () => undefined;

  constructor(workerFile: string) {
    this.workerFile = workerFile;
  }

  /** @param python the interpreter whose packages imports are read from; null for the active one */
  openSession(id: string, directory: string, python: string | null): Session {
    const flag = new SharedArrayBuffer(4);
    const view = new Int32Array(flag);
    let epoch = -1;
    const opened = (): void => {
      this.started();
      if (epoch === this.generation) return;
      epoch = this.generation;
      this.post({ kind: "open", session: id, directory, python, interrupt: flag });
    };
    return {
      id,
      execute: (cell, events) => {
        opened();
        Atomics.store(view, 0, 0);
        return this.run(events, (run) => ({ kind: "execute", session: id, run, ...cell }));
      },
      usage: async (name, parameters) => {
        opened();
        let usage: Usage = { isDefined: false, call: null };
        const events: RunEvents = {
          onOutput: () => undefined,
          onProgress: () => undefined,
          onUsage: (found) => {
            usage = found;
          },
        };
        const request = { kind: "usage", session: id, name, parameters } as const;
        await this.run(events, (run) => ({ ...request, run }));
        return usage;
      },
      arrays: async (ask) => {
        opened();
        let answer: KernelAnswer = { kind: "refused", message: "The kernel gave no answer." };
        const events: RunEvents = {
          onOutput: () => undefined,
          onProgress: () => undefined,
          onArrays: (found) => {
            answer = found;
          },
        };
        await this.run(events, (run) => ({ kind: "sessionArrays", session: id, run, ask }));
        return answer;
      },
      interrupt: () => {
        Atomics.store(view, 0, 1);
      },
      close: () => {
        if (this.worker !== null && epoch === this.generation) {
          this.post({ kind: "close", session: id });
        }
        epoch = -1;
      },
    };
  }

  /** Has the worker ready before someone waits for it: loaded, and its code compiled by a first use. */
  warm(): void {
    if (this.warmed === this.generation && this.worker !== null) return;
    this.started();
    this.warmed = this.generation;
    const values = ["p=np.array([0.5, 0.25])", "g=np.array([1.0, 0.0])"];
    const request = { source: WARM_UP, file: "warm.py", callable: "dice", values, wrt: null };
    const nobody = { onOutput: () => undefined, onProgress: () => undefined };
    this.inspect({ ...request, directory: "/" }, nobody).catch(() => undefined);
  }

  /** Derives callables of a file; `signal` interrupts. */
  inspect(request: InspectRequest, events: RunEvents, signal?: AbortSignal): Promise<boolean> {
    this.started();
    const flag = new SharedArrayBuffer(4);
    signal?.addEventListener("abort", () => Atomics.store(new Int32Array(flag), 0, 1));
    return this.run(events, (run) => ({ kind: "inspect", run, interrupt: flag, ...request }));
  }

  /**
   * What the catalogue says.
   * @throws EngineFailure with the reason when it has no answer
   */
  async catalogue(ask: Extract<Request, { kind: "catalogue" }>["ask"]): Promise<CatalogueAnswer> {
    this.started();
    const answers: CatalogueAnswer[] = [];
    let reason = "the catalogue has no answer";
    const events: Run["events"] = {
      onCatalogue: (a) => {
        answers.push(a);
      },
      onOutput: (o) => {
        if (o.kind === "failure") reason = o.failure.message;
      },
      onProgress: () => undefined,
    };
    await this.run(events, (run) => ({ kind: "catalogue", run, ask }));
    const [answer] = answers;
    if (answer === undefined) throw new EngineFailure(reason);
    return answer;
  }

  /** Ends the Python processes and what runs in them; the next run starts new ones. */
  restartPython(): void {
    this.post({ kind: "restartPython" });
  }

  dispose(): void {
    const worker = this.worker;
    this.worker = null;
    this.fail("the computation was stopped");
    void worker?.terminate();
  }

  private run(events: Run["events"], request: (run: number) => Request): Promise<boolean> {
    const run = this.nextRun++;
    return new Promise((resolve, reject) => {
      this.runs.set(run, { events, resolve, reject });
      this.post(request(run));
    });
  }

  private started(): void {
    if (this.worker !== null) return;
    const worker = new Worker(this.workerFile, { stdout: false, stderr: false });
    this.worker = worker;
    this.generation++;
    worker.on("message", (m: Response) => {
      this.receive(m);
    });
    const died = (reason: string): void => {
      if (this.worker !== worker) return;
      this.worker = null;
      this.fail(
        `the computing worker ended: ${reason}. Names and arrays of earlier cells are gone; run the cells again`,
      );
    };
    worker.on("error", (e: unknown) => {
      died(e instanceof Error ? e.message : String(e));
    });
    worker.on("exit", (code) => {
      died(`exit code ${String(code)}`);
    });
    // An idle worker must not keep the host alive.
    worker.unref();
  }

  private post(request: Request): void {
    this.worker?.postMessage(request);
  }

  private receive(m: Response): void {
    if (m.kind === "ready") return;
    if (m.kind === "pythonLog") {
      this.onPythonLog(m.text);
      return;
    }
    const run = this.runs.get(m.run);
    if (run === undefined) return;
    if (m.kind === "output") run.events.onOutput(m.output);
    else if (m.kind === "catalogue") run.events.onCatalogue?.(m.answer);
    else if (m.kind === "usage") run.events.onUsage?.(m.usage);
    else if (m.kind === "sessionArrays") run.events.onArrays?.(m.answer);
    else if (m.kind === "progress") run.events.onProgress(m.fraction, m.what);
    else {
      this.runs.delete(m.run);
      run.resolve(m.ok);
    }
  }

  private fail(message: string): void {
    const open = [...this.runs.values()];
    this.runs.clear();
    for (const run of open) run.reject(new EngineFailure(message));
  }
}
