// The names that types have in OpenAPI documents: the Go package that declares them, as upstream publishes it
// (`io.k8s.api.apps.v1.StatefulSet`), since clients look types up by them.

import type { StructType } from '../../api/schema/schema.ts';

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1';

export const QUANTITY = 'io.k8s.apimachinery.pkg.api.resource.Quantity';
export const INT_OR_STRING = 'io.k8s.apimachinery.pkg.util.intstr.IntOrString';
export const RAW_EXTENSION = 'io.k8s.apimachinery.pkg.runtime.RawExtension';
export const TIME = `${META}.Time`;
export const MICRO_TIME = `${META}.MicroTime`;
export const FIELDS_V1 = `${META}.FieldsV1`;
export const PATCH = `${META}.Patch`;

/** The name of a type in the documents. */
export function definitionName({ name, goName, declared: { goPackage } }: StructType): string {
  return goPackage ? `${goPackage}.${goName}` : name;
}
