/** Colours and strokes of the plots, light and dark; in the page, and in an image that stands alone. */
export const plotStyle = `
:root {
  color-scheme: light dark;
  --text: #1c1e21; --soft: #5c6370; --grid: #e3e5e8; --back: #ffffff; --panel: #f6f7f8;
  --s0: #3b3f46; --s1: #0b62c4; --s2: #c2410c; --s3: #0f7b4f; --s4: #8a3ab9; --s5: #8a6a00; --s6: #b0246b;
}
@media (prefers-color-scheme: dark) {
  :root {
    --text: #e6e8eb; --soft: #a0a7b2; --grid: #343941; --back: #16181b; --panel: #1e2125;
    --s0: #c9ced6; --s1: #6cb0ff; --s2: #ff9a62; --s3: #56cf95; --s4: #cf9bf5; --s5: #e0c04f; --s6: #ff86bd;
  }
}
svg { font: 12px system-ui, sans-serif; color: var(--text); }
svg text { fill: currentColor; }
svg .title { font-size: 15px; font-weight: 600; }
svg .tick, svg .label { fill: var(--soft); font-variant-numeric: tabular-nums; }
svg .grid { stroke: var(--grid); }
svg .leader { stroke: var(--soft); stroke-width: 0.7; }
svg .line polyline { fill: none; stroke-width: 1.6; stroke-linejoin: round; }
svg .s1 polyline, svg .s2 polyline { stroke-width: 2.8; }
svg .line path { fill: none; stroke-width: 2; }
svg .bar { fill: var(--soft); opacity: 0.65; }
svg .bar.ours { fill: var(--s1); opacity: 1; }
${[0, 1, 2, 3, 4, 5, 6]
  .map(
    (style) =>
      `svg .s${style} * { stroke: var(--s${style}); fill: var(--s${style}); }\nsvg .s${style} polyline { fill: none; }`,
  )
  .join('\n')}
`;

export const pageStyle = `
body { margin: 0 auto; padding: 1.5rem; max-width: 82rem; background: var(--back); color: var(--text);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 0.3rem; }
h2 { font-size: 1.15rem; margin: 2rem 0 0.6rem; }
p { max-width: 52rem; }
.meta { color: var(--soft); }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 34rem), 1fr)); gap: 1.2rem; }
figure { margin: 0; padding: 0.9rem; background: var(--panel); border-radius: 0.5rem; min-width: 0; }
figure svg { width: 100%; height: auto; display: block; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.87rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.25rem 0.8rem 0.25rem 0; text-align: left; border-bottom: 1px solid var(--grid); vertical-align: top; }
td.number, th.number { text-align: right; white-space: nowrap; }
td:first-child, td:last-child { white-space: nowrap; }
.met::before { content: '✓ '; }
.missed { font-weight: 700; }
.missed::before { content: '✗ '; }
summary { cursor: pointer; color: var(--soft); margin-top: 0.5rem; }
`;
