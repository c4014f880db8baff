/** From facts to what people read: the story in plain words, and what the picture draws. */
import { day } from './file.js';

const FACTORS = ['self_disclosure', 'trust_of_self', 'trust_of_others', 'seeking_change'];
export const NAMES = { self_disclosure: 'Sharing', trust_of_self: 'Trust of self', trust_of_others: 'Trust of others', seeking_change: 'Seeking change' };
export const ENDS = { self_disclosure: ['keeps to self', 'shares'], trust_of_self: ['doubts self', 'trusts self'],
  trust_of_others: ['wary of others', 'trusts others'], seeking_change: ['stays with the known', 'seeks the new'] };
const JUDGED = { new_to_us: 'new to staff', already_known: 'known already', not_what_we_see: 'not what staff saw' };
const CAME = { helped: 'it helped', helped_partly: 'it helped in part', did_not_help: 'it did not help', stopped_early: 'it stopped early' };
const GOING = { well: 'going well', as_planned: 'going as planned', not_yet: 'not there yet' };
const OUTCOMES = { none: 'nothing to report', bullied: 'being bullied', self_harm: 'self-harm, known to the safeguarding lead',
  not_coping: 'not coping', referral: 'referral to another service', attendance: 'attendance', behaviour: 'behaviour', peer_difficulty: 'difficulty with peers',
  anxiety_support: 'support for worries', outside_referral: 'referral to another service', exclusion: 'exclusion', other: 'something else' };
const ENDED = { withdrawn: 'called off', rejected: 'refused by the other school', expired: 'out of time', recalled: 'called back' };
const HOW = { alone: '', read_aloud: 'The sentences were read aloud.', supported: 'An adult wrote for you.' };
const HELPERS = { teacher: 'a teacher', teaching_assistant: 'a teaching assistant', interpreter: 'an interpreter', other_adult: 'another adult' };

/**
 * @typedef {{ id: string, on: string, said: string, more: string[], by: string, from: string, topic: string, corrected: boolean,
 *   told: import('./file.js').Told }} Sentence
 * @typedef {{ on: string, values: (number | null)[], errors: (number | null)[], usable: boolean }} Sitting
 * @typedef {{ from: string, name: string, until: string }} School
 * @typedef {{ sittings: Sitting[], schools: School[], plans: { from: string, until: string, goal: string, factor: string | null, came: string }[],
 *   signs: { on: string, said: string, factor: string | null }[], moves: string[], starts: string, ends: string, own: { on: string, text: string }[] }} Picture
 */

/**
 * The facts as they read now: each changed by the corrections that name it. Backwards, so that a correction has been
 * corrected itself before it is applied; of two, the later one has the word.
 * @param {any[]} facts in the order of the story @returns {Map<string, any>} by event id
 */
export function corrected(facts) {
  const now = facts.map((fact) => ({ ...fact, corrected: false }));
  const at = new Map(facts.map((fact, index) => [fact.event_id, index]));
  for (let target = facts.length - 1; target >= 0; target -= 1) {
    for (const fact of now.slice(target + 1)) {
      if (fact.topic !== 'journey.fact-corrected.v1' || at.get(fact.data.corrects) !== target) continue;
      now[target] = { ...now[target], data: { ...now[target].data, ...fact.data.changes }, corrected: true };
    }
  }
  return new Map(now.map((fact) => [fact.event_id, fact]));
}

/** @param {any} fact @returns {string} the day it happened */
export const dayOf = (fact) => String(fact.data.happened_on ?? fact.recorded_at).slice(0, 10);

/** @param {number | null | undefined} group */
const year = (group) => (typeof group !== 'number' ? '' : group === 0 ? 'Reception' : group > 0 ? `Year ${group}` : 'nursery');

/** @param {any[]} groups */
const groupsOf = (groups) => (groups ?? []).map((one) => `${one.dimension} ${one.name}`).join(', ');

/** @param {any} data @param {Record<string, string>} words @returns {string[]} */
const doing = (data, words) => [...(data.signposts ?? []).map((/** @type {string} */ code) => words[code] ?? code), ...(data.own_strategies ?? [])];

/**
 * One fact in plain words: the sentence, and what stands under it.
 * @param {any} fact @param {{ schools: Map<string, string>, goals: Map<string, string>, signs: Map<string, string>, words: Record<string, string> }} named
 * @returns {string[]}
 */
