/**
 * Which loss: one list to choose from, or to type a call into. It opens at once; what has to be computed
 * (which catalogue losses come nearest) or looked for (losses of other files) comes in later.
 */
import * as vscode from "vscode";
import type { CallReading } from "../../session/callReading.ts";
import type { CatalogueItem } from "../../report/catalogue.ts";
import type { CatalogueResponse, NearLoss } from "../../session/inline/protocol.ts";
import { type Comparable, comparableLosses, distinct, lossesOfWorkspace } from "./comparable.ts";
import { type InlineDocuments, keyOf } from "./documents.ts";
import type { Target } from "./target.ts";

/** What a loss is compared with. */
export type Other =
  | { readonly kind: "catalogue"; readonly call: string }
  | { readonly kind: "loss"; readonly loss: Comparable };

/** What is asked, and what may be answered besides losses. */
export interface LossQuestion<Extra> {
  readonly title: string;
  readonly placeholder: string;
  /** The loss that the chosen one is for, which is not offered; the catalogue is ranked by it. */
  readonly target: Target | null;
  /** The box closes when it ends in null: there is nothing to choose for. */
  readonly derivation: Promise<unknown>;
  /** Where the last choice is kept. */
  readonly lastKey: string;
  readonly lastTitle: string;
  /** The text that is typed as something else than a call. */
  readonly typed?: (text: string) => Answer<Extra> | null;
  /** Answers that stand above the losses. */
  readonly first?: readonly Answer<Extra>[];
}

export interface Answer<Extra> {
  readonly label: string;
  readonly description?: string;
  readonly detail?: string;
  readonly icon: string;
  readonly value: Extra;
}

interface Item<Extra> extends vscode.QuickPickItem {
  /** Absent where choosing it only changes what is typed, or nothing. */
  readonly other?: Other | Extra;
  /** What to have in the box instead, when it is chosen. */
  readonly text?: string;
}

const LAST = "dice-gradient.comparedWith";

/** Nothing else but a loss can be answered. */
type Only = never;
const EDIT: vscode.QuickInputButton = {
  iconPath: new vscode.ThemeIcon("edit"),
  tooltip: "Type its arguments",
};

/**
 * The other loss of a comparison. Null when the user leaves without a choice. The choice is
 * remembered for the next time.
 * @param of a loss of the user's and its derivation, or the name of one of the catalogue
 */
export function pickOther(
  documents: InlineDocuments,
  memory: vscode.Memento,
  of: { readonly target: Target; readonly derivation: Promise<unknown> } | string,
): Promise<Other | null> {
  return pickLoss<Only>(documents, memory, {
    title: `Compare ${typeof of === "string" ? of : of.target.name} with`,
    placeholder: "Choose a loss, or type a call: monai.losses.DiceLoss(sigmoid=True)",
    ...(typeof of === "string" ? { target: null, derivation: Promise.resolve(of) } : of),
    lastKey: LAST,
    lastTitle: "last compared with",
  });
}

/** The same for any question. */
export function pickLoss<Extra>(
  documents: InlineDocuments,
  memory: vscode.Memento,
  question: LossQuestion<Extra>,
): Promise<Other | Extra | null> {
  return new LossPicker(documents, memory, question).pick();
}

class LossPicker<Extra> {
  private readonly documents: InlineDocuments;
  private readonly question: LossQuestion<Extra>;
  private readonly memory: vscode.Memento;
  private readonly box = vscode.window.createQuickPick<Item<Extra>>();
  private readonly searching = new vscode.CancellationTokenSource();
  private readonly disposables: { dispose(): unknown }[] = [this.box, this.searching];
  private nearest: readonly NearLoss[] | null = null;
  private complete = false;
  private catalogue: readonly CatalogueItem[] = [];
  private losses: readonly Comparable[] = [];
  private reading: { readonly text: string; readonly reading: CallReading } | null = null;
  /** Items stay the same objects, so that the one in focus keeps it while others come in. */
  private readonly known = new Map<string, Item<Extra>>();
  /** Enter was pressed before the text was read, or the losses were found that it names. */
  private isAccepting = false;
  private isSearched = false;
  private resolve: (other: Other | Extra | null) => void = () => undefined;

  constructor(documents: InlineDocuments, memory: vscode.Memento, question: LossQuestion<Extra>) {
    this.documents = documents;
    this.memory = memory;
    this.question = question;
  }

