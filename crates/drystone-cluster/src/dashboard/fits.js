// The fits beside each other; and what is said of them when nobody looks: title and status.

import { cost, count, duration, NONE, percent, share, STATUS, text } from './words.js';
import { $, announce, head, keyed, make, row, say } from './dom.js';
import { costsOf, showStatus } from './fit.js';

const FIT = [['Fit', 'name'], ['Status', 'bare'], ['Data', 'wide'], ['Driver', ''], ['Passes', 'number'], ['Elapsed', 'number'], ['Last cost', 'number']];
head($('fit-table'), FIT);

/** The table; a button in each row chooses its fit. */
export function showFits(fits, shown, choose) {
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
    say(tr.cells[6], cost(costsOf(fit).findLast((value) => value !== null)));
  });
}

/** The title of the document. */
export function title(fit) {
  if (!fit) return 'drystone';
  const name = text(fit.estimator);
  if (fit.status !== 'running') return `${name} ${text(fit.status)}, drystone`;
  return `${name} pass ${text(fit.pass)}, ${percent(share(count(fit.blocks_done) ?? 0, count(fit.n_blocks) ?? 0))}, drystone`;
}

let told = new Map(); // by fit: the status that was announced

/** Announces what has another status than before. */
export function tell(fits) {
  for (const fit of fits) {
    const id = text(fit.id);
    if (told.has(id) && told.get(id) !== fit.status) announce(`${text(fit.estimator)} ${id}: ${STATUS.get(fit.status) ?? text(fit.status)}`);
  }
  told = new Map(fits.map((fit) => [text(fit.id), fit.status]));
}
