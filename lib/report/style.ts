/** Readable in light and in dark, by what the reader's system prefers. */
export const STYLE = `
:root { color-scheme: light dark; --text: #1c1e21; --soft: #5c6370; --grid: #e3e5e8; --back: #ffffff; --panel: #f6f7f8;
  --s0: #0b62c4; --s1: #c2410c; --s2: #0f7b4f; --s3: #8a3ab9; --s4: #8a6a00; --s5: #b0246b; }
@media (prefers-color-scheme: dark) { :root { --text: #e6e8eb; --soft: #a0a7b2; --grid: #343941; --back: #16181b;
  --panel: #1e2125; --s0: #6cb0ff; --s1: #ff9a62; --s2: #56cf95; --s3: #cf9bf5; --s4: #e0c04f; --s5: #ff86bd; } }
body { margin: 0 auto; padding: 1.5rem; max-width: 82rem; background: var(--back); color: var(--text);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 0.3rem; } h2 { font-size: 1.15rem; margin: 2rem 0 0.6rem; }
.meta, caption, summary { color: var(--soft); } caption { text-align: left; padding-bottom: 0.3rem; }
.skip { position: absolute; left: -99rem; } .skip:focus { position: static; }
:focus-visible { outline: 2px solid var(--s0); outline-offset: 2px; }
.warnings { border-left: 4px solid var(--s1); margin: 0; padding: 0.3rem 0 0.3rem 2rem; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 34rem), 1fr)); gap: 1.2rem; margin-top: 1.2rem; }
figure { margin: 0; padding: 0.9rem; background: var(--panel); border-radius: 0.5rem; min-width: 0; }
svg { width: 100%; height: auto; display: block; font: 12px system-ui, sans-serif; }
svg text { fill: var(--text); } svg .title { font-size: 15px; font-weight: 600; }
svg .tick, svg .label { fill: var(--soft); font-variant-numeric: tabular-nums; } svg .grid { stroke: var(--grid); }
svg polyline { fill: none; stroke-width: 2; stroke-linejoin: round; }
${[0, 1, 2, 3, 4, 5].map((style) => `svg .s${style} polyline { stroke: var(--s${style}); } svg .s${style} circle { fill: var(--s${style}); }`).join('\n')}
svg circle.unseen { fill-opacity: 0; }
.scroll { overflow-x: auto; } .scroll + .scroll { margin-top: 1.2rem; }
.suspicious { border-left: 4px solid var(--s1); padding-left: 0.8rem; }
table { border-collapse: collapse; font-size: 0.87rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.25rem 0.8rem 0.25rem 0; text-align: left; border-bottom: 1px solid var(--grid); vertical-align: top; }
tbody th { font-weight: 400; } .number { text-align: right; white-space: nowrap; }
summary { cursor: pointer; margin: 0.5rem 0; }
`;
