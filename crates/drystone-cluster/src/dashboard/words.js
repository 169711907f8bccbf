// Values of the scheduler, and how they are said.

const JOBS = new Map([
  ['kmeans.scan', 'ranges of the columns'],
  ['kmeans.round', 'candidates for the first centroids'],
  ['kmeans.plus_plus', 'the next first centroid'],
  ['kmeans.lloyd', 'iteration'],
  ['kmeans.farthest', 'far rows for empty clusters'],
  ['kmeans.score', 'cost of the centroids'],
  ['svc.survey', 'classes and ranges of the columns'],
  ['svc.sweep', 'rows that violate the optimum most'],
  ['svc.held_out', 'decisions on rows held out'],
  ['svc.linear.evaluate', 'loss and its gradient'],
  ['svc.linear.nearest', 'loss and the rows nearest to the margin'],
  ['svc.linear.products', 'second derivative along a direction'],
  ['preprocessing.sums', 'sums of the columns'],
  ['preprocessing.spread', 'spread of the columns'],
  ['preprocessing.extremes', 'extremes of the columns'],
  ['model_selection.classes', 'classes of the rows'],
  ['core.moments', 'sums and extremes of the columns'],
  ['core.spread', 'spread of the columns'],
]);

export const STATUS = new Map([
  ['running', 'running'],
  ['done', 'done'],
  ['failed', 'failed'],
  ['stopped', 'stopped'],
  ['lost', 'lost: its driver is silent'],
]);

export const NONE = '–';
export const number = (value) => (typeof value === 'number' && Number.isFinite(value) ? value : null);
export const count = (value) => (number(value) !== null && value >= 0 ? value : null);
export const isObject = (value) => value !== null && typeof value === 'object';
export const text = (value) => (value === null || value === undefined ? '' : isObject(value) ? JSON.stringify(value) : String(value));
export const objects = (value) => (Array.isArray(value) ? value.filter(isObject) : []);
export const sum = (values) => values.reduce((total, value) => total + (count(value) ?? 0), 0);
export const share = (part, whole) => (whole > 0 ? Math.min(1, Math.max(0, part / whole)) : 0);
export const plural = (n, one, many = `${one}s`) => `${integer(n)} ${n === 1 ? one : many}`;

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
export function integer(value) {
  if (count(value) === null) return NONE;
  return value < 1e15 ? grouped.format(value) : value.toExponential(2).replace('e+', 'e');
}

/** Three digits and a unit: 8.13M, 123 MB. */
function scaled(value, units) {
  let unit = 0;
  if (value >= 1e18) return `${value.toExponential(2).replace('e+', 'e')}${units[0]}`;
  while (value >= 999.5 && unit + 1 < units.length) { value /= 1000; unit += 1; }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return value.toFixed(digits) + units[unit];
}
export const bytes = (value) => (count(value) === null ? NONE : scaled(value, [' B', ' kB', ' MB', ' GB', ' TB', ' PB']));
export const short = (value) => (count(value) === null ? NONE : scaled(value, ['', 'k', 'M', 'G', 'T']));
export const percent = (value) => {
  const rounded = Math.round(value * 100);
  // What is not all of it, or not nothing, is not rounded to that.
  if (rounded === 100 && value < 1) return '> 99 %';
  return rounded === 0 && value > 0 ? '< 1 %' : `${rounded} %`;
};

export function duration(seconds) {
  if (count(seconds) === null) return NONE;
  if (seconds < 0.0995) return `${(seconds * 1000).toFixed(0)} ms`;
  if (seconds < 9.995) return `${seconds.toFixed(2)} s`;
  if (seconds < 99.95) return `${seconds.toFixed(1)} s`;
  return long(seconds);
}

/** Whole seconds, minutes, hours or days. */
export function long(seconds) {
  if (count(seconds) === null) return NONE;
  const whole = Math.round(seconds);
  const two = (value) => String(value).padStart(2, '0');
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${two(Math.floor(whole / 60) % 60)} min`;
  return `${integer(Math.floor(whole / 86400))} d ${Math.floor(whole / 3600) % 24} h`;
}

export function cost(value) {
  if (number(value) === null) return NONE;
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e6 || size < 1e-3)) return value.toExponential(5).replace('e+', 'e');
  return value.toPrecision(6);
}

/** What a job does, in words; its name where there are none. */
export function inWords(job) {
  const name = text(job);
  return JOBS.get(name.replace(/\/\d+$/, '').replace(/\.f(32|64)$/, '')) ?? name;
}

/** The address for a command: only what can be one, since people paste it into shells. */
export function addressOf(state) {
  const address = text(state.address);
  return /^[\w.:[\]-]{1,255}$/.test(address) ? address : 'ADDRESS';
}