  async pick(): Promise<Other | Extra | null> {
    const { box } = this;
    const { title, placeholder, target, derivation, lastKey } = this.question;
    box.title = title;
    box.placeholder = placeholder;
    box.busy = target !== null;
    box.ignoreFocusOut = true;
    box.keepScrollPosition = true;
    const chosen = new Promise<Other | Extra | null>((resolve) => {
      this.resolve = resolve;
      this.disposables.push(
        this.documents.onCatalogue((r) => {
          this.receive(r);
        }),
        box.onDidChangeValue((text) => {
          this.read(text);
        }),
        box.onDidAccept(() => {
          this.accept();
        }),
        box.onDidTriggerItemButton(({ item }) => {
          if (isCatalogue(item.other)) this.write(item.other.call.replace(/\)$/, ""));
        }),
        box.onDidHide(() => {
          resolve(null);
        }),
      );
      void derivation.then((derived) => {
        if (derived === null) resolve(null);
      });
    });
    this.show();
    box.show();
    this.documents.ask({ kind: "catalogue" });
    if (target !== null) {
      const rank = keyOf(target.document);
      void derivation.then(() => {
        this.documents.ask({ kind: "nearest", document: rank, name: target.name });
      });
    }
    void this.findLosses();
    try {
      const other = await chosen;
      if (other !== null) await this.memory.update(lastKey, other);
      return other;
    } finally {
      this.searching.cancel();
      this.documents.ask({ kind: "no-nearest" });
      for (const d of this.disposables) d.dispose();
    }
  }

  private async findLosses(): Promise<void> {
    const { token } = this.searching;
    const own = await comparableLosses(this.documents, this.question.target);
    this.learn(own);
    const all = distinct([...own, ...(await lossesOfWorkspace(token))]);
    this.isSearched = true;
    this.learn(all);
  }

  private learn(losses: readonly Comparable[]): void {
    if (this.searching.token.isCancellationRequested) return;
    this.losses = losses;
    this.show();
    if (this.isAccepting) this.accept();
  }

  private receive(r: CatalogueResponse): void {
    if (r.kind === "catalogue") this.catalogue = r.items;
    else if (r.kind === "read-call") {
      if (r.text !== this.box.value) return;
      this.reading = r;
    } else {
      const { target } = this.question;
      const isMine = target?.name === r.name && keyOf(target.document) === r.document;
      if (!isMine) return;
      this.nearest = r.losses;
      this.complete = r.complete;
      this.box.busy = !r.complete;
    }
    this.show();
    if (this.isAccepting && r.kind === "read-call") this.accept();
  }

  private read(text: string): void {
    this.isAccepting = false;
    if (text.trim() === "") this.show();
    else this.documents.ask({ kind: "read-call", text });
  }

  private write(text: string): void {
    this.box.value = text;
    this.read(text);
  }

  private accept(): void {
    const text = this.box.value;
    this.isAccepting = text.trim() !== "" && this.reading?.text !== text;
    if (this.isAccepting) return;
    // Items that came just now have not taken the focus yet.
    const [active] = this.box.activeItems;
    const { items } = this.box;
    const item =
      active !== undefined && items.includes(active)
        ? active
        : items.find((i) => i.kind !== SEPARATOR);
    if (item?.text !== undefined) this.write(item.text);
    else if (item?.other !== undefined) this.resolve(item.other);
    else this.isAccepting = !this.isSearched;
  }

  private show(): void {
    const { box } = this;
    const [before] = box.activeItems;
    const wasMoved = before !== undefined && before !== box.items.find((i) => i.kind !== SEPARATOR);
    const isEmpty = box.value.trim() === "";
    box.items = isEmpty ? this.everything() : this.fitting();
    if (isEmpty && wasMoved && box.items.includes(before)) box.activeItems = [before];
  }

  private everything(): Item<Extra>[] {
    const last = this.memory.get<Other>(this.question.lastKey);
    const { losses, catalogue, nearest } = this;
    const near = this.complete && nearest?.length === 0 ? "" : "nearest in the catalogue";
    return [
      ...(this.question.first ?? []).map((x) => this.extraItem(x)),
      ...titled(this.question.lastTitle, isOther(last) ? [this.lastItem(last)] : []),
      ...titled(
        near,
        (nearest ?? []).map((n) => this.nearItem(n)),
      ),
      ...titled(
        "your losses",
        losses.map((l) => this.lossItem(l)),
      ),
      ...titled(
        "catalogue",
        catalogue.map((c) => this.catalogueItem(c)),
      ),
    ];
  }

  /** For what is typed: the call itself, what may follow, and the losses that have the words. */
  private fitting(): Item<Extra>[] {
    const text = this.box.value.trim();
    const { reading } = this.reading ?? {};
    const words = text.toLowerCase().split(/[\s,()]+/);
    const has = (...texts: string[]): boolean =>
      words.every((w) => texts.some((t) => t.toLowerCase().includes(w)));
    const byId = new Map(this.catalogue.map((c) => [c.id, c]));
    const found = (text.includes("(") ? [] : (reading?.found ?? [])).flatMap((id) => {
      const item = byId.get(id);
      return item === undefined ? [] : [this.catalogueItem(item)];
    });
    const known = [
      ...this.losses.filter((l) => has(l.name, l.detail)).map((l) => this.lossItem(l)),
      ...(this.nearest ?? [])
        .filter((n) => has(n.call, n.title, n.library))
        .map((n) => this.nearItem(n)),
      ...found,
    ];
    // The name of a loss of the user's is no mistake for not being in the catalogue.
    const isMeant = known.length > 0 && reading?.call === null && !text.includes("(");
    const extra = this.question.typed?.(text) ?? null;
    return [
      ...(extra === null ? [] : [this.extraItem(extra)]),
      ...(reading === undefined || isMeant || extra !== null ? [] : typedItems(text, reading)),
      ...known,
    ];
  }

  private extraItem({ icon, value, ...shown }: Answer<Extra>): Item<Extra> {
    return this.kept(`extra ${shown.label}`, {
      ...shown,
      iconPath: new vscode.ThemeIcon(icon),
      other: value,
    });
  }

  private lastItem(other: Other): Item<Extra> {
    const label = other.kind === "catalogue" ? other.call : other.loss.name;
    return this.kept(`last ${label}`, {
      label,
      description: other.kind === "catalogue" ? "" : other.loss.detail,
      iconPath: new vscode.ThemeIcon("history"),
      other,
      ...(other.kind === "catalogue" ? { buttons: [EDIT] } : {}),
    });
  }

  private nearItem({ call, title, library, differences }: NearLoss): Item<Extra> {
    const distance =
      differences === 0
        ? "the same function"
        : `differs in ${String(differences)} ${differences === 1 ? "thing" : "things"}`;
    return this.kept(`near ${call} ${distance}`, {
      label: call,
      description: distance,
      detail: `${title}, ${library}`,
      iconPath: new vscode.ThemeIcon(differences === 0 ? "check" : "book"),
      buttons: [EDIT],
      other: { kind: "catalogue", call },
    });
  }

  private lossItem(loss: Comparable): Item<Extra> {
    return this.kept(`loss ${loss.uri} ${loss.name}`, {
      label: loss.name,
      description: loss.detail,
      iconPath: new vscode.ThemeIcon("symbol-function"),
      other: { kind: "loss", loss },
    });
  }

  private catalogueItem(c: CatalogueItem): Item<Extra> {
    const call = `${c.id}()`;
    return this.kept(`catalogue ${c.id}`, {
      label: c.id,
      description: `${c.title}, ${c.library}`,
      iconPath: new vscode.ThemeIcon("book"),
      buttons: [EDIT],
      other: { kind: "catalogue", call },
      // What it must be told is typed first.
      ...(c.parameters.every((p) => p.default !== null) ? {} : { text: `${c.id}(` }),
    });
  }

  private kept(key: string, item: Item<Extra>): Item<Extra> {
    const known = this.known.get(key) ?? { ...item, alwaysShow: true };
    this.known.set(key, known);
    return known;
  }
}

