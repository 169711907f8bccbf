// The dashboard: asks the scheduler for its state each second, and shows it. Reads only.
//
// Whatever comes from the scheduler is text from elsewhere (workers and drivers name
// themselves): it reaches the page through textContent and numbers, never as markup.

const ASK_EVERY = 1000; // ms between two questions while answers come
const ASK_LATER = 15000; // ms between two questions at most, when none do
const GIVE_UP = 5000; // ms until a question counts as unanswered
const PATIENCE = 2500; // ms until the page says that it waits
const SILENT = 2; // seconds after which a worker is marked
const STALLED = 10; // seconds without a block after which the page says so
const MAX_PASSES = 200; // a longer list of passes is cut by the scheduler
const MAX_COSTS = 1000; // and of costs
const MAX_STONES = 100; // blocks that a bar shows one by one
const KEY = 'drystone.token';

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

const STATUS = new Map([
  ['running', 'running'],
  ['done', 'done'],
  ['failed', 'failed'],
  ['stopped', 'stopped'],
  ['lost', 'lost: its driver is silent'],
]);

/** How the bar of the last pass looks. */
const COURSE = new Map([['running', ''], ['stopped', 'halted'], ['failed', 'bad'], ['lost', 'bad']]);

const $ = (id) => document.getElementById(id);

// ---- Values and words ------------------------------------------------------------------

