/** The plots of median latency side by side, as an image that stands alone. */
import { HEIGHT, renderPlot, WIDTH } from './plot.mjs';
import { bySize, groups } from './series.mjs';
import { plotStyle } from './style.mjs';

const GAP = 30;
const MARGIN = 16;

/**
 * @param {import('../types.js').Report} report
 * @returns {string | undefined} nothing where peers/latency was not measured
 */
export function renderImage({ cases }) {
  const latency = cases.find(({ name }) => name === 'peers/latency');
  const plots = groups
    .map(
      (group) =>
        latency && bySize(latency, group, { figure: 'p50', title: 'Median latency', unit: 'half round trip, µs' }),
    )
    .filter((plot) => plot !== undefined);
  if (plots.length === 0) return undefined;
  const width = plots.length * WIDTH + (plots.length - 1) * GAP + 2 * MARGIN;
  const height = HEIGHT + 2 * MARGIN;
  const placed = plots.map((plot, index) => {
    const place = `x="${MARGIN + index * (WIDTH + GAP)}" y="${MARGIN}" width="${WIDTH}" height="${HEIGHT}"`;
    return renderPlot(plot).replace('<svg ', `<svg ${place} `);
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}">`,
    `<style>${plotStyle.replaceAll('&', '&amp;')}</style>`,
    `<rect width="${width}" height="${height}" style="fill: var(--back)"/>`,
    ...placed,
    '</svg>\n',
  ].join('\n');
}
