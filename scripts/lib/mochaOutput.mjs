// What Mocha's reporter printed, over one or several runs, without colours.

/** The tests that it counted.
 * @param {string} output @param {"passing" | "failing" | "pending"} what */
export function count(output, what) {
  let total = 0;
  for (const match of output.matchAll(new RegExp(`^ {2}(\\d+) ${what}\\b`, "gm"))) {
    total += Number(match[1]);
  }
  return total;
}

/** The tests that failed and why, as they are listed at the end of each run.
 * @param {string} output */
export function failures(output) {
  /** @type {string[]} */
  const lines = [];
  let inList = false;
  for (const line of output.split("\n")) {
    if (/^ {2}\d+ failing\b/.test(line)) inList = true;
    // The first suite of the next run.
    else if (/^ {2}(?!\d+\) )\S/.test(line)) inList = false;
    else if (inList) lines.push(line);
  }
  return lines
    .join("\n")
    .replaceAll(/\n{3,}/g, "\n\n")
    .trimEnd();
}
