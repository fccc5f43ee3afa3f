// How an OpenAPI 2 document is laid out in protobuf: the messages of package openapi.v2 (google/gnostic-models,
// openapiv2/OpenAPIv2.proto) with the numbers of the fields that our documents use. Only the facts; writing them is
// in v2-protobuf.ts.

/** How a value of the document is written. */
export type Layout =
  /** A string; a boolean; any value as a text in YAML. */
  | 'string'
  | 'boolean'
  | 'yaml'
  /** A message of the table below. */
  | MessageName
  /** A list: the field is repeated. */
  | { each: Layout }
  /** An object of named values: a message that repeats, as its field `field`, messages of a name and a value. */
  | { field: number; named: Layout }
  | Wrapper
  /** A parameter: its member `in` decides in which of these it is wrapped. */
  | { byPlace: Readonly<Record<string, Wrapper>> };

/** A message that holds the value as its field `field`: a list of one kind, or one choice of a oneof. */
interface Wrapper {
  field: number;
  holds: Layout;
}

export interface Message {
  /** Member of the JSON object → number of its field, and how its value is written. */
  fields: Readonly<Record<string, readonly [number, Layout]>>;
  /** The number of the field that takes all members that begin with `x-`. */
  extensions?: number;
}

type MessageName =
  | 'Document'
  | 'Info'
  | 'PathItem'
  | 'Operation'
  | 'BodyParameter'
  | 'QueryParameter'
  | 'PathParameter'
  | 'Response'
  | 'Schema';

const STRINGS: Layout = { each: 'string' };

/** ParametersItem { Parameter { BodyParameter | NonBodyParameter { …, QueryParameterSubSchema | Path… } } } */
const PARAMETERS: Layout = {
  each: {
    byPlace: {
      body: { field: 1, holds: { field: 1, holds: 'BodyParameter' } },
      query: { field: 1, holds: { field: 2, holds: { field: 3, holds: 'QueryParameter' } } },
      path: { field: 1, holds: { field: 2, holds: { field: 4, holds: 'PathParameter' } } },
    },
  },
};

export const MESSAGES: Readonly<Record<MessageName, Message>> = {
  Document: {
    fields: {
      swagger: [1, 'string'],
      info: [2, 'Info'],
      paths: [8, { field: 2, named: 'PathItem' }],
      definitions: [9, { field: 1, named: 'Schema' }],
    },
  },
  Info: { fields: { title: [1, 'string'], version: [2, 'string'] } },
  PathItem: {
    fields: {
      get: [2, 'Operation'],
      put: [3, 'Operation'],
      post: [4, 'Operation'],
      delete: [5, 'Operation'],
      options: [6, 'Operation'],
      head: [7, 'Operation'],
      patch: [8, 'Operation'],
      parameters: [9, PARAMETERS],
    },
    extensions: 10,
  },
  Operation: {
    fields: {
      tags: [1, STRINGS],
      description: [3, 'string'],
      operationId: [5, 'string'],
      produces: [6, STRINGS],
      consumes: [7, STRINGS],
      parameters: [8, PARAMETERS],
      responses: [9, { field: 1, named: { field: 1, holds: 'Response' } }],
      schemes: [10, STRINGS],
    },
    extensions: 13,
  },
  BodyParameter: {
    fields: {
      description: [1, 'string'],
      name: [2, 'string'],
      in: [3, 'string'],
      required: [4, 'boolean'],
      schema: [5, 'Schema'],
    },
    extensions: 6,
  },
  QueryParameter: {
    fields: {
      required: [1, 'boolean'],
      in: [2, 'string'],
      description: [3, 'string'],
      name: [4, 'string'],
      type: [6, 'string'],
      uniqueItems: [20, 'boolean'],
    },
    extensions: 23,
  },
  PathParameter: {
    fields: {
      required: [1, 'boolean'],
      in: [2, 'string'],
      description: [3, 'string'],
      name: [4, 'string'],
      type: [5, 'string'],
      uniqueItems: [19, 'boolean'],
    },
    extensions: 22,
  },
  Response: {
    fields: { description: [1, 'string'], schema: [2, { field: 1, holds: 'Schema' }] },
    extensions: 5,
  },
  Schema: {
    fields: {
      $ref: [1, 'string'],
      format: [2, 'string'],
      description: [4, 'string'],
      default: [5, 'yaml'],
      required: [19, STRINGS],
      enum: [20, { each: 'yaml' }],
      additionalProperties: [21, { field: 1, holds: 'Schema' }],
      type: [22, { field: 1, holds: 'string' }],
      items: [23, { field: 1, holds: 'Schema' }],
      properties: [25, { field: 1, named: 'Schema' }],
    },
    extensions: 31,
  },
};
