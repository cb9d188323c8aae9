// Draws the panels of deploy/grafana/maskinporten.json from a Prometheus that has scraped the service for a while:
//   node scripts/dashboard-picture.mjs --prometheus http://127.0.0.1:9090 --minutes 6 --out docs/dashboard.png
// Needs Chromium (CHROMIUM, default /usr/bin/chromium). Windows such as [5m] are shortened to fit a short run.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';

const { values } = parseArgs({
  options: {
    prometheus: { type: 'string', default: 'http://127.0.0.1:9090' },
    minutes: { type: 'string', default: '6' },
    out: { type: 'string', default: 'docs/dashboard.png' },
  },
});
const WIDTH = 560;
const HEIGHT = 170;
const COLOURS = ['#1f6feb', '#d29922', '#2da44e', '#cf222e', '#8250df', '#57606a'];
const end = Date.now() / 1000;
const start = end - Number(values.minutes) * 60;
const dashboard = JSON.parse(readFileSync(join(import.meta.dirname, '../deploy/grafana/maskinporten.json'), 'utf8'));

async function series({ expr, legendFormat }) {
  const query = expr.replaceAll(/\[\d+[mh]\]/g, '[20s]');
  const parameters = new URLSearchParams({ query, start: String(start), end: String(end), step: '1' });
  const response = await fetch(`${values.prometheus}/api/v1/query_range?${parameters}`);
  const { status, error, data } = await response.json();
  if (status !== 'success') throw new Error(`${query}: ${error}`);
  return data.result.map(({ metric, values: points }) => ({
    name: legendFormat.replaceAll(/\{\{(\w+)\}\}/g, (_, label) => metric[label] ?? '').trim(),
    points: points.map(([time, value]) => [Number(time), Number(value)]).filter(([, value]) => Number.isFinite(value)),
  }));
}

const escape = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
const short = (value) =>
  Math.abs(value) >= 1e6 ? `${(value / 1e6).toFixed(0)}M` : String(Number(value.toPrecision(3)));

function draw(lines) {
  const all = lines.flatMap(({ points }) => points.map(([, value]) => value));
  if (all.length === 0) return `<div class="none">nothing happened</div>`;
  const low = Math.min(0, ...all);
  const high = Math.max(...all, low + 1e-9) * 1.08;
  const x = (time) => 46 + ((time - start) / (end - start)) * (WIDTH - 56);
  const y = (value) => 8 + (1 - (value - low) / (high - low)) * (HEIGHT - 16);
  const grid = [low, (low + high) / 2, high / 1.08].map(
    (value) => `<line x1="46" x2="${WIDTH - 10}" y1="${y(value)}" y2="${y(value)}" stroke="#d0d7de"/>
      <text x="42" y="${y(value) + 4}" text-anchor="end">${short(value)}</text>`,
  );
  const paths = lines.map(({ points }, index) => {
    const steps = points.map(([time, value], at) => {
      const gap = at === 0 || time - points[at - 1][0] > 5;
      return `${gap ? 'M' : 'L'}${x(time).toFixed(1)} ${y(value).toFixed(1)}`;
    });
    return `<path d="${steps.join('')}" fill="none" stroke="${COLOURS[index % COLOURS.length]}" stroke-width="1.6"/>`;
  });
  return `<svg width="${WIDTH}" height="${HEIGHT}">${grid.join('')}${paths.join('')}</svg>`;
}

const panels = [];
for (const { title, targets } of dashboard.panels) {
  const lines = (await Promise.all(targets.map(series))).flat();
  const legend = lines.map(
    ({ name, points }, index) =>
      `<span style="color:${COLOURS[index % COLOURS.length]}">■ ${escape(name)} ${short(points.at(-1)?.[1] ?? 0)}</span>`,
  );
  panels.push(`<section><h2>${escape(title)}</h2>${draw(lines)}<p>${legend.join(' ')}</p></section>`);
}
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});
const page = await browser.newPage({ viewport: { width: 1220, height: 900 } });
await page.setContent(`<style>
  body { font: 12px sans-serif; display: grid; grid-template-columns: 1fr 1fr; gap: 12px; margin: 16px; background: #f6f8fa }
  section { background: #fff; border: 1px solid #d0d7de; border-radius: 6px; padding: 8px 10px }
  h2 { font-size: 13px; margin: 0 0 4px } p { margin: 2px 0 0; min-height: 15px } span { margin-right: 10px }
  text { font-size: 10px; fill: #57606a } .none { height: ${HEIGHT}px; display: grid; place-items: center; color: #57606a }
</style>${panels.join('')}`);
await page.screenshot({ path: values.out, fullPage: true });
await browser.close();
