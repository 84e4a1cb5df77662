/** The report's style sheet. */
export const reportStyle = `
:root { color-scheme: light; --line: #dfe4ed; --quiet: #5c677b; --accent: #2f6fd6;
  font: 15px/1.5 Inter, system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; color: #1a2130; }
* { box-sizing: border-box; }
body { margin: 0; background: #f3f5f9; }
header, main { max-width: 1120px; margin: 0 auto; padding: 0 24px; }
header { padding-top: 34px; }
.brand { margin: 0; color: var(--quiet); font-weight: 600; letter-spacing: .06em; }
h1 { margin: 0 0 16px; font-size: 32px; line-height: 1.2; overflow-wrap: anywhere; }
h2 { margin: 0 0 6px; font-size: 21px; }
h3 { margin: 22px 0 6px; font-size: 15px; }
p { margin: 0 0 12px; color: var(--quiet); max-width: 80ch; }
section { margin: 0 0 22px; padding: 24px 28px; background: #fff; border: 1px solid var(--line); border-radius: 14px; }
section.wide { padding: 0; border: 0; overflow: hidden; }
figure { margin: 0; overflow-x: auto; }
figure > svg { display: block; max-width: 100%; height: auto; }
.stage { background: radial-gradient(ellipse at 50% 40%, #182033 0%, #0d1017 78%); color: #aab4c6; }
.stage svg { width: 100%; }
.stage figcaption { padding: 0 24px 16px; font-size: 13px; }
.positive { color: #4a9eff; } .negative { color: #ff9248; }
.facts { display: flex; flex-wrap: wrap; gap: 10px; margin: 0 0 22px; }
.facts div { padding: 8px 16px 9px; background: #fff; border: 1px solid var(--line); border-radius: 10px; }
.facts dt { color: var(--quiet); font-size: 12px; }
.facts dd { margin: 0; font-weight: 600; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.table { overflow-x: auto; margin-top: 14px; }
table { border-collapse: collapse; font-size: 13px; white-space: nowrap; }
th { text-align: left; font-weight: 600; color: var(--quiet); }
th, td { padding: 5px 18px 5px 0; border-bottom: 1px solid var(--line); }
td.number { font-variant-numeric: tabular-nums; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(300px, 1fr)); gap: 14px 34px; }
.cards ol { margin: 0; padding: 0; list-style: none; font-size: 13px; }
.cards li { display: grid; grid-template-columns: minmax(0, auto) 1fr 64px 74px; gap: 10px; align-items: center; padding: 2px 0; }
.cards li span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.cards i { font-style: normal; color: var(--quiet); }
.cards b { text-align: right; font-weight: 500; font-variant-numeric: tabular-nums; }
.cards h3 { margin: 8px 0 4px; }
meter { width: 100%; height: 7px; border: 0; border-radius: 4px; background: #e8ecf3; overflow: hidden; }
meter::-webkit-meter-bar { background: #e8ecf3; border: 0; border-radius: 4px; height: 7px; }
meter::-webkit-meter-optimum-value { background: var(--accent); border-radius: 4px; }
meter::-moz-meter-bar { background: var(--accent); }
.quiet { font-size: 12.5px; margin-top: 6px; }
ul { margin: 0; padding-left: 20px; overflow-wrap: anywhere; }
code { font-size: 13px; }
@media print { body { background: #fff; } section { break-inside: avoid; border: 0; padding: 12px 0; } }
`;
