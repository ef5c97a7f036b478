import ApexCharts from '../lib/apexcharts/apexcharts.esm.js';

const leastGap = 2000; // a chart changes at most once in two seconds
const charts = new WeakMap();

const token = name => getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim();
const line = series => series.map(s => ({ name: s.name, data: s.points }));

// Words stand beside their line, inside the chart even at its right edge.
const annotations = (marks, series) => {
  const last = Math.max(0, ...series.flatMap(s => s.points.slice(-1).map(p => p[0])));
  return {
    xaxis: marks.map(mark => ({
      x: mark.x, borderColor: token('text3'), strokeDashArray: 2,
      label: {
        text: mark.text, orientation: 'horizontal', position: 'top', offsetY: 2, borderWidth: 0, textAnchor: mark.x > last * 0.6 ? 'end' : 'start',
        style: { background: 'transparent', color: token('text2'), fontSize: '12px', fontFamily: 'inherit' },
      },
    })),
  };
};

function looks(series, shape, marks) {
  const number = value => value === null || value === undefined ? '—' : shape.prefix + value.toFixed(shape.decimals);
  const label = { colors: token('text3'), fontSize: '12px', fontFamily: 'inherit' };
  return {
    annotations: annotations(marks, series),
    colors: series.map(s => token(s.color)),
    stroke: { width: 2, curve: 'straight', dashArray: series.map(s => s.dashed ? 5 : 0) },
    markers: { size: series.map(s => s.points.length === 1 ? 4 : 0), strokeWidth: 0 },
    grid: { borderColor: token('line'), padding: { left: 8, right: 8 } },
    tooltip: { theme: false, x: { format: 'd MMM HH:mm:ss' }, y: { formatter: number } },
    legend: { show: series.length > 1, position: 'top', horizontalAlign: 'left', fontFamily: 'inherit', labels: { colors: token('text2') } },
    xaxis: {
      type: shape.time ? 'datetime' : 'numeric', tickAmount: shape.time ? undefined : 6,
      title: { text: shape.xTitle, style: { color: token('text3'), fontWeight: 400, fontSize: '12px' } },
      labels: { style: label, datetimeUTC: false, formatter: shape.time ? undefined : value => Math.round(Number(value)).toLocaleString('en-US') },
      axisBorder: { color: token('line') }, axisTicks: { show: false }, tooltip: { enabled: false },
    },
    yaxis: {
      labels: { style: label, formatter: number }, tickAmount: 4,
      title: { text: shape.yTitle ?? undefined, style: { color: token('text3'), fontWeight: 400, fontSize: '12px' } },
    },
  };
}

export async function mount(element, series, marks, shape, owner) {
  const state = { series, marks, shape, owner, waiting: null, zoomed: false, over: false, holding: false, hidden: new Set(), last: performance.now(), timer: 0 };
  charts.set(element, state);
  state.chart = new ApexCharts(element, {
    ...looks(series, shape, marks),
    series: line(series),
    chart: {
      type: 'line', height: shape.height, background: 'transparent', fontFamily: 'inherit', parentHeightOffset: 0,
      animations: { enabled: false }, zoom: { enabled: true, type: 'x', autoScaleYaxis: true },
      toolbar: { show: true, tools: { download: false, selection: false, zoom: true, zoomin: false, zoomout: false, pan: false, reset: true } },
      events: {
        zoomed: (_, { xaxis }) => { state.zoomed = xaxis.min !== undefined && xaxis.max !== undefined; settle(state); },
        beforeResetZoom: () => { state.zoomed = false; settle(state); },
        legendClick: (chart, index) => {
          const name = state.series[index]?.name;
          if (!state.hidden.delete(name)) { state.hidden.add(name); }
        },
      },
    },
  });
  await state.chart.render();
  element.addEventListener('pointerenter', state.enter = () => { state.over = true; });
  element.addEventListener('pointerleave', state.leave = () => { state.over = false; settle(state); });
  state.theme = new MutationObserver(async () => { await state.chart.updateOptions(looks(state.series, state.shape, state.marks), false, false); hideAgain(state); });
  state.theme.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
}

export function update(element, series, marks) {
  const state = charts.get(element);
  if (!state) { return; }
  state.waiting = { series, marks };
  settle(state);
}

export function follow(element) {
  const state = charts.get(element);
  if (!state) { return; }
  state.zoomed = false;
  state.over = false;
  state.chart.resetSeries(false, true);
  hideAgain(state);
  settle(state);
}

export function unmount(element) {
  const state = charts.get(element);
  if (!state) { return; }
  charts.delete(element);
  clearTimeout(state.timer);
  state.theme?.disconnect();
  element.removeEventListener('pointerenter', state.enter);
  element.removeEventListener('pointerleave', state.leave);
  state.chart.destroy();
}

// Applies what waits, unless somebody is looking closely or the last change is too young.
function settle(state) {
  const holding = state.waiting !== null && (state.zoomed || state.over);
  if (holding !== state.holding) {
    state.holding = holding;
    state.owner.invokeMethodAsync('Holding', holding);
  }
  if (state.waiting === null || holding) { return; }

  clearTimeout(state.timer);
  const wait = state.last + leastGap - performance.now();
  if (wait > 0) {
    state.timer = setTimeout(() => settle(state), wait);
    return;
  }

  const { series, marks } = state.waiting;
  const sameLines = marks.length === state.marks.length && series.length === state.series.length && series.every((s, i) => s.name === state.series[i].name && s.points.length > 1 === state.series[i].points.length > 1);
  state.waiting = null;
  state.series = series;
  state.marks = marks;
  state.last = performance.now();
  if (sameLines) {
    state.chart.updateSeries(line(series), false);
  } else {
    state.chart.updateOptions({ ...looks(series, state.shape, marks), series: line(series) }, false, false);
  }
  hideAgain(state);
}

// An update shows every series again.
function hideAgain(state) {
  for (const name of state.hidden) { state.chart.hideSeries(name); }
}
