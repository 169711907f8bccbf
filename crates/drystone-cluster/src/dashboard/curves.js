// The two drawings of a fit: its costs, and the seconds and blocks of its passes.

import { cost, duration, integer, number, plural, short, sum } from './words.js';
import { $, drawn } from './dom.js';
import { across, along, blank, labels, logTicks, plainPower, Plot, span, ticks } from './plot.js';

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

export const costPlot = new Plot($('costs'), 'Cost by iteration', drawCosts);
export const passPlot = new Plot($('passes'), 'Seconds and blocks read by pass', drawPasses);
