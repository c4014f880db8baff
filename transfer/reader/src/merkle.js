/** RFC 6962 Merkle trees: roots and proofs. */
import { concat, same, sha256, utf8 } from './bytes.js';
import { must } from './errors.js';

/** @typedef {[number, number]} Span the part of a tree over the leaves from, up to and without, the second */

/** @param {Uint8Array} data @returns {Uint8Array} */
export const leafHash = (data) => sha256(concat(Uint8Array.of(0), data));

/** @param {Uint8Array} left @param {Uint8Array} right @returns {Uint8Array} */
export const nodeHash = (left, right) => sha256(concat(Uint8Array.of(1), left, right));

/** The largest power of two smaller than `count`. @param {number} count */
function split(count) {
  let power = 1;
  while (power * 2 < count) power *= 2;
  return power;
}

/** The root of the leaves start..end. @param {Uint8Array[]} leaves @returns {Uint8Array} */
export function rootOf(leaves, start = 0, end = leaves.length) {
  if (end - start === 0) return sha256(utf8(''));
  if (end - start === 1) return leaves[start];
  const middle = start + split(end - start);
  return nodeHash(rootOf(leaves, start, middle), rootOf(leaves, middle, end));
}

/** @param {number} index @param {number} size @returns {Span[]} the siblings from the leaf up (RFC 6962, 2.1.1) */
function pathSpans(index, size) {
  /** @type {Span[]} */
  const spans = [];
  let [start, end] = [0, size];
  while (end - start > 1) {
    const middle = start + split(end - start);
    spans.push(index < middle ? [middle, end] : [start, middle]);
    [start, end] = index < middle ? [start, middle] : [middle, end];
  }
  return spans.reverse();
}

/** @param {Uint8Array[]} leaves @param {number} index @returns {Uint8Array[]} */
export const inclusionProof = (leaves, index) => pathSpans(index, leaves.length).map((span) => rootOf(leaves, ...span));

/** Check that the leaf is the index-th. @param {Uint8Array} root @param {number} size @param {number} index @param {Uint8Array} leaf @param {Uint8Array[]} proof */
export function verifyInclusion(root, size, index, leaf, proof) {
  must(Number.isSafeInteger(index) && index >= 0 && index < size, 'the leaf lies outside the tree', 'inclusion proof');
  const spans = pathSpans(index, size);
  must(proof.length === spans.length && proof.every((part) => part.length === 32), 'it has not the right hashes', 'inclusion proof');
  const found = spans.reduce((hash, [start], at) => (start <= index ? nodeHash(proof[at], hash) : nodeHash(hash, proof[at])), leaf);
  must(same(found, root), `leaf ${index} is not in the tree of ${size}`, 'inclusion proof');
}

/** The first place in a sorted list not below `value`. @param {number[]} sorted @param {number} value */
function place(sorted, value) {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The largest spans without any of the sorted indexes, left to right. @param {number[]} indexes @param {number} start @param {number} end @returns {Span[]} */
function cover(indexes, start, end) {
  const found = place(indexes, start);
  if (found === indexes.length || indexes[found] >= end) return [[start, end]];
  if (end - start === 1) return [];
  const middle = start + split(end - start);
  return [...cover(indexes, start, middle), ...cover(indexes, middle, end)];
}

/** @param {Iterable<number>} indexes @param {number} size @returns {number[]} */
function sortedIndexes(indexes, size) {
  const found = [...new Set(indexes)].sort((a, b) => a - b);
  const inside = found.every((one) => Number.isSafeInteger(one) && one >= 0 && one < size);
  must(size > 0 && inside, 'a leaf lies outside the tree', 'multi-proof');
  return found;
}

/** One proof for many leaves of a tree held whole. @param {Uint8Array[]} leaves @param {Iterable<number>} indexes @returns {Uint8Array[]} */
export const multiProof = (leaves, indexes) => cover(sortedIndexes(indexes, leaves.length), 0, leaves.length).map((span) => rootOf(leaves, ...span));

/** Check that every leaf stands at its index. @param {Uint8Array} root @param {number} size @param {Map<number, Uint8Array>} leaves @param {Uint8Array[]} proof */
export function verifyMulti(root, size, leaves, proof) {
  must(proof.every((part) => part.length === 32), 'a hash has not 32 bytes', 'multi-proof');
  const known = new Partial(size, leaves, proof);
  must(known.used === proof.length && same(known.root, root), `the ${leaves.size} leaves are not in the tree of ${size}`, 'multi-proof');
}

/** A tree of which some leaves and the hashes between them are known: it can prove any of those leaves alone. */
export class Partial {
  /** @param {number} size @param {Map<number, Uint8Array>} leaves @param {Uint8Array[]} proof */
  constructor(size, leaves, proof) {
    this.size = size;
    this.leaves = leaves;
    /** @type {Map<string, Uint8Array>} */
    this.spans = new Map();
    this.used = 0;
    for (const span of cover(sortedIndexes(leaves.keys(), size), 0, size)) {
      this.spans.set(span.join(), proof[this.used] ?? new Uint8Array());
      this.used += 1;
    }
    this.root = this.hash(0, size);
  }

  /** @param {number} start @param {number} end @returns {Uint8Array} */
  hash(start, end) {
    const known = this.spans.get(`${start},${end}`);
    if (known) return known;
    const leaf = end - start === 1 ? this.leaves.get(start) : undefined;
    const middle = start + split(end - start);
    const made = leaf ?? nodeHash(this.hash(start, middle), this.hash(middle, end));
    this.spans.set(`${start},${end}`, made);
    return made;
  }

  /** @param {Iterable<number>} indexes some of the known leaves @returns {Uint8Array[]} the proof of these alone */
  prove(indexes) {
    return cover(sortedIndexes(indexes, this.size), 0, this.size).map(([start, end]) => this.hash(start, end));
  }
}
