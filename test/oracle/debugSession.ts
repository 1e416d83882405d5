/** A Python program under the real debugpy, driven by the Debug Adapter Protocol without an editor. */
import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import type { DebugProtocol } from "@vscode/debugprotocol";
import type { DebugRequest } from "../../src/arrays/live/debugAdapter.ts";
import { start, stop } from "../../scripts/lib/process.mjs";
import { root } from "../../scripts/lib/root.mjs";
import { oraclePython } from "./environment.ts";

type Message = DebugProtocol.Request | DebugProtocol.Response | DebugProtocol.Event;

/** Where a program stands still. */
export interface Stop {
  readonly threadId: number;
  readonly frameId: number;
  /** The function's name. */
  readonly name: string;
  readonly line: number;
  /** "breakpoint", "step", "exception". */
  readonly reason: string;
}

export class DebugSession {
  private readonly adapter: ChildProcess;
  private sequence = 0;
  private readonly waiting = new Map<number, (answer: DebugProtocol.Response | null) => void>();
  private readonly events: DebugProtocol.Event[] = [];
  private readonly listeners: ((event: DebugProtocol.Event) => void)[] = [];
  private ended = false;
  /** What the program printed. */
  output = "";

  private constructor(adapter: ChildProcess) {
    this.adapter = adapter;
    let text = Buffer.alloc(0);
    adapter.stdout!.on("data", (chunk: Buffer) => {
      text = Buffer.concat([text, chunk]);
      for (;;) {
        const end = text.indexOf("\r\n\r\n");
        if (end < 0) return;
        const length = Number(/Content-Length: (\d+)/i.exec(text.toString("latin1", 0, end))![1]);
        if (text.length < end + 4 + length) return;
        this.take(JSON.parse(text.toString("utf8", end + 4, end + 4 + length)) as Message);
        text = text.subarray(end + 4 + length);
      }
    });
  }

  /**
   * Starts a program; it runs to its first breakpoint.
   * @param breakpoints lines that contain one of these texts
   */
  static async launch(
    program: string,
    args: readonly string[],
    breakpoints: string,
    options: { readonly exceptions?: readonly string[] } = {},
  ): Promise<DebugSession> {
    const python = await oraclePython();
    const env = { ...process.env, OMP_NUM_THREADS: "1", TF_CPP_MIN_LOG_LEVEL: "3" };
    const adapter = start(python, ["-m", "debugpy.adapter"], {
      cwd: root,
      env,
      stdio: ["pipe", "pipe", "ignore"],
    });
    const session = new DebugSession(adapter);
    await session.request("initialize", { adapterID: "debugpy", supportsVariableType: true });
    const ready = session.event("initialized");
    const launched = session.request("launch", {
      program,
      args,
      python: [python],
      console: "internalConsole",
      cwd: root,
      env,
    });
    await ready;
    const lines = readFileSync(program, "utf8").split("\n");
    await session.request("setBreakpoints", {
      source: { path: program },
      breakpoints: lines.flatMap((text, k) =>
        text.includes(breakpoints) ? [{ line: k + 1 }] : [],
      ),
    });
    await session.request("setExceptionBreakpoints", { filters: options.exceptions ?? [] });
    await session.request("configurationDone", {});
    await launched;
    return session;
  }

  /** Sends a request; gives the body of the answer. @throws Error with the adapter's message */
  async request(command: string, body: unknown): Promise<unknown> {
    const seq = ++this.sequence;
    const answer = new Promise<DebugProtocol.Response | null>((resolve) => {
      this.waiting.set(seq, resolve);
    });
    const text = JSON.stringify({ seq, type: "request", command, arguments: body });
    this.adapter.stdin!.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
    if (this.ended) this.end();
    const given = await answer;
    // In VS Code's words for a request that its session did not live to answer.
    if (given === null) throw new Error("Canceled");
    if (!given.success) throw new Error(given.message ?? `${command} failed`);
    return given.body as unknown;
  }

  /** The same, as the product's code asks. */
  readonly evaluate: DebugRequest = (command, body) => this.request(command, body);

  /** Waits for an event that has not been waited for yet. */
  async event(name: string): Promise<DebugProtocol.Event> {
    for (;;) {
      const k = this.events.findIndex((e) => e.event === name);
      if (k >= 0) return this.events.splice(k, 1)[0]!;
      await new Promise<void>((resolve) => {
        this.listeners.push(() => {
          resolve();
        });
      });
    }
  }

  /** Whether the program has stopped and nobody has waited for it. */
  get hasStopped(): boolean {
    return this.events.some((e) => e.event === "stopped");
  }

  /** Waits until the program stands still. */
  async stopped(): Promise<Stop> {
    const { threadId, reason } = (await this.event("stopped")).body as {
      threadId: number;
      reason: string;
    };
    const { stackFrames } = (await this.request("stackTrace", { threadId })) as {
      stackFrames: readonly DebugProtocol.StackFrame[];
    };
    const { id: frameId, name, line } = stackFrames[0]!;
    return { threadId, frameId, name, line, reason };
  }

  /** A string that Python evaluates in a frame. */
  async text(expression: string, frameId: number): Promise<string> {
    const answer = (await this.request("evaluate", {
      expression,
      frameId,
      context: "hover",
      format: { rawString: true },
    })) as { result: string };
    return answer.result;
  }

  async close(): Promise<void> {
    await stop(this.adapter);
  }

  private end(): void {
    this.ended = true;
    for (const answer of this.waiting.values()) answer(null);
    this.waiting.clear();
  }

  private take(message: Message): void {
    if (message.type === "response") {
      const answer = message as DebugProtocol.Response;
      this.waiting.get(answer.request_seq)?.(answer);
      this.waiting.delete(answer.request_seq);
    } else if (message.type === "event") {
      const event = message as DebugProtocol.Event;
      if (event.event === "output") {
        this.output += (event as DebugProtocol.OutputEvent).body.output;
      }
      if (event.event === "terminated") this.end();
      this.events.push(event);
      for (const listener of this.listeners.splice(0)) listener(event);
    }
  }
}
