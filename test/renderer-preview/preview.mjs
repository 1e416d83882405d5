// Draws the sample reports in a headless browser under VS Code's themes and leaves pictures of them
// in out/renderer-preview/, for a person to look at:
//   npx tsx test/renderer-preview/preview.mjs [theme…] [--width=900] [--only=torch] [--json=FILE]
// --json draws a report that the command line has printed, as "given".
import * as esbuild from "esbuild";
import { mkdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { chromium } from "playwright-core";
import { browserSwitches, findBrowser } from "../../scripts/lib/browser.mjs";
import { outFolder, root } from "../../scripts/lib/root.mjs";
import * as samples from "../unit/renderer/fixtures.ts";
import { themes } from "./themes.mjs";

const folder = join(outFolder, "renderer-preview");
const origin = "http://preview.localhost";
/** @type {Record<string, string>} */
const types = { ".js": "text/javascript", ".css": "text/css", ".woff2": "font/woff2" };

/** @type {Record<string, object>} */
const reports = {
  small: samples.report(samples.PLAIN, samples.SMALL),
  volume: samples.report(samples.SMOOTH, samples.ball(36, 72)),
  torch: samples.report(samples.TORCH, samples.ball(1, 96)),
  undefined: samples.undefinedReport(),
  comparison: samples.comparison(),
  newer: { schema: "dice-gradient/report/v9" },
  malformed: { schema: "dice-gradient/report/v1", function: 3 },
};

/** Runs in the page: hands an output to the renderer as VS Code does. */
const script = `
  import { activate } from "/renderer.js";
  let state;
  const renderer = activate({
    setState(value) { state = value; },
    getState: () => state,
    workspace: { isTrusted: false },
    postMessage() {},
  });
  globalThis.draw = async (id, value) => {
    const json = JSON.stringify(value);
    const item = { id, json: () => JSON.parse(json), data: () => new TextEncoder().encode(json) };
    const output = document.querySelector("#output");
    await renderer.renderOutputItem(item, output, new AbortController().signal);
    await document.fonts.ready;
  };
  globalThis.ready = true;
`;

const options = process.argv.slice(2).filter((each) => each.startsWith("--"));
const width = Number(options.find((o) => o.startsWith("--width="))?.slice(8) ?? "900");
const only = options.find((o) => o.startsWith("--only="))?.slice(7);
const wanted = process.argv.slice(2).filter((each) => !each.startsWith("--"));

const given = options.find((o) => o.startsWith("--json="))?.slice(7);
if (given !== undefined) reports["given"] = JSON.parse(await readFile(given, "utf8"));

const executablePath = findBrowser();
if (executablePath === undefined) {
  console.log("No Chromium was found, so there are no pictures.");
  process.exit(0);
}
await mkdir(folder, { recursive: true });
await esbuild.build({
  absWorkingDir: root,
  entryPoints: ["src/renderer/index.ts"],
  outfile: join(folder, "renderer.js"),
  bundle: true,
  format: "esm",
  logLevel: "warning",
});

const browser = await chromium.launch({ executablePath, args: browserSwitches });
try {
  for (const [name, theme] of Object.entries(themes)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    await picture(name, theme);
  }
} finally {
  await browser.close();
}

/** @param {string} name @param {typeof themes[string]} theme */
async function picture(name, theme) {
  const page = await browser.newPage({ viewport: { width, height: 800 }, deviceScaleFactor: 1.5 });
  page.on("console", (message) => {
    console.log(`${name}: ${message.text()}`);
  });
  page.on("pageerror", (error) => {
    console.log(`${name}: ${error.stack ?? error.message}`);
  });
  await page.route(`${origin}/**`, async (route) => {
    const path = new URL(route.request().url()).pathname;
    if (path === "/") {
      await route.fulfill({ contentType: "text/html", body: html(theme) });
      return;
    }
    const file = path.startsWith("/katex/")
      ? join(root, "node_modules/katex/dist", path.slice("/katex/".length))
      : join(folder, path);
    await route.fulfill({
      contentType: types[extname(path)] ?? "application/octet-stream",
      body: await readFile(file),
    });
  });
  await page.goto(`${origin}/`);
  await page.waitForFunction("globalThis.ready");
  for (const [which, report] of Object.entries(reports)) {
    if (only !== undefined && which !== only) continue;
    await page.evaluate(`draw(${JSON.stringify(which)}, ${JSON.stringify(report)})`);
    if (which === "torch" || which === "comparison") {
      const first = page.locator("#output summary").first();
      await first.click();
      await page.locator("#output").getByText("Expand all").first().click();
    }
    if (which === "torch") {
      await page
        .locator(".frame")
        .nth(1)
        .hover({ position: { x: 60, y: 60 } });
    }
    await page.waitForTimeout(200);
    const base = `${name}-${which}${width === 900 ? "" : `-${width}`}`;
    await page.screenshot({ path: join(folder, `${base}.png`), fullPage: true });
    const wide = await page.evaluate(
      "document.documentElement.scrollWidth - document.documentElement.clientWidth",
    );
    if (wide !== 0) console.log(`${base}: ${String(wide)} px wider than the window`);
  }
  await page.close();
  console.log(`${name}: pictures in ${folder}`);
}

/** @param {typeof themes[string]} theme */
function html({ kind, classes, variables }) {
  const css = Object.entries(variables)
    .map(([variable, value]) => `${variable}: ${value};`)
    .join(" ");
  return `<!doctype html><html><head><meta charset="utf-8"><style>
    :root { ${css} }
    body { margin: 0; padding: 8px 16px; background: var(--vscode-editor-background);
      color: var(--vscode-foreground); font: 13px sans-serif; }
  </style></head><body class="${classes}" data-vscode-theme-kind="${kind}">
  <div id="output"></div><script type="module">${script}</script></body></html>`;
}
