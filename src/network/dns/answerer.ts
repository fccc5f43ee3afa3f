// A message in, an answer out: what is about the cluster from its zone, everything else from resolvers beyond. Sockets are
// not here, nor what names mean.
import type { Random } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import {
  encodeAnswer,
  encodeFailure,
  encodeRefusal,
  isTruncated,
  negativeAuthority,
  rotated,
  type Transport,
  withTtl,
} from './answer.ts';
import { AnswerCache } from './answer-cache.ts';
import { askBeyond } from './beyond.ts';
import type { Forwarder } from './forward.ts';
import type { AnswerMessage } from './listen.ts';
import { inLowerCase, type Query, RCODE, readQuestion } from './question.ts';
import { type Resolution, resolve, type Zone } from './resolve.ts';
import { answerFrom } from './resolver-message.ts';

/** Answers whatever comes; what goes wrong is logged and told the asker as a failure. */
export function createAnswerer(
  zone: Zone,
  forwarder: Forwarder,
  { log, random }: { log: Log; random: Random },
): AnswerMessage {
  const cache = new AnswerCache();
  const chance = (): number => random.next();
  const answerer = new Answerer(zone, forwarder, cache, chance);
  return (message, transport) => {
    const known = cache.get(message, transport, zone.version(), chance);
    if (known) return known;
    const query = readQuestion(message);
    if (!query) return undefined;
    if ('rcode' in query) return encodeRefusal(query);
    const fail = (error: unknown): Buffer => {
      log.error('a question could not be answered', error, {
        name: query.labels.join('.'),
        type: query.type,
      });
      return encodeFailure(query, RCODE.SERVFAIL);
    };
    try {
      const answer = answerer.answer(query, message, transport);
      return answer instanceof Promise ? answer.catch(fail) : answer;
    } catch (error) {
      return fail(error);
    }
  };
}

class Answerer {
  readonly #zone: Zone;
  readonly #forwarder: Forwarder;
  readonly #cache: AnswerCache;
  readonly #chance: () => number;

  constructor(zone: Zone, forwarder: Forwarder, cache: AnswerCache, chance: () => number) {
    this.#zone = zone;
    this.#forwarder = forwarder;
    this.#cache = cache;
    this.#chance = chance;
  }

  answer(query: Query, message: Buffer, transport: Transport): Buffer | Promise<Buffer> {
    const name = query.labels.join('.');
    const resolution = resolve(name, query.type, this.#zone);
    if (!resolution) return this.#fromBeyond(query, name, transport);
    if (resolution.beyond !== undefined)
      return this.#throughAlias(query, resolution, resolution.beyond, transport);
    const answer = this.#fromZone(query, resolution, transport);
    if (!isTruncated(answer)) this.#cache.put(message, transport, query, resolution.answers, answer);
    return answer;
  }

  #fromZone(query: Query, resolution: Resolution, transport: Transport): Buffer {
    const { additionals, answers, exists, negativeTtlSeconds } = resolution;
    const isNegative =
      !exists || answers.every((record) => record.type === 'CNAME' && query.type !== 'CNAME');
    return encodeAnswer(
      query,
      {
        rcode: exists ? RCODE.NOERROR : RCODE.NXDOMAIN,
        authoritative: true,
        answers: rotated(answers.map(withTtl), this.#chance()),
        authorities: isNegative ? [negativeAuthority(this.#zone.domain, negativeTtlSeconds)] : [],
        additionals: additionals.map(withTtl),
      },
      transport,
    );
  }

  /** An alias that leads out of the cluster, with what is behind it. */
  async #throughAlias(
    query: Query,
    { answers }: Resolution,
    beyond: string,
    transport: Transport,
  ): Promise<Buffer> {
    const theirs = await askBeyond(this.#forwarder, beyond, query);
    const { rcode, truncated } = theirs;
    return encodeAnswer(
      query,
      {
        ...{ rcode, truncated, authoritative: false, authorities: [], additionals: [] },
        answers: [...answers.map(withTtl), ...theirs.answers],
      },
      transport,
    );
  }

  async #fromBeyond(query: Query, name: string, transport: Transport): Promise<Buffer> {
    const { checkingDisabled, dnssecOk, question } = query;
    if (this.#forwarder.isOwnQuestion(name)) return encodeFailure(query, RCODE.SERVFAIL);
    const asked = { question: inLowerCase(question), dnssecOk, checkingDisabled };
    const said = await this.#forwarder.forward(asked);
    if (!said) return encodeFailure(query, RCODE.SERVFAIL);
    return answerFrom(said.message, query, said.ageSeconds, transport);
  }
}
