// Builds every bundle of the extension into dist/.
//   node esbuild.mjs               development build with source maps
//   node esbuild.mjs --watch       the same, rebuilt on every change
//   node esbuild.mjs --production  minified, without source maps: what `vsce package` ships
import * as esbuild from "esbuild";
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { noticesOf } from "./scripts/lib/notices.mjs";

const root = dirname(fileURLToPath(import.meta.url));
const dist = join(root, "dist");
const production = process.argv.includes("--production");
const watch = process.argv.includes("--watch");

/** Lets CommonJS dependencies inside an ES module bundle call `require` for Node's own modules. */
const requireBanner =
  'import { createRequire as __createRequire } from "node:module";\n' +
  "const require = __createRequire(import.meta.url);";

/** @type {import("esbuild").BuildOptions} */
const common = {
  absWorkingDir: root,
  bundle: true,
  minify: production,
  sourcemap: !production,
  legalComments: production ? "none" : "inline",
  logLevel: "warning",
  metafile: true,
  define: { "process.env.NODE_ENV": production ? '"production"' : '"development"' },
};

/** @type {import("esbuild").BuildOptions} */
const node = { ...common, platform: "node", target: "node20.20" };

/** @type {import("esbuild").BuildOptions} */
const nodeModule = { ...node, format: "esm", banner: { js: requireBanner } };

/**
 * Of MathJax's font only what formulas of losses are made of: Latin and Greek letters, upright and
 * italic, and the signs of calculus and logic. A third of the bundle were glyphs that no formula has;
 * `test/package/typeset.test.ts` holds what is left against the catalogue.
 * @type {import("esbuild").Plugin}
 */
const lettersOfFormulas = {
  name: "letters-of-formulas",
  setup(build) {
    /** @type {readonly (readonly [number, number])[]} */
    const kept = [
      [0x20, 0x36f], // with accents
      [0x370, 0x3ff],
      [0x2000, 0x206f],
      [0x2102, 0x2124], // blackboard bold, ℓ, ℘
      [0x2190, 0x2193],
      [0x2200, 0x22ff],
      [0x2308, 0x230b],
      [0x239b, 0x23b4], // parts of tall brackets
      [0x27e6, 0x27ef],
      [0x1d434, 0x1d467], // italic Latin …
      [0x1d6a4, 0x1d6a5],
      [0x1d6e2, 0x1d71b], // … and Greek
    ];
    const font =
      /mathjax-newcm-font[\\/]mjs[\\/]svg[\\/](normal|bbold|upsmall|uplarge|lf-tp|rt-bt)\.js$/;
    build.onLoad({ filter: font }, async ({ path }) => {
      /** @type {Record<string, Record<string, unknown>>} */
      const glyphs = await import(pathToFileURL(path).href);
      const contents = Object.entries(glyphs).map(([variant, all]) => {
        const some = Object.entries(all).filter(
          ([code]) =>
            variant === "normal" && kept.some(([from, to]) => from <= +code && +code <= to),
        );
        return `export const ${variant} = ${JSON.stringify(Object.fromEntries(some))};`;
      });
      return { contents: contents.join("\n"), loader: "js" };
    });
  },
};

/** @type {import("esbuild").BuildOptions[]} */
const bundles = [
  {
    ...node,
    entryPoints: ["src/editor/extension.ts"],
    outfile: "dist/extension.cjs",
    format: "cjs",
    external: ["vscode"],
  },
  {
    // Workers and the command line with one engine: what they share are files of their own.
    ...nodeModule,
    entryPoints: [
      { in: "src/session/worker.node.ts", out: "worker" },
      { in: "src/session/inline/worker.node.ts", out: "inline" },
      { in: "src/numbers/thread.node.ts", out: "thread" },
      { in: "src/cli/main.ts", out: "cli" },
    ],
    outdir: "dist",
    splitting: true,
    chunkNames: "engine-[hash]",
  },
  {
    ...nodeModule,
    entryPoints: ["src/typeset/worker.node.ts"],
    outfile: "dist/typeset.js",
    plugins: [lettersOfFormulas],
  },
  {
    // Pages with one typesetter: what they share is a file of its own.
    ...common,
    splitting: true,
    chunkNames: "pages-[hash]",
    entryPoints: [
      { in: "src/renderer/index.ts", out: "renderer" },
      { in: "src/renderer/catalogue/index.ts", out: "catalogue" },
    ],
    outdir: "dist",
    platform: "browser",
    format: "esm",
    target: ["chrome128", "firefox128", "safari17"],
  },
];

