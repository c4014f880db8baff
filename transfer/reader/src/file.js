/** The sealed file as a whole: opened, taken apart and checked in the order of FORMAT.md, section 8. */
import { fingerprint, recipientOf, unseal } from './age.js';
import { digest, hex, sha256, text } from './bytes.js';
import { canonical, load } from './canonical.js';
import { checkCloudEvents, MEMBER as CLOUD } from './cloudevents.js';
import { nested, parseEntry, unitName } from './chain.js';
import { must } from './errors.js';
import { prove, readUnits, sourceOf } from './evidence.js';
import { eightWords, judge, kindsOf, newest } from './keydoc.js';
import { noteText, parseManifest } from './manifest.js';
import { parseNote, requireExactly, vkey } from './note.js';
import { parseLines, threadOf, threadsOf } from './story.js';
import { readTar } from './tar.js';

/**
 * @typedef {{ manifest: import('./manifest.js').Manifest, manifestSha256: string, lines: import('./story.js').Line[],
 *   proved: Map<string, import('./evidence.js').Proved>, standings: Map<string, import('./keydoc.js').Standing>,
 *   members: Map<string, Uint8Array>, facts: Told[], identity: string, person: any, schools: any[] }} Found
 * @typedef {{ origin: string, index: number, unit: string, entry: Uint8Array, salt: Uint8Array, payload: Uint8Array, fact: any }} Told
 *   one fact, in the log of the school that recorded it
 * @typedef {{ trusted?: import('./keydoc.js').Document[][], witnesses?: import('./note.js').Verifier[] }} Trust
 */

/**
 * Open a sealed file and check everything in it. @param {Uint8Array} data @param {string[]} identities @param {Trust} [trust]
 * @returns {Promise<Found>} @throws {import('./errors.js').Refused} at the first thing that is not right
 */
export async function open(data, identities, trust = {}) {
  const { tar, identity } = await unseal(data, identities);
  return { ...await check(readTar(tar), await fingerprint(await recipientOf(identity)), trust), identity };
}

/** @param {Map<string, Uint8Array>} members @param {string} opener the fingerprint of the key that opened it @param {Trust} trust @returns {Promise<Omit<Found, 'identity'>>} */
export async function check(members, opener, { trusted = [], witnesses = [] }) {
  const made = checkManifest(members, trusted);
  must(made.manifest.kind !== 'audit', 'an audit bundle is never sealed', 'manifest.json');
  must(made.manifest.recipients.some((one) => one.fingerprint === opener), 'the key that opened it is not among those it was signed for', 'manifest.json');
  await checkListing(made.manifest, members);
  for (const name of ['identity.json', 'actors.json']) if (members.has(name)) load(/** @type {Uint8Array} */ (members.get(name)), name);
  const story = members.get('events.jsonl');
  must(story, 'it is missing', 'events.jsonl');
  const units = readUnits(members);
  const lines = parseLines(story, 'events.jsonl');
  const [own] = made.manifest.sources;
  const threads = threadsOf(own.origin, units.get(own.unit)?.indexes ?? [], lines);
  const proved = proveAll(made, units, threads, witnesses);
  const facts = told(own, units.get(own.unit)?.indexes ?? [], lines);
  const [who, events] = [members.get('identity.json'), members.get(CLOUD)];
  if (events) checkCloudEvents(events, own.origin, lines);
  const { person = null, schools = [] } = who ? load(who, 'identity.json') : {};
  return { ...made, lines, proved, members, facts, person, schools };
}

/** @param {Map<string, Uint8Array>} members @param {import('./keydoc.js').Document[][]} trusted */
function checkManifest(members, trusted) {
  const [data, signed] = [members.get('manifest.json'), members.get('manifest.note')];
  must(data && signed, 'there is no manifest, or nobody signed it', 'archive');
  const manifest = parseManifest(data);
  const standings = new Map(manifest.sources.map((one) => {
    const folder = `evidence/${one.unit}/keys/`;
    const notes = [...members.keys()].filter((name) => name.startsWith(folder)).sort().map((name) => /** @type {Uint8Array} */ (members.get(name)));
    return [one.unit, judge(one.origin, notes, trusted)];
  }));
  const note = parseNote(signed, 'manifest.note');
  must(note.text === noteText(data), 'it is signed for another manifest', 'manifest.note');
  const sender = /** @type {import('./keydoc.js').Standing} */ (standings.get(manifest.sources[0].unit));
  requireExactly(note, newest(sender.document, 'manifest'), kindsOf('manifest'), 'manifest.note');
  return { manifest, manifestSha256: hex(sha256(data)), standings };
}

/** The members are exactly those listed, with their sizes and digests. @param {import('./manifest.js').Manifest} manifest @param {Map<string, Uint8Array>} members */
async function checkListing(manifest, members) {
  const there = [...members.keys()].filter((name) => name !== 'manifest.json' && name !== 'manifest.note');
  must(there.join('\n') === manifest.files.map((one) => one.name).join('\n'), 'something is missing, or there but not listed', 'archive');
  for (const one of manifest.files) {
    const data = /** @type {Uint8Array} */ (members.get(one.name));
    must(data.length === one.size && await digest(data) === one.sha256, 'it is not what the manifest says', one.name);
    must(!one.name.startsWith('attachments/') || one.name === `attachments/${one.sha256}`, 'an attachment is named by its digest', one.name);
  }
}

