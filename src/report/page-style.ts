/** The whole style of the page: it loads nothing. The colours of the verdicts are those of the status page. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #f7f6f3; --surface: #fff; --ink: #1f2428; --quiet: #5f676e; --line: #e4e2dc; --accent: #8a6200;
  --inbox: #0d8a6a; --spam: #e69f00; --other: #56b4e9; --missing: #c8421e; --bounced: #b8548c; --rejected: #6f4fa8;
  --unknown: #a3a9ae; --time: #0b6bb3;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171a; --surface: #1c2024; --ink: #e9eaea; --quiet: #a0a8af; --line: #31373d; --accent: #f2c94c;
    --inbox: #2fb592; --spam: #f0b429; --other: #6cc3f5; --missing: #f0704a; --bounced: #dc82b4; --rejected: #a98be0;
    --unknown: #6d757c; --time: #6cb8f5;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 0 clamp(16px, 4vw, 40px) 56px; max-width: 1080px; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif;
  font-variant-numeric: tabular-nums; -webkit-text-size-adjust: 100%;
}
h1, h2, h3, p, ul, figure { margin: 0; padding: 0; }
header { padding: 44px 0 12px; }
header p:first-child { color: var(--accent); font-weight: 600; letter-spacing: .02em; }
h1 { font-size: clamp(26px, 4.6vw, 38px); line-height: 1.15; letter-spacing: -.015em; margin: 6px 0 10px; text-wrap: balance; }
h2 { font-size: 21px; letter-spacing: -.01em; margin: 44px 0 4px; }
h3 { font-size: 17px; }
.lead { font-size: 18px; max-width: 46em; }
.quiet { color: var(--quiet); }
.small { font-size: 14px; }
section > p { max-width: 52em; }
.card {
  background: var(--surface); border: 1px solid var(--line); border-radius: 12px; padding: 18px 20px 16px; margin-top: 14px;
  break-inside: avoid;
}
.route + .route { border-top: 1px solid var(--line); margin-top: 16px; padding-top: 16px; }
.route > header { padding: 0; display: flex; flex-wrap: wrap; gap: 2px 14px; align-items: baseline; }
.route > header p { color: inherit; font-weight: 400; }
.route > header p:first-child { color: inherit; font-weight: 650; letter-spacing: 0; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(210px, 1fr)); gap: 10px 28px; margin: 8px 0 12px; }
.facts dt { color: var(--quiet); font-size: 14px; }
.facts dd { margin: 0; }
.facts strong { font-size: 25px; font-weight: 650; letter-spacing: -.01em; }
.facts span { color: var(--quiet); font-size: 14px; display: block; }
svg { display: block; width: 100%; height: auto; overflow: visible; }
svg text { fill: var(--quiet); font-size: 12px; }
svg .grid { stroke: var(--line); }
.strip { max-width: 220px; }
.strip .track { stroke: var(--line); stroke-width: 4; stroke-linecap: round; }
.strip .interval { stroke-width: 4; stroke-linecap: round; opacity: .45; stroke: var(--inbox); }
.strip circle { fill: var(--inbox); }
.strip.arrived .interval { stroke: var(--time); }
.strip.arrived circle { fill: var(--time); }
.inbox { fill: var(--inbox); } .spam { fill: var(--spam); } .other { fill: var(--other); }
.missing { fill: var(--missing); } .bounced { fill: var(--bounced); } .rejected { fill: var(--rejected); }
.unknown { fill: var(--unknown); }
.spread { stroke: var(--time); opacity: .35; stroke-linecap: round; }
.median { fill: var(--time); }
.charts { display: grid; gap: 14px 36px; }
@media (min-width: 900px) {
  .charts { grid-template-columns: 1fr 1fr; }
  .charts svg text { font-size: 17px; }
}
figcaption { color: var(--quiet); font-size: 14px; margin-bottom: 4px; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 12px 0 0; font-size: 14px; color: var(--quiet); }
.legend li { display: flex; gap: 6px; align-items: center; }
.legend svg { width: 11px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 15px; }
th { text-align: left; font-weight: 600; color: var(--quiet); font-size: 13px; white-space: nowrap; }
th, td { padding: 8px 16px 8px 0; border-bottom: 1px solid var(--line); vertical-align: middle; }
tbody tr:last-child > * { border-bottom: 0; }
tbody th { color: inherit; font-size: inherit; }
td small { color: var(--quiet); display: block; white-space: nowrap; }
.difference { width: 240px; }
.difference .none { stroke: var(--quiet); stroke-dasharray: 2 3; }
.difference .interval { stroke: var(--quiet); stroke-width: 3; stroke-linecap: round; }
.difference circle { fill: var(--quiet); }
.difference.sure .interval { stroke: var(--missing); opacity: .6; }
.difference.sure circle { fill: var(--missing); }
.sentences { list-style: none; display: grid; gap: 10px; margin-top: 14px; max-width: 56em; }
.sentences li { padding-left: 14px; border-left: 3px solid var(--line); }
footer { margin-top: 44px; color: var(--quiet); font-size: 14px; border-top: 1px solid var(--line); padding-top: 14px; }
footer p + p { margin-top: 8px; }
@media (max-width: 560px) {
  svg text { font-size: 22px; }
  .card { padding: 14px 14px 12px; }
  .compare thead { display: none; }
  .compare tr { display: grid; grid-template-columns: 1fr 1fr; gap: 4px 12px; padding: 12px 0; border-bottom: 1px solid var(--line); }
  .compare tr:last-child { border-bottom: 0; }
  .compare th, .compare td { border: 0; padding: 0; }
  .compare th, .compare td:nth-child(4) { grid-column: 1 / -1; }
  .compare td[data-of]::before { content: attr(data-of); color: var(--quiet); font-size: 13px; display: block; }
  .compare td small { white-space: normal; }
  .compare .difference { width: 100%; }
}
@media print {
  :root { --paper: #fff; --surface: #fff; --ink: #000; --quiet: #444; --line: #ccc; }
  body { max-width: none; padding: 0; font-size: 11pt; }
  header { padding-top: 0; }
  .card { border-radius: 0; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  h2 { break-after: avoid; }
  .scroll { overflow: visible; }
}
`
