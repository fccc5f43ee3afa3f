// What a proxied request and its answer say of themselves: headers that concern one connection only are taken off,
// those that tell where a request came from are put on, and redirects lead back through the proxy (apimachinery
// pkg/util/proxy/transport.go and Go's httputil.ReverseProxy). Pure.
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';

/** Of one connection, never passed on. */
const HOP_BY_HOP = [
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/** Who asks is between them and the API server. */
const CREDENTIALS = /^(?:authorization$|impersonate-)/;

/** What is known of a request beside its headers. */
export interface Passage {
  /** The path up to `/proxy`, as sent: what goes before every path of the destination. */
  prefix: string;
  /** The path and query for the destination, as sent. */
  rest: string;
  /** Where the request came from. */
  clientAddress: string;
  /** Whether there is a body; one of unknown length is sent in chunks. */
  hasBody: boolean;
}

export function requestHeaders(headers: IncomingHttpHeaders, passage: Passage): OutgoingHttpHeaders {
  const sent = withoutHopByHop(headers);
  for (const name of Object.keys(sent)) if (CREDENTIALS.test(name)) delete sent[name];
  sent.host = headers.host ?? headers[':authority']?.toString() ?? '';
  sent['x-forwarded-uri'] = passage.prefix + (passage.rest.split('?', 1)[0] ?? '');
  const before = headers['x-forwarded-for'];
  if (passage.clientAddress) {
    sent['x-forwarded-for'] = [before, passage.clientAddress].flat().filter(Boolean).join(', ');
  }
  if (passage.hasBody && sent['content-length'] === undefined) sent['transfer-encoding'] = 'chunked';
  return sent;
}

/** @param rewrite gives the URL to put in a URL's place: see `rewriteLocation`. */
export function responseHeaders(
  headers: IncomingHttpHeaders,
  rewrite: (url: string) => string,
): Record<string, string | string[]> {
  const sent = withoutHopByHop(headers);
  if (sent.location) sent.location = rewrite(String(sent.location));
  return sent;
}

function withoutHopByHop(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const named = (headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase());
  const sent: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    const stays = !name.startsWith(':') && !HOP_BY_HOP.includes(name) && !named.includes(name);
    if (value !== undefined && stays) sent[name] = value;
  }
  return sent;
}

/**
 * A URL of the destination itself leads through the proxy again; any other is none of its business.
 * @param prefix as in the request, which went to `destination` (`10.0.0.1:80`) and asked for `host`.
 */
export function rewriteLocation(location: string, prefix: string, destination: string, host: string): string {
  const absolute = /^(?:https?:)?\/\/([^/?#]*)([\s\S]*)$/i.exec(location);
  const [, target, path = location] = absolute ?? [];
  if (target !== undefined && target !== destination && target !== host) return location;
  // A host alone means its root; nothing at all means where one is.
  if (!path.startsWith('/') && (path !== '' || target === undefined)) return location;
  return path.startsWith(`${prefix}/`) ? path : `${prefix}${path || '/'}`;
}
