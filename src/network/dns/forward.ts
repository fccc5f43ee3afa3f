// Passes questions about the rest of the world on to resolvers beyond the cluster: what they have said is kept as long as
// it holds, equal questions at one time are asked once, and only so many at a time. Whom to ask is upstreams.ts's business.
import type { Clock, Random } from '../../base/clock.ts';
import { errorText } from '../../base/error-text.ts';
import type { Log } from '../../base/log.ts';
import { sameJson } from '../../base/same-json.ts';
import type { ResolverQuestion } from './exchange.ts';
import { formatResolverAddress, type ResolverAddress } from './resolver-address.ts';
import { ResolverCache } from './resolver-cache.ts';
import type { ResolverMessage } from './resolver-message.ts';
import { Upstreams } from './upstreams.ts';

/** Questions under way at once; beyond it new ones fail at once instead of piling up. */
const MAX_OUTSTANDING = 1_000;
/** How often it is looked whether the resolvers are others, in milliseconds. */
const LOOK_AGAIN_MS = 10_000;

/** What a resolver has said. */
export interface Said {
  message: ResolverMessage;
  /** How long ago. */
  ageSeconds: number;
}

export interface Forwarder {
  /** Resolves with what is said, or undefined when nobody says anything. Never rejects. */
  forward(asked: ResolverQuestion): Promise<Said | undefined>;
  /** Whether a question for this name is one of ours that has come back: it is not to be asked again. */
  isOwnQuestion(name: string): boolean;
  /** To be called once questions can come in: looks whether a resolver leads back here. */
  begin(): void;
  close(): void;
}

/**
 * @param resolvers whom to ask at first.
 * @param current gives whom to ask later: a machine that moves to another network has others.
 */
export function createForwarder(
  resolvers: readonly ResolverAddress[],
  current: () => Promise<readonly ResolverAddress[]>,
  context: { clock: Clock; random: Random; log: Log },
): Forwarder {
  const { clock, log } = context;
  let upstreams = new Upstreams(resolvers, context);
  let known = resolvers;
  let lookedAtMs = clock.now();
  let isClosed = false;
  const cache = new ResolverCache(clock);
  const outstanding = new Map<string, Promise<ResolverMessage | undefined>>();

  /** Looks whether the resolvers are others by now; whoever has asked does not wait for it. */
  const lookAgain = async (): Promise<void> => {
    if (clock.now() < lookedAtMs + LOOK_AGAIN_MS) return;
    lookedAtMs = clock.now();
    const now = await current();
    if (isClosed || sameJson(now, known)) return;
    log.info('names outside the cluster are asked of other resolvers from now on', {
      resolvers: now.map(formatResolverAddress).join(','),
    });
    upstreams.close();
    upstreams = new Upstreams(now, context);
    known = now;
    upstreams.probe();
  };
  const ask = async (key: string, asked: ResolverQuestion): Promise<ResolverMessage | undefined> => {
    const message = await upstreams.ask(asked);
    outstanding.delete(key);
    if (message) cache.put(key, message);
    return message;
  };
  /** Asked for once more while it is asked for: by another client, or by a resolver that leads back here. */
  const join = (key: string): Promise<ResolverMessage | undefined> | undefined => {
    const answer = outstanding.get(key);
    if (answer !== undefined) upstreams.probe();
    return answer;
  };
  const begin = (key: string, asked: ResolverQuestion): Promise<ResolverMessage | undefined> | undefined => {
    if (outstanding.size >= MAX_OUTSTANDING) return undefined;
    const answer = ask(key, asked);
    outstanding.set(key, answer);
    return answer;
  };
  return {
    async forward(asked) {
      const key = `${+asked.dnssecOk}${+asked.checkingDisabled}${asked.question.toString('latin1')}`;
      const said = cache.get(key);
      if (said) return said;
      lookAgain().catch((error: unknown) =>
        log.warn('the resolvers cannot be looked up', { error: errorText(error) }),
      );
      const message = await (join(key) ?? begin(key, asked));
      return message && { message, ageSeconds: 0 };
    },
    isOwnQuestion: (name) => upstreams.isProbe(name),
    begin: () => upstreams.probe(),
    close() {
      isClosed = true;
      upstreams.close();
    },
  };
}
