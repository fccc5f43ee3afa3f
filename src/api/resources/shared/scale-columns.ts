// What `kubectl get --subresource=scale` prints of a Scale (printScale in pkg/printers/internalversion/printers.go).

import type { Scale } from '../../generated/types.ts';
import type { KubeObject } from '../../objects.ts';
import type { Column } from '../../resource.ts';
import { ageColumn, column, nameColumn } from './columns.ts';

export const scaleColumns: readonly Column<Scale & KubeObject>[] = [
  nameColumn(),
  column('Desired', 'How many instances are wanted.', ({ spec }) => spec?.replicas ?? 0, 'integer'),
  column('Available', 'How many instances there are.', ({ status }) => status?.replicas ?? 0, 'integer'),
  ageColumn(),
];
