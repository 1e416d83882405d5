/** Losses in the Test Explorer: each is a gradient check that fails with what is wrong. */
import * as vscode from "vscode";
import { LintThread, type NamedLoss } from "../../session/lintThreads.node.ts";
import type { InlineDocuments } from "../inline/documents.ts";
import { pythonFor } from "../settings.ts";
import { findPythonFiles } from "./pythonFiles.ts";

/** Larger workspaces show the losses of files as they are opened. */
const MOST_FILES = 5000;

export class GradientTests implements vscode.Disposable {
  private readonly script: string;
  private readonly documents: InlineDocuments;
  private readonly controller: vscode.TestController;
  private readonly disposables: vscode.Disposable[];
  /** Reads which losses files hold; made when first needed. */
  private reader: LintThread | null = null;
  /** Its jobs one after the other. */
  private reading: Promise<unknown> = Promise.resolve();

  /** @param script worker bundle */
  constructor(script: string, documents: InlineDocuments) {
    this.script = script;
    this.documents = documents;
    this.controller = vscode.tests.createTestController("dice-gradient", "Dice Gradients");
    this.controller.resolveHandler = async (item): Promise<void> => {
      if (item === undefined) await this.discover();
      else if (item.uri !== undefined) await this.read(item.uri);
    };
    this.controller.refreshHandler = (token): Promise<void> => this.discover(token);
    this.controller.createRunProfile(
      "Check Gradients",
      vscode.TestRunProfileKind.Run,
      (request, token) => this.run(request, token),
      true,
    );
    this.disposables = [
      // What is open has been read already, for hovers and lenses.
      documents.onDidChange((key) => {
        const document = vscode.workspace.textDocuments.find((d) => d.uri.toString() === key);
        if (document?.uri.scheme === "file" && document.languageId === "python") {
          this.show(document.uri, this.lossesOf(document));
        }
      }),
      vscode.workspace.onDidDeleteFiles(({ files }) => {
        for (const f of files) this.controller.items.delete(f.toString());
      }),
    ];
  }

  dispose(): void {
    this.reader?.dispose();
    this.controller.dispose();
    for (const d of this.disposables) d.dispose();
  }

  /** Shows the losses of every Python file of the workspace. */
  async discover(token?: vscode.CancellationToken): Promise<void> {
    const files = await findPythonFiles("py", undefined, MOST_FILES, token);
    for (const uri of files) {
      if (token?.isCancellationRequested === true) return;
      await this.read(uri);
    }
  }

  private lossesOf(document: vscode.TextDocument): NamedLoss[] {
    return this.documents.lossesIn(document).flatMap(({ name, candidate }) => {
      const { line, column } = candidate.place;
      return candidate.named && candidate.kind !== "imported" ? [{ name, line, column }] : [];
    });
  }

  /** Shows the losses of one file as it is now. */
  private read(uri: vscode.Uri): Promise<void> {
    const next = this.reading.then(async () => {
      const open = vscode.workspace.textDocuments.find((d) => d.uri.toString() === uri.toString());
      if (open !== undefined) {
        await this.documents.outlined(open);
        this.show(uri, this.lossesOf(open));
        return;
      }
      this.reader ??= new LintThread(this.script, pythonFor(uri));
      this.show(uri, await this.reader.ask({ kind: "losses", file: uri.fsPath }));
    });
    this.reading = next.catch(() => undefined);
    return this.reading.then(() => undefined);
  }

  private show(uri: vscode.Uri, losses: readonly NamedLoss[]): void {
    const id = uri.toString();
    if (losses.length === 0) {
      this.controller.items.delete(id);
      return;
    }
    const label = vscode.workspace.asRelativePath(uri);
    const file = this.controller.items.get(id) ?? this.controller.createTestItem(id, label, uri);
    this.controller.items.add(file);
    file.children.replace(
      losses.map(({ name, line, column }) => {
        const item = this.controller.createTestItem(`${id}#${name}`, name, uri);
        item.range = new vscode.Range(line - 1, column - 1, line - 1, column - 1 + name.length);
        return item;
      }),
    );
  }

  private async run(
    request: vscode.TestRunRequest,
    token: vscode.CancellationToken,
  ): Promise<void> {
    if (request.include === undefined) await this.discover(token);
    const run = this.controller.createTestRun(request);
    const tests = this.testsOf(request);
    for (const test of tests) run.enqueued(test);
    const threads = new Map<string | null, LintThread>();
    try {
      for (const test of tests) {
        if (token.isCancellationRequested) break;
        const python = pythonFor(test.uri);
        let thread = threads.get(python);
        if (thread === undefined)
          threads.set(python, (thread = new LintThread(this.script, python)));
        const stop = token.onCancellationRequested(() => {
          thread.dispose();
        });
        run.started(test);
        await this.runOne(run, test, thread, token);
        stop.dispose();
      }
    } finally {
      for (const t of threads.values()) t.dispose();
      run.end();
    }
  }

  private async runOne(
    run: vscode.TestRun,
    test: vscode.TestItem,
    thread: LintThread,
    token: vscode.CancellationToken,
  ): Promise<void> {
    const uri = test.uri!;
    const before = Date.now();
    try {
      const file = uri.fsPath;
      const job = { kind: "test", file, name: test.label, ...openText(uri) } as const;
      const { outcome, messages, report } = await thread.ask(job);
      const took = Date.now() - before;
      if (report !== null) run.appendOutput(`${linesFor(report)}\r\n`, undefined, test);
      if (outcome === "passed") run.passed(test, took);
      else if (outcome === "skipped") {
        for (const m of messages) {
          run.appendOutput(`${test.label} is not looked at: ${crlf(m.text)}\r\n`, undefined, test);
        }
        run.skipped(test);
      } else {
        const failures = messages.map(({ text, location }) => {
          const message = new vscode.TestMessage(text);
          const line =
            (location?.file === file ? location.line : undefined) ?? test.range!.start.line + 1;
          message.location = new vscode.Location(uri, new vscode.Position(line - 1, 0));
          return message;
        });
        run.failed(test, failures, took);
      }
    } catch (e) {
      if (token.isCancellationRequested) run.skipped(test);
      else run.errored(test, new vscode.TestMessage((e as Error).message));
    }
  }

  private testsOf(request: vscode.TestRunRequest): vscode.TestItem[] {
    const found: vscode.TestItem[] = [];
    const left = new Set(request.exclude ?? []);
    const add = (item: vscode.TestItem): void => {
      if (left.has(item)) return;
      if (item.children.size === 0) found.push(item);
      else
        item.children.forEach((child) => {
          add(child);
        });
    };
    if (request.include === undefined)
      this.controller.items.forEach((item) => {
        add(item);
      });
    else request.include.forEach(add);
    return found;
  }
}

/** The text that is open in an editor, which may not have been saved. */
function openText(uri: vscode.Uri): { text?: string } {
  const open = vscode.workspace.textDocuments.find((d) => d.uri.toString() === uri.toString());
  return open === undefined ? {} : { text: open.getText() };
}

function linesFor(report: {
  loss: { text: string };
  gradient: { text: string };
  check: { sentence: string };
}): string {
  return crlf(`L = ${report.loss.text}\n${report.gradient.text}\n${report.check.sentence}`);
}

/** As a terminal wants it. */
function crlf(text: string): string {
  return text.replace(/\r?\n/g, "\r\n");
}
