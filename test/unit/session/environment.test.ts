import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, posix, win32 } from "node:path";
import {
  type Machine,
  activeInterpreter,
  sitePackagesOf,
  thisMachine,
} from "../../../src/session/environment.node.ts";

/** Folders and files as they lie after `python -m venv`, `apt install`, …; names ending in / are folders. */
function lay(root: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    const path = join(root, name);
    mkdirSync(name.endsWith("/") ? path : dirname(path), { recursive: true });
    if (!name.endsWith("/")) writeFileSync(path, text);
  }
}

/** A computer of another kind that holds these files. */
function machine(
  platform: Machine["platform"],
  files: Readonly<Record<string, string>>,
  more: Partial<Machine> = {},
): Machine {
  const path = platform === "win32" ? win32 : posix;
  const has = (p: string): boolean => Object.hasOwn(files, p);
  const below = (folder: string): string[] =>
    Object.keys(files).flatMap((f) =>
      f.startsWith(folder + path.sep) ? [f.slice(folder.length + 1)] : [],
    );
  return {
    platform,
    environment: {},
    home: platform === "win32" ? "C:\\Users\\ada" : "/home/ada",
    isFile: has,
    isFolder: (p) => below(p).length > 0,
    list: (folder) => [...new Set(below(folder).map((f) => f.split(path.sep)[0]!))],
    read: (p) => files[p] ?? null,
    resolved: (p) => p,
    ...more,
  };
}

