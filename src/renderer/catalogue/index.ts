/** Entry point of the catalogue's page: *Browse Dice Losses*. */
import type { CatalogueMessage, CatalogueRequest, CatalogueState } from "../../report/catalogue.ts";
import { CataloguePage } from "./page.ts";

interface Host {
  postMessage(request: CatalogueRequest): void;
  getState(): CatalogueState | undefined;
  setState(state: CatalogueState): void;
}

declare function acquireVsCodeApi(): Host;

const host = acquireVsCodeApi();
const page = new CataloguePage(document.body, host.getState() ?? { text: "", id: null }, {
  ask: (request) => {
    host.postMessage(request);
  },
  keep: (state) => {
    host.setState(state);
  },
});
window.addEventListener("message", (event: MessageEvent<CatalogueMessage>) => {
  page.receive(event.data);
});
page.start();
