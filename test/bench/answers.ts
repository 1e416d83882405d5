/** Processes that time what they are asked to: a line of JSON for each question and each answer. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

export interface Answer {
  readonly ms: number;
  readonly loss: number;
}

/**
 * @typeParam Question what is written to it as JSON
 * @typeParam Reply what it answers with
 */
export class TimingProcess<Question, Reply extends object = Answer> {
  private readonly child: ChildProcess;
  private readonly lines: AsyncIterator<string>;
  private readonly command: string;

  constructor(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env) {
    this.command = command;
    this.child = spawn(command, args, { env, stdio: ["pipe", "pipe", "ignore"] });
    const reader = createInterface({ input: this.child.stdout! });
    this.lines = reader[Symbol.asyncIterator]();
  }

  /** null where it says that it cannot: it ran out of memory, or has no compiler. */
  async ask(question: Question): Promise<Reply | null> {
    this.child.stdin!.write(`${JSON.stringify(question)}\n`);
    const answer = (await this.next()) as Reply | { readonly error: string };
    return "error" in answer ? null : answer;
  }

  /** What it says next, asked or not. */
  async next(): Promise<unknown> {
    const line = await this.lines.next();
    if (line.done === true) throw new Error(`${this.command} has ended`);
    return JSON.parse(line.value);
  }

  end(): void {
    this.child.stdin!.end();
    this.child.kill();
  }
}
