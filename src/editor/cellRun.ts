/**
 * Cells' runs in the worker. What a run makes is kept until there is a cell to write it to, so that a
 * run can begin before its cell is in the notebook, and goes there afterwards as it comes.
 */
import { type CellOutput, NOWHERE } from "../session/protocol.ts";
import { EngineFailure, type Session } from "./engine.ts";

export type CellInput = Parameters<Session["execute"]>[0];

/** Who is told what a run makes. */
export interface RunListener {
  onOutput(output: CellOutput): void;
  onProgress(fraction: number | null, what: string): void;
}

export class CellRun {
  readonly executionOrder: number;
  readonly startTime = Date.now();
  /** Null while it runs. */
  ok: boolean | null = null;
  endTime = this.startTime;
  /** Settles with whether the cell succeeded; never fails. */
  readonly ended: Promise<boolean>;
  readonly outputs: CellOutput[] = [];
  private listener: RunListener | null = null;

  constructor(session: Session, input: CellInput, executionOrder: number) {
    this.executionOrder = executionOrder;
    this.ended = this.run(session, input);
  }

  /** Tells everything that has been made so far, and then what comes. */
  follow(listener: RunListener): void {
    for (const output of this.outputs) listener.onOutput(output);
    this.listener = listener;
  }

  private async run(session: Session, input: CellInput): Promise<boolean> {
    let ok = false;
    try {
      ok = await session.execute(input, {
        onOutput: (output) => {
          this.made(output);
        },
        onProgress: (fraction, what) => this.listener?.onProgress(fraction, what),
      });
    } catch (e) {
      const message = e instanceof EngineFailure ? e.message : String(e);
      this.made({ kind: "failure", failure: { ...NOWHERE, name: "EngineFailure", message } });
    }
    this.endTime = Date.now();
    this.ok = ok;
    return ok;
  }

  private made(output: CellOutput): void {
    this.outputs.push(output);
    this.listener?.onOutput(output);
  }
}

/** A notebook's state in the worker. */
export class Kernel {
  readonly session: Session;
  private executionOrder = 0;
  /** Cells run one after the other, in the order they were asked for. */
  private queue: Promise<void> = Promise.resolve();
  /** Raised by an interrupt: cells queued before it do not start. */
  private interrupts = 0;

  constructor(session: Session) {
    this.session = session;
  }

  /** Settles when every cell that has been asked for so far has run. */
  get idle(): Promise<void> {
    return this.queue;
  }

  /** Stops the running cell, and those that wait for it. */
  interrupt(): void {
    this.interrupts++;
    this.session.interrupt();
  }

  /**
   * Has cells run in order. As in Jupyter, a failing cell stops those that were started together
   * with it.
   * @param inputs asked for when the cell's turn has come
   * @returns for each cell its run, as soon as it begins; null when it does not
   */
  begin(inputs: readonly (() => CellInput)[]): Promise<CellRun | null>[] {
    const { interrupts } = this;
    let isStopped = false;
    return inputs.map((input) => {
      const begun = this.queue.then(() => {
        if (isStopped || this.interrupts !== interrupts) return null;
        return new CellRun(this.session, input(), ++this.executionOrder);
      });
      this.queue = begun.then(async (run) => {
        isStopped = run === null || !(await run.ended);
      });
      return begun;
    });
  }
}