/**
 * Every stream the story passed through, and that the manifest states what was found.
 * @param {{ manifest: import('./manifest.js').Manifest, standings: Map<string, import('./keydoc.js').Standing> }} made
 * @param {Map<string, import('./evidence.js').Unit>} units @param {import('./story.js').Threads} threads
 * @param {import('./note.js').Verifier[]} witnesses @returns {Map<string, import('./evidence.js').Proved>}
 */
function proveAll({ manifest, standings }, units, threads, witnesses) {
  const stated = manifest.sources.map((one) => one.unit);
  const apart = new Set(stated).size === stated.length && units.size === stated.length && threads.size === stated.length;
  must(apart, 'there is not exactly one folder for each log the story passed through', 'evidence');
  must(stated.slice(1).join() === stated.slice(1).sort().join(), 'its sources are not in order', 'manifest.json');
  return new Map(manifest.sources.map((one) => {
    const unit = units.get(one.unit);
    const thread = unit && threads.get(threadOf(unit.origin, unit.stream));
    must(unit && thread, 'there is not exactly one folder for each log the story passed through', 'evidence');
    const standing = /** @type {import('./keydoc.js').Standing} */ (standings.get(one.unit));
    const proved = prove(unit, thread.entries, newest(standing.document, 'checkpoint'), witnesses);
    must(canonical(sourceOf(proved)) === canonical(one), 'its sources are not what the evidence shows', 'manifest.json');
    return [one.unit, proved];
  }));
}

/** Every fact that is not withheld, where it was first recorded. @param {import('./manifest.js').Source} own @param {number[]} indexes @param {import('./story.js').Line[]} lines @returns {Told[]} */
function told(own, indexes, lines) {
  return lines.flatMap((line, at) => {
    if (!line.payload || !line.salt) return [];
    const outer = { origin: own.origin, index: indexes[at], entry: line.entry, salt: line.salt, payload: line.payload };
    const inner = nested(line.payload).at(-1) ?? outer;
    return [{ ...inner, unit: unitName(inner.origin, parseEntry(inner.entry).stream), fact: factOf(inner.payload) }];
  });
}

/** @param {Uint8Array} payload @returns {any} what was recorded; null when it is no fact of ours */
export function factOf(payload) {
  try {
    const fact = JSON.parse(text(payload, 'fact'));
    return fact && typeof fact.topic === 'string' && fact.data && typeof fact.data === 'object' ? fact : null;
  } catch {
    return null;
  }
}

/** @param {number} many @returns {string} */
const count = (many) => `${many} ${many === 1 ? 'fact' : 'facts'}`;

/** What was found, in sentences. @param {Found} found @returns {{ lines: string[], doubts: string[], leftOut: { what: string, why: string }[] }} */
export function verdict(found) {
  const { manifest, standings, proved } = found;
  const sender = /** @type {import('./keydoc.js').Standing} */ (standings.get(manifest.sources[0].unit));
  const withheld = found.lines.filter((line) => !line.payload).length;
  const lines = [`The file is whole, and ${sender.name} signed it on ${day(manifest.created)}.`,
    `It tells ${count(found.facts.length)}${withheld ? `; ${withheld} more are counted but withheld` : ''}.`];
  const doubts = [];
  for (const [unit, one] of proved) {
    const standing = /** @type {import('./keydoc.js').Standing} */ (standings.get(unit));
    const own = count(found.facts.filter((fact) => fact.unit === unit).length);
    lines.push(`From ${standing.name}: ${own}, each in the log that it signed; nothing is missing from it (${one.entries.length} entries in a log of ${one.size}).`);
    if (standing.how === 'self-asserted') doubts.push(`Nothing here says that these are the keys of ${standing.name}. Ring them and compare eight words: ${eightWords(standing.document)}.`);
    if (!one.witnesses) doubts.push(`No outside witness that this reader knows has signed the log of ${standing.name}: the school itself could have rewritten what nobody outside has seen.`);
  }
  const giver = givenBy(found);
  if (giver) lines.push(`What you added is signed with the key that ${giver} gave you with your copy.`);
  return { lines, doubts, leftOut: manifest.omissions };
}

/**
 * The school that named the keys of the student's own part, by the manifest that it signed and that is handed on in
 * `given/`; "" where there is no such part or no school vouches for its keys. @param {Found} found @returns {string}
 */
export function givenBy({ members, standings, manifest }) {
  const [given, note, stated] = ['given/manifest.json', 'given/manifest.note', 'student.json'].map((name) => members.get(name));
  const own = standings.get(manifest.sources[0].unit);
  if (!given || !note || !stated || !own) return '';
  const made = parseManifest(given);
  const school = standings.get(made.sources[0].unit);
  if (!school) return '';
  const signed = parseNote(note, 'given/manifest.note');
  must(signed.text === noteText(given), 'it is signed for another manifest', 'given/manifest.note');
  requireExactly(signed, newest(school.document, 'manifest'), kindsOf('manifest'), 'given/manifest.note');
  const named = load(stated, 'student.json').signing;
  const keys = newest(own.document, 'manifest').map(vkey);
  const listed = made.files.find((one) => one.name === 'student.json');
  return named && listed?.sha256 === hex(sha256(stated)) && named.join() === keys.join() ? school.name : '';
}

/** @param {string} instant @returns {string} as people write it: 3 March 2033 */
export function day(instant) {
  const months = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];
  const [year, month, date] = instant.slice(0, 10).split('-').map(Number);
  return `${date} ${months[month - 1] ?? ''} ${year}`;
}