/**
 * What the extension host bundle must not hold: it is loaded when a notebook opens, and each of
 * these alone costs more than the 50 ms that activation may take. They live in the worker and in
 * the renderer.
 */
const tooHeavyToActivate = ["mathjs", "katex", "web-tree-sitter", "jsdom", "@mathjax"];

/** Fails a build whose extension host bundle has pulled in a heavy package.
 * @type {import("esbuild").Plugin} */
const guardActivation = {
  name: "guard-activation",
  setup(build) {
    build.onEnd((result) => {
      const inputs = Object.keys(result.metafile?.inputs ?? {});
      const errors = tooHeavyToActivate
        .filter((name) => inputs.some((input) => input.startsWith(`node_modules/${name}/`)))
        .map((name) => ({
          text:
            `dist/extension.cjs contains ${name}. Import from the editor room only what talks ` +
            "to the worker; the engine belongs in dist/worker.js.",
        }));
      return { errors };
    });
  },
};

/** KaTeX's fonts for commands that our formulas never use (`\\mathfrak`, `\\mathbf`, …). */
const unusedFont = /KaTeX_(?:Caligraphic|Fraktur|SansSerif|Script|Typewriter|Main-Bold|Math-Bold)/;

/** Copies what the bundles load from beside themselves at run time. */
async function copyAssets() {
  const modules = join(root, "node_modules");
  await cp(
    join(modules, "web-tree-sitter/web-tree-sitter.wasm"),
    join(dist, "web-tree-sitter.wasm"),
  );
  await cp(
    join(modules, "@vscode/tree-sitter-wasm/wasm/tree-sitter-python.wasm"),
    join(dist, "tree-sitter-python.wasm"),
  );
  const katex = join(modules, "katex/dist");
  await mkdir(join(dist, "katex/fonts"), { recursive: true });
  for (const font of await readdir(join(katex, "fonts"))) {
    if (font.endsWith(".woff2") && !unusedFont.test(font)) {
      await cp(join(katex, "fonts", font), join(dist, "katex/fonts", font));
    }
  }
  // Only these fonts are shipped, so the style sheet must not name the others.
  const css = await readFile(join(katex, "katex.min.css"), "utf8");
  await writeFile(
    join(dist, "katex/katex.min.css"),
    css
      .replace(/,url\([^)]*\.(?:woff|ttf)\) format\("[a-z]+"\)/g, "")
      .replace(/@font-face\{[^}]*\}/g, (face) => (unusedFont.test(face) ? "" : face)),
  );
}

const started = performance.now();
await rm(dist, { recursive: true, force: true });
await mkdir(dist, { recursive: true });
await copyAssets();

const options = bundles.map((bundle) =>
  bundle.outfile === "dist/extension.cjs" ? { ...bundle, plugins: [guardActivation] } : bundle,
);

if (watch) {
  // VS Code's background task waits for these two lines (see .vscode/tasks.json).
  let building = 0;
  /** @type {import("esbuild").Plugin} */
  const announce = {
    name: "announce",
    setup(build) {
      build.onStart(() => {
        if (building++ === 0) console.log("[watch] build started");
      });
      build.onEnd(() => {
        if (--building === 0) console.log("[watch] all bundles built");
      });
    },
  };
  const contexts = await Promise.all(
    options.map((bundle) =>
      esbuild.context({ ...bundle, plugins: [...(bundle.plugins ?? []), announce] }),
    ),
  );
  await Promise.all(contexts.map((context) => context.watch()));
} else {
  try {
    const results = await Promise.all(options.map((bundle) => esbuild.build(bundle)));
    for (const { metafile } of results) {
      for (const [file, { bytes }] of Object.entries(metafile?.outputs ?? {})) {
        if (!file.endsWith(".map")) console.log(`${file}  ${(bytes / 1024).toFixed(0)} KiB`);
      }
    }
    const inputs = results.flatMap(({ metafile }) => Object.keys(metafile?.inputs ?? {}));
    await writeFile(
      join(dist, "THIRD-PARTY-NOTICES.txt"),
      await noticesOf(root, inputs, ["web-tree-sitter", "@vscode/tree-sitter-wasm", "katex"]),
    );
    console.log(`built in ${(performance.now() - started).toFixed(0)} ms`);
  } catch (error) {
    // What is wrong with the sources esbuild has printed already, with file and line; what its
    // plugins find is in the error alone.
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
