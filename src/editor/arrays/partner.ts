/** The other array, where only one was picked: from the same place, an open editor, a file, or made. */
import * as vscode from "vscode";
import { roleOfPicked } from "./describe.ts";
import type { ArrayOffer, PickedArray } from "./pickedArray.ts";

/** Random values that fit the loss, see `made.ts`. */
export type Partner = PickedArray | "made";

interface Item extends vscode.QuickPickItem {
  readonly pick?: () => Promise<Partner | null>;
}

/** Where arrays can be had from. */
export interface PartnerSources {
  /** Of the same place. */
  readonly near: () => Promise<readonly ArrayOffer[]>;
  readonly openEditors: () => Promise<readonly ArrayOffer[]>;
  readonly files: () => Promise<readonly ArrayOffer[]>;
}

/** Where it is kept that the other array was made last time. */
const MADE_LAST = "dice-gradient.check.made";

/** Null when the user leaves. The list opens at once, and what is looked for comes in. */
export async function pickPartner(
  picked: PickedArray,
  sources: PartnerSources,
  memory: vscode.Memento,
): Promise<Partner | null> {
  const missing = roleOfPicked(picked) === "target" ? "prediction" : "target";
  const box = vscode.window.createQuickPick<Item>();
  box.title = `Check Dice Gradient: the ${missing} for ${picked.name}`;
  box.placeholder = `Which array is the ${missing}?`;
  box.matchOnDescription = true;
  box.ignoreFocusOut = true;
  box.busy = true;
  const made: Item = {
    label: `Random ${missing}`,
    description: "made to fit the loss, the same every time",
    iconPath: new vscode.ThemeIcon("wand"),
    pick: () => Promise.resolve("made"),
  };
  const groups: { title: string; items: Item[] }[] = [
    { title: "in the same place", items: [] },
    { title: "in open editors", items: [] },
    { title: "made", items: [made] },
    { title: "files of the workspace", items: [] },
  ];
  const wasMade = memory.get<boolean>(MADE_LAST) === true;
  const show = (): void => {
    const [before] = box.activeItems;
    // What lies beside the picked one comes first in any case: it was most likely made for it.
    const isMadeFirst = wasMade && groups[0]!.items.length === 0;
    const ordered = isMadeFirst ? [groups[2]!, groups[1]!, groups[3]!] : groups;
    box.items = ordered.flatMap(({ title, items }) =>
      items.length === 0
        ? []
        : [{ label: title, kind: vscode.QuickPickItemKind.Separator }, ...items],
    );
    if (before !== undefined && box.items.includes(before)) box.activeItems = [before];
  };
  const fill = async (k: number, offers: () => Promise<readonly ArrayOffer[]>): Promise<void> => {
    groups[k]!.items = (await offers()).map(itemOf);
    show();
  };
  show();
  try {
    // What is near is there before anything can be chosen, so that Enter takes the first of it.
    await fill(0, sources.near);
    box.activeItems = box.items.filter((i) => i.pick !== undefined).slice(0, 1);
    const chosen = new Promise<Item | null>((resolve) => {
      box.onDidAccept(() => {
        const [item] = box.activeItems;
        if (item?.pick !== undefined) resolve(item);
      });
      box.onDidHide(() => {
        resolve(null);
      });
    });
    box.show();
    void Promise.all([fill(1, sources.openEditors), fill(3, sources.files)]).then(() => {
      box.busy = false;
    });
    const item = await chosen;
    if (item?.pick === undefined) return null;
    await memory.update(MADE_LAST, item === made);
    box.hide();
    return await item.pick();
  } finally {
    box.dispose();
  }
}

function itemOf(offer: ArrayOffer): Item {
  return {
    label: offer.name,
    description: offer.description,
    iconPath: new vscode.ThemeIcon("symbol-array"),
    ...(offer.detail === undefined ? {} : { detail: offer.detail }),
    pick: () => offer.pick(),
  };
}
