// What fieldValidation says of patches: fields of the patch itself that it does not know or that are there twice, and
// those that only the patched object shows. Follows apiserver pkg/endpoints/handlers/patch.go.
import { badRequest, invalid, invalidValue, StatusError } from '../../api/errors.ts';
import type { KubeObject } from '../../api/objects.ts';
import { DecodeError } from '../../api/schema/decode.ts';
import { type RepeatedKeys, yamlErrorOf } from '../../api/schema/repeated-keys.ts';
import type { StructType } from '../../api/schema/schema.ts';
import type { ApiRequest } from '../request.ts';
import { type Decoded, decodeObject } from './body.ts';

/** What a JSON patch's operation holds. */
const OPERATION_FIELDS: readonly string[] = ['op', 'path', 'from', 'value'];

/**
 * Decodes what a patch has made of an object.
 * @param type of the resource's objects.
 * @throws Invalid with upstream's words for a value of the wrong type, and with Strict for what Warn only tells.
 */
export function decodePatched(type: StructType, request: ApiRequest, patched: KubeObject): Decoded {
  const { resource, patchType, options } = request;
  const { fieldValidation = 'Warn' } = options;
  const own = fieldValidation === 'Ignore' ? [] : reportsOf(request);
  if (patchType === 'apply') {
    const decoded = decodeObject(resource, type, patched, fieldValidation);
    if (own.length === 0) return decoded;
    if (fieldValidation === 'Strict') {
      const why = `error converting YAML to JSON: ${yamlErrorOf(own)}`;
      throw badRequest(`error strict decoding patch: ${why}`);
    }
    return { ...decoded, warnings: [...own, ...decoded.warnings] };
  }
  let decoded: Decoded;
  try {
    decoded = decodeObject(resource, type, patched, fieldValidation === 'Ignore' ? 'Ignore' : 'Warn');
  } catch (error) {
    if (!(error instanceof StatusError) || error.reason !== 'BadRequest') throw error;
    // What create and update say in front is not said here.
    throw refused(request, patched, error instanceof DecodeError ? error.why : error.message);
  }
  const warnings = [...own, ...decoded.warnings];
  if (fieldValidation === 'Strict' && warnings.length > 0) {
    throw refused(request, patched, `strict decoding error: ${warnings.join(', ')}`);
  }
  return { ...decoded, warnings };
}

/** What is wrong with the fields of the patch itself. */
function reportsOf({ patchType, body, repeatedKeys }: ApiRequest): readonly string[] {
  if (patchType === 'json') return operationReports(body, repeatedKeys);
  if (!repeatedKeys) return [];
  return repeatedKeys.format === 'yaml' ? repeatedKeys.lines : [...repeatedKeys.paths].map(duplicateField);
}

const duplicateField = (path: string): string => `duplicate field ${JSON.stringify(path)}`;

function operationReports(operations: unknown, repeated: RepeatedKeys | undefined): string[] {
  if (!Array.isArray(operations)) return [];
  const paths = repeated?.format === 'json' ? [...repeated.paths] : [];
  const known = paths.filter((path) => OPERATION_FIELDS.includes(/^\[\d+\]\.(\w*)/.exec(path)?.[1] ?? ''));
  const unknown = operations.flatMap((operation, index) =>
    Object.keys(Object(operation))
      .filter((field) => !OPERATION_FIELDS.includes(field))
      .map((field) => `unknown field ${JSON.stringify(`[${index}].${field}`)}`),
  );
  return [...unknown, ...known.map(duplicateField)].map((report) => `json patch ${report}`);
}

function refused({ patchType, body }: ApiRequest, patched: KubeObject, why: string): StatusError {
  const value = patchType === 'strategic' ? goText(body) : JSON.stringify(patched);
  return invalid({ group: '', kind: '', plural: '' }, '', [invalidValue('patch', value, why)]);
}

/** A JSON value as Go prints its maps and slices. */
function goText(value: unknown): string {
  if (value === null) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`;
  if (typeof value !== 'object') return String(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[${entries.map(([key, child]) => `${key}:${goText(child)}`).join(' ')}]`;
}