const NONE = '–';
const number = (value) => (typeof value === 'number' && Number.isFinite(value) ? value : null);
const count = (value) => (number(value) !== null && value >= 0 ? value : null);
const isObject = (value) => value !== null && typeof value === 'object';
const text = (value) => (value === null || value === undefined ? '' : isObject(value) ? JSON.stringify(value) : String(value));
const objects = (value) => (Array.isArray(value) ? value.filter(isObject) : []);
const sum = (values) => values.reduce((total, value) => total + (count(value) ?? 0), 0);
const share = (part, whole) => (whole > 0 ? Math.min(1, Math.max(0, part / whole)) : 0);
const plural = (n, one, many = `${one}s`) => `${integer(n)} ${n === 1 ? one : many}`;

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
function integer(value) {
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
const bytes = (value) => (count(value) === null ? NONE : scaled(value, [' B', ' kB', ' MB', ' GB', ' TB', ' PB']));
const short = (value) => (count(value) === null ? NONE : scaled(value, ['', 'k', 'M', 'G', 'T']));
const percent = (value) => {
  const rounded = Math.round(value * 100);
  // What is not all of it, or not nothing, is not rounded to that.
  if (rounded === 100 && value < 1) return '> 99 %';
  return rounded === 0 && value > 0 ? '< 1 %' : `${rounded} %`;
};

function duration(seconds) {
  if (count(seconds) === null) return NONE;
  if (seconds < 0.0995) return `${(seconds * 1000).toFixed(0)} ms`;
  if (seconds < 9.995) return `${seconds.toFixed(2)} s`;
  if (seconds < 99.95) return `${seconds.toFixed(1)} s`;
  return long(seconds);
}

/** Whole seconds, minutes, hours or days. */
function long(seconds) {
  if (count(seconds) === null) return NONE;
  const whole = Math.round(seconds);
  const two = (value) => String(value).padStart(2, '0');
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${two(Math.floor(whole / 60) % 60)} min`;
  return `${integer(Math.floor(whole / 86400))} d ${Math.floor(whole / 3600) % 24} h`;
}

function cost(value) {
  if (number(value) === null) return NONE;
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e6 || size < 1e-3)) return value.toExponential(5).replace('e+', 'e');
  return value.toPrecision(6);
}

/** What a job does, in words; its name where there are none. */
function inWords(job) {
  const name = text(job);
  return JOBS.get(name.replace(/\/\d+$/, '').replace(/\.f(32|64)$/, '')) ?? name;
}

// ---- The document ----------------------------------------------------------------------

/** Sets text only where it differs, so that what a reader has selected stays so. */
function say(node, words) {
  if (node.textContent !== words) node.textContent = words;
}

function make(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in node) node[name] = value; else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

function drawn(tag, attributes = {}, words = '') {
  const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (words) node.textContent = words;
  return node;
}

/** One child of `parent` for each item, in their order; what is there already stays. */
function keyed(parent, items, key, create, update) {
  const before = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  const seen = new Set();
  items.forEach((item, at) => {
    let name = key(item, at);
    if (seen.has(name)) name += ` again at ${at}`;
    seen.add(name);
    let node = before.get(name);
    if (!node) { node = create(item); node.dataset.key = name; }
    if (parent.children[at] !== node) parent.insertBefore(node, parent.children[at] ?? null);
    update(node, item, at);
  });
  while (parent.children.length > items.length) parent.lastElementChild.remove();
}

/** Words and figures: `[label, value, aside, the class of what is aside]`. */
function facts(list, pairs) {
  keyed(list, pairs, ([label]) => label,
    ([label]) => make('div', {}, make('dt', { textContent: label }), make('dd', {}, make('span'), ' ', make('small'))),
    (node, [, value, aside, kind]) => {
      const [figure, beside] = node.lastChild.children;
      say(figure, value);
      say(beside, aside);
      beside.className = kind ?? '';
    });
}

function head(table, columns) {
  const cell = ([label, kind]) => make('th', { textContent: label, scope: 'col', role: 'columnheader', className: kind.includes('number') ? 'number' : '' });
  table.tHead.replaceChildren(make('tr', { role: 'row' }, ...columns.map(cell)));
}

function row(columns) {
  return make('tr', { role: 'row' }, ...columns.map(([label, kind]) => {
    const cell = make('td', { className: kind });
    cell.setAttribute('role', 'cell');
    cell.dataset.label = label;
    return cell;
  }));
}

/** A value, with a smaller line below it. */
function two(cell, value, below) {
  if (!cell.firstChild) cell.append(make('span'), make('small'));
  say(cell.children[0], value);
  say(cell.children[1], below);
}

function announce(words) { say($('announce'), words); }

// ---- Plots -----------------------------------------------------------------------------

/** Round values from `low` to `high`, some `wanted` of them. */
function ticks(low, high, wanted) {
  const rough = (high - low) / Math.max(1, wanted);
  if (!(rough > 0) || !Number.isFinite(rough)) return { at: [low], step: Math.abs(low) || 1 };
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * power).find((one) => one * 1.4 >= rough) ?? rough;
  const at = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9 && at.length < 50; k += 1) at.push(k * step);
  return { at, step };
}

/** Labels with as many digits as tell them apart. */
function labels({ at, step }) {
  const largest = Math.max(...at.map(Math.abs));
  const power = largest > 0 ? Math.floor(Math.log10(largest)) : 0;
  const digits = (unit) => Math.min(12, Math.max(0, unit - Math.floor(Math.log10(step) + 1e-9)));
  if (power >= 5 || power < -3) return at.map((value) => (value === 0 ? '0' : `${(value / 10 ** power).toFixed(digits(power))}e${power}`));
  return at.map((value) => value.toFixed(digits(0)));
}

/** Powers of ten, with their doubles and fives where these are few. */
function logTicks(low, high) {
  const [from, to] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const every = Math.max(1, Math.ceil((to - from) / 6));
  const at = [];
  for (let power = from; power <= to; power += every) {
    for (const times of to - from <= 3 ? [1, 2, 5] : [1]) at.push(times * 10 ** power);
  }
  return at.filter((value) => value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9));
}

const plainPower = (value) => (value >= 1e-3 && value < 1e5 ? String(Number(value.toPrecision(1))) : value.toExponential(0).replace('e+', 'e'));

function span(values) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) { if (value < low) low = value; if (value > high) high = value; }
  return [low, high];
}

/**
 * A drawing with a cursor that the pointer and the arrow keys move: to assistive technology a
 * slider whose value is what the cursor is at.
 *
 * `draw(svg, data, width, height)` returns the number of places, `x(i)`, `at(x)`, what `words(i)`
 * says of one, and how to `mark(group, i)` it.
 */
class Plot {
  constructor(figure, name, draw) {
    [this.name, this.draw, this.cursor, this.signature] = [name, draw, null, ''];
    this.box = figure.querySelector('.plot');
    this.output = figure.querySelector('output');
    this.svg = drawn('svg');
    this.box.append(this.svg);
    this.svg.addEventListener('pointermove', (event) => this.point(event));
    this.svg.addEventListener('pointerdown', (event) => this.point(event));
    this.svg.addEventListener('pointerleave', () => this.move(null));
    this.svg.addEventListener('blur', () => this.move(null));
    this.svg.addEventListener('keydown', (event) => this.key(event));
    new ResizeObserver(() => this.paint()).observe(this.box);
  }

  show(data) {
    const signature = JSON.stringify(data);
    if (signature === this.signature) return;
    [this.data, this.signature] = [data, signature];
    this.paint();
  }

  paint() {
    const [width, height] = [this.box.clientWidth, this.box.clientHeight];
    if (!this.data || width === 0) return;
    this.svg.replaceChildren();
    this.svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
    this.view = this.draw(this.svg, this.data, width, height);
    this.over = drawn('g');
    this.svg.append(this.over);
    const some = this.view.count > 0;
    for (const [name, value] of Object.entries({ role: some ? 'slider' : 'img', tabindex: some ? 0 : -1, 'aria-label': `${this.name}. ${this.view.summary}`, 'aria-valuemin': 1, 'aria-valuemax': Math.max(1, this.view.count) })) this.svg.setAttribute(name, value);
    this.move(this.cursor);
  }

  point(event) {
    if (!this.view) return;
    const place = this.view.at(event.clientX - this.svg.getBoundingClientRect().left);
    this.move(Math.min(this.view.count - 1, Math.max(0, place)));
  }

  key(event) {
    if (!this.view?.count) return;
    const last = this.view.count - 1;
    const far = Math.max(1, Math.round(last / 10));
    // The first arrow shows the cursor where it is said to be: at the end.
    const from = this.cursor ?? last;
    const by = this.cursor === null ? 0 : 1;
    const to = { ArrowLeft: from - by, ArrowDown: from - by, ArrowRight: from + by, ArrowUp: from + by, PageDown: from - far, PageUp: from + far, Home: 0, End: last, Escape: null }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.move(to === null ? null : Math.min(last, Math.max(0, to)));
  }

  move(place) {
    if (!this.view) return;
    const { count: places, words, mark, summary } = this.view;
    this.cursor = place === null || places === 0 ? null : Math.min(place, places - 1);
    this.over.replaceChildren();
    if (this.cursor !== null) mark(this.over, this.cursor);
    say(this.output, this.cursor === null ? summary : words(this.cursor));
    this.svg.setAttribute('aria-valuenow', (this.cursor ?? Math.max(0, places - 1)) + 1);
    this.svg.setAttribute('aria-valuetext', places ? words(this.cursor ?? places - 1) : summary);
  }
}

function blank(svg, width, height, words) {
  svg.append(drawn('text', { x: width / 2, y: height / 2, 'text-anchor': 'middle', class: 'blank' }, words));
  return { count: 0, at: () => 0, words: () => '', mark: () => {}, summary: '' };
}

/** Lines across with their labels, on the left of `left`. */
function across(svg, places, words, left, right) {
  places.forEach((y, at) => {
    svg.append(drawn('line', { class: 'grid', x1: left, x2: right, y1: Math.round(y), y2: Math.round(y) }));
    svg.append(drawn('text', { x: left - 7, y: y + 4, 'text-anchor': 'end' }, words[at]));
  });
}

/** Whole numbers along the bottom, and what they count. */
function along(svg, first, last, x, y, right, name) {
  const { at } = ticks(first, last, Math.min(8, last - first));
  const room = right - name.length * 6.2 - 14;
  for (const value of at.filter(Number.isInteger)) {
    if (x(value - first) < room) svg.append(drawn('text', { x: x(value - first), y, 'text-anchor': 'middle' }, integer(value)));
  }
  svg.append(drawn('text', { x: right, y, 'text-anchor': 'end' }, name));
}

/** The cost at each iteration, as a curve. */
function drawCosts(svg, { costs, log, cut }, width, height) {
  const known = costs.filter((value) => value !== null);
  if (!known.length) return blank(svg, width, height, 'no cost is known yet');
  let [low, high] = span(known);
  if (low === high) { const by = Math.abs(low) * 0.05 || 1; low -= log ? low * 0.05 : by; high += by; }
  const scale = log ? Math.log10 : (value) => value;
  const linear = ticks(low, high, 4);
  let [at, named] = [linear.at, labels(linear)];
  if (log && logTicks(low, high).length > 1) { at = logTicks(low, high); named = at.map(plainPower); }

  const left = Math.max(34, 14 + 6.6 * Math.max(...named.map((words) => words.length)));
  const [top, right, bottom] = [8, width - 8, height - 24];
  const x = (i) => (costs.length > 1 ? left + (i * (right - left)) / (costs.length - 1) : (left + right) / 2);
  const y = (value) => bottom - 4 - ((scale(value) - scale(low)) / (scale(high) - scale(low))) * (bottom - top - 8);
  across(svg, at.map(y), named, left, right);
  svg.append(drawn('line', { class: 'axis', x1: left, x2: right, y1: bottom, y2: bottom }));
  if (cut) svg.append(drawn('text', { x: right, y: height - 7, 'text-anchor': 'end' }, `the last ${integer(costs.length)} iterations`));
  else along(svg, 1, costs.length, x, height - 7, right, 'iteration');

  let path = '';
  let pen = 'M';
  costs.forEach((value, i) => {
    if (value === null) { pen = 'M'; return; }
    path += `${pen}${x(i).toFixed(1)} ${y(value).toFixed(1)}`;
    pen = 'L';
  });
  svg.append(drawn('path', { class: 'line', d: path }));
  const end = costs.findLastIndex((value) => value !== null);
  svg.append(drawn('circle', { class: 'end', cx: x(end), cy: y(costs[end]), r: 3 }));

  const change = known.length > 1 ? known.at(-1) / known.at(-2) - 1 : null;
  const moved = number(change) === null ? '' : `, ${change > 0 ? '+' : change < 0 ? '−' : '±'}${(Math.abs(change) * 100).toPrecision(2)} % in the last iteration`;
  return {
    count: costs.length,
    summary: `${cost(known.at(-1))}${moved}`,
    at: (px) => (costs.length > 1 ? Math.round(((px - left) / (right - left)) * (costs.length - 1)) : 0),
    words: (i) => `${cut ? `${integer(costs.length - i)} from the end` : `iteration ${integer(i + 1)}`}: ${cost(costs[i])}`,
    mark: (group, i) => {
      group.append(drawn('line', { class: 'cursor', x1: x(i), x2: x(i), y1: top, y2: bottom }));
      if (costs[i] !== null) group.append(drawn('circle', { class: 'mark', cx: x(i), cy: y(costs[i]), r: 4 }));
    },
  };
}

/** A bar for the seconds of each pass, and below it one for the blocks that it read. */
function drawPasses(svg, { passes, first, colours, blocks }, width, height) {
  if (!passes.length) return blank(svg, width, height, 'no pass is done yet');
  const slowest = Math.max(span(passes.map((pass) => pass.seconds))[1], 1e-3);
  const most = Math.max(1, blocks, span(passes.map((pass) => pass.read))[1]);
  const seconds = ticks(0, slowest, 3);
  const named = labels(seconds);
  const left = Math.max(34, 22 + 6.6 * Math.max(...named.map((words) => words.length), short(most).length));
  const [top, right, bottom] = [8, width - 8, height - 24];
  const [base, read] = [bottom - 46, 30];
  const step = Math.min((right - left) / passes.length, 26);
  const gap = step >= 4 ? Math.min(2, step / 5) : 0;
  const x = (i) => left + i * step;
  const y = (value) => base - (value / slowest) * (base - top);
  across(svg, seconds.at.map(y), named.map((words, i) => (i === named.length - 1 ? `${words} s` : words)), left, right);
  across(svg, [bottom - read, bottom], [short(most), '0'], left, right);
  svg.append(drawn('text', { x: left + 2, y: bottom - read - 3 }, 'blocks read, not found in memory'));
  passes.forEach((pass, i) => {
    const bar = { class: `job${colours[i]}`, x: x(i) + gap / 2, width: Math.max(0.5, step - gap) };
    const tall = Math.max(1, base - y(pass.seconds));
    svg.append(drawn('rect', { ...bar, y: base - tall, height: tall }));
    const deep = (pass.read / most) * read;
    if (deep > 0) svg.append(drawn('rect', { ...bar, y: bottom - deep, height: deep, opacity: 0.55 }));
  });
  for (const line of [base, bottom]) svg.append(drawn('line', { class: 'axis', x1: left, x2: right, y1: line, y2: line }));
  along(svg, first, first + passes.length - 1, (i) => x(i) + step / 2, height - 7, right, 'pass');
  const total = sum(passes.map((pass) => pass.seconds));
  return {
    count: passes.length,
    summary: `${first > 1 ? 'the last ' : ''}${plural(passes.length, 'pass', 'passes')} in ${duration(total)}`,
    at: (px) => Math.floor((px - left) / step),
    words: (i) => `pass ${integer(first + i)}: ${passes[i].words}, ${duration(passes[i].seconds)}, ${plural(passes[i].read, 'block')} read`,
    mark: (group, i) => group.append(drawn('rect', { class: 'band', x: x(i), width: step, y: top, height: bottom - top })),
  };
}

const costPlot = new Plot($('costs'), 'Cost by iteration', drawCosts);
const passPlot = new Plot($('passes'), 'Seconds and blocks read by pass', drawPasses);

// ---- How fast a pass goes ---------------------------------------------------------------

/** By fit: its pass, and when which number of blocks was done, by the fit's own clock. */
const seen = new Map();

function watch(fits) {
  const there = new Set(fits.map((fit) => text(fit.id)));
  for (const id of seen.keys()) if (!there.has(id)) seen.delete(id);
  for (const fit of fits) {
    const [id, elapsed, blocks] = [text(fit.id), number(fit.elapsed_s), count(fit.blocks_done)];
    if (fit.status !== 'running' || elapsed === null || blocks === null) continue;
    let pass = seen.get(id);
    if (pass?.number !== fit.pass) { pass = { number: fit.pass, samples: [], moved: elapsed }; seen.set(id, pass); }
    const last = pass.samples.at(-1);
    if (last && last.blocks !== blocks) pass.moved = elapsed;
    if (!last || elapsed > last.elapsed) pass.samples.push({ elapsed, blocks });
    while (pass.samples.length > 2 && elapsed - pass.samples[0].elapsed > 30) pass.samples.shift();
  }
}

/** Blocks a second in this pass; of the latest pass of the same job while too little is seen. */
function pace(fit) {
  const samples = seen.get(text(fit.id))?.samples ?? [];
  if (fit.status === 'running' && samples.length > 1) {
    const [from, to] = [samples[0], samples.at(-1)];
    const [blocks, seconds] = [to.blocks - from.blocks, to.elapsed - from.elapsed];
    if (seconds >= 2 && blocks > 0) return blocks / seconds;
  }
  const passes = objects(fit.passes).filter((pass) => count(pass.seconds) > 0);
  const alike = passes.findLast((pass) => pass.job === fit.job) ?? passes.at(-1);
  return alike && count(fit.n_blocks) ? fit.n_blocks / alike.seconds : null;
}

function stalledFor(fit) {
  const pass = seen.get(text(fit.id));
  return pass && number(fit.elapsed_s) !== null ? fit.elapsed_s - pass.moved : 0;
}

// ---- The parts of the page --------------------------------------------------------------

let chosen = null; // the fit that the reader asked for, or the newest
let latest = null; // the state shown

function showFigures(state, workers) {
  const heard = workers.filter((worker) => count(worker.resident_bytes) !== null);
  const [busy, slots] = [sum(workers.map((worker) => worker.busy)), sum(workers.map((worker) => worker.slots))];
  const silent = workers.filter((worker) => number(worker.silent_s) > SILENT).length;
  $('figures').hidden = workers.length === 0;
  facts($('figures'), [
    ['Workers', integer(workers.length), silent ? `${integer(silent)} silent` : '', 'warn'],
    ['Slots at work', integer(busy), `of ${integer(slots)}`],
    ['Memory of the workers', heard.length ? bytes(sum(heard.map((worker) => worker.resident_bytes))) : NONE, 'resident'],
    ['Blocks kept in it', integer(sum(workers.map((worker) => worker.cached_blocks))), `${bytes(sum(workers.map((worker) => worker.cache_bytes)))} of ${bytes(sum(workers.map((worker) => worker.cache_budget)))}`],
  ]);
}

const WORKER = [['Worker', 'name'], ['Slots at work', 'slots-at-work'], ['Memory for blocks', 'memory wide'], ['Resident', 'number'], ['Blocks kept', 'number'], ['Blocks mapped', 'number'], ['From memory', 'number'], ['Last heard', 'number heard']];
head($('worker-table'), WORKER);

function showSlots(cell, worker) {
  const [slots, busy] = [count(worker.slots) ?? 0, count(worker.busy) ?? 0];
  const shown = slots <= 16 ? Math.floor(slots) : 0;
  if (!cell.firstChild) {
    const squares = make('span', { className: 'slots' });
    squares.setAttribute('aria-hidden', 'true');
    cell.append(squares, make('span'));
  }
  const [squares, words] = cell.children;
  while (squares.children.length > shown) squares.lastChild.remove();
  while (squares.children.length < shown) squares.append(make('i'));
  [...squares.children].forEach((square, i) => square.classList.toggle('busy', i < busy));
  squares.hidden = shown === 0;
  say(words, `${integer(worker.busy)} of ${integer(worker.slots)}`);
}

function showMemory(cell, worker) {
  if (!cell.firstChild) {
    const meter = make('div', { className: 'meter' }, make('span'));
    meter.setAttribute('aria-hidden', 'true');
    cell.append(meter, make('span'));
  }
  const [meter, words] = cell.children;
  const budget = count(worker.cache_budget);
  meter.style.setProperty('--share', share(count(worker.cache_bytes) ?? 0, budget ?? 0));
  meter.classList.toggle('none', budget === 0);
  say(words, budget === 0 ? 'keeps no blocks' : `${bytes(worker.cache_bytes)} of ${bytes(worker.cache_budget)}`);
}

function showWorker(tr, worker, version) {
  const [name, slots, memory, resident, kept, mapped, found, heard] = tr.cells;
  const silent = number(worker.silent_s) > SILENT;
  const other = worker.version !== undefined && worker.version !== null && version && text(worker.version) !== version;
  tr.classList.toggle('silent', silent);
  const host = text(worker.host);
  const address = `${host.includes(':') ? `[${host}]` : host}:${text(worker.port)}`;
  two(name, text(worker.name) || NONE, number(worker.pid) === null ? address : `${address}, pid ${worker.pid}`);
  if (name.children.length < 3) name.append(make('small', { className: 'warn' }));
  say(name.children[2], other ? `version ${text(worker.version)}, not ${version}` : '');
  showSlots(slots, worker);
  showMemory(memory, worker);
  say(resident, bytes(worker.resident_bytes));
  say(kept, integer(worker.cached_blocks));
  say(mapped, integer(worker.blocks_mapped));
  const known = count(worker.blocks_mapped) > 0 && count(worker.blocks_read) !== null;
  say(found, known ? percent(1 - share(worker.blocks_read, worker.blocks_mapped)) : NONE);
  heard.classList.toggle('alarm', silent);
  const ago = number(worker.silent_s);
  say(heard, ago === null ? NONE : ago < 99.95 ? `${Math.max(0, ago).toFixed(1)} s ago` : `${long(ago)} ago`);
}

const byName = new Intl.Collator('en', { numeric: true });

function showWorkers(workers, fits, state) {
  const none = workers.length === 0;
  $('no-workers').hidden = !none;
  $('some-workers').hidden = none;
  $('workers').setAttribute('aria-labelledby', none ? 'no-workers-title' : 'workers-title');
  // Without workers nothing else goes on, so that this comes first.
  const order = none ? [$('workers'), $('fit')] : [$('fit'), $('workers')];
  if (order[0].nextElementSibling !== order[1]) order[0].after(order[1]);
  if (none) {
    const waits = fits.some((fit) => fit.status === 'running');
    say($('no-workers-why'), `${waits ? 'The fit waits for one. ' : ''}Start as many as you like, each in its own terminal:`);
    say($('worker-command'), `drystone worker ${addressOf(state)}`);
  }
  const sorted = [...workers].sort((a, b) => byName.compare(text(a.name), text(b.name)));
  keyed($('worker-table').tBodies[0], sorted, (worker) => `${text(worker.name)} ${text(worker.host)}:${text(worker.port)}`,
    () => row(WORKER), (tr, worker) => showWorker(tr, worker, text(state.version)));
}

/** The address for a command: only what can be one, since people paste it into shells. */
function addressOf(state) {
  const address = text(state.address);
  return /^[\w.:[\]-]{1,255}$/.test(address) ? address : 'ADDRESS';
}

function showStatus(badge, status) {
  const known = STATUS.has(status);
  if (badge.dataset.status !== status) badge.dataset.status = known ? status : 'other';
  say(badge, STATUS.get(status) ?? text(status));
}

/** The number of the first pass in the list, of which the scheduler sends the latest. */
function firstPass(fit, passes) {
  const current = count(fit.pass);
  if (passes.length < MAX_PASSES || current === null) return 1;
  const done = fit.status !== 'running' || count(fit.blocks_done) >= count(fit.n_blocks);
  return Math.max(1, current - passes.length + (done ? 1 : 0));
}

function showProgress(fit) {
  const running = fit.status === 'running';
  const [done, whole] = [count(fit.blocks_done), count(fit.n_blocks)];
  const pass = $('fit-pass');
  const job = inWords(fit.job);
  const words = [fit.pass === null || fit.pass === undefined ? (running ? 'starting' : 'no pass was begun') : `pass ${text(fit.pass)}`, job].filter(Boolean).join(': ');
  say(pass, words);
  say($('fit-blocks'), whole === null ? '' : `${integer(done)} of ${plural(whole, 'block')}`);
  const bar = $('course');
  bar.className = ['course', COURSE.get(fit.status) ?? 'over', whole > 1 && whole <= MAX_STONES ? 'stones' : ''].join(' ').trim();
  bar.style.setProperty('--share', share(done ?? 0, whole ?? 0));
  bar.style.setProperty('--blocks', whole ?? 1);
  bar.setAttribute('aria-valuemax', whole ?? 1);
  bar.setAttribute('aria-valuenow', Math.min(done ?? 0, whole ?? 1));
  bar.setAttribute('aria-valuetext', whole === null ? 'not known yet' : `${integer(done)} of ${plural(whole, 'block')}`);
}

function showFacts(fit) {
  const running = fit.status === 'running';
  const passes = objects(fit.passes);
  const [done, whole, rows] = [count(fit.blocks_done), count(fit.n_blocks), count(fit.rows)];
  const blocksASecond = pace(fit);
  const rate = blocksASecond && rows && whole ? `${short((rows / whole) * blocksASecond)} rows/s` : NONE;
  const pairs = [['Elapsed', duration(fit.elapsed_s), '']];
  if (running) {
    const left = blocksASecond && done !== null && whole ? (whole - done) / blocksASecond : null;
    const stalled = stalledFor(fit);
    const waits = stalled > STALLED && done < whole;
    pairs.push(['Left of this pass', waits ? NONE : left === null ? NONE : left < 1 ? '< 1 s' : long(left), waits ? `no block for ${long(stalled)}` : '']);
    pairs.push(['Rate', waits ? NONE : rate, '']);
  } else {
    pairs.push(['Rate of the last pass', rate, '']);
  }
  const read = sum(passes.map((pass) => pass.blocks_read));
  const first = firstPass(fit, passes);
  pairs.push(['Passes done', integer(first - 1 + passes.length), '']);
  pairs.push(['Rows', rows === null ? NONE : integer(rows), '']);
  pairs.push(['Blocks read', integer(read), first > 1 ? `in the last ${plural(passes.length, 'pass', 'passes')}` : passes.length ? 'in all passes' : '']);
  facts($('fit-facts'), pairs);
}

const JOB = [['Job', ''], ['Passes', 'number'], ['Seconds', 'number'], ['Blocks read', 'number']];
head($('jobs'), JOB);

function showPasses(fit) {
  const passes = objects(fit.passes).map((pass) => ({ words: inWords(pass.job), seconds: count(pass.seconds) ?? 0, read: count(pass.blocks_read) ?? 0 }));
  const jobs = new Map();
  for (const pass of passes) {
    if (!jobs.has(pass.words)) jobs.set(pass.words, { words: pass.words, colour: Math.min(3, jobs.size), n: 0, seconds: 0, read: 0 });
    const job = jobs.get(pass.words);
    job.n += 1; job.seconds += pass.seconds; job.read += pass.read;
  }
  const colours = passes.map((pass) => jobs.get(pass.words).colour);
  $('passes').hidden = passes.length === 0 && fit.status !== 'running';
  passPlot.show({ passes, first: firstPass(fit, passes), colours, blocks: count(fit.n_blocks) ?? 0 });
  $('jobs').hidden = passes.length === 0;
  keyed($('jobs').tBodies[0], [...jobs.values()], (job) => job.words,
    () => { const tr = row(JOB); tr.cells[0].append(make('span', { className: 'swatch' }), make('span')); return tr; },
    (tr, job) => {
      tr.cells[0].firstChild.className = `swatch job${job.colour}`;
      say(tr.cells[0].lastChild, job.words);
      say(tr.cells[1], integer(job.n));
      say(tr.cells[2], job.seconds.toFixed(2));
      say(tr.cells[3], integer(job.read));
    });
}

/** Beyond what can be drawn, and what is no number, there is a gap. */
const drawable = (value) => (number(value) !== null && Math.abs(value) < 1e300 ? value : null);

function showCosts(fit) {
  const costs = (Array.isArray(fit.costs) ? fit.costs : []).map(drawable);
  const [low, high] = span(costs.filter((value) => value !== null));
  const possible = low > 0;
  const radios = [...document.querySelectorAll('input[name="scale"]')];
  radios.find((radio) => radio.value === 'log').disabled = !possible;
  const wanted = radios.find((radio) => radio.checked).value;
  const log = possible && (wanted === 'log' || (wanted === 'auto' && high / low >= 30));
  $('costs').hidden = costs.length === 0 && fit.status !== 'running';
  costPlot.show({ costs, log, cut: costs.length >= MAX_COSTS });
}

function showNotes(fit) {
  const notes = (Array.isArray(fit.notes) ? fit.notes : []).map(text);
  $('notes').hidden = notes.length === 0;
  keyed($('note-list'), notes, (note, at) => String(at), () => make('li'), say);
  $('fit-error').hidden = !fit.error;
  say($('fit-error'), text(fit.error));
}

function showFit(fit, fits, state) {
  $('no-fit').hidden = fit !== undefined;
  $('a-fit').hidden = fit === undefined;
  say($('fit-command'), `cargo run --release --features cluster --example kmeans -- --cluster ${addressOf(state)}`);
  if (!fit) return;
  say($('fit-title'), text(fit.estimator) || 'a fit');
  showStatus($('fit-status'), fit.status);
  say($('fit-driver'), [fit.id && `fit ${text(fit.id)}`, fit.driver && `driver ${text(fit.driver)}`].filter(Boolean).join(', '));
  say($('fit-data'), text(fit.data));
  $('newest').hidden = fit === fits[0];
  showProgress(fit);
  showFacts(fit);
  showCosts(fit);
  showPasses(fit);
  showNotes(fit);
}

const FIT = [['Fit', 'name'], ['Status', 'bare'], ['Data', 'wide'], ['Driver', ''], ['Passes', 'number'], ['Elapsed', 'number'], ['Last cost', 'number']];
head($('fit-table'), FIT);

function showFits(fits, shown) {
  $('fits').hidden = fits.length < 2;
  keyed($('fit-table').tBodies[0], fits, (fit) => text(fit.id), (fit) => {
    const tr = row(FIT);
    const id = text(fit.id);
    tr.cells[0].append(make('button', { type: 'button', onclick: () => choose(id) }), make('small'));
    tr.cells[1].append(make('span', { className: 'badge' }));
    return tr;
  }, (tr, fit) => {
    tr.classList.toggle('picked', fit === shown);
    const button = tr.cells[0].firstChild;
    say(button, text(fit.estimator) || 'a fit');
    say(tr.cells[0].lastChild, text(fit.id));
    button.setAttribute('aria-pressed', fit === shown);
    showStatus(tr.cells[1].firstChild, fit.status);
    say(tr.cells[2], text(fit.data));
    say(tr.cells[3], text(fit.driver));
    say(tr.cells[4], fit.pass === null || fit.pass === undefined ? NONE : text(fit.pass));
    say(tr.cells[5], duration(fit.elapsed_s));
    say(tr.cells[6], cost((Array.isArray(fit.costs) ? fit.costs : []).map(drawable).findLast((value) => value !== null)));
  });
}

function choose(id) {
  chosen = id;
  if (latest) show(latest);
  $('fit').scrollIntoView({ block: 'nearest' });
}

function title(fit) {
  if (!fit) return 'drystone';
  const name = text(fit.estimator);
  if (fit.status !== 'running') return `${name} ${text(fit.status)}, drystone`;
  return `${name} pass ${text(fit.pass)}, ${percent(share(count(fit.blocks_done) ?? 0, count(fit.n_blocks) ?? 0))}, drystone`;
}

let told = new Map(); // by fit: the status that was announced

function tell(fits) {
  for (const fit of fits) {
    const id = text(fit.id);
    if (told.has(id) && told.get(id) !== fit.status) announce(`${text(fit.estimator)} ${id}: ${STATUS.get(fit.status) ?? text(fit.status)}`);
  }
  told = new Map(fits.map((fit) => [text(fit.id), fit.status]));
}

function show(state) {
  const [workers, fits] = [objects(state.workers), objects(state.fits)];
  latest = state;
  watch(fits);
  say($('address'), text(state.address));
  say($('since'), `version ${text(state.version)}, up for ${long(state.uptime_s)}`);
  const fit = fits.find((one) => chosen !== null && text(one.id) === chosen) ?? fits[0];
  showFigures(state, workers);
  $('content').hidden = false;
  showFit(fit, fits, state);
  showWorkers(workers, fits, state);
  showFits(fits, fit);
  tell(fits);
  const name = title(fit);
  if (document.title !== name) document.title = name;
}

// ---- The token --------------------------------------------------------------------------

let token = null;

/** A token as it may stand in a header, from a token or an address that ends in one. */
function tokenIn(words) {
  const found = words.trim().replace(/^.*token=/s, '');
  return /^[\x21-\x7e]{1,1000}$/.test(found) ? found : null;
}

function remember(value) {
  token = value;
  try {
    if (value === null) sessionStorage.removeItem(KEY); else sessionStorage.setItem(KEY, value);
  } catch { /* Without a store the token lasts as long as the page does. */ }
}

/** Takes the token out of the address, where bookmarks and shoulders would see it. */
function takeToken() {
  const given = /[#&]token=([^&]*)/.exec(location.hash);
  if (!given) return false;
  history.replaceState(null, '', location.pathname + location.search);
  remember(tokenIn(given[1]));
  return true;
}

function openGate(answer) {
  const was = !$('gate').hidden;
  const file = text(answer?.token_file);
  $('gate-where').hidden = !file;
  say($('gate-file'), file);
  say($('gate-why'), token === null ? '' : `That token was not accepted${answer?.error ? `: ${text(answer.error)}` : ''}. A scheduler that was started anew may have another.`);
  remember(null);
  $('gate').hidden = false;
  $('content').hidden = true;
  status('asking', 'waits for a token');
  document.title = 'drystone';
  if (!was) $('gate-token').focus();
}

// ---- Asking -----------------------------------------------------------------------------

let asking = false;
let timer = 0;
let failures = 0;
let unanswered = null; // since when a question waits for its answer
let reason = '';
let again = 0; // when the next question is due

function status(kind, words) {
  $('state').dataset.state = kind;
  say($('state-text'), words);
  document.querySelector('main').classList.toggle('stale', kind === 'stale');
}

/** What the page knows about the scheduler, said each second. */
function tick() {
  if (unanswered === null) return;
  const waited = performance.now() - unanswered;
  if (failures === 0 && waited < PATIENCE) return;
  const next = Math.ceil((again - performance.now()) / 1000);
  status('stale', `${reason || 'no answer'} for ${long(Math.max(1, waited / 1000))}${!asking && next > 0 ? `, asks again in ${next} s` : ''}`);
  announce(`The scheduler does not answer${latest ? '; what is shown is the last that it said' : ''}`);
}

async function fetchState() {
  const headers = token === null ? {} : { Authorization: `Bearer ${token}` };
  const response = await fetch('state.json', { headers, cache: 'no-store', credentials: 'omit', redirect: 'error', referrerPolicy: 'no-referrer', signal: AbortSignal.timeout(GIVE_UP) });
  if (response.status === 401) return { refused: await response.json().catch(() => null) };
  if (!response.ok) throw new Error(`only status ${response.status}`);
  const state = await response.json().catch((error) => { throw error.name === 'SyntaxError' ? new Error('an answer that is no state') : error; });
  if (!isObject(state)) throw new Error('an answer that is no state');
  return { state };
}

function answered(answer, asked) {
  [failures, unanswered, reason] = [0, null, ''];
  if (answer.refused !== undefined) {
    if (asked === token) openGate(answer.refused);
    return;
  }
  $('gate').hidden = true;
  if ($('state').dataset.state === 'stale') announce('The scheduler answers again');
  status('live', 'live');
  show(answer.state);
}

async function ask() {
  clearTimeout(timer);
  if (asking || document.visibilityState !== 'visible') return;
  asking = true;
  unanswered ??= performance.now();
  const asked = token;
  try {
    const answer = await fetchState();
    asking = false;
    answered(answer, asked);
  } catch (error) {
    if (!asking) throw error;
    failures += 1;
    // What the scheduler said wrongly is told; that it said nothing is the usual case.
    reason = error.constructor === Error ? error.message : '';
  } finally {
    asking = false;
    askAgain(asked);
  }
}

/** Soon after an answer, later and later without one; a token that came meanwhile at once. */
function askAgain(asked) {
  if (token === null && !$('gate').hidden) return;
  const backOff = Math.min(ASK_LATER, ASK_EVERY * 2 ** (failures - 1));
  const wait = asked !== token ? 0 : failures ? backOff : ASK_EVERY;
  again = performance.now() + wait;
  timer = setTimeout(ask, wait);
  tick();
}

// ---- What the reader does ----------------------------------------------------------------

async function copy(event) {
  const button = event.currentTarget;
  const command = $(button.dataset.copies);
  try {
    await navigator.clipboard.writeText(command.textContent);
    say(button, 'copied');
  } catch {
    getSelection().selectAllChildren(command);
    say(button, 'selected');
  }
  setTimeout(() => say(button, 'copy'), 1500);
}

for (const button of document.querySelectorAll('[data-copies]')) button.addEventListener('click', copy);
for (const radio of document.querySelectorAll('input[name="scale"]')) radio.addEventListener('change', () => latest && show(latest));
$('newest').addEventListener('click', () => { chosen = null; show(latest); });
$('gate-form').addEventListener('submit', (event) => {
  event.preventDefault();
  const given = tokenIn($('gate-token').value);
  if (given === null) { say($('gate-why'), 'That is no token: it is one word.'); return; }
  $('gate-token').value = '';
  remember(given);
  ask();
});
window.addEventListener('hashchange', () => { if (takeToken()) ask(); });
document.addEventListener('visibilitychange', () => {
  // What was not asked for while hidden was not left unanswered.
  if (document.visibilityState === 'visible') { if (!asking && !failures) unanswered = null; ask(); }
});

if (!takeToken()) {
  try { token = sessionStorage.getItem(KEY); } catch { /* There is no store. */ }
}
setInterval(tick, 1000);
ask();
