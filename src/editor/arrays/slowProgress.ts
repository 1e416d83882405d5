/** Progress for work that is mostly too short to speak of. */
import { setTimeout as delay } from "node:timers/promises";
import * as vscode from "vscode";

/** Milliseconds without an end after which a notification appears. */
const SOON = 400;

/** @param share of all the work that is done, from 0 to 1 */
export type Report = (message: string, share?: number) => void;

/**
 * Runs a task, with a notification that tells of its progress and stops it once it takes longer than
 * a moment.
 * @param task is given what it reports to, and what is aborted when it is to stop
 * @throws AbortError when the user stops it, at once, whatever the task is waiting for
 */
export async function withSlowProgress<T>(
  title: string,
  task: (report: Report, stopping: AbortController) => Promise<T>,
): Promise<T> {
  const stopping = new AbortController();
  let latest = { message: "", share: 0 };
  let show = (): void => undefined;
  const running = task((message, share = latest.share) => {
    latest = { message, share };
    show();
  }, stopping);
  const over = running.then(
    () => true,
    () => true,
  );
  if (await Promise.race([over, delay(SOON, false, { ref: false })])) return running;
  return vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title, cancellable: true },
    (progress, token) => {
      let shown = 0;
      show = () => {
        progress.report({ message: latest.message, increment: (latest.share - shown) * 100 });
        shown = latest.share;
      };
      show();
      const stopped = new Promise<never>((_, reject) => {
        token.onCancellationRequested(() => {
          stopping.abort();
          reject(stopping.signal.reason as Error);
        });
      });
      return Promise.race([running, stopped]);
    },
  );
}
