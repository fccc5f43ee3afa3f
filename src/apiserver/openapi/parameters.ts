// The parameters that each verb's operation takes, as the documents describe them. kubectl looks for fieldValidation
// among those of patch to learn whether the server validates.
import type { Dialect, Json, JsonObject } from './definitions.ts';

interface Parameter {
  name: string;
  in: 'query' | 'path';
  type: 'string' | 'boolean' | 'integer';
  description: string;
}

const query = (name: string, type: Parameter['type'], description: string): Parameter => ({
  name,
  in: 'query',
  type,
  description,
});
const inPath = (name: string, description: string): Parameter => ({
  name,
  in: 'path',
  type: 'string',
  description,
});

const PRETTY = query('pretty', 'string', 'If true, then the output is pretty printed.');
const DRY_RUN = query(
  'dryRun',
  'string',
  'When present, indicates that modifications should not be persisted. An invalid or unrecognized dryRun directive will result in an error response and no further processing of the request. Valid values are: - All: all dry run stages will be processed',
);
const FIELD_MANAGER = query(
  'fieldManager',
  'string',
  'fieldManager is a name associated with the actor or entity that is making these changes. The value must be less than or 128 characters long, and only contain printable characters.',
);
const FIELD_VALIDATION = query(
  'fieldValidation',
  'string',
  'fieldValidation instructs the server on how to handle objects in the request containing unknown or duplicate fields. Valid values are: Ignore, Warn (the default) and Strict.',
);
const FORCE = query(
  'force',
  'boolean',
  'Force is going to "force" Apply requests. It means user will re-acquire conflicting fields owned by other people. Force flag must be unset for non-apply patch requests.',
);
const SELECTION: readonly Parameter[] = [
  query(
    'continue',
    'string',
    'The continue option should be set when retrieving more results from the server.',
  ),
  query('fieldSelector', 'string', 'A selector to restrict the list of returned objects by their fields.'),
  query('labelSelector', 'string', 'A selector to restrict the list of returned objects by their labels.'),
  query('limit', 'integer', 'limit is a maximum number of responses to return for a list call.'),
  query(
    'resourceVersion',
    'string',
    'resourceVersion sets a constraint on what resource versions a request may be served from.',
  ),
  query(
    'resourceVersionMatch',
    'string',
    'resourceVersionMatch determines how resourceVersion is applied to list calls.',
  ),
  query('timeoutSeconds', 'integer', 'Timeout for the list/watch call.'),
];
const WATCHING: readonly Parameter[] = [
  query('allowWatchBookmarks', 'boolean', 'allowWatchBookmarks requests watch events with type "BOOKMARK".'),
  query(
    'sendInitialEvents',
    'boolean',
    'sendInitialEvents begins the watch with events for all current objects.',
  ),
  query(
    'watch',
    'boolean',
    'Watch for changes to the described resources and return them as a stream of add, update, and remove notifications.',
  ),
];
const DELETION: readonly Parameter[] = [
  query('gracePeriodSeconds', 'integer', 'The duration in seconds before the object should be deleted.'),
  query('orphanDependents', 'boolean', 'Deprecated: please use the propagationPolicy.'),
  query('propagationPolicy', 'string', 'Whether and how garbage collection will be performed.'),
];

export type Operation = 'get' | 'list' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection';

const OF_OPERATION: Readonly<Record<Operation, readonly Parameter[]>> = {
  get: [],
  list: [...SELECTION, ...WATCHING],
  create: [DRY_RUN, FIELD_MANAGER, FIELD_VALIDATION],
  update: [DRY_RUN, FIELD_MANAGER, FIELD_VALIDATION],
  patch: [DRY_RUN, FIELD_MANAGER, FIELD_VALIDATION, FORCE],
  delete: [DRY_RUN, ...DELETION],
  deletecollection: [DRY_RUN, ...SELECTION, ...DELETION],
};

function describe(dialect: Dialect, { name, in: place, type, description }: Parameter): Json {
  const common = { name, in: place, description, ...(place === 'path' && { required: true }) };
  return dialect === 'v2'
    ? { ...common, type, uniqueItems: true }
    : { ...common, schema: { type, uniqueItems: true } };
}

/** The query parameters of an operation. */
export function operationParameters(dialect: Dialect, operation: Operation): Json[] {
  return OF_OPERATION[operation].map((parameter) => describe(dialect, parameter));
}

/** The parameters that all operations of a path share. */
export function pathParameters(dialect: Dialect, path: string): JsonObject {
  const parameters = [
    ...(path.includes('{name}') ? [inPath('name', 'name of the object')] : []),
    ...(path.includes('{namespace}')
      ? [inPath('namespace', 'object name and auth scope, such as for teams and projects')]
      : []),
    PRETTY,
  ];
  return { parameters: parameters.map((parameter) => describe(dialect, parameter)) };
}
