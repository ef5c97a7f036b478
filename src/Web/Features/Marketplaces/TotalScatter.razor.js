import ApexCharts from '../../lib/apexcharts/apexcharts.esm.js';

const charts = new WeakMap();
const token = name => getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim();
const money = value => '$' + value.toFixed(value > 0 && value < 0.01 ? 4 : 2);
const rate = x => '$' + (10 ** x).toFixed(10 ** x < 0.1 ? 3 : 2) + '/h';

// x is the logarithm of the rate: the library scales only its y axis that way. Each series remembers where its points came from.
// The points come cheapest total first.
function series(data) {
  const ringed = new Set([data.lowestTotal, data.lowestRate]);
  const at = (name, type, indices) => ({ name, type, of: indices, data: indices.map(i => [Math.log10(data.points[i].rate), data.points[i].total]) });
  const all = data.points.map((_, i) => i).filter(i => data.points[i].rate > 0);
  const made = [
    at('Others', 'scatter', all.filter(i => !ringed.has(i) && i >= data.near && !data.points[i].bid)),
    at('Offers', 'scatter', all.filter(i => !ringed.has(i) && i < data.near && !data.points[i].bid)),
    at('Bids', 'scatter', all.filter(i => !ringed.has(i) && data.points[i].bid)),
  ].filter(s => s.data.length > 0);
  if (data.lowestTotal >= 0) { made.push(at('Lowest total', 'scatter', [data.lowestTotal])); }
  if (data.lowestRate >= 0 && data.lowestRate !== data.lowestTotal) { made.push(at('Lowest per hour', 'scatter', [data.lowestRate])); }
  return [...made, ...equalHours(data, all)];
}

// What the axes span: every point, and the likely ranges of the near ones as far as they do not flatten the rest.
function spans(data) {
  const all = data.points.filter(p => p.rate > 0);
  if (all.length === 0) { return { low: -1, high: 0, top: 1 }; }
  const xs = all.map(p => Math.log10(p.rate));
  const margin = Math.max(0.03, (Math.max(...xs) - Math.min(...xs)) * 0.05);
  const largest = Math.max(...all.map(p => p.total)) * 1.05;
  const magnitude = 10 ** Math.floor(Math.log10(largest / 4));
  const step = [1, 2, 2.5, 5, 10].map(s => s * magnitude).find(s => s * 4 >= largest);
  const top = step * 4;
  return { low: Math.min(...xs) - margin, high: Math.max(...xs) + margin, top };
}

// Three dotted lines through the middle of the picture: what each offer would cost if it took that long.
function equalHours(data, all) {
  if (all.length < 2) { return []; }
  const { low, high, top } = spans(data);
  const hours = all.map(i => data.points[i].total / data.points[i].rate).sort((a, b) => a - b);
  const chosen = [...new Set([0.1, 0.5, 0.9].map(share => Number(hours[Math.floor(share * (hours.length - 1))].toPrecision(1))))].filter(h => h > 0);
  return chosen.map(h => ({
    name: h >= 1 ? `${h} h` : `${Math.round(h * 60)} min`, type: 'line', of: null,
    data: Array.from({ length: 25 }, (_, step) => low + (high - low) * step / 24).map(x => [x, h * 10 ** x]).filter(([, y]) => y <= top),
  })).filter(line => line.data.length > 1);
}

function looks(state) {
  const label = { colors: token('text3'), fontSize: '12px', fontFamily: 'inherit' };
  const colors = { Others: 'c7', Offers: 'c1', Bids: 'c1', 'Lowest total': 'c1', 'Lowest per hour': 'c1' };
  const sizes = { Others: 3, Offers: 5, Bids: 6, 'Lowest total': 5, 'Lowest per hour': 5 };
  const { low, high, top } = spans(state.data);
  return {
    colors: state.series.map(s => token(s.of ? colors[s.name] : 'line2')),
    stroke: { width: state.series.map(s => s.of ? 0 : 1), curve: 'straight', dashArray: state.series.map(s => s.of ? 0 : 3) },
    markers: {
      size: state.series.map(s => s.of ? sizes[s.name] : 0), strokeWidth: 1.5, shape: state.series.map(s => s.name === 'Bids' ? 'diamond' : 'circle'),
      strokeColors: state.series.map(s => token(s.name === 'Bids' ? 'c1' : 'surface')), colors: state.series.map(s => token(s.name === 'Bids' ? 'surface' : s.of ? colors[s.name] : 'line2')),
      fillOpacity: state.series.map(s => s.name === 'Others' ? 0.5 : 1),
    },
    grid: { borderColor: token('line'), padding: { left: 8, right: 8 } },
    legend: { show: false },
    tooltip: {
      theme: false, shared: false, intersect: true,
      custom: ({ seriesIndex, dataPointIndex }) => {
        const index = state.series[seriesIndex].of?.[dataPointIndex];
        const tip = document.createElement('div');
        tip.className = 'tip';
        if (index !== undefined) {
          const point = state.data.points[index];
          tip.textContent = `${point.name} · ≈ ${money(point.total)}, likely ${money(point.low)} to ${money(point.high)} · $${point.rate.toFixed(3)}/h${point.bid ? ' · bid' : ''}`;
        }
        return tip;
      },
    },
    xaxis: { type: 'numeric', min: low, max: high, tickAmount: 6, labels: { style: label, formatter: () => ' ' }, axisBorder: { color: token('line') }, axisTicks: { show: false }, tooltip: { enabled: false }, crosshairs: { show: false } },
    yaxis: { min: 0, max: top, tickAmount: 4, forceNiceScale: false, labels: { style: label, formatter: value => money(Number(value)) } },
  };
}

