// Finds a Chromium-based browser on this machine.
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

const names = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "msedge"];
const places = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
  "C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe",
];

/** The path of a program on the PATH, if it is there.
 * @param {string} name */
export function onPath(name) {
  const endings = process.platform === "win32" ? [".cmd", ".exe", ""] : [""];
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    for (const ending of endings) {
      const file = join(folder, name + ending);
      if (folder !== "" && existsSync(file)) return file;
    }
  }
  return undefined;
}

/** The browser named by DICE_GRADIENT_BROWSER, or the first that is installed. */
export function findBrowser() {
  const wanted = process.env["DICE_GRADIENT_BROWSER"];
  if (wanted !== undefined && wanted !== "") return wanted;
  for (const name of names) {
    const file = onPath(name);
    if (file !== undefined) return file;
  }
  return places.find((place) => existsSync(place));
}

/** Switches for a headless browser that stays within this machine. */
export const browserSwitches = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // Chromium's own sandbox refuses to run as root.
  ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
];
