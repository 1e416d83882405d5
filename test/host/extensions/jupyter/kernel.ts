/** A real kernel as the Jupyter extension hands it to other extensions. */
import type { Kernel, KernelStatus, Output } from "@vscode/jupyter-extension";
import * as vscode from "vscode";
import type { KernelSession } from "../../../oracle/kernelSession.ts";

/** What commands of this stand-in have set. */
export const set = {
  language: "python",
  /** A version without the kernels in its API. */
  isOld: false,
  /** Bytes of one output above which a Jupyter server holds it back. */
  outputLimit: Infinity,
};

/** The real kernel, and what has been asked of it. */
export class AskedKernel {
  readonly session: KernelSession;
  status: KernelStatus = "idle";
  nextNumber = 1;
  private readonly changed = new vscode.EventEmitter<KernelStatus>();
  readonly onDidChangeStatus = this.changed.event;

  constructor(session: KernelSession) {
    this.session = session;
    session.onStatus((status) => {
      this.status = status as KernelStatus;
      this.changed.fire(this.status);
    });
  }
}

/** The frozen object that others get. */
export function asKernel(kernel: AskedKernel): Kernel {
  return Object.freeze({
    language: set.language,
    get status() {
      return kernel.status;
    },
    onDidChangeStatus: kernel.onDidChangeStatus,
    executeCode: (code: string, token: vscode.CancellationToken) => execute(kernel, code, token),
  });
}

/** What the user has answered; null before. */
let access: Promise<boolean> | null = null;

export function forgetAccess(): void {
  access = null;
}

/** Asks once, in the real one's words. */
function isAllowed(): Promise<boolean> {
  access ??= Promise.resolve(
    vscode.window.showInformationMessage(
      "Do you want to grant Kernel access to the extension Dice Gradient Inspector?",
      { modal: true, detail: "This allows the extension to execute code against Jupyter Kernels." },
      "Allow",
      "Deny",
    ),
  ).then((answer) => answer === "Allow");
  return access;
}

async function* execute(
  { session }: AskedKernel,
  code: string,
  token: vscode.CancellationToken,
): AsyncGenerator<Output> {
  if (!(await isAllowed())) {
    const error = new Error("Access to Jupyter Kernel has been revoked");
    error.name = "vscode.jupyter.apiAccessRevoked";
    throw error;
  }
  // A question that is taken back while it waits is never sent, and has no answer.
  const taken = new Promise<null>((resolve) => {
    if (token.isCancellationRequested) resolve(null);
    token.onCancellationRequested(() => {
      resolve(null);
    });
  });
  const outputs = session.execute(code);
  try {
    for (;;) {
      const next = await Promise.race([outputs.next(), taken]);
      if (next === null || next.done === true) return;
      const { items } = next.value;
      const size = items.reduce((sum, { data }) => sum + data.length, 0);
      if (size > set.outputLimit) yield { items: [heldBack()] };
      else yield { items: [...items] };
    }
  } finally {
    void outputs.return(undefined);
  }
}

/** What a Jupyter server sends in place of an output that exceeds its rate. */
function heldBack(): vscode.NotebookCellOutputItem {
  return vscode.NotebookCellOutputItem.stderr(
    "IOPub data rate exceeded.\nThe Jupyter server will temporarily stop sending output\n" +
      "to the client in order to avoid crashing it.\nTo change this limit, set the config variable\n" +
      "`--ServerApp.iopub_data_rate_limit`.\n",
  );
}
