// The token: where it comes from, where it stays, and the form that asks for it.

import { $, say, status } from './dom.js';

const KEY = 'drystone.token';

export let token = null; // changed by `remember` and `recall` alone

/** A token as it may stand in a header, from a token or an address that ends in one. */
export function tokenIn(words) {
  const found = words.trim().replace(/^.*token=/s, '');
  return /^[\x21-\x7e]{1,1000}$/.test(found) ? found : null;
}

export function remember(value) {
  token = value;
  try {
    if (value === null) sessionStorage.removeItem(KEY); else sessionStorage.setItem(KEY, value);
  } catch { /* Without a store the token lasts as long as the page does. */ }
}

/** Takes the token out of the address, where bookmarks and shoulders would see it. */
export function takeToken() {
  const given = /[#&]token=([^&]*)/.exec(location.hash);
  if (!given) return false;
  history.replaceState(null, '', location.pathname + location.search);
  remember(tokenIn(given[1]));
  return true;
}

/** The token of this tab: from the address, or from before a reload. */
export function recall() {
  if (takeToken()) return;
  try { token = sessionStorage.getItem(KEY); } catch { /* There is no store. */ }
}

/** The form instead of the page, and why the token before it was refused. */
export function openGate() {
  const was = !$('gate').hidden;
  say($('gate-why'), token === null ? '' : 'That token was not accepted. A scheduler that was started anew may have another.');
  remember(null);
  $('gate').hidden = false;
  $('content').hidden = true;
  status('asking', 'waits for a token');
  document.title = 'drystone';
  if (!was) $('gate-token').focus();
}