// What the library has no mark for: likely ranges, rings and their words, hours at the end of their lines. Drawn into its own plot.
function annotate(state) {
  const inner = state.element.querySelector('.apexcharts-inner');
  const { gridWidth: width, gridHeight: height } = state.chart.w.globals;
  inner?.querySelector('.marks')?.remove();
  if (!inner || !(width > 0)) { return; }
  const { low, high, top } = spans(state.data);
  const x = value => (value - low) / (high - low) * width;
  const y = value => height * (1 - Math.min(value, top) / top);
  const marks = svg('g', { class: 'marks', 'pointer-events': 'none' });
  const words = (px, py, text, color) => {
    const label = svg('text', { x: Math.min(Math.max(px, 60), width - 60), y: py, 'text-anchor': 'middle', 'font-weight': 600, fill: token(color) });
    label.style.fill = token(color);
    label.textContent = text;
    marks.append(label);
  };
  const ranged = new Set([...Array(Math.min(state.data.near, state.data.points.length)).keys(), state.data.lowestRate].filter(i => i >= 0));
  for (const i of ranged) {
    const p = state.data.points[i];
    if (p.rate <= 0) { continue; }
    const px = x(Math.log10(p.rate));
    marks.append(svg('line', { x1: px, x2: px, y1: y(p.high), y2: y(p.low), stroke: token('c1'), 'stroke-opacity': 0.4, 'stroke-width': 1.5 }));
  }
  for (let power = Math.floor(low); power <= high; power++) { // the library's own ticks would fall on odd rates
    for (const step of [1, 2, 5]) {
      const at = Math.log10(step) + power;
      if (at < low || at > high) { continue; }
      const label = svg('text', { x: x(at), y: height + 18, 'text-anchor': 'middle' });
      label.textContent = rate(at);
      marks.append(svg('line', { x1: x(at), x2: x(at), y1: height, y2: height + 4, stroke: token('line') }), label);
    }
  }
  for (const line of state.series.filter(s => !s.of)) {
    const [lx, ly] = line.data.at(-1);
    const label = svg('text', { x: Math.min(x(lx), width - 14), y: Math.max(y(ly) - 4, 10), 'text-anchor': 'middle' });
    label.textContent = line.name;
    marks.append(label);
  }
  const best = state.data.points[state.data.lowestTotal], cheap = state.data.points[state.data.lowestRate];
  const ring = (p, color) => marks.append(svg('circle', { cx: x(Math.log10(p.rate)), cy: y(p.total), r: 9, fill: 'none', stroke: token(color), 'stroke-width': 2 }));
  if (best) {
    ring(best, 'ok');
    words(x(Math.log10(best.rate)), y(best.total) + 24 > height ? y(best.total) - 15 : y(best.total) + 24, `lowest total ${money(best.total)}`, 'ok');
  }
  if (cheap && cheap !== best && best) {
    ring(cheap, 'warn');
    words(x(Math.log10(cheap.rate)), y(cheap.total) - 15, `lowest $/h, +${Math.round(100 * (cheap.total / best.total - 1))}% in the end`, 'warn');
  }
  inner.append(marks);
}

function svg(name, attributes) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) { element.setAttribute(key, value); }
  return element;
}

const drawn = state => state.series.map(({ name, type, data }) => ({ name, type, data }));

export async function mount(element, data, owner) {
  const state = { element, data, owner, series: series(data) };
  charts.set(element, state);
  state.chart = new ApexCharts(element, {
    ...looks(state), series: drawn(state),
    chart: {
      type: 'line', height: 240, background: 'transparent', fontFamily: 'inherit', parentHeightOffset: 0,
      animations: { enabled: false }, zoom: { enabled: false }, toolbar: { show: false },
      events: {
        mounted: () => annotate(state),
        updated: () => annotate(state),
        markerClick: (_, __, { seriesIndex, dataPointIndex }) => {
          const index = state.series[seriesIndex]?.of?.[dataPointIndex];
          if (index !== undefined) { state.owner.invokeMethodAsync('Pick', index); }
        },
      },
    },
  });
  await state.chart.render();
  annotate(state);
  state.theme = new MutationObserver(() => draw(state));
  state.theme.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
}

function draw(state) {
  return state.chart.updateOptions({ ...looks(state), series: drawn(state) }, false, false);
}

export function update(element, data) {
  const state = charts.get(element);
  if (!state) { return; }
  state.data = data;
  state.series = series(data);
  return draw(state);
}

export function unmount(element) {
  const state = charts.get(element);
  if (!state) { return; }
  charts.delete(element);
  state.theme?.disconnect();
  state.chart.destroy();
}
