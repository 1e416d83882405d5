/**
 * The worker behind hovers and lenses, as the extension host sees it. Started when a Python file is
 * first looked at; one that dies is started again with the next request.
 */
import { Worker } from "node:worker_threads";
import type { InlineRequest, InlineResponse } from "../../session/inline/protocol.ts";

export class InlineClient {
  private readonly file: string;
  private readonly receive: (response: InlineResponse) => void;
  /** Called when everything the worker knew is lost. */
  private readonly lost: () => void;
  private worker: Worker | null = null;
  private posted = new Int32Array(new SharedArrayBuffer(4));

  constructor(file: string, receive: (response: InlineResponse) => void, lost: () => void) {
    this.file = file;
    this.receive = receive;
    this.lost = lost;
  }

  post(request: InlineRequest): void {
    this.worker ??= this.start();
    // Counted first: a busy worker sees from the number that something waits.
    Atomics.add(this.posted, 0, 1);
    this.worker.postMessage(request);
  }

  dispose(): void {
    const { worker } = this;
    this.worker = null;
    void worker?.terminate();
  }

  private start(): Worker {
    const shared = new SharedArrayBuffer(4);
    this.posted = new Int32Array(shared);
    const worker = new Worker(this.file, {
      stdout: false,
      stderr: false,
      workerData: { posted: shared },
    });
    worker.on("message", (response: InlineResponse) => {
      if (this.worker === worker) this.receive(response);
    });
    const died = (): void => {
      if (this.worker !== worker) return;
      this.worker = null;
      this.lost();
    };
    worker.on("error", died);
    worker.on("exit", died);
    worker.unref();
    return worker;
  }
}