describe("the installed packages of an interpreter", () => {
  let root = "";
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "dice-environment-"));
  });
  afterEach(() => {
    rmSync(root, { recursive: true });
  });
  const relative = (folders: readonly string[]): string[] =>
    folders.map((f) => f.replace(`${root}/`, ""));

  it("are those of its virtual environment, also where it is a link to another Python", () => {
    lay(root, {
      "base/bin/python3.11": "",
      "base/lib/python3.11/site-packages/": "",
      "venv/pyvenv.cfg": `home = ${root}/base/bin\nversion = 3.11.7\ninclude-system-site-packages = false\n`,
      "venv/lib/python3.11/site-packages/": "",
      "venv/bin/": "",
    });
    symlinkSync(join(root, "base/bin/python3.11"), join(root, "venv/bin/python"));
    const expected = ["venv/lib/python3.11/site-packages"];
    assert.deepEqual(relative(sitePackagesOf(join(root, "venv/bin/python"))), expected);
    assert.deepEqual(relative(sitePackagesOf(join(root, "venv"))), expected);
  });

  it("include the system's where the environment says so", () => {
    lay(root, {
      "base/bin/python3": "",
      "base/lib/python3.10/site-packages/": "",
      "base/lib/python3.12/site-packages/": "",
      "venv/pyvenv.cfg": `home = ${root}/base/bin\ninclude-system-site-packages = true\nversion_info = 3.12.1.final.0\n`,
      "venv/lib/python3.12/site-packages/": "",
      "venv/bin/python3": "",
    });
    assert.deepEqual(
      relative(sitePackagesOf(join(root, "venv/bin/python3"))).filter((f) => !f.startsWith("/")),
      ["venv/lib/python3.12/site-packages", "base/lib/python3.12/site-packages"],
    );
  });

  it("include what .pth files add, but never the code in them", () => {
    lay(root, {
      "venv/pyvenv.cfg": "version = 3.11.7\n",
      "venv/bin/python": "",
      "venv/lib/python3.11/site-packages/a.pth": `# a note\n${root}/checkout\nimport os; os.system("boom")\nsub\nnowhere\n`,
      "venv/lib/python3.11/site-packages/sub/": "",
      "venv/lib/python3.11/site-packages/__editable___lossy_1_0_finder.py": `from __future__ import annotations\nMAPPING: dict[str, str] = {'lossy': '${root}/work/lossy', 'other': '${root}/work/renamed'}\nNAMESPACES: dict[str, list[str]] = {}\n`,
      "checkout/": "",
      "work/lossy/": "",
    });
    assert.deepEqual(relative(sitePackagesOf(join(root, "venv/bin/python"))), [
      "venv/lib/python3.11/site-packages",
      "work",
      "checkout",
      "venv/lib/python3.11/site-packages/sub",
    ]);
  });

  it("are found behind a shim of pyenv", () => {
    lay(root, {
      "pyenv/shims/python3": "#!/usr/bin/env bash\n",
      "pyenv/version": "3.12.1\n3.8.18\n",
      "pyenv/versions/3.12.1/bin/python3": "",
      "pyenv/versions/3.12.1/lib/python3.12/site-packages/": "",
    });
    const found = sitePackagesOf(join(root, "pyenv/shims/python3"), {
      ...thisMachine,
      environment: {},
    });
    assert.deepEqual(
      relative(found).filter((f) => !f.startsWith("/")),
      ["pyenv/versions/3.12.1/lib/python3.12/site-packages"],
    );
  });

  it("of Debian's Python lie in dist-packages too", () => {
    const m = machine(
      "linux",
      {
        "/usr/bin/python3.11": "",
        "/usr/lib/python3.11/os.py": "",
        "/usr/lib/python3/dist-packages/numpy/__init__.py": "",
        "/usr/local/lib/python3.11/dist-packages/monai/__init__.py": "",
        "/home/ada/.local/lib/python3.11/site-packages/kornia/__init__.py": "",
      },
      { resolved: (p) => (p === "/usr/bin/python3" ? "/usr/bin/python3.11" : p) },
    );
    assert.deepEqual(sitePackagesOf("/usr/bin/python3", m), [
      "/home/ada/.local/lib/python3.11/site-packages",
      "/usr/local/lib/python3.11/dist-packages",
      "/usr/lib/python3/dist-packages",
    ]);
  });

  it("of conda lie under its prefix", () => {
    const files = {
      "/opt/conda/envs/seg/bin/python3": "",
      "/opt/conda/envs/seg/bin/python3.10": "",
      "/opt/conda/envs/seg/lib/python3.10/site-packages/torch/__init__.py": "",
    };
    const m = machine("linux", files, {
      environment: { CONDA_PREFIX: "/opt/conda/envs/seg", PATH: "/usr/bin" },
    });
    assert.equal(activeInterpreter(m), "/opt/conda/envs/seg/bin/python3");
    assert.deepEqual(sitePackagesOf("/opt/conda/envs/seg/bin/python3", m), [
      "/opt/conda/envs/seg/lib/python3.10/site-packages",
    ]);
  });

  it("on Windows lie in Lib, for an installation, its user and an environment", () => {
    const python = "C:\\Users\\ada\\AppData\\Local\\Programs\\Python\\Python312";
    const files = {
      [`${python}\\python.exe`]: "",
      [`${python}\\python312.dll`]: "",
      [`${python}\\Lib\\site-packages\\numpy\\__init__.py`]: "",
      "C:\\Users\\ada\\AppData\\Roaming\\Python\\Python312\\site-packages\\monai\\__init__.py": "",
      "C:\\work\\.venv\\pyvenv.cfg": `home = ${python}\r\ninclude-system-site-packages = false\r\nversion = 3.12.4\r\n`,
      "C:\\work\\.venv\\Scripts\\python.exe": "",
      "C:\\work\\.venv\\Lib\\site-packages\\torch\\__init__.py": "",
      "C:\\work\\.venv\\Lib\\site-packages\\mine.pth": "C:\\work\\src\r\n",
      "C:\\work\\src\\mine\\__init__.py": "",
    };
    const m = machine("win32", files, {
      environment: { APPDATA: "C:\\Users\\ada\\AppData\\Roaming", PATH: `C:\\Windows;${python}` },
    });
    assert.equal(activeInterpreter(m), `${python}\\python.exe`);
    assert.deepEqual(sitePackagesOf(`${python}\\python.exe`, m), [
      "C:\\Users\\ada\\AppData\\Roaming\\Python\\Python312\\site-packages",
      `${python}\\Lib\\site-packages`,
    ]);
    assert.deepEqual(sitePackagesOf("C:\\work\\.venv\\Scripts\\python.exe", m), [
      "C:\\work\\.venv\\Lib\\site-packages",
      "C:\\work\\src",
    ]);
  });

  it("are none where there is no interpreter", () => {
    assert.deepEqual(sitePackagesOf(join(root, "nothing/bin/python")), []);
    assert.equal(activeInterpreter(machine("linux", {})), null);
  });
});
