import type { Failure, FailureException, FailureFrame } from '../_api';

/** A frame of the user's code, or adjacent frames of libraries. */
export type FrameGroup =
  | { kind: 'own'; frame: FailureFrame }
  | { kind: 'library'; frames: FailureFrame[]; packages: string[] };

/** Number of libraries that are named. */
const MAX_NAMED = 3;

/**
 * Group the frames of an exception, the innermost first.
 *
 * @param frames - the frames, the innermost last
 */
export function groupFrames(frames: readonly FailureFrame[]): FrameGroup[] {
  const groups: FrameGroup[] = [];
  for (const frame of [...frames].reverse()) {
    const last = groups[groups.length - 1];
    if (frame.package === null) {
      groups.push({ kind: 'own', frame });
    } else if (last?.kind === 'library') {
      last.frames.push(frame);
    } else {
      groups.push({ kind: 'library', frames: [frame], packages: [] });
    }
  }
  groups.forEach(namePackages);
  return groups;
}

function namePackages(group: FrameGroup): void {
  if (group.kind === 'library') {
    const names = new Set(group.frames.map(one => displayName(one)));
    names.delete('');
    group.packages = [...names].slice(0, MAX_NAMED);
    if (names.size > MAX_NAMED) {
      group.packages.push('…');
    }
  }
}

/** Return the name of a frame's library, as the user knows it. */
function displayName({ package: name }: FailureFrame): string {
  const known: Record<string, string> = {
    python: 'Python',
    satflow_ext: 'SatFlow'
  };
  return known[name ?? ''] ?? name ?? '';
}

/** Return the exception that ended the run, null if the log has none. */
export function findMainException({
  exceptions
}: Failure): FailureException | null {
  return [...exceptions].reverse().find(one => one.relation === null) ?? null;
}
