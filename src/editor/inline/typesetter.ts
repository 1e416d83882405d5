/** Formulas as pictures, drawn in a worker of their own that is started with the first of them. */
import { Worker } from "node:worker_threads";
import type { TypesetRequest, TypesetResponse } from "../../typeset/protocol.ts";

/** Pictures kept: about as many formulas as a file of losses shows. */
const KEPT = 300;

export class Typesetter {
  private readonly file: string;
  private worker: Worker | null = null;
  private next = 1;
  private readonly waiting = new Map<number, (svg: string | null) => void>();
  private readonly known = new Map<string, Promise<string | null>>();

  constructor(file: string) {
    this.file = file;
  }

  /** An SVG document, or null for what cannot be drawn. @param ink a CSS colour @param width pixels */
  picture(latex: string, ink: string, width: number): Promise<string | null> {
    const key = JSON.stringify([latex, ink, width]);
    let found = this.known.get(key);
    if (found === undefined) found = this.draw({ id: this.next++, latex, ink, width });
    else this.known.delete(key);
    this.known.set(key, found);
    if (this.known.size > KEPT) this.known.delete(this.known.keys().next().value!);
    return found;
  }

  dispose(): void {
    const { worker } = this;
    this.worker = null;
    this.giveUp();
    void worker?.terminate();
  }

  private draw(request: TypesetRequest): Promise<string | null> {
    return new Promise((resolve) => {
      this.worker ??= this.start();
      this.waiting.set(request.id, resolve);
      this.worker.postMessage(request);
    });
  }

  private start(): Worker {
    const worker = new Worker(this.file, { stdout: false, stderr: false });
    worker.on("message", ({ id, svg }: TypesetResponse) => {
      this.waiting.get(id)?.(svg);
      this.waiting.delete(id);
    });
    const died = (): void => {
      if (this.worker !== worker) return;
      this.worker = null;
      this.giveUp();
    };
    worker.on("error", died);
    worker.on("exit", died);
    worker.unref();
    return worker;
  }

  /** What waits is answered with nothing, and asked for anew the next time. */
  private giveUp(): void {
    for (const resolve of this.waiting.values()) resolve(null);
    this.waiting.clear();
    this.known.clear();
  }
}
