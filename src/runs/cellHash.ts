/** The seed of ipykernel and xeus-python for the hash in a cell's file name. */
const SEED = 0xc70f6907;
const MULTIPLIER = 0x5bd1e995;

/**
 * Return the hash in the file name that a kernel gives to a cell: MurmurHash2 of the text's UTF-8, as a decimal number.
 * It is the same in each process and version of the kernel.
 */
export function hashCell(text: string): string {
  const data = new TextEncoder().encode(text);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const end = data.length - (data.length % 4);
  let hash = SEED ^ data.length;
  for (let at = 0; at < end; at += 4) {
    const word = mix(view.getUint32(at, true));
    hash = Math.imul(hash, MULTIPLIER) ^ word;
  }
  if (end < data.length) {
    let rest = 0;
    for (let at = data.length - 1; at >= end; at--) {
      rest = (rest << 8) | data[at];
    }
    hash = Math.imul(hash ^ rest, MULTIPLIER);
  }
  hash = Math.imul(hash ^ (hash >>> 13), MULTIPLIER);
  return String((hash ^ (hash >>> 15)) >>> 0);
}

function mix(word: number): number {
  const mixed = Math.imul(word, MULTIPLIER);
  return Math.imul(mixed ^ (mixed >>> 24), MULTIPLIER);
}
