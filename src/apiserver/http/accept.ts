// In which form the client wants its answer: the Accept header, read as upstream does
// (apiserver pkg/endpoints/handlers/negotiation).
import { notAcceptable } from '../../api/errors.ts';

export type Shape = 'object' | 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList';

export interface Accepted {
  format: 'json' | 'yaml';
  shape: Shape;
}

interface Clause {
  type: string;
  parameters: ReadonlyMap<string, string>;
  quality: number;
}

const SHAPES: readonly Shape[] = ['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList'];

/** The first form of those listed that can be served. Throws NotAcceptable when there is none. */
export function negotiate(accept: string | undefined): Accepted {
  const clauses = parseAccept(accept);
  for (const { type, parameters } of clauses) {
    const format = formatOf(type);
    if (!format) continue;
    const as = parameters.get('as');
    if (as === undefined) return { format, shape: 'object' };
    const shape = SHAPES.find((each) => each === as);
    const served = parameters.get('g') === 'meta.k8s.io' && parameters.get('v') === 'v1';
    if (shape && served) return { format, shape };
  }
  throw notAcceptable(
    'only the following media types are accepted: application/json, application/yaml, application/json;as=Table;v=v1;g=meta.k8s.io, application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
  );
}

/** Whether discovery is wanted in its aggregated form (v2) before the plain one. */
export function wantsAggregatedDiscovery(accept: string | undefined): boolean {
  for (const { type, parameters } of parseAccept(accept)) {
    if (!formatOf(type)) continue;
    const as = parameters.get('as');
    if (as === undefined) return false;
    const served = parameters.get('g') === 'apidiscovery.k8s.io' && parameters.get('v') === 'v2';
    if (as === 'APIGroupDiscoveryList' && served) return true;
  }
  return false;
}

function formatOf(type: string): Accepted['format'] | undefined {
  if (type === 'application/json' || type === '*/*' || type === 'application/*') return 'json';
  return type === 'application/yaml' ? 'yaml' : undefined;
}

/** The clauses of the header, best first; of equal quality, in their order. */
function parseAccept(accept: string | undefined): Clause[] {
  if (!accept) return [{ type: '*/*', parameters: new Map(), quality: 1 }];
  const clauses = accept.split(',').map((text) => {
    const [type = '', ...rest] = text.split(';').map((part) => part.trim());
    const parameters = new Map(rest.map((part) => split(part)));
    return { type: type.toLowerCase(), parameters, quality: Number(parameters.get('q') ?? 1) };
  });
  return clauses.filter(({ quality }) => quality > 0).sort((a, b) => b.quality - a.quality);
}

function split(parameter: string): [string, string] {
  const equals = parameter.indexOf('=');
  return equals < 0
    ? [parameter, '']
    : [parameter.slice(0, equals).trim().toLowerCase(), parameter.slice(equals + 1).trim()];
}
