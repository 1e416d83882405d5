import { builtinModules } from "node:module";
import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";

/**
 * The rooms of src/ and the rooms that each may import. This table is the only place where the
 * directions are written; everything below is derived from it.
 * @type {Record<string, string[]>}
 */
const rooms = {
  expression: [],
  arrays: [],
  formula: ["expression"],
  python: ["expression"],
  numbers: ["expression"],
  losses: ["expression"],
  gradient: ["expression", "numbers"],
  explain: ["expression", "gradient", "numbers", "losses"],
  report: ["expression", "formula", "python", "gradient", "numbers", "arrays", "losses", "explain"],
  session: [
    "expression",
    "formula",
    "python",
    "gradient",
    "numbers",
    "arrays",
    "losses",
    "explain",
    "report",
  ],
  typeset: [],
  renderer: [], // and the types of report/, see below
  editor: ["session", "report", "arrays", "explain", "typeset"],
  cli: ["session", "report", "arrays", "explain"],
};

/** Rooms that are bound to Node: everything else must run in a worker and in a browser too. */
const nodeRooms = ["editor", "cli"];

const nodeBuiltin = `^(node:|(${builtinModules.filter((name) => !name.startsWith("_")).join("|")})(/|$))`;

/** The import patterns forbidden in a room.
 * @param {string} room @param {{ node: boolean }} options */
function forbiddenImports(room, { node }) {
  const allowed = rooms[room] ?? [];
  const others = Object.keys(rooms).filter((name) => name !== room && !allowed.includes(name));
  /** @type {{ regex: string, message: string, allowTypeImports?: boolean }[]} */
  const patterns = [];
  const closed = others.filter((name) => !(room === "renderer" && name === "report"));
  patterns.push({
    regex: `^(\\.\\./)+(${closed.join("|")})/`,
    message: `src/${room}/ may import only: ${allowed.join(", ") || "nothing of ours"}.`,
  });
  if (room === "renderer") {
    patterns.push({
      regex: "^(\\.\\./)+report/",
      message: "The renderer may import only the types of the report.",
      allowTypeImports: true,
    });
  }
  if (room !== "editor") {
    patterns.push({ regex: "^vscode$", message: "Only src/editor/ may import vscode." });
  }
  if (!node) {
    patterns.push({
      regex: nodeBuiltin,
      message: "Node's modules belong in *.node.ts files, src/cli/ and src/editor/.",
    });
    patterns.push({
      regex: "\\.node\\.ts$",
      message: "This file must run in a browser; a *.node.ts file does not.",
    });
  }
  return patterns;
}

/** The lint settings of one room: one for its ordinary files, one for its *.node.ts files.
 * @param {string} room
 * @returns {import("eslint").Linter.Config[]} */
function roomConfigs(room) {
  const inNode = nodeRooms.includes(room);
  /** @returns {import("eslint").Linter.RulesRecord} */
  const restrict = (/** @type {boolean} */ node) => ({
    "@typescript-eslint/no-restricted-imports": [
      "error",
      { patterns: forbiddenImports(room, { node }) },
    ],
  });
  return [
    {
      files: [`src/${room}/**/*.ts`],
      rules: {
        ...restrict(inNode),
        ...(inNode
          ? {}
          : {
              "no-restricted-globals": ["error", "process", "Buffer", "require", "__dirname"],
              "no-restricted-syntax": [
                "error",
                {
                  selector: "ImportExpression[source.value=/^node:/]",
                  message: "Node's modules belong in *.node.ts files.",
                },
              ],
            }),
      },
    },
    {
      files: [`src/${room}/**/*.node.ts`],
      rules: {
        ...restrict(true),
        "no-restricted-globals": "off",
        "no-restricted-syntax": "off",
      },
    },
  ];
}

export default defineConfig(
  globalIgnores(["dist/", "out/", ".cache/", ".vscode-test/", "node_modules/", "**/*.py"]),
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      // noUncheckedIndexedAccess types array[i] as possibly undefined; in a numeric loop whose
      // bound is the array's own length, `array[i]!` says what is known and costs nothing.
      "@typescript-eslint/no-non-null-assertion": "off",
      // Numbers are what this project prints.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
      "@typescript-eslint/no-unused-vars": [
        "error",
        { argsIgnorePattern: "^_", varsIgnorePattern: "^_", ignoreRestSiblings: true },
      ],
      "no-eval": "error",
      eqeqeq: "error",
    },
  },
  Object.keys(rooms).flatMap((room) => roomConfigs(room)),
  {
    files: ["**/*.mjs"],
    rules: {
      // A JSDoc type on a declaration is how plain JavaScript states a type; the rule sees only the
      // `any` on its right.
      "@typescript-eslint/no-unsafe-assignment": "off",
    },
  },
  {
    files: ["test/**/*.ts"],
    rules: {
      // Mocha's describe and it return what their callbacks return.
      "@typescript-eslint/no-floating-promises": "off",
    },
  },
);
