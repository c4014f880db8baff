/** Selective disclosure: chosen facts alone, each with its way to the log of the school that recorded it (FORMAT.md, 11). */
import { b64, same, unb64, utf8 } from './bytes.js';
import { dump, Fields, load } from './canonical.js';
import { commitment, leaf, parseEntry, unitName } from './chain.js';
import { must, Refused } from './errors.js';
import { factOf } from './file.js';
import { judge, kindsOf, newest } from './keydoc.js';
import { noteText, parseManifest } from './manifest.js';
import { Partial, verifyMulti } from './merkle.js';
import { parseCheckpoint, parseNote, requireAll, requireExactly, verifyNote } from './note.js';
import { digest, text } from './bytes.js';

export const PROOF_FORMAT = 'astrack/proof/v1';
const WHERE = 'proof';
const MAX_PROOF = 16 << 20;

/**
 * @typedef {{ origin: string, stream: Uint8Array, name: string, how: string, size: number, witnesses: number, facts: any[],
 *   document: import('./keydoc.js').Document }} Shown
 * @typedef {{ for: string, made: string, logs: Shown[], person: any, schools: any[], signedBy: string }} Disclosed
 */

/**
 * A proof file of chosen facts. @param {import('./file.js').Found} found @param {Set<string>} chosen event ids
 * @param {{ for?: string, made: string, about?: boolean }} how `about`: with who it is about, as the school stated it
 * @returns {Uint8Array} @throws {Refused} when nothing is chosen
 */
export function disclose(found, chosen, { for: whom = '', made, about = false }) {
  const facts = found.facts.filter((one) => one.fact && chosen.has(one.fact.event_id));
  must(facts.length > 0, 'choose at least one event', WHERE);
  const units = [...found.proved.values()].filter((one) => facts.some((fact) => fact.unit === one.unit.name)).sort((a, b) => (a.unit.name < b.unit.name ? -1 : 1));
  const logs = units.map((one) => logOf(one, facts.filter((fact) => fact.unit === one.unit.name)));
  const member = (/** @type {string} */ name) => text(found.members.get(name) ?? new Uint8Array(), name);
  must(!about || found.members.has('identity.json'), 'the file does not say who it is about', WHERE);
  const who = about ? { manifest: member('manifest.json'), note: member('manifest.note'), identity: member('identity.json'), keys: newestKeys(found.proved.get(found.manifest.sources[0].unit)) } : null;
  return dump({ format: PROOF_FORMAT, for: whom, made, logs, about: who });
}

/** The newest key document; whoever knows an older one asks the school. @param {import('./evidence.js').Proved | undefined} proved @returns {string[]} */
const newestKeys = (proved) => (proved?.unit.keys ?? []).slice(-1).map((note) => text(note, WHERE));

/** @param {import('./evidence.js').Proved} proved @param {import('./file.js').Told[]} facts */
function logOf(proved, facts) {
  const { unit, size, entries } = proved;
  const leaves = new Map(unit.indexes.map((index, at) => [index, leaf(entries[at])]));
  leaves.set(unit.heads.index, leaf(unit.heads.entry));
  const known = new Partial(size, leaves, unit.nodes);
  const sorted = [...new Map(facts.map((one) => [one.index, one])).values()].sort((a, b) => a.index - b.index);
  return {
    origin: unit.origin, stream: b64(unit.stream), checkpoint: text(unit.checkpoint, WHERE), keys: newestKeys(proved),
    facts: sorted.map((one) => ({ index: one.index, entry: b64(one.entry), salt: b64(one.salt), payload: b64(one.payload) })),
    nodes: known.prove(sorted.map((one) => one.index)).map(b64),
  };
}

/**
 * Check a proof file against the keys of the schools in it. @param {Uint8Array} data
 * @param {import('./file.js').Trust} [trust] @returns {Promise<Disclosed>} @throws {Refused}
 */
