/** The story as CloudEvents 1.0, one JSON object a line: the open form, for software that knows nothing of ours. */
import { same, utf8 } from './bytes.js';
import { canonical, parse } from './canonical.js';
import { nested } from './chain.js';
import { must } from './errors.js';

export const MEMBER = 'cloudevents.jsonl';

/**
 * Every fact of a story that is not withheld, in its order. @param {string} origin the sender's log
 * @param {import('./story.js').Line[]} lines @returns {Uint8Array} @throws {import('./errors.js').Refused}
 */
export function cloudEvents(origin, lines) {
  const told = lines.flatMap((line) => {
    if (!line.payload) return [];
    const inner = nested(line.payload).at(-1);
    return [`${canonical(event(inner?.origin ?? origin, inner?.payload ?? line.payload))}\n`];
  });
  return utf8(told.join(''));
}

/** That a member says what the story says. @param {Uint8Array} data @param {string} origin @param {import('./story.js').Line[]} lines */
export function checkCloudEvents(data, origin, lines) {
  must(same(data, cloudEvents(origin, lines)), 'it does not say what events.jsonl says', MEMBER);
}

/** @param {string} origin @param {Uint8Array} payload */
function event(origin, payload) {
  const fact = parse(payload, MEMBER);
  const whole = fact && typeof fact === 'object' && ['event_id', 'topic', 'recorded_at', 'data'].every((name) => name in fact);
  must(whole && fact.by && 'id' in fact.by && 'role' in fact.by, 'a fact of the story has no form as a CloudEvent', MEMBER);
  return {
    specversion: '1.0', id: fact.event_id, source: `//${origin}`, type: fact.topic, time: fact.recorded_at,
    datacontenttype: 'application/json', actorid: fact.by.id, actorrole: fact.by.role, data: fact.data,
  };
}
