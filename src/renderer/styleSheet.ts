/**
 * Our style sheet. All of it is scoped under one class, since every output of a notebook shares one
 * document, and every colour but those of pictures comes from the theme.
 */
export const STYLE_SHEET = `
.dice-gradient {
  --line: var(--vscode-contrastBorder, var(--vscode-panel-border, rgb(128 128 128 / 35%)));
  --dim: var(--vscode-descriptionForeground, inherit);
  --mono: var(--vscode-editor-font-family, ui-monospace, monospace);
  --good: var(--vscode-testing-iconPassed, #388a34);
  --bad: var(--vscode-testing-iconFailed, var(--vscode-errorForeground, #c72e0f));
  --unsure: var(--vscode-editorWarning-foreground, #bf8803);
  --told: var(--vscode-editorInfo-foreground, #1a85ff);
  --mark: var(--vscode-charts-blue, #1a85ff);
  container-type: inline-size;
  box-sizing: border-box;
  padding: 2px 0 6px;
  font-family: var(--vscode-font-family, system-ui, sans-serif);
  font-size: var(--vscode-font-size, 13px);
  line-height: 1.5;
  color: var(--vscode-foreground, inherit);
  overflow-wrap: break-word;
  /* Nothing in an output, however it is set, is seen outside of it. */
  overflow: clip;
  overflow-clip-margin: 4px;
}
body.vscode-dark .dice-gradient,
body.vscode-high-contrast:not(.vscode-high-contrast-light) .dice-gradient { color-scheme: dark; }
body.vscode-light .dice-gradient {
  --dim: color-mix(in srgb, var(--vscode-descriptionForeground) 80%, var(--vscode-editor-background));
}
body.vscode-light .dice-gradient,
body.vscode-high-contrast-light .dice-gradient { color-scheme: light; }

.dice-gradient {
  & *, & *::before, & *::after { box-sizing: inherit; }
  & .katex, & .katex * { box-sizing: content-box; }
  & [hidden] { display: none !important; }
  & p, & ul, & dl, & dd, & figure, & h3 { margin: 0; padding: 0; }
  & code {
    padding: 0; background: none; color: inherit;
    font-family: var(--mono); font-size: 0.95em;
  }
  & .dim { color: var(--dim); }
  & .unseen {
    position: absolute; width: 1px; height: 1px; margin: -1px; padding: 0; border: 0;
    overflow: hidden; clip-path: inset(50%); white-space: nowrap;
  }
  & :focus-visible { outline: 1px solid var(--vscode-focusBorder, currentColor); outline-offset: 2px; }
  & article { position: relative; display: flex; flex-direction: column; gap: 18px; }
  & .part { display: flex; flex-direction: column; gap: 8px; min-width: 0; }
  & h3 { font-size: 1em; font-weight: 600; line-height: 1.4; }
  & .problem {
    padding: 6px 10px; border-left: 3px solid var(--unsure); max-width: 46em;
  }

  & .icon {
    width: 16px; height: 16px; flex: none; fill: none; stroke: currentColor;
    stroke-width: 1.3; stroke-linecap: round; stroke-linejoin: round;
  }
  & .badge { display: inline-flex; align-items: center; gap: 5px; vertical-align: bottom; white-space: nowrap; }
  & .badge strong { font-weight: 600; }
  & .is-agrees .icon, & .is-equal-check .icon { color: var(--good); }
  & .is-differs .icon, & .is-error .icon, & .is-equal-cross .icon { color: var(--bad); }
  & .is-cannot-be-decided .icon, & .is-undefined .icon, & .is-not-differentiable .icon,
  & .is-warning .icon, & .is-equal-question .icon { color: var(--unsure); }
  & .is-information .icon { color: var(--told); }
  & .is-not-checked .icon { color: var(--dim); }

  & .verdict { display: flex; flex-direction: column; gap: 2px; }
  & .verdict-line, & .diagnostics li { max-width: 60em; padding-left: 21px; }
  & .verdict-line > .badge:first-child, & .diagnostics .badge { margin-left: -21px; }
  & .subject { padding-left: 21px; }
  & .diagnostics { list-style: none; display: flex; flex-direction: column; gap: 6px; }
  & .diagnostics code { margin: 0 2px; color: var(--dim); }

  & .overview { display: grid; gap: 14px 32px; min-width: 0; }
  & .overview > div { min-width: 0; }
  & .formula { overflow: auto hidden; padding: 2px 0; }
  & .formula .katex-display { margin: 6px 0; }
  & .formula .katex-display.fleqn > .katex { padding-left: 0; }
  & .katex { font-size: 1.18em; }
  & .inline-formula .katex { font-size: 1.08em; }
  & .untypeset code { white-space: pre-wrap; overflow-wrap: anywhere; max-height: 20em; overflow: auto; display: block; }
  & span.untypeset code { display: inline; }

  & .facts { display: flex; flex-wrap: wrap; gap: 6px 24px; }
  & .measures { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 2px 16px; margin-top: 10px; }
  & .measures > div { display: contents; }
  & .facts > div { min-width: 0; }
  & .facts dt::first-letter { text-transform: uppercase; }
  & .measures dt { color: var(--dim); }
  & .facts dt { color: var(--dim); font-size: 0.92em; }
  & .facts dd, & .measures dd { font-variant-numeric: tabular-nums; }
  & .loss-value { font-family: var(--mono); font-size: 0.95em; }

  & table { border-collapse: collapse; border: 0; font-size: inherit; color: inherit; background: none; }
  & th, & td { border: 0; padding: 2px 0; vertical-align: baseline; text-align: left; font-weight: normal; background: none; }
  & thead, & tbody, & tr { background: none; }
  & .legend th, & .legend td { padding: 2px 18px 2px 0; vertical-align: baseline; }
  & .legend thead th { color: var(--dim); font-size: 0.92em; }
  & .legend tr > :last-child { padding-right: 0; }

  & .heading { display: flex; flex-wrap: wrap; align-items: center; gap: 2px 12px; }
  & .heading .copy { margin-left: auto; }
  & .bar { display: flex; flex-wrap: wrap; align-items: center; gap: 2px 4px; }
  & .bar > .dim { margin: 0 4px; }
  & .table > .bar { margin-left: -6px; }
  & button {
    margin: 0; padding: 1px 6px; border: 1px solid var(--vscode-contrastBorder, transparent);
    border-radius: 4px; background: none; color: var(--vscode-textLink-foreground, LinkText);
    font: inherit; cursor: pointer;
  }
  & button:hover { background: var(--vscode-toolbar-hoverBackground, rgb(128 128 128 / 20%)); }
  & button:active { background: var(--vscode-toolbar-activeBackground, rgb(128 128 128 / 30%)); }

  & .copy-label { min-width: 3.9em; text-align: right; }
  & .steps { display: flex; flex-direction: column; }
  & summary {
    display: flex; align-items: center; gap: 6px; padding: 3px 6px 3px 2px; border-radius: 4px;
    list-style: none; cursor: pointer;
  }
  & summary::-webkit-details-marker { display: none; }
  & summary:hover { background: var(--vscode-list-hoverBackground, rgb(128 128 128 / 12%)); }
  & summary:focus-visible { outline-offset: -1px; }
  & summary .icon-chevron { color: var(--dim); }
  & details[open] > summary > .icon-chevron { transform: rotate(90deg); }
  & .step-number { color: var(--dim); font-variant-numeric: tabular-nums; min-width: 1.2em; }
  & .step-title { flex: 0 1 auto; min-width: 0; }
  & .step-lines { margin-left: auto; white-space: nowrap; font-size: 0.92em; }
  & .step-body {
    margin: 2px 0 8px 9px; padding: 0 0 2px 34px; border-left: 1px solid var(--line); min-width: 0;
  }
  & .note { max-width: 60em; color: var(--dim); padding-bottom: 2px; }
  & .folded-report > .step-body { padding: 8px 0 8px 20px; }
  & .folded-report > summary { gap: 8px; }

  & .caption { margin-bottom: -2px; }
  & .table { display: flex; flex-direction: column; gap: 6px; min-width: 0; }
  & .table-scroll {
    max-height: 22em; max-width: max-content; overflow: auto;
    border: 1px solid var(--line); border-radius: 4px;
  }
  & .table-scroll.flat { max-height: none; border: 0; }
  & .numbers { font-variant-numeric: tabular-nums; }
  & .numbers th, & .numbers td { padding: 2px 14px; white-space: nowrap; }
  & .numbers td { text-align: right; font-family: var(--mono); font-size: 0.95em; }
  & .numbers td.shape { text-align: left; }
  & .numbers td.words { text-align: left; font-family: inherit; font-size: inherit; white-space: normal; min-width: 18em; }
  & .numbers thead th {
    padding: 3px 14px; color: var(--dim); text-align: right; border-bottom: 1px solid var(--line);
  }
  & .table .numbers th, & .table .numbers td { padding-left: 9px; padding-right: 9px; }
  & .table .numbers thead th {
    position: sticky; top: 0; z-index: 1; padding: 3px 3px;
    border: 0; box-shadow: inset 0 -1px var(--line);
    background-color: var(--vscode-editor-background, Canvas);
    background-image: linear-gradient(
      var(--theme-notebook-output-background, transparent),
      var(--theme-notebook-output-background, transparent)
    );
  }
  & .numbers thead th { vertical-align: middle; }
  & .numbers th:first-child { text-align: left; }
  & .numbers tbody th { font-family: var(--mono); font-size: 0.95em; color: var(--dim); }
  & .numbers th code { font-size: 1em; }
  & .arrays tbody th, & .losses tbody th { color: inherit; }
  & .flat .numbers tr > :first-child { padding-left: 0; }
  & .table .numbers tbody tr:hover { background: var(--vscode-list-hoverBackground, rgb(128 128 128 / 12%)); }
  & .mark { margin-left: 10px; color: var(--dim); font-family: var(--vscode-font-family, sans-serif); }
  & .numbers thead button { display: inline-flex; align-items: center; gap: 2px; border-color: transparent; color: inherit; }
  & .numbers thead .icon { width: 12px; height: 12px; visibility: hidden; transform: rotate(-90deg); }
  & .numbers thead th:not(:first-child) button { flex-direction: row-reverse; }
  & th[aria-sort="ascending"] .icon, & th[aria-sort="descending"] .icon { visibility: visible; }
  & th[aria-sort="descending"] .icon { transform: rotate(90deg); }
  & th[aria-sort="ascending"] button, & th[aria-sort="descending"] button { color: var(--vscode-foreground, inherit); }
  & .numbers thead th.words { text-align: left; }
  & .losses td, & .losses th { padding-block: 5px; }
  & .losses tbody th { white-space: normal; overflow-wrap: anywhere; min-width: 12em; max-width: 22em; }
  & .losses .where { display: block; font-family: var(--vscode-font-family, sans-serif); font-size: 0.92em; }

  & .plots { display: flex; flex-wrap: wrap; gap: 14px 28px; }
  & .plot { flex: 0 1 400px; min-width: 240px; }
  & figcaption { margin-bottom: 4px; color: var(--dim); }
  & .plot svg { display: block; width: 100%; height: auto; overflow: visible; }
  & .plot text { fill: var(--dim); font-size: 11px; font-family: var(--vscode-font-family, sans-serif); }
  & .plot .axis { stroke: var(--vscode-contrastBorder, var(--dim)); stroke-opacity: 0.7; }
  & .plot .grid { stroke: var(--dim); stroke-opacity: 0.18; }
  & .plot .bar-mark { fill: var(--mark); fill-opacity: 0.85; }
  & .plot .diagonal { stroke: var(--dim); stroke-dasharray: 4 3; stroke-opacity: 0.8; }
  & .plot .dots { stroke: var(--mark); stroke-width: 4.5; stroke-linecap: round; stroke-opacity: 0.75; fill: none; }
  & .plot .own-place, & .legend-line .own-place { stroke: var(--dim); stroke-dasharray: 2 2; fill: none; }
  & .line-mark { fill: none; stroke: var(--mark); stroke-width: 1.8; stroke-linejoin: round; stroke-linecap: round; }
  & .line-mark.is-background { stroke: var(--vscode-charts-yellow, #bf8803); stroke-dasharray: 9 4; }
  & .line-mark.is-without-smoothing { stroke-dasharray: 1 4; stroke-width: 2.6; }
  & .line-mark.is-without-smoothing.is-background { stroke-dasharray: 9 4 1 4; stroke-width: 2; }
  & .line-mark.is-slope { stroke: var(--vscode-charts-green, #388a34); stroke-dasharray: 4 3; stroke-width: 1.4; }
  & .line-mark.is-scale { stroke: var(--vscode-charts-purple, #7a3fb5); stroke-dasharray: 12 3 2 3; stroke-width: 1.4; }
  & .own-dot.line-mark { fill: var(--vscode-editor-background, Canvas); stroke-dasharray: none; stroke-width: 1.8; }
  & .plot-note { font-size: 0.92em; min-height: 2.9em; }
  & .legend-lines { display: flex; flex-wrap: wrap; gap: 0 16px; list-style: none; padding: 0; font-size: 0.92em; font-variant-numeric: tabular-nums; }
  & .plot .legend-line { display: inline-block; width: 28px; height: 8px; vertical-align: middle; }
  & .claim + .claim { margin-top: 10px; }
  & .claim-text { font-style: italic; }
  & .claim-needs { padding-left: 21px; max-width: 60em; }
  & .evidence { list-style: disc; }
  & .evidence li + li { margin-top: 3px; }
  & .as-table { margin-top: 2px; }
  & .as-table summary { display: list-item; list-style: inside disclosure-closed; width: max-content; color: var(--dim); font-size: 0.92em; }
  & .as-table[open] summary { list-style-type: disclosure-open; }

  & .gallery { display: flex; flex-direction: column; gap: 8px; }
  & .slider { display: flex; align-items: center; gap: 10px; }
  & .slider label { color: var(--dim); }
  & .slider input { width: min(260px, 40%); margin: 0; accent-color: var(--vscode-focusBorder, auto); }
  & .slider output { font-variant-numeric: tabular-nums; white-space: nowrap; }
  & .pictures { display: flex; flex-wrap: wrap; gap: 14px 24px; align-items: flex-start; }
  & .picture { flex: none; max-width: 100%; }
  & .frame { position: relative; max-width: 100%; border: 1px solid var(--line); box-sizing: content-box; cursor: crosshair; }
  & .frame canvas { display: block; width: 100%; height: 100%; image-rendering: pixelated; }
  & .marker {
    position: absolute; min-width: 3px; min-height: 3px; pointer-events: none;
    outline: 1px solid #fff; box-shadow: 0 0 0 2px #000;
  }
  & .color-bar { display: block; width: 100%; height: 8px; margin-top: 8px; border: 1px solid var(--line); }
  & .color-ends { display: flex; justify-content: space-between; font-size: 0.92em; font-variant-numeric: tabular-nums; }
  & .readout { min-height: 1.5em; color: var(--dim); font-variant-numeric: tabular-nums; white-space: pre-wrap; }

  & .notes ul, & .matches ul:not(.diagnostics), & .difference-list { padding-left: 18px; list-style: disc; max-width: 60em; }
  & .notes li + li, & .matches li + li, & .difference-list li + li { margin-top: 3px; }
  & .notes .caption { margin-bottom: -4px; }
  & .pairs { display: flex; flex-direction: column; gap: 28px; }
  & .handwritten-gradient + .handwritten-gradient { margin-top: 12px; }
  & .handwritten-detail { padding-left: 21px; }
  & .handwritten-detail > * + * { margin-top: 6px; }
  & .handwritten-detail pre { overflow-x: auto; }
  & .pair .difference-list { padding-left: 38px; }
  & .pair { display: flex; flex-direction: column; gap: 10px; }
  & h4 { margin: 0; font-size: 1em; font-weight: 600; line-height: 1.4; }
  & .reasons { list-style: none; margin: 0; padding: 0; display: flex; flex-direction: column; gap: 10px; }
  & .reason {
    display: flex; flex-direction: column; gap: 6px; min-width: 0; padding: 8px 12px 10px;
    border: 1px solid var(--line); border-radius: 4px;
  }
  & .reason > p { max-width: 60em; }
  & .reason-head { display: flex; flex-wrap: wrap; align-items: baseline; gap: 2px 10px; }
  & .reason-number { color: var(--dim); font-variant-numeric: tabular-nums; }
  & .share { display: inline-flex; align-items: baseline; gap: 6px; font-variant-numeric: tabular-nums; white-space: nowrap; }
  & .share .dim { margin-left: -3px; }
  & .share-bar { width: 6em; height: 0.6em; border: 1px solid var(--mark); border-radius: 2px; overflow: hidden; }
  & .share-bar > span { display: block; height: 100%; background: var(--mark); }
  & .lines { margin-left: auto; display: inline-flex; gap: 4px; }
  & .formula-pair { display: grid; grid-template-columns: minmax(0, 1fr); gap: 8px 24px; }
  & .formula-pair .side { min-width: 0; }
  & .formula-pair .formula .katex-display { margin: 2px 0; text-align: left; }
  & .formula-pair .fbox {
    border: 1px solid var(--mark) !important; border-radius: 3px;
    background: color-mix(in srgb, var(--mark) 16%, transparent);
  }
  & .factor { font-variant-numeric: tabular-nums; white-space: nowrap; font-weight: 600; }
  & .fix { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 6px; }
  & .copy-one { min-width: 4.6em; }
  & .conclusion { padding-left: 21px; }
}

@container (min-width: 820px) {
  .dice-gradient .overview { grid-template-columns: minmax(0, 1fr) fit-content(50%); align-items: start; }
  .dice-gradient .formula-pair { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); align-items: start; }
}
@media (prefers-reduced-motion: no-preference) {
  body:not(.vscode-reduce-motion) .dice-gradient .icon-chevron { transition: transform 100ms ease-out; }
}
@media (forced-colors: active) {
  .dice-gradient canvas { forced-color-adjust: none; }
  .dice-gradient .plot .bar-mark { fill: CanvasText; }
  .dice-gradient .plot .dots, .dice-gradient .plot .axis { stroke: CanvasText; }
  .dice-gradient .line-mark, .dice-gradient .own-place { stroke: CanvasText; }
  .dice-gradient .own-dot.line-mark { fill: Canvas; }
  .dice-gradient .plot text { fill: CanvasText; }
  .dice-gradient .icon { stroke: CanvasText; }
  .dice-gradient .share-bar { border-color: CanvasText; }
  .dice-gradient .share-bar > span { background: CanvasText; forced-color-adjust: none; }
  .dice-gradient button { border-color: ButtonBorder; }
}
`;
