// In which form the client wants its answer: the Accept header, read as upstream does
// (apiserver pkg/endpoints/handlers/negotiation).
import { notAcceptable } from '../../../api/errors.ts';

export const PROTOBUF_TYPE = 'application/vnd.kubernetes.protobuf';

export type Shape = 'object' | 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList';

export interface Accepted {
  format: 'json' | 'yaml' | 'protobuf';
  shape: Shape;
}

interface Clause {
  type: string;
  parameters: ReadonlyMap<string, string>;
  quality: number;
}

const SHAPES: readonly Shape[] = ['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList'];

/**
 * The first form of those listed that can be served. Throws NotAcceptable when there is none.
 * @param hasProtobuf whether what is asked for can be written in protobuf.
 */
export function negotiate(accept: string | undefined, hasProtobuf: boolean): Accepted {
  const clauses = parseAccept(accept);
  for (const { type, parameters } of clauses) {
    const format = formatOf(type);
    if (!format || (format === 'protobuf' && !hasProtobuf)) continue;
    const as = parameters.get('as');
    if (as === undefined) return { format, shape: 'object' };
    const shape = SHAPES.find((each) => each === as && (each !== 'Table' || format !== 'protobuf'));
    const served = parameters.get('g') === 'meta.k8s.io' && parameters.get('v') === 'v1';
    if (shape && served) return { format, shape };
  }
  throw notAcceptable(
    'only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf, application/json;as=Table;v=v1;g=meta.k8s.io, application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
  );
}

/** Whether discovery is wanted in its aggregated form (v2) before the plain one. */
export function wantsAggregatedDiscovery(accept: string | undefined): boolean {
  for (const { type, parameters } of parseAccept(accept)) {
    if (formatOf(type) !== 'json') continue;
    const as = parameters.get('as');
    if (as === undefined) return false;
    const served = parameters.get('g') === 'apidiscovery.k8s.io' && parameters.get('v') === 'v2';
    if (as === 'APIGroupDiscoveryList' && served) return true;
  }
  return false;
}

function formatOf(type: string): Accepted['format'] | undefined {
  if (type === 'application/json' || type === '*/*' || type === 'application/*') return 'json';
  if (type === PROTOBUF_TYPE) return 'protobuf';
  return type === 'application/yaml' ? 'yaml' : undefined;
}

/** The Content-Type of an answer in a format. */
export function mediaTypeOf(format: Accepted['format']): string {
  return format === 'protobuf' ? PROTOBUF_TYPE : `application/${format}`;
}

/** The clauses of the header, best first; of equal quality, those without a wildcard first, then in their order. */
export function parseAccept(accept: string | undefined): Clause[] {
  if (!accept) return [{ type: '*/*', parameters: new Map(), quality: 1 }];
  const clauses = accept.split(',').map((text) => {
    const [type = '', ...rest] = text.split(';').map((part) => part.trim());
    const parameters = new Map(rest.map((part) => split(part)));
    return { type: type.toLowerCase(), parameters, quality: Number(parameters.get('q') ?? 1) };
  });
  return clauses
    .filter(({ quality }) => quality > 0)
    .sort((a, b) => b.quality - a.quality || wildcards(a) - wildcards(b));
}

const wildcards = ({ type }: Clause): number => type.split('*').length - 1;

function split(parameter: string): [string, string] {
  const equals = parameter.indexOf('=');
  return equals < 0
    ? [parameter, '']
    : [parameter.slice(0, equals).trim().toLowerCase(), parameter.slice(equals + 1).trim()];
}
