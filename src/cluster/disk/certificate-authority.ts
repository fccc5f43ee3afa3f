// The cluster's own certificate authority, and how one follows another. Two years before its end a successor is made, which
// everybody is told to trust; a month later the successor signs, and the old one is trusted until it ends. The successor is
// cross-signed by it, so that even who was told nothing (a copy of a kubeconfig) trusts what the successor signs.
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { endOf, readPair, readText, writePair, writeWhole } from './certificate-files.ts';
import { crossSign, type KeyPair, makeAuthority } from './x509.ts';

export const DAY_MS = 24 * 60 * 60 * 1000;
const LIFETIME_MS = 10 * 365 * DAY_MS;
/** How long before its end an authority is given a successor. */
const SUCCESSOR_BEFORE_MS = 2 * 365 * DAY_MS;
/** How long a successor is trusted before it signs. */
const TRUSTED_FIRST_MS = 30 * DAY_MS;
/** An authority this near its end signs nothing more, however new its successor is. */
const LEAST_LEFT_MS = 120 * DAY_MS;
/** For clocks that are behind. */
const BACKDATED_MS = DAY_MS;

export interface Authority {
  /** What signs now. */
  signing: KeyPair;
  /** Who is to be trusted, PEM, what signs first. */
  bundle: string;
  /** To be sent along with what `signing` has signed, PEM; empty if nobody needs it. */
  chain: string;
  /** Every authority that is trusted, by its file's name. */
  trusted: Array<{ name: string; cert: string }>;
}

/**
 * The authority of a directory as it has to be now: made, succeeded or left alone. A step that was cut off is done again.
 * @param nowMs ms since the epoch.
 */
export async function ensureAuthority(directory: string, nowMs: number): Promise<Authority> {
  await finishSuccession(directory);
  let current = await readPair(directory, 'ca');
  if (!current && (await readText(join(directory, 'ca.crt'))) !== undefined) {
    throw new Error(
      `${directory}/ca.crt and ca.key do not belong together: put back those of a backup, or remove both, and every client has to be given a new kubeconfig`,
    );
  }
  if (!current || endOf(current.cert) <= nowMs) {
    // Without one, or with one that nobody trusts any more, there is nothing to go on from.
    await Promise.all(['next', 'old', 'cross'].map((role) => removeRole(directory, role)));
    current = await makeAuthority(nameAt(current ? nowMs : undefined), validityFrom(nowMs));
    await writePair(directory, 'ca', current);
  }
  const leftMs = endOf(current.cert) - nowMs;
  let next = await readPair(directory, 'ca-next');
  if (!next && leftMs < SUCCESSOR_BEFORE_MS) {
    next = await makeAuthority(nameAt(nowMs), validityFrom(nowMs));
    await writePair(directory, 'ca-next', next);
  }
  if (next && (trustedForMs(next, nowMs) >= TRUSTED_FIRST_MS || leftMs < LEAST_LEFT_MS)) {
    await succeed(directory, current, next, nowMs);
    current = next;
    next = undefined;
  }
  return trustOf(directory, current, next, nowMs);
}

const nameAt = (nowMs: number | undefined): string =>
  nowMs === undefined ? 'stead-ca' : `stead-ca-${Math.floor(nowMs / 1000)}`;

const validityFrom = (nowMs: number) => ({ fromMs: nowMs - BACKDATED_MS, untilMs: nowMs + LIFETIME_MS });

/** A certificate says when it was made by when it ends. */
const trustedForMs = (next: KeyPair, nowMs: number): number => nowMs - (endOf(next.cert) - LIFETIME_MS);

async function succeed(directory: string, current: KeyPair, next: KeyPair, nowMs: number): Promise<void> {
  const cross = await crossSign(current, next.cert, {
    fromMs: nowMs - BACKDATED_MS,
    untilMs: endOf(current.cert),
  });
  await writeWhole(join(directory, 'ca-cross.crt'), cross, 0o644);
  await writeWhole(join(directory, 'ca-old.crt'), current.cert, 0o644);
  await rename(join(directory, 'ca-next.key'), join(directory, 'ca.key'));
  await finishSuccession(directory);
}

/** A successor whose key has been put in the place of the old one signs already; its certificate has to follow. */
async function finishSuccession(directory: string): Promise<void> {
  if ((await readText(join(directory, 'ca-next.key'))) !== undefined) return;
  await rename(join(directory, 'ca-next.crt'), join(directory, 'ca.crt')).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  });
}

async function trustOf(
  directory: string,
  signing: KeyPair,
  next: KeyPair | undefined,
  nowMs: number,
): Promise<Authority> {
  const old = await readText(join(directory, 'ca-old.crt'));
  const cross = await readText(join(directory, 'ca-cross.crt'));
  const isOldTrusted = old !== undefined && endOf(old) > nowMs;
  const trusted = [
    { name: 'ca', cert: signing.cert },
    ...(next ? [{ name: 'ca-next', cert: next.cert }] : []),
    ...(isOldTrusted ? [{ name: 'ca-old', cert: old }] : []),
  ];
  return {
    signing,
    bundle: trusted.map(({ cert }) => cert).join(''),
    chain: isOldTrusted ? (cross ?? '') : '',
    trusted,
  };
}

async function removeRole(directory: string, role: string): Promise<void> {
  for (const kind of ['key', 'crt']) await rm(join(directory, `ca-${role}.${kind}`), { force: true });
}
