// Requests that a page of somebody else makes in the browser of whoever has a client certificate: the browser shows the
// certificate by itself, as it sends cookies. Tokens it does not know; who sends one means it. Upstream has no such
// check; nothing that is no browser sends these headers by itself.
import { StatusError } from '../../../api/errors.ts';
import type { Exchange } from '../port/exchange.ts';

/** Where a browser says that a request begins: here, or with the user. */
const OWN = new Set(['same-origin', 'none']);

/** Throws Forbidden for a request of another site that only the certificate speaks for. */
export function refuseCrossSite(exchange: Pick<Exchange, 'certificate' | 'header'>): void {
  if (!exchange.certificate || exchange.header('authorization')) return;
  const site = exchange.header('sec-fetch-site');
  const origin = exchange.header('origin');
  const host = exchange.header(':authority') ?? exchange.header('host');
  // A browser that does not tell of sites tells of origins, wherever it could do harm.
  const isForeign =
    site === undefined ? origin !== undefined && origin !== `https://${host}` : !OWN.has(site);
  if (!isForeign) return;
  throw new StatusError({
    message: `forbidden: requests of another site (${origin ?? site}) are not served to a client certificate`,
    reason: 'Forbidden',
    details: {},
    code: 403,
  });
}