const SEPARATOR = vscode.QuickPickItemKind.Separator;

function isOther(value: unknown): value is Other {
  const kind = (value as Partial<Other> | undefined)?.kind;
  return kind === "catalogue" || kind === "loss";
}

function isCatalogue(value: unknown): value is Other & { readonly kind: "catalogue" } {
  return isOther(value) && value.kind === "catalogue";
}

function titled<Extra>(title: string, items: readonly Item<Extra>[]): Item<Extra>[] {
  return items.length === 0 ? [] : [{ label: title, kind: SEPARATOR }, ...items];
}

/** The call as it is typed, or what is wrong with it; then what may follow. */
function typedItems(text: string, reading: CallReading): Item<never>[] {
  const { call, about, problem, completions } = reading;
  const own: Item<never>[] =
    call !== null
      ? [
          {
            label: text,
            description: "compare with this call",
            ...(about === null ? {} : { detail: about }),
            iconPath: new vscode.ThemeIcon("check"),
            other: { kind: "catalogue", call },
          },
        ]
      : problem !== null
        ? [{ label: text, detail: problem, iconPath: new vscode.ThemeIcon("error") }]
        : [];
  const next = completions.map((c): Item<never> => ({
    label: c.label,
    description: c.about,
    iconPath: new vscode.ThemeIcon("symbol-parameter"),
    text: c.text,
  }));
  return [...own, ...next].map((item) => ({ ...item, alwaysShow: true }));
}
