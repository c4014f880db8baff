/** One stream of one log, proved: in the log by a checkpoint, and complete by the heads (FORMAT.md, section 7). */
import { b64, hex, same, unb64, unhex, utf8 } from './bytes.js';
import { dump, Fields, load, parse } from './canonical.js';
import { commitment, leaf, parseEntry, unitName, ZERO } from './chain.js';
import { must } from './errors.js';
import { leafHash, verifyInclusion, verifyMulti } from './merkle.js';
import { parseCheckpoint, parseNote, requireAll, verifyNote } from './note.js';
import { parseLines } from './story.js';

/**
 * @typedef {{ index: number, entry: Uint8Array, salt: Uint8Array, payload: Uint8Array, place: number, nodes: Uint8Array[] }} Heads
 * @typedef {{ name: string, origin: string, stream: Uint8Array, checkpoint: Uint8Array, indexes: number[], nodes: Uint8Array[],
 *   heads: Heads, keys: Uint8Array[], others: import('./story.js').Line[], members: Map<string, Uint8Array> }} Unit
 * @typedef {{ unit: Unit, size: number, root: Uint8Array, entries: Uint8Array[], head: Uint8Array, witnesses: number }} Proved
 */

/** The units of evidence in a file, by folder. @param {Map<string, Uint8Array>} members @returns {Map<string, Unit>} */
export function readUnits(members) {
  /** @type {Map<string, Map<string, Uint8Array>>} */
  const folders = new Map();
  for (const [name, data] of members) {
    const [top, folder, ...rest] = name.split('/');
    if (top !== 'evidence' || rest.length === 0) continue;
    folders.set(folder, (folders.get(folder) ?? new Map()).set(rest.join('/'), data));
  }
  return new Map([...folders].map(([folder, inner]) => [folder, readUnit(folder, inner)]));
}

/** @param {string} folder @param {Map<string, Uint8Array>} members @returns {Unit} */
function readUnit(folder, members) {
  const where = `evidence/${folder}`;
  const [checkpoint, proof, others] = ['checkpoint', 'proof.json', 'entries.jsonl'].map((name) => members.get(name));
  must(checkpoint && proof, 'its checkpoint or its proof is missing', where);
  const fields = new Fields(load(proof, `${where}/proof.json`), `${where}/proof.json`);
  const heads = fields.fields('heads');
  const indexes = fields.items('indexes', 200_000);
  must(indexes.every((one, at) => Number.isSafeInteger(one) && one >= 0 && (at === 0 || indexes[at - 1] < one)), 'its indexes do not ascend', where);
  const made = {
    name: folder, origin: fields.text('origin'), stream: unb64(fields.text('stream'), where), checkpoint, indexes,
    nodes: fields.items('nodes', 1_000_000).map((node) => unb64(node, where, 32)),
    heads: {
      index: heads.number('index'), entry: unb64(heads.text('entry', 1000), where), salt: unb64(heads.text('salt'), where, 32),
      payload: unb64(heads.text('payload', 10_000), where), place: heads.number('place'),
      nodes: heads.items('nodes', 64).map((node) => unb64(node, where, 32)),
    },
    keys: [...members.keys()].filter((name) => name.startsWith('keys/')).sort().map((name) => /** @type {Uint8Array} */ (members.get(name))),
    others: others ? parseLines(others, `${where}/entries.jsonl`) : [],
    members,
  };
  heads.done();
  fields.done();
  must(made.others.every((line) => line.omitted), 'only withheld entries stand here', `${where}/entries.jsonl`);
  must(unitName(made.origin, made.stream) === folder, 'it is not the folder of this origin and stream', where);
  return made;
}

/**
 * Check one stream: its chain, its place in the signed log, and that nothing of it is missing.
 * @param {Unit} unit @param {Map<number, Uint8Array>} found the entries the story holds, by index
 * @param {import('./note.js').Verifier[]} keys @param {import('./note.js').Verifier[]} witnesses @returns {Proved}
 */
