// A drawing with axes and a cursor, whatever it draws.

import { integer } from './words.js';
import { drawn, say } from './dom.js';

/** Round values from `low` to `high`, some `wanted` of them. */
export function ticks(low, high, wanted) {
  const rough = (high - low) / Math.max(1, wanted);
  if (!(rough > 0) || !Number.isFinite(rough)) return { at: [low], step: Math.abs(low) || 1 };
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * power).find((one) => one * 1.4 >= rough) ?? rough;
  const at = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9 && at.length < 50; k += 1) at.push(k * step);
  return { at, step };
}

/** Labels with as many digits as tell them apart. */
export function labels({ at, step }) {
  const largest = Math.max(...at.map(Math.abs));
  const power = largest > 0 ? Math.floor(Math.log10(largest)) : 0;
  const digits = (unit) => Math.min(12, Math.max(0, unit - Math.floor(Math.log10(step) + 1e-9)));
  if (power >= 5 || power < -3) return at.map((value) => (value === 0 ? '0' : `${(value / 10 ** power).toFixed(digits(power))}e${power}`));
  return at.map((value) => value.toFixed(digits(0)));
}

/** Powers of ten, with their doubles and fives where these are few. */
export function logTicks(low, high) {
  const [from, to] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const every = Math.max(1, Math.ceil((to - from) / 6));
  const at = [];
  for (let power = from; power <= to; power += every) {
    for (const times of to - from <= 3 ? [1, 2, 5] : [1]) at.push(times * 10 ** power);
  }
  return at.filter((value) => value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9));
}

export const plainPower = (value) => (value >= 1e-3 && value < 1e5 ? String(Number(value.toPrecision(1))) : value.toExponential(0).replace('e+', 'e'));

export function span(values) {
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
export class Plot {
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

export function blank(svg, width, height, words) {
  svg.append(drawn('text', { x: width / 2, y: height / 2, 'text-anchor': 'middle', class: 'blank' }, words));
  return { count: 0, at: () => 0, words: () => '', mark: () => {}, summary: '' };
}

/** Lines across with their labels, on the left of `left`. */
export function across(svg, places, words, left, right) {
  places.forEach((y, at) => {
    svg.append(drawn('line', { class: 'grid', x1: left, x2: right, y1: Math.round(y), y2: Math.round(y) }));
    svg.append(drawn('text', { x: left - 7, y: y + 4, 'text-anchor': 'end' }, words[at]));
  });
}

/** Whole numbers along the bottom, and what they count. */
export function along(svg, first, last, x, y, right, name) {
  const { at } = ticks(first, last, Math.min(8, last - first));
  const room = right - name.length * 6.2 - 14;
  for (const value of at.filter(Number.isInteger)) {
    if (x(value - first) < room) svg.append(drawn('text', { x: x(value - first), y, 'text-anchor': 'middle' }, integer(value)));
  }
  svg.append(drawn('text', { x: right, y, 'text-anchor': 'end' }, name));
}