function say(fact, named) {
  const data = fact.data;
  const goal = named.goals.get(data.plan_id) ?? 'a plan';
  const sign = named.signs.get(data.flag_id) ?? '';
  /** @type {Record<string, () => string[]>} */
  const ways = {
    'journey.pupil-enrolled.v1': () => [`You joined ${named.schools.get(data.school_id) ?? 'a school'}${year(data.year_group) && ` in ${year(data.year_group)}`}.`, groupsOf(data.groups)],
    'journey.pupil-regrouped.v1': () => [`You were in ${year(data.year_group) || 'another group'} from here on.`, groupsOf(data.groups)],
    'journey.pupil-left.v1': () => ['You left the school.'],
    'journey.assessment-sat.v1': () => ['You answered the questions about an imagined place.', ...levels(data),
      data.usable === false ? 'It could not be read well, so nothing rests on it.' : '', helped(data)],
    'journey.not-today-said.v1': () => [fact.by?.role === 'pupil' ? 'You said: not today.' : 'Somebody noted for you: not today.', 'Nothing followed from it.'],
    'journey.flag-raised.v1': () => [`An early sign was seen: ${lower(data.reason)}.`, 'A computer model saw it. It is not a diagnosis, and nobody acted on it alone.'],
    'journey.flag-eased.v1': () => ['An early sign was no longer seen.', sign],
    'journey.flag-reviewed.v1': () => [`Staff looked at an early sign: ${JUDGED[/** @type {keyof typeof JUDGED} */ (data.judgement)] ?? data.judgement}.`, sign, noted(data)],
    'journey.pupil-looked-at': () => [`Staff looked at how you were doing${data.concern ? ', and were concerned' : ', without concern'}.`, noted(data)],
    'journey.outcome-reported': () => [`Reported: ${OUTCOMES[/** @type {keyof typeof OUTCOMES} */ (data.code)] ?? data.code}.`],
    'journey.totals-imported.v1': () => [`The results of another questionnaire, ${data.instrument} ${data.version}, were taken in as numbers.`,
      Object.entries(data.totals ?? {}).map(([scale, one]) => `${scale} ${one.reached} (${one.least} to ${one.most})`).join('; ')],
    'journey.talk-requested.v1': () => ['You asked to talk to someone.'],
    'journey.talk-acknowledged.v1': () => ['Someone took up your wish to talk.'],
    'journey.talk-escalated.v1': () => ['Your wish to talk went to the next person.'],
    'journey.plan-opened.v1': () => [`A plan began: ${data.goal}.`, ...doing(data, named.words), `Until ${day(data.end_on)}.`],
    'journey.plan-monitored.v1': () => [`The plan "${goal}" was ${GOING[/** @type {keyof typeof GOING} */ (data.going)] ?? data.going}.`, noted(data)],
    'journey.plan-reviewed.v1': () => [`The plan "${goal}" was looked at and goes on until ${day(data.end_on)}.`, noted(data)],
    'journey.plan-closed.v1': () => [`The plan "${goal}" ended: ${CAME[/** @type {keyof typeof CAME} */ (data.came)] ?? data.came}.`, noted(data)],
    'journey.transfer-prepared.v1': () => [`Your record was sealed for ${data.kind === 'student' ? 'you' : 'the next school'}.`, data.protected ? 'Provenance withheld by law.' : ''],
    'journey.custody-released.v1': () => ['The next school confirmed that it has your record.'],
    'journey.transfer-withdrawn.v1': () => [`A hand-over was ${ENDED[/** @type {keyof typeof ENDED} */ (data.why)] ?? data.why}.`],
    'journey.record-received.v1': () => [`A school took over your record: ${data.facts} facts, checked.`],
    'journey.supplement-prepared.v1': () => ['What was written down late was sealed, to follow your record.'],
    'journey.supplement-received.v1': () => [`What another school wrote down late followed your record: ${data.facts} facts, checked.`],
    'journey.ownership-passed.v1': () => ['You were given your own copy.'],
    'journey.fact-corrected.v1': () => [`An earlier entry was corrected: ${Object.keys(data.changes ?? {}).join(', ').replaceAll('_', ' ')}.`, data.why ?? ''],
    'journey.opt-out-recorded.v1': () => [`The questions stopped, as ${data.asked_by === 'pupil' ? 'you' : 'a parent'} asked.`],
    'journey.opt-out-ended.v1': () => ['The questions went on again.'],
    'journey.processing-restricted.v1': () => ['Your record was kept and not used until a question about it was settled.'],
    'journey.restriction-lifted.v1': () => ['Your record could be used again.'],
    'student.reflection-written.v1': () => ['You wrote:', String(data.text ?? '')],
    'student.sitting-taken.v1': () => ['You answered the questions again, for yourself.', ...levels(data)],
  };
  return (ways[fact.topic] ?? ways[fact.topic.replace(/\.v[12]$/, '')] ?? (() => [`A fact of the kind ${fact.topic}, which this reader does not know; it is kept as it is.`]))();
}

/** @param {string} text */
const lower = (text) => (text ? `${text[0].toLowerCase()}${text.slice(1)}`.replace(/\.$/, '') : 'something worth a look');
/** @param {any} data */
const helped = (data) => {
  const helper = HELPERS[/** @type {keyof typeof HELPERS} */ (data.helped_by)];
  return helper ? `Supported: ${helper} wrote for you.` : HOW[/** @type {keyof typeof HOW} */ (data.mode)] ?? '';
};
/** @param {any} data */
const noted = (data) => (data.note ? `Staff note: ${data.note}` : '');