export function prove(unit, found, keys, witnesses) {
  const where = `the log ${unit.origin}`;
  const signed = parseNote(unit.checkpoint, where);
  requireAll(signed, keys, where);
  const head = parseCheckpoint(signed.text);
  must(head.origin === unit.origin, 'its checkpoint is of another log', where);
  const entries = inOrder(unit, found, where);
  const last = follow(unit, entries, where);
  const leaves = new Map(unit.indexes.map((index, at) => [index, leaf(entries[at])]));
  leaves.set(unit.heads.index, leaf(unit.heads.entry));
  must(leaves.size === entries.length + 1 && Math.max(...leaves.keys()) < head.size, 'an index lies outside the log, or twice in it', where);
  verifyMulti(head.root, head.size, leaves, unit.nodes);
  complete(unit, entries.length - 1, last, where);
  return { unit, size: head.size, root: head.root, entries, head: last, witnesses: verifyNote(signed, witnesses).size };
}

/** @param {Unit} unit @param {Map<number, Uint8Array>} found @param {string} where @returns {Uint8Array[]} */
function inOrder(unit, found, where) {
  const others = unit.others[Symbol.iterator]();
  const gaps = unit.indexes.filter((index) => !found.has(index)).length;
  const whole = gaps === unit.others.length && unit.indexes.length === found.size + gaps;
  must(whole, 'the proof is not of exactly the entries that are there', where);
  return unit.indexes.map((index) => found.get(index) ?? /** @type {import('./story.js').Line} */ (others.next().value).entry);
}

/** Each entry follows the one before. @param {Unit} unit @param {Uint8Array[]} entries @param {string} where @returns {Uint8Array} the last leaf */
function follow(unit, entries, where) {
  /** @type {[Uint8Array, string]} */
  let [before, kind] = [ZERO, ''];
  entries.forEach((data, seq) => {
    const parsed = parseEntry(data);
    const follows = same(parsed.stream, unit.stream) && parsed.seq === seq && same(parsed.prev, before) && kind !== 'erasure';
    must(follows, `entry ${seq} of the stream does not follow the one before it`, where);
    [before, kind] = [leaf(data), parsed.kind];
  });
  must(entries.length > 0, 'the stream has no entry', where);
  return before;
}

/** @param {Uint8Array} stream @param {number} seq @param {Uint8Array} last @returns {Uint8Array} a leaf of the heads tree */
export const headLeaf = (stream, seq, last) => leafHash(utf8(`astrack/head/v1\n${b64(stream)}\n${seq}\n${b64(last)}\n`));

/** The heads that the school logged say that the stream ends here. @param {Unit} unit @param {number} seq @param {Uint8Array} last @param {string} where */
function complete(unit, seq, last, where) {
  const shown = parseEntry(unit.heads.entry);
  must(shown.kind === 'heads' && same(commitment(unit.heads.salt, unit.heads.payload), shown.commitment), 'it is not a heads entry that commits to this', where);
  const fact = parse(unit.heads.payload, where);
  const { covers, streams, root } = fact?.data ?? {};
  const stated = fact?.topic === 'school.heads-published.v1' && Number.isSafeInteger(covers) && Number.isSafeInteger(streams);
  must(stated && /^[0-9a-f]{64}$/.test(root), 'its heads do not state what they cover', where);
  const end = unit.indexes[unit.indexes.length - 1];
  must(end < covers && covers <= unit.heads.index, 'the heads were taken before the last entry, or of what came after', where);
  verifyInclusion(unhex(root), streams, unit.heads.place, headLeaf(unit.stream, seq, last), unit.heads.nodes);
}

/** What a manifest states of a unit. @param {Proved} proved @returns {import('./manifest.js').Source} */
export function sourceOf(proved) {
  const { unit } = proved;
  return { origin: unit.origin, unit: unit.name, stream: b64(unit.stream), size: proved.size, root: hex(proved.root), first: 0,
    last: proved.entries.length - 1, head: b64(proved.head) };
}

/** @param {Unit} unit @returns {Uint8Array} its proof.json */
export const proofMember = (unit) => dump({
  origin: unit.origin, stream: b64(unit.stream), indexes: unit.indexes, nodes: unit.nodes.map(b64),
  heads: { index: unit.heads.index, entry: b64(unit.heads.entry), salt: b64(unit.heads.salt), payload: b64(unit.heads.payload),
    place: unit.heads.place, nodes: unit.heads.nodes.map(b64) },
});
