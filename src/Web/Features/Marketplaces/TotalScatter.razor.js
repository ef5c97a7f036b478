import ApexCharts from '../../lib/apexcharts/apexcharts.esm.js';

const charts = new WeakMap();
const token = name => getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim();
const money = value => '$' + value.toFixed(value > 0 && value < 0.01 ? 4 : 2);
const rate = x => '$' + (10 ** x).toFixed(10 ** x < 0.1 ? 3 : 2) + '/h';

// x is the logarithm of the rate: the library scales only its y axis that way. Each series remembers where its points came from.
function series(data) {
  const ringed = new Set([data.lowestTotal, data.lowestRate]);
  const at = (name, type, indices) => ({ name, type, of: indices, data: indices.map(i => [Math.log10(data.points[i].rate), data.points[i].total]) });
  const all = data.points.map((_, i) => i).filter(i => data.points[i].rate > 0);
  const made = [at('Offers', 'scatter', all.filter(i => !ringed.has(i) && !data.points[i].bid))];
  const bids = all.filter(i => !ringed.has(i) && data.points[i].bid);
  if (bids.length > 0) { made.push(at('Bids', 'scatter', bids)); }
  if (data.lowestTotal >= 0) { made.push(at('Lowest total', 'scatter', [data.lowestTotal])); }
  if (data.lowestRate >= 0 && data.lowestRate !== data.lowestTotal) { made.push(at('Lowest per hour', 'scatter', [data.lowestRate])); }
  return [...made, ...equalHours(data, all)];
}

// Three dotted lines through the middle of the picture: what each offer would cost if it took that long.
function equalHours(data, all) {
  if (all.length < 2) { return []; }
  const xs = all.map(i => Math.log10(data.points[i].rate));
  const [low, high] = [Math.min(...xs), Math.max(...xs)];
  const top = Math.max(...all.map(i => data.points[i].total));
  const hours = all.map(i => data.points[i].total / data.points[i].rate).sort((a, b) => a - b);
  const chosen = [...new Set([0.1, 0.5, 0.9].map(share => Number(hours[Math.floor(share * (hours.length - 1))].toPrecision(1))))].filter(h => h > 0);
  return chosen.map(h => ({
    name: h >= 1 ? `${h} h` : `${Math.round(h * 60)} min`, type: 'line', of: null,
    data: Array.from({ length: 25 }, (_, step) => low + (high - low) * step / 24).map(x => [x, h * 10 ** x]).filter(([, y]) => y <= top * 1.05),
  })).filter(line => line.data.length > 1);
}

function looks(state) {
  const label = { colors: token('text3'), fontSize: '12px', fontFamily: 'inherit' };
  const colors = { Offers: 'c1', Bids: 'c3', 'Lowest total': 'ok', 'Lowest per hour': 'warn' };
  return {
    colors: state.series.map(s => token(s.of ? colors[s.name] : 'line2')),
    stroke: { width: state.series.map(s => s.of ? 0 : 1), curve: 'straight', dashArray: state.series.map(s => s.of ? 0 : 3) },
    markers: { size: state.series.map(s => s.of ? s.name.startsWith('Lowest') ? 8 : 5 : 0), strokeWidth: 1.5, strokeColors: token('surface'), shape: state.series.map(s => s.name === 'Bids' ? 'diamond' : 'circle') },
    grid: { borderColor: token('line'), padding: { left: 8, right: 8 } },
    legend: { show: true, position: 'top', horizontalAlign: 'left', fontFamily: 'inherit', labels: { colors: token('text2') }, onItemClick: { toggleDataSeries: false } },
    tooltip: {
      theme: false, shared: false, intersect: true,
      custom: ({ seriesIndex, dataPointIndex }) => {
        const index = state.series[seriesIndex].of?.[dataPointIndex];
        const tip = document.createElement('div');
        tip.className = 'tip';
        if (index !== undefined) {
          const point = state.data.points[index];
          tip.textContent = `${point.name} · ≈ ${money(point.total)} · $${point.rate.toFixed(3)}/h`;
        }
        return tip;
      },
    },
    xaxis: { type: 'numeric', tickAmount: 6, labels: { style: label, formatter: value => rate(Number(value)) }, axisBorder: { color: token('line') }, axisTicks: { show: false }, tooltip: { enabled: false }, crosshairs: { show: false } },
    yaxis: { min: 0, tickAmount: 4, labels: { style: label, formatter: value => money(Number(value)) } },
  };
}

const drawn = state => state.series.map(({ name, type, data }) => ({ name, type, data }));

export async function mount(element, data, owner) {
  const state = { data, owner, series: series(data) };
  charts.set(element, state);
  state.chart = new ApexCharts(element, {
    ...looks(state), series: drawn(state),
    chart: {
      type: 'line', height: 240, background: 'transparent', fontFamily: 'inherit', parentHeightOffset: 0,
      animations: { enabled: false }, zoom: { enabled: false }, toolbar: { show: false },
      events: {
        markerClick: (_, __, { seriesIndex, dataPointIndex }) => {
          const index = state.series[seriesIndex]?.of?.[dataPointIndex];
          if (index !== undefined) { state.owner.invokeMethodAsync('Pick', index); }
        },
      },
    },
  });
  await state.chart.render();
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
