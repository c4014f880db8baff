/** The story as the file holds it: a line for each entry, and the envelopes inside (FORMAT.md, section 5). */
import { b64, same, text, unb64, utf8 } from './bytes.js';
import { canonical } from './canonical.js';
import { commitment, nested, parseEntry } from './chain.js';
import { must } from './errors.js';

const MAX_LINES = 200_000;
const MAX_STREAMS = 256;

/**
 * @typedef {{ entry: Uint8Array, payload: Uint8Array | null, salt: Uint8Array | null, omitted: string }} Line
 * @typedef {Map<string, { origin: string, stream: Uint8Array, entries: Map<number, Uint8Array> }>} Threads
 */

/** @param {Line} line @returns {string} its one form, without the newline */
export const lineText = (line) => (line.payload && line.salt
  ? canonical({ entry: b64(line.entry), payload: b64(line.payload), salt: b64(line.salt) })
  : canonical({ entry: b64(line.entry), omitted: line.omitted }));

/** @param {Line[]} lines @returns {Uint8Array} the member */
export const dumpLines = (lines) => utf8(lines.map((line) => `${lineText(line)}\n`).join(''));

/** The lines, each in its one form, each entry committing to its payload. @param {Uint8Array} data @param {string} member @returns {Line[]} */
export function parseLines(data, member) {
  const rows = text(data, member).split('\n');
  must(rows.pop() === '' && rows.length <= MAX_LINES, 'its last line does not end, or it has too many', member);
  return rows.map((row, at) => lineOf(row, `${member}, line ${at + 1}`));
}

/** @param {string} row @param {string} where @returns {Line} */
function lineOf(row, where) {
  /** @type {any} */
  let fields;
  try {
    fields = JSON.parse(row);
  } catch {
    fields = null;
  }
  must(fields !== null && typeof fields === 'object', 'it is not one of the two forms of a line', where);
  const entry = unb64(fields.entry, where);
  if ('omitted' in fields) {
    const reason = fields.omitted;
    must(typeof reason === 'string' && reason.length > 0 && [...reason].length <= 200, 'a reason is a short text', where);
    return oneForm({ entry, payload: null, salt: null, omitted: reason }, row, where);
  }
  const line = { entry, payload: unb64(fields.payload, where), salt: unb64(fields.salt, where, 32), omitted: '' };
  must(same(commitment(line.salt, line.payload), parseEntry(entry).commitment), 'its entry does not commit to this payload', where);
  return oneForm(line, row, where);
}

/** @param {Line} line @param {string} row @param {string} where @returns {Line} */
function oneForm(line, row, where) {
  must(lineText(line) === row, 'it is not in its one form', where);
  return line;
}

/** @param {string} origin @param {Uint8Array} stream */
export const threadOf = (origin, stream) => `${origin}\n${b64(stream)}`;

/** Every entry that the story shows, at every depth, by stream. @param {string} origin @param {number[]} indexes @param {Line[]} lines @returns {Threads} */
export function threadsOf(origin, indexes, lines) {
  must(lines.length > 0 && indexes.length === lines.length, 'it has not the lines that are proved', 'events.jsonl');
  /** @type {Threads} */
  const threads = new Map();
  lines.forEach((line, at) => {
    const layers = line.payload ? nested(line.payload) : [];
    const kinds = [put(threads, origin, indexes[at], line.entry), ...layers.map((one) => put(threads, one.origin, one.index, one.entry))];
    const right = !line.payload || kinds.every((kind, depth) => (kind === 'import') === (depth < layers.length));
    must(right, 'an entry is an import exactly when its payload is an import envelope', `entry ${indexes[at]}`);
  });
  return threads;
}

/** @param {Threads} threads @param {string} origin @param {number} index @param {Uint8Array} entry @returns {string} its kind */
function put(threads, origin, index, entry) {
  const parsed = parseEntry(entry);
  const key = threadOf(origin, parsed.stream);
  const thread = threads.get(key) ?? { origin, stream: parsed.stream, entries: new Map() };
  threads.set(key, thread);
  const known = thread.entries.get(index);
  must(!known || same(known, entry), 'two different entries stand at one index', `entry ${index} of ${origin}`);
  thread.entries.set(index, entry);
  must(threads.size <= MAX_STREAMS, 'the story passed through too many logs', 'events.jsonl');
  return parsed.kind;
}
