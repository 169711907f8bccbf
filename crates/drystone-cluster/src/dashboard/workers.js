// The workers: what they have together, and each of them.

import { addressOf, bytes, count, integer, long, NONE, number, percent, share, sum, text } from './words.js';
import { $, facts, head, keyed, make, row, say, two } from './dom.js';

const SILENT = 2; // seconds after which a worker is marked

export function showFigures(state, workers) {
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

export function showWorkers(workers, fits, state) {
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
