// Nodes of the document: made, and changed only where they differ.
//
// Whatever comes from the scheduler is text from elsewhere (workers and drivers name
// themselves): it reaches the page through textContent and numbers, never as markup.

export const $ = (id) => document.getElementById(id);

/** Sets text only where it differs, so that what a reader has selected stays so. */
export function say(node, words) {
  if (node.textContent !== words) node.textContent = words;
}

export function make(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in node) node[name] = value; else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

export function drawn(tag, attributes = {}, words = '') {
  const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (words) node.textContent = words;
  return node;
}

/** One child of `parent` for each item, in their order; what is there already stays. */
export function keyed(parent, items, key, create, update) {
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
export function facts(list, pairs) {
  keyed(list, pairs, ([label]) => label,
    ([label]) => make('div', {}, make('dt', { textContent: label }), make('dd', {}, make('span'), ' ', make('small'))),
    (node, [, value, aside, kind]) => {
      const [figure, beside] = node.lastChild.children;
      say(figure, value);
      say(beside, aside);
      beside.className = kind ?? '';
    });
}

export function head(table, columns) {
  const cell = ([label, kind]) => make('th', { textContent: label, scope: 'col', role: 'columnheader', className: kind.includes('number') ? 'number' : '' });
  table.tHead.replaceChildren(make('tr', { role: 'row' }, ...columns.map(cell)));
}

export function row(columns) {
  return make('tr', { role: 'row' }, ...columns.map(([label, kind]) => {
    const cell = make('td', { className: kind });
    cell.setAttribute('role', 'cell');
    cell.dataset.label = label;
    return cell;
  }));
}

/** A value, with a smaller line below it. */
export function two(cell, value, below) {
  if (!cell.firstChild) cell.append(make('span'), make('small'));
  say(cell.children[0], value);
  say(cell.children[1], below);
}

/** For those who listen to the page instead of looking at it. */
export function announce(words) { say($('announce'), words); }

/** How it stands with the scheduler, in the header; what is stale is paler. */
export function status(kind, words) {
  $('state').dataset.state = kind;
  say($('state-text'), words);
  document.querySelector('main').classList.toggle('stale', kind === 'stale');
}