/** @param {number} level @param {string} factor */
function levelWords(level, factor) {
  const [low, high] = ENDS[/** @type {keyof typeof ENDS} */ (factor)];
  if (level <= 2.2) return `almost always ${low}`;
  if (level >= 4.8) return `almost always ${high}`;
  if (Math.abs(level - 3.5) <= 0.65) return 'in the middle';
  return level < 3.5 ? `more often ${low}` : `more often ${high}`;
}

/** @param {any} data @returns {string[]} */
function levels(data) {
  const values = Array.isArray(data.values) ? data.values : [];
  return ['in general', 'in school'].flatMap((where, half) => {
    const said = FACTORS.flatMap((factor, at) => {
      const value = values[half * 4 + at];
      return typeof value === 'number' ? [`${NAMES[/** @type {keyof typeof NAMES} */ (factor)].toLowerCase()}: ${levelWords(value, factor)}`] : [];
    });
    return said.length ? [`Then, ${where}: ${said.join('; ')}.`] : [];
  });
}

/**
 * The story, oldest first. @param {import('./file.js').Found} found @returns {Sentence[]}
 */
export function story(found) {
  const facts = found.facts.filter((one) => one.fact !== null);
  const now = corrected(facts.map((one) => one.fact));
  const all = [...now.values()];
  const named = {
    schools: new Map(found.schools.map((one) => [one.school_id, one.name])),
    goals: new Map(all.filter((one) => one.topic === 'journey.plan-opened.v1').map((one) => [one.data.plan_id, one.data.goal])),
    signs: new Map(all.filter((one) => one.topic === 'journey.flag-raised.v1').map((one) => [one.data.flag_id, one.data.reason])),
    words: wordings(found),
  };
  const told = facts.map((one) => {
    const fact = now.get(one.fact.event_id);
    const [said, ...more] = say(fact, named);
    return { id: fact.event_id, on: dayOf(fact), said, more: more.filter(Boolean), by: fact.by?.role ?? '', topic: fact.topic,
      from: found.standings.get(one.unit)?.name ?? one.origin, corrected: fact.corrected === true, told: one };
  });
  return told.sort((a, b) => (a.on < b.on ? -1 : a.on > b.on ? 1 : 0));
}

/** What the codes of plans say. @param {import('./file.js').Found} found @returns {Record<string, string>} */
function wordings(found) {
  const data = found.members.get('wordings.json');
  try {
    return data ? JSON.parse(new TextDecoder().decode(data)) : {};
  } catch {
    return {};
  }
}

/** What the picture draws. @param {import('./file.js').Found} found @returns {Picture} */
export function picture(found) {
  const facts = [...corrected(found.facts.flatMap((one) => (one.fact ? [one.fact] : []))).values()];
  const of = (/** @type {string} */ topic) => facts.filter((one) => one.topic === topic).sort((a, b) => (dayOf(a) < dayOf(b) ? -1 : 1));
  const names = new Map(found.schools.map((one) => [one.school_id, one.name]));
  const closed = new Map(of('journey.plan-closed.v1').map((one) => [one.data.plan_id, one]));
  const joined = of('journey.pupil-enrolled.v1');
  const first = joined[0];
  const sittings = [...of('journey.assessment-sat.v1'), ...of('student.sitting-taken.v1')].map((one) => (
    { on: dayOf(one), values: one.data.values ?? [], errors: one.data.errors ?? [], usable: one.data.usable !== false }));
  const last = facts.map(dayOf).sort().at(-1) ?? '2030-01-01';
  const autumn = first ? Number(dayOf(first).slice(0, 4)) - (dayOf(first).slice(5, 7) < '09' ? 1 : 0) : Number(last.slice(0, 4)) - 10;
  const from = autumn - Math.max(0, (first?.data.year_group ?? 4) - 4);
  const end = Math.max(from + 10, Number(last.slice(0, 4)) + (last.slice(5) > '08-31' ? 1 : 0));
  const changed = joined.filter((one, at) => at === 0 || joined[at - 1].data.school_id !== one.data.school_id);
  return {
    sittings: sittings.sort((a, b) => (a.on < b.on ? -1 : 1)), starts: `${from}-09-01`, ends: `${end}-08-31`,
    schools: changed.map((one, at) => ({ from: dayOf(one), until: changed[at + 1] ? dayOf(changed[at + 1]) : last, name: names.get(one.data.school_id) ?? 'a school' })),
    plans: of('journey.plan-opened.v1').map((one) => {
      const ended = closed.get(one.data.plan_id);
      return { from: one.data.start_on, until: ended ? dayOf(ended) : one.data.end_on, goal: one.data.goal, factor: one.data.factor ?? null,
        came: ended ? CAME[/** @type {keyof typeof CAME} */ (ended.data.came)] ?? '' : 'no end recorded' };
    }),
    signs: of('journey.flag-raised.v1').map((one) => ({ on: dayOf(one), said: one.data.reason, factor: one.data.factor ?? null })),
    moves: of('journey.record-received.v1').map(dayOf),
    own: of('student.reflection-written.v1').map((one) => ({ on: dayOf(one), text: String(one.data.text ?? '') })),
  };
}
