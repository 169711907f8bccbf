// One fit: how far it is, what it costs, and its passes.

import {
  addressOf, count, duration, integer, inWords, long, NONE, number, objects, plural, share, short,
  STATUS, sum, text,
} from './words.js';
import { $, facts, head, keyed, make, row, say } from './dom.js';
import { span } from './plot.js';
import { costPlot, passPlot } from './curves.js';
import { pace, stalledFor } from './pace.js';

const STALLED = 10; // seconds without a block after which the page says so
const MAX_PASSES = 200; // a longer list of passes is cut by the scheduler
const MAX_COSTS = 1000; // and of costs
const MAX_STONES = 100; // blocks that a bar shows one by one

/** How the bar of the last pass looks. */
const COURSE = new Map([['running', ''], ['stopped', 'halted'], ['failed', 'bad'], ['lost', 'bad']]);

export function showStatus(badge, status) {
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

export const costsOf = (fit) => (Array.isArray(fit.costs) ? fit.costs : []).map(drawable);

function showCosts(fit) {
  const costs = costsOf(fit);
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

export function showFit(fit, fits, state) {
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
