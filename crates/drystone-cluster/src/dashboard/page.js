// The dashboard: asks the scheduler for its state each second, and shows it. Reads only.

import { isObject, long, objects, text } from './words.js';
import { $, announce, say, status } from './dom.js';
import { watch } from './pace.js';
import { showFigures, showWorkers } from './workers.js';
import { showFit } from './fit.js';
import { showFits, tell, title } from './fits.js';
import { openGate, recall, remember, takeToken, token, tokenIn } from './gate.js';

const ASK_EVERY = 1000; // ms between two questions while answers come
const ASK_LATER = 15000; // ms between two questions at most, when none do
const GIVE_UP = 5000; // ms until a question counts as unanswered
const PATIENCE = 2500; // ms until the page says that it waits

let chosen = null; // the fit that the reader asked for, or the newest
let latest = null; // the state shown

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
  showFits(fits, fit, choose);
  tell(fits);
  const name = title(fit);
  if (document.title !== name) document.title = name;
}

function choose(id) {
  chosen = id;
  if (latest) show(latest);
  $('fit').scrollIntoView({ block: 'nearest' });
}

// ---- Asking -----------------------------------------------------------------------------

let asking = false;
let timer = 0;
let failures = 0;
let unanswered = null; // since when a question waits for its answer
let reason = '';
let again = 0; // when the next question is due

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
  if (response.status === 401) return { refused: true };
  if (!response.ok) throw new Error(`only status ${response.status}`);
  const state = await response.json().catch((error) => { throw error.name === 'SyntaxError' ? new Error('an answer that is no state') : error; });
  if (!isObject(state)) throw new Error('an answer that is no state');
  return { state };
}

function answered(answer, asked) {
  [failures, unanswered, reason] = [0, null, ''];
  if (answer.refused) {
    if (asked === token) openGate();
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

recall();
setInterval(tick, 1000);
ask();