export async function verifyProof(data, { trusted = [], witnesses = [] } = {}) {
  must(data.length <= MAX_PROOF, 'it is over the limit', WHERE);
  const fields = new Fields(load(data, WHERE), WHERE);
  must(fields.text('format') === PROOF_FORMAT, 'its format is a newer one, or none of ours', WHERE);
  const head = { for: fields.text('for', 500), made: fields.like('made', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/) };
  const logs = fields.items('logs', 256).map((one) => checkLog(new Fields(one, WHERE), trusted, witnesses));
  must(logs.length > 0 && new Set(logs.map((one) => unitName(one.origin, one.stream))).size === logs.length, 'a log is missing, or there twice', WHERE);
  const about = fields.take('about');
  fields.done();
  const who = about === null ? { person: null, schools: [], signedBy: '' } : await checkAbout(new Fields(about, `${WHERE}, about`), logs, trusted);
  return { ...head, logs, ...who };
}

/** @param {Fields} fields @param {import('./keydoc.js').Document[][]} trusted @param {import('./note.js').Verifier[]} witnesses @returns {Shown} */
function checkLog(fields, trusted, witnesses) {
  const origin = fields.text('origin');
  const where = `the log ${origin}`;
  const stream = unb64(fields.text('stream'), where);
  const standing = judge(origin, fields.items('keys', 100).map((one) => utf8(String(one))), trusted);
  const signed = parseNote(utf8(fields.text('checkpoint', 1 << 20)), where);
  requireAll(signed, newest(standing.document, 'checkpoint'), where);
  const tree = parseCheckpoint(signed.text);
  must(tree.origin === origin, 'its checkpoint is of another log', where);
  const leaves = new Map();
  const facts = fields.items('facts', 10_000).map((one) => checkFact(new Fields(one, where), stream, leaves));
  must(facts.length > 0 && leaves.size === facts.length, 'a fact is missing, or there twice', where);
  verifyMulti(tree.root, tree.size, leaves, fields.items('nodes', 1_000_000).map((node) => unb64(node, where, 32)));
  fields.done();
  return { origin, stream, name: standing.name, how: standing.how, size: tree.size, witnesses: verifyNote(signed, witnesses).size, facts, document: standing.document };
}

/** @param {Fields} fields @param {Uint8Array} stream @param {Map<number, Uint8Array>} leaves @returns {any} the fact */
function checkFact(fields, stream, leaves) {
  const index = fields.number('index');
  const [entry, salt, payload] = [unb64(fields.text('entry', 1000), WHERE), unb64(fields.text('salt'), WHERE, 32), unb64(fields.text('payload', 16 << 20), WHERE)];
  fields.done();
  const parsed = parseEntry(entry);
  must(parsed.kind === 'event' && same(parsed.stream, stream), 'it is not a fact of this stream', `entry ${index}`);
  must(same(commitment(salt, payload), parsed.commitment), 'its entry does not commit to this payload', `entry ${index}`);
  const fact = factOf(payload);
  if (!fact) throw new Refused('it is no fact', `entry ${index}`);
  leaves.set(index, leaf(entry));
  return fact;
}

/**
 * Who it is about: the school's signed manifest lists identity.json and these very streams.
 * @param {Fields} fields @param {Shown[]} logs @param {import('./keydoc.js').Document[][]} trusted
 */
async function checkAbout(fields, logs, trusted) {
  const [manifest, note, identity] = [utf8(fields.text('manifest', 4 << 20)), utf8(fields.text('note', 1 << 16)), utf8(fields.text('identity', 8 << 20))];
  const keys = fields.items('keys', 100).map((one) => utf8(String(one)));
  fields.done();
  const made = parseManifest(manifest);
  const standing = judge(made.sender.origin, keys, trusted);
  const signed = parseNote(note, 'manifest.note');
  must(signed.text === noteText(manifest), 'it is signed for another manifest', 'manifest.note');
  requireExactly(signed, newest(standing.document, 'manifest'), kindsOf('manifest'), 'manifest.note');
  const listed = made.files.find((one) => one.name === 'identity.json');
  must(listed && listed.sha256 === await digest(identity), 'it is not what the manifest says', 'identity.json');
  const units = new Set(made.sources.map((one) => one.unit));
  must(logs.every((one) => units.has(unitName(one.origin, one.stream))), "a fact is not of this person's record", 'proof, about');
  const { person = null, schools = [] } = load(identity, 'identity.json');
  return { person, schools, signedBy: standing.name };
}
