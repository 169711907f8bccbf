// How fast a pass goes, from what the page saw of it.

import { count, number, objects, text } from './words.js';

/** By fit: its pass, and when which number of blocks was done, by the fit's own clock. */
const seen = new Map();

export function watch(fits) {
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
export function pace(fit) {
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

export function stalledFor(fit) {
  const pass = seen.get(text(fit.id));
  return pass && number(fit.elapsed_s) !== null ? fit.elapsed_s - pass.moved : 0;
}
